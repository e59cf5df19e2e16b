"""Mishaps of a product itself, as its log tells them: start, rights, disk. Each is a fault of `faults_logs`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pytest_tentacle.lab.blueprint import PID, Blueprint
from pytest_tentacle.lab.faults.breaking import Site, lose, lose_configuration, lose_missing, service_of, stop
from pytest_tentacle.lab.log_entries import BANNER, STARTED, Start

from .words import socket_error, system_text

_FIRST_START, _LAST_START = 30.0, 6.0
"""Minutes ago: when starts began to fail, and how close to now the last may come."""

_OLD_PID = 1999
_CERTIFICATE = "System.Security.Cryptography.CryptographicException"


def began(machine: Blueprint, minutes_ago: float) -> None:
    """Its process was started then."""
    started = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    service_of(machine)["started_utc"] = started
    for process in machine.processes:
        if process["pid"] == PID:
            process["started_utc"] = started


def _ends(machine: Blueprint) -> None:
    """The process that a healthy machine has is gone, and none is in its place."""
    stop(machine, "stopped")
    service_of(machine)["exit_code"] = 1067
    machine.log.starts[0].pid = _OLD_PID


def _ends_once(machine: Blueprint) -> None:
    if service_of(machine)["state"] == "running":
        _ends(machine)


def _start_fails(machine: Blueprint, *records: tuple[str, str]) -> None:
    """One more start that came to nothing; the service is down."""
    at = max(_LAST_START, _FIRST_START - 3 * (len(machine.log.starts) - 1))
    pid = 3000 + len(machine.log.starts)
    _ends_once(machine)
    machine.log.starts.append(Start(at, pid, ends=False))
    for level, text in records:
        machine.log.add(at - 0.05, level, text, pid=pid)


def _fatal(text: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """How an exception that nobody foresaw ends a process."""
    return ("ERROR", BANNER), ("FATAL", f"{text}\n   at Octopus.Tentacle.Commands.RunAgentCommand.Start()")


def port_in_use(machine: Blueprint, _: Site) -> None:
    """TT111: something else has the port. Windows' text has a friendly one beside it (tentacle-facts 3.4, 12)."""
    error = f"{system_text(machine, 'in use')}\n{socket_error(machine, 'in use')}"
    if not machine.is_windows:
        _start_fails(machine, *_fatal(error))
        return
    _start_fails(
        machine,
        ("FATAL", error),
        ("ERROR", BANNER),
        ("ERROR", "A required communications port is already in use."),
        ("ERROR", "-" * 79),
        ("ERROR", "The required port is being used by another process."),
        ("ERROR", "See: http://g.octopushq.com/HttpPortInUse"),
    )


def portal_port_in_use(machine: Blueprint, _: Site) -> None:
    """TT111 on a server: another program has the portal's prefix."""
    _start_fails(
        machine,
        ("ERROR", BANNER),
        ("ERROR", "The HTTP server failed to start because the port is in use."),
    )


def address_not_local(machine: Blueprint, _: Site) -> None:
    """TT134: the address of ListenIP was not there yet when the service was started."""
    _start_fails(machine, *_fatal(f"{system_text(machine, 'not local')}\n{socket_error(machine, 'not local')}"))


def port_reserved(machine: Blueprint, _: Site) -> None:
    """TT134 on Windows: Hyper-V has reserved the port."""
    _start_fails(machine, *_fatal(f"{system_text(machine, 'forbidden')}\n{socket_error(machine, 'forbidden')}"))


def key_not_readable(machine: Blueprint, _: Site) -> None:
    """TT122: the account may not read the private key; on Linux somebody else owns the store."""
    if not machine.is_windows:
        denied = "Access to the path '/root/.dotnet/corefx/cryptography/x509stores/my' is denied."
        _start_fails(
            machine,
            (
                "ERROR",
                (
                    "The owner of the x509stores is not the current user, please change ownership of the x509stores "
                    "directory "
                    f"or run with sudo. Details: {denied}"
                ),
            ),
        )
        return
    key = "C:\\ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys\\6de9cb26d2b98c01ec4e9e8b34824aa2_lab"
    _start_fails(
        machine,
        (
            "WARN",
            (
                "The X509 certificate CN=Octopus Tentacle was loaded but the private key was not loaded.\n"
                f"The private key file should be located at: {key}\n"
                "However, the current user does not appear to be able to access the private key file, or it does not "
                "exist."
            ),
        ),
        *_fatal(f"Keyset does not exist\n{_CERTIFICATE} (0x80090016): Keyset does not exist"),
    )


