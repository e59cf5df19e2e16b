"""What the system or the network keeps from a Tentacle (causes/system.py)."""

from __future__ import annotations

from pytest_tentacle.link import Failure, Probe
from pytest_tentacle.survey.surroundings import Disk, OwnName, PortRange, ProxyConnect, Reservations
from support.fleets.certificates import issued
from support.fleets.failures import DROPPED, NO_SUITE
from support.fleets.looks import OWN_PORT
from support.fleets.whole import Whole
from support.fleets.world import probe

from . import case

SYSTEM = {"address": "::", "port": 10933, "pid": 4, "owner": {"pid": 4, "name": "System"}}
PROXY = "proxy.example:3128"
CUSTOM = {"UseDefaultProxy": "false", "ProxyHost": "proxy.example", "ProxyPort": "3128"}


def exclude(world: Whole) -> None:
    world.sections["web-01"]["reservations"] = Reservations(excluded=(PortRange(first=10900, last=10999),))


@case("TT506", confidence="certain", unsure="")
def excluded_and_not_open(world: Whole) -> None:
    """The service runs, and could not open its port."""
    exclude(world)
    world.shut("web-01")


@case("TT506")
def excluded_and_crashed(world: Whole) -> None:
    exclude(world)
    world.down("web-01", exit_code=1067)


@case("TT507", confidence="certain")
def web_site_on_the_port(world: Whole) -> None:
    world.down("web-01", exit_code=1067)
    world["web-01"].listeners = [SYSTEM]
    world.sections["web-01"]["reservations"] = Reservations(http_sys=("https://+:10933/",))
    site = {"page": "other", "whose": "IIS"}
    world["web-01"].replace(OWN_PORT, probe(**site))
    world.both("web-01", site)


def through_the_proxy(
    world: Whole, status: int | None = None, error: str | None = None, behind: Probe | None = None
) -> None:
    """poll-01 polls through a proxy, which is its only way, and this is what that answers, and who stands behind."""
    world.both("poll-01", DROPPED)
    world["poll-01"].settings |= {f"Octopus.Server.Proxy.{key}": value for key, value in CUSTOM.items()}
    world.logs["poll-01"] = world.polls_at_start("poll-01", proxy=PROXY)
    world.sections["poll-01"]["proxy_connects"] = (
        ProxyConnect(
            instance="Tentacle",
            proxy=PROXY,
            host="octo-1.example",
            port=10943,
            status=status,
            error=error,
            ms=12,
            tls=behind.tls if behind else None,
            page=behind.page if behind else None,
        ),
    )


@case("TT606", "poll-01")
def no_such_proxy(world: Whole) -> None:
    through_the_proxy(world, error="name-not-found")


@case("TT606", "poll-01")
def silent_proxy(world: Whole) -> None:
    through_the_proxy(world, error="timed-out")


@case("TT607", "poll-01")
def forbidden_by_the_proxy(world: Whole) -> None:
    through_the_proxy(world, 403)


@case("TT608", "poll-01")
def unknown_to_the_proxy(world: Whole) -> None:
    through_the_proxy(world, 407)


@case("TT609", "poll-01", confidence="likely")
def no_way_on(world: Whole) -> None:
    through_the_proxy(world, 504)


@case("TC5311", "poll-01", confidence="certain")
def inspected_by_the_proxy(world: Whole) -> None:
    """The proxy opens the tunnel, and shows a certificate of its own in it."""
    world.sections["poll-01"]["connections"] = ()
    through_the_proxy(
        world, 200, behind=probe(der=issued("www.example.com", "Inspection CA"), fails="page", error=Failure.CLOSED)
    )


@case("TC5312", "poll-01")
def led_to_another_by_the_proxy(world: Whole) -> None:
    """The proxy opens the tunnel to another machine."""
    world.sections["poll-01"]["connections"] = ()
    through_the_proxy(world, 200, behind=probe(whose="web-02"))


@case("TC5281", "poll-01")
def silent_behind_the_proxy(world: Whole) -> None:
    """The proxy opens the tunnel, and nothing comes out of it."""
    world.sections["poll-01"]["connections"] = ()
    through_the_proxy(world, 200, behind=probe(fails="tls", error=Failure.TIMED_OUT))


@case("TT714")
def name_of_another(world: Whole) -> None:
    """Its name leads to web-02 from everywhere, where nobody takes connections of octo-1."""
    world.across("web-01", DROPPED | {"addresses": ("198.51.100.2",)})
    world.sections["web-01"]["own_names"] = (OwnName(name="web-01.example", addresses=("198.51.100.2",)),)


@case("TT907")
def no_curve(world: Whole) -> None:
    suites = ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")
    world.change("web-01", "tls", curves=("NistP384",), cipher_suites=suites)
    world.change("octo-1", "tls", curves=("curve25519",), cipher_suites=suites)
    world.both("web-01", NO_SUITE)


@case("TT975")
def read_only(world: Whole) -> None:
    """The file system of its home is mounted read-only."""
    world.sections["web-01"]["disks"] = (
        Disk(path="C:\\", free_bytes=100 * 1024**3, size_bytes=200 * 1024**3, read_only=True),
    )


@case("TT975", "poll-01")
def read_only_for_the_service(world: Whole) -> None:
    """Its unit lets the process write nothing of its home (ReadOnlyPaths=), which others may."""
    room = {"free_bytes": 100 * 1024**3, "size_bytes": 200 * 1024**3}
    world.sections["poll-01"]["disks"] = (
        Disk(path="/", **room, read_only=False),
        Disk(path="/etc/octopus", read_only=True, unit="Tentacle.service"),
    )
