r"""A lab machine that runs Windows, as far as a reading script can tell: a prelude for the PowerShell engine.

The prelude defines functions of the names of Windows' own cmdlets, answers from `machine.json`, maps `files/C` as drive
C:, and notes every call in `commands.log` beside it. Besides the keys that every lab machine has, `machine.json` may
hold the following; without a key the machine is a healthy one.

- `registry`: key (`HKLM:\...`, `Registry::HKEY_USERS\<SID>\...`) to values, or to null for a key that is not there.
  A number is a DWORD, a list several texts, `{"hex": "46000000..."}` bytes, `{"expand": "%TEMP%\x"}` an expandable
  text. Such a key replaces the lab's own of this name: firewall profiles and `...\FirewallPolicy\FirewallRules`,
  proxies, WinTrust's State, Schannel.
- `environment`: the machine's variables.
- `acl`: path to `{"owner", "protected", "entries": [{"sid", "mask", "deny", "inherited", "inherit_only"}]}`, or to a
  text for a path whose list is refused. What lies below inherits.
- `private_keys`: `[{"thumbprint", ...}]`, in their accounts' stores and as files: see keys.py.
- `accounts`: `DOMAIN\user` to SID, or to "" for one that nobody knows; `groups`: a local group's SID to its members'.
- `orphaned`: groups with a member that nobody knows any more, which loses all of them to the cmdlet; `denied` may hold
  `directory`, which gives them all the same.
- `disks`: `[{"path": "C:\", "free_bytes", "size_bytes"}]`, mount points included.
- `versions`: a program's path to its version.
- `networks`: categories of the connected networks, each `domain`, `private` or `public`.
- `firewall_ports`: ports that a rule of the products' set-up lets in, by default those that it listens on;
  `firewall_rules`: further rules, from name to text.
- `firewall_service`: state of the firewall's service, such as `stopped`.
- `tls`: `{"cipher_suites", "curves", "cmdlets": false}`; the last for a Windows older than Server 2016.
- `tasks`: `[{"name", "state": "ready|running|disabled|queued", "last_result"}]`.
- `events`: `[{"provider", "id", "time_utc", "data": {name: text}, "service", "in_user_data"}]` of the System log.
- `loading`: `{"seconds", "exit_code"}` of the products' programs when they are asked for help; `first_seconds` are
  those of the first time.
- `excluded_ports`: `[[first, last], [first, last, "*"]]`, ranges that Windows excludes; one with an
  asterisk was set by an administrator.
- `http_sys`: URL prefixes that http.sys serves, instead of WinRM's.
- `bindings`, `url_acl`, `named_keys`: certificates that http.sys presents, and for whom prefixes are reserved: see
  registry.py.
- `netsh_seconds`: how long netsh takes.
- `network_names`: names that are not in `names` are asked for in the network in which the engine runs; `dns_silent`:
  the number that is told where no DNS server answers there, 11001 or 11002: which one a Windows tells is not certain.
- `roles`: `domain-controller`, `core` or `workgroup`; `build`: Windows' build, such as `"9600"` for Server 2012 R2.
- `absent`: cmdlets that are not there; `domain_seconds`: how long a domain controller takes to say who an account is.
- `hanging`, `half`, `stopped`, `damaged`: what gives no answer, some rows before it breaks off, an error as while its
  service is stopped, or one as of a damaged repository: a class, a cmdlet, or a word of `denied`.
- `crl`, `ocsp`: addresses of revocation lists and responders that the certificate of the programs' publisher names;
  without either the programs are not signed.

States of sockets are `listen`, `syn-sent`, `established`, `fin-wait`, `close-wait`, `time-wait` and `bound`.

`denied` may name `cim` (all of WMI), `services`, `processes`, `host`, `addresses`, `sockets`, `netstat` (it prints
nothing), `connections` (.NET's table of them), `registry`, `firewall`, `proxies`, `tls`, `hives` (keys of these),
`instances` (their index), `configuration` (the content of files), `logs` (of those in a folder of this name),
`elevation` (the survey's account is no administrator), `domain` (nobody says who an account is), `folders` (whether
they are there may not be seen), `disks`, `volumes` (only Win32_Volume), `accounts`, `groups`,
`acl`, `networks`, `tasks`, `events`, `keys` (folders of private keys may not be listed) and `netsh` (it fails).

The programs that services run are real files on drive C:, which the script starts: `prepare` puts a small script of the
shell instead of each that is missing.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from . import accounts, keys, registry
from .programs import put_netsh, put_signer

PRELUDE = Path(__file__).with_name("prelude.ps1")

_PROGRAM = re.compile(r'^\s*"?C:\\([^"]+?\.exe)\b', re.IGNORECASE)


def prepare(folder: Path) -> tuple[Path, dict[str, str]]:
    """The prelude to dot-source in front of a command, and the environment that it and the command need.

    The environment is to be added to the engine's own; it holds Windows' variables and where the machine's folder is.
    """
    description = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    drive = folder / "files" / "C"
    drive.mkdir(parents=True, exist_ok=True)
    for service in description.get("services") or []:
        _put_program(drive, str(service.get("command") or ""), description.get("loading") or {})
    put_netsh(folder, drive, description)
    _put_tables(folder, description)
    put_signer(folder, description)
    environment = {
        "TENTACLE_LAB_MACHINE": str(folder / "machine.json"),
        "COMPUTERNAME": description["hostname"].upper()[:15],
        "USERNAME": "surveyor",
        "ProgramData": "C:\\ProgramData",
        "SystemRoot": "C:\\Windows",
        "PROCESSOR_ARCHITECTURE": "AMD64",
    }
    return PRELUDE, environment | description.get("environment", {})


def _put_tables(folder: Path, description: dict[str, Any]) -> None:
    """What the prelude reads of a machine besides machine.json, a line for each name."""
    tables = {
        "registry": registry.lines_of(registry.keys_of(description) | keys.stored(description)),
        "key-files": [f"{path}\t{json.dumps(access)}" for path, access in keys.files(description).items()],
        "accounts": [
            f"{name}\t{sid}" for name, sid in (accounts.table(description) | accounts.virtual(description)).items()
        ],
    }
    for name, lines in tables.items():
        (folder / f"{name}.tsv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def _put_program(drive: Path, command: str, loading: dict[str, Any]) -> None:
    found = _PROGRAM.match(command)
    if not found:
        return
    program = drive.joinpath(*found[1].split("\\"))
    if program.exists():
        return
    program.parent.mkdir(parents=True, exist_ok=True)
    # `exec`: whoever ends the program ends the waiting, too.
    wait = f"exec sleep {float(loading['seconds'])}\n" if loading.get("seconds") else ""
    if loading.get("first_seconds"):
        first = f"exec sleep {float(loading['first_seconds'])}"
        wait = f'if [ ! -e "$0.loaded" ]; then : >"$0.loaded"; {first}; fi\n{wait}'
    text = f"#!/bin/sh\necho 'Usage: Tentacle <command> [<options>]'\n{wait}exit {int(loading.get('exit_code', 0))}\n"
    program.write_text(text, encoding="ascii", newline="\n")
    program.chmod(0o755)
