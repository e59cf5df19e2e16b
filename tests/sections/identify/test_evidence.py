"""What is current is decided by evidence, however young an error is."""

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.surroundings import Connection

HOUR = timedelta(hours=1)
DAYS = timedelta(days=3)
POLL = "https://octo-1.example:10943/        12  "
CLOSED = f"{POLL}Unexpected exception executing transaction.\nSystem.IO.EndOfStreamException: Attempted to read past the end of the stream."
RESET = f"{POLL}Unexpected exception executing transaction.\nConnection reset by peer"
SECURED = f"{POLL}Secure connection established. Server at [::ffff:192.0.2.10]:10943 identified by thumbprint: AA"
NEVER_LISTENS = "Agent will not listen on any TCP ports"
POLLS = (
    "Agent will poll Octopus Server at https://octo-1.example:10943/ for subscription poll://abc/ "
    "expecting thumbprint AA"
)
KEY = "The X509 certificate CN=Octopus Tentacle was loaded but the private key was not loaded."
OCTO = "[::ffff:192.0.2.10]"
POLL_PID, OLD_PID, WEB_PID = 900, 77, 2136
STANDS = Connection(
    local_address="192.0.2.30",
    local_port=50000,
    remote_address="192.0.2.10",
    remote_port=10943,
    state="established",
    pid=POLL_PID,
)


@pytest.mark.parametrize("error", [CLOSED, RESET])
class TestPoller:
    def test_a_success_after_it_and_a_connection_that_stands(self, logs: Any, error: str) -> None:
        """The error is twenty seconds old."""
        text = logs.line(20, "ERROR", error, POLL_PID) + logs.line(15, "INFO", SECURED, POLL_PID)
        logs.write("poll-01", logs.start(DAYS, POLL_PID, POLLS, NEVER_LISTENS) + text)
        logs.connections["poll-01"] = (STANDS,)
        assert logs.judge("poll-01").outcome is Outcome.PASSED

    def test_a_success_alone_proves_nothing(self, logs: Any, error: str) -> None:
        """It is written before the server decides whether it trusts the client."""
        text = logs.line(20, "ERROR", error, POLL_PID) + logs.line(15, "INFO", SECURED, POLL_PID)
        logs.write("poll-01", logs.start(DAYS, POLL_PID, POLLS, NEVER_LISTENS) + text)
        logs.connections["poll-01"] = ()
        assert len(logs.codes("poll-01")) == 1

    def test_of_a_process_that_is_gone_and_the_new_one_is_connected(self, logs: Any, error: str) -> None:
        text = logs.line(40, "ERROR", error, OLD_PID) + logs.start(30, POLL_PID, POLLS, NEVER_LISTENS)
        logs.write("poll-01", logs.start(DAYS, OLD_PID, POLLS, NEVER_LISTENS) + text)
        logs.connections["poll-01"] = (STANDS,)
        assert logs.judge("poll-01").outcome is Outcome.PASSED

    def test_of_a_process_that_is_gone_and_the_new_one_is_not(self, logs: Any, error: str) -> None:
        text = logs.line(40, "ERROR", error, OLD_PID) + logs.start(30, POLL_PID, POLLS, NEVER_LISTENS)
        logs.write("poll-01", logs.start(DAYS, OLD_PID, POLLS, NEVER_LISTENS) + text)
        logs.connections["poll-01"] = ()
        assert len(logs.codes("poll-01")) == 1


