"""The last command to register the Tentacle: where it failed and nothing repaired that, nobody else tells why.

The machine is not in the portal then, while its service, its port and its settings may all be well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_tentacle.hiding import hide
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.calls import registers
from pytest_tentacle.logs.model import LogCall, LogFile
from pytest_tentacle.logs.signatures import BY_ID

from .records import MACHINE_READS, logs_of, present_of
from .recovery import last_sign, polling_link_stands

FAILED = "TT136"

# Exceptions speak the system's language; the methods in their stack trace do not.
_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for kind, pattern in (
        (
            "generation",
            (
                r"cannot register a \S+ Octopus Tentacle with a|Please provide a thumbprint for this machine|"
                r"does not appear to be an Octopus server\. The response was:\s*(?:\Z|System\.Exception)"
            ),
        ),
        (
            "unconfirmed",  # OctopusTentacle#1296
            (
                r"The certificate presented by \S{1,300} (?:could not be validated|was not trusted|"
                r"has thumbprint \S{1,64} which does not match)|--server-web-socket-thumbprint"
            ),
        ),
        (
            "certificate",
            (
                r"Could not establish trust relationship|remote certificate (?:is|was) (?:invalid|rejected)|"
                r"certificate verify failed|PartialChain|UntrustedRoot|NotTimeValid|RemoteCertificateNameMismatch|"
                r"RemoteCertificateChainErrors|issued by an authority that is not trusted|"
                r"Vertrauensstellung|Remotezertifikat ist"
            ),
        ),
        (
            "store",  # dotnet/corefx#29942
            (
                r"LoadMachineStores|OpenSslCryptographicException: error:\w{1,12}:(?:BIO routines:\w*:no such file|"
                r"system library:f?open:)"
            ),
        ),
        ("renegotiation", r"unsafe legacy renegotiation disabled"),  # OpenSSL 3, in English everywhere
        (
            "tls",
            (
                r"Could not create SSL/TLS secure channel|An unexpected error occurred on a (?:send|receive)|"
                r"Authentication failed, see inner exception|SSL connection could not be established|"
                r"do not possess a common algorithm|alert protocol version|alert handshake failure|"
                r"AuthenticationException.{0,400}?---> System\.ComponentModel\.Win32Exception"
            ),
        ),
        ("certificate", r"\.(?:Start)?SendAuthResetSignal\b"),  # of a handshake that failed as well, told above
        ("proxy-refused", r"proxy tunnel request to proxy '[^'\n]{1,300}' failed with status code '(?!407)\d{3}'"),
        ("proxy", r"\(407\)|(?<!line )\b407\b|Proxy Authentication Required|Proxyauthentifizierung"),
        (
            "credentials",
            (
                r"API key you provided|must be logged in|not authori[sz]ed|Unauthorized(?!AccessException)|"
                r"do not have permission|"
                r"Invalid username or password|(?<!line )\b40[13]\b|Forbidden|insufficient permission"
            ),
        ),
        ("name", r"already exists in the environment|machine named .{1,200}? already exists|Use the '?-?-?force"),
        (
            "unknown-thing",
            (
                r"(?:Could not find|Unable to find|No|Cannot find) (?:the |a |an )?(?:environment|role|worker pool|"
                r"tenant|policy|machine policy|space|proxy)\b[^\n]{0,200}?(?:named|called|found|exist|on the)|"
                r"Could not find (?:the )?(?:machine )?policy|Tags? '[^'\n]{0,200}' could not be found|"
                r"Could not find the environment '|do not support adding workers|No \"space\" was specified|"
                r"A space with name \"[^\"\n]{0,200}\" (?:could not be found|was requested)"
            ),
        ),
        (
            "arguments",
            (
                r"UriFormatException|Invalid URI: |Octopus server URI given was invalid|"
                r"Please specify (?:a|an|the|one|your|only)\b|Unrecognized command line argument|"
                r"The value '[^'\n]{0,200}' is not valid|must start with (?:wss|poll)://|OptionException|"
                r"Option --\w+ can only be used with"
            ),
        ),
        ("handle", r"The handle is invalid|Das Handle ist ung"),
        ("rights", r"UnauthorizedAccessException|Access to the path '|Zugriff auf den Pfad"),
        ("not-trusted", r"is not yet trusted|No trusted server was found with the supplied"),
        (
            "no-certificate",
            (
                r"No certificate has been generated for this Tentacle|"
                r"NullReferenceException.{0,400}?RegisterMachineCommand\.Start\b"
            ),
        ),
        (
            "reach",
            (
                r"Unable to connect to the remote server|remote name could not be resolved|No such host is known|"
                r"actively refused|Connection refused|did not properly respond|operation has timed out|"
                r"Name or service not known|No route to host|timed? ?out|Unable to connect to the Octopus|"
                r"Resource temporarily unavailable|Network is unreachable|"
                r"Unable to communicate with the Octopus Server|"
                r"(?<!line )\b50[234]\b|Bad Gateway|Service ?Unavailable|Gateway Time-?out|"
                r"keine Verbindung mit dem Remoteserver|Remotename konnte nicht aufgel|"
                r"\.ConnectSocketInternal\b|System\.Net\.Sockets\.Socket\.(?:InternalConnect|DoConnect|EndConnect)\b"
            ),
        ),
        (
            "other-page",
            r"does not appear to be an Octopus|Unexpected character encountered while parsing|(?<!line )\b404\b|<html",
        ),
    )
)
_OUT_OF_TIME = re.compile(r"NotTimeValid|certificate (?:has expired|is not yet valid)", re.IGNORECASE)
"""In the words of .NET and OpenSSL: by the machine's own clock the certificate is not valid now."""
_TUNNEL = re.compile(r"to proxy 'https?://(?P<proxy>[^'/\n]{1,253})/?' failed with status code '(?P<status>\d{3})'")
"""In the words of .NET: the proxy that a call went through to the portal, and what it answered."""
_WORDS = 200
_CERTIFICATES = frozenset({"NewCertificateCommand", "ImportCertificateCommand"})
_HAS_IT = "name"
"""The kind of those that a script meets which registers a machine anew at each boot."""


