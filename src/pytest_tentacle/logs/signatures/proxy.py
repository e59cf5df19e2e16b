"""Signatures of proxies, and of what answers instead of Halibut (tentacle-facts 3.4, numbers 20-22, 29-31, 50, 54)."""

from __future__ import annotations

from .model import FIRST_LINE, HANDLING, PEER, Level, Phase, Signature, compiled
from .texts import NO_OBJECT, NO_SUCH_NAME

_PROXY = r"Proxy destination (?P<host>\S+) on port (?P<port>\d+) responded with a "
_PROXY_KEYS = ("proxy destination",)
_TO_PROXY = r"Connection to proxy host (?P<host>\S+) on port (?P<port>\d+) failed[:.]"
_TO_PROXY_KEYS = ("connection to proxy host",)
_HTTP_ADVICE = (
    "Find the firewall, proxy or load balancer that answers in place of the other end, and let the port pass through "
    "untouched."
)


def _answer(slug: str, status: str, meaning: str, advice: str) -> Signature:
    return Signature(
        slug,
        compiled(rf"{_PROXY}(?P<status>{status}) code"),
        _PROXY_KEYS,
        "either",
        "client",
        Level.WARN,
        Phase.REACH,
        meaning,
        advice,
        "TT119",
    )


def _proxy(slug: str, pattern: str, keys: tuple[str, ...], meaning: str, advice: str) -> Signature:
    return Signature(
        slug, compiled(pattern), keys, "either", "client", Level.WARN, Phase.REACH, meaning, advice, "TT118"
    )


PROXY: tuple[Signature, ...] = (
    _answer(
        "proxy-authentication",
        "407",
        "The proxy requires a user name and password, or does not accept those that it was given.",
        "Set user and password of the proxy (Basic only), or let the machine through without.",
    ),
    _answer(
        "proxy-forbids",
        "403",
        "The proxy does not allow a tunnel (CONNECT) to that host and port.",
        "Allow CONNECT to the Octopus port on the proxy.",
    ),
    _answer(
        "proxy-bad-gateway",
        "502",
        "The proxy itself cannot reach the destination, or its own rules forbid it.",
        "Look into the proxy's log; check that it resolves the name and may connect to the Octopus port.",
    ),
    _answer(
        "proxy-answer",
        r"\d{3}",
        "The proxy answered the request for a tunnel with something else than success.",
        "Look into the proxy's log for this request.",
    ),
    _proxy(
        "proxy-name-unknown",
        _TO_PROXY + r".{0,300}?" + NO_SUCH_NAME.pattern,
        _TO_PROXY_KEYS,
        "The name of the proxy cannot be resolved.",
        "Correct the proxy's host name, or its record in DNS.",
    ),
    _proxy(
        "proxy-unreachable",
        _TO_PROXY,
        _TO_PROXY_KEYS,
        "The proxy cannot be reached.",
        "Check that it runs, and that its host and port are right; or turn the proxy off.",
    ),
    _proxy(
        "not-a-proxy",
        r"No HTTP response received from proxy destination|"
        r"An invalid response code was received from proxy destination|"
        r"failed to return a recognized HTTP response code|length \('-\d+'\) must be a non-negative value",
        (
            "no http response received from proxy",
            "an invalid response code was received from proxy",
            "recognized http response code",
            "must be a non-negative value",
        ),
        "What answers at the proxy's address is no HTTP proxy.",
        "Correct the proxy's host and port. SOCKS proxies are not supported.",
    ),
    _proxy(
        "proxy-host-form",
        r"The proxy's hostname cannot contain a protocol prefix",
        ("hostname cannot contain a protocol prefix",),
        "The proxy's host is written with http:// in front of it.",
        "Write the host alone.",
    ),
    Signature(
        "web-proxy-settings",
        compiled(r"Unable to configure the proxy server: (?P<detail>[^\r\n]*)"),
        ("unable to configure the proxy server",),
        "either",
        "host",
        Level.INFO,
        Phase.START,
        "The settings of the proxy for web requests cannot be used.",
        "Correct Octopus.Proxy.* (Tentacle proxy).",
        "TT118",
    ),
)

_AT_LISTENER = rf"(?:{FIRST_LINE}{HANDLING}:? ?{PEER}.{{0,4000}}?)?"
"""A listener names who came: a scanner is nobody's proxy."""

