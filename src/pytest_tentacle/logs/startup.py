"""What an agent says of itself when it starts (tentacle-facts 3.3, tentacle-seen 4.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pytest_tentacle.hiding import shorten
from pytest_tentacle.logs.model import PolledServer, Startup

from .lines import RawRecord

_VERSION = re.compile(
    r"\A(?:Octopus Deploy: )?Tentacle version:? (?P<version>\S+)(?: \([^)]*\)| / [^\r\n]*)?"
    r"(?: instance (?P<instance>[^\r\n]+))?"
)
_SERVER_VERSION = re.compile(
    r"\A(?:Octopus Deploy: )?Octopus (?:Deploy )?Server version:? (?P<version>\S+)(?:.* instance (?P<instance>\S+))?"
)
_TRUSTS = re.compile(r"\AAgent will trust Octopus [Ss]ervers with the thumbprint: (?P<thumbprint>.*?)\s*\Z")
_POLLS = re.compile(
    r"\AAgent will poll Octopus [Ss]erver at (?P<address>\S+) for subscription (?P<subscription>\S+) "
    r"expecting thumbprint (?P<thumbprint>\S+)"
)
_CONNECTIONS = re.compile(r"\AStarting (?P<count>\d{1,6}) polling connections")
_LISTENING = re.compile(r"\AAgent listening on: (?P<address>\S+)")
_ENVIRONMENT = re.compile(r"^\s+(?P<key>\w{1,60}): (?P<value>[^\r\n]{0,300})", re.MULTILINE)
_LONGEST = 500
_ENTRIES = 30
"""Trusted servers, polled servers and lines about proxies that are kept, each."""


def startup_of(records: Iterable[RawRecord], first: RawRecord) -> Startup:
    """The start-up that one agent's records tell; `first` is the one that names its command."""
    facts: dict[str, Any] = {}
    trusted: list[str] = []
    polls: list[PolledServer] = []
    proxies: list[str] = []
    for record in records:
        text = record.text
        if text.startswith(("Agent ", "The agent ")):
            _agent_line(text, facts, trusted, polls, proxies)
        elif text.startswith("Environment Information:"):
            facts["environment"] = {found["key"]: found["value"].strip() for found in _ENVIRONMENT.finditer(text)}
        elif text.startswith("CommandLine: "):
            facts["command_line"] = shorten(text.partition(": ")[2], _LONGEST)
        elif found := _VERSION.match(text) or _SERVER_VERSION.match(text):
            facts["version"], facts["instance"] = shorten(found["version"], 100), _stripped(found["instance"])
        elif found := _CONNECTIONS.match(text):
            facts["polling_connections"] = int(found["count"])
    return Startup(
        time=first.time,
        number=first.number,
        pid=first.pid,
        trusted=tuple(trusted[:_ENTRIES]),
        polls=tuple(polls[:_ENTRIES]),
        proxies=tuple(proxies[:_ENTRIES]),
        **facts,
    )


def version_in(text: str) -> str | None:
    """The version that a record names as its program's own; None for any other record."""
    found = _VERSION.match(text) or _SERVER_VERSION.match(text)
    return shorten(found["version"], 100) if found else None


def _agent_line(
    text: str, facts: dict[str, Any], trusted: list[str], polls: list[PolledServer], proxies: list[str]
) -> None:
    if found := _TRUSTS.match(text):
        trusted.append(shorten(found["thumbprint"], _LONGEST))
    elif found := _POLLS.match(text):
        polls.append(PolledServer(**{key: shorten(value, _LONGEST) for key, value in found.groupdict().items()}))
    elif found := _LISTENING.match(text):
        facts["listening"], facts["listens"] = shorten(found["address"], _LONGEST), True
    elif "will not listen on any TCP ports" in text:
        facts["listens"] = False
    elif "is not configured to trust any Octopus" in text:
        facts["trusts_nobody"] = True
    elif "proxy" in text:
        proxies.append(shorten(text, _LONGEST))


def _stripped(text: str | None) -> str | None:
    return shorten(text.strip(), 100) if text else None
