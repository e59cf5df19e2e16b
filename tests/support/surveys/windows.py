"""Surveys of stand-in Windows machines of some sections alone: most of a survey's time goes into the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from pytest_tentacle.survey.request import Call

from . import parts

NEEDS: dict[str, tuple[str, ...]] = {
    "host": (),
    "services": (),
    "instances": ("services",),
    "logs": ("instances",),
    "listeners": ("instances",),
    "connections": ("instances",),
    "products": ("services",),
    "proxies": ("services",),
    "probes": ("instances",),
    "reservations": ("instances",),
    "routes": (),
    "own_names": ("host",),
    "proxy_connects": ("instances",),
    "firewall": ("instances",),
    "tls": (),
    "watchdog": (),
    "left_overs": ("instances", "watchdog"),
    "disks": ("instances",),
    "events": ("services",),
    "changes": ("instances",),
    "service_accounts": ("services",),
    "permissions": ("instances",),
    "private_keys": ("instances",),
    "loading": ("services",),
}
"""What a section of the script reads of what others noted."""

FRONT = f". '{Path(__file__).with_name('parts.ps1')}'"
"""What stands before each survey of the tests, whole or not: one text, so that what was compiled of the script is found again."""


def cut(call: Call, sections: Iterable[str]) -> tuple[Call, dict[str, str]]:
    """The same call as one that leaves out all but these sections and what they need, and the environment that says so."""
    wanted = parts.closed(sections, NEEDS)
    unknown = wanted - NEEDS.keys()
    assert wanted, "a survey of nothing is none"
    assert not unknown, f"no such sections: {unknown}"
    return replace(call, silence="left out by the test"), {"TESTED_SECTIONS": ",".join(sorted(wanted))}
