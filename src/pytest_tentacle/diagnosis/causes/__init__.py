"""All causes, by area."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind

from .configuration_file import CONFIGURATION_FILE
from .firewall import FIREWALLS
from .interception import INTERCEPTION
from .local_port import LOCAL_PORT
from .logs import LOGS
from .logs_between import LOGS_BETWEEN
from .logs_start import LOGS_START
from .machine import MACHINE
from .middlebox import MIDDLEBOX
from .names import NAMES
from .path import PATH
from .path_polling import PATH_POLLING
from .ping import PING
from .process import PROCESS
from .services import SERVICES
from .settings import SETTINGS
from .surroundings import SURROUNDINGS
from .system import SYSTEM
from .thumbprint import THUMBPRINT
from .tls import TLS
from .trust import TRUST

CAUSES: tuple[CauseKind, ...] = tuple(
    sorted(
        (
            *LOGS,
            *LOGS_BETWEEN,
            *LOGS_START,
            *SERVICES,
            *CONFIGURATION_FILE,
            *SETTINGS,
            *TRUST,
            *THUMBPRINT,
            *LOCAL_PORT,
            *NAMES,
            *PATH,
            *PATH_POLLING,
            *FIREWALLS,
            *PROCESS,
            *INTERCEPTION,
            *MIDDLEBOX,
            *PING,
            *SURROUNDINGS,
            *SYSTEM,
            *MACHINE,
            *TLS,
        ),
        key=lambda kind: kind.code,
    )
)
"""In the order of their codes."""

STAND_ALONE = {
    "TT129": "a process ended with an error that nobody knows: its text is all there is",
    "TT131": "communication failed with a text that nobody knows",
    "TT527": "the connection failed in a way that has no name; the system's own words are the evidence",
}
"""Problems that no cause explains by itself, and why. They stay visible as unexplained."""

__all__ = ["CAUSES", "STAND_ALONE"]
