"""`--restart` on Windows: our script over WinRM, in a real PowerShell, with stand-ins for the service controller."""

from __future__ import annotations

import pytest

from acting.conftest import SERVICE, Machine
from pytest_tentacle.acting.restarting import Restart, restart
from pytest_tentacle.acting.sending import send
from pytest_tentacle.survey.actions import ActionResult, By


def test_a_running_service_is_restarted(machine: Machine) -> None:
    machine.describe(state="running", pid=100)
    action = machine.restart()
    assert (action.result, action.told) == (
        ActionResult.DONE, f"{SERVICE} was restarted as process 1100 and kept running for 1 s",
    )  # fmt: skip
    assert machine.changed() == ["Restart-Service"]
    assert action.before is not None
    assert action.before.pid == 100


def test_a_stopped_service_is_started(machine: Machine) -> None:
    """`Restart-Service` and `service --restart` are for what runs."""
    machine.describe(state="stopped", pid=100)
    action = machine.restart()
    assert action.told.startswith(f"{SERVICE} was started as process 1100")
    assert machine.changed() == ["Start-Service"]


def test_one_that_stops_again(machine: Machine) -> None:
    """With what its log said meanwhile, and nothing of before."""
    machine.describe(state="running", dies_again=["before"])
    machine.restart()
    machine.describe(
        state="stopped", dies_again=["2026-11-30 01:00:00.0000  77  1 FATAL  Das Kabel ist wüst", "  at X"]
    )
    action = machine.restart()
    assert action.result is ActionResult.FAILED
    assert "was started and stopped again" in action.told
    assert action.log == ("2026-11-30 01:00:00.0000  77  1 FATAL  Das Kabel ist wüst", "  at X")


def test_one_that_cannot_be_started(machine: Machine) -> None:
    machine.describe(state="stopped", start_mode="disabled")
    action = machine.restart()
    assert action.result is ActionResult.FAILED
    assert "it is disabled" in action.told


@pytest.mark.parametrize("name", ["no such service", "*", "Octopus[D]eploy Tentacle", "x'; Restart-Service *; '"])
def test_a_name_is_a_name(machine: Machine, name: str) -> None:
    """No pattern, and no code: nothing is restarted that has another name."""
    machine.describe(state="running", start_mode="auto")
    action = machine.restart(name)
    assert action.result is ActionResult.LEFT_ALONE, action.told
    assert machine.changed() == []


def test_a_wrong_password(machine: Machine) -> None:
    machine.describe(state="running")
    settings = machine.machine.transport.model_copy(update={"user": "nobody"})
    action = restart(
        Restart("web", settings, is_windows=True, service=SERVICE, log=None, by=By()), send, lambda _: None
    )
    assert action.result is ActionResult.LEFT_ALONE
    assert action.commands == ()
    assert machine.changed() == []
