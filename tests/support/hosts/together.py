"""Pairs of faults that are injected together: which can be, and when one of them hides the other.

Two faults can be combined where neither undoes or overwrites what the other changes (`resources`), neither works through
a machine that the other breaks (`leans_on`), and their causes differ where they meet. They may well meet on one machine,
on one link, on the router.

Both must be named, but for two rules, and how often each was needed is told apart (`faults.figures`). A fault is *masked*
where all that the survey of both saw, from each vantage point and in each section, is what it saw of the other fault alone
(`seen`), or differs by nothing but what healthy machines have as well (`Scenario.harmless`). Then nobody can know of it. And one
that is not *certain* when it is alone may be *unknown* beside the other (`told_as_unknown`), if a step says what could not be
told. Where both meet on a machine, and each is named somewhere, one of the two is enough for that machine: of one look only the
first thing that ended it is seen.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from pytest_tentacle.diagnosis import Confidence, Diagnosis
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.link import Failure, Probe
from pytest_tentacle.link.model import Connected
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import Surveys

from .network import FLEET, SUBNETS
from .scenario import Scenario

_RESOURCES = {
    "routes and addresses": r"\bip (?:-6 )?(?:route|addr|address|rule|link|neigh|xfrm)\b",
    "kernel settings": r"\bsysctl\b",
    "the service": r"systemctl[^;]*\b(?:Tentacle|octopusserver|daemon-reload)\b|kill -STOP|prlimit",
    "the log-on": r"lab-sshd|authorized_keys|--dport 22 -j DROP|dport 22 drop",
    "port 7000": r"\b7000\b",
    "port 3128": r"\b3128\b",
    "port 53 of a": r"dns-a\b|\bmoody_dns\.py 10\.10\.1\.",
    "port 53 of c": r"dns-c\b|\bmoody_dns\.py 10\.10\.3\.",
}
_PATH = re.compile(r"/(?:etc|root|opt|usr|mnt|run)/[\w./-]+")
_SCOPES = (
    frozenset({"TC5202", "TC5203", "TC5204", "TC5206"}),
    frozenset({"TC5211", "TC5213", "TC5214"}),
    frozenset({"TC5281", "TC5282"}),
)
"""One fault, by how many machines it reaches: where another fault holds some of them, it is seen on fewer."""
_OWN_TABLE = re.compile(r"(\b(?:inet|ip|arp|bridge|netdev) [a-z])1\b")
_TABLE = re.compile(r"(add (?:table|chain|rule|set|map|element|counter|quota|limit) \w+ [a-z])\b")


def resources(scenario: Scenario) -> frozenset[tuple[str, str]]:
    """What it changes: by machine or router, in words."""
    found: set[tuple[str, str]] = set()
    for line in (*scenario.do, *scenario.undo):
        where, _, command = line.partition(":")
        if where == "dns":
            found |= {("router", f"port 53 of {leg}") for leg in command.partition("--")[0].split()[1:] or SUBNETS}
        elif where == "here":
            found |= {(name, "all") for name in FLEET if name in command}
        else:
            found |= {(where, what) for what, pattern in _RESOURCES.items() if re.search(pattern, command)}
            found |= {(where, path) for path in _PATH.findall(command)}
            if where == "router":
                found |= {(where, f"packets to {port}") for port in re.findall(r"dport (109[34]3)", command)}
    return frozenset(found)


def touched(scenario: Scenario) -> frozenset[str]:
    """The machines, and the router, that it changes or should be told of."""
    changed = {line.partition(":")[0].strip() for line in (*scenario.do, *scenario.undo)}
    return frozenset((changed | set(scenario.expect)) - {"here", "dns"})


def leans_on(scenario: Scenario) -> frozenset[str]:
    """The Tentacles through which it works: its commands name them by address, and it does not break them."""
    text = " ".join(scenario.do)
    addresses = {name: rf"10\.10\.{SUBNETS[net]}\.{number}\b(?!/)" for name, (net, number) in FLEET.items()}
    named = {name for name, pattern in addresses.items() if name not in _SERVERS and re.search(pattern, text)}
    return frozenset(named - touched(scenario))


def combinable(one: Scenario, two: Scenario) -> bool:
    """Whether both can be there at once, neither through the other, and what is expected differs where they meet."""
    return (
        one.fleet == two.fleet
        and not resources(one) & resources(two)
        and not leans_on(one) & touched(two)
        and not leans_on(two) & touched(one)
        and not any(set(codes) & set(two.expect.get(name, ())) for name, codes in one.expect.items())
    )


def drawn(scenarios: Sequence[Scenario], count: int, seed: int) -> list[tuple[Scenario, Scenario]]:
    """So many pairs of faults of the common fleet, chosen by the seed, no fault much more often than another."""
    able = [each for each in scenarios if not (each.healthy or each.awaited or each.fleet) and each.expect]
    possible = list(combinations(able, 2))
    random.Random(seed).shuffle(possible)
    most = 2 * count // max(1, len(able)) + 2
    used: Counter[str] = Counter()
    chosen: list[tuple[Scenario, Scenario]] = []
    for one, two in possible:
        if len(chosen) == count:
            break
        if used[one.name] < most and used[two.name] < most and combinable(one, two):
            chosen.append((one, two))
            used.update((one.name, two.name))
    return chosen


def apart(line: str, number: int) -> str:
    """A scenario's line, with tables of its own in nftables where it is not the first of those that are injected."""
    return _TABLE.sub(rf"\g<1>{number}", line) if number else line


