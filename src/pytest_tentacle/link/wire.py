"""Every byte that our own code may send to a Tentacle's or an Octopus Server's port, after TLS.

A probe must not disturb the log that is being diagnosed: a whole GET leaves one Info line there, nearly everything else
an Error (tentacle-seen, "What follows for us"). A test records what the client sends and holds it against this module.
"""

from __future__ import annotations

PREAMBLE = b"MX\r\n\r\n"
"""Halibut's first bytes after TLS (tentacle-facts 1.3, step A). Sent only on request."""

CLIENT_IDENTITY = b"MX-CLIENT 1.0\r\n\r\n"
"""An Octopus Server's identity towards a listening Tentacle (tentacle-facts 1.3, step B1). Sent only on request."""

SERVER_IDENTITY = b"MX-SERVER 1.0\r\n\r\n"
"""The answer of whoever listens (tentacle-seen 1.2: CRLF, 17 bytes)."""

NULL_REQUEST = bytes.fromhex("e3636060e0f24d2d2e4e4c4f65600000")
"""A deflated BSON document without a message: the listener's keep-alive towards a poller (tentacle-facts 1.6)."""

NEXT = b"NEXT\r\n"
PROCEED = b"PROCEED\r\n"


def authority(host: str, port: int) -> str:
    """`host:port` as a URI writes it: an IPv6 address in brackets, without its zone."""
    name = host.partition("%")[0]
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def page_request(host: str, port: int, *, payload_bytes: int = 0) -> bytes:
    """The one whole `GET /` that asks for the page.

    Halibut reads up to the blank line and parses nothing (tentacle-facts 1.4); `Connection: close` is for the foreign
    web server that may sit on the port. `payload_bytes` puts one line of `A`s before the blank line, as TentaclePing
    does; only a pong takes more than 20,000 of them (tentacle-facts 1.11).
    """
    payload = b"A" * payload_bytes + b"\r\n" if payload_bytes else b""
    name = authority(host, port).encode("ascii", "backslashreplace")
    return b"GET / HTTP/1.1\r\nHost: " + name + b"\r\nConnection: close\r\n" + payload + b"\r\n"
