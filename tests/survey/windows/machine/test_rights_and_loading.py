"""What a survey of Windows walks through or starts: rights on Octopus Home, the products' load time, and a busy machine."""

from __future__ import annotations

import resource

import pytest

from pytest_tentacle.survey.model import Survey
from pytest_tentacle.survey.request import Request

FIREWALL = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
SYSTEM_HIVE = "Registry::HKEY_USERS\\S-1-5-18"
PROGRAM = "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"
SYSTEM = {"sid": "S-1-5-18", "mask": 0x1F01FF, "inherited": True}
LINE = "2026-11-20 04:05:06.1234   2136      4  INFO  Agent will trust Octopus Servers with the thumbprint: "


class TestPermissions:
    @pytest.fixture
    def sections(self):
        return {"permissions"}

    def test_healthy(self, tentacle):
        """Local System's home: the folder and what lies right in it, by SIDs, with unsigned masks."""
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", "x")
        tentacle.put("Octopus/Files/deep/a.zip", "x")
        (found,) = tentacle.run().survey.permissions.data
        assert (found.instance, found.product, found.account, found.sid) == (
            "Tentacle",
            "tentacle",
            "LocalSystem",
            "S-1-5-18",
        )
        assert (found.home, found.complete, found.groups_complete) == ("C:\\Octopus", True, True)
        assert "S-1-5-32-544" in found.groups
        paths = [entry.path for entry in found.access]
        assert {"C:\\Octopus", "C:\\Octopus\\Logs", "C:\\Octopus\\Files"} <= set(paths)
        assert paths[0] == "C:\\Octopus"
        assert "C:\\Octopus\\Files\\deep" not in paths
        assert found.looked_at == 7
        root = found.access[0]
        assert (root.owner, root.entries[0].sid, root.entries[0].mask) == ("S-1-5-32-544", "S-1-5-18", 0x1F01FF)
        assert (root.entries[3].mask, root.entries[3].inherit_only) == (0x10000000, True)

    def test_what_does_not_just_inherit(self, tentacle):
        """Protected folders and explicit entries are named however deep; a refused list is an error of its own."""
        for path in ("Work/1/a", "Work/2/b", "Work/3/c"):
            tentacle.put(f"Octopus/{path}", "x")
        generic = {"sid": "S-1-1-0", "mask": 0xA0000000, "deny": True, "inherit_only": True}
        tentacle.description["acl"] = {
            "C:\\Octopus\\Work\\1": {"owner": "S-1-5-18", "protected": True, "entries": [SYSTEM]},
            "C:\\Octopus\\Work\\2\\b": {"owner": "S-1-5-18", "entries": [SYSTEM, generic]},
            "C:\\Octopus\\Work\\3": "refused",
        }
        (found,) = tentacle.run().survey.permissions.data
        access = {entry.path: entry for entry in found.access}
        assert [entry.sid for entry in access["C:\\Octopus\\Work\\1"].entries] == ["S-1-5-18"]
        deny = access["C:\\Octopus\\Work\\2\\b"].entries[1]
        assert (deny.sid, deny.mask, deny.deny, deny.inherited, deny.inherit_only) == (
            "S-1-1-0",
            0xA0000000,
            True,
            False,
            True,
        )
        assert (access["C:\\Octopus\\Work\\3"].error, access["C:\\Octopus\\Work\\3"].entries) == ("denied", None)
        assert "C:\\Octopus\\Work\\2" not in access

    ACCOUNTS = (
        ("ACME\\svc", "S-1-5-21-1111-2222-3333-1105", {"S-1-5-32-544"}, False),
        (".\\svc", "S-1-5-21-1111-2222-3333-1106", {"S-1-5-32-544", "S-1-5-113"}, True),
        ("NT AUTHORITY\\NetworkService", "S-1-5-20", set(), True),
        ("NT SERVICE\\ALG", "S-1-5-80-2387347252-3645287876-2469496166-3824418187-3586569773", set(), True),
        ("ACME\\o'brien\\x", None, set(), False),
        ("svc@acme.example", None, set(), False),
    )

    @pytest.mark.parametrize("state", ["running", "stopped"])
    def test_accounts(self, machine, shapes, state):
        """Each kind of account as a SID, with the local groups that hold it; a domain's own groups stay open.

        What runs has a process of its own, which tells whose that is, and names are asked for all the same.
        """
        machine.sections = None
        machine.description |= {
            "services": [],
            "groups": {"S-1-5-32-544": ["S-1-5-21-1111-2222-3333-1105", "S-1-5-21-1111-2222-3333-1106"]},
            "accounts": {account: "" for account, sid, *_ in self.ACCOUNTS if sid is None},
        }
        for number, (account, *_) in enumerate(self.ACCOUNTS):
            name, command, pid = f"T{number}", f'"{PROGRAM}" run --instance="T{number}"', 3000 + number
            machine.add_instance(name, machine.settings | {"Octopus.Home": f"C:\\{name}"})
            machine.put(f"{name}/x", b"")
            service = shapes.service(name=name, account=account, command=command, state=state, pid=pid)
            machine.description["services"].append(service)
            if state == "running":
                machine.description["processes"].append(shapes.process(pid, "Tentacle.exe"))
        everybody = {"S-1-1-0", "S-1-5-11", "S-1-5-6", "S-1-5-32-545"}
        run = machine.run()
        found = sorted(run.survey.permissions.data, key=lambda one: one.instance)
        assert [(one.account, one.sid, set(one.groups) - everybody, one.groups_complete) for one in found] == list(
            self.ACCOUNTS
        )
        asked = {
            int(call["arguments"]["ProcessId"]) for call in machine.commands() if call["command"] == "Invoke-CimMethod"
        }
        assert asked == (set(range(3000, 3000 + len(self.ACCOUNTS))) if state == "running" else set())

    def test_denied(self, tentacle, shapes):
        """Refused lists are errors by path, and name no group to ask for; the process tells whose it is."""
        tentacle.description["services"] = [shapes.service(account=".\\svc")]
        tentacle.description["locale"] = "de"
        tentacle.deny("acl", "groups", "accounts")
        (found,) = tentacle.run().survey.permissions.data
        assert {entry.error for entry in found.access} == {"denied"}
        assert found.sid == "S-1-5-21-1111-2222-3333-1105"
        tentacle.description["services"] = []
        assert tentacle.run().survey.permissions.data == ()


