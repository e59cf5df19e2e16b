"""The one writer that every sink's text goes through: secrets are removed always, names replaced where asked.

A secret that is known (from the inventory) is looked for in every form in which it could have been written down; one
that is not is known by its shape or by what stands before it. In doubt, too much is removed rather than too little.
"""

from __future__ import annotations

import json
import operator
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel

from pytest_tentacle.hiding import Secrets

from .pseudonyms import Pseudonyms

_REMEMBERED = 10_000
"""So many texts at least, and twice as many at most, are known again: what thousands of machines say alike."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_NAMED = r"(?:password|passwd|passphrase|pwd|secret|api[-_]?key|access[-_]?key|account[-_]?key|master[-_]?key|token)"
_SECRET_KEY = re.compile(
    rf"(?i)(?:^|[\w.-]*)(?:{_NAMED}|connectionstring|authorization|cookie|tentacle\.certificate|private_?key)$"
)


class Redactor:
    """Removes secrets, and replaces names where `pseudonyms` is asked for.

    Values must go through it before they are written as JSON or HTML: what it returns is text, not markup. Removed is
    shown as `[removed: <kind>]`. Threads may share it: log records come from all of them. It remembers texts that it
    has seen of late, so that 16,000 results of 1,000 machines with much the same words cost little.
    """

    def __init__(self, secrets: Iterable[str] = (), *, pseudonyms: bool = False, key: bytes | None = None) -> None:
        self.secrets = Secrets(secrets)
        self._pseudonyms = Pseudonyms(key) if pseudonyms else None
        self._counts: Counter[str] = Counter()
        self._taught: list[object] = []
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[str, tuple[str, ...]] | None] = {}
        self._seen_before: dict[str, tuple[str, tuple[str, ...]] | None] = {}

    @property
    def uses_pseudonyms(self) -> bool:
        """Whether names are replaced."""
        return self._pseudonyms is not None

    def learn(
        self,
        hosts: Iterable[str] = (),
        users: Iterable[str] = (),
        files: Iterable[tuple[str, str]] = (),
        texts: Iterable[str] = (),
        groups: Iterable[str] = (),
    ) -> None:
        """Names that become pseudonyms wherever they stand; without effect when names are not replaced.

        `files` are paths, each with what is shown instead; `texts` may show further names.
        """
        if self._pseudonyms:
            with self._lock:
                self._pseudonyms.learn(hosts, users, files, texts, groups)
                self._seen.clear()
                self._seen_before.clear()

    def taught(self, source: object) -> bool:
        """Whether the names in a source are learnt already; from now on they count as such."""
        if any(source is known for known in self._taught):
            return True
        self._taught.append(source)
        return False

    def text(self, text: str) -> str:
        """The text, clean."""
        with self._lock:
            if text not in self._seen:
                self._remember(text)
            known = self._seen[text]
            if known is None:
                return text
            clean, removed = known
            if removed:
                self._counts.update(removed)
        return clean

    def value(
        self,
        value: T,
        keep: frozenset[str] = frozenset(),
        names: frozenset[str] = frozenset(),
        words: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> T:
        """A JSON-like value of the same shape, clean: keys too, and what a key such as `password` names, whole.

        Members under the keys in `keep` are left alone: words of ours that a reader's program depends upon; and of
        those under a key in `words`, the ones that it lists. Keys in `names` are left as they are, and what stands
        under them is cleaned.
        """
        return _Walk(self, keep, names | keep, words).value(value)  # type: ignore[no-any-return]  # the shape is kept, which no type can say

    def model(self, value: M, keep: frozenset[str] = frozenset()) -> M:
        """A model of the same shape, clean: what needs no cleaning in it is shared and not copied.

        Fields in `keep`, whatever they are in, are left alone.
        """
        return _Model(self, keep).value(value)  # type: ignore[no-any-return]  # the shape is kept, which no type can say

    def json_text(
        self,
        text: str,
        keep: frozenset[str] = frozenset(),
        names: frozenset[str] = frozenset(),
        words: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> str:
        """A JSON document, clean and still JSON, on one line.

        `text` would not do: what it takes away may hold a quotation mark.
        """
        clean = self.value(json.loads(text), keep, names, words)
        return json.dumps(clean, ensure_ascii=False, separators=(",", ":"))

    def removed(self, kind: str) -> str:
        """What stands instead of a value that is removed whole; it is counted."""
        with self._lock:
            self._counts[kind] += 1
        return f"[removed: {kind}]"

    def summary(self) -> dict[str, int]:
        """How many values of which kind were removed or replaced so far, by kind."""
        return dict(sorted(self._counts.items()))

    def mapping(self) -> dict[str, dict[str, str]]:
        """Real name -> false name, by kind: for a private file, never for a report. Empty without pseudonyms."""
        return self._pseudonyms.mapping() if self._pseudonyms else {}

    def _remember(self, text: str) -> None:
        if len(self._seen) >= _REMEMBERED:
            self._seen_before, self._seen = self._seen, {}
        if text in self._seen_before:
            self._seen[text] = self._seen_before[text]
            return
        kinds: list[str] = []
        clean = self._clean(text, kinds)
        self._seen[text] = (clean, tuple(kinds)) if kinds or clean != text else None

    def _clean(self, text: str, kinds: list[str]) -> str:
        text = self.secrets.hide(text, kinds)
        return self._pseudonyms.apply(text, kinds.append) if self._pseudonyms else text


@dataclass(frozen=True)
class _Walk:
    redactor: Redactor
    keep: frozenset[str]
    names: frozenset[str]
    words: Mapping[str, frozenset[str]]

    def value(self, value: Any) -> Any:
        match value:
            case str():
                return self.redactor.text(value)
            case dict():
                return {
                    key if key in self.names else self.value(key): self._member(key, member)
                    for key, member in value.items()
                }
            case list():
                return [self.value(member) for member in value]
            case tuple():
                return tuple(self.value(member) for member in value)
            case _:
                return value

    def _member(self, key: Any, member: Any) -> Any:
        if key in self.keep or (isinstance(member, str) and member in self.words.get(key, ())):
            return member
        if isinstance(member, str) and member and isinstance(key, str) and _SECRET_KEY.match(key):
            return self.redactor.removed("setting")
        return self.value(member)


@dataclass(frozen=True)
class _Model:
    redactor: Redactor
    keep: frozenset[str]

    def value(self, value: Any) -> Any:
        """The very same object where nothing in it changes."""
        kind = type(value)
        if kind is str:
            clean = self.redactor.text(value)
            return value if clean == value else clean
        if kind is tuple:
            members = tuple(map(self.value, value))
            return value if all(map(operator.is_, members, value)) else members
        if isinstance(value, BaseModel):
            fields = vars(value)
            changed = {
                name: clean
                for name, member in fields.items()
                if name not in self.keep and (clean := self.value(member)) is not member
            }
            return value.model_copy(update=changed) if changed else value
        if kind is dict:
            return {self.value(name): self.value(member) for name, member in value.items()}
        return value
