"""The step "Zombie child processes": left-overs beside a living service, and what is another step's finding."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from support.fleets.looks import OWN_PORT

GONE = {"address": "0.0.0.0", "port": 10933, "pid": 4711}
CHILD = {"pid": 4712, "name": "powershell.exe", "parent_pid": 4711}
SCRIPT = {"pid": 4711, "name": "powershell.exe", "command_line": r"powershell -File C:\Octopus\Work\1\Script.ps1"}


def started(world: Any, seconds: int) -> dict[str, Any]:
    """A script that was started so long after the service."""
    return SCRIPT | {
        "parent_pid": 1,
        "started_utc": world["web-01"].service["started_utc"] + timedelta(seconds=seconds),
    }


def judge(world: Any, name: str = "web-01") -> Any:
    return world.fleet().subject(name).result("zombie-child-processes")


class TestBesideTheService:
    """The service has its port, and somebody else has it too."""

    @pytest.mark.parametrize("children", [[CHILD], []])
    def test_a_dead_holder(self, world: Any, children: list[Any]) -> None:
        """Its process is gone; its children, if any are left, are named."""
        world["web-01"].listeners.append(GONE | {"children": children})
        result = judge(world)
        assert [problem.code for problem in result.problems] == ["TT721"]
        problem = result.problems[0]
        assert "4711" in problem.actual
        assert problem.facts["children"] == tuple(child["pid"] for child in children)
        assert len(problem.evidence) == 2

    def test_a_script_of_an_earlier_process(self, world: Any) -> None:
        """It is older than the process that the service runs in now."""
        world["web-01"].listeners.append(GONE | {"owner": started(world, -60)})
        assert [problem.code for problem in judge(world).problems] == ["TT721"]

    def test_at_the_server(self, world: Any) -> None:
        """The polling port of a server, likewise."""
        world["octo-1"].listeners.append(GONE | {"port": 10943})
        assert [problem.code for problem in judge(world, "octo-1").problems] == ["TT721"]

    def test_a_script_that_is_at_work(self, world: Any) -> None:
        """A running task's script, at whatever depth below the living Tentacle, is no zombie."""
        world["web-01"].listeners.append(GONE | {"owner": started(world, 60)})
        assert judge(world).outcome is Outcome.PASSED

    def test_its_age_is_not_known(self, world: Any) -> None:
        """Nobody is called a zombie on suspicion."""
        world["web-01"].listeners.append(GONE | {"owner": SCRIPT | {"parent_pid": 1}})
        assert judge(world).outcome is Outcome.PASSED

    def test_another_port(self, world: Any) -> None:
        """Only the instance's own port matters."""
        world["web-01"].listeners.append(GONE | {"port": 10943})
        assert judge(world).outcome is Outcome.PASSED


class TestInstead:
    """Somebody else has the port in the service's stead: the step of the page on the machine itself says so."""

    def test_a_zombie(self, world: Any, make_probe: Any) -> None:
        """TT503 is found once, and this step points to it."""
        world["web-01"].listeners = [GONE | {"children": [CHILD]}]
        world["web-01"].replace(OWN_PORT, make_probe(fails="tls", error=Failure.TIMED_OUT))
        result = judge(world)
        assert result.outcome is Outcome.BLOCKED
        assert result.blocked_by == ("TT503", "web-01")

    def test_another_program(self, world: Any, make_probe: Any) -> None:
        """It is no zombie, and that is all that is asked here."""
        world["web-01"].listeners = [GONE | {"owner": {"pid": 4711, "name": "nginx"}}]
        world["web-01"].replace(OWN_PORT, make_probe(page="other", whose="nginx"))
        result = judge(world)
        assert result.outcome is Outcome.PASSED
        assert "nginx" in " ".join(result.looked_at)


class TestWell:
    """Nothing is left over, or it could not be seen."""

    @pytest.mark.parametrize("machine", ["web-01", "octo-1"])
    def test_passes(self, world: Any, machine: str) -> None:
        """The service alone holds its port."""
        result = judge(world, machine)
        assert result.outcome is Outcome.PASSED
        assert result.looked_at

    def test_nobody_listens(self, world: Any) -> None:
        """Then nobody holds the port."""
        world["web-01"].listeners = []
        assert "nothing listens on port 10933" in " ".join(judge(world).looked_at)

    def test_unknown(self, world: Any) -> None:
        """The sockets could not be read."""
        world["web-01"].unknown["listeners"] = "access denied"
        assert judge(world).outcome is Outcome.UNKNOWN

    def test_no_settings(self, world: Any) -> None:
        """Nobody knows which port it would be."""
        world["web-01"].config_error = "not-found"
        assert judge(world).blocked_by == ("TT301", "web-01")
