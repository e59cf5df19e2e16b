"""What an inventory may tell the lab, before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tentacle.inventory import load
from pytest_tentacle.lab import faults
from pytest_tentacle.lab.faults import FAULTS
from pytest_tentacle.lab.site import Lab, LabError

INVENTORY = """
lab: {{}}
servers: [{{ name: octo-1, os: windows, transport: none }}]
tentacles:
  - {{ name: web-01, os: linux, mode: listening, transport: none, servers: [octo-1], lab: {lab} }}
"""


@pytest.fixture
def started(tmp_path: Path):
    """Starts a lab of one Tentacle that is told this, and gives its blueprint."""
    labs = []

    def start(lab: str):
        path = tmp_path / "lab.yaml"
        path.write_text(INVENTORY.format(lab=lab), encoding="utf-8")
        labs.append(Lab(load([path])))
        labs[-1].start([])
        return labs[-1].blueprints["web-01"]

    yield start
    for lab in labs:
        lab.stop()


class TestFaults:
    """`fault` names one, `faults` several."""

    def test_several_are_made_in_their_order(self, started):
        """The last one to change something has the last word."""
        machine = started("{ faults: [full-disk, start-hangs, foreign-listen-ip] }")
        assert machine.surroundings["disks"][0]["free_bytes"] < 2**28
        assert machine.service["state"] == "starting"
        assert machine.settings["Tentacle.Services.ListenIP"] == "192.0.2.77"
        assert started("{ fault: service-stopped, faults: [service-disabled] }").service["start_mode"] == "disabled"

    def test_one_that_is_not_there(self, started):
        """The machine, the word, and what there is; nothing runs then."""
        with pytest.raises(LabError, match=r"web-01: the lab has no fault 'flood'; it has .*zombie"):
            started("{ fault: flood }")

    def test_no_two_have_one_name(self):
        """Names come from several modules."""
        own = [function.__name__.replace("_", "-") for area in faults._AREAS for function in area.FAULTS]
        assert len(own) + len(faults.FAULTS_LOGS) == len({*own, *faults.FAULTS_LOGS})
        assert {*own, *faults.FAULTS_LOGS} <= set(FAULTS)

    def test_each_is_in_a_lab_that_a_user_may_run(self, top: Path):
        """What only our tests want stands with them: `support/lab/faults.py`."""
        shown = {
            name
            for file in ("lab", "lab-guide", "lab-logs")
            for machine in load([top / "inventory" / f"{file}.yaml"]).lab_faults.values()
            for name in (machine.get("fault"), *machine.get("faults", ()))
        }
        ours = {function.__name__.replace("_", "-") for area in faults._AREAS for function in area.FAULTS}
        assert ({*ours, *faults.FAULTS_LOGS}) - shown == set()
