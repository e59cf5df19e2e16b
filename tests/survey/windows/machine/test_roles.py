"""A healthy Tentacle on a Windows of each role passes every step: nothing failed, nothing unknown, nothing blocked.

Each survey is the real script's, in the engine, of a lab machine of that role with a real listener; the fleet around it, a
server that reaches it, is made by hand.
"""

from __future__ import annotations

import hashlib
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.link import By
from pytest_tentacle.link.decoding import decode
from pytest_tentacle.sections import STEPS, applicable, fleet_of
from pytest_tentacle.survey.request import Request
from support.fleets.certificates import thumbprint as thumbprint_of
from support.fleets.looks import from_server
from support.fleets.whole import Whole

ADDRESS = "127.8.7.6"
SVC = "S-1-5-21-1111-2222-3333-1105"
FULL = {"owner": "S-1-5-32-544", "protected": True}
AUTH_ROOT = "HKLM:\\SOFTWARE\\Policies\\Microsoft\\SystemCertificates\\AuthRoot"


def granted(sid: str) -> dict[str, Any]:
    """A home on which an account has full control by its own entry."""
    return {"C:\\Octopus": FULL | {"entries": [{"sid": each, "mask": 0x1F01FF} for each in ("S-1-5-18", sid)]}}


VIRTUAL = "S-1-5-80-" + "-".join(
    str(
        int.from_bytes(
            hashlib.sha1("OCTOPUSDEPLOY TENTACLE".encode("utf-16-le"), usedforsecurity=False).digest()[at : at + 4],
            "little",
        )
    )
    for at in range(0, 20, 4)
)
"""Of the virtual account of that service (windows-reality 8b)."""

ROLES: dict[str, dict[str, Any]] = {
    "member of a domain, isolated by policy": {
        "account": "ACME\\svc",
        "accounts": {"ACME\\svc": SVC},
        "acl": granted(SVC),
        "registry": {AUTH_ROOT: {"DisableRootAutoUpdate": 1}},
    },
    "german, an orphan among the administrators": {
        "locale": "de",
        "account": ".\\svc",
        "accounts": {".\\svc": SVC},
        "acl": granted("S-1-5-32-544"),
        "groups": {"S-1-5-32-544": ["S-1-5-21-1111-2222-3333-500", SVC]},
        "orphaned": ["S-1-5-32-544"],
    },
    "virtual account, its key in its own profile": {
        "account": "NT SERVICE\\OctopusDeploy Tentacle",
        "acl": {"C:\\Octopus": FULL | {"entries": [{"sid": VIRTUAL, "mask": 0x1F01FF}]}},
        "user_keys": True,
    },
    "domain controller with a managed account": {
        "roles": ["domain-controller"],
        "account": "ACME\\octo$",
        "accounts": {"ACME\\octo$": SVC},
        "acl": granted(SVC),
    },
    "node of a cluster that starts the service": {
        "cluster": [
            {"name": "Cluster address", "state": "online", "owner": "WEB-01"},
            {"name": "Octopus", "service": "OctopusDeploy Tentacle", "state": "online", "owner": "WEB-01"},
        ],
        "cluster_addresses": ["192.0.2.77"],
        "start_mode": "manual",
    },
    "core of Server 2012 R2, with a cluster's address": {
        "roles": ["core"],
        "cluster_addresses": ["192.0.2.77"],
        "build": "9600",
        "tls": {"cmdlets": False},
        "absent": ["Get-LocalGroupMember"],
        "account": ".\\svc",
        "accounts": {".\\svc": SVC},
        "acl": granted("S-1-5-32-544"),
        "groups": {"S-1-5-32-544": [SVC]},
    },
}


def prepared(machine: Any, role: dict[str, Any], port: int, der: bytes, shapes: Any) -> str:
    """The lab machine with its listener, settings and log; its thumbprint."""
    own = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    started = datetime.now(UTC) - timedelta(hours=2)
    account = role.pop("account", "LocalSystem")
    trusted = [{"Thumbprint": thumbprint_of("octopus"), "CommunicationStyle": 1, "Address": None}]
    settings = {
        "Tentacle.CertificateThumbprint": own,
        "Tentacle.Services.ListenIP": "127.0.0.1",
        "Tentacle.Services.PortNumber": str(port),
        "Tentacle.Communication.TrustedOctopusServers": json.dumps(trusted),
    }
    machine.add_instance("Tentacle", machine.settings | settings)
    said = (
        "=" * 80, "Tentacle version 9.1.3268 (9.1.3268) instance Tentacle", "==== RunAgentCommand ====",
        f"Agent listening on: [::]:{port}",
    )  # fmt: skip
    lines = "".join(f"{started:%Y-%m-%d %H:%M:%S}.0057   2136      9  INFO  {text}\r\n" for text in said)
    machine.put("Octopus/Logs/OctopusTentacle.txt", lines)
    moment = f"{started:%Y-%m-%dT%H:%M:%SZ}"
    machine.description |= {
        "hostname": "web-01",
        "services": [shapes.service(account=account, started_utc=moment, start_mode=role.pop("start_mode", "auto"))],
        "processes": [shapes.process(2136, "Tentacle.exe", started_utc=moment)],
        "sockets": [{"address": "127.0.0.1", "port": port, "pid": 2136, "state": "listen"}],
        "names": {"web-01.example": [ADDRESS]},
        "networks": ["domain"],
        "private_keys": [{"thumbprint": own, "user_keys": role.pop("user_keys", False)}],
    } | role
    return own


@pytest.mark.parametrize("role", ROLES)
def test_healthy(role: str, machine: Any, peer: Any, certificate: Any, shapes: Any) -> None:
    """All steps that apply have passed."""
    server = peer()
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text()[certificate.read_text().index("-----BEGIN CERT") :])
    world = Whole()
    world.add_server("octo-1", "192.0.2.10")
    world.add_listening("web-01", ADDRESS)
    thumbprint = prepared(machine, dict(ROLES[role]), server.port, der, shapes)
    survey = machine.run(Request(probe_seconds=20, budget_seconds=200, names=("web-01.example",))).survey
    draft = world["web-01"]
    draft.declare(port=server.port, thumbprint=thumbprint, ip=ADDRESS)
    peers = world["octo-1"].peer
    for by in (By.NAME, By.ADDRESS):
        place = from_server("web-01", by, "octo-1").place_in(peers)
        old = peers[place]
        tls = old.tls.model_copy(update={"certificate": decode(der)})
        host = old.host if by is By.NAME else ADDRESS
        peers[place] = old.model_copy(update={"host": host, "port": server.port, "tls": tls})
    surveys = world.surveys()
    now = datetime.now(UTC)
    records = tuple(
        record.model_copy(update={"survey": survey, "taken_utc": now}) if record.machines == ("web-01",) else record
        for record in surveys.records
    )
    fleet = fleet_of(surveys.model_copy(update={"records": records}))
    subject = fleet.subject("web-01")
    results = [subject.result(step.slug) for step in STEPS if applicable(step.slug, subject)]
    wrong = {
        result.step: [problem.actual for problem in result.problems] or result.reason
        for result in results
        if result.outcome is not Outcome.PASSED
    }
    assert wrong == {}
    assert len(results) > 10
