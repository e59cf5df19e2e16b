"""The steps "Identify the problem" and "Other error messages": what still holds, and what is history."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tentacle.checks import Fleet, identify, other_messages
from pytest_tentacle.checks.check import checks_of
from pytest_tentacle.checks.identify import longest_row
from pytest_tentacle.checks.identify_times import age_of, offset_of, utc_of
from pytest_tentacle.checks.judging import findings
from pytest_tentacle.checks.result import Outcome
from pytest_tentacle.guide.problems_logs import LOGS
from pytest_tentacle.survey.logs import read_log
from pytest_tentacle.survey.logs_lines import moment
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import Connection, LogFile

if TYPE_CHECKING:
    from pytest_tentacle.checks.result import StepResult

NOW = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
LISTEN = "listen://[::]:10933/             91  "
SERVER_LISTEN = "listen://[::]:10943/             91  "
POLL = "https://octo-1.example:10943/        12  "
TO_TENTACLE = "https://web-01.example:10933/    34  "
OCTO = "[::ffff:192.0.2.10]"
STRANGER = "[::ffff:198.51.100.7]"
OLD_PID, WEB_PID, POLL_PID = 77, 2136, 900
SECURED = "Secure connection established. Server at [::ffff:192.0.2.10]:10943 identified by thumbprint: AB, using protocol Tls13"


def line(ago: timedelta | float, level: str, text: str, pid: int = WEB_PID) -> str:
    """A line of a log, so many seconds (or so long) before the survey."""
    at = NOW - (ago if isinstance(ago, timedelta) else timedelta(seconds=ago))
    return f"{at:%Y-%m-%d %H:%M:%S}.0057 {pid:>6}      9 {level:>5}  {text}\n"


def start(ago: timedelta | float, pid: int = WEB_PID, *more: str, command: str = "RunAgentCommand") -> str:
    own = ["=" * 80, "Tentacle version 9.1.3268 (9.1.3268) instance Tentacle", f"==== {command} ====", *more]
    return "".join(line(ago, "INFO", text, pid) for text in own)


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


def accepted(ago: float, peer: str) -> str:
    return line(ago, "INFO", f"{LISTEN}Accepted TCP client: {peer}")


def let_in(ago: float, peer: str, thumbprint: str = "AA" * 20, listen: str = LISTEN, pid: int = WEB_PID) -> str:
    return line(ago, "INFO", f"{listen}Client at {peer} authenticated as {thumbprint}", pid)


class Logs:
    """Puts logs and connections into a fleet, and judges."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.logs: dict[str, tuple[LogFile, ...] | str] = {}
        self.connections: dict[str, tuple[Connection, ...]] = {}
        for name, draft in world.drafts.items():
            self.write(name, line(DAYS, "INFO", "nothing", draft.service["pid"]))

    def write(self, name: str, text: str, **more: Any) -> None:
        """A log that was last written when its last line says."""
        draft = self.world[name]
        log = read_log(text.encode(), product=draft.product, instance=draft.instance, path=f"/logs/{name}.txt")
        last = moment(log.last_time or "")
        assert last is not None
        self.logs[name] = (log.model_copy(update={"modified_utc": last.replace(tzinfo=UTC)} | more),)

    def judge(self, name: str, step: str = identify.STEP) -> StepResult:
        return self.fleet().subject(name).result(step)

    def fleet(self) -> Fleet:
        surveys = self.world.surveys()
        records = []
        for record in surveys.records:
            if record.survey is None:
                records.append(record)
                continue
            (machine,) = record.machines
            logs = self.logs[machine]
            update: dict[str, Any] = {"logs": Section(unknown=logs) if isinstance(logs, str) else Section(data=logs)}
            if machine in self.connections:
                update["connections"] = Section(data=self.connections[machine])
            records.append(record.model_copy(update={"survey": record.survey.model_copy(update=update)}))
        return Fleet(surveys.model_copy(update={"records": tuple(records)}))

    def codes(self, name: str, step: str = identify.STEP) -> list[str]:
        return [problem.code for problem in self.judge(name, step).problems]


