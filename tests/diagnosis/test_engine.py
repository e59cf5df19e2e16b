"""The diagnosis of one machine: fewest causes, order, what is blocked, unknown, unexplained or in doubt."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.link import Failure
from pytest_tentacle.survey.surroundings import LeftOver
from support.faults import CASES
from support.fleets.looks import also_from

DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
REFUSED = {"fails": "connect", "error": Failure.REFUSED}


class TestUnknownAndBlocked:
    """Neither causes nor their absence."""

    def test_a_machine_that_cannot_be_looked_at(self, world: Any, diagnosed: Any) -> None:
        """Unreachable by our login: that says nothing of the Tentacle, whose link works."""
        world.dark("web-01")
        assert not diagnosed(world).views()

    def test_nothing_can_be_looked_at(self, world: Any, diagnosed: Any) -> None:
        """A run without a single login invents nothing."""
        for name in world.drafts:
            world.dark(name)
        assert not diagnosed(world).views()

    def test_waiting_for_the_server(self, world: Any, diagnosed: Any) -> None:
        """All pollers of a stopped server are listed under its cause, and are no causes of their own."""
        world.down("octo-1")
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC2061"
        assert cause.machines == ("octo-1", "poll-01", "poll-02")
        assert cause.affected == ("poll-01", "poll-02")
        assert "poll-01 and poll-02 wait for it" in cause.sentence

    def test_echoes_in_logs(self, world: Any, diagnosed: Any) -> None:
        """What the pollers' logs tell of a stopped server needs no cause of its own."""
        world.down("octo-1")
        text = "https://octo-1.example:10943/        12  The remote host at https://octo-1.example:10943/ refused the connection."
        world.say("poll-01", "ERROR", text)
        diagnosis = diagnosed(world)
        assert [cause.code for cause in diagnosis.causes] == ["TC2061"]
        assert not diagnosis.unexplained

    def test_a_blocker_that_was_not_selected(self, world: Any, judged: Any) -> None:
        """Only the links were judged; the server's stopped service is found all the same."""
        world.down("octo-1")
        fleet, results = judged(world)
        across = [result for result in results if result.step == "welcome-page-across"]
        (cause,) = diagnose(fleet, across).causes
        assert cause.code == "TC2061"
        assert "poll-02" in cause.machines


def test_a_cause_to_be_mended_elsewhere_names_the_service_there(world: Any, diagnosed: Any) -> None:
    """A node does not know a poller yet: it is the server's service there that reads its machines again."""
    next(case for case in CASES if case.code == "TC1033").change(world)
    found = next(each for each in diagnosed(world).machines["poll-01"].causes if each.kind.code == "TC1033")
    assert (found.place, found.facts["service"]) == ("octo-2", "OctopusDeploy")


class TestFewest:
    """As few causes as explain everything, in the order of mending."""

    def test_one_for_service_and_settings(self, world: Any, diagnosed: Any, faults: Any) -> None:
        """A crashed service, a foreign port holder: one cause, and both problems are explained by it."""
        next(case for case in faults.CASES if case.code == "TC5021").change(world)
        (found,) = diagnosed(world).machines["web-01"].causes
        assert {problem.code for problem in found.problems} == {"TT203", "TT502"}

    def test_two_faults_are_two_causes_in_order(self, world: Any, diagnosed: Any) -> None:
        """What breaks the start comes before what waits for it."""
        world["web-01"].config_error = "empty"
        world.down("web-01", start_mode="disabled")
        causes = diagnosed(world).machines["web-01"].causes
        assert [found.kind.code for found in causes] == ["TC3022", "TC2051"]
        ranks = [found.kind.rank for found in causes]
        assert ranks == sorted(ranks)

    def test_two_servers_one_firewall(self, world: Any, diagnosed: Any) -> None:
        """Kept out by one firewall from both servers: one cause on the machine."""
        world.add_server("octo-2", "192.0.2.11")
        for name in ("web-01", "web-02"):
            world[name].declare(servers=("octo-1", "octo-2"))
            world["octo-2"].peer += also_from("octo-2", world["octo-1"].peer, name)
        for server in ("octo-1", "octo-2"):
            world.both("web-01", DROPPED, server)
        world.sections["web-01"]["firewall"] = "access is denied"
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC5201"
        assert "octo-1 and octo-2" in cause.sentence

    def test_a_log_gives_way(self, world: Any, diagnosed: Any) -> None:
        """What the probe shows explains what the server's log tells."""
        world.both("web-01", DROPPED)
        text = "https://web-01.example:10933/        34  The client was unable to establish the initial connection within the timeout 00:01:00."
        world.say("octo-1", "ERROR", text)
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC5202"
        assert {"TT108", "TT521"} <= cause.explains