class TestKey:
    """A warning about the key, from a process that got over it (TT122)."""

    def test_its_port_answers_with_that_key(self, logs: Any) -> None:
        text = (
            logs.start(HOUR, WEB_PID)
            + logs.line(HOUR, "WARN", KEY)
            + logs.line(HOUR, "INFO", "Agent listening on: [::]:10933")
        )
        logs.write("web-01", text)
        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_connection_of_a_poller_stands(self, logs: Any) -> None:
        logs.write("poll-01", logs.start(HOUR, POLL_PID, POLLS, NEVER_LISTENS) + logs.line(60, "WARN", KEY, POLL_PID))
        logs.connections["poll-01"] = (STANDS,)
        assert logs.judge("poll-01").outcome is Outcome.PASSED

    def test_a_client_was_let_in_after_it(self, logs: Any) -> None:
        draft = logs.world["web-01"]
        draft.own = [one.model_copy(update={"tls": None, "page": None}) for one in draft.own]
        text = logs.start(HOUR, WEB_PID) + logs.line(HOUR, "WARN", KEY)
        logs.write("web-01", text)
        assert logs.codes("web-01") == ["TT122"]
        logs.write("web-01", text + logs.let_in(60, f"{OCTO}:5000"))
        assert logs.codes("web-01") == []

    def test_nobody_could_see_whether_it_got_over_it(self, logs: Any) -> None:
        """Neither its own port was asked, nor were its connections read: it is not told that its key fails."""
        logs.write("poll-01", logs.start(HOUR, POLL_PID, POLLS, NEVER_LISTENS) + logs.line(60, "WARN", KEY, POLL_PID))
        result = logs.judge("poll-01")
        assert (result.outcome, logs.codes("poll-01")) == (Outcome.UNKNOWN, [])
        assert "whether it uses its key by now could not be seen" in str(result.reason)
        logs.connections["poll-01"] = ()
        assert logs.codes("poll-01") == ["TT122"]
        logs.world["web-01"].own = []
        logs.write("web-01", logs.start(HOUR, WEB_PID) + logs.line(HOUR, "WARN", KEY))
        assert (logs.judge("web-01").outcome, logs.codes("web-01")) == (Outcome.UNKNOWN, [])


class TestListener:
    def test_one_whose_connection_stands(self, logs: Any) -> None:
        """What failed were trials of old versions of TLS (--probe-tls), days ago."""
        failed = f"listen://[::]:10933/             91  Client failed authentication: {OCTO}:5000\nSSL routines::no shared cipher"
        logs.write(
            "web-01", logs.start(DAYS, WEB_PID, "Agent listening on: [::]:10933") + logs.line(HOUR, "INFO", failed)
        )
        assert logs.codes("web-01") == ["TT113"]
        del logs.connections["web-01"]
        assert (logs.judge("web-01").outcome, logs.codes("web-01")) == (Outcome.UNKNOWN, [])
        row = {"local_address": "192.0.2.20", "local_port": 10933, "remote_address": "192.0.2.10", "remote_port": 51000}
        logs.connections["web-01"] = (Connection(**row, state="established", pid=WEB_PID),)
        assert logs.codes("web-01") == []

    def test_who_was_turned_away_by_a_process_that_is_gone(self, logs: Any) -> None:
        """The server was trusted since, and the service restarted."""
        away = (
            f"listen://[::]:10933/             91  A client at {OCTO}:5000 connected, and attempted a message exchange, but "
            f"it presented a client certificate with the thumbprint '{'CC' * 20}' which is not in the list of thumbprints"
        )
        text = logs.start(DAYS, OLD_PID, "Agent listening on: [::]:10933") + logs.line(120, "INFO", away, OLD_PID)
        logs.write("web-01", text)
        assert logs.codes("web-01") == ["TT103"]
        logs.write("web-01", text + logs.start(60, WEB_PID, "Agent listening on: [::]:10933"))
        assert logs.codes("web-01") == []


class TestSummingUp:
    """Halibut says in one more line that an attempt failed, and why only in the exception before it."""

    WHY = (
        f"{POLL}Unexpected exception executing transaction.\nSystem.Security.Authentication.AuthenticationException: "
        "Authentication failed, see inner exception.\n ---> Interop+Crypto+OpenSslCryptographicException: "
        "error:0E076071:configuration file routines:MODULE_RUN:unknown module name"
    )
    THAT = f"{POLL}Halibut client exception: Authentication failed, see inner exception.. Retrying in 60.0 seconds"

    @pytest.mark.parametrize(("before", "told"), [(0, True), (1, True), (30, False)])
    def test_the_same_attempt_says_why(self, logs: Any, before: int, told: bool) -> None:
        text = logs.line(60 + before, "ERROR", self.WHY, POLL_PID) + logs.line(60, "ERROR", self.THAT, POLL_PID)
        logs.write("poll-01", logs.start(DAYS, POLL_PID, POLLS, NEVER_LISTENS) + text)
        logs.connections["poll-01"] = ()
        words = [problem.evidence[0].text for problem in logs.judge("poll-01").problems]
        assert any("unknown module name" in each for each in words) is told
