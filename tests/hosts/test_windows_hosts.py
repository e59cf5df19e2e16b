"""Windows hosts of the lab: what their surveys hold agrees with the network that they really stand in."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.model import Survey
from support.hosts.judge import compared, diagnosed, set_back
from support.hosts.network import FLEETS, FURTHER
from support.hosts.recorded import alone
from support.hosts.scenario import scenario
from support.hosts.scenarios import SCENARIOS
from support.hosts.windows.served import socket_of

_MANAGEMENT = [name for name, each in SCENARIOS.items() if each.unreached]


def survey_of(name: str, machine: str) -> Survey:
    """What a machine said in a recorded scenario."""
    record = next(each for each in alone(name).records if machine in each.machines)
    assert record.survey is not None
    return record.survey


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'LISTEN 0 128 *:10933 *:* users:(("python",pid=812,fd=7))',
            {"address": "::", "port": 10933, "pid": 2136, "state": "listen"},
        ),
        (
            'ESTAB 0 0 [::ffff:10.10.2.31]:10933 [::ffff:10.10.1.10]:41022 users:(("python",pid=812,fd=9))',
            {"address": "10.10.2.31", "port": 10933, "pid": 2136, "state": "established",
             "remote_address": "10.10.1.10", "remote_port": 41022},
        ),
        (
            'LISTEN 0 5 0.0.0.0:8080 0.0.0.0:* users:(("python3",pid=99,fd=3))',
            {"address": "0.0.0.0", "port": 8080, "pid": 99, "state": "listen"},
        ),
        (
            "TIME-WAIT 0 0 10.10.3.32:50100 10.10.1.10:10943",
            {"address": "10.10.3.32", "port": 50100, "pid": 0, "state": "time-wait",
             "remote_address": "10.10.1.10", "remote_port": 10943},
        ),
        ("LAST-ACK 0 1 10.10.3.32:50100 10.10.1.10:10943", None),
    ],
)  # fmt: skip
def test_sockets_of_the_namespace(line: str, expected: dict[str, Any] | None) -> None:
    """As `ss` prints them; the product's process has the number that the blueprint gives it."""
    assert socket_of(line, {812: 2136}) == expected


def test_the_survey_agrees_with_the_network() -> None:
    """Addresses, routes, names, listeners and connections are those of the namespace, and the services the blueprint's."""
    poller, listener = survey_of("windows-healthy", "poll-w"), survey_of("windows-healthy", "web-w")
    assert poller.host.data is not None
    assert {"10.10.3.32", "10.255.0.32", "fd10:3::32"} <= set(poller.host.data.addresses)
    assert {(each.address, each.via) for each in poller.routes.data or ()} == {("10.10.1.10", "10.10.3.1")}
    found = {each.name: each.addresses for each in poller.own_names.data or ()}
    assert found["poll-w.lab.test"] == ("10.10.3.32",)
    assert any(each.remote_port == 10943 for each in poller.connections.data or ())
    (port,) = (each for each in listener.listeners.data or () if each.port == 10933)
    assert port.owner is not None
    assert port.owner.name == "Tentacle.exe"


def test_a_fault_of_the_path_is_seen_by_windows_itself() -> None:
    """The looks of a Windows go out for real: who answers it is who answers a Linux beside it."""
    met = {}
    for name in ("poll-1", "poll-w"):
        looks = survey_of("windows-box-poll-stunnel", name).probes
        met[name] = {look.thumbprint for look in looks if look.port == 10943 and look.thumbprint}
    assert met["poll-1"] == met["poll-w"] != set()
    assert met["poll-w"] != {
        look.thumbprint for look in survey_of("windows-healthy", "poll-w").probes if look.port == 10943
    }


@pytest.mark.parametrize("name", _MANAGEMENT)
def test_the_link_is_well_where_the_management_fails(name: str) -> None:
    """What could be seen of the link from the other end is, and the machine itself is not known."""
    ((machine, _),) = SCENARIOS[name].unreached.items()
    results = {each.step: each.outcome for each in diagnosed(alone(name))[0] if each.machine == machine}
    assert Outcome.FAILED not in results.values()
    assert results["services-running"] is Outcome.UNKNOWN
    if machine.startswith("web"):
        assert results["welcome-page-across"] is Outcome.PASSED


def test_where_a_log_on_fails_is_held_to_what_is_expected() -> None:
    """Another stage, or none, is told."""
    name = "windows-winrm-password"
    assert compared(alone(name), [SCENARIOS[name]])["right"]
    other = replace(SCENARIOS[name], unreached={"poll-w": "tls"})
    assert compared(alone(name), [other])["faults"] == [
        "poll-w: the log-on should fail at 'tls', did at 'authenticate'"
    ]
    assert not compared(alone("windows-healthy"), [SCENARIOS[name]])["right"]


def test_hosts_of_a_fleet() -> None:
    """Each further host is of a fleet, has an address of its own, and its servers are of that fleet as well."""
    assert {name for names in FLEETS.values() for name in names if name in FURTHER} == set(FURTHER)
    assert len({each.number for each in FURTHER.values()}) == len(FURTHER)
    for names in FLEETS.values():
        for each in (FURTHER[name] for name in names if name in FURTHER):
            assert {*each.servers, each.node_of} - {""} <= set(names)
    assert {each.fleet for each in SCENARIOS.values()} == set(FLEETS)


def test_what_a_windows_host_was_given_is_taken_back() -> None:
    """Routes and rules as of any host; a scenario's own lines bring its settings back."""
    told: list[str] = []
    machine = SimpleNamespace(run=told.append, address="10.10.3.32", name="poll-w")
    network: Any = SimpleNamespace(
        host=lambda _name: machine, machines={"poll-w": machine}, ready=lambda: told.append("ready"), dns=None
    )
    fault = scenario("x", "", "", "poll-w: ip route del default; nft add table ip t", "", undo="poll-w: rm /etc/lab/x")
    set_back(network, [fault])
    assert "flush ruleset" in told[0]
    assert "ip route replace default via 10.10.3.1" in told[1]
    assert told[2:] == ["rm /etc/lab/x", "ready"]
