"""What a listening Tentacle's log says of its clients, and a server's log of its Tentacles."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections.identify.checks import longest_row
from pytest_tentacle.survey.surroundings import Connection
from support import NOW

LISTEN = "listen://[::]:10933/             91  "
SERVER_LISTEN = "listen://[::]:10943/             91  "
TO_TENTACLE = "https://web-01.example:10933/    34  "
OCTO = "[::ffff:192.0.2.10]"
STRANGER = "[::ffff:198.51.100.7]"
OLD_PID, WEB_PID, POLL_PID = 77, 2136, 900
SECURED = "Secure connection established. Server at [::ffff:192.0.2.10]:10943 identified by thumbprint: AB, using protocol Tls13"
LISTENS = "Agent listening on: [::]:10933"
DAYS = timedelta(days=3)
IN_USE = "Address already in use\nSystem.Net.Sockets.SocketException (98): Address already in use"


class TestListening:
    NOT_TRUSTED = "A client at {}:5000 connected, and attempted a message exchange, but it presented a client certificate with the thumbprint '{}' which is not in the list of thumbprints that we trust"

    def distrust(self, logs: Any, peer: str, thumbprint: str = "CC" * 20) -> str:
        return logs.line(600, "DEBUG", LISTEN + self.NOT_TRUSTED.format(peer, thumbprint))

    def test_a_server_that_is_turned_away_is_told_until_it_is_let_in(self, logs: Any) -> None:
        logs.write("web-01", self.distrust(logs, OCTO))
        (problem,) = logs.judge("web-01").problems
        assert problem.code == "TT103"
        assert problem.facts["thumbprint"] == "CC" * 20

        logs.write("web-01", self.distrust(logs, OCTO) + logs.let_in(60, f"{OCTO}:5001"))
        assert logs.codes("web-01") == []

    def test_another_client_that_is_let_in_proves_nothing(self, logs: Any) -> None:
        logs.write("web-01", self.distrust(logs, OCTO) + logs.let_in(60, f"{STRANGER}:5001"))

        assert logs.codes("web-01") == ["TT103"]

    def test_a_stranger_that_is_turned_away_is_nobodys_problem(self, logs: Any) -> None:
        logs.write("web-01", self.distrust(logs, STRANGER))
        assert logs.codes("web-01") == []

    def test_the_servers_certificate_from_a_strange_address_is_its_own(self, logs: Any, thumbprint_of: Any) -> None:
        logs.write("web-01", self.distrust(logs, STRANGER, thumbprint_of("octopus")))

        assert logs.codes("web-01") == ["TT103"]

    @pytest.mark.parametrize(
        "inner",
        [
            "System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream.",
            "System.IO.EndOfStreamException: Attempted to read past the end of the stream.",
            "System.Threading.Tasks.TaskCanceledException: A task was canceled.",
        ],
    )
    def test_the_noise_of_visitors_is_no_problem(self, logs: Any, inner: str) -> None:
        heading = f"{LISTEN}Unhandled error when handling request from client: {OCTO}:5000"
        logs.write("web-01", logs.line(60, "ERROR", f"{heading}\n{inner}"))

        assert logs.judge("web-01").outcome is Outcome.PASSED


class TestNeverLetIn:
    """`Accepted TCP client` without `authenticated as`: the only sign of missing trust at the usual level."""

    def attempts(self, logs: Any, peer: str, apart: float = 1.1, count: int = 5, ago: float = 3600) -> str:
        return "".join(logs.accepted(ago - n * apart, f"{peer}:{5000 + n}") for n in range(count))

    def test_a_row_of_attempts_of_the_server_is_a_problem(self, logs: Any, thumbprint_of: Any) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + self.attempts(logs, OCTO, 2))

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT132"
        assert problem.facts["server"] == "octo-1"
        assert problem.facts["thumbprint"] == thumbprint_of("octopus")

    def test_one_that_is_let_in_afterwards_makes_it_history(self, logs: Any) -> None:
        logs.write(
            "web-01", self.attempts(logs, OCTO, 2) + logs.accepted(60, f"{OCTO}:6000") + logs.let_in(60, f"{OCTO}:6000")
        )

        assert logs.codes("web-01") == []

    def test_trust_that_was_lost_is_a_problem(self, logs: Any) -> None:
        logs.write("web-01", logs.let_in(7200, f"{OCTO}:4000") + self.attempts(logs, OCTO, 2))

        (problem,) = logs.judge("web-01").problems
        assert "let in before" in problem.actual

    def test_probes_and_browsers_are_not_misjudged(self, logs: Any) -> None:
        """A survey every hour leaves two lines each; a browser opens several connections at once."""
        probes = "".join(self.attempts(logs, OCTO, 1.5, 2, ago=hour * 3600) for hour in range(9, 1, -1))
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + probes + self.attempts(logs, OCTO, 0.05, 6, ago=900))

        assert logs.codes("web-01") == []

    def test_a_health_check_of_just_now_counts(self, logs: Any) -> None:
        """Whoever presses it and then runs the suite is told what it did."""
        logs.write("web-01", self.attempts(logs, OCTO, 2, ago=30))

        assert logs.codes("web-01") == ["TT132"]

    def test_as_many_of_just_now_as_were_our_looks_do_not_count(self, logs: Any) -> None:
        """The server looked by name and by address."""
        logs.write("web-01", self.attempts(logs, OCTO, 2, count=4, ago=30))

        assert logs.codes("web-01") == []

    def test_just_now_is_by_the_machines_clock(self, logs: Any) -> None:
        """It is an hour behind: an attempt of our own stands in its log an hour before we made it."""
        logs.world["web-01"].host["clock_utc"] = NOW - timedelta(hours=1)
        logs.write("web-01", self.attempts(logs, OCTO, 2, count=4, ago=3630))
        assert logs.codes("web-01") == []

        logs.world["web-01"].host["clock_utc"] = NOW
        assert logs.codes("web-01") == ["TT132"]

    def test_a_connection_that_stands_is_let_in(self, logs: Any) -> None:
        """What was not were looks, such as pings of an earlier run."""
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + self.attempts(logs, OCTO, 1.1, count=9))
        logs.connections["web-01"] = (
            Connection(
                local_address="192.0.2.20",
                local_port=10933,
                remote_address="192.0.2.10",
                remote_port=51000,
                state="established",
                pid=WEB_PID,
            ),
        )

        assert logs.codes("web-01") == []

    def test_a_stranger_is_not_the_server(self, logs: Any) -> None:
        logs.write("web-01", self.attempts(logs, STRANGER, 2))

        assert logs.codes("web-01") == []

    @pytest.mark.parametrize(
        ("seconds", "row"), [([], 0), ([0], 1), ([0, 1, 2], 3), ([0, 0.1, 0.2], 1), ([0, 2, 60, 62, 64], 3)]
    )
    def test_rows_are_told_by_their_distance(self, seconds: list[float], row: int) -> None:
        times = [f"{NOW + timedelta(seconds=s):%Y-%m-%d %H:%M:%S.%f}"[:-2] for s in seconds]

        assert longest_row(times) == row


class TestServersLog:
    """What a server's log says of a Tentacle is judged for that Tentacle, and for no other."""

    def test_a_listening_tentacle_that_cannot_be_reached(self, logs: Any) -> None:
        text = f"{TO_TENTACLE}The client was unable to establish the initial connection within the timeout 00:01:00."
        logs.write("octo-1", logs.line(600, "ERROR", text, 1000))

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT108"
        assert problem.facts["vantage"] == "octo-1"
        assert logs.codes("poll-01") == []
        assert logs.codes("octo-1") == []

    def test_a_tls_connection_afterwards_proves_that_it_was_reached(self, logs: Any) -> None:
        text = f"{TO_TENTACLE}The client was unable to establish the initial connection within the timeout 00:01:00."
        logs.write("octo-1", logs.line(600, "ERROR", text, 1000) + logs.line(60, "INFO", TO_TENTACLE + SECURED, 1000))

        assert logs.codes("web-01") == []

    def test_what_came_afterwards_is_told_by_the_difference_of_the_clocks(self, logs: Any) -> None:
        """The Tentacle's clock is three hours ahead: what it let in before the failure looks later."""
        text = (
            f"{TO_TENTACLE}Unexpected exception executing transaction.\nAttempted to read past the end of the stream."
        )
        logs.write("octo-1", logs.line(3600, "ERROR", text, 1000))
        logs.write("web-01", logs.let_in(-3600, f"{OCTO}:5001"))
        logs.world["web-01"].host["clock_utc"] = NOW + timedelta(hours=3)
        assert logs.codes("web-01") == ["TT105"]

        logs.world["web-01"].host["clock_utc"] = NOW + timedelta(minutes=90)
        assert logs.codes("web-01") == []

    def test_a_tentacle_that_let_the_server_in_afterwards_trusts_it(self, logs: Any) -> None:
        text = (
            f"{TO_TENTACLE}Unexpected exception executing transaction.\nAttempted to read past the end of the stream."
        )
        logs.write(
            "octo-1", logs.line(3600, "ERROR", text, 1000) + logs.line(1800, "INFO", TO_TENTACLE + SECURED, 1000)
        )
        assert logs.codes("web-01") == ["TT105"]

        logs.write("web-01", logs.let_in(600, f"{OCTO}:5001"))
        assert logs.codes("web-01") == []

    def test_a_polling_tentacle_that_fetches_nothing_is_known_by_its_subscription(self, logs: Any) -> None:
        text = (
            "An error occurred when sending a request to 'poll://{}/', before the request could begin: A request was sent to "
            "a polling endpoint, but the polling endpoint did not collect the request within the allowed time (00:02:00), so "
            "the request timed out."
        )
        logs.write("octo-1", logs.line(600, "ERROR", text.format("abcdefghij0123456789"), 1000))
        assert logs.codes("poll-01") == ["TT115"]
        assert logs.codes("web-01") == []

        logs.write("octo-1", logs.line(600, "ERROR", text.format("another0another00000"), 1000))
        assert logs.codes("poll-01") == []

    def test_a_polling_tentacle_that_was_let_in_afterwards_is_well(self, logs: Any, thumbprint_of: Any) -> None:
        text = TestListening.NOT_TRUSTED.format(STRANGER, thumbprint_of("poll-01"))
        logs.write("octo-1", logs.line(600, "DEBUG", SERVER_LISTEN + text, 1000))
        assert logs.codes("poll-01") == ["TT103"]

        again = logs.let_in(60, f"{STRANGER}:7000", thumbprint_of("poll-01"), SERVER_LISTEN, 1000)
        logs.write("octo-1", logs.line(600, "DEBUG", SERVER_LISTEN + text, 1000) + again)
        assert logs.codes("poll-01") == []

    def test_a_task_that_failed_names_the_tentacle_in_its_words(self, logs: Any) -> None:
        """Where nothing answers the TLS hello, a server's log has no line of Halibut's (tentacle-seen 2)."""
        text = (
            "Health check failed\nAn error occurred when sending a request to 'https://web-01.example:10933/', after the "
            "request began: The ReadAsync operation was cancelled."
        )
        logs.write("octo-1", logs.line(600, "ERROR", text, 1000))

        assert logs.codes("web-01") == ["TT109"]
        assert logs.codes("poll-01") == []

    def test_a_server_nobody_can_log_on_to_is_not_asked(self, logs: Any) -> None:
        from pytest_tentacle.inventory.model import NoTransport

        logs.world["octo-1"].declare(transport=NoTransport())

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_server_whose_log_cannot_be_read_is_unknown(self, logs: Any) -> None:
        logs.logs["octo-1"] = "no rights"

        assert logs.judge("web-01").outcome is Outcome.UNKNOWN

    def test_the_servers_own_trouble_is_its_own(self, logs: Any) -> None:
        logs.world["octo-1"].service.update(pid=None, state="stopped")
        logs.write("octo-1", logs.line(60, "FATAL", IN_USE, 1000))

        assert logs.codes("octo-1") == ["TT111"]
        assert logs.codes("web-01") == []

    def test_what_a_server_says_of_others_is_not_its_own(self, logs: Any) -> None:
        """A feed that cannot be resolved says nothing of a link."""
        logs.write("octo-1", logs.line(60, "ERROR", "Feed check failed: No such host is known", 1000))

        for name in ("octo-1", "web-01", "poll-01"):
            assert logs.codes(name) == []
