"""Breaks the hosts as scenarios say, surveys them by SSH, and holds the diagnosis against what was broken."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from pytest_tentacle.diagnosis import Confidence, Diagnosis, MachineDiagnosis, diagnose
from pytest_tentacle.diagnosis.kind import Found
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import PingOrder
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey.collector import Plan, Progress, collect
from pytest_tentacle.survey.store import Surveys

from .network import Network, quietly
from .recorded import alone, canonical, name_of
from .scenario import Scenario
from .together import apart, masked, told_as_unknown, wrong

PLAN = Plan(workers=5, machine_timeout=90)
_SHORT = Scenario("", "", "", (), {}, seconds=3)
"""Seconds of a look where no scenario asks for more."""


def plan(scenarios: Sequence[Scenario]) -> Plan:
    """How these are surveyed: with pings where one asks for them."""
    pings = max((each.pings for each in scenarios), default=0)
    seconds = max(each.seconds for each in (*scenarios, _SHORT))
    return replace(PLAN, ping=PingOrder(count=pings) if pings else None, probe_seconds=seconds)


class _Quiet(Progress):
    """Nobody watches."""


def judged(network: Network, scenarios: Sequence[Scenario], keep: Path | None = None) -> dict[str, Any]:
    """What came of these faults, injected together: `right`, and why not; the seconds; what was found."""
    inventory = network.fleet(scenarios[0].fleet)
    started = time.monotonic()
    try:
        for number, each in enumerate(scenarios):
            for line in each.do:
                act(network, apart(line, number))
        surveys = collect(inventory, [machine.name for machine in inventory.machines], plan(scenarios), _Quiet())
    finally:
        set_back(network, scenarios)
    text = surveys.model_dump_json(exclude_none=True)
    if keep is not None:
        keep.write_text(text, encoding="utf-8")
    if len(scenarios) > 1:  # as the recordings have certificates, to be held against those of each fault alone
        surveys = Surveys.model_validate_json(canonical(text))
    return compared(surveys, scenarios) | {"seconds": round(time.monotonic() - started, 1)}


def compared(surveys: Surveys, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """The diagnosis of surveys against what the scenarios expect."""
    results, diagnosis = diagnosed(surveys)
    found = [
        {"code": each.code, "machines": list(each.machines), "confidence": str(each.confidence), "says": each.sentence}
        for each in diagnosis.views()
    ]
    hidden, unknown = frozenset[str](), frozenset[str]()
    if len(scenarios) > 1:
        singles = {each.name: alone(each.name) for each in scenarios}
        hidden = masked(surveys, singles, scenarios)
        unknown = told_as_unknown(results, {name: diagnosed(one) for name, one in singles.items()}, scenarios)
        faults = wrong(diagnosis, scenarios, hidden | unknown)
    else:
        faults = _faults(diagnosis, scenarios)
    faults += contradictions(diagnosis.machines.values())
    faults += _reached(surveys, scenarios)
    if all(each.healthy for each in scenarios):
        faults += _unwell(results)
    return {
        "right": not faults,
        "faults": faults,
        "found": found,
        "masked": sorted(hidden),
        "unknown": sorted(unknown - hidden),
        "both": not faults and not wrong(diagnosis, scenarios, ()) if len(scenarios) > 1 else not faults,
    }


def diagnosed(surveys: Surveys) -> tuple[list[StepResult], Diagnosis]:
    """What surveys come to; those of a scenario that is recorded are judged once."""
    name = name_of(surveys)
    return _diagnosed_alone(name) if name else _diagnosed(surveys)


@cache
def _diagnosed_alone(name: str) -> tuple[list[StepResult], Diagnosis]:
    return _diagnosed(alone(name))


def _diagnosed(surveys: Surveys) -> tuple[list[StepResult], Diagnosis]:
    fleet = fleet_of(surveys)
    results = [
        subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)
    ]
    return results, diagnose(fleet, results)


def _faults(diagnosis: Diagnosis, scenarios: Sequence[Scenario]) -> list[str]:
    wrong = []
    allowed: dict[str, set[str]] = {}
    for each in scenarios:
        for machine, codes in each.expect.items():
            allowed.setdefault(machine, set()).update((code.rstrip("?") for code in codes), each.beside)
            own = diagnosis.machines.get(machine)
            named = [found.kind.code for found in own.causes] if own else []
            first = own.causes[:1] if own and len(scenarios) == 1 else own.causes if own else ()
            if not any(found.kind.code in codes or _doubtful(found) in codes for found in first):
                wrong.append(
                    f"{each.name}: {machine} should have {' or '.join(codes)}, has {', '.join(named) or 'none'}"
                )
    beside = {code for each in scenarios for code in each.beside}
    return wrong + [
        f"{machine} must not have {view.code}: {view.sentence}"
        for view in diagnosis.views()
        for machine in view.machines
        if view.code not in allowed.get(machine, set()) | beside
    ]


def _reached(surveys: Surveys, scenarios: Sequence[Scenario]) -> list[str]:
    """Machines that were logged on to, or not, otherwise than the scenarios say; SSH's ones are not held to a stage."""
    stages = {
        record.machines[0]: record.unreachable.stage.value if record.unreachable else "" for record in surveys.records
    }
    wanted = {machine: stage for each in scenarios for machine, stage in each.unreached.items()}
    return [
        f"{machine}: the log-on should fail at {stage!r}, did at {stages.get(machine)!r}"
        for machine, stage in wanted.items()
        if stages.get(machine) != stage
    ]


