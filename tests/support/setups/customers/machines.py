"""Machines that customers run: accounts with few rights, other makers' systems, certificates of an authority, odd logs."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.link import Certificate, Probe
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.survey.model import Service
from pytest_tentacle.survey.surroundings import (
    Access,
    AccessEntry,
    Disk,
    Event,
    LeftOver,
    Proxy,
    ServiceAccount,
    Watchdog,
)
from support import NOW
from support.fleets.certificates import authority, thumbprint
from support.fleets.whole import LISTEN, LISTENS, POLL, Whole, line, started
from support.setups import setup

from .apart import OTHERS

_APART = ("loading", "account", "tls", "version", "events", "start", "disk", "language", "restarts", "clock", "zone")
_LOG = ("uptime", "relay", "port", "balancer", "vantage", "server", "service", "instance", "address", "registration", "trust", "certificate", "connections", "listener", *_APART)  # fmt: skip


def _poller(world: Whole, name: str) -> bool:
    return world[name].machine.mode == "polling"


def now_presents(world: Whole, whose: str, der: str, *names: str) -> None:
    """Everybody who looked at one of these ports saw this certificate; its thumbprint stands wherever the old one did."""
    old, new = thumbprint(whose), decode_text(der)
    for draft in world.drafts.values():
        for probes in (draft.own, draft.peer):
            probes[:] = [_with_certificate(each, old, new) for each in probes]
        draft.trusted = [
            each | {"Thumbprint": new.thumbprint} if each["Thumbprint"] == old else each for each in draft.trusted
        ]
        draft.settings |= {key: new.thumbprint for key, value in draft.settings.items() if value == old}
        if draft.machine.thumbprint == old:
            draft.declare(thumbprint=new.thumbprint)
    for each in names:
        keys = world.sections[each].get("private_keys", ())
        renamed = tuple(key.model_copy(update={"thumbprint": new.thumbprint}) for key in keys if key.thumbprint == old)
        world.sections[each]["private_keys"] = renamed
    for log in world.logs:
        world.logs[log] = world.logs[log].replace(old, new.thumbprint)


def _with_certificate(look: Probe, old: str, new: Certificate) -> Probe:
    if look.tls is None or look.tls.certificate is None or look.tls.certificate.thumbprint != old:
        return look
    return look.model_copy(update={"tls": look.tls.model_copy(update={"certificate": new})})


@setup("certificate", unlike=("log", "relay", "port", "balancer", "vantage", "server", "service", "instance", "address", "trust", "registration", "connections", "uptime", *_APART))  # fmt: skip
def certificate_of_an_authority(world: Whole, name: str) -> None:
    """import-certificate --from-file: RSA of 4096 bits, by the company's authority, for two years."""
    now_presents(world, name, authority(f"{name}.corp.example", 4096), name)


@setup("certificate", unlike=("log", "relay", "port", "balancer", "vantage", "server", "service", "instance", "address", "trust", "registration", "connections", "uptime", *_APART))  # fmt: skip
def server_with_a_certificate_of_an_authority(world: Whole, name: str) -> None:
    """The server has a certificate of the company's authority, whose elliptic key Octopus Server has imported."""
    assert name
    now_presents(world, "octopus", authority("octopus.corp.example", 0), "octo-1")


@setup("account", systems=("windows",), unlike=OTHERS)
def account_of_another_domain(world: Whole, name: str) -> None:
    """The service's account is of a trusting forest, a member of Administrators through a group of that forest."""
    account, sid = "PARTNER\\svc-deploy", "S-1-5-21-700-800-900-4711"
    world[name].service["account"] = account
    (own,) = world.sections[name]["permissions"]
    access = (Access(path=own.home, owner="S-1-5-32-544", entries=(AccessEntry(sid="S-1-5-32-544", mask=0x1F01FF),)),)
    rights = {"account": account, "sid": sid, "groups": ("S-1-1-0",), "groups_complete": False, "access": access}
    world.sections[name]["permissions"] = (own.model_copy(update=rights),)
    mine = ServiceAccount(service=world[name].service["name"], account=account, sid=sid, process_sid=sid)
    world.sections[name]["service_accounts"] = (mine,)
    loading = world.sections[name]["loading"]
    told = tuple(each.model_copy(update={"account": account}) for each in loading.revocation)
    world.change(name, "loading", revocation=told)
    keys = world.sections[name]["private_keys"]
    world.sections[name]["private_keys"] = tuple(
        each.model_copy(update={"account": account, "sid": sid, "groups_complete": False, "access": each.access.model_copy(update={"entries": (AccessEntry(sid="S-1-5-32-544", mask=0x1F01FF), AccessEntry(sid=sid, mask=0x120089))})})
        for each in keys
    )  # fmt: skip


