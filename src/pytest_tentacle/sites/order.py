"""What is sent to a site's worker, and what the worker does with it. Answers are JSON, and never raise.

An order shows nothing of itself: its text is `<order>`, its key a random number. So neither dashboard nor log of the
engine has a host's name or a secret in it.
"""

from __future__ import annotations

import json
import os
import pickle
import threading
import uuid
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from pytest_tentacle.hiding import Secrets
from pytest_tentacle.inventory.model import Transport as TransportSettings
from pytest_tentacle.inventory.references import SecretError, look_up
from pytest_tentacle.inventory.secrets import Reference, Secret
from pytest_tentacle.link import system_resolver
from pytest_tentacle.survey.host import SESSIONS, HostTask, survey_host
from pytest_tentacle.survey.looks import LookTask, look
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.transport import ReachStage

GRACE_SECONDS = 3.0
"""How long after its own deadline a session is closed from outside."""

_ENDED: set[str] = set()
"""Runs that were ended: what still comes of them is not done."""


class Closable(Protocol):
    """What is under way, and can be broken off from another thread."""

    def close(self) -> None:
        """Break it off; never raises."""


class Deed(Protocol):
    """What is to be done to a machine (`deeds`)."""

    @property
    def site(self) -> str | None:
        """Whose worker does it."""

    @property
    def settings(self) -> TransportSettings:
        """How the worker logs on."""

    @property
    def most_seconds(self) -> float:
        """After which it has ended by itself."""

    def carry_out(self, settings: TransportSettings, watched: Callable[[Closable], None]) -> str:
        """On the worker: do it, and tell what came of it, as JSON; `watched` is given the session beforehand."""


class Order:
    """One task of one run, on its way to a worker."""

    def __init__(self, run: str, task: HostTask | LookTask | Deed) -> None:
        self.run = run
        self.key = f"order-{uuid.uuid4().hex}"
        self._packed = zlib.compress(pickle.dumps((run, task)))

    def __repr__(self) -> str:
        return "<order>"

    def open(self) -> tuple[str, Any]:
        """The run, and what is to be done: a HostTask, a LookTask or a Deed."""
        run, task = pickle.loads(zlib.decompress(self._packed))  # noqa: S301  the engine has unpickled the order itself
        return run, task


def carry_out(order: Order) -> bytes:
    """On a worker: the answer as JSON, or `{"fault": ...}` with the name of an exception. Never raises."""
    try:
        run, task = order.open()
        if is_ended(run):
            return _fault("Ended")
        if isinstance(task, LookTask):
            return look(task, system_resolver).model_dump_json(exclude_none=True).encode()
        return _surveyed(run, task)
    except Exception as error:  # noqa: BLE001  the engine would write its text, and ours, into logs
        return _fault(type(error).__name__)


def clock() -> float:
    """On a worker: its time, in seconds since 1970 UTC."""
    return datetime.now(UTC).timestamp()


def end(run: str) -> None:
    """On a worker: close what is under way for a run, and begin nothing more for it."""
    _ENDED.add(run)
    with SESSIONS.lock:
        keys = [key for key in SESSIONS.active if key.startswith(f"{run}/")]
    for key in keys:
        SESSIONS.break_off(key)


def is_ended(run: str) -> bool:
    """On a worker: whether nothing more is begun for a run."""
    return run in _ENDED


def _fault(name: str) -> bytes:
    return json.dumps({"fault": name}).encode()


def _surveyed(run: str, task: HostTask) -> bytes:
    try:
        settings, found = with_secrets(task.settings)
    except SecretError as error:
        return _without_secret(task, error).model_dump_json(exclude_none=True).encode()
    # sessions are this process's, which may survey the same host for another run at the same time
    ours = replace(task, host_key=f"{run}/{task.host_key}", settings=settings, keep_session=False)
    overdue = threading.Timer(task.timeout + GRACE_SECONDS, SESSIONS.break_off, (ours.host_key,))
    overdue.daemon = True
    overdue.start()
    try:
        record = survey_host(ours)
    finally:
        overdue.cancel()
    text = record.model_copy(update={"host_key": task.host_key}).model_dump_json(exclude_none=True)
    if found:  # nobody else knows these, so nobody else can take them out
        text = json.dumps(hidden(json.loads(text), Secrets(found)), ensure_ascii=False)
    return text.encode()


def with_secrets(settings: TransportSettings) -> tuple[TransportSettings, list[str]]:
    """The settings with the secrets that are looked up here, and these. Raises SecretError."""
    found: dict[str, Secret] = {}
    for name, value in vars(settings).items():
        if isinstance(value, Reference):
            found[name] = look_up(value, os.environ)
    secrets = [secret.get_secret_value() for secret in found.values()]
    return settings.model_copy(update=found) if found else settings, secrets


def _without_secret(task: HostTask, error: SecretError) -> HostRecord:
    unreachable = Unreachable(
        stage=ReachStage.START,
        summary=f"the worker of site {task.site} has not the secret to log on with: {error}",
        advice="Bring it where the worker finds it, or leave `secrets: worker` out: then it is looked up here.",
    )
    return HostRecord.not_surveyed(task.host_key, task.machines, unreachable)


def hidden(value: Any, secrets: Secrets) -> Any:
    """A JSON value without these secrets."""
    match value:
        case str():
            return secrets.hide(value)
        case list():
            return [hidden(member, secrets) for member in value]
        case dict():
            return {name: hidden(member, secrets) for name, member in value.items()}
    return value
