"""Surveys of stand-in Linux machines of some sections alone: the whole of one is some three hundred processes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib.resources import files

from pytest_tentacle.survey.request import Call

from . import parts

_NOTES = ("services", "instances")
NEEDS = {
    "host": ("system",),
    "services": (),
    "instances": ("services",),
    "listeners": _NOTES,
    "connections": ("listeners",),
    "logs": _NOTES,
    "probes": _NOTES,
    "routes": _NOTES,
    "products": ("services",),
    "disks": _NOTES,
    "proxies": ("services", "system"),
    "tls": ("system",),
    "service_accounts": ("services",),
    "permissions": _NOTES,
    "access_control": (*_NOTES, "system"),
    "left_overs": _NOTES,
    "own_names": ("host",),
    "proxy_connects": _NOTES,
    "changes": ("services",),
    "firewall": _NOTES,
    "loading": ("services",),
}
"""What a section of the script reads of what others noted."""
_RUN_BY = {"listeners": "section_sockets"}
"""The shell function of a section that is not called `section_<name>`."""
_STUBS = {"probes": ("probe_all", ":"), "system": ("read_system", "system= system_code=0")}
"""What stands in for a function that was left out, where that is no section."""
_LEFT_OUT = b'left_out=\'{"unknown":"left out by the test"}\'\n'
_IN_TURN = re.compile(rb"for part in ([\w ]+); do\n(.*?)\n *done\n", re.DOTALL)
"""The sections that the script runs one after the other, and how."""
_MAIN = (files("pytest_tentacle.survey.scripts.linux") / "survey.sh").read_bytes()
"""The last part of the script: what is defined before it is what it calls."""


def cut(call: Call, sections: Iterable[str]) -> Call:
    """The same call, with a script that runs only these sections and what they need; all else it calls left out."""
    wanted = parts.closed(sections, NEEDS)
    unknown = wanted - NEEDS.keys() - {"system"}
    assert not unknown, f"no such sections: {unknown}"
    head, main, rest = call.stdin.partition(_MAIN)
    assert main, "the script does not end with survey.sh any more"
    stubs = []
    for one, (name, body) in _STUBS.items():
        assert f"\n{name}() {{".encode() in head, f"the script has no {name} any more"
        if one not in wanted:
            stubs.append(f"{name}() {{ {body}; }}\n")
    return replace(call, stdin=head + "".join(stubs).encode() + _LEFT_OUT + _main_of(wanted) + rest)


@cache
def _main_of(wanted: frozenset[str]) -> bytes:
    """The last part, in which what is left out costs no process."""
    in_turn = _IN_TURN.search(_MAIN)
    assert in_turn, "the script does not run sections in turn any more"
    names = in_turn[1].decode().split()
    some, others = [one for one in names if one in wanted], [one for one in names if one not in wanted]
    run = in_turn[0].replace(in_turn[1], " ".join(some).encode())
    skip = f'    for part in {" ".join(others)}; do emit "$part" "$left_out"; done\n'.encode()
    main = _MAIN.replace(in_turn[0], run * bool(some) + skip * bool(others))
    for one in NEEDS.keys() - wanted - {*names, "connections", *_STUBS}:
        call = re.compile(rf"\$\(section {_RUN_BY.get(one, f'section_{one}')}\b[^)]*\)".encode())
        assert call.search(main), f"the script does not run {one} any more"
        main = call.sub(b"$left_out", main)
    return main
