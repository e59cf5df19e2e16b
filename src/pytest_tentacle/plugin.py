"""pytest hooks and options; thin: each hook calls one function elsewhere."""

from __future__ import annotations

import pytest

from .run import options as command_line

PLUGIN_NAME = "tentacle-run"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    command_line.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Become active when an inventory or a replay file is given; cost other pytest runs nothing."""
    config.addinivalue_line("markers", "tentacle_step(slug): the step of the guide that a test is")
    options = command_line.read_options(config)
    if options.active:
        from .run.hooks import started  # noqa: PLC0415  other pytest runs need not import all of it

        config.pluginmanager.register(started(config, options), PLUGIN_NAME)
