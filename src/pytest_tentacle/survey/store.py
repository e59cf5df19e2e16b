"""All surveys of a run in one JSON file: what `--save-surveys` writes and `--replay` reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Never

from pydantic import BaseModel, ConfigDict, ValidationError

from pytest_tentacle import files
from pytest_tentacle.inventory.model import Inventory, Machine
from pytest_tentacle.link import PingOrder, Probe, TlsVersions

from . import limits
from .actions import Action
from .answer import AnswerError
from .door import Budget, prove
from .model import FORMAT, HostRecord


class Surveys(BaseModel):
    """Everything that the steps judge: the machines (without credentials), what each host answered, and our own looks.

    Attributes:
        controller_probes: by machine name, probes of its port from the machine that runs pytest.
        controller_tls_versions: by machine name, the same port with each version of TLS; empty where the run was not
            asked to try them.
        ping: how each link was pinged; None where the run was not asked to.
        sites: whose workers surveyed their own machines, and took the looks from outside at them.
        actions: what was done to these machines because a person asked for it, in this run and in the days before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    version: str
    """Of pytest-tentacle."""
    taken_utc: datetime
    inventory: Inventory
    records: tuple[HostRecord, ...]
    selected: tuple[str, ...] = ()
    """Names of the machines that were judged; the others came along as the other end of a link. Empty: all."""
    controller_probes: dict[str, tuple[Probe, ...]] = {}
    controller_tls_versions: dict[str, TlsVersions] = {}
    ping: PingOrder | None = None
    sites: tuple[str, ...] = ()

    def outside_of(self, machine: Machine) -> str:
        """Who looked at a machine's port from outside, in words."""
        by_worker = machine.site is not None and machine.site in self.sites
        return f"the worker of site {machine.site}" if by_worker else "the machine that runs pytest"

    @cached_property
    def indexed(self) -> tuple[tuple[HostRecord, ...], dict[str, HostRecord]]:
        """The records, and by machine name that of its host; `record_of` looks there."""
        return self.records, {name: record for record in reversed(self.records) for name in record.machines}

    def record_of(self, machine: str) -> HostRecord | None:
        """The record of a machine's host; None where it was not to be surveyed."""
        if self.indexed[0] is not self.records:  # of the surveys that these were copied from, with other records
            vars(self).pop("indexed")
        return self.indexed[1].get(machine)

    actions: tuple[Action, ...] = ()


_NO_JSON = (b"NaN", b"Infinity")


class StoreError(Exception):
    """A survey file cannot be used: the text says which, why, and what to do."""


UNFINISHED = '{"unfinished":true,'
"""How a file begins to which a run still adds, and which one that was killed left so."""

CLOSING = "\n]}"
"""How every file ends."""


def dumps(surveys: Surveys) -> str:
    """The file's text: JSON, without any credential."""
    return "".join(pieces(surveys))


def pieces(
    surveys: Surveys, clean: Callable[[str], str] = str, line: Callable[[HostRecord], str] | None = None
) -> Iterator[str]:
    """The file's text by and by: what is known of the whole run, then a line for each host, then `CLOSING`.

    Args:
        surveys: what is written.
        clean: makes of an object's JSON what may be written; its own text must stay a JSON object on one line.
        line: gives a host's line; None: it is made, and cleaned.
    """
    yield opening(surveys, clean)
    for number, record in enumerate(surveys.records):
        yield ("," if number else "") + (line(record) if line else host_line(record, clean))
    yield CLOSING


def opening(surveys: Surveys, clean: Callable[[str], str] = str) -> str:
    """The file's first line, up to the list of hosts."""
    return clean(surveys.model_dump_json(exclude_none=True, exclude={"records"}))[:-1] + ',"records":['


def host_line(record: HostRecord, clean: Callable[[str], str] = str) -> str:
    """A host's line, with the line break before it; between two stands a comma."""
    return "\n" + clean(record.model_dump_json(exclude_none=True))


