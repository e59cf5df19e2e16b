"""Each printed call of Tentacle and Octopus Server is carried out on a model, in every situation that faults make.

A remedy is right when, carried out, the problem is gone and none is new; a call that is refused, prompts or changes nothing
is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_tentacle.diagnosis import CAUSES
from pytest_tentacle.diagnosis.base_facts import base_facts, server_facts
from pytest_tentacle.guide.commands import fitting
from pytest_tentacle.link import By, Failure
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.survey.store import Surveys, loads
from support.faults import CASES, Case
from support.fleets.certificates import thumbprint
from support.fleets.failures import REFUSED
from support.fleets.looks import polled
from support.fleets.whole import Whole, make_linux, make_windows, wide_fleet
from support.fleets.world import probe
from support.hosts.recorded import recorded
from support.rejudging import Judged
from support.remedies.tried import (
    CHANGES_TRUST,
    OTHER,
    Beside,
    Tried,
    beside_another_server,
    carry_out,
    harm_of,
    harm_to_another,
    remedies,
    tried,
)
from support.remedies.world import found_in, healthy, state_of
from support.replaying import built, cases
from support.session.each import wrong_with

BEYOND = {
    "TC1151": "connections that are all busy: no setting is wrong, and their number is a matter of load",
}
"""Causes whose remedy changes something that the model has, while their fault is nothing that it has."""

UNREADABLE = {
    "TC1271": "the fault is told of where the file could not be read",
    "TT207": "an instance without a file",
}
"""Causes that leave no settings which the model could begin with."""


def situations() -> Iterator[tuple[str, Surveys]]:
    """All faults of the made-up fleet, of the lab of hosts, and that people reported."""
    for case in CASES:
        yield case.id, _broken(case)
    for name, surveys in recorded():
        yield f"hosts: {name}", surveys
    for reported in cases():
        yield f"reported: {reported.id}", loads(json.dumps(built(reported)).encode(), reported.id)


@pytest.fixture(scope="module")
def came() -> Tried:
    return tried(situations(), [Judged(_well().surveys())])


class TestEachRemedy:
    """Of every cause in every situation."""

    def test_mends_and_breaks_nothing(self, came: Tried) -> None:
        """The verdict is taken again: nothing is left of the problem, and nothing is new."""
        assert came.wrong == {}

    def test_what_the_model_does_not_have(self, came: Tried) -> None:
        """It is told, each with its reason; and what it has by now must leave the tables."""
        assert came.beyond - came.mended == set(BEYOND)
        assert came.unreadable - came.mended == set(UNREADABLE)

    def test_enough_was_tried(self, came: Tried) -> None:
        """Whoever adds a cause with such a call has a fault for it already (`test_causes.py`)."""
        assert len(came.mended) > 60


class TestAnotherServer:
    """A Tentacle may work for several Octopus Servers; to mend one link must not cut off another."""

    def test_no_remedy_takes_its_link_away(self) -> None:
        """It is kept by the same remedy, or the remedy says beforehand what it takes and how to go about it instead."""
        beside = Beside(_well().surveys())
        found = {
            f"{case.id}: {remedy.code} on {remedy.subject.name}": what
            for case in CASES
            for remedy, what in harm_to_another(_broken(case), beside)
        }
        assert found == {}

    def test_harm_is_seen(self) -> None:
        """What would forget it is found."""
        case = next(case for case in CASES if case.code == "TC3221")
        surveys = beside_another_server(_broken(case), "trusted too")
        remedy = next(each for each in remedies(surveys) if each.code == "TC3221")
        without = replace(remedy, lines=tuple(line for line in remedy.lines if OTHER not in line))
        assert [*harm_of(without)] == ["the other server's entry is gone"]


NOT_ITS_OWN = {
    "TC3211-a_poller_mistrusts: TC5511 on poll-01": "the fault takes away the connections with all servers",
}
"""By situation and cause: what is no matter of the remedy."""


class TestTwoServers:
    """A Tentacle that works for two Octopus Servers of the inventory, each with a certificate of its own."""

    def test_mends_and_breaks_nothing(self) -> None:
        """Each fault whose remedies change whom it trusts or polls, or its certificate."""
        kinds = {kind.code: kind for kind in (*CATALOGUE.values(), *CAUSES)}
        changing = [
            case
            for case in CASES
            if any(CHANGES_TRUST.search(each) for each in (*kinds[case.code].windows, *kinds[case.code].linux))
        ]
        came = tried((case.id, _broken(case, servers=2, portals=bool(n % 2))) for n, case in enumerate(changing))
        assert came.wrong.keys() == NOT_ITS_OWN.keys()
        assert len(came.mended) > 15

    def test_a_command_is_for_the_server_that_the_fault_concerns(self) -> None:
        """Its portal, and what of the trust is the other one's."""
        world = two_servers()
        for name, portal in (("octo-1", "https://p"), ("other-1", "https://other.example")):
            facts = server_facts(world.fleet().subject("web-01"), name)
            assert facts["portal"] == portal
            other = "other-1" if name == "octo-1" else "octopus"
            assert (facts["trusts_other"], facts["trusted_too"]) == (True, thumbprint(other))
        assert "portal" not in base_facts(world.fleet().subject("web-01"))

    def test_it_says_which_portal_where_none_is_declared(self) -> None:
        """A person who reads `<portal>` must know whose; where it is for each server in turn, too."""
        said = [line for each in remedies(_lacks_a_node()) for line in each.lines]
        assert "<portal> stands for URL of Octopus Server's web portal: octo-1's." in said
        copied = next(case for case in CASES if case.code == "TT413")
        said = [line for each in remedies(_broken(copied, servers=2, portals=False)) for line in each.lines]
        each_of_them = "those of octo-1, other-1 in turn, with a command for each."
        assert f"<portal> stands for URL of Octopus Server's web portal: {each_of_them}" in said

    def test_a_remedy_that_does_not_say_which_is_found(self) -> None:
        """The model does not guess for the person."""
        remedy = next(each for each in remedies(_lacks_a_node()) if "<portal>" in "".join(each.lines))
        state = state_of(remedy.subject, remedy.subject.name)
        silent = tuple(line.replace(": octo-1's.", ".") for line in remedy.lines)
        with pytest.raises(AssertionError, match="which server's <portal>"):
            carry_out(state, silent, {})


