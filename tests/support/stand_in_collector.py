"""A pytest plugin: instead of contacting anybody, a run gets the surveys in a file; and somebody logs as they are taken."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pytest_tentacle.inventory import without_credentials
from pytest_tentacle.run import reach
from pytest_tentacle.survey import store


def _collect(inventory, names, plan, progress):  # the collector's own signature
    surveys = store.load(Path(os.environ["CANARY_SURVEYS"]))
    said = os.environ["CANARY_LOG"]
    log = logging.getLogger("some.library")
    log.warning("connecting with %s", said)
    log.error("it failed", exc_info=OSError(said))
    return surveys.model_copy(update={"inventory": without_credentials(inventory)})


reach.collect = _collect
