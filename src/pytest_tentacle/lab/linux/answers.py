"""The commands of a Linux machine that a lab cannot have for real, in the layout of the real ones.

systemctl as of systemd 252 (of 219 and 239, those of RHEL 7 and 8, where the machine says so), ss as of iproute2 6.1,
netstat of net-tools 2.10, ps of procps 4.0, getent of glibc 2.36.
Each function renders the command's answers, from what `machine.json` holds, as the body of a shell script.
"""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .shell import choose, each, lines, say, tell, unsupported

Machine = dict[str, Any]

_OTHER_UNITS = ("cron.service", "getty@.service", "ssh.service", "systemd-journald.service")
_ACTIVE = {
    "running": ("active", "running"),
    "stopped": ("inactive", "dead"),
    "starting": ("activating", "auto-restart"),
    "stopping": ("deactivating", "stop-sigterm"),
    "failed": ("failed", "failed"),
}
_SOCKET_STATES = {
    "listen": "LISTEN",
    "established": "ESTAB",
    "close-wait": "CLOSE-WAIT",
    "syn-sent": "SYN-SENT",
    "time-wait": "TIME-WAIT",
}
_NETSTAT_STATES = _SOCKET_STATES | {
    "established": "ESTABLISHED",
    "close-wait": "CLOSE_WAIT",
    "syn-sent": "SYN_SENT",
    "time-wait": "TIME_WAIT",
}
_COUNTS_RESTARTS, _QUOTES = 235, 247
"""The first version of systemd with NRestarts (its NEWS), and one with quotes (by the sources of 239 and 252)."""
_UNIT_FILE_STATE = {"auto": "enabled", "manual": "disabled", "disabled": "masked"}


def _denied(machine: Machine, what: str) -> bool:
    return what in machine.get("denied", [])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _unit_name(service: dict[str, Any]) -> str:
    name: str = service["name"]
    return name if name.endswith(".service") else f"{name}.service"


def unit_files(machine: Machine) -> dict[str, str | None]:
    """The text of each service's unit file by its name; None for a masked one, a link to /dev/null."""
    services = {_unit_name(service): service for service in machine.get("services", [])}
    return dict.fromkeys(_OTHER_UNITS, "[Service]\nExecStart=/usr/sbin/other -D\n") | {
        name: None if service.get("start_mode") == "disabled" else f"[Service]\nExecStart={service['command']}\n"
        for name, service in services.items()
    }


def systemctl(machine: Machine, unit_path: Path) -> str:
    """`list-units` and `show`; of the manager itself the folder of unit files, too."""
    if _denied(machine, "services"):
        return say("", 1, error="Failed to get properties: Access denied")
    services = {_unit_name(service): service for service in machine.get("services", [])}
    names = sorted({*services, *_OTHER_UNITS})
    states = {name: " ".join(_ACTIVE.get(one["state"], ("inactive", "dead"))) for name, one in services.items()}
    loaded = [name for name in names if "@." not in name]
    units = lines(*(f"{name:<40} loaded {states.get(name, 'active running')} {name}" for name in loaded))
    version = machine.get("systemd", 252)
    blocks = [(f"'{name}'", tell(_as_of(version, _shown(name, services.get(name), version)))) for name in names]
    given = _variables(machine.get("systemd_environment", {}), version)
    manager = tell(lines(f"Environment={given}", f"UnitPath={unit_path} /gone"))
    itself = f'case "$*" in *" -- "*) ;; *) {manager}; exit 0 ;; esac'
    show = f'{itself}\nwhile [ "$1" != -- ]; do shift; done; shift\n{each(blocks, ":")}\nexit 0'
    return choose("$1", {"list-units": say(units), "show": show}, unsupported("systemctl"))


_AS_GIVEN = ("FreezerState", "IPAddressAllow", "IPAddressDeny", "NetworkNamespacePath")