@setup(
    "account",
    systems=("windows",),
    unlike=(*OTHERS, "log", "uptime", "language", "firewall"),
    unread=("service-account-permissions", "tentacle-certificate", "load-time", "schannel-and-tls", "local-firewall"),
)
def log_on_with_few_rights(world: Whole, name: str) -> None:
    """We log on as a member of Remote Management Users: event logs, rights, keys and the firewall are not shown to us."""
    world[name].host["elevated"] = False
    denied = "Access is denied."
    for section in ("events", "permissions", "private_keys", "firewall", "loading"):
        world.sections[name][section] = denied
    world[name].reservations = world[name].reservations.model_copy(update={"http_sys": None, "excluded": None, "unread": denied})  # fmt: skip
    world.sections[name]["reservations"] = world[name].reservations


@setup("account", systems=("linux",), unlike=("log", "uptime", "balancer", "firewall", "access", "connections", "listener", "service", "instance", "restarts", "disk", "container"), unread=("service-account-permissions", "load-time", "local-firewall", "zombie-child-processes"))  # fmt: skip
def log_on_without_sudo(world: Whole, name: str) -> None:
    """We log on by SSH as nobody in particular: whose sockets they are, by which alone a web socket is known, is not shown."""
    world[name].host["elevated"] = False
    for listener in world[name].listeners:
        listener |= {"pid": None, "owner": None}
    rows = world.sections[name]["connections"]
    world.sections[name]["connections"] = tuple(each.model_copy(update={"pid": None}) for each in rows)
    for section in ("permissions", "firewall", "access_control"):
        world.sections[name][section] = "only root may read this"


@setup("disk", unlike=OTHERS)
def much_used_volume(world: Whole, name: str) -> None:
    """A volume of 2 TiB of which one percent is free: 21 GiB."""
    path = "C:\\" if world[name].os == "windows" else "/"
    world.sections[name]["disks"] = (Disk(path=path, free_bytes=21 * 1024**3, size_bytes=2 * 1024**4),)


@setup("disk", systems=("windows",), unlike=(*OTHERS, "account"))
def home_in_another_spelling(world: Whole, name: str) -> None:
    """Somebody typed the home in small letters with a backslash at its end; Windows writes it otherwise."""
    world[name].settings["Octopus.Home"] = "d:\\octopus\\"
    (own,) = world.sections[name]["permissions"]
    access = tuple(each.model_copy(update={"path": "D:\\Octopus"}) for each in own.access)
    world.sections[name]["permissions"] = (own.model_copy(update={"home": "D:\\Octopus", "access": access}),)
    world.sections[name]["disks"] = (Disk(path="D:\\", free_bytes=90 * 1024**3, size_bytes=200 * 1024**3),)


