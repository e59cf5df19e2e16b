"""More commands of a lab's Linux machine: packages, disks, firewalls, accounts, rights.

dpkg-query as of dpkg 1.21, rpm 4.18, df and stat of coreutils 9.1, nft 1.0.6, iptables-save 1.8.9, firewalld 1.3 and
ufw 0.36.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path
from typing import Any

from .shell import any_of, become, choose, each, lines, say, tell, unsupported

Machine = dict[str, Any]

_DISK = {"mount": "/", "size_bytes": 52_576_092_160, "free_bytes": 31_101_255_680}
_PACKAGE = {"manager": "dpkg", "version": "8.3.2941"}
_LOGIN = {"name": "root", "uid": 0}
OWNERSHIP = "%U %G %a %n"
"""The format by which a survey asks stat for owner, group, mode and name."""
_BLOCK = 1024
_LABELS = {"/opt/octopus/tentacle/Tentacle": "system_u:object_r:usr_t:s0"}
_UNLABELLED = "unconfined_u:object_r:etc_t:s0"
LABELS = "%C %n"
"""The format by which a survey asks stat for SELinux's label and the name."""


def _denied(machine: Machine, what: str) -> bool:
    return what in machine.get("denied", [])


def package(machine: Machine) -> dict[str, Any]:
    """The package manager and Tentacle's version in it (None: not installed)."""
    return {**_PACKAGE, **machine.get("package", {})}


def dpkg_query(machine: Machine) -> str:
    """`dpkg-query -W -f <format> tentacle`."""
    version = package(machine)["version"]
    if version is None:
        return say("", 1, error="dpkg-query: no packages found matching tentacle")
    return choose("$1", {"-W": say(lines(f"installed {version}"))}, unsupported("dpkg-query"))


def rpm(machine: Machine) -> str:
    """`rpm -q --qf <format> tentacle`."""
    version = package(machine)["version"]
    if version is None:
        return say(lines("package tentacle is not installed"), 1)
    return choose("$1", {"-q": say(lines(f"installed {version}"))}, unsupported("rpm"))


