"""The Tentacle's own certificate (guide, "Check the Tentacle Thumbprint")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue, whenever
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import RESTART_LINUX, RESTART_WINDOWS, UNTRUSTED, tentacle
from pytest_tentacle.judging.finding import Evidence, Problem

_SHOW = tentacle('show-thumbprint --instance "<instance>"')
_NEW = tentacle(
    'new-certificate --instance "<instance>"',
    'show-thumbprint --instance "<instance>"',
    'service --restart --instance "<instance>"',
)

_MISTRUSTED = UNTRUSTED | {"TT101"}


def _mixed_up(view: View, problem: Problem) -> Clue | None:
    """The declared thumbprint is the real one of another machine."""
    declared = str(problem.facts.get("expected_thumbprint"))
    other = next(
        (
            name
            for name in view.scene.owners.get(declared, ())
            if name != view.name and view.scene.view(name).subject.configured_thumbprint == declared
        ),
        None,
    )
    if other is None:
        return None
    return Clue(facts={"other": other}, evidence=(Evidence("all surveyed machines", f"{declared} is {other}'s"),))


def _reinstalled(view: View, problem: Problem) -> Clue | None:
    return Clue() if _mixed_up(view, problem) is None else None


def _clone(_view: View, problem: Problem) -> Clue:
    others = problem.facts.get("others")
    return Clue(facts={"others": ", ".join(others[:3]) if isinstance(others, tuple) else None})


THUMBPRINT: tuple[CauseKind, ...] = (
    CauseKind(
        "TC401",
        "The Tentacle has another certificate than the inventory and the server know",
        "{who} {has} another certificate than declared: the Tentacle was set up again, or its certificate renewed.",
        frozenset({"TT401"}),
        ("Enter the Tentacle's thumbprint in the machine's settings in the portal, and in the inventory:", *_SHOW[0]),
        ("Enter the Tentacle's thumbprint in the machine's settings in the portal, and in the inventory:", *_SHOW[1]),
        _reinstalled,
        also=_MISTRUSTED,
        rank=45,
    ),
    CauseKind(
        "TC402",
        "The inventory gives a machine another one's thumbprint",
        "The thumbprint that the inventory declares for {who} is that of {other}: two entries are mixed up, or the "
        "machine was restored from the other one's backup.",
        frozenset({"TT401"}),
        ("Compare both machines' thumbprints with the portal, and correct the entries:", *_SHOW[0]),
        ("Compare both machines' thumbprints with the portal, and correct the entries:", *_SHOW[1]),
        _mixed_up,
        also=_MISTRUSTED,
        rank=45,
    ),
    CauseKind(
        "TC403",
        "The service still runs with its old certificate",
        "The configuration of {who} has a new certificate, and the running process still presents the old one: it was "
        "not restarted.",
        frozenset({"TT402"}),
        ("Restart the service:", RESTART_WINDOWS),
        ("Restart the service:", RESTART_LINUX),
        whenever,
        also=_MISTRUSTED,
        rank=30,
    ),
    CauseKind(
        "TC404",
        "Machines are copies of one another, with one certificate",
        "{who} {has} one and the same certificate {thumbprint}: copies of one image. A deployment to one may run on "
        "the other.",
        frozenset({"TT403"}),
        ("Give each copy, not the original, a certificate of its own, and register it again:", *_NEW[0]),
        ("Give each copy, not the original, a certificate of its own, and register it again:", *_NEW[1]),
        _clone,
        also=frozenset({"TT117", "TT116", "TT401", "TT413"}),
        fold_by=("thumbprint",),
        rank=40,
    ),
)
