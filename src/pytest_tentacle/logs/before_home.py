"""The log that Tentacle writes before it knows its home: one for each account (tentacle-facts 3.1).

Every process begins there with its version and the instance that it was started for, and goes on in that instance's own
log as soon as it has read where its home is; what keeps it from that stays here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_tentacle.logs.model import LogHome

from .lines import RawRecord
from .signatures import Level

_FIRST_WORDS = re.compile(r"\A\S{1,100} version \S[^\r\n]{0,300}? instance (?P<instance>[^\r\n]{1,200})")
_GOES_HOME = "Changing log folder from "


def is_first(record: RawRecord) -> bool:
    """Whether it is the line that a process begins with in such a log."""
    return record.level is Level.INFO and _FIRST_WORDS.match(record.text) is not None


def instance_in(record: RawRecord) -> str | None:
    """The instance that a process's first line names: `Default` where it was started without one."""
    found = _FIRST_WORDS.match(record.text)
    return found["instance"].strip() if found else None


def homes_of(records: Iterable[tuple[RawRecord, str | None]]) -> tuple[LogHome, ...]:
    """The last process of each instance that found its home. `records` come with the instance of their process."""
    found: dict[str, LogHome] = {}
    for record, instance in records:
        if instance is not None and record.text.startswith(_GOES_HOME):
            found[instance] = LogHome(instance=instance, time=record.time, number=record.number)
    return tuple(found.values())
