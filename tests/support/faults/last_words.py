"""What a process, or a call that was to register it, said last (causes/registering.py, address_family.py, messages.py)."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.survey.surroundings import Loading, LoadTime, Product
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.whole import LISTENS, POLL, Whole, line, make_linux, started
from support.logs import read_log

from . import case
from .logs import fails_to_start

CALL_PID = 3100
FAMILY = "System.Net.Sockets.SocketException (0x80004005): An address incompatible with the requested protocol was used"


def registering_fails(world: Whole, text: str) -> None:
    """A call that was to register web-01 ends with an error."""
    world.logs["web-01"] += (
        line(600, "INFO", "=" * 80, CALL_PID)
        + line(600, "INFO", "==== RegisterMachineCommand ====", CALL_PID)
        + line(599, "FATAL", text, CALL_PID)
    )


@case("TC1361")
def portal_not_trusted(world: Whole) -> None:
    registering_fails(world, "The remote certificate is invalid according to the validation procedure.")


@case("TC9721", confidence="likely")
def clock_of_a_paused_machine(world: Whole) -> None:
    """Its clock stands three hours behind: the portal's certificate is not valid yet, and its log is of its own time."""
    world.logs["web-01"] = started(2136, LISTENS)
    registering_fails(
        world,
        "System.Net.Http.HttpRequestException: The SSL connection could not be established, see inner exception.\n"
        " ---> System.Security.Authentication.AuthenticationException: The remote certificate is invalid because of "
        "errors in the certificate chain: NotTimeValid",
    )
    world["web-01"].host["clock_utc"] = NOW - timedelta(hours=3)
    world.zones["web-01"] = timedelta(hours=-3)


@case("TC1362")
def portal_without_our_tls(world: Whole) -> None:
    registering_fails(world, "The request was aborted: Could not create SSL/TLS secure channel.")


@case("TC1362")
def portal_behind_an_old_device(world: Whole) -> None:
    registering_fails(
        world,
        "The SSL connection could not be established, see inner exception.\n ---> "
        "Interop+Crypto+OpenSslCryptographicException: error:0A000152:SSL routines::unsafe legacy renegotiation disabled",
    )


@case("TC1362", confidence="likely")
def may_not_read_the_authorities(world: Whole) -> None:
    """A file among the system's certificates is root's alone, and .NET Core 2.1 ends at it."""
    make_linux(world, "web-01")
    registering_fails(
        world,
        "The SSL connection could not be established, see inner exception.\n ---> "
        "Interop+Crypto+OpenSslCryptographicException: error:0200100D:system library:fopen:Permission denied\n"
        "   at Internal.Cryptography.Pal.StorePal.LoadMachineStores()",
    )


@case("TC1363")
def key_expired(world: Whole) -> None:
    registering_fails(world, "The API key you provided was not valid. Please double-check your API key and try again.")


@case("TC1360")
def proxy_wants_a_user(world: Whole) -> None:
    registering_fails(world, "The remote server returned an error: (407) Proxy Authentication Required.")


@case("TC1360")
def proxy_opens_no_tunnel(world: Whole) -> None:
    registering_fails(
        world, "The proxy tunnel request to proxy 'http://proxy.example:3128/' failed with status code '403'.\""
    )


@case("TC1364")
def portal_not_reached(world: Whole) -> None:
    registering_fails(world, "System.Net.WebException: Unable to connect to the remote server")


@case("TC1365")
def name_taken(world: Whole) -> None:
    """Of a machine that no server has come to."""
    world.logs["web-01"] = started(2136, LISTENS)
    registering_fails(world, "A machine named 'web-01' already exists in the environment. Use the 'force' parameter.")


@case("TC1366")
def environment_unknown(world: Whole) -> None:
    registering_fails(world, "Could not find the environment named Prod on the Octopus Server.")


@case("TC1367")
def server_refuses_that_generation(world: Whole) -> None:
    registering_fails(world, "You cannot register a 3.* Octopus Tentacle with a 2.* Octopus Server.")


