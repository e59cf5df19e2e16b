"""An inventory file as a tree in which every key and value knows its line and column.

ruamel.yaml's composer is used, and not its loader: its nodes carry their marks, all duplicate keys can be told at once,
and a plain scalar keeps its spelling, so that a thumbprint, password or name of digits alone is not made a number.
"""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from pytest_tentacle.files import is_unicode

from .faults import Faults, Place
from .fields import name_of

MOST_NODES = 300_000
"""Aliases can make a few lines stand for billions of values; 10,000 machines with 20 settings each have 210,000."""

_TAG = "tag:yaml.org,2002:"
_KINDS: dict[str, Literal["text", "number", "bool", "null"]] = {
    f"{_TAG}str": "text",
    f"{_TAG}value": "text",
    f"{_TAG}merge": "text",
    f"{_TAG}timestamp": "text",
    f"{_TAG}int": "number",
    f"{_TAG}float": "number",
    f"{_TAG}bool": "bool",
    f"{_TAG}null": "null",
}
_CONTAINER_TAGS = (f"{_TAG}map", f"{_TAG}seq")
_NAMES_SOURCE = re.compile(r"(undefined alias|undefined tag handle|duplicate anchor).*")
_QUOTES_SOURCE = re.compile(r"'(?!<|\\)[^' ]{2,}'")
_QUOTE_IT = "text that begins with * & ! % @ ` must stand in quotes"
_INI_HEAD = re.compile(r"\[[\w.:-]+\]")
_TABLE_HEAD = re.compile(r"[\w .\"-]+([,;\t][\w .\"-]*)+")
_SYNTAX_HINTS = (
    ("but got '{'", "inside of { } and [ ], ${…} must stand in quotes"),
    ("alias", _QUOTE_IT),
    ("tag", _QUOTE_IT),
    ("anchor", _QUOTE_IT),
    (r"'\t'", "indent with spaces, not with TAB"),
    ("that cannot start any token", _QUOTE_IT),
    ("escape", r"in double quotes a backslash begins an escape: write 'DOMAIN\user' in single quotes"),
    (
        "mapping values are not allowed",
        "a colon and a space inside a text need quotes around it; or the indentation is wrong",
    ),
    ("but got ':'", "a colon and a space inside a text need quotes around it"),
    ("<stream end>", "a bracket [ or { is not closed"),
    ("unexpected end of stream", "a quote is not closed"),
    ("the node content", "a comma or a bracket stands where a value is missing"),
    ("another document", "one file holds one inventory: take the line --- out"),
    ("<block end>", "the indentation differs from the lines above"),
    ("could not find expected ':'", "a key needs a colon and a space after it"),
)


@dataclass(frozen=True, slots=True)
class ScalarValue:
    """A single value as it is spelled.

    `kind` is what YAML 1.2 takes it for; `literal` is text that somebody else wrote, in which `${...}` means nothing.
    """

    text: str
    kind: Literal["text", "number", "bool", "null", "literal"]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a map, with the place of its key."""

    key_place: Place
    value: Value


@dataclass(frozen=True, slots=True)
class MapValue:
    """A map; a key that is written twice has its first value."""

    place: Place
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListValue:
    """A list."""

    place: Place
    items: list[Value] = field(default_factory=list)


Value = ScalarValue | MapValue | ListValue


def is_null(value: Value) -> bool:
    """Whether nothing is written, or `null`, or `~`."""
    return isinstance(value, ScalarValue) and value.kind == "null"


def kind_of(value: Value) -> str:
    """`text`, `a number`, `true or false`, `nothing`, `a mapping` or `a list`."""
    match value:
        case MapValue():
            return "a mapping"
        case ListValue():
            return "a list"
        case ScalarValue(kind=kind):
            return {"number": "a number", "bool": "true or false", "null": "nothing"}.get(kind, "text")


def place_at(root: MapValue, location: tuple[int | str, ...], *, of_key: bool = False) -> Place:
    """The place of the value (or of the key) that a path of keys and numbers leads to, as far as it leads."""
    value: Value = root
    place = root.place
    for step in location:
        if isinstance(value, MapValue) and step in value.entries:
            entry = value.entries[str(step)]
            place = entry.key_place if of_key else entry.value.place
            value = entry.value
        elif isinstance(value, ListValue) and isinstance(step, int) and step < len(value.items):
            value = value.items[step]
            place = value.place
    return place


def value_at(root: MapValue, location: tuple[int | str, ...]) -> Value:
    """The value that a path of keys and numbers leads to, as far as it leads."""
    value: Value = root
    for step in location:
        if isinstance(value, MapValue) and step in value.entries:
            value = value.entries[str(step)].value
        elif isinstance(value, ListValue) and isinstance(step, int) and step < len(value.items):
            value = value.items[step]
    return value


def plain(value: Value) -> Any:
    """The value in Python's own types, with numbers as numbers: what a free map holds."""
    match value:
        case MapValue(entries=entries):
            return {key: plain(entry.value) for key, entry in entries.items()}
        case ListValue(items=items):
            return [plain(item) for item in items]
        case ScalarValue(kind="null"):
            return None
        case ScalarValue(kind="bool", text=text):
            return text.lower() == "true"
        case ScalarValue(kind="number", text=text):
            return _number(text)
        case ScalarValue(text=text):
            return text


