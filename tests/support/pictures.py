"""The law of pictures: what passed shows no stage that failed or was slow, what failed shows one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from pytest_tentacle.judging.links import known_links
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.judging.subject import Fleet, Subject
from pytest_tentacle.report.document import LaneView
from pytest_tentacle.report.links import CONTROLLER, Looks


def _across(lane: LaneView) -> bool:
    return lane.by != "local" and lane.vantage != CONTROLLER


def _here(lane: LaneView) -> bool:
    return lane.by == "local"


DECIDES: dict[str, Callable[[LaneView], bool]] = {"welcome-page-across": _across, "welcome-page-here": _here}
"""Each step that judges looks, and the looks that decide: those of the end that connects, the machine's own at its port."""


def misdrawn(fleet: Fleet, step: str) -> tuple[list[str], Counter[Outcome]]:
    """Machines whose picture says otherwise than the step, with the stages; and how many passed and failed."""
    looks, seen, wrong = Looks(fleet), Counter[Outcome](), []
    for subject in fleet.subjects:
        if step == "welcome-page-across" and not subject.is_tentacle:
            continue
        ports = _polled_ports(subject)
        lanes = [lane for view in looks.links(subject.name) for lane in view.lanes if DECIDES[step](lane)]
        if ports and step == "welcome-page-across":
            lanes = [lane for lane in lanes if lane.port in ports]
        broken = [f"{lane.by} {one.stage} {one.state}" for lane in lanes for one in lane.stages if is_broken(one.state)]
        outcome = subject.result(step).outcome
        if outcome in {Outcome.PASSED, Outcome.FAILED}:
            seen[outcome] += 1
            if (outcome is Outcome.PASSED) == bool(broken):
                wrong.append(f"{subject.name} {step} {outcome.value}: {', '.join(broken) or 'drawn whole'}")
    return wrong, seen


def _polled_ports(subject: Subject) -> set[int]:
    """Those of its own settings: a look at another one, that the inventory alone declares, is beside the way that it takes."""
    return (
        {link.entry.port for link in known_links(subject) if link.entry is not None} if subject.is_tentacle else set()
    )


def is_broken(state: str) -> bool:
    return state in {"failed", "slow"}
