"""Nothing is broken: nothing may be found, and nothing be unknown."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

SCENARIOS: tuple[Scenario, ...] = (scenario("healthy", "healthy", "nothing", "", "", healthy=True),)
