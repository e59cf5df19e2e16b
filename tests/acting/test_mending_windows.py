"""Commands of a remedy on Windows: as they are shown, over WinRM, in a real PowerShell."""

from __future__ import annotations

from pathlib import Path

import pytest

from acting.conftest import SERVICE, Machine
from pytest_tentacle.acting.mendable import commands_of
from pytest_tentacle.acting.mending import judged, seen
from pytest_tentacle.acting.restarting import Sent, send
from pytest_tentacle.acting.scripts import commands_order
from pytest_tentacle.survey.actions import ActionResult
from support.faults import CASES
from support.whole import wide_fleet


def run(machine: Machine, *commands: str) -> Sent:
    order = commands_order(commands, is_windows=True)
    return send(order, machine.machine.transport, 60, lambda _: None)


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
    assert told.endswith("the 1 behind it not begun")
    assert machine.service()["start_mode"] == "disabled"


def test_a_program_that_fails(machine: Machine) -> None:
    """Its exit code counts, and what it writes on stderr is no failure by itself."""
    program = machine.folder / "files" / "C" / "tool.exe"
    program.write_text("#!/bin/sh\necho said; echo complained >&2; exit ${1:-0}\n", encoding="ascii")
    Path(program).chmod(0o755)
    commands = ("& 'C:\\tool.exe'", "& 'C:\\tool.exe' 3", "& 'C:\\tool.exe'")
    result, told, ran = judged(run(machine, *commands), commands)
    assert (result, ran) == (ActionResult.FAILED, 2)
    assert "command 2 of 3 ended with code 3: said" in told
