"""A network that a machine made for its own containers has the range in which the other end's address lies."""

from __future__ import annotations

from dataclasses import replace

from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import LOST_IN_LOGS, NO_CONNECTION
from pytest_tentacle.judging.finding import Evidence, Problem

_ANOTHER_RANGE = (
    "The address and the way to it are right. Give that network a range of addresses that no machine has with which "
    "{end} speaks, and none of the internet's. Docker: `default-address-pools` and `bip` in /etc/docker/daemon.json "
    "hold for what is made from then on; a network that is there is to be made again with its containers (docker "
    "compose down and up), and a restart of Docker stops all of them. Podman, libvirt and LXC have such settings of "
    "their own. To see whose network it is:"
)


def _covered(view: View, problem: Problem) -> Clue | None:
    """The other end was logged on to, and says itself that it has the address: so that lies outside."""
    bridge, end, other = (problem.facts.get(name) for name in ("bridge", "end", "other"))
    machines = view.scene.fleet.machines
    if not bridge or end not in machines or other not in machines:
        return None
    survey = view.scene.view(str(other)).survey
    host = survey.host.data if survey else None
    if host is None or problem.facts.get("address") not in host.addresses:
        return None
    if view.scene.view(str(end)).subject.record is view.scene.view(str(other)).subject.record:
        return None
    clue = told(view, problem)
    seen = Evidence(f"host of {other}", f"{problem.facts['address']} is an address of its own")
    return replace(clue, evidence=(seen,), place=str(end))


BRIDGES: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5321",
        "A network of containers covers the peer's address",
        "A network for containers or virtual machines on {end} ({bridge}) has the range in which the address of "
        "{other} lies ({address}): what {end} sends there goes into that network, where nobody has the address.",
        frozenset({"TT532"}),
        ("This concerns Linux only. See the way there:", '$ Find-NetRoute -RemoteIPAddress "<address>"'),
        (_ANOTHER_RANGE, '$ ip route get "<address>"', "$ ip -br addr", "$ sudo docker network ls"),
        _covered,
        consequences=NO_CONNECTION | LOST_IN_LOGS | {"TT523"},
        fold_by=("end", "bridge"),
        rank=8,
        told_apart_by=frozenset({"host", "peer.host"}),
    ),
)
