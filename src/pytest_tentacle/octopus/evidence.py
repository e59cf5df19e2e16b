"""What Octopus says of single machines: its last health events, and the Connectivity tab. Two requests a machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from pytest_tentacle.hiding import shorten

from .client import DISCOVER_SECONDS, Client
from .errors import PortalError, PortalFailure
from .model import ConnectionLine, Coverage, Discovery, Evidence, HealthTask, MachineEvent, Portal, Registration
from .resources import ConnectionResource, EventResource, MachineResource
from .tasks import place_of, read_health_tasks

CATEGORIES = (
    "MachineAdded", "MachineHealthy", "MachineHasWarnings", "MachineUnhealthy", "MachineUnavailable", "MachineEnabled",
    "MachineDisabled", "MachineDeploymentRelatedPropertyWasUpdated", "Created", "Modified", "Deleted",
)  # fmt: skip
"""Of audit events that concern a machine's link (octopus-rest 11)."""

MOST_EVENTS = 30
MOST_LINES = 100
MOST_TEXT = 4_000
"""Characters of one text that are kept."""


def read_evidence(
    client: Client,
    registrations: Iterable[Registration],
    *,
    discover: bool = False,
    portal: Portal | None = None,
) -> Iterator[Evidence]:
    """Ask for each registration's events and connection. What the budget does not allow for is told as not read.

    Args:
        client: asks.
        registrations: of one server.
        portal: what is known of the server. What the account may not read there is told, and not asked for.
        discover: let the server itself look at listening machines; it leaves one Info line in the Tentacle's log.
    """
    chosen, may = list(registrations), portal.coverage if portal else Coverage()
    over_spaces = portal.over_spaces if portal else ()
    tasks, spent, missed = _tasks(client, chosen, may, over_spaces)
    for registration in chosen:
        if spent is not None:
            yield Evidence(registration=registration.id, task=tasks.get(registration.id), unread=(spent,))
            continue
        unread: list[str] = [*missed]
        events: tuple[MachineEvent, ...] = ()
        lines: tuple[ConnectionLine, ...] = ()
        try:
            if may.allows("EventView", registration.space_id):
                events = _events(client, registration, over_spaces)
            else:
                unread.append("its events were not asked for: the account has no EventView there")
        except PortalError as error:
            unread.append(f"its events could not be read: {error}")
            spent = str(error) if _ends(error) else None
        try:
            lines = _connection(client, registration) if spent is None else ()
        except PortalError as error:
            unread.append(f"its connection log could not be read: {error}")
            spent = str(error) if _ends(error) else None
        node = client.last_node
        discovered = _discovery(client, registration) if discover and spent is None else None
        yield Evidence(
            registration=registration.id,
            node=node,
            events=events,
            connection=lines,
            task=tasks.get(registration.id),
            discovered=discovered,
            unread=tuple(unread),
        )


def _tasks(
    client: Client, registrations: Sequence[Registration], may: Coverage, over_spaces: Sequence[str]
) -> tuple[dict[str, HealthTask], str | None, tuple[str, ...]]:
    """The last health checks of each space: what they said, why nothing more may be asked, and what was not read."""
    found: dict[str, HealthTask] = {}
    missed: list[str] = []
    for space in dict.fromkeys(each.space_id for each in registrations):
        if not may.allows("TaskView", space):
            missed.append("health checks were not asked for: the account has no TaskView there")
            continue
        try:
            own = [each for each in registrations if each.space_id == space]
            found |= read_health_tasks(client, space, own, over_spaces)
        except PortalError as error:
            if _ends(error):
                return found, str(error), tuple(missed)
            missed.append(f"the last health checks could not be read: {error}")
    return found, None, tuple(dict.fromkeys(missed))


def _ends(error: PortalError) -> bool:
    return error.kind in {PortalFailure.BUDGET, PortalFailure.RATE_LIMITED, PortalFailure.NOT_LOGGED_IN}


def _events(client: Client, registration: Registration, over_spaces: Sequence[str]) -> tuple[MachineEvent, ...]:
    prefix, only = place_of("events", registration.space_id, over_spaces)
    page = client.get(
        f"{prefix}/events",
        regarding=registration.id,
        take=MOST_EVENTS,
        eventCategories=",".join(CATEGORIES),
        spaces=only,
    )
    found = []
    for item in _items(page):
        try:
            event = EventResource.model_validate(item)
        except ValidationError:
            continue
        about = event.related_document_ids
        if event.category in CATEGORIES and (not about or registration.id in about):  # an unknown filter is ignored
            found.append(
                MachineEvent(
                    category=event.category,
                    occurred=event.occurred,
                    message=shorten(event.message, MOST_TEXT),
                    details=shorten(event.details or "", MOST_TEXT),
                    changed=_changed(event.change_details),
                )
            )
    return tuple(found)


def _connection(client: Client, registration: Registration) -> tuple[ConnectionLine, ...]:
    prefix = f"/{registration.space_id}" if registration.space_id else ""
    where = "workers" if registration.kind == "worker" else "machines"
    try:
        data = ConnectionResource.model_validate(client.get(f"{prefix}/{where}/{registration.id}/connection"))
    except ValidationError:
        raise PortalError(PortalFailure.DAMAGED, "its connection has another form than Octopus's") from None
    return tuple(
        ConnectionLine(
            level=line.category,
            text=shorten("\n".join(filter(None, (line.message_text, line.detail))), MOST_TEXT),
            occurred=line.occurred_at,
        )
        for line in data.logs[-MOST_LINES:]
    )


def _discovery(client: Client, registration: Registration) -> Discovery | None:
    if registration.mode != "listening" or registration.host is None or registration.port is None:
        return None
    prefix = f"/{registration.space_id}" if registration.space_id else ""
    where = "workers" if registration.kind == "worker" else "machines"
    host, port = registration.host, registration.port
    try:
        data = MachineResource.model_validate(
            client.get(
                f"{prefix}/{where}/discover",
                seconds=DISCOVER_SECONDS,
                host=host,
                port=port,
                type="TentaclePassive",
                proxyId=registration.proxy_id,
            )
        )
    except PortalError as error:
        if error.kind is not PortalFailure.SERVER_ERROR:
            return None
        return Discovery(host=host, port=port, error=shorten(str(error), MOST_TEXT), node=client.last_node)
    except ValidationError:
        return None
    return Discovery(host=host, port=port, thumbprint=data.endpoint.thumbprint, node=client.last_node)


def _items(page: Any) -> list[Any]:
    items = page.get("Items") if isinstance(page, dict) else page
    return items if isinstance(items, list) else []


def _changed(details: dict[str, Any] | None) -> tuple[str, ...]:
    """The paths of a JSON patch, which comes as a list or as text."""
    differences: Any = (details or {}).get("Differences")
    if isinstance(differences, str):
        try:
            differences = json.loads(differences)
        except (ValueError, RecursionError):
            return ()
    if not isinstance(differences, list):
        return ()
    return tuple(str(each["path"]) for each in differences if isinstance(each, dict) and "path" in each)
