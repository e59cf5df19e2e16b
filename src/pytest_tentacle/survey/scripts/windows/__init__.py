"""The survey of a Windows machine: one PowerShell script, in plain text over stdin.

The command line is the same for every machine and says no more than: run what comes on stdin. It holds nothing that a
shell before it would change (cmd.exe, or PowerShell as the default shell of OpenSSH): no `$`, no percent sign. The
script is the same for every machine, too, so that those who watch over them can know it by its SHA-256; only the
request behind its last line differs. It is ASCII whatever the code page, without a single quote, within single quotes:
data that PowerShell never takes for code.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from pytest_tentacle.link import Target
from pytest_tentacle.link.pings.series import INTERVAL
from pytest_tentacle.survey.request import ASKED, Call, Request

PARTS = (
    "common", "aside", "machine/programs", "looks/waiting", "machine/host", "services/services", "services/accounts",
    "services/instances", "network/listeners", "network/connections", "services/logs", "machine/products",
    "machine/disks", "network/proxies", "looks/tls", "network/firewall", "watchdog", "machine/left_overs",
    "services/events", "machine/changes", "services/permissions", "services/private_keys", "network/reservations",
    "network/web_server", "network/routes", "network/own_names", "network/proxy_connects", "machine/publishers",
    "machine/loading", "looks/targets", "looks/failures", "looks/exchanges", "looks/link", "looks/hello", "looks/ping",
    "looks/versions",
)  # fmt: skip
"""The parts beside it, in the order in which they go into the script."""

COMMAND = (
    'powershell.exe -NoProfile -NonInteractive -Command "try{&([ScriptBlock]::Create([Console]::In.ReadToEnd()))}'
    'catch{(Get-Variable -Name _ -ValueOnly).FullyQualifiedErrorId}"'
)
"""The command line: runs what comes on stdin, or says by its identifier, which has no language, why it cannot.

Defenders read it in event 4688; see the manual on what a security team sees.
"""

BY_CMDLETS = "powershell.exe -NoProfile -NonInteractive -Command -"
"""The command line where constrained language mode forbids the other one: it takes commands from stdin, as typed."""

_NOT_BY_CMDLETS = "PowerShell runs in constrained language mode there, and cmdlets alone cannot read it"
_MARKER = "# <parts>"


def windows_call(request: Request) -> Call:
    """The command line and stdin that survey a Windows machine by its own Windows PowerShell."""
    nonce = secrets.token_hex(8)
    stdin = f"{script()} '{_request_text(request, nonce)}'\n"
    return Call(command=COMMAND, stdin=stdin.encode("ascii"), nonce=nonce, gather=request.gather, is_windows=True)


def constrained_call(request: Request) -> Call:
    """The same where PowerShell may run cmdlets only: `constrained.ps1`, which answers in part."""
    nonce = secrets.token_hex(8)
    stdin = f"{constrained_script()} '{_request_text(request, nonce)}'\n\n"
    return Call(
        command=BY_CMDLETS,
        stdin=stdin.encode("ascii"),
        nonce=nonce,
        gather=request.gather,
        is_windows=True,
        silence=_NOT_BY_CMDLETS,
    )


@cache
def constrained_script() -> str:
    """`constrained.ps1` as it is sent: as typed, an empty line would end it."""
    lines = _text(files(__package__) / "constrained.ps1").splitlines()
    return "\n".join(line for line in lines if line.strip())


@cache
def script() -> str:
    """The whole script as it is sent: `survey.ps1` with the functions of its parts instead of its marker line."""
    folder = files(__package__)
    parts = "\n".join(_text(folder / f"{name}.ps1") for name in PARTS)
    return _text(folder / "survey.ps1").replace(_MARKER, parts, 1).rstrip()


def request_of(stdin: bytes) -> dict[str, Any]:
    """The request in what was sent, for those who answer in a machine's place."""
    line = stdin.decode("ascii").rstrip().rsplit("\n", 1)[-1]  # of either script
    request: dict[str, Any] = json.loads(line[line.index("'") + 1 : line.rindex("'")])
    return request


def _request_text(request: Request, nonce: str) -> str:
    data = {
        "nonce": nonce,
        "gather": request.gather,
        "targets": _asked(request.targets),
        "ports": list(request.ports),
        "probe_seconds": request.probe_seconds,
        "budget_seconds": request.budget_seconds,
        "identity": request.identity,
        "names": list(request.names),
        "peers": list(request.peers),
    }
    if request.ping:
        data["ping"] = {
            "count": request.ping.count,
            "seconds": request.ping.starting_seconds(request.probe_seconds),
            "is_duration": request.ping.seconds is not None,
            "interval": INTERVAL,
            "payload_bytes": request.ping.payload_bytes,
            "targets": _asked(request.ping_targets),
        }
    if request.tls_versions:
        data["tls_versions"] = {"targets": _asked(request.version_targets)}
    return json.dumps(data).replace("'", "\\u0027").replace("\x7f", "\\u007f")


def _asked(targets: Iterable[Target]) -> list[dict[str, Any]]:
    """What to look at; the link, which is the target's number, comes back with the answer."""
    return [
        {"link": {ASKED: number}, "host": target.host, "port": target.port, "by": target.by.value}
        for number, target in enumerate(targets)
    ]


def _text(resource: Traversable) -> str:
    return resource.read_text(encoding="utf-8")
