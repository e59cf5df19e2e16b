"""Each cause by itself: one fault in a healthy fleet, and just that cause is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tentacle.diagnosis import CAUSES
from pytest_tentacle.diagnosis.causes.from_problem import REMEDIES
from pytest_tentacle.link import Failure
from pytest_tentacle.survey.surroundings import (
    Connection,
    Disk,
    Firewall,
    FirewallProfile,
    FirewallRule,
    TlsPolicy,
    TlsProtocol,
)

if TYPE_CHECKING:
    from collections.abc import Callable

REFUSED = {"fails": "connect", "error": Failure.REFUSED}
DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
NO_ROUTE = {"fails": "connect", "error": Failure.UNREACHABLE}
NO_NAME = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND}
NO_DNS = {"fails": "resolve", "error": Failure.RESOLVER_FAILED}
OLD_TLS = {"fails": "tls", "error": Failure.PROTOCOL_VERSION}
STOPPED = {"state": "stopped", "pid": None, "exit_code": 0}


@dataclass(frozen=True)
class Case:
    """One fault that gives just one cause, on these machines."""

    code: str
    machines: tuple[str, ...]
    change: Callable[[Any, Any], Any]


CASES: list[Case] = []


def case(code: str, *machines: str) -> Callable[[Any], Any]:
    def register(change: Any) -> Any:
        CASES.append(Case(code, machines or ("web-01",), change))
        return change

    return register


# -- services ----------------------------------------------------------------------------------------------------------


@case("TC201")
def stopped(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED


@case("TC202")
def not_since_boot(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED | {"exit_code": 1077}


@case("TC203")
def switched_off(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED | {"start_mode": "disabled"}


@case("TC204", "poll-01")
def off_after_reboot(world: Any, _: Any) -> None:
    world["poll-01"].service |= {"start_mode": "disabled"}


@case("TC205", "poll-01")
def crash_loop(world: Any, _: Any) -> None:
    world["poll-01"].service |= {"state": "starting", "pid": None, "restarts": 57, "detail": "auto-restart / exit-code"}


@case("TC206")
def crashed(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED | {"exit_code": 1067}


@case("TC207")
def no_log_on(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED | {"exit_code": 1069, "account": "CORP\\octopus"}


@case("TC208")
def dependency(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED | {"exit_code": 1068}


@case("TC209")
def no_program(world: Any, _: Any) -> None:
    world["web-01"].service |= STOPPED | {"exit_code": 2}


@case("TC210")
def hangs_in_start(world: Any, tools: Any) -> None:
    world["web-01"].service |= {"state": "starting", "started_utc": tools.builder.NOW - timedelta(minutes=5)}


@case("TC211")
def no_service(world: Any, _: Any) -> None:
    world["web-01"].without_service = True


@case("TC212")
def no_instance(world: Any, _: Any) -> None:
    world["web-01"].declare(instance="Production")


@case("TC213", "octo-1")
def server_stopped(world: Any, _: Any) -> None:
    world["octo-1"].service |= STOPPED


# -- settings ----------------------------------------------------------------------------------------------------------


@case("TC301")
def file_gone_and_service_down(world: Any, _: Any) -> None:
    world["web-01"].config_error = "not-found"
    world["web-01"].service |= STOPPED | {"exit_code": 1067}


@case("TC303")
def file_empty(world: Any, _: Any) -> None:
    world["web-01"].config_error = "empty"
    world["web-01"].service |= STOPPED


@case("TC304", "poll-01")
def file_cut_and_crash_loop(world: Any, _: Any) -> None:
    world["poll-01"].config_error = "malformed"
    world["poll-01"].service |= {"state": "starting", "pid": None, "restarts": 9, "detail": "auto-restart / exit-code"}


@case("TC302")
def disk_full(world: Any, _: Any) -> Any:
    world["web-01"].config_error = "empty"
    world["web-01"].service |= STOPPED
    return {"web-01": {"disks": (Disk(path="C:\\", free_bytes=4096, size_bytes=10**10),)}}


@case("TC305", "poll-01")
def trust_is_no_list(world: Any, _: Any) -> None:
    world["poll-01"].settings["Tentacle.Communication.TrustedOctopusServers"] = "[{"


@case("TC310")
def other_mode(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.NoListen"] = "true"
    world["web-01"].trusted = [{**world["poll-01"].trusted[0], "SubscriptionId": "poll://itsown/"}]


@case("TC311")
def other_port(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.PortNumber"] = "10944"
    world["web-01"].listeners[0]["port"] = 10944


@case("TC312")
def port_by_environment(world: Any, _: Any) -> None:
    world["web-01"].service["environment"] = {"TENTACLE_SERVICE_PORT": "10944"}


@case("TC313")
def no_listen(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.NoListen"] = "true"


@case("TC314", "poll-01")
def node_not_polled(world: Any, _: Any) -> None:
    world.add_server("octo-2", "192.0.2.11")
    world["poll-01"].declare(servers=("octo-1", "octo-2"))
    world["poll-01"].own += [
        each.model_copy(update={"id": each.id.replace("octo-1", "octo-2"), "host": host})
        for each, host in zip(world["poll-01"].own[1:], ("octo-2.example", "192.0.2.11"), strict=True)
    ]
    for each in range(2):
        probe = world["poll-01"].own[-1 - each]
        world["poll-01"].own[-1 - each] = probe.model_copy(update={"id": f"poll-01:octo-2:10943:{probe.host}"})


@case("TC315", "poll-01")
def polls_old_port(world: Any, tools: Any) -> None:
    world["poll-01"].trusted[0]["Address"] = "https://octo-1.example:10950/"
    probe = tools.probe(
        "octo-1.example",
        10950,
        tools.builder.By.NAME,
        addresses=("192.0.2.10",),
        page="server",
        whose="octopus",
        **REFUSED,
    )
    world["poll-01"].replace("configured:Tentacle:0", probe)


@case("TC316", "octo-1", "poll-01", "poll-02")
def inventory_port_is_old(world: Any, tools: Any) -> None:
    world["octo-1"].settings["Octopus.Communications.ServicesPort"] = "10950"
    world["octo-1"].listeners[0]["port"] = 10950
    world["octo-1"].own = [tools.probe(port=10950, page="server", whose="octopus", probe_id="local:OctopusServer")]
    for name in ("poll-01", "poll-02"):
        world[name].trusted[0]["Address"] = "https://octo-1.example:10950/"
        common = {"port": 10950, "page": "server", "whose": "octopus"}
        probe = tools.probe("octo-1.example", by=tools.builder.By.NAME, addresses=("192.0.2.10",), **common)
        world[name].replace("configured:Tentacle:0", probe)


@case("TC317", "octo-1")
def server_port_changed(world: Any, tools: Any) -> None:
    world["octo-1"].settings["Octopus.Communications.ServicesPort"] = "10950"
    world["octo-1"].listeners[0]["port"] = 10950
    world["octo-1"].own = [tools.probe(port=10950, page="server", whose="octopus", probe_id="local:OctopusServer")]
    for name in ("poll-01", "poll-02"):
        tools.across(world, name, REFUSED, REFUSED)


@case("TC318", "poll-01")
def half_entry(world: Any, _: Any) -> None:
    world["poll-01"].trusted[0]["Address"] = None


@case("TC319")
def foreign_listen_ip(world: Any, _: Any) -> None:
    world["web-01"].settings["Tentacle.Services.ListenIP"] = "192.0.2.77"
    world["web-01"].service |= STOPPED | {"exit_code": 1067}


# -- trust and thumbprints ---------------------------------------------------------------------------------------------


@case("TC320", "poll-01")
def nobody_trusted(world: Any, _: Any) -> None:
    world["poll-01"].trusted = []


@case("TC321")
def one_mistrusts(world: Any, tools: Any) -> None:
    world["web-01"].trusted[0]["Thumbprint"] = tools.thumbprint("somebody")


@case("TC322", "web-01", "web-02", "poll-01", "poll-02")
def server_renewed(world: Any, tools: Any) -> None:
    for name in ("web-01", "web-02", "poll-01", "poll-02"):
        world[name].trusted[0]["Thumbprint"] = tools.thumbprint("the old octopus")


@case("TC323")
def other_server(world: Any, tools: Any) -> None:
    world.add_server("octo-2", "192.0.2.11").declare(thumbprint=tools.thumbprint("octopus 2"))
    world["octo-2"].own = [tools.probe(port=10943, page="server", whose="octopus 2", probe_id="local:OctopusServer")]
    world["web-01"].trusted[0]["Thumbprint"] = tools.thumbprint("octopus 2")


@case("TC324")
def invisible(world: Any, tools: Any) -> None:
    world["web-01"].trusted[0]["Thumbprint"] = "\u200e" + tools.thumbprint("octopus")


@case("TC325", "poll-01")
def lower_case(world: Any, tools: Any) -> None:
    world["poll-01"].trusted[0]["Thumbprint"] = tools.thumbprint("octopus").lower()


@case("TC401")
def renewed(world: Any, tools: Any) -> None:
    world["web-01"].declare(thumbprint=tools.thumbprint("web-01 of old"))


@case("TC402", "web-01")
def mixed_up(world: Any, tools: Any) -> None:
    world["web-01"].declare(thumbprint=tools.thumbprint("web-02"))


@case("TC403")
def restart_needed(world: Any, tools: Any) -> None:
    world["web-01"].settings["Tentacle.CertificateThumbprint"] = tools.thumbprint("the new web-01")
    world["web-01"].declare(thumbprint=tools.thumbprint("the new web-01"))


@case("TC404", "web-01", "web-02")
def clone(world: Any, tools: Any) -> None:
    draft = world["web-02"]
    draft.settings["Tentacle.CertificateThumbprint"] = tools.thumbprint("web-01")
    draft.declare(thumbprint=tools.thumbprint("web-01"))
    draft.own = [tools.probe(whose="web-01", probe_id="local:Tentacle")]
    tools.across(world, "web-02", {"whose": "web-01"}, {"whose": "web-01"})


@case("TC405", "octo-1", "web-01", "web-02", "poll-01", "poll-02")
def inventory_thumbprint_is_old(world: Any, tools: Any) -> None:
    world["octo-1"].declare(thumbprint=tools.thumbprint("the old octopus"))


@case("TC406", "octo-1")
def server_presents_another(world: Any, tools: Any) -> None:
    new = {"port": 10943, "page": "server", "whose": "the new octopus"}
    world["octo-1"].own = [tools.probe(probe_id="local:OctopusServer", **new)]
    for name in ("poll-01", "poll-02"):
        tools.across(world, name, new, new)


# -- the own port ------------------------------------------------------------------------------------------------------


def closed_port(world: Any, tools: Any) -> None:
    world["web-01"].listeners = []
    world["web-01"].own = [tools.probe(probe_id="local:Tentacle", **REFUSED)]


@case("TC501")
def port_not_open(world: Any, tools: Any) -> None:
    closed_port(world, tools)


@case("TC502")
def changed_and_not_restarted(world: Any, tools: Any) -> Any:
    closed_port(world, tools)
    return {"web-01": {"modified": tools.builder.NOW - timedelta(hours=1)}}


@case("TC503")
def taken_and_crashed(world: Any, tools: Any) -> None:
    owner = {"pid": 4711, "name": "nginx", "executable": "/usr/sbin/nginx", "parent_pid": 1}
    world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 4711, "owner": owner}]
    world["web-01"].own = [tools.probe(page="other", whose="nginx", probe_id="local:Tentacle")]
    world["web-01"].service |= STOPPED | {"exit_code": 1067}


@case("TC504")
def second_instance(world: Any, tools: Any) -> None:
    owner = {"pid": 4711, "name": "Tentacle.exe", "executable": r"C:\Other\Tentacle.exe", "parent_pid": 1}
    world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 4711, "owner": owner}]
    world["web-01"].own = [tools.probe(whose="another", probe_id="local:Tentacle")]


@case("TC505")
def zombie(world: Any, tools: Any) -> None:
    child = {"pid": 4712, "name": "powershell.exe", "parent_pid": 4711}
    world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 4711, "children": (child,)}]
    world["web-01"].own = [tools.probe(fails="tls", error=Failure.TIMED_OUT, probe_id="local:Tentacle")]
    world["web-01"].service |= STOPPED | {"exit_code": 1067}


@case("TC506")
def another_page_here(world: Any, tools: Any) -> None:
    world["web-01"].own = [tools.probe(page="other", whose="security suite", probe_id="local:Tentacle")]


@case("TC507")
def hangs(world: Any, tools: Any) -> None:
    world["web-01"].own = [tools.probe(fails="tls", error=Failure.TIMED_OUT, probe_id="local:Tentacle")]


# -- names -------------------------------------------------------------------------------------------------------------


@case("TC510")
def one_dns(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", NO_NAME, {})


@case("TC511", "poll-01", "poll-02")
def no_record(world: Any, tools: Any) -> None:
    for name in ("poll-01", "poll-02"):
        tools.across(world, name, NO_NAME, {})


@case("TC512")
def dns_down(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", NO_DNS, {})


@case("TC513", "web-01", "web-02")
def zone_unknown(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", NO_NAME, {})
    tools.across(world, "web-02", NO_NAME, {})


@case("TC514")
def stale_record(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", {"addresses": ("192.0.2.99",), **DROPPED}, {})


@case("TC515")
def one_dead_address(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", {"addresses": ("2001:db8::1", "198.51.100.1"), **DROPPED}, {})


# -- the path ----------------------------------------------------------------------------------------------------------


@case("TC520")
def own_firewall(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", DROPPED, DROPPED)


@case("TC521")
def security_group(world: Any, tools: Any) -> Any:
    tools.across(world, "web-01", DROPPED, DROPPED)
    rule = FirewallRule(name="Octopus", action="allow", ports=("10933",))
    profile = FirewallProfile(name="Domain", enabled=True, inbound="block", active=True)
    return {"web-01": {"firewall": Firewall(engine="windows", running=True, profiles=(profile,), rules=(rule,))}}


@case("TC522", "web-01", "web-02")
def closed_way(world: Any, tools: Any) -> None:
    world.add_listening("far-01", "192.0.2.200")
    for name in ("web-01", "web-02"):
        tools.across(world, name, DROPPED, DROPPED)


@case("TC523", "web-01", "web-02", "web-03")
def no_way_out(world: Any, tools: Any) -> None:
    world.add_listening("web-03", "192.0.2.200")
    for name in ("web-01", "web-02", "web-03"):
        tools.across(world, name, DROPPED, DROPPED)


@case("TC524", "poll-01", "poll-02")
def server_firewall(world: Any, tools: Any) -> None:
    for name in ("poll-01", "poll-02"):
        tools.across(world, name, DROPPED, DROPPED)


@case("TC525", "poll-01", "poll-02")
def closed_subnet(world: Any, tools: Any) -> None:
    world.add_polling("poll-03", "192.0.2.200")
    for name in ("poll-01", "poll-02"):
        tools.across(world, name, DROPPED, DROPPED)


@case("TC526", "poll-01")
def no_way_out_for_one(world: Any, tools: Any) -> None:
    tools.across(world, "poll-01", DROPPED, DROPPED)


@case("TC527")
def no_route(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", NO_ROUTE, NO_ROUTE)


@case("TC528")
def policy(world: Any, tools: Any) -> None:
    forbidden = {"fails": "connect", "error": Failure.PROHIBITED}
    tools.across(world, "web-01", forbidden, forbidden)


@case("TC529")
def nobody_knows(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", DROPPED, DROPPED)
    world["web-01"].unreachable = tools.builder.Unreachable(stage="connect", summary="no answer", advice="see why")


@case("TC530")
def one_alone(world: Any, tools: Any) -> None:
    del world.drafts["web-02"]
    world["octo-1"].peer = world["octo-1"].peer[:2]
    tools.across(world, "web-01", DROPPED, DROPPED)


@case("TC531", "poll-01")
def one_poller(world: Any, tools: Any) -> None:
    del world.drafts["poll-02"]
    tools.across(world, "poll-01", REFUSED, REFUSED)


# -- interception and TLS ----------------------------------------------------------------------------------------------


@case("TC540", "web-01", "web-02")
def inspected(world: Any, tools: Any) -> None:
    for name in ("web-01", "web-02"):
        tools.across(world, name, {"der": tools.certificate}, {"der": tools.certificate})


@case("TC541")
def leads_to_another(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", {"whose": "web-02"}, {"whose": "web-02"})


@case("TC543")
def server_answers(world: Any, tools: Any) -> None:
    other = {"whose": "no machine of ours", "page": "server"}
    tools.across(world, "web-01", other, other)


@case("TC544")
def web_server(world: Any, tools: Any) -> None:
    other = {"der": tools.certificate, "page": "other"}
    tools.across(world, "web-01", other, other)


@case("TC545")
def plain_http(world: Any, tools: Any) -> None:
    plain = {"fails": "tls", "error": Failure.NOT_TLS}
    tools.across(world, "web-01", plain, plain)


@case("TC546")
def load_balancer(world: Any, tools: Any) -> None:
    closed = {"fails": "tls", "error": Failure.CLOSED}
    tools.across(world, "web-01", closed, closed)


@case("TC547")
def resets(world: Any, tools: Any) -> None:
    reset = {"fails": "tls", "error": Failure.RESET}
    tools.across(world, "web-01", reset, reset)


@case("TC548")
def silent(world: Any, tools: Any) -> None:
    quiet = {"fails": "tls", "error": Failure.TIMED_OUT}
    tools.across(world, "web-01", quiet, quiet)


@case("TC549", "web-01", "web-02")
def too_large(world: Any, tools: Any) -> None:
    quiet = {"fails": "tls", "error": Failure.TIMED_OUT}
    for name in ("web-01", "web-02"):
        tools.across(world, name, quiet, quiet)


@case("TC901")
def tls_off(world: Any, tools: Any) -> Any:
    tools.across(world, "web-01", OLD_TLS, OLD_TLS)
    off = TlsProtocol(name="TLS 1.2", side="server", enabled=False)
    return {"web-01": {"tls": TlsPolicy(library="Schannel", protocols=(off,))}}


@case("TC903")
def old_tls_between(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", OLD_TLS, OLD_TLS)


@case("TC904")
def no_common_tls(world: Any, tools: Any) -> None:
    tools.across(world, "web-01", OLD_TLS, OLD_TLS)
    world["web-01"].unreachable = tools.builder.Unreachable(stage="connect", summary="no answer", advice="see why")


MADE_BY_HAND = {"TC122", "TC542", "TC550", "TC902", "TC905", "TC906", "TC907"}
"""These have a test of their own below."""

PROVEN_BY_A_PROBLEM = [kind for kind in CAUSES if min(kind.needs) in REMEDIES and kind.code not in MADE_BY_HAND]


@pytest.fixture
def run(world: Any, tools: Any, diagnosed: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Injects a fault and diagnoses."""

    def go(case: Case) -> Any:
        sections = case.change(world, tools) or {}
        add_sections(world, sections, tools, monkeypatch)
        return diagnosed(world)

    return go


