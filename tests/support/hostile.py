"""Machines that answer whatever a test wants, beside machines that are well: without a network, and with all the rest.

As a plugin of a pytest run (`-p support.hostile`, `HOSTILE_ANSWERS` naming a folder), each host answers what the file
`<host>.answer` holds, after the seconds in `<host>.seconds` where that is there. Marks are those of `NONCE`.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.inventory.model import SSH, Inventory
from pytest_tentacle.judging.result import Run, StepResult
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.console import report_lines
from pytest_tentacle.report.json_report import report_pieces
from pytest_tentacle.report.markdown import report_markdown
from pytest_tentacle.report.page import render_page
from pytest_tentacle.report.redaction.names import learn_surveys
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey import collector, host, store
from pytest_tentacle.survey.collector import Plan, collect
from pytest_tentacle.survey.request import ASKED, Call
from pytest_tentacle.survey.store import Surveys
from pytest_tentacle.transport.base import Answer, Deadline, Transport, TransportError
from support.fleets.certificates import printed
from support.fleets.world import World, small_fleet

NONCE = "c0ffee"
FOLDER = "HOSTILE_ANSWERS"


def framed(document: Mapping[str, Any] | str, *, packed: bool = False, spelled: tuple[str, str] | None = None) -> bytes:
    """A document as a script prints it, part by part.

    Args:
        document: what each part holds; a text is the payload of one part alone, as it stands.
        packed: each payload as base64 of gzip.
        spelled: letters of the payloads, and what stands in their place.
    """
    parts = (
        {"services": document}
        if isinstance(document, str)
        else {name: json.dumps(part) for name, part in document.items()}
    )
    lines = []
    for name, text in parts.items():
        payload = text.replace(*spelled) if spelled else text
        if packed:
            payload = base64.b64encode(gzip.compress(payload.encode(), mtime=0)).decode()
        head = f"-----SURVEY {NONCE} BEGIN {name} {'gzip' if packed else 'json'} {len(payload)}-----"
        lines += [head, payload, f"-----SURVEY {NONCE} END {name}-----"]
    return "\n".join([*lines, f"-----SURVEY {NONCE} DONE-----", ""]).encode()


def healthy_documents(world: World | None = None) -> dict[str, dict[str, Any]]:
    """What the machines of the small fleet say when they are well, by their names, as their scripts would print it."""
    surveys = (world or small_fleet()).surveys()
    return {
        record.machines[0]: as_printed(record.survey.model_dump(mode="json", exclude={"noise"}))
        for record in surveys.records
        if record.survey is not None
    }


def as_printed(document: dict[str, Any]) -> dict[str, Any]:
    """A survey as a script prints it: looks with a number, or an instance of its own; certificates as base64."""
    asked = 0
    for probe in document["probes"]:
        link = probe["link"]
        if link["instance"] is not None:
            probe["link"] = {"vantage": link["vantage"], "instance": link["instance"]}
        else:
            probe["link"] = {ASKED: asked}
            asked += 1
        if probe["tls"] and probe["tls"]["certificate"]:
            probe["tls"]["certificate"] = printed(probe["tls"]["certificate"]["thumbprint"])
    return document


def inventory(world: World | None = None) -> Inventory:
    """The small fleet's inventory, each machine logged on to by SSH under its own name."""
    machines = [draft.machine for draft in (world or small_fleet()).drafts.values()]
    ours = [machine.model_copy(update={"transport": SSH(host=machine.name, user="surveyor")}) for machine in machines]
    return Inventory(
        servers=tuple(machine for machine in ours if machine.role == "server"),
        tentacles=tuple(machine for machine in ours if machine.role == "tentacle"),
    )