@pytest.fixture
def logs(world: Any) -> Logs:
    return Logs(world)


class TestHealthy:
    @pytest.mark.parametrize("name", ["octo-1", "web-01", "poll-01"])
    @pytest.mark.parametrize("step", [identify.STEP, other_messages.STEP])
    def test_nothing_is_found(self, logs: Logs, name: str, step: str) -> None:
        logs.write("web-01", start(DAYS, WEB_PID, LISTENS) + accepted(60, f"{OCTO}:5000") + let_in(60, f"{OCTO}:5000"))
        logs.write("poll-01", start(DAYS, POLL_PID, *POLLS) + line(DAYS, "INFO", POLL + SECURED, POLL_PID))

        result = logs.judge(name, step)

        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    def test_a_log_that_cannot_be_read_is_unknown(self, logs: Logs) -> None:
        logs.logs["web-01"] = "no rights"

        assert logs.judge("web-01").outcome is Outcome.UNKNOWN

    def test_a_log_that_is_not_there_is_unknown(self, logs: Logs) -> None:
        logs.logs["web-01"] = (LogFile(product="tentacle", instance="Tentacle", path="/x", error="not-found"),)

        result = logs.judge("web-01")

        assert result.outcome is Outcome.UNKNOWN
        assert "/x" in result.reason

    def test_another_instances_log_says_nothing_of_this_one(self, logs: Logs) -> None:
        logs.write("web-01", line(60, "FATAL", IN_USE))
        (own,) = logs.logs["web-01"]
        logs.logs["web-01"] = (own.model_copy(update={"instance": "Second"}),)

        assert logs.judge("web-01").outcome is Outcome.UNKNOWN


class TestStart:
    def test_a_port_in_use_holds_until_a_start_comes_to_its_end(self, logs: Logs) -> None:
        logs.world["web-01"].service["pid"] = OLD_PID
        fails = start(HOUR, OLD_PID) + line(HOUR, "FATAL", IN_USE, OLD_PID)
        logs.write("web-01", fails)
        assert logs.codes("web-01") == ["TT111"]

        logs.write("web-01", fails + start(60, WEB_PID))
        assert "TT111" in logs.codes("web-01")

        logs.write("web-01", fails + start(60, WEB_PID, LISTENS))
        assert logs.codes("web-01") == []

    def test_a_process_that_lives_on_proves_a_start_that_is_not_in_the_log(self, logs: Logs) -> None:
        logs.write("web-01", line(DAYS, "FATAL", IN_USE, OLD_PID))
        assert logs.codes("web-01") == []

        logs.world["web-01"].service["started_utc"] = NOW - timedelta(seconds=5)
        assert logs.codes("web-01") == ["TT111"]

    def test_a_calls_failure_is_no_problem_of_the_agent(self, logs: Logs) -> None:
        call = start(60, 4711, command="ShowThumbprintCommand") + line(59, "FATAL", IN_USE, 4711)
        logs.write("web-01", start(DAYS, WEB_PID, LISTENS) + call)

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_fatal_error_that_nobody_knows_is_told(self, logs: Logs) -> None:
        logs.world["web-01"].service.update(pid=None, state="stopped")
        logs.write("web-01", start(60, OLD_PID) + line(59, "FATAL", "Something entirely new\n   at X", OLD_PID))

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT129"
        assert "Something entirely new" in problem.actual
        assert problem.facts["service"] == "OctopusDeploy Tentacle"

    def test_a_start_without_an_end_is_told_after_a_minute(self, logs: Logs) -> None:
        logs.write("web-01", start(30, WEB_PID))
        assert logs.codes("web-01") == []

        logs.write("web-01", start(120, WEB_PID))
        assert logs.codes("web-01") == ["TT130"]

    def test_an_agent_that_trusts_nobody_is_told_until_it_trusts(self, logs: Logs) -> None:
        nobody = start(HOUR, OLD_PID, "The agent is not configured to trust any Octopus Servers.", LISTENS)
        logs.world["web-01"].service["pid"] = OLD_PID
        logs.write("web-01", nobody)
        assert logs.codes("web-01") == ["TT127"]

        logs.write("web-01", nobody + start(60, WEB_PID, LISTENS))
        assert logs.codes("web-01") == []

    def test_what_concerns_the_disk_is_left_to_its_own_step_after_a_day(self, logs: Logs) -> None:
        full = "System.IO.IOException: No space left on device"
        logs.write("web-01", line(HOUR, "ERROR", full))
        assert logs.codes("web-01") == ["TT125"]

        logs.write("web-01", line(DAYS, "ERROR", full))
        assert logs.codes("web-01") == []


