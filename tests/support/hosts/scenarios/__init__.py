"""All scenarios, by name."""

from __future__ import annotations

from support.hosts.scenario import Scenario

from . import (
    between,
    filters,
    further,
    healthy,
    names,
    proxies,
    rarer_filters,
    rarer_hosts,
    routing,
    services,
    several,
    slow,
    unusual,
)

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
    )
    for each in module.SCENARIOS
}
