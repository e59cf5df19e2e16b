"""The hooks of an active run, in the order in which pytest calls them."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.hiding import printable
from pytest_tentacle.inventory.sources.named import HERE
from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.report.build import plural
from pytest_tentacle.report.console import Line, clean_line, report_lines
from pytest_tentacle.report.document import Report
from pytest_tentacle.report.gate.ci import ci_lines
from pytest_tentacle.report.html_hooks import HtmlReport

from . import octopus, parallel, verdict
from .heap import Heap
from .items import collection
from .items.fixtures import Fixtures
from .items.lines import StepLines
from .items.slim import Slim
from .items.strangers import (
    moved_root,
    refuse_empty_files,
    refuse_odd_files,
    refuse_testinfras_options,
    settle_zone,
)
from .logs import CleanRecords
from .options import Options
from .session import TentacleRun
from .signals import Signals, Undying

_NAMED = 10

_MANY = 2_000
"""With more tests than that, what a survey leaves in cycles is worth a look through the heap."""


def started(config: pytest.Config, options: Options) -> TentaclePlugin:
    """The plugin of an active run. Raises pytest.UsageError, whose words may quote a file that a stranger wrote."""
    try:
        return TentaclePlugin(config, options)
    except pytest.UsageError as error:
        raise pytest.UsageError(*(printable(str(each)) for each in error.args)) from None


class TentaclePlugin:
    """Registered for the length of one run."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        self.config = config
        self.zone = settle_zone()
        refuse_testinfras_options(config)
        refuse_empty_files(config)
        self.run = TentacleRun.from_options(options)
        self.surveys_file: Path | None = None
        self.portal_file: Path | None = None
        self.not_judged: list[str] = []
        self.signals = Signals()
        if not parallel.is_worker(config) and not collection.runs_no_test(config):
            self.run.outputs.choose(config, self.run.inputs())
            refuse_odd_files(config)
        self.records = CleanRecords(self.run.redactor.text)
        self.records.install()
        if not parallel.is_worker(config):
            self.signals.install()
        worker_file = parallel.worker_surveys(config)
        if worker_file:
            self.run.adopt(worker_file)
        collection.aim(config)
        config.pluginmanager.register(Fixtures(self.run), "tentacle-fixtures")
        _quieten(config, options)
        if not parallel.is_worker(config):
            page = HtmlReport(
                self.run.report, self.run.redactor, failed=self.run.failures.note, written=self.run.write_outputs
            )
            config.pluginmanager.register(page, "tentacle-html")
            config.pluginmanager.register(Slim(config), "tentacle-slim")
            if not parallel.distributes(config):
                config.pluginmanager.register(StepLines(config), "tentacle-lines")
        self.heap = Heap()
        self.heap.settle()  # a replay's surveys are there by now

    # -- what is run ---------------------------------------------------------------------------------------------

    def pytest_report_header(self) -> list[str]:
        """Which machines this run is about."""
        selected = [machine for machine in self.run.candidates() if machine.name != HERE]
        servers = sum(getattr(machine, "role", "") == "server" for machine in selected)
        named = [*map(str, self.run.options.inventories), *filter(None, [self.run.options.octopus])]
        named += ["the command line"] if self.run.options.tentacles else []
        source = self.run.options.replay or ", ".join(named)
        rest = sum(machine.name != HERE for machine in self.run.inventory.machines) - len(selected)
        who = f"{plural(servers, 'server')} and {plural(len(selected) - servers, 'Tentacle')}"
        line = f"tentacle: {who} of {source}"
        lines = [line + (f"; {rest} not selected" if rest else "")]
        lines += (f"tentacle: warning: {text}" for text in self.run.inventory.warnings)
        lines += (f"tentacle: warning: {text}" for text in (*moved_root(self.config), *filter(None, [self.zone])))
        return [clean_line(self.run.redactor.text(line)) for line in lines]

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """`-k` knows a machine by its own name, whatever the test's id shows; a step is judged once."""
        name = collection.machine_of(item) if self.run.options.pseudonyms else None
        if name is not None:
            item.extra_keyword_matches.add(name)
        if self.config.pluginmanager.hasplugin("rerunfailures") and collection.is_guides(item):
            item.add_marker(pytest.mark.flaky(reruns=0))  # a recorded fact does not change

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test a machine and step."""
        collection.parametrize(metafunc, self.run)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Before xdist starts its workers, the controller takes the surveys for all of them."""
        if not parallel.is_worker(self.config):
            self._survive_readers()
        if parallel.distributes(self.config):
            self.portal_file = octopus.hand_over(self.run.inventory)
            self._survey(parallel.machines_to_survey(self.config, self.run))
            self.surveys_file = self.run.hand_over()

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the surveys to an xdist worker, like a replay."""
        node.workerinput[parallel.WORKER_INPUT] = str(self.surveys_file)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """After -k and -m: survey the machines that still have tests, then drop what does not apply to them."""
        collection.refuse_bare_hosts(items)
        collection.drop_unasked(items, self.run, self.config)
        listing = parallel.wants_listing()
        if listing:
            listing.write_text("\n".join(collection.machines_of(items)), encoding="utf-8")
        if not items or (collection.runs_no_test(self.config) and self.run.surveys is None):
            return
        if not parallel.is_worker(self.config):
            self._survey(collection.machines_of(items), collection.asked_of(items))
        self.not_judged = collection.drop_inapplicable(items, self.run, self.config)
        self.heap.settle(tidied=len(items) > _MANY)

    # -- what came of it -----------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A step's outcome instead of a traceback."""
        if not self.config.option.usepdb:
            verdict.shorten(call)
        report = yield
        if call.when in ("setup", "call"):
            machine, step = collection.machine_of(item) or item.name, collection.step_of(item)
            result = verdict.result_of(item, call, machine, step)
            if result is not None:
                verdict.apply(item, report, result, self.run.redactor.secrets.hide)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Unknown and blocked are outcomes of their own."""
        return verdict.status(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the results, from this process or from a worker, and clean what is shown of them."""
        if parallel.is_worker(self.config):
            return
        result = getattr(report, verdict.ATTRIBUTE, None)
        if result is not None:
            self.run.record(result)
        elif report.failed or report.when == "call":
            self.run.record_own(verdict.own_test(report))
        verdict.clean(report, self.run.redactor.text)

    @pytest.hookimpl(wrapper=True)
    def pytest_report_to_serializable(self, report: Any) -> Generator[None, Any, Any]:
        """A worker's report leaves with its result as plain data."""
        data = yield
        result = getattr(report, verdict.ATTRIBUTE, None)
        return data if result is None else {**data, verdict.ATTRIBUTE: verdict.to_data(result)}

    @pytest.hookimpl(wrapper=True)
    def pytest_report_from_serializable(self, data: dict[str, Any]) -> Generator[None, Any, Any]:
        """And comes in with the result again."""
        report = yield
        if verdict.ATTRIBUTE in data:
            setattr(report, verdict.ATTRIBUTE, verdict.from_data(data[verdict.ATTRIBUTE]))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected is told in every report."""
        if report.failed and not parallel.is_worker(self.config):
            self.run.record_own(verdict.own_test(report))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Make the exit status honest; once JUnit XML is written, say in it what CI systems show."""
        if parallel.is_worker(self.config):
            return (yield)
        self.signals.finishing()
        self.heap.settle()
        self._set_status(session)
        result = yield
        if self.run.failures and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        junit = getattr(self.config.option, "xmlpath", None)
        if junit:
            keep = self.config.getini("junit_family") in ("xunit1", "legacy")
            self.run.failures.attempt(
                str(junit), lambda path: self.run.polish_junit(path, keep_properties=keep), Path(junit)
            )
        if self.signals.exit_code is not None:
            session.exitstatus = self.signals.exit_code
        return result

    def _set_status(self, session: pytest.Session) -> None:
        status = int(session.exitstatus)
        self.run.interrupted |= status == pytest.ExitCode.INTERRUPTED
        forgiven = not session.shouldfail and self.run.forgives(session.testsfailed)
        if forgiven and status == pytest.ExitCode.TESTS_FAILED:
            session.exitstatus = pytest.ExitCode.OK
        else:
            session.exitstatus = self.run.exit_status(status)
        self.run.interrupted |= bool(session.shouldfail)  # -x: nobody is well whose later steps were never judged

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The diagnosis in words."""
        if self.run.surveys is None or collection.runs_no_test(self.config):
            return
        report = self.run.report()
        terminalreporter.section("diagnosis")
        for text, markup in (*self._summary(report), *self._left_out()):
            terminalreporter.write_line(text, **markup)
        if report is not None and (system := self.run.outputs.ci_system):
            terminalreporter.ensure_newline()
            page = self.run.outputs.page
            markdown = page.with_suffix(".md") if page else None
            for text in self.run.failures.attempt("the annotations", ci_lines, report, system, markdown) or ():
                terminalreporter.write_line(text)
        if self.run.options.unknown == "warn" and self.run.count(Outcome.UNKNOWN):
            terminalreporter.write_line(
                f"WARNING: {_steps(self.run.count(Outcome.UNKNOWN))} unknown; --unknown=warn lets that pass.",
                yellow=True,
                bold=True,
            )
        for text in (*self.run.waivers().ended, *self.run.waivers().ending):
            terminalreporter.write_line(f"WARNING: {self.run.redactor.text(text)}", yellow=True, bold=True)
        if (page := self.run.outputs.page) and page.exists():
            terminalreporter.write_line(f"report: {page}", bold=True)
        for text in self.run.failures:
            terminalreporter.write_line(f"ERROR: {self.run.redactor.text(text)}", red=True, bold=True)
        if mapping := self.run.outputs.mapping:
            terminalreporter.write_line(f"private, do not share: {mapping}", yellow=True)

    def _left_out(self) -> Generator[Line]:
        """Who is in the inventory and not in the verdict's number, where nobody chose steps or modes."""
        option = self.config.option
        if self.not_judged and not (option.keyword or option.markexpr or self.run.options.mode):
            rest = len(self.not_judged) - _NAMED
            names = ", ".join(self.not_judged[:_NAMED]) + (f" and {rest:,} more" if rest > 0 else "")
            yield clean_line(f"not judged, because no step applies: {self.run.redactor.text(names)}"), {}

    def _summary(self, report: Report | None) -> list[Line]:
        """The diagnosis, or, where it cannot be shown, the verdicts."""

        def lines() -> list[Line]:
            return [] if report is None else report_lines(report, self.run.options.output, encoding=_encoding())

        return self.run.failures.attempt("the diagnosis on the console", lines) or [
            (clean_line(self.run.redactor.text(text)), {}) for text in _plain_lines(self.run.results.values())
        ]

    def pytest_unconfigure(self) -> None:
        """Leave nothing running and nothing behind."""
        self.records.remove()
        self.run.close()
        if self.portal_file:
            octopus.take_back(self.portal_file)
        if self.surveys_file:
            self.surveys_file.unlink(missing_ok=True)
        self.signals.remove()
        self.heap.release()

    def _survey(self, names: list[str], asked: set[tuple[str, str]] | None = None) -> None:
        self.run.take_surveys(names, self._reporter(), asked)

    def _survive_readers(self) -> None:
        """`pytest ... | head`: the reader that goes away costs the console, and not the report."""
        reporter = self._reporter()
        if reporter is not None:
            writer = reporter._tw  # noqa: SLF001  there is no other way to its stream
            writer._file = Undying(writer._file)  # noqa: SLF001

    def _reporter(self) -> pytest.TerminalReporter | None:
        reporter: pytest.TerminalReporter | None = self.config.pluginmanager.get_plugin("terminalreporter")
        return reporter


def _quieten(config: pytest.Config, options: Options) -> None:
    """Our summary says what pytest's sections would repeat for each machine."""
    if options.output == "short" and config.option.tbstyle == "auto" and config.args == [str(collection.guide_tests())]:
        config.option.tbstyle = "no"  # a test of one's own says nowhere else why it failed
    if config.option.reportchars == "fE":
        config.option.reportchars = ""


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _encoding() -> str:
    return sys.stdout.encoding or "ascii"


def _plain_lines(results: Iterable[StepResult]) -> list[str]:
    """The verdicts in the plainest words, for a console on which the diagnosis itself cannot be shown."""
    lines = []
    for result in results:
        if result.outcome is not Outcome.PASSED:
            codes = ", ".join(problem.code for problem in result.problems)
            lines.append(f"{result.machine}: {result.step}: {result.outcome.value}" + (f" ({codes})" if codes else ""))
    return lines or ["every step passed"]
