"""Windows without an engine: the lab's WinRM servers answer both contestants at once, with what the engine once said.

`canned.json` holds, for each role, the output of each fact's command (see `record.py`), with marks for what is new at
each start; a survey is answered with the lab's own recording of a healthy machine of that role. Probes are answered
with what our Python client saw when the lab began.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from facts import facts_about
from plan import SERVER, role

from pytest_tentacle.inventory.model import Inventory, OctopusServer, Tentacle
from pytest_tentacle.lab import recording
from pytest_tentacle.lab.site import Lab
from pytest_tentacle.lab.winrm.runner import SaidCommand
from pytest_tentacle.link import Probe, Target, probe_all
from pytest_tentacle.survey.framing import frame
from pytest_tentacle.survey.scripts.windows import COMMAND, request_of

ANSWERS = Path(__file__).with_name("canned.json")

RECORDINGS = {"server": "octo-1", "listening": "web-01", "polling": "poll-01"}
"""The lab's recordings of healthy machines, by role."""


class Answers:
    """What all machines of one lab answer."""

    def __init__(self, inventory: Inventory, lab: Lab) -> None:
        recorded = json.loads(ANSWERS.read_text(encoding="utf-8"))
        self._commands: dict[tuple[str, str], bytes] = {}
        self._documents: dict[str, dict[str, Any]] = {}
        self._own = {machine.name: machine.ip or "" for machine in inventory.machines}
        self._probes = _look_at_all(inventory, lab)
        for machine in inventory.machines:
            marks = marks_of(inventory, machine.name)
            self._documents[machine.name] = _document(inventory, machine)
            for fact in facts_about(inventory, machine):
                if fact.purpose in recorded[role(machine)]:
                    output = _filled(recorded[role(machine)][fact.purpose], marks).encode()
                    self._commands[fact.host, fact.command] = output

    def command(self, machine: str, line: str) -> bytes:
        """A fact's output. Raises KeyError where it was not foreseen."""
        return self._commands[machine, line]

    def survey(self, machine: str, request: dict[str, Any], nonce: str) -> bytes:
        """A survey's output, framed as windows.ps1 prints it."""
        recorded = self._documents[machine]
        if request["gather"]:
            clock = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            host = {**recorded["host"], "data": {**recorded["host"]["data"], "clock_utc": clock}}
            document, targets = {**recorded, "host": host}, [*recorded["probes"], *request["targets"]]
        else:
            document, targets = {}, request["targets"]
        document["probes"] = [self._probe(machine, target) for target in targets]
        return frame(nonce, document).encode()

    def _probe(self, machine: str, target: dict[str, Any]) -> dict[str, Any]:
        host = self._own[machine] if target["host"] == "localhost" else target["host"]
        return {**self._probes[host, target["port"]].model_dump(mode="json"), **target}


class CannedRunner:
    """One machine's commands."""

    def __init__(self, machine: str, answers: Callable[[], Answers]) -> None:
        self._machine = machine
        self._answers = answers

    def start(self, command: str) -> Any:
        """The answer to a survey or to one of the facts' commands; whatever else is a mistake of the benchmark's."""
        if command == COMMAND:
            return _Survey(self._machine, self._answers())
        try:
            return SaidCommand(self._answers().command(self._machine, command), b"", 0)
        except KeyError:
            return SaidCommand(b"", f"no canned answer to: {command}\r\n".encode(), 1)


class _Survey(SaidCommand):
    def __init__(self, machine: str, answers: Answers) -> None:
        super().__init__(b"", b"", 0)
        self._parts = (machine, answers)
        self._stdin = b""
        self._asked = threading.Event()

    def write(self, data: bytes) -> None:
        self._stdin += data

    def close_stdin(self) -> None:
        machine, answers = self._parts
        request = request_of(self._stdin)
        self._output = (answers.survey(machine, request, request["nonce"]), b"")
        self._asked.set()

    def read(self, limit: int, seconds: float) -> tuple[bytes, bytes]:
        return super().read(limit, seconds) if self._asked.wait(seconds) else (b"", b"")

    def poll(self) -> int | None:
        return super().poll() if self._asked.is_set() else None


def marks_of(inventory: Inventory, name: str) -> dict[str, str]:
    """What is new at each start, by its mark, as one machine's answers hold it."""
    marks = {}
    for who, machine in (("own", inventory.find(name)), ("server", inventory.find(SERVER))):
        marks[f"@{who}-address@"] = machine.ip or ""
        marks[f"@{who}-thumbprint@"] = machine.thumbprint or ""
        marks[f"@{who}-dns-name@"] = machine.dns_name or ""
        marks[f"@{who}-host-name@"] = machine.name[:15].upper()
        marks[f"@{who}-name@"] = machine.name
    return marks


def _filled(text: str, marks: dict[str, str]) -> str:
    for mark, value in marks.items():
        text = text.replace(mark, value)
    return text


def _document(inventory: Inventory, machine: OctopusServer | Tentacle) -> dict[str, Any]:
    like = RECORDINGS[role(machine)]
    substitutes = {}
    for name, stands_for in ((like, machine), (RECORDINGS["server"], inventory.find(SERVER))):
        substitutes[f"@address:{name}@"] = stands_for.ip or ""
        substitutes[f"@thumbprint:{name}@"] = stands_for.thumbprint or ""
    document = recording.load(like, substitutes)
    for instance in document["instances"]["data"]:
        configuration = instance["configuration"]
        configuration["text"] = base64.b64encode(configuration.pop("plain").encode("utf-8-sig")).decode()
    return document


def _look_at_all(inventory: Inventory, lab: Lab) -> dict[tuple[str, int], Probe]:
    """One look at every port under both names."""
    targets = []
    for machine in inventory.machines:
        ports = machine.polling_ports if machine.role == "server" else (machine.port,)
        for port in ports:
            for host, by in ((machine.dns_name, "name"), (machine.ip, "address")):
                if port:
                    targets.append(Target(host=host, port=port, by=by))
    probes = probe_all(targets, workers=8, seconds=10, resolve=lab.resolve)
    return {(probe.host, probe.port): probe for probe in probes}