class TestLoading:
    @pytest.fixture
    def sections(self):
        return {"loading", "proxies"}

    def test_healthy(self, tentacle):
        """`help` runs twice, and nothing else; the account's own setting for revocations."""
        tentacle.description["loading"] = {"seconds": 0.3, "exit_code": 0}
        loading = tentacle.run().survey.loading.data
        (time,) = loading.times
        assert (time.product, time.executable, time.exit_code, time.error) == ("tentacle", PROGRAM, 0, None)
        assert 300 <= time.cold_ms < 5000
        assert 300 <= time.warm_ms < 5000
        assert [(entry.account, entry.enabled) for entry in loading.revocation] == [("LocalSystem", True)]

    def test_what_is_started(self, tentacle):
        """The program in its own folder, with one argument, with nothing to read and as much to print as it likes."""
        script = '#!/bin/sh\ncat >stdin; echo "$@" >>calls; pwd >folder\ni=0; while [ $i -lt 9000 ]; do echo 0123456789abcdef >&2; echo x; i=$((i+1)); done\nexit 7\n'
        tentacle.put("Program Files/Octopus Deploy/Tentacle/Tentacle.exe", script)
        folder = tentacle.folder / "files/C/Program Files/Octopus Deploy/Tentacle"
        (folder / "Tentacle.exe").chmod(0o755)
        (time,) = tentacle.run().survey.loading.data.times
        assert (time.exit_code, time.error) == (7, None)
        assert (folder / "calls").read_text() == "help\nhelp\n"
        assert (folder / "stdin").read_bytes() == b""
        assert (folder / "folder").read_text().strip() == str(folder)

    def test_too_slow(self, tentacle):
        """What does not end is ended when the time is over, and is not started again; all else is there."""
        tentacle.sections = None
        tentacle.description["loading"] = {"seconds": 300}
        survey = tentacle.run(Request(probe_seconds=1, budget_seconds=30)).survey
        (time,) = survey.loading.data.times
        assert (time.cold_ms, time.warm_ms, time.exit_code) == (None, None, None)
        assert "did not end within" in time.error
        assert survey.probes[0].connect

    def test_refused_missing_and_switched_off(self, tentacle):
        """A program that may not be started, or is gone, says so; bit 0x200 switches revocations off; a hive may be away."""
        key = f"{SYSTEM_HIVE}\\Software\\Microsoft\\Windows\\CurrentVersion\\WinTrust\\Trust Providers\\Software Publishing"
        tentacle.description["registry"] = {key: {"State": 0x23E00}}
        tentacle.put("Program Files/Octopus Deploy/Tentacle/Tentacle.exe", "#!/bin/sh\n")
        loading = tentacle.run().survey.loading.data
        assert "Win32Exception" in loading.times[0].error
        assert loading.revocation[0].enabled is False
        tentacle.description["registry"] = {key: None}
        tentacle.description["services"][0]["command"] = "C:\\gone\\sub\\Tentacle.exe run"
        loading = tentacle.run().survey.loading.data
        assert loading.revocation[0].enabled is True
        assert loading.revocation[0].detail.startswith("Windows' default")

    def test_hives_that_may_not_be_looked_into(self, tentacle):
        """Only administrators may look into another account's hive: the load times are there all the same."""
        tentacle.description["loading"] = {"seconds": 0.1}
        tentacle.deny("hives")
        survey = tentacle.run().survey
        assert survey.loading.data.times[0].warm_ms
        (revocation,) = survey.loading.data.revocation
        assert revocation.enabled is None
        assert revocation.detail.startswith("access-denied: ")
        assert survey.proxies.unknown.startswith("access-denied: ")


