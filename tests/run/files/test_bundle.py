"""The bundle for a ticket: it replays, refuses what was changed, and keeps names to itself where asked."""

from __future__ import annotations

import json
import re
import stat
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from pathlib import Path

import pytest

QUIET = ("-p", "no:cacheprovider")


def outcomes(path: Path) -> Counter[tuple[str, ...]]:
    """How many test cases there are with which JUnit elements, names left out."""
    return Counter(
        tuple(child.tag for child in case if child.tag != "properties")
        for case in ET.parse(path).getroot().iter("testcase")
    )


@pytest.fixture(scope="module")
def bundled(surveyed, run_pytest, tmp_path_factory):
    """A bundle and its run's folder."""
    folder = tmp_path_factory.mktemp("bundle")
    run_pytest("--replay", surveyed[2], "--bundle", "case.zip", "--junitxml", "j.xml", *QUIET, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def hidden(surveyed, run_pytest, tmp_path_factory):
    """A run under false names."""
    folder = tmp_path_factory.mktemp("hidden")
    run_pytest("--replay", surveyed[2], "--bundle", "case.zip", "--pseudonyms", *QUIET, cwd=folder)
    return folder


def rewritten(bundle: Path, target: Path, change) -> Path:
    """The bundle with `change(name, bytes)` applied to each part."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


class TestBundle:
    """--bundle FILE.zip, and --replay of it."""

    def test_it_holds_report_facts_and_digests(self, bundled: Path):
        """Everything a stranger needs."""
        with zipfile.ZipFile(bundled / "case.zip") as bundle:
            manifest = json.loads(bundle.read("manifest.json"))
            assert set(manifest["sha256"]) == {"surveys.json", "report.json", "report.md", "report.html"}
            assert set(bundle.namelist()) == {*manifest["sha256"], "manifest.json"}

    def test_it_replays_with_the_same_verdicts(self, bundled: Path, run_pytest, tmp_path: Path):
        """Without the network."""
        run_pytest("--replay", bundled / "case.zip", "--junitxml", "j.xml", *QUIET, cwd=tmp_path)
        assert outcomes(tmp_path / "j.xml") == outcomes(bundled / "j.xml")

    def test_a_changed_part_is_refused(self, bundled: Path, run_pytest, tmp_path: Path):
        """It names the part."""
        changed = rewritten(
            bundled / "case.zip", tmp_path / "x.zip", lambda name, data: data + b" " * (name == "surveys.json")
        )
        done = run_pytest("--replay", changed, *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert "surveys.json was changed after the run" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr

    def test_a_newer_one_is_refused(self, bundled: Path, run_pytest, tmp_path: Path):
        """With the version that wrote it."""

        def newer(name: str, data: bytes) -> bytes:
            return (
                json.dumps({**json.loads(data), "format": 99, "version": "9.9"}).encode()
                if "manifest" in name
                else data
            )

        done = run_pytest("--replay", rewritten(bundled / "case.zip", tmp_path / "x.zip", newer), *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert "newer pytest-tentacle (9.9)" in done.stderr

    def test_a_foreign_archive_is_refused(self, run_pytest, tmp_path: Path):
        """In one line."""
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as foreign:
            foreign.writestr("a", "b")
        done = run_pytest("--replay", "x.zip", *QUIET, cwd=tmp_path)
        assert done.returncode == 4
        assert "not a whole bundle" in done.stderr
        assert "Traceback" not in done.stdout + done.stderr


class TestPseudonyms:
    """--pseudonyms: what leaves the house names nobody, and still gives the same verdicts."""

    def test_no_name_is_left(self, hidden: Path):
        """In no part of the bundle, nor beside the report but in the private mapping. Loopback addresses name nobody."""
        texts = {path.name: path.read_text(encoding="utf-8") for path in (hidden / "reports").iterdir()}
        mapping = next(name for name in texts if name.endswith(".mapping.json"))
        del texts[mapping]
        with zipfile.ZipFile(hidden / "case.zip") as bundle:
            texts |= {f"bundle {name}": bundle.read(name).decode() for name in bundle.namelist()}
        assert len(texts) == 8
        for name, text in texts.items():
            assert "missing-01" not in text, name

    def test_the_mapping_is_private(self, hidden: Path):
        """It tells who is who: for its owner alone."""
        mapping = next((hidden / "reports").glob("*.mapping.json"))
        assert "missing-01" in mapping.read_text(encoding="utf-8")
        assert stat.S_IMODE(mapping.stat().st_mode) == 0o600

    def test_the_causes_are_the_same(self, bundled: Path, hidden: Path, run_pytest, tmp_path: Path):
        """And so are their facts: the mapping turns the one report's machines into the other's."""
        run_pytest("--replay", hidden / "case.zip", "--html", "r.html", *QUIET, cwd=tmp_path)
        mapping = json.loads(next((hidden / "reports").glob("*.mapping.json")).read_text(encoding="utf-8"))["hosts"]
        with zipfile.ZipFile(bundled / "case.zip") as bundle:
            real = json.loads(bundle.read("report.json"))["causes"]
        false = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["causes"]
        assert len(real) >= 2
        assert [(cause["code"], sorted(cause["machines"])) for cause in false] == [
            (cause["code"], sorted(mapping[name] for name in cause["machines"])) for cause in real
        ]

    def test_test_ids_are_false_and_k_takes_real_ones(self, surveyed, run_pytest, tmp_path: Path):
        """On the console, in JUnit and in pytest-html's own table; who runs it need not know the false names."""
        done = run_pytest(
            "--replay", surveyed[2], "--pseudonyms", "-k", "missing-01 and services", "-v", "--junitxml", "j.xml",
            "--html", "r.html", *QUIET, cwd=tmp_path,
        )  # fmt: skip
        names = [case.get("name") for case in ET.parse(tmp_path / "j.xml").getroot().iter("testcase")]
        assert [re.sub(r"\d+", "N", name) for name in names] == ["test_services_running[host-N-services-running]"]
        for text in (done.stdout, *((tmp_path / name).read_text(encoding="utf-8") for name in ("j.xml", "r.html"))):
            assert "missing-01" not in text
            assert "[host-" in text

    def test_the_inventorys_file_is_not_named(self, hidden: Path):
        """Its path may tell who somebody is; what stands instead reads like a file."""
        with zipfile.ZipFile(hidden / "case.zip") as bundle:
            inventory = json.loads(bundle.read("surveys.json"))["inventory"]
        assert inventory["files"] == ["inventory-1.yaml"]
        assert {machine["origin"]["file"] for machine in inventory["tentacles"]} == {"inventory-1.yaml"}

    def test_the_verdicts_are_the_same(self, bundled: Path, hidden: Path, run_pytest, tmp_path: Path):
        """Equal names and addresses stay equal, so no link is lost."""
        run_pytest("--replay", hidden / "case.zip", "--junitxml", "j.xml", *QUIET, cwd=tmp_path)
        assert outcomes(tmp_path / "j.xml") == outcomes(bundled / "j.xml")
