"""The survey script for Linux as a call: `survey.sh` and its parts over stdin, behind the request, which is data."""

from __future__ import annotations

import json
import math
import re
import secrets
from collections.abc import Iterable
from functools import cache
from importlib import resources

from pytest_tentacle.link import Target
from pytest_tentacle.link.pings.series import INTERVAL
from pytest_tentacle.survey.request import ASKED, Call, Request

_FIRST, _LAST = "tools.sh", "survey.sh"
"""Between them stand functions, whose order is of no account; the last file runs them."""

_END_OF_SCRIPT = "#SURVEY-END"
# The shell's own `read` takes the request: it never reads a byte too many from a pipe, as `head -c` of busybox does,
# but costs a system call for each, so the script behind it is left to `cat`. A script that did not arrive whole is not
# run. No character in it means anything to bash, dash, fish or csh as a login shell: single quotes around, none inside,
# no exclamation mark, no newline.
_BOOTSTRAP = (
    'n=$(printf "\\n."); n=${n%.}; r=; while IFS= read -r l; do r=$r$l$n; case $l in end) break;; esac; done; '
    f's=$(cat); case $s in *"{_END_OF_SCRIPT}") eval "$s";; '
    '*) printf "%s\\n" "" "-----SURVEY REFUSED ${0#survey-} request-cut-off-----"; exit 3;; esac'
)
COMMAND = f"sh -c '{_BOOTSTRAP}' survey-<nonce>"
"""The command line; the nonce is random hex of ours."""
_UNSAFE = re.compile(r"[%\x00-\x1f\x7f]")


@cache
def script() -> str:
    """The whole script's text."""
    folder = resources.files(__package__)
    topics = sorted((topic for topic in folder.iterdir() if topic.is_dir()), key=lambda topic: topic.name)
    parts = [part for topic in topics for part in sorted(topic.iterdir(), key=lambda part: part.name)]
    between = [part for part in parts if part.name.endswith(".sh")]
    return "".join(part.read_text(encoding="utf-8") for part in (folder / _FIRST, *between, folder / _LAST))


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
        *(("peer", _encoded(peer)) for peer in request.peers),
        *_target_fields("target", request.targets),
        *_ping_fields(request),
        *_version_fields(request),
        ("end",),
    ]
    data = "".join("\t".join(field) + "\n" for field in fields)
    text = f"{data}{script()}{_END_OF_SCRIPT}\n"
    return Call(command=COMMAND.replace("<nonce>", nonce), stdin=text.encode(), nonce=nonce, gather=request.gather)


def _ping_fields(request: Request) -> list[tuple[str, ...]]:
    """`ping`, attempts (0: as many as fit), seconds, milliseconds between, bytes, duration or not; and the targets."""
    order = request.ping
    if order is None:
        return []
    seconds = math.ceil(order.starting_seconds(request.probe_seconds))
    numbers = (
        order.count or 0, seconds, round(INTERVAL * 1000), order.payload_bytes, int(order.seconds is not None),
    )  # fmt: skip
    return [
        ("ping", *map(str, numbers)),
        *_target_fields("pinged", request.ping_targets),
    ]


def _version_fields(request: Request) -> list[tuple[str, ...]]:
    """`tls-versions`, and the targets."""
    if not request.tls_versions:
        return []
    return [("tls-versions", "1"), *_target_fields("tried", request.version_targets)]


def _target_fields(word: str, targets: Iterable[Target]) -> list[tuple[str, ...]]:
    """The word, the target's number as JSON that comes back with the answer, host, port, how the host is named."""
    return [
        (word, json.dumps({ASKED: number}), _encoded(target.host), str(target.port), target.by.value)
        for number, target in enumerate(targets)
    ]


def _encoded(value: str) -> str:
    """The value without tabs, line ends and other control characters; an empty one stays visible to `read`."""
    return _UNSAFE.sub(lambda match: f"%{ord(match[0]):02X}", value) or "%20"