class CannedTransport(Transport):
    """A session in which every command gives one answer."""

    def __init__(self, answer: bytes | TransportError, seconds: float = 0.0) -> None:
        self._answer = answer
        self._seconds = seconds
        self._closed = threading.Event()

    def connect(self, deadline: Deadline) -> None:
        """At once."""

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 0) -> Answer:
        """The answer, whole, whatever is asked."""
        self.requests += 1
        end = time.monotonic() + self._seconds
        while time.monotonic() < end and not self._closed.wait(0.05):
            if deadline.expired():
                raise TransportError("time-out", "it did not answer in time", "Run again.")
        if isinstance(self._answer, TransportError):
            raise self._answer
        if max_output and len(self._answer) > max_output:
            raise TransportError("run", f"the command printed more than {max_output:,} bytes", "See what floods it.")
        return Answer(self._answer, b"", 0)

    def detect_os(self) -> str:
        """Nobody looks: the scripts are canned, too."""
        return "linux"

    def close(self) -> None:
        """Ends what waits."""
        self._closed.set()


def install(patch: Callable[[Any, str, Any], None], transport_of: Callable[[str], Transport]) -> None:
    """From now on each host's session is what `transport_of(host)` gives, and nobody looks at a port from here."""
    patch(host, "open_transport", lambda settings: transport_of(settings.host))
    patch(host, "_call", lambda *_: Call("canned", b"", NONCE))
    patch(collector, "controller_targets", lambda *_: ())


class Silence:
    """Nobody is told how far it is."""

    def update(self, what: str, done: int, total: int, waiting: list[tuple[str, float]]) -> None:
        """Nothing."""

    def finish(self, what: str, total: int, seconds: float) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to: everything that the plugin would show or write, made in this process."""

    surveys: Surveys
    results: Mapping[tuple[str, str], StepResult]
    texts: Mapping[str, str]

    def verdicts(self, machine: str) -> dict[str, str]:
        """A machine's steps, each with its outcome."""
        return {step: result.outcome.value for (name, step), result in self.results.items() if name == machine}

    def why(self, machine: str) -> str | None:
        """Why there is no survey of a machine."""
        record = next(record for record in self.surveys.records if machine in record.machines)
        return record.unreachable.summary if record.unreachable else None


def run(patch: Any, answers: Mapping[str, bytes], *, redactor: Any = None, machine_timeout: float = 10.0) -> Outcome:
    """Survey, judge, diagnose and report the small fleet, whose machines answer so."""
    install(patch.setattr, lambda name: CannedTransport(answers[name]))
    declared = inventory()
    surveys = collect(declared, answers, Plan(machine_timeout=machine_timeout), Silence())
    return judged(surveys, redactor)


def judged(surveys: Surveys, redactor: Any = None) -> Outcome:
    """Judge and report what was surveyed; the survey file is read again before."""
    saved = store.dumps(surveys)
    surveys = store.loads(saved.encode(), "saved.json")
    fleet = fleet_of(surveys)
    results = {
        (subject.name, step.slug): subject.result(step.slug)
        for subject in fleet.subjects
        for step in STEPS
        if applicable(step.slug, subject)
    }
    if redactor is not None:
        learn_surveys(redactor, surveys)
    views = list(diagnose(fleet, results.values()).views())
    told = Run(surveys=surveys, results=tuple(results.values()), started=surveys.taken_utc, seconds=1.0, options={})
    built = build_report(told, views, redactor)
    texts = {
        "surveys.json": saved,
        "report.json": "".join(report_pieces(built)),
        "report.md": report_markdown(built),
        "report.html": render_page(built),
        "console": "\n".join(line for line, _ in report_lines(built, "full")),
    }
    fleet.forget()
    for text in texts.values():
        text.encode()
    return Outcome(surveys, results, texts)


def pytest_configure() -> None:
    """As a plugin: the answers of a folder."""
    folder = Path(os.environ[FOLDER])

    def transport_of(name: str) -> Transport:
        seconds = folder / f"{name}.seconds"
        return CannedTransport(
            (folder / f"{name}.answer").read_bytes(), float(seconds.read_text()) if seconds.exists() else 0.0
        )

    install(setattr, transport_of)
