"""Each printed call of Tentacle is carried out on a model, in the situation that an injected fault makes of a machine."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from pytest_tentacle.guide.placeholders import PLACEHOLDER
from pytest_tentacle.inventory.model import Mode, OctopusServer
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.sections import Subject
from pytest_tentacle.survey.targets import names_of
from support.faults import CASES, Case
from support.tentacle_commands import Portal, Refused, State, Trusted, uri
from support.whole import wide_fleet

PERSONS = {
    "key": "API-1",
    "password": "p",
    "user": "u",
    "environment": "E",
    "role": "R",
    "portal": "https://p",
}
"""What only a person knows."""

SETTINGS_CODES = re.compile(r"T[TC]3(03|10|12|13|14|15|20|21|22|23)|TC3032")
"""Causes in a Tentacle's own settings: after their remedy it works, as far as settings go."""

ORIGINALS = {"TT413": "poll-01"}
"""By cause: the machine that was copied. What is printed is for the copy, and nothing is to be done to the original."""

CALL = re.compile(r"^(?:& |sudo )?(?P<program>'[^']*[Tt]entacle(?:\.exe)?'|\"[^\"]*\"|\S*/Tentacle)\s+(?P<rest>.*)$")
RESTART = re.compile(r"^(?:Restart-Service |sudo systemctl restart )")
START = re.compile(r"^(?:Start-Service |sudo systemctl start )")
UNREADABLE = frozenset({"TT207", "TT301", "TC3021", "TC3022", "TC3031"})
"""Causes that leave no settings which the model could begin with; `test_has_no_settings` holds that it is so."""

CASES_HERE = [case for case in CASES if re.match(r"T[TC][234]", case.code) and case.code not in UNREADABLE]


class NoSettingsError(Exception):
    """There are no settings to work on."""


def model_of(subject: Subject, registered: str) -> State:
    """A Tentacle as its survey has it, and the server as it is, where its subscription is registered under a name."""
    node = next(peer for peer in subject.peers if isinstance(peer.machine, OctopusServer))
    addresses = {
        uri(f"https://{host}:{port}")
        for peer in subject.peers
        for host, _ in names_of(peer.machine)
        for port in (10943,)
    }
    try:
        settings = subject.settings
        trusted = [Trusted(e.thumbprint or "", e.style or 0, e.address, e.subscription_id) for e in settings.trusted]
        no_listen, port, damaged = settings.no_listen, settings.port or 0, bool(settings.trusted_error)
        listen_ip = settings.listen_ip or ""
    except (Unknown, Blocked):
        raise NoSettingsError from None
    service = subject.service
    running = "missing" if service is None else "running" if service.state == "running" else "stopped"
    subscription = next((each.subscription for each in trusted if each.subscription), None)
    portal = Portal(node.presented_here or node.machine.thumbprint or "", addresses, {registered: subscription})
    windows = subject.read("host").os == "windows"
    return State(trusted, portal, no_listen, port, listen_ip, damaged_list=damaged, service=running, windows=windows)


def works(state: State, mode: Mode | None, name: str) -> list[str]:
    """What keeps a Tentacle with such settings from working; empty where nothing does."""
    wrong = []
    if state.needs_restart:
        wrong.append("it runs by other settings than its file has")
    if mode is Mode.POLLING:
        right = [
            each
            for each in state.trusted
            if each.style == 2
            and each.thumbprint == state.portal.thumbprint
            and uri(each.address) in state.portal.polling
        ]
        if not right:
            wrong.append("no polled entry has the server's thumbprint and an address where it answers")
        elif all(each.subscription != state.portal.machines.get(name) for each in right):
            wrong.append("it polls with a subscription that the portal does not know")
        if any(each.style == 2 and uri(each.address) not in state.portal.polling for each in state.trusted):
            wrong.append("a wrong address is polled for ever")
    elif mode is Mode.LISTENING:
        if state.portal.thumbprint.lower() not in {each.thumbprint.lower() for each in state.trusted}:
            wrong.append("the server is not trusted")
        if state.no_listen:
            wrong.append("it does not listen")
    return wrong


def carry_out(state: State, lines: tuple[str, ...], own: dict[str, str]) -> int:
    """The commands of a remedy, in their order; the number of those that are for the model."""
    done = 0
    told = {each for line in lines if "use each machine's own" in line for each in PLACEHOLDER.findall(line)}
    values = PERSONS | {each: own[each] for each in told if each in own}
    for line in lines:
        if not line.startswith("$ "):
            continue
        command = PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), line[2:])
        if RESTART.match(command):
            state.restart()
        elif START.match(command):
            if state.service != "running":
                state.restart()
        elif (call := CALL.match(command)) and "help" not in call["rest"]:
            assert not PLACEHOLDER.search(command), f"a value that is known was not filled in: {command}"
            state.call(shlex.split(call["rest"]))
        else:
            continue
        done += 1
    return done


def remedies(diagnosed: Any, case: Case) -> Any:
    """Of a fault: each cause, each Tentacle that has it, and the lines for that machine's system."""
    world = wide_fleet()
    world["octo-1"].declare(portal="https://p")
    case.change(world)
    fleet = world.fleet()
    for cause in diagnosed(world).causes:
        for name in cause.machines:
            subject = fleet.subject(name)
            original = ORIGINALS.get(cause.code) == name
            if (
                subject.is_tentacle
                and not original
                and name not in cause.affected
                and name in cause.places
                and subject.record.survey
            ):
                windows = subject.read("host").os == "windows"
                yield cause, subject, cause.remedy_windows if windows else cause.remedy_linux


class TestEachRemedy:
    """Of every fault of services, settings and thumbprints."""

    @pytest.mark.parametrize("case", CASES_HERE, ids=[case.id for case in CASES_HERE])
    def test_is_neither_refused_nor_void(self, case: Case, diagnosed: Any) -> None:
        """Nothing is refused; after a remedy for settings, the Tentacle runs by settings that work."""
        wrong = {}
        for cause, subject, lines in remedies(diagnosed, case):
            state = model_of(subject, ORIGINALS.get(cause.code, subject.name))
            own = {
                "instance": subject.instance_name,
                "name": subject.name,
                "service": subject.service.name if subject.service else "",
            }
            before = (state.settings(), state.service)
            try:
                done = carry_out(state, lines, own)
            except Refused as refusal:
                wrong[f"{cause.code} on {subject.name}"] = [f"refused: {refusal}"]
                continue
            faults = works(state, subject.mode, subject.name) if SETTINGS_CODES.match(cause.code) and done else []
            if SETTINGS_CODES.match(cause.code) and done and (state.settings(), state.service) == before:
                faults.append("nothing has changed")
            if faults:
                wrong[f"{cause.code} on {subject.name}"] = faults
        assert wrong == {}


class TestUnreadable:
    """Faults after which there is no configuration file to work on: nothing of it can be carried out on the model."""

    @pytest.mark.parametrize("code", sorted(UNREADABLE))
    def test_has_no_settings(self, diagnosed: Any, code: str) -> None:
        """Whoever gives one of them settings again has to take it out of the list."""
        found = [(case, subject) for case in CASES if case.code == code for _, subject, _ in remedies(diagnosed, case)]
        assert found
        for _, subject in found:
            with pytest.raises(NoSettingsError):
                model_of(subject, subject.name)
