"""The files that a healthy Linux machine has besides its configuration; whatever is already there is left as it is.

A lab machine's own files lie in `files/`, and its file tools find them there by their usual paths (`/etc/octopus/...`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
from pathlib import Path
from typing import Any

from pytest_tentacle.survey.configuration import TENTACLE_PORT, ConfigurationError, parse_settings, trusted_servers

from .answers import unit_files
from .shell import lines, note, program, say
from .surroundings import user_numbers

Machine = dict[str, Any]

_VERSION = "8.3.2941"
_STARTED = "2026-01-05T06:00:00Z"
_SETTLED = 1_767_420_000
"""3 January 2026, as seconds since 1970."""

_WATCHED = (
    "hosts", "resolv.conf", "nsswitch.conf", "nftables.conf", "sysconfig/nftables.conf", "iptables/rules.v4",
    "iptables/rules.v6", "sysconfig/iptables", "firewalld/zones/public.xml", "ufw/user.rules", "ufw/user6.rules",
)  # fmt: skip
"""Below /etc, what `changes.sh` looks at and nothing else reads."""

UNITS = "etc/systemd/system"
"""The folder of the services' unit files."""

_HELP = lines(
    "Usage: Tentacle <command> [<options>]",
    "",
    "Where <command> is one of:",
    "",
    "  agent        Starts the Tentacle Agent",
)


def complete(folder: Path, machine: Machine) -> None:
    """Give the machine what it lacks: each instance's log and work folder, the program, the TLS policy."""
    files = folder / "files"
    for index in sorted((files / "etc" / "octopus").glob("*/Instances/*.config")):
        with contextlib.suppress(OSError):  # a home that no file system can hold stays without a log
            _instance(files, machine, index)
    for service in machine.get("services", []):
        _program(folder, machine, service["command"].split(maxsplit=1)[0])
        _process(files, machine, service)
    for name, text in unit_files(machine).items():
        if text is None:
            (files / UNITS).mkdir(parents=True, exist_ok=True)
            (files / UNITS / name).symlink_to("/dev/null")
        else:
            _absent(files / UNITS / name, text)
    _settled(files)
    _security_modules(files, machine)
    _absent(files / "proc" / "sys" / "crypto" / "fips_enabled", "0\n")
    _absent(files / "etc" / "environment", 'PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"\n')
    policy = files / "etc" / "ssl" / "openssl.cnf"
    made = not policy.exists()
    _absent(
        policy,
        lines(
            "openssl_conf = openssl_init",
            "[openssl_init]",
            "ssl_conf = ssl_sect",
            "[ssl_sect]",
            "system_default = system_default_sect",
            "[system_default_sect]",
            "MinProtocol = TLSv1.2",
            "CipherString = DEFAULT@SECLEVEL=2",
        ),
    )
    if made:
        os.utime(policy, (_SETTLED, _SETTLED))


def _process(files: Path, machine: Machine, service: Machine) -> None:
    """What /proc tells of a service's process: its user, which `processes` may give, and its command line."""
    pid = service.get("pid")
    if not pid:
        return
    own: Machine = next((each for each in machine.get("processes", []) if each["pid"] == pid), {})
    user = own.get("user") or service.get("account") or "root"
    number = user if user.isdecimal() else user_numbers(machine).get(user, 65534)
    folder = files / "proc" / str(pid)
    _absent(folder / "status", f"Name:\tTentacle\nPid:\t{pid}\nUid:\t{number}\t{number}\t{number}\t{number}\n")
    words = shlex.split(service["command"])
    _absent(folder / "cmdline", "".join(f"{word}\0" for word in words))


def _security_modules(files: Path, machine: Machine) -> None:
    """What the kernel tells of SELinux: that it is there, and in force or not, and each process's label."""
    selinux = machine.get("selinux")
    _absent(files / "proc" / "filesystems", "nodev\tsysfs\n" + ("nodev\tselinuxfs\n" if selinux else "") + "\text4\n")
    if selinux is None:
        return
    _absent(files / "sys" / "fs" / "selinux" / "enforce", str(int(selinux["mode"] == "enforcing")))
    for service in (one for one in machine.get("services", []) if one.get("pid")):
        label = selinux.get("process", "system_u:system_r:unconfined_service_t:s0")
        _absent(files / "proc" / str(service["pid"]) / "attr" / "current", f"{label}\0")


