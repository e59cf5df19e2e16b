r"""Certificates in the store Octopus of their services' accounts, and the files of their private keys: `private_keys`.

Each is `{"thumbprint"}`, and may hold `account` (that of the first service), `sid`, `container`, `cng`, `user_keys` (in
the account's profile, not the machine's folder), `provider`, `without_key`, `file` (`own`, `missing`, `foreign`: made
on another machine; `named` as CNG might name it), and `entries` of its access list (8c). The files are there for
Get-ChildItem and Get-Acl alone.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Any

from . import accounts, registry

_CONTAINER = "{8F1B0C7A-6E0D-4B44-9A39-2F6C3B6E0F11}"
_FOREIGN = "0d9e8c11-7777-4444-8888-000000000001"
"""The GUID of another machine."""
_ALL = r"C:\ProgramData\Microsoft\Crypto"
_FULL_CONTROL = 0x1F01FF
_MACHINE_KEY = 0x20


def stored(description: dict[str, Any]) -> registry.Keys:
    """The certificates in their accounts' stores."""
    keys = {}
    for key, sid in _keys(description):
        properties = [(3, bytes.fromhex(key["thumbprint"])), (32, b"\x30\0")]
        if not key.get("without_key"):
            properties.insert(1, (2, _provider_info(key)))
        store = rf"Registry::HKEY_USERS\{sid}\Software\Microsoft\SystemCertificates\Octopus\Certificates"
        keys[rf"{store}\{key['thumbprint']}"] = {"Blob": registry.hexadecimal(registry.serialized(properties))}
    return keys


def files(description: dict[str, Any]) -> dict[str, Any]:
    """Paths of the keys' files, each with its access list as in machine.json's `acl`."""
    found: dict[str, Any] = {}
    for key, sid in _keys(description):
        if key.get("without_key") or key.get("file") == "missing":
            continue
        path = f"{_folder(description, key, sid)}\\{_file_name(key)}"
        entries = key.get("entries")
        if entries is None:  # who makes one has full control, as SYSTEM and administrators have (8c)
            owners = dict.fromkeys(("S-1-5-18", "S-1-5-32-544", sid))
            entries = [{"sid": owner, "mask": _FULL_CONTROL} for owner in owners]
        found[path] = entries if entries == "refused" else {"owner": sid, "protected": True, "entries": entries}
    return found


def _keys(description: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Each with the SID of its account."""
    found = []
    for key in filter(None, description.get("private_keys") or []):
        account = key.get("account") or description["services"][0].get("account") or ""
        found.append((key, str(key.get("sid") or accounts.sid_of(description, str(account)))))
    return found


def _provider_info(key: dict[str, Any]) -> bytes:
    """CRYPT_KEY_PROV_INFO as it is serialized (MS-GPEF 2.2.1.1.1.1; 8c)."""
    cng = bool(key.get("cng"))
    usual = "Microsoft Software Key Storage Provider" if cng else "Microsoft Enhanced Cryptographic Provider v1.0"
    container, provider = (
        f"{text}\0".encode("utf-16-le") for text in (_container(key), str(key.get("provider") or usual))
    )
    flags = 0 if key.get("user_keys") else _MACHINE_KEY
    head = struct.pack("<7i", 28, 28 + len(container), int(not cng), flags, 0, 0, int(not cng))
    return head + container + provider


def _container(key: dict[str, Any]) -> str:
    return str(key.get("container") or _CONTAINER)


def _folder(description: dict[str, Any], key: dict[str, Any], sid: str) -> str:
    cng = bool(key.get("cng"))
    if not key.get("user_keys"):
        return rf"{_ALL}\Keys" if cng else rf"{_ALL}\RSA\MachineKeys"
    if sid == "S-1-5-18":
        return rf"{_ALL}\SystemKeys" if cng else rf"{_ALL}\RSA\S-1-5-18"
    roaming = rf"{registry.profile_of(description, sid)}\AppData\Roaming\Microsoft\Crypto"
    return rf"{roaming}\Keys" if cng else rf"{roaming}\RSA\{sid}"


def _file_name(key: dict[str, Any]) -> str:
    if key.get("file") == "named":
        return _container(key)
    digest = hashlib.md5(f"{_container(key).lower()}\0".encode("ascii"), usedforsecurity=False).digest()
    machine = _FOREIGN if key.get("file") == "foreign" else registry.MACHINE_GUID
    return "".join(f"{number:08x}" for number in struct.unpack("<4I", digest)) + f"_{machine}"