@setup("events", systems=("windows",), unlike=OTHERS)
def services_of_others_that_fail(world: Whole, name: str) -> None:
    """The service manager tells of other services all day: an updater, a spooler, an antivirus program's part."""
    rows: tuple[tuple[int, dict[str, str]], ...] = (
        (7000, {"param1": "Google Update Service (gupdate)", "param2": "%%1053"}),
        (7009, {"param1": "30000", "param2": "Google Update Service (gupdate)"}),
        (7031, {"param1": "Print Spooler", "param2": "2", "param3": "60000", "param4": "1", "param5": "Restart the service"}),
        (7034, {"param1": "CrowdStrike Falcon Sensor Service", "param2": "1"}),
        (7023, {"param1": "IP Helper", "param2": "%%995"}),
        (7040, {"param1": "Background Intelligent Transfer Service", "param2": "demand start", "param3": "auto start", "param4": "BITS"}),
        (7045, {"ServiceName": "MpKslDrv", "ImagePath": "C:\\ProgramData\\Microsoft\\Windows Defender\\MpKslDrv.sys"}),
    )  # fmt: skip
    world.sections[name]["events"] = tuple(
        Event(source="service-control-manager", id=number, time_utc=NOW - timedelta(minutes=11 * at + 3), data=data)
        for at, (number, data) in enumerate(rows)
    )


@setup("start", systems=("windows",), unlike=OTHERS)
def watchdog_that_never_ran_yet(world: Whole, name: str) -> None:
    """The watchdog's task was made a minute ago: its last result is 0x41303."""
    world.sections[name]["watchdog"] = (Watchdog(name="Octopus Watchdog Tentacle", state="ready", last_result=0x41303),)


@setup("start", systems=("windows",), unlike=OTHERS)
def watchdog_that_runs_now(world: Whole, name: str) -> None:
    """The watchdog's task runs at this very moment: 0x41301."""
    world.sections[name]["watchdog"] = (Watchdog(name="Octopus Watchdog Tentacle", state="running", last_result=0x41301),)  # fmt: skip


@setup("left-over", systems=("windows",), unlike=OTHERS)
def left_overs_of_an_older_installation(world: Whole, name: str) -> None:
    """Folders and a key of the registry of a Tentacle of 32 bits, which was replaced years ago."""
    world.sections[name]["left_overs"] = (
        LeftOver(kind="folder", where=r"C:\Program Files (x86)\Octopus Deploy\Tentacle"),
        LeftOver(kind="registry", where=r"HKLM\SOFTWARE\Wow6432Node\Octopus"),
    )


@setup("proxies", systems=("windows",), modes=("polling",), unlike=("balancer", "log"))
def proxy_of_the_account_that_leaves_the_server_out(world: Whole, name: str) -> None:
    """Local System has the company's proxy, with exceptions for names of the house; the server is one of these."""
    world.sections[name]["proxies"] = (
        Proxy(layer="winhttp", enabled=True, address="proxy.example:3128", bypass="<local>;*.example;10.*"),
        Proxy(layer="wininet", account="NT AUTHORITY\\SYSTEM", enabled=True, address="proxy.example:3128", bypass="<local>;*.example"),
    )  # fmt: skip


@setup("uptime", unlike=(*_LOG[1:], "log"))
def restarted_a_minute_ago(world: Whole, name: str) -> None:
    """An administrator restarted the service a minute ago; since then nobody had anything to do for it."""
    draft, pid, ago = world[name], world[name].service["pid"], timedelta(seconds=62)
    draft.service["started_utc"] = NOW - ago
    before = world.logs[name].replace(f" {pid:>6} ", "   4711 ")
    before += line(70, "INFO", "The Windows Service has stopped" if draft.os == "windows" else "Shutting down", 4711)
    if _poller(world, name):
        world.logs[name] = before + world.polls_at_start(name, ago=ago) + world.secured(name, "octo-1", ago=58.0)  # type: ignore[arg-type]
    else:
        world.logs[name] = before + started(pid, LISTENS, ago=ago)


@setup("log", unlike=_LOG)
def hour_that_was_left_out(world: Whole, name: str) -> None:
    """Summer time began last night: what was written before it, the start as well, seems an hour older than it is."""
    world.zones[name] = timedelta(hours=2)
    three_days, hour = timedelta(days=3), timedelta(hours=1)
    pid = world[name].service["pid"]
    if _poller(world, name):
        world.logs[name] = world.polls_at_start(name, ago=three_days + hour) + world.secured(name, "octo-1", ago=three_days)  # fmt: skip
        world.logs[name] += line(30_000, "INFO", "WorkspaceCleanerTask: deleting", pid)
    else:
        world.logs[name] = started(pid, LISTENS, ago=three_days + hour)
        world.logs[name] += world.visit(name, "octo-1", ago=90_000) + world.visit(name, "octo-1", ago=300)


