"""Firewalls that ask for more than a port, addresses that two machines have, ports that ran out, other cards."""

from __future__ import annotations

from pytest_tentacle.packet_filter.firewall import Firewall, FirewallRule
from pytest_tentacle.survey.surroundings import Proxy, Route
from support.fleets.failures import DROPPED, NOT_TLS, REFUSED
from support.fleets.looks import OWN_PORT
from support.fleets.whole import LISTENS, Whole, line, make_windows, started
from support.fleets.world import probe
from support.windows_faults import controller_event, fault
from support.windows_faults.rarer import TENTACLE, as_known, kept_out, network_event

POLLER = {"machine": "poll-01"}
POLL = "https://octo-1.example:10943/        12  "
BUFFERS = "An operation on a socket could not be performed because the system lacked sufficient buffer space or because a queue was full"
NO_PORT = {"fails": "connect", "detail": f"192.0.2.10: other (NoBufferSpaceAvailable: {BUFFERS})"}
ALLOW = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=10933|"
HARDWARE = "00-50-56-9A-12-34"


@fault("another machine has taken its address", r"address", r"another|other|conflict|two", r"00-50-56-9A-12-34",
       never=("New-NetFirewallRule",), others=("octo-1",))  # fmt: skip
def another_machine_has_its_address(world: Whole) -> None:
    """A clone was started: the neighbours find it at the address, and it refuses.

    Source: event 4199 of Tcpip in the System log ("The system detected an address conflict for IP address %2 with the system
    having network hardware address %3. Network operations on this system may be disrupted as a result").
    """
    world.both("web-01", REFUSED)
    world.sections["web-01"]["events"] = network_event(4199, 300, "", "198.51.100.1", HARDWARE)
    world.logs["web-01"] = started(2136, LISTENS) + world.visit("web-01", "octo-1", 3600)


@fault(
    "its machine has no port left for connections",
    r"port",
    r"left|used up|exhaust|range",
    never=("firewall",),
    **POLLER,
)
def ports_of_a_poller_ran_out(world: Whole) -> None:
    """Another program leaks connections.

    Source: event 4231 of Tcpip ("A request to allocate an ephemeral port number from the global TCP port space has failed due to all
    such ports being in use"); WSAENOBUFS 10055.
    """
    make_windows(world, "poll-01")
    world.both("poll-01", NO_PORT)
    world.sections["poll-01"]["events"] = network_event(4231, 200)
    for ago in (600, 300, 60):
        text = f"Socket communication error while connecting to https://octo-1.example:10943/\nSystem.Net.Sockets.SocketException: {BUFFERS}"
        world.logs["poll-01"] += line(ago, "ERROR", POLL + text, 900)


@fault(
    "the server's machine has no port left for connections",
    r"octo-1",
    r"port",
    r"left|used up|exhaust|range",
    never=("New-NetFirewallRule",),
    others=("web-02", "octo-1"),
)
def ports_of_the_server_ran_out(world: Whole) -> None:
    """The server opens a connection for each request and each is in TIME_WAIT; no listening Tentacle is reached.

    Source: event 4227 of Tcpip ("TCP/IP failed to establish an outgoing connection because the selected local endpoint was
    recently used to connect to the same remote endpoint"), 4231.
    """
    for name in ("web-01", "web-02"):
        world.both(name, NO_PORT)
        world.logs[name] = started(2136, LISTENS) + world.visit(name, "octo-1", 3600)
    world.sections["octo-1"]["events"] = network_event(4231, 100) + network_event(4227, 400)


@fault(
    "the rule holds for dial-in connections alone", r"Octopus", r"RemoteAccess|interface|connection type", unsure=True
)
def rule_for_a_kind_of_interface(world: Whole) -> None:
    """Somebody ticked "Remote access" on the rule's page Interface types.

    Source: MS-GPFAS 2.2.2.19 (IFType: RemoteAccess, Wireless, Lan).
    """
    kept_out(world, ALLOW + "IFType=RemoteAccess|Name=Octopus|")


