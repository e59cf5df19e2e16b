r"""The registry of a Windows lab machine, for registry.ps1: keys that every Windows has, and what machine.json says.

A value is as in machine.json's `registry`: a number, a text, a list of texts, `{"hex": "..."}`, `{"expand": "..."}`,
and here `{"account": "..."}` besides, which is shown in the machine's language. All of it is put together here and not
by the engine, which was as busy with it as with a section of the survey.
"""

from __future__ import annotations

import json
import struct
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from . import accounts

Values = dict[str, Any]
Keys = dict[str, Values]

WINDOWS = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
MACHINE_GUID = "6f1d3b8c-0a55-4c6e-9c60-1f6e0f4a7d21"
_SERVICES = r"HKLM:\SYSTEM\CurrentControlSet\Services"
_CONTROL = r"HKLM:\SYSTEM\CurrentControlSet\Control"
_CERTIFICATES = r"HKLM:\SOFTWARE\Microsoft\SystemCertificates"
_SETTINGS = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
_PUBLISHING = r"Software\Microsoft\Windows\CurrentVersion\WinTrust\Trust Providers\Software Publishing"
_FIREWALL = rf"{_SERVICES}\SharedAccess\Parameters\FirewallPolicy"
_WEB = rf"{_SERVICES}\HTTP\Parameters"
_OLD_BUILD = "9600"
_STARTS = {"auto": 2, "manual": 3, "disabled": 4}
_PROFILES = {
    "S-1-5-18": r"C:\Windows\system32\config\systemprofile",
    "S-1-5-19": r"C:\Windows\ServiceProfiles\LocalService",
    "S-1-5-20": r"C:\Windows\ServiceProfiles\NetworkService",
}
_UNTOUCHED = bytes([0x46, 0, 0, 0, 2, 0, 0, 0, 1, *[0] * 47])
"""DefaultConnectionSettings where nobody set a proxy."""
_NO_PROXY = bytes([0x18, 0, 0, 0, 0, 0, 0, 0, 1, *[0] * 11])
"""WinHttpSettings where nobody set one."""
_USUAL_RULES = {
    "DeliveryOptimization-TCP-In": (
        r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=7680|App=%SystemRoot%\system32\svchost.exe|Svc=dosvc|"
        r"Name=@%systemroot%\system32\dosvc.dll,-102|"
    ),
    "WINRM-HTTP-In-TCP": (
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=5985|App=System|"
        "Name=@FirewallAPI.dll,-30253|"
    ),
}


def keys_of(description: dict[str, Any]) -> Keys:
    """All keys with their values; a key above another one is there, and has none."""
    keys = (
        _system(description)
        | _services(description)
        | _cluster(description)
        | _proxies(description)
        | _firewall(description)
        | _web_server(description)
    )
    for key, values in (description.get("registry") or {}).items():
        same = next((each for each in keys if each.lower() == key.lower()), key)
        if values is None:
            keys.pop(same, None)
        else:
            keys[same] = values
    return keys


def profile_of(description: dict[str, Any], sid: str) -> str:
    """The folder of an account's profile; "" where it has none."""
    return _profiles(description).get(sid, "")


def lines_of(keys: Keys) -> list[str]:
    """One for each key, those above them included: its path, a tab, and JSON of its values and the names below it."""
    known: dict[str, tuple[str, Values, dict[str, str]]] = {}
    for path, values in keys.items():
        known.setdefault(path.lower(), (path, {}, {}))[1].update(values)
        above, _, name = path.rpartition("\\")
        while above:
            known.setdefault(above.lower(), (above, {}, {}))[2].setdefault(name.lower(), name)
            above, _, name = above.rpartition("\\")
    return [
        f"{path}\t{json.dumps({'values': values, 'keys': sorted(below.values(), key=str.lower)})}"
        for path, values, below in known.values()
    ]


def hexadecimal(data: bytes) -> dict[str, str]:
    """A value of bytes."""
    return {"hex": data.hex()}


