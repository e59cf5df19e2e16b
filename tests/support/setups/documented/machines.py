"""Machines as Dockerfiles, modules and the command line's own options make them: services, containers, users, settings."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By
from pytest_tentacle.survey.surroundings import (
    Access,
    Changes,
    Disk,
    PackageChange,
    Product,
    RuleChange,
    ServiceAccount,
    UpdateChange,
    WrittenFile,
)
from support import NOW
from support.fleets.looks import OWN_PORT, from_server
from support.fleets.whole import DAYS, Whole
from support.fleets.world import probe
from support.setups import setup
from support.setups.machines_in_containers import contain

_APART = ("loading", "tls", "version", "events", "start", "language", "restarts", "clock", "zone", "proxies")
_INSIDE = ("uptime", "account", "log", "loading", "disk", "instance", "tls", "version", "firewall", "connections", "changes")  # fmt: skip
_WAY = ("relay", "port", "balancer", "vantage", "server", "address", "registration", "trust")


def _published_by(world: Whole, name: str, program: str) -> None:
    contain(world, name)
    for listener in world[name].listeners:
        listener |= {"pid": 700, "owner": {"pid": 700, "name": program}}


@setup("service", modes=("listening",), systems=("linux",), unlike=_INSIDE)
def published_by_a_swarm(world: Whole, name: str) -> None:
    """Docker Swarm's routing mesh: dockerd itself listens on each node, and leads to wherever the container runs.

    Source: github.com/moby/moby/issues/29417 (`users:(("dockerd",...))` at the published port).
    """
    _published_by(world, name, "dockerd")


@setup("service", modes=("listening",), systems=("linux",), unlike=_INSIDE)
def published_by_a_proxy_device(world: Whole, name: str) -> None:
    """Incus or LXD: `config device add web-01 octopus proxy listen=tcp:0.0.0.0:10933 connect=tcp:127.0.0.1:10933`.

    Source: linuxcontainers.org/incus/docs/main/reference/devices_proxy.
    """
    _published_by(world, name, "incusd")


@setup("service", modes=("listening",), systems=("windows",), unlike=_INSIDE)
def published_by_docker_desktop(world: Whole, name: str) -> None:
    """A container of Docker Desktop on Windows, whose backend listens on the published port.

    Source: github.com/docker/for-win (com.docker.backend.exe at published ports); hub.docker.com/r/octopusdeploy/tentacle.
    """
    _published_by(world, name, "com.docker.backend.exe")


@setup("service", systems=("windows",), unlike=(*_INSIDE, "address", "registration"))
def windows_container_that_is_declared(world: Whole, name: str) -> None:
    """Windows' own containers: WinNAT leads the published port on, and no process of the host listens.

    Source: OctopusTentacle, docker/windows/Dockerfile and docker-compose.yml.
    """
    contain(world, name)
    world[name].declare(container=True)
    world[name].listeners = []


@setup("service", modes=("listening",), systems=("linux",), unlike=_INSIDE)
def container_on_the_hosts_network(world: Whole, name: str) -> None:
    """`docker run --network host`, or a quadlet of Podman's: the container's own process holds the host's port.

    Source: OctopusTentacle, docker/linux/scripts/run-tentacle.sh; docs.docker.com/engine/network/drivers/host.
    """
    contain(world, name)
    program = "/opt/octopus/tentacle/Tentacle"
    line = "tentacle agent --instance Tentacle --noninteractive"
    owner = {"pid": 2136, "name": "Tentacle", "executable": program, "command_line": line, "parent_pid": 2101}
    world[name].listeners[0]["owner"] = owner


@setup("service", modes=("listening",), systems=("windows",), unlike=(*_INSIDE, *_WAY, *_APART))
def in_a_windows_container_itself(world: Whole, name: str) -> None:
    """We look from inside of Octopus's Windows container, where no service runs Tentacle: `Tentacle run --noninteractive`.

    Source: OctopusTentacle, docker/windows/Scripts/run-tentacle.ps1.
    """
    draft = world[name]
    draft.without_service = True
    program = r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe"
    line = f'"{program}" run --noninteractive --instance Tentacle --console'
    draft.listeners[0]["owner"] = {"pid": 2136, "name": "Tentacle.exe", "executable": program, "command_line": line, "user": "ContainerAdministrator"}  # fmt: skip
    for section in ("service_accounts", "permissions", "private_keys"):
        world.sections[name][section] = ()
    world.change(name, "firewall", running=False, profiles=(), rules=())
    draft.host["user"] = r"User Manager\ContainerAdministrator"


@setup("instance", unlike=("service", "service-name", "log", "uptime", "container", *_APART))
def service_of_a_file_of_settings(world: Whole, name: str) -> None:
    """`service --install --config FILE`: the one unnamed instance, which stands in no index.

    Source: OctopusTentacle, Startup/ServiceCommand.cs ("only be one un-named instance"), ServiceName.cs; `create-instance --config`.
    """
    draft = world[name]
    draft.unnamed = True
    if draft.os == "windows":
        draft.service |= {"instance": None, "arguments": r'run --config="C:\Octopus\Tentacle.config"'}
        return
    unit = "OctopusDeploy-Tentacle.service"
    line = "run --config=/etc/octopus/Tentacle.config --noninteractive"
    draft.service |= {"instance": None, "arguments": line, "name": unit}
    (own,) = world.sections[name]["service_accounts"]
    world.sections[name]["service_accounts"] = (own.model_copy(update={"service": unit}),)


def _program(world: Whole, name: str, executable: str) -> None:
    world[name].service["executable"] = executable
    loading = world.sections[name]["loading"]
    times = tuple(each.model_copy(update={"executable": executable}) for each in loading.times)
    world.change(name, "loading", times=times)
    (own,) = world.sections[name]["products"]
    world.sections[name]["products"] = (Product(product="tentacle", version=own.version, path=executable),)


@setup("disk", systems=("windows",), unlike=("service", "version", "loading"))
def program_of_32_bits(world: Whole, name: str) -> None:
    """The installer of 32 bits, on a Windows of 64.

    Source: OctopusDSC, README-cTentacleAgent.md (TentacleDownloadUrl); octopus.com/docs, automating-tentacle-installation.
    """
    _program(world, name, r"C:\Program Files (x86)\Octopus Deploy\Tentacle\Tentacle.exe")


def _runs_as(world: Whole, name: str, account: str, number: str, access: Access, **more: Any) -> None:
    draft = world[name]
    draft.service["account"] = account
    (own,) = world.sections[name]["permissions"]
    rights = {"account": account, "sid": None, "access": (access,)} | more
    world.sections[name]["permissions"] = (own.model_copy(update=rights),)
    unit = draft.service["name"]
    told = ServiceAccount(service=unit, account=account, sid=number, process_sid=number)
    world.sections[name]["service_accounts"] = (told,)


@setup("account", systems=("linux",), unlike=("service", "container", "service-name", "log", "uptime", *_APART))
def rights_by_an_access_list(world: Whole, name: str) -> None:
    """`setfacl -R -m u:octopus:rwx`: the folder belongs to root, and its mode tells nothing of what the user may.

    Source: docs.redhat.com, "Managing the Access Control List" (setfacl); systemd User= of octopus.com/docs, linux/running-tentacle-as-non-root.
    """
    home = world.sections[name]["permissions"][0].home
    access = Access(path=home, owner="root", group="root", mode=0o770)
    _runs_as(world, name, "octopus", "998", access, groups=("octopus",))


@setup("account", systems=("linux",), unlike=("service", "container", "service-name", "log", "uptime", *_APART))
def user_of_a_directory(world: Whole, name: str) -> None:
    """A user of Active Directory by SSSD, whose groups the domain tells when it answers.

    Source: sssd.io/docs (use_fully_qualified_names); octopus.com/docs, linux/running-tentacle-as-non-root.
    """
    home = world.sections[name]["permissions"][0].home
    user, group = "svc-octopus@corp.example", "domain users@corp.example"
    access = Access(path=home, owner=user, group=group, mode=0o750)
    _runs_as(world, name, user, "1742601105", access, groups=(group,), groups_complete=False)


@setup("disk", "registration", systems=("linux",), unlike=("service", "account", "container", "port", *_APART))
def unit_that_protects_homes(world: Whole, name: str) -> None:
    """A worker's unit has ProtectHome=read-only: to a worker nothing is deployed, and its own home lies elsewhere.

    Source: en.opensuse.org/openSUSE:Security_Features#Systemd_hardening_effort.
    """
    whole = Disk(path="/", free_bytes=40 * 1024**3, size_bytes=80 * 1024**3, read_only=False)
    folders = {"Octopus.Home": "/etc/octopus/Tentacle", "Tentacle.Deployment.ApplicationDirectory": "/home/Octopus/Applications"}  # fmt: skip
    world[name].settings |= folders
    sealed = Disk(path="/home", read_only=True, unit=world[name].service["name"])
    world.sections[name]["disks"] = (whole, sealed)
    world.register(name, kind="worker", pools=("Linux",))


@setup("port", modes=("listening",), systems=("linux",), unlike=("account", "instance", "service", "service-name", "container", "listener", "firewall", *_WAY))  # fmt: skip
def listens_on_443_as_its_own_user(world: Whole, name: str) -> None:
    """AmbientCapabilities=CAP_NET_BIND_SERVICE: a user of its own holds a port below 1024.

    Source: systemd.exec(5); octopus.com/docs, polling-tentacles-over-port-443 (networks that let 443 through alone).
    """
    _listens_on(world, name, 443)
    home = world.sections[name]["permissions"][0].home
    access = Access(path=home, owner="octopus", group="octopus", mode=0o750)
    _runs_as(world, name, "octopus", "998", access, groups=("octopus",))
    world[name].settings["Tentacle.Services.PortNumber"] = "443"


@setup("port", "environment", modes=("listening",), unlike=("account", "service", "container", "listener", "firewall", "instance", *_WAY))  # fmt: skip
def port_of_the_environment(world: Whole, name: str) -> None:
    """TENTACLE_SERVICE_PORT of the service's environment wins over the port of the file.

    Source: OctopusTentacle, Configuration/EnvironmentVariableMappings (environment over file).
    """
    _listens_on(world, name, 10950)
    world[name].service["environment"] = {"TENTACLE_SERVICE_PORT": "10950"}


def _listens_on(world: Whole, name: str, port: int) -> None:
    draft = world[name]
    draft.declare(port=port)
    for listener in draft.listeners:
        listener["port"] = port
    draft.replace(OWN_PORT, probe(port=port, whose=name))
    for server in draft.machine.servers:
        ip = draft.machine.ip
        seen = probe(draft.machine.dns_name, port, By.NAME, whose=name, addresses=(ip,))
        world[server].replace(from_server(name, By.NAME, server), seen)
        world[server].replace(from_server(name, By.ADDRESS, server), probe(ip, port, By.ADDRESS, whose=name))
    firewall = world.sections[name]["firewall"]
    rules = tuple(rule.model_copy(update={"ports": (str(port),)}) for rule in firewall.rules)
    world.change(name, "firewall", rules=rules)
    world.logs[name] = world.logs[name].replace(":10933", f":{port}")


@setup("log", unlike=("uptime", "account", "registration", "balancer", "address", "connections", "relay", *_APART), unread=("identify-the-problem", "proxies-and-ssl-offloading", "other-error-messages"))  # fmt: skip
def log_that_goes_elsewhere(world: Whole, name: str) -> None:
    """NLog writes to Seq or to the event log alone, and no file is there: what stands in it is not known, and all else well.

    Source: octopus.com/docs/support/log-files (Tentacle.exe.nlog); OctopusDSC, cOctopusSeqLogger.
    """
    world.without_log.add(name)


@setup("changes", unlike=("container", *_APART))
def patched_this_morning(world: Whole, name: str) -> None:
    """Updates of the system came three hours ago, and a rule of the firewall was changed; all goes on.

    Source: wiki.debian.org/UnattendedUpgrades; Windows Update's own times.
    """
    at = NOW - DAYS / 24
    if world[name].os == "windows":
        world.sections[name]["changes"] = Changes(
            offset="+0100",
            zone="Europe/Berlin",
            updates=(UpdateChange(name="KB5046613", action="installed", time_utc=at),),
            rules=(RuleChange(action="changed", name="Octopus", time_utc=at, ports=("10933",), verdict="allow", active=True),),
            unread=("the log of the firewall begins yesterday",),
        )  # fmt: skip
        return
    packages = tuple(
        PackageChange(time=f"{at:%Y-%m-%d %H:%M:%S}", action="upgraded", name=each, before="3.0.15", version="3.0.16")
        for each in ("libssl3", "openssl", "systemd", "nftables")
    )
    files = tuple(WrittenFile(path=each, modified_utc=at) for each in ("/etc/resolv.conf", "/etc/nftables.conf", "/etc/ssl/openssl.cnf"))  # fmt: skip
    world.sections[name]["changes"] = Changes(offset="+0000", zone="Etc/UTC", files=files, packages=packages)
