"""All scenarios, by name."""

from __future__ import annotations

from support.hosts.scenario import Scenario

from . import between, filters, healthy, names, routing, services

SCENARIOS: dict[str, Scenario] = {
    each.name: each for module in (healthy, filters, routing, names, services, between) for each in module.SCENARIOS
}