class TestPolling:
    """Neither silence nor `Secure connection established` proves that a poller is trusted."""

    def test_a_connection_that_is_closed_is_a_problem(self, logs: Logs) -> None:
        retry = "Attempted to read past the end of the stream.. Retrying in 5.0 seconds"
        logs.write(
            "poll-01",
            start(HOUR, POLL_PID, *POLLS)
            + line(60, "INFO", POLL + SECURED, POLL_PID)
            + line(60, "ERROR", CLOSED, POLL_PID)
            + line(59, "ERROR", f"{POLL}Halibut client exception: {retry}", POLL_PID),
        )

        (problem,) = logs.judge("poll-01").problems

        assert problem.code == "TT105"
        assert problem.facts["host"] == "octo-1.example"
        assert problem.facts["port"] == 10943
        assert problem.evidence

    def test_a_new_tls_connection_does_not_prove_trust(self, logs: Logs) -> None:
        logs.write("poll-01", line(60, "ERROR", CLOSED, POLL_PID) + line(30, "INFO", POLL + SECURED, POLL_PID))

        assert logs.codes("poll-01") == ["TT105"]

    def test_a_new_tls_connection_proves_what_comes_before_it(self, logs: Logs) -> None:
        logs.write("poll-01", line(60, "ERROR", REFUSED, POLL_PID) + line(30, "INFO", POLL + SECURED, POLL_PID))
        assert logs.codes("poll-01") == []

        logs.write("poll-01", line(60, "ERROR", REFUSED, POLL_PID))
        assert logs.codes("poll-01") == ["TT107"]

    def test_a_tls_connection_to_another_server_proves_nothing(self, logs: Logs) -> None:
        other = POLL.replace("octo-1", "octo-2")
        logs.write("poll-01", line(60, "ERROR", REFUSED, POLL_PID) + line(30, "INFO", other + SECURED, POLL_PID))

        assert logs.codes("poll-01") == ["TT107"]

    def test_a_later_failure_further_on_makes_the_earlier_one_history(self, logs: Logs) -> None:
        logs.write("poll-01", line(90, "ERROR", UNKNOWN_NAME, POLL_PID) + line(60, "ERROR", REFUSED, POLL_PID))

        assert logs.codes("poll-01") == ["TT107"]

    def test_a_connection_that_stands_proves_recovery_once_failures_would_have_come_again(self, logs: Logs) -> None:
        logs.write("poll-01", line(HOUR, "ERROR", CLOSED, POLL_PID) + line(HOUR, "INFO", POLL + SECURED, POLL_PID))
        logs.connections["poll-01"] = (ESTABLISHED,)
        assert logs.judge("poll-01").outcome is Outcome.PASSED

        logs.connections["poll-01"] = ()
        assert logs.codes("poll-01") == ["TT105"]

        logs.connections["poll-01"] = (ESTABLISHED.model_copy(update={"state": "close-wait"}),)
        assert logs.codes("poll-01") == ["TT105"]

        logs.connections["poll-01"] = (ESTABLISHED.model_copy(update={"remote_address": "192.0.2.99"}),)
        assert logs.codes("poll-01") == ["TT105"]

    def test_a_connection_that_stands_proves_nothing_while_failures_are_fresh(self, logs: Logs) -> None:
        logs.write("poll-01", line(60, "ERROR", CLOSED, POLL_PID))
        logs.connections["poll-01"] = (ESTABLISHED,)

        assert logs.codes("poll-01") == ["TT105"]

    def test_silence_is_unknown_where_connections_cannot_be_seen(self, logs: Logs) -> None:
        logs.write("poll-01", line(HOUR, "ERROR", CLOSED, POLL_PID) + line(HOUR, "INFO", POLL + SECURED, POLL_PID))

        result = logs.judge("poll-01")

        assert result.outcome is Outcome.UNKNOWN
        assert "end-of-stream" in result.reason

    def test_an_address_that_is_no_longer_polled_is_history(self, logs: Logs) -> None:
        other = start(60, POLL_PID, *(text.replace("octo-1", "octo-2") for text in POLLS))
        logs.write("poll-01", line(90, "ERROR", REFUSED, OLD_PID) + other)

        assert logs.codes("poll-01") == []

    def test_an_unknown_cause_is_told_only_where_nothing_better_is(self, logs: Logs) -> None:
        vague = line(60, "ERROR", f"{POLL}Unexpected exception executing transaction.\nSomething new", POLL_PID)
        logs.write("poll-01", vague)
        assert logs.codes("poll-01") == ["TT131"]

        logs.write("poll-01", vague + line(59, "ERROR", CLOSED, POLL_PID))
        assert logs.codes("poll-01") == ["TT105"]

    def test_the_certificate_that_came_is_among_the_facts(self, logs: Logs) -> None:
        text = (
            f"{POLL}Halibut client exception: The server at https://octo-1.example:10943/ presented an unexpected security "
            "certificate. We expected the server to present a certificate with the thumbprint 'AAAA'. Instead, it presented "
            "a certificate with a thumbprint of 'BBBB' and subject 'CN=Inspection CA'. Retrying in 5.0 seconds"
        )
        logs.write("poll-01", line(60, "ERROR", text, POLL_PID))

        (problem,) = logs.judge("poll-01").problems

        assert problem.code == "TT102"
        assert problem.facts["thumbprint"] == "BBBB"
        assert problem.facts["expected_thumbprint"] == "AAAA"
        assert problem.facts["subject"] == "CN=Inspection CA"