@check(codes=(FAILED,), reads=MACHINE_READS)
def last_registration_succeeded(subject: Subject) -> Iterator[Finding]:
    """The last command to register it did so, or it works all the same."""
    if not subject.is_tentacle:
        return
    for log in logs_of(subject):
        call = next((call for call in reversed(log.calls) if registers(call.command)), None)
        if call is None:
            continue
        source = f"log of {subject.name}, {log.path}"
        if call.failure is None:
            yield Evidence(source, f"{called(call.command)} at {call.time} came to its end")
            continue
        try:
            why = works_all_the_same(subject, log, call)
        except Unknown as unread:
            yield unread
            continue
        if why is not None:
            yield Evidence(source, f"{called(call.command)} failed at {call.time}, and that is history: {why}")
        elif not is_told_elsewhere(call):
            yield failed_call(FAILED, subject, log, call, kind_of(hide(call.failure)))


def kind_of(failure: str) -> str:
    """Which kind of failure it is, by its words; `other` for what nobody knows."""
    return next((kind for kind, pattern in _KINDS if pattern.search(failure)), "other")


def is_told_elsewhere(call: LogCall) -> bool:
    """A text of the catalogue that calls write, and that is a problem of its own."""
    signature = BY_ID.get(call.signature or "")
    return signature is not None and signature.by_call and signature.code is not None


def works_all_the_same(subject: Subject, log: LogFile, call: LogCall) -> str | None:
    """Why a failed registration does not matter; None where it does. Raises Unknown where nobody can see that."""
    sign = last_sign(log)
    if sign is not None and sign > call.number:
        return "it worked with a server afterwards"
    if kind_of(hide(call.failure or "")) == _HAS_IT and _was_let_in(log, call):
        return "the portal has a machine of its name, and a server was let in before: it is registered"
    stands = polling_link_stands(present_of(subject))
    if stands is None and not is_told_elsewhere(call):
        raise Unknown(
            f"{called(call.command)} failed on {subject.name} at {call.time}, and whether the Tentacle is connected "
            "with a server all the same could not be seen",
            "Survey with an account that may see whose the connections are, or look in the portal.",
        )
    return "it is connected with a server" if stands else None


def _was_let_in(log: LogFile, call: LogCall) -> bool:
    """Whether it let a server in before, and has had no other certificate since."""
    numbers = [peer.authenticated_number for peer in log.peers if peer.authenticated_number is not None]
    last = max(numbers, default=call.number)
    return last < call.number and not any(
        other.command in _CERTIFICATES and last < other.number < call.number and other.failure is None
        for other in log.calls
    )


def failed_call(code: str, subject: Subject, log: LogFile, call: LogCall, kind: str) -> Problem:
    """A call that failed, with its own words."""
    failure = hide(call.failure or "")
    lines = [line.strip(" -") for line in failure.splitlines()]
    words = " ".join([line for line in lines if line and not line.startswith("at ")][:3])
    words = words if len(words) <= _WORDS else words[: _WORDS - 3] + "..."
    facts: dict[str, object] = {
        "log": log.path,
        "instance": subject.instance_name,
        "call": called(call.command),
        "kind": kind,
        "words": words,
        "out_of_time": _OUT_OF_TIME.search(failure) is not None,
    }
    tunnel = _TUNNEL.search(failure)
    if tunnel is not None:
        facts |= tunnel.groupdict()
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    if service is not None:
        facts["service"] = service.name
    return Problem(
        code,
        subject.name,
        expected=f"the last {called(call.command)} came to its end, or what followed shows that it does not matter",
        actual=f"{called(call.command)} at {call.time} failed: {words}",
        evidence=(Evidence(f"log of {subject.name}, {log.path}", f"{call.time}: {failure[:800]}"),),
        facts=facts,
    )


_CALLED = {
    "RegisterMachine": "register-with",
    "Poll": "poll-server",
    "PollingProxyConfiguration": "polling-proxy",
    "ProxyConfiguration": "proxy",
    "DeregisterMachine": "deregister-from",
}
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def called(command: str) -> str:
    """What a person types for it: `new-certificate` for `NewCertificateCommand`."""
    name = command.removesuffix("Command")
    return _CALLED.get(name) or _WORD.sub("-", name).lower()
