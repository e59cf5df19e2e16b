"""What may go wrong with a command line: options that would mean nothing, a root folder that moved, an odd zone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from _pytest.config.findpaths import locate_config

_TESTINFRAS = (
    "connection",
    "hosts",
    "ssh_config",
    "ssh_extra_args",
    "ssh_identity_file",
    "sudo",
    "sudo_user",
    "ansible_inventory",
    "force_ansible",
    "nagios",
)

_FILES = ("inventory", "replay", "save_surveys", "bundle", "sarif", "metrics", "compare", "history", "octopus_ca")

_INSTEAD = {
    "hosts": "--limit chooses machines",
    "ansible_inventory": "--inventory ansible:FILE reads it",
}


def refuse_testinfras_options(config: pytest.Config) -> None:
    """Raises pytest.UsageError for an option of testinfra's: machines and log-ons come from the inventory here."""
    for name in _TESTINFRAS:
        if config.getoption(name, None):
            instead = _INSTEAD.get(name, "the inventory says how to log on")
            raise pytest.UsageError(
                f"--{name.replace('_', '-')} is an option of testinfra's and would mean nothing here: {instead}."
            )


def refuse_empty_files(config: pytest.Config) -> None:
    """Raises pytest.UsageError for `--save-surveys=`, as an unset variable leaves it."""
    for name in _FILES:
        if config.getoption(name) in ("", [""]):
            raise pytest.UsageError(
                f"--{name.replace('_', '-')} is empty; perhaps a variable is not set. Name a file, or leave it out."
            )


def refuse_odd_files(config: pytest.Config) -> None:
    """Raises pytest.UsageError for a bundle not named as a zip file, and for a missing `--css` of pytest-html."""
    bundle = config.getoption("bundle")
    if bundle and not bundle.lower().endswith(".zip"):
        raise pytest.UsageError(f"--bundle writes a zip file: name it so, such as {Path(bundle).with_suffix('.zip')}")
    for name in config.getoption("css", None) or ():
        if not Path(name).expanduser().is_file():
            raise pytest.UsageError(f"--css {name}: there is no such file")


def moved_root(config: pytest.Config) -> Iterator[str]:
    """A warning where pytest took a file that an option names for a place of tests, and left this folder's settings.

    It does so with a space between option and file, for options that it does not know yet.
    """
    folder = config.invocation_params.dir
    _, own, *_ = locate_config(folder, [folder])
    given = [str(argument) for argument in config.invocation_params.args]
    spaced = [given[at] for at in range(len(given) - 1) if given[at] in _OF_FILES and Path(given[at + 1]).exists()]
    if own is not None and config.inipath != own and spaced and not config.known_args_namespace.inifilename:
        yield (
            f"{own} is not read, and the root folder is {config.rootpath}, because of the space after {spaced[0]}: "
            f"write {spaced[0]}=FILE"
        )


_OF_FILES = ("--inventory", "--replay", "--save-surveys", "--bundle", "--sarif", "--metrics", "--compare", "--history")


def settle_zone() -> str | None:
    """Takes UTC where `TZ` holds a zone that no date can have; gives the sentence for the user.

    pytest and its plugins write their files' times in the local zone, and break off in the midst of such a file.
    """
    try:
        datetime.now(UTC).astimezone()
    except (ValueError, OverflowError):
        os.environ["TZ"] = "UTC"
        time.tzset()
        return "TZ holds a time zone that does not exist: times are in UTC. Set TZ to one such as Europe/Berlin."
    return None
