"""The lab by its own portal alone: the same verdicts as by the lab's inventory, and Octopus's word in each section."""

from __future__ import annotations

import json

import pytest

from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections import TABLE, applicable, fleet_of
from pytest_tentacle.survey import store

LOG_ON = """
defaults:
  tentacle: {transport: ssh}
servers:
  - {name: octo-1, dns_name: octo-1.lab, transport: ssh}
  - {name: octo-dmz, dns_name: octo-dmz.lab}
"""
"""The one rule: how to log on, and the nodes, whose addresses no API tells."""

BY_ADDRESS_TOO = ("stale-01", "dropped-01", "rejected-01")
"""Octopus has a name for them, which leads elsewhere than to the machine: a device before it, or an old record. Where the
address should be no API tells; the file does, as the lab's own inventory.
"""

NOT_IN_OCTOPUS = "farpoll-01"
"""It belongs to another server than the portal's."""


@pytest.fixture(scope="module")
def by_octopus(real_run, tmp_path_factory):
    """The run's own surveys, judged under an inventory that nobody wrote: Octopus's list, and the rule."""
    surveys = store.load(real_run.folder / "surveys.json")
    portal = surveys.inventory.portal
    rule = tmp_path_factory.mktemp("portal") / "log-on.yaml"
    own = [f"  - {{name: {name}, ip: {surveys.inventory.find(name).ip}}}" for name in BY_ADDRESS_TOO]
    rule.write_text("\n".join([LOG_ON, "tentacles:", *own, ""]), encoding="utf-8")
    inventory = load([rule], {}, octopus=OctopusSource(portal.url), ask=lambda _source: portal)
    servers = tuple(
        server.model_copy(update={"polling_ports": surveys.inventory.find(server.name).polling_ports})
        for server in inventory.servers
    )
    tentacles = tuple(tentacle.model_copy(update={"servers": ("octo-1",)}) for tentacle in inventory.tentacles)
    inventory = inventory.model_copy(update={"servers": servers, "tentacles": tentacles})
    return fleet_of(surveys.model_copy(update={"inventory": inventory}))


def verdicts(fleet, name):
    """A machine's verdicts by step, passed ones left out, as the lab's tables have them."""
    subject, found = fleet.subject(name), {}
    for step in TABLE:
        if not applicable(step, subject):
            continue
        result = subject.result(step)
        if result.problems:
            found[step] = tuple(problem.code for problem in result.problems)
        elif result.outcome is Outcome.BLOCKED:
            found[step] = f"blocked by {result.blocked_by[0]}"
        elif result.outcome is not Outcome.PASSED:
            found[step] = result.outcome.value
    return found


def test_same_machines(by_octopus, tables):
    """All of the lab's but the one of the other server."""
    names = {tentacle.name for tentacle in by_octopus.surveys.inventory.tentacles}
    assert names == set(tables["lab"]) - {"octo-1", NOT_IN_OCTOPUS}


def test_same_verdicts(by_octopus, tables):
    """Each machine, each step."""
    found = {name: verdicts(by_octopus, name) for name in tables["lab"] if name != NOT_IN_OCTOPUS}
    assert found == {name: steps for name, steps in tables["lab"].items() if name != NOT_IN_OCTOPUS}


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("web-02", "identify-the-problem"),
        ("octo-1", "services-running"),
        ("web-02", "communication-settings"),
        ("web-02", "tentacle-thumbprint"),
        ("web-02", "welcome-page-across"),
    ],
)
def test_octopus_has_a_word(by_octopus, name, step):
    """In the guide's sections 10, 20, 30, 40 and 50."""
    assert any("Octopus" in text for text in by_octopus.subject(name).result(step).looked_at)


def test_report_knows_since_when(real_run):
    """Both ends' logs and the health checks tell when the lab's machines stopped to work."""
    (path,) = (real_run.folder / "reports").glob("lab-*.json")
    machines = {machine["name"]: machine for machine in json.loads(path.read_text("utf-8"))["machines"]}
    (history,) = machines["stopped-01"]["histories"]
    assert history["worked"]["source"].startswith("Octopus, Default, audit")
    assert "a health check could not reach it" in history["failed"]["text"]
    assert machines["web-02"]["histories"] == []
