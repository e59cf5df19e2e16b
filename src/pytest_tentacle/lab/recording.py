"""Where there is no PowerShell: a lab machine's recorded answer, with today's addresses and a live look at its links.

A recording is the document that windows.ps1 printed in the real engine on this very machine, with everything that is
new at each start replaced by marks (`substitutes`). Probes are not recorded but made again, by our Python client, and
so are the ways to whom the request names.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from pytest_tentacle.link import By, PingOrder, PingSeries, Probe, Target, TlsVersions, probe_all, try_versions
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.link.pings.ping import ping_series
from pytest_tentacle.survey.framing import frame
from pytest_tentacle.survey.scripts.windows import BY_CMDLETS, COMMAND, request_of

from .blueprint import Blueprint
from .winrm.runner import SaidCommand


class RecordedRunner:
    """Runs nothing: answers the survey's command from the machine's recording."""

    def __init__(self, blueprint: Blueprint, substitutes: dict[str, str]) -> None:
        self._blueprint = blueprint
        self._substitutes = substitutes

    def start(self, command: str) -> Any:
        """The answer to a survey; any other command is not there."""
        if command not in (COMMAND, BY_CMDLETS):
            return SaidCommand(b"", b"This lab machine answers from a recording and runs nothing else.\r\n", 1)
        return _RecordedCommand(self._blueprint, self._substitutes, by_cmdlets=command == BY_CMDLETS)


class _RecordedCommand(SaidCommand):
    def __init__(self, blueprint: Blueprint, substitutes: dict[str, str], *, by_cmdlets: bool) -> None:
        super().__init__(b"", b"", 0)
        self._by_cmdlets = by_cmdlets
        self._blueprint = blueprint
        self._substitutes = substitutes
        self._stdin = b""
        self._done = threading.Event()

    def write(self, data: bytes) -> None:
        """Take the script, which is not run, and the request."""
        self._stdin += data

    def close_stdin(self) -> None:
        """Now the answer can be made."""
        self._output = (self._answer(), b"")
        self._done.set()

    def read(self, limit: int, seconds: float) -> tuple[bytes, bytes]:
        """The answer, once stdin has ended."""
        return super().read(limit, seconds) if self._done.wait(seconds) else (b"", b"")

    def poll(self) -> int | None:
        """The exit code, once the answer was read."""
        return super().poll() if self._done.is_set() else None

    def _answer(self) -> bytes:
        recorded = load(self._blueprint.name, self._substitutes)
        request = request_of(self._stdin)
        nonce = request["nonce"]
        if self._by_cmdlets:
            return frame(nonce, self._partly(recorded, request)).encode()
        if "said" in recorded:
            return str(recorded["said"]).replace("@nonce@", nonce).encode()
        document = self._gathered(recorded) if request["gather"] else {}
        if request["gather"]:
            document["routes"] = {"data": [*self._routes(request["peers"])]}
        own = recorded["probes"] if request["gather"] else []
        asked = [*own, *request["targets"]]
        probes = probe_all(_targets(asked), workers=16, seconds=request["probe_seconds"], resolve=self._resolve)
        document["probes"] = _answers(asked, probes)
        polled = [target for target in own if target["by"] != By.LOCAL]
        if request.get("tls_versions"):
            links = _links(request["tls_versions"]["targets"], polled)
            tried = try_versions(_targets(links), seconds=request["probe_seconds"], resolve=self._resolve)
            document["tls_versions"] = _answers(links, tried)
        if request.get("ping"):
            document["pings"] = self._pings(request, polled)
        return frame(nonce, document).encode()

    def _partly(self, recorded: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        """What cmdlets alone tell, of a machine in constrained language mode: no link was looked at."""
        document = dict(recorded.get("by_cmdlets", {})) if request["gather"] else {}
        if "host" in document:
            document["host"]["data"]["clock_utc"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        why = "constrained language mode: only whether a connection comes about was tried"
        return document | {"probes": [{**target, "unavailable": why} for target in request["targets"]]}

    def _pings(self, request: dict[str, Any], polled: list[dict[str, Any]]) -> list[dict[str, Any]]:
        order, seconds = request["ping"], request["probe_seconds"]
        ping = PingOrder(count=order["count"], seconds=order["seconds"], payload_bytes=order["payload_bytes"])
        links = _links(order["targets"], polled)
        with ThreadPoolExecutor(16) as pool:
            made = [
                pool.submit(ping_series, target, ping, seconds=seconds, resolve=self._resolve)
                for target in _targets(links)
            ]
        return _answers(links, [each.result() for each in made])

    def _gathered(self, recorded: dict[str, Any]) -> dict[str, Any]:
        document = {key: value for key, value in recorded.items() if key != "probes"}
        for instance in document["instances"].get("data") or []:
            configuration = instance["configuration"]
            if "plain" in configuration:
                configuration["text"] = base64.b64encode(configuration.pop("plain").encode("utf-8-sig")).decode()
        document["host"]["data"]["clock_utc"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return document

    def _routes(self, peers: list[str]) -> Iterator[dict[str, str]]:
        """As windows.ps1 tells them of the stand-ins: all of them on the machine's own network."""
        for peer in peers:
            literal = plain_address(peer)
            found = [literal] if literal else self._blueprint.names.get(peer)
            for address in found if isinstance(found, list) else ():
                yield {"peer": peer, "address": address, "device": "Ethernet0", "source": self._blueprint.addresses[0]}

    def _resolve(self, host: str, _port: int, _seconds: float) -> tuple[str, ...]:
        found = [self._blueprint.address] if host == "localhost" else self._blueprint.names.get(host)
        if isinstance(found, list):
            return tuple(found)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def is_recorded(name: str) -> bool:
    """Whether there is a recording of a machine."""
    return (files(__package__) / "recordings" / f"{name}.json").is_file()


