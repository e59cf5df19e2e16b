"""The portal of the lab's Octopus Server: its machines, and what its health checks say of each one's fault."""

from __future__ import annotations

import hashlib
import secrets
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_tentacle.inventory.model import Inventory, Mode, Tentacle
from pytest_tentacle.lab.blueprint import Blueprint
from pytest_tentacle.lab.faults import polling_trust
from pytest_tentacle.lab.halibut.listener import LabCertificate, make_certificate

from .resources import PortalData, Space, activity, health_task, machine, node
from .server import PortalServer

PORT = 8443
_LOOK_SECONDS = 3.0
_HEALTHY_HOURS, _SICK_HOURS, _LAST_HOURS = 29.0, 2.0, 0.5
"""When a health check last found a machine well, when one first did not, and when the last one was.

The services started 30 hours ago.
"""

_CALL = "An error occurred when sending a request to '{uri}', before the request could begin: "
_NO_COLLECT = (
    "A request was sent to a polling endpoint, but the polling endpoint did not collect the request within the allowed "
    "time (00:02:00), so the request timed out."
)
_REFUSED = (
    _CALL + "The remote host at {uri} refused the connection, this may mean that the expected listening service is not "
    "running."
)
_TIMED_OUT = _CALL + "The client was unable to establish the initial connection within 00:01:00."
_NO_NAME = _CALL + "No such host is known."
_OTHER = (
    _CALL + "The server at {uri} presented an unexpected security certificate. We expected the server to present a "
    "certificate with the thumbprint '{thumbprint}'. Instead, it presented a certificate with a thumbprint of "
    "'{shown}'."
)
_CLOSED = _CALL + "Unable to read data from the transport connection: Connection reset by peer."
_TLS = _CALL + "Authentication failed, see inner exception. The remote party sent a TLS alert: 'ProtocolVersion'."

_WORDS = {
    **dict.fromkeys(
        ("firewall-drops", "not-reachable", "silent-between", "foreign-listen-ip", "stale-name"), _TIMED_OUT
    ),
    "dns-issue": _NO_NAME,
    **dict.fromkeys(("intercepted", "another-server-answers", "restart-needed", "inventory-thumbprint"), _OTHER),
    **dict.fromkeys(
        ("other-server-trusted", "invisible-character", "closed-between", "web-page-between", "clone"), _CLOSED
    ),
    "old-tls-between": _TLS,
}
"""What the server says of a listening machine, by its fault; any other one refuses the connection."""

_WELL_ALL_THE_SAME = frozenset(
    {"wrong-password", "constrained-language", "services-refused", "service-disabled", "clone", "not-reachable"}
)
"""Faults of our own log-on, or that no health check meets."""


@dataclass(frozen=True)
class LabPortal:
    """A running portal: where it is, the key that it takes, the CA of its certificate."""

    url: str
    api_key: str
    ca: Path
    server: PortalServer


def start_portal(
    inventory: Inventory, blueprints: Mapping[str, Blueprint], server: str, folder: Path, faults: Mapping[str, str]
) -> LabPortal:
    """Serve the portal of one of the lab's servers, by HTTPS, at that server's own address.

    Args:
        inventory: as it is to be surveyed.
        blueprints: of all machines.
        server: the node's name.
        folder: where the certificate is put, in a file of its own for the authority.
        faults: by machine, the fault that it has.
    """
    own = blueprints[server]
    authority = make_certificate("pytest-tentacle lab portal", authority=True)
    certificate = make_certificate("octopus.lab", issuer=authority, names=[own.address, f"{server}.lab"])
    ca, pem = folder / "portal-ca.pem", folder / "portal.pem"
    ca.write_text(authority.certificate_pem, encoding="ascii")
    pem.touch(mode=0o600)
    pem.write_text(certificate.certificate_pem + certificate.key_pem, encoding="ascii")
    key = f"API-{secrets.token_hex(13).upper()}"
    data = portal_data(inventory, blueprints, server, faults)
    portal = PortalServer(data, address=own.address, port=_port(own.address), api_key=key, certificate=pem, node=server)
    names = {f"{name}.lab": blueprint.outer for name, blueprint in blueprints.items()}
    portal.discover = lambda host, port: _discovered(names.get(host, host), host, port)
    portal.start()
    return LabPortal(portal.url, key, ca, portal)


