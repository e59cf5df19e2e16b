"""What is secret, and how it is taken out of a text: before the text is shortened, unwrapped or made one line.

A secret that is known (from the inventory) is looked for in every form in which it could have been written down; one
that is not is known by its shape or by what stands before it. In doubt, too much is removed rather than too little.

What was cut cannot be recognised any more, so whoever shortens a text calls `shorten` or `one_line`, wherever in the
program: they know the secrets of this process's run (`use`).
"""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator

from .words import words_pattern

_SHORT = 4
"""A known secret shorter than this is only removed where it stands as a word: else every letter would go."""
_ALIGNED = 6
"""From this length on a secret is recognised inside a longer base64 text, such as that of `user:password`."""

_QUOTED = (
    r'\\"(?:(?!\\").)*\\"|"(?:[^"\\\r\n]|\\.)*"|\'[^\'\r\n]*\''
    r"|&(?:quot|#34);(?:(?!&(?:quot|#34);).)*&(?:quot|#34);|&#(?:39|x27);(?:(?!&#(?:39|x27);).)*&#(?:39|x27);"
)
_PLACEHOLDER = r"\"?<[a-z_]+>\"?(?:\s|$)"
_VALUE = rf"(?!\[removed: |{_PLACEHOLDER})(?:{_QUOTED}|[^\s<>;]+)"
_BASE64_LINES = (
    r"[A-Za-z0-9+/]{20,}={0,2}(?:(?:\r?\n[ \t]*|\\r\\n|\\n)(?:[A-Za-z0-9+/]{16,}={0,2}|[A-Za-z0-9+/]*={1,2}))*"
)
_NAMED = (
    r"(?<!PublicKey)"  # that of an assembly's name, in .NET, is no secret
    r"(?:password|passwd|passphrase|pwd|secret|api[-_]?key|access[-_]?key|account[-_]?key|master[-_]?key|token)"
)

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
        re.compile(r"(?i)(?P<keep>\b[a-z][a-z0-9+.-]{0,30}://[^\s/?#:@\"'<>]{0,300}:)[^\s/?#\"'<>]{1,1000}(?=@)"),
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
            rf"(?:{_QUOTED}|[^;\s<\"'][^;\r\n<\"']{{0,1000}})"
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

_ANY_HINT = re.compile("|".join(sorted({re.escape(hint) for _, _, hints in _PATTERNS for hint in hints})))

_LONG_ENOUGH = 190
"""From so many characters on a text may have been cut by a survey script, which does not know our secrets."""

_BEGINNING = 4
"""So many letters of a secret at the end of such a text are taken for its beginning."""

_MARGIN = 4_000
"""Characters beyond a cut that are looked at: a secret that begins before it ends there."""


class Secrets:
    """The secrets of a run, and how a text gets rid of them."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {secret for secret in secrets if secret.strip()}
        long = [form for secret in known if len(secret) >= _SHORT for form in _forms(secret)]
        short = [secret for secret in known if len(secret) < _SHORT]
        spaced = [pattern for secret in sorted(known) if len(secret) >= _SHORT and (pattern := _spaced(secret))]
        words = "|".join([words_pattern(long), *spaced, rf"(?<!\w){words_pattern(short)}(?!\w)"])
        self._known = re.compile(words) if known else None
        begun = {form[:end] for form in known if len(form) > _BEGINNING for end in range(_BEGINNING, len(form))}
        self._begun = re.compile(rf"{words_pattern(begun)}(?=(?:\.\.\.|…)?\Z)") if begun else None
        self._margin = max([_MARGIN, *(2 * len(form) for form in long)])

    def hide(self, text: str, kinds: list[str] | None = None) -> str:
        """The text without secrets; the kinds of what was removed are added to `kinds`, one each."""
        removed: list[str] = [] if kinds is None else kinds
        if self._known:
            text, found = self._known.subn("[removed: secret]", text)
            removed += ["secret"] * found
        if self._begun and len(text) >= _LONG_ENOUGH:
            head, tail = text[:-_LONG_ENOUGH], text[-_LONG_ENOUGH:]
            tail, found = self._begun.subn("[removed: secret]", tail)
            removed += ["secret"] * found
            text = head + tail
        lower = text.lower()
        if not _ANY_HINT.search(lower):
            return text
        for kind, pattern, hints in _PATTERNS:
            if any(hint in lower for hint in hints):
                keep = r"\g<keep>" if "keep" in pattern.groupindex else ""
                text, found = pattern.subn(f"{keep}[removed: {kind}]", text)
                removed += [kind] * found
        return text

    def shorten(self, text: str, limit: int, end: str = "") -> str:
        """At most so many characters of a text, `end` among them where it was cut; secrets are removed before."""
        if len(text) <= limit:
            return text
        window = text[: limit + self._margin]
        clean = self.hide(window)
        if len(window) < len(text):  # a secret at the window's own end may be cut by it
            clean = clean[: max(0, len(clean) - self._margin)]
        return clean if len(clean) <= limit else clean[: limit - len(end)] + end

    def one_line(self, text: str, limit: int, end: str = "…") -> str:
        """The same in one line without control characters: secrets are removed before any of that."""
        clean = self.hide(text[: 16 * limit + self._margin])
        shown = clean if clean.isprintable() else "".join(each if each.isprintable() else " " for each in clean)
        words = " ".join(shown.split())
        if len(text) > 16 * limit + self._margin:
            words = words[: max(0, len(words) - self._margin)]
        return words if len(words) <= limit else words[: limit - len(end)] + end


_of_this_run = Secrets()


def use(secrets: Secrets) -> Secrets:
    """From now on `shorten` and `one_line` know these secrets; gives what they knew before."""
    global _of_this_run
    before, _of_this_run = _of_this_run, secrets
    return before


def shorten(text: str, limit: int, end: str = "") -> str:
    """At most so many characters of a text, `end` among them where it was cut; secrets are removed before."""
    return _of_this_run.shorten(text, limit, end)


def one_line(text: str, limit: int, end: str = "…") -> str:
    """The same in one line without control characters: secrets are removed before any of that."""
    return _of_this_run.one_line(text, limit, end)


def hide(text: str) -> str:
    """The text without the secrets of this run."""
    return _of_this_run.hide(text)


def printable(text: str) -> str:
    """The text without control characters, in its lines: what a stranger wrote must not steer the terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _spaced(secret: str) -> str | None:
    """A pattern for a secret whose white space was changed, or whose control characters were made visible."""
    parts = [part for part in re.split(r"\s+", "".join(c if c.isprintable() else " " for c in secret)) if part]
    return r"[\s\ufffd]+".join(map(re.escape, parts)) if len(parts) > 1 else None


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
