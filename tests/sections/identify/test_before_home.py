"""What stands in the log of before home is known: whose it is, and until when it holds."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.logs.lines import moment
from support import NOW
from support.logs import read_log

OLD_PID = 77
LISTENS = "Agent listening on: [::]:10933"
HOUR = timedelta(hours=1)
DAYS = timedelta(days=3)
EMPTY = (
    "Unable to parse configuration key 'Octopus.Home' as a 'String'. Value was ''.\n"
    "There is an error in XML document (0, 0).\nRoot element is missing."
)
DENIED = "Access to the path '/etc/octopus/Tentacle/tentacle.config' is denied."


def begins(logs: Any, ago: timedelta, pid: int = OLD_PID, instance: str = "Tentacle") -> str:
    return logs.line(ago, "INFO", f"Tentacle version 9.1.3268 (9.1.3268) instance {instance}", pid)


def fails(logs: Any, ago: timedelta, text: str = EMPTY, instance: str = "Tentacle", pid: int = OLD_PID) -> str:
    banner = logs.line(ago, "ERROR", "=" * 79, pid)
    return begins(logs, ago, pid, instance) + banner + logs.line(ago, "FATAL", text, pid)


def finds_home(logs: Any, ago: timedelta, instance: str = "Tentacle", pid: int = 78) -> str:
    words = "Changing log folder from /root/.local/share/Octopus/Logs to /etc/octopus/Tentacle/Logs"
    return begins(logs, ago, pid, instance) + logs.line(ago, "INFO", words, pid)


@pytest.fixture
def early(logs: Any) -> Any:
    """Puts such a log beside the machine's own; its service is down since, unless `running`."""

    def put(text: str, *, running: bool = False, own: str | None = None) -> Any:
        draft = logs.world["web-01"]
        if not running:
            draft.service.update(state="stopped", pid=None, started_utc=None)
        if own is not None:
            logs.write("web-01", own)
        log = read_log(
            text.encode(), product="tentacle", instance="", path="/root/.local/share/Octopus/Logs/OctopusTentacle.txt",
            account="root",
        )  # fmt: skip
        last = moment(log.last_time or "")
        assert last is not None
        log = log.model_copy(update={"modified_utc": last.replace(tzinfo=UTC)})
        logs.logs["web-01"] = (*logs.logs["web-01"], log)
        return logs

    return put


class TestHolds:
    def test_an_empty_configuration(self, early: Any, logs: Any) -> None:
        """The last start ended so, and nothing came after it; the record is shown with the log that it stands in."""
        early(fails(logs, HOUR), own=logs.start(DAYS, 900, LISTENS))

        result = logs.judge("web-01")

        assert [problem.code for problem in result.problems] == ["TT124"]
        (problem,) = result.problems
        assert problem.facts["log"] == "/root/.local/share/Octopus/Logs/OctopusTentacle.txt"
        assert "Root element is missing" in problem.evidence[0].text

    def test_rights(self, early: Any, logs: Any) -> None:
        """Another code where something else kept it from its home."""
        early(fails(logs, HOUR, DENIED))

        assert logs.codes("web-01") == ["TT126"]

    def test_after_an_earlier_home(self, early: Any, logs: Any) -> None:
        """A process that found its home before proves nothing of what came later."""
        early(finds_home(logs, 2 * HOUR) + fails(logs, HOUR))

        assert logs.codes("web-01") == ["TT124"]

    def test_another_instances_home(self, early: Any, logs: Any) -> None:
        """Nor does a process of another instance."""
        early(fails(logs, 2 * HOUR) + finds_home(logs, HOUR, "Second"))

        assert logs.codes("web-01") == ["TT124"]


