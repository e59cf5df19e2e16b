"""Signatures of TLS and of the network (tentacle-facts 3.4, numbers 7-11 and 14-19; tentacle-seen 1.2, 1.3 and 2)."""

from __future__ import annotations

from .model import CONNECTS, FIRST_LINE, PEER, URL, Level, Phase, Role, Signature, compiled
from .texts import (
    ADDRESS_FAMILY,
    BROKEN_READ,
    FORBIDDEN,
    IN_USE,
    NO_COMMON_ALGORITHM,
    NO_ROOM,
    NO_SUCH_NAME,
    NOT_LOCAL,
    NOT_TLS,
    REFUSED,
    RESET,
    SSPI,
    TIMED_OUT,
    UNEXPECTED_EOF,
    UNREACHABLE,
)

_ALIGN = (
    "Enable TLS 1.2 with a suite of the other end on both (see the step Schannel and TLS); renew a certificate with "
    "SHA-1 or a short key."
)
_CLIENT = rf"(?:{FIRST_LINE}Client failed authentication: {PEER}.{{0,4000}}?)?"


def _secure(
    slug: str, pattern: str, keys: tuple[str, ...], meaning: str, advice: str, *, code: str = "TT113"
) -> Signature:
    return Signature(
        slug, compiled(pattern), keys, "either", "either", Level.DEBUG, Phase.SECURE, meaning, advice, code
    )


TLS: tuple[Signature, ...] = (
    _secure(
        "openssl-configuration",
        _CLIENT + r"configuration file routines",
        ("configuration file routines",),
        "OpenSSL stops at its own configuration file (openssl.cnf), before a handshake begins.",
        "Correct the file, or upgrade a Tentacle that loads an older OpenSSL than the one that the file is for.",
    ),
    _secure(
        "key-too-small",
        _CLIENT + r"(?:(?:ee|ca) key too small|md too weak)",
        ("key too small", "md too weak"),
        "A certificate's key or hash is too weak for the system's TLS library. The other end is told something about "
        "protocol versions, which is misleading.",
        "Give that end a new certificate (new-certificate), then trust or register it again.",
        code="TT114",
    ),
    _secure(
        "no-common-cipher",
        _CLIENT + r"(?:no shared cipher|no cipher match)",
        ("no shared cipher", "no cipher match"),
        "The two ends have no cipher suite (or no version of TLS) in common.",
        _ALIGN,
    ),
    _secure(
        "no-common-protocol",
        _CLIENT + r"(?:tlsv1 alert protocol version|routines::?\S*:?unsupported protocol|no protocols available)",
        ("alert protocol version", "unsupported protocol", "no protocols available"),
        "The two ends have no version of TLS in common; or the other end's certificate is too weak for its system.",
        _ALIGN,
    ),
    _secure(
        "handshake-alert",
        _CLIENT + r"(?:alert handshake failure|remote party sent a TLS alert: '(?P<word>\w+)')",
        ("alert handshake failure", "sent a tls alert"),
        "The other end refused the TLS handshake.",
        _ALIGN,
    ),
    _secure(
        "no-common-algorithm",
        _CLIENT + NO_COMMON_ALGORITHM.pattern,
        NO_COMMON_ALGORITHM.keys,
        "Schannel: the two ends have no version, cipher suite or signature algorithm in common.",
        _ALIGN,
    ),
    _secure(
        "sspi-failed",
        _CLIENT + SSPI.pattern,
        SSPI.keys,
        "Schannel could not do the TLS handshake: protocols, cipher suites or hashes do not fit, or a key is too "
        "short.",
        _ALIGN,
    ),
    _secure(
        "not-tls",
        NOT_TLS.pattern,
        NOT_TLS.keys,
        "What answers at the other end does not speak TLS.",
        "Correct the address or the port; see what listens there.",
        code="TT121",
    ),
)


def _net(
    slug: str,
    pattern: str,
    keys: tuple[str, ...],
    meaning: str,
    advice: str,
    *,
    code: str,
    phase: Phase = Phase.REACH,
    role: Role = "client",
) -> Signature:
    return Signature(slug, compiled(pattern), keys, "either", role, Level.WARN, phase, meaning, advice, code)


ALTERED: tuple[Signature, ...] = (
    Signature(
        "altered-data",
        compiled(
            r"\A(?!.{0,4000}?(?:AuthenticationException|call to SSPI failed|Authentication failed))"
            rf".{{0,400}}?{CONNECTS}.{{0,4000}}?(?:"
            r"decryption failed or bad record mac|alert bad record mac|The message or signature supplied for "
            r"verification has been altered|8009030F|The specified data could not be decrypted|80090330)"
        ),
        ("bad record mac", "for verification has been altered", "8009030f", "could not be decrypted", "80090330"),
        "either",
        "client",
        Level.DEBUG,
        Phase.HOST,
        "What arrived is not what the other end sent: TLS checks each record, and this one was changed.",
        "Look at network cards, their drivers and offloads, and at what handles the traffic in between.",
        "TT955",
    ),
)
"""Of a connection that stood, as who connects tells it: a stranger at a listener can send what he likes. No later
connection refutes it, for something has changed data, and does so again."""

_NO_ROOM = "The system has no port, or no memory for sockets, left for one more connection."
_NO_ROOM_ADVICE = "Find what holds so many connections, and end or restart that."

_NO_PORT_TO_FOUR = r"Cannot assign requested address \[?(?:::ffff:)?(?!0\.0\.0\.0)\d{1,3}\.\d"
"""Linux, of a connection to an address of IPv4: all ports to that very address are taken (ip(7))."""

_FORBIDDEN_HERE = r"SocketException \(13\)|Permission denied \["
"""Of a connection that the machine's own system forbids, on Linux; .NET puts the far end behind it."""

