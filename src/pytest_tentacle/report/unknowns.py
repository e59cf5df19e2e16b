"""What could not be looked at, folded: the reasons why, each with all machines that it holds for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from pytest_tentacle.inventory.model import Machine
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.survey.model import HostRecord

from .document import NotLookedAt

_ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|[0-9a-fA-F]*(?::[0-9a-fA-F]*){2,})")
"""What may be an IP address in a sentence."""

_TIME = re.compile(r"\b\d+(?:\.\d+)? m?s\b")


def fold_unknowns(
    results: Iterable[StepResult], machines: Mapping[str, Machine], records: Mapping[str, HostRecord]
) -> tuple[NotLookedAt, ...]:
    """One line for what is unknown for one reason: a fleet behind a dead VPN is one, not one a machine and step."""
    told: dict[str, dict[tuple[str, str], None]] = {}
    for result in results:
        if result.outcome is Outcome.UNKNOWN:
            told.setdefault(result.machine, {})[_first_of_all(result, records.get(result.machine))] = None
    folded: dict[tuple[str, str], list[tuple[str, tuple[str, str]]]] = {}
    for name, own in told.items():
        names = _names(machines.get(name))
        for reason, advice in own:
            kind = (_nameless(reason, names), _nameless(advice, names))
            folded.setdefault(kind, []).append((name, (reason, advice)))
    lines = [_line(kind, each) for kind, each in folded.items()]
    return tuple(sorted(lines, key=lambda line: -len(line.machines)))


def _line(kind: tuple[str, str], each: list[tuple[str, tuple[str, str]]]) -> NotLookedAt:
    words = {told for _, told in each}
    reason, advice = words.pop() if len(words) == 1 else kind
    return NotLookedAt(reason=reason, advice=advice, machines=tuple(dict.fromkeys(name for name, _ in each)))


def _first_of_all(result: StepResult, record: HostRecord | None) -> tuple[str, str]:
    """Why it is unknown, and what to do; where nobody could log on to the machine itself, that alone."""
    unreachable = record.unreachable if record else None
    if unreachable:
        reason = unreachable.reason
        if reason in result.reason:
            return reason, unreachable.advice
    return result.reason, result.advice


def _names(machine: Machine | None) -> re.Pattern[str] | None:
    """What a machine is called in a sentence."""
    if machine is None:
        return None
    names = {machine.name, machine.dns_name, machine.ip, getattr(machine.transport, "host", None)}
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-]|\.\w)")


def _nameless(text: str, names: re.Pattern[str] | None) -> str:
    """The same text whichever machine it is about, and however long it took there."""
    if names is not None:
        text = names.sub("<machine>", text)
    return _TIME.sub("<time>", _ADDRESS.sub(_address, text))


def _address(found: re.Match[str]) -> str:
    text = found[0].rstrip(":")
    try:
        ip_address(text)
    except ValueError:
        return found[0]
    return "<address>" + found[0][len(text) :]
