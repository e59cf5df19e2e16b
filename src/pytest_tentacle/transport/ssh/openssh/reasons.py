"""Why OpenSSH's client did not log on, in one line, out of its own log.

The texts are OpenSSH's own at LogLevel DEBUG3 (its sshconnect.c, sshconnect2.c, kex.c, packet.c, channels.c).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pytest_tentacle.transport import kerberos
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.ssh.config import Endpoint
from pytest_tentacle.transport.ssh.error import (
    DroppedError,
    dropped,
    no_key_exchange,
    no_ssh,
    no_way_on,
    one_line,
    too_late,
)
from pytest_tentacle.transport.ssh.tcp import CHECK_THE_NAME, advice
from pytest_tentacle.transport.ssh.trust import untrusted

from .hops import Hop

METHOD = "gssapi-with-mic"
"""RFC 4462's name for a log-on by a ticket."""

_NO_GSSAPI = re.compile(r'unsupported option "gssapiauthentication"', re.IGNORECASE)
_UNRESOLVED = re.compile(r"^ssh: Could not resolve hostname \S+: (.+)$", re.MULTILINE)
_ATTEMPT = re.compile(r"^debug1: connect to address (\S+) port \d+: (.+)$", re.MULTILINE)
_NO_CONNECTION = re.compile(r"^ssh: connect to host \S+ port \d+: (.+)$", re.MULTILINE)
_BANNER = re.compile(r"^debug1: Remote protocol version \S+, remote software version (.+)$", re.MULTILINE)
_NO_BANNER = re.compile(
    r"^banner exchange: Connection to \S+ port \d+: (?!Broken pipe|Connection reset)(.+)$", re.MULTILINE
)
_OTHER_WORDS = re.compile(
    r"^debug1: kex_exchange_identification: banner line 0: (?!Exceeded MaxStartups|Not allowed at this time)(.+)$",
    re.MULTILINE,
)
"""What came in a banner's place. An sshd that is too busy says one of those two, older or newer, and hangs up."""
_CLOSED = re.compile(
    r"^kex_exchange_identification: |^Connection (?:closed|reset) by |^banner exchange: ", re.MULTILINE
)
_SILENT = re.compile(
    r"^Connection timed out during banner exchange|^Connection to \S+ port \d+ timed out$", re.MULTILINE
)
_NO_KEYS_AGREED = re.compile(r"^Unable to negotiate with .* port \d+: (.+)$", re.MULTILINE)
_SHOWN_KEY = re.compile(r"^debug1: Server host key: (\S+) (SHA256:\S+)$", re.MULTILINE)
_NOT_TRUSTED = "Host key verification failed."
_ACCEPTS = re.compile(r"^debug1: Authentications that can continue: (.*)$", re.MULTILINE)
_TRIED = f"debug1: Next authentication method: {METHOD}\n"
_PARTLY = "with partial success."
_TAKEN = re.compile(r"^debug3: receive packet: type 60$", re.MULTILINE)
"""SSH_MSG_USERAUTH_GSSAPI_RESPONSE: the server is there for a ticket of this user."""
_SENT = f"debug2: we sent a {METHOD} packet"
_PROVEN = re.compile(r"^debug3: send packet: type 66$", re.MULTILINE)
"""SSH_MSG_USERAUTH_GSSAPI_MIC: both ends have proven themselves; what is left is whether the user may log on."""
_LOGGED_ON = re.compile(r"^Authenticated to ", re.MULTILINE)
_NO_WAY_ON = re.compile(r"^channel \d+: open failed: (.+)$", re.MULTILINE)
_TRIED_ALL = "debug1: No more authentication methods to try."
_NOT_OF_THE_LIBRARY = re.compile(r"^(?:debug\d: |Received disconnect |Disconnected |Connection )")
"""The library's text begins in a line of ssh's own (`debug1: Unspecified GSS failure. ...`), and ends in the next."""
_NOISE = re.compile(r"^(?:debug\d: .*|\s*|@.*)$")

_NO_OFFER = (
    "Let its SSH server take tickets (sshd_config: GSSAPIAuthentication yes, and a keytab with host/<its full name>), "
    "or log on by a key: leave out auth: kerberos."
)
_NOT_THIS_USER = (
    "Let that ticket's owner (klist shows whose it is) log on as this user: by a line in the user's ~/.k5login on the "
    "machine, or by the same name in its own realm. AllowUsers and AllowGroups may keep the user out, too; the log of "
    "its SSH server tells."
)
_NO_KEYTAB = (
    "On the machine, `klist -k` must show host/<its full name> with the key that the domain has now; the log of its "
    "SSH server says why, at LogLevel DEBUG."
)
_NO_SUCH_USER = (
    "Is there such a user on the machine, in this spelling? If so, its SSH server finds no key for its own host name: "
    "`klist -k` there must show host/<its full name>, and `hostname` that name (else: GSSAPIStrictAcceptorCheck no)."
)


def banner(log: str) -> str:
    """What the server calls itself; empty where it has not said."""
    found = _BANNER.search(log)
    return found[1] if found else ""


def explained(hops: Sequence[Hop], said: Callable[[Hop], str], deadline: Deadline) -> TransportError:
    """The error for a log-on that has ended without success."""
    if _NO_GSSAPI.search(said(hops[-1])):
        return TransportError(
            ReachStage.START,
            "this machine's ssh was built without Kerberos (GSSAPI)",
            "Install one that has it (Alpine Linux: openssh-client-krb5), or log on by a key.",
        )
    for position, hop in enumerate(hops):
        log = said(hop)
        if not _LOGGED_ON.search(log):
            return _of_hop(hop, log, deadline, is_jump=position < len(hops) - 1)
        if (refused := _NO_WAY_ON.search(log)) is not None:
            return no_way_on(hops[position + 1].endpoint.label, one_line(refused[1]))
    return TransportError(
        ReachStage.AUTHENTICATE,
        one_line(f"ssh ended after it had logged on to {hops[-1].endpoint.label}{_last_words(said(hops[-1]))}", 400),
        "See the SSH server's own log; a forced command, MaxSessions or a restricted shell refuses sessions.",
    )