def _shown(name: str, service: dict[str, Any] | None, version: int) -> str:
    """The properties in the order in which systemd prints them, whatever the order of -p; a blank line ends them."""
    if service is None:
        return (
            "MainPID=0\nNRestarts=0\nExecMainStartTimestamp=\nExecMainStatus=0\n"
            f"{_exec_start('/usr/sbin/other -D', 0)}\n"
            f"Id={name}\nActiveState=active\nSubState=running\nUnitFileState=enabled\nUser=\nResult=success\n\n"
        )
    active, sub_state = _ACTIVE.get(service["state"], ("inactive", "dead"))
    if service.get("start_mode") == "disabled":  # of a masked unit systemd loads nothing
        state = service.get("sub_state") or sub_state
        # The process stays, and systemd keeps its number (service_deserialize_item, systemd 252).
        kept = service.get("pid") if service["state"] == "running" and not service.get("process_lost") else None
        shown = [f"MainPID={kept or 0}", f"ExecMainStartTimestamp={_started(service) if kept else ''}"]
        shown += [f"Id={name}", f"ActiveState={active}", f"SubState={state}", "UnitFileState=masked"]
        return lines(*shown, "")
    pid = service.get("pid") or 0
    running = pid and service["state"] in {"running", "starting", "stopping"}
    environment = _variables(service.get("environment", {}), version)
    shown = [
        f"MainPID={pid if running else 0}",
        f"NRestarts={service.get('restarts') or 0}",
        f"ExecMainStartTimestamp={_started(service)}",
        f"ExecMainStatus={service.get('exit_code') or 0}",
        _exec_start(service["command"], pid),
        *([f"Environment={environment}"] if environment else []),
        *(f"EnvironmentFiles={path} (ignore_errors=no)" for path in service.get("environment_files", [])),
        *([f"User={service['account']}"] if service.get("account") else []),
        *([f"WorkingDirectory={service['working_folder']}"] if service.get("working_folder") else []),
        *(f"{key}={service[key]}" for key in _AS_GIVEN if key in service),
        f"Id={name}",
        f"ActiveState={active}",
        f"SubState={service.get('sub_state') or sub_state}",
        f"UnitFileState={_UNIT_FILE_STATE.get(service.get('start_mode', 'auto'), 'static')}",
        f"Result={service.get('result') or 'success'}",
    ]
    return lines(*shown, "")


def _started(service: dict[str, Any]) -> str:
    return _moment(service["started_utc"]).strftime("%a %Y-%m-%d %H:%M:%S UTC") if service.get("started_utc") else ""


def _exec_start(command: str, pid: int) -> str:
    rest = f"ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid={pid} ; code=(null) ; status=0/0"
    return f"ExecStart={{ path={command.split(maxsplit=1)[0]} ; argv[]={command} ; {rest} }}"


def _as_of(version: int, shown: str) -> str:
    """219 counts no restarts, omits what is empty, and has another name for EnvironmentFiles (its systemctl.c)."""
    if version >= _COUNTS_RESTARTS:
        return shown
    kept = [line for line in shown.split("\n") if not line.startswith("NRestarts=") and not re.fullmatch(r"\w+=", line)]
    return "\n".join(kept).replace("\nEnvironmentFiles=", "\nEnvironmentFile=")


def _variables(variables: dict[str, str], version: int) -> str:
    """Those of Environment=, as 219, 239 and 252 print them (bus_print_property in src/shared/bus-util.c)."""
    words = [f"{key}={value}" for key, value in variables.items()]
    if version >= _QUOTES:
        return " ".join(map(_quoted, words))
    if version >= _COUNTS_RESTARTS:
        return " ".join("[unprintable]" if set(word) & set(" \n") else word for word in words)
    return " ".join(map(_escaped, words))


def _escaped(word: str) -> str:
    plain = set(range(0x21, 0x7F)) - set(b"\\")
    return "".join(chr(byte) if byte in plain else f"\\x{byte:02x}" for byte in word.encode())


def _quoted(word: str) -> str:
    if not set(word) & set(" \t\"'\\$`"):
        return word
    return '"' + "".join(f"\\{c}" if c in '"\\$`' else c for c in word) + '"'


