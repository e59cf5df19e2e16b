"""The last runs of an inventory, kept beside each other when asked for (`--history FOLDER`): one small file a run."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_tentacle import files
from pytest_tentacle.report.document import Report
from pytest_tentacle.survey import store

from .model import PastRun, past_of
from .reading import read_past

KEPT = 30
"""Runs; the files of older ones are removed. Only files of this name and kind are ever removed."""

_STAMP = r"-\d{8}T\d{12}Z\.json"


def past_runs(folder: Path, name: str) -> list[PastRun]:
    """The runs that are kept, oldest first. A file that is none any more is passed over, and stays."""
    runs = []
    for file in _files(folder, name):
        try:
            runs.append(read_past(file, _no_surveys, {}))
        except store.StoreError:
            continue
    return runs


def keep(folder: Path, name: str, report: Report) -> None:
    """Add this run, and remove what is older than the last thirty. Raises OSError."""
    past = past_of(report)
    files.write(folder / f"{name}-{report.started:%Y%m%dT%H%M%S%f}Z.json", past.model_dump_json())
    for old in _files(folder, name)[:-KEPT]:
        old.unlink(missing_ok=True)


def with_history(report: Report, runs: list[PastRun]) -> Report:
    """The report with, for each cause, how many machines had its code in each of the runs and in this one."""
    if not runs:
        return report
    now: dict[str, set[str]] = {}
    for cause in report.causes:
        now.setdefault(cause.code, set()).update(cause.machines)
    causes = tuple(
        cause.model_copy(
            update={"history": (*(run.count(cause.code) for run in runs[-KEPT + 1 :]), len(now[cause.code]))}
        )
        for cause in report.causes
    )
    return report.model_copy(update={"causes": causes})


def _files(folder: Path, name: str) -> list[Path]:
    if not folder.is_dir():
        return []
    kind = re.compile(re.escape(name) + _STAMP)
    return sorted(file for file in folder.iterdir() if kind.fullmatch(file.name))


def _no_surveys(path: Path) -> store.Surveys:
    raise store.StoreError(f"{path}: not a file of --history")
