"""Who trusts whom (guide, "Communication Settings" and "Check the Tentacle Thumbprint")."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.octopus_words import old_registration, thumbprints_screen
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.diagnosis.wording import listed
from pytest_tentacle.guide.commands import SERVER_EXE, TRUST_ANEW, TRUST_SERVER, tentacle
from pytest_tentacle.guide.consequences import BROKEN_TRUST
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.entries import Entry, entries_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.thumbprints import as_thumbprint

_SEVERAL = 2


def _trusted(view: View) -> tuple[str, ...]:
    try:
        entries = view.subject.settings.trusted
    except (Unknown, Blocked):
        return ()
    return tuple(dict.fromkeys(filter(None, (as_thumbprint(entry.thumbprint) for entry in entries))))


def _old_of(view: View) -> str:
    trusted = _trusted(view)
    return trusted[0] if len(trusted) == 1 else ""


def _other_server(view: View, problem: Problem) -> str | None:
    """The server of the inventory that it trusts in place of its own."""
    own = problem.facts.get("server")
    owners = (name for thumbprint in _trusted(view) for name in view.scene.owners.get(thumbprint, ()))
    return next((name for name in owners if name in view.scene.fleet.servers and name != own), None)


def polled_tentacle(view: View) -> tuple[Entry, str] | None:
    """The entry by which it polls a Tentacle of the inventory, and that Tentacle's name."""
    if view.subject.mode is not Mode.POLLING:
        return None
    try:
        entries = entries_of(view.subject.settings)
    except (Unknown, Blocked):
        return None
    for entry in entries:
        owners = view.scene.owners.get(as_thumbprint(entry.thumbprint) or "", ())
        others = [owner for owner in owners if owner != view.name]
        if others and not any(owner in view.scene.fleet.servers for owner in owners):
            return entry, others[0]
    return None


def _differs_from_declared(server: View | None) -> Problem | None:
    """The problem of a server that presents another thumbprint than the inventory declares."""
    return next((problem for problem in server.problems if problem.code == "TT404"), None) if server else None


def _many_trust_the_old(view: View, problem: Problem) -> bool:
    """Whether this server is not trusted by most of its Tentacles: then it is the server that changed."""
    server = view.peer(problem)
    if server is None:
        return False
    missing = view.scene.count("TT321", server=server.name)
    return missing >= _SEVERAL and missing * 2 >= len(server.peers)


def _renewed_server(view: View, problem: Problem) -> Clue | None:
    if _other_server(view, problem) is not None or not _many_trust_the_old(view, problem):
        return None
    server = view.peer(problem)
    if _differs_from_declared(server):
        return None
    # Of several servers the problem knows which entry is this one's.
    facts = {"configured": old} if (old := _old_of(view)) else {}
    screen = thumbprints_screen(view, server)
    if server is not None and not server.answers_itself:
        doubt = "Nobody saw which certificate {server} presents: the thumbprint of the inventory may be an old one."
        return Clue(facts=facts, evidence=screen, confidence=Confidence.POSSIBLE, unsure=doubt)
    return Clue(facts=facts, evidence=screen)


def _trusts_another(view: View, problem: Problem) -> Clue | None:
    other = _other_server(view, problem)
    if other is None:
        return None
    return Clue(
        facts={"other": other}, evidence=(Evidence("inventory and surveys", f"the trusted thumbprint is {other}'s"),)
    )


def _untrusted(view: View, problem: Problem) -> Clue | None:
    if _other_server(view, problem) is not None or _many_trust_the_old(view, problem) or polled_tentacle(view):
        return None
    screen = thumbprints_screen(view, view.peer(problem))
    others = [name for name in view.scene.nameless if name in view.scene.fleet.servers]
    if others and _trusted(view):
        doubt = f"Nobody saw the certificate of {listed(others)}: what {{who}} trusts may be that server's."
        return Clue(evidence=screen, confidence=Confidence.POSSIBLE, unsure=doubt)
    return Clue(evidence=screen)


def _no_thumbprint(view: View, problem: Problem) -> Clue | None:
    """What is trusted is no thumbprint; without what is too much in it, it would be the server's."""
    pasted = {other.facts.get("thumbprint"): other for other in view.problems if other.code == "TT322"}
    if problem.code == "TT322":
        return Clue()
    meant = pasted.get(problem.facts.get("thumbprint"))
    return Clue(facts={"configured": meant.facts.get("configured")}) if meant else None


def _declared_is_old(view: View, problem: Problem) -> Clue | None:
    """All of the server's Tentacles that were read trust what it presents."""
    presented = problem.facts.get("thumbprint")
    readable = [trusted for peer in view.peers if (trusted := _trusted(view.scene.view(peer)))]
    if not readable or not all(presented in trusted for trusted in readable):
        return None
    evidence = Evidence("settings of its Tentacles", f"{len(readable)} of them trust {presented}")
    return Clue(facts={"server": view.name, "presented": presented}, evidence=(evidence,))


def _presents_another(view: View, problem: Problem) -> Clue | None:
    """Of the server itself, and of its Tentacles that still trust what the inventory declares."""
    if problem.code == "TT321":
        server = view.peer(problem)
        told = _differs_from_declared(server)
        if server is None or told is None or told.facts.get("expected_thumbprint") not in _trusted(view):
            return None
        return replace(_new_certificate(server, told), place=view.name)
    return _new_certificate(view, problem) if _declared_is_old(view, problem) is None else None


def _new_certificate(server: View, problem: Problem) -> Clue:
    facts = {
        "server": server.name,
        "presented": problem.facts.get("thumbprint"),
        "configured": problem.facts.get("expected_thumbprint"),
    }
    told = Evidence(f"own port of {server.name}", problem.actual)
    return Clue(facts=facts, evidence=(told, *thumbprints_screen(server, server)))


