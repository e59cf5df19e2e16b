"""Configuration files and settings (causes/configuration_file.py, causes/settings.py)."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.octopus.model import Policy
from pytest_tentacle.survey.surroundings import Disk
from support.fleets.certificates import thumbprint
from support.fleets.failures import DROPPED, NO_NAME, NOT_TLS, REFUSED
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT, declared, polled
from support.fleets.whole import Whole, line
from support.fleets.world import probe

from . import case


def full_disk(world: Whole, name: str) -> None:
    world.sections[name]["disks"] = (Disk(path="C:\\", free_bytes=4096, size_bytes=10**10),)


@case("TT301", confidence="certain", unsure="")
def file_gone_and_service_down(world: Whole) -> None:
    world["web-01"].config_error = "not-found"
    world.down("web-01", exit_code=1067)


@case("TC3021", confidence="likely")
def disk_full(world: Whole) -> None:
    world["web-01"].config_error = "empty"
    world.down("web-01", exit_code=1067)
    full_disk(world, "web-01")


@case("TC3022", confidence="certain", unsure="")
def file_empty(world: Whole) -> None:
    world["web-01"].config_error = "empty"
    world.down("web-01", exit_code=1067)


@case("TC3022", unsure="whether a disk of web-01 is full")
def file_empty_and_disks_not_seen(world: Whole) -> None:
    file_empty(world)
    world.sections["web-01"]["disks"] = "access is denied"


@case("TC3031", "poll-01")
def file_cut_and_crash_loop(world: Whole) -> None:
    world["poll-01"].config_error = "malformed"
    world.down("poll-01", state="starting", restarts=9, detail="auto-restart / exit-code", exit_code=100)


@case("TC3032", "poll-01")
def trust_is_no_list(world: Whole) -> None:
    world["poll-01"].settings["Tentacle.Communication.TrustedOctopusServers"] = "[{"
    world.down("poll-01", state="failed", exit_code=100, detail="failed / exit-code")


@case("TT331", confidence="certain", unsure="")
def thumbprint_in_octopus_with_a_blank(world: Whole) -> None:
    """Nobody gets through, since the server compares it to the character."""
    world.register(
        "web-01", fault="its thumbprint in Octopus is not 40 hexadecimal digits in upper case and nothing else"
    )


@case("TT332", "poll-01", confidence="certain", unsure="")
def deleted_and_registered_anew_on_one_side(world: Whole) -> None:
    """The Tentacle polls, and Octopus has another subscription for it."""
    world.register("poll-01", uri="poll://somebody-else/", subscription="somebody-else", host=None, port=None)


@case("TT536", confidence="likely")
def octopus_gives_up_first(world: Whole) -> None:
    """The machine policy's least time for a connection, and a handshake that takes longer."""
    policy = Policy(id="P-1", name="Impatient", connect_seconds=10)
    world.register("web-01", policy="P-1")
    world.portal = world.portal.model_copy(update={"policies": (policy,)})
    looks = world["octo-1"].peer
    for number, look in enumerate(looks):
        if look.link.tentacle == "web-01" and look.tls is not None:
            looks[number] = look.model_copy(update={"tls": look.tls.model_copy(update={"ms": 10_400.0})})


@case("TT310")
def other_mode(world: Whole) -> None:
    """It polls, and the server still knocks."""
    draft, other = world["web-01"], world["poll-01"]
    draft.settings["Tentacle.Services.NoListen"] = "true"
    draft.trusted = [{**other.trusted[0], "SubscriptionId": "poll://itsown/"}]
    draft.own = [*draft.own, *(each for each in other.own if each.is_of_polled_address)]
    world.shut("web-01")
    world.sections["web-01"]["connections"] = (world.connection("web-01", "octo-1", pid=2136),)
    world.logs["web-01"] = world.polls_at_start("web-01").replace("   900 ", "  2136 ")


@case("TC3111")
def other_port(world: Whole) -> None:
    draft = world["web-01"]
    draft.settings["Tentacle.Services.PortNumber"] = "10944"
    draft.listeners[0]["port"] = 10944
    draft.own = [probe(port=10944, look=OWN_PORT)]
    world.both("web-01", REFUSED)


@case("TC3113", confidence="certain")
def somebody_else_has_the_port(world: Whole) -> None:
    """The port that the server uses is a monitoring agent's; the Tentacle listens on another one."""
    draft = world["web-01"]
    draft.settings["Tentacle.Services.PortNumber"] = "10934"
    draft.replace(OWN_PORT, probe(port=10934, whose="web-01"))
    owner = {"pid": 4711, "name": "agent.exe"}
    draft.listeners = [
        {"address": "::", "port": 10934, "pid": 2136, "owner": {"pid": 2136, "name": "Tentacle.exe"}},
        {"address": "::", "port": 10933, "pid": 4711, "owner": owner},
    ]
    world.both("web-01", NOT_TLS)


@case("TC3112")
def port_by_environment(world: Whole) -> None:
    draft = world["web-01"]
    draft.service["environment"] = {"TENTACLE_SERVICE_PORT": "10944"}
    draft.listeners[0]["port"] = 10944
    draft.own = [probe(port=10944, look=OWN_PORT)]
    world.both("web-01", REFUSED)


@case("TT312")
def no_listen(world: Whole) -> None:
    world["web-01"].settings["Tentacle.Services.NoListen"] = "true"
    world.shut("web-01")


@case("TC3131", "poll-01")
def node_not_polled(world: Whole) -> None:
    world.add_server("octo-2", "192.0.2.11")
    draft = world["poll-01"]
    draft.declare(servers=("octo-1", "octo-2"))
    common = {"port": 10943, "page": "server", "whose": "octopus"}
    draft.own += [
        probe(
            "octo-2.example",
            by=By.NAME,
            addresses=("192.0.2.11",),
            look=declared("poll-01", "octo-2", "octo-2.example"),
            **common,
        ),
        probe("192.0.2.11", by=By.ADDRESS, look=declared("poll-01", "octo-2", "192.0.2.11"), **common),
    ]


