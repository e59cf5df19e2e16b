"""What runs the commands of the lab's WinRM server: processes, and a PowerShell engine behind a prelude."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

COMMAND_LINE_LIMIT = 8191
"""Characters that cmd.exe, and with it a WinRS shell, takes (powershell.md, section 3)."""

_POWERSHELL = re.compile(
    r"^\s*\"?(?:powershell|pwsh)(?:\.exe)?\"?\s.*?(?:-e(?:nc|ncodedcommand)?\s+(\S+)|-c(?:ommand)?\s+\"(.*)\")\s*$",
    re.IGNORECASE,
)


_TYPED = re.compile(r"^\s*\"?(?:powershell|pwsh)(?:\.exe)?\"?\s.*?-c(?:ommand)?\s+-\s*$", re.IGNORECASE)
"""It takes commands from stdin, as if they were typed."""


class RunningCommand(Protocol):
    """A command that was started; its methods are called from several threads."""

    def write(self, data: bytes) -> None:
        """Take bytes for stdin without waiting for them to be read. Raises BrokenPipeError when it has ended."""

    def close_stdin(self) -> None:
        """End stdin."""

    def read(self, limit: int, seconds: float) -> tuple[bytes, bytes]:
        """Up to `limit` bytes of stdout and stderr; waits for as many, the command's end, or the time's."""

    def poll(self) -> int | None:
        """The exit code, once it has ended and all its output was read."""

    def kill(self) -> None:
        """End it with all that it started. May be called again."""


class CommandRunner(Protocol):
    """Starts commands."""

    def start(self, command: str) -> RunningCommand:
        """Start a command line as it would stand in cmd.exe."""


class ProcessCommand:
    """A process of this machine as a running command."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(  # noqa: S603  the lab runs what its own client sends
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if environment is None else {**os.environ, **environment},
            start_new_session=True,  # so that what it starts can be ended with it
        )
        self._changed = threading.Condition()
        self._output: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._input: deque[bytes | None] = deque()
        self._open_streams = 2
        self._ended = False
        pumps = [
            threading.Thread(target=self._pump, args=("stdout", self._process.stdout), daemon=True),
            threading.Thread(target=self._pump, args=("stderr", self._process.stderr), daemon=True),
            threading.Thread(target=self._feed, daemon=True),
        ]
        for pump in pumps:
            pump.start()
        self._pumps = pumps

    def write(self, data: bytes) -> None:
        """Queue bytes for stdin. Raises BrokenPipeError when the process has ended."""
        if self._process.poll() is not None:
            raise BrokenPipeError("the process has ended")
        with self._changed:
            self._input.append(data)
            self._changed.notify_all()

    def close_stdin(self) -> None:
        """End stdin once all that was queued is written."""
        with self._changed:
            self._input.append(None)
            self._changed.notify_all()

    def read(self, limit: int, seconds: float) -> tuple[bytes, bytes]:
        """As a running command does."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._open_streams and self._size() < limit and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            stdout = self._take("stdout", limit)
            return stdout, self._take("stderr", limit - len(stdout))

    def poll(self) -> int | None:
        """The exit code, once both outputs are closed and read."""
        with self._changed:
            if self._open_streams or self._size():
                return None
        return self._process.wait()  # both its outputs are closed: it has ended, or is about to

    def kill(self) -> None:
        """End the process and all that it started, and the threads that serve it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for pump in self._pumps:
            pump.join(timeout=1.0)

    def _size(self) -> int:
        return sum(len(data) for data in self._output.values())

    def _take(self, name: str, limit: int) -> bytes:
        buffer = self._output[name]
        data = bytes(buffer[:limit])
        del buffer[:limit]
        return data

    def _pump(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            while data := os.read(stream.fileno(), 65536):
                with self._changed:
                    self._output[name] += data
                    self._changed.notify_all()
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()
            if self._open_streams == 0:
                self._ended = True

    def _feed(self) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("stdin is a pipe")
        with contextlib.suppress(BrokenPipeError), stdin:  # it need not read what it is given
            while (data := self._next_input()) is not None:
                stdin.write(data)
                stdin.flush()

    def _next_input(self) -> bytes | None:
        with self._changed:
            while not self._input and not self._ended:
                self._changed.wait()
            return self._input.popleft() if self._input else None


class SaidCommand:
    """A command that only prints something and ends."""

    def __init__(self, stdout: bytes, stderr: bytes, exit_code: int) -> None:
        self._output = (stdout, stderr)
        self._exit_code = exit_code

    def write(self, data: bytes) -> None:
        """Ignore it."""

    def close_stdin(self) -> None:
        """Nothing reads it."""

    def read(self, limit: int, seconds: float) -> tuple[bytes, bytes]:  # noqa: ARG002  the protocol's signature
        """All of it, at once."""
        output, self._output = self._output, (b"", b"")
        return output

    def poll(self) -> int | None:
        """The exit code, once the output was read."""
        return self._exit_code if self._output == (b"", b"") else None

    def kill(self) -> None:
        """It has ended."""


class PowerShellRunner:
    """Runs `powershell.exe ... -Command "..."` or `-EncodedCommand <base64>` in a PowerShell engine, behind a prelude.

    Whatever else it is asked to run gets cmd.exe's answer to a command that is not there.
    """

    def __init__(
        self, engine: Path, *, prelude: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Keep the parts.

        Args:
            engine: the path of a pwsh.
            prelude: a script that is dot-sourced before every command: the lab machine's stand-ins for Windows.
            environment: variables added to this process's own.
        """
        self._engine = engine
        self._prelude = prelude
        self._environment = dict(environment or {})

    def start(self, command: str) -> RunningCommand:
        """Start the engine, or what says why not."""
        if len(command) > COMMAND_LINE_LIMIT:
            return SaidCommand(b"", b"The command line is too long.\r\n", 1)
        if _TYPED.match(command):
            typed = ProcessCommand(
                [str(self._engine), "-NoProfile", "-NonInteractive", "-Command", "-"], self._environment
            )
            typed.write(self._behind_prelude("").encode())
            return typed
        found = _POWERSHELL.match(command)
        if found is None:
            word = (command.split() or [""])[0]
            text = (
                f"'{word}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
            )
            return SaidCommand(b"", text.encode(), 1)
        try:
            script = found[2] or base64.b64decode(found[1], validate=True).decode("utf-16-le")
        except (binascii.Error, UnicodeDecodeError):
            return SaidCommand(b"", b"Cannot process the command because the value is not properly encoded.\r\n", 1)
        encoded = base64.b64encode(self._behind_prelude(script).encode("utf-16-le")).decode("ascii")
        arguments = [str(self._engine), "-NoProfile", "-NonInteractive", "-EncodedCommand", encoded]
        return ProcessCommand(arguments, self._environment)

    def _behind_prelude(self, script: str) -> str:
        if self._prelude is None:
            return script
        quoted = str(self._prelude).replace("'", "''")
        return f". '{quoted}'\n{script}"
