"""What only a log tells of a fleet that looks well otherwise (causes/logs*.py)."""

from __future__ import annotations

from pytest_tentacle.survey.surroundings import Product
from support.fleets.certificates import thumbprint
from support.fleets.whole import LISTEN, POLL, SERVER_LISTEN, VERSION, Whole, line, started

from . import case

SECOND = 60
OCTO = "[::ffff:192.0.2.10]:50001"
POLLER = "[::ffff:203.0.113.1]:50001"
TO_WEB = "https://web-01.example:10933/        34  "
WRAP = "An error occurred when sending a request to 'https://web-01.example:10933/', before the request could begin: "
TRANSACTION = f"{POLL}Unexpected exception executing transaction.\n"
PROXY = "Halibut.Transport.Proxy.Exceptions.ProxyException: "
INIT = f"{TO_WEB}Connection initialization failed while connecting to https://web-01.example:10933/\n"
SUBSCRIPTION = "poll://abcdefghij0123456789/"


def met(world: Whole, met_thumbprint: str, subject: str) -> None:
    """The poller's log tells of a certificate that is not the expected one."""
    text = (
        f"{POLL}Halibut client exception: The server at https://octo-1.example:10943/ presented an unexpected security "
        f"certificate. We expected the server to present a certificate with the thumbprint '{thumbprint('octopus')}'. "
        f"Instead, it presented a certificate with a thumbprint of '{met_thumbprint}' and subject '{subject}'. This "
        "usually happens when the client has been configured to expect the server to have the wrong certificate.. "
        "Retrying in 5.0 seconds"
    )
    world.say("poll-01", "ERROR", text)


@case("TC1011", "poll-01", confidence="likely")
def anothers_certificate(world: Whole) -> None:
    met(world, thumbprint("web-02"), "CN=Octopus Tentacle")


@case("TC1012", "poll-01", confidence="likely")
def a_strangers_certificate(world: Whole) -> None:
    met(world, thumbprint("nobody of ours"), "CN=Octopus Server")


@case("TC1015", "poll-01", confidence="likely")
def expected_in_lower_case(world: Whole) -> None:
    """The process still has what a script had written; the file was mended since."""
    met(world, thumbprint("octopus"), "CN=Octopus Server")
    world.logs["poll-01"] = world.logs["poll-01"].replace(
        f"thumbprint '{thumbprint('octopus')}'", f"thumbprint '{thumbprint('octopus').lower()}'"
    )


@case("TT102", "poll-01")
def inspected_at_times(world: Whole) -> None:
    met(world, thumbprint("nobody of ours"), "CN=Corporate TLS Inspection, O=Example")


@case("TC1031", "poll-01")
def turned_away(world: Whole) -> None:
    """The server's log: the portal does not know this machine's thumbprint, or has it disabled."""
    text = (
        f"{SERVER_LISTEN}A client at {POLLER} connected, and attempted a message exchange, but it presented a client "
        f"certificate with the thumbprint '{thumbprint('poll-01')}' which is not in the list of thumbprints that we trust"
    )
    world.say("octo-1", "INFO", text)


@case("TT104")
def without_certificate(world: Whole) -> None:
    text = (
        f"{LISTEN}A client at {OCTO} connected, and attempted a message exchange, but did not present a client "
        "certificate"
    )
    world.say("web-01", "INFO", text)


@case("TC1051", "poll-01", confidence="possible")
def hung_up_on(world: Whole) -> None:
    world.say(
        "poll-01",
        "ERROR",
        f"{TRANSACTION}System.IO.EndOfStreamException: Attempted to read past the end of the stream.",
    )


@case("TC1321", confidence="possible")
def never_let_in(world: Whole) -> None:
    """Five attempts of the server, of which none is let in."""
    for ago in (300, 298, 296, 294, 292):
        world.logs["web-01"] += line(ago, "INFO", f"{LISTEN}Accepted TCP client: {OCTO}", 2136)
    world.say("web-01", "INFO", "nothing else", 200)


@case("TC1171", "poll-01")
def too_many_of_one_subscription(world: Whole) -> None:
    text = (
        f"{SERVER_LISTEN}A polling client at {POLLER} has exceeded the maximum number of active connections (1) for "
        f"subscription {SUBSCRIPTION}. New connections will be rejected"
    )
    world.say("octo-1", "WARN", text)


@case("TC1171", "poll-01")
def too_many_so_that_it_holds_none(world: Whole) -> None:
    """What the server says of it goes before what the poller sees, which is the same as without trust."""
    too_many_of_one_subscription(world)
    hung_up_on(world)
    world.sections["poll-01"]["connections"] = ()


@case("TC1172", confidence="likely")
def registered_twice(world: Whole) -> None:
    world.say(
        "web-01", "ERROR", "This Tentacle is registered multiple times with the server - unable to display status"
    )


