"""Codes of services, settings, thumbprints and the own port: one change to a healthy fleet, and just that problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.guide.severity import DEFAULT_GATE, severity_of
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.sections import STEPS as ALL_STEPS
from pytest_tentacle.sections import applicable, checks_of
from pytest_tentacle.sections.catalogue import CATALOGUE
from support import NOW
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, polled

CORE = ("services-running", "communication-settings", "tentacle-thumbprint", "welcome-page-here", "welcome-page-across")
"""The steps that these tests hold; those of the other sections have files of their own, test_<section>.py."""

STEPS = tuple(step for step in ALL_STEPS if step.slug in CORE)

GONE = {"address": "::", "port": 10933, "pid": 4711}
NGINX = {"pid": 4711, "name": "nginx", "executable": "/usr/sbin/nginx", "parent_pid": 1}


@dataclass(frozen=True)
class Case:
    """One change that gives just one code on one machine."""

    code: str
    machine: str
    change: Callable[[Any, Any], None]


CASES: list[Case] = []


def case(code: str, machine: str = "web-01") -> Callable[[Any], Any]:
    def register(change: Any) -> Any:
        CASES.append(Case(code, machine, change))
        return change

    return register


# -- services ----------------------------------------------------------------------------------------------------------


@case("TT201")
@case("TT201", "poll-01")
def no_service(world: Any, _: Any) -> None:
    world["web-01"].without_service = world["poll-01"].without_service = True


@case("TT202")
@case("TT202", "poll-01")
def stopped(world: Any, _: Any) -> None:
    for name in ("web-01", "poll-01"):
        world[name].service |= {"state": "stopped", "pid": None, "exit_code": 0}


@case("TT202", "poll-01")
def stopped_by_sigterm(world: Any, _: Any) -> None:
    """The Tentacle exits with 143, and systemd calls that failed."""
    world["poll-01"].service |= {"state": "failed", "pid": None, "exit_code": 143, "detail": "failed / exit-code"}


@case("TT202")
def paused(world: Any, _: Any) -> None:
    world["web-01"].service |= {"state": "paused"}


@case("TT202")
def never_started(world: Any, _: Any) -> None:
    world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 1077}


@case("TT203")
def ended_unexpectedly(world: Any, _: Any) -> None:
    world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 1067}


@case("TT203", "poll-01")
def failed(world: Any, _: Any) -> None:
    world["poll-01"].service |= {"state": "failed", "pid": None, "exit_code": 100, "detail": "failed / exit-code"}


@case("TT203", "poll-01")
def waiting_for_a_restart(world: Any, _: Any) -> None:
    world["poll-01"].service |= {"state": "starting", "pid": None, "restarts": 57, "detail": "auto-restart / exit-code"}


@case("TT203", "poll-01")
def just_restarted_again(world: Any, _: Any) -> None:
    clock = world["poll-01"].record().survey.host.data.clock_utc
    world["poll-01"].service |= {"restarts": 57, "started_utc": clock - timedelta(seconds=20)}


@case("TT204")
def never_done_starting(world: Any, _: Any) -> None:
    clock = world["web-01"].record().survey.host.data.clock_utc
    world["web-01"].service |= {"state": "starting", "started_utc": clock - timedelta(seconds=31)}


@case("TT205")
@case("TT205", "octo-1")
def disabled(world: Any, _: Any) -> None:
    world["web-01"].service["start_mode"] = world["octo-1"].service["start_mode"] = "disabled"


@case("TT205", "poll-01")
def manual(world: Any, _: Any) -> None:
    world["poll-01"].service["start_mode"] = "manual"


@case("TT206", "octo-1")
def server_stopped(world: Any, _: Any) -> None:
    world["octo-1"].service |= {"state": "stopped", "pid": None}


@case("TT207")
def other_instance_declared(world: Any, _: Any) -> None:
    world["web-01"].declare(instance="Production")
    world["web-01"].service["instance"] = "Production"


@case("TT207", "poll-01")
def no_instance(world: Any, _: Any) -> None:
    world["poll-01"].instances = ["-"]


# -- settings ----------------------------------------------------------------------------------------------------------


@case("TT301")
def file_gone(world: Any, _: Any) -> None:
    world["web-01"].config_error = "not-found"


@case("TT302", "poll-01")
def file_empty(world: Any, _: Any) -> None:
    world["poll-01"].config_error = "empty"


@case("TT303")
def file_cut_off(world: Any, _: Any) -> None:
    world["web-01"].config_error = "malformed"


@case("TT303", "poll-01")
def trust_is_no_list(world: Any, _: Any) -> None:
    world["poll-01"].settings["Tentacle.Communication.TrustedOctopusServers"] = "[{"


@case("TT310")
def polls_instead(world: Any, _: Any) -> None:
    draft, other = world["web-01"], world["poll-01"]
    draft.settings["Tentacle.Services.NoListen"] = "true"
    draft.trusted = other.trusted


@case("TT310", "poll-01")
def listens_instead(world: Any, _: Any) -> None:
    world["poll-01"].settings["Tentacle.Services.NoListen"] = "false"
    world["poll-01"].trusted = world["web-01"].trusted


@case("TT311")
def other_port(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.PortNumber"] = "10944"


@case("TT311")
def no_port_number(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.PortNumber"] = "99999"


@case("TT311")
def other_port_by_the_environment(world: Any, _: Any) -> None:
    world["web-01"].service["environment"] = {"TENTACLE_SERVICE_PORT": "10944"}


@case("TT312")
def does_not_listen(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.NoListen"] = "true"


@case("TT312")
def does_not_listen_undeclared(world: Any, _: Any) -> None:
    world["web-01"].declare(mode=None)
    world["web-01"].settings["Tentacle.Services.NoListen"] = "true"


@case("TT313", "poll-01")
def polls_an_old_server(world: Any, tools: Any) -> None:
    draft = world["poll-01"]
    draft.trusted[0]["Address"] = "https://old.example:10943/"
    draft.replace(polled(0), tools.probe("old.example", 10943, whose="old", page="server"))


@case("TT313", "poll-01")
def does_not_poll_the_second_node(world: Any, _: Any) -> None:
    world.add_server("octo-2", "192.0.2.11")
    world["poll-01"].declare(servers=("octo-1", "octo-2"))


@case("TT314", "poll-01")
def polls_another_port(world: Any, _: Any) -> None:
    world["poll-01"].trusted[0]["Address"] = "https://octo-1.example:10933/"


@case("TT315", "poll-01")
def no_address(world: Any, _: Any) -> None:
    world["poll-01"].trusted[0] |= {"Address": None, "SubscriptionId": None}


@case("TT315", "poll-01")
def no_subscription(world: Any, _: Any) -> None:
    world["poll-01"].trusted[0] |= {"SubscriptionId": None}


@case("TT316")
def address_of_old(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.ListenIP"] = "192.0.2.77"


@case("TT316")
def address_is_a_name(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.ListenIP"] = "web-01"


@case("TT317", "octo-1")
def server_on_another_port(world: Any, _: Any) -> None:
    world["octo-1"].settings["Octopus.Communications.ServicesPort"] = "10953"


@case("TT320")
def nobody_trusted(world: Any, _: Any) -> None:
    world["web-01"].trusted = []


@case("TT320", "poll-01")
def nobody_polled(world: Any, _: Any) -> None:
    world["poll-01"].trusted = []


@case("TT321")
@case("TT321", "poll-01")
def another_server_trusted(world: Any, tools: Any) -> None:
    for name in ("web-01", "poll-01"):
        world[name].trusted[0]["Thumbprint"] = tools.thumbprint("old server")


@case("TT321")
def undeclared_server_not_trusted(world: Any, tools: Any) -> None:
    """What the server's own port presents is as good as the inventory."""
    world["octo-1"].declare(thumbprint=None)
    world["web-01"].trusted[0]["Thumbprint"] = tools.thumbprint("old server")


