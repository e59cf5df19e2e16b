"""Which process wrote which record: each command-line call writes into the agent's log too (tentacle-seen 4.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from .columns import endpoint_of
from .lines import RawRecord, moment
from .signatures import Level

AGENT_COMMANDS = frozenset({"RunAgentCommand", "RunCommand"})
"""The commands that the services run: Tentacle's; and by analogy Octopus Server's, whose source is not public."""

_COMMAND = re.compile(r"\A==== (?P<name>\w{1,80}) ====\s*\Z")
_SEPARATOR = re.compile(r"\A={20,}\s*\Z")
_CALL_LASTS = timedelta(seconds=30)
"""How long lines without a process number are taken for a call's own after it began; then the agent speaks again."""


class Process:
    """One run of one program. `command` is None where its start is not in the text: then it is taken for the agent."""

    __slots__ = ("command", "head", "start")

    def __init__(self, head: int | None = None) -> None:
        self.command: str | None = None
        self.head = head
        """Number of its first record; None where that is not in the text."""
        self.start: int | None = None
        """Number of the record that names its command."""

    @property
    def is_agent(self) -> bool:
        """Whether it is the service's own process, as far as can be told."""
        return self.command is None or self.command in AGENT_COMMANDS


def processes_of(records: Sequence[RawRecord], begins: Callable[[RawRecord], bool] | None = None) -> list[Process]:
    """For each record, the process that wrote it: by the process number, or by order where the log has none.

    `begins` tells the line that a process begins with; by default that is the separator.
    """
    begins = begins or is_separator
    by_pid: dict[int, Process] = {}
    by_order = _ByOrder(begins)
    found: list[Process] = []
    for record in records:
        if record.pid is None:
            found.append(by_order.take(record))
            continue
        known = by_pid.get(record.pid)
        if known is None or begins(record) or _is_another(record, known):
            known = by_pid[record.pid] = Process(record.number if known or begins(record) else None)
        _name(record, known)
        found.append(known)
    return found


def is_separator(record: RawRecord) -> bool:
    """Whether it is the line that a process begins with. A banner of errors looks like it, at another level."""
    return record.level is Level.INFO and bool(_SEPARATOR.match(record.text))


def _is_another(record: RawRecord, process: Process) -> bool:
    """A process number that is used again, by another process."""
    named = record.level is Level.INFO and _COMMAND.match(record.text)
    return bool(named) and process.start is not None


def _name(record: RawRecord, process: Process) -> None:
    if record.level is Level.INFO and record.text.startswith("==== "):
        named = _COMMAND.match(record.text)
        if named:
            process.command, process.start = named["name"], record.number


class _ByOrder:
    """Without process numbers: a call is over in seconds, the agent goes on; and only the agent has Halibut's lines."""

    def __init__(self, begins: Callable[[RawRecord], bool]) -> None:
        self.begins = begins
        self.agent = Process()
        self.last = self.agent
        self.began: datetime | None = None

    def take(self, record: RawRecord) -> Process:
        if self.begins(record) or (_COMMAND.match(record.text) and self.last.start is not None):
            self.last, self.began = Process(record.number), moment(record.time)
        elif self.last is not self.agent and self.last.start is not None and self._is_agents(record):
            self.last = self.agent
        _name(record, self.last)
        if self.last.command in AGENT_COMMANDS:
            self.agent = self.last
        return self.last

    def _is_agents(self, record: RawRecord) -> bool:
        if self.last.is_agent:
            return False
        if endpoint_of(record.text) is not None:
            return True
        now = moment(record.time)
        return now is not None and self.began is not None and now - self.began > _CALL_LASTS