@case("TT106", "poll-01", confidence="possible")
def reset_at_times(world: Whole) -> None:
    text = (
        f"{TRANSACTION}System.IO.IOException: Unable to read data from the transport connection: An existing connection "
        "was forcibly closed by the remote host."
    )
    world.say("poll-01", "ERROR", text)


@case("TT107", "poll-01", confidence="possible")
def refused_at_times(world: Whole) -> None:
    text = f"{POLL}The remote host at https://octo-1.example:10943/ refused the connection. This may mean that the expected listening service is not running."
    world.say("poll-01", "ERROR", text)


@case("TT107")
def refused_at_times_by_the_servers_log(world: Whole) -> None:
    world.say(
        "octo-1",
        "ERROR",
        f"{TO_WEB}The remote host at https://web-01.example:10933/ refused the connection. This may mean that the expected listening service is not running.",
    )


@case("TT108")
def unanswered_at_times(world: Whole) -> None:
    text = f"{TO_WEB}The client was unable to establish the initial connection within the timeout 00:01:00. Retrying in 1.0 seconds."
    world.say("octo-1", "ERROR", text)


@case("TT109", "poll-01")
def forgotten_when_quiet(world: Whole) -> None:
    text = f"{POLL}The connection to the host at https://octo-1.example:10943/ timed out. There may be problems with the network. The connection will be retried."
    world.say("poll-01", "ERROR", text)


@case("TT110", "poll-01")
def unresolved_at_times(world: Whole) -> None:
    text = (
        f"{POLL}Socket communication error while connecting to https://octo-1.example:10943/\nName or service not known"
    )
    world.say("poll-01", "ERROR", text)


@case("TT112", "poll-01")
def closed_before_tls(world: Whole) -> None:
    world.say(
        "poll-01",
        "ERROR",
        f"{TRANSACTION}System.IO.IOException: Received an unexpected EOF or 0 bytes from the transport stream.",
    )


@case("TT113", "poll-01")
def handshakes_fail_at_times(world: Whole) -> None:
    text = (
        f"{POLL}Authentication failed while setting up connection to https://octo-1.example:10943/\n"
        "error:0A000410:SSL routines::sslv3 alert handshake failure"
    )
    world.say("poll-01", "ERROR", text)


@case("TT114")
def weak_for_the_library(world: Whole) -> None:
    text = (
        f"{LISTEN}Client failed authentication: {OCTO}\nInterop+OpenSsl+SslException: Using SSL certificate failed with "
        "OpenSSL error - ee key too small."
    )
    world.say("web-01", "ERROR", text)


@case("TT121", "poll-01")
def no_octopus_answers(world: Whole) -> None:
    frame = "System.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received."
    world.say("poll-01", "ERROR", f"{POLL}Halibut client exception: {frame}. Retrying in 5.0 seconds")


@case("TC1181", "poll-01")
def proxy_is_away(world: Whole) -> None:
    world.say(
        "poll-01",
        "ERROR",
        f"{TRANSACTION}{PROXY}Connection to proxy host 127.0.0.1 on port 19000 failed: Connection refused",
    )


@case("TC1184", "poll-01", confidence="likely")
def proxy_without_a_name(world: Whole) -> None:
    text = "Connection to proxy host no-such-proxy.invalid on port 8080 failed: Name or service not known"
    world.say("poll-01", "ERROR", f"{TRANSACTION}{PROXY}{text}")


@case("TC1191", "poll-01")
def proxy_refuses(world: Whole) -> None:
    world.say(
        "poll-01",
        "ERROR",
        f"{TRANSACTION}{PROXY}Proxy destination ::ffff:127.0.0.1 on port 19031 responded with a 403 code - Forbidden",
    )


@case("TC1201", "poll-01")
def web_socket(world: Whole) -> None:
    world.say(
        "poll-01",
        "ERROR",
        f"{TRANSACTION}System.Net.WebSockets.WebSocketException (0x80004005): Unable to connect to the remote server",
    )


def not_collected(world: Whole) -> None:
    text = (
        f"An error occurred when sending a request to '{SUBSCRIPTION}', before the request could begin: A request was "
        "sent to a polling endpoint, but the polling endpoint did not collect the request within the allowed time "
        "(00:02:00), so the request timed out."
    )
    world.say("octo-1", "ERROR", text)


@case("TC1151", "poll-01", confidence="likely", unsure="")
def connected_and_busy(world: Whole) -> None:
    """By the first version that has a command for it."""
    not_collected(world)
    (own,) = world.sections["poll-01"]["products"]
    world.sections["poll-01"]["products"] = (own.model_copy(update={"version": "9.2.4154"}),)
    world.logs["poll-01"] = world.logs["poll-01"].replace(VERSION, "9.2.4154")


