"""Two sites with the same private addresses, a controller that reaches neither, and a worker that is killed: for real."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import namespaces

PROGRAM = Path(__file__).with_name("in_namespaces.py")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the controller of `in_namespaces.py` has seen."""
    namespaces.require("ss")
    folder = tmp_path_factory.mktemp("sites")
    process = namespaces.start(PROGRAM, str(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    found: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return found


def record(run: dict[str, Any], machine: str) -> dict[str, Any]:
    """What a run's surveys have of a machine."""
    assert run["surveys"], run["said"]
    return next(record for record in run["surveys"]["records"] if record["machines"] == [machine])


def hostname(run: dict[str, Any], machine: str) -> str:
    """Its own name, by its survey."""
    found = record(run, machine)
    assert "survey" in found, found.get("unreachable")
    return str(found["survey"]["host"]["data"]["hostname"])


class TestTwoSites:
    """One class, so that one worker of xdist has it all: the sites take most of a minute."""

    def test_the_controller_reaches_nobody(self, seen: dict[str, Any]) -> None:
        """Neither the log-on's port nor the product's."""
        assert seen["reached"] == [False, False]

    def test_both_machines_of_one_address_are_surveyed(self, seen: dict[str, Any]) -> None:
        """Each by its own site's worker: each has its own host name for itself."""
        names = {name: hostname(seen["whole"], name) for name in ("north-01", "south-01")}
        assert names == {"north-01": "host-of-north", "south-01": "host-of-south"}

    def test_the_look_from_outside_is_the_workers(self, seen: dict[str, Any]) -> None:
        """And the report calls it so."""
        (look,) = seen["whole"]["surveys"]["controller_probes"]["north-01"]
        assert "unavailable" not in look
        assert look["connect"]["address"] == "10.0.0.5"
        assert '"worker of site north"' in seen["whole"]["report"]
        assert "Seen from the worker of site north, which is not the server" in seen["whole"]["said"]
        assert "Seen from the machine that runs pytest" not in seen["whole"]["said"]

    def test_a_site_without_a_worker_is_unknown(self, seen: dict[str, Any]) -> None:
        """With that reason, and the others are not kept waiting."""
        west = record(seen["whole"], "west-01")
        assert west["unreachable"]["summary"].startswith("site west has no worker at the scheduler tls://")
        assert "site west has no worker" in seen["whole"]["report"]
        assert seen["whole"]["code"] == 1

    def test_a_worker_that_is_killed(self, seen: dict[str, Any]) -> None:
        """In the middle of a survey: another one of its site does it."""
        assert seen["killed"]["killed"] in ("north-a", "north-b")
        assert hostname(seen["killed"], "north-01") == "host-of-north"

    def test_a_stranger_is_not_let_in(self, seen: dict[str, Any]) -> None:
        """A worker with a certificate of another authority never joins."""
        assert "Registered to" not in seen["stranger"]
        assert seen["stranger"].startswith("exit 1") or "failure-to-start" in seen["stranger"]

    def test_ctrl_c(self, seen: dict[str, Any]) -> None:
        """Exit code 2, a report, and the session on the worker is closed."""
        assert seen["ctrl_c"]["code"] == 2
        assert "the run was interrupted" in seen["ctrl_c"]["said"]
        assert seen["left"] == 0

    def test_a_machines_own_time(self, seen: dict[str, Any]) -> None:
        """It is the worker that counts it."""
        assert record(seen["machine_timeout"], "north-01")["unreachable"]["stage"] == "time-out"

    def test_the_runs_time(self, seen: dict[str, Any]) -> None:
        """A machine that has not answered by then is told as that."""
        late = record(seen["run_timeout"], "north-01")
        assert "survey" not in late
        assert seen["run_timeout"]["code"] == 1

    @pytest.mark.parametrize("secret", ["canary-4711-Password", "canary-0815-Secret"])
    def test_they_are_nowhere(self, seen: dict[str, Any], secret: str) -> None:
        """A password of the controller, and one that only the worker has: in no log of the engine, page of its dashboard, survey or report."""
        places = {f"log of {name}": text for name, text in seen["said"].items()}
        places |= {f"run {name}": json.dumps(seen[name]) for name in ("whole", "killed", "ctrl_c", "machine_timeout")}
        places |= {f"page {page}": text for page, text in seen["pages"].items()}
        assert [place for place, text in places.items() if secret in text] == []

    def test_no_file_of_the_engine_has_them(self, seen: dict[str, Any]) -> None:
        """Nothing is spilled."""
        assert seen["spilled"] == []

    def test_the_pages_were_looked_at_while_orders_were_under_way(self, seen: dict[str, Any]) -> None:
        """Their keys are numbers: no host's name."""
        text = "\n".join(seen["pages"].values())
        assert "order-" in text
        assert "north-01" not in text
        assert "10.0.0.5" not in text
