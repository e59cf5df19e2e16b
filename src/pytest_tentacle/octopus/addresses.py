"""The address under which Octopus knows a machine, taken apart as the server's own .NET does (octopus-rest 3.2, 13)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

HTTPS_PORT = 443
"""What .NET takes where an https address has no port: not 10933."""

_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d+):(\d+):(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class MachineAddress:
    """An address taken apart.

    Attributes:
        scheme: in lower case.
        host: of a listening machine, lower case, IPv6 without brackets.
        port: of a listening machine.
        has_port: whether the port was written.
        subscription: of a polling machine, lower case.
        fault: what is wrong with it, as the end of a sentence that begins with the address; None: nothing.
    """

    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    has_port: bool = True
    subscription: str | None = None
    fault: str | None = None


def machine_address(uri: str | None, mode: str) -> MachineAddress:
    """Take a machine's address apart. Path, query and user are dropped, as the server drops them."""
    text = (uri or "").strip()
    scheme, separator, rest = text.partition("://")
    scheme, wanted = scheme.lower(), "poll" if mode == "polling" else "https"
    if not text:
        return MachineAddress(fault="is missing: the registration is incomplete")
    if not separator or scheme != wanted:
        shown = f"begins with {scheme}://, and" if separator else "has no scheme:"
        return MachineAddress(
            scheme=scheme if separator else None, fault=f"{shown} a {mode} machine's begins with {wanted}://"
        )
    if mode == "polling":
        subscription = rest.partition("/")[0].strip().lower()
        fault = None if subscription else "names no subscription"
        return MachineAddress(scheme=scheme, subscription=subscription or None, fault=fault)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return MachineAddress(scheme=scheme, fault="is no address")
    if not host:
        return MachineAddress(scheme=scheme, fault="names no host")
    return MachineAddress(scheme=scheme, host=host.lower(), port=port or HTTPS_PORT, has_port=port is not None)


def is_address(host: str) -> bool:
    """Whether it is an IP address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def seconds_of(span: str | None) -> float | None:
    """A .NET time span, `[d.]hh:mm:ss[.fffffff]`, in seconds; None for anything else."""
    match = _TIME_SPAN.fullmatch((span or "").strip())
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return days * 86_400 + hours * 3_600 + minutes * 60 + seconds + float(f"0.{match[5] or 0}")
