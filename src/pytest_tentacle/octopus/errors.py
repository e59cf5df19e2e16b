"""Why Octopus's API gave no answer, each in a sentence that says what to do next."""

from __future__ import annotations

from enum import StrEnum


class PortalFailure(StrEnum):
    """The kinds of failure. None of them is a fault of a Tentacle: what was asked for stays unknown."""

    NO_ADDRESS = "no-address"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMED_OUT = "timed-out"
    REDIRECTED = "redirected"
    NOT_OCTOPUS = "not-octopus"
    DAMAGED = "damaged"
    TOO_LARGE = "too-large"
    NOT_LOGGED_IN = "not-logged-in"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    BUDGET = "budget"


class PortalError(Exception):
    """One question that was not answered.

    Attributes:
        kind: what went wrong.
        advice: what to do next.
        permission: the permission that is missing, where Octopus named one.
    """

    def __init__(self, kind: PortalFailure, message: str, advice: str = "", permission: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.advice = advice
        self.permission = permission

    def __str__(self) -> str:
        text = str(self.args[0])
        return f"{text}: {self.advice}" if self.advice else text
