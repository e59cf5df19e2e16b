"""What the lab's portal has to say, in the API's own shapes (octopus-rest 2 to 12): spaces, machines, nodes, events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MODERN, OLD = "2026.3.4512", "2019.4.5"
"""Two versions that it can be: limits and no `Status`; `Status` and no `UpgradeAvailable`."""

_DEFAULT_POLICY = {
    "Id": "MachinePolicies-1",
    "Name": "Default Machine Policy",
    "IsDefault": True,
    "PollingRequestQueueTimeout": "00:02:00",
    "ConnectionConnectTimeout": "00:01:00",
    "ConnectionRetryCountLimit": 5,
    "MachineRpcCallRetryPolicy": {"Enabled": True, "RetryDuration": "00:02:30"},
    "MachineHealthCheckPolicy": {"HealthCheckType": "RunScript", "HealthCheckInterval": "01:00:00"},
    "MachineConnectivityPolicy": {"MachineConnectivityBehavior": "ExpectedToBeOnline"},
}


@dataclass
class Space:
    """One space with what is in it; each list holds the API's own objects."""

    id: str = "Spaces-1"
    name: str = "Default"
    is_default: bool = True
    task_queue_stopped: bool = False
    machines: list[dict[str, Any]] = field(default_factory=list)
    workers: list[dict[str, Any]] = field(default_factory=list)
    environments: dict[str, str] = field(default_factory=lambda: {"Environments-1": "Production"})
    tenants: dict[str, str] = field(default_factory=dict)
    pools: dict[str, str] = field(default_factory=lambda: {"WorkerPools-1": "Default Worker Pool"})
    proxies: list[dict[str, Any]] = field(default_factory=list)
    policies: list[dict[str, Any]] = field(default_factory=lambda: [dict(_DEFAULT_POLICY)])
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By a machine's id, newest first."""
    connections: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By a machine's id: the Connectivity tab."""
    tasks: list[dict[str, Any]] = field(default_factory=list)
    """Newest first."""
    activities: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By a task's id: `ActivityLogs` of its details."""
    raw_logs: dict[str, str] = field(default_factory=dict)

    def resource(self) -> dict[str, Any]:
        """As `/api/spaces` lists it."""
        return {
            "Id": self.id,
            "Name": self.name,
            "IsDefault": self.is_default,
            "TaskQueueStopped": self.task_queue_stopped,
            "Links": {"Self": f"/api/spaces/{self.id}", "SpaceHome": f"/api/{self.id}"},
        }


