"""What the lab of hosts was surveyed with, fault by fault, in one archive: to be judged anew without the lab.

`python3 scripts/dev.py faults --record` writes it anew, from a run of all single faults, or of those that are named.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pytest_tentacle.judging.thumbprints import as_thumbprint
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.store import Surveys

ARCHIVE = Path(__file__).resolve().parents[2] / "hosts" / "surveys.tar.xz"


def write(new: Mapping[str, str], known: frozenset[str]) -> None:
    """Pack surveys by scenario, with those of before that are still `known`; the same surveys give the same archive."""
    texts = {name: canonical(text) for name, text in (_texts() | dict(new)).items() if set(name.split("+")) <= known}
    with tarfile.open(ARCHIVE, "w:xz", preset=9) as archive:
        for name, text in sorted(texts.items()):
            content = text.encode()
            entry = tarfile.TarInfo(f"{name}.json")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    _texts.cache_clear()
    alone.cache_clear()


def recorded() -> Iterator[tuple[str, Surveys]]:
    """Each scenario's name, and its surveys."""
    for name in _texts():
        if "+" not in name:
            yield name, alone(name)


def pairs_recorded() -> Iterator[tuple[tuple[str, ...], Surveys]]:
    """The names of two scenarios that were injected together, and their surveys."""
    for name, text in _texts().items():
        if "+" in name:
            yield tuple(name.split("+")), Surveys.model_validate_json(text)


@cache
def alone(name: str) -> Surveys:
    """The surveys of one scenario, read once. Raises KeyError where it is not recorded."""
    surveys = Surveys.model_validate_json(_texts()[name])
    _NAMES[id(surveys)] = name
    return surveys


def name_of(surveys: Surveys) -> str | None:
    """The scenario whose recorded surveys these very ones are; None for all others, though they may say the same."""
    name = _NAMES.get(id(surveys))
    return name if name and alone(name) is surveys else None


_NAMES: dict[int, str] = {}
"""By the id of surveys that `alone` keeps."""


def canonical(text: str) -> str:
    """Surveys with certificates that are the same in each: a lab makes new ones whenever it starts."""
    for subject in fleet_of(Surveys.model_validate_json(text)).subjects:
        own = as_thumbprint(subject.configured_thumbprint or subject.presented_here)
        if own:
            text = text.replace(own, hashlib.sha1(subject.name.encode(), usedforsecurity=False).hexdigest().upper())
    return text


@cache
def _texts() -> dict[str, str]:
    if not ARCHIVE.exists():
        return {}
    with tarfile.open(ARCHIVE, "r:xz") as archive:
        files = [(entry.name, archive.extractfile(entry)) for entry in archive]
        return {name.removesuffix(".json"): content.read().decode() for name, content in files if content is not None}
