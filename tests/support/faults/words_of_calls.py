"""What a call that was to change something said last (causes/registering.py); services and gateways that say why."""

from __future__ import annotations

from pytest_tentacle.logs.reader import read_log
from pytest_tentacle.survey.surroundings import Loading, LoadTime
from support.whole import LINUX_EXECUTABLE, Whole, line

from . import case
from .logs import TRANSACTION

CALL_PID = 3100


def call_fails(world: Whole, command: str, text: str, machine: str = "web-01") -> None:
    """A call on a machine ends with an error; its link is well."""
    world.logs[machine] += (
        line(600, "INFO", "=" * 80, CALL_PID)
        + line(600, "INFO", f"==== {command} ====", CALL_PID)
        + line(599, "FATAL", text, CALL_PID)
    )


@case("TC1511", "poll-01")
def further_node_not_polled(world: Whole) -> None:
    world.logs["poll-01"] += (
        line(600, "INFO", "=" * 80, CALL_PID)
        + line(600, "INFO", "==== PollCommand ====", CALL_PID)
        + line(
            599, "ERROR", "This Tentacle has not been registered with the server you are attempting to poll.", CALL_PID
        )
    )


@case("TC1512")
def certificate_not_made(world: Whole) -> None:
    call_fails(world, "NewCertificateCommand", "error:23076072:PKCS12 routines:PKCS12_parse:parse error")


@case("TC1513")
def service_not_restarted(world: Whole) -> None:
    call_fails(world, "ServiceCommand", "The service could not be stopped")


@case("TC1514")
def not_deregistered(world: Whole) -> None:
    call_fails(world, "DeregisterMachineCommand", "System.Net.WebException: Unable to connect to the remote server")


@case("TC1515")
def watchdog_not_made(world: Whole) -> None:
    call_fails(world, "WatchdogCommand", "Could not load file or assembly 'Microsoft.Win32.TaskScheduler'")


@case("TC1203", "poll-01")
def web_socket_behind_a_gateway(world: Whole) -> None:
    text = "Unable to connect to the remote server ---> System.Net.WebException: The remote server returned an error: (502) Bad Gateway."
    world.say("poll-01", "ERROR", f"{TRANSACTION}System.Net.WebSockets.WebSocketException (0x80004005): {text}")


@case("TT152", "web-02")
def unit_of_another_instance(world: Whole) -> None:
    """It was copied from another machine."""
    world["web-02"].service |= {"instance": "web-prod", "arguments": 'run --instance="web-prod"'}
    world.down("web-02", exit_code=1)
    text = line(600, "INFO", "Tentacle version 9.1.3268 (9.1.3268) instance web-prod", 77) + line(
        599,
        "FATAL",
        "Instance web-prod of Tentacle has not been configured on this machine. Available instances: Tentacle.",
        77,
    )
    early = read_log(text.encode(), product="tentacle", instance="", path="/root/Octopus/Logs/x.txt", account="root")
    world.early_logs["web-02"] = (early,)


@case("TC8133", "poll-01")
def lacks_a_library(world: Whole) -> None:
    printed = "Process terminated. Couldn't find a valid ICU package installed on the system."
    time = LoadTime(
        product="tentacle", executable=LINUX_EXECUTABLE, cold_ms=200, warm_ms=200, exit_code=134, printed=printed
    )
    world.sections["poll-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("poll-01", exit_code=134)
