"""The calls of the command line that were to register a Tentacle, and what became of them.

Nobody but such a call tells why a machine is not in the portal; it writes into the agent's own log. A call that fails
ends with a fatal error; one that writes none has done its work (tentacle-facts 2.5, 3.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_tentacle.hiding import shorten
from pytest_tentacle.logs.model import LogCall

from .lines import RawRecord
from .processes import Process
from .signatures import Classifier, Level

_REGISTERS = re.compile(r"\ARegister\w{0,60}Command\Z|\APoll(?:Server)?Command\Z")
_CUT = 2_000


def calls_of(records: Iterable[tuple[RawRecord, Process]], classifier: Classifier) -> tuple[LogCall, ...]:
    """The last call of each command that registers, oldest first. `records` come with their process."""
    found: dict[int, LogCall] = {}
    for record, process in records:
        if process.command is None or not _REGISTERS.match(process.command):
            continue
        before = found.get(id(process))
        failure, signature = (before.failure, before.signature) if before else (None, None)
        if record.level >= Level.FATAL:
            matched = classifier.match(record.text, record.level)
            failure, signature = shorten(record.text, _CUT), matched[0].id if matched else None
        found[id(process)] = LogCall(
            command=process.command, time=record.time, number=record.number, failure=failure, signature=signature
        )
    last = {call.command: call for call in found.values()}
    return tuple(sorted(last.values(), key=lambda call: call.number))
