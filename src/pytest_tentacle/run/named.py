"""The machines that the command line names, and the password that is asked for on the terminal."""

from __future__ import annotations

import getpass
import os
import sys

import pytest

from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.inventory.sources.named import NamedMachines

from .options import Options

PASSWORD_VARIABLE = "PYTEST_TENTACLE_PASSWORD"  # noqa: S105  a variable's name
"""The password that was typed, for the other processes of this run; it is in no process list and no file."""


def named_by(options: Options) -> NamedMachines | None:
    """The machines of `--tentacle`; None without it. Raises pytest.UsageError."""
    if not options.tentacles:
        return None
    if options.transport is None and (options.user or options.ask_password):
        raise pytest.UsageError("--user and --ask-password go with --transport winrm or --transport ssh")
    return NamedMachines(
        tentacles=options.tentacles,
        servers=options.servers,
        port=options.port,
        mode=options.mode.value if options.mode else None,
        transport=options.transport,
        user=options.user,
        password=_password(options) if options.ask_password else None,
    )


def _password(options: Options) -> Secret:
    """Asked for once a run. Raises pytest.UsageError where there is nobody to ask."""
    typed = os.environ.get(PASSWORD_VARIABLE)
    if not typed:
        if not sys.stdin.isatty():
            raise pytest.UsageError("--ask-password needs a terminal: use an inventory with password: ${env:NAME}")
        typed = getpass.getpass(f"Password of {options.user or getpass.getuser()}: ")
        os.environ[PASSWORD_VARIABLE] = typed
    return Secret(typed)
