"""Log on by WinRM: pywinrm's `Protocol` with one login, one shell, and a deadline that holds."""

from __future__ import annotations

import contextlib
import functools
import ssl
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from winrm.exceptions import WinRMError, WinRMOperationTimeoutError, WinRMTransportError
from winrm.protocol import Protocol

from pytest_tentacle.inventory.model import WinRM
from pytest_tentacle.transport.base import Answer, Deadline, ReachStage, Transport, TransportError

from .credssp import seal_as_negotiated
from .dial import dial
from .faults import ENVELOPE_TOO_BIG, PIPE_CLOSED, SHELL_GONE, FaultError, explained
from .http import Adapter
from .session import new_protocol, require_usable
from .tls import shared_tls_context
from .wire import Watch, Wire

__all__ = ["WinRMTransport", "shared_tls_context"]

UTF_8 = 65001
"""The shell's code page."""

BLOCK_BYTES = 220_000
"""One Send's share of stdin, which holds a whole script: 293 kB as base64. An envelope has 500 kB since WinRM 3."""

SMALLEST_BLOCK_BYTES = 30_000
"""Where the halving ends when a machine calls its envelopes too big."""

IDLE_TIMEOUT = "PT180S"
"""After this the machine ends a shell that we had to leave behind, and what runs in it (its own default: 2 hours)."""

LONGEST_RECEIVE_SECONDS = 20
"""How long the machine may hold a Receive without output before it says so (a fault) and is asked again."""

LAST_RECEIVE_SECONDS = 1.2
"""With less left no further Receive is begun: between two requests the shell can still be deleted."""

EMPTY_RECEIVE_SECONDS = 0.1
"""First pause after an answer that does not end the command; each further one is twice as long."""

LONGEST_PAUSE_SECONDS = 1.0

FULL_RECEIVE_BYTES = 16_384
"""An answer of this size has more behind it, for which nobody need wait."""

CLOSE_SECONDS = 2.0
"""What `close` may spend on deleting the shell."""

T = TypeVar("T")


