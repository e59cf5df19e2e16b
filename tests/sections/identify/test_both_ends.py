"""A server that hangs up on a certificate; one thumbprint from two places; a process with other settings than its file."""

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from support import NOW

DAYS = timedelta(days=3)
LISTEN = "listen://[::]:10933/             91  "
LISTENS = "Agent listening on: [::]:10933"
OCTO, STRANGER = "[::ffff:192.0.2.10]", "[::ffff:198.51.100.7]"
WEB_PID, POLL_PID = 2136, 900


def resets(logs: Any, peer: str, count: int = 2, late: float = 0) -> str:
    """Connections that are accepted and reset, so many seconds later."""
    return "".join(
        logs.accepted(600 - 3 * n, f"{peer}:{7000 + n}")
        + logs.line(
            600 - 3 * n - late, "ERROR", f"{LISTEN}Socket IO exception: {peer}:{7000 + n}\nConnection reset by peer"
        )
        for n in range(count)
    )


class TestHangsUp:
    """With TLS 1.3 a client that expects another thumbprint resets (tentacle-seen 1.2)."""

    def test_two_of_the_server_right_after_they_were_accepted(self, logs: Any) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + resets(logs, OCTO))
        (problem,) = logs.judge("web-01").problems
        assert problem.code == "TT145"
        assert problem.facts["server"] == "octo-1"

    @pytest.mark.parametrize(
        ("peer", "count", "late"), [(STRANGER, 5, 0), (OCTO, 1, 0), (OCTO, 2, 90)], ids=["stranger", "single", "idle"]
    )
    def test_what_is_none(self, logs: Any, peer: str, count: int, late: float) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + resets(logs, peer, count, late))
        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_one_that_was_let_in_afterwards(self, logs: Any) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, LISTENS) + resets(logs, OCTO) + logs.let_in(60, f"{OCTO}:8000"))
        assert logs.judge("web-01").outcome is Outcome.PASSED


class TestTwoPlaces:
    def let_in(self, logs: Any, ago: float, address: str, thumbprint: str) -> str:
        server = "listen://[::]:10943/             91  "
        return str(logs.line(ago, "INFO", f"{server}Client at {address}:5000 authenticated as {thumbprint}", 1000))

    def test_within_seconds(self, logs: Any, thumbprint_of: Any) -> None:
        own = thumbprint_of("poll-01")
        logs.write("octo-1", self.let_in(logs, 300, "203.0.113.1", own) + self.let_in(logs, 295, "203.0.113.77", own))
        (problem,) = logs.judge("poll-01").problems
        assert problem.code == "TT146"
        assert set(problem.facts["addresses"]) == {"203.0.113.1", "203.0.113.77"}

    def test_an_address_that_changed(self, logs: Any, thumbprint_of: Any) -> None:
        """DHCP gave it another one."""
        own = thumbprint_of("poll-01")
        logs.write("octo-1", self.let_in(logs, 9000, "203.0.113.1", own) + self.let_in(logs, 295, "203.0.113.77", own))
        assert logs.codes("poll-01") == []

    def test_both_are_its_own(self, logs: Any, thumbprint_of: Any) -> None:
        own = thumbprint_of("poll-01")
        logs.world["poll-01"].host["addresses"] = ("203.0.113.1", "2001:db8::1")
        logs.write("octo-1", self.let_in(logs, 300, "203.0.113.1", own) + self.let_in(logs, 295, "[2001:db8::1]", own))
        assert logs.codes("poll-01") == []

    def secured(self, logs: Any, ago: float, thumbprint: str) -> str:
        words = (
            f"Secure connection established. Server at [::ffff:192.0.2.10]:10943 identified by thumbprint: {thumbprint}"
        )
        return str(logs.line(ago, "INFO", f"https://octo-1.example:10943/        12  {words}", POLL_PID))

    @pytest.mark.parametrize(("strangers", "codes"), [((), []), ((294,), ["TT146"]), ((250,), ["TT146"])])
    def test_a_nat_device_with_several_addresses(
        self, logs: Any, thumbprint_of: Any, strangers: tuple[float, ...], codes: list[str]
    ) -> None:
        """Each time that somebody was let in its own log has a connection; a clone's connections it does not have."""
        own, server = thumbprint_of("poll-01"), thumbprint_of("octopus")
        polls = f"Agent will poll Octopus Server at https://octo-1.example:10943/ for subscription poll://a/ expecting thumbprint {server}"
        start = logs.start(DAYS, POLL_PID, polls, "Agent will not listen on any TCP ports")
        times = (300, 297, 294)
        logs.write("poll-01", start + "".join(self.secured(logs, ago, server) for ago in times))
        said = [(ago, f"203.0.113.{120 + number % 2}") for number, ago in enumerate(times)]
        said += [(ago, "203.0.113.121") for ago in strangers]
        logs.write("octo-1", "".join(self.let_in(logs, ago, address, own) for ago, address in said))
        assert [code for code in logs.codes("poll-01") if code == "TT146"] == codes

    def test_addresses_from_which_others_come_too(self, logs: Any, thumbprint_of: Any) -> None:
        """A balancer that shows its own addresses instead of its clients'; one that others do not use is none."""
        own, other = thumbprint_of("poll-01"), thumbprint_of("poll-02")
        both = [(310, "10.41.1.9", other), (300, "10.41.1.9", own), (299, "10.41.2.9", own), (298, "10.41.2.9", other)]
        logs.write("octo-1", "".join(self.let_in(logs, *each) for each in both))
        assert logs.codes("poll-01") == []
        logs.write("octo-1", "".join(self.let_in(logs, *each) for each in both[:3]))
        assert logs.codes("poll-01") == ["TT146"]