@dataclass
class PortalData:
    """Everything that one portal says."""

    version: str = MODERN
    spaces: list[Space] = field(default_factory=lambda: [Space()])
    nodes: list[dict[str, Any]] = field(default_factory=lambda: [node("octo-1")])
    thumbprint: str | None = None
    permissions: dict[str, list[dict[str, Any]]] | None = None
    """By permission; None: everything everywhere."""
    system_permissions: tuple[str, ...] = ()
    """Such as `AdministerSystem`."""
    server_log: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    """Audit events of the server itself."""
    status: dict[str, Any] = field(default_factory=lambda: {"IsInMaintenanceMode": False, "IsPotentialClone": False})
    health: dict[str, Any] = field(default_factory=lambda: {"IsOperatingNormally": True, "Description": ""})
    redis: dict[str, Any] | None = None
    """None: an older server has no such page."""
    discoveries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By `host:port`, what the server meets there; without an entry it cannot connect."""

    @property
    def is_old(self) -> bool:
        """Whether it is a server of 2019."""
        return self.version.startswith("2019.")

    def granted(self) -> dict[str, Any]:
        """`/api/users/me/permissions`."""
        everywhere = [{"SpaceId": space.id} for space in self.spaces]
        usual = dict.fromkeys(
            (
                "MachineView",
                "WorkerView",
                "EnvironmentView",
                "MachinePolicyView",
                "ProxyView",
                "TenantView",
                "EventView",
                "TaskView",
            ),
            everywhere,
        )
        return {
            "SpacePermissions": usual if self.permissions is None else self.permissions,
            "SystemPermissions": list(self.system_permissions),
            "IsPermissionsComplete": True,
        }


def machine(
    number: int,
    name: str,
    uri: str | None,
    thumbprint: str | None,
    *,
    health: str = "Healthy",
    roles: Sequence[str] = ("web",),
    old: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """A deployment target; `poll://` makes it a polling one. `more` are further fields by the API's names."""
    style = more.pop("style", None) or ("TentacleActive" if (uri or "").startswith("poll:") else "TentaclePassive")
    endpoint: dict[str, Any] = {
        "CommunicationStyle": style,
        "Uri": uri,
        "Thumbprint": thumbprint,
        "CertificateSignatureAlgorithm": "sha256RSA",
        "TentacleVersionDetails": {
            "UpgradeLocked": False, "Version": "8.3.3000", "UpgradeSuggested": False, "UpgradeRequired": False,
        },
        "Id": None,
        "LastModifiedOn": None,
        "LastModifiedBy": None,
        "Links": {},
    }  # fmt: skip
    if style == "TentaclePassive":
        endpoint["ProxyId"] = more.pop("proxy", None)
    found: dict[str, Any] = {
        "Id": f"Machines-{number}",
        "SpaceId": "Spaces-1",
        "Name": name,
        "Thumbprint": thumbprint,
        "Uri": uri if style == "TentaclePassive" else None,
        "EnvironmentIds": ["Environments-1"],
        "Roles": list(roles),
        "TenantedDeploymentParticipation": "Untenanted",
        "TenantIds": [],
        "TenantTags": [],
        "IsDisabled": False,
        "MachinePolicyId": "MachinePolicies-1",
        "HealthStatus": health,
        "HasLatestCalamari": True,
        "StatusSummary": "Octopus was able to successfully establish a connection with this machine.",
        "IsInProcess": False,
        "Endpoint": endpoint,
        "Links": {"Self": f"/api/Spaces-1/machines/Machines-{number}"},
    }
    if old:
        found["Status"] = "Online"
    else:
        endpoint["TentacleVersionDetails"]["UpgradeAvailable"] = False
        found |= {"OperatingSystem": "Unknown", "ShellName": None, "Slug": name.lower()}
    return found | more


def worker(number: int, name: str, uri: str | None, thumbprint: str | None, **more: Any) -> dict[str, Any]:
    """A worker: a machine without environments, roles and tenants, in pools."""
    found = machine(number, name, uri, thumbprint, **more)
    for key in ("EnvironmentIds", "Roles", "TenantIds", "TenantTags", "TenantedDeploymentParticipation"):
        found.pop(key)
    found |= {"Id": f"Workers-{number}", "WorkerPoolIds": ["WorkerPools-1"]}
    return found


def health_task(number: int, completed: str, machine_ids: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """A health check that is over; without ids it is a scheduled one."""
    return {
        "Id": f"ServerTasks-{number}",
        "Name": "Health",
        "Description": "Check deployment target health",
        "Arguments": {"MachineIds": list(machine_ids) or None, "Timeout": "00:05:00"},
        "State": "Failed",
        "StartTime": completed,
        "CompletedTime": completed,
        "ServerNode": "octo-1",
        "IsCompleted": True,
        "SpaceId": "Spaces-1",
    } | more


def activity(name: str, *lines: tuple[str, str, str], children: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """One node of a task's details; lines are category, time and text."""
    return {
        "Id": f"{name}/1",
        "Name": name,
        "Status": "Failed",
        "Children": list(children),
        "LogElements": [
            {"Category": category, "OccurredAt": occurred, "MessageText": text, "Detail": None}
            for category, occurred, text in lines
        ],
    }


def node(name: str, **more: Any) -> dict[str, Any]:
    """A node as `/api/octopusservernodes/summary` lists it."""
    return {
        "Id": f"OctopusServerNodes-{name}",
        "Name": name,
        "MaxConcurrentTasks": 5,
        "IsInMaintenanceMode": False,
        "LastSeen": "2026-11-29T10:00:00.000+00:00",
        "IsOffline": False,
        "RunningTaskCount": 0,
        "Version": MODERN,
    } | more
