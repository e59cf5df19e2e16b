"""What a transport is: one login, kept; commands with data on stdin; and failures typed by stage."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

LINGER_SECONDS = 5.0
"""How long output may still come after a command's end, where something that it started holds the streams open."""


class ReachStage(StrEnum):
    """Where logging on to a machine failed: the management path, not the product's."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    AUTHENTICATE = "authenticate"
    START = "start"
    RUN = "run"
    TIME_OUT = "time-out"
    NOT_ASKED = "not-asked"
    """No transport is declared, or the run was interrupted before this machine's turn."""


class TransportError(Exception):
    """A machine could not be reached, or did not answer as it should.

    Attributes:
        stage: how far it came.
        summary: one line, without secrets: what happened, with host and port.
        advice: one line: what to do next.
        received: what a command had printed on stdout by then.
    """

    def __init__(self, stage: ReachStage, summary: str, advice: str, received: bytes = b"") -> None:
        super().__init__(f"{summary} ({stage}). {advice}")
        self.stage = stage
        self.summary = summary
        self.advice = advice
        self.received = received


class Deadline:
    """A point in time that a machine's whole budget ends at."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0.0


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class Transport(ABC):
    """One session with one machine. Not for use by several threads at once.

    `connect` is called once; `execute` as often as wanted, on the same session; `close` always, also after a failure,
    and from another thread to break off what hangs.
    """

    requests: int = 0
    """HTTP requests (WinRM) or executed commands (SSH, local) so far."""

    @abstractmethod
    def connect(self, deadline: Deadline) -> None:
        """Log on. Raises TransportError."""

    @abstractmethod
    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 16_000_000) -> Answer:
        """Run a command line with these bytes on its stdin, to its end.

        Raises TransportError, with stage START, RUN (output over `max_output` bytes as well) or TIME_OUT, and with
        what had been printed by then.
        """

    @abstractmethod
    def detect_os(self) -> str | None:
        """`windows` or `linux` as far as the login itself tells, without running anything."""

    @abstractmethod
    def close(self) -> None:
        """End the session; never raises."""
