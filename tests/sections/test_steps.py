"""The table of steps: each rests on what its checks ask for and on nothing else, and `tests_infra/` names its checks."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from pytest_tentacle.guide.sections import SERVICES
from pytest_tentacle.judging.check import Check, check
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.judging.step import Step, in_order
from pytest_tentacle.judging.subject import Fleet
from pytest_tentacle.sections import STEPS, TABLE, applicable

OWN = "pytest_tentacle."


def step(slug: str, *rests_on: str, checks: tuple[Check, ...] | None = None) -> Step:
    return Step(slug, slug, SERVICES, lambda _: True, (holds,) if checks is None else checks, rests_on)


@check(codes=(), reads=())
def holds(_subject: Any) -> Iterator[Evidence]:
    """It holds."""
    yield Evidence("here", "it holds")


class TestOrder:
    """The table is sorted when it is imported."""

    def test_each_after_those_that_it_rests_on(self) -> None:
        assert [each.slug for each in in_order([step("c", "b"), step("a"), step("b", "a")])] == ["a", "b", "c"]
        slugs = list(TABLE)
        assert all(slugs.index(other) < slugs.index(each.slug) for each in STEPS for other in each.rests_on)
        assert set(slugs) == {each.slug for each in STEPS}
        assert len(slugs) == len(STEPS), "a slug stands twice"

    @pytest.mark.parametrize(
        ("steps", "words"),
        [
            ([step("a", "b"), step("b", "c"), step("c", "a")], "steps rest on one another: a -> "),
            ([step("a", "a")], "steps rest on one another: a -> a"),
            ([step("a", "nowhere")], "the step a rests on nowhere, which is no step"),
            ([step("a", checks=())], "the step a has no check: it would pass without a look"),
        ],
    )
    def test_what_cannot_be_sorted_is_refused(self, steps: list[Step], words: str) -> None:
        with pytest.raises(ValueError, match=words):
            in_order(steps)


class TestAsking:
    """A check may ask for the steps that its own step rests on: never a circle, whatever the tests have seen."""

    @staticmethod
    def fleet(world: Any, *steps: Step) -> Fleet:
        return Fleet(world.surveys(), steps)

    @staticmethod
    def asks_for(slug: str) -> Check:
        @check(codes=("TT202",), reads=())
        def asks(subject: Any) -> Iterator[Problem]:
            """It asks."""
            if subject.first_problem(frozenset({"TT202"}), slug):
                yield Problem("TT202", subject.name, "", "")

        return asks

    def test_a_later_step(self, world: Any) -> None:
        """What was a RecursionError is one sentence; in a user's run that check is unknown, and the others are judged."""
        here = step("here", checks=(self.asks_for("later"), holds))
        later = step("later", "here", checks=(self.asks_for("here"),))
        fleet = self.fleet(world, here, later)
        with (
            fleet.judging("here"),
            pytest.raises(LookupError, match="step here asks for later, on which that step does not rest: name it in"),
        ):
            fleet.ask_for("later")
        result = fleet.subject("web-01").result("here")
        assert (result.outcome, result.looked_at) == (Outcome.UNKNOWN, ("it holds (here)",))
        assert "broke off: LookupError" in result.reason

    def test_a_step_that_it_rests_on(self, world: Any) -> None:
        steps = (step("here"), step("later", "here", checks=(self.asks_for("here"),)))
        assert self.fleet(world, *steps).subject("web-01").result("later").problems == ()

    def test_no_step_at_all(self, world: Any) -> None:
        with pytest.raises(LookupError, match="'nowhere' is no step of the guide"):
            world.fleet().subject("web-01").result("nowhere")

    def test_a_users_own_step_may_ask_for_any(self, world: Any) -> None:
        """Nothing of the table can ask for it."""
        subject = world.fleet().subject("web-01")
        assert subject.result("my-own", [self.asks_for("machine-health")]).problems == ()

    def test_named_checks_are_judged_once(self, world: Any) -> None:
        """All of them in the table's order are the step itself; others are kept beside it."""
        subject = world.fleet().subject("web-01")
        whole = subject.result("services-running")
        assert subject.result("services-running", TABLE["services-running"].checks) is whole
        some = TABLE["services-running"].checks[:1]
        assert subject.result("services-running", some) is subject.result("services-running", list(some))
        assert subject.result("services-running", some) is not whole


