"""Who trusts whom, and certificates (causes/trust.py, causes/thumbprint.py)."""

from __future__ import annotations

from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, polled
from support.fleets.whole import DAYS, Whole, line
from support.fleets.world import probe

from . import case
from .services import serve


def hangs_up(world: Whole, name: str) -> None:
    """What a poller meets where one of the two does not trust the other."""
    text = (
        "https://octo-1.example:10943/        12  Unexpected exception executing transaction.\n"
        "System.IO.EndOfStreamException: Attempted to read past the end of the stream."
    )
    world.logs[name] += line(60, "ERROR", text, 900)
    world.sections[name]["connections"] = ()


@case("TT320", "poll-01")
def nobody_trusted(world: Whole) -> None:
    world["poll-01"].trusted = []
    world.sections["poll-01"]["connections"] = ()


@case("TT320")
def nobody_trusted_while_listening(world: Whole) -> None:
    world["web-01"].trusted = []


@case("TC3211", confidence="certain", unsure="")
def one_mistrusts(world: Whole) -> None:
    world["web-01"].trusted[0]["Thumbprint"] = thumbprint("somebody")


@case("TC3211", "poll-01")
def a_poller_mistrusts(world: Whole) -> None:
    """And its log tells of it: one cause."""
    world["poll-01"].trusted[0]["Thumbprint"] = thumbprint("somebody")
    hangs_up(world, "poll-01")


@case("TC3212", "web-01", "web-02", "poll-01", "poll-02", confidence="likely")
def server_renewed(world: Whole) -> None:
    for name in ("web-01", "web-02", "poll-01", "poll-02"):
        world[name].trusted[0]["Thumbprint"] = thumbprint("octopus of old")


@case("TC3213")
def other_server(world: Whole) -> None:
    world.add_server("octo-2", "192.0.2.11").declare(thumbprint=thumbprint("octopus 2"))
    world["octo-2"].own = [probe(port=10943, page="server", whose="octopus 2", look=SERVERS_OWN_PORT)]
    world["web-01"].trusted[0]["Thumbprint"] = thumbprint("octopus 2")


@case("TC3221")
def invisible(world: Whole) -> None:
    world["web-01"].trusted[0]["Thumbprint"] = "\u200e" + thumbprint("octopus")


@case("TT323", "poll-01")
def lower_case(world: Whole) -> None:
    world["poll-01"].trusted[0]["Thumbprint"] = thumbprint("octopus").lower()
    hangs_up(world, "poll-01")


@case("TC4011")
def renewed(world: Whole) -> None:
    world["web-01"].declare(thumbprint=thumbprint("web-01 of old"))


@case("TC4012")
def mixed_up(world: Whole) -> None:
    world["web-01"].declare(thumbprint=thumbprint("web-02"))


@case("TT402")
def restart_needed_for_a_certificate(world: Whole) -> None:
    world["web-01"].settings["Tentacle.CertificateThumbprint"] = thumbprint("the new web-01")
    world["web-01"].declare(thumbprint=thumbprint("the new web-01"))


@case("TT403", "web-01", "web-02", confidence="certain")
def clone(world: Whole) -> None:
    draft = world["web-02"]
    for name in ("web-01", "web-02"):
        world[name].config_modified = NOW - DAYS
    draft.settings["Tentacle.CertificateThumbprint"] = thumbprint("web-01")
    draft.declare(thumbprint=thumbprint("web-01"))
    draft.own = [probe(whose="web-01", look=OWN_PORT)]
    world.both("web-02", {"whose": "web-01"})


@case("TC4041", "octo-1")
def inventory_thumbprint_is_old(world: Whole) -> None:
    world["octo-1"].declare(thumbprint=thumbprint("octopus of old"))


@case(
    "TC3212", "web-01", "web-02", "poll-01", "poll-02",
    besides=("TC5303",), confidence="possible", unsure="the thumbprint of the inventory may be an old one",
)  # fmt: skip
def inventory_thumbprint_is_old_and_the_server_unseen(world: Whole) -> None:
    """Nobody saw what the server presents: its Tentacles may trust the right one."""
    inventory_thumbprint_is_old(world)
    world.dark("octo-1")


@case("TC4042", "octo-1", "web-01", "web-02", "poll-01", "poll-02")
def server_presents_another(world: Whole) -> None:
    new = {"port": 10943, "page": "server", "whose": "octopus renewed"}
    world["octo-1"].own = [probe(look=SERVERS_OWN_PORT, **new)]
    for name in ("poll-01", "poll-02"):
        world.across(name, new, new)


@case("TT413", "poll-01", "poll-02")
def copied_subscription(world: Whole) -> None:
    """Copies that got certificates of their own, and still poll with one subscription."""
    world["poll-02"].trusted[0]["SubscriptionId"] = world["poll-01"].trusted[0]["SubscriptionId"]


@case("TT534", "poll-01", confidence="likely")
def web_certificate_renewed(world: Whole) -> None:
    """It polls over a web socket, and the portal's web server got another certificate."""
    draft = world["poll-01"]
    address = "wss://portal.example:443/OctopusComms"
    world.logs["poll-01"] = world.logs["poll-01"].replace(draft.trusted[0]["Address"], address)
    draft.trusted[0] |= {"Address": address, "Thumbprint": thumbprint("portal")}
    draft.replace(polled(0), probe("portal.example", 443, page="other", whose="renewed"))
    world["octo-1"].declare(portal="https://portal.example")
    world.sections["poll-01"]["connections"] = ()


@case("TT537", "poll-01", confidence="likely")
def web_socket_is_switched_off(world: Whole) -> None:
    """The portal answers there, and the path of the web socket is nobody's."""
    web_certificate_renewed(world)
    world["poll-01"].replace(polled(0), probe("portal.example", 443, page="other", whose="portal"))
    serve(world, "octo-1")
