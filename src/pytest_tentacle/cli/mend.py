"""`pytest-tentacle mend`: the commands of a cause's remedy, shown, asked about, run, and looked at again."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from . import sites
from .ping import number

if TYPE_CHECKING:  # all of the product: not for the other commands
    from pytest_tentacle.acting.mending import Mending, Seen
    from pytest_tentacle.acting.sending import Sender
    from pytest_tentacle.cli.looking import Console, Report
    from pytest_tentacle.inventory.model import Inventory
    from pytest_tentacle.sites.of_run import SitesOfRun
    from pytest_tentacle.survey.actions import Action
    from pytest_tentacle.survey.store import Surveys

SETTLING_SECONDS = 30.0
"""How long a service may take to start work before it is called not mended: what the guide allows."""

_AGAIN_SECONDS = 5.0
_NOTHING_DONE, _WRONG_USE, _INTERRUPTED = 1, 2, 130


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument("report", type=Path, metavar="REPORT.json", help="the JSON beside the page of a run")
    parser.add_argument("--cause", required=True, metavar="CODE", help="which of its causes, such as TC2021")
    parser.add_argument(
        "--machine", action="append", default=[], metavar="NAME", help="only on this machine; repeatable"
    )
    parser.add_argument("--inventory", metavar="FILE", help="instead of the file that the report names")
    parser.add_argument("--yes", action="store_true", help="run the commands without asking, for unattended runs")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only look, and show the commands; so it is where there is no terminal, too, unless --yes is given",
    )
    parser.add_argument("--machine-timeout", type=number, default=60.0, metavar="SECONDS", help="for one survey")
    sites.add(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0: all that was to be mended is gone and nothing new came, or it was only shown.

    1: something is left, new or not known, or the answer was no; 2: wrong use, nobody was contacted; 130: Ctrl-C, 143
    and 129: SIGTERM and SIGHUP.
    """
    from pytest_tentacle.run.signals import Signals, Undying  # noqa: PLC0415  see above
    from pytest_tentacle.sites.address import SitesError  # noqa: PLC0415
    from pytest_tentacle.survey.collector import Interrupted  # noqa: PLC0415

    from .looking import CannotError  # noqa: PLC0415

    signals, done = Signals(), list["Action"]()
    signals.install()
    try:
        with contextlib.closing(sites.of(options)) as by_sites:
            code = _mend(options, by_sites, done)
    except (CannotError, SitesError) as error:
        Undying(sys.stderr).write(f"pytest-tentacle mend: {error}\n")
        return _WRONG_USE
    except (KeyboardInterrupt, Interrupted):
        ended = "what was run stands above" if done else "before anything was changed"
        Undying(sys.stderr).write(f"\nended: {ended}\n")
        code = _INTERRUPTED
    finally:
        signals.remove()
    return signals.exit_code or code


def _mend(options: argparse.Namespace, by_sites: SitesOfRun, done: list[Action]) -> int:
    from pytest_tentacle.acting.changes import FILE, require_writable  # noqa: PLC0415  see above
    from pytest_tentacle.acting.mendable import MENDABLE  # noqa: PLC0415
    from pytest_tentacle.acting.mending import seen  # noqa: PLC0415
    from pytest_tentacle.acting.sending import by  # noqa: PLC0415

    from .looking import CannotError, Console, inventory_of, read_report, survey  # noqa: PLC0415

    code = options.cause.strip().upper()
    report = read_report(options.report)
    if code not in report.causes:
        raise CannotError(f"{report.path} names no cause {code}; it names {', '.join(report.causes) or 'none'}")
    inventory = inventory_of(options.inventory, report, elsewhere=by_sites.has_scheduler or report.by_sites)
    machines = _chosen(report, code, options.machine, inventory)
    _require_same_place(report, inventory, machines, by_sites)
    console = Console(inventory)
    if code not in MENDABLE:
        console.say(f"{code} is mended by hand: its remedy is none that was proven on a machine. The report says:")
        for line in dict.fromkeys(line for each in report.causes[code] for line in each.remedy):
            console.say(f"  {line}")
        return _NOTHING_DONE
    dry = options.dry_run or not (options.yes or console.asks())
    if not dry:
        try:
            require_writable()
        except OSError as error:
            raise CannotError(f"nothing is changed that cannot be written down: {FILE}: {error.strerror}") from None
    console.say(f"looking at {', '.join(machines)}")
    before = seen(survey(inventory, machines, options.machine_timeout, by_sites))
    tasks = _shown(console, inventory, before, machines, code)
    if not tasks:
        return _NOTHING_DONE
    if dry:
        console.say("\nNothing was run. On a terminal you are asked; --yes runs it without.")
        return 0
    commands = sum(len(task.commands) for task in tasks)
    if not options.yes and not console.answered_yes(
        f"\nRun {_some(commands, 'command')} on {_some(len(tasks), 'machine')}?"
    ):
        console.say("nothing was run")
        return _NOTHING_DONE
    look = partial(survey, inventory, machine_timeout=options.machine_timeout, sites=by_sites)
    return _run_all(console, before, tasks, _Ways(look, by(by_sites), str(options.report)), done)


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


