"""The survey script for Linux as a call: `linux.sh` and its parts over stdin, the request behind them as data."""

from __future__ import annotations

import math
import re
import secrets
from functools import cache
from importlib import resources

from .request import Call, Request

PARTS = (
    "linux_tools.sh",
    "linux_sections.sh",
    "linux_listeners.sh",
    "linux_surroundings.sh",
    "linux_policy.sh",
    "linux_firewall.sh",
    "linux_probes.sh",
    "linux.sh",
)
"""In this order they are one script: functions first, `linux.sh` runs them."""

_END_OF_SCRIPT = "#SURVEY-DATA"
# Reads the script line by line with the shell's own `read`, which never takes a byte too many from a pipe (`head -c` of
# busybox does), and leaves the rest of stdin to the script. No character in it means anything to bash, dash, fish or
# csh as a login shell: single quotes around, none inside, no exclamation mark, no newline.
_BOOTSTRAP = (
    f'n=$(printf "\\n."); n=${{n%.}}; s=; while IFS= read -r l; do case $l in "{_END_OF_SCRIPT}") break;; esac; '
    's=$s$l$n; done; eval "$s"'
)
_UNSAFE = re.compile(r"[%\x00-\x1f\x7f]")


@cache
def script() -> str:
    """The whole script's text."""
    folder = resources.files(__package__)
    return "".join((folder / part).read_text(encoding="utf-8") for part in PARTS)


def linux_call(request: Request) -> Call:
    """The call that surveys a Linux machine.

    The command is constant but for the nonce, which is random hex of ours. Values of the request travel on stdin as
    data: tab-separated fields in which `%` and control characters are percent-encoded.
    """
    nonce = secrets.token_hex(8)
    fields = [
        ("nonce", nonce),
        ("gather", str(int(request.gather))),
        ("budget", str(max(1, math.floor(request.budget_seconds)))),
        ("probe-seconds", str(max(1, math.ceil(request.probe_seconds)))),
        ("identity", str(int(request.identity))),
        *(("port", str(port)) for port in request.ports),
        *(("name", _encoded(name)) for name in request.names),
        *(
            ("target", _encoded(target.id), _encoded(target.host), str(target.port), target.by.value)
            for target in request.targets
        ),
        ("end",),
    ]
    data = "".join("\t".join(field) + "\n" for field in fields)
    text = f"{script()}{_END_OF_SCRIPT}\n{data}"
    return Call(command=f"sh -c '{_BOOTSTRAP}' survey-{nonce}", stdin=text.encode(), nonce=nonce)


def _encoded(value: str) -> str:
    """The value without tabs, line ends and other control characters; an empty one stays visible to `read`."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", value) or "%20"