def _lacks_a_node() -> Surveys:
    """A poller of two servers, of which one has a second node, which it does not poll."""
    world = two_servers(portals=False)
    world.add_server("octo-2", "192.0.2.11")
    world["poll-01"].declare(servers=("octo-1", "other-1", "octo-2"))
    return world.surveys()


class TestLowerCase:
    """Calls that compare letter by letter do not find a server whose thumbprint stands there in lower case."""

    @pytest.mark.parametrize("address", ["https://octo-1.example:10944/", "https://octo-of-old.example:10943/"])
    def test_the_case_is_corrected_first(self, address: str) -> None:
        """The remedy for the address mends both."""
        world = wide_fleet()
        entry = world["poll-01"].trusted[0]
        entry |= {"Thumbprint": entry["Thumbprint"].lower(), "Address": address}
        port = int(address.strip("/").rpartition(":")[2])
        lost = {"fails": "resolve", "error": Failure.NAME_NOT_FOUND} if "old" in address else REFUSED
        world["poll-01"].replace(polled(0), probe(address.split("/")[2].partition(":")[0], port, By.NAME, **lost))
        world.sections["poll-01"]["connections"] = ()
        came = tried([(address, world.surveys())])
        assert came.wrong == {}
        assert came.mended & {"TC3141", "TC3132"}


def two_servers(*, portals: bool = True) -> Whole:
    """The usual fleet, and a server of another department for which each Tentacle works as well."""
    world = wide_fleet()
    world.add_other_server("other-1", "192.0.2.60")
    if portals:
        world["other-1"].declare(portal="https://other.example")
        world["octo-1"].declare(portal="https://p")
    for name in ("web-01", "web-02", "poll-01", "poll-02"):
        world.join(name, "other-1")
    return world


def _broken(case: Case, servers: int = 1, *, portals: bool = True) -> Surveys:
    if servers > 1:
        world = two_servers(portals=portals)
        case.change(world)
        return world.surveys()
    world = _well()
    case.change(world)
    return world.surveys()


def _well() -> Whole:
    world = wide_fleet()
    world["octo-1"].declare(portal="https://p")
    return world


class TestTheModel:
    """It finds nothing wrong with what is well, or it could not tell what is mended."""

    @pytest.mark.parametrize("linux", [False, True])
    @pytest.mark.parametrize("name", ["web-01", "poll-01"])
    def test_a_healthy_tentacle_is_well(self, name: str, linux: bool) -> None:
        """From surveys to a state and back, in both modes and on both systems."""
        world = wide_fleet()
        if name == "web-01" and linux:
            make_linux(world, name)
        if name == "poll-01" and not linux:
            make_windows(world, name)
        state = state_of(world.fleet().subject(name), name)
        assert not found_in(state)
        assert not found_in(healthy(state))


# -- the mildest first ---------------------------------------------------------------------------------------------

HARM = (
    (r".*service --stop --uninstall|.*delete-instance|.*Uninstall-Package|.*(?:apt-get|yum) remove", 5),
    (r".*(?:--reset-trust|register-with)", 4),
    (r".*new-certificate(?! .*--if-blank)", 3),
    (r".*(?:configure |update-trust|server-comms|clear-trusted|poll-server|polling-proxy|proxy |service --install)", 2),
    (r"(?:Restart|Start)-Service|sudo systemctl (?:re)?start", 1),
)
"""What a call costs where it turns out to be needless, the dearest first; what only looks costs nothing."""


def harm(command: str) -> int:
    return next((cost for pattern, cost in HARM if re.match(pattern, command)), 0)


def alternatives(lines: tuple[str, ...]) -> list[int]:
    """What each way costs that a remedy names; a way is the commands between two lines of words."""
    costs: list[int] = []
    open_one = False
    for line in lines:
        if line.startswith("$ "):
            if not open_one:
                costs.append(0)
            costs[-1], open_one = max(costs[-1], harm(line[2:])), True
        else:
            open_one = False
    return costs


@pytest.mark.parametrize("mode", ["listening", "polling"])
def test_the_mildest_comes_first(mode: str) -> None:
    """Of the ways that a remedy names, none is dearer than one behind it."""
    facts = {"listening": mode == "listening", "polling": mode == "polling"}

    def look(lines: tuple[str, ...]) -> None:
        costs = alternatives(fitting(lines, facts))
        assert costs == sorted(costs)

    kinds = {kind.code: kind for kind in (*CATALOGUE.values(), *CAUSES)}
    for system in ("windows", "linux"):
        assert wrong_with([getattr(kind, system) for kind in kinds.values()], look) == {}
