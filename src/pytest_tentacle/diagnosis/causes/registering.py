"""Why a call failed that was to register a Tentacle, or to change something else (guide, "Identify the Problem")."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Final

from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import TRUST_FIRST, WITH_TLS_12, when
from pytest_tentacle.guide.consequences import STARTLESS, UNANSWERED, UNTRUSTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.sections.identify.index import ahead_of_ours

_AGAIN = "then run it again"
_LOG = ('$ Select-String -LiteralPath "<log>" -Pattern "Register" -Context 0,20', '$ grep -A 20 "Register" "<log>"')
_PORTAL = (
    f'{WITH_TLS_12} Invoke-WebRequest -UseBasicParsing "<portal>/api"',
    '$ curl -v --max-time 10 "<portal>/api"',
)


_CLOCK_IS_WRONG: Final = timedelta(hours=1)
"""What a clock is off by that makes a certificate invalid more likely than its own dates do."""


def _of(*kinds: str) -> Callable[[View, Problem], Clue | None]:
    def match(view: View, problem: Problem) -> Clue | None:
        if problem.facts.get("kind") not in kinds or _by_its_clock(view, problem) is not None:
            return None
        return told(view, problem)

    return match


def _by_its_clock(view: View, problem: Problem) -> Clue | None:
    """The certificate is not valid now, says a machine whose clock is wrong."""
    ahead = ahead_of_ours(view.subject)
    if not problem.facts.get("out_of_time") or ahead is None or abs(ahead) < _CLOCK_IS_WRONG:
        return None
    hours = abs(ahead) // timedelta(hours=1)
    off = f"{hours} hours {'ahead of' if ahead > timedelta() else 'behind'} the machine that runs pytest"
    clue = told(view, problem)
    return replace(clue, facts=clue.facts | {"off": off}, evidence=(Evidence(f"clock of {view.name}", off),))


_NEEDS = {
    "arguments": "it was called without something that it needs, or with a value that it cannot use, such as an "
    "address that is no whole URL.",
    "handle": "it was called by a service: from 3.15.8 on the command needs a console, and a service has none.",
    "no-certificate": "it was called before the instance had a certificate. Tentacles before 6.1 make none by "
    "themselves, and those of 2.0 end with a null reference.",
    "not-trusted": "it is a call for a server that this Tentacle does not trust yet.",
    "rights": "whoever called it may not write the instance's files.",
    "unconfirmed": "the certificate of the web socket cannot be validated on this machine, or is another one than the "
    "call names, and nobody confirmed it. Newer Tentacles do not trust it by themselves.",
}
"""By the kind of a failure: what the call lacked."""

_WHAT_IT_NEEDS = (
    *when(
        "arguments",
        "Correct the call, which the log's first words name: --server and --server-comms-address take a whole URL "
        "(https://octopus.example.com, https://octopus.example.com:10943), --environment and --role or --workerpool "
        "are needed, and one kind of credentials. A container or chart has them in its variables (ServerUrl, "
        "ServerCommsAddress, TargetEnvironment ...). Then run it again:",
    ),
    *when("handle", "Call it in a session, or as a scheduled task, instead of a service:"),
    *when("no_certificate", "Make a certificate first (new-certificate --if-blank), then run it again:"),
    *when("not_trusted", "Trust the server first (configure --trust with its thumbprint), then run it again:"),
    *when("rights", "Run it again as an administrator, or with sudo:"),
    *when(
        "unconfirmed",
        "Compare the thumbprint in the log with that of the certificate where TLS of the web socket ends (http.sys, "
        "IIS, a reverse proxy; not the server's own one of port 10943). Where it is the same, run it again with "
        "--server-web-socket-thumbprint and that thumbprint. Where it is not, find out who answers there first:",
    ),
)


def _lacks(view: View, problem: Problem) -> Clue | None:
    lacking = _NEEDS.get(str(problem.facts.get("kind")))
    if lacking is None:
        return None
    clue = told(view, problem)
    return replace(
        clue, facts=clue.facts | {"lacking": lacking} | {_flag(kind): kind == problem.facts["kind"] for kind in _NEEDS}
    )


def _flag(kind: str) -> str:
    return kind.replace("-", "_")


def _cause(
    digit: int, kinds: tuple[str, ...], title: str, why: str, *, what: str, commands: tuple[str, str] = _LOG
) -> CauseKind:
    return CauseKind(
        f"TC136{digit}",
        title,
        f"The last command to register {{who}} failed: {why} (The log says: {{words}})",
        frozenset({"TT136"}),
        (f"{what}, {_AGAIN}:", commands[0]),
        (f"{what}, {_AGAIN}:", commands[1]),
        _of(*kinds),
        consequences=UNTRUSTED | {"TT320", "TT310", "TT315"},
        fold_by=("kind",),
        rank=35,
        confidence=Confidence.LIKELY,
    )


_NETWORK = re.compile(r"(?:\A|[\s,;])(?P<network>[\da-fA-F.:]{2,45}/\d{1,3})(?=\Z|[\s,;])")
_PROXY_OPENS_NO = "the proxy {proxy}, through which the call went, opens no tunnel to the portal (status {status})"
_WHY_NO_TUNNEL = {
    "proxy": "the proxy in front of the portal requires credentials (407). Commands go through the proxy that is set "
    "for polling, and a listening Tentacle's through the one for web requests.",
    "proxy-refused": f"{_PROXY_OPENS_NO}.",
    "past": f"{_PROXY_OPENS_NO}. NO_PROXY names the network of its server ({{network}}), which .NET does not read "
    "there: it knows names, domains and single addresses.",
}
_WHY_NO_TLS = {
    "tls": "the call and the portal found no common TLS. Until about Tentacle 3.3.10 calls speak TLS 1.0 only, and "
    "later ones what .NET is set to.",
    "renegotiation": "what ends TLS in front of the portal (a load balancer, a reverse proxy, a device that inspects "
    "TLS) does not know secure renegotiation (RFC 5746), and OpenSSL 3 speaks with none that does not.",
    "store": "whoever ran the call may not read one of the files with the system's trusted certificates, or one is a "
    "link to nothing, and the .NET of this version ends at that instead of leaving it out.",
}
_NO_TUNNEL = (
    *when(
        "proxy_",
        "Give the Tentacle the proxy's user and password (polling-proxy, or proxy), or let the proxy pass it, then run "
        "it again:",
    ),
    *when(
        "proxy_refused",
        "Have the proxy let this machine through to the portal; or, where the portal is reached without it, name the "
        "portal in NO_PROXY (of whoever runs the call), by the name or address that the call has. Then run it again:",
    ),
    *when(
        "past",
        "In NO_PROXY (of whoever runs the call) name the portal itself, by the name or address that the call has, or "
        "its domain (.example.com), besides the network, which other programs may read. Then run it again:",
    ),
)
_NO_TLS = (
    *when(
        "tls",
        "Upgrade the Tentacle, or see which versions of TLS .NET may use here and the portal allows, then run it "
        "again:",
    ),
    *when(
        "renegotiation",
        "Update that device, or have the call reach the portal past it, then run it again. To allow unsafe "
        "renegotiation in this machine's openssl.cnf instead would weaken every program on it. See who answers:",
    ),
    *when(
        "store",
        "Nothing is wrong with the portal's certificate. As the user that runs the call, see which file it is (find -L "
        "/etc/ssl/certs -not -readable; find /etc/ssl/certs -xtype l). Let everybody read it (chmod 644: certificates "
        "are no secret, and a private key does not belong there), or remove the link, then run it again. A newer "
        "Tentacle leaves such a file out. Check that the portal answers others:",
    ),
)


def _varied(kinds: tuple[str, ...], why: dict[str, str]) -> Callable[[View, Problem], Clue | None]:
    """With words that hang on more than the cause: `why`, and a flag for each kind that has a remedy of its own."""
    match = _of(*kinds)

    def varied(view: View, problem: Problem) -> Clue | None:
        clue = match(view, problem)
        if clue is None:
            return None
        kind, facts = str(problem.facts["kind"]), dict(clue.facts)
        if kind == "proxy-refused" and (network := _unread_network(view, problem)) is not None:
            kind, facts["network"] = "past", network
        known = {name: problem.facts.get(name) or "in its way" for name in ("proxy", "status")} | facts
        flags = {("proxy_" if name == "proxy" else _flag(name)): name == kind for name in why}
        return replace(clue, facts=facts | {"why": why[kind].format_map(known)} | flags)

    return varied


def _unread_network(view: View, problem: Problem) -> str | None:
    """A network in NO_PROXY that holds a server's address, beside the proxy that the call went through.

    Calls on Windows are .NET Framework's, which reads no such variable.
    """
    proxies = view.survey.proxies.data if view.survey and view.system == "linux" else None
    addresses = [each for peer in view.peers for each in view.scene.view(peer).subject.known_addresses]
    for proxy in proxies or ():
        if not proxy.enabled or str(problem.facts.get("proxy")) not in (proxy.address or ""):
            continue
        for found in _NETWORK.finditer(proxy.bypass or ""):
            if any(_holds(found["network"], address) for address in addresses):
                return found["network"]
    return None


def _holds(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False


def _varied_cause(
    digit: int,
    title: str,
    match: Callable[[View, Problem], Clue | None],
    words: tuple[str, ...],
    commands: tuple[str, str],
) -> CauseKind:
    return CauseKind(
        f"TC136{digit}",
        title,
        "The last command to register {who} failed: {why} (The log says: {words})",
        frozenset({"TT136"}),
        (*words, commands[0]),
        (*words, commands[1]),
        match,
        consequences=UNTRUSTED | {"TT320", "TT310", "TT315"},
        fold_by=("kind",),
        rank=35,
        confidence=Confidence.LIKELY,
    )


REGISTERING: tuple[CauseKind, ...] = (
    _cause(
        1,
        ("certificate",),
        "Registering failed: the portal's web certificate is not trusted",
        "the machine does not trust the certificate of the Octopus portal (HTTPS). The agent's own link is not "
        "affected.",
        what="Let the machine trust who issued the portal's certificate, or give the portal one that it trusts",
        commands=_PORTAL,
    ),
    _varied_cause(
        2,
        "Registering failed: no TLS with the portal",
        _varied(("tls", "renegotiation", "store"), _WHY_NO_TLS),
        _NO_TLS,
        _PORTAL,
    ),
    _cause(
        3,
        ("credentials",),
        "Registering failed: the portal refuses the user",
        "the API key or user is wrong, has expired, or lacks the right to create machines there.",
        what="Take a valid API key of a user that may view environments and create machines in that space",
    ),
    _cause(
        4,
        ("reach", "other-page"),
        "Registering failed: the portal cannot be reached",
        (
            "its address does not resolve, cannot be reached from the machine, or belongs to something else; a "
            "web proxy may be needed."
        ),
        what="Check that this machine reaches the portal by that address (or through its web proxy)",
        commands=_PORTAL,
    ),
    _cause(
        5,
        ("name",),
        "Registering failed: the portal has a machine of that name",
        "another machine, or an earlier registration of this one, has the name.",
        what="Take another name (--name); or, only if the entry in the portal is this machine's own, --force",
    ),
    _cause(
        6,
        ("unknown-thing",),
        "Registering failed: the portal does not have what the call names",
        "an environment, pool, tenant, policy, proxy or space of the call does not exist in the portal, the user may "
        "not see it, or it is a dynamic pool, which takes no workers of one's own.",
        what="Correct the name, or create it in the portal (and name the space with --space)",
    ),
    _varied_cause(
        0,
        "Registering failed: a proxy does not let the call through",
        _varied(("proxy", "proxy-refused"), _WHY_NO_TUNNEL),
        _NO_TUNNEL,
        _PORTAL,
    ),
    _cause(
        7,
        ("generation",),
        "Registering failed: Tentacle and server versions are incompatible",
        "their versions are incompatible. Tentacle 3 and later need an Octopus Server 3 or later; and Tentacles up to "
        "3.2 take the empty answer of a server 3.1.6 or later on its polling port for that of another program, a "
        "known defect.",
        what="Upgrade the Tentacle to the server's version, or the server to its generation",
    ),
    CauseKind(
        "TC1368",
        "Registering failed: the command lacks what it needs",
        "The last command to register {who} failed: {lacking} (The log says: {words})",
        frozenset({"TT136"}),
        (*_WHAT_IT_NEEDS, _LOG[0]),
        (*_WHAT_IT_NEEDS, _LOG[1]),
        _lacks,
        consequences=UNTRUSTED | {"TT320", "TT310", "TT315"},
        fold_by=("kind",),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    _cause(
        9,
        ("other",),
        "Registering failed",
        "for an unrecognised reason.",
        what="Fix what the log says",
    ),
)

_SET_CLOCK = (
    "Set the clock right and keep it so (a virtual machine's stands still while it is paused), then run the "
    "command again. If the portal's certificate is still refused then, its own dates are the reason:"
)

BY_ITS_CLOCK = CauseKind(
    "TC9721",
    "Registering failed: the machine's clock is wrong",
    "The last command to register {who} failed because the portal's certificate is not valid now, by the clock of "
    "{who}, which is {off}. (The log says: {words})",
    frozenset({"TT136", "TT972"}),
    (_SET_CLOCK, "$ w32tm /query /status"),
    (_SET_CLOCK, "$ timedatectl status"),
    _by_its_clock,
    consequences=UNTRUSTED | {"TT320", "TT310", "TT315"},
    fold_by=("off",),
    rank=35,
    confidence=Confidence.LIKELY,
    told_apart_by=frozenset({"host"}),
)

_FINISH = (
    "Fix what the log says, then run the rest of the setup from that command on. Registering lets the Tentacle trust "
    "its server and is followed by a start of the service; where it is registered in the portal already:"
)


def broken_off(view: View) -> Problem | None:
    """The call that failed before the service was ever to run: no server is trusted, and no agent began in its log."""
    call = next((problem for problem in view.problems if problem.code in {"TT136", "TT151"}), None)
    logs = view.survey.logs.data if view.survey else None
    if call is None or "TT320" not in view.codes:
        return None
    began = any(log.startup is not None for log in logs or () if log.path == call.facts.get("log"))
    return None if began else call


def _never_ran(view: View, _problem: Problem) -> Clue | None:
    call = broken_off(view)
    if call is None or "TT205" in view.codes:
        return None
    said = {name: call.facts.get(name) for name in ("call", "words")}
    trusts_nobody = next(problem for problem in view.problems if problem.code == "TT320")
    facts = trusts_nobody.facts | told(view, trusts_nobody).facts | said
    return Clue(facts=facts, evidence=call.evidence)


BROKEN_OFF = CauseKind(
    "TC2026",
    "The setup broke off before the service was started",
    "The service on {who} has never run: its setup broke off when {call} failed, and no server is trusted yet. To "
    "start it would not help. (The log says: {words})",
    frozenset({"TT201", "TT202"}),
    (_FINISH, *TRUST_FIRST[0]),
    (_FINISH, *TRUST_FIRST[1]),
    _never_ran,
    consequences=STARTLESS | {"TT320"},
    echoes=UNANSWERED,
    rank=36,
    confidence=Confidence.LIKELY,
)

_LOG_OF_CALLS = ('$ Get-Content -Tail 200 -LiteralPath "<log>"', '$ tail -n 200 "<log>"')


def _call_cause(
    digit: int, kind: str, title: str, why: str, *, what: str, commands: tuple[str, str] = _LOG_OF_CALLS
) -> CauseKind:
    return CauseKind(
        f"TC151{digit}",
        title,
        f"The last {{call}} on {{who}} failed: {why} (The log says: {{words}})",
        frozenset({"TT151"}),
        (f"{what}:", commands[0]),
        (f"{what}:", commands[1]),
        _of(kind),
        fold_by=("kind", "call"),
        rank=95,
        confidence=Confidence.LIKELY,
    )


CALLS: tuple[CauseKind, ...] = (
    BROKEN_OFF,
    BY_ITS_CLOCK,
    _call_cause(
        1,
        "not-registered",
        "A command for one server failed: the Tentacle is not registered with it like that",
        "the server has no machine with this thumbprint, or this Tentacle does not trust or poll that server; until "
        "Tentacle 4.0 poll-server also refuses workers. A further node is not polled until it succeeds.",
        what="Register the Tentacle with the server first (register-with, register-worker), then run the command again",
    ),
    _call_cause(
        2,
        "cryptography",
        "A command could not make or read a certificate",
        "the system's cryptography does not do what it needs: FIPS mode on Linux, a Windows without the update for "
        "SHA-256, or a file of another format or password. The previous certificate is still in use.",
        what="Make the certificate on another machine and import it (import-certificate), or put the system right",
        commands=("$ Get-HotFix | Sort-Object InstalledOn", "$ cat /proc/sys/crypto/fips_enabled"),
    ),
    _call_cause(
        3,
        "service",
        "A command could not change the service",
        "the service manager refused it, most often for lack of rights (a Tentacle without root needs sudo for it). "
        "The previous process still runs, with its old version and settings.",
        what="Do it as an administrator or with sudo, at a moment when no deployment runs",
        commands=('$ Get-Service -Name "<service>"', '$ systemctl status "<service>"'),
    ),
    _call_cause(
        4,
        "portal",
        "A command could not work with the portal",
        "the Octopus portal was not reached, was not trusted, refused the user, or does not have what the call names.",
        what="Fix what the log says, then run the command again",
    ),
    _call_cause(
        5,
        "other",
        "A command failed",
        "what it was to change is as it was before.",
        what="Read what the log says; if it is still wanted, fix that and run the command again",
    ),
    _call_cause(
        6,
        "certificate-file",
        "A certificate could not be imported",
        "its file is not there, has another password, or holds no private key that the program can use: it was "
        "exported without the key, or made with a newer provider (CNG), which Tentacles of that time cannot read. A "
        "PFX must be called .pfx: by another name it is read as base64. The previous certificate is still in use.",
        what="If it is still wanted, export the certificate with its private key as a .pfx file and import that; or "
        "let the Tentacle make its own (new-certificate)",
    ),
    _call_cause(
        7,
        "profile",
        "A command needs the profile of its user",
        "it makes a private key, which Windows keeps in the user's profile, and ran in a session without one, as over "
        "WinRM or from a deployment tool.",
        what="Run it, and what was to follow it, in a session that loads the profile: a logon, a scheduled task or "
        "runas /profile",
    ),
)
