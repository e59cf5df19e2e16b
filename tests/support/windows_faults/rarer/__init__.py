"""Rarer faults of Windows machines, as an administrator meets them: written, with their sources, before any was judged.

What no survey read when they were written stands there all the same, as the machine tells it: `as_known` leaves such a fact out
where the record has no field for it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ValidationError

from pytest_tentacle.packet_filter.firewall import FirewallProfile, FirewallRule
from pytest_tentacle.survey.surroundings import Event
from support import NOW
from support.fleets.failures import DROPPED
from support.fleets.whole import LISTENS, Whole, started

TENTACLE = "OctopusDeploy Tentacle"
PROGRAM = r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe"
_LISTS = {"LPort": "ports", "LPort2_10": "ports", "Profile": "profiles", "RA4": "remote", "RA6": "remote"}
_CONDITIONS = ("Svc", "LUAuth", "RMauth", "IF", "IFType", "Security", "Security2_9", "LA4", "RPort", "RPort2_10")


def as_known(model: type[BaseModel], **facts: Any) -> dict[str, Any]:
    """Those facts that the record has a field for."""
    return {name: value for name, value in facts.items() if name in model.model_fields}


def network_event(number: int, ago: float, *params: str) -> tuple[Event, ...]:
    """An entry of TCP/IP's in the System log; none where a survey has no place for it."""
    data = {f"param{at}": text for at, text in enumerate(params, 1)}
    try:
        return (Event.model_validate(
            {"source": "tcpip", "id": number, "time_utc": NOW - timedelta(seconds=ago), "data": data}
        ),)  # fmt: skip
    except ValidationError:
        return ()


def registry_rule(text: str) -> FirewallRule:
    """A rule as the registry has it: `v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=10933|...|`."""
    parts = [part.partition("=")[::2] for part in text.split("|") if "=" in part]
    lists: dict[str, tuple[str, ...]] = {}
    for key, value in parts:
        if key in _LISTS:
            lists[_LISTS[key]] = (*lists.get(_LISTS[key], ()), value)
    fields = dict(parts)
    conditions = tuple(f"{key}={value}" for key, value in parts if key in _CONDITIONS)
    return FirewallRule.model_validate({
        "name": fields["Name"], "action": fields["Action"].lower(), "program": fields.get("App"), **lists,
        "conditional": bool(conditions), **as_known(FirewallRule, conditions=conditions),
    })  # fmt: skip


def kept_out(world: Whole, *rules: str) -> None:
    """The firewall of web-01 has these rules, and octo-1 gets no answer."""
    profile = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=True, active=True)
    world.change("web-01", "firewall", profiles=(profile,), rules=tuple(map(registry_rule, rules)))
    world.both("web-01", DROPPED)
    world.logs["web-01"] = started(2136, LISTENS)


def replaced_in_log(world: Whole, name: str, old: str, new: str) -> None:
    """Another wording of a line of its log, which must be there."""
    assert re.search(re.escape(old), world.logs[name]), old
    world.logs[name] = world.logs[name].replace(old, new)
