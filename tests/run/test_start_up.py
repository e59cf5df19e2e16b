"""The plugin is loaded into every pytest run of its environment: one that is no diagnosis pays next to nothing for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.run.options.words import MODES

HEAVY = ("pydantic", "ruamel", "cryptography", "requests", "paramiko", "winrm", "spnego", "jinja2")

NAMES = "json.dumps(sorted({name.partition('.')[0] for name in sys.modules}))"

OURS = "json.dumps(sorted(name for name in sys.modules if name.startswith('pytest_tentacle')))"

ORDINARY = f"""
import json
import sys
from pathlib import Path

def test_something():
    Path("tops.json").write_text({NAMES})
    Path("ours.json").write_text({OURS})
"""


def names_of(code: str) -> set[str]:
    """What a fresh process prints as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


class TestStartUp:
    """Counted in modules, which do not depend on the machine's speed."""

    def test_importing_the_plugin_imports_nothing_heavy(self):
        """What pytest itself imports is no matter of ours."""
        alone = names_of(f"import json, sys, pytest; print({NAMES})")
        with_us = names_of(f"import json, sys, pytest, pytest_tentacle.plugin; print({NAMES})")
        assert with_us - alone == {"pytest_tentacle"}
        assert not with_us & set(HEAVY)

    def test_a_run_without_our_options_stays_light(self, tmp_path: Path):
        """With no other plugin, so that what is loaded is pytest's and ours."""
        (tmp_path / "test_ordinary.py").write_text(ORDINARY, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "pytest_tentacle.plugin", "-p", "no:cacheprovider"],
            cwd=tmp_path,
            env=kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        loaded = set(json.loads((tmp_path / "tops.json").read_text(encoding="utf-8")))
        assert not loaded & set(HEAVY)
        ours = json.loads((tmp_path / "ours.json").read_text(encoding="utf-8"))
        light = (
            *("", ".plugin", ".run", ".guide", ".guide.severity"),
            *(".run.options", ".run.options.model", ".run.options.reading", ".run.options.words"),
            *(".run.acting", ".run.acting.words", ".run.acting.terminal"),
        )
        assert set(ours) <= {f"pytest_tentacle{name}" for name in light}

    def test_a_replay_brings_no_lab_and_nothing_that_contacts_machines(self):
        """What a run that contacts nobody has no use for; pydantic and ruamel read its surveys."""
        loaded = names_of(f"import json, sys, pytest_tentacle.run.hooks; print({NAMES})")
        assert not loaded & {"requests", "paramiko", "winrm", "spnego"}
        assert "pytest_tentacle.lab" not in names_of(f"import json, sys, pytest_tentacle.run.hooks; print({OURS})")

    def test_the_modes_that_are_offered_are_those_that_there_are(self):
        """The command line names them without importing the model."""
        assert tuple(mode.value for mode in Mode) == MODES
