"""`--restart`: the services of the selected machines, restarted over the survey's own log-on (guide, first section).

A service is looked at before, and for half a minute after: the guide's thirty seconds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_tentacle.inventory.model import Transport as TransportSettings
from pytest_tentacle.survey.actions import Action, ActionResult, By, ServiceLook
from pytest_tentacle.survey.model import ServiceState

from .scripts import Mark, StrangeValueError, restart_order
from .sending import Sender, Sending, Sent, Watched

WATCH_SECONDS = 30
"""How long a service is watched afterwards: what the guide allows it to start work."""

ANSWER_SECONDS = 120
"""What the service manager may take to end a service and start it: systemd's own limits are 90 s for each."""

LOG_LINES = 60

_UNKNOWN = "whether it was carried out is not known; look at the service before you restart it once more"
_SYSTEMD = {
    "active": ServiceState.RUNNING, "activating": ServiceState.STARTING, "deactivating": ServiceState.STOPPING,
    "reloading": ServiceState.RUNNING, "inactive": ServiceState.STOPPED, "failed": ServiceState.FAILED,
}  # fmt: skip
_WINDOWS = {
    "Running": ServiceState.RUNNING, "Stopped": ServiceState.STOPPED, "Start Pending": ServiceState.STARTING,
    "Stop Pending": ServiceState.STOPPING, "Paused": ServiceState.PAUSED, "4": ServiceState.RUNNING,
    "1": ServiceState.STOPPED, "2": ServiceState.STARTING, "3": ServiceState.STOPPING, "7": ServiceState.PAUSED,
}  # fmt: skip
"""WMI's words, and the service controller's numbers."""
_ENDED = frozenset({ServiceState.STOPPED, ServiceState.FAILED})
_AGAIN = "auto-restart"


@dataclass(frozen=True)
class Restart:
    """One service to restart.

    Attributes:
        service: its name, as the survey read it.
        log: the file of its product's own log; None where that is not known.
        site: whose worker does it, where the run has a scheduler.
    """

    machine: str
    settings: TransportSettings
    is_windows: bool
    service: str
    log: str | None
    by: By
    site: str | None = None


def restart(task: Restart, sender: Sender, watched: Watched) -> Action:
    """Restart one service and tell exactly what came of it.

    Args:
        task: whose.
        sender: who logs on.
        watched: is given what is under way, so that it can be broken off from outside.
    """
    begun, started = datetime.now(UTC), time.monotonic()
    try:
        order = restart_order(task.service, task.log, WATCH_SECONDS, is_windows=task.is_windows)
    except StrangeValueError as error:
        return _action(task, begun, started, ActionResult.LEFT_ALONE, str(error))
    sent = sender(Sending((order,), task.settings, ANSWER_SECONDS + WATCH_SECONDS, task.site), watched)
    return judged(task, sent, begun, started)


def judged(task: Restart, sent: Sent, begun: datetime, started: float) -> Action:
    """What an answer, or as much as came of it, says of a restart."""
    before = _first_look(sent.first("BEFORE"), is_windows=task.is_windows)
    looks = [
        (mark, look_of(mark.text, is_windows=task.is_windows))
        for mark in sent.marks
        if mark.word == "LOOK" and mark.text
    ]
    after = looks[-1][1] if looks else None
    answered, watched = sent.first("ANSWERED"), sent.first("WATCHED")
    result, told = _verdict(task, sent, before, [look for _, look in looks])
    if result is ActionResult.DONE and watched is None:
        seconds = looks[-1][0].number(0) or 0 if looks else 0
        result = ActionResult.NOT_KNOWN
        told = f"{told}, and was lost sight of {seconds} s later ({sent.why}): whether it keeps running is not known"
    elif result is ActionResult.DONE and watched is not None:
        told = f"{told} and kept running for {watched.number(0) or 0} s"
    if answered is not None and answered.text.strip() and result is ActionResult.FAILED:
        told += f": {' '.join(answered.text.split())[:300]}"
    log = _log_lines(sent)
    return _action(task, begun, started, result, told).model_copy(update={"before": before, "after": after, "log": log})


def _verdict(
    task: Restart, sent: Sent, before: ServiceLook | None, looks: Sequence[ServiceLook]
) -> tuple[ActionResult, str]:
    unanswered = _unanswered(sent)
    if unanswered is not None:
        return unanswered
    answered = sent.first("ANSWERED")
    if answered is None or answered.number(0) != 0:
        return ActionResult.FAILED, f"{task.service} could not be restarted"
    failure = _failure(task.service, before, looks, _seconds(sent))
    if failure:
        return ActionResult.FAILED, failure
    after = looks[-1] if looks else None
    if after is None or after.state is not ServiceState.RUNNING:
        state = after.state.value if after else "not known"
        return ActionResult.NOT_KNOWN, f"its restart was asked for; its state is {state} since"
    was_running = before is not None and before.state is ServiceState.RUNNING
    process = f" as process {after.pid}" if after.pid else ""
    return ActionResult.DONE, f"{task.service} was {'restarted' if was_running else 'started'}{process}"