def portal_data(
    inventory: Inventory, blueprints: Mapping[str, Blueprint], server: str, faults: Mapping[str, str]
) -> PortalData:
    """What that server knows: its own Tentacles, as the inventory declares them, and their health."""
    own = blueprints[server]
    space, checked = Space(), list[dict[str, Any]]()
    tentacles = [tentacle for tentacle in inventory.tentacles if server in tentacle.servers]
    for number, tentacle in enumerate(tentacles, 1):
        resource = _machine(number, tentacle, own)
        fault = faults.get(tentacle.name, "")
        sick = bool(fault) and fault not in _WELL_ALL_THE_SAME
        resource["HealthStatus"] = "Unavailable" if sick else "Healthy"
        identity = resource["Id"]
        space.machines.append(resource)
        space.events[identity] = [_event(identity, "MachineHealthy", _HEALTHY_HOURS, f"{tentacle.name} is healthy")]
        if sick:
            words = _said(tentacle, resource["Endpoint"]["Uri"], blueprints[tentacle.name], fault)
            resource["StatusSummary"] = "Octopus was unable to connect to this machine."
            space.events[identity].insert(
                0,
                _event(identity, "MachineUnavailable", _SICK_HOURS, f"{tentacle.name} is unavailable", Details=words),
            )
            if tentacle.mode is not Mode.POLLING:
                space.connections[identity] = [
                    {"Category": "Error", "MessageText": words, "Number": 1, "OccurredAt": _ago(_SICK_HOURS)}
                ]
            checked.append(activity(f"Check deployment target: {tentacle.name}", ("Error", _ago(_LAST_HOURS), words)))
        else:
            well = ("Info", _ago(_LAST_HOURS), "Connectivity check succeeded")
            checked.append(activity(f"Check deployment target: {tentacle.name}", well))
    task = health_task(1, _ago(_LAST_HOURS))
    space.tasks, space.activities = [task], {task["Id"]: [activity("Check deployment targets", children=checked)]}
    return PortalData(spaces=[space], nodes=[node(server, LastSeen=_ago(0.01))], thumbprint=own.certificate.thumbprint)


def _machine(number: int, tentacle: Tentacle, server: Blueprint) -> dict[str, Any]:
    if tentacle.mode is Mode.POLLING:
        uri = polling_trust(server, server.certificate.thumbprint, tentacle.name).subscription
    else:
        uri = f"https://{tentacle.name}.lab:{tentacle.port}/"
    resource = machine(number, tentacle.name, uri, tentacle.thumbprint)
    linux = tentacle.os == "linux"
    return resource | {
        "OperatingSystem": "Linux" if linux else "Microsoft Windows Server 2022",
        "ShellName": "Bash" if linux else "PowerShell",
    }


def _said(tentacle: Tentacle, uri: str, blueprint: Blueprint, fault: str) -> str:
    if tentacle.mode is Mode.POLLING:
        return _NO_COLLECT
    shown: LabCertificate = blueprint.presents or blueprint.certificate
    words = _WORDS.get(fault, _REFUSED)
    return words.format(uri=uri, thumbprint=tentacle.thumbprint, shown=shown.thumbprint)


def _event(identity: str, category: str, hours: float, message: str, **more: Any) -> dict[str, Any]:
    return {
        "Id": f"Events-{identity}-{category}", "RelatedDocumentIds": [identity], "Category": category,
        "Occurred": _ago(hours), "Message": message, "Username": "system", "SpaceId": "Spaces-1",
    } | more  # fmt: skip


def _ago(hours: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="milliseconds")


def _port(address: str) -> int:
    """The usual one where it is free, else any."""
    with socket.socket() as trial:
        try:
            trial.bind((address, PORT))
        except OSError:
            return 0
    return PORT


def _discovered(address: str, host: str, port: int) -> dict[str, Any] | None:
    """The server's own look: it really connects, and shows what it was shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((address, port), _LOOK_SECONDS) as plain, context.wrap_socket(plain) as secured:
            secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            der = secured.getpeercert(binary_form=True) or b""
            while secured.recv(65_536):
                pass
    except OSError:
        return None
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    return {
        "Name": host,
        "Endpoint": {
            "CommunicationStyle": "TentaclePassive", "Uri": f"https://{host}:{port}/", "Thumbprint": thumbprint,
        },
    }  # fmt: skip
