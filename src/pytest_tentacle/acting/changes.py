"""`reports/changes.jsonl`: what was changed on machines, one line each: what, by whom, when, where, and the result."""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from pytest_tentacle import files, hiding
from pytest_tentacle.survey.actions import Action, ActionResult, By

FILE = Path("reports") / "changes.jsonl"
"""In the folder that the run is started in."""

TOLD_FOR = timedelta(days=7)
"""So long, a report of a machine tells what was done to it."""

_MOST_BYTES = 50_000_000


def who() -> By:
    """Who runs this."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        name = "somebody"
    return By(user=name, host=socket.gethostname())


def require_writable(path: Path = FILE) -> None:
    """Raises OSError where nothing can be written there: then nothing is changed either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.require_replaceable(path)
    with path.open("a", encoding="utf-8"):
        pass


def write_down(action: Action, path: Path = FILE) -> None:
    """Append an action, without secrets; one that was left alone changed nothing, and is no change. Raises OSError."""
    if action.result is ActionResult.LEFT_ALONE:
        return
    clean = Action.model_validate(_clean(action.model_dump(mode="json")))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(clean.model_dump_json(exclude_none=True, exclude={"log"}) + "\n")


def _clean(value: object) -> object:
    if isinstance(value, str):
        return hiding.hide(value)[:4_000]
    if isinstance(value, dict):
        return {key: _clean(each) for key, each in value.items()}
    return [_clean(each) for each in value] if isinstance(value, list) else value


def lately(machines: Collection[str], now: datetime, path: Path = FILE) -> tuple[Action, ...]:
    """What was done to these machines in the days before; nothing where there is no such file of ours."""
    try:
        raw = files.read_regular(path, _MOST_BYTES)
    except OSError:
        return ()
    return tuple(
        action for action in _actions(raw) if action.machine in machines and now - TOLD_FOR <= action.time <= now
    )


def _actions(raw: bytes) -> Iterator[Action]:
    for line in raw.decode("utf-8", errors="replace").splitlines():
        try:
            yield Action.model_validate(json.loads(line))
        except (ValidationError, ValueError, RecursionError):
            continue  # a line that was cut off, or written by hand