@case("TC1368")
def registers_as_a_service(world: Whole) -> None:
    registering_fails(world, "System.IO.IOException: The handle is invalid.")


@case("TC1368")
def registers_with_no_address(world: Whole) -> None:
    """`--server=octo-1`, without https://: the class speaks English in each language."""
    registering_fails(world, "System.UriFormatException: Ungültiger URI: Das URI-Format konnte nicht bestimmt werden.")


@case("TC1368")
def registers_at_a_web_socket_that_nobody_confirms(world: Whole) -> None:
    words = (
        "The certificate presented by wss://octo-1.example/OctopusComms could not be validated "
        f"(RemoteCertificateChainErrors). Its thumbprint is {'AB' * 20}. Because this certificate could not be validated, "
        "it is not possible to confirm that it belongs to your Octopus Server"
    )
    registering_fails(world, words)


@case("TC1369")
def registering_fails_somehow(world: Whole) -> None:
    registering_fails(world, "Something that nobody has seen")


@case("TT976", "poll-01", confidence="likely")
def upgraded_and_not_restarted(world: Whole) -> None:
    """The package is a later one than the process, by its own words at its start."""
    program = world["poll-01"].service["executable"]
    world.sections["poll-01"]["products"] = (Product(product="tentacle", version="9.1.3772", path=program),)
    old = "Tentacle version 8.3.2941 (8.3.2941) instance Tentacle"
    world.logs["poll-01"] = line(3700, "INFO", old, 900) + world.logs["poll-01"]


@case("TT974")
def generations_apart(world: Whole) -> None:
    world.sections["octo-1"]["products"] = (Product(product="server", version="2.6.0.778"),)
    registering_fails(world, "You cannot register a 3.* Octopus Tentacle with a 2.* Octopus Server.")


def other_family(world: Whole, version: str) -> None:
    world.say("poll-01", "ERROR", f"{POLL}Unexpected exception executing transaction.\n{FAMILY}")
    world.sections["poll-01"]["products"] = (Product(product="tentacle", version=version),)
    world.sections["poll-01"]["connections"] = ()


@case("TC1351", "poll-01")
def only_ipv4(world: Whole) -> None:
    other_family(world, "3.1.2")


@case("TC1352", "poll-01")
def not_without_ipv6(world: Whole) -> None:
    other_family(world, "4.0.6")


@case("TC1353", "poll-01")
def family_switched_off(world: Whole) -> None:
    other_family(world, "8.3.3000")


@case("TT137")
def not_set_up(world: Whole) -> None:
    fails_to_start(
        world,
        "web-01",
        "No home directory has been configured for this Tentacle. Please run the configure command before starting.",
    )


@case("TT138")
def prefix_taken(world: Whole) -> None:
    text = "Failed to listen on prefix 'http://+:10930/' because it conflicts with an existing registration on the machine."
    fails_to_start(world, "web-01", f"System.Net.HttpListenerException (0x80004005): {text}")


@case("TT139")
def prefix_not_reserved(world: Whole) -> None:
    fails_to_start(world, "web-01", "System.Net.HttpListenerException (5): Access is denied")


@case("TT140")
def nlog_left_over(world: Whole) -> None:
    fails_to_start(world, "web-01", "System.Exception: Invalid logging configuration: missing target 'stdout'")


@case("TT142")
def file_locked(world: Whole) -> None:
    text = (
        "The process cannot access the file 'C:\\Octopus\\Tentacle.config' because it is being used by another process."
    )
    fails_to_start(world, "web-01", f"System.IO.IOException: {text}")


@case("TT143", "octo-1")
def database_closed(world: Whole) -> None:
    world.say("octo-1", "ERROR", 'Cannot open database "Octopus" requested by the login. The login failed.')


