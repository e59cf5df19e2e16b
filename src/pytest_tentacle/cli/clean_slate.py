"""`pytest-tentacle clean-slate`: the whole plan for one machine, as a page and a script; nothing of it is run."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from . import sites
from .ping import number


def add(parser: argparse.ArgumentParser) -> None:
    """What may follow the command."""
    parser.add_argument("--machine", required=True, metavar="NAME", help="a Tentacle, by its name in the inventory")
    parser.add_argument("--inventory", metavar="FILE", help="survey it now")
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="take what --save-surveys or --bundle wrote; nobody is contacted"
    )
    parser.add_argument("--output", type=Path, metavar="FOLDER", default=Path("reports"), help="default: reports")
    parser.add_argument("--machine-timeout", type=number, default=60.0, metavar="SECONDS", help="for the survey")
    sites.add(parser)


def run(options: argparse.Namespace) -> int:
    """Exit code 0, 2 where there is no plan, 130 after Ctrl-C."""
    from pytest_tentacle.acting.clean_slate import NoPlanError  # noqa: PLC0415  not for the other commands
    from pytest_tentacle.sites.address import SitesError  # noqa: PLC0415
    from pytest_tentacle.survey.collector import Interrupted  # noqa: PLC0415
    from pytest_tentacle.survey.store import StoreError  # noqa: PLC0415

    from .looking import CannotError  # noqa: PLC0415

    try:
        return _write(options)
    except (CannotError, NoPlanError, SitesError, StoreError) as error:
        sys.stderr.write(f"pytest-tentacle clean-slate: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"pytest-tentacle clean-slate: cannot be written: {error.strerror or error}\n")
        return 2
    except (KeyboardInterrupt, Interrupted):
        return 130


def _write(options: argparse.Namespace) -> int:
    from pytest_tentacle import files  # noqa: PLC0415  as above
    from pytest_tentacle.acting.clean_slate import planned  # noqa: PLC0415
    from pytest_tentacle.acting.clean_slate_files import page, script  # noqa: PLC0415
    from pytest_tentacle.inventory import known_secrets  # noqa: PLC0415
    from pytest_tentacle.report.redaction.redactor import Redactor  # noqa: PLC0415
    from pytest_tentacle.run.bundle import load_surveys  # noqa: PLC0415
    from pytest_tentacle.sections import fleet_of  # noqa: PLC0415

    from .looking import CannotError, inventory_of, survey  # noqa: PLC0415

    by_sites = sites.of(options)
    if (options.inventory is None) is (options.replay is None):
        raise CannotError("say either --inventory FILE, to survey the machine, or --replay FILE")
    surveys = load_surveys(options.replay) if options.replay else None
    inventory = (
        surveys.inventory if surveys else inventory_of(options.inventory, None, elsewhere=by_sites.has_scheduler)
    )
    if options.machine not in {each.name for each in inventory.machines}:
        raise CannotError(f"there is no machine {options.machine}")
    clean = Redactor(known_secrets(inventory)).text
    if surveys is None:
        with contextlib.closing(by_sites):
            surveys = survey(inventory, [options.machine], options.machine_timeout, by_sites)
    plan = planned(fleet_of(surveys).subject(options.machine))
    stem = re.sub(r"[^\w.-]+", "-", options.machine).strip("-.") or "machine"
    base = options.output / f"clean-slate-{stem}-{time.strftime('%Y%m%d-%H%M%S')}.html"
    commands = base.with_suffix(".ps1" if plan.is_windows else ".sh")
    text = page(
        plan,
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        taken=f"{surveys.taken_utc:%Y-%m-%d %H:%M} UTC",
        script=commands.name,
    )
    files.write(base, clean(text))
    files.write(commands, clean(script(plan)))
    sys.stdout.write(f"plan: {base}\nscript: {commands}\nNothing was run on {options.machine}.\n")
    return 0