class TestWholeMachine:
    def test_a_busy_server_costs_a_few_times_a_quiet_one(self, tentacle, shapes, cold_engine):
        """500 processes, a log of 100 MB, 600 firewall rules, 2,000 files and 1,000 connections: nothing is left out.

        The processor's time is compared with a quiet machine's just before: that holds on a slow or busy host, too.
        """
        tentacle.engine = cold_engine

        def cost() -> tuple[float, Survey]:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            survey = tentacle.run(Request(probe_seconds=5, budget_seconds=200)).survey
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, survey

        quiet, _ = cost()
        tentacle.description["processes"] += [shapes.process(5000 + n, f"p{n}.exe") for n in range(500)]
        tentacle.description["sockets"] += [
            {
                "address": "127.0.0.1",
                "port": 10933,
                "pid": 2136,
                "state": "established",
                "remote_address": "127.0.0.9",
                "remote_port": 20000 + n,
            }
            for n in range(1000)
        ]
        tentacle.description["registry"] = {
            f"{FIREWALL}\\FirewallRules": {
                f"r{n}": f"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort={20000 + n}|App=C:\\p{n}.exe|Name=n{n}|"
                for n in range(600)
            }
        }
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", b"")
        log = tentacle.folder / "files/C/Octopus/Logs/OctopusTentacle.txt"
        block = f"{LINE}{'A' * 40}\r\n".encode() * 7000
        with log.open("wb") as stream:
            while stream.tell() < 100_000_000:
                stream.write(block)
        for number in range(2000):
            tentacle.put(f"Octopus/Files/{number % 40}/{number}.zip", b"x")
        busy, survey = cost()
        assert busy < 5 * quiet
        unknown = {name for name in type(survey).model_fields if getattr(getattr(survey, name), "unknown", None)}
        assert unknown == shapes.linux_only
        assert len(survey.connections.data) == 1000
        assert survey.logs.data[0].read > 10_000
