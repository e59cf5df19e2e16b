"""One contestant's run in a fresh process: `contestant.py ours|testinfra`, the lab's description on stdin, figures out.

CPU is this process's own (user and system, all threads), from after the imports to the last fact or verdict; peak
memory is the process's whole (VmHWM), imports included. Needs Linux, as the lab does.
"""

from __future__ import annotations

import collections
import json
import os
import resource
import sys
import time
import urllib.parse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from socket import EAI_NONAME, gaierror
from typing import Any

from facts import Fact, facts_about
from pydantic import SecretStr

from pytest_tentacle.inventory.model import SSH, Inventory, Machine, NoTransport, WinRM


def main() -> None:
    asked = json.load(sys.stdin)
    inventory = with_password(Inventory.model_validate(asked["inventory"]), asked["password"])
    prepare = {"ours": prepare_ours, "testinfra": prepare_testinfra}[sys.argv[1]]
    work = prepare(inventory, asked)
    before = memory_mib()
    cpu, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    figures = work()
    wall, cpu_after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    figures |= {
        "wall": wall,
        "user": cpu_after.ru_utime - cpu.ru_utime,
        "system": cpu_after.ru_stime - cpu.ru_stime,
        "memory_before": before,
        "memory": memory_mib(),
    }
    json.dump(figures, sys.stdout)


def prepare_ours(inventory: Inventory, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """The product's own way: one script a host, then every applicable step's verdict."""
    for transport in ("ssh", "winrm"):  # else the first log-on imports them, and imports are not what is measured
        import_module(f"pytest_tentacle.transport.{transport}")
    from pytest_tentacle.judging.result import Outcome  # noqa: PLC0415
    from pytest_tentacle.sections import (  # noqa: PLC0415  only this contestant's
        STEPS,
        applicable,
        fleet_of,
    )
    from pytest_tentacle.survey.collector import Plan, collect  # noqa: PLC0415
    from pytest_tentacle.transport import ReachStage  # noqa: PLC0415

    names = {machine.dns_name: machine.ip for machine in inventory.machines}

    def resolve(host: str, _port: int, _seconds: float) -> tuple[str, ...]:
        if names.get(host):
            return (str(names[host]),)
        raise gaierror(EAI_NONAME, "Name or service not known")

    plan = Plan(workers=asked["workers"], machine_timeout=300, probe_seconds=20, resolve=resolve)

    def work() -> dict[str, Any]:
        surveys = collect(inventory, [machine.name for machine in inventory.machines], plan, _Silent())
        judging = time.thread_time()
        fleet = fleet_of(surveys)
        results = [
            subject.result(step.slug)
            for machine in inventory.machines
            for subject in [fleet.subject(machine.name)]
            for step in STEPS
            if applicable(step.slug, subject)
        ]
        outcomes = collections.Counter(str(result.outcome.value) for result in results)
        wrong = [
            f"{result.machine} {result.step}: {', '.join(problem.code for problem in result.problems)}"
            for result in results
            if result.outcome is Outcome.FAILED
        ]
        wrong += [
            f"{record.host_key}: {record.unreachable.summary}"
            for record in surveys.records
            if record.unreachable and record.unreachable.stage is not ReachStage.NOT_ASKED
        ]
        unknown = sorted({result.step for result in results if result.outcome is Outcome.UNKNOWN})
        return {"judging": time.thread_time() - judging, "got": dict(outcomes), "wrong": wrong, "unknown": unknown}

    return work


def prepare_testinfra(inventory: Inventory, asked: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Testinfra's own winrm and paramiko backends: every fact a command. Nothing is judged."""
    import testinfra  # noqa: PLC0415  only this contestant's imports

    for backend in ("paramiko", "winrm"):
        import_module(f"testinfra.backend.{backend}")

    if asked["ca"]:
        # The backend takes no CA, but the requests library beneath it does: so both contestants verify.
        os.environ["REQUESTS_CA_BUNDLE"] = asked["ca"]

    def host(machine: Machine) -> Any:
        settings = machine.transport
        assert isinstance(settings, WinRM | SSH)
        assert settings.password is not None
        login = ":".join(
            urllib.parse.quote(part, safe="") for part in (settings.user or "", settings.password.get_secret_value())
        )
        if isinstance(settings, WinRM):
            timeouts = {"read_timeout_sec": 90, "operation_timeout_sec": 60}
            return testinfra.get_host(f"winrm://{login}@{settings.host}:{settings.port}", **timeouts)
        # an empty ssh_config, so that a user's own does not change what is measured
        config = {"ssh_config": str(settings.ssh_config), "timeout": 60}
        return testinfra.get_host(f"paramiko://{login}@{settings.host}:{settings.port}", **config)

    def look_at(machine: Any) -> list[str]:
        return [problem for fact in facts_about(inventory, machine) for problem in ask(fact)]

    def ask(fact: Fact) -> list[str]:
        answer = host(inventory.find(fact.host)).run(fact.command)
        if answer.rc == 0 and fact.expected in answer.stdout:
            return [""]
        return [f"{fact.host} {fact.purpose}: {answer.rc} {answer.stdout[:300]!r} {answer.stderr[:300]!r}"]

    def work() -> dict[str, Any]:
        chosen = [machine for machine in inventory.machines if not isinstance(machine.transport, NoTransport)]
        with ThreadPoolExecutor(asked["workers"]) as pool:
            problems = [problem for several in pool.map(look_at, chosen) for problem in several]
        wrong = [problem for problem in problems if problem]
        return {"got": {"answered": len(problems) - len(wrong), "not answered": len(wrong)}, "wrong": wrong}

    return work


def with_password(inventory: Inventory, password: str) -> Inventory:
    """The inventory with the credentials that its JSON does not show."""

    def apply(machine: Any) -> Any:
        if isinstance(machine.transport, NoTransport):
            return machine
        transport = machine.transport.model_copy(update={"password": SecretStr(password)})
        return machine.model_copy(update={"transport": transport})

    return inventory.model_copy(
        update={
            "servers": tuple(apply(server) for server in inventory.servers),
            "tentacles": tuple(apply(tentacle) for tentacle in inventory.tentacles),
        }
    )


def memory_mib() -> float:
    """The most memory that this process has had. Not `ru_maxrss`, which counts its parent's before the exec too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


class _Silent:
    def update(self, *_: object) -> None:
        pass

    def finish(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    main()
