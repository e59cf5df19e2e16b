"""The step "Machine health": disk space, clocks, versions with known defects, and what lies about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.sections.health.checks import LEAST_FREE
from pytest_tentacle.sections.versions import parsed
from pytest_tentacle.survey.surroundings import Connection, Disk, LeftOver, Product, Watchdog
from support.fleets.looks import OWN_PORT, declared
from support.logs import read_log

SILENT = {"fails": "connect", "error": Failure.TIMED_OUT}
CHILD = {"pid": 4712, "name": "powershell.exe", "parent_pid": 4711}
IN_USE = (
    "2026-11-22 03:04:00.0057   2136      9  FATAL  A required communications port is already in use.\n"
    "System.Net.Sockets.SocketException (10048): Only one usage of each socket address is normally permitted\n"
)


def product(version: str | None) -> tuple[Product, ...]:
    return (Product(product="tentacle", version=version),)


def full(name: str, path: str) -> Callable[[Any, Any], None]:
    def change(around: Any, _: Any) -> None:
        around.sections[name]["disks"] = (Disk(path=path, free_bytes=LEAST_FREE - 1, size_bytes=10**11),)

    return change


def clocks(around: Any, across: Any) -> None:
    """Two days behind, and nobody saw the link well."""
    for mode in ("listening", "polling"):
        across(around.world, mode, SILENT, SILENT)
    around.world["poll-01"].drop(declared("poll-01", "octo-1", "octo-1.example"))
    for name in ("web-01", "poll-01"):
        clock = around.world[name].record().survey.host.data.clock_utc
        around.world[name].host["clock_utc"] = clock - timedelta(days=2)


def port_in_use(around: Any, _: Any) -> None:
    """What versions 8.0.0 to 8.1.61 say after a restart, and nothing after it."""
    log = read_log(IN_USE.encode(), product="tentacle", instance="Tentacle", path="/logs/OctopusTentacle.txt")
    around.sections["web-01"] |= {"logs": (log,), "products": product("8.1.61")}
    around.world["web-01"].service |= {"state": "stopped", "pid": None, "exit_code": 100}
    around.world["web-01"].listeners = []


def zombie(around: Any, _: Any) -> None:
    draft = around.world["web-01"]
    draft.listeners = [{"address": "::", "port": 10933, "pid": 4711, "children": [CHILD]}]
    failed = draft.own[0].model_copy(update={"tls": None, "page": None})
    draft.replace(OWN_PORT, failed)
    around.sections["web-01"]["products"] = product("3.3.22")


def leaks(around: Any, _: Any) -> None:
    """Hundreds of connections of the server, and a version that never lets go of them."""
    around.sections["web-01"] |= {
        "products": product("5.0.1"),
        "connections": tuple(
            Connection(
                local_address="192.0.2.20",
                local_port=10933,
                remote_address="192.0.2.10",
                remote_port=20_000 + number,
                state="established",
                pid=2136,
            )
            for number in range(300)
        ),
    }


def generations_apart(around: Any, _: Any) -> None:
    """The server's settings are of no use to a Tentacle 3, which trusts nobody yet."""
    around.sections["octo-1"]["products"] = (Product(product="server", version="2.6.0.778"),)
    around.sections["web-01"]["products"] = product("3.1.4")
    around.world["web-01"].settings["Tentacle.Communication.TrustedOctopusServers"] = "[]"


def upgraded(around: Any, _: Any) -> None:
    """A process that said at its start that it is of another version than its program is by now."""
    service = around.world["poll-01"].service
    service["executable"] = "/opt/octopus/tentacle/Tentacle"
    text = "".join(
        f"2026-11-22 03:04:00.0057 {service['pid']:>6}      9  INFO  {words}\n"
        for words in ("Tentacle version 8.3.2941 (8.3.2941) instance Tentacle", "==== RunAgentCommand ====")
    )
    log = read_log(text.encode(), product="tentacle", instance="Tentacle", path="/logs/OctopusTentacle.txt")
    own = Product(product="tentacle", version="9.1.3772", path=service["executable"])
    around.sections["poll-01"] |= {"logs": (log,), "products": (own,)}


