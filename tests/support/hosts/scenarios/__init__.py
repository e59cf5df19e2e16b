"""All scenarios, by name."""

from __future__ import annotations

from support.hosts.scenario import Scenario

from . import (
    between,
    filters,
    further,
    healthy,
    names,
    operated,
    other_means,
    proxies,
    rarer_filters,
    rarer_hosts,
    routing,
    services,
    several,
    slow,
    unusual,
)
from .other_fleets import servers, windows

SCENARIOS: dict[str, Scenario] = {
    each.name: each
    for module in (
        healthy,
        filters,
        routing,
        names,
        several,
        services,
        between,
        proxies,
        further,
        slow,
        unusual,
        rarer_filters,
        rarer_hosts,
        operated,
        other_means,
        windows,
        servers,
    )
    for each in module.SCENARIOS
}
