"""Files: outputs replace nothing that is not theirs, inputs are read only where they are files of a sane size."""

from __future__ import annotations

import json
import os
import stat
import struct
import threading
import zipfile
from pathlib import Path

import pytest

from pytest_tentacle import files
from pytest_tentacle.inventory import InventoryError, load
from pytest_tentacle.run import bundle
from pytest_tentacle.run.outputs import places
from pytest_tentacle.survey import limits, store


@pytest.fixture(scope="module")
def surveys(documents):
    """The small fleet's surveys, as text."""
    from support.fleets.world import small_fleet

    return store.dumps(small_fleet().surveys())


@pytest.fixture
def packed(surveys, tmp_path):
    """A bundle of them."""
    path = tmp_path / "case.zip"
    bundle.write_bundle(path, {bundle.SURVEYS: surveys, "report.md": "# x"})
    return path


class TestWriting:
    def test_facts_are_private_and_reports_follow_the_umask(self, tmp_path, surveys):
        """Surveys and bundles: 0600, whatever was there before."""
        (tmp_path / "case.zip").write_bytes(b"")
        (tmp_path / "case.zip").chmod(0o644)
        before = os.umask(0o027)
        try:
            bundle.write_bundle(tmp_path / "case.zip", {bundle.SURVEYS: surveys})
            files.write_private(tmp_path / "s.json", surveys)
            files.write(tmp_path / "r.md", "x")
        finally:
            os.umask(before)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes == {"case.zip": 0o600, "s.json": 0o600, "r.md": 0o640}

    @pytest.mark.parametrize("kind", ["fifo", "link", "dangling link", "device", "folder"])
    def test_what_is_no_file_is_told_and_left(self, tmp_path, kind):
        """Neither before the survey nor after it is it replaced."""
        path, victim = tmp_path / "out.json", tmp_path / "victim"
        victim.write_text("precious")
        match kind:
            case "fifo":
                os.mkfifo(path)
            case "link":
                path.symlink_to(victim)
            case "dangling link":
                path.symlink_to(tmp_path / "nowhere")
            case "device":
                if os.geteuid() != 0:
                    pytest.skip("device nodes are root's to make")
                os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
            case "folder":
                path.mkdir()
        before = path.lstat()
        with pytest.raises(pytest.UsageError, match=r"cannot be written: .*--bundle"):
            places.check_writable(path, "--bundle FILE.zip")
        with pytest.raises(OSError, match=r"it is|directory"):
            files.write(path, "x")
        assert path.lstat() == before
        assert victim.read_text() == "precious"
        assert sorted(each.name for each in tmp_path.iterdir()) == ["out.json", "victim"]

    def test_a_link_with_the_old_name_of_the_part_is_not_followed(self, tmp_path):
        """Nobody can guess the name of the file beside."""
        (tmp_path / "victim").write_text("precious")
        for name in ("b.zip.part", ".b.zip.part"):
            (tmp_path / name).symlink_to(tmp_path / "victim")
        files.write(tmp_path / "b.zip", "x")
        assert (tmp_path / "victim").read_text() == "precious"

    def test_writers_of_one_file_do_not_disturb_each_other(self, tmp_path, surveys):
        """Eight at once, a hundred times: each reader sees one whole bundle, no writer fails, nothing is left beside."""
        path = tmp_path / "case.zip"
        bundle.write_bundle(path, {bundle.SURVEYS: surveys})
        failed = []

        def write() -> None:
            try:
                for number in range(12):
                    bundle.write_bundle(path, {bundle.SURVEYS: surveys, "report.md": "x" * number})
            except OSError as error:
                failed.append(error)

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            bundle.load_surveys(path)
        for thread in threads:
            thread.join()
        assert failed == []
        assert [each.name for each in tmp_path.iterdir()] == ["case.zip"]

    def test_a_disk_that_is_full_leaves_the_old_file(self, tmp_path, monkeypatch):
        """And nothing beside it."""
        path = tmp_path / "a.json"
        path.write_text("old")
        monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(OSError, match="No space"):
            files.write(path, "new")
        assert path.read_text() == "old"
        assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


class TestApart:
    @pytest.mark.parametrize(
        "options",
        [
            ("--bundle", "fleet.yaml"),
            ("--save-surveys", "fleet.yaml"),
            ("--html", "fleet.yaml"),
            ("--junitxml", "fleet.yaml"),
            ("--bundle", "same"),
            ("--html", "x.json"),
            ("--bundle", "secret.txt"),
            ("--bundle", "x.zip", "--save-surveys", "./x.zip"),
            ("--html", "x.html", "--save-surveys", "x.json"),
        ],
        ids=" ".join,
    )
    def test_no_output_is_an_input_or_another_output(self, case, options):
        """Exit code 4 before any machine is contacted; what would be overwritten is as it was."""
        inventory = case.folder / "fleet.yaml"
        (case.folder / "secret.txt").write_text("word")
        text = inventory.read_text().replace("'correct horse  battery'", "'${file:secret.txt}'")
        inventory.write_text(text)
        os.link(inventory, case.folder / "same")
        done = case.run(*options)
        assert done.returncode == 4, done.stdout
        assert "which would be overwritten. Name another file" in done.stderr
        assert inventory.read_text() == text
        assert (case.folder / "secret.txt").read_text() == "word"
        assert "surveying" not in done.stdout