class TestListening:
    NOT_TRUSTED = "A client at {}:5000 connected, and attempted a message exchange, but it presented a client certificate with the thumbprint '{}' which is not in the list of thumbprints that we trust"

    def distrust(self, peer: str, thumbprint: str = "CC" * 20) -> str:
        return line(600, "DEBUG", LISTEN + self.NOT_TRUSTED.format(peer, thumbprint))

    def test_a_server_that_is_turned_away_is_told_until_it_is_let_in(self, logs: Logs) -> None:
        logs.write("web-01", self.distrust(OCTO))
        (problem,) = logs.judge("web-01").problems
        assert problem.code == "TT103"
        assert problem.facts["thumbprint"] == "CC" * 20

        logs.write("web-01", self.distrust(OCTO) + let_in(60, f"{OCTO}:5001"))
        assert logs.codes("web-01") == []

    def test_another_client_that_is_let_in_proves_nothing(self, logs: Logs) -> None:
        logs.write("web-01", self.distrust(OCTO) + let_in(60, f"{STRANGER}:5001"))

        assert logs.codes("web-01") == ["TT103"]

    def test_a_stranger_that_is_turned_away_is_nobodys_problem(self, logs: Logs) -> None:
        logs.write("web-01", self.distrust(STRANGER))
        assert logs.codes("web-01") == []

    def test_the_servers_certificate_from_a_strange_address_is_its_own(self, logs: Logs, thumbprint_of: Any) -> None:
        logs.write("web-01", self.distrust(STRANGER, thumbprint_of("octopus")))

        assert logs.codes("web-01") == ["TT103"]

    @pytest.mark.parametrize(
        "inner",
        [
            "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream.",
            "System.IO.EndOfStreamException: Attempted to read past the end of the stream.",
            "System.Threading.Tasks.TaskCanceledException: A task was canceled.",
        ],
    )
    def test_the_noise_of_visitors_is_no_problem(self, logs: Logs, inner: str) -> None:
        heading = f"{LISTEN}Unhandled error when handling request from client: {OCTO}:5000"
        logs.write("web-01", line(60, "ERROR", f"{heading}\n{inner}"))

        assert logs.judge("web-01").outcome is Outcome.PASSED


