"""A fleet folds into its faults: by server, subnet, version, group, proxy, certificate issuer; and into as many lines."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.link import Failure
from pytest_tentacle.survey.surroundings import Product, Proxy
from support.fleets.certificates import issued

DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}


def big_world(new_world: Any, listening: int, polling: int) -> Any:
    """One server, and Tentacles in subnets of 200."""
    world = new_world()
    world.add_server("octo-1", "10.0.0.1")
    for number in range(listening):
        world.add_listening(f"web-{number}", f"10.1.{number // 200}.{number % 200 + 1}")
    for number in range(polling):
        world.add_polling(f"poll-{number}", f"10.2.{number // 200}.{number % 200 + 1}")
    return world


def calls(work: Any) -> int:
    """How many calls of Python functions some work takes."""
    count = 0

    def counted(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


class TestFigures:
    """600 machines with 3 faults are 3 causes; the time for 1,000 is `benchmarks/diagnosis.py`'s."""

    @pytest.mark.parametrize("symptoms", [1, 3])
    def test_three_faults_are_three_causes(self, symptoms: int, new_world: Any, diagnosed: Any) -> None:
        """Whatever the number of symptoms: 3 causes, most machines first."""
        world = big_world(new_world, 400, 199)
        for number in range(200):
            world.down(f"web-{number}")
        for number in range(200, 400):
            world.both(f"web-{number}", DROPPED)
            if symptoms > 1:
                for text in (
                    "The client was unable to establish the initial connection within 00:01:00",
                    "No route to host",
                ):
                    world.say("octo-1", "ERROR", f"https://web-{number}.example:10933/        34  {text}")
        world["poll-0"].trusted = []
        world.sections["poll-0"]["connections"] = ()
        world.add_listening("web-far", "10.9.0.1")
        diagnosis = diagnosed(world)
        assert [(cause.code, len(cause.machines)) for cause in diagnosis.causes] == [
            ("TC5203", 200),
            ("TC2021", 200),
            ("TT320", 1),
        ]
        assert not diagnosis.unexplained
        assert "10.1.1.0/24" in diagnosis.causes[0].sentence
        assert "200 machines" in diagnosis.causes[1].sentence

    def test_many_subnets(self, new_world: Any, diagnosed: Any) -> None:
        """1,000 machines in as many subnets, none of which its server reaches: one cause."""
        world = new_world()
        world.add_server("octo-1", "10.0.0.1")
        for number in range(1000):
            world.add_listening(f"web-{number}", f"10.{number // 200 + 1}.{number % 200}.9")
            world.both(f"web-{number}", DROPPED)
        (cause,) = diagnosed(world).causes
        assert (cause.code, len(cause.machines)) == ("TC5204", 1000)

    def test_linear(self, new_world: Any, judged: Any) -> None:
        """Four times the machines are four times the work, counted in calls."""

        def work(machines: int) -> int:
            world = big_world(new_world, machines // 2, machines // 2)
            for number in range(machines // 2):
                world.both(f"web-{number}", DROPPED)
                world[f"poll-{number}"].trusted[0]["Thumbprint"] = world.thumbprint("octopus of old")
            fleet, results = judged(world)
            return calls(lambda: diagnose(fleet, results))

        small, large = work(50), work(200)
        assert large / small < 4.6
        assert large / 200 < 700, "at about ten million calls a second, 1,000 machines take less than a second"


class TestSubnets:
    """The way is closed to a subnet, or to a wider region of which nobody is reached."""

    def test_a_wider_region(self, new_world: Any, diagnosed: Any) -> None:
        """Two subnets of one /16 in which nobody is reached are one cause."""
        world = big_world(new_world, 0, 0)
        for number in (1, 2, 201, 202):
            world.add_listening(f"web-{number}", f"10.1.{number // 200}.{number % 200}")
            world.both(f"web-{number}", DROPPED)
        world.add_listening("web-far", "10.9.0.1")
        (cause,) = diagnosed(world).causes
        assert (cause.code, len(cause.machines)) == ("TC5203", 4)
        assert "10.1.0.0/16" in cause.sentence

    def test_two_subnets_with_well_ones_between(self, new_world: Any, diagnosed: Any) -> None:
        """Where others in the /16 are reached, each subnet is a cause of its own."""
        world = big_world(new_world, 0, 0)
        for subnet in (0, 1, 2):
            for host in (1, 2):
                world.add_listening(f"web-{subnet}{host}", f"10.1.{subnet}.{host}")
        for subnet in (0, 2):
            for host in (1, 2):
                world.both(f"web-{subnet}{host}", DROPPED)
        diagnosis = diagnosed(world)
        assert [cause.code for cause in diagnosis.causes] == ["TC5203", "TC5203"]
        assert {cause.facts["subnet"] for cause in diagnosis.causes} == {"10.1.0.0/24", "10.1.2.0/24"}


class TestServers:
    """The same trouble with two servers is two causes."""

    @pytest.mark.parametrize(("servers", "expected"), [(("octo-1", "octo-1"), 1), (("octo-1", "octo-2"), 2)])
    def test_by_server(self, servers: tuple[str, str], expected: int, new_world: Any, diagnosed: Any) -> None:
        """Two Tentacles that do not trust their server: one cause if it is the same."""
        world = new_world()
        world.add_server("octo-1", "10.0.0.1")
        world.add_other_server("octo-2", "10.0.0.2")
        for number in range(6):
            world.add_listening(f"web-1{number}", f"10.1.0.{number + 1}", "octo-1")
            world.add_listening(f"web-2{number}", f"10.2.0.{number + 1}", "octo-2")
            world[f"web-2{number}"].trusted[0]["Thumbprint"] = world.thumbprint("octo-2")
        first, second = "web-10", "web-11" if servers[1] == "octo-1" else "web-20"
        for name in (first, second):
            world[name].trusted[0]["Thumbprint"] = world.thumbprint(f"somebody of {name}")
        causes = diagnosed(world).causes
        assert [cause.code for cause in causes] == ["TC3211"] * expected
        assert {name for cause in causes for name in cause.machines} == {first, second}

    @pytest.mark.parametrize(("shared", "expected"), [(True, 1), (False, 2)])
    def test_by_certificate(self, shared: bool, expected: int, new_world: Any, diagnosed: Any) -> None:
        """Two nodes of one server have one certificate: what does not trust it has one cause, which names both."""
        world = new_world()
        world.add_server("octo-1", "10.0.0.1")
        (world.add_server if shared else world.add_other_server)("octo-2", "10.0.0.2")
        for number in range(6):
            world.add_listening(f"web-1{number}", f"10.1.0.{number + 1}")
            world.join(f"web-1{number}", "octo-2")
        world["web-10"].trusted = [{**world["web-10"].trusted[0], "Thumbprint": world.thumbprint("somebody")}]
        causes = diagnosed(world).causes
        assert [cause.code for cause in causes] == ["TC3211"] * expected
        assert {cause.machines for cause in causes} == {("web-10",)}
        assert ("octo-1 and octo-2" in causes[0].sentence) is shared


class TestIssuers:
    """One inspector on many links is one inspection; two are two."""

    @pytest.mark.parametrize(("issuers", "expected"), [(("CA 1", "CA 1"), 1), (("CA 1", "CA 2"), 2)])
    def test_by_issuer(self, issuers: tuple[str, str], expected: int, world: Any, diagnosed: Any) -> None:
        """Over listening and polling links alike, whatever the certificate's subject."""
        for name, issuer in zip(("web-01", "poll-01"), issuers, strict=True):
            world.both(name, {"der": issued(f"{name}.example", f"Inspection {issuer}")})
            if name == "poll-01":
                world.sections[name]["connections"] = ()
        causes = diagnosed(world).causes
        assert [cause.code for cause in causes] == ["TC5311"] * expected
        assert all(f"CN=Inspection {issuer}" in "".join(cause.sentence for cause in causes) for issuer in issuers)


class TestProxies:
    """One proxy that forbids is one cause on however many machines; two are two."""

    @pytest.mark.parametrize(("proxies", "expected"), [(("one:3128", "one:3128"), 1), (("one:3128", "two:3128"), 2)])
    def test_by_proxy(self, proxies: tuple[str, str], expected: int, world: Any, diagnosed: Any, whole: Any) -> None:
        for name, address in zip(("poll-01", "poll-02"), proxies, strict=True):
            whole.make_windows(world, name)
            proxy = Proxy(layer="wininet", account="LocalSystem", enabled=True, address=address)
            world.sections[name] |= {"proxies": (proxy,), "connections": ()}
            text = (
                "https://octo-1.example:10943/        12  Unexpected exception executing transaction.\n"
                "Halibut.Transport.Proxy.Exceptions.ProxyException: Proxy destination p on port 3128 responded with a "
                "403 code - Forbidden"
            )
            world.say(name, "ERROR", text)
        assert [cause.code for cause in diagnosed(world).causes] == ["TC1183"] * expected


def sick(world: Any, *names: str, version: str | None = None, group: str | None = None) -> None:
    for name in names:
        world.down(name)
        if version:
            world.sections[name]["products"] = (Product(product="tentacle", version=version),)
        if group:
            world[name].declare(groups=(group,))


class TestWhatTheyHaveInCommon:
    """What sets the sick apart from the rest is said: group, version, subnet."""

    def test_group(self, world: Any, diagnosed: Any) -> None:
        sick(world, "web-01", "poll-01", group="dmz")
        (cause,) = diagnosed(world).causes
        assert cause.sentence.endswith("They are all that are in group dmz.")

    def test_version(self, world: Any, diagnosed: Any) -> None:
        sick(world, "web-01", "poll-01", version="8.2.1")
        (cause,) = diagnosed(world).causes
        assert cause.sentence.endswith("They are all that are of version 8.2.1.")

    def test_subnet(self, world: Any, diagnosed: Any) -> None:
        sick(world, "web-01", "web-02")
        (cause,) = diagnosed(world).causes
        assert cause.sentence.endswith("They are all that are in 198.51.100.0/24.")

    @pytest.mark.parametrize("trait", ["group", "version"])
    def test_not_where_it_differs(self, trait: str, world: Any, diagnosed: Any) -> None:
        """Neither a group nor a version is told that just one of them has."""
        sick(world, "web-01", **{trait: "8.2.1"})
        sick(world, "poll-01", **{trait: "8.2.2"})
        (cause,) = diagnosed(world).causes
        assert "8.2." not in cause.sentence

    def test_not_where_the_healthy_have_it_too(self, world: Any, diagnosed: Any) -> None:
        """All machines of the fleet are of one version."""
        sick(world, "web-01", "poll-01")
        (cause,) = diagnosed(world).causes
        assert "They are" not in cause.sentence


class TestVersions:
    """A known defect is one cause for each version."""

    @pytest.mark.parametrize(("versions", "expected"), [(("8.1.61", "8.1.61"), 1), (("8.1.61", "8.0.2"), 2)])
    def test_by_version(
        self, versions: tuple[str, str], expected: int, world: Any, diagnosed: Any, faults: Any
    ) -> None:
        for name, version in zip(("web-01", "web-02"), versions, strict=True):
            world.sections[name]["products"] = (Product(product="tentacle", version=version),)
            faults.logs.fails_to_start(world, name, "A required communications port is already in use.")
        causes = diagnosed(world).causes
        assert [cause.code for cause in causes] == ["TT973"] * expected
        assert all(version in "".join(cause.sentence for cause in causes) for version in versions)


class TestSystems:
    """Remedies only for systems that it is to be mended on, with the facts of the machines of that system."""

    def test_one_and_both(self, world: Any, diagnosed: Any) -> None:
        world.down("web-01")
        (cause,) = diagnosed(world).causes
        assert cause.remedy_windows
        assert not cause.remedy_linux
        world.down("poll-01")
        (cause,) = diagnosed(world).causes
        assert "$ Start-Service -Name 'OctopusDeploy Tentacle'" in cause.remedy_windows
        assert "$ sudo systemctl start Tentacle.service" in cause.remedy_linux


class TestLeftPlaceholders:
    """Where machines of one line differ, what to put into its commands is told, machine by machine."""

    def test_each_machines_own(self, world: Any, diagnosed: Any) -> None:
        """In words before the first command that wants it, so that whoever shows a few lines only shows it too."""
        world.down("web-01")
        world.down("web-02")
        world["web-02"].service["name"] = "Tentacle 2"
        world.down("poll-01")
        (cause,) = diagnosed(world).causes
        words = "Replace <service> with each machine's own: web-01: OctopusDeploy Tentacle; web-02: Tentacle 2."
        assert cause.remedy_windows[1] == words
        assert '$ Start-Service -Name "<service>"' in cause.remedy_windows
        assert "<" not in "".join(cause.remedy_linux)

    def test_many(self, new_world: Any, diagnosed: Any) -> None:
        """The first few, and how many more."""
        world = new_world()
        world.add_server("octo-1", "10.0.0.1")
        for number in range(9):
            world.add_listening(f"web-{number}", f"10.1.0.{number + 1}")
            world.down(f"web-{number}")
            world[f"web-{number}"].service["name"] = f"T{number}"
        (cause,) = diagnosed(world).causes
        assert cause.remedy_windows[1].endswith("web-3: T3; web-4: T4; and 4 more.")

    def test_nobody_knows(self, world: Any, diagnosed: Any, make_problem: Any) -> None:
        """What stays open then is told by what it stands for."""
        diagnosis = diagnosed(world, make_problem("TT108", "poll-01"))
        (cause,) = diagnosis.causes
        assert any(line.startswith("<host> stands for name or address") for line in cause.remedy_linux)


class TestWays:
    """Where somebody on the way says no, the goal is named: the other end's, whoever connects."""

    @pytest.mark.parametrize(
        ("sick", "vantage", "peer", "goal"),
        [("web-01", "octo-1", "198.51.100.1", "web-01"), ("poll-01", "poll-01", "192.0.2.10", "octo-1.example")],
    )
    def test_names_the_goal(
        self, sick: str, vantage: str, peer: str, goal: str, world: Any, diagnosed: Any, faults: Any
    ) -> None:
        faults.path.route(world, vantage, peer, via="192.0.2.1", neighbour="reachable")
        world.both(sick, faults.path.NO_ROUTE)
        (cause,) = diagnosed(world).causes
        assert cause.code == "TC5222"
        assert f"{vantage} has a route to {goal}, " in cause.sentence
