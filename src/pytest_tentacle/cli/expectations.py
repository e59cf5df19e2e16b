"""An inventory of what a run has seen: machines that were healthy become the expectations of later runs."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.inventory.model import Mode, OctopusServer, Tentacle, Transport
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.sections import STEPS, applicable, checks_of, fleet_of
from pytest_tentacle.survey.store import Surveys

_SHOWN = 5
_NOT_OF_A_FILE = {"role", "origin", "transport", "registrations", "waive"}
_PINGED = "tentacle-ping"
_GOOD = frozenset({Outcome.PASSED, Outcome.NOTED})


def expectations_of(surveys: Surveys) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The entries of an inventory file, and sentences that belong beside them.

    All that was declared stands in them. Of a machine whose steps passed, each one, what was seen is asserted from then
    on: mode, port, thumbprint, system and instance; of others it is not, for they may be what is wrong. No credential
    is in a survey, so none is written.
    """
    fleet = fleet_of(surveys)
    good = {subject.name for subject in fleet.subjects if _is_good(subject, pinged=surveys.ping is not None)}
    servers = [_entry(fleet.subject(each.name), good) for each in surveys.inventory.servers]
    tentacles = [_entry(fleet.subject(each.name), good) for each in surveys.inventory.tentacles]
    groups = dict.fromkeys(group for each in surveys.inventory.machines for group in each.groups)
    others = [each.name for each in surveys.inventory.machines if each.name not in good]
    notes = [
        f"Surveyed {surveys.taken_utc:%Y-%m-%d %H:%M} UTC; {len(good)} of {len(fleet.subjects)} machines are healthy."
    ]
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        notes.append(f"Not healthy, so only what was declared of them stands here: {', '.join(others[:_SHOWN])}{more}.")
    return {"groups": groups, "servers": servers, "tentacles": tentacles}, tuple(notes)


def _is_good(subject: Subject, *, pinged: bool) -> bool:
    if subject.known_survey is None:
        return False
    steps = [step.slug for step in STEPS if (pinged or step.slug != _PINGED) and applicable(step.slug, subject)]
    return all(subject.result(slug, checks_of(slug)).outcome in _GOOD for slug in steps)


def _entry(subject: Subject, good: set[str]) -> dict[str, Any]:
    machine = subject.machine
    entry: dict[str, Any] = machine.model_dump(mode="json", exclude=_NOT_OF_A_FILE, exclude_defaults=True)
    if machine.name in good:
        entry = {"name": entry.pop("name")} | _seen(subject) | entry  # what was declared has the last word
    entry["transport"] = _transport(machine.transport)
    if machine.waive:
        entry["waive"] = [each.model_dump(mode="json", exclude={"origin"}, exclude_none=True) for each in machine.waive]
    return entry


def _transport(transport: Transport) -> dict[str, Any]:
    """How to log on, with references instead of what no survey keeps."""
    kept = transport.without_credentials().model_dump(mode="json", exclude_defaults=True)
    if transport.kind == "winrm" and transport.auth == "certificate":
        kept |= {"certificate": "client.pem", "certificate_key": "client.key"}
    elif transport.kind == "winrm" and transport.auth != "kerberos":
        kept |= {"user": "${env:TENTACLE_USER}", "password": ""}  # `inventory_text` refers to a variable for it
    return {"kind": transport.kind, **kept}


def _seen(subject: Subject) -> dict[str, Any]:
    """What was seen of a healthy machine, in the words of an inventory; what is not known is left out."""
    machine = subject.machine
    seen: dict[str, Any] = {"os": subject.system, "thumbprint": subject.presented_here or subject.configured_thumbprint}
    try:
        seen["instance"] = subject.instance_name
        if isinstance(machine, OctopusServer) and subject.server_settings.services_port is not None:
            seen["polling_ports"] = [subject.server_settings.services_port]
        if isinstance(machine, Tentacle) and subject.mode is not None:
            seen["mode"] = subject.mode.value
            if subject.mode is Mode.LISTENING and machine.listens_on is None:
                seen["port"] = subject.settings.port
    except (Unknown, Blocked):
        pass
    return {key: value for key, value in seen.items() if value is not None}
