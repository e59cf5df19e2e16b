"""Octopus's machines as an inventory: names, addresses, groups, what a file declares, and every odd case."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pytest_tentacle.inventory import InventoryError, SelectionError, load, select
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.inventory.model import SSH, Mode, NoTransport
from pytest_tentacle.octopus import Node, Portal, PortalError, PortalFailure, Registration
from pytest_tentacle.octopus.model import Coverage, LeftOut

URL = "https://octopus.example.com"
T = "A" * 40


def listening(number: int, name: str, **more) -> Registration:
    given = {
        "id": f"Machines-{number}", "name": name, "kind": "target", "space": "Default", "space_id": "Spaces-1",
        "mode": "listening", "uri": f"https://{name}:10933/", "scheme": "https", "host": name.lower(), "port": 10933,
        "thumbprint": f"{number:040X}", "health": "Healthy", "environments": ("Production",), "roles": ("web",),
    }  # fmt: skip
    return Registration(**{**given, **more})


def polling(number: int, name: str, **more) -> Registration:
    given = {
        "mode": "polling",
        "uri": f"poll://{name}/",
        "scheme": "poll",
        "host": None,
        "port": None,
        "subscription": name,
    }
    return listening(number, name, **{**given, **more})


def portal(*registrations: Registration, **more) -> Portal:
    given = {"url": URL, "nodes": (Node(name="octo-1"),), "thumbprint": T, "spaces": ("Default",), "taken_utc": datetime(2026, 11, 29, tzinfo=UTC)}  # fmt: skip
    return Portal(registrations=registrations, **{**given, **more})


def loaded(answer: Portal, *paths, **more):
    return load(paths, {}, octopus=OctopusSource(URL, **more), ask=lambda _source: answer)


class TestAlone:
    def test_needs_no_file(self):
        """Machines, node, links, groups, all of Octopus."""
        inventory = loaded(portal(listening(1, "web-01"), polling(2, "poll-01")))
        (server,) = inventory.servers
        assert (server.name, server.dns_name, server.portal, server.thumbprint) == (
            "octo-1",
            "octopus.example.com",
            URL,
            T,
        )
        web, poll = inventory.tentacles
        assert (web.mode, web.dns_name, web.port, web.servers) == (Mode.LISTENING, "web-01", 10933, ("octo-1",))
        assert (poll.mode, poll.dns_name, poll.port) == (Mode.POLLING, None, None)
        assert web.registrations == ("Machines-1",)
        assert "env:Production" in web.groups
        assert inventory.portal is not None

    @pytest.mark.parametrize("limit", ["web-01", "env:production", "role:web", "health:Healthy", "space:default"])
    def test_limit(self, limit):
        """By name, and by each group that Octopus gives."""
        assert "web-01" in select(loaded(portal(listening(1, "web-01"))), [limit], None).machines

    def test_several_nodes(self):
        """One entry a node that is not offline; nobody says which name leads to which."""
        nodes = (Node(name="a"), Node(name="b", draining=True), Node(name="c", offline=True))
        inventory = loaded(portal(listening(1, "web-01"), nodes=nodes))
        assert [(server.name, server.dns_name) for server in inventory.servers] == [("a", None), ("b", None)]
        assert inventory.tentacles[0].servers == ("a", "b")

    def test_nothing_to_see(self):
        """No machine with HTTP 200 is a warning about rights, and no green run."""
        with pytest.raises(InventoryError, match="lacks MachineView"):
            loaded(portal())

    def test_partial(self):
        """What the account may not see stands in the head."""
        inventory = loaded(portal(listening(1, "web-01"), coverage=Coverage(spaces=2, partial=("no workers of Shop",))))
        assert any("only a part" in text and "Shop" in text for text in inventory.warnings)

    def test_left_out(self):
        """What is no Tentacle is counted and named."""
        left = LeftOut(style="Ssh", reason="an SSH target", names=tuple(f"s-{n}" for n in range(7)))
        inventory = loaded(portal(listening(1, "web-01"), left_out=(left,)))
        assert any("s-0, s-1, s-2, s-3, s-4 and 2 more" in text for text in inventory.warnings)


class TestOddCases:
    def test_registered_several_times(self):
        """One thumbprint at one address, as target and worker, in two spaces: one machine with its registrations."""
        inventory = loaded(
            portal(
                listening(1, "web-01"),
                listening(1, "web-01", id="Machines-9", space="Shop", space_id="Spaces-2", roles=("db",)),
                listening(1, "worker-on-web", id="Workers-1", kind="worker", uri="https://WEB-01:10933", pools=("Pool",), host="web-01"),
            )
        )  # fmt: skip
        (web,) = inventory.tentacles
        assert web.registrations == ("Machines-1", "Machines-9", "Workers-1")
        assert {"space:Default", "space:Shop", "role:web", "role:db", "pool:Pool"} <= set(web.groups)

    def test_clone_stays_two(self):
        """One thumbprint at two addresses may be a clone: two entries, which the fleet's checks compare."""
        assert len(loaded(portal(listening(1, "a", thumbprint=T), listening(2, "b", thumbprint=T))).tentacles) == 2

    def test_one_address_two_thumbprints(self):
        """One of the registrations is stale: both stay to be told."""
        assert len(loaded(portal(listening(1, "a", host="web"), listening(2, "b", host="web"))).tentacles) == 2

    def test_same_name_in_two_spaces(self):
        """Names are unique in a space only: the second one bears its space, the third its id."""
        machines = [
            listening(n, "web-01", host=f"h{n}", space=space) for n, space in ((1, "Default"), (2, "Shop"), (3, "Shop"))
        ]
        assert [t.name for t in loaded(portal(*machines)).tentacles] == [
            "web-01",
            "web-01 (Shop)",
            "web-01 (Machines-3)",
        ]

    def test_names_that_differ_in_case_or_blanks(self):
        """They are told apart."""
        names = [
            t.name
            for t in loaded(
                portal(listening(1, "Web"), listening(2, "web ", host="b"), listening(3, "WEB", host="c", space="Shop"))
            ).tentacles
        ]
        assert len({name.casefold() for name in names}) == 3

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("web [old]", "web (old)"),
            ("a, b", "a; b"),
            ("!web*", "_webx"),
            ("we\u200eb\x1b[31m", "web(31m"),
            ("  ", "Machines-1"),
        ],
    )
    def test_names_that_limit_cannot_take(self, name, shown):
        """They are spelt so that --limit can take them; nobody is lost."""
        inventory = loaded(portal(listening(1, name, host="h", roles=("a,b", "[x]"))))
        assert inventory.tentacles[0].name == shown
        assert select(inventory, [shown], None).machines == (shown,)

    @pytest.mark.parametrize(
        ("registration", "port"),
        [
            (listening(1, "w", port=443, has_port=False), 443),
            (listening(1, "w", host="fd00::7"), 10933),
            (listening(1, "w", host="10.0.0.7"), 10933),
        ],
    )
    def test_addresses(self, registration, port):
        """An address is an ip, and no port means 443."""
        (web,) = loaded(portal(registration)).tentacles
        assert web.port == port
        assert (web.ip is None) == (registration.host == "w")

    def test_host_that_is_none(self):
        """One address that nobody can use costs no other machine, and is told."""
        inventory = loaded(portal(listening(1, "a", host="a b"), listening(2, "b")))
        assert [(t.name, t.dns_name) for t in inventory.tentacles] == [("a", None), ("b", "b")]
        assert any("dns_name of a" in text and "'a b'" in text for text in inventory.warnings)

    def test_localhost_is_the_server(self):
        """localhost in Octopus is the server node's own: no address of ours."""
        (web,) = loaded(portal(listening(1, "w", host="localhost"))).tentacles
        assert (web.dns_name, web.ip) == (None, None)

    def test_incomplete_registration(self):
        """Without address or thumbprint the machine stays."""
        assert loaded(portal(listening(1, "w", uri=None, host=None, port=None, thumbprint=None, fault="x"))).tentacles

    def test_disabled(self):
        """Disabled in Octopus: not asserted, and said so; --include-disabled looks."""
        answer = portal(listening(1, "web-01"), listening(2, "web-02", disabled=True))
        inventory = loaded(answer)
        assert [t.name for t in inventory.tentacles] == ["web-01"]
        assert any("Disabled in Octopus" in text and "web-02" in text for text in inventory.warnings)
        assert len(loaded(answer, include_disabled=True).tentacles) == 2
        with pytest.raises(SelectionError, match="disabled in Octopus"):
            select(inventory, ["web-02"], None)