@setup("log", unlike=_LOG)
def rolled_amid_a_stack_trace(world: Whole, name: str) -> None:
    """The file was begun anew between two lines of a visitor's exception, whose end is its beginning."""
    tail = "   at Halibut.Transport.SecureListener.ExecuteRequest(TcpClient client)\n--- End of inner exception stack trace ---\n"
    said = (
        world.secured(name, "octo-1", ago=timedelta(seconds=4000))
        if _poller(world, name)
        else world.visit(name, "octo-1", ago=4000) + world.visit(name, "octo-1", ago=400)
    )
    world.logs[name] = tail + said


@setup("instance", unlike=(*OTHERS, "service", "uptime", "log"))
def retired_instance(world: Whole, name: str) -> None:
    """An instance of a project that has ended: its service is disabled and stopped, its settings are still there."""
    draft = world[name]
    draft.declare(instance="Tentacle")
    draft.instances = ["Tentacle", "Old"]
    stopped = {"state": "stopped", "start_mode": "disabled", "pid": None, "started_utc": None, "exit_code": 1077}
    unit = "OctopusDeploy Tentacle: Old" if draft.os == "windows" else "Old.service"
    world.more_services[name] = (Service(**(draft.service | {"name": unit, "instance": "Old"} | stopped)),)


@setup("instance", systems=("windows",), unlike=(*OTHERS, "service", "uptime", "log", "address"))
def server_of_old_beside(world: Whole, name: str) -> None:
    """The Octopus Server lived on this machine before it moved: its service is disabled."""
    draft = world[name]
    stopped = {"state": "stopped", "start_mode": "disabled", "pid": None, "started_utc": None, "exit_code": 1077}
    program = r"C:\Program Files\Octopus Deploy\Octopus\Octopus.Server.exe"
    service = {"name": "OctopusDeploy", "product": "server", "instance": "OctopusServer", "executable": program}
    world.more_services[name] = (Service(**(draft.service | service | stopped)),)


@setup("log", modes=("polling",), unlike=_LOG)
def broken_and_healed_in_russian(world: Whole, name: str) -> None:
    """A Russian system: a connection was broken off this morning, and came about again at once."""
    text = "Не удается прочитать данные из транспортного соединения: Удаленный хост принудительно разорвал существующее подключение."  # noqa: RUF001  Russian
    world.say(name, "ERROR", f"{POLL}Unexpected exception executing transaction.\nSystem.IO.IOException: {text}", 9000)
    world.logs[name] += world.secured(name, "octo-1", ago=timedelta(seconds=8990))


@setup("log", modes=("listening",), unlike=_LOG)
def visitors_in_chinese(world: Whole, name: str) -> None:
    """A scanner at a Chinese Windows."""
    texts = (
        "无法从传输连接中读取数据: 远程主机强迫关闭了一个现有的连接。。",
        "由于意外的数据包格式，握手失败。",  # noqa: RUF001  Chinese
        "调用 SSPI 失败，请参见内部异常。",  # noqa: RUF001  Chinese
    )
    for at, text in enumerate(texts):
        peer = f"[::ffff:10.66.0.9]:4{at}000"
        world.say(name, "INFO", f"{LISTEN}Accepted TCP client: {peer}", 900 - at)
        heading = f"{LISTEN}Unhandled error when handling request from client: {peer}"
        world.say(name, "ERROR", f"{heading}\nSystem.Security.Authentication.AuthenticationException: {text}", 900 - at)


@setup("log", modes=("polling",), unlike=_LOG)
def clock_that_was_wrong_at_boot(world: Whole, name: str) -> None:
    """A small computer without a clock of its own: its first lines are of 2021, then the time came by NTP."""
    first = world.polls_at_start(name, ago=timedelta(days=5 * 365))
    world.logs[name] = first + world.secured(name, "octo-1", ago=timedelta(days=2, hours=23, minutes=59))
