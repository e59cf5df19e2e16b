"""Which links are probed from where: the collector and the checks must agree on it."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.inventory.model import SSH, Mode, NoTransport, OctopusServer, Tentacle
from pytest_tentacle.link import By
from pytest_tentacle.link.hosts import plain_host
from pytest_tentacle.survey.targets import controller_targets, names_of, own_targets, peer_targets, ports_of_interest
from support.fleets.looks import Look


def of(targets: Any) -> list[tuple[str | int | None, ...]]:
    return [
        (target.link.server, target.link.tentacle, target.link.vantage.value, target.host, target.port, target.by.value)
        for target in targets
    ]


class TestNames:
    """How a machine is reached."""

    def test_name_then_address_then_what_else_is_declared(self) -> None:
        """The guide's order, each once however it is spelt."""
        server = OctopusServer(
            name="o", dns_name="octo.example", ip="192.0.2.1", addresses=("OCTO.example.", "192.0.2.2")
        )
        assert names_of(server) == (
            ("octo.example", By.NAME),
            ("192.0.2.1", By.ADDRESS),
            ("192.0.2.2", By.ADDRESS),
        )

    def test_the_login_stands_in_where_nothing_is_declared(self) -> None:
        """A name alone is enough of an inventory."""
        assert names_of(Tentacle(name="t", transport=SSH(host="t.example"))) == (("t.example", By.NAME),)
        assert names_of(Tentacle(name="t", transport=NoTransport())) == ()

    @pytest.mark.parametrize(
        ("written", "compared"),
        [
            ("Octo.Example.", "octo.example"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[2001:DB8:0::1]", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
        ],
    )
    def test_hosts_are_compared_in_one_form(self, written: str, compared: str) -> None:
        """Case, final dot, brackets, zones and mapped addresses make no difference."""
        assert plain_host(written) == compared


class TestTargets:
    """Who probes what."""

    def test_round_one(self, world: Any) -> None:
        """A polling Tentacle probes each name and address of its servers; a listening one nothing but itself."""
        inventory = world.surveys().inventory
        assert own_targets(inventory, inventory.find("web-01")) == ()
        assert own_targets(inventory, inventory.find("octo-1")) == ()
        assert of(own_targets(inventory, inventory.find("poll-01"))) == [
            ("octo-1", "poll-01", "tentacle", "octo-1.example", 10943, "name"),
            ("octo-1", "poll-01", "tentacle", "192.0.2.10", 10943, "address"),
        ]

    def test_every_polling_port(self, world: Any) -> None:
        """A node may be reached on several."""
        world["octo-1"].declare(polling_ports=(10943, 443))
        inventory = world.surveys().inventory
        assert {target.port for target in own_targets(inventory, inventory.find("poll-01"))} == {10943, 443}

    def test_round_two(self, world: Any) -> None:
        """A server probes its listening Tentacles, by name, then by address."""
        surveys = world.surveys()
        assert of(peer_targets(surveys.inventory, surveys.inventory.servers[0], surveys)) == [
            ("octo-1", "web-01", "server", "web-01.example", 10933, "name"),
            ("octo-1", "web-01", "server", "192.0.2.20", 10933, "address"),
        ]

    def test_the_port_is_declared_else_surveyed_else_the_default(self, world: Any, unreachable: Any) -> None:
        """In this order."""
        draft = world["web-01"]
        draft.settings["Tentacle.Services.PortNumber"] = "10944"
        ports = []
        for _ in range(2):
            surveys = world.surveys()
            ports.append(peer_targets(surveys.inventory, surveys.inventory.servers[0], surveys)[0].port)
            draft.declare(port=None)
        draft.unreachable = unreachable
        surveys = world.surveys()
        ports.append(peer_targets(surveys.inventory, surveys.inventory.servers[0], surveys)[0].port)
        assert ports == [10933, 10944, 10933]

    def test_the_services_environment_wins(self, world: Any) -> None:
        """The server probes the port that the process listens on, not the one in the file; none where it only polls."""
        draft = world["web-01"]
        draft.declare(port=None, mode=None)
        draft.service["environment"] = {"TENTACLE_SERVICE_PORT": "10944"}
        surveys = world.surveys()
        assert peer_targets(surveys.inventory, surveys.inventory.servers[0], surveys)[0].port == 10944
        draft.service["environment"] = {"TENTACLE_NO_LISTEN": "True"}
        surveys = world.surveys()
        assert peer_targets(surveys.inventory, surveys.inventory.servers[0], surveys) == ()

    def test_a_mode_that_is_not_declared(self, world: Any) -> None:
        """Both ways are probed unless the settings tell that it only polls; there is no third round."""
        world["poll-01"].declare(mode=None)
        world["web-01"].declare(mode=None)
        surveys = world.surveys()
        inventory = surveys.inventory
        assert own_targets(inventory, inventory.find("web-01"))
        names = {target.link.tentacle for target in peer_targets(inventory, inventory.servers[0], surveys)}
        assert names == {"web-01"}

    def test_from_the_controller(self, world: Any) -> None:
        """Ports only, so nothing of a polling Tentacle; each look is told from all others."""
        surveys = world.surveys()
        by_name = {
            machine.name: controller_targets(surveys.inventory, machine, surveys)
            for machine in surveys.inventory.machines
        }
        assert [len(by_name[name]) for name in ("octo-1", "web-01", "poll-01")] == [2, 2, 0]
        every = [target for targets in by_name.values() for target in targets]
        assert len(every) == len(set(every))

    def test_ports_of_interest(self) -> None:
        """Declared ports, and the defaults."""
        machines = (Tentacle(name="t", port=10944), Tentacle(name="u"), OctopusServer(name="o", polling_ports=(443,)))
        assert ports_of_interest(machines) == (443, 10933, 10944)

    def test_the_checks_find_what_the_collector_was_told_to_probe(self, world: Any, make_probe: Any) -> None:
        """Probes made from the targets alone, are enough for a verdict."""
        surveys = world.surveys()
        inventory = surveys.inventory
        world["octo-1"].peer = [
            make_probe(target.host, target.port, target.by, look=Look(target.link))
            for target in peer_targets(inventory, inventory.servers[0], surveys)
        ]
        world["poll-01"].own = [
            make_probe(target.host, target.port, target.by, page="server", whose="octopus", look=Look(target.link))
            for target in own_targets(inventory, inventory.find("poll-01"))
        ]
        world["poll-01"].trusted = []
        for name in ("web-01", "poll-01"):
            assert world.judge("welcome-page-across", name).outcome == "passed"
        assert inventory.find("poll-01").mode is Mode.POLLING