@fault(
    "the rule has the port as the remote one", r"Octopus", r"remote port|RPort|port of the other end|other end's port"
)
def port_was_entered_as_the_remote_one(world: Whole) -> None:
    """`New-NetFirewallRule -RemotePort 10933`: whoever comes would have to come from that port.

    Source: learn.microsoft.com, New-NetFirewallRule (-LocalPort, -RemotePort); MS-GPFAS (RPort).
    """
    kept_out(world, "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=10933|RPort=10933|Name=Octopus|")


@fault("the rule holds for another service", r"Octopus", r"W3SVC")
def rule_for_another_service(world: Whole) -> None:
    """A copied rule names a service.

    Source: MS-GPFAS (Svc: the short name of the service that the rule holds for).
    """
    kept_out(world, ALLOW + "Svc=W3SVC|Name=Octopus|")


@fault("the rule lets in only who shows himself by IPsec", r"Octopus", r"IPsec|secure", unsure=True)
def rule_allows_secure_connections_alone(world: Whole) -> None:
    """The rule's action is "Allow the connection if it is secure", and there is no rule for connection security.

    Source: learn.microsoft.com, New-NetFirewallRule (-Authentication Required); MS-GPFAS (Security=Authenticate).
    """
    kept_out(world, ALLOW + "Security=Authenticate|Name=Octopus|")


@fault("the rule is for another address of the machine", r"Octopus", r"10\.9\.9\.9")
def rule_for_another_address_of_its_own(world: Whole) -> None:
    """The machine got another address; the rule's scope has the one of before as its local one.

    Source: learn.microsoft.com, New-NetFirewallRule (-LocalAddress); MS-GPFAS (LA4).
    """
    kept_out(world, ALLOW + "LA4=10.9.9.9|Name=Octopus|")


@fault("a rule for connection security wants IPsec of everybody", r"IPsec|connection security", unsure=True)
def connections_must_be_secured(world: Whole) -> None:
    """A policy of domain isolation reached this machine, and not its server.

    Source: learn.microsoft.com, New-NetIPsecRule (-InboundSecurity Require); MS-GPFAS 2.2.6 (ConSecRules, Action=SecureServer).
    """
    kept_out(world, ALLOW + "Name=Octopus|")
    rule = FirewallRule(name="Isolation", action="block", source="policy")
    world.change("web-01", "firewall", **as_known(Firewall, secured=(rule,)))


@fault("the service of Windows Firewall was stopped, which blocks what comes in", r"MpsSvc|firewall", unsure=True)
def service_of_the_firewall_was_stopped(world: Whole) -> None:
    """Somebody stopped it to "switch the firewall off"; filters of the boot stay in force.

    Source: learn.microsoft.com, "Windows Firewall ... Don't disable the Windows Firewall service": stopping it isn't supported, and may
    block; the right way is to disable the profiles.
    """
    kept_out(world, ALLOW + "Name=Octopus|")
    world.change("web-01", "firewall", running=False)


@fault("a part of Windows took the port at boot, since ports for connections begin at 1025", r"10933", r"lsass",
       r"dynamic|range", never=("Stop-Process", "Stop-Service", "end that"))  # fmt: skip
def rpc_took_the_port_at_boot(world: Whole) -> None:
    """`netsh int ipv4 set dynamicport tcp start=1025`: RPC of LSASS listens at whatever port it is given when it starts.

    Source: learn.microsoft.com, "The default dynamic port range for TCP/IP"; services.exe, lsass.exe and spoolsv.exe listen on dynamic
    ports (RPC).
    """
    world.down("web-01", exit_code=1067, started_utc=None)
    world.sections["web-01"]["events"] = (controller_event(7034, 1800, TENTACLE, "2"),)
    text = (
        "A required communications port is already in use.\nSystem.Net.Sockets.SocketException: Only one usage of each socket "
        "address (protocol/network address/port) is normally permitted"
    )
    world.logs["web-01"] = started(4000, ago=1800) + line(1799, "FATAL", text, 4000)
    owner = {"pid": 704, "name": "lsass.exe", "executable": r"C:\Windows\System32\lsass.exe"}
    world["web-01"].listeners = [{"address": "0.0.0.0", "port": 10933, "pid": 704, "owner": owner}]
    world["web-01"].replace(OWN_PORT, probe(**NOT_TLS))
    world.both("web-01", NOT_TLS)


