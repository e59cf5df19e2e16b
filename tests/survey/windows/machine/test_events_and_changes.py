"""What happened to a Windows machine and what was left on it: changes, events, the watchdog, earlier installations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

PROGRAM = "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"


def changes_told(late):
    """Entries of the logs of servicing and of the firewall."""
    servicing, firewall = "Microsoft-Windows-Servicing", "Microsoft-Windows-Windows Firewall With Advanced Security"

    def package(name, state, error="0x0", number=2):
        data = {"PackageIdentifier": name, "IntendedPackageState": state, "ErrorCode": error}
        return {"provider": servicing, "id": number, "time_utc": late, "in_user_data": True, "data": data}

    def rule(number, name, **more):
        data = {
            "RuleName": name,
            "Direction": "1",
            "Protocol": "6",
            "LocalPorts": "10933",
            "Action": "2",
            "Active": "1",
        }
        return {"provider": firewall, "id": number, "time_utc": late, "data": data | more}

    return [
        package("KB5032381", "5112"),
        package("Web-Server", "5000"),
        package("KB1", "5112", error="0x800f081f"),
        package("KB2", "5112", number=1),
        package("KB3", "5096"),
        rule(2004, "Block it"),
        rule(2097, "Range", LocalPorts="80,10900-10999", Action="3", Active="0"),
        rule(2005, "Out", Direction="2"),
        rule(2005, "Udp", Protocol="17"),
        rule(2005, "Other port", LocalPorts="8080"),
        rule(2004, "@{Microsoft.App?ms-resource://App}", LocalPorts="*", Protocol="256"),
        {"provider": firewall, "id": 2006, "time_utc": late, "data": {"RuleName": "Octopus"}},
        {"provider": firewall, "id": 2003, "time_utc": late, "data": {"Profiles": "1", "SettingType": "1"}},
    ]


def assert_changes(changes, late):
    """What was installed and what was removed, and the rules that have to do with our port."""
    assert {(each.name, each.action) for each in changes.updates} == {
        ("KB5032381", "installed"),
        ("Web-Server", "removed"),
    }
    assert {each.time_utc.strftime("%Y-%m-%dT%H:%M:%SZ") for each in (*changes.updates, *changes.rules)} == {late}
    assert {(each.action, each.name, each.ports, each.verdict, each.active) for each in changes.rules} == {
        ("added", "Block it", ("10933",), "block", True),
        ("added", "Range", ("80", "10900-10999"), "allow", False),
        ("removed", "Octopus", (), None, None),
        ("profile", "1", (), None, None),
    }
    assert any(file.path.endswith("etc\\hosts") and file.modified_utc for file in changes.files)
    assert changes.unread == ()


class TestEvents:
    @pytest.fixture
    def sections(self):
        return {"events", "changes"}

    def test_by_names(self, tentacle):
        """Fields by name wherever they stand, the service's key name, ours only; nothing older than a week, and no flood."""
        now = datetime.now(UTC)
        manager, late = "Service Control Manager", (now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        tentacle.description["events"] = [
            {
                "provider": manager,
                "id": 7031,
                "time_utc": late,
                "data": {"param1": "x", "param2": "3"},
                "service": "OctopusDeploy Tentacle",
            },
            {"provider": manager, "id": 7038, "data": {"param1": "OctopusDeploy Tentacle: Ä<", "param3": "%%1326"}},
            {"provider": manager, "id": 7031, "data": {"param1": "Spooler"}, "service": "Spooler"},
            {"provider": manager, "id": 7034, "time_utc": "2020-01-01T00:00:00Z", "data": {"param1": "Octopus"}},
            {"provider": manager, "id": 7036, "data": {"param1": "Octopus"}},
            {
                "provider": "Schannel",
                "id": 36871,
                "data": {"Type": "client", "ErrorState": "10013"},
                "in_user_data": True,
            },
        ] + [{"provider": "Schannel", "id": 36887, "data": {"CallerProcessId": "2136", "AlertDesc": "70"}}] * 90
        tentacle.description["events"] += changes_told(late)
        tentacle.description["events"] += [
            {"provider": "Tcpip", "id": 4199, "data": {"a": "", "b": "192.0.2.7", "c": "00-50-56-9A-12-34"}},
            {"provider": "e1dexpress", "id": 4199, "data": {"a": "192.0.2.8"}},
            *[{"provider": "Tcpip", "id": 4227}] * 30,
        ]
        tentacle.put("Windows/System32/drivers/etc/hosts", "")
        survey = tentacle.run().survey
        assert_changes(survey.changes.data, late)
        section = survey.events
        assert section.unknown is None
        events = section.data
        crash, logon = (event for event in events if event.source == "service-control-manager")
        if crash.id != 7031:
            crash, logon = logon, crash
        assert crash.data == {"param1": "x", "param2": "3", "service": "OctopusDeploy Tentacle"}
        assert crash.time_utc.strftime("%Y-%m-%dT%H:%M:%SZ") == late
        assert (logon.id, logon.data["param1"], logon.data["param3"]) == (7038, "OctopusDeploy Tentacle: Ä<", "%%1326")
        network = [event for event in events if event.source == "tcpip"]
        assert 0 < len(network) <= 10
        assert {event.id for event in network} <= {4199, 4227}
        schannel = [event for event in events if event.source == "schannel"]
        assert len(schannel) == 11
        assert {"Type": "client", "ErrorState": "10013"} in [event.data for event in schannel]
        assert {"CallerProcessId": "2136", "AlertDesc": "70"} in [event.data for event in schannel]

    def test_none_and_denied(self, healthy, refused):
        """No event is an empty list; a refused log is unknown."""
        assert healthy.events.data == ()
        assert refused.events.unknown.startswith("access-denied: ")
        updates, rules = refused.changes.data.unread
        assert updates.startswith("updates of Windows: access-denied: ")
        assert rules.startswith("changes of the firewall's rules: access-denied: ")
        assert healthy.changes.data.unread == healthy.changes.data.updates == healthy.changes.data.rules == ()


class TestWatchdog:
    @pytest.fixture
    def sections(self):
        return {"watchdog"}

    def test_states(self, tentacle):
        """Tasks of the watchdog's name alone, with state and last result as a number."""
        tentacle.description["tasks"] = [
            {"name": "Octopus Watchdog Tentacle", "state": "ready", "last_result": 2147942402},
            {"name": "Octopus Watchdog OctopusServer", "state": "disabled"},
            {"name": "Octopus Backup", "state": "running"},
        ]
        found = tentacle.run().survey.watchdog.data
        assert [(entry.name, entry.state, entry.last_result) for entry in found] == [
            ("Octopus Watchdog Tentacle", "ready", 2147942402),
            ("Octopus Watchdog OctopusServer", "disabled", 267011),  # never run
        ]

    def test_none_and_denied(self, healthy, refused):
        """No watchdog is an empty list; refused tasks are unknown."""
        assert healthy.watchdog.data == ()
        assert refused.watchdog.unknown.startswith("access-denied: ")


class TestLeftOvers:
    @pytest.fixture
    def sections(self):
        return {"left_overs"}

    def test_healthy(self, healthy):
        """What is in use is no left-over."""
        assert healthy.left_overs.data == ()

    def test_beside_an_instance(self, tentacle, shapes):
        """An index without its file, a service without its instance; one that runs by `--config` needs none."""
        tentacle.put(
            "ProgramData/Octopus/Tentacle/Instances/old.config",
            '{"Name": "Old", "ConfigurationFilePath": "C:\\\\Old\\\\x.config"}',
        )
        tentacle.description["services"] += [
            shapes.service(name="OctopusDeploy Tentacle: Gone", command=f'"{PROGRAM}" run --instance="Gone"'),
            shapes.service(name="OctopusDeploy Tentacle: File", command=f'"{PROGRAM}" run --config="C:\\a"'),
        ]
        found = tentacle.run().survey.left_overs.data
        assert [(entry.kind, entry.where) for entry in found] == [
            ("index", "Old: C:\\Old\\x.config"),
            ("service", "OctopusDeploy Tentacle: Gone"),
        ]

    def test_after_all(self, machine):
        """Neither instance nor service: folders, keys and tasks that stayed; a program not set up yet is none."""
        machine.description["services"] = []
        machine.put("Octopus/Applications/x", b"")
        machine.put("Server/x", b"")
        machine.description["tasks"] = [{"name": "Octopus Watchdog Tentacle", "state": "ready"}]
        machine.description["registry"] = {
            "HKLM:\\SOFTWARE\\Octopus\\Tentacle": {"InstallLocation": "C:\\gone\\"},
            "HKLM:\\SOFTWARE\\Octopus\\OctopusServer": {"InstallLocation": "C:\\Server\\"},
        }
        found = machine.run().survey.left_overs.data
        assert {(entry.kind, entry.where) for entry in found} == {
            ("registry", "HKLM:\\SOFTWARE\\Octopus\\Tentacle"),
            ("task", "Octopus Watchdog Tentacle"),
            ("folder", "C:\\Octopus"),
        }
