"""What a call that was to change something said last (causes/registering.py)."""

from __future__ import annotations

from support.whole import Whole, line

from . import case

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
