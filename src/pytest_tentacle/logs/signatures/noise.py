"""Signatures of what is harmless, and of headings whose cause nobody knows (tentacle-seen 1.2 and 2).

The harmless ones are a listener's words about a visitor that was no Halibut client; they are told from real trouble by
both the heading and what stands below it, so they come before the system's own texts.
"""

from __future__ import annotations

from .model import FIRST_LINE, PEER, URL, Level, Phase, Signature, compiled
from .texts import ABORTED, CANCELLED, PAST_END, RESET, TIMED_OUT, UNEXPECTED_EOF

_UNHANDLED = rf"{FIRST_LINE}Unhandled error when handling request from client:? ?{PEER}?.{{0,4000}}?"
_HEADING = rf"{FIRST_LINE}(?:Unhandled error when handling request from client|Socket IO exception):? ?{PEER}?"
_ENDED = _HEADING + r".{0,4000}?"
_UNHANDLED_KEYS = ("unhandled error when handling request from client",)
_SOCKET_KEYS = ("socket io exception:",)


def _note(slug: str, pattern: str, keys: tuple[str, ...], meaning: str, advice: str = "Nothing.") -> Signature:
    return Signature(
        slug, compiled(pattern), keys, "either", "listener", Level.DEBUG, Phase.HOST, meaning, advice, None
    )


VISITORS: tuple[Signature, ...] = (
    _note(
        "visitor-left-before-tls",
        _UNHANDLED + UNEXPECTED_EOF.pattern,
        _UNHANDLED_KEYS,
        "Somebody opened the port and closed it again: what a load balancer, monitoring or a port scanner does.",
        "Let it ask for the welcome page instead, or take the lines as they are.",
    ),
    _note(
        "client-left",
        _UNHANDLED + PAST_END.pattern,
        _UNHANDLED_KEYS,
        "A trusted client ended its connection; it says so at every such end.",
    ),
    _note(
        "visitor-sent-one-character",
        _UNHANDLED + r"Index and length must refer to a location within the string",
        _UNHANDLED_KEYS,
        "Somebody sent a single character and left.",
    ),
    _note(
        "closed-by-stop",
        rf"{_UNHANDLED}A task was cancell?ed|{FIRST_LINE}Failed to release TcpClient",
        (*_UNHANDLED_KEYS, "failed to release tcpclient"),
        "The service was stopped while connections were open.",
    ),
    _note(
        "half-identity",
        FIRST_LINE
        + r"(?:Unhandled error when handling request from client|Remote failed to identify itself).{0,4000}?"
        + CANCELLED.pattern,
        (*_UNHANDLED_KEYS, "remote failed to identify itself"),
        "A trusted client began to name itself and did not come to an end.",
    ),
    _note(
        "visitor-reset",
        _ENDED + RESET.pattern,
        (*_UNHANDLED_KEYS, *_SOCKET_KEYS),
        "A client reset its connection: an idle one that was given up, a port scanner, or a client that expects "
        "another "
        "thumbprint than this end's (with TLS 1.3).",
        "If it comes from the other end of the link, look into that one's log at the same second.",
    ),
    _note(
        "visitor-went-away",
        _ENDED + ABORTED.pattern,
        (*_UNHANDLED_KEYS, *_SOCKET_KEYS),
        "A client did not wait for its answer, as the server's own discovery does.",
    ),
    _note(
        "visitor-said-nothing",
        _ENDED + TIMED_OUT.pattern,
        (*_UNHANDLED_KEYS, *_SOCKET_KEYS),
        "A connection was opened or kept open, and nobody spoke on it until its time was over.",
    ),
    _note(
        "script-pod",
        r"Unexpected Script Pod log line number|The Script Pod '(?P<word>[^']{1,200})' could not be found",
        ("unexpected script pod log line", "the script pod '"),
        "Kubernetes agent: a script's pod was evicted, or its log rotated. This suite does not cover that agent.",
        "See Octopus's page on troubleshooting the Kubernetes agent.",
    ),
)

GENERIC: tuple[Signature, ...] = (
    Signature(
        "polling-loop",
        compiled(r"Halibut client exception: |Exception in the polling loop"),
        ("halibut client exception", "exception in the polling loop"),
        "tentacle",
        "client",
        Level.WARN,
        Phase.TALK,
        "Polling failed, for a reason that is not in this catalogue, and is tried again.",
        "Read the record; if it comes only once it puts itself right.",
        "TT131",
    ),
    Signature(
        "request-failed",
        compiled(
            rf"An error occurred when sending a request to '{URL}', "
            r"(?:before the request could begin|after the request began): (?P<detail>.{0,500})"
        ),
        ("an error occurred when sending a request to",),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "A request failed for a reason that is not in this catalogue. Whether it says before or after the request "
        "began "
        "means nothing.",
        "Read the record to its end: the cause stands in its last lines.",
        "TT131",
    ),
    Signature(
        "initialization-failed",
        compiled(rf"(?:Connection initialization failed|Socket communication error) while connecting to {URL}"),
        ("connection initialization failed while", "socket communication error while"),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "A connection failed for a reason that is not in this catalogue.",
        "Read the record to its end: the cause stands in its last lines.",
        "TT131",
    ),
    Signature(
        "transaction-failed",
        compiled(r"Unexpected exception executing transaction"),
        ("unexpected exception executing transaction",),
        "either",
        "client",
        Level.WARN,
        Phase.TALK,
        "An exchange failed for a reason that is not in this catalogue.",
        "Read the record to its end: the cause stands in its last lines.",
        "TT131",
    ),
    Signature(
        "unhandled-visitor",
        compiled(_HEADING),
        (*_UNHANDLED_KEYS, *_SOCKET_KEYS),
        "either",
        "listener",
        Level.WARN,
        Phase.HOST,
        "A connection from outside ended in an error that is not in this catalogue.",
        "Read the record to its end.",
        None,
    ),
)
