"""Our transports as a testinfra backend, so that users' own tests have testinfra's `host` on the session we keep.

On Linux all of testinfra's modules work. On Windows `host.run` runs PowerShell; of the modules, those work that speak
PowerShell themselves (`host.service`), while those that speak cmd (`host.file`, `host.system_info`) do not.
testinfra's own guess of the encoding, which runs Python on the machine, is left out: output is taken for UTF-8.
"""

from __future__ import annotations

import base64
from typing import Any

import testinfra.backend
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from .base import Deadline, Transport

COMMAND_SECONDS = 60.0
"""How long one command of a user's test may take."""

_MAX_COMMAND_LINE = 8_000
"""cmd.exe, which WinRM and Windows' OpenSSH go through, takes 8,191 characters."""

_POWERSHELL = "powershell.exe -NoLogo -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand "

_PROLOGUE = """\
$ProgressPreference = 'SilentlyContinue'
try { [Console]::OutputEncoding = New-Object System.Text.UTF8Encoding $false } catch { }
"""

_EPILOGUE = """
$tentacleSucceeded = $?
if ($LASTEXITCODE) { exit $LASTEXITCODE }
if (-not $tentacleSucceeded) { exit 1 }
"""

_FROM_STDIN = """\
$reader = New-Object System.IO.StreamReader ([Console]::OpenStandardInput()), ([Text.Encoding]::UTF8)
. ([ScriptBlock]::Create($reader.ReadToEnd()))
"""


_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
"""All that PowerShell takes for a single quote; doubled, each stands for itself."""


class TentacleBackend(BaseBackend):  # type: ignore[misc]  # testinfra carries no types
    """What testinfra sees of one of our transports, whose session it uses and neither opens nor closes."""

    NAME = "tentacle"

    def __init__(self, hostname: str, transport: Transport, seconds: float = COMMAND_SECONDS, **kwargs: Any) -> None:
        """Take a connected transport.

        Args:
            hostname: how the machine is called in test ids.
            transport: connected; one backend at a time may use it.
            seconds: budget of each command.
            kwargs: testinfra's own (`sudo`, `sudo_user`).
        """
        super().__init__(hostname, **kwargs)
        self._transport = transport
        self._seconds = seconds
        self._windows = transport.detect_os() == "windows"

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command to its end; `args` are quoted into its `%s`. Raises TransportError."""
        if self._windows:
            line, stdin = powershell_command(_quote_for_powershell(command, args))
        else:
            line, stdin = self.get_command(command, *args), b""
        answer = self._transport.execute(line, stdin, Deadline(self._seconds))
        return self.result(answer.exit_code, self.encode(line), answer.stdout, answer.stderr)

    def get_encoding(self) -> str:
        """UTF-8, without asking the machine."""
        return "utf-8"

    def decode(self, data: bytes) -> str:
        """Text of a command's output; bytes that are not UTF-8 become U+FFFD."""
        return data.decode("utf-8", errors="replace")

    def encode(self, data: str) -> bytes:
        """Bytes of a command line."""
        return data.encode("utf-8", errors="surrogateescape")


def make_host(transport: Transport, *, name: str = "machine", seconds: float = COMMAND_SECONDS) -> Host:
    """Give testinfra's host over a connected transport, which stays the caller's to close."""
    backend = TentacleBackend(name, transport, seconds)
    host = Host(backend)
    backend.set_host(host)
    return host


def powershell_command(script: str) -> tuple[str, bytes]:
    """A command line that runs a PowerShell script, and what goes to its stdin.

    The exit code is the script's own `exit`, or that of its last program, or 1 where its last command failed. A
    script that a command line cannot hold travels on stdin.
    """
    whole = _PROLOGUE + script + _EPILOGUE
    line = _POWERSHELL + _encode(whole)
    if len(line) <= _MAX_COMMAND_LINE:
        return line, b""
    return _POWERSHELL + _encode(_FROM_STDIN), whole.encode()


def _encode(script: str) -> str:
    return base64.b64encode(script.encode("utf-16-le")).decode()


def _quote_for_powershell(command: str, args: tuple[str, ...]) -> str:
    if not args:
        return command
    quoted = ("'" + "".join(letter * 2 if letter in _SINGLE_QUOTES else letter for letter in arg) + "'" for arg in args)
    return command % tuple(quoted)


testinfra.backend.BACKENDS[TentacleBackend.NAME] = f"{__name__}.{TentacleBackend.__name__}"
