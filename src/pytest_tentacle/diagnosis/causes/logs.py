"""What only a log tells: failures that no probe and no setting shows (guide, "Identify the Problem").

Each of these gives way to a cause that explains the same log and more besides.
"""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.from_problem import from_problem, told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import AGAIN, REPLACE_BY_HAND, tentacle, when
from pytest_tentacle.guide.consequences import ACROSS, DOWN, STARTLESS, UNANSWERED, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.survey.configuration import TrustedServer

from .path.nodes import by_one_name, dropped_when_idle
from .process import proxy_not_found, trusts_as_before


def _when(view: View, problem: Problem, *, peer_thumbprint_known: bool) -> Clue | None:
    """Of a certificate that was met: whether it is that of a machine of the inventory."""
    owners = view.scene.owners.get(str(problem.facts.get("thumbprint")), ())
    if (
        _differs_in_case_alone(problem)
        or bool(owners) is not peer_thumbprint_known
        or _listening_end(view, problem) in owners
    ):
        return None
    clue = told(view, problem)
    met = problem.facts.get("thumbprint") or "the log does not say which"  # and not the one that is expected
    return Clue(facts=clue.facts | {"owner": ", ".join(owners[:3]), "thumbprint": met})


def _listening_end(view: View, problem: Problem) -> str | None:
    """Name of the machine that listens: the Tentacle where its server's log tells, else the server."""
    return view.name if view.vantage_of(problem) != view.name else view.server_of(problem)


def _old_one_is_expected(view: View, problem: Problem, *, by_the_server: bool) -> Clue | None:
    """The certificate is the very one of the machine that listens: who connects was told an old thumbprint."""
    listens = _listening_end(view, problem)
    owners = view.scene.owners.get(str(problem.facts.get("thumbprint")), ())
    if listens is None or listens not in owners or (listens == view.name) is not by_the_server:
        return None
    if _differs_in_case_alone(problem):
        return None
    clue = told(view, problem)
    seen = Evidence(f"certificate of {listens}", f"{problem.facts.get('thumbprint')} is its own")
    return Clue(facts=clue.facts | {"owner": listens} | _as_configured(view, problem), evidence=(seen,))


def _as_configured(view: View, problem: Problem) -> dict[str, bool]:
    """Whether the file still has the thumbprint that the process expects: else a restart is all that is wanting."""
    try:
        settings = view.subject.settings
    except (Unknown, Blocked):
        return {}
    expected = problem.facts.get("expected_thumbprint")
    return {} if settings.trusted_error else {"in_file": expected in {each.thumbprint for each in settings.trusted}}


def _differs_in_case_alone(problem: Problem) -> bool:
    """Whether the expected thumbprint is the one that was met, but for upper and lower case."""
    expected, met = (str(problem.facts.get(name) or "") for name in ("expected_thumbprint", "thumbprint"))
    return expected != met and expected.upper() == met.upper()


def _in_another_case(view: View, problem: Problem) -> Clue | None:
    if not _differs_in_case_alone(problem):
        return None
    clue = told(view, problem)
    return replace(clue, facts=clue.facts | _as_configured(view, problem))


def _server_expects_an_old_one(view: View, problem: Problem) -> Clue | None:
    return _old_one_is_expected(view, problem, by_the_server=True)


def _tentacle_expects_an_old_one(view: View, problem: Problem) -> Clue | None:
    return _old_one_is_expected(view, problem, by_the_server=False)


def _known_certificate(view: View, problem: Problem) -> Clue | None:
    return _when(view, problem, peer_thumbprint_known=True)


def _unknown_certificate(view: View, problem: Problem) -> Clue | None:
    return _when(view, problem, peer_thumbprint_known=False)