class WinRMTransport(Transport):
    """One WinRM session: `connect` logs on and opens the shell, `close` deletes it.

    With NTLM a session with one command is 8 HTTP requests over HTTP (login 3, Create, Command, Send, Receive, Delete)
    and 7 over HTTPS, where the Create is part of the login.
    """

    def __init__(self, settings: WinRM, *, tls: ssl.SSLContext | None = None) -> None:
        """Keep the settings; nothing is contacted yet.

        Args:
            settings: how to log on.
            tls: the run's context; None: `shared_tls_context(settings)`.
        """
        self._settings = settings
        self._tls = tls
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._watch = Watch(f"{host}:{settings.port}")
        self._adapter = Adapter(self._dial, self._watch)
        self._protocol: Protocol | None = None
        self._shell: str | None = None
        self._lock = threading.Lock()
        self._between_requests = True

    @property
    def requests(self) -> int:  # type: ignore[override]  # read-only here: the adapter counts
        """HTTP requests so far, those of the login included."""
        return self._adapter.requests

    def connect(self, deadline: Deadline) -> None:
        """Log on and open the shell. Raises TransportError of any stage but RUN."""
        with self._lock:
            self._watch.begin(deadline)
            require_usable(self._settings)
            if self._settings.scheme == "https" and self._tls is None:
                self._tls = shared_tls_context(self._settings)
            self._protocol = self._call(ReachStage.START, self._prepare)
            self._log_on()
            self._open_shell()

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 16_000_000) -> Answer:
        """Run a command line with these bytes on its stdin, to its end.

        A connection that was closed while nothing was under way (http.sys does so after two minutes) is opened again,
        as is a shell that idled too long; a command that was started is never repeated.
        """
        with self._lock:
            self._watch.begin(deadline)
            self._watch.waiting_for = "the command's start"
            if self._adapter.lost():
                self._adapter.may_dial = True
                self._log_on()
            command_id = self._start(command)
            self._adapter.may_dial = False
            self._watch.waiting_for = "the command to take its input"
            self._send(command_id, stdin)
            self._watch.waiting_for = "the command's end"
            return self._receive(command_id, max_output)

    def detect_os(self) -> str | None:
        """Whoever speaks WinRM with remote shells is Windows."""
        return "windows" if self._shell is not None else None

    def close(self) -> None:
        """Delete the shell, with what still runs in it, and close the connection.

        From another thread, while something is under way: break that off at once; the shell ends by its idle time-out.
        """
        if not self._lock.acquire(blocking=False):
            self._watch.cancelled = True
            self._adapter.break_off()
            return
        try:
            if self._protocol is not None and self._shell is not None and self._between_requests:
                self._delete_shell()
            self._shell = None
            self._protocol = None
            self._watch.cancelled = True
            self._adapter.close()
        finally:
            self._lock.release()

    def _dial(self) -> Wire:
        return dial(self._settings.host, self._settings.port, self._tls, self._watch)

    def _prepare(self) -> Protocol:
        return new_protocol(self._settings, f"{self._settings.scheme}://{self._watch.place}/wsman", self._adapter)

    def _log_on(self) -> None:
        """Over HTTPS the first request logs on by itself; over HTTP a login comes first, to encrypt what follows."""
        transport = self._open_protocol.transport
        if self._settings.scheme == "http" and transport.session is not None:
            transport.encryption = None
            self._watch.waiting_for = "the login"
            self._call(ReachStage.AUTHENTICATE, functools.partial(transport.setup_encryption, transport.session))
            if self._settings.auth == "credssp":
                seal_as_negotiated(transport.encryption, transport.session.auth)

    def _open_shell(self) -> None:
        self._watch.waiting_for = "the shell"
        self._shell = self._call(
            ReachStage.START, lambda: self._open_protocol.open_shell(codepage=UTF_8, idle_timeout=IDLE_TIMEOUT)
        )
        self._adapter.may_dial = False

    def _start(self, command: str) -> str:
        def start() -> str:
            return self._open_protocol.run_command(self._open_shell_id, command, console_mode_stdin=False)

        try:
            return self._call(ReachStage.START, start)
        except FaultError as error:
            if error.code != SHELL_GONE:
                raise
        self._open_shell()
        return self._call(ReachStage.START, start)

    def _send(self, command_id: str, stdin: bytes) -> None:
        position = 0
        block = BLOCK_BYTES
        while True:
            part = stdin[position : position + block]
            end = position + len(part) >= len(stdin)
            try:
                self._call(ReachStage.RUN, functools.partial(self._send_part, command_id, part, end=end))
            except FaultError as error:
                if error.code in PIPE_CLOSED:  # it ended without reading; what it printed says why
                    return
                if error.code != ENVELOPE_TOO_BIG or block <= SMALLEST_BLOCK_BYTES:
                    raise
                block //= 2
                continue
            position += len(part)
            if end:
                return

    def _send_part(self, command_id: str, part: bytes, *, end: bool) -> None:
        self._open_protocol.send_command_input(self._open_shell_id, command_id, part, end=end)

    def _receive(self, command_id: str, max_output: int) -> Answer:
        stdout, stderr = bytearray(), bytearray()
        failure: TransportError
        try:
            exit_code = self._receive_all(command_id, stdout, stderr, max_output)
        except TransportError as error:
            failure = TransportError(error.stage, error.summary, error.advice, bytes(stdout))
        else:
            return Answer(bytes(stdout), bytes(stderr), exit_code)
        raise failure

    def _receive_all(self, command_id: str, stdout: bytearray, stderr: bytearray, max_output: int) -> int:
        """Collect the output until the command ends; returns its exit code.

        A machine may answer as soon as the command has written anything. So that a script which writes what it has
        read part by part does not cost a request for each part, the pauses between the questions grow.
        """
        pause = EMPTY_RECEIVE_SECONDS
        while True:
            piece = self._call(ReachStage.RUN, lambda: self._receive_once(command_id))
            if piece is None:
                if self._watch.deadline.remaining() < LAST_RECEIVE_SECONDS:
                    raise self._watch.timed_out()
                continue
            out, err, exit_code, done = piece
            stdout += out
            stderr += err
            if len(stdout) + len(stderr) > max_output:
                raise TransportError(
                    ReachStage.RUN,
                    f"the command on {self._watch.place} printed more than {max_output:,} bytes",
                    "See what floods its output; the shell is being deleted.",
                )
            if done:
                return exit_code
            if self._watch.deadline.remaining() < LAST_RECEIVE_SECONDS:
                raise self._watch.timed_out()
            if len(out) + len(err) < FULL_RECEIVE_BYTES:
                time.sleep(min(pause, max(0.0, self._watch.deadline.remaining() - LAST_RECEIVE_SECONDS)))
                pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    def _receive_once(self, command_id: str) -> tuple[bytes, bytes, int, bool] | None:
        """stdout, stderr, exit code, whether it has ended; None where the machine had nothing to say in time."""
        try:
            return self._open_protocol.get_command_output_raw(self._open_shell_id, command_id)
        except WinRMOperationTimeoutError:
            return None

    def _delete_shell(self) -> None:
        self._watch.begin(Deadline(CLOSE_SECONDS))
        self._watch.waiting_for = "the shell's end"
        with contextlib.suppress(TransportError):  # its idle time-out ends the shell all the same
            self._call(
                ReachStage.RUN, lambda: self._open_protocol.close_shell(self._open_shell_id, close_session=False)
            )

    def _call(self, stage: ReachStage, action: Callable[[], T]) -> T:
        """What the action returns, its exceptions typed.

        The failure is raised anew, outside of the handler: exceptions of requests and their frames hold headers and
        passwords, and nothing of them may stay reachable by `__cause__`, `__context__` or a traceback.
        """
        self._between_requests = False
        if self._protocol is not None:
            left = int(self._watch.deadline.remaining()) - 1
            self._protocol.operation_timeout_sec = max(1, min(LONGEST_RECEIVE_SECONDS, left))
        failure: TransportError
        try:
            result = action()
        except TransportError as error:
            failure = TransportError(error.stage, error.summary, error.advice)
        except Exception as error:  # noqa: BLE001  what pywinrm and all below it raise on a malformed answer is not bounded
            self._between_requests = isinstance(error, WinRMError | WinRMTransportError)
            settings = self._settings
            failure = explained(
                error, stage, self._adapter, self._watch, settings.auth, certificate=settings.certificate
            )
        else:
            self._between_requests = True
            return result
        raise self._watch.broken_off() if self._watch.cancelled else failure

    @property
    def _open_protocol(self) -> Protocol:
        if self._protocol is None:
            raise RuntimeError("connect comes first")
        return self._protocol

    @property
    def _open_shell_id(self) -> str:
        if self._shell is None:
            raise RuntimeError("connect comes first")
        return self._shell
