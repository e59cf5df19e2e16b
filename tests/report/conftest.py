"""Made-up runs, and a real browser to look at what comes out."""

from __future__ import annotations

import shutil

import pytest

from pytest_tentacle.diagnosis import FoldedCause
from pytest_tentacle.judging.result import Run
from pytest_tentacle.link.decoding import decode_text
from support import runs


@pytest.fixture(scope="session")
def small_run() -> Run:
    """Eight machines, like the lab: healthy ones, and most kinds of what can be wrong."""
    return runs.make_small_run()


@pytest.fixture(scope="session")
def small_causes() -> tuple[FoldedCause, ...]:
    """A diagnosis of the small run."""
    return runs.make_small_causes()


@pytest.fixture(scope="session")
def large_run() -> Run:
    """1,000 machines x 16 steps, 791 of them failed, each with some 300 bytes of evidence."""
    return runs.make_large_run()


@pytest.fixture(scope="session")
def large_causes(large_run: Run) -> tuple[FoldedCause, ...]:
    """Two causes, each with half of the machines that fail."""
    return runs.make_large_causes(large_run)


@pytest.fixture(scope="session")
def browser():
    """A real headless Chromium that asks nobody for anything."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium")
    assert path, "chromium is missing: install Debian's package `chromium`"
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


@pytest.fixture
def make_certificate():
    """Makes a certificate of a common name, as it was decoded."""
    return lambda name: decode_text(runs.certificate_of(name))


_PATIENCE = 240_000
"""Milliseconds for whatever a page is to come to, however busy the machine; nothing waits where it has come to it."""


@pytest.fixture
def open_page(browser):
    """Opens pages that must not log an error nor ask the network for anything."""
    opened = []

    def open_page(address, **context):
        page = browser.new_context(**{"viewport": {"width": 1400, "height": 1000}, **context}).new_page()
        page.set_default_timeout(_PATIENCE)
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        page.on(
            "request",
            lambda request: page.faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
        )
        page.on("dialog", lambda dialog: (page.faults.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        faults = page.faults
        page.context.close()
        assert faults == []
