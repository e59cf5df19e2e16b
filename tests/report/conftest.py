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


WINDOW = {"width": 1400, "height": 1000}


@pytest.fixture(scope="session")
def tab(browser):
    """A page that tests show theirs in, one after the other: a new one each costs three times as much as what it is to show."""
    return _tab(browser)


def _tab(browser, **context):
    """A page that keeps a list of the errors that it logs and of whatever it asks the network for."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(_PATIENCE)
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: page.faults.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
    )
    page.on("dialog", lambda dialog: (page.faults.append(dialog.message), dialog.dismiss()))
    return page


@pytest.fixture
def open_page(tab, browser):
    """Opens pages that must not log an error nor ask the network for anything: each alone, in place of the one before."""
    own = []

    def open_page(address, *, viewport=WINDOW, color_scheme="light", java_script_enabled=True):
        page = tab
        if not java_script_enabled:
            page = _tab(browser, java_script_enabled=False)
            own.append(page)
        page.set_viewport_size(viewport)
        page.emulate_media(media="null", color_scheme=color_scheme)
        page.goto(address)
        return page

    yield open_page
    for page in own:
        page.context.close()
    tab.goto("about:blank")  # nothing of it is left to the next, which may differ by its `#` alone
    faults = [fault for page in (tab, *own) for fault in page.faults]
    tab.faults = []
    assert faults == []
