"""TT51x to TT53x: the welcome page across the link. Everything is to be done from the machine that connects."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.guide.commands import CERTIFICATE_WINDOWS, PLAIN_WINDOWS, SUITES_WINDOWS
from pytest_tentacle.guide.consequences import INTERCEPTED, LOST_IN_LOGS, NO_CONNECTION, STRANGER_IN_LOGS
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "welcome-page-across"
_RESOLVE_WINDOWS = (
    '$ Resolve-DnsName "<host>"',
    '$ Select-String "<host>" "$env:SystemRoot\\System32\\drivers\\etc\\hosts"',
)
_RESOLVE_LINUX = ('$ getent ahosts "<host>"', "$ cat /etc/resolv.conf /etc/hosts")
_CONNECT_WINDOWS = '$ Test-NetConnection "<host>" -Port <port>'
_BROWSE_LINUX = '$ curl -kv "https://<host>:<port>/"'
_OPENSSL = '$ openssl s_client -connect "<host>:<port>" </dev/null'
_RULES_WINDOWS = "$ Get-NetFirewallPortFilter | Where-Object LocalPort -eq <port> | Get-NetFirewallRule"
_SCHANNEL = "$ Get-ChildItem -Recurse HKLM:\\SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL\\Protocols"
_RULES_LINUX = ("$ sudo nft list ruleset", "$ sudo iptables -S")
_LED_ELSEWHERE = INTERCEPTED | STRANGER_IN_LOGS | {"TT524", "TT527", "TT528"}
"""What a link meets where a rule of an end's own leads it to somebody else."""


def _kind(
    code: str, title: str, meaning: str, what: str, *, windows: tuple[str, ...], linux: tuple[str, ...], **own: Any
) -> ProblemKind:
    return ProblemKind(code, title, _STEP, meaning, (what, *windows), (what, *linux), **own)


