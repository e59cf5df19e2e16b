"""What hangs, breaks off or is not there on a machine costs its own section only."""

from __future__ import annotations

import pytest

from pytest_tentacle.survey.request import Request

HANGING = ["cim", "sockets", "addresses", "networks", "events", "tasks", "Get-TlsCipherSuite", "Get-TlsEccCurve"]

GMSA = "CORP\\svc-octopus$"


@pytest.fixture
def patient():
    """A request whose script is not hurried by a busy machine."""
    return Request(probe_seconds=5, budget_seconds=250)


class TestHanging:
    def test_everything_that_may(self, tentacle, patient):
        """WMI and its kin give no answer at all: settings, services, logs, sockets and probes are there."""
        tentacle.description["hanging"] = HANGING
        survey = tentacle.run(patient).survey
        assert survey.host.data.hostname == "web-1"
        (service,) = survey.services.data
        assert (service.state, service.account) == ("running", "LocalSystem")
        assert "WMI did not answer" in service.detail
        assert survey.instances.data[0].configuration.settings["Tentacle.Services.PortNumber"] == "10933"
        assert survey.logs.data is not None
        assert [listener.port for listener in survey.listeners.data] == [10933]  # netstat has them
        assert [probe.port for probe in survey.probes] == [10933]
        assert survey.tls.data.protocols
        assert survey.firewall.data.rules
        assert survey.reservations.data.excluded
        assert survey.permissions.data[0].account == "LocalSystem"
        for section, what in (
            (survey.events, "the event log"),
            (survey.watchdog, "the task scheduler"),
            (survey.disks, "WMI"),
        ):
            assert f"{what} did not answer within" in section.unknown


class TestHonestAnswers:
    def test_a_failed_service_does_not_hide_the_events(self, tentacle):
        """The text of its entry cannot be put together; the entries are there all the same."""
        tentacle.sections = {"events"}
        tentacle.description["events"] = [
            {"provider": "Service Control Manager", "id": 7023, "service": "OctopusDeploy Tentacle", "data": {"param1": "Octopus Tentacle", "param2": "%%5"}},
            {"provider": "Schannel", "id": 36887, "data": {"AlertDesc": "70"}},
        ]  # fmt: skip
        survey = tentacle.run().survey
        assert {event.id for event in survey.events.data} == {7023, 36887}

    def test_whose_account(self, tentacle, shapes):
        """A group managed account is known by its running process; its proxy is found in its hive."""
        tentacle.sections = {"permissions", "proxies", "left_overs", "firewall"}
        tentacle.description["services"] = [shapes.service(account=GMSA)]
        sid = "S-1-5-21-1-2-3-1777"
        tentacle.description["accounts"] = {GMSA: sid}
        hive = f"Registry::HKEY_USERS\\{sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
        tentacle.description["registry"] = {
            hive: {"ProxyEnable": 1, "ProxyServer": "proxy:8080"},
            f"{hive}\\Connections": None,
            "HKLM:\\SOFTWARE\\Octopus\\OctopusServer\\Old": {"x": "y"},
            "HKLM:\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\\StandardProfile": {"EnableFirewall": 0},
        }
        survey = tentacle.run().survey
        assert survey.permissions.data[0].sid == sid
        assert ("wininet", GMSA, "proxy:8080") in [(one.layer, one.account, one.address) for one in survey.proxies.data]
        assert [one.where for one in survey.left_overs.data] == ["HKLM:\\SOFTWARE\\Octopus\\OctopusServer"]
        assert {one.name: one.enabled for one in survey.firewall.data.profiles} == {
            "Domain": True,
            "Private": False,
            "Public": False,
        }

    def test_a_domain_controller(self, tentacle, shapes):
        """Its built-in groups are said not to be there: nobody can tell then, and nothing is said for sure."""
        tentacle.sections = {"permissions"}
        tentacle.description["roles"] = ["domain-controller"]
        tentacle.description["services"] = [shapes.service(account="CORP\\svc")]
        (rights,) = tentacle.run().survey.permissions.data
        assert not rights.groups_complete

    def test_who_is_no_administrator_sees_no_tasks(self, tentacle):
        """An empty list is no list then."""
        tentacle.sections = {"watchdog"}
        tentacle.deny("elevation")
        assert "only administrators" in tentacle.run().survey.watchdog.unknown

    def test_addresses_in_use(self, healthy):
        """Adapters without a network, and link-local addresses, are no addresses of the machine."""
        assert healthy.host.data.addresses == ("127.8.7.6",)
