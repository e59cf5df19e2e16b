"""Workers that end, schedulers that go, versions that differ: with a client that stands in for the engine's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_tentacle.inventory.model import SSH, Local
from pytest_tentacle.inventory.secrets import Reference, Secret
from pytest_tentacle.sites import engine, order
from pytest_tentacle.sites.address import SitesError, Way
from pytest_tentacle.sites.engine import Engine
from pytest_tentacle.sites.executor import SitesExecutor
from pytest_tentacle.survey.host import HostTask, survey_host
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.survey.request import Request
from pytest_tentacle.transport import ReachStage
from support.fleets.clusters import wait_for

SENTENCE = "what the worker saw"
PACKAGES = {"pytest_tentacle": "0.1.0", "distributed": "2026.8.0"}
OURS = {"host": {"python": "3.11.7.final.0"}, "packages": PACKAGES}


def record(task: HostTask, **more: Any) -> HostRecord:
    """What a worker makes of a task."""
    seen = Unreachable(stage=ReachStage.CONNECT, summary=SENTENCE, advice="None.")
    return HostRecord(
        host_key=task.host_key, machines=task.machines, taken_utc=datetime.now(UTC), seconds=1.0, unreachable=seen
    ).model_copy(update=more)


class Made:
    """An attempt, as the engine's future."""

    def __init__(self, client: Standing, worker: str, what: order.Order) -> None:
        self.status, self.client, self.worker, self.what = "pending", client, worker, what
        self._callbacks: list[Any] = []

    def add_done_callback(self, callback: Any) -> None:
        self._callbacks.append(callback)

    def result(self, timeout: float) -> object:
        return self.client.answer(self.what.open()[1])

    def end(self, status: str) -> None:
        self.status = status
        for callback in self._callbacks:
            callback(self)


class Standing:
    """The engine's client: workers `a` and `b` of site north, as long as nobody takes them away."""

    def __init__(self) -> None:
        self.workers = {"a": "north", "b": "north"}
        self.about = dict.fromkeys("abc", OURS)
        self.made: list[Made] = []
        self.status = "running"
        self.ahead = 0.0
        self.answer: Any = lambda task: record(task).model_dump_json().encode()

    def scheduler_info(self) -> dict[str, Any]:
        if self.status != "running":
            raise OSError("gone")
        return {"workers": {name: {"resources": {f"site:{site}": 4}} for name, site in self.workers.items()}}

    def get_versions(self, packages: list[str]) -> dict[str, Any]:
        return {"client": OURS, "workers": {name: self.about[name] for name in self.workers}}

    def run(self, _function: Any, *_arguments: Any, workers: list[str], on_error: str) -> dict[str, float]:
        return {worker: time.time() + self.ahead for worker in workers}

    def submit(self, _function: Any, what: order.Order, *, key: str, workers: list[str], **_: Any) -> Made:
        assert what.key == key
        self.made.append(Made(self, workers[0], what))
        return self.made[-1]

    def cancel(self, _futures: Any) -> None: ...

    def close(self, timeout: float) -> None:
        self.status = "closed"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """The client that the engine gets."""
    standing = Standing()
    monkeypatch.setattr(engine, "_connected", lambda _way: standing)
    monkeypatch.setattr(engine, "RETURN_SECONDS", 1.0)
    return standing


@pytest.fixture
def executor(client: Standing):
    """One collecting's."""
    made = Engine(Way("tls://scheduler:8786"))
    yield SitesExecutor(ThreadPoolExecutor(1), made)
    made.close()


def task(site: str | None = "north") -> HostTask:
    return HostTask(
        host_key="north|ssh://10.0.0.5:22", machines=("web-01",), settings=Local(), os=None, request=Request(),
        timeout=5.0, site=site,
    )  # fmt: skip


def ended(client: Standing, worker: str) -> None:
    """Take a worker away; the scheduler tells of its task's end only sometimes."""
    del client.workers[worker]


def test_an_answer(client: Standing, executor: SitesExecutor) -> None:
    """Comes back as the record that it is; the worker's clock is brought to ours."""
    client.ahead = 3600
    client.workers = {"c": "north"}
    wait_for("the worker", lambda: executor._engine._ahead.get("c"))
    client.answer = lambda asked: (
        record(asked, taken_utc=datetime.now(UTC) + timedelta(hours=1)).model_dump_json().encode()
    )
    future = executor.submit(survey_host, task())
    client.made[0].end("finished")
    found = future.result(10)
    assert found.unreachable.summary == SENTENCE
    assert abs(found.taken_utc - datetime.now(UTC)) < timedelta(minutes=5)


def test_a_worker_that_ends_is_followed_by_another_one(client: Standing, executor: SitesExecutor) -> None:
    """Of its site, once."""
    future = executor.submit(survey_host, task())
    ended(client, client.made[0].worker)
    wait_for("another attempt", lambda: len(client.made) == 2)
    assert {made.worker for made in client.made} == {"a", "b"}
    client.made[1].end("finished")
    assert future.result(10).unreachable.summary == SENTENCE


def test_two_that_end(client: Standing, executor: SitesExecutor) -> None:
    """A machine that ends its workers does not get all of them."""
    client.workers["c"] = "north"
    wait_for("the third", lambda: "c" in executor._engine._ahead)
    future = executor.submit(survey_host, task())
    for number in (1, 2):
        wait_for("an attempt", lambda number=number: len(client.made) == number)
        client.made[-1].end("error")
    assert future.result(10).unreachable.summary == "two workers of site north ended while they surveyed it"
    assert len(client.made) == 2


