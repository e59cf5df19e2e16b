"""What a call that was to change something said last (causes/registering.py); services and gateways that say why."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.link import Probe
from pytest_tentacle.survey.surroundings import Changes, Loading, LoadTime, UpdateChange
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.whole import LINUX_EXECUTABLE, LISTEN, LISTENS, POLL, Whole, line, started
from support.logs import read_log

from . import case
from .logs import OCTO, TRANSACTION, fails_to_start

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


@case("TC1516")
def certificate_without_its_key(world: Whole) -> None:
    text = (
        "Unable to load X509 Certificate file. The X509 certificate file you provided does not include the private key.\n"
        "   at Octopus.Tentacle.Commands.ImportCertificateCommand.Start()"
    )
    call_fails(world, "ImportCertificateCommand", text)


@case("TC1517")
def called_without_a_profile(world: Whole) -> None:
    call_fails(world, "NewCertificateCommand", "Crypto functions require the Windows User Profile. Access is denied.")


@case("TC2026", besides=("TC1366",), confidence="likely")
def set_up_broke_off(world: Whole) -> None:
    """The service is installed, the registration fails, and nobody has started anything."""
    world["web-01"].trusted.clear()
    world["web-01"].settings["Tentacle.Communication.TrustedOctopusServers"] = "[]"
    world.down("web-01", exit_code=0)
    world.logs["web-01"] = ""
    call_fails(world, "RegisterMachineCommand", "Could not find the environment named 'Nowhere' on the Octopus Server.")


def polls_by_web_socket(world: Whole) -> str:
    """The poller is set to poll a web server, whose certificate it trusts; its heading for what fails there."""
    address = "wss://octo-1.example:443/OctopusComms"
    world["poll-01"].trusted[0] |= {"Address": address, "Thumbprint": thumbprint("the portal of before")}
    return f"{address.lower()}    9  "


@case("TC1021", "poll-01")
def web_certificate_renewed(world: Whole) -> None:
    heading = polls_by_web_socket(world)
    text = (
        f"{heading}The server at wss://octo-1.example/octopuscomms presented an unexpected security certificate. We expected "
        f"the server to present a certificate with the thumbprint '{thumbprint('the portal of before')}'. Instead, it "
        f"presented a certificate with a thumbprint of '{thumbprint('the portal')}' and subject 'CN=octo-1.example'."
    )
    world.sections["poll-01"]["connections"] = ()
    world.say("poll-01", "ERROR", text)


@case("TC1204", "poll-01")
def cannot_poll_by_web_socket(world: Whole) -> None:
    """The process lives on, and tries again and again."""
    heading = polls_by_web_socket(world)
    text = "The netstandard build of this library cannot act as the client in a WebSocket polling setup"
    world.sections["poll-01"]["connections"] = ()
    world.say("poll-01", "ERROR", f"{heading}Unexpected exception executing transaction.\n{text}")


@case("TC1101", "web-02")
def registered_by_the_name_of_its_container(world: Whole) -> None:
    world.logs["web-02"] = started(2136, "Environment Information:\n  MachineName: 9f3c1a2b4d5e", LISTENS)
    text = (
        "https://9f3c1a2b4d5e:10933/        34  Socket communication error while connecting to https://9f3c1a2b4d5e:10933/\n"
        "System.Net.Sockets.SocketException (11001): No such host is known."
    )
    world.say("octo-1", "ERROR", text)


@case("TC1131", confidence="possible")
def a_certificate_is_not_accepted(world: Whole) -> None:
    text = (
        f"{LISTEN}Client failed authentication: {OCTO}\nSystem.Security.Authentication.AuthenticationException: A call to SSPI "
        "failed, see inner exception. ---> System.ComponentModel.Win32Exception: An unknown error occurred while processing "
        "the certificate"
    )
    world.say("web-01", "ERROR", text)


def with_sha1(shown: Probe) -> Probe:
    """The same look, at a certificate that is signed as those of before Octopus 3.14 are."""
    assert shown.tls is not None
    assert shown.tls.certificate is not None
    old = shown.tls.certificate.model_copy(update={"hash_name": "sha1", "signature": "sha1WithRSAEncryption"})
    return shown.model_copy(update={"tls": shown.tls.model_copy(update={"certificate": old})})


@case("TC1141", "poll-01", confidence="likely")
def server_with_an_old_certificate(world: Whole) -> None:
    """Its OpenSSL refuses what the server shows; what the Tentacle has itself is well."""
    world["poll-01"].own = [with_sha1(each) if each.port == 10943 else each for each in world["poll-01"].own]
    world.sections["poll-01"]["connections"] = ()
    text = f"{POLL}Authentication failed while setting up connection to https://octo-1.example:10943/\nca md too weak"
    world.say("poll-01", "ERROR", text)


@case("TC1501", confidence="likely")
def framework_without_its_update(world: Whole) -> None:
    text = (
        "System.IO.FileLoadException: Could not load file or assembly 'System.Core, Version=2.0.5.0, Culture=neutral, "
        "PublicKeyToken=7cec85d7bea7798e, Retargetable=Yes' or one of its dependencies."
    )
    fails_to_start(world, "web-01", text)


@case("TC1132", "poll-01")
def openssl_of_another_age(world: Whole) -> None:
    """The system's configuration of OpenSSL has a section that the library which .NET loads does not know."""
    text = (
        f"{TRANSACTION}System.Security.Authentication.AuthenticationException: Authentication failed, see inner exception.\n"
        " ---> System.TypeInitializationException: The type initializer for 'SslInitializer' threw an exception.\n"
        " ---> Interop+Crypto+OpenSslCryptographicException: error:0E076071:configuration file "
        "routines:MODULE_RUN:unknown module name"
    )
    world.say("poll-01", "ERROR", text)


@case("TC1133")
def schannel_of_october_2022(world: Whole) -> None:
    """Its last update is one whose Schannel ends handshakes."""
    update = UpdateChange(name="KB5018421", action="installed", time_utc=NOW - timedelta(hours=3))
    world.sections["web-01"]["changes"] = Changes(offset="+0000", zone="UTC", updates=(update,))
    text = (
        f"{LISTEN}Client failed authentication: {OCTO}\nSystem.Security.Authentication.AuthenticationException: A call to "
        "SSPI failed, see inner exception. ---> System.ComponentModel.Win32Exception: The message received was unexpected "
        "or badly formatted"
    )
    world.say("web-01", "ERROR", text)
