"""Unknown is never a verdict, blocked names the failure that stands in the way, and neither hides a problem."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.inventory.model import NoTransport
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.sections import STEPS as ALL_STEPS
from pytest_tentacle.sections import applicable, fleet_of
from support import NOW
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, polled

HERE, ACROSS = "welcome-page-here", "welcome-page-across"
SERVICES, SETTINGS, THUMBPRINT = "services-running", "communication-settings", "tentacle-thumbprint"

CORE = ("services-running", "communication-settings", "tentacle-thumbprint", "welcome-page-here", "welcome-page-across")
"""The steps that these tests hold; those of the other sections have files of their own, test_<section>.py."""

STEPS = tuple(step for step in ALL_STEPS if step.slug in CORE)


def codes(result: Any) -> list[str]:
    return [problem.code for problem in result.problems]


class TestUnreachableMachine:
    """The management path says nothing about the product."""

    def test_every_step_is_unknown_with_the_stage_and_the_advice(self, world: Any, unreachable: Any) -> None:
        """Nothing of a Tentacle that we cannot log on to is judged on its own machine."""
        world["web-01"].unreachable = unreachable
        for step in (SERVICES, SETTINGS, THUMBPRINT, HERE):
            result = world.judge(step, "web-01")
            assert result.outcome is Outcome.UNKNOWN
            assert "refused the password" in result.reason
            assert "authenticate" in result.reason
            assert result.advice == "Correct the password."

    def test_its_link_is_still_judged_from_the_server(self, world: Any, unreachable: Any, across: Any) -> None:
        """The server can look, whether or not we can log on to the Tentacle."""
        world["web-01"].unreachable = unreachable
        assert world.judge(ACROSS, "web-01").outcome is Outcome.PASSED
        refused = {"fails": "connect", "error": Failure.REFUSED}
        across(world, "listening", refused, refused)
        assert codes(world.judge(ACROSS, "web-01")) == ["TT520"]

    def test_a_polling_one_cannot_be_judged(self, world: Any, unreachable: Any) -> None:
        """Its link can be seen from its own machine alone."""
        world["poll-01"].unreachable = unreachable
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.UNKNOWN

    def test_without_the_server_the_own_look_is_evidence_only(
        self, world: Any, unreachable: Any, make_probe: Any
    ) -> None:
        """What this machine sees is told, and the outcome stays unknown."""
        world["octo-1"].unreachable = unreachable
        world.controller["web-01"] = (make_probe("192.0.2.20"),)
        result = world.judge(ACROSS, "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "octo-1 could not look" in result.reason
        assert "page ok" in result.reason
        assert result.advice == "Correct the password."

    def test_a_polling_link_needs_no_survey_of_the_server(self, world: Any, unreachable: Any, across: Any) -> None:
        """It is judged from the Tentacle's side, well or ill."""
        world["octo-1"].unreachable = unreachable
        assert world.judge(ACROSS, "poll-01").outcome is Outcome.PASSED
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(world, "polling", silent, silent)
        assert codes(world.judge(ACROSS, "poll-01")) == ["TT521"]

    def test_a_machine_that_was_not_selected(self, world: Any) -> None:
        """A server without a record leaves the link unknown."""
        surveys = world.surveys()
        kept = tuple(record for record in surveys.records if record.machines != ("octo-1",))

        result = fleet_of(surveys.model_copy(update={"records": kept})).subject("web-01").result(ACROSS)
        assert result.outcome is Outcome.UNKNOWN
        assert "octo-1 was not surveyed" in result.reason


