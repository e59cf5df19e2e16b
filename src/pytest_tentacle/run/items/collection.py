"""Which tests there are: the guide's own by default, one for each machine that a step applies to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tentacle.inventory.model import Machine, Mode
from pytest_tentacle.inventory.sources.named import HERE
from pytest_tentacle.run.session import TentacleRun
from pytest_tentacle.sections import TABLE, applicable

FIXTURES = ("machine", "tentacle", "listening_tentacle", "polling_tentacle", "octopus_server")
"""Fixtures that stand for one machine; a test that asks for one runs once for each machine of that kind."""

MARK = "tentacle_step"
_STEP = pytest.StashKey[str]()
_NAME = "machine"
"""The one behind all of these, which is parametrized."""


def guide_tests() -> Path:
    """The folder of the guide's tests: beside the package when it is installed, at the top of a checkout."""
    package = Path(__file__).parent.parent.parent
    for folder in (package / "tests_infra", package.parent.parent / "tests_infra"):
        if folder.is_dir():
            return folder
    raise pytest.UsageError("the guide's tests (tests_infra) are not installed with pytest-tentacle: reinstall it")


def runs_no_test(config: pytest.Config) -> bool:
    """Whether something else than a run of tests is asked for: then nobody is contacted, and no report written."""
    option = config.option
    if option.setuponly:  # with fixtures set up, each machine would be contacted for nothing
        option.setupplan = True
    return bool(
        option.collectonly or option.setupplan or option.showfixtures or option.show_fixtures_per_test or option.markers
    )


def aim(config: pytest.Config) -> None:
    """Run the guide's tests where the command line names none, and with `--guide` beside what it names."""
    if config.getoption("guide"):
        config.args = [*config.args, str(guide_tests())]
    elif config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [str(guide_tests())]


def parametrize(metafunc: pytest.Metafunc, run: TentacleRun) -> None:
    """Give a test its machines. Ids are `<machine>-<step>`, with pseudonyms where they are asked for."""
    asked = [name for name in FIXTURES if name in metafunc.fixturenames]
    if not asked:
        return
    fits = [machine for machine in run.candidates() if all(_is(machine, name) for name in asked)]
    what = step_of(metafunc.definition)
    metafunc.parametrize(
        _NAME,
        [machine.name for machine in fits],
        ids=[f"{run.shown(machine.name)}-{what}" for machine in fits],
        indirect=True,
        scope="function",
    )


def step_of(item: pytest.Item) -> str:
    """The step that a test is: the guide's that it is marked with, else its own, by its name."""
    step = item.stash.get(_STEP, None)
    if step is None:  # asked for six times a test, and found by all marks of all that hold it
        mark = item.get_closest_marker(MARK)
        own = str(getattr(item, "originalname", item.name)).removeprefix("test_").replace("_", "-")
        step = item.stash[_STEP] = str(mark.args[0]) if mark else own
    return step


def is_guides(item: pytest.Item) -> bool:
    """Whether it is a step of the guide, which judges recorded facts."""
    return item.get_closest_marker(MARK) is not None


def machine_of(item: pytest.Item) -> str | None:
    """The machine that a test is about."""
    callspec: Any = getattr(item, "callspec", None)
    name = callspec.params.get(_NAME) if callspec else None
    return name if isinstance(name, str) else None  # pytest's own token where no machine is of that kind


def _wants_machine(item: pytest.Item) -> bool:
    return _NAME in getattr(item, "fixturenames", ())


def machines_of(items: list[pytest.Item]) -> list[str]:
    """The machines that tests are about, each once, in order."""
    return list(dict.fromkeys(name for item in items if (name := machine_of(item)) is not None))


def asked_of(items: list[pytest.Item]) -> set[tuple[str, str]]:
    """The machines and steps of the tests that are left."""
    return {(machine, step_of(item)) for item in items if (machine := machine_of(item)) is not None}


def refuse_bare_hosts(items: list[pytest.Item]) -> None:
    """Raises pytest.UsageError for a test whose `host` would be the machine that runs pytest: no machine was named."""
    for item in items:
        info: Any = getattr(item, "_fixtureinfo", None)
        ours = info is not None and any(
            getattr(made.func, "__module__", "").startswith(__package__ or "")
            for made in info.name2fixturedefs.get("host", ())[-1:]
        )
        if ours and not _wants_machine(item):
            raise pytest.UsageError(
                f"{item.nodeid} asks for `host` without a machine to run on: let it ask for `machine` as well (or for "
                "`tentacle`, `octopus_server` ...)"
            )


def drop_unasked(items: list[pytest.Item], run: TentacleRun, config: pytest.Config) -> None:
    """Take out what nobody asked for, before any machine is contacted.

    That is the ping (for a replay: at its survey), and the server that stands for this very machine where `--tentacle`
    names none: nobody asked about it.
    """
    pinged = run.surveys.ping if run.surveys else run.options.ping
    _keep(items, config, lambda item: (bool(pinged) or step_of(item) != "tentacle-ping") and machine_of(item) != HERE)


def drop_inapplicable(items: list[pytest.Item], run: TentacleRun, config: pytest.Config) -> list[str]:
    """Take out what does not apply, now that the surveys have told each Tentacle's mode.

    Gives the machines of which nothing is left: a server that nobody logs on to is there for its Tentacles alone.

    Where surveys are kept packed, each machine's steps are judged here, all at once: the tests come step by step, and
    would unpack each survey for each step.
    """
    packed = run.surveys is not None and any(record.is_packed for record in run.surveys.records)
    by_machine: dict[str | None, list[pytest.Item]] = {}
    for item in items:
        by_machine.setdefault(machine_of(item), []).append(item)
    wanted: set[int] = set()
    for machine, own in by_machine.items():
        left = [item for item in own if _applies(item, run)]
        wanted.update(map(id, left))
        if packed and machine is not None:
            for step in filter(TABLE.__contains__, map(step_of, left)):
                run.subject(machine).result(step)
            run.fleet.let_go(machine)
    _keep(items, config, lambda item: id(item) in wanted)
    left_machines = {machine_of(item) for item in items}
    return [name for name in by_machine if name is not None and name not in left_machines]


def _keep(items: list[pytest.Item], config: pytest.Config, wanted: Callable[[pytest.Item], bool]) -> None:
    """The others are pytest's deselected, so that its numbers add up."""
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    for item in items:
        (kept if wanted(item) else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    items[:] = kept


def _applies(item: pytest.Item, run: TentacleRun) -> bool:
    name = machine_of(item)
    if name is None:
        return not _wants_machine(item)  # there is no machine of the kind that it asks for
    subject = run.subject(name)
    if run.options.mode and subject.is_tentacle and subject.mode not in (None, run.options.mode):
        return False
    asked = getattr(item, "fixturenames", ())
    if "listening_tentacle" in asked and subject.mode is Mode.POLLING:
        return False
    if "polling_tentacle" in asked and subject.mode is Mode.LISTENING:
        return False
    step = step_of(item)
    return applicable(step, subject) if step in TABLE else True


def _is(machine: Machine, fixture: str) -> bool:
    role = getattr(machine, "role", None)
    mode = getattr(machine, "mode", None)
    return {
        "machine": True,
        "tentacle": role == "tentacle",
        "listening_tentacle": role == "tentacle" and mode in (None, Mode.LISTENING),
        "polling_tentacle": role == "tentacle" and mode in (None, Mode.POLLING),
        "octopus_server": role == "server",
    }[fixture]