def _settled(files: Path) -> None:
    """What a survey looks at for changes: long there, so that nothing of the lab's own host is seen in its place."""
    _absent(files / "var" / "log" / "dpkg.log", "2026-01-03 06:25:17 upgrade openssl:amd64 3.0.15-1 3.0.16-1\n")
    for name in ("var/log/dpkg.log.1", "var/log/dnf.rpm.log", "var/log/zypp/history"):
        _absent(files / name, "")
    for name in _WATCHED:
        path = files / "etc" / name
        if not path.exists():
            _absent(path, "")
            os.utime(path, (_SETTLED, _SETTLED))


def _absent(path: Path, text: str) -> None:
    """Write the file, if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _instance(files: Path, machine: Machine, index: Path) -> None:
    try:
        entry = json.loads(index.read_text(encoding="utf-8"))
        path = Path(entry["ConfigurationFilePath"])
    except (ValueError, KeyError):
        return  # an index entry that leads nowhere
    try:
        settings = parse_settings(path.read_bytes())
    except (OSError, ConfigurationError):
        settings = {}  # what broke since then did not take the log with it
    home = settings.get("Octopus.Home", "")
    home = home if home.startswith("/") else str(path.parent)
    place = Path(home) if home.startswith(str(files)) else files / home.lstrip("/")
    is_server = index.parent.parent.name == "OctopusServer"
    log = place / "Logs" / ("OctopusServer.txt" if is_server else "OctopusTentacle.txt")
    if "log" not in machine.get("without", []):
        _absent(log, "" if is_server else _healthy_log(machine, entry["Name"], settings))
    (place / "Work").mkdir(parents=True, exist_ok=True)


def _healthy_log(machine: Machine, instance: str, settings: dict[str, str]) -> str:
    """The lines of a healthy start (tentacle-seen 4.3), by what the file says."""
    service: dict[str, Any] = next(iter(machine.get("services", [])), {})
    pid, command = service.get("pid") or 1, service.get("command", "")
    moment = (service.get("started_utc") or _STARTED).rstrip("Z").replace("T", " ")
    said = [
        "=" * 80,
        f"Tentacle version {_VERSION} ({_VERSION}) instance {instance}",
        "\n".join(["Environment Information:", f"  MachineName: {machine['hostname']}", f"  PID: {pid}"]),
        "==== RunAgentCommand ====",
        f"CommandLine: {command}",
    ]
    try:
        trusted = trusted_servers(settings)
    except ValueError:
        trusted = ()
    said += [f"Agent will trust Octopus Servers with the thumbprint: {one.thumbprint}" for one in trusted]
    for one in (one for one in trusted if one.polls):
        place = f"Octopus Server at {one.address} for subscription {one.subscription_id}"
        said += [f"Agent will poll {place} expecting thumbprint {one.thumbprint}"]
        said += ["Agent will not use a proxy server", "Starting 1 polling connections"]
    if settings.get("Tentacle.Services.NoListen", "").lower() == "true":
        said += ["Agent will not listen on any TCP ports"]
    else:
        address = settings.get("Tentacle.Services.ListenIP") or "[::]"
        end = f"{address}:{settings.get('Tentacle.Services.PortNumber') or TENTACLE_PORT}"
        said += [f"{f'listen://{end}/':<30} {1:>4}  Listener started", f"Agent listening on: {end}"]
    return lines(*(f"{moment}.{number:04}  {pid:>5}      1  INFO  {text}" for number, text in enumerate(said)))


def _program(folder: Path, machine: Machine, path: str) -> None:
    """The product's program, which only knows `help`; `loading` may hold `seconds`, `exit_code`, `says`, `missing`."""
    place = folder / "files" / path.lstrip("/")
    loading = machine.get("loading", {})
    if loading.get("missing") or place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    nap = f"{shutil.which('sleep')} {shlex.quote(str(loading['seconds']))}" if loading.get("seconds") else ""
    trouble = f"printf '%s\\n' {shlex.quote(str(loading['says']))} >&2" if loading.get("says") else ""
    answer = say(_HELP, int(loading.get("exit_code", 0)))
    place.write_text(program(note(str(folder / "commands.log"), place.name), nap, trouble, answer), encoding="utf-8")
    place.chmod(0o755)
    os.utime(place, (_SETTLED, _SETTLED))
