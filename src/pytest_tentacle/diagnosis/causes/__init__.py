"""All causes: those that choose between explanations, by area, and the problems that are their own cause."""

from __future__ import annotations

from pytest_tentacle.diagnosis.from_problem import own_cause
from pytest_tentacle.diagnosis.kind import CauseKind
from pytest_tentacle.sections.catalogue import KINDS

from .interception import INTERCEPTION
from .local_port import LOCAL_PORT
from .logs import LOGS
from .messages import MESSAGES
from .names import NAMES
from .path.address_family import ADDRESS_FAMILY
from .path.beside import BESIDE
from .path.bridges import BRIDGES
from .path.exhausted import EXHAUSTED
from .path.in_front import IN_FRONT
from .path.listening import PATH
from .path.nodes import NODES
from .path.own_firewall import OWN_FIREWALL
from .path.polling import PATH_POLLING
from .path.slow import SLOW_WAYS
from .path.web_only import WEB_ONLY
from .ping import PING
from .private_key import PRIVATE_KEY
from .process import PROCESS
from .programs import PROGRAMS
from .registering import CALLS, REGISTERING
from .services import SERVICES
from .settings import SETTINGS
from .spare import SPARE
from .tls import TLS
from .trust import TRUST

CAUSES: tuple[CauseKind, ...] = tuple(
    sorted(
        (
            *LOGS,
            *ADDRESS_FAMILY,
            *REGISTERING,
            *CALLS,
            *PROGRAMS,
            *MESSAGES,
            *SERVICES,
            *SETTINGS,
            *SPARE,
            *TRUST,
            *PRIVATE_KEY,
            *LOCAL_PORT,
            *NAMES,
            *PATH,
            *IN_FRONT,
            *BRIDGES,
            *WEB_ONLY,
            *OWN_FIREWALL,
            *BESIDE,
            *EXHAUSTED,
            *PATH_POLLING,
            *NODES,
            *SLOW_WAYS,
            *PROCESS,
            *INTERCEPTION,
            *PING,
            *TLS,
            *(own_cause(kind) for kind in KINDS if kind.is_cause),
        ),
        key=lambda kind: kind.code,
    )
)
"""In the order of their codes."""

STAND_ALONE: dict[str, str] = {}
"""Problems that no cause explains by itself, and why. They stay visible as unexplained."""

__all__ = ["CAUSES", "STAND_ALONE"]
