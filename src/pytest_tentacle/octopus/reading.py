"""Read everything that an inventory needs from Octopus, in about nine requests a space and ten besides."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import ValidationError

from .addresses import seconds_of
from .client import Client
from .diagnostics import CERTIFICATE, SERVER_EVENTS, SERVER_LINES, server_events, server_lines
from .errors import PortalError, PortalFailure
from .machines import Names, left_out_of, registration_of
from .model import Coverage, LeftOut, Node, Policy, Portal, Registration
from .resources import (
    GlobalCertificate,
    MachineResource,
    Named,
    NodeResource,
    Permissions,
    PolicyResource,
    ProxyResource,
    Redis,
    Resource,
    Root,
    ServerHealth,
    ServerStatus,
    SpaceResource,
)

R = TypeVar("R", bound=Resource)

_SPACES_SINCE = (2019, 1)
_LISTS = {
    "MachineView": "deployment targets",
    "WorkerView": "workers",
    "EnvironmentView": "environments",
    "MachinePolicyView": "machine policies",
    "ProxyView": "proxies",
}


def read_portal(client: Client, spaces: Collection[str] = ()) -> Portal:
    """Read the machines that the account can see, and what belongs to them.

    Args:
        client: asks.
        spaces: names or ids of the spaces to read; none: all that the account sees.

    Raises:
        PortalError: Octopus cannot be reached, does not accept the account, or has no such space. What only a part of
            the answer needs is noted in `Portal.unread` instead.
    """
    return _Reader(client).read(spaces)


@dataclass
class _Reader:
    client: Client
    unread: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    _left_out: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def read(self, wanted: Collection[str]) -> Portal:
        root = self._one(Root, self.client.get(""))
        if not root.version and not root.application:
            raise PortalError(PortalFailure.NOT_OCTOPUS, "what answers is no Octopus portal", "check its address")
        permissions = self._maybe(lambda: self._one(Permissions, self.client.get("/users/me/permissions")), "rights")
        spaces = self._spaces(root, wanted)
        registrations: list[Registration] = []
        policies: list[Policy] = []
        for space in spaces:
            registrations += self._space(space, policies)
        self._coverage(permissions, spaces)
        return Portal(
            url=self.client.portal,
            version=root.version,
            installation=root.installation_id,
            over_spaces=tuple(_over_spaces(root)),
            spaces=tuple(space.name for space in spaces if space.id),
            stopped_spaces=tuple(space.name for space in spaces if space.task_queue_stopped),
            registrations=tuple(registrations),
            left_out=tuple(
                LeftOut(style=style, reason=reason, names=tuple(names))
                for (style, reason), names in self._left_out.items()
            ),
            policies=tuple(policies),
            coverage=Coverage(spaces=len(spaces), partial=tuple(self.partial), granted=_granted(permissions)),
            taken_utc=datetime.now(UTC),
            **self._server(),
            **self._diagnostics(permissions),
            requests=len(self.client.asked),
            answered_by=tuple(sorted(self.client.nodes_seen)),
            unread=tuple(dict.fromkeys(self.unread)),
        )

    # -- spaces --------------------------------------------------------------------------------------------------

    def _spaces(self, root: Root, wanted: Collection[str]) -> list[SpaceResource]:
        """The spaces to read; one without an id where the server has none."""
        if not _has_spaces(root):
            if wanted:
                raise PortalError(PortalFailure.NOT_FOUND, f"Octopus {root.version} has no spaces", "leave --space out")
            return [SpaceResource(name="Default")]
        found = [self._one(SpaceResource, item) for item in self.client.pages("/spaces")]
        if not wanted:
            if not found:
                self.partial.append("the account sees no space: it needs SpaceView, or a role in a space")
            return found
        chosen = []
        for word in wanted:
            match = [space for space in found if word.casefold() in {space.name.casefold(), space.id.casefold()}]
            if not match:
                names = ", ".join(space.name for space in found) or "none"
                raise PortalError(
                    PortalFailure.NOT_FOUND, f"the account sees no space {word!r}", f"it sees {names}"
                )  # fmt: skip
            chosen += match
        return chosen

    def _space(self, space: SpaceResource, policies: list[Policy]) -> list[Registration]:
        prefix = f"/{space.id}" if space.id else ""
        names = Names(
            space=space.name,
            space_id=space.id or None,
            portal=self.client.portal,
            environments=self._names(f"{prefix}/environments/all", "environments", space),
            pools=self._names(f"{prefix}/workerpools/all", "worker pools", space),
            proxies=self._proxies(prefix, space),
        )
        machines = self._machines(f"{prefix}/machines", "deployment targets", space)
        workers = self._machines(f"{prefix}/workers", "workers", space)
        if any(machine.tenant_ids for machine in machines):
            names.tenants.update(self._names(f"{prefix}/tenants/all", "tenants", space))
        listed = self._list(f"{prefix}/machinepolicies/all", "machine policies", space)
        policies += (_policy(self._one(PolicyResource, item)) for item in listed)
        found: list[Registration] = []
        found += self._registrations(machines, "target", names)
        found += self._registrations(workers, "worker", names)
        return found

    def _registrations(
        self, resources: list[MachineResource], kind: Literal["target", "worker"], names: Names
    ) -> Iterator[Registration]:
        for resource in resources:
            why = left_out_of(resource)
            if why is None:
                yield registration_of(resource, kind, names)
            else:
                self._left_out.setdefault(why, []).append(resource.name)

    def _machines(self, path: str, what: str, space: SpaceResource) -> list[MachineResource]:
        found = []
        try:
            for item in self.client.pages(path):
                try:
                    found.append(MachineResource.model_validate(item))
                except ValidationError:
                    name = str(item.get("Name") or item.get("Id") or "?")
                    self._left_out.setdefault(("unreadable", "what Octopus says of it cannot be read"), []).append(name)
        except PortalError as error:
            self._note(error, f"the {what} of space {space.name}")
        return found

    def _names(self, path: str, what: str, space: SpaceResource) -> dict[str, str]:
        named = (self._one(Named, item) for item in self._list(path, what, space))
        return {each.id: each.name for each in named}

    def _proxies(self, prefix: str, space: SpaceResource) -> dict[str, str]:
        found = (self._one(ProxyResource, item) for item in self._list(f"{prefix}/proxies/all", "proxies", space))
        return {proxy.id: f"{proxy.host}:{proxy.port or 80}" for proxy in found}

    def _list(self, path: str, what: str, space: SpaceResource) -> Iterator[Any]:
        """A whole list, empty where it cannot be read."""
        items = self._maybe(lambda: self.client.get(path), f"the {what} of space {space.name}")
        if isinstance(items, list):
            yield from (item for item in items if isinstance(item, dict))

    # -- the server ----------------------------------------------------------------------------------------------

    def _server(self) -> dict[str, Any]:
        nodes = self._maybe(lambda: read_nodes(self.client), "the server's nodes") or ()
        status = self._maybe(lambda: self._one(ServerStatus, self.client.get("/serverstatus")), "the server's status")
        health = self._maybe(
            lambda: self._one(ServerHealth, self.client.get("/serverstatus/health")), "the server's health"
        )
        certificate = self._maybe(
            lambda: self._one(GlobalCertificate, self.client.get("/configuration/certificates/certificate-global")),
            "the server's thumbprint",
        )
        return {
            "nodes": nodes,
            "in_maintenance": status.is_in_maintenance_mode if status else None,
            "potential_clone": status.is_potential_clone if status else None,
            "operating_normally": health.is_operating_normally if health else None,
            "all_read_only": health.is_entire_cluster_read_only if health else None,
            "all_draining": health.is_entire_cluster_draining_tasks if health else None,
            "health_description": health.description if health else None,
            "thumbprint": certificate.thumbprint if certificate else None,
            "signature_algorithm": certificate.signature_algorithm if certificate else None,
            "shared_queue": self._shared_queue(),
        }

    def _diagnostics(self, permissions: Permissions | None) -> dict[str, Any]:
        """The server's own log and the audit of its certificate, where the account may read them for certain."""
        granted = _granted(permissions) or {}
        found: dict[str, Any] = {}
        if "AdministerSystem" in granted:
            ask = lambda: self.client.get("/serverstatus/logs", includeDetail="true", take=SERVER_LINES)  # noqa: E731
            found["server_log"] = server_lines(self._maybe(ask, "the server's log"))
        if "" in granted.get("EventView", ()):
            ask = lambda: self.client.get("/events", regardingAny=CERTIFICATE, take=SERVER_EVENTS)  # noqa: E731
            found["events"] = server_events(self._maybe(ask, "the audit of the server's certificate"))
        return found

    def _shared_queue(self) -> bool | None:
        """Whether one polled address is enough (octopus-rest 12.1): older servers have no such page."""
        try:
            redis = self._one(Redis, self.client.get("/serverstatus/redis"))
        except PortalError as error:
            if error.kind is PortalFailure.NOT_FOUND:
                return False
            self._note(error, "whether nodes share their queue")
            return None
        return redis.is_enabled and redis.is_reachable is not False

    # -- what the account may see --------------------------------------------------------------------------------

    def _coverage(self, permissions: Permissions | None, spaces: list[SpaceResource]) -> None:
        """Lists come filtered to what may be seen, without a hint: only rights tell (octopus-rest 1.6)."""
        if permissions is None:
            self.partial.append("it is not known what the account may see: lists may not be whole")
            return
        for permission, what in _LISTS.items():
            grants = permissions.space_permissions.get(permission, ())
            whole = {grant.space_id for grant in grants if not _restricted(grant)}
            some = {grant.space_id for grant in grants} - whole
            if None in whole:
                continue
            missing = [space.name for space in spaces if space.id and space.id not in whole | some]
            limited = [space.name for space in spaces if space.id in some]
            if missing:
                self.partial.append(f"no {what} of {_listed(missing)}: the account has no {permission} there")
            if limited:
                self.partial.append(f"not all {what} of {_listed(limited)}: {permission} holds for a part of them")

    # -- one answer ----------------------------------------------------------------------------------------------

    def _one(self, model: type[R], data: Any) -> R:
        return _one(self.client, model, data)

    def _maybe(self, ask: Callable[[], Any], what: str) -> Any:
        try:
            return ask()
        except PortalError as error:
            self._note(error, what)
            return None

    def _note(self, error: PortalError, what: str) -> None:
        if error.kind in {PortalFailure.NOT_LOGGED_IN, PortalFailure.BUDGET, PortalFailure.RATE_LIMITED}:
            raise error
        self.unread.append(f"{what} could not be read: {error}")


