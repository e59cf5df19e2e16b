"""Guide, "Check the Load Time": `Tentacle.exe help` and `Octopus.Server.exe help` are displayed at once (< 1 s)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from pytest_tentacle.hiding import one_line
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.judging.own_service import program_of
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import ServiceState
from pytest_tentacle.survey.surroundings import LoadTime, Revocation

AT_ONCE_MS = 1000
"""The guide's own number."""

COSTLY_MS = 5000
"""From here on a slow program costs something by itself: a script, a health check or a start waits for it each time.

The guide's second is of 2018. On a machine with two cores Octopus.Server.exe loads its hundreds of assemblies in two to
five seconds, and a Tentacle on .NET Framework in one, while all is well: that is told, and no problem.
"""

MUCH_SLOWER_MS = 5000
"""By so much a first load must be slower than the second to be no matter of an empty disk cache."""

HOPELESS_MS = 10_000
"""A first load that is broken off after this long is slow, whatever was cold."""

OUT_OF_TIME = re.compile(
    r"it did not end within (?P<seconds>\d+) seconds|help did not answer within its time of (?P<ms>\d+)(?:\.\d+)? ms"
)
"""The scripts' own words for a call that they broke off (never the system's)."""

_OUT_OF_TIME_EVENTS = frozenset({7009, 7011})
"""Service Control Manager: a service did not connect, or answer, within its time (windows-shapes 5.3)."""

_RECENT = timedelta(days=1)
_WORDS = 300

_CRASHES = frozenset({43, 132, 134, 135, 136, 139})
"""Tentacle's own code for parts that cannot be loaded (tentacle-facts 2.4), and what a shell makes of fatal signals."""

_NTSTATUS = 0x80000000
_BY_HAND = "Run it by hand on the machine, twice, and look how long it takes."


@check(
    codes=("TT811", "TT812", "TT813"),
    reads=("instances", "services", "host", "loading", "events"),
)
def help_is_shown_within_a_second(subject: Subject) -> Iterator[Finding]:
    """The program shows its help within a second, and the first time not much later than the second."""
    time = _own(subject)
    seen = _evidence(subject, time)
    broken_off = _broken_off_ms(time)
    if broken_off is not None and broken_off >= (HOPELESS_MS if time.cold_ms is None else AT_ONCE_MS):
        waits = _waits_for_lists(_revocation(subject)) if time.cold_ms is None else None
        code, more = ("TT812", (waits,)) if waits else ("TT811", ())
        yield _problem(code, subject, time, f"it is broken off after {broken_off} ms", seen, *more)
        return
    if time.error is not None:
        raise Unknown(f"{time.executable} help on {subject.name}: {time.error}", _BY_HAND)
    if time.exit_code:
        yield _failed(subject, time, seen)
        return
    if time.warm_ms is None:
        raise Unknown(f"how long {time.executable} takes to load on {subject.name} was not measured", _BY_HAND)
    yield seen
    if time.warm_ms >= AT_ONCE_MS:
        if time.warm_ms >= COSTLY_MS or _cost(subject):
            yield _problem("TT811", subject, time, f"even the second time it takes {time.warm_ms:.0f} ms", seen)
        else:
            words = f"slower than the guide's {AT_ONCE_MS} ms, and it costs nothing: starts and links are well"
            yield Evidence(f"{time.executable} help on {subject.name}", words)
        return
    revocation = _revocation(subject)
    waits = _waits_for_lists(revocation)
    if revocation is not None:
        yield Evidence(f"revocation checks of {revocation.account} on {subject.name}", _words(revocation))
    if waits is not None and time.cold_ms is not None and time.cold_ms - time.warm_ms >= MUCH_SLOWER_MS:
        actual = f"the first time it takes {time.cold_ms:.0f} ms, the second {time.warm_ms:.0f} ms"
        yield _problem("TT812", subject, time, actual, seen, waits)