CASES = [
    ("TT971", "web-01", full("web-01", "C:\\")),
    ("TT971", "poll-01", full("poll-01", "/")),
    ("TT971", "octo-1", full("octo-1", "C:\\")),
    ("TT972", "web-01", clocks),
    ("TT972", "poll-01", clocks),
    ("TT973", "web-01", port_in_use),
    ("TT973", "web-01", zombie),
    ("TT973", "web-01", leaks),
    ("TT974", "web-01", generations_apart),
]


class TestEachCode:
    @pytest.mark.parametrize(("code", "name", "change"), CASES)
    def test_is_found(self, around: Any, across: Any, code: str, name: str, change: Any) -> None:
        change(around, across)
        result = around.judge("machine-health", name)
        assert result.outcome is Outcome.FAILED, result
        (problem,) = result.problems
        assert problem.code == code
        assert problem.evidence


class TestVersionThatRuns:
    def test_of_before_an_upgrade_is_told(self, around: Any) -> None:
        """Nothing fails yet: it is noted."""
        upgraded(around, None)
        result = around.judge("machine-health", "poll-01")
        (problem,) = result.problems
        assert (problem.code, result.outcome) == ("TT976", Outcome.NOTED)
        assert problem.facts["version"] == "8.3.2941"

    def test_of_another_program_tells_nothing(self, around: Any) -> None:
        """A second installation beside the one that the service runs."""
        upgraded(around, None)
        (own,) = around.sections["poll-01"]["products"]
        around.sections["poll-01"]["products"] = (own.model_copy(update={"path": "/srv/tentacle/Tentacle"}),)
        assert around.codes("machine-health", "poll-01") == []


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_nothing_is_found(self, around: Any, name: str) -> None:
        result = around.judge("machine-health", name)
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    def test_another_volume_may_be_full(self, around: Any) -> None:
        """Home lies on D:, below a mount point of its own."""
        draft = around.world["web-01"]
        draft.settings |= {"Octopus.Home": r"D:\data\Octopus", "Tentacle.Deployment.ApplicationDirectory": r"D:\Apps"}
        sizes = {"C:\\": 0, "D:\\": LEAST_FREE, "d:\\data\\": LEAST_FREE, "D:\\dat\\": 0}
        around.sections["web-01"]["disks"] = tuple(Disk(path=path, free_bytes=free) for path, free in sizes.items())
        assert around.judge("machine-health", "web-01").outcome is Outcome.PASSED
        draft.settings["Octopus.Home"] = r"C:\Octopus"
        assert around.codes("machine-health", "web-01") == ["TT971"]

    def test_mount_points_of_linux(self, around: Any) -> None:
        around.world["poll-01"].settings["Octopus.Home"] = "/home/octopus"
        sizes = {"/": 0, "/home": LEAST_FREE, "/HOME": 0}
        around.sections["poll-01"]["disks"] = tuple(Disk(path=path, free_bytes=free) for path, free in sizes.items())
        assert around.judge("machine-health", "poll-01").outcome is Outcome.PASSED

    def test_space_that_cannot_be_read(self, around: Any) -> None:
        around.sections["web-01"]["disks"] = (Disk(path="C:\\"),)
        assert around.judge("machine-health", "web-01").outcome is Outcome.PASSED

    def test_clocks_do_not_keep_a_link_from_being_well(self, around: Any) -> None:
        """Time is not part of the protocol."""
        clock = around.world["web-01"].record().survey.host.data.clock_utc
        around.world["web-01"].host["clock_utc"] = clock + timedelta(days=400)
        result = around.judge("machine-health", "web-01")
        assert result.outcome is Outcome.PASSED
        assert "400 days apart" in " ".join(result.looked_at)

    def test_clocks_tell_nothing_of_a_link_that_nobody_looked_at(self, around: Any) -> None:
        """Where it works they may differ, and whether it works is not known."""
        clock = around.world["web-01"].record().survey.host.data.clock_utc
        around.world["web-01"].host["clock_utc"] = clock + timedelta(days=400)
        around.world["octo-1"].peer.clear()
        result = around.judge("machine-health", "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "400 days apart, and nobody looked" in result.reason

    @pytest.mark.parametrize(("behind", "words"), [(4, "agree within"), (7, "7 min apart"), (180, "3 h apart")])
    def test_a_small_difference_is_told(self, around: Any, across: Any, behind: int, words: str) -> None:
        clocks(around, across)
        clock = around.world["octo-1"].record().survey.host.data.clock_utc
        around.world["web-01"].host["clock_utc"] = clock - timedelta(minutes=behind)
        result = around.judge("machine-health", "web-01")
        assert result.outcome is Outcome.PASSED
        assert words in " ".join(result.looked_at)

    @pytest.mark.parametrize("version", ["8.0.0", "8.1.61", "3.3.22"])
    def test_a_defect_that_does_not_show(self, around: Any, version: str) -> None:
        around.sections["web-01"]["products"] = product(version)
        result = around.judge("machine-health", "web-01")
        assert result.outcome is Outcome.PASSED
        assert f"known of {version}" in " ".join(result.looked_at)

    @pytest.mark.parametrize("version", ["8.1.62", "7.9.9", "9.1.3268", None])
    def test_other_versions_do_not_have_it(self, around: Any, version: str | None) -> None:
        port_in_use(around, None)
        around.sections["web-01"]["products"] = product(version)
        assert "TT973" not in around.codes("machine-health", "web-01")

    def test_what_lies_about_is_evidence(self, around: Any) -> None:
        around.sections["web-01"] |= {
            "watchdog": (Watchdog(name="Octopus Watchdog Tentacle", state="disabled"),),
            "left_overs": (LeftOver(kind="folder", where=r"C:\Octopus\Old"),),
        }
        result = around.judge("machine-health", "web-01")
        assert result.outcome is Outcome.PASSED
        seen = " ".join(result.looked_at)
        assert "Octopus Watchdog Tentacle is disabled" in seen
        assert r"C:\Octopus\Old" in seen
        around.sections["web-01"] |= {"watchdog": "no rights", "left_overs": "no rights"}
        assert around.judge("machine-health", "web-01").outcome is Outcome.PASSED


class TestUnknown:
    @pytest.mark.parametrize("section", ["disks", "products"])
    def test_a_section(self, around: Any, section: str) -> None:
        around.sections["web-01"][section] = "no rights"
        result = around.judge("machine-health", "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "no rights" in result.reason

    def test_a_machine_that_was_not_surveyed(self, around: Any, unreachable: Any) -> None:
        around.world["web-01"].unreachable = unreachable
        assert around.judge("machine-health", "web-01").outcome is Outcome.UNKNOWN


class TestVersions:
    @pytest.mark.parametrize(
        ("text", "numbers"),
        [("8.1.61", (8, 1, 61)), ("8.2.3+Branch.main", (8, 2, 3)), ("9.1.0-pre", (9, 1, 0)), ("x", None), (None, None)],
    )
    def test_numbers(self, text: str | None, numbers: Any) -> None:
        assert parsed(text) == numbers

    def test_the_running_program_counts(self, around: Any) -> None:
        """Of two installed ones."""
        running = around.world["web-01"].service["executable"]
        around.sections["web-01"]["products"] = (
            Product(product="tentacle", version="8.1.0", path=r"D:\old\Tentacle.exe"),
            Product(product="tentacle", version="9.1.0", path=running.upper()),
        )
        assert "version 9.1.0 " in " ".join(around.judge("machine-health", "web-01").looked_at)