def add_sections(world: Any, sections: dict[str, dict[str, Any]], tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sections that the builder does not have are put into the finished surveys."""
    for name, values in sections.items():
        draft = world[name]
        original = draft._survey

        def survey(original: Any = original, values: dict[str, Any] = values) -> Any:
            made = original()
            if "modified" in values:
                instance = made.instances.data[0]
                file = instance.configuration.model_copy(update={"modified_utc": values["modified"]})
                changed = instance.model_copy(update={"configuration": file})
                return made.model_copy(update={"instances": tools.builder.Section(data=(changed,))})
            return made.model_copy(update={key: tools.builder.Section(data=value) for key, value in values.items()})

        monkeypatch.setattr(draft, "_survey", survey)


class TestEachCause:
    """One fault, one cause, and nothing left."""

    @pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.code}-{case.change.__name__}") for case in CASES])
    def test_it_alone(self, case: Case, run: Any) -> None:
        """The fault gives the cause, on just the machines that have it, whatever else is seen."""
        diagnosis = run(case)
        found = [cause.code for cause in diagnosis.causes]
        assert found == [case.code]
        assert not diagnosis.unexplained
        cause = diagnosis.causes[0]
        assert tuple(name for name in cause.machines if name not in cause.affected) == case.machines
        assert cause.evidence
        assert "?" not in cause.sentence, "every fact of the sentence is known"
        words = (line for line in (*cause.remedy_windows, *cause.remedy_linux) if not line.startswith("$ "))
        assert "{" not in "".join((*words, cause.unsure, cause.sentence))

    @pytest.mark.parametrize("kind", PROVEN_BY_A_PROBLEM, ids=lambda kind: kind.code)
    def test_of_a_problem(self, kind: Any, world: Any, diagnosed: Any, make_problem: Any, tools: Any) -> None:
        """What a log tells of a fleet that looks well otherwise, and what a setting or a right shows by itself."""
        facts = {"host": "octo-1.example", "port": 10943, "subject": "CN=proxy", "path": "C:\\Octopus", "status": "403"}
        facts |= {"thumbprint": tools.thumbprint("web-02" if kind.code == "TC101" else "nobody")}
        diagnosis = diagnosed(
            world, make_problem(min(kind.needs), "web-01", **facts, vantage="web-01", server="octo-1")
        )
        assert [cause.code for cause in diagnosis.causes] == [kind.code]
        assert "?" not in diagnosis.causes[0].sentence

    def test_not_connected(
        self, world: Any, diagnosed: Any, make_problem: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A poller without a connection, whose server is well: what the sockets tell explains what the log says."""
        add_sections(world, {"poll-01": {"connections": ()}}, tools, monkeypatch)
        diagnosis = diagnosed(world, make_problem("TT115", "poll-01"))
        assert [cause.code for cause in diagnosis.causes] == ["TC551"]

    def test_connected_and_busy(
        self, world: Any, diagnosed: Any, make_problem: Any, tools: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A poller with its connections, which does not come for its requests."""
        busy = Connection(
            local_address="203.0.113.1",
            local_port=50000,
            remote_address="192.0.2.10",
            remote_port=10943,
            state="established",
        )
        add_sections(world, {"poll-01": {"connections": (busy,)}}, tools, monkeypatch)
        diagnosis = diagnosed(world, make_problem("TT115", "poll-01"))
        assert [(cause.code, cause.confidence) for cause in diagnosis.causes] == [("TC122", "likely")]

    def test_another_octopus(self, world: Any, diagnosed: Any, tools: Any, issue: Any) -> None:
        """A Tentacle that the inventory does not know answers at the address."""
        stranger = issue("Octopus Tentacle", "Octopus Tentacle")
        tools.across(world, "web-01", {"der": stranger}, {"der": stranger})
        assert [cause.code for cause in diagnosed(world).causes] == ["TC542"]

    def test_weak_certificate(self, world: Any, diagnosed: Any, tools: Any, issue: Any) -> None:
        """The Tentacle's own key is short: the server's system refuses it, with words about versions."""
        weak = issue("Octopus Tentacle", "Octopus Tentacle", bits=1024)
        shown = tools.probe(der=weak, probe_id="local:Tentacle")
        world["web-01"].own = [shown]
        world["web-01"].settings["Tentacle.CertificateThumbprint"] = shown.thumbprint
        world["web-01"].declare(thumbprint=shown.thumbprint)
        tools.across(world, "web-01", OLD_TLS, OLD_TLS)
        diagnosis = diagnosed(world)
        assert [cause.code for cause in diagnosis.causes] == ["TC902"]
        assert "a key that is too short" in diagnosis.causes[0].sentence

    def test_rules_of_a_tentacle(self, world: Any, diagnosed: Any, make_problem: Any, tools: Any) -> None:
        """What the rules say and what the server meets is one cause, and a certain one."""
        tools.across(world, "web-01", DROPPED, DROPPED)
        (cause,) = diagnosed(world, make_problem("TT541", "web-01", port=10933)).causes
        assert (cause.code, cause.confidence, cause.machines) == ("TC550", "certain", ("web-01",))

    def test_rules_of_a_server(self, world: Any, diagnosed: Any, make_problem: Any, tools: Any) -> None:
        """The server's own rules, and all the pollers that they keep out: one cause."""
        for name in ("poll-01", "poll-02"):
            tools.across(world, name, DROPPED, DROPPED)
        (cause,) = diagnosed(world, make_problem("TT544", "octo-1", port=10943)).causes
        assert (cause.code, cause.machines) == ("TC550", ("octo-1", "poll-01", "poll-02"))
        assert cause.places == ("octo-1",)

    @pytest.mark.parametrize(("problem", "cause"), [("TT904", "TC905"), ("TT902", "TC906"), ("TT906", "TC907")])
    def test_policies(
        self, problem: str, cause: str, *, world: Any, diagnosed: Any, make_problem: Any, tools: Any
    ) -> None:
        """A machine's TLS policy or .NET Framework explains the link, or the service, that fails."""
        if problem == "TT906":
            world["web-01"].service |= STOPPED | {"exit_code": 1067}
        else:
            tools.across(world, "web-01", OLD_TLS, OLD_TLS)
        assert [found.code for found in diagnosed(world, make_problem(problem, "web-01")).causes] == [cause]

    def test_every_cause_has_a_test(self) -> None:
        """A cause that no fault yields is a guess."""
        proven = {kind.code for kind in PROVEN_BY_A_PROBLEM}
        assert {case.code for case in CASES} | proven | MADE_BY_HAND == {kind.code for kind in CAUSES}
