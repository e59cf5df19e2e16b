"""Which process wrote which record: each command-line call writes into the agent's log too (tentacle-seen 4.3).

Before Tentacle 3.14 no command names itself: there a start is told by what only an agent says when it starts
(tentacle-history 3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from .columns import endpoint_of
from .lines import RawRecord, moment
from .signatures import Level

AGENT_COMMANDS = frozenset({"RunAgentCommand", "RunCommand"})
"""The commands that the services run: Tentacle's; and by analogy Octopus Server's, whose source is not public."""

_COMMAND = re.compile(r"\A==== (?P<name>\w{1,80})(?: starting)? ====\s*\Z")
_OLD_HEAD = "Octopus Deploy: "
"""Octopus 2 and 3.0 begin a process with `Octopus Deploy: Tentacle version`, and no separator."""
_AGENT_BEGINS = re.compile(
    r"\AAgent (?:will (?:trust|poll) Octopus Server|listening on)|"
    r"\AThe agent is not configured to trust any Octopus Server",
    re.IGNORECASE,
)
_AGENT_STANDS = re.compile(
    r"\AAgent (?:listening on|will not listen)|\AThe Windows Service has started|Listener stopped\Z"
)
"""With these an agent's start is over: what begins one after them is another start."""
_SEPARATOR = re.compile(r"\A={20,}\s*\Z")
_CALL_LASTS = timedelta(seconds=30)
"""How long lines without a process number are taken for a call's own after its last; then the agent speaks again."""
_LOOKED_AT = 300


class Process:
    """One run of one program. `command` is None where its start is not in the text: then it is taken for the agent."""

    __slots__ = ("command", "head", "stands", "start")

    def __init__(self, head: int | None = None) -> None:
        self.command: str | None = None
        self.head = head
        """Number of its first record; None where that is not in the text."""
        self.start: int | None = None
        """Number of the record that names its command; of one that names none, the first that only an agent writes."""
        self.stands = False
        """Whether it said that its start is over."""

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


def is_start(record: RawRecord, process: Process) -> bool:
    """Whether an agent starts with this record, as far as the log tells."""
    return process.is_agent and process.start == record.number


def is_separator(record: RawRecord) -> bool:
    """Whether it is the line that a process begins with. A banner of errors looks like it, at another level."""
    return record.level is Level.INFO and bool(_SEPARATOR.match(record.text))


def _is_another(record: RawRecord, process: Process) -> bool:
    """A process number that is used again, by another process."""
    named = record.level is Level.INFO and _COMMAND.match(record.text)
    return bool(named) and process.command is not None


def _name(record: RawRecord, process: Process) -> None:
    if record.level is Level.INFO and record.text.startswith("==== "):
        named = _COMMAND.match(record.text)
        if named:
            process.command, process.start = named["name"], record.number
    elif process.command is None and record.level is Level.INFO:
        if process.start is None and _AGENT_BEGINS.match(record.text):
            process.start = record.number
        process.stands = process.stands or bool(_AGENT_STANDS.search(record.text[:_LOOKED_AT]))


def _begins_anew(record: RawRecord, process: Process) -> bool:
    """Whether an agent that names no command, and whose start was over, begins another one."""
    if not process.stands or record.level is not Level.INFO:
        return False
    return record.text.startswith(_OLD_HEAD) or bool(_AGENT_BEGINS.match(record.text))


class _ByOrder:
    """Without process numbers: a call is over in seconds, the agent goes on; and only the agent has Halibut's lines."""

    def __init__(self, begins: Callable[[RawRecord], bool]) -> None:
        self.begins = begins
        self.agent = Process()
        self.last = self.agent
        self.began: datetime | None = None

    def take(self, record: RawRecord) -> Process:
        named = _COMMAND.match(record.text) and self.last.command is not None
        if self.begins(record) or named or _begins_anew(record, self.last):
            self.last, self.began = Process(record.number), moment(record.time)
        elif self.last is not self.agent and self.last.start is not None and self._is_agents(record):
            self.last = self.agent
        _name(record, self.last)
        if self.last.start is not None and self.last.is_agent:
            self.agent = self.last
        elif self.last is not self.agent:
            self.began = moment(record.time) or self.began
        return self.last

    def _is_agents(self, record: RawRecord) -> bool:
        if self.last.is_agent:
            return False
        if endpoint_of(record.text) is not None:
            return True
        now = moment(record.time)
        return now is not None and self.began is not None and now - self.began > _CALL_LASTS
