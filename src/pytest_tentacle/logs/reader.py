"""A product's log as a survey keeps it: from up to 2 MB of text, what matters, in less than 50 kB.

A server's log, which tells of hundreds of Tentacles, has up to 900 kB.

Kept are: the last start of the agent; every kind of record that the catalogue of signatures knows, once, with how often
and from when to when; the last warnings and errors that it does not know; who was let in and who was not. Nothing is
judged here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_tentacle.hiding import shorten
from pytest_tentacle.logs.model import LogHome, LogLink, LogPeer, LogRecord, Startup

from .before_home import homes_of, instance_in, is_first
from .calls import NamelessCalls, calls_of
from .columns import endpoint_of, is_halibuts
from .lines import RawRecord, decode, records_of
from .peers import Connections, address_of
from .processes import Process, is_start, processes_of
from .signatures import Classifier, Level, Signature
from .startup import startup_of, version_in

UNKNOWN_KEPT = 20
"""Warnings and errors without a signature that are kept: the last ones."""


@dataclass(frozen=True)
class _Room:
    """Characters of JSON for each part; what is older gives way."""

    known: int
    unknown: int
    peers: int
    links: int


_ROOM = _Room(known=22_000, unknown=8_000, peers=7_000, links=8_000)
_SERVERS_ROOM = _Room(known=400_000, unknown=8_000, peers=250_000, links=200_000)
"""About 900 Tentacles' worth."""
_LONGEST_TEXT = 2_000
_SHORTEST_TEXT = 240
_FACT_LENGTH = 300
_OVERHEAD = 190
"""About what a record's other fields take."""
_START_TIMES = 10
HANGS_UP = "visitor-reset"
"""A note that says something where it comes from the server: it is kept by its address."""
LOOKS_LIKE_OURS = "client-without-certificate"
"""What a look of ours leaves that also speaks an identity."""
_REQUEST = re.compile(r"An error occurred when sending a request to '(?P<endpoint>[^'\s]{1,300})'")
_LOOKED_AT = 2_000


def resolve_log(fields: Mapping[str, Any], data: bytes, before: bytes = b"") -> dict[str, Any]:
    """A log that was read, as the fields of a `LogFile`.

    Args:
        fields: what the script's document says of the file.
        data: the end of the file.
        before: the end of the archive before it.
    """
    size = fields.get("size")
    cut = fields.get("complete") is False or (isinstance(size, int) and size > len(data))
    # An archive comes from its own end, so that it begins in the middle of a record; what follows it is whole.
    joined = before + (b"" if not before or before.endswith(b"\n") else b"\n") + data if before else data
    content = read_content(
        joined,
        product=str(fields.get("product")),
        cut=bool(before) or cut,
        before_home=fields.get("account") is not None,
    )
    complete = fields.get("complete", True) is not False and content.pop("complete") and not cut
    return {**fields, **content, "complete": complete}


def read_content(text: bytes, *, product: str, cut: bool = False, before_home: bool = False) -> dict[str, Any]:
    """The fields of a `LogFile` that its text gives."""
    whole = decode(text)
    records = records_of(whole)
    if cut and records and not records[0].time:
        records = records[1:]  # the tail of a record whose head was not read
    reader = _Reader(records, Classifier(whole), before_home=before_home)
    return reader.content(_SERVERS_ROOM if product == "server" else _ROOM, complete=not cut)


@dataclass
class _Kind:
    """Records of one signature that tell the same facts."""

    signature: Signature | None
    facts: dict[str, str]
    command: str | None
    first: RawRecord
    last: RawRecord
    count: int = 1
    instance: str | None = None


