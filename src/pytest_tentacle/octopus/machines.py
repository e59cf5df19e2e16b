"""One machine of the API as a registration, or why it is none of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from .addresses import machine_address
from .model import Registration
from .resources import MachineResource

_MODES: dict[str, Literal["listening", "polling"]] = {"TentaclePassive": "listening", "TentacleActive": "polling"}
_OTHERS = {
    "KubernetesTentacle": "a Kubernetes agent: its Tentacle runs in a pod that nobody logs on to",
    "Ssh": "an SSH target: no Tentacle runs there",
    "None": "a cloud region: it has no machine",
    "OfflineDrop": "an offline drop: it has no machine",
    "AzureWebApp": "a cloud service: it has no machine",
    "AzureCloudService": "a cloud service: it has no machine",
    "AzureServiceFabricCluster": "a cloud service: it has no machine",
    "Kubernetes": "a Kubernetes cluster: no Tentacle runs there",
    "AwsEcsCluster": "a cloud service: it has no machine",
    "StepPackage": "a target of a step package: no Tentacle runs there",
    "Ftp": "an FTP target: no Tentacle runs there",
}
_UNKNOWN_STYLE = "not a Tentacle that this suite knows"
_THUMBPRINT_DIGITS = 40


@dataclass
class Names:
    """Names by id, of one space."""

    space: str
    space_id: str | None
    portal: str
    environments: dict[str, str] = field(default_factory=dict)
    tenants: dict[str, str] = field(default_factory=dict)
    pools: dict[str, str] = field(default_factory=dict)
    proxies: dict[str, str] = field(default_factory=dict)


def left_out_of(machine: MachineResource) -> tuple[str, str] | None:
    """The style of a machine that is not looked at, and the reason; None for a Tentacle."""
    style = machine.endpoint.communication_style or "no style"
    if machine.is_in_process:
        return style, "the server's built-in worker: there is no link to it"
    if style in _MODES:
        return None
    return style, _OTHERS.get(style, _UNKNOWN_STYLE)


def registration_of(machine: MachineResource, kind: Literal["target", "worker"], names: Names) -> Registration:
    """A Tentacle as Octopus has registered it."""
    endpoint = machine.endpoint
    mode = _MODES[endpoint.communication_style]
    address = machine_address(endpoint.uri, mode)
    version = endpoint.tentacle_version_details
    page = "infrastructure/workers" if kind == "worker" else "infrastructure/machines"
    inside = f"{names.space_id}/" if names.space_id else ""
    return Registration(
        id=machine.id,
        name=machine.name,
        kind=kind,
        space=names.space,
        space_id=names.space_id,
        mode=mode,
        uri=endpoint.uri,
        scheme=address.scheme,
        host=address.host,
        port=address.port,
        has_port=address.has_port,
        subscription=address.subscription,
        thumbprint=endpoint.thumbprint or None,
        proxy=_proxy(endpoint.proxy_id, names) if mode == "listening" else None,
        proxy_id=endpoint.proxy_id if mode == "listening" else None,
        disabled=machine.is_disabled,
        policy=machine.machine_policy_id,
        health=machine.health_status or None,
        health_summary=machine.status_summary,
        os=_system(machine),
        version=(version.version or None) if version else None,
        upgrade_required=version.upgrade_required if version else False,
        signature_algorithm=endpoint.certificate_signature_algorithm,
        environments=tuple(names.environments.get(each, each) for each in machine.environment_ids),
        roles=machine.roles,
        tenants=tuple(names.tenants.get(each, each) for each in machine.tenant_ids),
        tenant_tags=machine.tenant_tags,
        pools=tuple(names.pools.get(each, each) for each in machine.worker_pool_ids),
        link=f"{names.portal}/app#/{inside}{page}/{machine.id}/settings",
        fault=_fault(address.fault, endpoint.thumbprint),
    )


def normal_thumbprint(thumbprint: str | None) -> str | None:
    """The digits in upper case, whatever stands around and between them; None where they are not 40."""
    digits = "".join(sign for sign in (thumbprint or "").upper() if sign in "0123456789ABCDEF")
    return digits if len(digits) == _THUMBPRINT_DIGITS else None


def _fault(address: str | None, thumbprint: str | None) -> str | None:
    if address:
        return f"its address in Octopus {address}"
    if not (thumbprint or "").strip():
        return "Octopus has no thumbprint of it: the registration is incomplete"
    if normal_thumbprint(thumbprint) != thumbprint:
        return "its thumbprint in Octopus is not 40 hexadecimal digits in upper case and nothing else"
    return None


def _proxy(proxy_id: str | None, names: Names) -> str | None:
    return names.proxies.get(proxy_id, "unknown") if proxy_id else None


def _system(machine: MachineResource) -> Literal["windows", "linux"] | None:
    """By what a health check found; Octopus says `Unknown` before the first one."""
    words = f"{machine.operating_system or ''} {machine.shell_name or ''}".lower()
    if "windows" in words:
        return "windows"
    if "linux" in words or "bash" in words:
        return "linux"
    return None
