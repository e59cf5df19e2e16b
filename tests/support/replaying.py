"""Rebuilds a reported problem from healthy machines and what a case changes, and judges it as a run does.

A case is a folder with `case.yaml` and logs as text. Values are made up; what software wrote is as reported. Its keys:
`source`, `what`, `machine` (whose diagnosis counts), `machines` (that take part), `copies` (a further machine, as a copy
of another with other words), `inventory` and `survey` (a value at a dotted place; `+` appends to a list), `refused` and
`no_tls`, `old_tls`, `silent`, `mute` and `closed` (what every look at a machine's port came to: `silent` without an answer
to TCP, `mute` to TLS, `closed` by the other end in the handshake), `standing` (connections that stand), `logs`, and `expect`.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.result import Run
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.document import CauseReport, Report
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey.store import loads
from support.logs import read_log

HERE = Path(__file__).parent.parent / "cases"
BASE = HERE / "base"
LOG_PATH = {
    ("windows", "tentacle"): "C:\\Octopus\\Logs\\OctopusTentacle.txt",
    ("windows", "server"): "C:\\Octopus\\Logs\\OctopusServer.txt",
    ("linux", "tentacle"): "/etc/octopus/default/Logs/OctopusTentacle.txt",
}
HOME_LOG = {
    "windows": "C:\\Windows\\System32\\config\\systemprofile\\AppData\\Local\\Octopus\\Logs\\OctopusTentacle.txt",
    "linux": "/root/.local/share/Octopus/Logs/OctopusTentacle.txt",
}
TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One report, and what is true of it."""

    folder: Path

    @cached_property
    def document(self) -> dict[str, Any]:
        """Read when it is asked for: each process that collects names all cases, and few of them read any."""
        return dict(YAML(typ="safe").load(self.folder / "case.yaml"))

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def machine(self) -> str:
        return str(self.document["machine"])

    @property
    def expected(self) -> dict[str, Any]:
        return dict(self.document["expect"])


def cases() -> list[Case]:
    """All of them."""
    return [Case(path.parent) for path in sorted(HERE.glob("*/*/case.yaml"))]


def replayed(case: Case) -> Report:
    """The report of a run that had just these surveys."""
    surveys = loads(json.dumps(built(case)).encode(), case.id)
    fleet = fleet_of(surveys)
    results = tuple(
        subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)
    )
    run = Run(surveys, results, surveys.taken_utc, 1.0, {})
    return build_report(run, diagnose(fleet, results).views())


def verdict(case: Case, report: Report) -> tuple[str, str]:
    """RIGHT, PARTLY, SILENT, WRONG or OTHER by the first cause that names the machine; and what was said."""
    truth = case.expected
    causes = [cause for cause in report.causes if case.machine in cause.machines]
    machine = next(each for each in report.machines if each.name == case.machine)
    problems = {problem.code: problem.actual for result in machine.results for problem in result.problems}
    said = "\n".join(
        [
            *(f"{cause.code} ({cause.confidence}) {words_of(cause)}" for cause in causes),
            *(f"{code}: {actual}" for code, actual in problems.items()),
        ]
    )
    if truth.get("healthy"):
        return ("WRONG" if causes or problems else "RIGHT"), said
    first = causes[0] if causes else None
    if first and any(says(first, wanted) for wanted in truth["right"]):
        return "RIGHT", said
    forbidden = set(truth.get("wrong", ()))
    if (first and first.code in forbidden) or forbidden & set(problems):
        return "WRONG", said
    if any(says(cause, wanted) for cause in causes for wanted in truth["right"]):
        return "PARTLY", said
    if set(truth.get("partly", ())) & ({cause.code for cause in causes} | set(problems)):
        return "PARTLY", said
    return ("OTHER" if causes or problems else "SILENT"), said


def words_of(cause: CauseReport) -> str:
    """What a cause tells a person in our own words: not its evidence, which quotes the log."""
    return "\n".join([cause.code, cause.title, cause.sentence, *cause.remedy_windows, *cause.remedy_linux])


