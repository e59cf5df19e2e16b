"""Speak Halibut's identity lines, only when the user asked for it (`--probe-identity`).

Without a client certificate a Tentacle closes without a byte and logs at Debug; a peer that answered would log an Error
when we leave (tentacle-seen 1.2). The connection is one of its own: a page was asked for on the other.
"""

from __future__ import annotations

from . import failures, wire
from .connecting import connect_stage
from .deadline import Deadline, Stopwatch
from .model import Failure, Identity
from .securing import readable, tls_stage

_LINE = 1_000


def identity_stage(host: str, address: str, port: int, deadline: Deadline) -> Identity:
    """Connect once more, send `MX` and `MX-CLIENT` without a certificate, and record the first line that comes."""
    watch = Stopwatch()
    connection, connected = connect_stage((address,), port, deadline)
    if connection is None:
        return Identity(ms=watch.ms, error=_word(connected.error), detail=connected.detail)
    with connection:
        stream, secured = tls_stage(connection, host, deadline)
        if stream is None:
            return Identity(ms=watch.ms, error=_word(secured.error), detail=secured.detail)
        received = b""
        try:
            stream.write(wire.PREAMBLE)
            stream.write(wire.CLIENT_IDENTITY)
            while b"\n" not in received and len(received) < _LINE:
                piece = stream.read()
                if not piece:
                    break
                received += piece
        except OSError as error:
            failure = failures.of_stream(error)
            if failure is Failure.RESET and not received:
                # the peer closed with our second line unread: the same refusal, as TCP tells it
                failure = Failure.UNTRUSTED
            return Identity(ms=watch.ms, error=_word(failure), detail=str(error), line=_line(received))
    if not received:
        return Identity(ms=watch.ms, error=Failure.UNTRUSTED, detail="closed without a byte")
    line = _line(received)
    known = line is not None and line.startswith("MX-SERVER")
    return Identity(ms=watch.ms, error=None if known else Failure.OTHER, line=line)


def _word(failure: Failure | None) -> Failure:
    """The words that may stand at this stage; the detail has the rest."""
    return failure if failure in {Failure.TIMED_OUT, Failure.UNTRUSTED} else Failure.OTHER


def _line(received: bytes) -> str | None:
    return readable(received.partition(b"\n")[0].rstrip(b"\r")) if received else None
