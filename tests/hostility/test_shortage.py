"""What this machine lacks is told as its own, and never as the other one's failure."""

from __future__ import annotations

import errno
import os
import resource
import socket
import threading
from pathlib import Path

import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.link import By, Target, probe, probe_all
from pytest_tentacle.shortage import shortage
from pytest_tentacle.survey import host
from pytest_tentacle.transport import Deadline, TransportError, open_transport
from support import hostile


@pytest.fixture
def no_threads(monkeypatch):
    """From now on so many threads can be started: `no_threads(3)`."""
    start = threading.Thread.start

    def limit(count):
        left = [count]

        def limited(thread):
            if left[0] <= 0:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", limited)

    return limit


@pytest.fixture
def no_descriptors():
    """No file can be opened any more, and no socket, but for so many: `no_descriptors(0)`."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def limit(room):
        highest = max(int(path.name) for path in Path("/proc/self/fd").iterdir())
        held.extend(os.dup(0) for _ in range(highest))  # every number below is taken
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(held) + 1 + room, before[1]))

    held: list[int] = []
    yield limit
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    for number in held:
        os.close(number)


class TestThreads:
    @pytest.mark.parametrize("room", [0, 1, 2])
    def test_a_run_with_few_or_none(self, monkeypatch, documents, no_threads, room):
        """With one thread all machines are surveyed; with none each is told as not asked, for want of threads."""
        no_threads(room)
        outcome = hostile.run(monkeypatch, {name: hostile.framed(document) for name, document in documents.items()})
        for name in documents:
            why = outcome.why(name)
            assert why is None if room else "this machine, which runs pytest, has no threads" in why

    def test_looks_go_on_with_those_that_run(self, no_threads):
        """Even where none does."""
        no_threads(0)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        targets = [Target(link={"vantage": "here", "instance": "x"}, host="127.0.0.1", port=port, by=By.ADDRESS)] * 3
        assert [each.connect.error for each in probe_all(targets, seconds=2)] == ["refused"] * 3


class TestDescriptors:
    def test_a_look_says_so(self, no_descriptors):
        """And nothing of the link."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            target = Target(
                link={"vantage": "here", "instance": "x"}, host="127.0.0.1", port=server.getsockname()[1], by=By.ADDRESS
            )
            no_descriptors(0)
            found = probe(target, seconds=2)
        assert "this machine has no file descriptors" in found.unavailable
        assert found.connect is None

    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
    def test_a_log_on_says_so(self, documents, no_descriptors, monkeypatch, name):
        """Neither a connection that fails, nor a file that cannot be read, nor a name that cannot be resolved."""
        inventory = hostile.inventory()
        task = host.HostTask(
            host_key="ssh://x:22", machines=("web-01",), settings=SSH(host=name, user="u", port=1), os=None,
            request=hostile.Plan().request(), timeout=5,
        )  # fmt: skip
        assert inventory.machines
        no_descriptors(0)
        record = host.survey_host(task)
        assert "this machine, which runs pytest, has no file descriptors" in record.unreachable.summary
        assert record.unreachable.stage == "not-asked"


class TestShortage:
    @pytest.mark.parametrize(
        ("error", "what"),
        [
            (MemoryError(), "memory"),
            (OSError(errno.EMFILE, "x"), "file descriptors (see ulimit -n)"),
            (RuntimeError("can't start new thread"), "threads (see ulimit -u, or the container's limit of processes)"),
            (OSError(errno.ECONNREFUSED, "x"), None),
            (RuntimeError("x"), None),
            (None, None),
        ],
        ids=repr,
    )
    def test_it_is_known_by_itself(self, error, what):
        """And nothing else is taken for it."""
        assert shortage(error) == what

    def test_it_is_known_behind_what_it_led_to(self):
        """An error of the log-on that a missing descriptor led to."""
        error = TransportError("connect", "no connection", "Run again.")
        error.__context__ = OSError(errno.EMFILE, "Too many open files")
        error.__suppress_context__ = True
        assert shortage(error) == "file descriptors (see ulimit -n)"

    def test_a_refused_connection_is_none(self):
        """The other machine's failure stays its own."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        with pytest.raises(TransportError) as caught:
            open_transport(SSH(host="127.0.0.1", user="u", port=port)).connect(Deadline(5))
        assert shortage(caught.value) is None
