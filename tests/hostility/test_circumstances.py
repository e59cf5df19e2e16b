"""Odd circumstances: what the user, his environment or his own files get wrong costs him nothing but that."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET

import pytest

from support.session.cpu import children_cpu as cpu

from .conftest import INVENTORY

PASSWORD = "Corr3ct-Horse!Battery"


def run(case, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own, from its very start on: of it `cpu` knows."""
    return subprocess.run(
        case.command(*arguments), cwd=case.folder, env=case.environment(**environment), stdin=subprocess.DEVNULL, text=True,
        capture_output=True, timeout=280, check=False,
    )  # fmt: skip


class TestEnvironment:
    @pytest.mark.parametrize("zone", ["XXX-167:59:59", "XXX24", "Nowhere/City", ":"])
    def test_a_zone_that_no_clock_has(self, case, zone):
        """A value of TZ that Python's own dates refuse: the reports are written, JUnit's file of pytest itself, too."""
        done = run(case, "--junitxml", "junit.xml", TZ=zone)
        assert done.returncode in {0, 1}, done.stdout[-2000:]
        assert "Traceback" not in done.stdout + done.stderr
        assert "could not be made" not in done.stdout
        assert set(case.reports()) == {".html", ".json", ".md"}
        suite = ET.parse(case.folder / "junit.xml").getroot().find("testsuite")
        assert suite.get("timestamp").endswith("+00:00")
        assert len(list(suite)) > 10


class TestInventories:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("{kind: ssh,", f"{{kind: '{PASSWORD}',"),
            ("mode: listening", f"mode: '{PASSWORD}'"),
            ("os: linux, mode: polling", f"os: '{PASSWORD}', mode: polling"),
            ("password: 'correct horse  battery'}}", "password: '${hunterzwei:x}'}}"),
        ],
    )
    def test_a_password_in_the_wrong_place(self, case, before, after):
        """It is not repeated in the fault that it makes: `kind: <password>` one line too early."""
        assert before in INVENTORY
        (case.folder / "fleet.yaml").write_text(INVENTORY.replace(before, after, 1), encoding="utf-8")
        done = case.run()
        assert done.returncode == 4
        assert "fleet.yaml:" in done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        assert "hunterzwei" not in done.stdout + done.stderr

    def test_thousands_of_unknown_keys(self, case):
        """They are counted in a few seconds, and fifty of them are told."""
        keys = "".join(f", unknown_{number}: 1" for number in range(3_000))
        text = INVENTORY.replace("mode: listening", f"mode: listening{keys}", 1)
        (case.folder / "fleet.yaml").write_text(text, encoding="utf-8")
        before = cpu()
        done = run(case)
        assert done.returncode == 4
        assert "and 2950 more" in done.stderr
        assert cpu() - before < 40

    def test_a_hundred_thousand_machines(self, case):
        """They are refused at the first value that is one too many, and not after the last."""
        rows = "".join(f"- {{name: m{number}, dns_name: m{number}.example.com}}\n" for number in range(100_000))
        (case.folder / "fleet.yaml").write_text(f"tentacles:\n{rows}", encoding="utf-8")
        before = cpu()
        done = run(case)
        assert done.returncode == 4
        assert "more than 300,000 values; name fewer machines" in done.stderr
        assert cpu() - before < 40

    def test_a_name_without_end(self, case):
        """A name of 300 kB is refused, without looking for one like it."""
        text = INVENTORY.replace("name: web-01", f"name: {'x' * 300_000}", 1)
        (case.folder / "fleet.yaml").write_text(text, encoding="utf-8")
        before = cpu()
        done = run(case)
        assert done.returncode == 4
        assert "is longer than 200 characters" in done.stderr
        assert len(done.stderr) < 5_000
        assert cpu() - before < 20
