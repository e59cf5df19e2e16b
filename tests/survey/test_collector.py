"""The two rounds, without a network: who is asked for what, and that the answers are found again."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from pytest_tentacle.link import By
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.collector import Plan, collect
from pytest_tentacle.survey.host import HostTask
from pytest_tentacle.survey.looks import Looks
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys, dumps, loads
from support.fleets.looks import Look
from support.fleets.world import World, probe, small_fleet


class Silent:
    """Shows nothing."""

    def update(self, *_: Any) -> None: ...

    def finish(self, *_: Any) -> None: ...


class Answering(Executor):
    """Answers each task at once: in round 1 with what the draft says, in round 2 with a page for each target."""

    def __init__(self, world: World) -> None:
        self._world = world

    def submit(self, _function: Callable[..., Any], /, *arguments: Any, **_others: Any) -> Future[Any]:
        future: Future[Any] = Future()
        what, *_ = arguments
        future.set_result(self._record(what) if isinstance(what, HostTask) else Looks())
        return future

    def _record(self, task: HostTask) -> HostRecord:
        record = self._world[task.machines[0]].record().model_copy(update={"peer_probes": ()})
        if task.request.gather or record.survey is None:
            return record
        whose = {target.host: target.link.tentacle for target in task.request.targets}
        made = tuple(
            probe(each.host, each.port, each.by, whose=str(whose[each.host]), addresses=self._addresses(each.link.tentacle),
                  look=Look(each.link))
            for each in task.request.targets
        )  # fmt: skip
        return record.model_copy(update={"survey": record.survey.model_copy(update={"probes": made})})

    def _addresses(self, name: str | None) -> tuple[str, ...]:
        return (self._world[str(name)].machine.ip or "",)


@pytest.fixture
def world() -> World:
    return small_fleet()


def surveyed(world: World) -> Surveys:
    inventory = world.surveys().inventory
    names = [machine.name for machine in inventory.machines]
    return collect(inventory, names, Plan(workers=1), Silent(), lambda _workers: Answering(world))


@pytest.mark.parametrize("name", ["web-02", "web:01", "2001:db8::1", "web-01:name", "local:Tentacle"])
def test_a_name_is_a_name(world: World, name: str) -> None:
    """A machine may have any name, also one with colons: its server looks at it, and its steps have their verdict."""
    world.add_listening(name, "192.0.2.77")
    surveys = loads(dumps(surveyed(world)).encode(), "a file")
    (octo,) = (record for record in surveys.records if record.machines == ("octo-1",))
    looks = [look for look in octo.peer_probes if look.link.tentacle == name]
    assert [(look.host, look.by) for look in looks] == [(f"{name}.example", By.NAME), ("192.0.2.77", By.ADDRESS)]
    subject = fleet_of(surveys).subject(name)
    assert subject.result("welcome-page-across").outcome == "passed"
    assert subject.result("ip-addresses").outcome == "passed"


def test_only_what_was_selected(world: World) -> None:
    """A server is not sent to machines that nobody selected."""
    world.add_listening("web-02", "192.0.2.77")
    inventory = world.surveys().inventory
    surveys = collect(inventory, ["octo-1", "web-01"], Plan(workers=1), Silent(), lambda _workers: Answering(world))
    assert {look.link.tentacle for record in surveys.records for look in record.peer_probes} == {"web-01"}


class Hanging(Answering):
    """One host does not answer before it is broken off."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        if isinstance(arguments[0], HostTask) and "poll-01" in arguments[0].machines:
            future: Future[Any] = Future()
            future.set_running_or_notify_cancel()
            return future
        return super().submit(function, *arguments, **others)


def test_the_runs_time_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has answered is kept; the host that has not is unknown, and why is said."""
    monkeypatch.setattr("pytest_tentacle.survey.collector.GRACE_SECONDS", 0.1)
    plan = Plan(until=time.monotonic() + 0.2)
    inventory = world.surveys().inventory
    names = [machine.name for machine in inventory.machines]
    surveys = collect(inventory, names, plan, Silent(), executor=lambda _workers: Hanging(world))
    by_name = {record.machines[0]: record for record in surveys.records}
    assert by_name["web-01"].survey is not None
    gone = by_name["poll-01"].unreachable
    assert gone is not None
    assert "--run-timeout" in gone.summary
    assert "--limit" in gone.advice


class Counted(Future[Any]):
    """A future that counts how often anybody looks at it."""

    looks = 0

    @property
    def _condition(self) -> Any:
        type(self).looks += 1
        return vars(self)["condition"]

    @_condition.setter
    def _condition(self, condition: Any) -> None:
        vars(self)["condition"] = condition


class OneByOne(Answering):
    """Gives the next answer when the last one has been shown."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.open: list[tuple[Counted, HostRecord]] = []

    def submit(self, _function: Callable[..., Any], /, *arguments: Any, **_others: Any) -> Future[Any]:
        what, *_ = arguments
        future = Counted()
        if isinstance(what, HostTask) and what.request.gather:
            self.open.append((future, self._record(what)))
        else:
            future.set_result(self._record(what) if isinstance(what, HostTask) else Looks())
        return future

    def update(self, *_: Any) -> None:
        if self.open:
            future, record = self.open.pop()
            future.set_result(record)

    def finish(self, *_: Any) -> None: ...


def test_waiting_for_many_grows_with_their_number(world: World) -> None:
    """Each future is looked at a few times, however many others are still awaited, and in whatever order they end."""
    looks = []
    for machines in (100, 200):
        for number in range(len(world.surveys().records), machines):
            world.add_listening(f"many-{machines}-{number}", f"198.51.{machines}.{number}")
        inventory = world.surveys().inventory
        answers = OneByOne(world)
        before = Counted.looks
        collect(inventory, [each.name for each in inventory.machines], Plan(), answers, lambda _workers, it=answers: it)
        assert not answers.open
        looks.append(Counted.looks - before)
    assert looks[1] < 2.5 * looks[0]
