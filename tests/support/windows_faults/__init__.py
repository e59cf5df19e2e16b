"""Faults of Windows machines as people meet them: each built as a survey shows it, with the cause that a person must be told first.

They were written before anybody looked at what the product says of them. Sources of what Windows answers: Microsoft's
documentation of the Service Control Manager's events and system error codes, of Schannel and of the firewall's rules;
what Tentacle and Halibut write is theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.result import Outcome, Run
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.document import CauseReport
from pytest_tentacle.sections import STEPS, applicable
from pytest_tentacle.survey.surroundings import Event
from support import NOW
from support.fleets.whole import LISTENS, Whole, started, wide_fleet
from support.replaying import words_of

HARM = ("new-certificate", "--reset-trust", "delete-instance", "register-with", "/inheritance:e")
"""What no remedy may say unless the fault asks for it: it would cut a link off, or undo what somebody set."""


@dataclass(frozen=True)
class Truth:
    """One fault, and what must be told of it.

    Attributes:
        change: makes it in a healthy fleet.
        machine: the first cause that names this one counts.
        what: the truth in words.
        says: expressions that the first cause's words must all match; empty: no cause may be found at all.
        never: expressions that no cause of the machine may match, besides `HARM`.
        may: those of `HARM` that are right here.
        others: further machines that may be named by causes.
        unsure: whether the facts cannot tell for certain, so that "certain" would be a lie.
    """

    change: Callable[[Whole], None]
    machine: str
    what: str
    says: tuple[str, ...]
    never: tuple[str, ...]
    may: tuple[str, ...]
    others: frozenset[str]
    unsure: bool

    @property
    def id(self) -> str:
        return self.change.__name__


TRUTHS: list[Truth] = []


def fault(
    what: str,
    *says: str,
    machine: str = "web-01",
    never: tuple[str, ...] = (),
    may: tuple[str, ...] = (),
    others: tuple[str, ...] = (),
    unsure: bool = False,
) -> Callable[[Any], Any]:
    """Registers one."""

    def register(change: Any) -> Any:
        TRUTHS.append(Truth(change, machine, what, says, never, may, frozenset(others), unsure))
        return change

    return register


def wrongs(truth: Truth) -> list[str]:
    """What is wrong with the verdict; nothing where it is right."""
    world = wide_fleet()
    truth.change(world)
    fleet = world.fleet()
    results = tuple(
        subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)
    )
    surveys = world.surveys()
    report = build_report(Run(surveys, results, surveys.taken_utc, 1.0, {}), diagnose(fleet, results).views())
    causes = [cause for cause in report.causes if truth.machine in cause.machines]
    wrong = [
        f"{cause.code} accuses {', '.join(cause.machines)}: {cause.sentence}"
        for cause in report.causes
        if not set(cause.machines) <= {truth.machine} | truth.others
    ]
    if not truth.says:
        wrong += [f"{cause.code} is found: {cause.sentence}" for cause in causes]
    elif not causes:
        open_ends = [f"{each.step}: {each.reason}" for each in results if each.outcome is Outcome.UNKNOWN]
        wrong.append(f"nothing is found; unknown: {open_ends}")
    else:
        wrong += _of_the_first(truth, causes)
    return wrong


def _of_the_first(truth: Truth, causes: list[CauseReport]) -> list[str]:
    first, words = causes[0], words_of(causes[0])
    wrong = [f"first is not {each!r}: {words}" for each in truth.says if not _has(each, words)]
    if truth.unsure and first.confidence == "certain":
        wrong.append(f"certain of what nobody can know: {words}")
    forbidden = [each for each in (*HARM, *truth.never) if each not in truth.may]
    for cause in causes:
        wrong += [f"{cause.code} says {each!r}: {words_of(cause)}" for each in forbidden if _has(each, words_of(cause))]
    return wrong


def _has(wanted: str, text: str) -> bool:
    return re.search(wanted, text, re.IGNORECASE | re.DOTALL) is not None


def controller_event(number: int, ago: float, *params: str, service: str | None = "OctopusDeploy Tentacle") -> Event:
    """An entry of the Service Control Manager's, so many seconds before the survey."""
    data = {f"param{at}": text for at, text in enumerate(params, 1)}
    if service:
        data["service"] = service
    return Event(source="service-control-manager", id=number, time_utc=NOW - timedelta(seconds=ago), data=data)


def schannel_event(number: int, ago: float, **data: str) -> Event:
    """An entry of Schannel's."""
    return Event(source="schannel", id=number, time_utc=NOW - timedelta(seconds=ago), data=data)


def end_log(world: Whole, name: str, ago: float = 7200) -> None:
    """Its log ends so many seconds before the survey: a service that has not run since writes nothing."""
    world.logs[name] = started(2136, LISTENS) + world.visit(name, "octo-1", ago)


def set_account(world: Whole, name: str, account: str, sid: str, *, runs: bool = True) -> None:
    """The service logs on as this account; a domain's, of whose groups only the local ones are known."""
    world[name].service["account"] = account
    held = world.sections[name]["permissions"][0]
    world.sections[name]["permissions"] = (
        held.model_copy(update={"account": account, "sid": sid, "groups_complete": False}),
    )
    key = {"account": account, "sid": sid, "groups_complete": False}
    world.sections[name]["private_keys"] = tuple(
        each.model_copy(update=key) for each in world.sections[name]["private_keys"]
    )
    accounts = world.sections[name]["service_accounts"][0]
    world.sections[name]["service_accounts"] = (
        accounts.model_copy(update={"account": account, "sid": sid, "process_sid": sid if runs else None}),
    )


for folder in ("", "rarer."):
    for module in sorted((Path(__file__).parent / folder.rstrip(".")).glob("[!_]*.py")):
        import_module(f"{__name__}.{folder}{module.stem}")