@case("TT322")
@case("TT322", "poll-01")
def invisible_mark(world: Any, _: Any) -> None:
    for name in ("web-01", "poll-01"):
        world[name].trusted[0]["Thumbprint"] = "\u200e" + world[name].trusted[0]["Thumbprint"]


@case("TT323", "poll-01")
def lower_case(world: Any, _: Any) -> None:
    world["poll-01"].trusted[0]["Thumbprint"] = world["poll-01"].trusted[0]["Thumbprint"].lower()


# -- thumbprint --------------------------------------------------------------------------------------------------------


@case("TT401")
@case("TT401", "poll-01")
def renewed(world: Any, tools: Any) -> None:
    for name in ("web-01", "poll-01"):
        world[name].declare(thumbprint=tools.thumbprint("its old certificate"))


@case("TT402")
def not_restarted(world: Any, tools: Any) -> None:
    draft = world["web-01"]
    draft.settings["Tentacle.CertificateThumbprint"] = tools.thumbprint("its new certificate")
    draft.declare(thumbprint=tools.thumbprint("its new certificate"))


@case("TT403")
def clone(world: Any, tools: Any) -> None:
    draft = world.add_listening("web-02", "192.0.2.21")
    draft.settings["Tentacle.CertificateThumbprint"] = tools.thumbprint("web-01")
    for name in ("web-01", "web-02"):
        world[name].config_modified = NOW