def says(cause: CauseReport, wanted: dict[str, Any]) -> bool:
    """Whether a cause has the code and every one of the words that are asked for, and none that must not be there."""
    text = words_of(cause)
    code = wanted.get("cause")
    return (
        (code is None or cause.code == code)
        and all(re.search(word, text, re.IGNORECASE | re.DOTALL) for word in wanted.get("says", ()))
        and not any(re.search(word, text, re.IGNORECASE | re.DOTALL) for word in wanted.get("never", ()))
    )


def built(case: Case) -> dict[str, Any]:
    """The survey file of a case, as JSON has it."""
    document = json.loads((BASE / "base.json").read_text(encoding="utf-8"))
    given = case.document
    records = {record["machines"][0]: record for record in document["records"]}
    machines = {m["name"]: m for m in (*document["inventory"]["servers"], *document["inventory"]["tentacles"])}
    for new in given.get("copies", ()):
        _copy(document, new, machines, records)
    wanted = set(given["machines"])
    for side in ("servers", "tentacles"):
        document["inventory"][side] = [m for m in document["inventory"][side] if m["name"] in wanted]
    document["records"] = [record for record in document["records"] if wanted & set(record["machines"])]
    document["selected"] = [name for name in document["selected"] if name in wanted]
    document["controller_probes"] = {k: v for k, v in document["controller_probes"].items() if k in wanted}
    for record in document["records"]:
        record["peer_probes"] = [p for p in record.get("peer_probes", ()) if p["link"]["tentacle"] in wanted]
    for side, where in (("inventory", machines), ("survey", records)):
        for change in given.get(side, ()):
            put(where[change["machine"]], change["at"], change["value"])
    _stand(given.get("standing", ()), records)
    for looks, change in LOOKS.items():
        for name in given.get(looks, ()):
            _on_each_look(document, machines[name], change)
    for name in wanted:
        record = records[name]
        if record.get("survey") is not None:
            record["survey"]["logs"] = {"data": _logs_of(case, name, record, machines[name]["role"])}
    return dict(document)


def put(document: Any, at: str, value: Any) -> None:
    """Put a value at a dotted place; a tab stands for a point within a name."""
    *way, last = (part.replace("\t", ".") for part in at.split("."))
    for step in way:
        document = document[int(step)] if isinstance(document, list) else document.setdefault(step, {})
    if isinstance(document, list):
        if last == "+":
            document.append(copy.deepcopy(value))
        else:
            document[int(last)] = copy.deepcopy(value)
    else:
        document[last] = copy.deepcopy(value)


def _copy(document: dict[str, Any], new: dict[str, Any], machines: dict[str, Any], records: dict[str, Any]) -> None:
    text = json.dumps([machines[new["of"]], records[new["of"]], document["controller_probes"].get(new["of"], [])])
    for old, fresh in new["replace"].items():
        text = text.replace(old, fresh)
    machine, record, probes = json.loads(text)
    document["inventory"]["servers" if machine["role"] == "server" else "tentacles"].append(machine)
    document["records"].append(record)
    document["controller_probes"][machine["name"]] = probes
    document["selected"].append(machine["name"])
    machines[machine["name"]], records[machine["name"]] = machine, record


def _stand(standing: list[dict[str, Any]], records: dict[str, Any]) -> None:
    for many in standing:
        records[many["machine"]]["survey"]["connections"] = {"data": _standing(many, records[many["machine"]])}


def _standing(many: dict[str, Any], record: dict[str, Any]) -> list[dict[str, Any]]:
    """So many connections of a peer to a port of the machine; with `outgoing`, of the machine to the peer's port."""
    host = record["survey"]["host"]["data"]["addresses"][0]
    found = []
    for number in range(many["count"]):
        ports = (20_000 + number, many["port"]) if many.get("outgoing") else (many["port"], 20_000 + number)
        found.append(
            {
                "local_address": host,
                "local_port": ports[0],
                "remote_address": many["peer"],
                "remote_port": ports[1],
                "state": many.get("state", "established"),
                "pid": many.get("pid", 2136),
            }
        )
    return found