def _process_name(machine: Machine, pid: int) -> str:
    return next((process["name"] for process in machine.get("processes", []) if process["pid"] == pid), "Tentacle")


def _end(entry: dict[str, Any], *, remote: bool = False) -> str:
    address, port = (entry["remote_address"], entry["remote_port"]) if remote else (entry["address"], entry["port"])
    if ":" in address:
        address = "*" if address == "::" and not entry.get("six_alone") else f"[{address}]"
    if not remote and entry.get("device"):
        address = f"{address}%{entry['device']}"
    return f"{address}:{port}"


def ss(machine: Machine) -> str:
    """`ss -H -ltnp`, `-tnp` for the others, `-tanp` for both."""
    if _denied(machine, "sockets"):
        return say("", 255, error="Cannot open netlink socket: Permission denied")
    entries = machine.get("sockets", [])
    listening = [_ss_line(machine, entry) for entry in entries if entry["state"] == "listen"]
    others = [_ss_line(machine, entry) for entry in entries if entry["state"] != "listen"]
    cases = {"-H -ltnp": listening, "-H -tnp": others, "-H -tanp": [*listening, *others]}
    return choose("$*", {name: say(lines(*found)) for name, found in cases.items()}, unsupported("ss"))


def _ss_line(machine: Machine, entry: dict[str, Any]) -> str:
    listening = entry["state"] == "listen"
    peer = _end(entry, remote=True) if not listening else "*:*" if "::" in entry["address"] else "0.0.0.0:*"
    pid = entry.get("pid")
    users = f'users:(("{_process_name(machine, pid)[:15]}",pid={pid},fd=273))' if pid else ""
    return f"{_SOCKET_STATES[entry['state']]:<10} 0      128    {_end(entry):>18} {peer:>18} {users}"


def netstat(machine: Machine) -> str:
    """`netstat -ltnp`, `netstat -tanp`."""
    if _denied(machine, "sockets"):
        return say("", 1, error="netstat: Permission denied")
    entries = machine.get("sockets", [])
    columns = "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name    "
    listening = [_netstat_line(machine, entry) for entry in entries if entry["state"] == "listen"]
    everything = [_netstat_line(machine, entry) for entry in entries]
    cases = {
        "-ltnp": say(lines("Active Internet connections (only servers)", columns, *listening)),
        "-tanp": say(lines("Active Internet connections (servers and established)", columns, *everything)),
    }
    return choose("$*", cases, unsupported("netstat"))


def _netstat_line(machine: Machine, entry: dict[str, Any]) -> str:
    v6 = ":" in entry["address"]
    holder = f"{entry['pid']}/{_process_name(machine, entry['pid'])}" if entry.get("pid") else "-"
    local = f"{entry['address']}:{entry['port']}"
    peer = ":::*" if v6 else "0.0.0.0:*"
    if entry["state"] != "listen":
        peer = f"{entry['remote_address']}:{entry['remote_port']}"
    state = _NETSTAT_STATES[entry["state"]]
    return f"{'tcp6' if v6 else 'tcp':<6}     0      0 {local:<23} {peer:<23} {state:<11} {holder:<20}"


def ps(machine: Machine) -> str:
    """`ps -ww -eo pid=,ppid=,user:32=,lstart=,args=`."""
    if _denied(machine, "processes"):
        return say("", 1, error="error: can not access /proc")
    rows = [f"{1:>7} {0:>7} {'root':<32} Mon Jan  5 06:00:00 2026 /sbin/init"]
    for process in machine.get("processes", []):
        started = _moment(process.get("started_utc") or "2026-01-05T06:00:00Z").strftime("%a %b %e %H:%M:%S %Y")
        command = process.get("command_line") or process["name"]
        user = process.get("user") or "root"
        rows.append(f"{process['pid']:>7} {process.get('parent_pid') or 0:>7} {user:<32} {started} {command}")
    cases = {"-ww -eo pid=,ppid=,user:32=,lstart=,args=": say(lines(*rows))}
    return choose("$*", cases, say("", 1, error="error: unsupported option"))