@case("TT404", "octo-1")
def server_renewed(world: Any, tools: Any) -> None:
    world["octo-1"].declare(thumbprint=tools.thumbprint("its old certificate"))


# -- here --------------------------------------------------------------------------------------------------------------


@case("TT501")
def not_open(world: Any, tools: Any) -> None:
    world["web-01"].listeners = []
    world["web-01"].replace(OWN_PORT, tools.probe(fails="connect", error=Failure.REFUSED))


@case("TT501", "octo-1")
def server_not_open(world: Any, tools: Any) -> None:
    world["octo-1"].listeners = []
    world["octo-1"].replace(SERVERS_OWN_PORT, tools.probe(port=10943, fails="connect", error=Failure.REFUSED))


@case("TT502")
def taken(world: Any, tools: Any) -> None:
    world["web-01"].listeners = [GONE | {"owner": NGINX}]
    world["web-01"].replace(OWN_PORT, tools.probe(page="other", whose="nginx"))


@case("TT502")
def taken_while_stopped(world: Any, tools: Any) -> None:
    taken(world, tools)
    world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 1067}


@case("TT502")
def taken_by_another_tentacle(world: Any, tools: Any) -> None:
    world["web-01"].listeners = [GONE | {"owner": NGINX | {"name": "Tentacle.exe"}}]
    world["web-01"].replace(OWN_PORT, tools.probe(whose="the other instance"))


@case("TT503")
def zombie(world: Any, tools: Any) -> None:
    child = {"pid": 4712, "name": "powershell.exe", "parent_pid": 4711}
    world["web-01"].listeners = [GONE | {"children": [child]}]
    world["web-01"].replace(OWN_PORT, tools.probe(fails="tls", error=Failure.TIMED_OUT))


@case("TT503")
def left_over_script(world: Any, tools: Any) -> None:
    owner = {"pid": 4711, "name": "powershell.exe", "command_line": r"powershell -File C:\Octopus\Work\1\Script.ps1"}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    world["web-01"].replace(OWN_PORT, tools.probe(fails="tls", error=Failure.TIMED_OUT))


@case("TT504")
def other_page_here(world: Any, tools: Any) -> None:
    world["web-01"].replace(OWN_PORT, tools.probe(page="other", whose="a security product"))


@case("TT504")
def plain_text_here(world: Any, tools: Any) -> None:
    world["web-01"].replace(OWN_PORT, tools.probe(fails="tls", error=Failure.NOT_TLS))


@case("TT508")
def refuses_the_tls_of_its_own_machine(world: Any, tools: Any) -> None:
    world["web-01"].replace(OWN_PORT, tools.probe(fails="tls", error=Failure.PROTOCOL_VERSION))