class TestNeverLetIn:
    """`Accepted TCP client` without `authenticated as`: the only sign of missing trust at the usual level."""

    def attempts(self, peer: str, apart: float = 1.1, count: int = 5, ago: float = 3600) -> str:
        return "".join(accepted(ago - n * apart, f"{peer}:{5000 + n}") for n in range(count))

    def test_a_row_of_attempts_of_the_server_is_a_problem(self, logs: Logs, thumbprint_of: Any) -> None:
        logs.write("web-01", start(DAYS, WEB_PID, LISTENS) + self.attempts(OCTO, 2))

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT132"
        assert problem.facts["server"] == "octo-1"
        assert problem.facts["thumbprint"] == thumbprint_of("octopus")

    def test_one_that_is_let_in_afterwards_makes_it_history(self, logs: Logs) -> None:
        logs.write("web-01", self.attempts(OCTO, 2) + accepted(60, f"{OCTO}:6000") + let_in(60, f"{OCTO}:6000"))

        assert logs.codes("web-01") == []

    def test_trust_that_was_lost_is_a_problem(self, logs: Logs) -> None:
        logs.write("web-01", let_in(7200, f"{OCTO}:4000") + self.attempts(OCTO, 2))

        (problem,) = logs.judge("web-01").problems
        assert "let in before" in problem.actual

    def test_probes_and_browsers_are_not_misjudged(self, logs: Logs) -> None:
        """A survey every hour leaves two lines each; a browser opens several connections at once."""
        probes = "".join(self.attempts(OCTO, 1.5, 2, ago=hour * 3600) for hour in range(9, 1, -1))
        logs.write("web-01", start(DAYS, WEB_PID, LISTENS) + probes + self.attempts(OCTO, 0.05, 6, ago=900))

        assert logs.codes("web-01") == []

    def test_our_own_surveys_time_does_not_count(self, logs: Logs) -> None:
        logs.write("web-01", self.attempts(OCTO, 2, ago=30))

        assert logs.codes("web-01") == []

    def test_a_stranger_is_not_the_server(self, logs: Logs) -> None:
        logs.write("web-01", self.attempts(STRANGER, 2))

        assert logs.codes("web-01") == []

    @pytest.mark.parametrize(
        ("seconds", "row"), [([], 0), ([0], 1), ([0, 1, 2], 3), ([0, 0.1, 0.2], 1), ([0, 2, 60, 62, 64], 3)]
    )
    def test_rows_are_told_by_their_distance(self, seconds: list[float], row: int) -> None:
        times = [f"{NOW + timedelta(seconds=s):%Y-%m-%d %H:%M:%S.%f}"[:-2] for s in seconds]

        assert longest_row(times) == row


