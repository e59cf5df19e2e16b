"""What else an Octopus Server needs: its further ports, and at http.sys a certificate and the right to register."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections.connections.reserved import entries_of_descriptor
from pytest_tentacle.survey.surroundings import Binding, Product, ReservedPrefix
from support.faults.services import FOR_NETWORK_SERVICE, OTHER_SITE, serve
from support.fleets.certificates import thumbprint
from support.fleets.failures import RESET
from support.fleets.looks import polled
from support.fleets.whole import Whole, wide_fleet
from support.fleets.world import probe

STEP = "services-running"
NGINX = {"address": "::", "pid": 4711, "owner": {"pid": 4711, "name": "nginx.exe"}}
OWN = {"address": "::", "pid": 1000, "owner": {"pid": 1000, "name": "Octopus.Server.exe"}}
FOR_PORTAL = "https://portal.example:443/"


@pytest.fixture
def world() -> Whole:
    return wide_fleet()


def codes(world: Whole, name: str = "octo-1") -> list[str]:
    return [problem.code for problem in world.fleet().subject(name).result(STEP).problems]


def outcome(world: Whole) -> Outcome:
    return world.fleet().subject("octo-1").result(STEP).outcome


def named(endpoint: str, **more: Any) -> Binding:
    return Binding(**({"endpoint": endpoint, "thumbprint": "A" * 40, "stored": True, "has_key": True} | more))


@pytest.mark.parametrize(
    "bindings",
    [
        (named("0.0.0.0:443"),),
        (named("[::]:443"),),
        (named("10.1.2.3:443"),),
        (named("*.example:443"),),
        (named("portal.example:443"), named("0.0.0.0:443", stored=False)),
        (named("443", thumbprint=None, stored=None, has_key=None, central=True),),
        (named("0.0.0.0:443", stored=False), named("[::]:443")),
    ],
    ids=["every", "every-6", "one", "names-of-a-domain", "its-name", "central", "one-of-two"],
)
def test_a_certificate_is_bound(world: Whole, bindings: tuple[Binding, ...]) -> None:
    """Of its name before one of an address; of several addresses one is enough to be found by it."""
    serve(world, "octo-1", bindings=bindings)
    assert outcome(world) is Outcome.PASSED


@pytest.mark.parametrize(
    ("bindings", "code"),
    [
        ((named("0.0.0.0:8443"), named("other.example:443")), "TT210"),
        ((named("0.0.0.0:443", has_key=False),), "TT211"),
        ((named("portal.example:443", stored=False, has_key=None), named("0.0.0.0:443")), "TT211"),
    ],
    ids=["others", "no-key", "its-name-lost"],
)
def test_none_that_serves(world: Whole, bindings: tuple[Binding, ...], code: str) -> None:
    serve(world, "octo-1", bindings=bindings)
    assert codes(world) == [code]


def test_no_binding_at_all(world: Whole) -> None:
    """Then nothing proves that we look where Windows keeps them (8f is not sure)."""
    serve(world, "octo-1", bindings=())
    assert outcome(world) is Outcome.UNKNOWN


@pytest.mark.parametrize("prefix", ["https://+:443/", "https://localhost:443/"])
@pytest.mark.parametrize("served", ["HTTPS://+:443/", "HTTPS://LOCALHOST:443/"])
def test_every_host_is_called_by_a_name_with_a_binding(world: Whole, prefix: str, served: str) -> None:
    """A server may register `localhost` as it is, or for every host."""
    serve(world, "octo-1", prefix, http_sys=(served,), bindings=(OTHER_SITE,))
    assert outcome(world) is Outcome.PASSED


def test_another_sites_prefix_is_not_the_servers(world: Whole) -> None:
    serve(world, "octo-1", http_sys=("HTTPS://OTHER.EXAMPLE:443/",), bindings=(OTHER_SITE,))
    assert outcome(world) is Outcome.PASSED


def test_the_web_socket_as_well(world: Whole) -> None:
    """Its prefix is a setting of its own."""
    serve(world, "octo-1", http_sys=("HTTPS://+:8443/OCTOPUSCOMMS/", FOR_PORTAL.upper()))
    world["octo-1"].settings["Octopus.Communications.WebSocketPrefix"] = "https://+:8443/OctopusComms"
    assert codes(world) == ["TT210"]


def test_plain_http_needs_none(world: Whole) -> None:
    serve(world, "octo-1", "http://localhost/", bindings=())
    assert outcome(world) is Outcome.PASSED


def test_a_server_that_does_without_http_sys(world: Whole) -> None:
    """Its own process holds the port."""
    serve(world, "octo-1", http_sys=(), bindings=())
    world["octo-1"].listeners.append(OWN | {"port": 443})
    assert outcome(world) is Outcome.PASSED


@pytest.mark.parametrize(("unread", "expected"), [("no rights", Outcome.UNKNOWN), (None, Outcome.PASSED)])
def test_not_read(world: Whole, unread: str | None, expected: Outcome) -> None:
    """Without a word it is a survey of before, which told nothing of it."""
    serve(world, "octo-1", bindings=None, unread_settings=unread)
    assert outcome(world) is expected


class TestHolders:
    def test_shared_with_others_of_http_sys(self, world: Whole) -> None:
        """IIS serves its own names on the same port."""
        serve(world, "octo-1", http_sys=(FOR_PORTAL.upper(), "HTTPS://WWW.EXAMPLE:443/"))
        world["octo-1"].listeners.append(
            {"address": "::", "port": 443, "pid": 4, "owner": {"pid": 4, "name": "System"}}
        )
        assert outcome(world) is Outcome.PASSED

    @pytest.mark.parametrize("down", [True, False])
    def test_a_stranger_on_the_portals_port(self, world: Whole, down: bool) -> None:
        serve(world, "octo-1", http_sys=())
        if down:
            world.down("octo-1", exit_code=1067)
        world["octo-1"].listeners.append(NGINX | {"port": 443})
        assert "TT209" in codes(world)

    @pytest.mark.parametrize("shared", [True, False])
    def test_one_beside_http_sys(self, world: Whole, shared: bool) -> None:
        """A program may have one address where http.sys has the others; whether it keeps http.sys from them, nobody knows."""
        serve(world, "octo-1")
        world["octo-1"].listeners.append(NGINX | {"address": "127.0.0.1", "port": 443})
        if shared:
            system = {"address": "::", "port": 443, "pid": 4, "owner": {"pid": 4, "name": "System"}}
            world["octo-1"].listeners.append(system)
        assert outcome(world) is (Outcome.PASSED if shared else Outcome.UNKNOWN)

    @pytest.mark.parametrize(
        ("os", "prefix", "address", "expected"),
        [
            ("linux", "http://localhost:8080", "10.0.0.5", Outcome.UNKNOWN),
            ("linux", "http://localhost:8080", "127.0.0.1", Outcome.FAILED),
            ("linux", "http://localhost:8080", "0.0.0.0", Outcome.FAILED),
            ("linux", "http://portal.example:8080", "10.0.0.5", Outcome.FAILED),
            ("windows", "http://portal.example:8080", "10.0.0.5", Outcome.UNKNOWN),
            ("windows", "http://10.0.0.5:8080/", "10.0.0.5", Outcome.FAILED),
            ("windows", "http://[fd00::5]:8080/", "[fd00::5]", Outcome.FAILED),
            ("windows", "http://10.0.0.5:8080/", "10.0.0.6", Outcome.PASSED),
        ],
    )
    def test_a_stranger_of_one_address(
        self, world: Whole, os: str, prefix: str, address: str, expected: Outcome
    ) -> None:
        """Whether a portal of `localhost` wants every address is not sure, nor what Windows lets bind beside it."""
        world["octo-1"].os = os
        world["octo-1"].settings["Octopus.WebPortal.ListenPrefixes"] = prefix
        world["octo-1"].listeners.append(NGINX | {"address": address, "port": 8080})
        assert outcome(world) is expected
        assert codes(world) == (["TT209"] if expected is Outcome.FAILED else [])

    def test_a_stranger_on_linux(self, world: Whole) -> None:
        world["octo-1"].os = "linux"
        world["octo-1"].settings["Octopus.WebPortal.ListenPrefixes"] = "http://*:8080"
        world["octo-1"].listeners.append(NGINX | {"port": 8080, "pid": 4})
        assert codes(world) == ["TT209"]

    @pytest.mark.parametrize(("version", "found"), [("2025.3.14357", True), ("2024.4.1", False), (None, False)])
    def test_8443(self, world: Whole, version: str | None, found: bool) -> None:
        """Only newer servers open it, and one that runs has what it needs."""
        serve(world, "octo-1", "http://localhost/", http_sys=())
        world["octo-1"].listeners.append(NGINX | {"port": 8443})
        world.sections["octo-1"]["products"] = (Product(product="server", version=version),)
        assert codes(world) == []
        world.down("octo-1", exit_code=1067)
        world["octo-1"].listeners = [NGINX | {"port": 8443}]
        assert ("TT209" in codes(world)) is found

    def test_a_polling_port_that_nobody_polls(self, world: Whole) -> None:
        """Where somebody does, the welcome page's step has it."""
        serve(world, "octo-1")
        world["octo-1"].listeners = [NGINX | {"port": 10943}]
        assert codes(world) == []
        for poller in ("poll-01", "poll-02"):
            del world.drafts[poller]
        assert codes(world) == ["TT209"]

    def test_its_prefix_while_it_does_not_run(self, world: Whole) -> None:
        """IIS by another name on the same port is none; by the same name, it is."""
        serve(world, "octo-1", http_sys=("HTTPS://*:443/",))
        world.down("octo-1", exit_code=1067)
        assert "TT209" not in codes(world)
        serve(world, "octo-1")
        assert "TT209" in codes(world)

    @pytest.mark.parametrize(("served", "doubted"), [("HTTP://*:80/", False), ("HTTP://+:80/", True)])
    def test_a_portal_of_localhost_that_does_not_run(self, world: Whole, served: str, doubted: bool) -> None:
        """IIS's Default Web Site has the weak wildcard, beside which all others stand; the strong one may be the same."""
        serve(world, "octo-1", "http://localhost/", http_sys=(served,))
        world.down("octo-1", exit_code=1067)
        result = world.fleet().subject("octo-1").result(STEP)
        assert "TT209" not in [problem.code for problem in result.problems]
        assert ("is in the way" in str(result.reason)) is doubted


