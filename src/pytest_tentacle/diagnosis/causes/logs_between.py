"""What only a log tells of something between the two ends (guide, "Other Error Messages")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.judging.finding import Problem

from .from_problem import from_problem, told
from .logs_start import ends_the_start


def _on_the_way(view: View, problem: Problem) -> Clue | None:
    return None if ends_the_start(view, problem) else told(view, problem)


LOGS_BETWEEN: tuple[CauseKind, ...] = (
    from_problem(
        "TC118",
        "TT118",
        "The proxy cannot be used",
        "According to the log, {who} {does} not get through the proxy on the way: it cannot be reached, or is none.",
        match=_on_the_way,
        fold_by=("host", "port"),
        also=UNCONNECTED,
        echoes=ACROSS,
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC119",
        "TT119",
        "The proxy refuses the tunnel",
        "According to the log, the proxy answers {who} with {status}: 407 wants a user, 403 forbids the port, 502 and "
        "503 say that it does not reach the destination itself.",
        fold_by=("status",),
        also=UNCONNECTED,
        echoes=ACROSS,
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC120",
        "TT120",
        "The server's web socket is not reached",
        "According to the log, {who} {does} not get a web socket of {its} server.",
        match=_on_the_way,
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC134",
        "TT951",
        "A web page is inserted into the communication",
        "According to the log, a web server speaks where {who} or {its} peer should: a firewall, a proxy or a load "
        "balancer answers in its place.",
        fold_by=("link",),
        also=UNCONNECTED | {"TT121", "TT113"},
        echoes=ACROSS,
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC135",
        "TT952",
        "The peer does not name itself",
        "According to the log, the other end of {who} stays silent where it should name itself: often an old Tentacle "
        "with a weak certificate.",
        also=UNCONNECTED,
        echoes=ACROSS | {"TT105"},
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC136",
        "TT953",
        "Traffic is changed on its way",
        "According to the log, what {who} receive{s} is not what Octopus sends: traffic is changed on its way, or "
        "another program answers.",
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
    from_problem(
        "TC137",
        "TT954",
        "Messages are cut short",
        "According to the log, messages with {who} break off before their end.",
        also=UNCONNECTED,
        echoes=ACROSS,
        confidence=Confidence.POSSIBLE,
    ),
)
