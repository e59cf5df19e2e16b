"""A lab machine that runs Linux, as far as the survey script can tell: a PATH of stand-ins and recorded real tools.

Needs a POSIX system, as the lab does. All answers are rendered when the machine is prepared. `machine.json` may also
hold, each with a healthy default:

- `missing`: commands that this machine has not.
- `without`: `log`, for instances that never wrote one.
- `login`: `{"name": "root", "uid": 0}`, who the survey is.
- `groups`: `{"octopus": ["octopus", "adm"]}`, groups of accounts other than root.
- `access`: `{"/etc/octopus/default": ["owner", "group", "755"]}`; default: root, and the mode of the lab's own file.
- `package`: `{"manager": "dpkg|rpm", "version": "8.3.2941"}`; version null: not installed.
- `disks`: `[{"mount": "/", "size_bytes": 0, "free_bytes": 0}]`; `inodes` and `free_inodes` where it counts them.
- `firewall`: the tools it has and what they print: see `linux.surroundings.firewall_tools`. Default: nft, no rules.
- `openssl`: `{"version", "ciphers"}`, what the OpenSSL of this machine says of itself; its TLS is the real one's.
- `clock_seconds`: how far its clock is ahead.
- `loading`: `{"seconds": 0.5, "exit_code": 1, "says": "its trouble", "missing": true}` of the product's program.
- `selinux`: `{"mode": "enforcing", "process": label, "labels": {path: label}, "policy": {path: label}}`,
  the last of which files should have; default: none. Its records lie in `files/var/log/audit/audit.log`.
- `journal`: the lines that journalctl prints of the kernel; default: there is no journalctl.
- `systemd`: its version; default: 252.
- `systemd_environment`: variables that systemd gives to all units.
- a service's `working_folder`.
- a service's `environment_files`: paths; the files themselves, like every file below `/etc`, `/opt`, `/home`, `/var`
  and `/proc/sys`, lie in `files/`.
"""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

from . import answers, surroundings
from .files import UNITS, complete
from .shell import any_of, become, note, program

REAL_TOOLS = (
    "awk",
    "base64",
    "cat",
    "curl",
    "date",
    "grep",
    "gzip",
    "head",
    "ls",
    "od",
    "openssl",
    "readlink",
    "sed",
    "sleep",
    "tail",
    "timeout",
    "tr",
    "true",
)
"""The real tools that a survey script may call: none of them writes, as the script calls it."""

FILE_TOOLS = ("cat", "grep", "ls", "stat", "tail", "timeout")
"""What names files by their paths on the machine, and so finds them in `files/`."""

LOG = "commands.log"

_REFUSALS = {
    "cat": ("cat: $one: Permission denied", "exit 1"),
    "grep": ("grep: $one: Permission denied", "continue"),  # it reads the other files all the same
    "ls": ("ls: cannot open directory '$one': Permission denied", "exit 2"),
    "tail": ("tail: cannot open '$one' for reading: Permission denied", "exit 1"),
}


def prepare(folder: Path, *, record: bool = True) -> dict[str, str]:
    """Fill the machine's `bin/` and what its `files/` lack; the environment in which its commands are to run.

    With `record`, every command on the PATH notes its call in `<folder>/commands.log` (see `called`). Without it, the
    real tools are there as themselves: a survey calls some two hundred, and a lab has dozens of machines on few cores.
    """
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    missing = set(machine.get("missing", []))
    commands = folder / "bin"
    commands.mkdir(exist_ok=True)
    complete(folder, machine)
    bodies = _bodies(folder, machine)
    for name, body in bodies.items():
        if name not in missing:
            mapped = _mapped(folder, machine, name) if name in FILE_TOOLS else ""
            real = shutil.which(name)
            if not record and not mapped and real is not None and body == become(real):
                (commands / name).symlink_to(real)
                continue
            noted = note(str(folder / LOG), name) if record else ""
            (commands / name).write_text(program(noted, mapped, body), encoding="utf-8")
            (commands / name).chmod(0o755)
    (commands / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
    return {
        "PATH": str(commands),
        "HOME": str(folder),
        "TentacleMachineConfigurationHomeDirectory": str(folder / "files" / "etc" / "octopus"),
    }


def _bodies(folder: Path, machine: answers.Machine) -> dict[str, str]:
    """What each command does, once its call is noted."""
    rendered = (
        answers.getent, answers.hostname, answers.ip, answers.netstat, answers.nslookup, answers.ps, answers.ss,
        answers.uname, surroundings.df,
    )  # fmt: skip
    bodies = {function.__name__: function(machine) for function in rendered}
    bodies |= {"id": surroundings.id_(machine), "stat": surroundings.stat(machine, folder / "files")}
    bodies["systemctl"] = answers.systemctl(machine, folder / "files" / UNITS)
    bodies |= surroundings.firewall_tools(machine) | surroundings.security_tools(machine, folder / "files")
    if surroundings.package(machine)["manager"] == "rpm":
        bodies["rpm"] = surroundings.rpm(machine)
    else:
        bodies["dpkg-query"] = surroundings.dpkg_query(machine)
    for name in REAL_TOOLS:
        real = shutil.which(name)
        if real is not None:
            bodies[name] = become(real)
    bodies |= surroundings.openssl(machine) | surroundings.date(machine)
    return bodies


def _mapped(folder: Path, machine: answers.Machine, command: str) -> str:
    """Turns each argument that is a path on the machine into the file's real place, and refuses what is denied."""
    files = shlex.quote(str(folder / "files"))
    refusals = ""
    if command in _REFUSALS:
        text, then = _REFUSALS[command]
        denied = machine.get("denied", [])
        patterns = ["*/Instances*"] * ("instances" in denied) + ["*/Logs/*"] * ("logs" in denied)
        patterns += ["/proc/net/*"] * ("sockets" in denied)
        patterns += [any_of((path, f"{folder / 'files'}{path}")) for path in denied if path.startswith("/")]
        settings = ["*/Instances*) ;;", "*.config)"] if "configuration" in denied else []
        refuse = f"printf '%s\\n' \"{text}\" >&2; {then} ;;"
        rows = [f"{pattern}) {refuse}" for pattern in patterns]
        rows += [settings[0], f"{settings[1]} {refuse}"] if settings else []
        refusals = "\n".join(['case "$one" in', *rows, "esac"]) if rows else ""
    return f"""left=$#
while [ "$left" -gt 0 ]; do
one=$1; shift; left=$((left - 1))
{refusals}
case $one in
{shlex.quote(str(folder))}/*) ;;
/etc/octopus|/etc/octopus/*|/opt/octopus/*|/root/*|/Octopus/*) one={files}$one ;;
/proc/filesystems|/sys/fs/selinux/*|/sys/module/*|/var/log/audit/*) one={files}$one ;;
/proc/[0-9]*/status|/proc/[0-9]*/cmdline|/proc/[0-9]*/attr/current) one={files}$one ;;
/etc/*|/opt/*|/home/*|/var/*|/proc/sys/*) if [ -e {files}"$one" ]; then one={files}$one; fi ;;
esac
set -- "$@" "$one"
done"""


def called(folder: Path) -> list[tuple[str, list[str]]]:
    """Every call that a machine's commands noted so far: command and arguments (each cut to 300 characters)."""
    log = folder / LOG
    if not log.exists():
        return []
    records = log.read_text(encoding="utf-8", errors="replace").split("\x1e\x1f")
    calls = (record.rstrip("\x1f").split("\x1f") for record in records if record)
    return [(command, arguments) for command, *arguments in calls]
