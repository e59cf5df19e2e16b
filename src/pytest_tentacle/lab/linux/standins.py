"""The commands of a Linux machine that a lab cannot have for real, in the layout of the real ones.

systemctl as of systemd 252, ss as of iproute2 6.1, netstat of net-tools 2.10, ps of procps 4.0, getent of glibc 2.36.
All of them answer from `machine.json`. Standard library only: this runs without site packages.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

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
_UNIT_FILE_STATE = {"auto": "enabled", "manual": "disabled", "disabled": "masked"}


def answer(machine_path: str, command: str, arguments: list[str]) -> int:
    """Play the command; its exit code."""
    with open(machine_path, encoding="utf-8") as file:  # noqa: PTH123  pathlib is slow to import
        machine = json.load(file)
    return {
        "systemctl": systemctl,
        "ss": ss,
        "netstat": netstat,
        "ps": ps,
        "getent": getent,
        "nslookup": nslookup,
        "hostname": hostname,
        "uname": uname,
        "ip": ip,
    }[command](machine, arguments)


def refusal(machine_path: str, command: str, arguments: list[str]) -> int | None:
    """Refuse to read what `denied` names, as the system would for an account without the right; None: go on."""
    with open(machine_path, encoding="utf-8") as file:  # noqa: PTH123  pathlib is slow to import
        denied = json.load(file).get("denied", [])
    for path in arguments:
        index = "/Instances" in path
        if (
            ("instances" in denied and index)
            or ("configuration" in denied and path.endswith(".config") and not index)
            or ("sockets" in denied and path.startswith("/proc/"))
            or path in denied
        ):
            action = "cannot open directory " if command == "ls" else ""
            name = f"'{path}'" if command == "ls" else path
            return _complain(f"{command}: {action}{name}: Permission denied", 2 if command == "ls" else 1)
    return None


def _complain(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def _print(*lines: str) -> int:
    sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    return 0


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _unit_name(service: dict[str, Any]) -> str:
    name: str = service["name"]
    return name if name.endswith(".service") else f"{name}.service"


def systemctl(machine: dict[str, Any], arguments: list[str]) -> int:
    """`list-unit-files`, `list-units` and `show`."""
    if "services" in machine.get("denied", []):
        return _complain("Failed to list unit files: Access denied", 1)
    services = {_unit_name(service): service for service in machine.get("services", [])}
    if arguments[0] == "list-unit-files":
        states = {
            name: _UNIT_FILE_STATE.get(service.get("start_mode", "auto"), "static")
            for name, service in services.items()
        }
        names = sorted({*services, *_OTHER_UNITS})
        return _print(*(f"{name:<40} {states.get(name, 'enabled'):<15} enabled" for name in names))
    if arguments[0] == "list-units":
        return _print(*(f"{name:<40} loaded active running {name}" for name in services))
    wanted = arguments[arguments.index("--") + 1 :]
    blocks = (_shown(name, services.get(name)) for name in wanted)
    return _print("\n\n".join(blocks))


def _shown(name: str, service: dict[str, Any] | None) -> str:
    """The properties in the order in which systemd prints them, whatever the order of -p."""
    if service is None:
        return (
            "MainPID=0\nNRestarts=0\nExecMainStartTimestamp=\nExecMainStatus=0\n"
            f"{_exec_start('/usr/sbin/other -D', 0)}\n"
            f"Id={name}\nActiveState=active\nSubState=running\nUnitFileState=enabled\nUser=\nResult=success"
        )
    active, sub_state = _ACTIVE.get(service["state"], ("inactive", "dead"))
    running = service["state"] in {"running", "stopping"}
    pid = service.get("pid") or 0
    started = _moment(service["started_utc"]).strftime("%a %Y-%m-%d %H:%M:%S UTC") if service.get("started_utc") else ""
    command = service["command"]
    environment = " ".join(_quoted(f"{key}={value}") for key, value in service.get("environment", {}).items())
    lines = [
        f"MainPID={pid if running else 0}",
        f"NRestarts={service.get('restarts') or 0}",
        f"ExecMainStartTimestamp={started}",
        f"ExecMainStatus={service.get('exit_code') or 0}",
        _exec_start(command, pid),
    ]
    lines += [f"Environment={environment}"] if environment else []
    lines += [f"User={service['account']}"] if service.get("account") else []
    lines += [
        f"Id={name}",
        f"ActiveState={active}",
        f"SubState={service.get('sub_state') or sub_state}",
        f"UnitFileState={_UNIT_FILE_STATE.get(service.get('start_mode', 'auto'), 'static')}",
        f"Result={service.get('result') or 'success'}",
    ]
    return "\n".join(lines)


def _exec_start(command: str, pid: int) -> str:
    rest = f"ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid={pid} ; code=(null) ; status=0/0"
    return f"ExecStart={{ path={command.split(maxsplit=1)[0]} ; argv[]={command} ; {rest} }}"


def _quoted(word: str) -> str:
    if not set(word) & set(" \t\"'\\$`"):
        return word
    return '"' + "".join(f"\\{c}" if c in '"\\$`' else c for c in word) + '"'


def _process_name(machine: dict[str, Any], pid: int) -> str:
    return next((process["name"] for process in machine.get("processes", []) if process["pid"] == pid), "Tentacle")


def _listening(machine: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in machine.get("sockets", []) if entry["state"] == "listen"]


def _end(entry: dict[str, Any], *, remote: bool = False) -> str:
    address, port = (entry["remote_address"], entry["remote_port"]) if remote else (entry["address"], entry["port"])
    if ":" in address:
        address = "*" if address == "::" else f"[{address}]"
    return f"{address}:{port}"


def ss(machine: dict[str, Any], arguments: list[str]) -> int:
    """`ss -H -ltnp`, and with `-tn` without `l` the other sockets."""
    if "sockets" in machine.get("denied", []):
        return _complain("Cannot open netlink socket: Permission denied", 255)
    flags = "".join(argument[1:] for argument in arguments if argument.startswith("-"))
    lines = []
    for entry in machine.get("sockets", []):
        if (entry["state"] == "listen") != ("l" in flags):
            continue
        peer = _end(entry, remote=True) if "l" not in flags else "*:*" if "::" in entry["address"] else "0.0.0.0:*"
        state = _SOCKET_STATES[entry["state"]]
        lines.append(f"{state:<10} 0      128    {_end(entry):>18} {peer:>18} {_users(machine, entry)}")
    return _print(*lines)


def _users(machine: dict[str, Any], entry: dict[str, Any]) -> str:
    pid = entry.get("pid")
    return f'users:(("{_process_name(machine, pid)[:15]}",pid={pid},fd=273))' if pid else ""


def netstat(machine: dict[str, Any], _arguments: list[str]) -> int:
    """`netstat -ltnp`."""
    if "sockets" in machine.get("denied", []):
        return _complain("netstat: Permission denied", 1)
    lines = ["Active Internet connections (only servers)"]
    lines += ["Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name    "]
    for entry in _listening(machine):
        v6 = ":" in entry["address"]
        holder = f"{entry['pid']}/{_process_name(machine, entry['pid'])}" if entry.get("pid") else "-"
        local = f"{entry['address']}:{entry['port']}"
        kind, peer = ("tcp6", ":::*") if v6 else ("tcp", "0.0.0.0:*")
        lines.append(f"{kind:<6}     0      0 {local:<23} {peer:<23} LISTEN      {holder:<20}")
    return _print(*lines)


def ps(machine: dict[str, Any], arguments: list[str]) -> int:
    """`ps -ww -eo pid=,ppid=,user:32=,lstart=,args=`."""
    if "processes" in machine.get("denied", []):
        return _complain("error: can not access /proc", 1)
    if not any("lstart=" in argument for argument in arguments):
        return _complain("error: unsupported option", 1)
    lines = [f"{1:>7} {0:>7} {'root':<32} Mon Jan  5 06:00:00 2026 /sbin/init"]
    for process in machine.get("processes", []):
        started = _moment(process.get("started_utc") or "2026-01-05T06:00:00Z").strftime("%a %b %e %H:%M:%S %Y")
        command = process.get("command_line") or process["name"]
        user = process.get("user") or "root"
        lines.append(f"{process['pid']:>7} {process.get('parent_pid') or 0:>7} {user:<32} {started} {command}")
    return _print(*lines)


def getent(machine: dict[str, Any], arguments: list[str]) -> int:
    """`getent ahosts <name>`; exit code 2 for whatever did not give an address."""
    name = arguments[-1]
    found = (
        machine.get("addresses", []) if name == "localhost" else machine.get("names", {}).get(name, "name-not-found")
    )
    if found == "timed-out":
        time.sleep(30)
    if isinstance(found, str):
        return 2
    lines = []
    for address in found:
        lines += [f"{address:<15} STREAM {name}", f"{address:<15} DGRAM  ", f"{address:<15} RAW    "]
    return _print(*lines)


def nslookup(machine: dict[str, Any], arguments: list[str]) -> int:
    """What tells apart why getent found nothing."""
    name = arguments[-1]
    found = machine.get("names", {}).get(name, "name-not-found")
    head = ["Server:\t\t192.0.2.53", "Address:\t192.0.2.53#53", ""]
    if found == "resolver-failed":
        _print(*head, f"** server can't find {name}: SERVFAIL")
        return 1
    if found == "no-address":
        _print(*head, f"*** Can't find {name}: No answer")
        return 0
    if isinstance(found, str):
        _print(*head, f"** server can't find {name}: NXDOMAIN")
        return 1
    return _print(*head, *(line for address in found for line in (f"Name:\t{name}", f"Address: {address}")))


def hostname(machine: dict[str, Any], arguments: list[str]) -> int:
    """`hostname`, `hostname -f`, `hostname -I`."""
    if arguments == ["-I"]:
        return _print(" ".join(machine.get("addresses", [])) + " ")
    if arguments == ["-f"]:
        return _print(machine.get("fqdn") or machine["hostname"])
    return _print(machine["hostname"])


def uname(machine: dict[str, Any], arguments: list[str]) -> int:
    """`uname -n`, `uname -m`."""
    return _print(machine.get("architecture", "x86_64") if arguments == ["-m"] else machine["hostname"])


def ip(machine: dict[str, Any], _arguments: list[str]) -> int:
    r"""`ip -o addr`, whose one line per address holds a literal backslash."""
    if "addresses" in machine.get("denied", []):
        return _complain("Cannot open netlink socket: Permission denied", 1)
    lines = ["1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever"]
    for address in machine.get("addresses", []):
        family = "inet6" if ":" in address else "inet"
        lines.append(
            f"2: eth0    {family} {address}/24 scope global eth0\\       valid_lft forever preferred_lft forever"
        )
    return _print(*lines)