def _cost(subject: Subject) -> bool:
    """Whether a slow program may have to do with a start that ran out of time, or a link that is not well."""
    service = subject.service
    if service is None or service.state is not ServiceState.RUNNING:
        return True
    try:
        clock = subject.read(FACTS.host).clock_utc
        for event in subject.read(FACTS.events):
            recent = clock is None or clock - event.time_utc <= _RECENT
            if event.source == "service-control-manager" and event.id in _OUT_OF_TIME_EVENTS and recent:
                return True
    except Unknown:
        pass
    if not subject.is_tentacle:
        return False
    across = subject.result("welcome-page-across")
    return bool(across.problems or across.waived or across.blocked_by)


def _waits_for_lists(revocation: Revocation | None) -> Evidence | None:
    """What tells that Windows looks for revocations for this account, and nothing answers where it looks."""
    if revocation is None or not revocation.enabled or revocation.reachable is not False:
        return None
    return Evidence(f"revocation checks of {revocation.account}", _words(revocation))


def _own(subject: Subject) -> LoadTime:
    """The measurement of its own program: its service's, else the product's. Raises Blocked, Unknown."""
    times = [time for time in subject.read(FACTS.loading).times if time.product == subject.product]
    service = subject.service
    executable = (program_of(service) or "").lower() if service else ""
    for time in times:
        if time.executable.lower() == executable:
            return time
    if times:
        return times[0]
    if service is None:
        raise Blocked("TT201", subject.name, "there is no service, and no program that could be measured")
    raise Unknown(f"the load time of the program on {subject.name} was not measured", _BY_HAND)


def _revocation(subject: Subject) -> Revocation | None:
    """The setting of the account that the service runs as."""
    service = subject.service
    account = (service.account or "").lower() if service else ""
    return next((found for found in subject.read(FACTS.loading).revocation if found.account.lower() == account), None)


def _broken_off_ms(time: LoadTime) -> int | None:
    found = OUT_OF_TIME.match(time.error or "")
    if found is None:
        return None
    return int(found["seconds"]) * 1000 if found["seconds"] else int(found["ms"])


def _failed(subject: Subject, time: LoadTime, seen: Evidence) -> Finding:
    """A crash is one whoever calls; any other error may come of the rights of the survey's account."""
    code = time.exit_code or 0
    if code < 0 or code >= _NTSTATUS or code in _CRASHES or subject.read(FACTS.host).elevated:
        return _problem("TT813", subject, time, f"it ends with exit code {code}", seen)
    return Unknown(
        f"{time.executable} help on {subject.name} ended with exit code {code}, which may come of the rights of the "
        f"account that surveys",
        _BY_HAND,
    )


def _problem(code: str, subject: Subject, time: LoadTime, actual: str, seen: Evidence, *more: Evidence) -> Problem:
    return Problem(
        code,
        subject.name,
        expected=f"{time.executable} help is displayed at once, within {AT_ONCE_MS} ms",
        actual=actual,
        evidence=(seen, *more),
        facts={
            "instance": subject.instance_name,
            "executable": time.executable,
            "exit_code": time.exit_code,
            "words": one_line(time.printed or "", _WORDS) or None,
        },
    )


def _evidence(subject: Subject, time: LoadTime) -> Evidence:
    parts = [
        f"{word} {ms:.0f} ms" for word, ms in (("first", time.cold_ms), ("second", time.warm_ms)) if ms is not None
    ]
    parts += [f"exit code {time.exit_code}"] if time.exit_code is not None else []
    parts += [time.error] if time.error else []
    parts += [f"it says: {one_line(time.printed, _WORDS)}"] if time.exit_code and time.printed else []
    return Evidence(f"{time.executable} help on {subject.name}", ", ".join(parts) or "not measured")


def _words(revocation: Revocation) -> str:
    on = {True: "on", False: "off", None: "not known"}[revocation.enabled]
    reach = {True: ", the distribution points answer", False: ", no distribution point answers", None: ""}
    return f"{on}{reach[revocation.reachable]}" + (f" ({revocation.detail})" if revocation.detail else "")