class TestServersLog:
    """What a server's log says of a Tentacle is judged for that Tentacle, and for no other."""

    def test_a_listening_tentacle_that_cannot_be_reached(self, logs: Logs) -> None:
        text = f"{TO_TENTACLE}The client was unable to establish the initial connection within the timeout 00:01:00."
        logs.write("octo-1", line(600, "ERROR", text, 1000))

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT108"
        assert problem.facts["vantage"] == "octo-1"
        assert logs.codes("poll-01") == []
        assert logs.codes("octo-1") == []

    def test_a_tls_connection_afterwards_proves_that_it_was_reached(self, logs: Logs) -> None:
        text = f"{TO_TENTACLE}The client was unable to establish the initial connection within the timeout 00:01:00."
        logs.write("octo-1", line(600, "ERROR", text, 1000) + line(60, "INFO", TO_TENTACLE + SECURED, 1000))

        assert logs.codes("web-01") == []

    def test_a_tentacle_that_let_the_server_in_afterwards_trusts_it(self, logs: Logs) -> None:
        text = (
            f"{TO_TENTACLE}Unexpected exception executing transaction.\nAttempted to read past the end of the stream."
        )
        logs.write("octo-1", line(3600, "ERROR", text, 1000) + line(1800, "INFO", TO_TENTACLE + SECURED, 1000))
        assert logs.codes("web-01") == ["TT105"]

        logs.write("web-01", let_in(600, f"{OCTO}:5001"))
        assert logs.codes("web-01") == []

    def test_a_polling_tentacle_that_fetches_nothing_is_known_by_its_subscription(self, logs: Logs) -> None:
        text = (
            "An error occurred when sending a request to 'poll://{}/', before the request could begin: A request was sent to "
            "a polling endpoint, but the polling endpoint did not collect the request within the allowed time (00:02:00), so "
            "the request timed out."
        )
        logs.write("octo-1", line(600, "ERROR", text.format("abcdefghij0123456789"), 1000))
        assert logs.codes("poll-01") == ["TT115"]
        assert logs.codes("web-01") == []

        logs.write("octo-1", line(600, "ERROR", text.format("another0another00000"), 1000))
        assert logs.codes("poll-01") == []

    def test_a_polling_tentacle_that_was_let_in_afterwards_is_well(self, logs: Logs, thumbprint_of: Any) -> None:
        text = TestListening.NOT_TRUSTED.format(STRANGER, thumbprint_of("poll-01"))
        logs.write("octo-1", line(600, "DEBUG", SERVER_LISTEN + text, 1000))
        assert logs.codes("poll-01") == ["TT103"]

        again = let_in(60, f"{STRANGER}:7000", thumbprint_of("poll-01"), SERVER_LISTEN, 1000)
        logs.write("octo-1", line(600, "DEBUG", SERVER_LISTEN + text, 1000) + again)
        assert logs.codes("poll-01") == []

    def test_a_server_nobody_can_log_on_to_is_not_asked(self, logs: Logs) -> None:
        from pytest_tentacle.inventory.model import NoTransport

        logs.world["octo-1"].declare(transport=NoTransport())

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_server_whose_log_cannot_be_read_is_unknown(self, logs: Logs) -> None:
        logs.logs["octo-1"] = "no rights"

        assert logs.judge("web-01").outcome is Outcome.UNKNOWN

    def test_the_servers_own_trouble_is_its_own(self, logs: Logs) -> None:
        logs.world["octo-1"].service.update(pid=None, state="stopped")
        logs.write("octo-1", line(60, "FATAL", IN_USE, 1000))

        assert logs.codes("octo-1") == ["TT111"]
        assert logs.codes("web-01") == []

    def test_what_a_server_says_of_others_is_not_its_own(self, logs: Logs) -> None:
        """A feed that cannot be resolved says nothing of a link."""
        logs.write("octo-1", line(60, "ERROR", "Feed check failed: No such host is known", 1000))

        for name in ("octo-1", "web-01", "poll-01"):
            assert logs.codes(name) == []


class TestOtherMessages:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("Unable to process remote identity; unknown identity 'HTTP/1.0'", "TT951"),
            ("Unable to process remote identity; unknown identity type: 'HTTP/1.0'", "TT951"),
            ("Unable to receive the remote identity; the following line was not empty.", "TT951"),
            ("Unable to receive the remote identity; the identity line was empty.", "TT952"),
            ("Expected PROCEED, got: HELLO", "TT953"),
            ("Data stream size mismatch detected", "TT954"),
        ],
    )
    def test_are_found_in_either_log_and_only_in_this_step(self, logs: Logs, text: str, code: str) -> None:
        heading = "Connection initialization failed while connecting\nHalibut.Transport.Protocol.ConnectionInitializationFailedException: "
        logs.write("poll-01", line(60, "ERROR", f"{POLL}{heading}{text}", POLL_PID))
        logs.write("octo-1", line(60, "ERROR", f"{TO_TENTACLE}{heading}{text}", 1000))

        for name in ("poll-01", "web-01"):
            assert logs.codes(name, other_messages.STEP) == [code]
            assert logs.codes(name) == []

    def test_what_nobody_knows_is_shown_and_not_judged(self, logs: Logs) -> None:
        logs.write("web-01", line(60, "ERROR", "Something entirely new"))

        result = logs.judge("web-01", other_messages.STEP)

        assert result.outcome is Outcome.PASSED
        assert any("Something entirely new" in seen for seen in result.looked_at)


