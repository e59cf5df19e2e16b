"""The state of one run: what was selected, what the survey said, and what the steps made of it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle import hiding, packing
from pytest_tentacle.acting.changes import lately
from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.inventory import InventoryError, Selection, SelectionError, known_secrets, load, select
from pytest_tentacle.inventory.model import Inventory, Machine
from pytest_tentacle.judging.result import Outcome, OwnTest, Run, StepResult
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.document import Report
from pytest_tentacle.report.earlier.past import Past, Wanted
from pytest_tentacle.report.redaction.names import learn_inventory
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.sections import Fleet, Subject, fleet_of
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.survey import store
from pytest_tentacle.survey.store import Surveys

from . import bundle
from .acting import doing
from .named import named_by
from .octopus import OctopusSession, source_of
from .options import Options
from .outputs.failures import Failures
from .outputs.junit import JunitCase, polish_junit
from .outputs.writing import Outputs
from .reach import Reach
from .survey_files.keeping import Keeping
from .waivers import WaiverNotes, waiver_notes


class TentacleRun:
    """One diagnosis, from the inventory to the exit code."""

    def __init__(
        self,
        options: Options,
        inventory: Inventory,
        selection: Selection,
        surveys: Surveys | None,
        octopus: OctopusSession | None = None,
    ) -> None:
        self.options = options
        self.inventory = inventory
        self.selection = selection
        self.surveys = surveys
        self._octopus = octopus or OctopusSession()
        secrets = known_secrets(inventory) | self._octopus.secrets()
        self.redactor = Redactor(secrets, pseudonyms=options.pseudonyms)
        """What every text goes through, whether it is shown or written."""
        self._secrets_before = hiding.use(self.redactor.secrets)
        learn_inventory(self.redactor, inventory)
        if options.replay:
            self.redactor.learn(files=[(str(options.replay), f"replay{options.replay.suffix}")])
        self.results: dict[tuple[str, str], StepResult] = {}
        self.own_tests: dict[str, OwnTest] = {}
        self.started = datetime.now(UTC)
        self.interrupted = False
        self.failures = Failures()
        """What could not be shown or written, and why: a full disk takes no verdict away."""
        self.outputs = Outputs(options, self.redactor, self.failures)
        self._restarted = doing.Restarted()
        self.keeping = Keeping(options.save_surveys, options.bundle, self.redactor, self.failures)
        self._clock = time.monotonic()
        ends = None if options.run_timeout is None else self._clock + options.run_timeout
        self._reach = Reach(options, inventory, self._octopus, self.shown, ends)
        self._fleet: Fleet | None = None
        self._report: Report | None = None
        self._notes: list[str] = []
        self._built = False
        self.past = self._past()

    def _past(self) -> Past:
        """Earlier runs that this one is compared with. Raises pytest.UsageError: no machine has been contacted yet."""
        options = self.options
        wanted = Wanted(options.compare, options.history, options.name, pseudonyms=options.pseudonyms)
        try:
            past = Past(wanted, self.redactor.text, bundle.load_surveys)
            past.check([machine.name for machine in self.candidates()])
        except store.StoreError as error:
            raise pytest.UsageError(str(error)) from None
        return past

    @classmethod
    def from_options(cls, options: Options) -> TentacleRun:
        """Read inventory or replay file and select. Raises pytest.UsageError: exit code 4, no machine contacted."""
        try:
            surveys = bundle.load_surveys(options.replay) if options.replay else None
            if surveys and (options.inventories or options.octopus or options.tentacles):
                raise pytest.UsageError(
                    "--replay brings its own inventory: leave --inventory, --tentacle and --octopus out"
                )
            octopus = OctopusSession()
            inventory = (
                surveys.inventory
                if surveys
                else load(
                    options.inventories,
                    codes=CATALOGUE,
                    named=named_by(options),
                    octopus=source_of(options),
                    ask=octopus.ask,
                    elsewhere=options.executor is not None,
                )
            )
            selection = select(inventory, options.limits, options.mode)
            if surveys and surveys.selected:
                selection = bundle.within(selection, surveys.selected, str(options.replay))
        except (InventoryError, SelectionError, store.StoreError) as error:
            raise pytest.UsageError(str(error)) from None
        return cls(options, inventory, selection, surveys, octopus)

    @property
    def fleet(self) -> Fleet:
        """The surveys, indexed for judging. Only after `take_surveys`."""
        if self._fleet is None:
            assert self.surveys is not None, "the survey comes before the first verdict"  # noqa: S101
            self._fleet = fleet_of(self.surveys, self.options.fail_on)
        return self._fleet

    def subject(self, name: str) -> Subject:
        """One machine's view of the fleet."""
        return self.fleet.subject(name)

    def shown(self, machine: str) -> str:
        """A machine's name as it may be seen: its own, or its pseudonym."""
        return self.redactor.text(machine)

    def candidates(self) -> list[Machine]:
        """The selected machines, in the inventory's order."""
        chosen = set(self.selection.machines)
        return [machine for machine in self.inventory.machines if machine.name in chosen]

    def inputs(self) -> list[tuple[str, Path]]:
        """Every file that this run reads, each with the words for it: none of them may be written."""
        found = [("the inventory", Path(path)) for path in self.inventory.files] if not self.options.replay else []
        found += [("a secret file of the inventory", path) for path in self.inventory.secret_files]
        found += [("the file to replay", self.options.replay)] if self.options.replay else []
        found += [("the file to compare with", self.options.compare)] if self.options.compare else []
        for machine in self.inventory.machines:
            settings = vars(machine.transport)
            found += [(f"{name} of {machine.name}", path) for name, path in settings.items() if isinstance(path, Path)]
        return found

    def take_surveys(
        self,
        names: Iterable[str],
        reporter: pytest.TerminalReporter | None,
        asked: Collection[tuple[str, str]] | None = None,
    ) -> None:
        """Survey the named machines and their links' other ends, if no replay has them; `asked` is what is tested."""
        if self.surveys is None:
            self.surveys = self._surveyed(set(names), reporter, self._ways(reporter, asked))
        self.keeping.finish(self.surveys)

    def _surveyed(self, chosen: set[str], reporter: pytest.TerminalReporter | None, ways: doing.Ways) -> Surveys:
        restarted = self._restarted = doing.restart_first(chosen, ways) if self.options.restart else self._restarted
        self.interrupted |= restarted.interrupted

        def selected(surveys: Surveys) -> Surveys:
            done = (*lately(chosen, self.started), *restarted.actions)
            return surveys.model_copy(update={"selected": tuple(sorted(chosen)), "actions": done})

        if restarted.first is not None and self.interrupted:
            return selected(restarted.first)
        with self._octopus.evidence(self.inventory, chosen, discover=self.options.discover) as portal:
            surveys = self._collect(
                self._with_peers(chosen), reporter, lambda surveys: self.keeping.add(selected(surveys))
            )
            if not self.interrupted and (known := portal()) is not None:
                inventory = surveys.inventory.model_copy(update={"portal": known})
                surveys = surveys.model_copy(update={"inventory": inventory})
        surveys = selected(surveys)
        if restarted.first is not None:
            self._notes += doing.changed(selected(restarted.first), surveys, ways)
        if self.options.until_well and not self.interrupted:
            watched = doing.watch(surveys, self.options.until_well, ways)
            self.interrupted |= watched.interrupted
            self._notes += watched.notes
            surveys = watched.surveys
        return surveys

    def _ways(self, reporter: pytest.TerminalReporter | None, asked: Collection[tuple[str, str]] | None) -> doing.Ways:
        def look(names: Collection[str]) -> tuple[Surveys, bool]:
            found = self._collect(self._with_peers(set(names)), reporter, None)
            return found, self.interrupted

        return doing.Ways(
            options=self.options,
            inventory=self.inventory,
            redactor=self.redactor,
            failures=self.failures,
            look=look,
            reached=lambda: self._reach.inventory,
            sender=self._reach.sender,
            nodes=self._octopus.nodes,
            keep=self.keeping.add,
            asked=asked,
            reporter=reporter,
        )

    def _with_peers(self, chosen: set[str]) -> set[str]:
        needed = {
            server
            for tentacle in self.inventory.tentacles
            if tentacle.name in chosen
            for server in tentacle.servers
            if server in self.selection.peers or server in self.selection.machines
        }
        return chosen | needed

    def _collect(
        self, names: set[str], reporter: pytest.TerminalReporter | None, keep: Callable[[Surveys], None] | None
    ) -> Surveys:
        surveys, ended = self._reach.survey(names, reporter, keep)
        self.interrupted |= ended
        return surveys

    def adopt(self, path: Path) -> None:
        """Use surveys that another process has taken."""
        self.surveys = store.load(path)

    def hand_over(self) -> Path:
        """Write the surveys where the worker processes can read them; the caller removes the file."""
        assert self.surveys is not None  # noqa: S101
        handle, name = tempfile.mkstemp(prefix="pytest-tentacle-", suffix=".json")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(store.pieces(self.surveys))
        return Path(name)

    def record(self, result: StepResult) -> None:
        """Keep a step's result for report and exit code."""
        self.results[result.machine, result.step] = result

    def record_own(self, test: OwnTest) -> None:
        """Keep what came of a test that is no step of the guide; the worst of its phases counts."""
        known = self.own_tests.get(test.name)
        if known is None or known.outcome not in ("failed", "error"):
            self.own_tests[test.name] = test

    def count(self, outcome: Outcome) -> int:
        """How many steps ended so."""
        return sum(result.outcome is outcome for result in self.results.values())

    def report(self) -> Report | None:
        """What page, console and files show; None where it never came to a survey. Built once, when all is judged."""
        if not self._built and self.surveys is not None:
            self._built = True
            diagnosis = self.failures.attempt("the diagnosis", diagnose, self.fleet, self.results.values())
            causes = () if diagnosis is None else diagnosis.views()
            judged = self._judged(self.surveys)
            self._report = self.failures.attempt("the report", build_report, judged, causes, self.redactor, self.fleet)
            if self._report is not None:
                self._report = self.failures.attempt("the comparison", self.past.told, self._report) or self._report
        return self._report

    def _judged(self, surveys: Surveys) -> Run:
        notes = [*self._notes, *_recorded(surveys)]
        waivers = self.waivers()
        notes += [*waivers.ended, *waivers.ending, *waivers.idle]
        return Run(
            surveys=surveys,
            results=tuple(self.results.values()),
            started=self.started,
            seconds=time.monotonic() - self._clock,
            options=self.options.for_report(),
            interrupted=self.interrupted,
            own_tests=tuple(self.own_tests.values()),
            manual="" if self.options.pseudonyms else self.options.manual,
            notes=tuple(notes),
        )

    def waivers(self) -> WaiverNotes:
        """What is to be told about waivers: those that have ended, and those that matched nothing."""
        if self.surveys is None:
            return WaiverNotes((), ())
        return waiver_notes(self.surveys, self.results.values(), self.options.waiver_notice)

    def exit_status(self, status: int) -> int:
        """Pytest's exit status, made honest: what was not looked at has not passed."""
        if self.interrupted:
            return pytest.ExitCode.INTERRUPTED
        if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return status
        failed = self.count(Outcome.FAILED)
        unknown = self.count(Outcome.UNKNOWN)
        blocked = self.count(Outcome.BLOCKED)
        if status == pytest.ExitCode.OK and (failed or unknown or blocked or not self._restarted.is_settled):
            status = pytest.ExitCode.TESTS_FAILED
        return status

    def forgives(self, failures: int) -> bool:
        """Whether a run with that many failed tests is a pass all the same.

        With `--unknown=warn`: nothing but unknowns. With `--fail-on new`: nothing that the earlier run did not have.
        """
        unknown = self.count(Outcome.UNKNOWN)
        failed = self.count(Outcome.FAILED)
        if self.options.only_new:
            report = self.report()
            return (
                failures <= unknown + failed
                and report is not None
                and self.past.forgives(report, unknown_too=self.options.unknown == "warn")
            )
        others = failed + self.count(Outcome.BLOCKED)
        return self.options.unknown == "warn" and unknown > 0 and others == 0 and failures <= unknown

    def host(self, name: str) -> Any:
        """Testinfra's host on a machine, logged on once a run. Raises TransportError, Unknown in a replay."""
        return self._reach.host(name)

    def close(self) -> None:
        """Log off, stop the lab, if one runs, and give up all that was read and judged."""
        hiding.use(self._secrets_before)
        self.keeping.close()
        packing.forget()
        self._reach.close()
        if self._fleet is not None:
            self._fleet.forget()
        self.surveys = self._fleet = self._report = None
        self.results.clear()

    def write_outputs(self, page: str | None) -> Path | None:
        """All files, once all is judged, and where the page is; `page` is its text, None where it could not be made."""
        self.outputs.write(page, self.report(), self.surveys, self.keeping, self.past)
        return self.outputs.page

    def polish_junit(self, path: Path, *, keep_properties: bool) -> None:
        """Bring pytest's JUnit file to what CI systems make most of. Raises OSError."""
        cases = {
            f"{self.shown(machine)}-{step}": JunitCase(
                machine=self.shown(machine),
                outcome=result.outcome,
                reason=self.redactor.text(result.reason),
                codes=tuple(problem.code for problem in result.problems),
            )
            for (machine, step), result in self.results.items()
        }
        polish_junit(path, cases, hide_host=self.options.pseudonyms, keep_properties=keep_properties)


def _recorded(surveys: Surveys) -> list[str]:
    """What is to be told of machines of the lab that did not run the real script."""
    recorded = [name for record in surveys.records if record.recorded for name in record.machines]
    return recorded and [
        (
            "No PowerShell was found: the lab's Windows machines answered from recordings "
            f"({', '.join(recorded)}). Put `pwsh` on the PATH to run the real script."
        )
    ]