def df(machine: Machine) -> str:
    """`df -Pk <path>...` and `df -Pi <path>...`: for each path the row of the deepest mount point above it."""
    if _denied(machine, "disks"):
        return say("", 1, error="df: cannot read table of mounted file systems: Permission denied")
    disks = sorted(machine.get("disks", [_DISK]), key=lambda one: -len(one["mount"]))
    sizes = [(one["size_bytes"] // _BLOCK, one["free_bytes"] // _BLOCK, one["mount"]) for one in disks]
    inodes = [(one.get("inodes", 0), one.get("free_inodes", 0), one["mount"]) for one in disks]
    cases = {
        "-Pk": _rows("1024-blocks      Used Available Capacity Mounted on", sizes),
        "-Pi": _rows("     Inodes     IUsed     IFree    IUse% Mounted on", inodes),
    }
    return choose("$1", cases, unsupported("df"))


def _rows(title: str, rows: list[tuple[int, int, str]]) -> str:
    """A table of what there is and what of it is free, by mount point; the row of each path that is asked for."""
    lines_of = []
    for size, free, mount in rows:
        used = f"{100 * (size - free) // size}%" if size else "-"
        row = f"/dev/vda1 {size:>15} {size - free:>9} {free:>9} {used:>8} {mount}"
        below = shlex.quote(mount.rstrip("/") + "/") + "*"
        lines_of.append(f"{shlex.quote(mount)}|{below}) {tell(lines(row))} ;;")
    head = f"printf '%s\\n' 'Filesystem     {title}'"
    return "\n".join(["shift", head, 'for path do case "$path" in', *lines_of, "esac; done"])


def openssl(machine: Machine) -> dict[str, str]:
    """`openssl version` and `openssl ciphers` of a machine that `openssl` describes; the rest is the real one's."""
    own, real = machine.get("openssl", {}), shutil.which("openssl")
    if not own or real is None:
        return {}
    cases = {}
    if "version" in own:
        cases["version"] = say(lines(own["version"]))
    if "ciphers" in own:
        cases["ciphers"] = say(lines(*(f"{name:<30} - {name:<30} TLSv1.2" for name in own["ciphers"])))
    return {"openssl": choose("$1", cases, become(real))}


def date(machine: Machine) -> dict[str, str]:
    """The real date on a machine whose clock is ahead by `clock_seconds`."""
    seconds, real = machine.get("clock_seconds"), shutil.which("date")
    return {"date": become(real, "-d", f"{seconds} seconds")} if seconds and real is not None else {}


def firewall_tools(machine: Machine) -> dict[str, str]:
    """The firewall commands that this machine has, by what `firewall` holds of it: their scripts' bodies.

    `nft`, `iptables` and `firewalld` are the texts that `nft list ruleset`, `iptables-save -c` and `firewall-cmd
    --list-all-zones` print; `firewalld: null` is one that does not run. `tc` are its texts by its arguments.
    """
    rules = machine.get("firewall", {"nft": ""})
    denied = _denied(machine, "firewall")
    bodies = {}
    if "nft" in rules:
        refused = say(
            "", 1, error="Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed"
        )
        bodies["nft"] = refused if denied else choose("$*", {"list ruleset": say(rules["nft"])}, unsupported("nft"))
    if "iptables" in rules:
        refused = say(
            "", 4, error="iptables-save: Could not fetch rule set generation id: Permission denied (you must be root)"
        )
        answer = choose("$*", {"-c": say(rules["iptables"])}, unsupported("iptables-save"))
        bodies["iptables-save"] = refused if denied else answer
    if "firewalld" in rules:
        bodies["firewall-cmd"] = _firewalld(rules["firewalld"], denied=denied)
    if "tc" in rules:
        bodies["tc"] = choose("$*", {asked: say(told) for asked, told in rules["tc"].items()}, unsupported("tc"))
    return bodies


def _firewalld(zones: str | None, *, denied: bool) -> str:
    if zones is None:
        return say("", 252, error="not running")
    refused = say(
        "",
        253,
        error="Authorization failed.\n    Make sure polkit agent is running or run the application as superuser.",
    )
    cases = {"--state": say(lines("running")), "--list-all-zones": refused if denied else say(zones)}
    return choose("$*", cases, unsupported("firewall-cmd"))


def security_tools(machine: Machine, files: Path) -> dict[str, str]:
    """`matchpathcon -V <path>...` of libselinux 3.5, and `journalctl` of the kernel's records, as it may be seen."""
    selinux, journal = machine.get("selinux"), machine.get("journal")
    bodies = {}
    if selinux is not None:
        own = {**_LABELS, **selinux.get("labels", {})}
        rows = []
        for path, expected in selinux.get("policy", {}).items():
            found = own.get(path, _UNLABELLED)
            words = f"{path} has context {found}, should be {expected}"
            rows.append((any_of((path, f"{files}{path}")), f"{tell(lines(words))}; code=1"))
        verified = "printf '%s verified.\\n' \"$one\""
        bodies["matchpathcon"] = "\n".join(["shift; code=0", each(rows, verified), "exit $code"])
    if journal is not None:
        bodies["journalctl"] = say(lines(*journal)) if journal else say("")
    return bodies


def user_numbers(machine: Machine) -> dict[str, int]:
    """The machine's users: root, those of its services and processes, and whoever is in `groups`."""
    entries = [*machine.get("services", []), *machine.get("processes", [])]
    named = [*(entry.get("account") or entry.get("user") for entry in entries), *machine.get("groups", {})]
    names = dict.fromkeys(
        name for name in named if name and not name.isdecimal() and name not in {"root", "nobody-knows"}
    )
    return {"root": 0} | {name: 990 + place for place, name in enumerate(names)}


def id_(machine: Machine) -> str:
    """`id`, `id -u`, `id -un` of the login; of others `id -Gn <account>`, `id -u <account>` and `id -un <number>`."""
    login = {**_LOGIN, **machine.get("login", {})}
    groups = {"root": ["root"], **machine.get("groups", {})}
    cases = {"-un": say(lines(login["name"])), "-u": say(lines(str(login["uid"])))}
    cases[""] = say(lines(f"uid={login['uid']}({login['name']}) gid=0(root) groups=0(root)"))
    cases |= {f"-Gn {name}": say(lines(" ".join(names))) for name, names in groups.items()}
    for name, number in user_numbers(machine).items():
        cases |= {f"-u {name}": say(lines(str(number))), f"-un {number}": say(lines(name))}
    return choose("$*", cases, "printf 'id: %s: no such user\\n' \"$2\" >&2; exit 1")


def stat(machine: Machine, files: Path) -> str:
    """The real stat; who owns what, and its mode where `access` says so, as the machine has it and not the lab."""
    real = shutil.which("stat") or "/usr/bin/stat"
    if _denied(machine, "permissions"):
        refusal = 'for one do :; done; printf "stat: cannot statx \'%s\': Permission denied\\n" "$one" >&2; exit 1'
        return f"{choose('$3', {OWNERSHIP: refusal}, become(real))}"
    rows = []
    for path, (owner, group, mode) in machine.get("access", {}).items():
        said = shlex.quote(f"{owner} {group} {mode}")
        rows.append(f"{any_of((path, f'{files}{path}'))}) printf '%s %s\\n' {said} \"$one\" ;;")
    told = f"{shlex.quote(real)} -L -c 'root root %a %n' \"$one\" || code=1"
    labels = {**_LABELS, **machine.get("selinux", {}).get("labels", {})}
    names = [(any_of((path, f"{files}{path}")), tell(lines(f"{label} {path}"))) for path, label in labels.items()]
    other = f"printf '%s %s\\n' {_UNLABELLED} \"${{one#{shlex.quote(str(files))}}}\""
    labelled = "shift 4; " + each(names, other)
    loop = "\n".join(["shift 3; code=0; for one do case $one in", *rows, f"*) {told} ;;", "esac; done; exit $code"])
    owned = loop if rows else f"shift 3; {become(real, '-L', '-c', 'root root %a %n')}"
    return choose("$3", {OWNERSHIP: owned, LABELS: labelled}, become(real))