def wrong(diagnosis: Diagnosis, pair: Sequence[Scenario], hidden: Collection[str]) -> list[str]:
    """What a diagnosis of two faults at once lacks, or has too much; `hidden` are those that nobody can know of."""
    named = {
        name: {word for found in own.causes for word in _words(found.kind.code, found.confidence)}
        for name, own in diagnosis.machines.items()
    }
    faults = []
    meet = set(pair[0].expect) & set(pair[1].expect)
    for each, other in (pair, tuple(reversed(pair))):
        if each.name in hidden:
            continue
        broken = touched(each) - {"router"}
        own_codes = {code.rstrip("?") for codes in each.expect.values() for code in codes}
        has = {
            name
            for name, codes in each.expect.items()
            if named.get(name, set())
            & (
                set(codes)
                | set(each.merged if name in meet else ())
                | (_allowed(each, name, meet) - {code.rstrip("?") for code in codes})
            )
        }
        if not has and not any(named.get(name, set()) & own_codes for name in broken):
            wanted = "; ".join(f"{name}: {' or '.join(codes)}" for name, codes in each.expect.items())
            faults.append(f"{each.name} is not named: {wanted}")
        faults += [
            f"{name} has neither, but {', '.join(sorted(named.get(name, ()))) or 'nothing'}"
            for name in sorted(set(each.expect) - has)
            if has and not named.get(name, set()) & _allowed(other, name)
        ]
    beside = {code for each in pair for code in each.beside}
    for view in diagnosis.views():
        for name in view.machines:
            allowed = {code for each in pair for code in _allowed(each, name, meet)} | beside
            if view.code not in allowed:
                faults.append(f"{name} must not have {view.code}: {view.sentence}")
    return faults


def _words(code: str, confidence: Confidence) -> tuple[str, ...]:
    return (code, f"{code}?") if confidence is Confidence.POSSIBLE else (code,)


def _allowed(scenario: Scenario, name: str, meet: Collection[str] = ()) -> set[str]:
    """The codes by which a machine may have this fault; where the other one holds some machines, in a narrower scope."""
    codes = {code.rstrip("?") for code in scenario.expect.get(name, ())}
    return codes.union(*(scope for scope in _SCOPES if scope & codes)) if meet else codes


def masked(both: Surveys, alone: Mapping[str, Surveys], pair: Sequence[Scenario]) -> frozenset[str]:
    """Those of the two without which the survey would be the same."""
    all_seen = seen(both)
    return frozenset(
        each.name
        for each, other in (pair, tuple(reversed(pair)))
        if _without(all_seen, each) == _without(seen(alone[other.name]), each)
    )


def _without(found: Mapping[str, str], scenario: Scenario) -> dict[str, str]:
    return {key: text for key, text in found.items() if key not in scenario.harmless}


def told_as_unknown(
    results: Sequence[StepResult],
    alone: Mapping[str, tuple[Sequence[StepResult], Diagnosis]],
    pair: Sequence[Scenario],
) -> frozenset[str]:
    """Those that alone are not certain, and of which a step of their machine says that it cannot be told."""
    found = set()
    for each, other in (pair, tuple(reversed(pair))):
        own = alone[each.name][1].machines
        causes = [cause for name in each.expect for cause in (own[name].causes if name in own else ())]
        reasons = {(one.machine, one.reason) for one in results if one.outcome in _WITH_UNKNOWNS and one.reason}
        reasons -= {(one.machine, one.reason) for one in alone[other.name][0]}
        if all(cause.confidence is not Confidence.CERTAIN for cause in causes) and {one for one, _ in reasons} & set(
            each.expect
        ):
            found.add(each.name)
    return frozenset(found)


def differences(both: Surveys, one: Surveys) -> list[str]:
    """Where two surveys saw something else."""
    first, second = seen(both), seen(one)
    return [
        f"{key}: {first.get(key)} / {second.get(key)}"
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    ]