def _links(asked: list[dict[str, Any]], polled: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The request's links, then those of the machine's own settings, each host and port once."""
    return list({(target["host"], target["port"]): target for target in reversed([*asked, *polled])}.values())[::-1]


def _targets(asked: list[dict[str, Any]]) -> list[Target]:
    return [Target(host=target["host"], port=target["port"], by=target["by"]) for target in asked]


def _answers(asked: list[dict[str, Any]], looks: Sequence[Probe | PingSeries | TlsVersions]) -> list[dict[str, Any]]:
    """What came of each, with the link as it was asked for, as the scripts echo it."""
    return [{**look.model_dump(mode="json"), "link": target["link"]} for target, look in zip(asked, looks, strict=True)]


def load(name: str, substitutes: dict[str, str]) -> dict[str, Any]:
    """A machine's recording with today's values. Raises FileNotFoundError for a machine that was never recorded."""
    text = (files(__package__) / "recordings" / f"{name}.json").read_text(encoding="utf-8")
    for mark, value in substitutes.items():
        text = text.replace(mark, value)
    document: dict[str, Any] = json.loads(text)
    return document


def dump(document: dict[str, Any], substitutes: dict[str, str]) -> str:
    """A document that windows.ps1 printed, as a recording: marks for what is new at each start, probes as targets."""
    if "probes" in document:
        for instance in document["instances"].get("data") or []:
            configuration = instance["configuration"]
            if configuration.get("text"):
                configuration["plain"] = base64.b64decode(configuration.pop("text")).decode("utf-8-sig")
        document["probes"] = [
            {key: probe[key] for key in ("link", "host", "port", "by")} for probe in document["probes"]
        ]
    text = json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)
    for mark, value in sorted(substitutes.items(), key=lambda pair: -len(pair[1])):
        # An address may be the beginning of another one; a thumbprint may follow an escaped character
        whole = rf"(?<![0-9.]){re.escape(value)}(?![0-9])" if "." in value else re.escape(value)
        text = re.sub(whole, mark, text)
    return text + "\n"
