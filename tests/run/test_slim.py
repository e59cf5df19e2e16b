"""What pytest keeps of a step to the end: one report, and of a user's own tests all that it always keeps."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tentacle.report.redaction import redactor as redacting
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run.items.collection import guide_tests
from pytest_tentacle.run.survey_files.lines import Lines
from pytest_tentacle.survey.model import HostRecord
from pytest_tentacle.survey.store import dumps, host_line
from support.fleets.world import small_fleet

COUNTING = """
import json, pytest
from pytest_html.basereport import BaseReport

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    page = [plugin for plugin in session.config.pluginmanager.get_plugins() if isinstance(plugin, BaseReport)][0]
    ours = [item for item in session.items if "test_mine" not in item.nodeid]
    counted = {
        "reports": {name: len(found) for name, found in terminal.stats.items()},
        "silent": [report.nodeid for report in terminal.stats.get("", [])],
        "keywords": sum(len(report.keywords) for report in terminal.stats["passed"] if "test_mine" not in report.nodeid),
        "page": list(page._reports),
        "stashes": sum(len(item.stash) for item in ours),
        "items": len(ours),
        "tests": session.testscollected,
    }
    with open("counted.json", "w") as file:
        json.dump(counted, file)
"""


TALKING = """
import pytest

@pytest.fixture(autouse=True)
def talks():
    yield
    print("said by a user's fixture")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fleet's surveys, and a test of a user's own."""
    place = tmp_path_factory.mktemp("slim")
    (place / "saved.json").write_text(dumps(small_fleet().surveys()), encoding="utf-8")
    (place / "conftest.py").write_text(COUNTING, encoding="utf-8")
    (place / "test_mine.py").write_text("def test_mine(tentacle):\n    assert tentacle.name\n", encoding="utf-8")
    return place


RunPytest = Callable[..., "subprocess.CompletedProcess[str]"]
REPLAY = ("--replay=saved.json", "--html=r.html", "-p", "no:cacheprovider")


def counted(run_pytest: RunPytest, folder: Path, *options: str) -> tuple[dict, str]:
    """What is kept at the end of a run, and what it said."""
    done = run_pytest(
        *REPLAY, "-p", "conftest", *options, guide_tests(), "test_mine.py", cwd=folder, environment={"PYTHONPATH": str(folder)}
    )  # fmt: skip
    return json.loads((folder / "counted.json").read_text()), done.stdout + done.stderr


class TestKept:
    def test_of_a_step_one_report_is_kept(self, run_pytest: RunPytest, folder: Path) -> None:
        kept, said = counted(run_pytest, folder, "-q")
        assert kept["items"] > 20
        assert kept["keywords"] == kept["stashes"] == 0
        assert kept["silent"]
        assert all("test_mine" in name for name in (*kept["silent"], *kept["page"]))
        passed, gone = kept["reports"]["passed"], kept["reports"]["deselected"]
        assert passed + kept["reports"].get("error", 0) + kept["reports"].get("failed", 0) <= kept["tests"] + gone
        assert f"{passed} passed, {gone} deselected" in said

    def test_durations_have_all_phases(self, run_pytest: RunPytest, folder: Path) -> None:
        kept, said = counted(run_pytest, folder, "-q", "--durations=3", "-vv")
        assert any("test_mine" not in name for name in kept["silent"])
        assert "slowest 3 durations" in said

    def test_what_a_users_own_fixture_printed_is_still_shown(
        self, run_pytest: RunPytest, folder: Path, tmp_path: Path
    ) -> None:
        """Of a step as of any test."""
        (tmp_path / "talks.py").write_text(TALKING, encoding="utf-8")
        (tmp_path / "saved.json").write_bytes((folder / "saved.json").read_bytes())
        done = run_pytest(
            *REPLAY, "-p", "talks", "-rA", "--tb=short", guide_tests(), cwd=tmp_path, environment={"PYTHONPATH": str(tmp_path)}
        )  # fmt: skip
        assert "said by a user's fixture" in done.stdout, done.stdout + done.stderr


class TestTexts:
    def test_a_redactor_does_not_remember_all_that_it_ever_saw(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A fleet's own texts are without end; what machines say alike comes again and again, and stays."""
        monkeypatch.setattr(redacting, "_REMEMBERED", 50)
        redactor = Redactor(["hunter22"])
        for number in range(500):
            assert redactor.text(f"text {number} hunter22").endswith("[removed: secret]")
            assert redactor.text("said by all: hunter22").endswith("[removed: secret]")
        assert len(redactor._seen) + len(redactor._seen_before) <= 100
        assert redactor.summary() == {"secret": 1000}


class TestLines:
    @pytest.fixture
    def records(self) -> tuple[HostRecord, ...]:
        """Some hosts' records."""
        return small_fleet().surveys().records

    def test_a_line_is_cleaned_once(self, records: tuple[HostRecord, ...]) -> None:
        cleaned = []

        def clean(text: str) -> str:
            cleaned.append(text)
            return text.replace("web", "wob")

        lines = Lines(clean)
        for _ in range(3):
            for record in records:
                assert lines.of(record) == host_line(record).replace("web", "wob")
        assert len(cleaned) == len(records)
        lines.close()

    def test_a_record_that_has_changed_has_another_line(self, records: tuple[HostRecord, ...]) -> None:
        lines = Lines(str)
        changed = records[0].model_copy(update={"requests": 99})
        assert lines.of(records[0]) != lines.of(changed) == host_line(changed)
        lines.close()

    def test_without_room_for_its_file_each_is_made_anew(
        self, records: tuple[HostRecord, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("tempfile.TemporaryFile", full)
        lines = Lines(str)
        assert [lines.of(record) for record in records] == [lines.of(record) for record in records]
        lines.close()