def _system(description: dict[str, Any]) -> Keys:
    roles = description.get("roles") or []
    build = str(description.get("build") or "17763")
    windows = {
        "ProductName": "Windows Server 2019 Standard", "CurrentBuild": build, "CurrentVersion": "6.3", "UBR": 720,
        "InstallationType": "Server Core" if "core" in roles else "Server",
    }  # fmt: skip
    if build != _OLD_BUILD:
        windows |= {"CurrentMajorVersionNumber": 10, "CurrentMinorVersionNumber": 0}
    synced = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)
    return {
        rf"{_SERVICES}\Tcpip\Parameters": {"Hostname": str(description["hostname"]), "Domain": "lab.example"},
        r"HKLM:\SOFTWARE\Microsoft\NET Framework Setup\NDP\v4\Full": {"Release": 528049, "Version": "4.8.03761"},
        WINDOWS: windows,
        r"HKLM:\SOFTWARE\Microsoft\Cryptography": {"MachineGuid": MACHINE_GUID},
        rf"{_CONTROL}\ProductOptions": {"ProductType": "LanmanNT" if "domain-controller" in roles else "ServerNT"},
        rf"{_CERTIFICATES}\AuthRoot\AutoUpdate": {
            "LastSyncTime": hexadecimal(struct.pack("<q", _file_time(synced))), "EncodedCtl": hexadecimal(b"\1\2"),
        },
        rf"{_CONTROL}\Session Manager\Environment": {"OS": "Windows_NT"},
        rf"{_CONTROL}\Lsa\FipsAlgorithmPolicy": {"Enabled": 0},
    }  # fmt: skip