class TestUnexplained:
    """What has no cause stays visible, and only there comes the last resort."""

    @pytest.fixture
    def cause(self, world: Any, diagnosed: Any, make_problem: Any) -> Any:
        """A problem of a check that the catalogue does not know."""
        diagnosis = diagnosed(world, make_problem("USER01", "web-01"))
        assert not diagnosis.causes
        return diagnosis.views()[-1]

    def test_it_stays(self, cause: Any) -> None:
        """With its code, its evidence and the machine."""
        assert cause.code == "USER01"
        assert cause.machines == ("web-01",)
        assert cause.confidence == ""
        assert "it shows USER01" in cause.evidence[0].text

    def test_nothing_is_advised_for_a_check_of_ones_own(self, cause: Any) -> None:
        """What it means only its author knows: to remove a Tentacle for it would be worse than to say nothing."""
        assert cause.sentence == "Expected: it is well. Found: it shows USER01."
        assert not cause.remedy_windows
        assert not cause.remedy_linux

    def test_last_resort(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """Restart both ends, then a clean slate, with all commands; nothing of Linux for a Windows machine."""
        cause = diagnosed(world, make_problem("TT527", "web-01")).views()[-1]
        told = "\n".join(cause.remedy_windows)
        assert "last resort" in told
        assert "$ Restart-Service -Name 'OctopusDeploy Tentacle'" in cause.remedy_windows
        assert "delete-instance --instance Tentacle" in told
        assert told.index("Restart-Service") < told.index("delete-instance")
        assert not cause.remedy_linux

    def test_a_text_that_nobody_knows(self, world: Any, diagnosed: Any) -> None:
        """A real one: communication failed with words that are in no catalogue."""
        text = (
            "https://octo-1.example:10943/        12  Unexpected exception executing transaction.\n"
            "System.Exception: Something entirely new"
        )
        world.say("poll-01", "ERROR", text)
        (view,) = diagnosed(world).views()
        assert (view.code, view.machines) == ("TT131", ("poll-01",))
        assert "Something entirely new" in "".join(item.text for item in view.evidence)
        assert "Something entirely new" in view.sentence
        assert "last resort" not in "".join(view.remedy_linux), "its words are to be read first"

    @pytest.mark.parametrize("code", ["TC2021", "TC5201", "TT971"])
    def test_not_where_a_cause_is_known(self, code: str, world: Any, diagnosed: Any, faults: Any) -> None:
        """Nobody is told to tear down what can be mended."""
        next(case for case in faults.CASES if case.code == code).change(world)
        for cause in diagnosed(world).views():
            told = "".join((*cause.remedy_windows, *cause.remedy_linux))
            assert "last resort" not in told
            assert "delete-instance" not in told

    def test_left_overs(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """What an earlier installation left is shown there."""
        world.sections["web-01"]["left_overs"] = (LeftOver(kind="folder", where="C:\\Octopus.old"),)
        (view,) = diagnosed(world, make_problem("USER01", "web-01")).views()
        assert any("C:\\Octopus.old" in item.text for item in view.evidence)

    def test_beside_a_cause(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """A cause does not take with it what it does not explain."""
        world.down("web-01")
        diagnosis = diagnosed(world, make_problem("USER01", "web-01"))
        assert [view.code for view in diagnosis.views()] == ["TC2021", "USER01"]


class TestDoubts:
    """What could have told two causes apart."""

    def test_log_on_to_tell(self, world: Any, diagnosed: Any) -> None:
        """A server that nobody reaches and nobody could look at."""
        world.dark("octo-1")
        for name in ("poll-01", "poll-02"):
            world.both(name, DROPPED)
        diagnosis = diagnosed(world)
        assert [cause.code for cause in diagnosis.causes] == ["TC5205"]
        (doubt,) = diagnosis.doubts
        assert doubt.advice == "Log on to octo-1 to tell a firewall from a stopped service or a machine that is down."
        assert doubt.machines == ("poll-01", "poll-02")

    def test_no_doubt_where_it_is_told(self, world: Any, diagnosed: Any) -> None:
        """A stopped service is a stopped service."""
        world.down("web-01")
        assert not diagnosed(world).doubts