@fault(
    "its answers leave by its other card",
    r"10\.0\.0\.5|Ethernet 2|route|gateway",
    never=("New-NetFirewallRule",),
    unsure=True,
)
def answers_leave_by_the_other_card(world: Whole) -> None:
    """Two cards, and the one for backups alone has a gateway: what comes in from elsewhere gets no answer.

    Source: learn.microsoft.com, "Multiple default gateways can cause connectivity problems"; Get-NetRoute, Find-NetRoute.
    """
    world["web-01"].host["addresses"] = ("198.51.100.1", "10.0.0.5")
    common = {"via": "10.0.0.1", "device": "Ethernet 2", "source": "10.0.0.5", "neighbour": "reachable"}
    world.sections["web-01"]["routes"] = (
        Route.model_validate({"peer": "192.0.2.10", "address": "192.0.2.10", **common}),
    )
    world.both("web-01", DROPPED)
    world.logs["web-01"] = started(2136, LISTENS)


def _fails(world: Whole, text: str) -> None:
    world.sections["poll-01"]["connections"] = ()
    for ago in (600, 300, 60):
        world.logs["poll-01"] += line(ago, "ERROR", POLL + text, 900)


@fault(
    "a variable of the machine names a proxy that is gone", r"oldproxy", r"variable|environment|HTTPS?_PROXY", **POLLER
)
def proxy_of_a_variable(world: Whole) -> None:
    """HTTPS_PROXY was set for a package manager; the .NET of Tentacle 6 and later takes it for the system's proxy.

    Source: learn.microsoft.com, HttpClient.DefaultProxy (HTTP_PROXY, HTTPS_PROXY come before the user's settings on Windows as well).
    """
    make_windows(world, "poll-01")
    world["poll-01"].settings["Octopus.Server.Proxy.UseDefaultProxy"] = "true"
    world.sections["poll-01"]["proxies"] = (
        Proxy(layer="environment", enabled=True, address="http://oldproxy.example:8080"),
        Proxy(layer="winhttp", enabled=False),
    )
    none = "Agent configured to use the system proxy, but no system proxy is configured for server at https://octo-1.example:10943/"
    used = "Agent will use the configured system proxy at http://oldproxy.example:8080/ for server at https://octo-1.example:10943/"
    world.logs["poll-01"] = world.polls_at_start("poll-01").replace(none, used)
    _fails(world, "Halibut client exception: Connection to proxy host oldproxy.example on port 8080 failed: No such host is known. "
                  "Retrying in 5.0 seconds")  # fmt: skip


@fault("the proxy is set for WinHTTP alone, where no Tentacle looks", r"proxy", r"WinHTTP", unsure=True, **POLLER)
def proxy_of_winhttp_alone(world: Whole) -> None:
    """`netsh winhttp set proxy`: Windows' own services use it, .NET programs do not, and nothing gets out without it.

    Source: learn.microsoft.com, "netsh winhttp" and WebRequest.GetSystemWebProxy (Internet options of the account);
    octopus.com/docs, proxy-support for polling Tentacles.
    """
    make_windows(world, "poll-01")
    world["poll-01"].settings["Octopus.Server.Proxy.UseDefaultProxy"] = "true"
    world.sections["poll-01"]["proxies"] = (Proxy(layer="winhttp", enabled=True, address="proxy.example:8080"),)
    world.both("poll-01", DROPPED)
    world.logs["poll-01"] = world.polls_at_start("poll-01")
    text = (
        "Socket communication error while connecting to https://octo-1.example:10943/\nSystem.Net.Sockets.SocketException: A "
        "connection attempt failed because the connected party did not properly respond after a period of time"
    )
    _fails(world, text)
