"""What SELinux and AppArmor deny the service's process, whatever rights its account has (Linux)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import NOT_SURVEYED, Service
from pytest_tentacle.survey.surroundings import AccessControl, Denial

from .denials import DENIAL_READS, NO_CONNECTION, NO_FILES, NO_PORT, NO_START, Concerned

_NAMED = 5
_LOOK = "See the record by hand (ausearch -m avc), and whether the service works."


@check(codes=(NO_START, NO_PORT, NO_CONNECTION, NO_FILES), reads=DENIAL_READS)
def security_modules_let_it_work(subject: Subject) -> Iterator[Finding]:
    """Neither SELinux nor AppArmor denies the service's process what it needs."""
    host = subject.read(FACTS.host)
    service = subject.service
    if host.os != "linux" or service is None:
        return
    source = f"SELinux and AppArmor of {subject.name}"
    try:
        facts = subject.read(FACTS.access_control)
    except Unknown as unknown:
        if NOT_SURVEYED not in unknown.reason:
            raise
        yield Evidence(source, f"they were not read: {unknown.reason}")
        return
    yield Evidence(source, _state(facts, service))
    yield from _labels(facts, subject)
    concerned = Concerned(subject, service, facts, host.clock_utc)
    by_code: dict[str, list[Denial]] = {}
    doubts: dict[str, list[Denial]] = {}
    for denial in facts.denials:
        meaning = concerned.meaning_of(denial)
        if meaning.code is not None:
            by_code.setdefault(meaning.code, []).append(denial)
        elif meaning.doubt:
            doubts.setdefault(meaning.doubt, []).append(denial)
        else:
            yield Evidence(source, f"of no matter: {words_of(denial)}")
    for code, denials in sorted(by_code.items()):
        yield _problem(code, subject, service, denials)
    for doubt, denials in doubts.items():
        yield Unknown(f"{words_of(denials[0])}{_more(denials)}: {doubt}", _LOOK)


def _state(facts: AccessControl, service: Service) -> str:
    """In words, with the label of the process, and how far back the records go."""
    label = next((each.label for each in facts.processes if each.service == service.name and each.label), None)
    told = f", its process is {label}" if label else ""
    told += f"; records since {facts.records_since:%Y-%m-%d %H:%M:%SZ} were read" if facts.records_since else ""
    state = f"SELinux is {facts.selinux}"
    if facts.apparmor:
        state = "AppArmor is on" if facts.selinux == "disabled" else f"{state}, and AppArmor is on"
    return state + told


def _labels(facts: AccessControl, subject: Subject) -> Iterator[Evidence]:
    for each in facts.labels:
        wrong = f", and the policy has {each.expected} for it" if each.expected else ""
        yield Evidence(f"label on {subject.name}", f"{each.path} is {each.label}{wrong}")


def words_of(denial: Denial) -> str:
    """Who denied what to whom, and when."""
    who = "SELinux" if denial.module == "selinux" else "AppArmor"
    asked = denial.process or denial.executable or "a process"
    port = f"port {denial.port}" if denial.port is not None else None
    what = denial.path or port or denial.kind or "something"
    target = f" ({denial.target})" if denial.target else ""
    at = f" at {denial.time_utc:%Y-%m-%d %H:%M:%SZ}" if denial.time_utc else ""
    verb = "would deny" if denial.enforced is False else "denied"
    return f"{who} {verb} {asked} ({denial.source or 'no label'}) {denial.action} on {what}{target}{at}"


def _more(denials: list[Denial]) -> str:
    return f" and {len(denials) - 1} more" if len(denials) > 1 else ""


def _problem(code: str, subject: Subject, service: Service, denials: list[Denial]) -> Problem:
    first = denials[0]
    return Problem(
        code,
        subject.name,
        expected="the security modules of the kernel let the service do its work",
        actual=words_of(first) + _more(denials),
        evidence=tuple(Evidence(f"audit records of {subject.name}", words_of(each)) for each in denials[:_NAMED]),
        facts={
            "instance": subject.instance_name,
            "service": service.name,
            "executable": service.executable,
            "module": "SELinux" if first.module == "selinux" else "AppArmor",
            "action": first.action,
            "source": first.source,
            "target": first.target or first.path,
            "path": first.path or service.executable,
            "port": first.port,
        },
    )
