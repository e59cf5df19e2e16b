"""Signatures of what is harmless, and of headings whose cause nobody knows (tentacle-seen 1.2 and 2, -history 5).

The harmless ones are a listener's words about a visitor that was no Halibut client; they are told from real trouble by
both the heading and what stands below it, so they come before the system's own texts.
"""

from __future__ import annotations

from .model import FIRST_LINE, HANDLING, PEER, URL, Level, Phase, Signature, compiled
from .texts import ABORTED, CANCELLED, NO_OBJECT, NOT_TLS, PAST_END, RESET, TIMED_OUT, UNEXPECTED_EOF

_UNHANDLED = rf"{FIRST_LINE}{HANDLING}:? ?{PEER}?.{{0,4000}}?"
_HEADING = rf"{FIRST_LINE}(?:{HANDLING}|Socket (?:IO )?exception):? ?{PEER}?"
_ENDED = _HEADING + r".{0,4000}?"
_UNHANDLED_KEYS = (
    "unhandled error when handling request from client",
    "unhandled error when processing request from client",
)
_SOCKET_KEYS = ("socket io exception:", "socket exception:")


def _note(slug: str, pattern: str, keys: tuple[str, ...], meaning: str, advice: str = "Nothing.") -> Signature:
    return Signature(
        slug, compiled(pattern), keys, "either", "listener", Level.DEBUG, Phase.HOST, meaning, advice, None
    )


VISITORS: tuple[Signature, ...] = (
    _note(
        "visitor-without-tls",
        rf"{FIRST_LINE}(?:Client failed authentication|{HANDLING}|Socket (?:IO )?exception):? ?{PEER}?.{{0,4000}}?"
        + NOT_TLS.pattern,
        ("client failed authentication", *_UNHANDLED_KEYS, *_SOCKET_KEYS),
        "Somebody spoke something else than TLS to the port: a probe, a scanner, a browser with http://; or a browser "
        "that no longer offers TLS 1.0 to a Tentacle of that time.",
        "Name the prober by its address; give a browser https://.",
    ),
    _note(
        "visitor-left-before-tls",
        _UNHANDLED + UNEXPECTED_EOF.pattern,
        _UNHANDLED_KEYS,
        "Somebody opened the port and closed it again: what a load balancer, monitoring or a port scanner does.",
        "Let it ask for the welcome page instead, or take the lines as they are.",
    ),
    _note(
        "client-left",
        rf"{_UNHANDLED}(?:{PAST_END.pattern}|{NO_OBJECT.pattern}.{{0,400}}?MessageExchangeStream)",
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
        rf"{_HEADING}.{{0,4000}}?(?:A task was cancell?ed|ObjectDisposedException)",
        (*_UNHANDLED_KEYS, *_SOCKET_KEYS),
        "The service was stopped while connections were open.",
    ),
    _note(
        "leak-note",
        rf"{FIRST_LINE}Failed to (?:release|close) (?:TcpClient|(?:the )?(?:stream|client))",
        ("failed to release", "failed to close"),
        "A connection could not be closed in good order, as when a service is stopped.",
    ),
    _note(
        "idle-connection",
        r"No messages received from client for timeout period",
        ("no messages received from client for timeout",),
        "A connection that nobody used was closed; it is opened again when it is wanted.",
    ),
    _note(
        "half-identity",
        rf"{FIRST_LINE}(?:{HANDLING}|Remote failed to identify itself).{{0,4000}}?{CANCELLED.pattern}",
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
        "retry",
        compiled(r"\A(?:\S+://\S+ +\d+ +)?Retry(?: attempt \d+|ing connection to \S+ - attempt #\d+)[. ]*\Z"),
        ("retry attempt", "retrying connection to"),
        "either",
        "client",
        Level.INFO,
        Phase.HOST,
        "It tries once more; why, stands in the lines before.",
        "Nothing.",
        None,
    ),
    Signature(
        "polling-loop",
        compiled(
            r"Halibut client exception: |Exception in the polling loop|"
            r"(?:Retrying in \d{1,6}[.,]\d+|sleeping for \d{1,3}) seconds"
        ),
        ("halibut client exception", "exception in the polling loop", "retrying in", "sleeping for"),
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
        compiled(
            r"(?:Connection initialization failed|Socket communication error) (?:while|with) connect(?:ing|ion) to +"
            rf"{URL}"
        ),
        ("connection initialization failed while", "socket communication error w"),
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
