"""The lab's machines by the lab's portal alone, and one rule for the log-on: the same verdicts as by the lab's inventory."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.lab.portal import PortalData, Space, machine
from pytest_tentacle.lab.site import Lab, LabError
from pytest_tentacle.octopus import read_portal
from pytest_tentacle.octopus.evidence import read_evidence
from pytest_tentacle.sections import TABLE, applicable, fleet_of
from pytest_tentacle.survey.collector import Plan, collect

INVENTORY = Path(__file__).parents[2] / "inventory" / "lab.yaml"
MACHINES = ("web-02", "poll-02", "stopped-01", "port-01", "mistrust-01")
"""Linux machines: healthy of both modes, and three faults that Octopus's word has a part in."""


class Quiet:
    """Nobody looks at the progress."""

    def __getattr__(self, name):
        return lambda *_args, **_more: None


@pytest.fixture(scope="module")
def lab():
    """The named machines, running; with the settings that log on to them."""
    lab = Lab(load([INVENTORY]))
    try:
        yield lab, lab.start(MACHINES)
    finally:
        lab.stop()


def verdicts(lab, inventory):
    """Outcome and codes of each step of each machine."""
    surveys = collect(inventory, set(MACHINES), Plan(resolve=lab.resolve), Quiet())
    fleet = fleet_of(surveys)
    found = {}
    for name in MACHINES:
        subject = fleet.subject(name)
        for step in TABLE:
            if applicable(step, subject):
                result = subject.result(step)
                found[name, step] = (result.outcome.value, tuple(problem.code for problem in result.problems))
    return found, fleet


def test_same_verdicts(lab, serve, connect, tmp_path):
    """Names, modes, ports, thumbprints and the server's thumbprint come from the API; the log-on from one rule."""
    running, started = lab
    chosen = [tentacle for tentacle in started.tentacles if tentacle.name in MACHINES]
    octo = started.find("octo-1")
    machines = []
    for number, tentacle in enumerate(chosen):
        blueprint = running.blueprints[tentacle.name]
        subscription = next((trust.subscription for trust in blueprint.trusts if trust.subscription), "none")
        uri = f"https://{tentacle.ip}:{tentacle.port}/" if tentacle.mode is Mode.LISTENING else f"{subscription}/"
        machines.append(machine(number, tentacle.name, uri, tentacle.thumbprint))
    portal_server = serve(PortalData(spaces=[Space(machines=machines)], thumbprint=octo.thumbprint))
    client = connect(portal_server)
    portal = read_portal(client)
    portal = portal.model_copy(update={"evidence": tuple(read_evidence(client, portal.registrations))})
    log_on = chosen[0].transport
    rule = tmp_path / "log-on.yaml"
    hosts = "".join(
        f"  - {{name: {t.name}, ip: {running.blueprints[t.name].outer}, dns_name: {t.dns_name}}}\n" for t in chosen
    )
    rule.write_text(
        "defaults:\n"
        f"  tentacle: {{transport: {{kind: ssh, port: {log_on.port}, user: {log_on.user}, password: '${{env:PASSWORD}}', "
        "host_keys: insecure, agent: false, ssh_config: ssh_config}}\n"
        f"servers: [{{name: octo-1, dns_name: octo-1.lab, ip: {octo.ip}, polling_ports: {octo.polling_ports[0]}}}]\n"
        f"tentacles:\n{hosts}",
        encoding="utf-8",
    )
    (tmp_path / "ssh_config").touch()
    environment = {"PASSWORD": log_on.password.get_secret_value()}
    by_octopus = load([rule], environment, octopus=OctopusSource(portal_server.url), ask=lambda _source: portal)
    by_file = started.model_copy(
        update={
            "tentacles": tuple(chosen),
            "servers": (octo.model_copy(update={"transport": by_octopus.servers[0].transport}),),
        }
    )
    assert {t.name for t in by_octopus.tentacles} == set(MACHINES)
    expected, _ = verdicts(running, by_file)
    found, fleet = verdicts(running, by_octopus)
    assert found == expected
    assert {("stopped-01", "services-running"), ("port-01", "communication-settings")} <= {
        key for key, (outcome, _) in found.items() if outcome == "failed"
    }
    for name in MACHINES:
        for step in ("identify-the-problem", "communication-settings"):
            assert any("Octopus, Default" in text for text in fleet.subject(name).result(step).looked_at), (name, step)


def test_portal_of_nobody(tmp_path):
    """`lab: {portal: NAME}` names one of the servers."""
    file = tmp_path / "lab.yaml"
    file.write_text("lab: {portal: nobody}\nservers: [{name: octo-1, os: linux, transport: ssh}]\n", encoding="utf-8")
    with pytest.raises(LabError, match="there is no server 'nobody'"):
        Lab(load([file])).start([])
