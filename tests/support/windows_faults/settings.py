"""Settings, index and folders."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pytest_tentacle.survey.model import ConfigurationFile, Instance, Service
from pytest_tentacle.survey.surroundings import Access, AccessEntry, Disk
from support import NOW
from support.fleets.failures import REFUSED
from support.fleets.looks import OWN_PORT
from support.fleets.whole import SYSTEM, Whole, line, started
from support.fleets.world import probe

from . import controller_event, end_log, fault, set_account

NAME = "OctopusDeploy Tentacle"
SID = "S-1-5-21-1004336348-1177238915-682003330-1604"
ADMINISTRATORS = "S-1-5-32-544"
ALL = 0x1F01FF


def _file(world: Whole, path: str, **values: Any) -> None:
    """The instance's configuration file is another one."""
    made = ConfigurationFile(path=path, **values)
    world.sections["web-01"]["instances"] = (Instance(product="tentacle", name="Tentacle", configuration=made),)


def _crashed(world: Whole, ago: float = 1800) -> None:
    world.down("web-01", exit_code=1067, started_utc=None)
    end_log(world, "web-01")
    world.sections["web-01"]["events"] = (controller_event(7034, ago, NAME, "1"),)


@fault("the disk was full, and the settings file was emptied", r"empty|disk|space")
def settings_emptied_by_a_full_disk(world: Whole) -> None:
    _file(world, r"C:\Octopus\Tentacle.config", error="empty", size=0)
    world.sections["web-01"]["disks"] = (Disk(path="C:\\", free_bytes=0, size_bytes=60 * 1024**3),)
    _crashed(world)


@fault("the settings file is cut off", r"settings|configuration", r"damaged|cannot be read|malformed|not .{0,20}XML|restore|backup",
       may=("--reset-trust", "new-certificate", "register-with", "delete-instance"))  # fmt: skip
def settings_are_cut_off(world: Whole) -> None:
    _file(world, r"C:\Octopus\Tentacle.config", error="malformed", size=311, detail="Unexpected end of file")
    _crashed(world)


@fault("the index leads to a file on a disk that is not there", r"D:\\Octopus", r"not there|missing|does not exist|gone|no file",
       may=("delete-instance",))  # fmt: skip
def index_leads_to_a_disk_that_is_gone(world: Whole) -> None:
    _file(world, r"D:\Octopus\Tentacle.config", error="not-found")
    _crashed(world)


@fault("the service starts an instance that is not there", r"Blue", "instance", may=("delete-instance",))
def service_starts_another_instance(world: Whole) -> None:
    world["web-01"].service |= {"arguments": 'run --instance="Blue"', "instance": "Blue"}
    _crashed(world)


@fault("the disk of Octopus Home is full", r"disk|space")
def disk_is_full(world: Whole) -> None:
    world.sections["web-01"]["disks"] = (Disk(path="C:\\", free_bytes=3_000_000, size_bytes=60 * 1024**3),)
    text = "There is not enough space on the disk.\nSystem.IO.IOException: There is not enough space on the disk."
    world.logs["web-01"] += line(900, "ERROR", text, 2136)


@fault("Octopus Home lies on a disk that is gone", r"E:\\Octopus", r"not there|missing|gone|does not exist")
def home_is_on_a_disk_that_is_gone(world: Whole) -> None:
    world["web-01"].settings["Octopus.Home"] = r"E:\Octopus"
    held = world.sections["web-01"]["permissions"][0]
    gone = (Access(path=r"E:\Octopus", error="not-found"),)
    world.sections["web-01"]["permissions"] = (held.model_copy(update={"home": r"E:\Octopus", "access": gone}),)
    world.sections["web-01"]["disks"] = (Disk(path=r"E:\Octopus"),)
    world.without_log.add("web-01")
    _crashed(world)


@fault("the account may not write Octopus Home", r"right|permission|may not", SID, never=("Everyone",))
def account_may_not_write_home(world: Whole) -> None:
    set_account(world, "web-01", r"CONTOSO\svc-octopus", SID, runs=False)
    entries = tuple(AccessEntry(sid=sid, mask=ALL) for sid in (SYSTEM, ADMINISTRATORS))
    held = world.sections["web-01"]["permissions"][0]
    access = (Access(path=r"C:\Octopus", owner=ADMINISTRATORS, entries=entries),)
    world.sections["web-01"]["permissions"] = (
        held.model_copy(update={"access": access, "groups": (), "groups_complete": True}),
    )
    _crashed(world)
    text = (
        r"Access to the path 'C:\Octopus\Logs\OctopusTentacle.txt' is denied."
        "\nSystem.UnauthorizedAccessException: Access to the path is denied."
    )
    world.logs["web-01"] += started(4000, ago=1800) + line(1799, "FATAL", text, 4000)


