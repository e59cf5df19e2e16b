"""Pairs of faults from surveys of single ones: for faults that touch no machine and no link in common.

What each machine said comes from the survey of the fault that touches it; what the server saw of a Tentacle comes from the
survey of the fault that touches that Tentacle. So nothing is made up, as long as the two do not meet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys

from .judge import compared
from .scenario import Scenario


def places(scenario: Scenario) -> frozenset[str]:
    """The machines, and the router, that a fault breaks or should be told of."""
    broken = {line.partition(":")[0].strip() for line in (*scenario.do, *scenario.undo)} - {"here"}
    return frozenset(broken | set(scenario.expect))


def touched(scenario: Scenario, surveys: Surveys) -> frozenset[str]:
    """The same of the machines alone, with those that the diagnosis of its own surveys names."""
    named = {machine for found in compared(surveys, [scenario])["found"] for machine in found["machines"]}
    return frozenset((places(scenario) | named) - {"router", "dns"})


def fitting_pairs(
    scenarios: Sequence[Scenario], all_touched: Mapping[str, frozenset[str]], count: int, seed: int
) -> list[tuple[Scenario, Scenario]]:
    """So many pairs of faults of the common fleet that touch no machine in common, chosen by the seed."""
    able = [one for one in scenarios if not (one.healthy or one.pings or one.awaited or one.fleet) and one.expect]
    fitting = [(one, two) for one, two in combinations(able, 2) if not all_touched[one.name] & all_touched[two.name]]
    return random.Random(seed).sample(fitting, min(count, len(fitting)))


def joined(one: Surveys, two: Surveys, touched_by_two: frozenset[str]) -> Surveys:
    """Both faults in one survey: all that the second touches from its own, the rest from the first."""
    other = {record.host_key: record for record in two.records}
    records = tuple(
        _with_looks(other[record.host_key], record, touched_by_two, own=True)
        if touched_by_two & set(record.machines)
        else _with_looks(record, other[record.host_key], touched_by_two, own=False)
        for record in one.records
    )
    controller = {
        name: (two if name in touched_by_two else one).controller_probes.get(name, ())
        for name in one.controller_probes.keys() | two.controller_probes.keys()
    }
    return one.model_copy(update={"records": records, "controller_probes": controller})


def _with_looks(base: HostRecord, other: HostRecord, touched_by_two: frozenset[str], *, own: bool) -> HostRecord:
    """A server's record with its looks at Tentacles from the surveys of the faults that touch these.

    `own`: the base is the second's record, so that what the second does not touch comes from the other one.
    """
    if not base.peer_probes and not other.peer_probes:
        return base
    kept = [look for look in base.peer_probes if (look.link.tentacle in touched_by_two) is own]
    new = [look for look in other.peer_probes if (look.link.tentacle in touched_by_two) is not own]
    return base.model_copy(update={"peer_probes": (*kept, *new)})


def joined_pairs(
    surveys: Mapping[str, Surveys], scenarios: Mapping[str, Scenario], count: int, seed: int
) -> Iterator[tuple[tuple[Scenario, Scenario], Surveys]]:
    """So many pairs, and their surveys."""
    all_touched = {name: touched(scenarios[name], found) for name, found in surveys.items() if name in scenarios}
    known = [scenario for name, scenario in scenarios.items() if name in all_touched]
    for one, two in fitting_pairs(known, all_touched, count, seed):
        # Where one touches the server, what the server saw of a Tentacle that neither touches is that one's as well.
        first, second = (two, one) if _SERVER in all_touched[one.name] else (one, two)
        yield (first, second), joined(surveys[first.name], surveys[second.name], all_touched[second.name])


_SERVER = "octo-1"
