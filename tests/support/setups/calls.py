"""Calls of the command line that failed or were refused, and harm nobody: what they were for is done, or was never meant."""

from __future__ import annotations

from typing import Any

from support.fleets.whole import Whole, line

from . import setup

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone", "firewall", "transport", "server", "vantage", "uptime", "service", "instance", "relay", "port", "balancer", "trust", "address", "listener", "certificate", "connections", "proxies", "host-name", "registration")  # fmt: skip
"""They are tried by themselves: nothing of a call hangs on how the two ends reach one another."""


def _call(
    world: Whole, name: str, command: str, ago: float, *said: tuple[str, str], pid: int = 5100, arguments: str = ""
) -> None:
    """One call, as it writes into the log of the instance: its heading, then these lines, a second later each."""
    own = [
        ("INFO", "=" * 80),
        ("INFO", "Tentacle version 9.1.3268 (9.1.3268) instance Tentacle"),
        ("INFO", f"==== {command} ===="),
        ("INFO", f"CommandLine: Tentacle.exe {arguments}"),
    ]
    for number, (level, text) in enumerate((*own, *said)):
        world.logs[name] += line(ago - max(0, number - 3), level, text, pid)


def _failing(*said: str) -> tuple[tuple[str, str], ...]:
    return (("ERROR", "=" * 79), *(("FATAL", text) for text in said))


def _done(*said: str) -> tuple[tuple[str, str], ...]:
    return tuple(("INFO", text) for text in said)


def _calls(function: Any) -> Any:
    return setup("log", unlike=_APART)(function)


def _noted_calls(function: Any) -> Any:
    return setup("log", unlike=_APART, told=("TT151",))(function)


REGISTERED = (
    "Registering the tentacle with the server at https://octo-1.example/",
    "Machine registered successfully",
)


@_calls
def registered_at_each_boot(world: Whole, name: str) -> None:
    """A script registers it without --force at each boot: it is in the portal already, and the call is refused."""
    text = f"A machine named '{name}' already exists in the environment. Use the '--force' parameter if you intended to update the existing machine."
    _call(world, name, "RegisterMachineCommand", 90_000, *_done(*REGISTERED), pid=5001)
    for ago, pid in ((40_000, 5002), (3000, 5003)):
        _call(world, name, "RegisterMachineCommand", ago, *_failing(text), pid=pid)
    if world[name].machine.mode == "listening":
        world.logs[name] += world.visit(name, "octo-1", ago=500)


@_calls
def registered_again_by_a_script(world: Whole, name: str) -> None:
    """The same, a minute ago: the server, which let itself in before, has not come since."""
    text = f"A machine named '{name}' already exists in the environment. Use the '--force' parameter if you intended to update the existing machine."
    _call(world, name, "RegisterMachineCommand", 60, *_failing(text), pid=5002)


@_calls
def registered_at_the_second_try(world: Whole, name: str) -> None:
    """The portal was restarting when it was registered; the second call was done."""
    text = "System.Net.Http.HttpRequestException: Response status code does not indicate success: 503 (Service Unavailable)."
    _call(world, name, "RegisterMachineCommand", 3000, *_failing(text), pid=5001)
    _call(world, name, "RegisterMachineCommand", 2000, *_done(*REGISTERED), pid=5002)


@_calls
def asked_with_an_unknown_option(world: Whole, name: str) -> None:
    """Somebody mistyped an option."""
    _call(world, name, "ShowThumbprintCommand", 300, *_failing("Unrecognized command line arguments: --status"))


@_calls
def deregistered_from_where_it_was_not(world: Whole, name: str) -> None:
    """A clean-up of another space: there it never was."""
    _call(world, name, "DeregisterMachineCommand", 300, *_failing("No machine was found matching this Tentacle's thumbprint."))  # fmt: skip


@_calls
def trusts_update_of_nothing(world: Whole, name: str) -> None:
    """update-trust without its new thumbprint was refused; trust is as it should be."""
    _call(world, name, "UpdateTrustCommand", 300, *_failing("Please specify a new thumbprint to trust: --newThumbprint=VALUE"))  # fmt: skip


@_calls
def imported_with_a_wrong_password(world: Whole, name: str) -> None:
    """The first import of a certificate had a wrong password, the second one was done."""
    _call(world, name, "ImportCertificateCommand", 3000, *_failing("The specified network password is not correct."), pid=5001)  # fmt: skip
    _call(world, name, "ImportCertificateCommand", 2900, *_done("Importing the certificate stored in PFX file..."), pid=5002)  # fmt: skip


@_noted_calls
def watchdog_without_rights(world: Whole, name: str) -> None:
    """The watchdog was to be set up by somebody without rights; nobody needs one."""
    _call(world, name, "WatchdogCommand", 300, *_failing("Access is denied. (Exception from HRESULT: 0x80070005 (E_ACCESSDENIED))"))  # fmt: skip


@_calls
def packages_that_could_not_be_extracted(world: Whole, name: str) -> None:
    """Somebody tried `extract` with a file that is not there."""
    _call(world, name, "ExtractCommand", 300, *_failing("Could not find file 'C:\\temp\\Shop.1.0.nupkg'."))


@_calls
def configured_without_elevation(world: Whole, name: str) -> None:
    """Somebody forgot to elevate, then did it: both calls are there."""
    _call(world, name, "ConfigureCommand", 3000, *_failing("This command requires elevation. Please re-run from an elevated shell."), pid=5001)  # fmt: skip
    _call(world, name, "ConfigureCommand", 2950, *_done("These changes require a restart of the Tentacle."), pid=5002)
    _call(world, name, "ServiceCommand", 2900, *_done("Service stopped", "Service started"), pid=5003)


@_calls
def service_started_in_vain_then_by_hand(world: Whole, name: str) -> None:
    """`service --start` gave up waiting; the service came a little later, and runs since."""
    _call(world, name, "ServiceCommand", 270_000, *_failing("System.ServiceProcess.TimeoutException: Time out has expired and the operation has not been completed."))  # fmt: skip


@setup("log", modes=("polling",), unlike=_APART)
def polls_a_second_node_at_the_second_try(world: Whole, name: str) -> None:
    """poll-server met a port that was shut, was called again, and said that it is done."""
    text = "Checking that server communications are open failed with message Connection refused (192.0.2.10:10943) after 5 retries."
    _call(world, name, "PollCommand", 90_000, *_failing(text), pid=5001)
    _call(world, name, "PollCommand", 89_000, *_done("Checking connectivity on the server communications port 10943...", "Polling endpoint configured"), pid=5002)  # fmt: skip


@_calls
def service_check_of_a_monitor(world: Whole, name: str) -> None:
    """A monitor asks `livez` as another user, each five minutes, and may not read the heartbeat's file."""
    text = "Liveness heartbeat file not found at /etc/octopus/other/livez.heartbeat; the Tentacle agent may not be running."
    for number in range(3):
        _call(world, name, "LivezCommand", 900 - number * 300, *_failing(text), pid=5100 + number)


@_calls
def password_of_an_expired_session(world: Whole, name: str) -> None:
    """register-with was called with an expired key, then with a new one."""
    text = "The server at https://octo-1.example/ returned 401: You must be logged in to request this resource. Please provide a valid API key or log in again."
    _call(world, name, "RegisterMachineCommand", 9000, *_failing(text), pid=5001)
    _call(world, name, "RegisterMachineCommand", 8000, *_done(*REGISTERED), pid=5002)
