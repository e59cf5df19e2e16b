"""The files of a run, beside the HTML report: surveys, JSON, Markdown, the bundle, the private mapping of pseudonyms.

Every text goes through the run's redactor. Files appear whole or not at all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_tentacle import __version__
from pytest_tentacle.report.document import Report
from pytest_tentacle.report.json_report import report_json
from pytest_tentacle.report.markdown import report_markdown
from pytest_tentacle.survey import store

BUNDLE_FORMAT = 1
SURVEYS = "surveys.json"
MANIFEST = "manifest.json"
MOST_BYTES = 512 * 1024 * 1024
"""A bundle's part may unpack to no more than that."""


def write(path: Path, data: str | bytes) -> None:
    """Write a file in one step, with the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    temporary.replace(path)


def check_writable(path: Path, option: str) -> None:
    """Find out before the survey what would else be found out after it. Raises pytest.UsageError."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise pytest.UsageError(
            f"{path} cannot be written: {error.strerror or error}. Name a file in a folder that you "
            f"may write to: {option}."
        ) from None


def reserve(path: Path) -> Path:
    """A file of this name, or with a number behind it where another run has that; empty until it is written."""
    free, number = path, 1
    while True:
        try:
            free.touch(exist_ok=False)
        except FileExistsError:
            number += 1
            free = path.with_stem(f"{path.stem}-{number}")
        else:
            return free


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def hide_junit_host(path: Path) -> None:
    """Take the name of the machine that ran pytest out of a JUnit file; nothing to do where there is none."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
        write(path, re.sub(r'(<testsuite [^>]*?\bhostname=")[^"]*', r"\1hidden", text))


def texts_of(report: Report) -> dict[str, str]:
    """The report for programs and for tickets, by their names in a bundle."""
    return {"report.json": report_json(report), "report.md": report_markdown(report)}


def write_bundle(path: Path, parts: Mapping[str, str]) -> None:
    """Write a replay bundle: the parts, and a manifest with versions and each part's SHA-256."""
    digests = {name: hashlib.sha256(text.encode("utf-8")).hexdigest() for name, text in parts.items()}
    manifest = {"format": BUNDLE_FORMAT, "version": __version__, "sha256": digests}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in parts.items():
            bundle.writestr(name, text)
        bundle.writestr(MANIFEST, json.dumps(manifest, indent=1))
    temporary.replace(path)


def load_surveys(path: Path) -> store.Surveys:
    """The surveys in a bundle or a survey file. Raises StoreError for what is damaged, changed or newer."""
    if not zipfile.is_zipfile(path):
        return store.load(path)
    try:
        with zipfile.ZipFile(path) as bundle:
            manifest = json.loads(_part(bundle, MANIFEST))
            if manifest.get("format", 0) > BUNDLE_FORMAT:
                raise store.StoreError(
                    f"{path}: written by a newer pytest-tentacle ({manifest.get('version')}). Upgrade to replay it."
                )
            for name, digest in manifest["sha256"].items():
                if hashlib.sha256(_part(bundle, name)).hexdigest() != digest:
                    raise store.StoreError(f"{path}: {name} was changed after the run: it does not fit its digest.")
            unlisted = set(bundle.namelist()) - {MANIFEST, *manifest["sha256"]}
            if unlisted:
                raise store.StoreError(f"{path}: holds what the run did not put there: {', '.join(sorted(unlisted))}.")
            return store.loads(_part(bundle, SURVEYS), f"{path}: {SURVEYS}")
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        AttributeError,
        TypeError,
        RecursionError,
        EOFError,
        OSError,
    ) as error:
        raise store.StoreError(
            f"{path}: not a whole bundle of pytest-tentacle ({error}). Take it again with --bundle."
        ) from None


def _part(bundle: zipfile.ZipFile, name: str) -> bytes:
    info = bundle.getinfo(name)
    if info.file_size > MOST_BYTES:
        raise ValueError(f"{name} would unpack to {info.file_size} bytes")
    return bundle.read(info)
