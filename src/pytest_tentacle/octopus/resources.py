"""Octopus's resources as its API sends them, as far as they are used: names as there, everything optional.

An older or newer server leaves fields out, adds others, and uses words that are not known yet: none of it is an error.
Sources: the API's own reference and the official clients (octopus-rest 2 to 12).
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic.alias_generators import to_pascal


class Resource(BaseModel):
    """One object of the API. Null counts as absent."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="ignore", frozen=True, populate_by_name=True)

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: Any) -> Any:
        if value is None:
            field = cls.model_fields[info.field_name]
            return field.get_default(call_default_factory=True)
        return value


class Root(Resource):
    """`/api`."""

    application: str = ""
    version: str = ""
    installation_id: str = ""
    links: dict[str, Any] = {}


class SpaceResource(Resource):
    """One of `/api/spaces`."""

    id: str = ""
    name: str = ""
    is_default: bool = False
    task_queue_stopped: bool = False


class VersionDetails(Resource):
    """A Tentacle's version as of the last contact."""

    version: str = ""
    upgrade_required: bool = False


class Endpoint(Resource):
    """How the server reaches a machine."""

    communication_style: str = ""
    uri: str | None = None
    thumbprint: str | None = None
    proxy_id: str | None = None
    certificate_signature_algorithm: str | None = None
    tentacle_version_details: VersionDetails | None = None


class MachineResource(Resource):
    """A deployment target, or a worker."""

    id: str = ""
    name: str = ""
    space_id: str | None = None
    environment_ids: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    tenant_ids: tuple[str, ...] = ()
    tenant_tags: tuple[str, ...] = ()
    worker_pool_ids: tuple[str, ...] = ()
    is_disabled: bool = False
    is_in_process: bool = False
    machine_policy_id: str | None = None
    health_status: str | None = None
    status: str | None = None
    status_summary: str | None = None
    operating_system: str | None = None
    shell_name: str | None = None
    endpoint: Endpoint = Endpoint()


class Named(Resource):
    """An environment, a tenant, a worker pool."""

    id: str = ""
    name: str = ""


class ProxyResource(Resource):
    """A proxy between the server and listening machines."""

    id: str = ""
    name: str = ""
    host: str = ""
    port: int | None = None


class RetryPolicy(Resource):
    """`MachineRpcCallRetryPolicy`."""

    enabled: bool | None = None


class HealthCheckPolicy(Resource):
    """`MachineHealthCheckPolicy`."""

    health_check_type: str | None = None
    health_check_interval: str | None = None
    health_check_cron: str | None = None


class ConnectivityPolicy(Resource):
    """`MachineConnectivityPolicy`."""

    machine_connectivity_behavior: str | None = None


class PolicyResource(Resource):
    """A machine policy."""

    id: str = ""
    name: str = ""
    polling_request_queue_timeout: str | None = None
    connection_connect_timeout: str | None = None
    machine_rpc_call_retry_policy: RetryPolicy | None = None
    machine_health_check_policy: HealthCheckPolicy | None = None
    machine_connectivity_policy: ConnectivityPolicy | None = None


class NodeResource(Resource):
    """One of `/api/octopusservernodes/summary`."""

    id: str = ""
    name: str = ""
    max_concurrent_tasks: int | None = None
    running_task_count: int | None = None
    is_in_maintenance_mode: bool = False
    is_offline: bool = False
    last_seen: str | None = None
    version: str | None = None


class ServerStatus(Resource):
    """`/api/serverstatus`."""

    is_in_maintenance_mode: bool = False
    is_potential_clone: bool = False


class ServerHealth(Resource):
    """`/api/serverstatus/health`."""

    is_operating_normally: bool | None = None
    description: str | None = None
    is_entire_cluster_read_only: bool = False
    is_entire_cluster_draining_tasks: bool = False


class Redis(Resource):
    """`/api/serverstatus/redis`."""

    is_enabled: bool = False
    is_reachable: bool | None = None


class GlobalCertificate(Resource):
    """`/api/configuration/certificates/certificate-global`: the Thumbprints screen."""

    thumbprint: str | None = None
    signature_algorithm: str | None = None


class EventResource(Resource):
    """One audit event."""

    id: str = ""
    category: str = ""
    occurred: str = ""
    message: str = ""
    details: str | None = None
    username: str | None = None
    related_document_ids: tuple[str, ...] = ()
    change_details: dict[str, Any] | None = None


class LogElement(Resource):
    """One entry of a connection's log or of the server's own."""

    category: str = ""
    message_text: str = ""
    detail: str | None = None
    occurred_at: str = ""


class ConnectionResource(Resource):
    """`machines/{id}/connection`: the Connectivity tab."""

    status: str | None = None
    logs: tuple[LogElement, ...] = ()


class TaskResource(Resource):
    """One of `/api/{space}/tasks`."""

    id: str = ""
    name: str = ""
    state: str = ""
    start_time: str | None = None
    completed_time: str | None = None
    server_node: str | None = None
    is_completed: bool = False
    space_id: str | None = None
    arguments: dict[str, Any] = {}

    @property
    def machine_ids(self) -> tuple[str, ...]:
        """The machines that it was started for; none: it does not say."""
        ids = self.arguments.get("MachineIds")
        return tuple(str(each) for each in ids) if isinstance(ids, list) else ()


class ActivityResource(Resource):
    """One node of a task's `details`."""

    name: str = ""
    status: str = ""
    log_elements: tuple[LogElement, ...] = ()


class Grant(Resource):
    """Where one permission holds."""

    space_id: str | None = None
    restricted_to_environment_ids: tuple[str, ...] = ()
    restricted_to_tenant_ids: tuple[str, ...] = ()


class Permissions(Resource):
    """`/api/users/me/permissions`."""

    space_permissions: dict[str, tuple[Grant, ...]] = {}
    system_permissions: tuple[str, ...] = ()