class TestRunningSettings:
    """What the process said at its start, against a file that was changed since."""

    @pytest.fixture(autouse=True)
    def changed(self, logs: Any) -> None:
        for name in ("web-01", "poll-01"):
            logs.world[name].config_modified = NOW

    @pytest.mark.parametrize(
        ("said", "what"),
        [
            (f"Agent will trust Octopus Servers with the thumbprint: {'AB' * 20}", "trust"),
            ("Agent listening on: [::]:10934", "port"),
            ("Agent will not listen on any TCP ports", "listening"),
        ],
    )
    def test_of_a_listening_one(self, logs: Any, said: str, what: str) -> None:
        logs.write("web-01", logs.start(DAYS, WEB_PID, *((said, LISTENS) if what == "trust" else (said,))))
        assert "TT144" in logs.codes("web-01")
        (problem,) = (each for each in logs.judge("web-01").problems if each.code == "TT144")
        assert what in str(problem.facts["other"])

    @pytest.mark.parametrize(
        ("said", "what"),
        [
            ("Agent will poll Octopus Server at https://old.example:10943/ for subscription poll://a/ expecting thumbprint AA", "polled"),
            ("Agent will use the octopus configured proxy at proxy.old:3128 for server at https://octo-1.example:10943/", "proxy"),
        ],
    )  # fmt: skip
    def test_of_a_polling_one(self, logs: Any, said: str, what: str) -> None:
        polls = "Agent will poll Octopus Server at https://octo-1.example:10943/ for subscription poll://a/ expecting thumbprint AA"
        own = (said,) if what == "polled" else (polls, said)
        logs.write("poll-01", logs.start(DAYS, POLL_PID, *own, "Agent will not listen on any TCP ports"))
        (problem,) = (each for each in logs.judge("poll-01").problems if each.code == "TT144")
        assert what in str(problem.facts["other"])

    def test_the_same(self, logs: Any, thumbprint_of: Any) -> None:
        trusts = f"Agent will trust Octopus Servers with the thumbprint: {thumbprint_of('octopus')}"
        logs.write("web-01", logs.start(DAYS, WEB_PID, trusts, LISTENS))
        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_file_that_is_older_than_the_process(self, logs: Any) -> None:
        logs.world["web-01"].config_modified = NOW - 30 * DAYS
        logs.write("web-01", logs.start(DAYS, WEB_PID, "Agent listening on: [::]:10934"))
        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_another_process(self, logs: Any) -> None:
        logs.write("web-01", logs.start(DAYS, 77, "Agent listening on: [::]:10934"))
        assert logs.judge("web-01").outcome is Outcome.PASSED
