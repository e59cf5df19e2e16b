"""Octopus's official client and ours list the same machines from the lab's portal: it is believed by others, too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pytest_tentacle.lab.portal import PortalData, Space, machine
from pytest_tentacle.lab.portal.resources import OLD
from pytest_tentacle.octopus import read_portal

from .conftest import KEY

NPM = Path(__file__).parent.parent / "npm"


@pytest.fixture
def official(serve):
    """Runs the client against a portal; `scripts/dev.py check` installs it."""
    if not shutil.which("node") or not (NPM / "node_modules").is_dir():
        reason = "Octopus's client is not installed: scripts/dev.py check installs it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)

    def run(server):
        environment = {"PATH": os.environ["PATH"], "PORTAL": server.url, "PORTAL_KEY": KEY}
        done = subprocess.run(
            ["node", NPM / "list_machines.js"], env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("folder", ["", "/octopus"])
@pytest.mark.parametrize("version", ["2026.3.4512", OLD])
def test_both_see_the_same(folder, version, official, serve, connect):
    """Spaces and machines, name by name, at both versions, at the top and in a virtual directory."""
    data = PortalData(
        version=version,
        spaces=[
            Space(machines=[machine(n, f"web-{n:03}", f"https://web-{n}:10933/", "A" * 40) for n in range(70)]),
            Space(
                "Spaces-2",
                "Shop",
                is_default=False,
                machines=[machine(99, "poll-01", "poll://abc/", "B" * 40, IsDisabled=True)],
            ),
        ],
    )
    server = serve(data, folder=folder)
    theirs = official(server)
    ours = read_portal(connect(server))
    assert theirs["version"] == ours.version == version
    assert [(m["space"], m["name"], m["uri"], m["health"], m["disabled"]) for m in theirs["found"]] == [
        (m.space, m.name, m.uri, m.health, m.disabled) for m in ours.registrations
    ]
