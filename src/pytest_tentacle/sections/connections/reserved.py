"""What Windows keeps a port for, though no program of its own listens there: excluded ranges, and http.sys.

Prefixes of http.sys are served (a program has registered them), reserved (for an account), and of https bound to a
certificate (windows-reality 8f). A prefix's host is a name, an address, or one of the wildcards `+` and `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_tentacle.survey.surroundings import AccessEntry, Binding, PortRange, Reservations, ReservedPrefix

HTTP_SYS_PID = 4
"""The System process, to whom the sockets of http.sys belong (windows-shapes 2.1)."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_WILDCARD = re.compile(r"(?<=://)[+*](?=[:/]|$)")
_ALLOW, _DENY = 0, 1
_FOR_ANY_NAME = frozenset({"+", "*", "localhost"})
"""Hosts that clients call by other names; an Octopus Server may register `localhost` as one of the others."""

MOST_URLS = 500
"""As many the survey keeps of what http.sys serves: from there on what is missing says nothing."""

_DACL_AT, _ACL_HEAD, _ACE_HEAD = 16, 8, 8


@dataclass(frozen=True)
class Prefix:
    """A URL prefix, taken apart; in small letters, the path without slashes at its ends."""

    text: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_secure(self) -> bool:
        """Whether TLS is spoken there."""
        return self.scheme in {"https", "wss"}

    def is_served_as(self, other: Prefix) -> bool:
        """Whether a program that registered the other one answers there: the same but for the host."""
        return (self.is_secure, self.port, self.path) == (other.is_secure, other.port, other.path)

    def is_the_same_as(self, other: Prefix) -> bool:
        """Whether the other one is its registration: of its host, or of every host where its own stands for all."""
        return self.is_served_as(other) and self.has_host_of(other)

    def has_host_of(self, other: Prefix) -> bool:
        """Whether the other one is of its host, or of every host where its own stands for all."""
        return other.host in (_FOR_ANY_NAME if self.host == "localhost" else {self.host})

    def is_within(self, other: Prefix) -> bool:
        """Whether its path is the other one's, or below it; the path of all is nobody's in particular."""
        return bool(other.path) and f"{self.path}/".startswith(f"{other.path}/")


def prefix_of(text: str) -> Prefix | None:
    """A prefix as somebody wrote it, or as http.sys lists it; None where it is none."""
    port = _port_of(text)
    if port is None:
        return None
    parts = urlsplit(_WILDCARD.sub("any", text))
    host = re.sub(r":.*", "", urlsplit(text).netloc) if "[" not in text else parts.hostname or ""
    return Prefix(text, parts.scheme.lower(), host.lower(), port, parts.path.strip("/").lower())


def excluded_range(reservations: Reservations, port: int) -> PortRange | None:
    """The excluded range that holds the port."""
    return next((found for found in reservations.excluded or () if found.first <= port <= found.last), None)


def served_urls(reservations: Reservations, port: int) -> tuple[str, ...]:
    """The URL prefixes that http.sys serves on the port."""
    return tuple(url for url in reservations.http_sys or () if _port_of(url) == port)


def served_prefixes(reservations: Reservations) -> tuple[Prefix, ...]:
    """All URL prefixes that http.sys serves."""
    return tuple(found for url in reservations.http_sys or () if (found := prefix_of(url)) is not None)


def bindings_of(bindings: Iterable[Binding], host: str, port: int) -> tuple[Binding, ...]:
    """What is bound for a host and port: by the name where one is, else by addresses, else a central store.

    A prefix for every host is called by any name that has a binding.
    """
    here = [each for each in bindings if each.endpoint.rpartition(":")[2] == str(port) or each.central]
    own = [each for each in here if not each.central]
    addressed = [each for each in own if re.match(r"(?:[0-9.]+|\[.*\]):", each.endpoint)]
    if host.lower() in _FOR_ANY_NAME:
        return tuple(own or here)
    named = [each for each in own if each not in addressed and _is_named(each.endpoint.rpartition(":")[0], host)]
    return tuple(named or addressed or (each for each in here if each.central))


def _is_named(bound: str, host: str) -> bool:
    """`octopus.example`, or `*.example` for all names of one label more."""
    bound, host = bound.lower(), host.lower()
    return bound == host or (bound.startswith("*.") and host.partition(".")[2] == bound[2:])


def reservations_of(
    prefixes: Iterable[ReservedPrefix], wanted: Prefix
) -> tuple[tuple[ReservedPrefix, ...], tuple[ReservedPrefix, ...]]:
    """The reservations that cover a prefix, of the same scheme and port and of a path above it, deepest first.

    Those of its own host, and those of others, of which nobody is sure whether they hold for it.
    """
    found: list[tuple[bool, int, ReservedPrefix]] = []
    for each in prefixes:
        other = prefix_of(each.url)
        if other is None or (other.scheme, other.port) != (wanted.scheme, wanted.port):
            continue
        if not other.path or f"{wanted.path}/".startswith(f"{other.path}/"):
            found.append((wanted.has_host_of(other), len(other.path), each))
    found.sort(key=lambda row: row[:2], reverse=True)
    return tuple(each for own, _, each in found if own), tuple(each for own, _, each in found if not own)


def entries_of_descriptor(descriptor: str) -> tuple[AccessEntry, ...] | None:
    """The access list of a self-relative security descriptor (MS-DTYP 2.4.6); None where it is none.

    Without a list everybody has every right: that is one entry here.
    """
    try:
        data = bytes.fromhex(descriptor)
        start = int.from_bytes(data[_DACL_AT : _DACL_AT + 4], "little")
        if len(data) < _DACL_AT + 4:
            return None
        if start == 0:
            return (AccessEntry(sid="S-1-1-0", mask=0x10000000),)
        count, at = int.from_bytes(data[start + 4 : start + 6], "little"), start + _ACL_HEAD
        entries = []
        for _ in range(count):
            size = int.from_bytes(data[at + 2 : at + 4], "little")
            sid = _sid(data[at + _ACE_HEAD : at + size])
            if size <= _ACE_HEAD or sid is None:
                return None
            if data[at] in (_ALLOW, _DENY):
                mask = int.from_bytes(data[at + 4 : at + 8], "little")
                entries.append(AccessEntry(sid=sid, mask=mask, deny=data[at] == _DENY))
            at += size
    except (ValueError, IndexError):
        return None
    return tuple(entries)


def _sid(data: bytes) -> str | None:
    """MS-DTYP 2.4.2.2."""
    if len(data) < 8 or len(data) < 8 + 4 * data[1]:  # noqa: PLR2004  revision, count, six bytes of the authority
        return None
    parts = [str(int.from_bytes(data[8 + 4 * n : 12 + 4 * n], "little")) for n in range(data[1])]
    return "-".join(("S", str(data[0]), str(int.from_bytes(data[2:8], "big")), *parts))


def _port_of(url: str) -> int | None:
    """`http://+:80/x`, `https://*:443/` and `http://10.0.0.1:80:10.0.0.1/`, which binds to an address, have a port."""
    try:
        parts = urlsplit(_WILDCARD.sub("any", url))
        bound = re.fullmatch(r"(?:\[[^\]]*\]|[^:\[\]]+):(\d{1,5}):.*", parts.netloc)
        return int(bound[1]) if bound else parts.port or _DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return None
