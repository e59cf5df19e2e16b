"""Surveys of stand-in Linux machines of some sections alone: the whole of one is some three hundred processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
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
_RUN_BY = {"listeners": "section_sockets", "probes": "probe_all", "system": "read_system"}
"""The shell functions that are not called `section_<name>`."""
_STUBS = {"probes": ":", "system": "system= system_code=0", "connections": ""}
"""What stands in for a part that was left out, where that is no section; connections are read with the listeners."""
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
    for one in [*NEEDS, "system"]:
        body = _STUBS.get(one, """printf '{"unknown":"left out by the test"}\\n'""")
        if one not in wanted and body:
            name = _RUN_BY.get(one, f"section_{one}")
            assert f"\n{name}() {{".encode() in head, f"the script has no {name} any more"
            stubs.append(f"{name}() {{ {body}; }}\n")
    return replace(call, stdin=head + "".join(stubs).encode() + main + rest)
