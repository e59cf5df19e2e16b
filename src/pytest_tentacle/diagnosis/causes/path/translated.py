"""A server that connects to an address which is none of the machine's own."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link.hosts import plain_address

from .links import explained_by_many, lost_link


def translated(view: View, problem: Problem) -> Clue | None:
    """The end is well, and what was dialled is no address that its own system knows: something stands in front of it.

    Where its neighbours are reached, or many are not, those tell more.
    """
    link = lost_link(view, problem, listening=True)
    if link is None or not link.would_answer or link.near or explained_by_many(link):
        return None
    host = view.survey.host.data if view.survey else None
    own = {plain_address(each) for each in host.addresses} - {None} if host else set()
    dialled = plain_address(str(problem.facts.get("address") or ""))
    if not own or dialled is None or dialled in own:
        return None
    known = ", ".join(sorted(map(str, own))[:4])
    told = Evidence(f"addresses of {view.name}", f"{known}; dialled was {dialled}")
    return Clue(facts={"own_addresses": known, "address": dialled}, evidence=(told, link.far_evidence))