def _logs_of(case: Case, name: str, record: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """A machine's logs: the case's, and the base's own one where the case has none of the instance."""
    system = record["survey"]["host"]["data"]["os"]
    product = "server" if role == "server" else "tentacle"
    entries = [entry for entry in case.document.get("logs", ()) if entry["machine"] == name]
    if all("account" in entry for entry in entries):
        copied = next((new["of"] for new in case.document.get("copies", ()) if new["name"] == name), name)
        entries = [{"base": copied}, *entries]
    found = []
    for entry in entries:
        file = BASE / f"{entry['base']}.log" if "base" in entry else case.folder / entry["file"]
        data = file.read_bytes()
        more: dict[str, Any] = {"size": len(data), "modified_utc": _written(data)}
        instance = entry.get("instance", "OctopusServer" if product == "server" else "Tentacle")
        path = LOG_PATH[system, product]
        if "account" in entry:
            instance, path, more = "", HOME_LOG[system], {**more, "account": entry["account"]}
        log = read_log(data, product=product, instance=instance, path=path, **more)
        found.append(log.model_dump(mode="json", exclude_none=True))
    return found


def _on_each_look(document: dict[str, Any], machine: dict[str, Any], change: Callable[..., None]) -> None:
    """Change every look at a machine's port, whoever looked."""
    names = {machine.get("ip"), machine.get("dns_name")}
    for record in document["records"]:
        own = machine["name"] in record["machines"]
        if own and change is _without_answer:  # What drops packets stands before the machine.
            continue
        for probe in (*((record.get("survey") or {}).get("probes", ())), *record.get("peer_probes", ())):
            if probe["host"] in names or (own and probe["by"] == "local"):
                change(probe, machine)
    for probes in document["controller_probes"].values():
        for probe in probes:
            if probe["host"] in names:
                change(probe, machine)


def _refused(probe: dict[str, Any], machine: dict[str, Any]) -> None:
    for part in ("tls", "page"):
        probe.pop(part, None)
    probe["connect"] = {"ms": 1.0, "address": machine["ip"], "error": "refused", "detail": "Connection refused"}


def _without_tls(probe: dict[str, Any], _machine: dict[str, Any]) -> None:
    probe.pop("page", None)
    probe["tls"] = {"ms": 3.0, "error": "not-tls", "detail": "wrong version number"}


def _with_old_tls(probe: dict[str, Any], _machine: dict[str, Any]) -> None:
    probe.pop("page", None)
    probe["tls"] = {"ms": 3.0, "error": "protocol-version", "detail": "tlsv1 alert protocol version"}


def _without_answer(probe: dict[str, Any], machine: dict[str, Any]) -> None:
    for part in ("tls", "page"):
        probe.pop(part, None)
    probe["connect"] = {"ms": 5000.0, "address": machine["ip"], "error": "timed-out", "detail": "timed out"}


def _mute(probe: dict[str, Any], _machine: dict[str, Any]) -> None:
    probe.pop("page", None)
    probe["tls"] = {"ms": 5000.0, "error": "timed-out", "detail": "timed out"}


def _closed(probe: dict[str, Any], _machine: dict[str, Any]) -> None:
    probe.pop("page", None)
    probe["tls"] = {"ms": 3.0, "error": "closed", "detail": "EOF"}


LOOKS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], None]]] = {
    "refused": _refused,
    "no_tls": _without_tls,
    "old_tls": _with_old_tls,
    "silent": _without_answer,
    "mute": _mute,
    "closed": _closed,
}


def _written(data: bytes) -> datetime:
    """When a log was last written: its last line; these machines' zone is UTC."""
    times = TIME.findall(data.decode("utf-8", "replace"))
    return datetime.fromisoformat(times[-1]).replace(tzinfo=UTC)
