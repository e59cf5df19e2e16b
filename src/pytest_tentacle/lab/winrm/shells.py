"""The shells of one lab WinRM server and the commands in them."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field

from . import soap
from .runner import CommandRunner, RunningCommand

_ENVELOPE_OVERHEAD = 3000
"""Bytes of a Receive's response besides its base64 text, generously."""


@dataclass
class _Shell:
    owner: str
    commands: dict[str, RunningCommand] = field(default_factory=dict)


class Shells:
    """Answers WS-Management requests of users who have logged on. Its methods are called from many threads."""

    def __init__(self, runner: CommandRunner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._shells: dict[str, _Shell] = {}

    @property
    def open(self) -> int:
        """How many shells are open."""
        with self._lock:
            return len(self._shells)

    def answer(self, request: soap.Request, user: str, client: str) -> str:
        """The body of the response. Raises soap.Fault."""
        if request.action == "Create":
            shell_id = str(uuid.uuid4()).upper()
            with self._lock:
                self._shells[shell_id] = _Shell(user)
            return soap.created(shell_id, user, client)
        with self._lock:
            shell = self._shells.get(request.shell_id or "")
        if shell is None or shell.owner.lower() != user.lower():
            raise soap.shell_gone()
        if request.action == "Command":
            return self._start(shell, request)
        if request.action == "Delete":
            self._delete(request.shell_id or "")
            return soap.EMPTY_BODIES["Delete"]
        command_id = request.command_id()
        command = shell.commands.get(command_id)
        if command is None:
            raise soap.Fault(2150858843, "The command was not found in this shell.", subcode="w:InvalidSelectors")
        if request.action == "Receive":
            return _receive(request, command_id, command)
        if request.action == "Send":
            _send(request, command)
        elif request.action == "Signal":
            command.kill()
        else:
            raise soap.Fault(2150858817, "The action is not supported.", subcode="a:ActionNotSupported")
        return soap.EMPTY_BODIES[request.action]

    def close(self) -> None:
        """End all shells with all that runs in them."""
        with self._lock:
            shell_ids = list(self._shells)
        for shell_id in shell_ids:
            self._delete(shell_id)

    def _start(self, shell: _Shell, request: soap.Request) -> str:
        words = [request.text("Command"), *request.all_text("Arguments")]
        command = self._runner.start(" ".join(word for word in words if word))
        command_id = str(uuid.uuid4()).upper()
        shell.commands[command_id] = command
        with self._lock:
            abandoned = shell not in self._shells.values()
        if abandoned:  # the server was stopped meanwhile
            command.kill()
            raise soap.shell_gone()
        return soap.started(command_id)

    def _delete(self, shell_id: str) -> None:
        with self._lock:
            shell = self._shells.pop(shell_id, None)
        for command in () if shell is None else list(shell.commands.values()):
            command.kill()


def _send(request: soap.Request, command: RunningCommand) -> None:
    data, end = request.input()
    try:
        if data:
            command.write(data)
    except BrokenPipeError:
        raise soap.pipe_closed() from None
    if end:
        command.close_stdin()


def _receive(request: soap.Request, command_id: str, command: RunningCommand) -> str:
    limit = (request.max_envelope - _ENVELOPE_OVERHEAD) * 3 // 4
    stdout, stderr = command.read(limit, request.timeout)
    exit_code = command.poll()
    if exit_code is None and not stdout and not stderr:
        raise soap.operation_timeout()
    return soap.received(command_id, stdout, stderr, exit_code)
