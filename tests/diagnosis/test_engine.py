"""The diagnosis as a whole: fewest causes, order, folding, what is blocked, unknown, unexplained or in doubt."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.link import Failure
from pytest_tentacle.report.causes import Cause, CauseView

DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
REFUSED = {"fails": "connect", "error": Failure.REFUSED}
STOPPED = {"state": "stopped", "pid": None, "exit_code": 0}


def view_of(cause: CauseView) -> CauseView:
    """Does nothing: mypy sees here that a folded cause is what the report wants."""
    return cause


def big_world(new_world: Any, listening: int, polling: int) -> Any:
    """One server, and Tentacles in subnets of 200."""
    world = new_world()
    world.add_server("octo-1", "10.0.0.1")
    for number in range(listening):
        world.add_listening(f"web-{number}", f"10.1.{number // 200}.{number % 200 + 1}")
    for number in range(polling):
        world.add_polling(f"poll-{number}", f"10.2.{number // 200}.{number % 200 + 1}")
    return world


class TestHealthyFleets:
    """Nothing wrong, nothing found."""

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(st.booleans(), st.integers(1, 250)), max_size=12, unique_by=lambda item: item[1]))
    def test_no_cause(self, new_world: Any, diagnosed: Any, drawn: list[tuple[bool, int]]) -> None:
        """Whatever the healthy fleet, there is no cause, no unexplained problem and no doubt."""
        world = new_world()
        world.add_server("octo-1", "192.0.2.10")
        for listening, number in drawn:
            add = world.add_listening if listening else world.add_polling
            add(f"machine-{number}", f"198.51.{number % 3}.{number}")
        diagnosis = diagnosed(world)
        assert not diagnosis.views()
        assert not diagnosis.doubts
        assert not diagnosis.machines


class TestUnknownAndBlocked:
    """Neither causes nor their absence."""

    def test_a_machine_that_cannot_be_looked_at(self, world: Any, diagnosed: Any, tools: Any) -> None:
        """Unreachable by our login: that says nothing of the Tentacle, whose link works."""
        world["web-01"].unreachable = tools.builder.Unreachable(stage="connect", summary="no answer", advice="see why")
        assert not diagnosed(world).views()

    def test_waiting_for_the_server(self, world: Any, diagnosed: Any, tools: Any) -> None:
        """All pollers of a stopped server are listed under its cause, and are no causes of their own."""
        stop_server(world, tools)
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC213"
        assert cause.machines == ("octo-1", "poll-01", "poll-02")
        assert cause.affected == ("poll-01", "poll-02")
        assert "poll-01 and poll-02 wait for it" in cause.sentence

    def test_echoes_in_logs(self, world: Any, diagnosed: Any, make_problem: Any, tools: Any) -> None:
        """What the pollers' logs tell of a stopped server needs no cause of its own."""
        stop_server(world, tools)
        diagnosis = diagnosed(world, make_problem("TT107", "poll-01", host="octo-1.example", port=10943))
        assert [cause.code for cause in diagnosis.causes] == ["TC213"]
        assert not diagnosis.unexplained

    def test_a_blocker_that_was_not_selected(self, world: Any, judged: Any, tools: Any) -> None:
        """Only the links were judged; the server's stopped service is found all the same."""
        stop_server(world, tools)
        fleet, results = judged(world)
        across = [result for result in results if result.step == "welcome-page-across"]
        (cause,) = diagnose(fleet, across).causes
        assert cause.code == "TC213"
        assert "poll-02" in cause.machines


class TestFewest:
    """As few causes as explain everything, in the order of mending."""

    def test_one_for_service_and_settings(self, world: Any, diagnosed: Any, tools: Any) -> None:
        """A crashed service, a foreign port holder: one cause, and both problems are explained by it."""
        owner = {"pid": 4711, "name": "nginx", "parent_pid": 1}
        world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 4711, "owner": owner}]
        world["web-01"].own = [tools.probe(page="other", whose="nginx", probe_id="local:Tentacle")]
        world["web-01"].service |= STOPPED | {"exit_code": 1067}
        (found,) = diagnosed(world).machines["web-01"].causes
        assert {problem.code for problem in found.problems} == {"TT203", "TT502"}

    def test_two_faults_are_two_causes_in_order(self, world: Any, diagnosed: Any) -> None:
        """What breaks the start comes before what waits for it."""
        world["web-01"].config_error = "empty"
        world["web-01"].service |= STOPPED | {"start_mode": "disabled"}
        causes = diagnosed(world).machines["web-01"].causes
        assert [found.kind.code for found in causes] == ["TC303", "TC203"]
        ranks = [found.kind.rank for found in causes]
        assert ranks == sorted(ranks)

    def test_two_servers_one_firewall(self, world: Any, diagnosed: Any, tools: Any) -> None:
        """Kept out by one firewall from both servers: one cause on the machine."""
        world.add_server("octo-2", "192.0.2.11")
        for name in ("web-01", "web-02"):
            world[name].declare(servers=("octo-1", "octo-2"))
            world["octo-2"].peer += [
                each.model_copy() for each in world["octo-1"].peer if each.id.startswith(f"{name}:")
            ]
        tools.across(world, "web-01", DROPPED, DROPPED)
        for probe in [each for each in world["octo-1"].peer if each.id.startswith("web-01:")]:
            world["octo-2"].replace(probe.id, probe)
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC520"
        assert "octo-1 and octo-2" in cause.sentence

    def test_a_log_gives_way(self, world: Any, diagnosed: Any, make_problem: Any, tools: Any) -> None:
        """What the probe shows explains what the log tells."""
        tools.across(world, "web-01", DROPPED, DROPPED)
        diagnosis = diagnosed(world, make_problem("TT108", "web-01", host="web-01.example", port=10933))
        assert [cause.code for cause in diagnosis.causes] == ["TC520"]


