"""All scenarios, by name."""

from __future__ import annotations

from support.hosts.scenario import Scenario

from . import filters, healthy

SCENARIOS: dict[str, Scenario] = {each.name: each for module in (filters, healthy) for each in module.SCENARIOS}
