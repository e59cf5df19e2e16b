"""Calls that were to change something: told where they failed and nothing repaired them, and never as an outage."""

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.guide.severity import Severity, severity_of
from pytest_tentacle.sections.identify.calls import kind_of_call
from pytest_tentacle.sections.identify.registering import called

HOUR = timedelta(hours=1)
DAYS = timedelta(days=3)
AGENT, CALL, NEXT = 2136, 3100, 4100
LISTENS = "Agent listening on: [::]:10933"
REFUSED = "The service could not be restarted"
KINDS = (
    ("not-registered", "This Tentacle has not been registered with the server you are attempting to poll."),
    ("not-registered", "No trusted server was found with the supplied thumbprint"),
    ("cryptography", "error:23076072:PKCS12 routines:PKCS12_parse:parse error"),
    ("service", "Failed to restart Tentacle.service: Interactive authentication required."),
    ("service", "Could not start the systemd service: Tentacle"),
    ("portal", "System.Net.WebException: Unable to connect to the remote server"),
    ("portal", "The API key you provided was not valid."),
    ("other", "Something that nobody has seen"),
)


def call(logs: Any, command: str, ago: timedelta, *failure: str, level: str = "FATAL", pid: int = CALL) -> str:
    """A call, that ends with an error where one is given."""
    text = logs.start(ago, pid, command=command)
    return str(text + "".join(logs.line(ago, level, words, pid) for words in failure))


def codes(logs: Any, *calls: str) -> Any:
    logs.write("web-01", logs.start(DAYS, AGENT, LISTENS) + "".join(calls))
    return logs.codes("web-01")


@pytest.mark.parametrize(("kind", "words"), KINDS)
def test_a_failure_is_told_with_its_words_and_its_kind(logs: Any, kind: str, words: str) -> None:
    assert codes(logs, call(logs, "UpdateTrustCommand", HOUR, words)) == ["TT151"]
    (problem,) = logs.judge("web-01").problems
    assert (problem.facts["kind"], problem.facts["call"]) == (kind, "update-trust")
    assert words in str(problem.facts["words"])
    assert kind_of_call(words) == kind


def test_it_fails_no_run_by_itself() -> None:
    assert severity_of("TT151") is Severity.HYGIENE


def test_an_error_without_a_fatal_one_is_a_failure(logs: Any) -> None:
    """poll-server until 2018, and what Linux' service manager says."""
    assert codes(logs, call(logs, "ConfigureCommand", HOUR, "It gave up", level="ERROR")) == ["TT151"]


def test_to_deregister_what_is_not_there_is_done_already(logs: Any) -> None:
    words = "No machine was found matching this Tentacle's thumbprint."
    assert codes(logs, call(logs, "DeregisterMachineCommand", HOUR, words)) == []
    assert codes(logs, call(logs, "PollCommand", HOUR, words)) == ["TT136"]


@pytest.mark.parametrize("command", ["ShowConfigurationCommand", "ListInstancesCommand", "ShowThumbprintCommand"])
def test_what_only_looks_is_nobodys_problem(logs: Any, command: str) -> None:
    assert codes(logs, call(logs, command, HOUR, "Object reference not set to an instance of an object.")) == []


@pytest.mark.parametrize(
    "words", ["Please specify a new thumbprint to trust", "Unrecognized command line arguments: --porrt", "This command requires elevation."]
)  # fmt: skip
def test_what_did_not_begin_is_nobodys_problem(logs: Any, words: str) -> None:
    assert codes(logs, call(logs, "ConfigureCommand", HOUR, words)) == []


def test_the_next_call_of_the_command_mends_it(logs: Any) -> None:
    again = call(logs, "NewCertificateCommand", HOUR / 2, pid=NEXT)
    assert codes(logs, call(logs, "NewCertificateCommand", HOUR, "Out of luck"), again) == []


def test_another_command_does_not(logs: Any) -> None:
    other = call(logs, "ConfigureCommand", HOUR / 2, pid=NEXT)
    assert codes(logs, call(logs, "NewCertificateCommand", HOUR, "Out of luck"), other) == ["TT151"]


def test_a_registration_that_followed_mends_it(logs: Any) -> None:
    later = call(logs, "RegisterMachineCommand", HOUR / 2, pid=NEXT)
    assert codes(logs, call(logs, "UpdateTrustCommand", HOUR, "Out of luck"), later) == []


def test_a_start_that_followed_mends_what_the_service_manager_refused(logs: Any) -> None:
    assert codes(logs, call(logs, "ServiceCommand", HOUR, REFUSED)) == ["TT151"]
    assert codes(logs, call(logs, "ServiceCommand", HOUR, REFUSED), logs.start(HOUR / 2, NEXT, LISTENS)) == []


def test_after_a_day_other_steps_tell(logs: Any) -> None:
    assert codes(logs, call(logs, "NewCertificateCommand", 2 * DAYS / 3, "Out of luck")) == []


@pytest.mark.parametrize(
    ("command", "typed"),
    [("PollCommand", "poll-server"), ("RegisterMachineCommand", "register-with"), ("ImportCertificateCommand", "import-certificate")],
)  # fmt: skip
def test_it_is_called_as_it_is_typed(command: str, typed: str) -> None:
    assert called(command) == typed