def _doubtful(found: Found) -> str | None:
    """Its code as `expect` has it where it must be no more than possible."""
    return f"{found.kind.code}?" if found.confidence is Confidence.POSSIBLE else None


def contradictions(machines: Iterable[MachineDiagnosis]) -> list[str]:
    """Causes that are certain of one stage of one look: at most one of them can be right."""
    found = []
    for machine in machines:
        certain: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
        for cause in machine.causes:
            for problem in cause.problems if cause.confidence is Confidence.CERTAIN else ():
                look = [str(problem.facts.get(name)) for name in ("vantage", "host", "port", "stage")]
                if problem.code in cause.kind.needs and problem.facts.get("stage"):
                    certain[tuple(look)].add(cause.kind.code)
        found += [
            f"{machine.machine}: {' and '.join(sorted(codes))} are both certain of {' '.join(look)}"
            for look, codes in certain.items()
            if len(codes) > 1
        ]
    return found


def _unwell(results: Sequence[StepResult]) -> list[str]:
    well = (Outcome.PASSED, Outcome.SKIPPED) if hasattr(Outcome, "SKIPPED") else (Outcome.PASSED,)
    return [
        f"{each.machine} {each.step}: {each.outcome.value}: {each.reason}"
        for each in results
        if each.outcome not in well
    ]


def act(network: Network, line: str) -> None:
    """One line of a scenario."""
    where, _, command = line.partition(":")
    if where == "dns":
        words, _, options = command.partition("--")
        what, *legs = words.split()
        network.dns(what, *legs, options=options.strip())
    elif where == "here":
        quietly("sh", "-c", command)
    else:
        network.host(where.strip()).run(command.strip())


def set_back(network: Network, scenarios: Sequence[Scenario]) -> None:
    """Packet filters, queues, routes and names as they were, and what each scenario's own lines bring back.

    One step that fails keeps none of the others from it, or the next scenario would meet this one's fault. What failed
    is tried once more at the end: a scenario's own lines may have brought back what it needs (a program, an MTU).
    Raises RuntimeError with what fails then, too.
    """
    lines = [(line.partition(":")[0].strip(), line) for each in scenarios for line in each.do]
    steps: list[Callable[[], object]] = []
    for name in dict.fromkeys(where for where, _ in lines if where not in {"dns", "here"}):
        own = " ".join(line for where, line in lines if where == name)
        host = network.host(name)
        if "nft" in own or "tables" in own:
            steps.append(partial(host.run, _RULES))
        if "tc qdisc" in own:
            steps.append(partial(host.run, _QUEUES))
        if name != "router" and (" route" in own or "ip link" in own or "ip addr" in own):
            steps.append(partial(_routes, network, name))
    steps += [partial(act, network, line) for each in reversed(scenarios) for line in each.undo]
    if any(where == "dns" or "dns-" in line for where, line in lines):
        steps.append(partial(network.dns, "start"))
    left = [step for step in steps if _error(step)]
    errors = [error for step in left if (error := _error(step))]
    if errors:
        raise RuntimeError(f"not set back: {'; '.join(errors)}")
    network.ready()


def _error(step: Callable[[], object]) -> str:
    """Why it failed; empty where it did not."""
    try:
        step()
    except RuntimeError as error:
        return str(error)
    return ""


_RULES = """nft flush ruleset
for t in iptables-legacy ip6tables-legacy; do
    if [ -n "$(cat /proc/net/${t%tables-legacy}_tables_names 2>/dev/null)" ]; then
        for table in filter raw mangle nat security; do $t -t $table -F; $t -t $table -X; done
        for chain in INPUT OUTPUT FORWARD; do $t -P $chain ACCEPT; done
    fi
done"""
_QUEUES = "for d in $(ls /sys/class/net); do tc qdisc del dev $d root 2>/dev/null || :; done"


def _routes(network: Network, name: str) -> None:
    machine = network.machines[name]
    subnet = machine.address.split(".")[2]
    number = machine.address.rpartition(".")[2]
    machine.run(
        f"ip link set eth0 mtu 1500 up; ip link set lo up; ip addr flush dev eth0; ip route flush table main; "
        f"ip addr add {machine.address}/24 dev eth0; ip addr add fd10:{subnet}::{number}/64 dev eth0 nodad; "
        f"ip link set mgmt0 down; ip link set mgmt0 up; "
        f"ip route replace default via 10.10.{subnet}.1; ip -6 route replace default via fd10:{subnet}::1; "
        "ip neigh flush all; ip rule show | grep -v -e '^0:' -e '^32766:' -e '^32767:' | while read -r n rest; do "
        "ip rule del pref ${n%:}; done"
    )
