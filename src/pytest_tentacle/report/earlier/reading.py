"""An earlier run from whatever file is at hand: a report's JSON, a survey file, a bundle, or a file of `--history`.

Such a file may come from a stranger: it is read with the limits of a survey file, and only codes, names, times and
outcomes of it are used.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_tentacle import __version__
from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.sections import STEPS, applicable, checks_of, fleet_of
from pytest_tentacle.survey import store
from pytest_tentacle.survey.store import StoreError, Surveys

from .model import KIND, PastCause, PastRun

TAKES = "--compare takes a report's .json, a file of --history, or what --save-surveys or --bundle wrote."


def read_past(path: Path, surveys_of: Callable[[Path], Surveys], renumbered: Mapping[str, str]) -> PastRun:
    """The run that a file tells of. Raises StoreError for what is none.

    Args:
        path: the file.
        surveys_of: reads a survey file or a bundle.
        renumbered: by an old code the one of today.
    """
    raw = store.read_file(path)
    if not zipfile.is_zipfile(io.BytesIO(raw)):
        document = _document(raw, path)
        past = None if "records" in document else _from_json(document, path)
        if past is not None:
            return past.model_copy(update={"causes": tuple(_of_today(cause, renumbered) for cause in past.causes)})
    return judge_again(surveys_of(path))


def judge_again(surveys: Surveys) -> PastRun:
    """What a survey file's run comes to by this version's judgement: both runs are held against the same rules."""
    fleet = fleet_of(surveys)
    chosen = set(surveys.selected)
    names = [machine.name for machine in surveys.inventory.machines if not chosen or machine.name in chosen]
    results = [
        fleet.subject(name).result(step.slug, checks_of(step.slug))
        for name in names
        for step in STEPS
        if (step.slug != "tentacle-ping" or surveys.ping) and applicable(step.slug, fleet.subject(name))
    ]
    steps: dict[str, dict[str, Any]] = {name: {} for name in names}
    for result in results:
        steps[result.machine][result.step] = result.outcome
    causes = tuple(
        PastCause(code=cause.code, title=cause.title, severity=cause.severity, machines=tuple(cause.machines))
        for cause in diagnose(fleet, results).views()
    )
    return PastRun(version=__version__, taken=surveys.taken_utc, causes=causes, steps=steps)


def _document(raw: bytes, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise StoreError(f"{path}: not the file of a run. {TAKES}")
    return document


def _from_json(document: dict[str, Any], path: Path) -> PastRun:
    """From a file of `--history`, or from a report's JSON."""
    try:
        if document.get("kind") == KIND:
            return PastRun.model_validate(document)
        return PastRun(
            version=document["version"],
            taken=document["provenance"]["surveyed"],
            pseudonyms=document["redaction"]["pseudonyms"],
            causes=tuple(PastCause.model_validate(cause) for cause in document["causes"]),
            steps={
                machine["name"]: {result["step"]: result["outcome"] for result in machine["results"]}
                for machine in document["machines"]
            },
        )
    except (KeyError, TypeError, AttributeError, ValidationError):
        raise StoreError(f"{path}: not the file of a run. {TAKES}") from None


def _of_today(cause: PastCause, renumbered: Mapping[str, str]) -> PastCause:
    return cause.model_copy(update={"code": renumbered.get(cause.code, cause.code)})