def named_in(code: CodeType) -> Iterator[str]:
    """Names and strings of a function's code, those of the functions inside it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from named_in(constant)
        elif isinstance(constant, str):
            yield constant
        elif isinstance(constant, tuple | frozenset):
            yield from (each for each in constant if isinstance(each, str))


def strings_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset | set):
        for each in value:
            yield from strings_of(each)
    elif isinstance(value, dict):
        for each in value.items():
            yield from strings_of(each)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        for each in value.__dataclass_fields__:
            yield from strings_of(getattr(value, each))


def functions_of(value: Any) -> Iterator[FunctionType]:
    """What runs where a name is used: the function, a check's look, a class's methods."""
    value = getattr(value, "look", value)
    if isinstance(value, FunctionType) and value.__module__.startswith(OWN):
        yield inspect.unwrap(value)
    elif isinstance(value, type) and value.__module__.startswith(f"{OWN}sections."):
        yield from (each for member in vars(value).values() for each in functions_of(getattr(member, "fget", member)))


def asked_by(look: FunctionType) -> set[str]:
    """Slugs that a function, or any of the sections' that it may come to, can name."""
    seen: set[FunctionType] = set()
    open_ones, slugs = [look], set()
    while open_ones:
        function = open_ones.pop()
        if function in seen:
            continue
        seen.add(function)
        for name in named_in(function.__code__):
            value = function.__globals__.get(name)
            slugs |= {each for each in (name, *strings_of(value)) if each in TABLE}
            if not isinstance(value, ModuleType):
                open_ones += functions_of(value)
    return slugs


class TestRestsOn:
    @pytest.mark.parametrize("each", STEPS, ids=[each.slug for each in STEPS])
    def test_is_what_the_checks_can_ask_for(self, each: Step) -> None:
        """Read from the code, so that no machine in the field is the first to ask: nothing else, and nothing less."""
        asked = {slug for one in each.checks for slug in asked_by(one.look)} - {each.slug}
        assert sorted(asked) == sorted(each.rests_on), "rests_on in STEPS (sections/__init__.py) must name just these"


class Recorder:
    """Stands in for a machine, and notes which checks must pass."""

    def __init__(self) -> None:
        self.named: list[Check] = []
        self.calls = 0

    def must_pass(self, *checks: Check) -> None:
        self.named += checks
        self.calls += 1


def guide_tests(top: Path) -> dict[str, Any]:
    """By slug, the function that is the guide's test."""
    found = {}
    for file in sorted((top / "tests_infra").glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"guide_{file.stem}", file)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, function in vars(module).items():
            if name.startswith("test_"):
                (mark,) = function.pytestmark
                found[mark.args[0]] = function
    return found


class TestGuide:
    """What a person reads in `tests_infra/` is what is judged."""

    def test_each_body_names_its_steps_checks_in_order(self, top: Path) -> None:
        tests = guide_tests(top)
        assert list(tests) == [each.slug for each in STEPS], "one test a step, in the guide's order"
        for each in STEPS:
            machine = Recorder()
            tests[each.slug](machine)
            assert [one.name for one in machine.named] == [one.name for one in each.checks], each.slug
            assert machine.calls == 1, (
                f"{each.slug}: what fails in a first call keeps the checks of a second from being made"
            )

    def test_each_check_says_what_holds(self) -> None:
        """Its first sentence stands in the manual; its name stands in the guide's tests, and is given once."""
        checks = [one for each in STEPS for one in each.checks]
        assert len({one.name for one in checks}) == len(checks)
        assert all((one.look.__doc__ or "").strip() for one in checks)

    def test_applies_to_some(self, world: Any) -> None:
        """No step is there for nobody; a slug that is none is an error."""
        fleet = world.fleet()
        never = {each.slug for each in STEPS if not any(applicable(each.slug, one) for one in fleet.subjects)}
        assert never == {"tentacle-ping"}, "nobody asked for pings in this fleet"
        with pytest.raises(LookupError, match="no step"):
            applicable("no-such-step", fleet.subjects[0])