def getent(machine: Machine) -> str:
    """`getent ahosts <name>`, `getent passwd <account>`; exit code 2 for whatever did not give an address."""
    own = ("localhost", machine["hostname"], machine.get("fqdn") or machine["hostname"])
    names = dict.fromkeys(own, machine.get("addresses", [])) | machine.get("names", {})
    cases = {}
    for name, found in names.items():
        if found == "timed-out":
            cases[f"ahosts {name}"] = f"exec {shutil.which('sleep')} 30"
        elif isinstance(found, str):
            cases[f"ahosts {name}"] = say("", 2)
        else:
            rows = [
                row for one in found for row in (f"{one:<15} STREAM {name}", f"{one:<15} DGRAM  ", f"{one:<15} RAW    ")
            ]
            cases[f"ahosts {name}"] = say(lines(*rows))
    accounts = {"root", *(service.get("account") or "root" for service in machine.get("services", []))}
    for account in sorted(accounts):
        home = "/root" if account == "root" else f"/home/{account}"
        number = 0 if account == "root" else 998
        cases[f"passwd {account}"] = say(lines(f"{account}:x:{number}:{number}::{home}:/bin/sh"))
    return choose("$*", cases, say("", 2))


def nslookup(machine: Machine) -> str:
    """What tells apart why getent found nothing."""
    head = lines("Server:\t\t192.0.2.53", "Address:\t192.0.2.53#53", "")
    cases = {}
    for name, found in machine.get("names", {}).items():
        if found == "resolver-failed":
            cases[name] = say(head + lines(f"** server can't find {name}: SERVFAIL"), 1)
        elif found == "no-address":
            cases[name] = say(head + lines(f"*** Can't find {name}: No answer"))
        elif not isinstance(found, str):
            rows = [row for address in found for row in (f"Name:\t{name}", f"Address: {address}")]
            cases[name] = say(head + lines(*rows))
    unknown = f"printf '%s** server can'\\''t find %s: NXDOMAIN\\n' \"{head}\" \"$1\"; exit 1"
    return choose("$1", cases, unknown)


def hostname(machine: Machine) -> str:
    """`hostname`, `hostname -f`, `hostname -I`."""
    cases = {
        "-I": say(lines(" ".join(machine.get("addresses", [])) + " ")),
        "-f": say(lines(machine.get("fqdn") or machine["hostname"])),
    }
    return choose("$*", cases, say(lines(machine["hostname"])))


def uname(machine: Machine) -> str:
    """`uname -n`, `uname -m`, `uname -nm`."""
    name, kind = machine["hostname"], machine.get("architecture", "x86_64")
    return choose("$*", {"-m": say(lines(kind)), "-nm": say(lines(f"{name} {kind}"))}, say(lines(name)))


def ip(machine: Machine) -> str:
    r"""`ip` for addresses, whose one line each holds a literal backslash, the way to one, neighbours and rules."""
    if _denied(machine, "addresses"):
        return say("", 1, error="Cannot open netlink socket: Permission denied")
    rows = ["1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever"]
    for address in machine.get("addresses", []):
        family = "inet6" if ":" in address else "inet"
        rows.append(
            f"2: eth0    {family} {address}/24 scope global eth0\\       valid_lft forever preferred_lft forever"
        )
    own = next(iter(machine.get("addresses", [])), "127.0.0.1")
    route = f'echo "$4 dev eth0 src {own} uid 0 \\\\    cache"; exit 0'
    beside = machine.get("firewall", {})
    rules = say(lines("0: from all lookup local", "32766: from all lookup main", "32767: from all lookup default"))
    cases = {
        "-o addr": say(lines(*rows)), "-o route": route, "neigh show": say(""), "rule show": rules, "-6 rule": rules,
        "-o link": say(beside.get("xdp", "")), "xfrm policy": say(beside.get("xfrm", "")),
        "xfrm state": say("SAD count 0"),
    }  # fmt: skip
    return choose("$1 $2", cases, unsupported("ip"))