def _too_many(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if problem.facts.get("subscription") else None


def _registered_twice(view: View, problem: Problem) -> Clue | None:
    return None if problem.facts.get("subscription") else told(view, problem)


def _polled(view: View) -> list[TrustedServer]:
    """The entries that it polls, as far as its settings could be read."""
    try:
        return [entry for entry in view.subject.settings.trusted if entry.polls]
    except (Unknown, Blocked):
        return []


def _sockets(view: View, problem: Problem) -> int | None:
    """How many connections a polling Tentacle has to a server's port; None where that is not known."""
    connections = view.survey.connections.data if view.survey else None
    entries = _polled(view)
    if connections is None or view.subject.mode is not Mode.POLLING or not entries or problem.code != "TT115":
        return None
    return sum(connection.state == "established" for connection in connections)


def _busy(view: View, problem: Problem) -> Clue | None:
    number = _sockets(view, problem)
    if number == 0 or dropped_when_idle(view, problem) is not None or by_one_name(view, problem) is not None:
        return None
    if number is None:
        return Clue(
            confidence=Confidence.POSSIBLE,
            unsure="Look at the connections of {who} to tell a busy Tentacle from one that is not connected.",
        )
    evidence = Evidence(f"connections of {view.name}", f"{number} to a server's polling port")
    return Clue(facts={"connections": _more_than(number // len(_polled(view)))}, evidence=(evidence,))


def _more_than(each: int) -> int:
    """Polling connections to each server, where so many are all busy: those of a worker, or twice as many as now."""
    return min(max(5, 2 * each), 512)


_LINK = ("link",)
"""Who meets the same on the links from or to one server is told of in one line."""


def _without_a_server(view: View, problem: Problem) -> Clue | None:
    if trusts_as_before(view, problem) is not None:
        return None
    settings = "Look at the settings of {who}: where they trust the server by now, the service only needs a restart."
    return replace(told(view, problem), unsure=settings)


_FATAL = {"TT118": frozenset({"proxy-host-form", "web-proxy-settings"}), "TT120": frozenset({"web-socket-unsupported"})}
"""Signatures of settings with which a process does not come through its start, among those of links."""


def ends_the_start(view: View, problem: Problem) -> bool:
    """Whether it is one of settings that keep the process from starting, and none runs."""
    return problem.facts.get("signature") in _FATAL[problem.code] and bool(view.codes & DOWN)


def _ended(view: View, problem: Problem) -> Clue | None:
    return _with_proxy(view, problem) if ends_the_start(view, problem) else None


def _on_the_way(view: View, problem: Problem) -> Clue | None:
    if ends_the_start(view, problem) or proxy_not_found(view, problem) is not None:
        return None
    return _with_proxy(view, problem)


def _by_a_gateway(view: View, problem: Problem) -> Clue | None:
    return _on_the_way(view, problem) if problem.facts.get("status") else None


def _past_no_gateway(view: View, problem: Problem) -> Clue | None:
    return None if problem.facts.get("status") or _is_unsupported(problem) else _on_the_way(view, problem)


def _is_unsupported(problem: Problem) -> bool:
    return problem.facts.get("signature") in _FATAL["TT120"]


def _cannot_poll(view: View, problem: Problem) -> Clue | None:
    return _on_the_way(view, problem) if _is_unsupported(problem) else None


def _web_certificate(view: View, problem: Problem) -> Clue | None:
    """Of a web socket: another certificate that bears the name that is polled. Inspection would bear it as well."""
    endpoint = str(problem.facts.get("endpoint") or "").lower()
    host, subject = str(problem.facts.get("host") or "").lower(), str(problem.facts.get("subject") or "").lower()
    own = host and (host in subject or f"*.{host.partition('.')[2]}" in subject)
    if not endpoint.startswith("wss://") or not own or problem.facts.get("vantage"):
        return None
    clue = told(view, problem)
    return replace(clue, facts=clue.facts | _as_configured(view, problem))


def _with_proxy(view: View, problem: Problem) -> Clue:
    """Whether the file has such a proxy by now: else a restart is all that is wanting."""
    clue = told(view, problem)
    try:
        settings = view.subject.settings
    except (Unknown, Blocked):
        return clue
    proxy = settings.web_proxy if problem.facts.get("command") == "proxy" else settings.polling_proxy
    return replace(clue, facts=clue.facts | {"proxied": bool(proxy.host or proxy.use_default)})


_SHOW = tentacle('show-thumbprint --instance "<instance>"')
_REPLACE = tentacle(
    'update-trust --instance "<instance>" --oldThumbprint "<expected_thumbprint>" --newThumbprint "<thumbprint>"', AGAIN
)
_IN_CAPITALS = tuple((*when("in_file", calls[0]), calls[1]) for calls in _REPLACE)
"""Whoever else has the same thumbprint is met by it as well."""
_UPDATE = tuple(
    (
        *when("replaceable", *when("in_file", calls[0]), calls[1]),
        *when("unreplaceable", REPLACE_BY_HAND),
    )
    for calls in _REPLACE
)

_FROM_ITS_START = "A process reads its settings when it starts."
_TRUST_IT = f"Let the Tentacle trust the current thumbprint instead of the old one, and restart it. {_FROM_ITS_START}"
_UPPER_CASE = (
    f"Enter it in upper case where the connection is opened: in the portal, or on a polling Tentacle. {_FROM_ITS_START}"
)

_BY_TCP = (
    "Register it for the server's polling port (register-with with --server-comms-port 10943, or an address on 443 "
    "with --server-comms-address), without --server-web-socket; to see what it is set to:"
)
_SHOW_CONFIGURATION = tentacle('show-configuration --instance "<instance>"')
_WEB_TRUST = (
    "On the server, see which certificate the web server has now (netsh http show sslcert). Only if it is the one that "
    f"the log names, let the Tentacle trust that instead of the old one, and restart it. {_FROM_ITS_START}"
)

LOGS: tuple[CauseKind, ...] = (
    from_problem(
        "TC1011",
        "TT101",
        "The peer presents another machine's certificate",
        "According to the log, {who} and {its} peer see {owner}'s certificate instead of the expected one: the "
        "trust or the address belongs to another machine.",
        match=_known_certificate,
        fold_by=("thumbprint",),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1013",
        "The server has an old thumbprint of the Tentacle",
        "{vantage} expects the thumbprint {expected_thumbprint} of {who}, whose certificate is {thumbprint}: the "
        "portal has an old thumbprint, from before a renewal.",
        frozenset({"TT101", "TT102"}),
        ("In the portal, enter the current thumbprint in the machine's settings. To show it:", *_SHOW[0]),
        ("In the portal, enter the current thumbprint in the machine's settings. To show it:", *_SHOW[1]),
        _server_expects_an_old_one,
        consequences=UNCONNECTED | {"TT145", "TT132"},
        echoes=ACROSS,
        fold_by=("thumbprint",),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1014",
        "The Tentacle has an old thumbprint of its server",
        "{who} expect{s} the thumbprint {expected_thumbprint} of {owner}, whose certificate is {thumbprint}: the "
        "server's certificate was renewed, and {who} {is} still set to the old one.",
        frozenset({"TT101", "TT102"}),
        (_TRUST_IT, *_UPDATE[0]),
        (_TRUST_IT, *_UPDATE[1]),
        _tentacle_expects_an_old_one,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("thumbprint",),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1015",
        "The expected thumbprint differs only in upper and lower case",
        "{vantage} expects the thumbprint {expected_thumbprint}, and meets {thumbprint}: the same, but the connecting "
        "end compares it letter by letter, and Octopus writes it in upper case.",
        frozenset({"TT101"}),
        (_UPPER_CASE, *_IN_CAPITALS[0]),
        (_UPPER_CASE, *_IN_CAPITALS[1]),
        _in_another_case,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        fold_by=("thumbprint",),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1021",
        "The certificate under the web socket was renewed",
        "By web socket {who} trust{s} the web server's certificate ({expected_thumbprint}), and now meet{s} another "
        "one of the same name ({thumbprint}, {subject}): it was renewed, unless something in between opens TLS.",
        frozenset({"TT102"}),
        (_WEB_TRUST, *_UPDATE[0]),
        (_WEB_TRUST, *_UPDATE[1]),
        _web_certificate,
        consequences=UNCONNECTED | {"TT101"},
        echoes=ACROSS,
        fold_by=("thumbprint",),
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1012",
        "TT101",
        "The peer presents an unknown certificate",
        "According to the log, {who} and {its} peer see a certificate ({thumbprint}) that belongs to no machine "
        "of the inventory: it was renewed, or entered wrongly.",
        match=_unknown_certificate,
        fold_by=("thumbprint",),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1031",
        "TT103",
        "A client is rejected because of its thumbprint",
        "According to the log of {vantage}, it does not trust the thumbprint {thumbprint}, and turns away who comes "
        "with it. Where a Tentacle listens, that is its server's thumbprint; where a server listens, it is a "
        "Tentacle's, whose machine may be disabled or deleted.",
        fold_by=("thumbprint",),
        consequences=UNCONNECTED | {"TT132"},
        echoes=ACROSS | {"TT105"},
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1051",
        "TT105",
        "The other end hangs up after the handshake",
        "According to the log of {vantage}, the other end closes the connection as soon as it sees the "
        "certificate: it does not trust it, or limits the number of connections.",
        fold_by=_LINK,
        consequences=UNCONNECTED | {"TT132", "TT106"},
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC1321",
        "TT132",
        "The server is never accepted",
        "{who} accept{s} connections from {its} server, but complete{s} none of them: at the usual log level "
        "that is the only sign of a server that is not trusted, or of a TLS mismatch.",
        fold_by=("server",),
        consequences=frozenset({"TT105"}),
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC1171",
        "TT117",
        "Several machines poll with one subscription",
        "According to the log of {vantage}, more connections poll with the subscription of {who} ({subscription}) than "
        "are allowed: copies of one machine, or too many polling connections are set.",
        match=_too_many,
        fold_by=("subscription",),
        consequences=UNCONNECTED | {"TT105"},
        echoes=frozenset({"TT105"}),
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1172",
        "TT117",
        "The Tentacle is registered several times",
        "According to the log of {vantage}, more than one machine in the portal has the thumbprint of {who}: it was "
        "registered twice, or is a copy of another.",
        match=_registered_twice,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1151",
        "TT115",
        "The polling Tentacle's connections are all busy",
        "{who} {is} connected, but {does} not fetch requests in time: all polling connections are busy with "
        "other requests.",
        match=_busy,
        consequences=frozenset({"TT116"}),
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1271",
        "TT127",
        "The running process has no server to work with",
        "According to the log, the process of {who} trusts no server, or skips a server's entry.",
        match=_without_a_server,
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1182",
        "TT118",
        "The proxy's settings keep the process from starting",
        "According to the log, the settings of {who} name an invalid proxy, such as a host with http:// in front "
        "of it, and the process cannot finish starting.",
        match=_ended,
        consequences=DOWN | STARTLESS,
        echoes=UNANSWERED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1202",
        "TT120",
        "The program cannot poll by web socket",
        "According to the log, {who} {is} set to poll by web socket, which the program cannot do on that system, "
        "and the process cannot finish starting.",
        match=_ended,
        consequences=DOWN | STARTLESS,
        echoes=UNANSWERED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1204",
        "This Tentacle cannot poll by web socket",
        "According to the log, {who} {is} set to poll by web socket, which only a Tentacle on the .NET Framework, on "
        "Windows Server 2012 or later, can do.",
        frozenset({"TT120"}),
        (_BY_TCP, *_SHOW_CONFIGURATION[0]),
        (_BY_TCP, *_SHOW_CONFIGURATION[1]),
        _cannot_poll,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1181",
        "TT118",
        "The proxy cannot be used",
        "According to the log, {who} cannot connect through the proxy: it cannot be reached, or it is not a proxy. (It "
        "says: {words})",
        match=_on_the_way,
        fold_by=("host", "port"),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1191",
        "TT119",
        "The proxy refuses the tunnel",
        "According to the log, the proxy answers {who} with {status}: 407 asks for credentials, 403 forbids the port, "
        "502 and 503 mean that the proxy itself cannot reach the destination.",
        fold_by=("status",),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC1201",
        "TT120",
        "The server's web socket cannot be reached",
        "According to the log, {who} cannot open a web socket to {its} server.",
        match=_past_no_gateway,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1203",
        "A gateway answers instead of the server's web socket",
        "According to the log, something between {who} and {its} server opens TLS and HTTP, and answers the web socket "
        "itself with status {status}: a balancer, gateway or proxy that does not get through to the server.",
        frozenset({"TT120"}),
        (
            "Let it pass TLS through as TCP; or poll on the polling port, or on 443 without web sockets:",
            *CATALOGUE["TT120"].windows[1:],
        ),
        (
            "Let it pass TLS through as TCP; or poll on the polling port, or on 443 without web sockets:",
            *CATALOGUE["TT120"].linux[1:],
        ),
        _by_a_gateway,
        consequences=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
)
