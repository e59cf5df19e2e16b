"""The log that Tentacle writes before it knows its home, wherever the account of a service has it."""

from __future__ import annotations

import pytest

TIME = "2026-11-22 03:04:05.0057"
FIRST = f"{TIME}   70      1  INFO  Tentacle version 8.3.3000 (8.3.3000) instance Tentacle\r\n"
FATAL = f"{TIME}   70      1  FATAL  Root element is missing.\r\n"
LOCAL = "AppData/Local/Octopus/Logs/OctopusTentacle.txt"
SYSTEM = f"Windows/System32/config/systemprofile/{LOCAL}"
PROFILES = "HKLM:\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList"
SERVICE = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\OctopusDeploy Tentacle"
SID = "S-1-5-21-1-2-3-1104"


@pytest.fixture
def sections():
    return {"logs"}


def early(machine):
    return [log for log in machine.run().survey.logs.data if log.account is not None]


def windows(path: str) -> str:
    return "C:\\" + path.replace("/", "\\")


class TestWhere:
    def test_of_the_system(self, tentacle):
        """In LocalSystem's profile, with whose it is and what it says."""
        tentacle.put(SYSTEM, FIRST + FATAL)
        (log,) = early(tentacle)
        assert (log.account, log.product, log.instance, log.path) == ("LocalSystem", "tentacle", "", windows(SYSTEM))
        assert (log.size, log.complete, log.error) == (len(FIRST + FATAL), True, None)
        assert log.modified_utc
        assert [(record.signature, record.instance) for record in log.records] == [
            ("configuration-damaged", "Tentacle")
        ]

    def test_of_windows_own_accounts(self, tentacle, shapes):
        """Each has its profile beside the others."""
        names = ("LocalService", "NetworkService")
        tentacle.description["services"] = [
            shapes.service(name=name, account=f"NT AUTHORITY\\{name}") for name in names
        ]
        for name in names:
            tentacle.put(f"Windows/ServiceProfiles/{name}/{LOCAL}", FIRST)
        found = {log.account: log.path for log in early(tentacle)}
        assert found == {f"NT AUTHORITY\\{name}": windows(f"Windows/ServiceProfiles/{name}/{LOCAL}") for name in names}

    def test_of_another_account(self, tentacle):
        """Where the list of profiles says, by the account's SID."""
        tentacle.description["services"][0]["account"] = "LAB\\deploy"
        tentacle.description["accounts"] = {"LAB\\deploy": SID}
        tentacle.description["registry"] = {f"{PROFILES}\\{SID}": {"ProfileImagePath": "C:\\Users\\deploy.LAB"}}
        tentacle.put(f"Users/deploy.LAB/{LOCAL}", FIRST)
        (log,) = early(tentacle)
        assert (log.account, log.path) == ("LAB\\deploy", windows(f"Users/deploy.LAB/{LOCAL}"))

    def test_of_an_account_that_nobody_knows(self, tentacle):
        """No SID, no profile, no log; and all else stands."""
        tentacle.description["services"][0]["account"] = "LAB\\gone"
        tentacle.description["accounts"] = {"LAB\\gone": ""}
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", FIRST)
        (log,) = tentacle.run().survey.logs.data
        assert (log.account, log.error) == (None, None)

    def test_the_services_environment(self, tentacle):
        """What the service sets goes first."""
        tentacle.description["registry"] = {SERVICE: {"Environment": ["DefaultLogDirectory=C:\\Early\\"]}}
        tentacle.put("Early/OctopusTentacle.txt", FIRST)
        tentacle.put(SYSTEM, FIRST)
        (log,) = early(tentacle)
        assert log.path == "C:\\Early\\OctopusTentacle.txt"


class TestOnce:
    def test_two_services_of_one_account(self, tentacle, shapes):
        """They write into the same file, which is read once."""
        second = shapes.service(name="OctopusDeploy Tentacle: B", command='"C:\\T\\Tentacle.exe" run --instance="B"')
        tentacle.description["services"].append(second)
        tentacle.put(SYSTEM, FIRST)
        assert len(early(tentacle)) == 1

    def test_an_instances_own_log(self, tentacle):
        """DefaultLogDirectory may lead to it: then it is the instance's own, and no other."""
        tentacle.description["registry"] = {SERVICE: {"Environment": ["DefaultLogDirectory=c:\\octopus\\logs"]}}
        tentacle.put("Octopus/Logs/OctopusTentacle.txt", FIRST)
        assert early(tentacle) == []


class TestBounds:
    def test_large(self, tentacle):
        """Of a large one the last 200 KiB are read."""
        tentacle.put(SYSTEM, FIRST * 20_000 + FATAL)
        (log,) = early(tentacle)
        assert (log.complete, log.read) == (False, 204_800 // len(FIRST))
        assert log.records[-1].text == "Root element is missing."

    def test_absent_empty_or_refused(self, tentacle, healthy):
        """Without a word: a healthy machine has none, and whoever may not read it learns from the instance's own."""
        assert [log.account for log in healthy.logs.data] == [None]
        tentacle.put(SYSTEM, "")
        assert early(tentacle) == []
        tentacle.put(SYSTEM, FIRST)
        tentacle.deny("logs")
        assert early(tentacle) == []
