"""Faults of the machine around the product: rights, load time, disks, clock, versions."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.lab import network
from pytest_tentacle.lab.blueprint import Blueprint

from .breaking import Site, behind, service_of

_LOCAL_ACCOUNT = ".\\svc-octopus"
_SID = "S-1-5-21-1111-2222-3333-1105"
"""Of the first account that is not Windows' own, on every Windows machine of the lab."""

_SYSTEM = {"sid": "S-1-5-18", "mask": 0x1F01FF}
_MODIFY = {"sid": _SID, "mask": 0x1301BF}
_HOME = "/etc/octopus/default"
_LITTLE = 200 * 1024 * 1024


def account_without_rights(machine: Blueprint, _: Site) -> None:
    """The service runs under an account of its own, which was given no rights on Octopus Home."""
    _own_account(machine)


def account_without_rights_below(machine: Blueprint, _: Site) -> None:
    """The account may work in Octopus Home, but not in one of its own folders; elsewhere it is denied."""
    _own_account(machine)
    if machine.is_windows:
        machine.files |= {"C:\\Octopus\\Work\\kept.txt": "", "C:\\Octopus\\Files\\kept.txt": ""}
        machine.surroundings["acl"] = {
            "C:\\Octopus": {"owner": "S-1-5-32-544", "entries": [_SYSTEM, _MODIFY]},
            "C:\\Octopus\\Files": {"owner": "S-1-5-32-544", "protected": True, "entries": [_SYSTEM]},
            "C:\\Octopus\\Work": {
                "owner": "S-1-5-32-544",
                "entries": [{**_MODIFY, "mask": 0x10000, "deny": True}, _SYSTEM, _MODIFY],
            },
        }
    else:
        own, roots = ["octopus", "octopus", "755"], ["root", "root", "755"]
        machine.surroundings["access"] = {
            _HOME: own,
            f"{_HOME}/tentacle-Tentacle.config": ["octopus", "octopus", "644"],
            f"{_HOME}/Logs": own,
            f"{_HOME}/Work": roots,
        }


def slow_loading(machine: Blueprint, _: Site) -> None:
    """Whatever the program waits for, it does so each time."""
    machine.surroundings["loading"] = {"seconds": 1.3}


def unreachable_revocation_list(machine: Blueprint, _: Site) -> None:
    """A network of its own behind what drops: the first load waits for the publisher's revocation list in vain."""
    behind(machine, lambda outer, port, _inner: network.BlackHole(outer, port))
    machine.surroundings |= {
        "loading": {"first_seconds": 5.6},
        "crl": [f"http://{machine.outer}:{machine.port}/publisher.crl"],
    }


def failing_program(machine: Blueprint, _: Site) -> None:
    """Parts of the program cannot be loaded (exit code 43, tentacle-facts 2.4)."""
    machine.surroundings["loading"] = {"exit_code": 43}


def full_disk(machine: Blueprint, _: Site) -> None:
    """200 MiB are left."""
    size: dict[str, Any] = {"free_bytes": _LITTLE, "size_bytes": 136_365_211_648}
    machine.surroundings["disks"] = [{"path": "C:\\", **size} if machine.is_windows else {"mount": "/", **size}]


def clock_ahead(machine: Blueprint, _: Site) -> None:
    """The machine's clock is three days ahead of everybody else's."""
    machine.surroundings["clock_seconds"] = 3 * 86_400


def old_version(machine: Blueprint, _: Site) -> None:
    """A version with a known defect: of Windows' early ones, or of those that found their port in use."""
    if machine.is_windows:
        machine.surroundings["versions"] = {machine.executable: "3.2.24"}
    else:
        machine.surroundings["package"] = {"version": "8.0.214"}


def _own_account(machine: Blueprint) -> None:
    service_of(machine)["account"] = _LOCAL_ACCOUNT if machine.is_windows else "octopus"
    if not machine.is_windows:
        machine.surroundings["groups"] = {"octopus": ["octopus"]}


FAULTS = (
    account_without_rights, account_without_rights_below, slow_loading, unreachable_revocation_list,
    failing_program, full_disk, clock_ahead,
    old_version,
)  # fmt: skip