def key_gone(machine: Blueprint, _: Site) -> None:
    """TT122: the certificate was imported without its key, and then not at all."""
    gone = (
        f"The X509 certificate provided ({machine.certificate.thumbprint}) does not have a private key, and so it "
        f"cannot "
        "be used for listening."
    )
    _start_fails(machine, *_fatal(f"{gone}\nSystem.ArgumentException: {gone}"))
    _start_fails(machine, *_fatal(f"Unable to load X509 Certificate file.\n{_CERTIFICATE}: Unable to load"))


def configuration_of_another_machine(machine: Blueprint, _: Site) -> None:
    """TT123: the configuration was copied from another machine (tentacle-seen 4.2)."""
    if machine.is_windows:
        wrong = "Key not valid for use in specified state."
        _start_fails(machine, *_fatal(f"{wrong}\n{_CERTIFICATE} (0x8009000B): {wrong}"))
        return
    _start_fails(
        machine,
        *_fatal(
            "Unable to parse configuration key 'Tentacle.Certificate' as a 'String'.\n"
            f"Aggregate Exception\nPadding is invalid and cannot be removed.\n{_CERTIFICATE}: Padding is invalid and "
            f"cannot "
            "be removed."
        ),
    )


def machine_key_damaged(machine: Blueprint, _: Site) -> None:
    """TT123: Linux's own key for the configuration is damaged."""
    _start_fails(machine, *_fatal("Machine key file at `/etc/octopus/machinekey` is corrupt"))


def configuration_damaged(machine: Blueprint, _: Site) -> None:
    """TT124: the file is cut off, which is said before Octopus Home is known."""
    machine.config_text = machine.xml()[:200]
    _ends_once(machine)
    lose_configuration(machine, "There is an error in XML document (6, 40).\nUnexpected end of file has occurred.")


def configuration_moved(machine: Blueprint, _: Site) -> None:
    """TT124: somebody's call named an instance that is not there, and the file was not there at the last start."""
    _ends_once(machine)
    unknown = "Instance Tentakel of Tentacle has not been configured on this machine. Available instances: Tentacle."
    lose(machine, 5.0, ("FATAL", unknown), instance="Tentakel", command="ShowThumbprintCommand")
    lose_missing(machine, "C:\\Old\\Tentacle.config" if machine.is_windows else "/etc/octopus/old/tentacle.config")


def disk_full(machine: Blueprint, _: Site) -> None:
    """TT125: there is no room for a package."""
    home = "C:\\Octopus\\Work" if machine.is_windows else "/etc/octopus/default/Work"
    machine.log.add(
        20,
        "ERROR",
        f"The drive containing the directory '{home}' on machine '{machine.name}' does not have enough free disk space "
        "available for this operation to proceed. The disk only has 12 MB available; please free up at least 550 MB.",
    )


def rights_taken(machine: Blueprint, _: Site) -> None:
    """TT126: somebody changed the rights on Octopus Home."""
    path = "C:\\Octopus\\Work" if machine.is_windows else "/etc/octopus/default/Work"
    machine.log.add(
        20,
        "ERROR",
        "Unhandled exception while cleaning workspaces",
        f"System.UnauthorizedAccessException: Access to the path '{path}' is denied.",
        "   at System.IO.FileSystem.RemoveDirectory(String fullPath, Boolean recursive)",
    )


def started_without_server(machine: Blueprint, _: Site) -> None:
    """TT127: it runs since before the server was trusted, or since before the server had an address."""
    nobody: tuple[str, ...] = ("The agent is not configured to trust any Octopus Servers.",)
    if machine.presents is None:
        thumbprint = machine.trusts[0].thumbprint
        nobody = (
            f"Agent will trust Octopus Servers with the thumbprint: {thumbprint}",
            f"Configured to connect to server {thumbprint}, but its configuration is incomplete; skipping.",
        )
    machine.log.starts = [Start(STARTED, trust=nobody)]


def accepting_fails(machine: Blueprint, _: Site) -> None:
    """TT128: a security product interferes with the listening socket."""
    place = f"listen://[::]:{machine.port}/"
    error = socket_error(machine, "aborted")
    machine.log.add(25, "ERROR", f"{place:<30}    1  Error accepting TCP client: {place}", error)
    machine.log.add(
        20,
        "ERROR",
        f"{place:<30}    1  Accepting a connection has failed 20 times in a row, this may mean that the listener is "
        "unhealthy. See https://g.octopushq.com/TentacleTroubleshooting",
        error,
    )


def dies_unexplained(machine: Blueprint, _: Site) -> None:
    """TT129: an error that nobody knows ends it."""
    words = "The agent met with something that it has no word for."
    _start_fails(machine, *_fatal(f"{words}\nSystem.InvalidOperationException: {words}"))


