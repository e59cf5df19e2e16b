"""Private keys and the accounts of processes, as the script reads them: one machine with an instance of each kind."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from pytest_tentacle.survey.model import Survey

LOCAL, DOMAIN, MANAGED, OLD = (f"S-1-5-21-1111-2222-3333-{number}" for number in (1105, 1106, 1107, 1108))
CRYPTO = "C:\\ProgramData\\Microsoft\\Crypto"
DIGEST = "52ab417621a9d74c73e3e0f1bc374e0a"
GUID = "6f1d3b8c-0a55-4c6e-9c60-1f6e0f4a7d21"
"""That name's digest is known from elsewhere (windows-reality 8c); the lab's machines have this identifier."""
VIRTUAL = "NT SERVICE\\OctopusDeploy Tentacle: Virtual"

KEYS: dict[str, tuple[str, dict[str, Any]]] = {
    "System": ("LocalSystem", {}),
    "Local": (".\\svc", {}),
    "Domain": ("ACME\\svc", {"user_keys": True}),
    "Managed": ("ACME\\octo$", {"cng": True}),
    "Virtual": (VIRTUAL, {}),
    "Network": ("NT AUTHORITY\\NetworkService", {}),
    "OwnKeys": ("LocalSystem", {"user_keys": True}),
    "Isolated": ("LocalSystem", {"cng": True, "user_keys": True}),
    "Gone": ("LocalSystem", {"file": "missing"}),
    "GoneCng": ("LocalSystem", {"cng": True, "file": "missing"}),
    "Named": ("LocalSystem", {"cng": True, "file": "named"}),
    "Copy": ("LocalSystem", {"file": "foreign"}),
    "Card": ("LocalSystem", {"provider": "Microsoft Base Smart Card Crypto Provider"}),
    "Foreign": ("LocalSystem", {"provider": "nCipher Security World Key Storage Provider", "cng": True}),
    "Keyless": ("LocalSystem", {"without_key": True}),
    "Refused": ("LocalSystem", {"entries": "refused"}),
    "Kept": (".\\svc", {"entries": [{"sid": "S-1-5-18", "mask": 0x1F01FF}]}),
    "Unstored": ("LocalSystem", {}),
}
NAMES = list(KEYS)


@pytest.fixture
def sections():
    return {"private_keys", "service_accounts", "permissions"}


def container(name: str) -> str:
    """Each has a key of its own, but for the one whose digest is known."""
    return "MyCoolContainer" if name == "System" else f"{{Key of {name}}}"


def print_of(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory, engine: Any, shapes_of_machines: Any) -> Survey:
    """The survey of that machine."""
    machine, shapes = shapes_of_machines(tmp_path_factory.mktemp("keys") / "web-1", engine)
    services, processes, keys = [], [], []
    for number, (name, (account, key)) in enumerate(KEYS.items()):
        machine.add_instance(name, machine.settings | {"Tentacle.CertificateThumbprint": print_of(name)})
        command = f'"C:\\T\\Tentacle.exe" run --instance="{name}"'
        own = {"name": f"OctopusDeploy Tentacle: {name}", "account": account, "pid": 3000 + number, "command": command}
        services.append(shapes.service(**own))
        processes.append(shapes.process(3000 + number, "Tentacle.exe"))
        if name != "Unstored":
            keys.append({"thumbprint": print_of(name), "account": account, "container": container(name)} | key)
    accounts = {".\\svc": LOCAL, "ACME\\svc": DOMAIN, "ACME\\octo$": MANAGED}
    machine.description |= {"services": services, "processes": processes, "private_keys": keys, "accounts": accounts}
    machine.sections = {"private_keys", "service_accounts"}
    return machine.run().survey


@pytest.fixture(scope="module")
def found(survey: Survey) -> dict[str, Any]:
    return {key.instance: key for key in survey.private_keys.data or ()}


def test_all_are_told(found: dict[str, Any]) -> None:
    assert sorted(found) == sorted(NAMES)
    assert {name: key.thumbprint for name, key in found.items()} == {name: print_of(name) for name in NAMES}


@pytest.mark.parametrize(
    ("name", "sid", "folder"),
    [
        ("System", "S-1-5-18", f"{CRYPTO}\\RSA\\MachineKeys"),
        ("Local", LOCAL, f"{CRYPTO}\\RSA\\MachineKeys"),
        ("Domain", DOMAIN, f"C:\\Users\\svc\\AppData\\Roaming\\Microsoft\\Crypto\\RSA\\{DOMAIN}"),
        ("Managed", MANAGED, f"{CRYPTO}\\Keys"),
        ("Network", "S-1-5-20", f"{CRYPTO}\\RSA\\MachineKeys"),
        ("OwnKeys", "S-1-5-18", f"{CRYPTO}\\RSA\\S-1-5-18"),
        ("Isolated", "S-1-5-18", f"{CRYPTO}\\SystemKeys"),
    ],
)
def test_where_it_lies(found: dict[str, Any], name: str, sid: str, folder: str) -> None:
    """By account, key set and kind of key; who made it may do everything with it."""
    key = found[name]
    assert (key.sid, key.stored, key.has_key, key.detail) == (sid, True, True, None)
    assert key.access.path.rpartition("\\")[0] == folder
    assert key.access.path.endswith(f"_{GUID}")
    assert sid in {entry.sid for entry in key.access.entries}


def test_the_name_of_its_file(found: dict[str, Any]) -> None:
    assert found["System"].access.path == f"{CRYPTO}\\RSA\\MachineKeys\\{DIGEST}_{GUID}"


def test_a_virtual_account(found: dict[str, Any]) -> None:
    key = found["Virtual"]
    assert key.sid.startswith("S-1-5-80-")
    assert key.sid in {entry.sid for entry in key.access.entries}


def test_what_is_not_as_it_should_be(found: dict[str, Any]) -> None:
    assert found["Gone"].access.error == "not-found"
    assert found["Copy"].access.error == "not-found"
    assert found["Copy"].of_another_machine.startswith(f"{CRYPTO}\\RSA\\MachineKeys\\")
    assert found["Keyless"].has_key is False
    assert [entry.sid for entry in found["Kept"].access.entries] == ["S-1-5-18"]


def test_what_cannot_be_told(found: dict[str, Any]) -> None:
    """How CNG names its files is not known for sure, and a device shows none: nothing is said to be gone."""
    for name in ("GoneCng", "Named", "Card", "Foreign"):
        assert found[name].stored
        assert found[name].access is None, name
        assert found[name].detail, name
    assert found["Refused"].access.error == "denied"
    assert found["Unstored"].stored is False


def test_groups_of_the_account(found: dict[str, Any]) -> None:
    assert found["System"].groups_complete
    assert not found["Domain"].groups_complete


def test_whom_they_run_as(survey: Survey) -> None:
    for row in survey.service_accounts.data or ():
        assert row.sid
        assert row.process_sid == row.sid, row


def test_a_former_account(tentacle: Any, shapes: Any) -> None:
    """The service was given a domain's account, which the domain knows or not; its process is another one's."""
    tentacle.description |= {
        "services": [shapes.service(account="ACME\\svc")],
        "processes": [shapes.process(2136, "Tentacle.exe", sid=OLD)],
        "accounts": {"ACME\\svc": DOMAIN, "ACME\\former": OLD},
        "private_keys": [{"thumbprint": "A" * 40, "sid": OLD}],
    }
    survey = tentacle.run().survey
    (row,) = survey.service_accounts.data
    assert (row.account, row.sid, row.process_sid) == ("ACME\\svc", DOMAIN, OLD)
    (key,) = survey.private_keys.data
    assert (key.sid, key.stored) == (OLD, True)
    assert survey.permissions.data[0].sid == DOMAIN
    tentacle.deny("domain", "keys")
    survey = tentacle.run().survey
    (row,) = survey.service_accounts.data
    assert (row.sid, row.process_sid) == (None, OLD)
    assert survey.permissions.data[0].sid is None, "its owner has the profile of another name"
    (key,) = survey.private_keys.data
    assert key.access is None
    assert "access-denied" in key.detail


def test_nobody_but_the_process_tells(tentacle: Any, shapes: Any) -> None:
    """Its owner's profile has the account's name; and a hive that is not loaded is no empty store."""
    tentacle.description |= {
        "services": [shapes.service(account="ACME\\svc")],
        "accounts": {"ACME\\svc": DOMAIN},
        "registry": {f"Registry::HKEY_USERS\\{DOMAIN}\\Environment": None},
    }
    tentacle.deny("domain")
    survey = tentacle.run().survey
    assert survey.permissions.data[0].sid == DOMAIN
    (row,) = survey.service_accounts.data
    assert (row.sid, row.process_sid) == (None, DOMAIN)
