"""The survey of a Windows machine: one PowerShell script, over stdin, behind a bootstrap that fits on a command line.

The command line of a WinRM shell holds 8,191 characters, so only the bootstrap stands there, with nothing in it but
constants and a nonce of ours; the script and the request follow on stdin, each one line of base64 of gzip. They are
ASCII whatever the code page, and the request's values are data that PowerShell never parses as code.
"""

from __future__ import annotations

import base64
import gzip
import json
import secrets
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pytest_tentacle.link.series import INTERVAL
from pytest_tentacle.survey.request import Call, Request

PARTS = (
    "common", "programs", "waiting", "host", "services", "accounts", "instances", "listeners", "connections", "logs",
    "products", "disks", "proxies", "tls", "firewall", "watchdog", "left_overs", "events", "permissions",
    "reservations", "own_names", "proxy_connects", "publishers", "loading", "targets", "failures", "exchanges",
    "link", "ping", "versions",
)  # fmt: skip
"""The parts beside it, in the order in which they go into the script."""

_MARKER = "# <parts>"


def windows_call(request: Request) -> Call:
    """The command line and stdin that survey a Windows machine by its own Windows PowerShell."""
    nonce = secrets.token_hex(8)
    code = f"$Nonce = '{nonce}'\n{_bootstrap()}"
    encoded = base64.b64encode(code.encode("utf-16-le")).decode()
    command = f"powershell.exe -NoProfile -NonInteractive -EncodedCommand {encoded}"
    return Call(command=command, stdin=_packed_script() + _packed(_request_json(request)), nonce=nonce)


@cache
def script() -> str:
    """The whole script as it is sent: `survey.ps1` with the functions of its parts in the place of its marker line."""
    folder = files(__package__)
    parts = "\n".join(_text(folder / f"{name}.ps1") for name in PARTS)
    return _text(folder / "survey.ps1").replace(_MARKER, parts, 1).rstrip()


@cache
def _bootstrap() -> str:
    """The bootstrap without comments and indentation, which would cost characters of the command line."""
    lines = (line.strip() for line in _text(files(__package__) / "bootstrap.ps1").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


@cache
def _packed_script() -> bytes:
    return _packed(script())


def _packed(text: str) -> bytes:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)) + b"\n"


def _request_json(request: Request) -> str:
    data = {
        "gather": request.gather,
        "targets": [target.model_dump(mode="json") for target in request.targets],
        "ports": list(request.ports),
        "probe_seconds": request.probe_seconds,
        "budget_seconds": request.budget_seconds,
        "identity": request.identity,
        "names": list(request.names),
    }
    if request.ping:
        data["ping"] = {
            "count": request.ping.count,
            "seconds": request.ping.starting_seconds(request.probe_seconds),
            "is_duration": request.ping.seconds is not None,
            "interval": INTERVAL,
            "payload_bytes": request.ping.payload_bytes,
            "targets": [target.model_dump(mode="json") for target in request.ping_targets],
        }
    if request.tls_versions:
        data["tls_versions"] = {"targets": [target.model_dump(mode="json") for target in request.version_targets]}
    return json.dumps(data)


def _text(resource: Traversable) -> str:
    return resource.read_text(encoding="utf-8")
