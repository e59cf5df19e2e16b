"""Ports: whatever answers in a product's place, each look at it is true, and takes nothing from the look beside it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_tentacle.cli import ping as ping_command
from pytest_tentacle.lab.windows.machine import prepare
from pytest_tentacle.link import PingOrder, Target, probe_all
from pytest_tentacle.link.pings.ping import ping, ping_series
from pytest_tentacle.link.pings.pong import Event, Pong
from pytest_tentacle.survey.answer import read_document
from pytest_tentacle.survey.ingest import ingest
from pytest_tentacle.survey.model import Survey
from pytest_tentacle.survey.request import Request
from pytest_tentacle.survey.scripts.linux import linux_call
from pytest_tentacle.survey.scripts.windows import windows_call
from pytest_tentacle.transport.base import Answer
from support import ports
from support.ports import HEALTHY, PORTS, QUICK, SLOW, Conversation, Open, Port, opened

PATIENT = 60.0
"""Seconds of a look at what answers by itself: only a port that says nothing lets it take them."""
BRIEF = 12.0
"""The same for what has no end: enough for a healthy port beside it, on a machine that has other things to do."""
PINGED = tuple(
    port
    for port in PORTS
    if port.name
    in {
        "nothing is said", "one line without end", "reset after the hello", "a certificate of 90 kB", "reset in the page",
        "our own notes in a page", "a page without end", "a page in records of one byte", "NULs without end",
        "marks in a certificate's name", "random bytes for a page", "a hello of random bytes",
    }
)  # fmt: skip
"""One of each kind: an attempt of linux.sh is a dozen processes."""


class Looker:
    """One of our clients, on this machine."""

    def __init__(self, folder: Path, engine: Path, name: str) -> None:
        self.folder, self.engine, self.name = folder, engine, name
        self.blind = name == "linux.sh with curl"  # it tells certificates from 7.88 on, and not behind a long page

    def probes(self, targets: Sequence[Target], seconds: float) -> tuple[ports.Probe, ...]:
        """One look at each."""
        if self.name == "our own client":
            return probe_all(targets, seconds=seconds)
        return self._survey(
            Request(gather=False, targets=tuple(targets), probe_seconds=seconds, budget_seconds=280)
        ).probes

    def pings(self, targets: Sequence[Target], order: PingOrder, seconds: float) -> Sequence[ports.PingSeries]:
        """So many attempts at each."""
        if self.name == "our own client":
            return [ping_series(target, order, seconds=seconds) for target in targets]
        asked = Request(
            gather=False, ping=order, ping_targets=tuple(targets), probe_seconds=seconds, budget_seconds=280
        )
        return self._survey(asked).pings

    def _survey(self, asked: Request) -> Survey:
        call, environment = linux_call(asked), dict(os.environ)
        command = ["dash", "-c", call.command]
        if self.name == "windows.ps1":
            call = windows_call(asked)
            prelude, more = prepare(self.folder)
            options, own = call.command.removeprefix("powershell.exe ").split(" -Command ")
            command = [str(self.engine), *options.split(), "-Command", f". '{prelude}'\n{own.strip(chr(34))}"]
            environment |= more
        if self.name == "linux.sh with curl":
            environment["PATH"] = str(_without_openssl(self.folder))
        done = subprocess.run(command, input=call.stdin, capture_output=True, env=environment, timeout=290, check=False)
        return ingest(read_document(call, Answer(done.stdout, done.stderr, done.returncode)), asked)


def _without_openssl(folder: Path) -> Path:
    """A folder of programs that has all of this machine but one."""
    programs = folder / "programs"
    if not programs.exists():
        programs.mkdir()
        for each in (*Path("/usr/sbin").iterdir(), *Path("/usr/bin").iterdir()):
            if each.name != "openssl" and not (programs / each.name).is_symlink():
                (programs / each.name).symlink_to(each)
    return programs


@pytest.fixture(params=["our own client", "linux.sh", "linux.sh with curl", "windows.ps1"])
def looker(request, tmp_path, engine):
    """Each of our clients."""
    machine = {"hostname": "w", "os": "windows", "addresses": ["127.8.7.6"], "locale": "en", "services": []}
    machine |= {"processes": [], "sockets": [], "names": {}, "denied": []}
    (tmp_path / "machine.json").write_text(json.dumps(machine), encoding="utf-8")
    return Looker(tmp_path, engine, request.param)


class TestLooks:
    def test_each_look_is_true(self, looker):
        """By our own client, by linux.sh with openssl and with curl, and by windows.ps1: stage, certificate, link."""
        wrong = []
        for some, seconds in ((QUICK, PATIENT), (SLOW, BRIEF)):
            with opened([*some, HEALTHY]) as them:
                wrong += ports.judge(them, looker.probes([one.target for one in them], seconds), blind=looker.blind)
        assert wrong == []

    def test_twenty_of_the_largest_certificates(self, looker):
        """What a machine sends of all of them stays far below what it may say: else its other links were unknown."""
        largest = next(port for port in PORTS if "95 kB" in port.name)
        with Open(largest) as one:
            found = looker.probes([one.target] * 20, PATIENT)
        assert sum(len(probe.model_dump_json()) for probe in found) < 20_000


class TestPings:
    def test_each_attempt_is_true(self, looker):
        """Of the surveys' pings; two at each."""
        silent = tuple(port for port in PINGED if port.name == "nothing is said")
        for some, seconds in ((tuple(port for port in PINGED if port not in silent), PATIENT), (silent, BRIEF)):
            with opened([*some, HEALTHY]) as them:
                found = looker.pings([one.target for one in them], PingOrder(count=2), seconds)
                assert ports.judge_pings(them, found) == []
            healthy = next(one for one in found if one.port == them[-1].number)
            assert (healthy.sent, healthy.lost) == (2, 0)

    def test_another_certificate_each_time(self, looker):
        """Only some of them are kept, and each attempt is still told."""
        shown = iter(range(1_000))

        def talk(client: Conversation) -> None:
            client.shake(ports.certificate(f"number {next(shown)}", names=200)[0])
            client.answer(ports.PAGE)

        with Open(Port("x", talk, ports.WELL)) as one:
            (series,) = looker.pings([one.target], PingOrder(count=6), PATIENT)
        assert (series.sent, series.lost) == (6, 0)
        assert looker.blind or 1 <= len(series.certificates) <= 20
        assert len(series.model_dump_json()) < ports.MOST_KEPT + 33_000

    def test_the_command(self, capsys):
        """`pytest-tentacle ping`: each line is harmless and true, in words and as JSON."""
        parser = ping_command.argparse.ArgumentParser()
        ping_command.add(parser)
        with opened([*QUICK, HEALTHY]) as them:
            for one in them:
                for more in ([], ["--json"]):
                    common = ["127.0.0.1", "--port", str(one.number), "--count", "1", "--timeout", str(PATIENT)]
                    code = ping_command.run(parser.parse_args([*common, *more]))
                    said = capsys.readouterr().out
                    assert all(letter.isprintable() or letter == "\n" for letter in said), one.hostile.name
                    assert (code == 0) <= ("well" in one.hostile.told), one.hostile.name
                    assert len(said) < 2 * ports.MOST_KEPT
                assert json.loads(said)["succeeded"] is (code == 0)