ANSWERS: tuple[Signature, ...] = (
    Signature(
        "http-instead-of-halibut",
        compiled(
            _AT_LISTENER + r"Unable to process remote identity; unknown identity(?: type)?:? '(?P<word>[^'\r\n]*)'"
        ),
        ("unable to process remote identity",),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "A web page came where Halibut should have spoken: network infrastructure inserts itself into the connection.",
        _HTTP_ADVICE,
        "TT951",
    ),
    Signature(
        "http-with-headers",
        compiled(_AT_LISTENER + r"Unable to receive the remote identity; the following line was not empty"),
        ("the following line was not empty",),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "Something else answered where Halibut should have spoken, with lines like those of a web server.",
        _HTTP_ADVICE,
        "TT951",
    ),
    Signature(
        "identity-empty",
        compiled(_AT_LISTENER + r"Unable to receive the remote identity; the identity line was empty"),
        ("the identity line was empty",),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "The other end closed, or sent an empty line, where it should have named itself: often an old Tentacle whose "
        "weak "
        "certificate its system no longer offers.",
        "Upgrade the Tentacle and renew its certificate (SHA-256, 2048 bits).",
        "TT952",
    ),
    Signature(
        "subscription-missing",
        compiled(r"did not supply a subscription ID"),
        ("did not supply a subscription id",),
        "either",
        "listener",
        Level.WARN,
        Phase.TALK,
        "A client said that it polls, and not for whom.",
        "Look for what changes the traffic between the two, or for a program that is no Tentacle.",
        "TT953",
    ),
    Signature(
        "roles-swapped",
        compiled(
            r"Expected the remote endpoint to identity as a server|Unexpected remote identity: (?P<word>\w+)|"
            r"identified itself with an unknown identity type"
        ),
        ("to identity as a server", "unexpected remote identity", "with an unknown identity type"),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "The other end took the wrong part: two clients or two servers talk to each other.",
        "Check that the address leads to the right machine, and that mode and port fit together.",
        "TT953",
    ),
    Signature(
        "control-word",
        compiled(r"Expected (?P<expected>PROCEED|NEXT or END), got: ?(?P<word>[^\r\n]{0,100})"),
        ("expected proceed, got", "expected next or end, got"),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "The other end said something else than Halibut allows.",
        "Look for what changes the traffic between the two.",
        "TT953",
    ),
    Signature(
        "stray-byte",
        compiled(r"Unexpected byte after '[^']*' in control message"),
        ("unexpected byte after",),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "A line end within Halibut's words was changed on its way.",
        "Look for what changes the traffic between the two.",
        "TT953",
    ),
    Signature(
        "not-halibut-bytes",
        compiled(r"The archive entry was compressed using an unsupported compression method"),
        ("compressed using an unsupported compression",),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "Bytes came that are no message of Halibut.",
        "Look for what changes the traffic between the two, or for a program that is no Tentacle.",
        "TT953",
    ),
    Signature(
        "broken-envelope",
        compiled(
            r"(?:An error occurred when sending a request to|\A(?:https?|wss?|poll)://).{0,600}?"
            rf"{NO_OBJECT.pattern}|{NO_OBJECT.pattern}.{{0,600}}?MessageExchangeStream"
        ),
        NO_OBJECT.keys,
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "A connection broke while Halibut read from it, and Halibut before 4.3.28 (Tentacle before 5.0.15) stumbles "
        "over that.",
        "Upgrade both ends; look at the network between the two.",
        "TT954",
    ),
    Signature(
        "message-cut",
        compiled(r"messageEnvelope is null|Data stream size mismatch detected|Data stream reading failed"),
        ("messageenvelope is null", "data stream size mismatch", "data stream reading failed"),
        "either",
        "either",
        Level.WARN,
        Phase.TALK,
        "A message broke off: traffic was cut short, or a weak certificate causes trouble (seen on Windows Server "
        "2012 R2).",
        "Look at the network between the two; renew a certificate with SHA-1.",
        "TT954",
    ),
    Signature(
        "web-socket-unsupported",
        compiled(
            r"Websockets is only supported on Windows Server 2012 and later|"
            r"cannot act as the client in a WebSocket polling setup"
        ),
        ("websockets is only supported", "in a websocket polling setup"),
        "either",
        "host",
        Level.INFO,
        Phase.START,
        "Polling by web socket does not work with this system or this build of the Tentacle.",
        "Poll on the polling port, or on port 443 without web sockets.",
        "TT120",
    ),
    Signature(
        "web-socket-gateway",
        compiled(r"WebSocketException.{0,600}?(?:\(|status code ')(?P<status>50[234])(?:\)|')"),
        ("websocketexception",),
        "either",
        "client",
        Level.WARN,
        Phase.REACH,
        "A gateway answered instead of the server's web socket: it does not get through to the server itself.",
        "Let the connection through to the server as TCP (TLS pass-through); see what the gateway's log says.",
        "TT120",
    ),
    Signature(
        "web-socket-unreachable",
        compiled(r"(?:WebSocketException.{0,400}?)?Unable to connect to the remote server"),
        ("unable to connect to the remote server",),
        "either",
        "client",
        Level.WARN,
        Phase.REACH,
        "The server's web socket could not be reached.",
        "Check that the server listens for web sockets at that address, and what lies between.",
        "TT120",
    ),
    Signature(
        "web-socket-plain-request",
        compiled(r"Rejected connection from (?P<peer>\S+) as it is not Web Socket request"),
        ("as it is not web socket request",),
        "server",
        "listener",
        Level.INFO,
        Phase.HOST,
        "A browser or a probe looked at the web socket's address.",
        "Nothing.",
        None,
    ),
    Signature(
        "answer-dump",
        compiled(rf"\A(?:\S+://\S+ +\d+ +)?Response:\s*\Z|Remote failed to identify itself(?: at {PEER})?"),
        ("response:", "remote failed to identify itself"),
        "either",
        "either",
        Level.WARN,
        Phase.HOST,
        "What came instead of Halibut's words stands in the following records.",
        "Read them.",
        None,
    ),
)
