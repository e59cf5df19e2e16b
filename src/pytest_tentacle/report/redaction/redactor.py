"""The one writer that every sink's text goes through: secrets are removed always, names replaced where asked.

A secret that is known (from the inventory) is looked for in every form in which it could have been written down; one
that is not is known by its shape or by what stands before it. In doubt, too much is removed rather than too little.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from .pseudonyms import Pseudonyms
from .words import words_pattern

T = TypeVar("T")

_SHORT = 4
"""A known secret shorter than this is only removed where it stands as a word: else every letter would go."""
_ALIGNED = 6
"""From this length on a secret is recognised inside a longer base64 text, such as that of `user:password`."""

_QUOTED = (
    r'\\"(?:(?!\\").)*\\"|"(?:[^"\\\r\n]|\\.)*"|\'[^\'\r\n]*\''
    r"|&(?:quot|#34);.*?&(?:quot|#34);|&#(?:39|x27);.*?&#(?:39|x27);"
)
_PLACEHOLDER = r"\"?<[a-z_]+>\"?(?:\s|$)"
_VALUE = rf"(?!\[removed: |{_PLACEHOLDER})(?:{_QUOTED}|[^\s<>;]+)"
_BASE64_LINES = (
    r"[A-Za-z0-9+/]{20,}={0,2}(?:(?:\r?\n[ \t]*|\\r\\n|\\n)(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]*={1,2}))*"
)
_NAMED = r"(?:password|passwd|passphrase|pwd|secret|api[-_]?key|access[-_]?key|account[-_]?key|master[-_]?key|token)"

_PATTERNS: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    (
        "private key",
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----.*?(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----|\Z)"
            r"|PuTTY-User-Key-File-\d.*?(?:Private-MAC: *\w+|\Z)",
            re.DOTALL,
        ),
        ("private",),
    ),
    (
        # DER's first bytes, in base64: PKCS#12 (version 3), its BER form, PKCS#8 and PKCS#1 (version 0).
        "private key",
        re.compile(
            rf"(?:MII[A-Za-z0-9+/]{{2}}[AQgw]IB(?:AzC|ADAN|AAKC)|MIACAQMwg|MI[A-Za-z0-9+/]{{2}}[A-Za-z0-9+/]?IBADAN){_BASE64_LINES}"
        ),
        ("mi",),
    ),
    (
        "header",
        re.compile(
            r"(?i)(?P<keep>\b(?:(?:proxy-)?authorization|(?:set-)?cookie|x-(?:octopus|nuget)-apikey)\\?[\"']?\s*:\s*)"
            r"(?!\[removed: )(?:(?!\\r|\\n)[^\r\n])+"
        ),
        ("authorization", "cookie", "-apikey"),
    ),
    ("bearer token", re.compile(r"(?i)(?P<keep>\bbearer\s+)[A-Za-z0-9._~+/-]{12,}=*"), ("bearer",)),
    ("bearer token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"), ("eyj",)),
    ("API key", re.compile(r"\bAPI-[A-Z0-9]{8,}"), ("api-",)),
    (
        "password in a URL",
        re.compile(r"(?i)(?P<keep>\b[a-z][a-z0-9+.-]*://[^\s/?#:@\"'<>]*:)[^\s/?#\"'<>]+(?=@)"),
        ("://",),
    ),
    (
        # An XML setting, a JSON member, or the HTML of either: the value ends where the element or the string does.
        "setting",
        re.compile(
            rf"(?i)(?P<keep>(?:\bTentacle\.Certificate|{_NAMED}|ConnectionString)"
            r"(?:\\?[\"']|&(?:quot|#34);)\s*(?:(?:>|&gt;)\s*|:\s*(?:\\?[\"']|&(?:quot|#34);)))"
            r"(?!\[removed: )(?:(?!&lt;|&quot;|&#34;)[^<\r\n\"\\]|\\[^\"])+"
        ),
        ("certificate", "password", "pwd", "secret", "key", "token", "connectionstring", "pass"),
    ),
    (
        "connection string",
        re.compile(
            rf"(?i)(?P<keep>;\s*(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*)(?!\[removed: )"
            rf"(?:{_QUOTED}|[^;\r\n<\"']+)"
        ),
        ("password", "pwd", "key"),
    ),
    (
        "connection string",
        re.compile(
            rf"(?i)(?P<keep>\b(?:password|pwd|accountkey|sharedaccesskey)\s*=\s*)(?!\[removed: )"
            rf"(?:{_QUOTED}|[^;\s<\"'][^;\r\n<\"']*)"
            r"(?=;)"
        ),
        ("password", "pwd", "key"),
    ),
    (
        "Tentacle certificate",
        re.compile(rf"(?i)(?P<keep>\bTentacle\.Certificate\s*[=:]\s*){_VALUE}"),
        ("tentacle.certificate",),
    ),
    (
        "argument",
        re.compile(rf"(?i)(?P<keep>(?:^|(?<=[\s\"'=]))(?:--?|/)[\w-]*{_NAMED}(?:\s+|\s*[=:]\s*)){_VALUE}"),
        ("password", "pwd", "secret", "key", "token", "pass"),
    ),
    (
        "argument",
        re.compile(rf"(?i)(?P<keep>{_NAMED}\s*=\s*){_VALUE}"),
        ("password", "pwd", "secret", "key", "token", "pass"),
    ),
    (
        "argument",
        re.compile(rf"(?i)(?P<keep>\b(?:password|passwd|passphrase|pwd|api[-_]?key)\s*:\s*)(?![/\\]){_VALUE}"),
        ("password", "pwd", "key", "pass"),
    ),
)
"""Kind, what to look for (`keep` is left standing), and words of which one must occur for the search to be worth it."""

_SECRET_KEY = re.compile(
    rf"(?i)(?:^|[\w.-]*)(?:{_NAMED}|connectionstring|authorization|cookie|tentacle\.certificate|private_?key)$"
)


class Redactor:
    """Removes secrets, and replaces names where `pseudonyms` is asked for.

    Values must go through it before they are written as JSON or HTML: what it returns is text, not markup. Removed is
    shown as `[removed: <kind>]`. Threads may share it: log records come from all of them. It remembers texts that it
    has seen, so that 16,000 results of 1,000 machines with much the same words cost little.
    """

    def __init__(self, secrets: Iterable[str] = (), *, pseudonyms: bool = False, key: bytes | None = None) -> None:
        known = {secret for secret in secrets if secret.strip()}
        long = [form for secret in known if len(secret) >= _SHORT for form in _forms(secret)]
        short = [secret for secret in known if len(secret) < _SHORT]
        self._known = re.compile(rf"{words_pattern(long)}|(?<!\w){words_pattern(short)}(?!\w)") if known else None
        self._pseudonyms = Pseudonyms(key) if pseudonyms else None
        self._counts: Counter[str] = Counter()
        self._taught: list[object] = []
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[str, tuple[str, ...]]] = {}

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
    ) -> None:
        """Names that become pseudonyms wherever they stand; without effect when names are not replaced.

        `files` are paths, each with what is shown instead; `texts` may show further names.
        """
        if self._pseudonyms:
            with self._lock:
                self._pseudonyms.learn(hosts, users, files, texts)
                self._seen.clear()

    def taught(self, source: object) -> bool:
        """Whether the names in a source are learnt already; from now on they count as such."""
        if any(source is known for known in self._taught):
            return True
        self._taught.append(source)
        return False

    def text(self, text: str) -> str:
        """The text, clean."""
        with self._lock:
            known = self._seen.get(text)
            if known is None:
                kinds: list[str] = []
                clean = self._clean(text, kinds)
                known = self._seen[text] = (clean, tuple(kinds))
            clean, removed = known
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

    def json_text(
        self,
        text: str,
        keep: frozenset[str] = frozenset(),
        names: frozenset[str] = frozenset(),
        words: Mapping[str, frozenset[str]] = MappingProxyType({}),
    ) -> str:
        """A JSON document, clean and still JSON. `text` would not do: what it takes away may hold a quotation mark."""
        return json.dumps(self.value(json.loads(text), keep, names, words), ensure_ascii=False, indent=1)

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

    def _clean(self, text: str, kinds: list[str]) -> str:
        if self._known:
            text, found = self._known.subn("[removed: secret]", text)
            kinds += ["secret"] * found
        lower = text.lower()
        for kind, pattern, hints in _PATTERNS:
            if any(hint in lower for hint in hints):
                keep = r"\g<keep>" if "keep" in pattern.groupindex else ""
                text, found = pattern.subn(f"{keep}[removed: {kind}]", text)
                kinds += [kind] * found
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


def _forms(secret: str) -> Iterator[str]:
    """Every way in which a secret may have been written down."""
    yield secret
    for encoding in ("utf-8", "utf-16-le"):
        raw = secret.encode(encoding)
        yield base64.b64encode(raw).decode().rstrip("=")
        yield base64.urlsafe_b64encode(raw).decode().rstrip("=")
        if len(secret) >= _ALIGNED:
            yield from _inside_base64(raw)
    for quoted in (urllib.parse.quote(secret, safe=""), urllib.parse.quote(secret), urllib.parse.quote_plus(secret)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quoted)
    for ascii_only in (True, False):
        once = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    escaped = html.escape(secret)
    yield escaped
    yield escaped.replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
    yield html.escape(secret, quote=False)
    yield secret.replace("'", "''")
    yield secret.replace('"', '`"')
    yield repr(secret)[1:-1]
    yield secret.replace("\\", "\\\\")


def _inside_base64(raw: bytes) -> Iterator[str]:
    """The letters that base64 gives for these bytes in the midst of others, for each of the three alignments."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        first = (offset * 8 + 5) // 6
        last = (offset + len(raw)) * 8 // 6
        yield encoded[first:last]
