"""Ansible's hosts and their variables, as entries of an inventory.

Hosts of the group `octopus_servers` (or `octopus_server`) are server nodes. Where there is a group `tentacles`
(`octopus_tentacles`), its hosts are the Tentacles; else all other hosts are. Variables of WinRM, PSRP and SSH say how
to log on; `tentacle_mode`, `tentacle_port`, `tentacle_instance`, `tentacle_thumbprint` and `octopus_server` say what
Ansible itself has no word for. Groups keep their names for `--limit`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_tentacle.inventory.faults import Faults, Place
from pytest_tentacle.octopus.addresses import is_address

_SERVERS = ("octopus_servers", "octopus_server")
_TENTACLES = ("tentacles", "octopus_tentacles")
_EVERYBODY = frozenset({"all", "ungrouped"})
_WINRM_HTTP = 5985
_AUTH = {
    "ntlm": "ntlm",
    "negotiate": "ntlm",
    "kerberos": "kerberos",
    "credssp": "credssp",
    "certificate": "certificate",
    "basic": "basic",
    "plaintext": "basic",
    "ssl": "basic",
}
"""Ansible's words for `auth`."""

_OURS = {
    "tentacle_mode": "mode",
    "tentacle_port": "port",
    "tentacle_instance": "instance",
    "tentacle_thumbprint": "thumbprint",
    "octopus_server": "server",
}


def entries_of_ansible(document: Mapping[str, Any], place: Place, faults: Faults) -> dict[str, Any]:
    """The inventory as a file of ours would hold it. Empty where there is no host, which is noted."""
    meta = document.get("_meta")
    variables = meta.get("hostvars", {}) if isinstance(meta, dict) else {}
    groups = _groups(document)
    hosts = dict.fromkeys(host for members in groups.values() for host in members)
    if not hosts:
        faults.add(place, "Ansible lists no host")
        return {}
    servers = {host for group in _SERVERS for host in groups.get(group, ())}
    named = {host for group in _TENTACLES for host in groups.get(group, ())}
    tentacles = [host for host in hosts if host not in servers and (not named or host in named)]
    shown = [group for group in groups if group not in _EVERYBODY]

    def entry(host: str) -> dict[str, Any]:
        own = variables.get(host)
        return _entry(host, own if isinstance(own, dict) else {}, [group for group in shown if host in groups[group]])

    found = {
        "groups": dict.fromkeys(shown),
        "servers": [_of_server(entry(host)) for host in hosts if host in servers],
        "tentacles": [entry(host) for host in tentacles],
    }
    return {key: value for key, value in found.items() if value}


def _groups(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """By group, its hosts and those of its children."""

    def members(group: str, seen: frozenset[str]) -> Iterator[str]:
        value = document.get(group)
        if not isinstance(value, dict) or group in seen:
            return
        yield from (str(host) for host in value.get("hosts") or ())
        for child in value.get("children") or ():
            yield from members(str(child), seen | {group})

    return {group: list(dict.fromkeys(members(group, frozenset()))) for group in document if group != "_meta"}


def _of_server(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in {"mode", "port", "server"}}


def _entry(host: str, variables: Mapping[str, Any], groups: list[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": host, "groups": groups}
    entry |= {ours: str(variables[theirs]) for theirs, ours in _OURS.items() if variables.get(theirs) is not None}
    address = variables.get("ansible_host")
    if is_address(str(address or host)):
        entry["ip"] = str(address or host)
    else:
        entry["dns_name"] = str(address or host)
    entry["transport"] = _transport(variables)
    return entry


def _transport(variables: Mapping[str, Any]) -> dict[str, Any]:
    def first(*names: str) -> Any:
        return next((variables[name] for name in names if variables.get(name) is not None), None)

    connection = str(first("ansible_connection") or "ssh")
    port = first("ansible_port")
    if connection in {"winrm", "psrp"}:
        found = {
            "kind": "winrm",
            "user": first(f"ansible_{connection}_user", "ansible_user"),
            "password": first(
                f"ansible_{connection}_password", "ansible_winrm_pass", "ansible_password"
            ),
            "port": first(f"ansible_{connection}_port", "ansible_port"),
            "scheme": first("ansible_winrm_scheme", "ansible_psrp_protocol"),
            "auth": _AUTH.get(str(first("ansible_winrm_transport", "ansible_psrp_auth") or "").split(",")[0].lower()),
            "verify": _verify(first("ansible_winrm_server_cert_validation", "ansible_psrp_cert_validation")),
            "ca": first("ansible_winrm_ca_trust_path"),
            "certificate": first("ansible_winrm_cert_pem", "ansible_psrp_certificate_pem"),
            "certificate_key": first("ansible_winrm_cert_key_pem", "ansible_psrp_certificate_key_pem"),
        }  # fmt: skip
        if found["scheme"] is None and str(found["port"]) == str(_WINRM_HTTP):
            found["scheme"] = "http"
    elif connection == "local":
        found = {"kind": "local"}
    else:
        found = {
            "kind": "ssh",
            "user": first("ansible_ssh_user", "ansible_user"),
            "password": first("ansible_ssh_password", "ansible_ssh_pass", "ansible_password"),
            "port": first("ansible_ssh_port") or port,
            "key": first("ansible_ssh_private_key_file", "ansible_private_key_file"),
        }
    return {key: str(value) for key, value in found.items() if value is not None}


def _verify(word: Any) -> str | None:
    return None if word is None else "insecure" if str(word).lower() in {"ignore", "false"} else "verify"
