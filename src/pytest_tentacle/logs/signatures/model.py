"""What a signature is: a text that Tentacle, Octopus Server or Halibut writes into a log, and what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

Writer = Literal["tentacle", "server", "either"]
"""Whose log it stands in."""

Role = Literal["client", "listener", "either", "host"]
"""Which end of a link writes it; `host`: it has nothing to do with a link."""


class Level(IntEnum):
    """Levels of a log, in the order of their weight."""

    TRACE = 0
    DEBUG = 1
    INFO = 2
    WARN = 3
    ERROR = 4
    FATAL = 5


class Phase(IntEnum):
    """How far a link, or a process, had come. What proves a later phase has refuted the earlier ones."""

    HOST = 0
    """Of the host, not of a link: rights, disk, noise."""
    START = 1
    """While the process starts."""
    REACH = 2
    """Name, route, connection: the way to the other end, or to the proxy."""
    SECURE = 3
    """The TLS handshake, and whether the listener's certificate is the expected one."""
    TRUST = 4
    """Whether the listener trusts the client's certificate; decided after the handshake (tentacle-facts 1.3)."""
    TALK = 5
    """Halibut's own words, and requests."""


@dataclass(frozen=True)
class Signature:
    """One text of a log.

    Attributes:
        id: a slug, unique.
        pattern: case does not matter; `.` also matches line ends, since the cause often stands lines below the heading.
            Its named groups are facts: `thumbprint`, `expected`, `actual`, `subject`, `peer` (address:port of the other
            end of a connection), `url`, `host`, `port`, `subscription`, `seconds`, `path`, `status`, `word`.
        keys: lower-case literals; a text that holds none of them cannot match. They make the search cheap.
        writer: whose log it stands in.
        role: which end of the link writes it.
        level: the lowest level at which it is written; a text of a lower level is something else.
        phase: how far things had come.
        meaning: what it says, in one or two sentences.
        advice: what to do.
        code: the problem that it leads to; None for a note: harmless by itself, or of nobody's concern here.
        by_call: a call of the command line writes it, and it tells of the machine. What other calls say tells of who
            made them.
    """

    id: str
    pattern: re.Pattern[str]
    keys: tuple[str, ...]
    writer: Writer
    role: Role
    level: Level
    phase: Phase
    meaning: str
    advice: str
    code: str | None
    by_call: bool = False


PEER = r"(?P<peer>(?:\[[0-9a-f:.%]+\]|[\w.\-]+):\d+)"
"""Address and port of the other end, as Halibut writes it."""

FIRST_LINE = r"\A[^\n]{0,300}?"
"""Before a heading: it stands in a record's first line. What is looked for below it is looked for once that way."""

HANDLING = r"Unhandled error when (?:handling|processing) request from client"
"""A listener's heading: Octopus 3 and later says handling, Octopus 2 processing, and names no client."""

OWN_SUBJECT = "CN=Octopus (?:Tentacle|Portal|Server)"
"""The subjects of the certificates that Tentacle and Octopus Server make (tentacle-history 7); nothing around them."""

CONNECTS = (
    r"(?:Socket communication error|executing transaction|Connection initialization failed|sending a request to|"
    r"Halibut client exception)"
)
"""Headings of who connects: a port that is in use there is none that it would listen on."""

URL = r"(?P<url>(?:https?|wss?)://[^\s'\"]+)"


def compiled(pattern: str) -> re.Pattern[str]:
    """A signature's pattern."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)