@case("TC3132", "poll-01", confidence="likely")
def polls_a_retired_server(world: Whole) -> None:
    world.add_server("octo-2", "192.0.2.11")
    world.join("poll-01", "octo-2")
    world["poll-01"].trusted[1]["Address"] = "https://octo-of-old.example:10943/"
    world["poll-01"].replace(polled(1), probe("octo-of-old.example", 10943, By.NAME, **NO_NAME))
    world.sections["poll-01"]["connections"] = world.sections["poll-01"]["connections"][:1]


@case("TC3141", "poll-01")
def polls_old_port(world: Whole) -> None:
    world["poll-01"].trusted[0]["Address"] = "https://octo-1.example:10950/"
    refused = probe(
        "octo-1.example", 10950, By.NAME, addresses=("192.0.2.10",), page="server", whose="octopus", **REFUSED
    )
    world["poll-01"].replace(polled(0), refused)
    world.sections["poll-01"]["connections"] = ()


def moved_server(world: Whole) -> None:
    """The server's polling port is 10950, and is served there."""
    world["octo-1"].settings["Octopus.Communications.ServicesPort"] = "10950"
    world["octo-1"].listeners[0]["port"] = 10950
    world["octo-1"].own = [probe(port=10950, page="server", whose="octopus", look=SERVERS_OWN_PORT)]


@case("TC3142", "octo-1", "poll-01", "poll-02")
def inventory_port_is_old(world: Whole) -> None:
    moved_server(world)
    for name in ("poll-01", "poll-02"):
        world[name].trusted[0]["Address"] = "https://octo-1.example:10950/"
        common = {"port": 10950, "page": "server", "whose": "octopus"}
        made = probe("octo-1.example", by=By.NAME, addresses=("192.0.2.10",), **common)
        world.both(name, REFUSED)
        world.sections[name]["connections"] = (world.connection(name, "octo-1"),)
        world[name].replace(polled(0), made)
        (held,) = world.sections[name]["connections"]
        world.sections[name]["connections"] = (held.model_copy(update={"remote_port": 10950}),)


@case("TC3171", "octo-1")
def server_port_changed(world: Whole) -> None:
    moved_server(world)
    for name in ("poll-01", "poll-02"):
        world.both(name, REFUSED)


@case("TT315", "poll-01")
def half_entry(world: Whole) -> None:
    world["poll-01"].trusted[0]["Address"] = None
    world.sections["poll-01"]["connections"] = ()


@case("TT316")
def foreign_listen_ip(world: Whole) -> None:
    world["web-01"].settings["Tentacle.Services.ListenIP"] = "192.0.2.77"
    world.down("web-01", exit_code=1067)


# what the settings hold too much: servers that are no more, damaged entries beside whole ones; nothing fails of it

OLD = "octo-old.example"
_AT_OLD = f"https://{OLD}:10943/        14  "
_SERVER: dict[str, Any] = {"port": 10943, "page": "server", "whose": "retired"}


def also_polls(
    world: Whole, name: str, how: dict[str, Any], words: str = "", every: float = 120, times: int = 30
) -> None:
    """It polls a server that the inventory lacks as well, where this answers; its log says so at this pace."""
    draft = world[name]
    entry = {"Thumbprint": thumbprint("retired"), "Address": f"https://{OLD}:10943/", "SubscriptionId": "poll://old00/"}
    draft.trusted.append(draft.trusted[0] | entry)
    draft.own.insert(1, probe(OLD, by=By.NAME, addresses=("192.0.2.77",), look=polled(1), **(_SERVER | how)))
    world.logs[name] = world.polls_at_start(name) + world.secured(name, "octo-1")
    for number in range(times if words else 0):
        world.logs[name] += line(every * (times - number), "ERROR", f"{_AT_OLD}{words}", 900)


@case("TC5215", "poll-01", confidence="certain")
def polls_a_server_without_a_name(world: Whole) -> None:
    also_polls(world, "poll-01", NO_NAME, "No such host is known.")


@case("TC5215", "poll-01", confidence="certain")
def polls_a_server_that_is_silent(world: Whole) -> None:
    text = f"The client was unable to establish the initial connection within the timeout 00:01:00 to {OLD}:10943"
    also_polls(world, "poll-01", DROPPED, text)


@case("TC5215", "poll-02", confidence="certain")
def polls_a_server_that_is_gone_every_five_seconds(world: Whole) -> None:
    text = f"The remote host at https://{OLD}:10943/ refused the connection. This may mean that the expected listening service is not running."  # fmt: skip
    also_polls(world, "poll-02", REFUSED, text, every=5, times=400)


@case("TC3222", "web-01")
def trusts_a_damaged_thumbprint_besides(world: Whole) -> None:
    world["web-01"].trusted.append({**world["web-01"].trusted[0], "Thumbprint": thumbprint("octopus")[:-1]})


@case("TC3222", "poll-01")
def has_half_an_entry_besides(world: Whole) -> None:
    draft = world["poll-01"]
    draft.trusted.append(draft.trusted[0] | {"Address": None, "SubscriptionId": None})


@case("TC3222", "poll-01")
def has_a_pasted_thumbprint_besides(world: Whole) -> None:
    draft = world["poll-01"]
    pasted = {"CommunicationStyle": 1, "Thumbprint": "\u200e" + thumbprint("octopus"), "Address": None}
    draft.trusted.append(draft.trusted[0] | pasted)