def watchdog_gives_up(machine: Blueprint, _: Site) -> None:
    """TT129: the service is down, and the watchdog's call cannot start it; Windows says that it took too long."""
    _ends(machine)
    service = "OctopusDeploy Tentacle"
    machine.log.call(
        20,
        "CheckServicesCommand",
        ("INFO", f"Service {service} starting"),
        ("INFO", "Waiting for service to start. Current status: StartPending"),
        (
            "INFO",
            (
                f"Service {service} doesn't have Running status after 30sec. Status will be assessed again at the time "
                f"of "
                f"the "
                "next scheduled check."
            ),
        ),
    )
    machine.log.call(
        10,
        "CheckServicesCommand",
        (
            "ERROR",
            (
                f"Service {service} could not be started - System.InvalidOperationException: Cannot start service "
                f"{service} on "
                "computer '.'. ---> System.ComponentModel.Win32Exception: The service did not respond to the start or "
                "control "
                "request in a timely fashion"
            ),
        ),
        pid=5200,
    )


def hangs_in_start(machine: Blueprint, _: Site) -> None:
    """TT130: it was restarted, and its start hangs."""
    began(machine, 10)
    machine.log.starts[0].pid = _OLD_PID
    machine.log.starts.append(Start(10, ends=False))
    machine.sockets = []
    machine.presents = None


def proxy_settings_invalid(machine: Blueprint, _: Site) -> None:
    """TT118: the web proxy's settings are unusable, and the polling proxy's host has http:// before it."""
    prefix = "The proxy's hostname cannot contain a protocol prefix (eg http://)"
    machine.log.add(
        STARTED,
        "WARN",
        "Unable to configure the proxy server: Invalid URI: The hostname could not be parsed.",
        "System.UriFormatException: Invalid URI: The hostname could not be parsed.",
    )
    _start_fails(machine, *_fatal(f"{prefix}\nSystem.ArgumentException: {prefix}"))


def web_socket_unsupported(machine: Blueprint, _: Site) -> None:
    """TT120: told to poll by web socket, which a Tentacle on .NET (not the Framework) cannot."""
    text = "The netstandard build of this library cannot act as the client in a WebSocket polling setup"
    _start_fails(machine, *_fatal(f"{text}\nSystem.NotSupportedException: {text}"))


def registration_fails(machine: Blueprint, _: Site) -> None:
    """TT108: an attempt to register it to poll does not come through (tentacle-seen 4.2)."""
    cause = "Connection refused [::ffff:192.0.2.9]:10943 (192.0.2.9:10943)"
    failed = "Checking that server communications are open failed"
    retries = [
        ("WARN", f"{failed} with message {cause}. Retrying ({number}/5) in 00:00:00.7500000.") for number in range(1, 6)
    ]
    machine.log.call(
        20,
        "PollCommand",
        ("INFO", "Checking connectivity on the server communications port 10943..."),
        *retries,
        ("FATAL", f"{failed} with message {cause} after 5 retries."),
    )


def registered_elsewhere(machine: Blueprint, _: Site) -> None:
    """TT121: an attempt to register it meets another program."""
    machine.log.call(
        20,
        "PollCommand",
        (
            "FATAL",
            (
                "The service listening on https://www.example.com:10943 does not appear to be an Octopus Server. The "
                "response "
                "code was: Created. The response was: <html></html>"
            ),
        ),
    )


def registered_twice(machine: Blueprint, _: Site) -> None:
    """TT117: `show-configuration --server` finds several machines with its thumbprint."""
    text = "This Tentacle is registered multiple times with the server - unable to display configuration"
    machine.log.call(20, "ShowConfigurationCommand", ("FATAL", text))


def calls_of_others(machine: Blueprint, _: Site) -> None:
    """TT151: calls of the command line that failed for who made them, not for the service."""
    for number, (command, text) in enumerate(
        (
            ("ShowThumbprintCommand", "Instance Nope of Tentacle has not been configured on this machine."),
            ("NewCertificateCommand", "Crypto functions require the Windows User Profile"),
            ("NewCertificateCommand", "error:23076072:PKCS12 routines:PKCS12_parse:parse error"),
            ("ServiceCommand", "Requires elevated privileges. Please run command as sudo."),
            ("ServerCommsCommand", "No trusted server was found with the supplied thumbprint"),
            ("ShowConfigurationCommand", "There is an error in XML document (0, 0)."),
            ("ServerCommsCommand", "Websockets is only supported on Windows Server 2012 and later"),
        )
    ):
        machine.log.call(60 - number, command, ("FATAL", text), pid=5300 + number)