@dataclass(frozen=True)
class _Ways:
    """How machines are looked at and spoken to, and which report it is about."""

    look: Callable[[list[str]], Surveys]
    sender: Sender
    report: str


def _require_same_place(report: Report, inventory: Inventory, machines: list[str], by_sites: SitesOfRun) -> None:
    """Raises CannotError where another machine may have that address here: sites often have the same private ones."""
    from .looking import CannotError  # noqa: PLC0415  see above

    sited = {each.name: each.site for each in inventory.machines if each.site}
    peers = [server for each in inventory.tentacles if each.name in machines for server in each.servers]
    far = [f"{name} (site {sited[name]})" for name in dict.fromkeys([*machines, *peers]) if name in sited]
    if report.by_sites and far and not by_sites.has_scheduler:
        raise CannotError(
            f"in that run workers of their sites surveyed {', '.join(far)}, and from here the same address may be "
            "another machine's: add --executor as in that run"
        )


def _chosen(report: Report, code: str, wanted: list[str], inventory: Inventory) -> list[str]:
    """The machines that are meant. Raises CannotError."""
    from .looking import CannotError  # noqa: PLC0415  see above

    named = list(dict.fromkeys(name for each in report.causes[code] for name in each.machines))
    strange = [name for name in wanted if name not in named]
    if strange:
        raise CannotError(f"{code} is not on {', '.join(strange)} by that report; it is on {', '.join(named)}")
    machines = wanted or named
    unknown = [name for name in machines if name not in {each.name for each in inventory.machines}]
    if unknown:
        raise CannotError(f"the inventory has no {', '.join(unknown)}: give the one of that run with --inventory")
    return machines


def _shown(console: Console, inventory: Inventory, before: Seen, machines: list[str], code: str) -> list[Mending]:
    """The exact commands for each machine, with what follows from them; and who is left out, and why."""
    from pytest_tentacle.acting.changes import who  # noqa: PLC0415  see above
    from pytest_tentacle.acting.mendable import commands_of  # noqa: PLC0415
    from pytest_tentacle.acting.mending import Mending  # noqa: PLC0415

    from .looking import is_server  # noqa: PLC0415

    tasks = []
    for name in machines:
        record, found = before.fleet.record(name), before.find(name, code)
        if record is None or record.survey is None:
            why = record.unreachable.summary if record and record.unreachable else "it was not surveyed"
            console.say(f"\n{name}: left alone: {why}")
            continue
        if found is None:
            console.say(f"\n{name}: {code} is not found any more: nothing to mend")
            continue
        is_windows = before.fleet.subject(name).system == "windows"
        commands = commands_of(found, is_windows=is_windows)
        restarts = any("restart" in line.lower() for line, _ in commands.lines)
        by_hand = commands.by_hand
        if is_server(inventory, name) and restarts:
            by_hand = "a restart of an Octopus Server ends its running tasks: see --restart server"
        if by_hand:
            console.say(f"\n{name}: by hand: {by_hand}")
            continue
        console.say(f"\n{name}: {found.kind.title} [{code}]")
        for line, consequence in commands.lines:
            console.say(f"  $ {line}\n      {consequence}")
        lines = tuple(line for line, _ in commands.lines)
        tasks.append(Mending(inventory.find(name), found, lines, is_windows, who()))
    return tasks