_SHOW = tentacle('show-thumbprint --instance "<instance>"')


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
    """Where Octopus was asked, it says itself whether it still has the old one."""
    if _mixed_up(view, problem) is not None:
        return None
    return Clue(evidence=old_registration(view, str(problem.facts.get("expected_thumbprint"))))


TRUST: tuple[CauseKind, ...] = (
    CauseKind(
        "TC3211",
        "The server's thumbprint is not trusted",
        "{who} {does} not trust the thumbprint of {server} ({thumbprint}).",
        frozenset({"TT321"}),
        ("Compare with the portal (Configuration, Thumbprints), then trust it:", *TRUST_SERVER[0]),
        ("Compare with the portal (Configuration, Thumbprints), then trust it:", *TRUST_SERVER[1]),
        _untrusted,
        consequences=BROKEN_TRUST,
        fold_by=("thumbprint",),
        rank=35,
    ),
    CauseKind(
        "TC3212",
        "The Octopus Server has a new certificate that its Tentacles do not trust",
        "{server} has the thumbprint {thumbprint}, but {who} {does} not trust it: the server's certificate was "
        "renewed, or the server was reinstalled.",
        frozenset({"TT321"}),
        (
            (
                "If the server's old certificate can be restored from a backup, that fixes all of them. Otherwise "
                "let each trust the new one:"
            ),
            *TRUST_SERVER[0],
        ),
        (
            (
                "If the server's old certificate can be restored from a backup, that fixes all of them. Otherwise "
                "let each trust the new one:"
            ),
            *TRUST_SERVER[1],
        ),
        _renewed_server,
        consequences=BROKEN_TRUST,
        fold_by=("thumbprint",),
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC3213",
        "The Tentacle belongs to another Octopus Server",
        "{who} trust{s} {other} instead of {server}: the Tentacle was registered with that other server.",
        frozenset({"TT321"}),
        ("If it belongs to this server, let it trust it as well; else correct the inventory:", *TRUST_SERVER[0]),
        ("If it belongs to this server, let it trust it as well; else correct the inventory:", *TRUST_SERVER[1]),
        _trusts_another,
        consequences=BROKEN_TRUST,
        fold_by=("thumbprint", "other"),
        rank=35,
    ),
    CauseKind(
        "TC3221",
        "A trusted thumbprint contains stray characters",
        "A thumbprint that {who} trust{s} is not 40 hexadecimal digits ({configured}): often an invisible "
        "character that was copied from the certificate window. It never matches any server's thumbprint.",
        frozenset({"TT322", "TT321"}),
        (
            ("Trust it again, with the thumbprint typed or pasted from the portal:"),
            *TRUST_ANEW[0],
        ),
        (
            ("Trust it again, with the thumbprint typed or pasted from the portal:"),
            *TRUST_ANEW[1],
        ),
        _no_thumbprint,
        consequences=BROKEN_TRUST,
        rank=35,
    ),
    CauseKind(
        "TC4041",
        "The inventory has an old thumbprint of the server",
        "The Octopus Server {server} presents {presented}, and its Tentacles trust exactly that; only the "
        "inventory declares a different one.",
        frozenset({"TT404"}),
        ("Correct the server's thumbprint in the inventory. Change nothing on any machine.",),
        ("Correct the server's thumbprint in the inventory. Change nothing on any machine.",),
        _declared_is_old,
        fold_by=("server",),
        rank=45,
        told_apart_by=frozenset({"peer.instances"}),
    ),
    CauseKind(
        "TC4042",
        "The Octopus Server presents a different certificate from the declared one",
        "The Octopus Server {server} presents {presented} instead of the declared {configured}: its certificate "
        "was renewed, or the server was reinstalled. Tentacles that trust the old one refuse the connection.",
        frozenset({"TT404", "TT321"}),
        (
            (
                "Compare with the portal (Configuration, Thumbprints). If the old certificate can be restored from a "
                "backup, that fixes all; otherwise correct the inventory, and let each Tentacle trust the new one:"
            ),
            f'$ {SERVER_EXE} show-thumbprint --instance "OctopusServer"',
            *TRUST_SERVER[0],
        ),
        (
            (
                "Compare with the portal (Configuration, Thumbprints). If the old certificate can be restored from a "
                "backup, that fixes all; otherwise correct the inventory, and let each Tentacle trust the new one:"
            ),
            *TRUST_SERVER[1],
        ),
        _presents_another,
        consequences=BROKEN_TRUST,
        fold_by=("server",),
        rank=10,
    ),
    CauseKind(
        "TC4011",
        "The Tentacle's certificate is not the one the inventory and the server know",
        "{who} {has} a different certificate from the declared one: the Tentacle was set up again, or its "
        "certificate was renewed.",
        frozenset({"TT401"}),
        ("Enter the Tentacle's thumbprint in the machine's settings in the portal, and in the inventory:", *_SHOW[0]),
        ("Enter the Tentacle's thumbprint in the machine's settings in the portal, and in the inventory:", *_SHOW[1]),
        _reinstalled,
        consequences=BROKEN_TRUST,
        rank=45,
    ),
    CauseKind(
        "TC4012",
        "The inventory lists another machine's thumbprint",
        "The thumbprint that the inventory declares for {who} is that of {other}: two entries are mixed up, or the "
        "machine was restored from the other one's backup.",
        frozenset({"TT401"}),
        ("Compare both machines' thumbprints with the portal, and correct the entries:", *_SHOW[0]),
        ("Compare both machines' thumbprints with the portal, and correct the entries:", *_SHOW[1]),
        _mixed_up,
        consequences=BROKEN_TRUST,
        rank=45,
        told_apart_by=frozenset({"fleet.instances"}),
    ),
)
