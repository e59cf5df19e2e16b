"""The whole file that pytest-html writes with our hooks."""

from __future__ import annotations

import re
import time
from functools import cache

import pytest

from pytest_tentacle.report.html_hooks import keep_row
from support.pages import hard_to_read

CONFTEST = """
import pytest
from support import runs
from dataclasses import replace
from pytest_tentacle.judging.result import Outcome, OwnTest
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.html_hooks import HtmlReport
from pytest_tentacle.report.redaction.redactor import Redactor

RUN = runs.{builder}()
CAUSES = runs.make_small_causes() if "small" in "{builder}" else runs.make_large_causes(RUN)
REDACTOR = Redactor(["hunter22"])
RESULTS = {{(result.machine, result.step): result for result in RUN.results}}

def pytest_configure(config):
    own = (OwnTest("test_mine", "failed", "hunter22"),) if "small" in "{builder}" else ()
    run = replace(RUN, own_tests=own)
    config.pluginmanager.register(HtmlReport(lambda: build_report(run, CAUSES, REDACTOR), REDACTOR), "tentacle-html")

def pytest_generate_tests(metafunc):
    if "machine" not in metafunc.fixturenames:
        return
    metafunc.parametrize("machine,step", list(RESULTS), ids=[f"{{m}}-{{s}}" for m, s in RESULTS])

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call" and hasattr(item, "callspec"):
        result = RESULTS[item.callspec.params["machine"], item.callspec.params["step"]]
        report.tentacle = result
        if result.outcome is Outcome.FAILED:
            report.outcome, report.longrepr = "failed", "password hunter22 <script>window.alive=1</script> " + "x" * 300
        elif result.outcome is Outcome.UNKNOWN:
            report.when, report.outcome, report.longrepr = "setup", "failed", "why"
        elif result.outcome in (Outcome.BLOCKED, Outcome.WAIVED):
            report.outcome, report.longrepr = "skipped", ("f", 1, "blocked")
    return report
"""


OWN = """
def test_step(machine, step): pass

if "small" in "{builder}":
    def test_mine(): assert "hunter22 <script>window.alive=1</script>" == ""
"""


@pytest.fixture(scope="module")
def written(run_pytest, top, tmp_path_factory):
    """Runs pytest with our hooks over a run's results, and gives the file; of each run there is one."""

    @cache
    def written(builder, *options):
        folder = tmp_path_factory.mktemp("html")
        (folder / "conftest.py").write_text(CONFTEST.format(builder=builder), encoding="utf-8")
        (folder / "test_own.py").write_text(OWN.format(builder=builder), encoding="utf-8")
        quiet = ("-q", "-p", "no:tentacle", "--no-header", "-p", "no:cacheprovider")
        path = f"--override-ini=pythonpath={top / 'tests'}"
        run_pytest(path, "--html=report.html", "--self-contained-html", *quiet, *options, cwd=folder)
        return folder / "report.html"

    return written


class TestKeepRow:
    """Which of the user's own tests pytest-html's table keeps."""

    @pytest.mark.parametrize("outcome", ["passed", "failed", "skipped", "error"])
    def test_a_small_run_keeps_all(self, outcome):
        """Up to 200 tests."""
        assert keep_row(outcome, 200)

    def test_a_large_run_keeps_failures(self):
        """What passed is counted elsewhere."""
        assert [outcome for outcome in ("passed", "failed", "error") if keep_row(outcome, 201)] == ["failed", "error"]


class TestSmall:
    """A small run's file."""

    def test_words_rows_and_access(self, written, open_page):
        """The table has own tests alone; axe finds nothing serious, no secret, nothing alive."""
        file = written("make_small_run")
        assert "hunter22" not in file.read_text(encoding="utf-8")
        for scheme in ("light", "dark"):
            page = open_page(file.as_uri(), color_scheme=scheme)
            assert page.inner_text("#tt-verdict").startswith("✕ 5 of 8 machines have problems")
            rows = page.locator("#results-table tbody")
            assert rows.count() == 1, "the guide's tests have the matrix; a test of one's own stands in the table"
            assert "test_mine" in rows.inner_text()
            assert "[removed: secret] <script>" in rows.inner_text()
            assert "Tests of your own, in full" in page.inner_text("main")
            assert page.evaluate("window.alive") is None
            assert hard_to_read(page) == []
            page.click("#tt-rows a >> nth=0")
            page.wait_for_selector(".tt-machine[open] .tt-inside")

    def test_no_environment_table(self, written):
        """It is unescaped, and holds the CI's variables; ours says what matters."""
        assert re.search(r"&#34;environment&#34;: \{\}", written("make_small_run").read_text(encoding="utf-8"))


class TestLarge:
    """16,000 tests in one file."""

    @pytest.mark.timeout(420)
    def test_size_and_load(self, written, open_page, capsys):
        """At most 1.5 MB; the table is not there, since all of its rows are the guide's."""
        file = written("make_large_run", "--tb=no")
        size = file.stat().st_size
        started = time.perf_counter()
        page = open_page(file.as_uri())
        loaded = time.perf_counter() - started
        started = time.perf_counter()
        page.check("input[value=passed]")
        page.wait_for_function("document.querySelector('#tt-status').textContent.startsWith('1,000 of')")
        filtered = time.perf_counter() - started
        with capsys.disabled():
            print(f"\n16,000 tests, whole file: {size:,} bytes, load {loaded:.2f} s, filter {filtered:.2f} s")
        shown = page.is_visible("#results-table")
        assert not shown
        assert size <= 1_500_000