@case("TT505")
def hangs(world: Any, tools: Any) -> None:
    world["web-01"].replace(OWN_PORT, tools.probe(fails="tls", error=Failure.TIMED_OUT))


def ids(one: Case) -> str:
    return f"{one.code}-{one.machine}-{one.change.__name__}"


class TestEachCode:
    """One change, one problem."""

    @pytest.mark.parametrize("one", CASES, ids=ids)
    def test_is_found(self, one: Case, world: Any, tools: Any) -> None:
        """The step fails with this code and no other, with words and evidence."""
        one.change(world, tools)
        result = world.judge(CATALOGUE[one.code].step, one.machine)
        failing = severity_of(one.code).weight >= DEFAULT_GATE.weight
        assert result.outcome is (Outcome.FAILED if failing else Outcome.NOTED), result
        assert [problem.code for problem in result.problems] == [one.code]
        problem = result.problems[0]
        assert problem.machine == one.machine
        assert problem.expected
        assert problem.actual
        assert problem.evidence


class TestHealthyFleet:
    """Nothing is found where nothing is wrong: the passing case of each code."""

    def test_every_applicable_step_passes_without_an_unknown(self, world: Any) -> None:
        """Each step says what it looked at."""
        fleet = world.fleet()
        judged = 0
        for subject in fleet.subjects:
            for step in STEPS:
                if applicable(step.slug, subject):
                    result = subject.result(step.slug)
                    assert result.outcome is Outcome.PASSED, result
                    assert result.looked_at
                    judged += 1
        assert judged == 4 + 5 + 4

    def test_undeclared_is_discovered_and_not_asserted(self, world: Any) -> None:
        """A Tentacle of which only the name, its server and the login are declared passes as well."""
        for name in ("web-01", "poll-01"):
            world[name].declare(mode=None, port=None, thumbprint=None, instance=None)
        world["octo-1"].declare(thumbprint=None)
        fleet = world.fleet()
        assert fleet.subject("web-01").mode is Mode.LISTENING
        assert fleet.subject("poll-01").mode is Mode.POLLING
        for subject in fleet.subjects:
            for step in STEPS:
                if applicable(step.slug, subject):
                    assert subject.result(step.slug).outcome is Outcome.PASSED, subject.result(step.slug)


KNOWN_BY_ITS_PORT = [
    (nobody_trusted, "TT320", "web-01"),
    (no_address, "TT315", "poll-01"),
    (invisible_mark, "TT322", "web-01"),
    (invisible_mark, "TT322", "poll-01"),
    (another_server_trusted, "TT321", "web-01"),
    (another_server_trusted, "TT321", "poll-01"),
]


class TestUnknownServer:
    """Little is known of the server: then all that may tell is asked."""

    @pytest.mark.parametrize(("change", "code", "machine"), KNOWN_BY_ITS_PORT)
    def test_its_port_tells_its_thumbprint(self, world: Any, tools: Any, change: Any, code: str, machine: str) -> None:
        """Neither the inventory nor a registered instance tells it."""
        change(world, tools)
        world["octo-1"].instances = ["-"]
        world["octo-1"].declare(thumbprint=None)
        (problem,) = world.judge("communication-settings", machine).problems
        assert (problem.code, problem.facts["thumbprint"]) == (code, tools.thumbprint("octopus"))

    def test_its_services_tell_where_no_instance_does(self, world: Any, tools: Any) -> None:
        """An address that leads to a stranger is none of its own."""
        polls_an_old_server(world, tools)
        world["octo-1"].instances = ["-"]
        assert [one.code for one in world.judge("communication-settings", "poll-01").problems] == ["TT313"]


class TestDeclared:
    """What a check may yield."""

    def test_a_code_outside_the_declared_is_an_error_of_ours(self, world: Any) -> None:
        """A check that yields what it does not declare is found out at once."""
        from dataclasses import replace

        honest = checks_of("services-running")[0]
        liar = replace(honest, look=lambda subject: iter([Problem("TT999", subject.name, "", "")]))
        with pytest.raises(LookupError, match="TT999"):
            world.fleet().subject("web-01").result("services-running", [liar])
