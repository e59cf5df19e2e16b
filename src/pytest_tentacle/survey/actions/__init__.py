"""What was done to a machine because a person asked for it: a restart, a remedy. No run does any of it by itself."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pytest_tentacle.survey.model import ServiceState
from pytest_tentacle.values import Value


class ActionResult(StrEnum):
    """What came of it. Nothing is called done that was not seen to be."""

    DONE = "done"
    FAILED = "failed"
    NOT_KNOWN = "not known"
    """It was begun, and the machine or the connection to it was lost before it told what came of it."""
    LEFT_ALONE = "left alone"
    """Nothing was begun."""


class ServiceLook(Value):
    """A service at one moment. `state` is unknown where the machine's word for it is none of ours."""

    state: ServiceState = ServiceState.UNKNOWN
    detail: str | None = None
    """systemd's sub-state and result, such as `auto-restart / exit-code`; None on Windows."""
    pid: int | None = None
    started_utc: datetime | None = None
    restarts: int | None = None
    """systemd's NRestarts; None on Windows, and where systemd is older than 235 and counts none."""

    @property
    def words(self) -> str:
        """In a few words: `running, process 812 since 2026-11-30 01:02:03Z`."""
        parts = [self.state.value + (f" ({self.detail})" if self.detail else "")]
        if self.pid:
            since = f" since {self.started_utc:%Y-%m-%d %H:%M:%SZ}" if self.started_utc else ""
            parts.append(f"process {self.pid}{since}")
        return ", ".join(parts)


class By(Value):
    """Who asked for it, and on which machine."""

    user: str = "somebody"
    host: str = ""

    @property
    def words(self) -> str:
        """Both: `anna on build-1`."""
        return f"{self.user} on {self.host}" if self.host else self.user


class Action(Value):
    """One thing done to one machine, or left alone with the reason.

    Attributes:
        time: when it was begun, UTC, by the clock of the machine that runs pytest.
        seconds: until its end was known.
        what: of a restart the service's name, of a remedy the cause's code.
        commands: what was run, as it was shown before.
        told: what came of it, in a sentence.
        by: who asked for it.
        log: what the service's own log said meanwhile, its last lines.
    """

    time: datetime
    seconds: float = 0.0
    kind: Literal["restart", "mend"]
    machine: str
    what: str = ""
    commands: tuple[str, ...] = ()
    result: ActionResult
    told: str
    by: By = By()
    before: ServiceLook | None = None
    after: ServiceLook | None = None
    log: tuple[str, ...] = ()
