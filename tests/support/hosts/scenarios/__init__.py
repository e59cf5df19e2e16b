"""All scenarios, by name."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

from . import (
    between,
    filters,
    further,
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
from .unseen import below_rules, production, states

HEALTHY = scenario("healthy", "healthy", "nothing", "", "", healthy=True)
"""Nothing is broken: nothing may be found, and nothing be unknown."""

SCENARIOS: dict[str, Scenario] = {"healthy": HEALTHY} | {
    each.name: each
    for module in (
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
        below_rules,
        states,
        production,
        windows,
        servers,
    )
    for each in module.SCENARIOS
}