@fault(
    "the port was changed in the settings, and the process is older than they are", r"restart", "10950|settings|older"
)
def process_is_older_than_its_port(world: Whole) -> None:
    draft = world["web-01"]
    draft.settings["Tentacle.Services.PortNumber"] = "10950"
    draft.config_modified = NOW - timedelta(hours=1)
    draft.declare(port=10950)
    draft.replace(OWN_PORT, probe(port=10950, **REFUSED))
    world.across("web-01", {"port": 10950, **REFUSED}, {"port": 10950, **REFUSED})


@fault("two instances have each other's ports", r"10934|10933", r"instance", r"Blue")
def two_instances_with_swapped_ports(world: Whole) -> None:
    world.second_instance("web-01")
    draft = world["web-01"]
    blue = Service(**(draft.service | {"name": NAME + ": Blue", "instance": "Blue", "pid": 3333,
                                       "arguments": 'run --instance="Blue"'}))  # fmt: skip
    world.more_services["web-01"] = (blue,)
    trusted = json.dumps([{"Thumbprint": world.thumbprint("octopus"), "CommunicationStyle": 1}])
    common = {
        "Tentacle.Services.NoListen": "false",
        "Tentacle.Communication.TrustedOctopusServers": trusted,
    }
    made = [
        Instance(product="tentacle", name=name, configuration=ConfigurationFile(path=path, settings={
            **common, "Tentacle.Services.PortNumber": port, "Tentacle.CertificateThumbprint": world.thumbprint(whose)}))
        for name, path, port, whose in (
            ("Tentacle", r"C:\Octopus\Tentacle.config", "10934", "web-01"),
            ("Blue", r"C:\Octopus\Blue\Tentacle.config", "10933", "web-01-blue"))
    ]  # fmt: skip
    world.sections["web-01"]["instances"] = tuple(made)
    draft.listeners = [
        {"address": "::", "port": port, "pid": pid, "owner": {
            "pid": pid, "name": "Tentacle.exe", "command_line": f'Tentacle.exe run --instance="{name}"'}}
        for port, pid, name in ((10934, 2136, "Tentacle"), (10933, 3333, "Blue"))
    ]  # fmt: skip
    draft.replace(OWN_PORT, probe(port=10934, whose="web-01"))
    world.across("web-01", {"whose": "web-01-blue"}, {"whose": "web-01-blue"})
    world.logs["web-01"] = started(2136, "Agent listening on: [::]:10934")


@fault("it listens on its management network's address alone", r"10\.0\.0\.5", r"ListenIP|listenIpAddress")
def listens_on_one_address(world: Whole) -> None:
    draft = world["web-01"]
    draft.settings["Tentacle.Services.ListenIP"] = "10.0.0.5"
    draft.host["addresses"] = ("198.51.100.1", "10.0.0.5")
    draft.listeners[0]["address"] = "10.0.0.5"
    draft.replace(OWN_PORT, probe("10.0.0.5", whose="web-01"))
    world.both("web-01", REFUSED)
    world.logs["web-01"] = started(2136, "Agent listening on: 10.0.0.5:10933")


@fault("it was told not to listen, as after it had been a polling one", r"noListen", r"False|listen")
def does_not_listen(world: Whole) -> None:
    world["web-01"].settings["Tentacle.Services.NoListen"] = "true"
    world.shut("web-01")
    world.logs["web-01"] = started(2136, "Agent will not listen on any TCP ports")


@fault("nobody knows about the services: WMI does not answer, though the link is well")
def management_does_not_answer(world: Whole) -> None:
    world["web-01"].unknown["services"] = "WMI did not answer within 5 s"
    world.sections["web-01"]["service_accounts"] = "WMI did not answer within 5 s"


@fault("a domain controller: its account's groups cannot be known, though the link is well")
def on_a_domain_controller(world: Whole) -> None:
    set_account(world, "web-01", r"CONTOSO\svc-octopus", SID)
    entries = tuple(AccessEntry(sid=sid, mask=ALL) for sid in (SYSTEM, ADMINISTRATORS))
    held = world.sections["web-01"]["permissions"][0]
    access = (Access(path=r"C:\Octopus", owner=ADMINISTRATORS, entries=entries),)
    world.sections["web-01"]["permissions"] = (held.model_copy(update={"access": access}),)
    key = world.sections["web-01"]["private_keys"][0]
    held_by = key.access.model_copy(update={"entries": (*entries, AccessEntry(sid=SID, mask=0x120089))})
    world.sections["web-01"]["private_keys"] = (key.model_copy(update={"access": held_by}),)
