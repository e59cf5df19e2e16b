"""Which host keys are trusted: OpenSSH's known_hosts files, read as `sshd(8)` ("SSH_KNOWN_HOSTS FILE FORMAT") says.

Hashed names, `[host]:port`, wildcards, `!` and `@revoked` are honoured. `@cert-authority` is not: paramiko verifies no
host certificates, and a server that has one shows its plain key when asked for it.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import functools
import hashlib
import hmac
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_SSH_PORT = 22
_HASHED = "|1|"
_PATTERN = frozenset("*?!")
_APPENDING = threading.Lock()
_PARSING = threading.Lock()


@dataclass(frozen=True)
class Entry:
    """One line of a known_hosts file."""

    names: str
    key_type: str
    key: bytes
    revoked: bool
    place: str
    """File and line, for messages."""

    def matches(self, name: str) -> bool:
        """Whether the line is about that name (a host, `[host]:port`, or an alias; lower case)."""
        if self.names.startswith(_HASHED):
            return _matches_hash(self.names, name)
        matched = False
        for pattern in self.names.lower().split(","):
            negated = pattern.startswith("!")
            if _matches_pattern(pattern.removeprefix("!"), name):
                if negated:
                    return False
                matched = True
        return matched

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        return fingerprint(self.key)


@dataclass(frozen=True)
class _File:
    """A file's entries, found by name: each of thousands of machines would go through the lines of all the others.

    Attributes:
        entries: all of them.
        by_name: by a plain name in lower case, the positions of the entries that name it.
        others: positions of those that have to be compared: hashed names, wildcards, negations.
    """

    entries: tuple[Entry, ...]
    by_name: Mapping[str, Sequence[int]]
    others: tuple[int, ...]

    @classmethod
    def of(cls, entries: tuple[Entry, ...]) -> _File:
        by_name: dict[str, list[int]] = {}
        others = []
        for position, entry in enumerate(entries):
            if entry.names.startswith(_HASHED) or not _PATTERN.isdisjoint(entry.names):
                others.append(position)
                continue
            for name in dict.fromkeys(entry.names.lower().split(",")):
                by_name.setdefault(name, []).append(position)
        return cls(entries, by_name, tuple(others))

    def about(self, names: Iterable[str]) -> Iterator[Entry]:
        """The entries that match one of the names, in the file's order."""
        wanted = tuple(names)
        found = {position for name in wanted for position in self.by_name.get(name, ())}
        found.update(
            position for position in self.others if any(self.entries[position].matches(name) for name in wanted)
        )
        return (self.entries[position] for position in sorted(found))


class Trust(StrEnum):
    """What the files say about a key that a server shows."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True)
class KnownHosts:
    """The entries that concern one server.

    Attributes:
        names: under which the server may stand in the files, the proper one first.
        entries: those that match one of the names; of the first group of files that knows the server at all.
    """

    names: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def proper(self) -> tuple[Entry, ...]:
        """The keys that it must show, one of them.

        A key under the bare host name says nothing about another port on the same host, unless it is the same key.
        """
        return tuple(entry for entry in self.entries if not entry.revoked and entry.matches(self.names[0]))

    @property
    def key_types(self) -> tuple[str, ...]:
        """Types of the known keys: the server is asked for these first, so that it shows one we can compare."""
        return tuple(dict.fromkeys(entry.key_type for entry in self.entries if not entry.revoked))

    def judge(self, key_type: str, shown_as: str) -> tuple[Trust, Entry | None]:
        """What to think of a shown key, given by its fingerprint, and the entry that says so.

        A server of which only keys of other types are known counts as changed, where OpenSSH would call the key new:
        who intercepts a connection could choose the type.
        """
        shown = [entry for entry in self.entries if (entry.key_type, entry.fingerprint) == (key_type, shown_as)]
        for entry in shown:
            if entry.revoked:
                return Trust.REVOKED, entry
        if shown:
            return Trust.KNOWN, shown[0]
        return (Trust.CHANGED, self.proper[0]) if self.proper else (Trust.UNKNOWN, None)


def known_names(host: str, port: int, alias: str | None) -> tuple[str, ...]:
    """Names under which a server may stand in a known_hosts file: an alias alone, or `[host]:port` and then `host`."""
    if alias:
        return (alias.lower(),)
    host = host.lower()
    return (host,) if port == _SSH_PORT else (f"[{host}]:{port}", host)


def load_known_hosts(names: tuple[str, ...], groups: Iterable[Iterable[Path]]) -> KnownHosts:
    """What the files say about a server. The first group of files with an entry for it decides alone.

    Files that are missing are passed over. Raises OSError for one that cannot be read.
    """
    for group in groups:
        entries = tuple(entry for path in group for entry in _read(path).about(names))
        if entries:
            return KnownHosts(names, entries)
    return KnownHosts(names, ())


def default_files() -> tuple[Path, ...]:
    """OpenSSH's own files: the user's, then the machine's."""
    home = Path.home() / ".ssh"
    if sys.platform == "win32":
        system = Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData")) / "ssh"
    else:
        system = Path("/etc/ssh")
    return (home / "known_hosts", home / "known_hosts2", system / "ssh_known_hosts", system / "ssh_known_hosts2")


def append_key(path: Path, name: str, key_type: str, key: bytes) -> None:
    """Add a server's key to a known_hosts file, which may not exist yet. Raises OSError."""
    with _APPENDING:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(f"{name} {key_type} {base64.b64encode(key).decode()}\n".encode())


def fingerprint(key: bytes) -> str:
    """A public key's fingerprint as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def _read(path: Path) -> _File:
    try:
        stamp = path.stat()
    except FileNotFoundError:
        return _NO_FILE
    with _PARSING:  # or each of many threads that begin at once would parse it
        return _parse_file(path, stamp.st_mtime_ns, stamp.st_size)


_NO_FILE = _File.of(())


@functools.lru_cache(maxsize=16)
def _parse_file(path: Path, _mtime: int, _size: int) -> _File:
    # kept for the run: 400 machines ask the same few files
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    entries = (_parse(line, f"{path}:{number}") for number, line in enumerate(lines, 1))
    return _File.of(tuple(entry for entry in entries if entry is not None))


def _parse(line: str, place: str) -> Entry | None:
    fields = line.split()
    marker = fields.pop(0) if fields and fields[0].startswith("@") else ""
    if len(fields) < 3 or fields[0].startswith("#") or marker not in {"", "@revoked"}:  # noqa: PLR2004  names, type, key
        return None
    names, key_type, encoded = fields[:3]
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    return Entry(names, key_type, key, marker == "@revoked", place)


def _matches_pattern(pattern: str, name: str) -> bool:
    # fnmatch knows character classes, ssh does not: the brackets of `[host]:port` stand for themselves
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def _matches_hash(hashed: str, name: str) -> bool:
    try:
        salt, expected = (base64.b64decode(part) for part in hashed.removeprefix(_HASHED).split("|"))
    except ValueError:
        return False
    # SHA-1 is the format's own choice; it hides names here and vouches for nothing
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), expected)
