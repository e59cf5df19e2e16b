"""Which end of a link cannot use the other's address family (tentacle-history 8), by the Tentacle's version."""

from __future__ import annotations

from collections.abc import Callable

from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Problem, Unknown
from pytest_tentacle.sections.versions import parsed, version_of

_BOTH_FAMILIES = (3, 1, 7)
_WITHOUT_IPV6 = (5, 0, 5)
_RESOLVE = ('$ Resolve-DnsName "<host>"', '$ getent ahosts "<host>"')
_ADDRESSES = ("$ Get-NetAdapterBinding -ComponentID ms_tcpip6", "$ sysctl net.ipv6.conf.all.disable_ipv6")


def _by_version(first: tuple[int, ...], fixed: tuple[int, ...] | None) -> Callable[[View, Problem], Clue | None]:
    def match(view: View, problem: Problem) -> Clue | None:
        try:
            version = version_of(view.subject)
        except Unknown:
            version = None
        number = parsed(version)
        fits = fixed is None if number is None else first <= number and (fixed is None or number < fixed)
        if not fits:
            return None
        clue = told(view, problem)
        return Clue(facts=clue.facts | {"version": version, "host": problem.facts.get("host") or "the other end"})

    return match


def _cause(
    digit: int,
    title: str,
    sentence: str,
    *,
    match: Callable[[View, Problem], Clue | None],
    what: str,
    commands: tuple[str, str],
) -> CauseKind:
    return CauseKind(
        f"TC135{digit}",
        title,
        sentence,
        frozenset({"TT135"}),
        (what, commands[0]),
        (what, commands[1]),
        match,
        consequences=UNCONNECTED | {"TT131", "TT110"},
        echoes=ACROSS,
        fold_by=("host",),
        rank=35,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"products"}),
    )


ADDRESS_FAMILY: tuple[CauseKind, ...] = (
    _cause(
        1,
        "This Tentacle connects by IPv4 only",
        "{host} resolves to an IPv6 address, but Tentacle {version} on {who} connects by IPv4 only: until 3.1.7 "
        "it does not support IPv6.",
        match=_by_version((0,), _BOTH_FAMILIES),
        what="Upgrade the Tentacle to 3.1.7 or later (best to today's), or give the name an IPv4 address as well:",
        commands=_RESOLVE,
    ),
    _cause(
        2,
        "This Tentacle does not connect where IPv6 is switched off",
        "IPv6 is switched off on {who} or missing on the path, and Tentacle {version} cannot connect without it: "
        "a defect of 3.1.7 to 5.0.4.",
        match=_by_version(_BOTH_FAMILIES, _WITHOUT_IPV6),
        what="Upgrade the Tentacle to 5.0.5 or later, by its installer or package: settings, certificate and "
        "registration stay. Until then switch IPv6 on again, and restart the service: on Linux "
        "net.ipv6.conf.all.disable_ipv6 is 0 (and the kernel has no ipv6.disable=1), on Windows DisabledComponents of "
        "Tcpip6 is 0, and Windows is restarted for it. Which addresses there are:",
        commands=_ADDRESSES,
    ),
    _cause(
        3,
        "The machine cannot use this address family",
        "{host} resolves to an address of a family, IPv4 or IPv6, that {who} cannot use.",
        match=_by_version(_WITHOUT_IPV6, None),
        what="Give the name an address of the family that the machine has, or switch the other one on:",
        commands=_RESOLVE,
    ),
)