class TestUnknownSections:
    """A refused section makes unknown what rests on it, and nothing else."""

    def test_services(self, world: Any) -> None:
        """The reason is the section's own; the page is still looked at."""
        world["web-01"].unknown["services"] = "access is denied"
        result = world.judge(SERVICES, "web-01")
        assert (result.outcome, "access is denied" in result.reason) == (Outcome.UNKNOWN, True)
        assert world.judge(HERE, "web-01").outcome is Outcome.PASSED
        assert world.judge(SETTINGS, "web-01").outcome is Outcome.PASSED

    def test_sockets_are_not_needed_where_the_own_certificate_answers(self, world: Any) -> None:
        """Then it is the Tentacle that holds the port."""
        world["web-01"].unknown["listeners"] = "ss is missing"
        assert world.judge(HERE, "web-01").outcome is Outcome.PASSED

    def test_sockets_without_a_pid(self, world: Any, make_probe: Any) -> None:
        """Somebody holds the port, and we may not know who; that no page comes is a fact all the same."""
        world["web-01"].listeners = [{"address": "::", "port": 10933}]
        world["web-01"].replace(OWN_PORT, make_probe(page="other"))
        result = world.judge(HERE, "web-01")
        assert codes(result) == ["TT504"]
        assert "does not tell which process" in result.reason

    @pytest.mark.parametrize("error", ["denied", "unreadable"])
    def test_configuration_that_we_may_not_read(self, world: Any, error: str) -> None:
        """Not the Tentacle's problem."""
        world["web-01"].config_error = error
        for step in (SETTINGS, THUMBPRINT):
            result = world.judge(step, "web-01")
            assert result.outcome is Outcome.UNKNOWN
            assert r"C:\Octopus\Tentacle.config" in result.reason

    @pytest.mark.parametrize("elevated", [False, None])
    def test_services_that_a_weak_account_may_not_see(self, world: Any, elevated: Any) -> None:
        """Windows leaves out services without an error, so a missing one proves nothing (windows-shapes 1.1)."""
        world["web-01"].without_service = True
        world["web-01"].host["elevated"] = elevated
        assert world.judge(SERVICES, "web-01").outcome is Outcome.UNKNOWN

    def test_several_instances_and_none_declared(self, world: Any) -> None:
        """Nobody knows which one is meant."""
        world["web-01"].instances = ["Blue", "Green"]
        result = world.judge(SETTINGS, "web-01")
        assert (result.outcome, "Blue, Green" in result.reason) == (Outcome.UNKNOWN, True)

    def test_instance_outside_the_registry(self, world: Any) -> None:
        """A service with --config needs no registry: not being registered is no problem then."""
        world["web-01"].instances = ["-"]
        world["web-01"].service |= {"instance": None, "arguments": r"run --config=D:\T.config"}
        assert world.judge(SERVICES, "web-01").outcome is Outcome.UNKNOWN

    def test_just_starting(self, world: Any, make_probe: Any) -> None:
        """Within the guide's 30 seconds nothing is wrong yet, in no step."""
        clock = world["web-01"].record().survey.host.data.clock_utc
        world["web-01"].service |= {"state": "starting", "started_utc": clock - timedelta(seconds=30)}
        world["web-01"].listeners = []
        world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        assert world.judge(SERVICES, "web-01").outcome is Outcome.UNKNOWN
        assert world.judge(HERE, "web-01").outcome is Outcome.UNKNOWN

    def test_no_probe(self, world: Any) -> None:
        """What was not probed has not passed."""
        world["web-01"].drop(OWN_PORT)
        world["octo-1"].peer = []
        assert world.judge(HERE, "web-01").outcome is Outcome.UNKNOWN
        assert world.judge(ACROSS, "web-01").outcome is Outcome.UNKNOWN

    def test_vantage_point_without_a_tls_client(self, world: Any, make_probe: Any) -> None:
        """An unavailable probe is unknown, with its reason."""
        blind = make_probe("octo-1.example", 10943).model_copy(
            update={"resolve": None, "connect": None, "tls": None, "page": None, "unavailable": "no openssl"}
        )
        world["poll-01"].replace(polled(0), blind)
        result = world.judge(ACROSS, "poll-01")
        assert (result.outcome, "no openssl" in result.reason) == (Outcome.UNKNOWN, True)

    def test_undeclared_mode_without_settings(self, world: Any) -> None:
        """Neither end can be named then; the step of the local page stays, unknown."""
        world["web-01"].declare(mode=None)
        world["web-01"].config_error = "denied"
        subject = world.fleet().subject("web-01")
        assert subject.mode is None
        assert applicable(HERE, subject)
        assert subject.result(HERE).outcome is Outcome.UNKNOWN
        assert "may read it" in subject.result(ACROSS).advice


