"""The state of one run: what was selected, what the survey said, and what the steps made of it."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_tentacle import files, hiding, packing
from pytest_tentacle.acting import sending
from pytest_tentacle.acting.changes import lately
from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.inventory import InventoryError, Selection, SelectionError, known_secrets, load, select
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.inventory.model import Inventory, Machine
from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.judging.finding import Unknown
from pytest_tentacle.judging.result import Outcome, OwnTest, Run, StepResult
from pytest_tentacle.link import system_resolver
from pytest_tentacle.octopus import PortalError
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.document import Report
from pytest_tentacle.report.earlier.past import Past, Wanted
from pytest_tentacle.report.gate.ci import system_of, write_summary
from pytest_tentacle.report.gate.metrics import report_metrics
from pytest_tentacle.report.gate.sarif import report_sarif
from pytest_tentacle.report.json_report import report_pieces
from pytest_tentacle.report.markdown import report_markdown
from pytest_tentacle.report.redaction.names import learn_inventory
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.sections import Fleet, Subject, fleet_of
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.sites.address import SitesError
from pytest_tentacle.sites.of_run import SitesOfRun
from pytest_tentacle.survey import store
from pytest_tentacle.survey.collector import Interrupted, Plan, collect
from pytest_tentacle.survey.store import Surveys
from pytest_tentacle.transport import Deadline, Transport, open_transport

from . import bundle
from .acting import doing
from .named import named_by
from .octopus import OctopusSession, source_of
from .options import DEFAULT_WORKERS, Options
from .outputs import Failures, JunitCase, polish_junit, recorded_notes
from .progress import TerminalProgress
from .survey_files.keeping import Keeping
from .waivers import WaiverNotes, waiver_notes

if (
    TYPE_CHECKING
):  # for start-up time, and paramiko and spnego with it: a run on real machines needs none of its servers
    from pytest_tentacle.lab import Lab

T = TypeVar("T")


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
        self.report_path: Path | None = None
        self.report_is_ours = False
        """Nobody asked for that name, so that another is as good where it is taken."""
        self.mapping_path: Path | None = None
        self.failures = Failures()
        """What could not be shown or written, and why: a full disk takes no verdict away."""
        self._restarted = doing.Restarted()
        self._sites = SitesOfRun(options.executor)
        self.keeping = Keeping(options.save_surveys, options.bundle, self.redactor, self.failures)
        self._clock = time.monotonic()
        self._fleet: Fleet | None = None
        self._lab: Lab | None = None
        self._report: Report | None = None
        self._notes: list[str] = []
        self._built = False
        self._reached: Inventory | None = None
        self._hosts: dict[str, tuple[Transport, Any]] = {}
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
            reached=lambda: self._reached or self.inventory,
            sender=sending.by(self._sites),
            nodes=self._octopus.nodes,
            keep=self.keeping.add,
            asked=asked,
            reporter=reporter,
        )

    def _write(self, write: Callable[[Path, T], None], path: Path, content: T) -> None:
        self.failures.attempt(str(path), write, path, content)

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
        if self._reached is None:
            self._reached = self._start_lab(names) if self.inventory.is_lab else self.inventory
        inventory, resolve = self._reached, self._lab.resolve if self._lab else system_resolver
        plan = Plan(
            workers=self.options.workers or (self._lab.workers if self._lab else DEFAULT_WORKERS),
            machine_timeout=self.options.machine_timeout,
            probe_seconds=self.options.probe_timeout,
            identity=self.options.identity,
            resolve=resolve,
            ping=self.options.ping,
            tls_versions=self.options.tls_versions,
            keep=keep,
            until=None if self.options.run_timeout is None else self._clock + self.options.run_timeout,
        )
        labels = {machine.host_key: self.shown(machine.name) for machine in inventory.machines}
        try:
            elsewhere = self._sites.executors(inventory, names)
            surveys = collect(inventory, names, plan, TerminalProgress(reporter, labels), *elsewhere)
        except SitesError as error:
            raise pytest.UsageError(str(error)) from None
        except Interrupted as stop:
            self.interrupted = True
            surveys = stop.surveys
        if self._lab is not None:
            surveys = self._lab.mark_recorded(surveys)
        return surveys

    def _start_lab(self, names: set[str]) -> Inventory:
        from pytest_tentacle.lab import Lab, LabError  # noqa: PLC0415  only a run on the lab pays for it

        try:
            self._lab = Lab(self.inventory)
            inventory = self._lab.start(names)
        except LabError as error:
            raise pytest.UsageError(str(error)) from None
        return self._with_labs_portal(self._lab, inventory, names)

    def _with_labs_portal(self, lab: Lab, inventory: Inventory, names: set[str]) -> Inventory:
        if lab.portal is None:
            return inventory
        source = OctopusSource(url=lab.portal.url, api_key=Secret(lab.portal.api_key), ca=lab.portal.ca)
        try:
            return self._octopus.ask_lab(inventory, source, names, discover=self.options.discover)
        except PortalError as error:
            lab.stop()
            raise pytest.UsageError(f"the lab's portal does not answer: {error}") from None

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
        notes = [*self._notes, *recorded_notes(surveys)]
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
        if self.options.replay:
            raise Unknown("a replay contacts no machine", "Run the test against the inventory itself.")
        inventory = self._reached or self.inventory
        if inventory.is_lab and self._lab is None:
            raise Unknown("the lab runs in another process", "Run the test without pytest-xdist.")
        from pytest_tentacle.transport.backend import make_host  # noqa: PLC0415  only a user's own test needs it

        machine = next(machine for machine in inventory.machines if machine.name == name)
        if self._sites.reaches(machine.site):
            raise Unknown(f"only workers of site {machine.site} reach it", "Run the test there, without --executor.")
        if machine.host_key not in self._hosts:
            transport = open_transport(machine.transport)
            transport.connect(Deadline(self.options.machine_timeout))
            self._hosts[machine.host_key] = transport, make_host(transport, name=self.shown(name))
        return self._hosts[machine.host_key][1]

    def close(self) -> None:
        """Log off, stop the lab, if one runs, and give up all that was read and judged."""
        hiding.use(self._secrets_before)
        self.keeping.close()
        packing.forget()
        self._sites.close()
        while self._hosts:
            self._hosts.popitem()[1][0].close()
        if self._lab is not None:
            self._lab.stop()
            self._lab = None
        if self._fleet is not None:
            self._fleet.forget()
        self.surveys = self._fleet = self._report = None
        self.results.clear()

    def write_outputs(self, page: str | None) -> None:
        """Page, JSON, Markdown, bundle and mapping, once all is judged; each on its own.

        Args:
            page: the HTML report; None where it could not be made.
        """
        report = self.report()
        if self.report_path is None:
            return
        if page is not None:
            self.failures.attempt(str(self.report_path), self._write_page, page)
        if self.surveys is None:
            return
        parts: dict[str, bundle.Part | None] = {}
        if report is not None:
            parts["report.json"] = partial(report_pieces, report)
            parts["report.md"] = self.failures.attempt("the Markdown report", report_markdown, report)
            self._write_for_gate(report)
            self.failures.attempt("the history", self.past.keep, report)
        for name, part in parts.items():
            path = self.report_path.with_suffix(Path(name).suffix)
            if part is not None and not self.failures.attempt(str(path), bundle.write_part, path, part):
                # Its own place may be full while the bundle's has room
                parts[name] = self.failures.attempt("the JSON report", bundle.text_of, part)
        if self.options.bundle:
            parts["report.html"] = page
            whole: dict[str, bundle.Part] = {name: part for name, part in parts.items() if part is not None}
            whole[bundle.SURVEYS] = self.keeping.part(self.surveys)
            self._write(bundle.write_bundle, self.options.bundle, whole)
        if self.options.pseudonyms:
            self.mapping_path = self.report_path.with_suffix(".mapping.json")
            self._write(files.write_private, self.mapping_path, json.dumps(self.redactor.mapping(), indent=1))

    def _write_for_gate(self, report: Report) -> None:
        """What a gate asked for."""
        for path, make in ((self.options.sarif, report_sarif), (self.options.metrics, report_metrics)):
            if path is not None and (text := self.failures.attempt(str(path), make, report)) is not None:
                self._write(files.write, path, text)
        if self.ci_system == "github":
            self.failures.attempt("the step summary", write_summary, report, os.environ)

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

    @property
    def ci_system(self) -> str | None:
        """Whose annotations are written."""
        return None if self.options.ci == "none" else self.options.ci or system_of(os.environ)

    def _write_page(self, page: str) -> None:
        """Under a name that nobody else has, where none was asked for."""
        assert self.report_path is not None  # noqa: S101
        if self.report_is_ours:
            self.report_path = files.reserve(self.report_path)
            self.report_is_ours = False
            try:
                files.write(self.report_path, page)
            except BaseException:
                self.report_path.unlink(missing_ok=True)
                raise
        else:
            files.write(self.report_path, page)
