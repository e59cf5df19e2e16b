"""What a real server of 2019.4.5 sent, as published with Octopus's own serverspec extensions (values replaced), is understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tentacle.lab.portal import Answer, PortalData
from pytest_tentacle.octopus import read_portal
from pytest_tentacle.octopus.evidence import read_evidence

SAMPLES = json.loads(Path(__file__).with_name("samples").joinpath("2019.4.5.json").read_text(encoding="utf-8"))


@pytest.fixture
def recorded(serve, connect):
    """A portal that answers with the recordings; what was not recorded is not there."""
    server = serve(PortalData())
    lists = {"/Spaces-1/machines": "machines", "/Spaces-1/workers": "workers", "/spaces": "spaces"}

    def answer(path, _query):
        if path == "":
            return Answer(data=SAMPLES["root"])
        if path in lists:
            items = SAMPLES[lists[path]]
            return Answer(data={"Items": items, "TotalResults": len(items)})
        if path.endswith("/all"):
            return Answer(data=[{"Id": "Environments-1", "Name": "Production"}, {"Id": "Tenants-1", "Name": "Acme"}])
        return Answer(404, {"ErrorMessage": "The resource you requested was not found."})

    server.override = answer
    return server, connect(server)


def test_registrations(recorded):
    """Both modes, targets and workers; the mirror fields at the top are not used."""
    portal = read_portal(recorded[1])
    found = {
        each.name: (each.kind, each.mode, each.host, each.port, each.subscription) for each in portal.registrations
    }
    assert found == {
        "custom": ("target", "listening", "box-1", 10936, None),
        "local": ("target", "listening", "localhost", 10935, None),
        "listening": ("target", "listening", "box-1", 10933, None),
        "polling": ("target", "polling", None, None, "abcdefghij0123456789"),
        "BOX": ("worker", "listening", "box", 10937, None),
    }
    assert {each.version for each in portal.registrations} == {"4.0.1"}
    assert {each.health for each in portal.registrations} == {"HasWarnings"}
    assert portal.registrations[2].groups[:4] == ("space:Default", "env:Production", "role:Web", "tenant:Acme")
    assert portal.stopped_spaces == ("Stopped",)
    assert portal.version == "2019.4.5"


def test_events_and_tasks_are_kept_over_all_spaces(recorded):
    """Its own links say so: they are asked for with the space as a filter."""
    server, client = recorded
    portal = read_portal(client)
    assert portal.over_spaces == ("events", "tasks")
    server.asked.clear()
    list(read_evidence(client, portal.registrations[:1], portal=portal))
    asked = [path for _, path in server.asked]
    assert "/api/events" in asked
    assert "/api/tasks" in asked
    assert not any("Spaces-1/events" in path or "Spaces-1/tasks" in path for path in asked)


def test_links_of_today(serve, connect):
    """Where the links do not say so, the path names the space."""
    assert read_portal(connect(serve(PortalData()))).over_spaces == ()