class _Reader:
    """Goes through the records once."""

    def __init__(self, records: Sequence[RawRecord], classifier: Classifier, *, before_home: bool) -> None:
        self.records = records
        self.classifier = classifier
        self.before_home = before_home
        processes = processes_of(records, is_first if before_home else None)
        self.processes = dict(zip((record.number for record in records), processes, strict=True))
        self.by_number = {record.number: record for record in records} if before_home else {}
        self.kinds: dict[tuple[object, ...], _Kind] = {}
        self.unknown: list[_Kind] = []
        self.connections = Connections()
        self.nameless = NamelessCalls()
        self.starts: list[RawRecord] = []
        self._read()

    def _read(self) -> None:
        for record in self.records:
            process = self.processes[record.number]
            if is_start(record, process):
                self.starts.append(record)
                self.connections.restarted()
            if record.level is Level.INFO and process.is_agent and self.connections.take(record):
                continue
            self._classify(record, process)

    def _classify(self, record: RawRecord, process: Process) -> None:
        command = self.nameless.command_of(record, process) if process.is_agent else process.command
        instance = self._instance(process)
        matched = self.classifier.match(record.text, record.level)
        if matched is None:
            if self._is_telling(record):
                self.unknown.append(_Kind(None, _endpoint(record), command, record, record, instance=instance))
                del self.unknown[:-UNKNOWN_KEPT]
            return
        signature, found = matched
        facts = self._facts(record, signature, found)
        telling = sorted(_telling(facts).items()) if signature.code or signature.id == HANGS_UP else ()
        key = (signature.id, command, instance, *telling)
        before = self.kinds.get(key)
        if before is None:
            self.kinds[key] = _Kind(signature, facts, command, record, record, instance=instance)
        else:
            before.last, before.facts, before.count = record, facts, before.count + 1

    @staticmethod
    def _is_telling(record: RawRecord) -> bool:
        """Whether a record that the catalogue does not know may be of a fault: Halibut told its own as information."""
        if record.level < Level.WARN:
            return record.level is Level.INFO and "Exception" in record.text and is_halibuts(record.text)
        return not record.text.startswith(("====", "----"))

    def _instance(self, process: Process) -> str | None:
        """Whose process it is, by its first words in a log of before home is known."""
        head = self.by_number.get(process.head) if process.head is not None else None
        return instance_in(head) if head is not None else None

    def _facts(self, record: RawRecord, signature: Signature, found: re.Match[str]) -> dict[str, str]:
        facts = {name: shorten(value.strip(), _FACT_LENGTH) for name, value in found.groupdict().items() if value}
        facts |= _endpoint(record)
        if "peer" in facts:
            if self.connections.was_authenticated(facts["peer"]):
                facts["authenticated"] = "yes"
            elif signature.id == LOOKS_LIKE_OURS and self.connections.follows_a_page(facts["peer"], record.time):
                facts["look"] = "yes"
            self.connections.spoke(facts["peer"])
        return facts

    def content(self, room: _Room, *, complete: bool) -> dict[str, Any]:
        """The fields of a `LogFile`."""
        kinds = sorted(self.kinds.values(), key=_weight)
        known, dropped_known = _fitting(kinds, room.known)
        unknown, dropped_unknown = _fitting(self.unknown, room.unknown)
        named = {value for record in known for value in record.facts.values()}
        addresses = {address_of(record.facts["peer"]) for record in known if "peer" in record.facts}
        peers, dropped_peers = _in_room(
            sorted(self.connections.peers, key=lambda peer: peer.address not in addresses), room.peers
        )
        links, dropped_links = _in_room(
            sorted(self.connections.links, key=lambda link: link.endpoint not in named), room.links
        )
        dropped = dropped_known + dropped_peers + dropped_links
        return {
            "complete": complete and not dropped and not dropped_unknown,
            "starts": len(self.starts),
            "start_times": tuple(record.time for record in self.starts[-_START_TIMES:]),
            "start_versions": tuple(self._versions(self.starts[-_START_TIMES:])),
            "startup": self._startup(),
            "records": tuple(sorted([*known, *unknown], key=lambda record: record.number)),
            "read": len(self.records),
            "first_time": next((record.time for record in self.records if record.time), None),
            "last_time": next((record.time for record in reversed(self.records) if record.time), None),
            "peers": tuple(peers),
            "links": tuple(links),
            "homes": self._homes(),
            "calls": calls_of(((record, self.processes[record.number]) for record in self.records), self.classifier),
            "dropped": dropped,
        }

    def _homes(self) -> tuple[LogHome, ...]:
        if not self.before_home:
            return ()
        return homes_of((record, self._instance(self.processes[record.number])) for record in self.records)

    def _versions(self, starts: Sequence[RawRecord]) -> list[str]:
        """The version of each of these starts, by the lines of their processes."""
        wanted = {id(self.processes[first.number]): place for place, first in enumerate(starts)}
        found = [""] * len(starts)
        for record in self.records if wanted else ():
            place = wanted.get(id(self.processes[record.number]))
            if place is not None and not found[place] and record.level is Level.INFO:
                found[place] = version_in(record.text) or ""
        return found

    def _startup(self) -> Startup | None:
        if not self.starts:
            return None
        first = self.starts[-1]
        process = self.processes[first.number]
        own = (
            record for record in self.records if record.level is Level.INFO and self.processes[record.number] is process
        )
        return startup_of(own, first)