def seen(surveys: Surveys) -> dict[str, str]:
    """What a survey saw, but for what is another at each time: each look's outcome, and what sections hold.

    Without the looks of the machine that runs the survey: its way is none of those that a link goes, and no verdict.
    """
    found: dict[str, str] = {}
    known = {hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest().upper(): name for name in FLEET}
    for record in surveys.records:
        where = record.machines[0]
        for look in (*record.peer_probes, *(record.survey.probes if record.survey else ())):
            found[_key(where, look)] = _outcome(look, known)
        for series in (*record.peer_pings, *(record.survey.pings if record.survey else ())):
            slow = any(
                max(each.resolve or 0, each.connect or 0, each.tls or 0) > _SLOW
                for each in series.attempts
                if not each.error
            )
            if slow or 0 < series.lost < series.sent:
                found[f"{where} pings {series.host}"] = "loses some, or takes long"
        found |= {f"{where} {section}": text for section, text in _sections(record)}
    return found


def _key(where: str, look: Probe) -> str:
    return f"{where} -> {look.link.tentacle} {look.link.server} {look.link.instance} {look.by} {look.host}:{look.port}"


def _outcome(look: Probe, known: Mapping[str, str]) -> str:
    """Stage by stage: what failed and how, what was reached, whether it took long."""
    words = [look.unavailable or ""]
    if look.resolve:
        words += [str(look.resolve.error), *look.resolve.addresses]
    if look.connect:
        words += [_how(look.connect), str(look.connect.address)]
        words += [f"{each.address} {each.error} {each.stage}" for each in look.connect.tried if each.error]
    if look.tls:
        words += [str(look.tls.error), known.get(look.thumbprint or "", "another") if look.thumbprint else ""]
    words += [f"{each.error}" for each in (look.page, look.identity) if each]
    stages = {"resolve": look.resolve, "connect": look.connect, "tls": look.tls, "page": look.page}
    silent = {Failure.TIMED_OUT, Failure.UNREACHABLE}  # which takes long by itself
    slow = [name for name, each in stages.items() if each and each.error not in silent and (each.ms or 0) > _SLOW]
    return " ".join([*words, *(["slow", *slow] if slow else [])])


def _how(connect: Connected) -> str:
    """How it failed to connect: a system that asks for a neighbour in vain says so after some seconds, or is cut short."""
    waited = connect.error in {Failure.TIMED_OUT, Failure.UNREACHABLE} and (connect.ms or 0) > _SLOW
    return "no answer" if waited else str(connect.error)


def _sections(record: HostRecord) -> Iterator[tuple[str, str]]:
    if record.survey is None:
        yield "log-on", str(record.unreachable.stage if record.unreachable else "")
        return
    survey = json.loads(record.survey.model_dump_json(include=set(_STATES), exclude_none=True))
    survey["own_names"] = _own_names(survey)
    for name in _STATES:
        text = json.dumps(_lasting(survey.get(name)), sort_keys=True)
        yield name, _OWN_TABLE.sub(r"\1", text)


def _own_names(survey: dict[str, Any]) -> Any:
    """Those names of its own that lead elsewhere: healthy machines have such that lead nowhere, or to themselves."""
    own = set((survey.get("host") or {}).get("data", {}).get("addresses", ()))
    names = (survey.get("own_names") or {}).get("data") or ()
    return [each for each in names if set(each.get("addresses", ())) - own]


def _lasting(value: Any) -> Any:
    """Without what differs from one survey to the next."""
    if isinstance(value, dict):
        kept = {key: _lasting(each) for key, each in value.items() if key not in _PASSING}
        kept["full"] = value.get("free_bytes", _ROOM) < _ROOM or value.get("free_inodes", 1) == 0
        return {key: each for key, each in kept.items() if each not in (False, [], {})}
    if isinstance(value, list):
        return [_lasting(each) for each in value if not _is_nothing(each)]
    return value


def _is_nothing(value: Any) -> bool:
    """A link-local address, and a chain without rules, which a command leaves that asks for it."""
    if isinstance(value, dict):
        return value.get("policy") == "accept" and not value.get("rules")
    return isinstance(value, str) and value.startswith("fe80")


_WITH_UNKNOWNS = frozenset({Outcome.UNKNOWN, Outcome.FAILED})
"""A step that fails says what it could not tell as well."""
_SERVERS = frozenset({"octo-1"})
_ROOM = 2**20
_SLOW = 1000
"""Milliseconds of a stage."""
_STATES = (
    "host", "services", "instances", "listeners", "firewall", "proxies", "permissions", "disks",
    "own_names", "routes", "proxy_connects", "left_overs", "watchdog",
)  # fmt: skip
"""The sections that tell of a state; logs, events and connections tell of what came of it."""
_PASSING = frozenset(
    {
        "pid", "started_utc", "boot_utc", "clock_utc", "modified_utc", "size", "neighbour", "packets", "bytes", "counter", "policy_packets",
        "text", "ms", "parent_pid", "restarts", "free_bytes", "size_bytes",
        "free_inodes", "inodes", "children", "command_line",
    }
)  # fmt: skip
