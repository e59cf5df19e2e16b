"""Every printed remedy carried out on the model of Tentacle's calls, in the situation that some surveys show."""

from __future__ import annotations

import copy
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.diagnosis.base_facts import server_facts, trust_facts
from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.view import Scene
from pytest_tentacle.guide.placeholders import PLACEHOLDER
from pytest_tentacle.guide.remedies import fill, with_own_values
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.sections import STEPS, Subject, applicable
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.survey.store import Surveys, dumps, loads
from support.rejudging import Judged, fleet_with

from .commands import BLANK, COPIED, LISTENING, POLLING, Portal, Refused, ServerState, State, Trusted
from .world import NoSettingsError, found_in, is_named, state_of, wrong_with

PERSONS = {
    "command": "polling-proxy",
    "connections": "5",
    "key": "API-1",
    "password": "p",
    "user": "u",
    "environment": "E",
    "role": "R",
    "proxy": "proxy.example",
    "port": "3128",
}
"""What only a person knows."""

ORIGINALS = {"TT413": "poll-01", "TC1171": "another", "TT117": "another"}
"""By cause: the machine that was copied. What is printed is for the copy, and nothing is to be done to the original."""

FLAWS = {
    "TT104": "it is not presented",
    "TT113": "weak",
    "TT114": "weak",
    "TC1171": COPIED,
    "TC1172": COPIED,
    "TC4111": "weak",
    "TC5081": "weak",
    "TT411": "weak",
    "TT412": "weak",
    "TT122": "its key cannot be read",
    "TT123": "it cannot be decrypted",
    "TT137": BLANK,
    "TT403": COPIED,
    "TT413": COPIED,
}
"""By cause: what is wrong with the Tentacle's certificate."""

PROCESSES = {
    "TT208": "it runs as the account of before",
    "TC1014": "it has settings of before",
    "TC1015": "it has settings of before",
    "TC1032": "it has settings of before",
    "TC5012": "it has settings of before",
    "TT144": "it has settings of before",
    "TT402": "it has settings of before",
    "TT605": "it has settings of before",
    "TC4141": "it cannot use its key, which the next one takes from the settings",
    "TC4142": "it cannot use its key, which the next one takes from the settings",
    "TC4143": "it cannot use its key, which the next one takes from the settings",
    "TC1132": "it has read a configuration of OpenSSL that does not fit",
    "TC1471": "it has as many files open as it may",
    "TC2031": "it ends again and again",
    "TC5011": "it does not open its port",
    "TC5021": "somebody else has its port",
    "TC5023": "somebody else has its port",
    "TC5022": "somebody else has its port",
    "TC5511": "it does not connect again",
    "TT503": "somebody else has its port",
    "TT507": "somebody else has its port",
    "TT973": "its version has a defect",
    "TT976": "it is of the version before an upgrade",
    "TC8132": "its program is damaged",
    "TC1152": "it holds a web socket through which nothing comes",
    "TC1271": "it has settings of before",
    "TT127": "it has settings of before",
    "TT128": "it accepts no connection",
    "TT130": "it hangs",
    "TT505": "it hangs",
    "TT506": "somebody else has its port",
    "TT552": "it holds connections that nobody has any more",
    "TT554": "it holds connections that nobody has any more",
}
"""By cause: what is wrong with a process that runs, and not with the next one; a restart mends it."""

BY_HAND = frozenset({"TC3112"})
"""Causes whose words let a person take a variable of the environment away, which stands over the file's port."""

PROXIES = frozenset({"TC1181", "TC1182", "TC1183", "TC1191", "TT601", "TT602", "TT603", "TT604", "TT606", "TT608"})
"""Causes in the proxy that a Tentacle polls through."""

CALL = re.compile(r"^(?:& |sudo )?(?P<program>'[^']*[Tt]entacle(?:\.exe)?'|\"[^\"]*\"|\S*/Tentacle)\s+(?P<rest>.*)$")
SERVER_CALL = re.compile(r"^& '[^']*Octopus\.Server\.exe'\s+(?P<rest>.*)$")
RESTART = re.compile(r"^(?:Restart-Service |sudo systemctl restart )")
START = re.compile(r"^(?:Start-Service |sudo systemctl start )")
STOP = re.compile(r"^(?:Stop-Service |sudo systemctl stop )")
TELLS_THE_PORTAL = re.compile(
    r"portal has its new thumbprint|enter its thumbprint|enter its thumbprint in the portal", re.IGNORECASE
)