@case("TC1151", "poll-01", confidence="possible", unsure="Look at the connections of poll-01")
def busy_or_not_connected(world: Whole) -> None:
    not_collected(world)
    world.sections["poll-01"]["connections"] = "ss is missing"


@case("TT116", "poll-01")
def fetched_and_not_answered(world: Whole) -> None:
    text = (
        f"An error occurred when sending a request to '{SUBSCRIPTION}', after the request began: A request was sent to a "
        "polling endpoint, the polling endpoint collected it but the request was cancelled before the polling endpoint "
        "responded."
    )
    world.say("octo-1", "ERROR", text)


@case("TT133", "poll-01")
def no_route_at_times(world: Whole) -> None:
    world.say(
        "poll-01",
        "ERROR",
        f"{POLL}Socket communication error while connecting to https://octo-1.example:10943/\nNo route to host",
    )


@case("TT951")
def page_inserted(world: Whole) -> None:
    text = "Halibut.Transport.Protocol.ConnectionInitializationFailedException: Unable to process remote identity; unknown identity type: 'HTTP/1.0'"
    world.say("octo-1", "ERROR", INIT + text)


@case("TC9522")
def no_identity(world: Whole) -> None:
    world.say("octo-1", "ERROR", f"{INIT}Unable to receive the remote identity; the identity line was empty.")


@case("TT953")
def changed_on_its_way(world: Whole) -> None:
    world.say("octo-1", "ERROR", f"{INIT}Unexpected byte after '\\r' in control message: 0x58")


@case("TC9531", "poll-01", confidence="likely")
def breaks_within_a_message(world: Whole) -> None:
    """Halibut before 6.0.1069 goes on reading where the stream has ended."""
    words = "System.IO.InvalidDataException: The archive entry was compressed using an unsupported compression method."
    world.say("poll-01", "ERROR", f"{TRANSACTION}{words}")
    world.sections["poll-01"]["products"] = (Product(product="tentacle", version="6.2.277"),)
    world.sections["poll-01"]["connections"] = ()


@case("TC1152", "poll-01")
def web_socket_left_open(world: Whole) -> None:
    not_collected(world)
    world["poll-01"].trusted[0]["Address"] = "wss://octo-1.example/octopuscomms"


@case("TT153", confidence="likely")
def powershell_is_kept_from_starting(world: Whole) -> None:
    text = "PowerShell startup detection: PowerShell did not start within 5 minutes for task ServerTasks-48211"
    world.say("web-01", "WARN", text)


@case("TT154", "octo-1", confidence="likely")
def server_without_threads(world: Whole) -> None:
    world.say("octo-1", "ERROR", "ThreadPool exhausted for approximately 4997ms current ThreadPool exhaustion events 1")


@case("TC9542")
def messages_cut(world: Whole) -> None:
    world.say("octo-1", "ERROR", f"{TO_WEB}Data stream size mismatch detected during send.")


# -- the start ---------------------------------------------------------------------------------------------------------


def fails_to_start(world: Whole, name: str, text: str) -> None:
    """The service ends with an error, and its log says why."""
    world.down(name, exit_code=1067)
    pid = 77
    world.logs[name] += started(pid, ago=SECOND) + line(SECOND - 1, "FATAL", text, pid)


@case("TT111", confidence="likely")
def port_in_use(world: Whole) -> None:
    fails_to_start(world, "web-01", "A required communications port is already in use.")


@case("TC1341", confidence="likely")
def started_before_its_address(world: Whole) -> None:
    """At boot the interface had no address yet; it has it now."""
    world["web-01"].settings["Tentacle.Services.ListenIP"] = "198.51.100.1"
    fails_to_start(
        world, "web-01", "System.Net.Sockets.SocketException (10049): The requested address is not valid in its context"
    )


@case("TT134")
def port_forbidden(world: Whole) -> None:
    fails_to_start(
        world,
        "web-01",
        "System.Net.Sockets.SocketException (10013): Der Zugriff auf einen Socket war aufgrund der Zugriffsrechte des Sockets unzulässig",
    )


@case("TT122")
def keyset_missing(world: Whole) -> None:
    fails_to_start(world, "web-01", "System.Security.Cryptography.CryptographicException: Keyset does not exist")


@case("TT123")
def made_elsewhere(world: Whole) -> None:
    fails_to_start(
        world, "web-01", "System.Security.Cryptography.CryptographicException: Key not valid for use in specified state"
    )


@case("TT124")
def configuration_was_missing(world: Whole) -> None:
    """It is there by now."""
    fails_to_start(
        world,
        "web-01",
        "The configuration file for instance Tentacle could not be located at the specified location C:\\Octopus\\Tentacle.config. The file might have been manually removed without properly removing the instance",
    )


