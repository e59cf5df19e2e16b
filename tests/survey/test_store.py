"""Survey files of other versions."""

from __future__ import annotations

import json

import pytest

from pytest_tentacle.survey.model import FORMAT
from pytest_tentacle.survey.store import StoreError, dumps, loads
from support.fleets.world import small_fleet


@pytest.mark.parametrize(("version", "said"), [(FORMAT - 1, "an older"), (FORMAT + 1, "a newer"), (None, "an older")])
def test_another_format_is_refused_in_words(version: int | None, said: str) -> None:
    """Which version wrote it, and what to do; a file that names no format is of the first."""
    document = json.loads(dumps(small_fleet().surveys()))
    del document["format"]
    document |= {"version": "9.8"} | ({} if version is None else {"format": version})
    with pytest.raises(StoreError, match=rf"a file: written by {said} pytest-tentacle \(9\.8") as caught:
        loads(json.dumps(document).encode(), "a file")
    assert "--save-surveys" in str(caught.value) or "Upgrade" in str(caught.value)


def test_of_this_version() -> None:
    """What was written is read."""
    surveys = small_fleet().surveys()
    assert loads(dumps(surveys).encode(), "a file") == surveys
