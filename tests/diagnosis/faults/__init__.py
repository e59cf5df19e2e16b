"""Faults, each injected into a healthy fleet that was surveyed as a whole: what a cause is found by, and it alone.

A fault changes what a survey or an inventory holds, or both ends of a link: never a problem. The real checks judge it.
A module for each folder of causes; `test_causes.py` runs them all, and fails where a cause has none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_tentacle.link import Failure

if TYPE_CHECKING:
    from .whole import Whole

REFUSED = {"fails": "connect", "error": Failure.REFUSED}
DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
NO_ROUTE = {"fails": "connect", "error": Failure.UNREACHABLE}
FORBIDDEN = {"fails": "connect", "error": Failure.PROHIBITED}
NO_NAME = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}
NO_DNS = {"fails": "resolve", "error": Failure.RESOLVER_FAILED}
OLD_TLS = {"fails": "tls", "error": Failure.PROTOCOL_VERSION}
NO_SUITE = {"fails": "tls", "error": Failure.NO_COMMON_CIPHER}
CLOSED = {"fails": "tls", "error": Failure.CLOSED}
RESET = {"fails": "tls", "error": Failure.RESET}
SILENT = {"fails": "tls", "error": Failure.TIMED_OUT}
NOT_TLS = {"fails": "tls", "error": Failure.NOT_TLS}
STOPPED = {"state": "stopped", "pid": None, "exit_code": 0}


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        code: the cause that it gives.
        machines: just those that have it.
        change: injects the fault.
        besides: more causes, where the fault really is several; in the order of their codes.
        confidence: that of the cause; None where the test does not care.
        unsure: a part of the sentence that says what could have told it apart; empty: nothing is left to tell.
    """

    code: str
    machines: tuple[str, ...]
    change: Callable[[Whole], None]
    besides: tuple[str, ...] = ()
    confidence: str | None = None
    unsure: str | None = None

    @property
    def id(self) -> str:
        return f"{self.code}-{self.change.__name__}"


CASES: list[Case] = []


def case(code: str, *machines: str, **more: Any) -> Callable[[Any], Any]:
    """Registers a fault; of web-01 where no machine is named."""

    def register(change: Any) -> Any:
        CASES.append(Case(code, machines or ("web-01",), change, **more))
        return change

    return register