def _run_all(console: Console, before: Seen, tasks: list[Mending], ways: _Ways, done: list[Action]) -> int:
    """One machine after the other; the first that does not go well ends it. `done` gets what came of each."""
    from pytest_tentacle.acting.carrying_out import uninterrupted  # noqa: PLC0415  see above
    from pytest_tentacle.acting.changes import FILE, write_down  # noqa: PLC0415

    for position, task in enumerate(tasks, start=1):
        action, is_well, interrupted = _mended(console, before, task, ways)
        with uninterrupted():
            done.append(action)
            try:
                write_down(action)
            except OSError as error:
                console.say(f"it could not be written down in {FILE}: {error.strerror}")
                is_well = False
            console.say(f"{task.machine.name}: {action.result.value}: {action.told}")
            _say_what_to_look_at(console, action, task.commands[len(action.commands) :], ways)
            why = "it was interrupted" if interrupted else "the machine before it did not go well"
            for left in tasks[position:] if interrupted or not is_well else ():
                console.say(f"{left.machine.name}: left alone: {why}")
        if interrupted:
            return _INTERRUPTED
        if not is_well:
            return _NOTHING_DONE
    return 0


def _say_what_to_look_at(console: Console, action: Action, left: Sequence[str], ways: _Ways) -> None:
    """Where nobody knows what came of it: what may have happened, what is left to do, and what tells it."""
    from pytest_tentacle.survey.actions import ActionResult  # noqa: PLC0415  see above

    if action.result is not ActionResult.NOT_KNOWN:
        return
    console.say("  What was sent may have been carried out, in part or as a whole, and may still be under way there:")
    for command in action.commands:
        console.say(f"    $ {command}")
    if left:
        console.say("  Not sent, and still to be done:")
    for command in left:
        console.say(f"    $ {command}")
    console.say(
        "  Nothing is sent a second time by itself. See how the machine is now, before anything else is done to it:"
    )
    console.say(f"    pytest-tentacle mend {ways.report} --cause {action.what} --machine {action.machine} --dry-run")


def _mended(console: Console, before: Seen, task: Mending, ways: _Ways) -> tuple[Action, bool, bool]:
    """What came of one machine, whether it is well, and whether Ctrl-C ended it."""
    from pytest_tentacle.acting.carrying_out import alone  # noqa: PLC0415  see above
    from pytest_tentacle.acting.mending import broken_off, carry_out, compared, finished, seen  # noqa: PLC0415
    from pytest_tentacle.survey.actions import ActionResult  # noqa: PLC0415
    from pytest_tentacle.survey.collector import Interrupted  # noqa: PLC0415

    from .looking import CannotError  # noqa: PLC0415

    ran, interrupted = alone(lambda sessions: carry_out(task, ways.sender, sessions))
    action = ran or broken_off(task, "it was interrupted" if interrupted else "it broke off by a fault of ours")
    if interrupted or action.result is ActionResult.LEFT_ALONE:
        return action, False, interrupted
    console.say(f"{task.machine.name}: {action.told}; looking again")
    ends, after = time.monotonic() + SETTLING_SECONDS, None
    try:
        while True:
            after = compared(task, before, seen(ways.look([task.machine.name])))
            if after.is_well or time.monotonic() > ends:
                break
            time.sleep(_AGAIN_SECONDS)
    except CannotError as error:
        told = f"{action.told}; it could not be looked at again: {error}"
        return action.model_copy(update={"told": told}), False, False
    except (KeyboardInterrupt, Interrupted):
        whole = finished(action, after)
        return whole.model_copy(update={"told": f"{whole.told}; interrupted before it was seen well"}), False, True
    done = finished(action, after)
    return done, done.result is ActionResult.DONE and after.is_well, False