class TestWithFile:
    def test_how_to_log_on(self, files):
        """The file's defaults and the groups that Octopus names say how; Octopus says who there is."""
        path = files.write(
            "defaults: {tentacle: {transport: {kind: ssh, user: me}}}\n"
            "groups:\n  env:Test: {transport: none}\n"
        )  # fmt: skip
        web, test = loaded(
            portal(listening(1, "web-01"), listening(2, "test-01", environments=("Test",))), path
        ).tentacles
        assert isinstance(web.transport, SSH)
        assert web.transport.host == "web-01"
        assert isinstance(test.transport, NoTransport)

    def test_the_file_wins(self, files):
        """What it declares is believed, Octopus fills the gaps, and the difference is told."""
        path = files.write("tentacles: [{name: WEB-01, port: 10999, groups: []}]\n")
        inventory = loaded(portal(listening(1, "web-01")), path)
        (web,) = inventory.tentacles
        assert (web.name, web.port, web.dns_name) == ("WEB-01", 10999, "web-01")
        assert "env:Production" in web.groups
        assert web.registrations == ("Machines-1",)
        assert any("port is 10999 here, and 10933 in Octopus" in text for text in inventory.warnings)

    def test_other_name_at_the_same_address(self, files):
        """It is one machine, by the file's name; Octopus's name is told."""
        path = files.write("tentacles: [{name: shop, dns_name: WEB-01}]\n")
        inventory = loaded(portal(listening(1, "web-01")), path)
        (shop,) = inventory.tentacles
        assert (shop.name, shop.port, shop.registrations) == ("shop", 10933, ("Machines-1",))
        assert any("it is shop here, and web-01 in Octopus" in text for text in inventory.warnings)

    def test_another_port_is_another_tentacle(self, files):
        """Two instances on one host are two."""
        path = files.write("tentacles: [{name: shop, dns_name: web-01, port: 10999, instance: Shop}]\n")
        inventory = loaded(portal(listening(1, "web-01")), path)
        assert {tentacle.name for tentacle in inventory.tentacles} == {"shop", "web-01"}

    def test_not_in_octopus(self, files):
        """What Octopus does not list is told, unless the account may not see all."""
        path = files.write("tentacles: [gone-01]\n")
        words = "Octopus lists no Tentacle called gone-01"
        assert any(words in text for text in loaded(portal(listening(1, "web-01")), path).warnings)
        part = portal(listening(1, "web-01")).model_copy(update={"coverage": Coverage(partial=("no workers",))})
        assert not any(words in text for text in loaded(part, path).warnings)

    def test_declared_servers(self, files):
        """Declared nodes are the other end; the portal's thumbprint fills theirs."""
        path = files.write(f"servers: [{{name: node-a, portal: {URL}/}}, {{name: other}}]\n")
        inventory = loaded(portal(listening(1, "web-01")), path)
        assert inventory.tentacles[0].servers == ("node-a",)
        assert [server.thumbprint for server in inventory.servers] == [T, None]

    def test_block(self, files):
        """The same in the file itself, with the key by reference."""
        path = files.write("octopus: {url: https://octopus.example.com, api_key: '${env:KEY}', spaces: [Default]}\n")
        asked = []
        load([path], {"KEY": "API-1"}, ask=lambda source: asked.append(source) or portal(listening(1, "web-01")))
        assert asked[0].api_key.get_secret_value() == "API-1"
        assert asked[0].spaces == ("Default",)
        assert "API-1" not in repr(asked)

    def test_block_with_a_token(self, files):
        """A bearer token in the key's place, from a file; never both."""
        files.write("eyJ.a.b\n", "octopus.token")
        path = files.write("octopus: {url: https://octopus.example.com, token: '${file:octopus.token}'}\n")
        asked = []
        load([path], {}, ask=lambda source: asked.append(source) or portal(listening(1, "web-01")))
        assert (asked[0].api_key, asked[0].token.get_secret_value()) == (None, "eyJ.a.b")
        assert "eyJ" not in repr(asked)
        both = files.write("octopus: {url: https://octopus.example.com, api_key: '${env:K}', token: '${env:T}'}\n")
        with pytest.raises(InventoryError, match="token stands beside api_key"):
            load([both], {"K": "API-1", "T": "eyJ"}, ask=lambda _: portal(listening(1, "web-01")))


class TestFailures:
    def fail(self, _source):
        raise PortalError(PortalFailure.UNREACHABLE, "cannot be reached", "check the address")

    def test_alone(self):
        """Nothing is left to look at: a usage error with what to do."""
        with pytest.raises(InventoryError, match=r"cannot be reached.*check the address"):
            load([], {}, octopus=OctopusSource(URL), ask=self.fail)

    def test_beside_a_file(self, files):
        """The machines of the file are looked at all the same."""
        inventory = load([files.write("tentacles: [web-01]\n")], {}, octopus=OctopusSource(URL), ask=self.fail)
        assert [t.name for t in inventory.tentacles] == ["web-01"]
        assert any("Octopus was not asked" in text for text in inventory.warnings)
