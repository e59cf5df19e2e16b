"""How long it takes to judge N machines, to find their causes and to write the page; and to load and filter that.

The fleet is that of the tests: made up in memory, every section of every survey known, with three faults in it (a third
of the listening Tentacles stopped, a subnet that its server does not reach, pollers that do not trust their server).

Judging alone stands beside a peer: pydantic's own reading of the same surveys as JSON, in the same process. What both
need grows with the machine's load alike, so their ratio tells whether judging got slower.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.result import Run
from pytest_tentacle.link import Failure
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.page import render_page
from pytest_tentacle.sections import STEPS, Fleet, applicable, fleet_of
from pytest_tentacle.survey.store import Surveys

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # the fleet is the one that the tests make up

from support.fleets.certificates import thumbprint
from support.fleets.whole import Whole

DROPPED = {"fails": "connect", "error": Failure.TIMED_OUT}
PAGE = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Report</title><body>{}</body></html>'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=1000, help="Tentacles, half of them listening (default 1000)")
    parser.add_argument("--repeat", type=int, default=5, help="runs (default 5)")
    parser.add_argument("--browser", action="store_true", help="load and filter the page in headless Chromium as well")
    options = parser.parse_args()
    surveys = sick_fleet(options.machines).surveys()
    text = surveys.model_dump_json()
    steps: dict[str, list[float]] = {}
    for _ in range(options.repeat):
        timed(steps, "read", lambda: Surveys.model_validate_json(text))
        fleet = fleet_of(surveys)
        results = timed(steps, "judge", lambda fleet=fleet: judged(fleet))
        diagnosis = timed(steps, "diagnose", lambda fleet=fleet, results=results: diagnose(fleet, results))
        run = Run(surveys, tuple(results), datetime.now(UTC), 1.0, {})
        report = timed(steps, "report", lambda run=run, causes=diagnosis.causes: build_report(run, causes))
        page = timed(steps, "page", lambda report=report: render_page(report))
    print(f"{len(surveys.records):,} machines, {len(results):,} results, {options.repeat} runs; seconds of CPU:")
    for name, figures in steps.items():
        print(f"  {name:<10} {statistics.median(figures):6.2f} ({min(figures):.2f} - {max(figures):.2f})")
    alone = [
        (one + two) / read for one, two, read in zip(steps["judge"], steps["diagnose"], steps["read"], strict=True)
    ]
    print(
        f"judging and diagnosing alone: {statistics.median(alone):.1f} times the reading of the same surveys "
        "by pydantic"
    )
    print(f"{sum(len(result.problems) for result in results):,} problems, {len(diagnosis.causes)} causes:")
    for cause in diagnosis.causes:
        print(f"  {cause.code} {len(cause.machines):,} machines: {cause.title}")
    print(f"page: {len(page.encode()):,} bytes")
    if options.browser:
        loaded, filtered = looked_at(page)
        print(f"Chromium: load {loaded:.2f} s, filter {filtered:.2f} s")


def timed(steps: dict[str, list[float]], name: str, work: Callable[[], Any]) -> Any:
    """CPU time, since other work on the machine is none of ours."""
    gc.collect()
    started = time.process_time()
    done = work()
    steps.setdefault(name, []).append(time.process_time() - started)
    return done


def judged(fleet: Fleet) -> list[Any]:
    return [subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)]


def sick_fleet(machines: int) -> Any:
    """One server; Tentacles in subnets of 200, the first third of those that listen stopped, the second not reached."""
    world = Whole()
    world.add_server("octo-1", "10.0.0.1")
    listening = machines // 2
    for number in range(listening):
        part = 3 * number // listening
        world.add_listening(f"web-{number}", f"10.{part + 1}.{number // 200}.{number % 200 + 1}")
        if part == 0:
            world.down(f"web-{number}")
        elif part == 1:
            world.both(f"web-{number}", DROPPED)
    for number in range(machines - listening):
        world.add_polling(f"poll-{number}", f"10.9.{number // 200}.{number % 200 + 1}")
        if not number % 3:
            world[f"poll-{number}"].trusted[0]["Thumbprint"] = thumbprint("octopus of old")
    return world


def looked_at(page: str) -> tuple[float, float]:
    """Seconds until the page is loaded, and until all passed machines are shown too."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  only this part needs a browser

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "page.html"
        file.write_text(PAGE.format(page), encoding="utf-8")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page()
        started = time.perf_counter()
        tab.goto(file.as_uri())
        loaded = time.perf_counter() - started
        started = time.perf_counter()
        before = tab.inner_text("#tt-status")
        tab.check("input[value=passed]")
        tab.wait_for_function("before => document.querySelector('#tt-status').textContent !== before", arg=before)
        filtered = time.perf_counter() - started
        browser.close()
    return loaded, filtered


if __name__ == "__main__":
    main()
