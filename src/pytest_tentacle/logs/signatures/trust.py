"""Signatures of certificates and trust, and of who may poll (tentacle-facts 3.4, 1-6 and 25-28; -history 5)."""

from __future__ import annotations

from .model import OWN_SUBJECT, PEER, URL, Level, Phase, Signature, compiled
from .texts import CANCELLED, PAST_END

_HEX = "[0-9A-F]"
_PRESENTED = (
    r"to present a certificate with the thumbprint '(?P<expected>[^']*)'\. Instead, .{0,60}?"
    r"thumbprint of '(?P<actual>[^']*)'"
)
_PRESENTED_KEYS = ("to present a certificate with the thumbprint",)

TRUST: tuple[Signature, ...] = (
    Signature(
        "foreign-certificate",
        compiled(_PRESENTED + rf" and subject '(?!(?-i:{OWN_SUBJECT})')(?P<subject>[^']*)'"),
        _PRESENTED_KEYS,
        "either",
        "client",
        Level.WARN,
        Phase.SECURE,
        "The other end presented a certificate that is not one of Octopus's: something between the two opens TLS, or "
        "another program answers at that address.",
        "Take the address and port out of TLS inspection and SSL offloading, or correct the address.",
        "TT102",
    ),
    Signature(
        "unexpected-certificate",
        compiled(_PRESENTED + r"(?: and subject '(?P<subject>[^']*)')?"),
        _PRESENTED_KEYS,
        "either",
        "client",
        Level.WARN,
        Phase.SECURE,
        "The other end presented a different certificate from the expected one: it was renewed or "
        "reinstalled, the address "
        "leads to another machine, or the expected thumbprint is mistyped. Upper and lower case count.",
        "Compare the two thumbprints, and enter the right one where the connection is opened.",
        "TT101",
    ),
    Signature(
        "client-not-trusted",
        compiled(
            rf"(?:A client at {PEER} )?connected, and attempted a message exchange, but (?:it )?presented a client "
            rf"certificate with the thumbprint '(?P<thumbprint>{_HEX}+)' which is not in the list of thumbprints"
        ),
        ("which is not in the list of thumbprints",),
        "either",
        "listener",
        Level.DEBUG,
        Phase.TRUST,
        "A client came with a certificate that is not trusted here, and was turned away without an answer.",
        "If it is the Octopus Server: trust this thumbprint (configure --trust). If it is a Tentacle: register it "
        "again, "
        "and check that it is not disabled or deleted in the portal.",
        "TT103",
    ),
    Signature(
        "client-without-certificate",
        compiled(
            rf"A client at {PEER} connected, and attempted a message exchange, but did not present a client certificate"
        ),
        ("but did not present a client certificate",),
        "either",
        "listener",
        Level.DEBUG,
        Phase.TRUST,
        "A client spoke Halibut without a certificate: something between the two opens TLS, or its certificate is too "
        "weak for its own system to offer it.",
        "Remove SSL offloading between the two; renew a certificate with SHA-1 or a key below 2048 bits.",
        "TT104",
    ),
    Signature(
        "connection-limit",
        compiled(
            rf"A polling client at {PEER} has exceeded the maximum number of active connections "
            r"\((?P<limit>\d+)\) for subscription (?P<subscription>poll://[^\s/]+)"
        ),
        ("has exceeded the maximum number of active connections",),
        "server",
        "listener",
        Level.WARN,
        Phase.TRUST,
        "More connections than allowed poll with one subscription: copies of one machine, or too high a number of "
        "polling "
        "connections. The poller sees the same as one that is not trusted.",
        "Give each copy an identity of its own (new-certificate, then register), or lower the number of connections.",
        "TT117",
    ),
    Signature(
        "duplicate-registration",
        compiled(
            r"This Tentacle is registered multiple times with the server|"
            r"The Tentacle matches more than one machine on the server"
        ),
        ("is registered multiple times with the server", "matches more than one machine on the server"),
        "either",
        "host",
        Level.INFO,
        Phase.HOST,
        "Several machines in the portal have this Tentacle's thumbprint.",
        "Delete the ones too many, or give a copy a certificate of its own.",
        "TT117",
        by_call=True,
    ),
    Signature(
        "request-not-collected",
        compiled(
            r"the polling endpoint did not collect the request within the allowed time "
            r"\((?P<seconds>[\d:.]+)\), so the request timed out"
        ),
        ("the polling endpoint did not collect the request",),
        "server",
        "listener",
        Level.WARN,
        Phase.TALK,
        "The polling Tentacle did not fetch a request: it is not connected, or its only connection is busy.",
        "Check that it runs, reaches the server and is trusted; if it is connected, raise its number of polling "
        "connections.",
        "TT115",
    ),
    Signature(
        "request-not-answered",
        compiled(
            r"the polling endpoint collected it but (?:the request was cancelled before the polling endpoint "
            r"responded|did not respond in the allowed time(?: \((?P<seconds>[\d:.]+)\))?)"
        ),
        ("the polling endpoint collected it but",),
        "server",
        "listener",
        Level.WARN,
        Phase.TALK,
        "The request was fetched, and nothing came back: a hung script, a slow machine, or a copy of it that took the "
        "request.",
        "Look for a hanging script, and for a second machine with the same subscription.",
        "TT116",
    ),
    Signature(
        "no-response",
        compiled(r"No response was received from the endpoint within the allowed time"),
        ("no response was received from the endpoint",),
        "server",
        "client",
        Level.WARN,
        Phase.TALK,
        "The request went out, and nothing came back in time.",
        "Look for a hanging script on the Tentacle, and for a network that drops quiet connections.",
        "TT116",
    ),
    Signature(
        "reset-distrust-hint",
        compiled(
            rf"(?:The remote host at {URL} )?reset the connection[,.] this may mean that the expected listening "
            rf"service does not trust the thumbprint (?P<thumbprint>{_HEX}+)"
        ),
        ("reset the connection",),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "The connection was reset. The text speaks of trust, but a listener that does not trust us closes and does not "
        "reset: look for a firewall, a proxy, or a peer that was ended.",
        "Find out who resets: look into the other end's log at the same second, then at what lies between.",
        "TT106",
    ),
    Signature(
        "reset-shut-down",
        compiled(
            rf"(?:The remote host at {URL} )?reset the connection[,.] this may mean that the expected listening "
            "service was shut down"
        ),
        ("reset the connection",),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "The connection was reset: by a firewall, a proxy, or a peer that was ended.",
        "Find out who resets: look into the other end's log at the same second, then at what lies between.",
        "TT106",
    ),
    Signature(
        "aborted-before-established",
        compiled(
            rf"(?:The server {URL} )?aborted the connection before it was fully established\. This usually means "
            rf"that the "
            rf"server rejected the certificate that we provided\. We provided a certificate with a thumbprint of "
            rf"'(?P<thumbprint>[^']+)'"
        ),
        ("aborted the connection before it was fully established",),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "The connection was reset. The text speaks of a rejected certificate, but it stands for any reset.",
        "Find out who resets: look into the other end's log at the same second, then at what lies between.",
        "TT106",
    ),
)

CLOSED: tuple[Signature, ...] = (
    Signature(
        "end-of-stream",
        compiled(PAST_END.pattern),
        PAST_END.keys,
        "either",
        "client",
        Level.WARN,
        Phase.TRUST,
        "The other end closed the connection after the TLS handshake. It is what a client sees whose certificate is "
        "not "
        "trusted; a limit of connections or a service that is ending look the same.",
        "First check that the other end trusts this one's thumbprint, then look at limits, then at who closes.",
        "TT105",
    ),
    Signature(
        "silent-peer",
        compiled(CANCELLED.pattern),
        CANCELLED.keys,
        "either",
        "client",
        Level.WARN,
        Phase.SECURE,
        "The other end accepted the connection and then said nothing.",
        "See what really answers there: a program that hangs, a load balancer with no back end, or a proxy.",
        "TT109",
    ),
)
"""They come after what is more telling."""