FROM_OCTO = f"{LISTEN}A client at {OCTO}:5000 connected, and attempted a message exchange, but "
ONE_OF_EACH = {
    "TT101": (
        "poll-01",
        f"{POLL}The server at https://octo-1.example:10943/ presented an unexpected security certificate. We expected the server to present a certificate with the thumbprint 'AA'. Instead, it presented a certificate with a thumbprint of 'BB' and subject 'CN=Octopus Server'",
    ),
    "TT102": (
        "poll-01",
        f"{POLL}The server at https://octo-1.example:10943/ presented an unexpected security certificate. We expected the server to present a certificate with the thumbprint 'AA'. Instead, it presented a certificate with a thumbprint of 'BB' and subject 'CN=Inspection'",
    ),
    "TT103": (
        "web-01",
        f"{FROM_OCTO}it presented a client certificate with the thumbprint '{'CC' * 20}' which is not in the list of thumbprints that we trust",
    ),
    "TT104": ("web-01", f"{FROM_OCTO}did not present a client certificate"),
    "TT105": ("poll-01", CLOSED),
    "TT106": ("poll-01", f"{POLL}Unexpected exception executing transaction.\nConnection reset by peer"),
    "TT107": ("poll-01", REFUSED),
    "TT108": (
        "poll-01",
        f"{POLL}The client was unable to establish the initial connection within the timeout 00:01:00.",
    ),
    "TT109": (
        "poll-01",
        f"{POLL}The connection to the host at https://octo-1.example:10943/ timed out. There may be problems with the network.",
    ),
    "TT110": ("poll-01", UNKNOWN_NAME),
    "TT112": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nReceived an unexpected EOF or 0 bytes from the transport stream.",
    ),
    "TT113": (
        "poll-01",
        f"{POLL}Authentication failed while setting up connection to https://octo-1.example:10943/\nerror:0A00042E:SSL routines::tlsv1 alert protocol version",
    ),
    "TT114": (
        "web-01",
        f"{LISTEN}Client failed authentication: {OCTO}:5000\nUsing SSL certificate failed with OpenSSL error - ee key too small.",
    ),
    "TT117": ("web-01", "This Tentacle is registered multiple times with the server"),
    "TT118": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nConnection to proxy host 10.1.1.1 on port 8080 failed: Connection refused",
    ),
    "TT119": (
        "poll-01",
        f"{POLL}Unexpected exception executing transaction.\nProxy destination 10.1.1.1 on port 8080 responded with a 407 code - Proxy Authentication Required",
    ),
    "TT120": (
        "poll-01",
        "System.Net.WebSockets.WebSocketException (0x80004005): Unable to connect to the remote server",
    ),
    "TT121": (
        "poll-01",
        f"{POLL}Halibut client exception: Cannot determine the frame size or a corrupted frame was received. Retrying in 5.0 seconds",
    ),
    "TT122": ("web-01", "System.Security.Cryptography.CryptographicException: Keyset does not exist"),
    "TT123": ("web-01", "Padding is invalid and cannot be removed"),
    "TT124": ("web-01", "Root element is missing."),
    "TT125": ("web-01", "There is not enough space on the disk"),
    "TT126": ("web-01", "Access to the path 'C:\\Octopus' is denied."),
    "TT127": ("web-01", "The agent is not configured to trust any Octopus Servers."),
    "TT128": ("web-01", f"{LISTEN}Error accepting TCP client: x"),
    "TT129": ("web-01", "Service OctopusDeploy Tentacle doesn't have Running status after 30sec"),
    "TT131": ("poll-01", f"{POLL}Unexpected exception executing transaction.\nSomething new"),
    "TT111": ("web-01", IN_USE),
    "TT133": ("poll-01", f"{POLL}Unexpected exception executing transaction.\nNo route to host"),
    "TT134": ("web-01", "Cannot assign requested address"),
}
"""A text of its own log that leads to each code; the others have tests of their own above."""


