"""Versions: known defects of the installed one, and whether the two ends are of generations that fit together.

tentacle-history 9 and 10. Versions of 6.0 do not grow with time (6.0.429 is older than 6.0.174): no defect rests on
that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.own_service import program_of
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections.identify.records import logs_of
from pytest_tentacle.sections.versions import parsed, version_of

_TELLING = 3
"""Numbers of a version that tell one release from another."""

THIRD_GENERATION = 3
"""From 3 on the two speak Halibut 1 and later with each other; 1.x and 2.x speak with their own generation only."""

_NEVER_REGISTERED = frozenset({"TT127", "TT320"})
_NO_COMMON_TLS = frozenset({"TT525", "TT526"})
"""Generation 2 speaks TLS 1.0 and nothing else (tentacle-history 8)."""


_ANOTHER_PROTOCOL = frozenset({"TT504"})
"""Generation 1 does not speak TLS as the later ones do: its port is a stranger's to them (Octopus issue 180)."""


@dataclass(frozen=True)
class _Defect:
    """A fault of some versions of a product, and the problem by which it shows.

    Attributes:
        first: the first version that has it.
        fixed: the first one that does not.
        shown_by: codes of problems by which it shows.
        signature: only where the problem rests on this text of a log; empty for any.
    """

    product: str
    first: tuple[int, ...]
    fixed: tuple[int, ...]
    what: str
    shown_by: frozenset[str]
    step: str
    signature: str = ""


_DEFECTS = (
    _Defect(
        "tentacle",
        (8, 0, 0),
        (8, 1, 62),
        "it finds its own port in use for a minute or two after a restart",
        frozenset({"TT111"}),
        "identify-the-problem",
    ),
    _Defect(
        "tentacle",
        (3, 1, 7),
        (3, 3, 23),
        "processes that it starts inherit its listening socket and keep the port",
        frozenset({"TT503"}),
        "welcome-page-here",
    ),
    _Defect(
        "tentacle",
        (4, 0, 2),
        (5, 0, 3),
        "it never lets go of a connection that is done with, so that they pile up",
        frozenset({"TT554", "TT552"}),
        "connections-established",
    ),
    _Defect(
        "server",
        (2019, 5, 5),
        (2019, 8),
        "it never lets go of a connection that is done with, so that they pile up",
        frozenset({"TT554", "TT552"}),
        "connections-established",
    ),
    _Defect(
        "tentacle",
        (3, 0),
        (6, 4, 41),
        "since the updates of Windows and .NET of June 2023 it cannot read its own certificate",
        frozenset({"TT122"}),
        "identify-the-problem",
        "pkcs12-iterations",
    ),
)
"""OctopusTentacle#725; Issues#2573, #5834; OctopusTentacle#525 (tentacle-history 9). Others are explained by causes of
their own, since there is more to do than to upgrade: TT135, TT141 and TT954."""


@check(codes=("TT973",), reads=("products", "services", "instances"))
def no_known_defect_shows(subject: Subject) -> Iterator[Finding]:
    """The installed version has no known defect that shows on the machine."""
    version = version_of(subject)
    number = parsed(version)
    if number is None:
        yield Evidence(f"products of {subject.name}", "the installed version is not known")
        return
    yield Evidence(f"products of {subject.name}", f"version {version}")
    for defect in _DEFECTS:
        if defect.product != subject.product or not defect.first <= number < defect.fixed:
            continue
        fixed = ".".join(map(str, defect.fixed))
        shown = _shown(subject, defect)
        if shown is None:
            yield Evidence(f"products of {subject.name}", f"known of {version}: {defect.what}; fixed in {fixed}")
            continue
        yield Problem(
            "TT973",
            subject.name,
            expected=f"version {fixed} or later",
            actual=f"version {version}: {defect.what}",
            evidence=(Evidence(f"{shown.code} on {subject.name}", shown.actual), *shown.evidence[:2]),
            facts={
                "version": version,
                "fixed": fixed,
                "what": defect.what,
                "shown_by": shown.code,
                "instance": subject.instance_name,
                "executable": _program(subject),
            },
        )


