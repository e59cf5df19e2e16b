"""Which of several services runs an instance."""

import pytest

from pytest_tentacle.judging.own_service import command_of, own_service
from pytest_tentacle.survey.model import Service

TENTACLE = "C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe"


def service(name: str, arguments: str, state: str = "running", instance: str | None = None) -> Service:
    return Service(
        name=name, product="tentacle", instance=instance, state=state, executable=TENTACLE, arguments=arguments
    )


MAIN = service("OctopusDeploy Tentacle", 'run --instance="Tentacle"', "stopped", "Tentacle")


def chosen(*services: Service, instance: str = "Tentacle", any_other: bool = True) -> str | None:
    found = own_service(services, lambda one: one.instance or "Tentacle", instance, any_other=any_other)
    return found.name if found else None


@pytest.mark.parametrize(
    "other",
    [
        service("ODTentacleAnnouncer", "register-with --force --server=https://octo.lab", "stopped"),
        service("TentacleWatch", "checkservices --instances *"),
        service("Octopus Tentacle", ""),
        service("Old Tentacle", "", "starting"),
    ],
    ids=lambda one: one.name,
)
def test_the_instance_s_own_goes_before_what_only_starts_the_same_program(other: Service) -> None:
    """Whatever state the two are in, and whatever order they come in."""
    assert chosen(other, MAIN) == chosen(MAIN, other) == "OctopusDeploy Tentacle"


@pytest.mark.parametrize("arguments", ["register-with --server=x", "checkservices", "watchdog --create"])
def test_a_service_that_calls_another_command_is_none_of_an_instance(arguments: str) -> None:
    assert chosen(service("Announcer", arguments)) is None


@pytest.mark.parametrize(
    "arguments",
    ["", "run", "run --instance=Tentacle", "agent --noninteractive", '"C:\\T\\Tentacle.dll" run', "--config=x"],
)
def test_a_single_one_that_runs_is_taken(arguments: str) -> None:
    assert chosen(service("My Tentacle", arguments)) == "My Tentacle"


def test_of_two_that_say_so_the_running_one_is_taken() -> None:
    assert chosen(MAIN, service("Renamed", "run --instance=Tentacle", instance="Tentacle")) == "Renamed"


def test_another_instance_is_another() -> None:
    assert chosen(MAIN, instance="Second", any_other=False) is None


@pytest.mark.parametrize(
    ("arguments", "command"),
    [("run --instance=A", "run"), ("Run", "run"), ("", None), ("--console", None), ('"x.dll" run', "run")],
)
def test_the_command_is_the_first_word(arguments: str, command: str | None) -> None:
    assert command_of(service("x", arguments)) == command
