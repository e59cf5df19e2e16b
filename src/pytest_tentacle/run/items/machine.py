"""A machine as the tests of the guide, and a user's own, have it."""

from __future__ import annotations

from collections.abc import Callable

from pytest_tentacle.inventory.model import Machine as Declared
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.run.verdict import verdict_of
from pytest_tentacle.sections import Check, Subject
from pytest_tentacle.survey.model import Survey


class Machine:
    """One machine of the inventory: what is declared, what its survey says, and the verdict of checks on it.

    What cannot be known raises `Unknown`, which ends a test as *unknown*: `machine.survey`, for one, of a machine that
    nobody could log on to.
    """

    def __init__(self, subject: Subject, step: str, keep: Callable[[StepResult], None]) -> None:
        self.subject = subject
        self._step = step
        self._keep = keep
        self._named: tuple[Check, ...] = ()

    def __repr__(self) -> str:
        return f"Machine({self.name})"

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        return self.subject.name

    @property
    def declared(self) -> Declared:
        """What the inventory says of it."""
        return self.subject.machine

    @property
    def survey(self) -> Survey:
        """What its host said, section by section. Raises Unknown where it could not be surveyed."""
        return self.subject.survey

    @property
    def communication_mode(self) -> Mode | None:
        """`listening` or `polling`: declared, else by its settings; None of a server, and where nobody knows."""
        return self.subject.mode

    def must_pass(self, *checks: Check) -> None:
        """Make these checks; the test fails, is unknown or blocked by all that they say, not by the first alone.

        What a step of the guide is called, and which checks it makes, stands in `pytest_tentacle.sections.STEPS`; a
        test that names other checks, or some of them only, is judged by those that it names.
        """
        if not checks:
            raise TypeError("must_pass() wants the checks that must pass: without any, everything would")
        self._named += checks
        result = self.subject.result(self._step, self._named)
        if result.outcome is not Outcome.PASSED:
            raise verdict_of(result)
        self._keep(result)
