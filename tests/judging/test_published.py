"""A port that the host publishes for a container: whose it is, and what else may be there."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.away import away, container_of, engine_of, published_port
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.packet_filter.model import FilterChain, FilterMatch, FilterRule, PacketFilter
from pytest_tentacle.sections import STEPS, applicable
from pytest_tentacle.survey.model import Process
from support.fleets.failures import NOT_TLS, REFUSED
from support.fleets.whole import Whole, make_linux, wide_fleet
from support.setups.machines_in_containers import container, container_whose_settings_are_the_hosts
from support.setups.systems import run_by_supervisord

PROXY = "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 10933 -container-ip {} -container-port 80"


@pytest.fixture
def world() -> Whole:
    made = wide_fleet()
    make_linux(made, "web-01")
    return made


def held_by(world: Whole, name: str | None) -> None:
    world["web-01"].listeners = [{"address": "::", "port": 10933, "pid": 5, "owner": {"pid": 5, "name": name}}]


def led(
    world: Whole, field: str = "tcp dport", *values: str, negated: bool = False, to: str | None = "172.17.0.2:80"
) -> Any:
    match = FilterMatch(field=field, values=values or ("10933",), negated=negated)
    rule = FilterRule(text="rule", matches=(match,), verdict="divert", to=to)
    chain = FilterChain(name="ip nat DOCKER", table="", rules=(rule,))
    world.change("web-01", "firewall", filters=PacketFilter(chains=(chain,)))
    world["web-01"].listeners = []
    return published_port(world.fleet().subject("web-01"), 10933)


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("docker-proxy", "Docker"),
        ("rootlesskit", "Docker"),
        ("rootlessport", "Podman"),
        ("containers-rootlessport", "Podman"),
        ("slirp4netns", "Podman"),
        ("pasta.avx2", "Podman"),
        ("conmon", "Podman"),
        ("nginx", None),
        (None, None),
    ],
)
def test_who_holds_it(world: Whole, name: str | None, engine: str | None) -> None:
    held_by(world, name)
    found = published_port(world.fleet().subject("web-01"), 10933)
    assert (engine_of(Process(pid=5, name=name)), found.words if found else None) == (
        engine,
        f"{engine}'s {name} holds port 10933" if engine else None,
    )
    assert published_port(world.fleet().subject("web-01"), 10934) is None


@pytest.mark.parametrize(
    ("address", "there"), [("172.17.0.2", "172.17.0.2:80"), ("fd00::2", "[fd00::2]:80"), ("x y", None)]
)
def test_whose_container(address: str, there: str | None) -> None:
    """By docker-proxy's own arguments."""
    assert container_of(Process(pid=5, command_line=PROXY.format(address))) == there


def test_a_rule_leads_there(world: Whole) -> None:
    """Whatever tool wrote it; one for another port, or to another port of the host's own, does not count."""
    assert led(world).words == "a rule leads port 10933 on to 172.17.0.2:80"
    assert led(world, to="--to-destination 172.17.0.2:10933")
    assert led(world, "tcp dport", "10000-10999")
    assert led(world, to="[fd00::2]:10933").words.endswith("on to [fd00::2]:10933")
    assert led(world, "tcp dport", "80") is None
    assert led(world, "tcp sport") is None
    assert led(world, negated=True) is None
    assert led(world, to=":10944") is None
    assert led(world, to=None) is None


class TestWhereItRuns:
    """The Tentacle in the container, another container, and what nobody saw."""

    def test_its_own(self, world: Whole) -> None:
        container(world, "web-01")
        assert "neither an instance nor a service of it: it runs in a container" in str(away_of(world))

    @pytest.mark.parametrize("look", [{"page": "other", "whose": "nginx"}, {"whose": "web-02"}, NOT_TLS])
    def test_another_container(self, world: Whole, look: dict[str, Any]) -> None:
        """Docker publishes what is no Tentacle, or another one than was declared: the Tentacle is missing."""
        container(world, "web-01")
        world["web-01"].declare(thumbprint=world.thumbprint("web-01"))
        world.both("web-01", look)
        assert away_of(world) is None
        assert codes(world, "services-running") == {"TT207", "TT201"}

    def test_nobody_looked(self, world: Whole) -> None:
        """Its server was not surveyed: nothing is wrong on the host, and its link is not well for that."""
        container(world, "web-01")
        world.dark("octo-1")
        assert away_of(world) is not None
        outcomes = {result.outcome for result in results(world)}
        assert Outcome.UNKNOWN in outcomes
        assert Outcome.FAILED not in outcomes

    def test_it_does_not_answer(self, world: Whole) -> None:
        """The container is ill: the link is, and no service or instance is missed."""
        container(world, "web-01")
        world.both("web-01", REFUSED)
        assert away_of(world) is not None
        assert {problem.code for result in results(world) for problem in result.problems} & {"TT201", "TT207"} == set()

    def test_settings_of_the_host(self, world: Whole) -> None:
        """By its own certificate alone: with another one, somebody's container has the port."""
        container_whose_settings_are_the_hosts(world, "web-01")
        assert "has its settings and no service of it (Podman's rootlessport holds port 10933)" in str(away_of(world))
        world.both("web-01", {"whose": "web-02"})
        assert away_of(world) is None
        world.both("web-01", {"whose": "web-01"})
        held_by(world, "nginx")
        assert away_of(world) is None

    def test_an_installed_service_stays(self, world: Whole) -> None:
        held_by(world, "docker-proxy")
        assert away_of(world) is None


def away_of(world: Whole) -> Any:
    return away(world.fleet().subject("web-01"))


def results(world: Whole) -> list[Any]:
    subject = world.fleet().subject("web-01")
    return [subject.result(step.slug) for step in STEPS if applicable(step.slug, subject)]


def codes(world: Whole, step: str) -> set[str]:
    return {problem.code for problem in world.fleet().subject("web-01").result(step).problems}


class TestWithoutSystemd:
    """Something else runs it there, and nobody can be asked what."""

    @pytest.mark.parametrize(
        ("owner", "is_well"),
        [
            ({"name": "Tentacle"}, True),
            ({"name": "dotnet", "command_line": "dotnet /opt/octopus/tentacle/Tentacle.dll agent"}, True),
            ({"name": "dotnet", "command_line": "dotnet Shop.dll"}, False),
            ({"name": "nginx"}, False),
            (None, False),
        ],
    )
    def test_whose_program_holds_the_port(self, world: Whole, owner: dict[str, Any] | None, is_well: bool) -> None:
        run_by_supervisord(world, "web-01")
        world["web-01"].listeners[0]["owner"] = {"pid": 2136, **owner} if owner else None
        assert (away(world.fleet().subject("web-01")) is not None) is is_well

    def test_another_certificate_answers(self, world: Whole) -> None:
        """Then it is not known to be this one."""
        run_by_supervisord(world, "web-01")
        world["web-01"].settings["Tentacle.CertificateThumbprint"] = "AB" * 20
        assert away(world.fleet().subject("web-01")) is None

    def test_another_reason(self, world: Whole) -> None:
        """Where systemd did not answer, the service is unknown."""
        run_by_supervisord(world, "web-01")
        world["web-01"].unknown["services"] = "systemctl show: timed out"
        assert away(world.fleet().subject("web-01")) is None
