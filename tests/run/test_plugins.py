"""pytest plugins that people have beside this one: the verdicts are the same with each of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.survey.store import dumps
from support.fleets.whole import wide_fleet
from support.session.forked import Runs

PLUGINS = Path(__file__).parents[2] / ".plugins"
"""`scripts/dev.py check` installs them there."""

NAMES = (
    "allure_pytest",
    "pytest_github_actions_annotate_failures",
    "pytest_jsonreport",
    "randomly",
    "rerunfailures",
    "sugar",
)
"""As they register themselves; each run has one."""


@pytest.fixture(scope="module")
def surveys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet in which one service is stopped."""
    world = wide_fleet()
    world["web-01"].service["state"] = "stopped"
    file = tmp_path_factory.mktemp("plugins") / "saved.json"
    file.write_text(dumps(world.surveys()), encoding="utf-8")
    return file


def run(
    forks: Runs, folder: Path, surveys: Path, *options: str, only: str = ""
) -> tuple[dict[tuple[str, str], str], str]:
    """Each step's outcome, and what was shown."""
    assert PLUGINS.is_dir(), "the plugins are missing: `python3 scripts/dev.py check` installs them"
    others = [word for name in NAMES if name != only for word in ("-p", f"no:{name}")]
    strange = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "TF_BUILD", "TEAMCITY_VERSION")
    environment = {
        name: value for name, value in os.environ.items() if name not in strange and not name.startswith("PYTEST_XDIST")
    } | {"PYTHONPATH": str(PLUGINS)}
    if only.startswith("pytest_github"):
        environment["GITHUB_ACTIONS"] = "true"
    arguments = [f"--replay={surveys}", "--html=r.html", "-p", "no:cacheprovider", *others, *options]
    done = forks.run(arguments, folder, environment, timeout=240)
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
    report: Any = json.loads((folder / "r.json").read_text(encoding="utf-8"))
    outcomes = {(m["name"], step["step"]): step["outcome"] for m in report["machines"] for step in m["results"]}
    return outcomes, done.stdout


@pytest.fixture(scope="module")
def alone(forks: Runs, surveys: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """The verdicts without any of them."""
    return run(forks, tmp_path_factory.mktemp("alone"), surveys)[0]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("xdist", ["-n", "2"]),
        ("timeout", ["--timeout", "60"]),
        ("rerunfailures", ["--reruns", "2"]),
        ("randomly", []),
        ("sugar", []),
        ("pytest_jsonreport", ["--json-report", "--json-report-file=theirs.json"]),
        ("allure_pytest", ["--alluredir=theirs"]),
        ("pytest_github_actions_annotate_failures", []),
    ],
)
def test_the_verdicts_are_the_same(
    name: str, options: list[str], forks: Runs, surveys: Path, alone: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    """And each plugin's own file or words have what they should."""
    outcomes, shown = run(forks, tmp_path, surveys, *options, only=name)
    assert outcomes == alone
    assert "failed" in outcomes.values()
    plugins = next(line for line in shown.splitlines() if line.startswith("plugins:"))
    word = {"pytest_jsonreport": "json-report", "allure_pytest": "allure"}.get(name, name)
    assert word.removeprefix("pytest_").replace("_", "-") in plugins
    if name == "rerunfailures":
        assert "rerun in" not in shown, "a recorded fact is judged once"
        assert " rerun" not in shown.splitlines()[-1]
    elif name == "pytest_jsonreport":
        theirs = json.loads((tmp_path / "theirs.json").read_text(encoding="utf-8"))["summary"]
        assert theirs["failed"] == list(outcomes.values()).count("failed")
    elif name == "allure_pytest":
        states = [
            json.loads(file.read_text(encoding="utf-8"))["status"]
            for file in (tmp_path / "theirs").glob("*-result.json")
        ]
        assert states.count("failed") == list(outcomes.values()).count("failed")
        assert states.count("broken") == list(outcomes.values()).count("unknown")