EXHAUSTED: tuple[Signature, ...] = (
    _net(
        "connecting-forbidden",
        rf"{CONNECTS}.{{0,2000}}?(?:{FORBIDDEN.pattern}|{_FORBIDDEN_HERE})",
        (*FORBIDDEN.keys, "socketexception (13)", "permission denied ["),
        "The system of the machine that connects forbids the connection: an outbound rule, or a security product.",
        "Look at outbound rules of that machine, and whether a security product has contained it.",
        code="TT158",
    ),
    _net(
        "no-room-to-connect",
        rf"{CONNECTS}.{{0,2000}}?(?:{NO_ROOM.pattern}|{IN_USE.pattern}|{_NO_PORT_TO_FOUR})",
        (*NO_ROOM.keys, *IN_USE.keys, "cannot assign requested address"),
        _NO_ROOM,
        _NO_ROOM_ADVICE,
        code="TT147",
    ),
    _net(
        "no-room-to-accept",
        NO_ROOM.pattern,
        NO_ROOM.keys,
        _NO_ROOM,
        _NO_ROOM_ADVICE,
        code="TT147",
        role="host",
    ),
)
"""They come before what a listener says of a port that is in use."""

NETWORK: tuple[Signature, ...] = (
    _net(
        "refused",
        rf"(?:The remote host at {URL} )?refused the connection[,.] this may mean|{REFUSED.pattern}",
        ("refused the connection", *REFUSED.keys),
        "Nothing listens at that address and port, or a firewall rejects the connection.",
        "Start the service, check address and port, then the firewalls.",
        code="TT107",
    ),
    _net(
        "name-unknown",
        NO_SUCH_NAME.pattern,
        NO_SUCH_NAME.keys,
        "The name of the other end cannot be resolved.",
        "Correct the record in DNS or the hosts file; try by IP address.",
        code="TT110",
    ),
    _net(
        "unreachable",
        rf"{UNREACHABLE.pattern}|{CONNECTS}.{{0,2000}}?{NOT_LOCAL.pattern}",
        (*UNREACHABLE.keys, *NOT_LOCAL.keys),
        "There is no way to the other end, or a router or firewall says so; or the address is none to connect to.",
        "Check address, routes and firewalls.",
        code="TT133",
    ),
    _net(
        "address-family",
        ADDRESS_FAMILY.pattern,
        ADDRESS_FAMILY.keys,
        "The other end's address is of a family (IPv4 or IPv6) that this program cannot use: until Tentacle 3.1.7 it "
        "connects by IPv4 only; from there to 5.0.5 it cannot connect where IPv6 is switched off.",
        "Upgrade the Tentacle; until then give the name an IPv4 address, or switch IPv6 on again.",
        code="TT135",
    ),
    _net(
        "connect-timeout",
        r"unable to establish the initial connection within (?:the timeout )?(?P<seconds>\d\d:\d\d:\d\d(?:\.\d+)?)",
        ("unable to establish the initial connection within",),
        "Nothing answered: a firewall drops, the address is wrong, or there is no route.",
        "Check address, firewalls, security groups and routes.",
        code="TT108",
    ),
    _net(
        "connection-lost",
        rf"(?:The connection to the host at {URL} )?timed out[,.] there may be problems with the network[,.]",
        ("there may be problems with the network",),
        "A connection that stood went quiet: the network lost it, or the other end, or a proxy, does not answer.",
        "Look at idle time-outs of firewalls and NAT between the two, and at the other end.",
        code="TT109",
        phase=Phase.TALK,
    ),
    _net(
        "read-timed-out",
        rf"{BROKEN_READ.pattern}[^\n]{{0,80}}?{TIMED_OUT.pattern}",
        BROKEN_READ.keys,
        "A connection that stood went quiet: the network lost it, or the other end does not answer any more.",
        "Look at idle time-outs of firewalls and NAT between the two, and at the other end.",
        code="TT109",
        phase=Phase.TALK,
    ),
    _net(
        "no-response-from-host",
        TIMED_OUT.pattern,
        TIMED_OUT.keys,
        "Nothing answered in time, or a connection that stood was dropped without a word.",
        "Check address, firewalls, security groups and routes.",
        code="TT108",
    ),
    _net(
        "reset",
        RESET.pattern,
        RESET.keys,
        "The other end, or something in between, reset the connection: TLS that does not fit, a firewall, a process "
        "that "
        "was ended.",
        "Look into the other end's log at the same second.",
        code="TT106",
        phase=Phase.TALK,
        role="either",
    ),
    _net(
        "closed-before-tls",
        UNEXPECTED_EOF.pattern,
        UNEXPECTED_EOF.keys,
        "The other end accepted the connection and closed it before TLS was up.",
        "See what really listens there: a load balancer with no back end, a proxy, or a stopping service.",
        code="TT112",
        phase=Phase.SECURE,
        role="either",
    ),
)

TLS_UNSPECIFIC: tuple[Signature, ...] = (
    Signature(
        "tls-failed-listening",
        compiled(rf"Client failed authentication: {PEER}"),
        ("client failed authentication",),
        "either",
        "listener",
        Level.DEBUG,
        Phase.SECURE,
        "A client came, and the TLS handshake failed.",
        _ALIGN,
        "TT113",
    ),
    Signature(
        "tls-failed",
        compiled(
            rf"Authentication failed while setting up connection to {URL}|SSL Handshake failed with OpenSSL error|"
            r"Authentication failed, see inner exception"
        ),
        (
            "authentication failed while setting up",
            "ssl handshake failed with openssl",
            "authentication failed, see inner exception",
        ),
        "either",
        "client",
        Level.WARN,
        Phase.SECURE,
        "The TLS handshake with the other end failed.",
        _ALIGN,
        "TT113",
    ),
)
