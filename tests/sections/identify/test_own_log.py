"""The steps on a machine's own log: what still holds, and what is history."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.survey.surroundings import Connection, Proxy
from support import NOW
from support.fleets.whole import wide_fleet
from support.logs import read_log

POLL = "https://octo-1.example:10943/        12  "
OCTO = "[::ffff:192.0.2.10]"
OLD_PID, WEB_PID, POLL_PID = 77, 2136, 900
SECURED = "Secure connection established. Server at [::ffff:192.0.2.10]:10943 identified by thumbprint: AB, using protocol Tls13"
LISTENS = "Agent listening on: [::]:10933"
POLLS = (
    "Agent will poll Octopus Server at https://octo-1.example:10943/ for subscription poll://x/ expecting thumbprint AB",
    "Starting 1 polling connections",
    "Agent will not listen on any TCP ports",
)
DAYS = timedelta(days=3)
HOUR = timedelta(hours=1)
IN_USE = "Address already in use\nSystem.Net.Sockets.SocketException (98): Address already in use"
CLOSED = f"{POLL}Unexpected exception executing transaction.\nSystem.IO.EndOfStreamException: Attempted to read past the end of the stream."
REFUSED = f"{POLL}The remote host at https://octo-1.example:10943/ refused the connection. This may mean that the expected listening service is not running."
UNKNOWN_NAME = (
    f"{POLL}Socket communication error while connecting to https://octo-1.example:10943/\nName or service not known"
)
ESTABLISHED = Connection(
    local_address="192.0.2.30",
    local_port=50000,
    remote_address="192.0.2.10",
    remote_port=10943,
    state="established",
    pid=POLL_PID,
)


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    @pytest.mark.parametrize("step", ["identify-the-problem", "other-error-messages"])
    def test_nothing_is_found(self, logs: Any, name: str, step: str) -> None:
        logs.write(
            "web-01",
            logs.start(DAYS, WEB_PID, LISTENS) + logs.accepted(60, f"{OCTO}:5000") + logs.let_in(60, f"{OCTO}:5000"),
        )
        logs.write("poll-01", logs.start(DAYS, POLL_PID, *POLLS) + logs.line(DAYS, "INFO", POLL + SECURED, POLL_PID))

        result = logs.judge(name, step)

        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    def test_a_log_that_cannot_be_read_is_unknown(self, logs: Any) -> None:
        logs.logs["web-01"] = "no rights"

        assert logs.judge("web-01").outcome is Outcome.UNKNOWN

    def test_a_log_that_is_not_there_is_unknown(self, logs: Any) -> None:
        logs.logs["web-01"] = (LogFile(product="tentacle", instance="Tentacle", path="/x", error="not-found"),)

        result = logs.judge("web-01")

        assert result.outcome is Outcome.UNKNOWN
        assert "/x" in result.reason

    def test_another_instances_log_says_nothing_of_this_one(self, logs: Any) -> None:
        logs.write("web-01", logs.line(60, "FATAL", IN_USE))
        (own,) = logs.logs["web-01"]
        logs.logs["web-01"] = (own.model_copy(update={"instance": "Second"}),)

        assert logs.judge("web-01").outcome is Outcome.UNKNOWN


class TestStart:
    def test_a_port_in_use_holds_until_a_start_comes_to_its_end(self, logs: Any) -> None:
        logs.world["web-01"].service["pid"] = OLD_PID
        fails = logs.start(HOUR, OLD_PID) + logs.line(HOUR, "FATAL", IN_USE, OLD_PID)
        logs.write("web-01", fails)
        assert logs.codes("web-01") == ["TT111"]

        logs.write("web-01", fails + logs.start(60, WEB_PID))
        assert "TT111" in logs.codes("web-01")

        logs.write("web-01", fails + logs.start(60, WEB_PID, LISTENS))
        assert logs.codes("web-01") == []

    def test_a_process_that_lives_on_proves_a_start_that_is_not_in_the_log(self, logs: Any) -> None:
        logs.write("web-01", logs.line(DAYS, "FATAL", IN_USE, OLD_PID))
        assert logs.codes("web-01") == []

        logs.world["web-01"].service["started_utc"] = NOW - timedelta(seconds=5)
        assert logs.codes("web-01") == ["TT111"]

    def test_a_calls_failure_is_no_problem_of_the_agent(self, logs: Any) -> None:
        call = logs.start(60, 4711, command="ShowThumbprintCommand") + logs.line(59, "FATAL", IN_USE, 4711)
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + call)

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_fatal_error_that_nobody_knows_is_told(self, logs: Any) -> None:
        logs.world["web-01"].service.update(pid=None, state="stopped")
        logs.write(
            "web-01", logs.start(60, OLD_PID) + logs.line(59, "FATAL", "Something entirely new\n   at X", OLD_PID)
        )

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT129"
        assert "Something entirely new" in problem.actual
        assert problem.facts["service"] == "OctopusDeploy Tentacle"

    def test_a_start_without_an_end_is_told_after_a_minute(self, logs: Any) -> None:
        logs.write("web-01", logs.start(30, WEB_PID))
        assert logs.codes("web-01") == []

        logs.write("web-01", logs.start(120, WEB_PID))
        assert logs.codes("web-01") == ["TT130"]

    def test_a_start_that_said_why_it_came_to_nothing_is_told_once(self, logs: Any) -> None:
        """On Linux an agent that may not read its certificate lives on and does not listen."""
        owner = "The owner of the x509stores is not the current user, please change ownership or run with sudo."
        draft = logs.world["web-01"]
        draft.own = [one.model_copy(update={"tls": None, "page": None}) for one in draft.own]
        logs.write("web-01", logs.start(HOUR, WEB_PID) + logs.line(HOUR, "ERROR", owner))

        assert logs.codes("web-01") == ["TT122"]

    def test_an_agent_that_trusts_nobody_is_told_until_it_trusts(self, logs: Any) -> None:
        nobody = logs.start(HOUR, OLD_PID, "The agent is not configured to trust any Octopus Servers.", LISTENS)
        logs.world["web-01"].service["pid"] = OLD_PID
        logs.write("web-01", nobody)
        assert logs.codes("web-01") == ["TT127"]

        logs.write("web-01", nobody + logs.start(60, WEB_PID, LISTENS))
        assert logs.codes("web-01") == []

    def test_what_concerns_the_disk_is_left_to_its_own_step_after_a_day(self, logs: Any) -> None:
        full = "System.IO.IOException: No space left on device"
        logs.write("web-01", logs.line(HOUR, "ERROR", full))
        assert logs.codes("web-01") == ["TT125"]

        logs.write("web-01", logs.line(DAYS, "ERROR", full))
        assert logs.codes("web-01") == []


class TestPolling:
    """Neither silence nor `Secure connection established` proves that a poller is trusted."""

    def test_a_connection_that_is_closed_is_a_problem(self, logs: Any) -> None:
        retry = "Attempted to read past the end of the stream.. Retrying in 5.0 seconds"
        logs.write(
            "poll-01",
            logs.start(HOUR, POLL_PID, *POLLS)
            + logs.line(60, "INFO", POLL + SECURED, POLL_PID)
            + logs.line(60, "ERROR", CLOSED, POLL_PID)
            + logs.line(59, "ERROR", f"{POLL}Halibut client exception: {retry}", POLL_PID),
        )

        (problem,) = logs.judge("poll-01").problems

        assert problem.code == "TT105"
        assert problem.facts["host"] == "octo-1.example"
        assert problem.facts["port"] == 10943
        assert problem.evidence

    def test_a_new_tls_connection_does_not_prove_trust(self, logs: Any) -> None:
        logs.write(
            "poll-01", logs.line(60, "ERROR", CLOSED, POLL_PID) + logs.line(30, "INFO", POLL + SECURED, POLL_PID)
        )

        assert logs.codes("poll-01") == ["TT105"]

    def test_a_new_tls_connection_proves_what_comes_before_it(self, logs: Any) -> None:
        logs.write(
            "poll-01", logs.line(60, "ERROR", REFUSED, POLL_PID) + logs.line(30, "INFO", POLL + SECURED, POLL_PID)
        )
        assert logs.codes("poll-01") == []

        logs.write("poll-01", logs.line(60, "ERROR", REFUSED, POLL_PID))
        assert logs.codes("poll-01") == ["TT107"]

    def test_a_tls_connection_to_another_server_proves_nothing(self, logs: Any) -> None:
        other = POLL.replace("octo-1", "octo-2")
        logs.write(
            "poll-01", logs.line(60, "ERROR", REFUSED, POLL_PID) + logs.line(30, "INFO", other + SECURED, POLL_PID)
        )

        assert logs.codes("poll-01") == ["TT107"]

    def test_a_later_failure_further_on_makes_the_earlier_one_history(self, logs: Any) -> None:
        logs.write(
            "poll-01", logs.line(90, "ERROR", UNKNOWN_NAME, POLL_PID) + logs.line(60, "ERROR", REFUSED, POLL_PID)
        )

        assert logs.codes("poll-01") == ["TT107"]

    def test_a_connection_that_stands_proves_recovery_once_failures_would_have_come_again(self, logs: Any) -> None:
        logs.write(
            "poll-01", logs.line(HOUR, "ERROR", CLOSED, POLL_PID) + logs.line(HOUR, "INFO", POLL + SECURED, POLL_PID)
        )
        logs.connections["poll-01"] = (ESTABLISHED,)
        assert logs.judge("poll-01").outcome is Outcome.PASSED

        logs.connections["poll-01"] = ()
        assert logs.codes("poll-01") == ["TT105"]

        logs.connections["poll-01"] = (ESTABLISHED.model_copy(update={"state": "close-wait"}),)
        assert logs.codes("poll-01") == ["TT105"]

        logs.connections["poll-01"] = (ESTABLISHED.model_copy(update={"remote_address": "192.0.2.99", "pid": 4711}),)
        assert logs.codes("poll-01") == ["TT105"]

    def test_a_connection_to_another_address_of_the_name_may_be_the_link(self, logs: Any) -> None:
        """A balancer or DNS may lead elsewhere by now: neither proof of recovery nor of its absence."""
        logs.write("poll-01", logs.line(HOUR, "ERROR", CLOSED, POLL_PID))
        elsewhere = ESTABLISHED.model_copy(update={"remote_address": "192.0.2.99"})
        logs.connections["poll-01"] = (elsewhere,)
        assert elsewhere.pid == POLL_PID
        assert logs.judge("poll-01").outcome is Outcome.UNKNOWN

        logs.connections["poll-01"] = (elsewhere.model_copy(update={"remote_port": 443}),)
        assert logs.codes("poll-01") == ["TT105"]

    def test_through_the_accounts_proxy_no_connection_to_the_server_is_expected(self, logs: Any) -> None:
        """Windows' default: nothing stands at the server's address, and nothing can be seen from it."""
        logs.world["poll-01"].os = "windows"
        logs.write("poll-01", logs.line(HOUR, "ERROR", CLOSED, POLL_PID))
        logs.connections["poll-01"] = ()
        assert logs.codes("poll-01") == ["TT105"]

        logs.proxies["poll-01"] = (Proxy(layer="wininet", account="LocalSystem", enabled=True, address="proxy:8080"),)
        assert logs.judge("poll-01").outcome is Outcome.UNKNOWN

    def test_a_connection_that_stands_proves_nothing_while_failures_are_fresh(self, logs: Any) -> None:
        logs.write("poll-01", logs.line(60, "ERROR", CLOSED, POLL_PID))
        logs.connections["poll-01"] = (ESTABLISHED,)

        assert logs.codes("poll-01") == ["TT105"]

    def test_silence_is_unknown_where_connections_cannot_be_seen(self, logs: Any) -> None:
        logs.write(
            "poll-01", logs.line(HOUR, "ERROR", CLOSED, POLL_PID) + logs.line(HOUR, "INFO", POLL + SECURED, POLL_PID)
        )

        result = logs.judge("poll-01")

        assert result.outcome is Outcome.UNKNOWN
        assert "end-of-stream" in result.reason

    def test_an_address_that_is_no_longer_polled_is_history(self, logs: Any) -> None:
        other = logs.start(60, POLL_PID, *(text.replace("octo-1", "octo-2") for text in POLLS))
        logs.write("poll-01", logs.line(90, "ERROR", REFUSED, OLD_PID) + other)

        assert logs.codes("poll-01") == []

    def test_an_unknown_cause_is_told_only_where_nothing_better_is(self, logs: Any) -> None:
        vague = logs.line(60, "ERROR", f"{POLL}Unexpected exception executing transaction.\nSomething new", POLL_PID)
        logs.write("poll-01", vague)
        assert logs.codes("poll-01") == ["TT131"]

        logs.write("poll-01", vague + logs.line(59, "ERROR", CLOSED, POLL_PID))
        assert logs.codes("poll-01") == ["TT105"]

    def test_the_certificate_that_came_is_among_the_facts(self, logs: Any) -> None:
        text = (
            f"{POLL}Halibut client exception: The server at https://octo-1.example:10943/ presented an unexpected security "
            "certificate. We expected the server to present a certificate with the thumbprint 'AAAA'. Instead, it presented "
            "a certificate with a thumbprint of 'BBBB' and subject 'CN=Inspection CA'. Retrying in 5.0 seconds"
        )
        logs.write("poll-01", logs.line(60, "ERROR", text, POLL_PID))

        (problem,) = logs.judge("poll-01").problems

        assert problem.code == "TT102"
        assert problem.facts["thumbprint"] == "BBBB"
        assert problem.facts["expected_thumbprint"] == "AAAA"
        assert problem.facts["subject"] == "CN=Inspection CA"


class TestCalls:
    """A failed call of the command line counts where it tells of the machine, for a day, and until it worked."""

    REGISTRATION = (
        "Checking that server communications are open failed with message Connection refused after 5 retries."
    )

    def call(self, logs: Any, ago: timedelta | float, text: str) -> str:
        return logs.start(ago, 4711, command="SomeCommand") + logs.line(ago, "FATAL", text, 4711)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            (REGISTRATION, "TT108"),
            ("The service listening on https://x:10943 does not appear to be an Octopus Server.", "TT121"),
            ("This Tentacle is registered multiple times with the server - unable to display", "TT117"),
        ],
    )
    def test_that_fails_for_the_machine_is_told(self, logs: Any, text: str, code: str) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + self.call(logs, 600, text))
        assert logs.codes("web-01") == [code]

        logs.write("web-01", self.call(logs, DAYS, text) + logs.line(60, "INFO", "on"))
        assert logs.codes("web-01") == []

    def test_a_registration_that_came_through_later_is_history(self, logs: Any) -> None:
        failed = self.call(logs, HOUR, self.REGISTRATION)
        logs.write("poll-01", failed + logs.start(600, POLL_PID, *POLLS))
        assert logs.codes("poll-01") == []

        logs.write("poll-01", failed + logs.line(600, "INFO", POLL + SECURED, POLL_PID))
        assert logs.codes("poll-01") == []

    def test_a_watchdog_that_gave_up_holds_until_the_service_lives(self, logs: Any) -> None:
        text = "Service OctopusDeploy Tentacle doesn't have Running status after 30sec."
        logs.write("web-01", self.call(logs, 600, text))
        assert logs.codes("web-01") == []

        logs.world["web-01"].service.update(pid=None, state="stopped")
        assert logs.codes("web-01") == ["TT129"]

    @pytest.mark.parametrize(
        "text",
        [
            "Please specify a thumbprint to replace, e.g., --oldThumbprint=VALUE",
            "Requires elevated privileges. Please run command as sudo.",
            "Access to the path 'C:\\Octopus' is denied.",
        ],
    )
    def test_that_fails_for_who_made_it_is_nobodys_problem(self, logs: Any, text: str) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + self.call(logs, 600, text))

        assert logs.codes("web-01") == []


class TestForeignLayout:
    """A log whose lines nobody can tell apart passes nothing, and fails nothing."""

    def test_is_unknown(self) -> None:
        world = wide_fleet()
        failing = "2026-11-22 02:54:05.0057|ERROR|listen://[::]:10933/|A client at [::ffff:192.0.2.10]:5 was refused\n"
        log = read_log(failing.encode(), product="tentacle", instance="Tentacle", path="/logs/x.txt")
        world.sections["web-01"]["logs"] = (log,)
        result = world.judge("identify-the-problem", "web-01")
        assert result.outcome is Outcome.UNKNOWN
        assert "begins as its product writes it" in result.reason

    def test_an_empty_one_is_read(self) -> None:
        """Nothing was written: that is known."""
        world = wide_fleet()
        world.sections["web-01"]["logs"] = (read_log(b"", product="tentacle", instance="Tentacle", path="/logs/x.txt"),)
        assert world.judge("identify-the-problem", "web-01").outcome is Outcome.PASSED