def unfinished(hops: Sequence[Hop], said: Callable[[Hop], str], deadline: Deadline) -> TransportError:
    """The error for a log-on that had not ended by the deadline."""
    for hop in hops:
        log = said(hop)
        if _LOGGED_ON.search(log) and hop is not hops[-1]:
            continue
        if _TRIED in log:
            where = "the log-on by Kerberos was not finished (does the domain's controller answer?)"
        elif not banner(log):
            where = "no SSH banner came"
        else:
            where = "the key exchange was not finished"
        return too_late(hop.endpoint.label, where, deadline)
    raise RuntimeError("there is always a machine at the end of the way")


def _of_hop(hop: Hop, log: str, deadline: Deadline, *, is_jump: bool) -> TransportError:
    error = _of_connection(hop.endpoint, log) or _of_handshake(hop, log, deadline)
    if error is not None:
        return error
    if _ACCEPTS.search(log):
        return _refusal(hop, log, role="jump host " if is_jump else "")
    return TransportError(
        ReachStage.CONNECT,
        one_line(f"ssh did not log on to {hop.endpoint.label}{_last_words(log)}", 400),
        "Try it by hand on this machine: ssh -v shows more.",
    )


def _of_connection(endpoint: Endpoint, log: str) -> TransportError | None:
    if (unresolved := _UNRESOLVED.search(log)) is not None:
        kind = DroppedError if "Temporary failure" in unresolved[1] else TransportError
        return kind(
            ReachStage.RESOLVE, f"{endpoint.host} cannot be resolved: {one_line(unresolved[1])}", CHECK_THE_NAME
        )
    if (failed := _NO_CONNECTION.search(log)) is not None:
        told = "; ".join(f"{address}: {why}" for address, why in _ATTEMPT.findall(log)) or failed[1]
        return TransportError(
            ReachStage.CONNECT,
            f"no connection to {endpoint.label} ({one_line(told)})",
            advice(endpoint.port, silent="timed out" in told, refused="refused" in told),
        )
    return None


def _of_handshake(hop: Hop, log: str, deadline: Deadline) -> TransportError | None:
    label = hop.endpoint.label
    error: TransportError | None = None
    if _NOT_TRUSTED in log and (shown := _SHOWN_KEY.search(log)) is not None:
        error = untrusted(hop.endpoint, hop.known, shown[1], shown[2])
    elif _SILENT.search(log):
        error = too_late(label, "no answer by SSH came", deadline)
    elif (disagreed := _NO_KEYS_AGREED.search(log)) is not None:
        error = no_key_exchange(label, one_line(disagreed[1]))
    elif (others := _OTHER_WORDS.search(log)) is not None and not banner(log):
        error = no_ssh(label, f"it says {one_line(others[1], 80)}")
    elif (not_read := _NO_BANNER.search(log)) is not None:
        error = no_ssh(label, one_line(not_read[1]))
    elif not banner(log) and _CLOSED.search(log):
        error = dropped(label)
    elif banner(log) and not _ACCEPTS.search(log):
        error = no_key_exchange(label, one_line(_last_words(log).removeprefix(": ")) or "the connection was closed")
    return error


def _refusal(hop: Hop, log: str, role: str) -> TransportError:
    label, user = f"{role}{hop.endpoint.label}", hop.endpoint.user
    accepted = _ACCEPTS.findall(log)
    if _TRIED not in log:
        what, todo = f"{label} takes no Kerberos tickets (it accepts {accepted[0] or 'nothing'})", _NO_OFFER
    elif _PARTLY in log:
        what = f"{label} took the ticket, but wants a further proof of user {user} ({accepted[-1]})"
        todo = "Let a ticket be enough there (AuthenticationMethods), or log on by a key: leave out auth: kerberos."
    elif (told := _of_library(log)) is not None:
        text, (what, todo) = told
        what = f"no log-on to {label} by Kerberos: {what} ({text})"
    elif _SENT not in log:
        what, todo = kerberos.UNKNOWN
        what = f"no log-on to {label} by Kerberos: {what}"
    elif _PROVEN.search(log):
        what, todo = f"{label} knows whose the ticket is, and refused user {user}", _NOT_THIS_USER
    elif _TAKEN.search(log):
        what, todo = f"{label} could not read the ticket for user {user}", _NO_KEYTAB
    else:
        what, todo = f"{label} refused user {user} before it looked at the ticket", _NO_SUCH_USER
    return TransportError(ReachStage.AUTHENTICATE, one_line(what, 600), todo)


def _of_library(log: str) -> tuple[str, tuple[str, str]] | None:
    """What Kerberos itself told, here or at the server, and what that means; None where it told nothing."""
    told = log.partition(_TRIED)[2].partition(_TRIED_ALL)[0]
    texts = [line for line in told.splitlines() if line.strip() and not _NOT_OF_THE_LIBRARY.match(line)]
    for text in texts:
        if (known := kerberos.reason_of_text(text)) is not None:
            return text, known
    return (texts[0], kerberos.UNKNOWN) if texts else None


def _last_words(log: str) -> str:
    lines = [line for line in log.splitlines() if not _NOISE.match(line)]
    return f": {lines[-1]}" if lines else ""
