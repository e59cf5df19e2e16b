"""An address that two machines have: now the one answers at it, now the other."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import ACROSS, INTERCEPTED, LOST_IN_LOGS, NO_ANSWER, UNANSWERED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem

_CONFLICT = 4199
"""Of TCP/IP in Windows' System log: another machine has one of its addresses, and this is its hardware address."""

_RECENT = timedelta(hours=1)


def _taken(view: View, problem: Problem) -> Clue | None:
    """Windows told a while ago that another machine has the very address at which the link's end is looked for."""
    end = view.end(problem)
    survey = end.survey if end is not None else None
    events = survey.events.data if survey is not None else None
    host = survey.host.data if survey is not None and events else None
    if end is None or host is None or host.clock_utc is None:
        return None
    asked = {end.subject.machine.ip, problem.facts.get("address")}
    for event in events or ():
        told = tuple(event.data.values())
        address = next((text for text in told if text and text in asked), None)
        if event.source != "tcpip" or event.id != _CONFLICT or address is None:
            continue
        if host.clock_utc - event.time_utc > _RECENT:
            continue
        hardware = next((text for text in told if text and text != address), "")
        words = f"{event.time_utc:%Y-%m-%d %H:%M:%SZ}: another machine has {address}, with hardware address {hardware}"
        return Clue(
            facts={"end": end.name, "taken": address, "hardware": hardware},
            evidence=(Evidence(f"System log of {end.name}, TCP/IP {_CONFLICT}", words),),
            place=end.name,
        )
    return None


TWO_OWNERS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5200",
        "Another machine has the machine's address",
        "Within the last hour Windows on {end} found that another machine has its address {taken}, too (hardware "
        "address {hardware}): a connection to that address may reach the other one.",
        NO_ANSWER | INTERCEPTED,
        (
            (
                "Find the machine with that hardware address (the switch's table of addresses, the list of virtual "
                "machines: often it is a copy that was started), and give it another address. On {end}, what Windows "
                "said of it:"
            ),
            "$ Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Tcpip'} -MaxEvents 20",
        ),
        ("Windows reports this. On Linux, see who has an address, from another machine of its network:", "$ ip neigh"),
        _taken,
        consequences=LOST_IN_LOGS | UNANSWERED | ACROSS | {"TT711", "TT712"},
        fold_by=("end", "taken"),
        rank=9,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"events", "peer.events"}),
    ),
)