@case("TT125")
def wanted_for_space(world: Whole) -> None:
    world.say("web-01", "ERROR", "System.IO.IOException: No space left on device : 'C:\\Octopus\\Work'")


@case("TT126")
def no_access(world: Whole) -> None:
    world.say(
        "web-01", "ERROR", "System.UnauthorizedAccessException: Access to the path 'C:\\Octopus\\Work' is denied."
    )


@case("TC1271", unsure="Look at the settings of web-01")
def runs_without_trust(world: Whole) -> None:
    """What its file says could not be read."""
    world["web-01"].config_error = "denied"
    nobody = "The agent is not configured to trust any Octopus Servers."
    world.logs["web-01"] = started(2136, nobody, "Agent listening on: [::]:10933")


@case("TT128")
def accepting_fails(world: Whole) -> None:
    world.say(
        "web-01",
        "ERROR",
        f"{LISTEN}Accepting a connection has failed 20 times in a row, this may mean that the listener is unhealthy. See https://g.octopushq.com/TentacleTroubleshooting",
    )


@case("TT130")
def hangs_in_its_start(world: Whole) -> None:
    world.shut("web-01")
    world.logs["web-01"] = started(2136, ago=600)


@case("TC1182", "poll-01", confidence="likely")
def proxy_with_a_scheme(world: Whole) -> None:
    fails_to_start(world, "poll-01", "The proxy's hostname cannot contain a protocol prefix (eg http://)")


@case("TC1202", "poll-01", confidence="likely")
def no_web_sockets_there(world: Whole) -> None:
    text = "The netstandard build of this library cannot act as the client in a WebSocket polling setup"
    fails_to_start(world, "poll-01", text)


@case("TC2023", confidence="likely")
def ends_with_an_unknown_error(world: Whole) -> None:
    """The service manager knows nothing of it."""
    fails_to_start(world, "web-01", "Nobody has ever seen these words.")
    world["web-01"].service["exit_code"] = 0


NO_ROOM = (
    "System.Net.Sockets.SocketException (10055): An operation on a socket could not be performed because the system "
    "lacked sufficient buffer space or because a queue was full"
)


@case("TC1221", "poll-01", confidence="likely")
def store_of_certificates_of_another_user(world: Whole) -> None:
    fails_to_start(
        world, "poll-01", "The owner of '/home/octo/.dotnet/corefx/cryptography/x509stores/my' is not the current user."
    )


@case("TC1222", confidence="likely")
def key_that_asks_somebody(world: Whole) -> None:
    text = "Provider could not perform the action since the context was acquired as silent."
    fails_to_start(world, "web-01", f"System.Security.Cryptography.CryptographicException: {text}")


@case("TT147", "poll-01", confidence="likely")
def no_room_to_connect(world: Whole) -> None:
    world.say("poll-01", "ERROR", f"{TRANSACTION}{NO_ROOM}")


@case("TC1471", "poll-01", confidence="likely")
def no_file_left_to_connect(world: Whole) -> None:
    """Each connection is a file of its process as well."""
    world.say("poll-01", "ERROR", f"{TRANSACTION}System.Net.Sockets.SocketException (24): Too many open files")


@case("TC1471", "poll-01")
def no_file_left_on_the_machine(world: Whole) -> None:
    text = "System.Net.Sockets.SocketException (23): Too many open files in system"
    world.say("poll-01", "ERROR", f"{TRANSACTION}{text}")


@case("TT147", "poll-01")
def ports_used_up(world: Whole) -> None:
    """Who connects has no port left: nobody holds one that it would listen on."""
    text = (
        "System.Net.Sockets.SocketException (0x80004005): Only one usage of each socket address (protocol/network "
        "address/port) is normally permitted 192.0.2.10:10943"
    )
    world.say("poll-01", "ERROR", f"{TRANSACTION}{text}")


@case("TT147", "octo-1")
def no_room_to_accept(world: Whole) -> None:
    world.say("octo-1", "ERROR", f"{SERVER_LISTEN}Error accepting TCP client\n{NO_ROOM}")


@case("TT147")
def no_room_at_the_server_to_connect(world: Whole) -> None:
    """The server's log tells of its way to this Tentacle: it is the server that wants for room."""
    world.say("octo-1", "ERROR", f"{INIT}{NO_ROOM}")


@case("TT108", confidence="possible")
def not_answered_by_what_the_system_says_alone(world: Whole) -> None:
    """A record without Halibut's column and without a URL: Windows ends its message with address and port."""
    text = (
        "System.Net.Sockets.SocketException (0x80004005): A connection attempt failed because the connected party did "
        "not properly respond after a period of time, or established connection failed because connected host has "
        "failed to respond 198.51.100.1:10933\n   at System.Net.Sockets.TcpClient.Connect(String hostname, Int32 port)"
    )
    world.say("octo-1", "ERROR", text)