def parse(file: str, raw: bytes, faults: Faults) -> MapValue | None:
    """The tree of a file's bytes. Notes what is wrong with them, and gives None where nothing can be read on."""
    text = _decode(file, raw, faults)
    if text is None:
        return None
    try:
        root = _compose(file, text, faults)
    except _UnreadableError as error:
        other_form = _other_form(text)
        faults.add(error.place, "this is no YAML" if other_form else error.message, hint=other_form or error.hint)
        return None
    if root is None or is_null(root):
        faults.add(Place(file, 1, 1), "the file is empty", hint="declare servers: and tentacles:")
    elif isinstance(root, MapValue):
        if not (other := _other_json(root)):
            return root
        faults.add(root.place, *other[:1], hint=other[1])
    else:
        hint = _other_form(text) or "it begins with one of defaults:, groups:, servers:, tentacles:"
        faults.add(root.place, f"the file must be a mapping, not {kind_of(root)}", hint=hint)
    return None


def _other_form(text: str) -> str | None:
    """What to do where a text is no YAML, but another form of inventory."""
    lines = (line.strip() for line in text.splitlines())
    first = next((line for line in lines if line and not line.startswith(("#", ";"))), "")
    if _INI_HEAD.fullmatch(first):
        return "this looks like Ansible's INI: --inventory=ansible:FILE reads it"
    if _TABLE_HEAD.fullmatch(first):
        return "this looks like a table: --inventory=csv:FILE reads it"
    return None


def _other_json(root: MapValue) -> tuple[str, str] | None:
    """What a file is that this project wrote for something else, and what to do with it."""
    if {"format", "records"} <= root.entries.keys():
        return "this is a survey file, no inventory", "--replay=FILE reads it"
    if {"machines", "causes"} <= root.entries.keys():
        return "this is the report of a run, no inventory", "--compare=FILE reads it"
    return None


def _compose(file: str, text: str, faults: Faults) -> Value | None:
    """The tree of a text; None where it holds nothing but comments. Raises _UnreadableError."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _counting(file)
    yaml.composer.warn_double_anchors = False  # its warning quotes the line, which may hold a password
    try:
        with _no_collecting():
            node = yaml.compose(text)
            return None if node is None else _Builder(file, faults).build(node)
    except MarkedYAMLError as error:
        raise _syntax_error(file, error) from None
    except ReaderError as error:
        before, character = text[: error.position], text[error.position]
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _UnreadableError(place, f"YAML allows no {name_of(character)}") from None
    except RecursionError:
        raise _UnreadableError(Place(file), "nested too deeply") from None
    except _UnreadableError:
        raise
    except Exception:  # noqa: BLE001  the library raises what it stumbles over; its words may quote a password
        raise _UnreadableError(Place(file), "not YAML") from None


def _decode(file: str, raw: bytes, faults: Faults) -> str | None:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        faults.add(Place(file, 1, 1), "not UTF-8 but UTF-16", hint="save it as UTF-8")
        return None
    body = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start].decode()
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        faults.add(place, "not UTF-8: the byte here is", f"0x{body[error.start]:02X}", "save it as UTF-8")
        return None


def _syntax_error(file: str, error: MarkedYAMLError) -> _UnreadableError:
    """The problem in ruamel's words, without its snippets: the line, or a name after * & !, may be a password."""
    mark = error.problem_mark or error.context_mark
    place = Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)
    words = " ".join(str(part) for part in (error.context, error.problem) if part)
    problem = _QUOTES_SOURCE.sub("(…)", _NAMES_SOURCE.sub(r"\1", words))
    hint = next((advice for word, advice in _SYNTAX_HINTS if word in problem), None)
    return _UnreadableError(place, f"YAML syntax: {problem}", hint)