def _weight(kind: _Kind) -> tuple[bool, int]:
    """What is kept when there is no room for all: before harmless notes what leads to a problem, and what is newer."""
    return bool(kind.signature and kind.signature.code), kind.last.number


def _telling(facts: Mapping[str, str]) -> dict[str, str]:
    """The facts by which records of one signature are told apart: not a moment, a delay, or a client's passing port."""
    kept = {key: value for key, value in facts.items() if key not in {"seconds", "detail", "count", "free"}}
    if "peer" in kept:
        kept["peer"] = address_of(kept["peer"])
    return kept


def _endpoint(record: RawRecord) -> dict[str, str]:
    """Whom a record concerns: by Halibut's column, or by the task's own words about a request that failed."""
    found = None if (endpoint := endpoint_of(record.text)) else _REQUEST.search(record.text[:_LOOKED_AT])
    endpoint = found["endpoint"] if found else endpoint
    return {"endpoint": shorten(endpoint, _FACT_LENGTH)} if endpoint else {}


def _fitting(kinds: Sequence[_Kind], room: int) -> tuple[list[LogRecord], int]:
    """The kinds as records, newest first until the room is used up, and how many were left out."""
    share = room // max(1, len(kinds)) - _OVERHEAD
    longest = max(_SHORTEST_TEXT, min(_LONGEST_TEXT, share))
    kept: list[LogRecord] = []
    for kind in reversed(kinds):
        record = _record(kind, longest)
        room -= len(record.model_dump_json(exclude_defaults=True))
        if room < 0 and kept:
            break
        kept.append(record)
    return kept, len(kinds) - len(kept)


def _record(kind: _Kind, longest: int) -> LogRecord:
    last = kind.last
    return LogRecord(
        time=last.time,
        level=last.level.name,
        pid=last.pid,
        text=_cut(last.text, longest),
        signature=kind.signature.id if kind.signature else None,
        facts=kind.facts,
        number=last.number,
        count=kind.count,
        first_time=kind.first.time if kind.count > 1 else None,
        command=kind.command,
        instance=kind.instance,
    )


def _cut(text: str, longest: int) -> str:
    """The text without its stack trace where it would be too long: the cause stands between heading and trace."""
    text = text.replace("\r\n", "\n")
    if len(text) <= longest:
        return text
    telling = "\n".join(
        line for line in text.split("\n") if not line.lstrip().startswith(("at ", "bei ", "à ", "場所 "))
    )
    return shorten(telling, longest, "...")


def _in_room(found: Iterable[LogPeer] | Iterable[LogLink], room: int) -> tuple[list[Any], int]:
    kept: list[LogPeer | LogLink] = []
    dropped = 0
    for value in found:
        room -= len(value.model_dump_json(exclude_defaults=True))
        if room >= 0:
            kept.append(value)
        else:
            dropped += 1
    return kept, dropped
