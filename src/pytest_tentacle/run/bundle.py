"""The bundle: report and surveys of a run in one archive, for a ticket; and what `--replay` reads.

A bundle comes from a stranger. It is read in memory only, by a budget over all of its parts, and whatever is wrong
with it is told in a sentence.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_tentacle import __version__, files
from pytest_tentacle.inventory import Selection, SelectionError
from pytest_tentacle.survey import limits, store

from .survey_files import growing

FORMAT = 1
SURVEYS = growing.SURVEYS
MANIFEST = growing.MANIFEST
REPORTS = ("report.json", "report.md", "report.html")


Part = str | Callable[[], Iterable[str]]
"""A part's text, or what makes it piece by piece."""


def write_bundle(path: Path, parts: Mapping[str, Part]) -> None:
    """Write a replay bundle: the parts, and a manifest with versions and each part's SHA-256. Raises OSError."""
    digests = {}
    with files.replacing(path, files.PRIVATE) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, part in parts.items():
            digest = hashlib.sha256()
            with bundle.open(_entry(name), "w") as member:
                for piece in [part] if isinstance(part, str) else part():
                    data = piece.encode("utf-8")
                    digest.update(data)
                    member.write(data)
            digests[name] = digest.hexdigest()
        bundle.writestr(MANIFEST, manifest_text(digests))


def write_part(path: Path, part: Part) -> bool:
    """Write a part as a file of its own. True; raises OSError, or what the part's making raises."""
    files.write(path, part if isinstance(part, str) else (piece.encode("utf-8") for piece in part()))
    return True


def text_of(part: Part) -> str:
    """A part's whole text."""
    return part if isinstance(part, str) else "".join(part())


def manifest_text(digests: Mapping[str, str]) -> str:
    """The manifest of parts with these SHA-256 digests."""
    return json.dumps({"format": FORMAT, "version": __version__, "sha256": digests}, indent=1)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def load_surveys(path: Path) -> store.Surveys:
    """The surveys in a bundle or a survey file. Raises StoreError for what is damaged, changed, too large or newer."""
    raw = store.read_file(path)
    unfinished = growing.unfinished_text(raw)
    if unfinished is not None:
        return store.loads(unfinished, f"{path}: {SURVEYS}")
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        return store.loads(raw, str(path))
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as bundle:
            return _surveys_in(bundle, path)
    except store.StoreError:
        raise
    except Exception as error:  # noqa: BLE001  a damaged archive raises whatever its unpacker stumbles over
        why = str(error) if isinstance(error, (KeyError, ValueError, OSError)) else ""
        raise store.StoreError(
            f"{path}: not a whole bundle of pytest-tentacle ({why[:200] or type(error).__name__}). "
            "Take it again with --bundle."
        ) from None


def _surveys_in(bundle: zipfile.ZipFile, path: Path) -> store.Surveys:
    entries = bundle.infolist()
    if len(entries) > limits.BUNDLE_PARTS:
        raise store.StoreError(f"{path}: holds {len(entries):,} parts; a bundle of pytest-tentacle has five.")
    size = sum(entry.file_size for entry in entries)
    if size > limits.BUNDLE_BYTES:
        raise store.StoreError(
            f"{path}: its parts would unpack to {size:,} bytes; more than {limits.BUNDLE_BYTES:,} are not read."
        )
    names = [entry.filename for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise store.StoreError(f"{path}: holds a part twice: {', '.join(twice)}.")
    manifest = json.loads(bundle.read(MANIFEST))
    if manifest.get("format", 0) > FORMAT:
        raise store.StoreError(
            f"{path}: written by a newer pytest-tentacle ({manifest.get('version')}). Upgrade to replay it."
        )
    unlisted = set(names) - {MANIFEST, *manifest["sha256"]}
    if unlisted:
        raise store.StoreError(f"{path}: holds what the run did not put there: {', '.join(sorted(unlisted))}.")
    surveys = b""
    for name, digest in manifest["sha256"].items():
        data = bundle.read(name)
        if hashlib.sha256(data).hexdigest() != digest:
            raise store.StoreError(f"{path}: {name} was changed after the run: it does not fit its digest.")
        if name == SURVEYS:
            surveys = data
    return store.loads(surveys, f"{path}: {SURVEYS}")


def within(selection: Selection, judged: tuple[str, ...], name: str) -> Selection:
    """A replay judges what the run that it replays has judged, or less. Raises SelectionError."""
    machines = tuple(each for each in selection.machines if each in judged)
    if not machines:
        raise SelectionError(
            f"{name} has no survey of what is selected; it judges {', '.join(judged[:10])}"
            + (" ..." if len(judged) > 10 else "")  # noqa: PLR2004  a line's worth
        )
    return replace(selection, machines=machines)
