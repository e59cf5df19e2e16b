"""The step "Connections established": what the processes of both ends really hold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import Failure
from pytest_tentacle.survey.surroundings import Connection, Proxy
from support.fleets.looks import polled

PROXY = Proxy(layer="wininet", account="LocalSystem", enabled=True, address="proxy.example:8080")


def row(state: str = "established", pid: int | None = 900, remote: str = "192.0.2.10", port: int = 10943) -> Connection:
    return Connection(
        local_address="192.0.2.30", local_port=50000, remote_address=remote, remote_port=port, state=state, pid=pid
    )


def accepted(state: str, remote: str = "192.0.2.10", number: int = 0) -> Connection:
    return Connection(
        local_address="192.0.2.20",
        local_port=10933,
        remote_address=remote,
        remote_port=50000 + number,
        state=state,
        pid=2136,
    )


def pile(count: int, alive: int = 0) -> tuple[Connection, ...]:
    return (
        *(accepted("close-wait", number=number) for number in range(count)),
        *(accepted("established", number=100 + number) for number in range(alive)),
    )


CASES = {
    "TT551": ("poll-01", ()),
    "TT551-another-state": ("poll-01", (row("time-wait"),)),
    "TT551-another-service": ("poll-01", (row(pid=901),)),
    "TT551-another-process": ("poll-01", (row(pid=4711, remote="198.51.100.1"),)),
    "TT552": ("web-01", pile(10)),
    "TT552-polling": ("poll-01", (row(), *(row("close-wait") for _ in range(12)))),
    "TT554": ("web-01", pile(0, alive=101)),
    "TT553": ("poll-01", (row("syn-sent"),)),
}


class TestEachCode:
    @pytest.mark.parametrize("case", CASES)
    def test_is_found(self, around: Any, case: str) -> None:
        name, rows = CASES[case]
        around.sections[name]["connections"] = rows
        if case == "TT551-another-service":
            survey = around.world["poll-01"].record().survey
            (own,) = survey.services.data
            second = own.model_copy(update={"name": "Second.service", "instance": "Second", "pid": 901})
            around.sections["poll-01"]["services"] = (own, second)
        result = around.judge("connections-established", name)
        assert result.outcome is Outcome.FAILED, result
        (problem,) = result.problems
        assert problem.code == case[:5]
        assert problem.evidence


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_nothing_is_found(self, around: Any, name: str) -> None:
        result = around.judge("connections-established", name)
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    @pytest.mark.parametrize(
        "rows",
        [
            (row(),),
            (row(pid=None),),
            (row(pid=4711),),
            (row(remote="::ffff:192.0.2.10"),),
            (row(), row("syn-sent")),
        ],
    )
    def test_a_connection_is_a_connection(self, around: Any, rows: tuple[Connection, ...]) -> None:
        """Whose it is may not be shown, or a child's; and a second one may just be made."""
        around.sections["poll-01"]["connections"] = rows
        assert around.codes("connections-established", "poll-01") == []

    def test_fewer_than_configured_is_evidence(self, around: Any) -> None:
        """Four of five may be in the making, or refused by the server's own limit."""
        around.world["poll-01"].settings["Tentacle.Communication.PollingConnectionCount"] = "5"
        result = around.judge("connections-established", "poll-01")
        assert result.outcome is Outcome.PASSED
        assert any("1 of 5 connections" in seen for seen in result.looked_at)

    @pytest.mark.parametrize(("count", "alive"), [(9, 0), (12, 12), (10, 40)])
    def test_a_few_or_the_smaller_part(self, around: Any, count: int, alive: int) -> None:
        """Many machines behind one address close connections now and then."""
        around.sections["web-01"]["connections"] = pile(count, alive)
        assert around.codes("connections-established", "web-01") == []

    def test_many_addresses(self, around: Any) -> None:
        rows = tuple(accepted("close-wait", f"192.0.2.{100 + number}") for number in range(30))
        around.sections["web-01"]["connections"] = rows
        assert around.codes("connections-established", "web-01") == []


class TestNotJudged:
    def test_a_service_that_does_not_run(self, around: Any) -> None:
        around.world["poll-01"].service |= {"state": "stopped", "pid": None}
        around.sections["poll-01"]["connections"] = ()
        assert around.judge("connections-established", "poll-01").outcome is Outcome.PASSED

    def test_a_proxy_of_its_own(self, around: Any) -> None:
        settings = around.world["poll-01"].settings
        settings |= {"Octopus.Server.Proxy.ProxyHost": "proxy.example", "Octopus.Server.Proxy.UseDefaultProxy": "false"}
        around.sections["poll-01"]["connections"] = ()
        assert around.judge("connections-established", "poll-01").outcome is Outcome.PASSED

    def test_a_proxy_of_the_account(self, around: Any) -> None:
        """Windows only: there it holds unless the settings say otherwise."""
        around.sections["poll-01"] |= {"connections": (), "proxies": (PROXY,)}
        assert around.codes("connections-established", "poll-01") == ["TT551"]
        around.world["poll-01"].os = "windows"
        assert around.judge("connections-established", "poll-01").outcome is Outcome.UNKNOWN
        around.world["poll-01"].settings["Octopus.Server.Proxy.UseDefaultProxy"] = "false"
        assert around.codes("connections-established", "poll-01") == ["TT551"]

    def test_just_started(self, around: Any) -> None:
        around.sections["poll-01"]["connections"] = ()
        clock = around.world["poll-01"].record().survey.host.data.clock_utc
        around.world["poll-01"].service["started_utc"] = clock - timedelta(seconds=100)
        assert around.judge("connections-established", "poll-01").outcome is Outcome.UNKNOWN
        around.world["poll-01"].service["started_utc"] = None
        assert around.judge("connections-established", "poll-01").outcome is Outcome.UNKNOWN

    def test_a_server_that_cannot_be_reached(self, around: Any, across: Any) -> None:
        """That is another step's problem."""
        silent = {"fails": "connect", "error": Failure.TIMED_OUT}
        across(around.world, "polling", silent, silent)
        around.sections["poll-01"]["connections"] = ()
        result = around.judge("connections-established", "poll-01")
        assert result.outcome is Outcome.BLOCKED
        assert result.blocked_by == ("TT521", "poll-01")

    def test_an_address_that_was_not_probed(self, around: Any) -> None:
        around.world["poll-01"].drop(polled(0))
        around.sections["poll-01"]["connections"] = ()
        assert around.judge("connections-established", "poll-01").outcome is Outcome.UNKNOWN

    def test_an_address_that_the_name_leads_to_no_more(self, around: Any) -> None:
        """The process is connected by that port, and whether to its server nobody sees: behind a name may be many."""
        around.sections["poll-01"]["connections"] = (row(remote="198.51.100.1"),)
        result = around.judge("connections-established", "poll-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "198.51.100.1:10943" in result.reason

    def test_a_web_socket(self, around: Any) -> None:
        around.world["poll-01"].trusted[0]["Address"] = "wss://octo-1.example:443/OctopusComms"
        around.sections["poll-01"]["connections"] = ()
        assert around.codes("connections-established", "poll-01") == []

    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    def test_connections_that_are_not_known(self, around: Any, name: str) -> None:
        around.sections[name]["connections"] = "no rights"
        result = around.judge("connections-established", name)
        assert result.outcome is Outcome.UNKNOWN
        assert "no rights" in result.reason