class TestReading:
    @pytest.mark.parametrize("what", ["fifo", "/dev/zero", "large"])
    def test_what_is_no_file_of_a_sane_size_is_refused_at_once(self, tmp_path, what):
        """As an inventory, as a secret, as a replay: nothing waits and nothing is read."""
        path = tmp_path / "input"
        if what == "fifo":
            os.mkfifo(path)
        elif what == "large":
            with path.open("wb") as file:
                file.truncate(2_000_000_000)
        else:
            path = Path(what)
        with pytest.raises(InventoryError, match=r"no file|larger than"):
            load([path])
        with pytest.raises(store.StoreError, match=r"no file|larger than"):
            bundle.load_surveys(path)
        inventory = tmp_path / "i.yaml"
        inventory.write_text(
            f"tentacles: [{{name: a, transport: {{kind: ssh, user: u, password: '${{file:{path}}}'}}}}]\n"
        )
        with pytest.raises(InventoryError, match=r"no file|larger than"):
            load([inventory])

    def test_a_code_beyond_unicode_is_a_fault_like_any_other(self, tmp_path):
        r"""`"\\UFFFFFFFF"` in an inventory, and half of a surrogate pair, which could never be written."""
        path = tmp_path / "i.yaml"
        for code in ("\\UFFFFFFFF", "\\ud800"):
            path.write_text(f'tentacles: [{{name: "{code}"}}]\n')
            with pytest.raises(InventoryError, match=r"not YAML|no Unicode"):
                load([path])
        path.write_text("tentacles: [{name: '${env:NAME}'}]\n")
        with pytest.raises(InventoryError, match="no text"):
            load([path], {"NAME": "a\udcff"})


def patched(raw: bytes, at: int, value: bytes) -> bytes:
    """The bytes with some in the middle replaced."""
    return raw[:at] + value + raw[at + len(value) :]


def whole_or_told(path: Path, whole: store.Surveys) -> str | None:
    """Why a bundle is refused; None where it was read as it was."""
    try:
        assert bundle.load_surveys(path) == whole
    except store.StoreError as error:
        return str(error)
    return None


class TestDamage:
    def test_a_bundle_damaged_anywhere_is_told_in_a_sentence(self, packed, tmp_path):
        """Each byte of its headers, and every seventh of the rest, turned round: it is read as it was, or refused."""
        raw = packed.read_bytes()
        damaged = tmp_path / "damaged.zip"
        central = raw.index(b"PK\x01\x02")
        places = [*range(60), *range(60, central, 97), *range(central, len(raw))]
        whole = bundle.load_surveys(packed)
        for place in places:
            for flip in (0xFF, 0x01):
                damaged.write_bytes(patched(raw, place, bytes([raw[place] ^ flip])))
                told = whole_or_told(damaged, whole)
                assert told is None or (str(damaged) in told and "\n" not in told)

    @pytest.mark.parametrize("method", [1, 6, 9, 10, 12, 14, 93, 99])
    def test_other_ways_of_packing(self, packed, tmp_path, method):
        """That zipfile does not know, or knows and finds damaged."""
        raw = packed.read_bytes()
        for signature, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
            at = raw.index(signature) + offset
            raw = patched(raw, at, struct.pack("<H", method))
        (tmp_path / "x.zip").write_bytes(raw)
        with pytest.raises(store.StoreError, match="not a whole bundle"):
            bundle.load_surveys(tmp_path / "x.zip")

    def test_cut_off_anywhere(self, packed, tmp_path):
        """As on a full disk."""
        raw = packed.read_bytes()
        for length in range(0, len(raw), 211):
            (tmp_path / "x.zip").write_bytes(raw[:length])
            with pytest.raises(store.StoreError):
                bundle.load_surveys(tmp_path / "x.zip")


def zipped(path: Path, parts: dict[str, bytes]) -> Path:
    """A bundle of these parts, with the digests of what is in it."""
    import hashlib

    digests = {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps({"format": 1, "version": "0", "sha256": digests}))
    return path


class TestBombs:
    def test_parts_that_unpack_to_more_than_all_may_have(self, tmp_path):
        """Told by their headers, before one byte is unpacked."""
        path = zipped(
            tmp_path / "x.zip",
            {"surveys.json": b" " * (limits.BUNDLE_BYTES // 2 + 1), "b": b" " * (limits.BUNDLE_BYTES // 2)},
        )
        assert path.stat().st_size < 1_000_000
        with pytest.raises(store.StoreError, match="would unpack to"):
            bundle.load_surveys(path)

    def test_many_parts_that_share_one_body(self, tmp_path):
        """Two hundred names for the same bytes."""
        path = tmp_path / "x.zip"
        zipped(path, {f"part-{number}": b"x" for number in range(200)})
        with pytest.raises(store.StoreError, match="201 parts"):
            bundle.load_surveys(path)

    @pytest.mark.parametrize("unit", [b"[],", b"{},", b"1,", b"[[[[[[[[[["], ids=str)
    def test_values_without_end(self, tmp_path, unit):
        """Counted before they are parsed, in a bundle and as a file of their own."""
        data = b'{"inventory": {}, "records": [' + unit * (limits.FILE_VALUES + 1) + b"1]}"
        with pytest.raises(store.StoreError, match="values"):
            store.loads(data, "x")

    @pytest.mark.parametrize("text", ['"\\ud800"', "NaN", "1e999", "Infinity"])
    def test_what_cannot_travel_on(self, surveys, text):
        """A survey file comes from a stranger, too."""
        document = json.loads(surveys)
        document["records"][0]["seconds"] = "@"
        with pytest.raises(store.StoreError, match="damaged"):
            store.loads(json.dumps(document).replace('"@"', text).encode(), "x")

    def test_a_certificate_that_is_not_decoded(self, surveys):
        """As files of before had them; nobody behind the door would take it apart."""
        document = json.loads(surveys)
        document["records"][1]["survey"]["probes"][0]["tls"]["certificate"] = "MIIC"
        with pytest.raises(store.StoreError, match="damaged"):
            store.loads(json.dumps(document).encode(), "x")
