"""pytest hooks and options; thin: each hook calls one function elsewhere."""

from __future__ import annotations

import pytest

from .run import options as command_line

PLUGIN_NAME = "tentacle-run"

_OURS = frozenset(
    {
        "machine",
        "tentacle",
        "listening_tentacle",
        "polling_tentacle",
        "octopus_server",
        "communication_mode",
        "survey",
    }
)
"""Fixtures that only a run with machines has."""


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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without machines, a test that asks for one is skipped, with what to do."""
    if config.pluginmanager.hasplugin(PLUGIN_NAME):
        return
    for item in items:
        wanted = _OURS.intersection(getattr(item, "fixturenames", ()))
        info = getattr(item, "_fixtureinfo", None)
        if wanted and info is not None and (missing := wanted - info.name2fixturedefs.keys()):
            reason = f"{min(missing)} stands for a machine: name some with --inventory=FILE or --tentacle HOST"
            item.add_marker(pytest.mark.skip(reason=reason))
