"""What only a log tells: failures that no probe and no setting shows (guide, "Identify the Problem").

Each of these gives way to a cause that explains the same log and more besides.
"""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown

from .from_problem import from_problem, told


def _when(view: View, problem: Problem, *, peer_thumbprint_known: bool) -> Clue | None:
    """Of a certificate that was met: whether it is that of a machine of the inventory."""
    owners = view.scene.owners.get(str(problem.facts.get("thumbprint")), ())
    if bool(owners) is not peer_thumbprint_known:
        return None
    clue = told(view, problem)
    return Clue(facts=clue.facts | {"owner": ", ".join(owners[:3])})


def _known_certificate(view: View, problem: Problem) -> Clue | None:
    return _when(view, problem, peer_thumbprint_known=True)


def _unknown_certificate(view: View, problem: Problem) -> Clue | None:
    return _when(view, problem, peer_thumbprint_known=False)


def _too_many(view: View, problem: Problem) -> Clue | None:
    return told(view, problem) if problem.facts.get("subscription") else None


def _registered_twice(view: View, problem: Problem) -> Clue | None:
    return None if problem.facts.get("subscription") else told(view, problem)


def _sockets(view: View, problem: Problem) -> int | None:
    """How many connections a polling Tentacle has to a server's port; None where that is not known."""
    connections = view.survey.connections.data if view.survey else None
    try:
        entries = [entry for entry in view.subject.settings.trusted if entry.polls]
    except (Unknown, Blocked):
        return None
    if connections is None or view.subject.mode is not Mode.POLLING or not entries or problem.code != "TT115":
        return None
    return sum(connection.state == "established" for connection in connections)


def _busy(view: View, problem: Problem) -> Clue | None:
    number = _sockets(view, problem)
    if number == 0:
        return None
    if number is None:
        return Clue(
            confidence=Confidence.POSSIBLE,
            unsure="Look at the connections of {who} to tell a busy Tentacle from one that is not connected.",
        )
    return Clue(evidence=(Evidence(f"connections of {view.name}", f"{number} to a server's polling port"),))


_LINK = ("link",)
"""Who meets the same on the links from or to one server is told of in one line."""

LOGS: tuple[CauseKind, ...] = (
    from_problem(
        "TC101",
        "TT101",
        "The peer is met with another machine's certificate",
        "According to the log, {who} and {its} peer meet with a certificate that is {owner}'s, and not the expected "
        "one: the trust or the address is another machine's.",
        match=_known_certificate,
        fold_by=("thumbprint",),
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC102",
        "TT101",
        "The peer has a certificate that nobody expects",
        "According to the log, {who} and {its} peer meet with a certificate ({thumbprint}) that no machine of the "
        "inventory has: it was renewed, or entered wrongly.",
        match=_unknown_certificate,
        fold_by=("thumbprint",),
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC103",
        "TT102",
        "A foreign certificate comes back, at least at times",
        "According to the log, {subject} answers where {who} or {its} peer should: TLS is inspected on the way.",
        fold_by=("subject",),
        also=UNCONNECTED | {"TT101"},
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC104",
        "TT103",
        "A client is turned away for its thumbprint",
        "According to the log, the listening end does not trust the thumbprint {thumbprint}: on a Tentacle that is its "
        "server's, on a server it is a Tentacle's, whose machine may be disabled or deleted.",
        fold_by=("thumbprint",),
        also=UNCONNECTED | {"TT132"},
        echoes=ACROSS | {"TT105"},
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC105",
        "TT104",
        "A client comes without a certificate",
        "According to the log, somebody speaks to {who} as Octopus does, without a certificate: SSL offloading on the "
        "way, or a certificate so weak that it is not offered.",
        also=UNCONNECTED | {"TT132"},
        echoes=ACROSS | {"TT105"},
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC106",
        "TT105",
        "The other end hangs up after the handshake",
        "According to the log of {vantage}, the other end closes as soon as it knows the certificate: it does not "
        "trust it, or has a limit of connections.",
        fold_by=_LINK,
        also=UNCONNECTED | {"TT132", "TT106"},
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC107",
        "TT132",
        "The server is never let in",
        "{who} accept{s} the connections of {its} server and let{s} none of them in: at the usual level of logging, "
        "that is the only sign of a server that is not trusted, or of TLS that does not fit.",
        fold_by=("server",),
        also=frozenset({"TT105"}),
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC108",
        "TT117",
        "Several machines poll with one subscription",
        "According to the log of {vantage}, more connections poll with the subscription of {who} ({subscription}) than "
        "are allowed: copies of one machine, or too many polling connections are set.",
        match=_too_many,
        fold_by=("subscription",),
        echoes=frozenset({"TT105"}),
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC142",
        "TT117",
        "The Tentacle is registered several times",
        "According to the log of {vantage}, more than one machine in the portal has the thumbprint of {who}: it was "
        "registered twice, or is a copy of another.",
        match=_registered_twice,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC109",
        "TT106",
        "Connections are reset, though the probes succeed",
        "According to the log of {vantage}, connections with {far_end} are reset; the probes did not meet that.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC110",
        "TT107",
        "Connections are refused, though the probes succeed",
        "According to the log of {vantage}, connections to {far_end} are refused; the probes did not meet that.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC111",
        "TT108",
        "The address does not answer, though the probes succeed",
        "According to the log of {vantage}, connections to {far_end} are not answered; the probes did not meet that.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC112",
        "TT109",
        "Quiet connections are forgotten on the way",
        "According to the log of {vantage}, connections with {far_end} are made and go quiet: a firewall or NAT "
        "forgets idle connections, or a program hangs.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC113",
        "TT110",
        "A name does not resolve, though the probes succeed",
        "According to the log of {vantage}, the name in {far_end} does not resolve; the probes did not meet that.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC114",
        "TT112",
        "Connections are closed before TLS is up",
        "According to the log of {vantage}, connections to {far_end} are accepted and closed at once.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC115",
        "TT113",
        "Handshakes fail, though the probes succeed",
        "According to the log of {vantage}, the TLS handshake fails, though the probes succeed: the programs offer "
        "other versions or suites than the probes, or a peer with other settings connects.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS | {"TT112"},
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC116",
        "TT114",
        "A certificate is too weak for the system",
        "According to the log of {vantage}, its TLS library refuses a certificate for its key or hash.",
        fold_by=_LINK,
        also=UNCONNECTED | {"TT113", "TT112"},
        echoes=ACROSS,
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC117",
        "TT121",
        "What answers is no Octopus program",
        "According to the log of {vantage}, what answers connections to {far_end} is no Octopus program.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC122",
        "TT115",
        "The polling Tentacle's connections are all busy",
        "{who} {is} connected, and {does} not fetch requests in time: all polling connections are busy with others.",
        match=_busy,
        also=frozenset({"TT116"}),
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC123",
        "TT116",
        "A request is fetched and never answered",
        "Requests reach {who}, or a copy of it, and are not answered in time: a hung script, or a machine that is too "
        "slow.",
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC138",
        "TT133",
        "There is no route, though the probes succeed",
        "According to the log of {vantage}, there is no way to {far_end}; the probes did not meet that.",
        fold_by=_LINK,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
)
