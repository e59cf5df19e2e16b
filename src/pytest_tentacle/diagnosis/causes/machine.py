"""Certificates, connections, disks, clocks and versions, as far as a check of their own proves them."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, Confidence
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import ACROSS, STARTLESS, UNANSWERED, UNCONNECTED, UNREACHED
from pytest_tentacle.judging.finding import Problem

from .from_problem import from_problem, told


def _holds_none(view: View, problem: Problem) -> Clue | None:
    """Less sure where its log tells of a failure that is not known."""
    clue = told(view, problem)
    if "TT131" not in view.codes:
        return clue
    return replace(
        clue,
        confidence=Confidence.POSSIBLE,
        unsure="The log tells of a failure that is not known here: read what it says of {who} first.",
    )


MACHINE: tuple[CauseKind, ...] = (
    from_problem(
        "TC411",
        "TT413",
        "Copies of one machine poll with one subscription",
        "{who} poll{s} with a subscription that another machine has as well: copies of one image. Each gets a part of "
        "what is meant for the other.",
        also=frozenset({"TT403", "TT116", "TT117", "TT401"}),
        rank=40,
    ),
    from_problem(
        "TC412",
        "TT414",
        "The service's account cannot use the certificate's private key",
        "Windows could not use the private key of the certificate of {who} for the service: its account may not read "
        "the key, or the key is gone.",
        also=frozenset({"TT122", "TT505", "TT113", "TT112", "TT524", "TT528"}),
        rank=15,
    ),
    from_problem(
        "TC551",
        "TT551",
        "The server hangs up on a polling Tentacle",
        "The way from {who} to {its} server is open, and yet the Tentacle's process holds no connection: the server "
        "does not trust its thumbprint, the machine is disabled or deleted in the portal, or the process is stuck.",
        match=_holds_none,
        also=frozenset({"TT115"}),
        fold_by=("server",),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC552",
        "TT552",
        "Half-closed connections pile up",
        "On {who} connections that the other end closed pile up (CLOSE_WAIT): something breaks them off, or the "
        "process is stuck.",
        also=UNANSWERED | {"TT128"},
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC553",
        "TT553",
        "Only the Tentacle's own process is kept from the server",
        "A probe on {who} reaches the server, and the Tentacle's own process does not: an outbound rule or a security "
        "product for its program or account.",
        also=UNCONNECTED | UNREACHED,
        echoes=ACROSS,
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC971",
        "TT971",
        "A disk is nearly full",
        "A disk of {who} has too little free space for a Tentacle to work.",
        also=STARTLESS | {"TT125", "TT203"},
        rank=12,
    ),
    from_problem(
        "TC972",
        "TT972",
        "The clocks are more than a day apart",
        "The clock of {who} and that of the other end are more than a day apart: certificates, log-ons and the times "
        "in logs suffer.",
        also=frozenset({"TT113", "TT525", "TT527"}),
        rank=45,
    ),
    from_problem(
        "TC973",
        "TT973",
        "A known defect of the installed version",
        "{who} {has} version {version}, which has a known defect (mended in {fixed}), and just what that does is seen.",
        fold_by=("version",),
        also=STARTLESS | UNANSWERED | {"TT111", "TT203"},
        rank=20,
        confidence=Confidence.LIKELY,
    ),
)