class TestEachCode:
    @pytest.mark.parametrize("code", sorted(ONE_OF_EACH))
    def test_is_found_in_its_own_log_with_facts_for_its_remedy(self, logs: Logs, code: str) -> None:
        name, text = ONE_OF_EACH[code]
        pid = logs.world[name].service["pid"]
        logs.write(name, start(DAYS, pid, LISTENS) + line(60, "ERROR", text, pid))

        (problem,) = logs.judge(name).problems

        assert problem.code == code
        assert problem.expected
        assert problem.actual
        assert problem.evidence[0].text.endswith(text)
        assert problem.facts["log"]
        assert problem.facts["instance"] == "Tentacle"

    def test_none_is_left_out(self) -> None:
        elsewhere = {"TT115", "TT116", "TT130", "TT132"}
        assert set(ONE_OF_EACH) | elsewhere == {kind.code for kind in LOGS}

    def test_a_request_that_nobody_answers_is_found_in_the_servers_log(self, logs: Logs) -> None:
        text = "poll://abcdefghij0123456789/: A request was sent to a polling endpoint, the polling endpoint collected it but the request was cancelled before the polling endpoint responded."
        logs.write("octo-1", line(60, "ERROR", text, 1000))

        assert logs.codes("poll-01") == ["TT116"]


class TestReads:
    def test_what_is_declared_is_what_is_read(self, logs: Logs) -> None:
        """Over a handful of worlds, each with something in both logs."""
        logs.write("web-01", self.noise(ONE_OF_EACH["TT103"][1]) + TestNeverLetIn().attempts(OCTO, 2))
        logs.write("poll-01", self.noise(CLOSED))
        logs.write("octo-1", self.noise(f"{TO_TENTACLE}Connection refused"))
        logs.connections = dict.fromkeys(logs.world.drafts, (ESTABLISHED,))
        fleet = logs.fleet()
        declared = {
            one.name: set(one.reads) for step in (identify.STEP, other_messages.STEP) for one in checks_of(step)
        }
        read: dict[str, set[str]] = {}
        for step in (identify.STEP, other_messages.STEP):
            for one in checks_of(step):
                done: set[str] = set()
                for subject in fleet.subjects:
                    with fleet.ledger.watch() as reads:
                        list(findings(one, subject))
                    done |= {section if name == subject.name else f"peer.{section}" for name, section in reads}
                read[one.name] = done
        assert read == declared

    def noise(self, text: str) -> str:
        return line(HOUR, "ERROR", text) + line(60, "ERROR", text)


class TestTimes:
    """A log is in local time; the file's own time tells the zone."""

    def log(self, last: str, modified: datetime | None = NOW) -> LogFile:
        return LogFile(product="tentacle", instance="Tentacle", path="/x", last_time=last, modified_utc=modified)

    @pytest.mark.parametrize(
        ("last", "hours"),
        [
            ("2026-11-22 03:04:05.1", 0),
            ("2026-11-22 04:03:59", 1),
            ("2026-11-22 08:34:05", 5.5),
            ("2026-11-21 19:04:00", -8),
        ],
    )
    def test_the_zone_is_told_by_the_last_line(self, last: str, hours: float) -> None:
        assert offset_of(self.log(last)) == timedelta(hours=hours)

    def test_an_unclear_zone_is_none(self) -> None:
        assert offset_of(self.log("2026-11-22 03:11:35")) is None
        assert offset_of(self.log("2026-11-22 03:04:05", None)) is None
        assert offset_of(self.log("")) is None

    def test_ages_are_by_the_machines_clock_or_at_least_by_the_logs_end(self) -> None:
        local = self.log("2026-11-22 04:04:05")
        assert utc_of(local, "2026-11-22 04:00:05") == NOW - timedelta(minutes=4)
        assert age_of(local, "2026-11-22 04:00:05", NOW + HOUR) == HOUR + timedelta(minutes=4)
        assert age_of(self.log("2026-11-22 04:04:05", None), "2026-11-22 04:00:05", NOW) == timedelta(minutes=4)
