"""The calls of the command line that change something, and what became of them.

Nobody but such a call tells why a machine is not in the portal, or why a setting is not what somebody meant it to be;
it writes into the agent's own log. A call that fails ends with a fatal error, or with an error where it gives up by
itself (poll-server until 2018, services of Linux); one that writes neither has done its work (tentacle-facts 2.5, 3.3).

Before Tentacle 3.14 no call names itself. There a failure is a call's where its stack trace runs through a command, or
where it follows a registration's first words; what the agent says has neither (tentacle-history 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from pytest_tentacle.hiding import shorten
from pytest_tentacle.logs.model import LogCall

from .lines import RawRecord, moment
from .processes import AGENT_COMMANDS, Process
from .signatures import Classifier, Level

REGISTERING = "RegisterMachineCommand"
_REGISTERS = re.compile(r"\ARegister\w{0,60}Command\Z|\APoll(?:Server)?Command\Z")
_LOOKS = re.compile(r"\A(?:Show|List|Version|Help|Livez|Extract|CheckServices|RunAgent|Run|Agent)\w{0,60}?Command\Z")
"""They change nothing, or are the watchdog's, whose words are in the catalogue."""
_IN_A_TRACE = re.compile(r"Octopus\.(?:Tentacle|Shared|Server)\.(?:Commands|Startup)\.(?P<name>\w{1,60}Command)\.")
_OF_EVERY_COMMAND = frozenset({"AbstractCommand", "AbstractStandardCommand"})
_LOOKED_AT = 12_000
_REGISTRATION_BEGINS = re.compile(
    r"\A(?:Checking connectivity on the server (?:communications port|web socket address)|"
    r"Registering the tentacle with the server at)"
)
_LACKS = re.compile(
    r"Please specify (?:an?|the) [^\n]{1,100}?--(?:server|environment|role|workerpool|apiKey)=", re.IGNORECASE
)
"""What a registration says of its arguments before it does anything (OctopusTentacle#15, #16)."""
_REGISTERED = re.compile(r"\AMachine registered successfully")
_LASTS = timedelta(minutes=5)
"""How long a registration may take, with its tries."""
_CUT, _CUT_SHORT = 2_000, 600
_KEPT = 12


def registers(command: str) -> bool:
    """Whether it is a command that makes the Tentacle known to a server, or has it poll one."""
    return _REGISTERS.match(command) is not None


class NamelessCalls:
    """Which failures of a log without names of commands were calls'; records are given in their order."""

    def __init__(self) -> None:
        self._began: RawRecord | None = None

    def command_of(self, record: RawRecord, process: Process) -> str | None:
        """The call that wrote a record, where its process has no name; None where it may be the agent."""
        if process.command is not None:
            return None
        if record.level is Level.INFO:
            if _REGISTRATION_BEGINS.match(record.text):
                self._began = record
            elif _REGISTERED.match(record.text):
                self._began = None
                return REGISTERING
            return None
        return self._failed(record) if record.level >= Level.ERROR else None

    def _failed(self, record: RawRecord) -> str | None:
        names = [name for name in _IN_A_TRACE.findall(record.text[:_LOOKED_AT]) if name not in _OF_EVERY_COMMAND]
        if names:
            return None if _LOOKS.match(names[0]) or not AGENT_COMMANDS.isdisjoint(names) else names[0]
        if "Octopus.Client." in record.text or _LACKS.search(record.text[:_CUT]):
            return REGISTERING  # by the library with which a call speaks with the portal, or what it wants first
        return REGISTERING if record.level >= Level.FATAL and self._is_within(record) else None

    def _is_within(self, record: RawRecord) -> bool:
        began = moment(self._began.time) if self._began is not None else None
        now = moment(record.time)
        return began is not None and now is not None and timedelta() <= now - began <= _LASTS


def calls_of(records: Iterable[tuple[RawRecord, Process]], classifier: Classifier) -> tuple[LogCall, ...]:
    """The last call of each command, oldest first. `records` come with their process."""
    found: dict[tuple[object, str], LogCall] = {}
    weights: dict[tuple[object, str], Level] = {}
    nameless = NamelessCalls()
    for record, process in records:
        command = process.command or nameless.command_of(record, process)
        if command is None or command in AGENT_COMMANDS or _LOOKS.match(command):
            continue
        key = (id(process) if process.command else record.number, command)
        before = found.get(key)
        failure, signature = (before.failure, before.signature) if before else (None, None)
        if record.level >= Level.ERROR and record.level >= weights.get(key, Level.ERROR) and _says(record):
            matched = classifier.match(record.text, record.level)
            failure = shorten(record.text, _CUT if registers(command) else _CUT_SHORT)
            signature, weights[key] = matched[0].id if matched else None, record.level
        found[key] = LogCall(
            command=command, time=record.time, number=record.number, failure=failure, signature=signature
        )
    last = {call.command: call for call in sorted(found.values(), key=lambda call: call.number)}
    return tuple(sorted(last.values(), key=lambda call: call.number)[-_KEPT:])


def _says(record: RawRecord) -> bool:
    """Not a line of dashes, nor the words after an error that only tell where to look."""
    return not record.text.startswith(("====", "----", "See: "))
