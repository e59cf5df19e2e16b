"""What the lab of hosts was surveyed with, fault by fault, in one archive: to be judged anew without the lab.

`python3 scripts/dev.py faults --record` writes it anew, from a run of all single faults.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

from pytest_tentacle.survey.store import Surveys

ARCHIVE = Path(__file__).resolve().parents[2] / "hosts" / "surveys.tar.xz"


def write(folder: Path) -> None:
    """Pack the survey files of a folder; the same files give the same archive."""
    with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
        for path in sorted(folder.glob("*.json")):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def recorded() -> Iterator[tuple[str, Surveys]]:
    """Each scenario's name, and its surveys."""
    with tarfile.open(ARCHIVE, "r:xz") as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            assert content is not None
            yield entry.name.removesuffix(".json"), Surveys.model_validate_json(content.read())
