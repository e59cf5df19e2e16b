"""What Windows' TLS library is allowed to do."""

from __future__ import annotations

from pytest_tentacle.survey.surroundings import TlsPolicy, TlsProtocol
from support.fleets.failures import CLOSED, NO_SUITE, OLD_TLS
from support.fleets.looks import OWN_PORT
from support.fleets.whole import LISTENS, Whole, line, started
from support.fleets.world import probe

from . import fault, schannel_event

ECDHE = ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
PLAIN_RSA = ("TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256")


def _policy(world: Whole, name: str, build: int, suites: tuple[str, ...] = ECDHE, **more: object) -> None:
    made = TlsPolicy(library="Schannel", build=build, cipher_suites=suites, fips=False)
    world.sections[name]["tls"] = made.model_copy(update=more)


@fault("Schannel of web-01 does not accept TLS 1.2, and this Windows has no TLS 1.3", r"TLS 1\.2", r"Server")
def tls12_is_off_for_servers(world: Whole) -> None:
    off = (TlsProtocol(name="TLS 1.2", side="server", enabled=False, disabled_by_default=True),)
    _policy(world, "web-01", 14393, protocols=off)
    world["web-01"].replace(OWN_PORT, probe(**CLOSED))
    world.both("web-01", CLOSED)
    world.sections["web-01"]["events"] = (schannel_event(36874, 30, Protocol="TLS 1.2"),)


@fault(
    "Schannel of octo-1 does not offer TLS 1.2", r"TLS 1\.2", r"client", machine="octo-1", others=("web-01", "web-02")
)
def tls12_is_off_for_clients_of_the_server(world: Whole) -> None:
    off = (TlsProtocol(name="TLS 1.2", side="client", enabled=False, disabled_by_default=True),)
    _policy(world, "octo-1", 14393, protocols=off)
    for name in ("web-01", "web-02"):
        _policy(world, name, 14393)
        world.both(name, NO_SUITE)
        world.logs[name] = started(2136, LISTENS)
    world.sections["octo-1"]["events"] = (schannel_event(36871, 30, Type="client", ErrorState="10013"),)


@fault("a policy left web-01 no suite that octo-1 has", r"suite|cipher", others=("octo-1",))
def no_suite_in_common(world: Whole) -> None:
    _policy(world, "web-01", 17763, PLAIN_RSA)
    _policy(world, "octo-1", 17763)
    world.both("web-01", NO_SUITE)
    world.sections["web-01"]["events"] = (schannel_event(36874, 30, Protocol="TLS 1.2"),)
    world.logs["web-01"] = started(2136, LISTENS)


@fault("FIPS refuses what an old Tentacle computes with", "FIPS")
def old_tentacle_under_fips(world: Whole) -> None:
    world.change("web-01", "tls", fips=True)
    world.down("web-01", exit_code=1067, started_utc=None)
    text = (
        "This implementation is not part of the Windows Platform FIPS validated cryptographic algorithms.\n"
        "System.InvalidOperationException: This implementation is not part of the Windows Platform FIPS validated "
        "cryptographic algorithms.\n   at System.Security.Cryptography.SHA256Managed..ctor()"
    )
    world.logs["web-01"] = started(4000, ago=1800, version="3.4.2") + line(1799, "FATAL", text, 4000)


@fault("web-01 talks TLS 1.0 alone, octo-1 wants more", r"TLS 1\.[02]", others=("octo-1",))
def old_windows_and_new_server(world: Whole) -> None:
    off = tuple(TlsProtocol(name=name, side="server", enabled=False) for name in ("TLS 1.1", "TLS 1.2"))
    _policy(world, "web-01", 9600, protocols=off)
    world["web-01"].replace(OWN_PORT, probe(**OLD_TLS))
    world.both("web-01", OLD_TLS)
    world.logs["web-01"] = started(2136, LISTENS)


@fault("the program's old .NET does not offer what octo-1 asks for, though Windows could", r"TLS|\.NET|SchUseStrongCrypto",
       machine="poll-01")  # fmt: skip
def old_dotnet_switches_of_a_poller(world: Whole) -> None:
    from support.fleets.whole import make_windows

    make_windows(world, "poll-01")
    world.sections["poll-01"]["connections"] = ()
    world.change(
        "poll-01",
        "tls",
        dotnet=("64 bit v4.0.30319 SchUseStrongCrypto=0", "64 bit v4.0.30319 SystemDefaultTlsVersions=0"),
    )
    text = (
        "https://octo-1.example:10943/        12  Authentication failed while setting up connection to "
        "https://octo-1.example:10943/\nSystem.Security.Authentication.AuthenticationException: A call to SSPI failed, see inner "
        "exception. ---> System.ComponentModel.Win32Exception: The client and server cannot communicate, because they do not "
        "possess a common algorithm"
    )
    world.logs["poll-01"] = world.polls_at_start("poll-01") + "".join(
        line(ago, "ERROR", text, 900) for ago in (600, 300, 60)
    )
