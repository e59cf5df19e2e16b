"""What Windows keeps a port for, though no program of its own listens there: excluded ranges, and http.sys."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pytest_tentacle.survey.surroundings import PortRange, Reservations

HTTP_SYS_PID = 4
"""The System process, to whom the sockets of http.sys belong (windows-shapes 2.1)."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_WILDCARD = re.compile(r"(?<=://)[+*](?=[:/]|$)")


def excluded_range(reservations: Reservations, port: int) -> PortRange | None:
    """The excluded range that holds the port."""
    return next((found for found in reservations.excluded or () if found.first <= port <= found.last), None)


def served_urls(reservations: Reservations, port: int) -> tuple[str, ...]:
    """The URL prefixes that http.sys serves on the port."""
    return tuple(url for url in reservations.http_sys or () if _port_of(url) == port)


def _port_of(url: str) -> int | None:
    """`http://+:80/x`, `https://*:443/` and `http://10.0.0.1:80:10.0.0.1/`, which binds to an address, have a port."""
    try:
        parts = urlsplit(_WILDCARD.sub("any", url))
        bound = re.fullmatch(r"(?:\[[^\]]*\]|[^:\[\]]+):(\d{1,5}):.*", parts.netloc)
        return int(bound[1]) if bound else parts.port or _DEFAULT_PORTS.get(parts.scheme.lower())
    except ValueError:
        return None
