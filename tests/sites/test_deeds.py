"""What is done to a machine by a worker, once: with a client that stands in for the engine's, and the worker's part here."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_tentacle.acting import sending
from pytest_tentacle.acting.scripts import command_order
from pytest_tentacle.acting.sending import Sending, Sent
from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.inventory.secrets import Reference, Secret
from pytest_tentacle.sites import deeds, engine, order
from pytest_tentacle.sites.address import Way
from pytest_tentacle.sites.engine import Engine
from pytest_tentacle.sites.of_run import SitesOfRun
from pytest_tentacle.transport.base import Answer, Deadline, Transport

CANARY = "canary-22"
OURS = {
    "host": {"python": "3.11.7.final.0"},
    "packages": {"pytest_tentacle": "0.1.0", "distributed": "2026.8.0"},
}
BEGUN = b'{"marks": [{"word": "BEGIN", "arguments": ["1"], "text": ""}], "lost": "gone", "handed_over": 1, "words": ""}'


class Standing:
    """The engine's client, with workers of site north; what a worker answers is `answer`."""

    def __init__(self) -> None:
        self.workers = ["a", "b"]
        self.status = "running"
        self.called: list[tuple[str, str]] = []
        self.answer: Callable[[str], object] = lambda _worker: BEGUN

    def scheduler_info(self) -> dict[str, Any]:
        return {"workers": {name: {"resources": {"site:north": 4}} for name in self.workers}}

    def get_versions(self, packages: list[str]) -> dict[str, Any]:
        return {"client": OURS, "workers": dict.fromkeys(self.workers, OURS)}

    def run(self, function: Any, *_arguments: Any, workers: list[str], on_error: str) -> dict[str, object]:
        assert on_error == "ignore"
        if function is order.clock:
            return dict.fromkeys(workers, time.time())
        self.called += [(function.__name__, worker) for worker in workers]
        if function is order.end:
            return {}
        answer = self.answer(workers[0])
        return {} if answer is None else {workers[0]: answer}

    def close(self, timeout: float) -> None:
        self.status = "closed"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Standing:
    standing = Standing()
    monkeypatch.setattr(engine, "_connected", lambda _way: standing)
    monkeypatch.setattr(deeds, "LAST_SECONDS", 0.3)
    return standing


@pytest.fixture
def sites(client: Standing) -> Iterator[SitesOfRun]:
    made = SitesOfRun(Way("tls://scheduler:8786"))
    made._engine = Engine(Way("tls://scheduler:8786"))
    yield made
    made.close()


def order_for(settings: SSH | None = None, *, site: str | None = "north", commands: int = 1) -> Sending:
    settings = settings or SSH(host="127.0.0.1", port=1, user="me", agent=False, host_keys="insecure")
    orders = tuple(command_order(number, "true", is_windows=False) for number in range(1, commands + 1))
    return Sending(orders, settings, 5.0, site)


