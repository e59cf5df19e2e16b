"""What could not be looked at is told once a reason, not once a machine and step."""

from __future__ import annotations

from datetime import UTC, datetime

from pytest_tentacle.inventory.model import SSH, Tentacle
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.report.unknowns import fold_unknowns
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.transport.base import ReachStage


def unknown(machine: str, step: str, reason: str, advice: str = "") -> StepResult:
    return StepResult(machine, step, Outcome.UNKNOWN, reason=reason, advice=advice)


def dark(name: str, address: str) -> HostRecord:
    return HostRecord(
        host_key=name,
        machines=(name,),
        taken_utc=datetime(2026, 11, 22, tzinfo=UTC),
        seconds=1.0,
        unreachable=Unreachable(
            stage=ReachStage.CONNECT,
            summary=f"no connection to {name}.example port 22 ({address}: refused after 12 ms)",
            advice=f"Is {name}'s SSH server running?",
        ),
    )


ADDRESSES = {"web-1": "10.0.0.1", "web-11": "10.0.0.11", "web-2": "2001:db8::2"}
MACHINES = {
    name: Tentacle(name=name, dns_name=f"{name}.example", transport=SSH(host=f"{name}.example")) for name in ADDRESSES
}
RECORDS = {name: dark(name, address) for name, address in ADDRESSES.items()}


def why(name: str) -> str:
    return f"{RECORDS[name].unreachable.summary} (stage: connect)"


class TestFolding:
    """One reason, whichever machine it is about."""

    def test_a_fleet_that_nobody_can_log_on_to_is_one_line(self):
        """What its steps miss besides follows from that."""
        results = [
            result
            for name in MACHINES
            for result in (
                unknown(name, "services-running", why(name), RECORDS[name].unreachable.advice),
                unknown(
                    name, "tentacle-thumbprint", f"nobody saw the certificate of {name}; {why(name)}", "Look. Log on."
                ),
            )
        ]
        (line,) = fold_unknowns(results, MACHINES, RECORDS)
        assert line.reason == ("no connection to <machine> port 22 (<address>: refused after <time>) (stage: connect)")
        assert line.advice == "Is <machine>'s SSH server running?"
        assert line.machines == ("web-1", "web-11", "web-2")

    def test_one_machine_keeps_its_words(self):
        """Names are left out only to say the same of several."""
        (line,) = fold_unknowns([unknown("web-11", "services-running", why("web-11"))], MACHINES, RECORDS)
        assert line.reason == why("web-11")

    def test_what_names_another_machine_stays_apart(self):
        """`web-1` is no part of `web-11`, nor of a longer name; the time of day is no address."""
        results = [
            unknown("web-1", "s", "web-11 could not look at 12:30:05"),
            unknown("web-2", "s", "web-1.example.org could not look at 12:30:05"),
            unknown("web-11", "s", "web-11 could not look at 12:30:05"),
        ]
        lines = fold_unknowns(results, MACHINES, {})
        assert [line.reason for line in lines] == [result.reason for result in results]

    def test_the_other_ends_silence_is_a_reason_of_its_own(self):
        """A machine that was surveyed, whose server was not."""
        results = [unknown(name, "welcome-page-across", "octo-1 could not look") for name in ("web-1", "web-2")]
        (line,) = fold_unknowns(results, MACHINES, {})
        assert (line.reason, line.machines) == ("octo-1 could not look", ("web-1", "web-2"))

    def test_only_unknowns(self):
        """What passed or failed was looked at."""
        results = [StepResult("web-1", "s", outcome) for outcome in Outcome if outcome is not Outcome.UNKNOWN]
        assert fold_unknowns(results, MACHINES, RECORDS) == ()
