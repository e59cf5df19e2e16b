"""How fast a fleet is surveyed and judged, beside testinfra's own backends asking the same facts command by command.

    python benchmarks/fleet.py --machines 40 --kind both --repeat 3

The lab runs in a process of its own, and each contestant in a fresh one: `ours` is `survey.collector.collect` and the
verdicts of all applicable steps, `testinfra` is one command for each fact through `testinfra.get_host`, by
`winrm://...` or `paramiko://...`, without any verdict. Both have the same number of worker threads. Nothing leaves the
loopback; the lab needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from facts import facts_about

from pytest_tentacle.inventory.model import Inventory, NoTransport
from pytest_tentacle.lab.windows.powershell import find_powershell

HERE = Path(__file__).resolve().parent
KINDS = ("windows", "linux")
CONTESTANTS = ("ours", "testinfra")
PACKAGES = ("pytest-tentacle", "pytest-testinfra", "pywinrm", "paramiko", "requests", "pyspnego", "cryptography")

MEASURES = {
    "machines": ("machines per second (wall, whole system)", "{:.2f}"),
    "cpu": ("client CPU per machine, ms (user + system)", "{:.1f}"),
    "user": ("  of it user", "{:.1f}"),
    "system": ("  of it system", "{:.1f}"),
    "judging": ("  of it verdicts", "{:.1f}"),
    "memory": ("client's peak memory, MiB", "{:.0f}"),
    "memory_before": ("  of it before the work (imports)", "{:.0f}"),
    "lab_cpu": ("lab's CPU per machine, ms (servers and scripts)", "{:.0f}"),
    "windows_requests": ("HTTP requests per Windows machine", "{:.1f}"),
    "windows_connections": ("TCP connections per Windows machine", "{:.1f}"),
    "windows_logins": ("NTLM logins per Windows machine", "{:.1f}"),
    "windows_commands": ("commands started per Windows machine", "{:.1f}"),
    "linux_connections": ("SSH connections (logins) per Linux machine", "{:.1f}"),
    "linux_commands": ("commands started per Linux machine", "{:.1f}"),
}
"""What a row of the table is called, and how its figures are written."""


def main() -> int:
    options = read_options()
    if options.answers == "engine" and options.kind != "linux" and find_powershell() is None:
        sys.exit("--answers engine needs a PowerShell: set PYTEST_TENTACLE_POWERSHELL, or put pwsh on the PATH.")
    if options.list_facts:
        list_facts(options)
        return 0
    runs = measure(options)
    report = {
        "taken_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": {
            "machines": options.machines,
            "kind": options.kind,
            "answers": options.answers,
            "workers": options.workers,
            "repeat": options.repeat,
        },
        "environment": environment(),
        "runs": runs,
        "measures": summarise(runs),
    }
    print("\n".join(table(report)))
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    wrong = sorted({line for run in runs.values() for one in run for line in one["wrong"]})
    for line in wrong[:20]:
        print(f"not as on a healthy machine: {line}", file=sys.stderr)
    return 1 if wrong else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=40, metavar="N", help="how many (default 40)")
    parser.add_argument("--kind", choices=["windows", "linux", "both"], default="both")
    parser.add_argument("--workers", type=int, default=32, metavar="N", help="threads of each contestant (default 32)")
    parser.add_argument("--repeat", type=int, default=3, metavar="K", help="runs; the table has their median and range")
    parser.add_argument(
        "--answers",
        choices=["engine", "canned"],
        help="whether the lab's machines run each command (Windows: in a PowerShell engine), or answer at once with "
        "what it once gave, so that their cost does not hide the clients' (default: engine, unless it is missing)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE too")
    parser.add_argument("--list-facts", action="store_true", help="list testinfra's commands and measure nothing")
    options = parser.parse_args()
    if options.machines < 2:
        parser.error("--machines must be at least 2")
    if options.workers < 1 or options.repeat < 1:
        parser.error("--workers and --repeat must be at least 1")
    if options.answers is None:
        options.answers = "engine" if options.kind == "linux" or find_powershell() else "canned"
    return options


def measure(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """All runs' figures, by contestant; the contestants take turns."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    with LabProcess(options) as lab:
        for number in range(options.repeat):
            for name in CONTESTANTS:
                print(f"run {number + 1} of {options.repeat}: {name}", file=sys.stderr)
                before = lab.counts()
                figures = contest(name, {**lab.description, "workers": options.workers})
                runs[name].append(per_machine(figures, before, lab.counts()))
    return runs