def _has_spaces(root: Root) -> bool:
    numbers = tuple(int(part) for part in re.findall(r"\d+", root.version)[:2])
    if numbers >= _SPACES_SINCE:
        return True
    links = " ".join(str(root.links.get(name, "")) for name in ("Machines", "SpaceHome", "Spaces"))
    return "/Spaces-" in links or "{spaceId}" in links


def _over_spaces(root: Root) -> Iterator[str]:
    """By its own links: `/api/events{?...spaces}` in 2019.4, `/api/Spaces-1/...` for most others."""
    for name in ("Events", "Tasks"):
        template = str(root.links.get(name, ""))
        if "/Spaces-" not in template and re.search(r"[?,]spaces[,}]", template):
            yield name.lower()


def _granted(permissions: Permissions | None) -> dict[str, tuple[str, ...]] | None:
    if permissions is None:
        return None
    spaces = {
        name: tuple(grant.space_id or "" for grant in grants) for name, grants in permissions.space_permissions.items()
    }
    return spaces | {name: ("", *spaces.get(name, ())) for name in permissions.system_permissions}


def _restricted(grant: Any) -> bool:
    return bool(grant.restricted_to_environment_ids or grant.restricted_to_tenant_ids)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more spaces"  # noqa: PLR2004  a line's worth


