"""Certificates, their keys, and whom a Tentacle trusts."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.link import By
from pytest_tentacle.survey.surroundings import Access, AccessEntry
from support import NOW
from support.fleets.failures import CLOSED
from support.fleets.looks import OWN_PORT, from_server
from support.fleets.whole import LISTENS, SYSTEM, Whole, line, started
from support.fleets.world import probe

from . import fault, schannel_event, set_account

SID = "S-1-5-21-1004336348-1177238915-682003330-1604"
KEY_FILE = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\52ab417621a9d74c73e3e0f1bc374e0a_6f1d3b8c"
NO_KEY = (
    "The X509 certificate CN=Octopus Tentacle was loaded but the private key was not loaded. The current user does not "
    "appear to be able to access the private key file, or it does not exist"
)


def _handshakes_fail(world: Whole) -> None:
    """Schannel cannot use the key: it tells 36870, and whoever connects gets the end of the stream."""
    world["web-01"].replace(OWN_PORT, probe(**CLOSED))
    world.both("web-01", CLOSED)
    world.sections["web-01"]["events"] = tuple(
        schannel_event(36870, ago, Type="server", ErrorCode="0x8009030d", ErrorStatus="10001", CallerProcessId="2136")
        for ago in (30, 300, 600)
    )
    world.logs["web-01"] = (
        started(2136, ago=3600) + line(3599, "WARN", NO_KEY, 2136) + line(3598, "INFO", LISTENS, 2136)
    )
    world["web-01"].service["started_utc"] = NOW - timedelta(hours=1)


@fault("the new account may not read the key of the certificate", r"key", r"svc-octopus|1604", r"icacls|right|grant")
def key_is_not_readable(world: Whole) -> None:
    set_account(world, "web-01", r"CONTOSO\svc-octopus", SID)
    access = Access(path=KEY_FILE, owner=SYSTEM, entries=(AccessEntry(sid=SYSTEM, mask=0x1F01FF),))
    key = world.private_key("web-01", account=r"CONTOSO\svc-octopus", sid=SID, access=access)
    world.sections["web-01"]["private_keys"] = (key,)
    _handshakes_fail(world)


@fault("the key's file was deleted", r"key", r"gone|not there|missing|does not exist")
def key_is_gone(world: Whole) -> None:
    key = world.private_key("web-01", access=Access(path=KEY_FILE, error="not-found"))
    world.sections["web-01"]["private_keys"] = (key,)
    _handshakes_fail(world)


@fault("the store's copy is not there: Tentacle imports it again when it starts, and all is well")
def certificate_is_not_in_the_store(world: Whole) -> None:
    key = world.private_key("web-01", stored=False, has_key=None, provider=None, access=None)
    world.sections["web-01"]["private_keys"] = (key,)


@fault(
    "it has a new certificate, and the server expects the old one",
    r"thumbprint",
    r"portal|server|octo-1",
    others=("octo-1",),
)
def certificate_was_made_anew(world: Whole) -> None:
    world["web-01"].settings["Tentacle.CertificateThumbprint"] = world.thumbprint("web-01-new")
    world["web-01"].config_modified = NOW - timedelta(hours=2)
    world["web-01"].service["started_utc"] = NOW - timedelta(hours=1)
    key = world.private_key("web-01", thumbprint=world.thumbprint("web-01-new"))
    world.sections["web-01"]["private_keys"] = (key,)
    world["web-01"].replace(OWN_PORT, probe(whose="web-01-new"))
    world.across("web-01", {"whose": "web-01-new"}, {"whose": "web-01-new"})
    world.logs["web-01"] = started(2136, LISTENS, ago=3600) + line(
        600, "INFO", "listen://[::]:10933/             91  Accepted TCP client: [::ffff:192.0.2.10]:50001", 2136
    )


@fault("the process still shows the certificate of before it was replaced", "restart")
def process_is_older_than_its_certificate(world: Whole) -> None:
    new = world.thumbprint("web-01-new")
    world["web-01"].settings["Tentacle.CertificateThumbprint"] = new
    world["web-01"].config_modified = NOW - timedelta(hours=1)
    world["web-01"].declare(thumbprint=new)
    world.sections["web-01"]["private_keys"] = (world.private_key("web-01", thumbprint=new),)


@fault("it trusts a former server alone", r"trust", r"configure --trust|--trust", may=())
def trusts_a_former_server(world: Whole) -> None:
    world["web-01"].trusted = [
        {"Thumbprint": world.thumbprint("octopus-old"), "CommunicationStyle": 1, "Address": None}
    ]
    world.logs["web-01"] = started(2136, LISTENS) + line(
        600, "INFO", "listen://[::]:10933/             91  Accepted TCP client: [::ffff:192.0.2.10]:50001", 2136
    )


@fault("web-02 is a copy of web-01: both have one certificate", r"cop|clone|same certificate", machine="web-02",
       others=("web-01",), may=("new-certificate", "register-with", "delete-instance"))  # fmt: skip
def machine_was_cloned(world: Whole) -> None:
    same = world.thumbprint("web-01")
    world["web-02"].settings["Tentacle.CertificateThumbprint"] = same
    world["web-02"].declare(thumbprint=same)
    key = world.private_key(
        "web-02", thumbprint=same, access=Access(path=KEY_FILE, error="not-found"),
        of_another_machine=KEY_FILE.replace("6f1d3b8c", "11111111"),
    )  # fmt: skip
    world.sections["web-02"]["private_keys"] = (key,)
    world["web-02"].replace(OWN_PORT, probe(whose="web-01"))
    for by, host in ((By.NAME, "web-02.example"), (By.ADDRESS, "198.51.100.2")):
        world["octo-1"].replace(
            from_server("web-02", by), probe(host, by=by, whose="web-01", addresses=("198.51.100.2",))
        )


@fault("its clock is five hours ahead, which the protocol does not care about: nothing is wrong with the link")
def clock_is_hours_ahead(world: Whole) -> None:
    world["web-01"].host["clock_utc"] = NOW + timedelta(hours=5)
    world.zones["web-01"] = timedelta(hours=5)