class TestBlocked:
    """Another failure makes looking pointless: the code, and the machine that it stands on."""

    def test_service_down_blocks_the_page(self, world: Any, make_probe: Any) -> None:
        """On the machine itself."""
        world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 0}
        world["web-01"].listeners = []
        world["web-01"].replace(OWN_PORT, make_probe(fails="connect", error=Failure.REFUSED))
        for step in (HERE, THUMBPRINT):
            result = world.judge(step, "web-01")
            assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT202", "web-01"))

    def test_service_down_blocks_the_link(self, world: Any, make_probe: Any, across: Any) -> None:
        """Its peer sees a consequence."""
        self.test_service_down_blocks_the_page(world, make_probe)
        refused = {"fails": "connect", "error": Failure.REFUSED}
        across(world, "listening", refused, refused)
        result = world.judge(ACROSS, "web-01")
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT202", "web-01"))

    def test_server_down_blocks_its_polling_tentacles(self, world: Any, make_probe: Any, across: Any) -> None:
        """400 Tentacles are not ill because one server is."""
        world["octo-1"].service |= {"state": "stopped", "pid": None}
        world["octo-1"].listeners = []
        refused = {"fails": "connect", "error": Failure.REFUSED}
        world["octo-1"].replace(SERVERS_OWN_PORT, make_probe(port=10943, **refused))
        across(world, "polling", refused, refused)
        result = world.judge(ACROSS, "poll-01")
        assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, ("TT206", "octo-1"))

    @pytest.mark.parametrize(("error", "code"), [("not-found", "TT301"), ("empty", "TT302"), ("malformed", "TT303")])
    def test_configuration_gone_blocks_what_rests_on_it(self, world: Any, across: Any, error: str, code: str) -> None:
        """Neither thumbprint nor page can be told from a file that is not there; it explains the stopped service too."""
        world["web-01"].config_error = error
        world["web-01"].service |= {"state": "stopped", "pid": None}
        across(world, "listening", *[{"fails": "connect", "error": Failure.REFUSED}] * 2)
        for step in (THUMBPRINT, HERE, ACROSS):
            result = world.judge(step, "web-01")
            assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, (code, "web-01"))

    @pytest.mark.parametrize(("trust", "code"), [("web-01", "TT312"), ("poll-01", "TT310")])
    def test_not_listening_blocks_what_rests_on_the_port(self, world: Any, trust: str, code: str) -> None:
        """It presents no certificate and shows no page, and the settings say why."""
        draft = world["web-01"]
        draft.settings["Tentacle.Services.NoListen"] = "true"
        draft.trusted = world[trust].trusted
        draft.drop(OWN_PORT)
        for step in (THUMBPRINT, HERE):
            result = world.judge(step, "web-01")
            assert (result.outcome, result.blocked_by) == (Outcome.BLOCKED, (code, "web-01"))

    def test_wrong_port_blocks_the_link(self, world: Any, make_probe: Any, across: Any) -> None:
        """The server looks where the inventory says, and nobody listens there."""
        world["web-01"].settings["Tentacle.Services.PortNumber"] = "10944"
        world["web-01"].listeners[0]["port"] = 10944
        world["web-01"].replace(OWN_PORT, make_probe(port=10944))
        refused = {"fails": "connect", "error": Failure.REFUSED}
        across(world, "listening", refused, refused)
        assert world.judge(HERE, "web-01").outcome is Outcome.PASSED
        assert world.judge(ACROSS, "web-01").blocked_by == ("TT311", "web-01")

    def test_port_holder_blocks_the_thumbprint(self, world: Any, make_probe: Any, across: Any) -> None:
        """The certificate that is seen is the holder's; that it is seen across as well shows that the network is fine."""
        world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 5, "owner": {"pid": 5, "name": "iis"}}]
        world["web-01"].replace(OWN_PORT, make_probe(whose="another Tentacle"))
        across(world, "listening", {"whose": "another Tentacle"}, {"whose": "another Tentacle"})
        assert world.judge(THUMBPRINT, "web-01").blocked_by == ("TT502", "web-01")
        assert world.judge(ACROSS, "web-01").outcome is Outcome.PASSED
        across(world, "listening", {"page": "other"}, {"page": "other"})
        assert world.judge(ACROSS, "web-01").blocked_by == ("TT502", "web-01")

    def test_a_failed_look_of_ours_is_not_preferred_to_the_failure_that_explains_it(
        self, world: Any, unreachable: Any
    ) -> None:
        """The server cannot look, but the Tentacle's service is known to be down."""
        world["web-01"].service |= {"state": "stopped", "pid": None}
        world["octo-1"].unreachable = unreachable
        assert world.judge(ACROSS, "web-01").blocked_by == ("TT202", "web-01")

    def test_a_name_that_does_not_resolve_is_not_explained_by_the_other_end(self, world: Any, across: Any) -> None:
        """DNS fails by itself, whether or not the service runs."""
        world["web-01"].service |= {"state": "stopped", "pid": None}
        across(
            world,
            "listening",
            {"fails": "resolve", "error": Failure.NAME_NOT_FOUND},
            {"fails": "connect", "error": Failure.REFUSED},
        )
        assert codes(world.judge(ACROSS, "web-01")) == ["TT511"]

    def test_what_works_is_not_blocked(self, world: Any) -> None:
        """A page that is shown passes, whatever else is said of the machine."""
        world["web-01"].service |= {"state": "stopped", "pid": None}
        assert world.judge(ACROSS, "web-01").outcome is Outcome.PASSED


