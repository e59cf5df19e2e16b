"""Why a service is not running (guide, "Check the Octopus and Tentacle Services are Running")."""

from __future__ import annotations

from .endings import ENDINGS
from .log_on import LOG_ON
from .managers import MANAGERS
from .not_executed import NOT_EXECUTED
from .not_started import NOT_STARTED
from .running import RUNNING

SERVICES = (*RUNNING, *ENDINGS, *LOG_ON, *NOT_STARTED, *NOT_EXECUTED, *MANAGERS)

__all__ = ["SERVICES"]