def _number(text: str) -> int | float | str:
    for convert in (lambda: int(text, 0), lambda: int(text), lambda: float(text)):
        try:
            return convert()
        except ValueError:
            continue
    return text


class _UnreadableError(Exception):
    """The tree cannot be built to its end."""

    def __init__(self, place: Place, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


@contextlib.contextmanager
def _no_collecting() -> Iterator[None]:
    """Without looks for garbage: each would go over all values so far, of which none is any."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _counting(file: str) -> type[Composer]:
    """A composer that stops at the first value too many, instead of reading the file to its end."""

    class Counting(Composer):
        count = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.count += 1
            if self.count > MOST_NODES:
                mark = self.parser.peek_event().start_mark
                raise _too_many(Place(file, mark.line + 1, mark.column + 1))
            return super().compose_node(parent, index)

    return Counting


def _too_many(place: Place) -> _UnreadableError:
    hint = "name fewer machines, in several files and runs; what an alias (*) stands for counts each time"
    return _UnreadableError(place, f"more than {MOST_NODES:,} values", hint)


class _Builder:
    """Makes our tree of ruamel's nodes, with aliases and merge keys followed."""

    def __init__(self, file: str, faults: Faults) -> None:
        self._file = file
        self._faults = faults
        self._open: set[int] = set()
        self._count = 0

    def build(self, node: Any) -> Value:
        place = self._place(node)
        self._count += 1
        if self._count > MOST_NODES:
            raise _too_many(place)
        if id(node) in self._open:
            raise _UnreadableError(place, "an alias stands inside of what it stands for")
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        if str(node.tag) not in _CONTAINER_TAGS:
            self._faults.add(place, "a tag (!…) has no meaning here", hint=_QUOTE_IT)
        self._open.add(id(node))
        try:
            if isinstance(node, SequenceNode):
                return ListValue(place, [self.build(item) for item in node.value])
            return self._map(node, place)
        finally:
            self._open.discard(id(node))

    def _place(self, node: Any) -> Place:
        return Place(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _scalar(self, node: ScalarNode, place: Place) -> ScalarValue:
        if not is_unicode(str(node.value)):
            self._faults.add(place, "no Unicode: half of a surrogate pair stands alone in it")
            return ScalarValue("", "text", place)
        kind = _KINDS.get(str(node.tag))
        if kind is None:
            self._faults.add(place, "a tag (!…) has no meaning here", hint=_QUOTE_IT)
        elif kind == "null" and node.anchor is not None:
            self._faults.add(place, "an anchor (&…) with nothing behind it", hint=_QUOTE_IT)
        return ScalarValue(str(node.value), kind or ("text" if node.value else "null"), place)

    def _map(self, node: MappingNode, place: Place) -> MapValue:
        result = MapValue(place)
        merged: list[MapValue] = []
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                self._faults.add(self._place(key), "a key must be text")
            elif str(key.tag) == f"{_TAG}merge":
                merged += self._merged(self.build(value))
            elif key.value in result.entries:
                first = result.entries[key.value].key_place
                self._faults.add(self._place(key), "the key is written twice", key.value, f"first in line {first.line}")
            else:
                result.entries[str(key.value)] = Entry(self._place(key), self.build(value))
        for other in merged:
            for name, entry in other.entries.items():
                result.entries.setdefault(name, entry)
        return result

    def _merged(self, value: Value) -> Iterator[MapValue]:
        for candidate in value.items if isinstance(value, ListValue) else [value]:
            if isinstance(candidate, MapValue):
                yield candidate
            else:
                self._faults.add(candidate.place, f"<<: takes a mapping, not {kind_of(candidate)}")