class TestApplicable:
    """What does not apply is not collected."""

    def test_by_role_and_mode(self, world: Any) -> None:
        """A polling Tentacle has no port; a server has no link of its own."""
        fleet = world.fleet()
        left_out = {
            (subject.name, step.slug)
            for subject in fleet.subjects
            for step in STEPS
            if not applicable(step.slug, subject)
        }
        assert left_out == {("poll-01", HERE), ("octo-1", ACROSS)}

    def test_a_server_that_nobody_polls(self, world: Any) -> None:
        """Only its service matters."""
        world["poll-01"].declare(servers=())
        fleet = world.fleet()
        assert [step.slug for step in STEPS if applicable(step.slug, fleet.subject("octo-1"))] == [SERVICES]

    def test_octopus_cloud(self, world: Any) -> None:
        """Nobody can log on: nothing of it is collected, and its Tentacles' links are."""
        world["octo-1"].declare(transport=NoTransport())
        fleet = world.fleet()
        assert not any(applicable(step.slug, fleet.subject("octo-1")) for step in STEPS)
        assert fleet.subject("poll-01").result(ACROSS).outcome is Outcome.PASSED

    def test_no_step_of_ours(self, world: Any) -> None:
        """A misspelt slug is an error, and never a step that silently does not apply."""
        with pytest.raises(LookupError, match="welcome"):
            applicable("welcome", world.fleet().subject("web-01"))


class TestResult:
    """All at once."""

    def test_all_problems_of_a_step_are_told(self, world: Any) -> None:
        """Not only the first."""
        draft = world["poll-01"]
        draft.trusted[0]["Thumbprint"] = draft.trusted[0]["Thumbprint"].lower()
        draft.trusted.append({"Thumbprint": "12", "CommunicationStyle": 2, "Address": None})
        assert codes(world.judge(SETTINGS, "poll-01")) == ["TT315", "TT323", "TT322"]

    def test_a_failed_step_tells_what_it_could_not_see(self, world: Any) -> None:
        """A problem does not hide an unknown."""
        world["web-01"].service["start_mode"] = None
        world["web-01"].service |= {"state": "stopped", "pid": None}
        result = world.judge(SERVICES, "web-01")
        assert codes(result) == ["TT202"]
        assert "start mode" in result.reason

    def test_two_on_one_host_are_no_clones(self, world: Any, thumbprint_of: Any) -> None:
        """Two entries of the inventory may mean one and the same host."""
        second = world.add_listening("web-02", "192.0.2.21")
        second.settings["Tentacle.CertificateThumbprint"] = thumbprint_of("web-01")
        for name in ("web-01", "web-02"):
            world[name].host |= {"hostname": "WEB", "addresses": ("192.0.2.20", "192.0.2.21")}
        assert "TT403" not in codes(world.judge(THUMBPRINT, "web-01"))

    def test_both_clones_are_told(self, world: Any, thumbprint_of: Any) -> None:
        """Each names the other."""
        second = world.add_listening("web-02", "192.0.2.21")
        second.settings["Tentacle.CertificateThumbprint"] = thumbprint_of("web-01")
        for name in ("web-01", "web-02"):
            world[name].config_modified = NOW
        for name, other in (("web-01", "web-02"), ("web-02", "web-01")):
            problem = next(one for one in world.judge(THUMBPRINT, name).problems if one.code == "TT403")
            assert problem.facts["others"] == (other,)
