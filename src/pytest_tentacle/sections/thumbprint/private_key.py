"""Guide, "Check the Tentacle Thumbprint": the private key of the certificate, and whether the service may read it.

That a key's file is gone or kept from the account is no problem by itself: a process goes on with the key that it has,
and a Tentacle of today makes the file again from its settings when it starts. It is, where its own port breaks off each
handshake without a word of TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import Failure, Probe
from pytest_tentacle.sections.account.rights import READ, denied_by, has_rights
from pytest_tentacle.survey.model import Service
from pytest_tentacle.survey.surroundings import Access, Event, PrivateKey, caller_of

_KEY_UNUSABLE = 36870
_WITHOUT_A_WORD = frozenset({Failure.CLOSED, Failure.RESET})
"""How a handshake ends whose server has no key to use: it is given up before anything is sent."""


@check(codes=("TT414",), reads=("events", "services", "instances", "probes", "private_keys"))
def private_key_is_usable(subject: Subject) -> Iterator[Finding]:
    """Nothing keeps the running process from its certificate's private key: no event says so, and its file is there."""
    key = _stored(subject)
    if isinstance(key, Evidence):
        yield key
        key = None
    usable, words = _usable(key) if key else (None, "")
    unusable = key if usable is False else None
    if key is not None:
        yield Evidence(f"store of {key.account} on {subject.name}", words)
    broken = _broken_off(subject)
    if broken is None:
        return
    probe, service = broken
    told = _told(subject, service)
    gone = unusable is not None and probe.tls is not None and probe.tls.error in _WITHOUT_A_WORD
    if told or gone:
        found = _problem(subject, service, probe, told, words if unusable else "")
        yield replace(found, facts=found.facts | _of_key(unusable, words))


def _stored(subject: Subject) -> PrivateKey | Evidence | None:
    """What was read of its own certificate's key; what kept us from reading it; None where there is none to read."""
    if not subject.is_tentacle:
        return None
    try:
        wanted = subject.instance_name.lower()
        return next((key for key in subject.read(FACTS.private_keys) if key.instance.lower() == wanted), None)
    except Unknown as unknown:
        return Evidence(f"private keys of {subject.name}", f"not read: {unknown.reason}")


def _usable(key: PrivateKey) -> tuple[bool | None, str]:
    """Whether the account can use the key, as far as its file tells, and what that comes to in words."""
    whose = f"certificate {key.thumbprint}"
    if key.stored is None:
        return None, f"{whose}: not read: {key.detail or 'nobody tells why'}"
    if not key.stored:
        return None, f"{whose} is not in it: the Tentacle puts it there from its settings when it starts"
    if key.has_key is False:
        return False, f"{whose} is there without its private key"
    if key.access is None:
        return None, f"{whose}: {key.detail or 'where its key lies could not be told'}"
    return _readable(key, key.access, f"the key of {whose}")


def _of_key(unusable: PrivateKey | None, words: str) -> dict[str, object]:
    """What is wrong with the key's file: `readable` is False, or `there` is; nothing where it is well."""
    if unusable is None:
        return {}
    file = unusable.access
    found: dict[str, object] = {"key": words}
    if file is not None:
        found["path"] = file.path
    if file is not None and file.error is None:
        return found | {"readable": False, "sid": unusable.sid}
    return found | {"there": False}


def _readable(key: PrivateKey, file: Access, what: str) -> tuple[bool | None, str]:
    if file.error == "not-found":
        if not key.of_another_machine:
            return False, f"the file of {what} is gone: {file.path}"
        return False, f"{what} was made on another machine: there is {key.of_another_machine}, not {file.path}"
    if file.error is not None:
        return None, f"the rights on {file.path} could not be read: {file.error}"
    whom = key.account
    match has_rights(file, key, READ):
        case None:
            return None, f"whether {whom} may read {file.path} depends on groups that could not be read"
        case True:
            return True, f"{whom} may read {what}: {file.path}"
    denied = " (an entry denies it)" if denied_by(file, key, READ) else ""
    return False, f"{whom} may not read {what}{denied}: {file.path}"


def _broken_off(subject: Subject) -> tuple[Probe, Service] | None:
    """Its look at its own port that fails in the handshake, and the service that runs; None where it does not."""
    if subject.is_tentacle and subject.mode is Mode.POLLING:
        return None
    try:
        probe, service = subject.local_probe, subject.service
    except Unknown:
        return None  # the steps of the services and of the page on the machine itself say what is not known
    if probe is None or probe.tls is None or probe.tls.error is None or service is None or service.pid is None:
        return None
    return probe, service


def _told(subject: Subject, service: Service) -> list[Event]:
    try:
        events = subject.read(FACTS.events)
    except Unknown:
        return []
    return [event for event in events if event.id == _KEY_UNUSABLE and caller_of(event) == service.pid]


def _problem(subject: Subject, service: Service, probe: Probe, told: list[Event], file: str) -> Problem:
    seen = []
    if told:
        last = max(told, key=lambda event: event.time_utc)
        data = ", ".join(f"{key} {value}" for key, value in sorted(last.data.items()))
        source = f"System log of {subject.name}, Schannel {_KEY_UNUSABLE}"
        seen.append(Evidence(source, f"{last.time_utc:%Y-%m-%d %H:%M:%SZ}: {data}"))
    if file:
        seen.append(Evidence(f"store of {service.account} on {subject.name}", file))
    if probe.tls is not None and probe.tls.error is not None:
        seen.append(Evidence(f"probe on {subject.name}", f"the TLS handshake fails: {probe.tls.error.value}"))
    said = f"Schannel could not use it for process {service.pid}, {len(told)} times" if told else ""
    return Problem(
        "TT414",
        subject.name,
        expected="the service's account can use the private key of its certificate",
        actual="; ".join(filter(None, (said, file))),
        evidence=tuple(seen),
        facts={
            "instance": subject.instance_name,
            "service": service.name,
            "account": service.account,
            "error": told[-1].data.get("ErrorCode") if told else None,
        },
    )
