"""What stands in front of a listening machine, or drops now and then on the way (guide, "Check the Connections")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import TRY_LINUX, TRY_WINDOWS
from pytest_tentacle.guide.consequences import LOST_IN_LOGS, NO_CONNECTION
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Problem

from .links import BLOCKED, LOSSES, at_times, unless_own_rules
from .translated import translated

_PING = '$ pytest-tentacle ping "<host>" --port <port> --count 20'
_LOSES = (
    "The Tentacle's settings, its trust and its service are not what drops. From {vantage}, count how many of twenty "
    "connections are lost; then look for what drops some: two machines with one address, a device or link that is "
    "overloaded, a limit on new connections,"
)
_TABLES = (
    f"{_LOSES} or a full table of connections on {{end}} itself or a router (`nf_conntrack: table full, dropping "
    "packet` in the kernel's log: raise net.netfilter.nf_conntrack_max there):"
)


def _lost_at_times(view: View, problem: Problem) -> Clue | None:
    """Where nobody pinged: many attempts tell more than two."""
    server = problem.facts.get("server")
    if not at_times(view, problem) or any(
        each.code in LOSSES and each.facts.get("server") == server for each in view.problems
    ):
        return None
    end = view.end(problem)
    return Clue(facts={"end": end.name if end else "the other end"}, place=str(problem.facts.get("vantage")), seen=True)


IN_FRONT: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5216",
        "Connections get through at times",
        "From {vantage} one connection to {host}, port {port}, got no answer, and the next one to the same address "
        "({address}) did: something on the path, or the system of {end}, drops some.",
        frozenset({"TT521"}),
        (f"{_LOSES} or a firewall that is reloaded:", _PING, TRY_WINDOWS),
        (_TABLES, _PING, "$ sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max"),
        _lost_at_times,
        consequences=LOST_IN_LOGS,
        fold_by=("link",),
        rank=39,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5208",
        "What stands at the machine's address does not pass the port on",
        "{server} connects to {address}, which is none of the addresses of {who} ({own_addresses}), and gets no "
        "answer on port {port}: what translates the address (NAT, a cloud's public address, a balancer) does not pass "
        "this port on, or a security group there drops it; or the address is another machine's.",
        BLOCKED & NO_CONNECTION,
        (
            (
                "Where the port has another number outside, enter that in the portal (or register with "
                "--tentacle-comms-port); otherwise have the device pass port {port} on to {who}, from {server} alone. "
                "What the server gets now:"
            ),
            TRY_WINDOWS,
        ),
        (
            (
                "Where the port has another number outside, enter that in the portal (or register with "
                "--tentacle-comms-port); otherwise have the device pass port {port} on to {who}, from {server} alone. "
                "What the server gets now:"
            ),
            TRY_LINUX,
        ),
        unless_own_rules(translated),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "port", "address"),
        rank=40,
        told_apart_by=frozenset({"host"}),
        confidence=Confidence.POSSIBLE,
    ),
)