@check(codes=("TT976",), reads=("products", "services", "instances", "logs"))
def process_is_of_the_installed_version(subject: Subject) -> Iterator[Finding]:
    """The process that runs is of the version that its program has by now, and not of one before an upgrade.

    On Linux: Windows lets nobody replace a program that runs.
    """
    if subject.system != "linux":
        return
    installed, started = _version_of_its_program(subject), _version_that_runs(subject)
    if started is None or parsed(installed) is None:
        return
    log, version = started
    numbers = tuple(zip(parsed(installed) or (), parsed(version) or (), strict=False))[:_TELLING]
    source = f"log of {subject.name}, {log}"
    if len(numbers) < _TELLING or tuple(own for own, _ in numbers) <= tuple(other for _, other in numbers):
        yield Evidence(source, f"version {version} runs, and {installed} is installed")
        return
    yield Problem(
        "TT976",
        subject.name,
        expected=f"version {installed} runs, as it is installed",
        actual=f"version {version} runs",
        evidence=(Evidence(source, f"the process that runs said at its start that it is {version}"),),
        facts={
            "version": version,
            "installed": installed,
            "service": subject.service.name if subject.service else None,
            "instance": subject.instance_name,
        },
    )


def _version_of_its_program(subject: Subject) -> str | None:
    """Of the very program that its service runs: a second installation tells nothing of it."""
    program = (_program(subject) or "").lower()
    own = [each.version for each in subject.read(FACTS.products) if program and (each.path or "").lower() == program]
    return own[0] if len(own) == 1 else None


def _version_that_runs(subject: Subject) -> tuple[str, str] | None:
    """Path of the log and version, by what the running process said at its start."""
    try:
        service, logs = subject.service, logs_of(subject)
    except (Unknown, Blocked):
        return None  # the steps that read them say so
    if service is None or service.state != "running" or service.pid is None:
        return None
    for log in logs:
        startup = log.startup
        if startup is not None and startup.version and startup.pid == service.pid:
            return log.path, startup.version
    return None


@check(
    codes=("TT974",),
    reads=("products", "services", "instances", "peer.products", "peer.services", "peer.instances"),
)
def both_ends_are_of_one_generation(subject: Subject) -> Iterator[Finding]:
    """A Tentacle and its servers are of generations that speak with each other."""
    if not subject.is_tentacle:
        return
    own = version_of(subject)
    for server in subject.peers:
        try:
            other = version_of(server)
        except Unknown:
            continue  # whether a server could be looked at, other steps say
        ours, theirs = _generation(own), _generation(other)
        if ours is None or theirs is None:
            continue
        if ours == theirs:
            yield Evidence(f"products of {subject.name} and {server.name}", f"versions {own} and {other} fit together")
            continue
        shown = _keeps_them_apart(subject, is_first=1 in {ours, theirs})
        if shown is None:
            text = f"versions {own} and {other} are of different generations, and yet nothing shows that it matters"
            yield Evidence(f"products of {subject.name} and {server.name}", text)
            continue
        yield Problem(
            "TT974",
            subject.name,
            expected=f"a Tentacle of a generation that {server.name} ({other}) speaks with",
            actual=f"version {own}",
            evidence=(
                Evidence(f"products of {server.name}", f"version {other}"),
                Evidence(f"{shown.code} on {subject.name}", shown.actual),
            ),
            facts={"server": server.name, "version": own, "other": other, "instance": subject.instance_name},
        )


def _program(subject: Subject) -> str | None:
    try:
        service = subject.service
    except (Unknown, Blocked):
        return None
    return program_of(service) if service is not None else None


def _shown(subject: Subject, defect: _Defect) -> Problem | None:
    for problem in subject.problems_of(defect.step):
        if problem.code in defect.shown_by and defect.signature in {"", problem.facts.get("signature")}:
            return problem
    return None


def _keeps_them_apart(subject: Subject, *, is_first: bool) -> Problem | None:
    """What a server and a Tentacle of other generations come to: never registered with each other, or without a TLS."""
    if is_first:
        for problem in subject.problems_of("welcome-page-here"):
            if problem.code in _ANOTHER_PROTOCOL:
                return problem
    for step in ("identify-the-problem", "communication-settings"):
        for problem in subject.problems_of(step):
            if problem.code in _NEVER_REGISTERED or problem.facts.get("kind") == "generation":
                return problem
    return next((each for each in subject.problems_of("welcome-page-across") if each.code in _NO_COMMON_TLS), None)


def _generation(version: str | None) -> int | None:
    number = parsed(version)
    return None if number is None else min(number[0], THIRD_GENERATION)