@dataclass
class Tried:
    """What came of it.

    Attributes:
        wrong: by situation and cause, what is wrong with the remedy.
        mended: codes of causes whose fault the model has, and that their remedy mended.
        beyond: codes of causes that print calls that change something, and whose fault the model does not have.
        unreadable: codes of causes without settings to begin with.
    """

    wrong: dict[str, list[str]] = field(default_factory=dict)
    mended: set[str] = field(default_factory=set)
    beyond: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Remedy:
    """What is printed for one machine: a cause's remedy, or a problem's own one, which is shown where no cause is known."""

    code: str
    explains: frozenset[str]
    subject: Subject
    lines: tuple[str, ...]
    is_symptom: bool = False
    """A problem that some cause explains: its own remedy cannot know that one, but must break nothing."""


def tried(situations: Iterable[tuple[str, Surveys]], known: Sequence[Judged] = ()) -> Tried:
    """All causes and problems of all situations; what cannot differ from a fleet that is `known` is not judged again."""
    came = Tried()
    for name, surveys in situations:
        for remedy in remedies(surveys, known):
            _try(f"{name}: {remedy.code} on {remedy.subject.name}", remedy, came)
    return came


def remedies(surveys: Surveys, known: Sequence[Judged] = ()) -> Iterator[Remedy]:
    """Each cause and problem, on each Tentacle on which it is to be mended."""
    fleet = fleet_with(surveys, known)
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    for cause in diagnose(fleet, results).views():
        for name in cause.places:
            if name in fleet.machines and ORIGINALS.get(cause.code) != name:
                subject = fleet.subject(name)
                if subject.known_survey:
                    windows = subject.system == "windows"
                    lines = cause.remedy_windows if windows else cause.remedy_linux
                    yield Remedy(cause.code, cause.explains, subject, lines)
    scene = Scene(fleet, results)
    for result in results:
        subject = fleet.subject(result.machine)
        for problem in result.problems if subject.known_survey else ():
            kind = CATALOGUE[problem.code]
            if not kind.is_cause:
                view = scene.view(subject.name)
                own = view.base_facts | server_facts(subject, view.server_of(problem))
                facts = own | problem.facts | told(view, problem).facts
                facts = trust_facts(subject, facts) | facts
                system = "linux" if subject.system == "linux" else "windows"
                lines = with_own_values(fill(getattr(kind, system), system, facts), {subject.name: (facts,)})
                yield Remedy(kind.code, frozenset({kind.code}), subject, lines, is_symptom=True)


def _try_on_server(where: str, remedy: Remedy, came: Tried) -> None:
    """The polling port is all that a remedy changes at a server, and all that the model has of one."""
    calls = [match["rest"] for line in remedy.lines if (match := SERVER_CALL.match(line.removeprefix("$ ")))]
    if not calls:
        return
    declared = remedy.subject.machine.polling_ports[0]
    try:
        port = remedy.subject.server_settings.services_port or declared
    except (Unknown, Blocked):
        came.unreadable.add(remedy.code)
        return
    state = ServerState(port, port)
    looks_only = True
    for line in remedy.lines:
        if RESTART.match(line.removeprefix("$ ")):
            state.restart()
        elif match := SERVER_CALL.match(line.removeprefix("$ ")):
            words = shlex.split(match["rest"])
            looks_only &= words[0].startswith("show-")
            state.call(words)
    if not looks_only and (state.port, state.ran_with) != (declared, declared):
        came.wrong[where] = [f"port {state.port}, runs with {state.ran_with}, and is declared with {declared}"]
    elif not looks_only:
        came.mended.add(remedy.code)


OTHER = "F" * 40
"""The thumbprint of a server that is none of the inventory's."""
CHANGES_TRUST = re.compile(
    r"delete-instance|--reset-trust|--remove-trust|--trust|clear-trusted|update-trust|server-comms|register-|poll-server"
)
_REMOVES = re.compile(r" (?:delete-instance|service --stop --uninstall) ")
_WARNS = ("also polls another server", "trust in every server goes with the instance")
_ENTRIES = "Tentacle.Communication.TrustedOctopusServers"


THEIRS = "https://other.elsewhere:10943/"
"""Where the other server is polled."""

ARRANGEMENTS = ("trusted too", "polled too", "polled alone", "polled by what stands for its own")
"""How a Tentacle may work for another server: beside its own, in its place, or where the file has that one's thumbprint
for its own server as well."""