def _file_time(moment: datetime) -> int:
    """In units of 100 ns since 1601 (MS-DTYP 2.3.3)."""
    return (moment - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 10


def _services(description: dict[str, Any]) -> Keys:
    keys = {}
    for service in accounts.services_of(description):
        values: Values = {
            "ImagePath": str(service.get("command") or ""),
            "Start": _STARTS.get(str(service.get("start_mode")), 0),
            "ObjectName": {"account": str(service.get("account") or "")},
        }
        if service.get("deleted"):
            values["DeleteFlag"] = 1
        if service.get("environment"):
            values["Environment"] = [f"{name}={value}" for name, value in service["environment"].items()]
        keys[rf"{_SERVICES}\{service['name']}"] = values
    return keys


def _cluster(description: dict[str, Any]) -> Keys:
    """The cluster's hive, on a node whose cluster service runs (8d)."""
    keys: Keys = {}
    for number, resource in enumerate(filter(None, description.get("cluster") or []), 1):
        key = rf"HKLM:\Cluster\Resources\{number:08}-9a3e-4f0b-8a51-0d6c1e5f2b77"
        service = resource.get("service")
        kind = "Generic Service" if service else "IP Address"
        keys[key] = {"Name": str(resource.get("name") or ""), "Type": kind, "PersistentState": 1}
        own = {"ServiceName": str(service), "StartupParameters": ""} if service else {"Address": "192.0.2.77"}
        keys[rf"{key}\Parameters"] = own
    return keys


def _profiles(description: dict[str, Any]) -> dict[str, str]:
    profiles = dict(_PROFILES)
    profiles |= {sid: "C:\\Users\\" + _last(name) for name, sid in accounts.table(description).items() if sid}
    return profiles | {sid: "C:\\Users\\" + _last(name) for name, sid in accounts.run_as_virtual(description).items()}


def _last(account: str) -> str:
    return account.rpartition("\\")[2]


def _proxies(description: dict[str, Any]) -> Keys:
    """Hives of Windows' own accounts are always loaded, those of others while a service runs under them (7)."""
    keys: Keys = {}
    profiles = _profiles(description)
    for sid, folder in profiles.items():
        keys[rf"{WINDOWS}\ProfileList\{sid}"] = {"ProfileImagePath": {"expand": folder}, "Flags": 0}
        hive = rf"Registry::HKEY_USERS\{sid}"
        keys[rf"{hive}\Environment"] = {"TEMP": {"expand": r"%USERPROFILE%\AppData\Local\Temp"}}
        keys[rf"{hive}\{_SETTINGS}"] = {"ProxyEnable": 0}
        keys[rf"{hive}\{_SETTINGS}\Connections"] = {"DefaultConnectionSettings": hexadecimal(_UNTOUCHED)}
        keys[rf"{hive}\{_PUBLISHING}"] = {"State": 0x23C00}
    keys[rf"HKLM:\{_SETTINGS}\Connections"] = {"WinHttpSettings": hexadecimal(_NO_PROXY)}
    return keys


def _web_server(description: dict[str, Any]) -> Keys:
    """What is set up at http.sys (8f).

    Reservations are values by URL, bindings keys by address and port; those of a host's name are keys of any name with
    the host in a value, or, as `named_keys` has it, keys by host and port. machine.json's `bindings` are
    `{"endpoint", "thumbprint", "store", "without_key", "lost"}`, its `url_acl` URL to SID.
    """
    reserved = {"http://+:80/Temporary_Listen_Addresses/": "S-1-1-0", "http://+:5985/wsman/": "S-1-5-20"}
    reserved |= description.get("url_acl") or {}
    keys: Keys = {rf"{_WEB}\UrlAclInfo": {url: hexadecimal(_descriptor(str(sid))) for url, sid in reserved.items()}}
    for binding in filter(None, description.get("bindings") or []):
        digest = bytes.fromhex(binding["thumbprint"])
        own: Values = {"SslCertHash": hexadecimal(digest), "AppId": hexadecimal(bytes(range(1, 17))), "DefaultFlags": 0}
        if binding.get("store"):
            own["SslCertStoreName"] = str(binding["store"])
        endpoint = str(binding["endpoint"])
        if endpoint.startswith("[") or endpoint.rpartition(":")[0].replace(".", "").isdigit():
            key = rf"SslBindingInfo\{endpoint}"
        elif description.get("named_keys"):
            key = rf"SslSniBindingInfo\{endpoint}"
        else:
            key = rf"SslSniBindingInfo\{{{uuid.uuid4()}}}"
            own["HostnamePort"] = endpoint
        keys[rf"{_WEB}\{key}"] = own
        if not binding.get("lost"):
            pieces = [(3, digest)] if binding.get("without_key") else [(3, digest), (2, b"\1\2\3\4")]
            where = rf"{_CERTIFICATES}\{binding.get('store') or 'MY'}\Certificates\{binding['thumbprint'].upper()}"
            keys[where] = {"Blob": hexadecimal(serialized(pieces))}
    return keys


def serialized(properties: list[tuple[int, bytes]]) -> bytes:
    """Properties of a certificate as a store keeps them: number, 1, length and data of each (MS-GPEF 2.2.3)."""
    return b"".join(struct.pack("<iii", number, 1, len(data)) + data for number, data in properties)


def _descriptor(sid: str) -> bytes:
    """A self-relative descriptor (MS-DTYP 2.4.6) with a list that lets one account register: `D:(A;;GX;;;<sid>)`."""
    authority, *parts = map(int, sid.split("-")[2:])
    account = bytes([1, len(parts), 0, 0, 0, 0, 0, authority]) + struct.pack(f"<{len(parts)}I", *parts)
    entry = struct.pack("<BBHI", 0, 0, 8 + len(account), 0x20000000) + account
    head = bytes([1, 0, 4, 0x80, *[0] * 12, 20, 0, 0, 0, 2, 0])
    return head + struct.pack("<HI", 8 + len(entry), 1) + entry


def _firewall(description: dict[str, Any]) -> Keys:
    """All profiles on, inbound blocked, and a rule for each port that the products' set-up made one for (3.3).

    These are machine.json's `firewall_ports`, or else those that the machine listens on; `firewall_rules` adds others.
    """
    on = {"EnableFirewall": 1, "DefaultInboundAction": 1, "DoNotAllowExceptions": 0}
    keys: Keys = {rf"{_FIREWALL}\{name}": on for name in ("DomainProfile", "StandardProfile", "PublicProfile")}
    sockets = [each for each in description.get("sockets") or [] if each and each.get("state") == "listen"]
    given = description.get("firewall_ports")
    rules = dict(_USUAL_RULES)
    for port in sorted({each["port"] for each in sockets} if given is None else set(given)):
        name = f"{{00000000-0000-0000-0000-{port:012}}}"
        rules[name] = f"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort={port}|Name=Octopus Tentacle: {port}|"
    keys[rf"{_FIREWALL}\FirewallRules"] = rules | (description.get("firewall_rules") or {})
    return keys