def _garbage(connection: socket.socket) -> None:
    connection.sendall(b"\x16\x03\x03\x40\x00" + b"\xff" * 40_000)


def _secure(connection: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def _endless_line(connection: socket.socket) -> None:
    with _secure(connection) as stream:
        stream.sendall(b"MX" + b"\x1b[2J\0" * 1_000_000)


def _line_ends(connection: socket.socket) -> None:
    with _secure(connection) as stream:
        stream.sendall(b"\r" * 500_000 + b"\n\r" * 500_000)


def _broken_off(connection: socket.socket) -> None:
    with _secure(connection) as stream:
        stream.sendall(b"MX\r\n\r\n")


CLIENTS = (
    lambda connection: connection.sendall(b""),
    lambda connection: connection.sendall(b"GET / HTTP/1.1\r\n\r\n"),
    _garbage,
    lambda connection: _secure(connection).close(),
    _endless_line,
    _line_ends,
    _broken_off,
)


class TestPong:
    def test_it_outlives_its_clients(self):
        """`pytest-tentacle pong`: silent, broken off, garbage, lines without end, more than it serves at once."""
        told: list[Event] = []
        with Pong(0, bind="127.0.0.1", on_event=told.append) as pong:
            silent = [socket.create_connection(("127.0.0.1", pong.port)) for _ in range(20)]
            for attack in CLIENTS:
                with socket.create_connection(("127.0.0.1", pong.port)) as connection:
                    connection.settimeout(PATIENT)
                    try:
                        attack(connection)
                    except OSError:
                        continue  # pong has closed it
            target = Target(host="127.0.0.1", port=pong.port, by="address")
            result = ping(target, count=2, seconds=PATIENT)
            assert (result.sent, result.lost) == (2, 0)
            for each in silent:
                each.close()
        assert all(letter.isprintable() for event in told for letter in f"{event.client} {event.what}")
        assert max(len(event.what) for event in told) < 500

    def test_no_room_for_a_thread(self, monkeypatch):
        """It closes that connection, and answers the next."""
        from pytest_tentacle.link.pings import listener

        real, refused = listener.threading.Thread.start, []

        def start(thread) -> None:
            if thread.name.startswith("serve") and not refused:
                refused.append(thread)
                raise RuntimeError("can't start new thread")
            real(thread)

        with Pong(0, bind="127.0.0.1") as pong:
            monkeypatch.setattr(listener.threading.Thread, "start", start)
            target = Target(host="127.0.0.1", port=pong.port, by="address")
            result = ping(target, count=2, interval=0.01, seconds=PATIENT)
        assert (result.sent, result.lost, len(refused)) == (2, 1, 1)


def test_programs_are_there():
    """Nothing above is shown by a client that is missing."""
    assert all(shutil.which(program) for program in ("openssl", "curl", "dash"))
