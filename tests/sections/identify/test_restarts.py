"""What a restart that was asked for leaves in logs is no fault; what it does not explain stays one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.actions import Action, ActionResult
from support import NOW

DAYS = timedelta(days=3)
POLL = "https://octo-1.example:10943/             12  "
POLL_PID = 900
REFUSED = (
    f"{POLL}The remote host at https://octo-1.example:10943/ refused the connection. This may mean that the expected "
    "listening service is not running."
)
SHUT_DOWN = (
    f"{POLL}The remote host at https://octo-1.example:10943/ reset the connection. This may mean that the expected "
    f"listening service does not trust the thumbprint {'A' * 40} or was shut down."
)
FATAL = "A required communications port is already in use."


def judged(logs: Any, name: str, restarted: str = "octo-1", result: ActionResult = ActionResult.DONE) -> StepResult:
    """After a restart that was begun 60 s before the survey, and watched for 32."""
    begun = NOW - timedelta(seconds=60)
    action = Action(time=begun, seconds=32, kind="restart", machine=restarted, result=result, told="-")
    surveys = logs.fleet().surveys.model_copy(update={"actions": (action,)})
    return fleet_of(surveys).subject(name).result("identify-the-problem")


@pytest.mark.parametrize("words", [REFUSED, SHUT_DOWN])
@pytest.mark.parametrize("ago", [58, 30])
def test_polls_that_were_lost_meanwhile(logs: Any, ago: float, words: str) -> None:
    """They are history; without the restart they are a problem."""
    logs.connections["poll-01"] = ()
    logs.write("poll-01", logs.line(DAYS, "INFO", "nothing", POLL_PID) + logs.line(ago, "ERROR", words, POLL_PID))
    assert logs.judge("poll-01").outcome is Outcome.FAILED
    assert judged(logs, "poll-01").problems == ()
    assert judged(logs, "poll-01", restarted="poll-01").problems == ()


@pytest.mark.parametrize(
    ("restarted", "result", "ago"),
    [
        ("octo-1", ActionResult.DONE, 20),
        ("octo-1", ActionResult.DONE, 90),
        ("octo-1", ActionResult.LEFT_ALONE, 50),
        ("web-01", ActionResult.DONE, 50),
    ],
    ids=["after it", "before it", "left alone", "of another machine"],
)
def test_what_a_restart_does_not_explain(logs: Any, restarted: str, result: ActionResult, ago: float) -> None:
    logs.connections["poll-01"] = ()
    logs.write("poll-01", logs.line(DAYS, "INFO", "nothing", POLL_PID) + logs.line(ago, "ERROR", REFUSED, POLL_PID))
    assert judged(logs, "poll-01", restarted, result).outcome is Outcome.FAILED


def test_a_failure_that_stood_before_and_goes_on(logs: Any) -> None:
    """Its last time alone is within the restart."""
    logs.connections["poll-01"] = ()
    lines = [logs.line(ago, "ERROR", REFUSED, POLL_PID) for ago in (300, 180, 50)]
    logs.write("poll-01", logs.line(DAYS, "INFO", "nothing", POLL_PID) + "".join(lines))
    assert judged(logs, "poll-01").outcome is Outcome.FAILED


def test_a_start_that_fails(logs: Any) -> None:
    """What the new process says of itself is told."""
    logs.world["web-01"].service |= {"state": "stopped", "pid": None, "started_utc": None}
    logs.write("web-01", logs.line(DAYS, "INFO", "nothing") + logs.line(50, "FATAL", FATAL, 3000))
    assert judged(logs, "web-01", restarted="web-01").outcome is Outcome.FAILED