def beside_another_server(surveys: Surveys, arrangement: str) -> Surveys:
    """The same, where each Tentacle trusts, or polls, another department's server as well, or that one alone."""
    document = json.loads(dumps(surveys))
    thumbprints = {each.name: each.thumbprint for each in surveys.inventory.servers}
    own = {each.name: {thumbprints.get(server) for server in each.servers} for each in surveys.inventory.tentacles}
    polls = arrangement != "trusted too"
    address = {"Address": THEIRS, "SubscriptionId": "poll://other/"} if polls else {}
    entry = {"Thumbprint": OTHER, "CommunicationStyle": POLLING if polls else LISTENING, "Address": None} | address
    for record in document["records"]:
        servers = set().union(*(own.get(name, ()) for name in record["machines"]))
        for instance in ((record.get("survey") or {}).get("instances") or {}).get("data") or ():
            settings = (instance.get("configuration") or {}).get("settings") or {}
            try:
                entries = json.loads(settings.get(_ENTRIES, ""))
            except ValueError:
                continue
            if not isinstance(entries, list):
                continue
            polled = [each for each in entries if isinstance(each, dict) and each.get("CommunicationStyle") == POLLING]
            theirs = entry
            if arrangement == "polled alone":
                entries = [each for each in entries if each not in polled]
            elif arrangement == ARRANGEMENTS[-1] and polled and polled[0].get("Thumbprint") not in servers:
                theirs = entry | {"Thumbprint": polled[0].get("Thumbprint")}
            settings[_ENTRIES] = json.dumps([*entries, theirs])
    return loads(json.dumps(document).encode(), "beside another server")


class Beside:
    """A fleet that is well, judged by itself and in each arrangement with another server."""

    def __init__(self, well: Surveys) -> None:
        self.alone = Judged(well)
        self.arranged = {each: Judged(beside_another_server(well, each)) for each in ARRANGEMENTS}


def harm_to_another(surveys: Surveys, known: Beside) -> Iterator[tuple[Remedy, str]]:
    """Each remedy after which the other server's entry is gone without a word, or that is refused beside it."""
    if not any(CHANGES_TRUST.search(line) for each in remedies(surveys, [known.alone]) for line in each.lines):
        return
    for arrangement in ARRANGEMENTS:
        for remedy in remedies(beside_another_server(surveys, arrangement), [known.arranged[arrangement]]):
            if remedy.subject.is_tentacle and any(CHANGES_TRUST.search(line) for line in remedy.lines):
                yield from ((remedy, what) for what in harm_of(remedy))


def harm_of(remedy: Remedy) -> Iterator[str]:
    """What a remedy does to the other server's entry."""
    subject = remedy.subject
    try:
        state = state_of(subject, ORIGINALS.get(remedy.code, subject.name), " ".join(remedy.lines))
    except NoSettingsError:
        return
    theirs = {_as_expected(each) for each in state.trusted if each.thumbprint == OTHER or each.address == THEIRS}
    if not theirs:
        return  # the list is damaged, and nobody can read whom it trusts
    _break(state, remedy.code)
    service = subject.known_service
    own = {"instance": subject.instance_name, "name": subject.name, "service": service.name if service else ""}
    if any(" delete-instance " in line for line in remedy.lines):
        state.trusted = []
    lines = tuple(line for line in remedy.lines if not _REMOVES.search(line))
    try:
        carry_out(state, lines, own)
    except (Refused, AssertionError) as refusal:
        yield str(refusal)
        return
    warned = any(word in line for line in remedy.lines for word in _WARNS)
    if not warned and not theirs <= {_as_expected(each) for each in state.trusted}:
        yield "the other server's entry is gone"


def _as_expected(entry: Trusted) -> tuple[str, str]:
    """Who is met where: letters' case matters to nobody whose thumbprint is written in capitals afterwards."""
    return entry.thumbprint.upper(), entry.address or ""


def _is_call(line: str) -> bool:
    return line.startswith("$ ") and any(pattern.match(line[2:]) for pattern in (CALL, RESTART, START))


def _break(state: State, code: str) -> None:
    """What a cause means beyond what the settings have."""
    state.flaw = FLAWS.get(code, "")
    proxied = state.proxy.get("ProxyHost") or state.proxy.get("UseDefaultProxy") == "true"
    state.bad_proxy = dict(state.proxy) if code in PROXIES and proxied else None
    if code in PROXIES and not proxied:
        state.ran_with = ("it has the proxy of before",)
    if code in PROCESSES:
        state.ran_with = (PROCESSES[code],)


def _try(where: str, remedy: Remedy, came: Tried) -> None:
    code, subject = remedy.code, remedy.subject
    if not subject.is_tentacle:
        _try_on_server(where, remedy, came)
        return
    if not any(map(_is_call, remedy.lines)):
        return
    try:
        state = state_of(subject, ORIGINALS.get(code, subject.name), " ".join(remedy.lines))
    except NoSettingsError:
        if not remedy.is_symptom:
            came.unreadable.add(code)
        return
    _break(state, code)
    service = subject.known_service
    own = {"instance": subject.instance_name, "name": subject.name, "service": service.name if service else ""}
    before = copy.deepcopy(state)
    if code in BY_HAND:
        state.port = state.declared_port
    try:
        done = carry_out(state, remedy.lines, own)
    except (Refused, AssertionError, LookupError) as refusal:
        came.wrong[where] = [str(refusal)]
        return
    faults = _after(before, state, remedy, done, came)
    if faults:
        came.wrong[where] = faults


