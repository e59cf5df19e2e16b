"""What a worker answered, let in by the same door as what a machine says: it is data, and proven able to travel on."""

from __future__ import annotations

import json
from datetime import timedelta

from pydantic import ValidationError

from pytest_tentacle.survey import limits
from pytest_tentacle.survey.answer import AnswerError
from pytest_tentacle.survey.door import Budget, prove, refused
from pytest_tentacle.survey.host import HostTask
from pytest_tentacle.survey.looks import Looks, LookTask
from pytest_tentacle.survey.model import HostRecord

ADVICE = "See what runs there as a worker of this site."


def record_in(answer: object, task: HostTask, ahead: float) -> HostRecord:
    """A host's record. Raises AnswerError.

    Args:
        answer: what came.
        task: what had been asked.
        ahead: seconds by which the worker's clock is ahead of ours.
    """
    text = _text(answer, limits.RECORD_BYTES)
    try:
        record = HostRecord.model_validate_json(text)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise AnswerError(
            f"the worker of site {task.site} answered with no survey's record (at {place})", ADVICE
        ) from None
    if record.host_key != task.host_key or record.machines != task.machines:
        raise AnswerError(f"the worker of site {task.site} answered with the record of another machine", ADVICE)
    prove(record, Budget.of(task.timeout))
    return record.model_copy(update={"taken_utc": record.taken_utc - timedelta(seconds=ahead)})


def looks_in(answer: object, task: LookTask) -> Looks:
    """A site's looks. Raises AnswerError."""
    text = _text(answer, limits.FILE_BYTES)
    try:
        looks = Looks.model_validate_json(text)
    except ValidationError:
        raise AnswerError(f"the worker of site {task.site} answered with no looks at ports", ADVICE) from None
    for name, probes in looks.probes.items():
        asked = {target.link for target in task.targets.get(name, ())}
        if any(probe.link not in asked for probe in probes):
            raise AnswerError(f"the worker of site {task.site} looked at what nobody had asked for", ADVICE)
        for probe in probes:
            prove(probe, Budget())
    return looks


def _text(answer: object, most: int) -> bytes:
    """The answer's JSON. Raises AnswerError for what is none, and where the worker stumbled over itself."""
    if not isinstance(answer, bytes):
        raise refused("", "it is no text")
    if len(answer) > most:
        raise refused("", f"it is larger than {most:,} bytes")
    if answer.startswith(b'{"fault"'):
        try:
            name = str(json.loads(answer)["fault"])[:80]
        except (ValueError, LookupError):
            name = "unknown"
        raise AnswerError(
            f"the survey itself failed on the worker: {name}",
            "This is a fault of pytest-tentacle, not of the machine: please report it.",
        )
    return answer
