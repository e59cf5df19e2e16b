"""All surveys of a run in one JSON file: what `--save-surveys` writes and `--replay` reads."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Never

from pydantic import BaseModel, ConfigDict, ValidationError

from pytest_tentacle import files
from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.link import PingOrder, Probe, TlsVersions

from . import limits
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


_NO_JSON = (b"NaN", b"Infinity")


class StoreError(Exception):
    """A survey file cannot be used: the text says which, why, and what to do."""


def dumps(surveys: Surveys) -> str:
    """The file's text: JSON, without any credential."""
    return surveys.model_dump_json(indent=1, exclude_none=True)


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


def load(path: Path) -> Surveys:
    """Read a survey file. Raises StoreError for a missing, damaged, foreign or newer one."""
    return loads(read_file(path), str(path))


def read_file(path: Path) -> bytes:
    """A survey file's or a bundle's bytes. Raises StoreError for what is no regular file, or too large."""
    try:
        return files.read_regular(path, limits.FILE_BYTES)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StoreError(
            f"{path}: cannot be read: {why}. --replay takes what --save-surveys or --bundle wrote."
        ) from None


def loads(raw: bytes, name: str) -> Surveys:
    """The surveys in a file's bytes; `name` is for the error. Raises StoreError."""
    if sum(raw.count(letter) for letter in (b",", b"[", b"{")) > limits.FILE_VALUES:
        raise StoreError(f"{name}: holds more than {limits.FILE_VALUES:,} values, which no fleet's surveys do.")
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
        raise StoreError(f"{name}: damaged: not JSON ({error}). Take it again with --save-surveys.") from None
    if not isinstance(document, dict) or "records" not in document or "inventory" not in document:
        raise StoreError(f"{name}: not a survey file of pytest-tentacle. --replay takes what --save-surveys wrote.")
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