def _after(before: State, state: State, cause: Remedy, done: int, came: Tried) -> list[str]:
    name = cause.subject.name
    was, now = found_in(before), found_in(state)
    new = {code for code in now if code not in was}
    if state.others and _leaves_another_to_be_mended(before, cause.lines):
        new -= OF_ANOTHER
    was_wrong, wrong = wrong_with(before, name), wrong_with(state, name)
    faults = [f"new: {code}" for code in sorted(new)] + [each for each in wrong if each not in was_wrong]
    if cause.is_symptom:
        return faults
    if done and before == state:
        faults.append("nothing has changed")
    if not was and not was_wrong:
        if done:
            came.beyond.add(cause.code)
        return faults
    left = {code for code in cause.explains if now[code] and not (state.others and now[code] < was[code])}
    faults += [f"still: {code}" for code in sorted(left)] + [f"still: {each}" for each in wrong]
    if not faults:
        came.mended.add(cause.code)
    return faults


OF_ANOTHER = frozenset({"TT312", "TT313", "TT321", "TT401"})
"""What is told of the link with a server that does not trust the Tentacle, or that it does not trust."""


def _leaves_another_to_be_mended(before: State, lines: tuple[str, ...]) -> bool:
    """Whether a remedy for one server says that there is another one, or that one's link was not well before either."""
    trusted = {each.thumbprint for each in before.trusted}
    lacking = before.damaged_list or any(portal.thumbprint not in trusted for portal in before.portals)
    return lacking or any(warning in line for warning in _WARNS for line in lines)


def carry_out(state: State, lines: tuple[str, ...], own: dict[str, str]) -> int:
    """The commands of a remedy, in their order; the number of those that are for the model and change something."""
    done = 0
    told = {each for line in lines if "with each machine's own" in line for each in PLACEHOLDER.findall(line)}
    values = PERSONS | {each: own[each] for each in told if each in own}
    for line in lines:
        if not line.startswith("$ "):
            continue
        for portal in _meant(state, line, lines):
            at_it = values | _known_to_a_person(portal)
            command = PLACEHOLDER.sub(lambda match, known=at_it: known.get(match[1], match[0]), line[2:])
            done += _call(state, command)
    if state.certificate != state.known_certificate and any(TELLS_THE_PORTAL.search(line) for line in lines):
        state.known_certificate = state.certificate
    return done


WHOSE = ("portal", "polled", "polled_port")
"""Placeholders whose value is another one at each Octopus Server."""


def _meant(state: State, line: str, lines: tuple[str, ...]) -> list[Portal]:
    """The servers at which a command is to be called: by what is said of its placeholders, where there are several."""
    left = [name for name in WHOSE if f"<{name}>" in line]
    if not left or not state.others:
        return [state.portal]
    found = []
    for name in left:
        said = " ".join(each for each in lines if each.startswith(f"<{name}> stands for "))
        own = " ".join(each for each in lines if each.startswith("Replace ") and f"<{name}>" in each)
        named = [each for each in state.portals if any(is_named(node, said) for node in each.names)] or [
            each for each in state.portals if any(where in own for where in _addresses(each, name))
        ]
        assert named, f"it does not say which server's <{name}> is meant: {said or own}"
        found.append(state.portals if "with a command for each" in said else named)
    assert found[0] == found[-1], "its placeholders are of different servers"
    return found[0]


def _addresses(portal: Portal, name: str) -> tuple[str, ...]:
    """All that is right instead of `portal`, `polled` or `polled_port`."""
    if name == "portal":
        return (portal.url,)
    form = "{2}" if name == "polled_port" else "{}://{}:{}"
    polled = (each for node in portal.nodes for each in sorted(node, key=str) if each)
    return tuple(form.format(*where) for where in polled)


def _known_to_a_person(portal: Portal) -> dict[str, str]:
    """What somebody with that server before him puts instead of placeholders."""
    return {name: where for name in WHOSE for where in _addresses(portal, name)[:1]}


def _call(state: State, command: str) -> bool:
    """One command; whether it is for the model and changes something."""
    if RESTART.match(command):
        state.restart()
    elif STOP.match(command):
        state.stop()
    elif START.match(command):
        if state.service != "running":
            state.restart()
    elif (call := CALL.match(command)) and "help" not in call["rest"]:
        assert not PLACEHOLDER.search(command), f"a value that is known was not filled in: {command}"
        words = shlex.split(call["rest"])
        state.call(words)
        return not words[0].startswith(("show-", "list-", "version"))
    else:
        return False
    return True