class TestFolding:
    """A fleet folds into its faults."""

    def test_three_faults_are_three_causes(self, new_world: Any, diagnosed: Any, tools: Any) -> None:
        """600 machines, 3 faults, hundreds of symptoms: 3 causes, most machines first."""
        world = big_world(new_world, 400, 199)
        for number in range(200):
            world[f"web-{number}"].service |= STOPPED
        for number in range(200, 400):
            change_link(world, tools, f"web-{number}")
        world["poll-0"].trusted = []
        world.add_listening("far-0", "10.9.0.1")
        diagnosis = diagnosed(world)
        assert [(cause.code, len(cause.machines)) for cause in diagnosis.causes] == [
            ("TC522", 200),
            ("TC201", 200),
            ("TC320", 1),
        ]
        assert "10.1.1.0/24" in diagnosis.causes[0].sentence
        assert "200 machines" in diagnosis.causes[1].sentence

    def test_a_wider_region(self, new_world: Any, diagnosed: Any, tools: Any) -> None:
        """Two subnets of one /16 in which nobody is reached are one cause."""
        world = big_world(new_world, 400, 0)
        for number in range(400):
            change_link(world, tools, f"web-{number}")
        world.add_listening("far-0", "10.9.0.1")
        (cause,) = diagnosed(world).causes
        assert (cause.code, len(cause.machines)) == ("TC522", 400)
        assert "10.1.0.0/16" in cause.sentence

    def test_two_subnets_with_well_ones_between(self, new_world: Any, diagnosed: Any, tools: Any) -> None:
        """Where others in the /16 are reached, each subnet is a cause of its own."""
        world = big_world(new_world, 600, 0)
        for number in [*range(5), *range(400, 405)]:
            change_link(world, tools, f"web-{number}")
        for number in [*range(5, 200), *range(405, 600)]:
            del world.drafts[f"web-{number}"]
        world["octo-1"].peer = [each for each in world["octo-1"].peer if each.id.split(":")[0] in world.drafts]
        diagnosis = diagnosed(world)
        assert [cause.code for cause in diagnosis.causes] == ["TC522", "TC522"]
        assert {cause.facts["subnet"] for cause in diagnosis.causes} == {"10.1.0.0/24", "10.1.2.0/24"}

    def test_what_they_have_in_common(self, world: Any, diagnosed: Any) -> None:
        """A group that just the sick are in is told."""
        for name in ("web-01", "poll-01"):
            world[name].declare(groups=("dmz",))
            world[name].service |= STOPPED
        (cause,) = diagnosed(world).causes
        assert cause.sentence.endswith("They are all that are in group dmz.")

    def test_one_inspector_on_many_links(self, world: Any, diagnosed: Any, tools: Any) -> None:
        """The same issuer on listening and polling links is one inspection."""
        for name in ("web-01", "web-02", "poll-01"):
            tools.across(world, name, {"der": tools.certificate}, {"der": tools.certificate})
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC540"
        assert cause.machines == ("web-01", "web-02", "poll-01")
        assert "CN=Inspection CA" in cause.sentence

    def test_systems(self, world: Any, diagnosed: Any) -> None:
        """Remedies only for systems that it is to be mended on."""
        world["web-01"].service |= STOPPED
        (cause,) = diagnosed(world).causes
        assert cause.remedy_windows
        assert not cause.remedy_linux
        world["poll-01"].service |= STOPPED
        (cause,) = diagnosed(world).causes
        assert cause.remedy_linux
        assert '"<service>"' in "".join(cause.remedy_windows), "it differs between the two"

    def test_many_subnets(self, new_world: Any, judged: Any, tools: Any) -> None:
        """1,000 machines in as many subnets, none of which its server reaches: one cause, as fast."""
        world = new_world()
        world.add_server("octo-1", "10.0.0.1")
        for number in range(1000):
            world.add_listening(f"web-{number}", f"10.{number // 200 + 1}.{number % 200}.9")
        for number in range(1000):
            change_link(world, tools, f"web-{number}")
        fleet, results = judged(world)
        started = time.process_time()
        (cause,) = diagnose(fleet, results).causes
        assert time.process_time() - started < 1
        assert (cause.code, len(cause.machines)) == ("TC523", 1000)

    def test_linear(self, new_world: Any, judged: Any, tools: Any) -> None:
        """1,000 machines with as many problems within a second; judging itself is not counted."""
        world = big_world(new_world, 700, 299)
        for number in range(700):
            change_link(world, tools, f"web-{number}")
        for number in range(299):
            world[f"poll-{number}"].trusted[0]["Thumbprint"] = tools.thumbprint("the old octopus")
        fleet, results = judged(world)
        started = time.process_time()
        diagnosis = diagnose(fleet, results)
        assert time.process_time() - started < 1
        assert sum(len(cause.machines) for cause in diagnosis.causes) >= 999


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

    def test_last_resort(self, cause: Any, world: Any, diagnosed: Any) -> None:
        """Restart, then a clean slate; never where a cause is known."""
        assert "last resort" in "".join(cause.remedy_windows)
        assert "Restart-Service -Name 'OctopusDeploy Tentacle'" in "".join(cause.remedy_windows)
        world["web-01"].service |= STOPPED
        explained = diagnosed(world).causes[0]
        assert "last resort" not in "".join((*explained.remedy_windows, *explained.remedy_linux))

    def test_left_overs(self, world: Any, diagnosed: Any, make_problem: Any, tools: Any, monkeypatch: Any) -> None:
        """What an earlier installation left is shown there."""
        from pytest_tentacle.survey.surroundings import LeftOver

        original = world["web-01"]._survey
        found = tools.builder.Section(data=(LeftOver(kind="folder", where="C:\\Octopus.old"),))
        monkeypatch.setattr(world["web-01"], "_survey", lambda: original().model_copy(update={"left_overs": found}))
        (view,) = diagnosed(world, make_problem("USER01", "web-01")).views()
        assert any("C:\\Octopus.old" in item.text for item in view.evidence)

    def test_beside_a_cause(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """A cause does not take with it what it does not explain."""
        world["web-01"].service |= STOPPED
        diagnosis = diagnosed(world, make_problem("USER01", "web-01"))
        assert [view.code for view in diagnosis.views()] == ["TC201", "USER01"]


class TestDoubts:
    """What could have told two causes apart."""

    def test_log_on_to_tell(self, world: Any, diagnosed: Any, tools: Any) -> None:
        """A server that nobody reaches and nobody could look at."""
        world["octo-1"].unreachable = tools.builder.Unreachable(stage="connect", summary="no answer", advice="see why")
        for name in ("poll-01", "poll-02"):
            tools.across(world, name, DROPPED, DROPPED)
        diagnosis = diagnosed(world)
        assert [cause.code for cause in diagnosis.causes] == ["TC529"]
        (doubt,) = diagnosis.doubts
        assert doubt.advice == "Log on to octo-1 to tell a firewall from a stopped service or a machine that is down."
        assert doubt.machines == ("poll-01", "poll-02")

    def test_no_doubt_where_it_is_told(self, world: Any, diagnosed: Any) -> None:
        """A stopped service is a stopped service."""
        world["web-01"].service |= STOPPED
        assert not diagnosed(world).doubts


class TestForTheReport:
    """Structurally, what the report wants."""

    def test_every_field(self, world: Any, diagnosed: Any) -> None:
        """A folded cause has all that a plain one has, of the same types."""
        world["web-01"].service |= STOPPED
        (view,) = diagnosed(world).views()
        plain = Cause(**{name: getattr(view_of(view), name) for name in Cause.__dataclass_fields__})
        assert plain.machines == ("web-01",)
        assert plain.link.startswith("https://octopus.com/docs/")
        assert plain.confidence == "certain"


def stop_server(world: Any, tools: Any) -> None:
    """Its service is stopped, and its pollers are refused."""
    world["octo-1"].service |= STOPPED
    for name in ("poll-01", "poll-02"):
        tools.across(world, name, REFUSED, REFUSED)


def change_link(world: Any, tools: Any, name: str) -> None:
    """The server no longer reaches this listening Tentacle; by position, since a search by id would be quadratic."""
    positions = world.__dict__.setdefault("positions", {})
    peer = world["octo-1"].peer
    if len(positions) != len(peer):
        positions.clear()
        positions.update({probe.id: number for number, probe in enumerate(peer)})
    for by in ("name", "address"):
        number = positions[f"{name}:{by}"]
        old = peer[number]
        connect = tools.builder.Connected(ms=1, address=world[name].machine.ip, error=Failure.TIMED_OUT)
        peer[number] = old.model_copy(update={"connect": connect, "tls": None, "page": None})