class TestController:
    """Each deed is one call of one worker, whatever comes of it."""

    def test_an_answer(self, client: Standing, sites: SitesOfRun) -> None:
        sent = sending.by(sites)(order_for(), lambda _: None)
        assert (sent.marks[0].word, sent.lost, sent.handed_over) == ("BEGIN", "gone", 1)
        assert [name for name, _ in client.called] == ["do_once"]

    def test_a_worker_that_ends_is_followed_by_nobody(self, client: Standing, sites: SitesOfRun) -> None:
        """Unlike a survey: the other worker of the site is not asked to do it once more."""
        held = threading.Event()

        def ends(worker: str) -> None:
            client.workers.remove(worker)
            held.wait(10)

        client.answer = ends
        sent = sending.by(sites)(order_for(), lambda _: None)
        held.set()
        assert sent.handed_over is None
        assert "the worker of site north, or the scheduler tls://scheduler:8786, ended in the middle" in sent.why
        assert [name for name, _ in client.called] == ["do_once"]

    @pytest.mark.parametrize(
        ("answer", "handed_over", "why"),
        [
            (None, None, "ended in the middle"),
            (OSError("lost"), None, "ended in the middle"),
            ("text", None, "ended in the middle"),
            (b'{"refused": "it has not the secret"}', 0, "did not begin: it has not the secret"),
            (b'{"fault": "KeyError"}', None, "stumbled in the middle: KeyError"),
            (b"[]", None, "answered with what is no answer of ours"),
            (BEGUN.replace(b'"1"', b'"1 2"'), None, "answered with what is no answer of ours"),
            (BEGUN.replace(b"BEGIN", b"begin\\u001b"), None, "answered with what is no answer of ours"),
            (BEGUN + b" " * 2_000_000, None, "answered with what is no answer of ours"),
        ],
    )
    def test_what_is_no_answer(
        self, client: Standing, sites: SitesOfRun, answer: object, handed_over: object, why: str
    ) -> None:
        """Only a worker's own word that it did not begin counts as that."""

        def answered(_worker: str) -> object:
            if isinstance(answer, Exception):
                raise answer
            return answer

        client.answer = answered
        sent = sending.by(sites)(order_for(), lambda _: None)
        assert (sent.handed_over, sent.marks) == (handed_over, ())
        assert why in sent.why

    def test_a_site_without_a_worker(self, client: Standing, sites: SitesOfRun) -> None:
        """Nothing is begun, and nothing is done from here instead."""
        sent = sending.by(sites)(order_for(site="south"), lambda _: None)
        assert (sent.handed_over, sent.why) == (0, "site south has no worker at the scheduler tls://scheduler:8786")
        assert client.called == []

    def test_what_is_under_way_can_be_ended(self, client: Standing, sites: SitesOfRun) -> None:
        """The worker that does it is told, and what it had seen comes back."""
        ended = threading.Event()

        def waits(_worker: str) -> bytes:
            assert ended.wait(10)
            return BEGUN

        client.answer = waits
        under_way: list[Any] = []
        done: list[Sent] = []
        work = threading.Thread(target=lambda: done.append(sending.by(sites)(order_for(), under_way.append)))
        work.start()
        while not client.called:
            time.sleep(0.01)
        under_way[0].close()
        while len(client.called) < 2:
            time.sleep(0.01)
        ended.set()
        work.join(10)
        assert client.called[1] == ("end", client.called[0][1])
        assert done[0].marks[0].word == "BEGIN"

    def test_one_that_never_answers(self, client: Standing, sites: SitesOfRun, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is told to end, and nobody waits for ever."""
        held = threading.Event()
        client.answer = lambda _worker: held.wait(30)
        monkeypatch.setattr(deeds, "GRACE_SECONDS", -4.9)
        sent = sending.by(sites)(order_for(), lambda _: None)
        held.set()
        assert sent.handed_over is None
        assert "did not answer within" in sent.why

    def test_a_machine_without_a_site_is_spoken_to_from_here(self, client: Standing, sites: SitesOfRun) -> None:
        sent = sending.by(sites)(order_for(site=None), lambda _: None)
        assert sent.handed_over == 0
        assert "127.0.0.1" in sent.why
        assert client.called == []


@dataclass
class Session(Transport):
    """A session whose commands end well, and say what they were given."""

    settings: SSH
    said: bytes = b""
    closed: bool = False

    def connect(self, deadline: Deadline) -> None: ...

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 0) -> Answer:
        fields = dict(line.split("\t", 1) for line in stdin.decode().splitlines() if "\t" in line)
        mark = "\n-----ACT {nonce} {word} {number}{more}-----\n"
        secret = self.settings.password.get_secret_value() if self.settings.password else ""
        text = mark.format(word="BEGIN", more="", **fields) + secret + mark.format(word="END", more=" 0", **fields)
        return Answer(text.encode(), b"", 0)

    def detect_os(self) -> str:
        return "linux"

    def close(self) -> None:
        self.closed = True


class TestWorker:
    """Here in this process."""

    @staticmethod
    def done(run: str, asked: Sending, *, within: float = 30) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as aside:  # a browser's loop of other tests may run in this thread
            answer = aside.submit(asyncio.run, deeds.do_once(order.Order(run, asked), time.time() + within)).result()
        found: dict[str, Any] = json.loads(answer)
        return found

    def test_each_order_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sending, "open_transport", Session)
        told = self.done("run-1", order_for(commands=2))
        assert [(mark["word"], mark["arguments"]) for mark in told["marks"]] == [
            ("BEGIN", ["1"]), ("END", ["1", "0"]), ("BEGIN", ["2"]), ("END", ["2", "0"]),
        ]  # fmt: skip
        assert (told["lost"], told["handed_over"]) == (None, 2)

    def test_a_secret_of_the_worker(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is looked up there, and in nothing that comes back."""
        monkeypatch.setenv("FAR", CANARY)
        monkeypatch.setattr(sending, "open_transport", Session)
        told = self.done("run-2", order_for(SSH(host="x", user="me", password=Reference("${env:FAR}"))))
        assert CANARY not in json.dumps(told)
        assert told["marks"][0]["text"] == "[removed: secret]"

    def test_a_secret_that_it_has_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FAR", raising=False)
        told = self.done("run-3", order_for(SSH(host="x", user="me", password=Reference("${env:FAR}"))))
        assert told["refused"].startswith("it has not the secret to log on with: ")

    def test_what_was_ended_is_not_begun(self) -> None:
        order.end("run-4")
        assert self.done("run-4", order_for()) == {"refused": "the run was ended before its turn"}

    def test_what_comes_too_late_is_not_begun(self) -> None:
        """An order that lay in a buffer while its worker stood still."""
        assert "too late" in self.done("run-5", order_for(), within=-1)["refused"]

    def test_a_session_is_ended_with_its_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also one that is opened after the run was ended."""
        opened: list[Session] = []

        def held(settings: SSH) -> Session:
            order.end("run-6")
            opened.append(Session(settings))
            return opened[0]

        monkeypatch.setattr(sending, "open_transport", held)
        self.done("run-6", order_for())
        assert opened[0].closed

    def test_a_fault_of_ours_says_its_name_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(_settings: SSH) -> Session:
            raise KeyError(CANARY)

        monkeypatch.setattr(sending, "open_transport", fails)
        assert self.done("run-7", order_for()) == {"fault": "KeyError"}

    def test_an_order_shows_nothing(self) -> None:
        made = order.Order("run-8", order_for(SSH(host="x", user="me", password=Secret(CANARY))))
        assert f"{made!r} {made}" == "<order> <order>"
