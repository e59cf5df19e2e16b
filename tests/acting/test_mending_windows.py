"""Commands of a remedy on Windows: as they are shown, over WinRM, in a real PowerShell."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from acting.conftest import SERVICE, Machine
from pytest_tentacle.acting.carrying_out import alone
from pytest_tentacle.acting.mendable import commands_of
from pytest_tentacle.acting.mending import Mending, carry_out, judged, seen
from pytest_tentacle.acting.scripts import command_order
from pytest_tentacle.acting.sending import Sending, Sent, send
from pytest_tentacle.cli import mend
from pytest_tentacle.cli.looking import Console
from pytest_tentacle.inventory.model import Inventory, WinRM
from pytest_tentacle.survey.actions import Action, ActionResult, By
from support.faults import CASES
from support.fleets.clusters import wait_for
from support.fleets.whole import wide_fleet


def run(machine: Machine, *commands: str) -> Sent:
    orders = tuple(command_order(number, each, is_windows=True) for number, each in enumerate(commands, start=1))
    return send(Sending(orders, machine.machine.transport, 60), lambda _: None)


def commands_for(code: str) -> tuple[str, ...]:
    """Those that are run against a cause on the made-up fleet's Windows machine."""
    for case in (case for case in CASES if case.code == code):
        world = wide_fleet()
        case.change(world)
        before = seen(world.surveys())
        for name in before.causes:
            found = before.find(name, code)
            if found is not None and before.fleet.subject(name).system == "windows":
                return tuple(line for line, _ in commands_of(found, is_windows=True).lines)
    raise LookupError(code)


@pytest.mark.parametrize("code", ["TC2021", "TC2051"])
def test_a_service_is_brought_back(machine: Machine, code: str) -> None:
    """By the commands of the product's table, and no others."""
    machine.describe(state="stopped", start_mode="disabled" if code == "TC2051" else "auto", pid=100)
    commands = commands_for(code)
    result, told, ran = judged(run(machine, *commands), commands)
    assert (result, told) == (
        ActionResult.NOT_KNOWN,
        "its command ended well" if ran == 1 else f"all {ran} commands ended well",
    )
    assert (machine.service()["state"], machine.service()["start_mode"]) == ("running", "auto")


def test_the_first_that_fails_ends_it(machine: Machine) -> None:
    """With its own words; what stands behind it is not begun."""
    machine.describe(state="stopped", start_mode="disabled", pid=100)
    commands = (f"Start-Service -Name '{SERVICE}'", f"Set-Service -Name '{SERVICE}' -StartupType Automatic")
    result, told, ran = judged(run(machine, *commands), commands)
    assert (result, ran) == (ActionResult.FAILED, 1)
    assert "it is disabled" in told
    assert told.endswith("the 1 behind it not sent")
    assert machine.service()["start_mode"] == "disabled"


SLOW = "[IO.File]::WriteAllText('{0}', 'begun'); Start-Sleep -Seconds 4"
"""A command that takes some seconds, and leaves a file when it begins."""


class TestEndedInTheMiddle:
    """The first command is under way when it ends: the second is never sent, and nothing is sent twice."""

    @pytest.fixture
    def task(self, machine: Machine, tmp_path: Path) -> Mending:
        machine.describe(state="running", start_mode="auto", pid=100)
        world = wide_fleet()
        world["web-01"].service |= {"state": "stopped", "pid": None}
        found = seen(world.surveys()).find("web-01", "TC2021")
        assert found is not None
        commands = (SLOW.format(tmp_path / "begun"), f"Restart-Service -Name '{SERVICE}'")
        return Mending(machine.machine, found, commands, is_windows=True, by=By())

    @staticmethod
    def once(begun: Path, then: Callable[[], object]) -> threading.Thread:
        """Do it when the first command is under way."""

        def wait() -> None:
            wait_for("the first command", begun.exists)
            then()

        thread = threading.Thread(target=wait)
        thread.start()
        return thread

    def test_the_log_on_is_lost(self, machine: Machine, task: Mending, tmp_path: Path) -> None:
        settings = machine.machine.transport
        assert isinstance(settings, WinRM)
        with Relay(settings.host, settings.port) as relay:
            through = settings.model_copy(update={"port": relay.port})
            far = replace(task, machine=machine.machine.model_copy(update={"transport": through}))
            cut = self.once(tmp_path / "begun", relay.cut)
            action, interrupted = alone(lambda sessions: carry_out(far, send, sessions))
            cut.join()
        assert action is not None, "it broke off"
        assert (action.result, interrupted, action.commands) == (ActionResult.NOT_KNOWN, False, task.commands[:1])
        assert action.told.startswith("command 1 of 2 was ")
        assert action.told.endswith("; the 1 behind it not sent")
        assert machine.changed() == []

    def test_ctrl_c(self, machine: Machine, task: Mending, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
        """The command ends with the exit code of Ctrl-C; what was run is written down, and what to look at is said."""
        monkeypatch.chdir(tmp_path)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        pressed = self.once(tmp_path / "begun", lambda: os.kill(os.getpid(), signal.SIGINT))
        try:
            ways = mend._Ways(lambda _: pytest.fail("nothing is looked at after Ctrl-C"), send, "r.json")
            code = mend._run_all(Console(Inventory()), seen(wide_fleet().surveys()), [task], ways, [])
        finally:
            pressed.join()
            signal.signal(signal.SIGINT, before)
        assert code == 130
        (line,) = (tmp_path / "reports" / "changes.jsonl").read_text(encoding="utf-8").splitlines()
        written = Action.model_validate_json(line)
        assert (written.result, written.commands) == (ActionResult.NOT_KNOWN, task.commands[:1])
        out = capsys.readouterr().out
        assert "pytest-tentacle mend r.json --cause TC2021 --machine web --dry-run" in out
        assert f"Not sent, and still to be done:\n    $ {task.commands[1]}\n" in out
        assert machine.changed() == []


class Relay:
    """A way to a server that can be cut."""

    def __init__(self, host: str, port: int) -> None:
        self._there = (host, port)
        self._door = socket.create_server((host, 0))
        self.port = int(self._door.getsockname()[1])
        self._ends: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Nobody gets through any more."""
        self._door.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection(self._there)
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)


def test_a_program_that_fails(machine: Machine) -> None:
    """Its exit code counts, and what it writes on stderr is no failure by itself."""
    program = machine.folder / "files" / "C" / "tool.exe"
    program.write_text("#!/bin/sh\necho said; echo complained >&2; exit ${1:-0}\n", encoding="ascii")
    Path(program).chmod(0o755)
    commands = ("& 'C:\\tool.exe'", "& 'C:\\tool.exe' 3", "& 'C:\\tool.exe'")
    result, told, ran = judged(run(machine, *commands), commands)
    assert (result, ran) == (ActionResult.FAILED, 2)
    assert "command 2 of 3 ended with code 3: said" in told
