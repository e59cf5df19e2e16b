"""How failures of an SSH session are told: one printable line each, without secrets."""

from __future__ import annotations

from pytest_tentacle import hiding
from pytest_tentacle.transport.base import ReachStage, TransportError


class DroppedError(TransportError):
    """A failure to connect that another attempt may mend."""


def broken_off(stage: ReachStage, target: str) -> TransportError:
    """The error for a session that was closed from another thread while it was at this stage."""
    return TransportError(stage, f"the session with {target} was broken off", "Run again to survey this machine.")


def reason(error: BaseException) -> str:
    """An exception as one printable line: what a server sent may stand in it."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text or type(error).__name__)


def one_line(text: str, limit: int = 200) -> str:
    """Text from elsewhere, safe to print: one line, no control characters, not longer than `limit`."""
    return hiding.one_line(text, limit)