class TestPassed:
    def test_only_calls_that_found_their_home(self, early: Any, logs: Any) -> None:
        """A healthy machine: each start and each call leaves its first words there."""
        early(begins(logs, DAYS, 60, "Default") + finds_home(logs, DAYS) + finds_home(logs, HOUR), running=True)

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_another_instance(self, early: Any, logs: Any) -> None:
        """A failure of another instance's process, or of one that was started without any, says nothing of this one."""
        early(fails(logs, HOUR, instance="Second") + fails(logs, HOUR, instance="Default", pid=79))

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_later_process_found_its_home(self, early: Any, logs: Any) -> None:
        early(fails(logs, 2 * HOUR) + finds_home(logs, HOUR))

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_its_own_log_goes_on(self, early: Any, logs: Any) -> None:
        """A start in the instance's own log came through what the other log tells."""
        early(fails(logs, 2 * HOUR), own=logs.start(HOUR, 900, LISTENS))

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_it_let_a_client_in(self, early: Any, logs: Any) -> None:
        early(fails(logs, 2 * HOUR), own=logs.let_in(600, "[::ffff:192.0.2.10]:5000"))

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_the_service_runs(self, early: Any, logs: Any) -> None:
        """A process that runs for longer than a minute is another one."""
        early(fails(logs, HOUR), running=True)

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_the_configuration_was_restored(self, early: Any, logs: Any) -> None:
        """It can be read, and was written after that: only the service was not started yet."""
        early(fails(logs, 2 * HOUR))
        logs.world["web-01"].config_modified = NOW - HOUR

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_call_of_the_command_line(self, early: Any, logs: Any) -> None:
        """Somebody's call for an instance that was not there."""
        text = begins(logs, HOUR) + logs.line(HOUR, "INFO", "==== ShowThumbprintCommand ====", OLD_PID)
        early(text + logs.line(HOUR, "FATAL", "Instance Tentacle of Tentacle has not been configured.", OLD_PID))

        assert logs.judge("web-01").outcome is Outcome.PASSED


class TestUnclear:
    def test_neither_service_nor_own_log(self, early: Any, logs: Any) -> None:
        """An old failure of which nobody can say whether it passed is no problem."""
        early(fails(logs, DAYS))
        (own, log) = logs.logs["web-01"]
        logs.logs["web-01"] = (own.model_copy(update={"error": "denied", "records": ()}), log)
        logs.world["web-01"].unknown["services"] = "no rights"

        result = logs.judge("web-01")

        assert (result.outcome, result.problems) == (Outcome.UNKNOWN, ())
        assert "neither its service nor its own log" in result.reason

    def test_the_other_log_takes_no_part_in_the_rest(self, early: Any, logs: Any) -> None:
        """Where only this one could be read, the instance's own is as unknown as without it."""
        early(finds_home(logs, HOUR))
        logs.logs["web-01"] = logs.logs["web-01"][1:]

        assert "no log of instance" in logs.judge("web-01").reason


class TestQuotes:
    """Old systemd hands the quotes of `--instance="Tentacle"` on to the program (Issues#6911)."""

    @pytest.mark.parametrize("name", ['"Tentacle"', "'Tentacle'", "\u201cTentacle\u201d"])
    def test_are_taken_for_a_part_of_the_name(self, early: Any, logs: Any, name: str) -> None:
        early(fails(logs, HOUR, f"Instance {name} of Tentacle has not been configured on this machine.", instance=name))

        (problem,) = logs.judge("web-01").problems

        assert problem.code == "TT141"
        assert problem.facts["wanted"] == name

    def test_a_later_process_without_them_found_its_home(self, early: Any, logs: Any) -> None:
        text = 'Instance "Tentacle" of Tentacle has not been configured on this machine.'
        early(fails(logs, 2 * HOUR, text, instance='"Tentacle"'), own=logs.start(HOUR, 900, LISTENS))

        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_of_another_instance(self, early: Any, logs: Any) -> None:
        early(fails(logs, HOUR, 'Instance "Second" of Tentacle has not been configured.', instance='"Second"'))

        assert logs.judge("web-01").outcome is Outcome.PASSED
