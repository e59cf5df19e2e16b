"""What Octopus 1 (WCF) and 2 (Pipefish) said of trust and of the other end (tentacle-history 5.2).

Their lines name no endpoint, and seldom a peer.
"""

from __future__ import annotations

from .model import PEER, Level, Phase, Signature, compiled
from .texts import NOT_TLS

_HEX = "[0-9A-F]"

OLD_GENERATIONS: tuple[Signature, ...] = (
    Signature(
        "unexpected-certificate-1x",
        compiled(
            r"thumbprint given by the remote server is not what we expected\. The remote server identified as: "
            rf"(?P<actual>{_HEX}+) while we expected: (?P<expected>{_HEX}+)"
        ),
        ("the remote server identified as",),
        "either",
        "client",
        Level.INFO,
        Phase.SECURE,
        "The other end presented a different certificate from the expected one (wording of Octopus 1).",
        "Compare the two thumbprints, and enter the right one where the connection is opened.",
        "TT101",
    ),
    Signature(
        "unexpected-certificate-2x",
        compiled(
            r"the remote host was not authenticated\. This happens wh\w+ the remote host presents a different "
            r"certificate to the one we expected"
        ),
        ("the remote host was not authenticated",),
        "either",
        "client",
        Level.INFO,
        Phase.SECURE,
        "The other end presented a different certificate from the expected one (wording of Octopus 2).",
        "Compare the two thumbprints, and enter the right one where the connection is opened.",
        "TT101",
    ),
    Signature(
        "client-not-trusted-1x",
        compiled(
            r"thumbprint provided by the remote client is not in our list of trusted certificates.{0,200}?"
            rf"thumbprint: (?P<thumbprint>{_HEX}+)"
        ),
        ("remote client is not in our list of trusted",),
        "either",
        "listener",
        Level.INFO,
        Phase.TRUST,
        "A client came with a certificate that is not trusted here (wording of Octopus 1).",
        "Upgrade; then trust this thumbprint.",
        "TT103",
    ),
    Signature(
        "client-not-trusted-2x",
        compiled(
            rf"(?:the client at {PEER} )?provided a certificate with thumbprint "
            rf"'?(?P<thumbprint>{_HEX}+)?'?.{{0,200}}?while the server trusts"
        ),
        ("while the server trusts",),
        "either",
        "listener",
        Level.INFO,
        Phase.TRUST,
        "A client came with a certificate that is not trusted here (wording of Octopus 2).",
        "Upgrade; then trust this thumbprint.",
        "TT103",
    ),
    Signature(
        "not-trusted-there-2x",
        compiled(r"The request failed: Unauthorized|You are not authorized to access this resource"),
        ("the request failed: unauthorized", "not authorized to access this resource"),
        "either",
        "client",
        Level.WARN,
        Phase.TRUST,
        "The other end does not trust this one's certificate (wording of Octopus 2).",
        "Trust this thumbprint at the other end.",
        "TT105",
    ),
    Signature(
        "subscriber-unknown-2x",
        compiled(r"Unrecognised subscriber space|communication link \(subscription\) that is no longer valid"),
        ("unrecognised subscriber space", "(subscription) that is no longer valid"),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "The other end does not know this subscription any more: trust was reset on one side (Octopus 2).",
        "In the portal, on the machine's Connectivity tab: Reset.",
        "TT105",
    ),
    Signature(
        "aborted-2x",
        compiled(r"The remote host aborted the connection\. This can happen when the remote server does not trust"),
        ("the remote host aborted the connection",),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "The connection was broken off (wording of Octopus 2). The text speaks of trust, but it stands for any break.",
        "Find out who breaks it off: look into the other end's log at the same second, then at what lies between.",
        "TT106",
    ),
    Signature(
        "discovery-not-tls-2x",
        compiled(r"Failed to discover SQUID for (?P<host>[^\r\n]{1,200}).{0,2000}?" + NOT_TLS.pattern),
        ("failed to discover squid",),
        "server",
        "client",
        Level.WARN,
        Phase.SECURE,
        "A server of Octopus 2 looked for a Tentacle, and what answers there speaks no TLS, or is a Tentacle 1.x.",
        "Correct the address or the port; see what listens there; upgrade a Tentacle 1.x.",
        "TT121",
    ),
)
