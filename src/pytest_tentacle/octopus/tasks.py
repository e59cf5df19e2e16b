"""What the last health checks said of single machines: the tree of their tasks' details, else their raw log.

A machine's own tasks are its deployments alone, and no list of tasks can be asked for a machine (octopus-rest 3.3, 10):
so a space's last health checks are looked through, two of them at most.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from pytest_tentacle.hiding import shorten

from .client import Client
from .errors import PortalError, PortalFailure
from .model import ConnectionLine, HealthTask, Registration
from .resources import ActivityResource, TaskResource

MOST_TASKS = 2
"""Of one space that are looked into: details of a large one are costly for the server."""

_LISTED = 20
_TAIL = 20
"""Lines of each activity that are asked for."""

_MOST_LINES = 30
_MOST_TEXT = 2_000
_DEEPEST = 12
_MOST_NODES = 20_000
_TROUBLE = frozenset({"Warning", "Error", "Fatal"})
_HEADING = re.compile(r"==\s*(?P<status>\w+):\s*(?P<name>.+?)\s*==\s*$")
_RAW = re.compile(r"^(?:(?P<time>\d\d:\d\d:\d\d) {3}(?P<level>\w+) *| {20})\| {0,2}(?P<text>.*)$")


def read_health_tasks(
    client: Client, space_id: str | None, registrations: Sequence[Registration], over_spaces: Collection[str] = ()
) -> dict[str, HealthTask]:
    """By registration, what the newest health check that looked at it said. Raises PortalError.

    Args:
        client: asks.
        space_id: None where the server has no spaces.
        registrations: of that space.
        over_spaces: see `Portal.over_spaces`.
    """
    prefix, only = place_of("tasks", space_id, over_spaces)
    found: dict[str, HealthTask] = {}
    for task in _tasks(client, prefix, only)[:MOST_TASKS]:
        wanted = [each for each in registrations if each.id not in found and _may_concern(task, each)]
        if not wanted:
            continue
        details = client.get(f"{prefix}/tasks/{task.id}/details", verbose="false", tail=_TAIL)
        roots = details.get("ActivityLogs") if isinstance(details, dict) else None
        told = dict(_of_tree(roots if isinstance(roots, list) else [], wanted))
        named = [each for each in wanted if each.id in task.machine_ids and each.id not in told]
        if named:
            told |= _of_raw(client.text(f"{prefix}/tasks/{task.id}/raw"), named)
        for each in wanted:
            if each.id in told:
                found[each.id] = _health_task(task, told[each.id])
    return found


def place_of(name: str, space_id: str | None, over_spaces: Collection[str]) -> tuple[str, str | None]:
    """The prefix of a list's path, and the space to filter it by; None where the path says it, or there are none."""
    if space_id is None or name in over_spaces:
        return "", space_id
    return f"/{space_id}", None


def _tasks(client: Client, prefix: str, only: str | None) -> list[TaskResource]:
    page = client.get(f"{prefix}/tasks", name="Health", take=_LISTED, spaces=only)
    items = page.get("Items") if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise PortalError(PortalFailure.DAMAGED, "the list of tasks has another form than Octopus's")
    tasks = []
    for item in items:
        try:
            tasks.append(TaskResource.model_validate(item))
        except ValidationError:
            continue
    return [task for task in tasks if _is_health_check(task) and (only is None or task.space_id in {None, only})]


def _is_health_check(task: TaskResource) -> bool:
    return task.name == "Health" and task.is_completed and task.id.startswith("ServerTasks-")


def _may_concern(task: TaskResource, registration: Registration) -> bool:
    """A scheduled one names no machine: it may be of any."""
    return not task.machine_ids or registration.id in task.machine_ids


def _health_task(task: TaskResource, lines: Sequence[ConnectionLine]) -> HealthTask:
    return HealthTask(
        id=task.id,
        state=task.state,
        started=task.start_time or "",
        completed=task.completed_time or "",
        node=task.server_node,
        lines=tuple(lines[-_MOST_LINES:]),
    )


# -- the tree ------------------------------------------------------------------------------------------------------


def _of_tree(roots: list[Any], wanted: Collection[Registration]) -> Iterator[tuple[str, list[ConnectionLine]]]:
    """The lines of the activity that names a machine, and of all below it."""
    for activity, below in _walk(roots):
        for each in wanted:
            if _names(activity.name, each.name):
                lines = [line for node in (activity, *below) for line in _lines(node)]
                yield each.id, [line for line in lines if line.level in _TROUBLE] or lines[-1:]


def _walk(roots: list[Any]) -> Iterator[tuple[ActivityResource, list[ActivityResource]]]:
    """Each activity with those below it; bounded, since depth and size are the server's."""
    left = _MOST_NODES

    def read(items: Any, depth: int) -> Iterator[tuple[ActivityResource, list[ActivityResource]]]:
        nonlocal left
        for item in items if isinstance(items, list) and depth < _DEEPEST else ():
            left -= 1
            if left < 0:
                return
            try:
                activity = ActivityResource.model_validate(item)
            except ValidationError:
                continue
            inner = list(read(item.get("Children"), depth + 1))
            yield activity, [each for each, _ in inner]
            yield from inner

    yield from read(roots, 0)


def _lines(activity: ActivityResource) -> Iterator[ConnectionLine]:
    for line in activity.log_elements:
        text = "\n".join(filter(None, (line.message_text, line.detail)))
        yield ConnectionLine(level=line.category, text=shorten(text, _MOST_TEXT), occurred=line.occurred_at)


def _names(activity: str, machine: str) -> bool:
    """Whether the activity's name has the machine's as a whole: `Check deployment target: web-01`."""
    place = activity.casefold().find(machine.casefold())
    if place < 0:
        return False
    around = activity[place - 1 : place] + activity[place + len(machine) : place + len(machine) + 1]
    return not any(sign.isalnum() or sign in "-_." for sign in around)


# -- the raw log ---------------------------------------------------------------------------------------------------


def _of_raw(text: str, wanted: Collection[Registration]) -> dict[str, list[ConnectionLine]]:
    """The same of the raw log, which has times without a day (octopus-rest 10.1)."""
    found: dict[str, list[ConnectionLine]] = {}
    now: str | None = None
    for raw in text.splitlines():
        line = _RAW.match(raw)
        if line is None:
            continue
        heading = _HEADING.search(line["text"])
        if heading:
            now = next((each.id for each in wanted if _names(heading["name"], each.name)), None)
            if now:
                found.setdefault(now, [])
        elif now and line["level"] in _TROUBLE:
            found[now].append(
                ConnectionLine(level=line["level"], text=shorten(line["text"].strip(), _MOST_TEXT), occurred="")
            )
        elif now and line["level"] is None and found[now]:
            last = found[now][-1]
            text = shorten(f"{last.text}\n{line['text'].strip()}", _MOST_TEXT)
            found[now][-1] = last.model_copy(update={"text": text})
    return found
