"""The port on the machine itself (causes/local_port.py, and zombies of causes/surroundings.py)."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.survey.model import Section
from support import NOW
from support.fleets.failures import CLOSED, OLD_TLS, SILENT
from support.fleets.looks import OWN_PORT, SERVERS_OWN_PORT
from support.fleets.whole import Whole, make_linux
from support.fleets.world import probe

from . import case

GONE = {"address": "::", "port": 10933, "pid": 4711}
CHILD = {"pid": 4712, "name": "powershell.exe", "parent_pid": 4711}


@case("TC5011", confidence="possible", unsure="stands in the log of web-01")
def port_not_open(world: Whole) -> None:
    world.shut("web-01")


@case("TC5012", confidence="likely", unsure="")
def changed_and_not_restarted(world: Whole) -> None:
    """The file is younger than the process, and nobody listens where it says."""
    world.shut("web-01")
    original = world["web-01"]._survey

    def survey():
        made = original()
        instance = made.instances.data[0]
        file = instance.configuration.model_copy(update={"modified_utc": NOW - timedelta(hours=1)})
        return made.model_copy(
            update={"instances": Section(data=(instance.model_copy(update={"configuration": file}),))}
        )

    world["web-01"]._survey = survey


@case("TC5021")
def taken_and_crashed(world: Whole) -> None:
    world.down("web-01", exit_code=1067)
    owner = {"pid": 4711, "name": "nginx", "executable": "/usr/sbin/nginx", "parent_pid": 1}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    other = {"page": "other", "whose": "nginx"}
    world["web-01"].replace(OWN_PORT, probe(**other))
    world.both("web-01", other)


@case("TC5023", confidence="certain")
def published_for_another(world: Whole) -> None:
    """Docker publishes a container's port at that of a Tentacle that is installed on the host."""
    make_linux(world, "web-01")
    world.down("web-01", state="failed", exit_code=1, detail="failed / exit-code")
    command = (
        "/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 10933 -container-ip 172.17.0.2 -container-port 80"
    )
    owner = {"pid": 4711, "name": "docker-proxy", "executable": "/usr/bin/docker-proxy", "command_line": command}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    other = {"page": "other", "whose": "nginx"}
    world["web-01"].replace(OWN_PORT, probe(**other))
    world.both("web-01", other)


@case("TC5024", confidence="likely", unsure="")
def forwarded_by_windows(world: Whole) -> None:
    """A container's port was forwarded; the container is gone, and the entry stays."""
    world.down("web-01", exit_code=1067)
    command = r"C:\Windows\System32\svchost.exe -k NetSvcs -p -s iphlpsvc"
    owner = {"pid": 4711, "name": "svchost.exe", "executable": command.partition(" ")[0], "command_line": command}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    world["web-01"].replace(OWN_PORT, probe(**CLOSED))
    world.both("web-01", CLOSED)


@case("TC5025", confidence="likely", unsure="")
def part_of_windows(world: Whole) -> None:
    """RPC of LSASS was given the port at boot, since somebody let the range of dynamic ports begin at 1025."""
    world.down("web-01", exit_code=1067)
    owner = {"pid": 4711, "name": "lsass.exe", "executable": r"C:\Windows\System32\lsass.exe"}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    world["web-01"].replace(OWN_PORT, probe(**CLOSED))
    world.both("web-01", CLOSED)


@case("TC5021", confidence="certain", unsure="")
def stranger_of_that_name(world: Whole) -> None:
    """A program of one's own that is called like a part of Windows is none."""
    world.down("web-01", exit_code=1067)
    owner = {"pid": 4711, "name": "svchost.exe", "executable": r"D:\Tools\svchost.exe"}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    world["web-01"].replace(OWN_PORT, probe(**CLOSED))
    world.both("web-01", CLOSED)


@case("TC5022")
def second_instance(world: Whole) -> None:
    owner = {"pid": 4711, "name": "Tentacle.exe", "executable": r"C:\Other\Tentacle.exe", "parent_pid": 1}
    world["web-01"].listeners = [GONE | {"owner": owner}]
    world["web-01"].own = [probe(whose="another", look=OWN_PORT)]
    world.both("web-01", {"whose": "another"})


@case("TT503", confidence="certain")
def zombie(world: Whole) -> None:
    world.down("web-01", exit_code=1067)
    world["web-01"].listeners = [GONE | {"children": (CHILD,)}]
    world["web-01"].replace(OWN_PORT, probe(**SILENT))
    world.both("web-01", SILENT)


@case("TT504")
def another_page_here(world: Whole) -> None:
    other = {"page": "other", "whose": "security suite"}
    world["web-01"].own = [probe(look=OWN_PORT, **other)]
    world.both("web-01", other)


@case("TT505")
def hangs(world: Whole) -> None:
    world["web-01"].own = [probe(look=OWN_PORT, **SILENT)]
    world.both("web-01", SILENT)


@case("TT721")
def zombie_beside_the_service(world: Whole) -> None:
    world["web-01"].listeners.append(GONE | {"address": "0.0.0.0", "children": (CHILD,)})


@case("TC5081", confidence="likely", unsure="log of web-01 at level Debug")
def key_too_short_for_anybody(world: Whole) -> None:
    """Its port refuses every hello of today, in words of versions (tentacle-seen 1.3)."""
    world["web-01"].replace(OWN_PORT, probe(**OLD_TLS))
    world.both("web-01", OLD_TLS)


@case("TC5081", "octo-1")
def servers_key_too_short(world: Whole) -> None:
    world["octo-1"].replace(SERVERS_OWN_PORT, probe(port=10943, **OLD_TLS))
    for poller in ("poll-01", "poll-02"):
        world.both(poller, OLD_TLS)


@case("TC5082", confidence="likely")
def tls_10_alone(world: Whole) -> None:
    (product,) = world.sections["web-01"]["products"]
    world.sections["web-01"]["products"] = (product.model_copy(update={"version": "3.0.24"}),)
    world["web-01"].replace(OWN_PORT, probe(**OLD_TLS))
    world.both("web-01", OLD_TLS)


@case("TC5272", "web-01", confidence="likely")
def gateway_that_refuses_the_name(world: Whole) -> None:
    """As openssl tells of the alert; no Octopus product looks at the name that is asked for."""
    world.both("web-01", {"fails": "tls"})
    for looks in (world["octo-1"].own, world["octo-1"].peer):
        for place, each in enumerate(looks):
            if each.tls is not None and each.tls.error is not None:
                tls = each.tls.model_copy(update={"detail": "SSL3 alert read:fatal:unrecognized name"})
                looks[place] = each.model_copy(update={"tls": tls})


@case("TC5271", "poll-01", confidence="likely")
def gateway_with_mutual_tls(world: Whole) -> None:
    """TLS 1.3: the handshake ends, and the first read brings the alert."""
    world.both("poll-01", {"fails": "page"})
    detail = "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required"
    own = world["poll-01"].own
    for place, each in enumerate(own):
        if each.page is not None and each.page.error is not None:
            own[place] = each.model_copy(update={"page": each.page.model_copy(update={"detail": detail})})
