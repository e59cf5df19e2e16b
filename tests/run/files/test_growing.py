"""Survey file and bundle while a run adds to them: whole at each moment, written once, and readable when cut off."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run import bundle
from pytest_tentacle.run.outputs.failures import Failures
from pytest_tentacle.run.survey_files.growing import unfinished_text
from pytest_tentacle.run.survey_files.keeping import Keeping
from pytest_tentacle.survey import store
from pytest_tentacle.survey.model import HostRecord, Unreachable
from pytest_tentacle.survey.store import Surveys
from pytest_tentacle.transport import ReachStage
from support.fleets.world import small_fleet


@pytest.fixture(scope="module")
def whole() -> Surveys:
    """Three hosts' surveys."""
    return small_fleet().surveys()


def without(record: HostRecord) -> HostRecord:
    """The record of a host that has not answered yet."""
    waiting = Unreachable(stage=ReachStage.NOT_ASKED, summary="the run was interrupted", advice="Run again.")
    return HostRecord(
        host_key=record.host_key, machines=record.machines, taken_utc=record.taken_utc, seconds=0.0, unreachable=waiting
    )


def steps(whole: Surveys) -> Iterator[Surveys]:
    """What is known after each answer; nobody has answered at first."""
    waiting = {record.host_key: without(record) for record in whole.records}
    for answered in range(len(whole.records) + 1):
        known = tuple(
            record if number < answered else waiting[record.host_key] for number, record in enumerate(whole.records)
        )
        yield whole.model_copy(update={"records": known})


def read_or_told(path: Path) -> Surveys | None:
    """What is in a file; None where that cannot be read, which is told with the file's name."""
    try:
        return bundle.load_surveys(path)
    except store.StoreError as error:
        if str(path) not in str(error):
            raise
        return None


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Keeping]:
    """Of both files."""
    kept = Keeping(tmp_path / "run.json", tmp_path / "case.zip", Redactor(), Failures())
    yield kept
    kept.pause()


class TestGrowing:
    def test_after_each_answer_both_replay(self, keeping: Keeping, whole: Surveys, tmp_path: Path) -> None:
        """With all that is known by then."""
        for known in steps(whole):
            keeping.add(known)
            assert store.load(tmp_path / "run.json") == known
            assert bundle.load_surveys(tmp_path / "case.zip") == known

    def test_the_bundle_is_a_zip_with_right_digests(self, keeping: Keeping, whole: Surveys, tmp_path: Path) -> None:
        """Any program unpacks it."""
        for known in steps(whole):
            keeping.add(known)
            with zipfile.ZipFile(tmp_path / "case.zip") as archive:
                assert archive.testzip() is None
                assert archive.namelist() == ["surveys.json", "manifest.json"]
                digest = hashlib.sha256(archive.read("surveys.json")).hexdigest()
                assert json.loads(archive.read("manifest.json"))["sha256"] == {"surveys.json": digest}

    def test_what_is_written_stays(self, keeping: Keeping, whole: Surveys, tmp_path: Path) -> None:
        """An answer is written once: the rest of the file is the same file, byte for byte."""
        before: tuple[bytes, ...] = (b"", b"")
        known = whole
        for known in steps(whole):
            keeping.add(known)
            now = tuple((tmp_path / name).read_bytes() for name in ("run.json", "case.zip"))
            assert now[0].startswith(before[0].removesuffix(b"\n]}"))
            kept = max(0, len(before[1]) - 500)  # the archive's own end is some 400 bytes
            assert now[1][:kept] == before[1][:kept]
            before = now
        size = (tmp_path / "run.json").stat().st_size
        keeping.add(known)
        assert (tmp_path / "run.json").stat().st_size == size

    def test_cut_off_anywhere(self, keeping: Keeping, whole: Surveys, tmp_path: Path) -> None:
        """What a run that is killed in the middle of writing leaves: the hosts that are whole, or a sentence."""
        for known in steps(whole):
            keeping.add(known)
        raw, packed = (tmp_path / "run.json").read_bytes(), (tmp_path / "case.zip").read_bytes()
        known_hosts = {record.host_key: [without(record), record] for record in whole.records}
        found = set()
        for text, step in ((raw, 997), (packed, 293)):
            for length in range(0, len(text), step):
                cut = tmp_path / "cut"
                cut.write_bytes(text[:length])
                surveys = read_or_told(cut)
                if surveys is None:
                    continue
                assert all(record in known_hosts[record.host_key] for record in surveys.records)
                found.add(sum(record.survey is not None for record in surveys.records))
        assert found >= {0, 1, 2}

    def test_a_finished_one_that_was_cut_off_is_damaged(self, keeping: Keeping, whole: Surveys, tmp_path: Path) -> None:
        """Only a run that was killed leaves one without an end."""
        keeping.add(whole)
        keeping.finish(whole)
        assert store.load(tmp_path / "run.json") == whole
        assert bundle.load_surveys(tmp_path / "case.zip") == whole
        assert unfinished_text((tmp_path / "case.zip").read_bytes()) is None
        raw = (tmp_path / "run.json").read_bytes()
        (tmp_path / "run.json").write_bytes(raw[: len(raw) // 2])
        with pytest.raises(store.StoreError, match="damaged"):
            store.load(tmp_path / "run.json")

    def test_a_failure_is_told_and_mended(self, whole: Surveys, tmp_path: Path) -> None:
        """A folder that cannot be written to now, and can be later, has all of it then."""
        failures = Failures()
        keeping = Keeping(tmp_path / "run.json", None, Redactor(), failures)
        *some, last = steps(whole)
        (tmp_path / "run.json").mkdir()
        keeping.add(some[-1])
        assert [text.partition(":")[0] for text in failures] == [f"{tmp_path / 'run.json'} could not be written"]
        (tmp_path / "run.json").rmdir()
        keeping.add(last)
        assert not failures
        assert store.load(tmp_path / "run.json") == last
        keeping.pause()

    def test_a_name_that_is_learnt_later_is_hidden_in_what_came_before(self, whole: Surveys, tmp_path: Path) -> None:
        """Under false names all is written anew each time."""
        keeping = Keeping(tmp_path / "run.json", None, Redactor(pseudonyms=True), Failures())
        name = "secretive-host-77"
        first, *others = whole.records
        assert first.survey is not None
        mentions = first.model_copy(update={"survey": first.survey.model_copy(update={"noise": f"hello {name}"})})
        tells = next(record for record in others if record.survey is not None)
        own = tells.survey.host.model_copy(
            update={"data": tells.survey.host.data.model_copy(update={"hostname": name})}
        )
        told = tells.model_copy(update={"survey": tells.survey.model_copy(update={"host": own})})
        keeping.add(whole.model_copy(update={"records": (mentions, without(tells))}))
        keeping.add(whole.model_copy(update={"records": (mentions, told)}))
        keeping.pause()
        text = (tmp_path / "run.json").read_text()
        assert "hello" in text
        assert name not in text