@cache
def vocabulary() -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    """The file's own words: the names of its fields, and by such a name those that may stand there as a word of ours.

    A field of one name may be a fixed word in one model and free text in another, so the words themselves are told.
    """
    names: set[str] = set()
    fixed: dict[str, set[str]] = {}
    schema = Surveys.model_json_schema()
    for part in [schema, *schema["$defs"].values()]:
        for name, field in part.get("properties", {}).items():
            names.add(name)
            choices = [field, *field.get("anyOf", ())]
            choices += [schema["$defs"][one["$ref"].rpartition("/")[2]] for one in choices if "$ref" in one]
            for one in choices:
                fixed.setdefault(name, set()).update(one.get("enum", ()), [one["const"]] if "const" in one else ())
    return frozenset(names), {name: frozenset(words) for name, words in fixed.items() if words}


_TAKES = (
    "--replay takes what --save-surveys or --bundle wrote, --inventory an inventory, --compare a report's .json too."
)


def load(path: Path) -> Surveys:
    """Read a survey file. Raises StoreError for a missing, damaged, foreign or newer one."""
    return loads(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """A survey file's or a bundle's bytes. Raises StoreError for what is no regular file, or too large."""
    try:
        return files.read_regular(path, limits.FILE_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreError(f"{path}: cannot be read: {why}. {_TAKES}") from None


def loads(raw: bytes, name: str) -> Surveys:
    """The surveys in a file's bytes; `name` is for the error. Raises StoreError."""
    if sum(raw.count(letter) for letter in (b",", b"[", b"{")) > limits.FILE_VALUES:
        raise StoreError(f"{name}: holds more than {limits.FILE_VALUES:,} values, which no fleet's surveys do.")
    if raw.startswith(UNFINISHED.encode()):
        raw = _finished(raw)
    if not _is_readable(raw):
        _refuse(raw, name)
    try:
        surveys = Surveys.model_validate_json(raw)
        for record in surveys.records:
            prove(record, Budget(), reread=False)
        for probe in (each for several in surveys.controller_probes.values() for each in several):
            prove(probe, Budget(), reread=False)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{name}: damaged at {where}: {first['msg']} ({error.error_count()} faults in all).") from None
    except AnswerError as error:
        raise StoreError(f"{name}: damaged: {error.reason}.") from None
    return surveys


def _finished(raw: bytes) -> bytes:
    """The whole file out of one that a killed run left, as far as its lines are whole: of each host the last one."""
    first, *lines = raw.split(b"\n")
    last: dict[str, bytes] = {}
    for line in lines:
        record = line.removesuffix(b",")
        try:
            last[str(json.loads(record)["host_key"])] = record
        except (ValueError, RecursionError, LookupError, TypeError):
            break  # the run was killed while it wrote here, or the file ends
    return b"{" + first[len(UNFINISHED) :] + b",".join(last.values()) + b"]}"


class _Head(BaseModel):
    """What is looked at before anything of a file is kept."""

    model_config = ConfigDict(extra="ignore", strict=True)

    format: int = 1


def _is_readable(raw: bytes) -> bool:
    """Whether it is JSON, of this version's format."""
    if any(word in raw for word in _NO_JSON):
        return False  # the parser would let it pass as a number
    try:
        return _Head.model_validate_json(raw).format == FORMAT
    except ValidationError:
        return False


def _refuse(raw: bytes, name: str) -> None:
    """Say why a file is none that this version reads. Raises StoreError, but for words that only look like numbers."""
    try:
        document = json.loads(raw, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        if not raw.lstrip().startswith(b"{"):
            raise StoreError(f"{name}: this is no survey file. {_TAKES}") from None
        raise StoreError(f"{name}: damaged: not JSON ({error}). Take it again with --save-surveys.") from None
    if not isinstance(document, dict) or "records" not in document or "inventory" not in document:
        raise StoreError(f"{name}: not a survey file of pytest-tentacle. {_TAKES}")
    version = document.get("format", 1)
    if isinstance(version, int) and version < FORMAT:
        raise StoreError(
            f"{name}: written by an older pytest-tentacle ({document.get('version', '?')}, format {version}; this one "
            f"reads {FORMAT}). Take it again with --save-surveys, or replay it with that version."
        )
    if not isinstance(version, int) or version > FORMAT:
        raise StoreError(
            f"{name}: written by a newer pytest-tentacle ({document.get('version', '?')}, format {version}; this one "
            f"reads up to {FORMAT}). Upgrade pytest-tentacle to replay it."
        )


def _no_number(word: str) -> Never:
    raise ValueError(f"JSON knows no {word}")