def _policy(policy: PolicyResource) -> Policy:
    health, connectivity = policy.machine_health_check_policy, policy.machine_connectivity_policy
    kind = health.health_check_type if health else None
    behavior = connectivity.machine_connectivity_behavior if connectivity else None
    return Policy(
        id=policy.id,
        name=policy.name,
        queue_seconds=seconds_of(policy.polling_request_queue_timeout),
        connect_seconds=seconds_of(policy.connection_connect_timeout),
        retries=policy.machine_rpc_call_retry_policy.enabled if policy.machine_rpc_call_retry_policy else None,
        health_interval=seconds_of(health.health_check_interval) if health else None,
        health_schedule=health.health_check_cron if health else None,
        only_connectivity=None if kind is None else kind == "OnlyConnectivity",
        may_be_offline=None if behavior is None else behavior == "MayBeOfflineAndCanBeSkipped",
    )


def read_nodes(client: Client) -> tuple[Node, ...]:
    """The server's nodes, with the number of tasks that each runs now. Raises PortalError."""
    answer = client.get("/octopusservernodes/summary")
    items = answer.get("Nodes") if isinstance(answer, dict) else None
    return tuple(_node(_one(client, NodeResource, item)) for item in items or () if isinstance(item, dict))


def _one(client: Client, model: type[R], data: Any) -> R:
    """Raises PortalError for what does not even look like it."""
    try:
        return model.model_validate(data)
    except ValidationError:
        raise PortalError(
            PortalFailure.DAMAGED, f"an answer of {client.portal} has another form than Octopus's"
        ) from None


def _node(node: NodeResource) -> Node:
    seen = None
    with contextlib.suppress(ValueError):
        seen = datetime.fromisoformat(node.last_seen) if node.last_seen else None
    return Node(
        name=node.name,
        offline=node.is_offline,
        draining=node.is_in_maintenance_mode,
        last_seen=seen,
        running_tasks=node.running_task_count,
        task_cap=node.max_concurrent_tasks,
        version=node.version,
    )