class TestRights:
    SID = "S-1-5-21-1-2-3-1001"

    def down(self, world: Whole, prefixes: tuple[ReservedPrefix, ...], **account: Any) -> Any:
        serve(world, "octo-1", http_sys=(), prefixes=prefixes)
        world.down("octo-1", exit_code=1067)
        (rights,) = world.sections["octo-1"]["permissions"]
        whose = {"account": ".\\octo", "sid": self.SID, "groups": ("S-1-1-0", "S-1-5-11")} | account
        world.sections["octo-1"]["permissions"] = (rights.model_copy(update=whose),)
        return world.fleet().subject("octo-1").result(STEP)

    def told(self, result: Any) -> bool:
        return "TT212" in [problem.code for problem in result.problems]

    def test_reserved_for_another(self, world: Whole) -> None:
        other = ReservedPrefix(url="https://portal.example:443/", descriptor=FOR_NETWORK_SERVICE)
        assert self.told(self.down(world, (other,)))

    def test_reserved_for_nobody(self, world: Whole) -> None:
        """A server that does without http.sys needs no reservation."""
        result = self.down(world, ())
        assert not self.told(result)
        assert "nothing is reserved for its host" in str(result.reason)

    def test_reserved_for_it(self, world: Whole) -> None:
        """For Network Service, whom it runs as."""
        own = ReservedPrefix(url="https://PORTAL.example:443/", descriptor=FOR_NETWORK_SERVICE)
        assert not self.told(self.down(world, (own,), sid="S-1-5-20"))

    @pytest.mark.parametrize("account", [{"sid": "S-1-5-18"}, {"groups": ("S-1-5-32-544",)}])
    def test_administrators(self, world: Whole, account: dict[str, Any]) -> None:
        """Whether they may where it is reserved for others is not known: no verdict."""
        other = ReservedPrefix(url="https://portal.example:443/", descriptor=FOR_NETWORK_SERVICE)
        for prefixes in ((), (other,)):
            assert not self.told(self.down(world, prefixes, **account))

    def test_groups_that_nobody_told(self, world: Whole) -> None:
        other = ReservedPrefix(url=FOR_PORTAL, descriptor=FOR_NETWORK_SERVICE)
        result = self.down(world, (other,), groups_complete=False)
        assert not self.told(result)
        assert "may register" in str(result.reason)

    def test_what_covers_the_prefix(self, world: Whole) -> None:
        """One of a path below does not; whether one of another host does is not sure, so it takes the verdict away."""
        everybody = "010004800000000000000000000000001400000002001c00010000000000140000000020010100000000000100000000"
        far = ReservedPrefix(url="https://+:443/", descriptor=everybody)
        deep = ReservedPrefix(url="https://portal.example:443/other/", descriptor=everybody)
        other = ReservedPrefix(url=FOR_PORTAL, descriptor=FOR_NETWORK_SERVICE)
        assert self.told(self.down(world, (other, deep)))
        assert not self.told(self.down(world, (other, deep, far)))
        foreign = other.model_copy(update={"url": "https://+:443/"})
        assert not self.told(self.down(world, (foreign,)))

    def test_descriptors(self) -> None:
        (entry,) = entries_of_descriptor(FOR_NETWORK_SERVICE) or ()
        assert (entry.sid, entry.mask) == ("S-1-5-20", 0x20000000)
        assert [each.sid for each in entries_of_descriptor("01000480" + "00" * 16) or ()] == ["S-1-1-0"]
        assert entries_of_descriptor("0100") is None
        assert entries_of_descriptor("zz") is None
        assert entries_of_descriptor(FOR_NETWORK_SERVICE[:60]) is None


@pytest.mark.parametrize(
    ("path", "look", "blocked"),
    [
        ("", RESET, True),
        ("OctopusComms", RESET, False),
        ("", {"page": "other", "whose": "portal"}, False),
    ],
    ids=["its-prefix", "another-prefix", "a-certificate-was-shown"],
)
def test_of_a_web_socket_it_blocks(world: Whole, path: str, look: dict[str, Any], blocked: bool) -> None:
    """What its clients see is no news: every connection is reset. One without TLS that shows a certificate is behind another."""
    serve(world, "octo-1", bindings=(OTHER_SITE,))
    address = FOR_PORTAL.replace("https", "wss") + path
    world["poll-01"].trusted[0] |= {"Address": address, "Thumbprint": thumbprint("portal")}
    world["octo-1"].declare(portal="https://portal.example")
    world.sections["poll-01"]["connections"] = ()
    world["poll-01"].replace(polled(0), probe("portal.example", 443, **look))
    result = world.fleet().subject("poll-01").result("welcome-page-across")
    assert (result.blocked_by == ("TT210", "octo-1")) is blocked