def _unanswered(sent: Sent) -> tuple[ActionResult, str] | None:
    """What is known where no service manager's answer came; None where one did."""
    if sent.first("ASKED") is None:
        if sent.lost and sent.handed_over != 0:
            return ActionResult.NOT_KNOWN, f"its restart was on its way ({sent.why}): {_UNKNOWN}"
        broken = sent.first("BROKEN")
        why = " ".join(broken.text.split())[:300] if broken else sent.why
        return ActionResult.LEFT_ALONE, f"left alone: {why}"
    if sent.first("ANSWERED") is None:
        return (
            ActionResult.NOT_KNOWN,
            f"its restart was asked for, and no answer came ({sent.why}): {_UNKNOWN}",
        )
    return None


def _failure(service: str, before: ServiceLook | None, looks: Sequence[ServiceLook], seconds: str) -> str:
    """What went wrong after the service manager said that it was done; empty where nothing was seen to."""
    if not looks:
        return ""
    after, first = looks[-1], next((look.pid for look in looks if look.pid), None)
    if after.state in _ENDED or _AGAIN in (after.detail or ""):
        return f"{service} was started and stopped again within {seconds} s"
    if first and after.pid != first:
        return f"{service} was started, and its process {first} ended within {seconds} s"
    if before is not None and before.pid and before.pid == after.pid:
        return f"{service} runs as the same process {after.pid} as before"
    return ""


def _seconds(sent: Sent) -> str:
    watched = sent.first("WATCHED")
    return str(max(1, watched.number(0) or 0)) if watched else "some"


def _first_look(mark: Mark | None, *, is_windows: bool) -> ServiceLook | None:
    return look_of(mark.text, is_windows=is_windows) if mark and mark.text else None


def look_of(text: str, *, is_windows: bool) -> ServiceLook:
    """What `systemctl show`, or our script for Windows, says of a service."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    pid = values.get("MainPID", "")
    number = int(pid) if pid.isdecimal() and int(pid) else None
    if is_windows:
        state = _WINDOWS.get(values.get("State", ""), ServiceState.UNKNOWN)
        return ServiceLook(state=state, pid=number, started_utc=_time(values.get("Started", ""), "%Y-%m-%dT%H:%M:%SZ"))
    state = _SYSTEMD.get(values.get("ActiveState", ""), ServiceState.UNKNOWN)
    if values.get("LoadState") in {"not-found", "masked"}:
        detail = str(values["LoadState"])
    else:
        parts = (values.get("SubState", ""), values.get("Result", "") if values.get("Result") != "success" else "")
        detail = " / ".join(part for part in parts if part and part != "running")
    if state is ServiceState.STARTING and values.get("SubState") == _AGAIN:
        state = ServiceState.FAILED
    restarts = values.get("NRestarts", "")
    return ServiceLook(
        state=state,
        detail=detail or None,
        pid=number,
        started_utc=_time(values.get("ExecMainStartTimestamp", ""), "%a %Y-%m-%d %H:%M:%S %Z"),
        restarts=int(restarts) if restarts.isdecimal() else None,
    )


def _time(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None


_UNPRINTABLE = re.compile(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f]")


def _log_lines(sent: Sent) -> tuple[str, ...]:
    """The last lines that its log got meanwhile; those of the journal where its own file got none."""
    for word in ("LOG", "JOURNAL"):
        mark = sent.first(word)
        text = _UNPRINTABLE.sub(" ", mark.text) if mark else ""
        lines = [line.rstrip()[:1_000] for line in text.splitlines() if line.strip()]
        if lines:
            return tuple(lines[-LOG_LINES:])
    return ()


def _action(task: Restart, begun: datetime, started: float, result: ActionResult, told: str) -> Action:
    verb = "Restart-Service -Name" if task.is_windows else "systemctl restart"
    return Action(
        time=begun,
        seconds=round(time.monotonic() - started, 1),
        kind="restart",
        machine=task.machine,
        what=task.service,
        commands=(f"{verb} {task.service}",) if result is not ActionResult.LEFT_ALONE else (),
        result=result,
        told=told,
        by=task.by,
    )