@case("TT141", "web-02")
def unit_with_quotes(world: Whole) -> None:
    """systemd of RHEL 7: the program looks for an instance whose name has the quotes."""
    world.down("web-02", exit_code=1)
    name = '"Tentacle"'
    text = line(600, "INFO", f"Tentacle version 6.1.700 (6.1.700) instance {name}", 77) + line(
        599, "FATAL", f"Instance {name} of Tentacle has not been configured on this machine.", 77
    )
    early = read_log(text.encode(), product="tentacle", instance="", path="/root/Octopus/Logs/x.txt", account="root")
    world.early_logs["web-02"] = (early,)


@case("TC8131")
def dies_before_it_logs(world: Whole) -> None:
    time = LoadTime(
        product="tentacle",
        executable=world["web-01"].service["executable"],
        cold_ms=200,
        warm_ms=200,
        exit_code=-532462766,
    )
    world.sections["web-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("web-01", exit_code=1067)


@case("TC9521", "poll-01")
def balancer_opens_the_web_socket(world: Whole) -> None:
    text = "wss://octo-1.example/octopuscomms    8  Unexpected exception executing transaction.\n"
    world.say("poll-01", "ERROR", f"{text}Unable to receive the remote identity; the identity line was empty.")


@case("TC9541")
def stumbles_over_a_broken_connection(world: Whole) -> None:
    sending = "An error occurred when sending a request to 'https://web-01.example:10933/', after the request began: "
    text = f"https://web-01.example:10933/    22  {sending}Object reference not set to an instance of an object."
    world.say("octo-1", "ERROR", text)


@case("TT554")
def connections_pile_up(world: Whole) -> None:
    """Of a version that has no such leak."""
    one = world.connection("web-01", "octo-1", "established", 2136).model_copy(update={"local_port": 10933})
    many = [one.model_copy(update={"remote_port": 20_000 + number}) for number in range(300)]
    world.sections["web-01"]["connections"] = tuple(many)


@case("TT973")
def leaks_its_connections(world: Whole) -> None:
    connections_pile_up(world)
    world.sections["web-01"]["products"] = (Product(product="tentacle", version="5.0.1"),)


@case("TT129", confidence="likely")
def ends_with_unknown_words(world: Whole) -> None:
    fails_to_start(world, "web-01", "Something that nobody has seen")


@case("TT131", "poll-01")
def fails_with_unknown_words(world: Whole) -> None:
    """The process holds no connection, and its log says why in words that nobody knows."""
    world.say("poll-01", "ERROR", f"{POLL}Unexpected exception executing transaction.\nSomething that nobody has seen")
    world.sections["poll-01"]["connections"] = ()


@case("TT144")
def port_changed_without_a_restart(world: Whole) -> None:
    """The file says 10933, as everybody expects; the process was started with another port."""
    world["web-01"].config_modified = NOW
    world.logs["web-01"] = world.logs["web-01"].replace(
        "Agent listening on: [::]:10933", "Agent listening on: [::]:10934"
    )


@case("TT145")
def server_expects_another_certificate(world: Whole) -> None:
    peer = "[::ffff:192.0.2.10]"
    for number in range(2):
        where = "listen://[::]:10933/             91  "
        world.logs["web-01"] += line(60 - number, "INFO", f"{where}Accepted TCP client: {peer}:{7000 + number}", 2136)
        text = f"{where}Socket IO exception: {peer}:{7000 + number}\nConnection reset by peer"
        world.logs["web-01"] += line(60 - number, "ERROR", text, 2136)


@case("TT146", "poll-01")
def copy_that_nobody_knows(world: Whole) -> None:
    for address in ("203.0.113.1", "203.0.113.77"):
        where = "listen://[::]:10943/             91  "
        words = f"{where}Client at {address}:5000 authenticated as {thumbprint('poll-01')}"
        world.logs["octo-1"] += line(60, "INFO", words, 1000)


def unexpected(where: str, expected: str, met: str) -> str:
    """What a client writes that meets another certificate than the expected one."""
    return (
        f"{where}The server at https://x.example/ presented an unexpected security certificate. We expected the server to "
        f"present a certificate with the thumbprint '{thumbprint(expected)}'. Instead, it presented a certificate with a "
        f"thumbprint of '{thumbprint(met)}' and subject 'CN=Octopus Tentacle'. This usually happens"
    )


@case("TC1013")
def server_has_an_old_thumbprint(world: Whole) -> None:
    """What it meets is this Tentacle's own."""
    world.say("octo-1", "ERROR", unexpected("https://web-01.example:10933/        34  ", "an old one", "web-01"))


@case("TC1014", "poll-01")
def tentacle_has_an_old_thumbprint(world: Whole) -> None:
    world.say("poll-01", "ERROR", unexpected(POLL, "an old one", "octopus"))


def before_home(world: Whole, name: str, text: str, *, era: str = "") -> None:
    """What a process said that did not come as far as its own log; with `era`, without a word for which instance."""
    head = "" if era else line(100, "INFO", "Tentacle version 9.1.3268 (9.1.3268) instance Tentacle", 77)
    early = (head + line(99, "FATAL", text, 77)).encode()
    world.early_logs[name] = (
        read_log(early, product="tentacle", instance="", path=f"/early/{name}.txt", account="SYSTEM", modified_utc=NOW),
    )


@case("TT123", confidence="likely")
def secrets_of_another_machine_before_home(world: Whole) -> None:
    """Tentacle 2 and 3 read their certificate before they know where to log, and do not say for which instance."""
    world.down("web-01", exit_code=1067)
    text = (
        "Autofac.Core.DependencyResolutionException: An exception was thrown while invoking the constructor on type "
        "'TentacleConfiguration'. ---> Key not valid for use in specified state. (See inner exception for details.) ---> "
        "System.Security.Cryptography.CryptographicException: Key not valid for use in specified state."
    )
    before_home(world, "web-01", text, era="3.0")


@case("TT129", confidence="likely")
def unknown_last_words_before_home(world: Whole) -> None:
    world.down("web-01", exit_code=1067)
    before_home(
        world, "web-01", "System.InvalidOperationException: The flux is empty ---> System.Exception: no plutonium"
    )


@case("TT148", "poll-01", confidence="likely")
def no_certificate_under_fips(world: Whole) -> None:
    fails_to_start(world, "poll-01", "error:23076072:PKCS12 routines:PKCS12_parse:parse error")


@case("TT149", confidence="likely")
def no_key_isolation(world: Whole) -> None:
    fails_to_start(
        world, "web-01", "System.Security.Cryptography.CryptographicException: The RPC server is unavailable."
    )


@case("TT150", confidence="likely")
def file_taken_away(world: Whole) -> None:
    """A security program found fault with it."""
    text = (
        "System.IO.FileLoadException: Could not load file or assembly 'Halibut, Version=7.0.0.0, Culture=neutral, "
        "PublicKeyToken=null' or one of its dependencies. Operation did not complete successfully because the file contains "
        "a virus or potentially unwanted software. (Exception from HRESULT: 0x800700E1)"
    )
    fails_to_start(world, "web-01", text)


@case("TT150", "poll-01", confidence="likely")
def native_library_missing(world: Whole) -> None:
    text = (
        "System.TypeInitializationException: The type initializer for 'Microsoft.Win32.SafeHandles.SafeX509Handle' threw an "
        "exception. ---> System.DllNotFoundException: Unable to load shared library 'libSystem.Security.Cryptography.Native"
        ".OpenSsl' or one of its dependencies."
    )
    fails_to_start(world, "poll-01", text)


@case("TT143", "octo-1", confidence="likely")
def database_does_not_answer(world: Whole) -> None:
    """The heading says nothing; the cause stands below it."""
    text = (
        "Octopus.Shared.ControlledFailureException: Unable to start\n ---> Microsoft.Data.SqlClient.SqlException "
        "(0x80131904): Connection Timeout Expired.  The timeout period elapsed while attempting to consume the pre-login "
        "handshake acknowledgement."
    )
    fails_to_start(world, "octo-1", text)