class LabProcess:
    """The lab's process, and what it has counted."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._asked = {"machines": options.machines, "kind": options.kind, "answers": options.answers}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, HERE / "lab_process.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.description = self._ask(self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()  # that ends it
        self._process.wait(timeout=60)

    def counts(self) -> dict[str, dict[str, float]]:
        return self._ask("counts")

    def _ask(self, what: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit("the lab's process has ended")
        described: dict[str, Any] = json.loads(answer)
        return described


def contest(name: str, description: dict[str, Any]) -> dict[str, Any]:
    """One run of one contestant in a fresh process, without the proxies of whoever runs this."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, HERE / "contestant.py", name],
        input=json.dumps(description),
        capture_output=True,
        text=True,
        env=kept,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def per_machine(
    figures: dict[str, Any], before: dict[str, dict[str, float]], after: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Figures as the table has them; what does not apply is left out."""
    hosts = sum(after[kind]["hosts"] for kind in KINDS)
    row = {
        "wall": figures["wall"],
        "machines": hosts / figures["wall"],
        "cpu": (figures["user"] + figures["system"]) * 1000 / hosts,
        "user": figures["user"] * 1000 / hosts,
        "system": figures["system"] * 1000 / hosts,
        "lab_cpu": (after["lab"]["cpu"] - before["lab"]["cpu"]) * 1000 / hosts,
        "memory": figures["memory"],
        "memory_before": figures["memory_before"],
        "got": figures["got"],
        "wrong": figures["wrong"],
        "unknown": figures.get("unknown", []),
    }
    if "judging" in figures:
        row["judging"] = figures["judging"] * 1000 / hosts
    for kind in KINDS:
        for what, count in after[kind].items():
            if after[kind]["hosts"] and what != "hosts":
                row[f"{kind}_{what}"] = (count - before[kind][what]) / after[kind]["hosts"]
    return row


def summarise(runs: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """For each measure, each contestant's median, least and most, and ours : theirs by the medians."""
    summary: dict[str, dict[str, Any]] = {}
    for measure_name in MEASURES:
        found: dict[str, Any] = {}
        for name in CONTESTANTS:
            values = [run[measure_name] for run in runs[name] if measure_name in run]
            if values:
                found[name] = {"median": statistics.median(values), "least": min(values), "most": max(values)}
        if found:
            if len(found) == len(CONTESTANTS) and all(one["median"] for one in found.values()):
                found["ratio"] = found["ours"]["median"] / found["testinfra"]["median"]
            summary[measure_name] = found
    return summary


def table(report: dict[str, Any]) -> list[str]:
    """The report as lines of text."""
    options, about = report["options"], report["environment"]
    answers = {
        "engine": "the machines run every command",
        "canned": "the machines answer at once and run nothing",
    }[options["answers"]]
    what = f"{options['machines']} machines ({options['kind']}), {options['workers']} worker threads each"
    lines = [
        f"{what}, {options['repeat']} runs; {answers}",
        "  ours: survey by one script a host, and every applicable step's verdict",
        "  testinfra: the same facts, one command each, by its own winrm and paramiko backends; no verdicts",
        f"  {about['cores']} cores ({about['processor']}), load {about['load']} at the end; Python {about['python']}; "
        + ", ".join(f"{name} {number}" for name, number in about["packages"].items()),
        "  CPU and memory are the client process's alone; the lab's servers share the cores, so wall is everybody's",
        "",
        f"{'median (least - most)':<48}{'ours':>26}{'testinfra':>26}{'ours : testinfra':>18}",
    ]
    for name, found in report["measures"].items():
        title, form = MEASURES[name]
        cells = [written(found.get(contestant), form) for contestant in CONTESTANTS]
        lines.append(f"{title:<48}{cells[0]:>26}{cells[1]:>26}{ratio(found.get('ratio')):>18}")
    for name in CONTESTANTS:
        got = ", ".join(f"{count} {what}" for what, count in report["runs"][name][-1]["got"].items())
        unknown = ", ".join(report["runs"][name][-1]["unknown"])
        lines.append(f"{name} got: {got}" + (f" (unknown: {unknown})" if unknown else ""))
    return lines


def written(found: dict[str, float] | None, form: str) -> str:
    if found is None:
        return "-"
    median, least, most = (form.format(found[key]) for key in ("median", "least", "most"))
    return median if least == most else f"{median} ({least} - {most})"


def ratio(value: float | None) -> str:
    """Ours to theirs, the smaller as 1."""
    if value is None:
        return ""
    return f"{value:.1f} : 1" if value >= 1 else f"1 : {1 / value:.1f}"


def environment() -> dict[str, Any]:
    """What the figures depend on."""
    processor = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            processor = line.split(":", 1)[1].strip()
            break
    return {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "processor": processor,
        "load": round(os.getloadavg()[0], 1),
        "packages": {name: version(name) for name in PACKAGES},
    }


def list_facts(options: argparse.Namespace) -> None:
    """What testinfra is asked, for one machine of each sort."""
    with LabProcess(options) as lab:
        inventory = Inventory.model_validate(lab.description["inventory"])
    shown = set()
    for machine in inventory.machines:
        sort = (machine.os, machine.role, getattr(machine, "mode", None))
        if sort in shown or isinstance(machine.transport, NoTransport):
            continue
        shown.add(sort)
        facts = facts_about(inventory, machine)
        print(f"{' '.join(str(word) for word in sort if word)}: {len(facts)} commands")
        for fact in facts:
            print(f"  {fact.purpose}: {fact.command[:150]}")


if __name__ == "__main__":
    sys.exit(main())