def test_the_only_one_that_ends(client: Standing, executor: SitesExecutor) -> None:
    """Waited for a little, in vain."""
    ended(client, "b")
    wait_for("one worker", lambda: "b" not in executor._engine._sites)
    future = executor.submit(survey_host, task())
    ended(client, "a")
    why = "the worker of site north ended while it surveyed it, and there is no other one"
    assert future.result(10).unreachable.summary == why


def test_a_scheduler_that_goes(client: Standing, executor: SitesExecutor) -> None:
    """What has not answered is unknown."""
    future = executor.submit(survey_host, task())
    client.status = "closed"
    assert future.result(10).unreachable.summary == "the scheduler tls://scheduler:8786 went away"


def test_without_a_site_it_is_done_here(client: Standing, executor: SitesExecutor) -> None:
    """As without a scheduler."""
    assert executor.submit(lambda given: given.machines, task(None)).result(10) == ("web-01",)
    assert client.made == []


@pytest.mark.parametrize(
    ("theirs", "told"),
    [
        ({**OURS, "packages": {**PACKAGES, "pytest_tentacle": "0.2.0"}}, "pytest-tentacle 0.2.0"),
        ({**OURS, "host": {"python": "3.12.1.final.0"}}, "Python 3.12"),
    ],
)
def test_other_versions(client: Standing, theirs: dict[str, Any], told: str) -> None:
    """Refused in a sentence at the start; one that comes later is not used."""
    client.about["a"] = theirs
    made = Engine(Way("tls://scheduler:8786"))
    with pytest.raises(SitesError, match=rf"the worker a has .*{told}.*Install the same versions"):
        made.refuse_others({"north"})
    client.status = "running"
    client.workers = {"a": "north"}
    other = Engine(Way("tls://scheduler:8786"))
    other.refuse_others({"south"})
    found = SitesExecutor(ThreadPoolExecutor(1), other).submit(survey_host, task()).result(10)
    assert told in found.unreachable.summary
    other.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"", "answered with no survey's record"),
        (b"[]", "answered with no survey's record"),
        (b'{"fault": "KeyError"}', "the survey itself failed on the worker: KeyError"),
        ("text", "it is no text"),
        (b" " * 7_000_000, "it is larger than"),
        (record(task(), host_key="ssh://other").model_dump_json().encode(), "the record of another machine"),
        (record(task(), seconds=1e300).model_dump_json().encode(), "a number is none, or too large"),
        (record(task()).model_dump_json().replace(SENTENCE, "x" * 70_000).encode(), "a text is longer than"),
    ],
    ids=["nothing", "list", "fault", "no bytes", "large", "another's", "number", "text"],
)
def test_what_is_no_answer(client: Standing, executor: SitesExecutor, answer: object, told: str) -> None:
    """A worker's answer goes through the door; what does not is that machine's unknown."""
    client.answer = lambda _asked: answer
    future = executor.submit(survey_host, task())
    client.made[0].end("finished")
    assert told in future.result(10).unreachable.summary


class TestOrders:
    """What a worker does, here in this process."""

    PASSWORD = "canary-11"

    def ssh(self, password: Secret) -> HostTask:
        settings = SSH(host="127.0.0.1", port=1, user="me", password=password, agent=False, host_keys="insecure")
        return HostTask("north|x", ("web-01",), settings, None, Request(), 5.0, site="north")

    def test_it_shows_nothing(self) -> None:
        """Neither as text, nor by its key."""
        made = order.Order("run", self.ssh(Secret(self.PASSWORD)))
        assert f"{made!r} {made}" == "<order> <order>"
        assert self.PASSWORD.encode() not in made._packed
        assert made.open()[1] == self.ssh(Secret(self.PASSWORD))

    def test_a_secret_of_the_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is looked up there, and is in nothing that comes back."""
        monkeypatch.setenv("FAR", self.PASSWORD)

        def surveyed(asked: HostTask) -> HostRecord:
            assert asked.settings.password.get_secret_value() == self.PASSWORD  # type: ignore[union-attr]
            told = Unreachable(stage=ReachStage.RUN, summary=f"it said {self.PASSWORD}", advice="")
            return record(asked, unreachable=told)

        monkeypatch.setattr(order, "survey_host", surveyed)
        answer = order.carry_out(order.Order("run", self.ssh(Reference("${env:FAR}"))))
        assert HostRecord.model_validate_json(answer).unreachable.summary == "it said [removed: secret]"  # type: ignore[union-attr]

    def test_a_secret_that_it_has_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Told with what is missing where."""
        monkeypatch.delenv("FAR", raising=False)
        found = HostRecord.model_validate_json(order.carry_out(order.Order("run", self.ssh(Reference("${env:FAR}")))))
        assert found.unreachable is not None
        assert "the worker of site north has not the secret" in found.unreachable.summary
        assert "FAR" in found.unreachable.summary

    def test_a_fault_of_ours_says_its_name_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The engine would write an exception's text into its log."""

        def fails(_asked: HostTask) -> HostRecord:
            raise KeyError(self.PASSWORD)

        monkeypatch.setattr(order, "survey_host", fails)
        assert order.carry_out(order.Order("run", self.ssh(Secret("x")))) == b'{"fault": "KeyError"}'

    def test_a_run_that_was_ended(self) -> None:
        """Nothing more is begun for it."""
        order.end("ended-run")
        assert order.carry_out(order.Order("ended-run", self.ssh(Secret("x")))) == b'{"fault": "Ended"}'
