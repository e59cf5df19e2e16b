"""Guide, "Check the IP Address": what the machine's own names lead to when it is asked itself.

Nearly all of it is evidence: a name that on the machine itself leads to a NAT device, to 127.0.1.1 (Debian) or nowhere
keeps no link from working. Only a name that servers use and that leads to another surveyed machine is wrong.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.attempts import TENTACLE_READS, attempts_of, is_well
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import By
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.sections.connections.probe_verdict import describe
from pytest_tentacle.survey.surroundings import OwnName
from pytest_tentacle.survey.targets import names_of

from .checks import declared_addresses


@check(
    codes=("TT714",),
    reads=("own_names", "host", "fleet.addresses", *TENTACLE_READS),
)
def own_names_lead_to_the_machine(subject: Subject) -> Iterator[Finding]:
    """A name by which its servers reach a listening Tentacle does not lead to another machine."""
    attempts = attempts_of(subject)
    by_name = tuple(attempt for attempt in attempts if attempt.probe.by is By.NAME)
    well = is_well(by_name or attempts)
    try:
        names = subject.read(FACTS.own_names)
    except Unknown as unknown:
        if well is None:
            raise
        yield Evidence(f"names of {subject.name}", f"{unknown.reason}; {describe(well.probe)}")
        return
    used = {plain_host(host) for host, by in names_of(subject.machine) if by is By.NAME}
    for name in names:
        yield Evidence(f"asked on {subject.name}", _line(name))
        if well is None and subject.mode is Mode.LISTENING and plain_host(name.name) in used:
            yield from _judge(subject, name)


def _judge(subject: Subject, name: OwnName) -> Iterator[Finding]:
    found = {plain_address(address) or address for address in name.addresses}
    own = {plain_address(address) or address for address in subject.read(FACTS.host).addresses}
    known = own | declared_addresses(subject)
    if not found or not own or any(address in known or _is_its_own_always(address) for address in found):
        return
    subject.ledger.note_one(("fleet", "addresses"))
    others = [subject.fleet.machines_by_address.get(address, ()) for address in sorted(found)]
    foreign = [tuple(machine for machine in machines if machine != subject.name) for machines in others]
    if not all(foreign):
        return
    addresses, whose = ", ".join(sorted(found)), ", ".join(dict.fromkeys(each[0] for each in foreign))
    yield Problem(
        "TT714",
        subject.name,
        expected=f"{name.name} leads to an address of {subject.name}",
        actual=f"asked on the machine itself, it leads to {addresses}, which is {whose}",
        evidence=(
            Evidence(f"asked on {subject.name}", _line(name)),
            Evidence(f"addresses of {subject.name}", ", ".join(sorted(own))),
        ),
        facts={
            "instance": subject.instance_name,
            "host": name.name,
            "address": addresses,
            "other": whose,
            "vantage": subject.name,
        },
    )


def _is_its_own_always(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return True
    return parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified


def _line(name: OwnName) -> str:
    if name.error is not None:
        return f"{name.name}: {name.error}" + (f" ({name.detail})" if name.detail else "")
    return f"{name.name}: {', '.join(name.addresses)}"
