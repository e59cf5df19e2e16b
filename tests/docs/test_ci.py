"""Each snippet of `docs/ci.md` can be read by its system's own grammar, and its command line does what the text says."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pytest_tentacle.survey.store import dumps
from support.fleets.whole import wide_fleet
from support.session.forked import Runs

TOP = Path(__file__).parents[2]
SYSTEMS = {
    "GitHub Actions": {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "summary.md"},
    "GitLab": {"GITLAB_CI": "true"},
    "Jenkins": {"JENKINS_URL": "https://jenkins.example"},
    "Azure DevOps": {"TF_BUILD": "True"},
    "TeamCity": {"TEAMCITY_VERSION": "2025.07"},
    "Octopus runbook": {},
}
"""Each system, and what it sets."""


def snippet(system: str) -> str:
    """The code below a system's heading."""
    text = (TOP / "docs" / "ci.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {system}$.*?^```\w+\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, system
    return found[1]


def strings(value: Any) -> list[str]:
    """Every text in a YAML document."""
    if isinstance(value, dict):
        return [each for member in value.values() for each in strings(member)]
    if isinstance(value, list):
        return [each for member in value for each in strings(member)]
    return [value] if isinstance(value, str) else []


def command(system: str) -> list[str]:
    """The words of its pytest command."""
    text = snippet(system)
    lines = strings(YAML(typ="safe").load(text)) if system in ("GitHub Actions", "GitLab", "Azure DevOps") else None
    if lines is None:
        pattern = r"sh '([^']*pytest [^']*)'" if system == "Jenkins" else r"^\s*(pytest .*?)(?: \|\| .*)?$"
        lines = re.findall(pattern, text, re.MULTILINE)
    (line,) = [each for each in lines if re.match(r"\S*pytest --", each)]
    return shlex.split(line)[1:]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a survey of a fleet in which one service is stopped, as each command's inventory."""
    world = wide_fleet()
    world["web-01"].service["state"] = "stopped"
    folder = tmp_path_factory.mktemp("ci")
    (folder / "saved.json").write_text(dumps(world.surveys()), encoding="utf-8")
    return folder


def environment(system: str) -> dict[str, str]:
    """Ours, without the variables of the system that these tests may run in."""
    strange = {name for each in SYSTEMS.values() for name in each}
    return {name: value for name, value in os.environ.items() if name not in strange} | SYSTEMS[system]


@pytest.mark.parametrize("system", [each for each in SYSTEMS if each != "Octopus runbook"])
def test_a_snippet_of(system: str, place: Path, tmp_path: Path, forks: Runs) -> None:
    """Exit code 1, the files that the snippet publishes, and the system's own words."""
    words = command(system)
    assert "--inventory=prod.yaml" in words
    words = [f"--replay={place / 'saved.json'}" if word.startswith("--inventory=") else word for word in words]
    done = forks.run([*words, "-p", "no:cacheprovider"], tmp_path, environment(system), timeout=240)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    published = set(re.findall(r"out/[\w.]+", snippet(system)))
    assert published
    assert [name for name in published if not (tmp_path / name).is_file()] == []
    assert "has problems" in (tmp_path / "out" / "tentacles.md").read_text(encoding="utf-8")
    told = {
        "GitHub Actions": "::error title=",
        "Azure DevOps": "##vso[task.logissue type=error]",
        "TeamCity": "##teamcity[buildProblem ",
    }
    for name, begin in told.items():
        assert (begin in done.stdout) is (name == system)
    if system == "GitHub Actions":
        assert "has problems" in (tmp_path / "summary.md").read_text(encoding="utf-8")
        assert json.loads((tmp_path / "out" / "tentacles.sarif").read_text(encoding="utf-8"))["runs"]
    elif system == "Azure DevOps":
        assert f"##vso[task.uploadsummary]{tmp_path / 'out' / 'tentacles.md'}" in done.stdout
    if system != "GitHub Actions":
        cases = ET.parse(tmp_path / "out" / "tentacles.xml").getroot().iter("testcase")
        assert "web-01" in {case.get("classname") for case in cases}


def test_the_runbook(place: Path, tmp_path: Path) -> None:
    """The script itself, with Octopus's functions standing in: artifact, output variable, exit code."""
    text = snippet("Octopus runbook")
    text = text.replace(
        "--inventory=prod.yaml", f"--replay={shlex.quote(str(place / 'saved.json'))} -p no:cacheprovider"
    )
    functions = "".join(
        f'{name}() {{ echo "{name} $*" >> told.txt; }}\n'
        for name in ("get_octopusvariable", "set_octopusvariable", "new_octopusartifact")
    )
    functions += f'pytest() {{ {shlex.quote(sys.executable)} -m pytest "$@"; }}\n'
    done = subprocess.run(
        ["bash", "-eu", "-c", functions + text], cwd=tmp_path, env=environment("Octopus runbook"),
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr
    assert (tmp_path / "told.txt").read_text(encoding="utf-8").splitlines() == [
        "get_octopusvariable Surveyor.Password",
        "new_octopusartifact out/tentacles.html",
        "set_octopusvariable TentaclesExitCode 1",
    ]
    assert (tmp_path / "out" / "tentacles.html").is_file()