ACROSS: tuple[ProblemKind, ...] = (
    _kind(
        "TT510",
        "DNS issue: the IP address works, the name does not",
        "The welcome page is shown by IP address, but the name cannot be resolved from the machine that connects.",
        "On the machine that connects, see what the name resolves to, and add or correct its record in DNS:",
        windows=_RESOLVE_WINDOWS,
        linux=_RESOLVE_LINUX,
    ),
    _kind(
        "TT511",
        "The name does not resolve",
        "The machine that connects gets no address for the name: there is no such record, or its DNS servers do not "
        "answer. By IP address it does not work either, or that was not tried.",
        "On the machine that connects, see what the name resolves to, and which DNS servers it asks:",
        windows=(*_RESOLVE_WINDOWS, "$ Get-DnsClientServerAddress"),
        linux=_RESOLVE_LINUX,
    ),
    _kind(
        "TT512",
        "The name resolves to a different address",
        "The name resolves, but not to the declared address, and there it does not work: a stale record or cache, a "
        "hosts file, or an inventory that is not up to date.",
        "On the machine that connects, compare; then correct the record, empty the cache, or correct the inventory:",
        windows=(*_RESOLVE_WINDOWS, "$ Clear-DnsClientCache"),
        linux=(*_RESOLVE_LINUX, "$ sudo resolvectl flush-caches"),
    ),
    _kind(
        "TT520",
        "The connection is refused",
        "The address answers, and refuses: nothing listens on that port there, or a firewall on the path rejects. "
        "Nothing else is known to be wrong with the end that should listen. A server that is set to reach the "
        "Tentacle through a proxy (portal, Infrastructure, Proxies) does not use the direct path that was tried.",
        "Check that the address is the right machine's, and that the firewalls on the path allow the port:",
        windows=(_CONNECT_WINDOWS, _RULES_WINDOWS),
        linux=(_BROWSE_LINUX, *_RULES_LINUX),
    ),
    _kind(
        "TT521",
        "Nothing answers",
        "No answer at all comes back: a firewall drops the packets, no machine has the address, or the machine is "
        "down. A server that is set to reach the Tentacle through a proxy (portal, Infrastructure, Proxies) does not "
        "use the direct path that was tried.",
        "Open the port in the firewalls on the path (Windows' own, the network's, a cloud's security groups):",
        windows=(_CONNECT_WINDOWS, _RULES_WINDOWS),
        linux=(_BROWSE_LINUX, *_RULES_LINUX),
    ),
    _kind(
        "TT522",
        "The network has no route to it",
        "The machine that connects has no route to the address, or a router on the path reports that there is none.",
        "On the machine that connects, look at the route, and ask your network team:",
        windows=('$ Test-NetConnection "<host>" -TraceRoute', "$ Get-NetRoute"),
        linux=('$ ip route get "<address>"', '$ tracepath "<host>"'),
    ),
    _kind(
        "TT523",
        "The machine's own policy forbids the connection",
        "The machine that connects does not let the connection out: an outbound firewall rule or a security product.",
        "On the machine that connects, look for an outbound rule for this port. If there is none, ask those who manage "
        "its security product: one that has contained (isolated) the machine lets it speak with almost nobody, by no "
        "rule that the firewall shows, until they lift that in their console; and they had a reason:",
        windows=("$ Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True", _CONNECT_WINDOWS),
        linux=(*_RULES_LINUX, "$ sudo ausearch -m avc -ts recent"),
        sentence=(
            "{vantage} does not let connections to port {port} out: an outbound firewall rule, SELinux, or a security"
            " product on that machine, which may have contained (isolated) it."
        ),
        consequences=LOST_IN_LOGS,
        fold_by=("vantage", "port"),
        place="vantage",
        rank=10,
    ),
    _kind(
        "TT524",
        "The connection is reset or closed",
        "It is accepted and then ended without an answer: by a load balancer with no healthy back end, a firewall "
        "that inspects connections, or a service that is stopping.",
        "See whether it happens every time, and what is in between; a direct connection is needed:",
        windows=(_CONNECT_WINDOWS,),
        linux=(_OPENSSL,),
    ),
    _kind(
        "TT525",
        "No TLS version in common",
        "The two ends agree on no version of TLS. A listener whose certificate's key is too short for its system's "
        "policy answers in the same words.",
        "Compare the versions that both ends enable (guide, Schannel and TLS), and the key of the peer's certificate:",
        windows=(_SCHANNEL,),
        linux=('$ openssl s_client -tls1_2 -connect "<host>:<port>" </dev/null', "$ openssl ciphers -v"),
    ),
    _kind(
        "TT526",
        "No cipher suite in common",
        "The two ends agree on no cipher suite; a listener on .NET refuses old versions of TLS in the same words.",
        "Compare the cipher suites and versions that both ends enable (guide, Schannel and TLS):",
        windows=SUITES_WINDOWS,
        linux=(_OPENSSL, "$ openssl ciphers -v"),
    ),
    _kind(
        "TT527",
        "The connection fails in another way",
        "The connection or the TLS handshake failed for an unrecognised reason; the system's own "
        "words are in the evidence.",
        "Read the evidence, and try by hand from the machine that connects:",
        windows=(_CONNECT_WINDOWS,),
        linux=(_OPENSSL,),
    ),
    _kind(
        "TT528",
        "The connection is accepted, but nothing ever answers",
        "Something accepts the connection and stays silent: a device on the path that answers for the peer, packets "
        "that are too "
        "large for the path, or a peer that hangs.",
        "Try by hand from the machine that connects, and ask your network team what is in between:",
        windows=(_CONNECT_WINDOWS, '$ ping -f -l 1472 "<host>"'),
        linux=(_OPENSSL, '$ tracepath "<host>"'),
    ),
    _kind(
        "TT529",
        "The other end does not speak TLS",
        "A proxy, a port forwarder or another service answers in plain text, where Octopus needs TLS from end to end.",
        "See what answers, and take it out of the way: proxies and SSL offloading are not supported on this link:",
        windows=(PLAIN_WINDOWS,),
        linux=('$ curl -v "http://<host>:<port>/"',),
    ),
    _kind(
        "TT530",
        "A different page is shown",
        "TLS works, but the answer is not the welcome page of the right product: the address is another machine's, "
        "or a proxy or gateway answers in its place.",
        "See whose certificate and page it is, then correct the address, or take the device out of the way:",
        windows=(CERTIFICATE_WINDOWS,),
        linux=(_BROWSE_LINUX,),
    ),
    _kind(
        "TT531",
        "A different certificate is presented across the link",
        "The welcome page is shown, but not with the peer's own certificate. Something on the path decrypts TLS "
        "(inspection, SSL offloading), or another Tentacle answers at this address. Octopus closes such a connection.",
        "See whose certificate it is (subject and issuer are in the evidence); exempt the port from inspection:",
        windows=(CERTIFICATE_WINDOWS,),
        linux=(
            (
                '$ openssl s_client -connect "<host>:<port>" </dev/null | openssl x509 -noout -subject -issuer '
                "-fingerprint -sha1"
            ),
        ),
    ),
    _kind(
        "TT532",
        "A machine has no route to its peer",
        "By its own routing and neighbour tables, one end of the link cannot send anything to the other, so no "
        "connection is "
        "possible in either direction: it has no route, its router does not answer, or its reverse "
        "path filter drops packets that arrive by a different route from the one that a reply would take.",
        "On that machine, look at the route to <address>, and at its router:",
        windows=('$ Find-NetRoute -RemoteIPAddress "<address>"', "$ Get-NetNeighbor"),
        linux=('$ ip route get "<address>"', "$ ip neigh", "$ sysctl -a -r 'rp_filter$'"),
        sentence="{end} has no route to {other} ({address}): {why}.",
        consequences=NO_CONNECTION | LOST_IN_LOGS | {"TT523"},
        fold_by=("end", "why"),
        place="end",
        rank=9,
    ),
    _kind(
        "TT533",
        "The connecting machine's own firewall blocks the connection",
        "The rules of the connecting machine's own packet filter on Linux stop its connection to the peer, or the "
        "answer to it; the rule is named.",
        "On that machine, look at the rules; let connections to port <port> out, and their answers in:",
        windows=("$ Get-NetFirewallRule -Direction Outbound -Action Block -Enabled True",),
        linux=_RULES_LINUX,
        sentence="The firewall of {end} does not let it connect to port {port}: {why}.",
        consequences=NO_CONNECTION | LOST_IN_LOGS | _LED_ELSEWHERE | {"TT523"},
        fold_by=("end", "why"),
        place="end",
        rank=10,
    ),
    _kind(
        "TT534",
        "The web server presents a different certificate from the trusted one",
        "A Tentacle that polls over a web socket trusts the certificate of the portal's web server, by its thumbprint: "
        "once that one is renewed, every such Tentacle is cut off. A device in between that decrypts TLS also "
        "presents another certificate.",
        "See whose certificate it is (subject and issuer are in the evidence). Only if it is the portal's own, let "
        "the Tentacle trust it, as Octopus's page on polling over web sockets says; else exempt the port from "
        "inspection:",
        windows=(CERTIFICATE_WINDOWS,),
        linux=(_OPENSSL,),
        sentence=(
            "The web server that {who} poll{s} over a web socket, {host}, presents a different certificate from the "
            "trusted one: it was renewed, or a device in between decrypts TLS."
        ),
        consequences=STRANGER_IN_LOGS,
        fold_by=("host", "presented"),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    _kind(
        "TT535",
        "A connection takes a second or longer to open",
        "The other end's system answers a connection without its service, so this is the path there and back: packets "
        "are lost, and sent again after a second, or the path is overloaded. Octopus gives a connection 60 s unless "
        "the machine policy says otherwise, and each deployment needs many. A look that gives up sooner shows a "
        "time-out where Octopus is slow.",
        "Measure from the machine that connects, and look for loss and load on the path:",
        windows=(
            '$ Test-NetConnection "<host>" -TraceRoute',
            '$ pytest-tentacle ping "<host>" --port <port> --count 20',
        ),
        linux=('$ tracepath "<host>"', '$ pytest-tentacle ping "<host>" --port <port> --count 20'),
    ),
    _kind(
        "TT536",
        "Octopus gives up before the connection is open",
        "The machine policy gives a connection less time than it takes: to a listening Tentacle, TCP and TLS together; "
        "a request for a polling one ends before the Tentacle could connect and fetch it. Health checks and "
        "deployments then end with a time-out, though both ends work.",
        "Find out why a connection takes so long, from the machine that opens it. Until then, give more time "
        "in the machine policy <policy> (Octopus Web Portal, Infrastructure > Machine Policies):",
        windows=(
            '$ Test-NetConnection "<host>" -Port <port>',
            '$ pytest-tentacle ping "<host>" --port <port> --count 20',
        ),
        linux=(_OPENSSL, '$ pytest-tentacle ping "<host>" --port <port> --count 20'),
        sentence=(
            "Octopus waits {limit} s for {who} (machine policy {policy}), and a connection to {host}:{port} takes "
            "{took} s."
        ),
        consequences=LOST_IN_LOGS,
        fold_by=("policy",),
        rank=28,
        confidence=Confidence.LIKELY,
    ),
    _kind(
        "TT537",
        "The server serves no web socket at the address that is polled",
        "The server runs, and http.sys serves no prefix of that path there: the web socket was never switched on, was "
        "switched off, or has another path. The portal may well answer at the same address.",
        "On the server, see what is served. Where it has a web socket of another path, which other Tentacles poll, let "
        "this one poll that; where it has none, set the prefix, which holds from the server's next start on:",
        windows=(
            "$ netsh http show servicestate view=requestq",
            '$ & "<octopus>" configure --instance "<instance>" --commsListenWebSocket "<prefix>"',
        ),
        linux=("$ sudo ss -ltnp",),
        sentence="{server} serves no web socket at {polled}, which {who} poll{s}.",
        consequences=frozenset({"TT551"}),
        fold_by=("server", "polled"),
        place="server",
        rank=16,
        confidence=Confidence.LIKELY,
    ),
)
