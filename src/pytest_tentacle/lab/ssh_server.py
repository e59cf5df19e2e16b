"""An SSH server for the lab: paramiko in threads of this process, without root; commands are real processes.

It needs a POSIX system, as the lab does: commands run as `sh -c`, each in a process group of its own.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import paramiko
from paramiko.channel import Channel
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_REQUEST,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)
from paramiko.pkey import PublicBlob

from pytest_tentacle.transport.ssh.wire import QuietPacketizer, wire_logger

_CHUNK = 32_768
_CANNOT_RUN = 126
_SLICE = 0.2
_STOP_SECONDS = 0.9
_LOG_NAME = "pytest_tentacle.lab.ssh_server"


class SSHServer:
    """One machine's SSH server.

    Attributes:
        port: the port that it listens on, also where 0 was asked for.
        connections: TCP connections accepted so far.
        execs: commands run so far.
    """

    def __init__(
        self,
        address: str,
        port: int,
        *,
        host_key: paramiko.PKey,
        users: Mapping[str, str],
        authorized_keys: Mapping[str, Iterable[str]] | None = None,
        environment: Mapping[str, str],
        cwd: Path | str,
    ) -> None:
        """Bind at once, so that the port is known; nobody is answered before `start`.

        Args:
            address: a loopback address.
            port: 0 for a free one.
            host_key: the server's private key.
            users: user to password; a user with an empty password can log in by key only.
            authorized_keys: user to public keys, each as the line `ssh-keygen` writes into a .pub file.
            environment: all environment variables of the commands, PATH among them.
            cwd: folder that the commands start in.

        Raises:
            OSError: the address cannot be bound.
        """
        self.connections = 0
        self.execs = 0
        self._host_key = host_key
        self._users = dict(users)
        self._keys = {
            user: {PublicBlob.from_string(line).key_blob for line in lines}
            for user, lines in (authorized_keys or {}).items()
        }
        self._environment = dict(environment)
        self._cwd = cwd
        self._lock = threading.Lock()
        self._stopping = False
        self._sessions: list[paramiko.Transport] = []
        self._commands: set[_Command] = set()
        self._listener = socket.create_server((address, port), backlog=256)
        self.address, self.port = self._listener.getsockname()[:2]
        self._acceptor = threading.Thread(target=self._accept, name=f"lab sshd {self.address}", daemon=True)

    def start(self) -> Self:
        """Answer from now on."""
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """End all sessions and kill their commands; within a second everything is gone."""
        with self._lock:
            self._stopping = True
            sessions, commands = list(self._sessions), list(self._commands)
        end = time.monotonic() + _STOP_SECONDS
        with contextlib.suppress(OSError):  # wakes accept(), which a mere close() does not
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in sessions:
            session.close()
            session.sock.close()
        for command in commands:
            command.kill()
        threads = [self._acceptor, *sessions, *(thread for command in commands for thread in command.threads)]
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, end - time.monotonic()))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def accepts_password(self, user: str, password: str) -> bool:
        """Whether that is the user's password."""
        expected = self._users.get(user, "")
        return bool(expected) and hmac.compare_digest(expected.encode(), password.encode())

    def accepts_key(self, user: str, key: paramiko.PKey) -> bool:
        """Whether the user may log in with that key."""
        return key.asbytes() in self._keys.get(user, ())

    def methods(self, user: str) -> str:
        """How the user may log in, as SSH lists it; an unknown user is told the same as any."""
        ways = ["password"] if any(self._users.values()) else []
        if self._keys:
            ways.insert(0, "publickey")
        return ",".join(ways) if user else ""

    def run(self, channel: paramiko.Channel, line: str) -> None:
        """Run a command line on a channel, in threads of its own."""
        with self._lock:
            if self._stopping:
                return
            self.execs += 1
            try:
                command = _Command(channel, line, self._environment, self._cwd, self._forget)
            except (OSError, ValueError) as error:  # ValueError: a null character in the command
                _refuse(channel, f"{error}\n")
                return
            self._commands.add(command)
            command.start()

    def _forget(self, command: _Command) -> None:
        with self._lock:
            self._commands.discard(command)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = _Session(connection)
            session.add_server_key(self._host_key)
            with self._lock:
                if self._stopping:
                    connection.close()
                    return
                self.connections += 1
                self._sessions = [known for known in self._sessions if known.is_alive()]
                self._sessions.append(session)
                # returns at once: who connects and says nothing does not keep others waiting
                session.start_server(event=threading.Event(), server=_Visitor(self))


class _Session(paramiko.Transport):
    """paramiko's side of one connection, which starts a command only after it has told the client that it will."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection, packetizer_class=QuietPacketizer)
        self.set_log_channel(wire_logger(_LOG_NAME))
        self.banner_timeout = 60
        # a short command's output and end could otherwise overtake the answer to the request
        handlers: dict[int, Any] = paramiko.Transport._channel_handler_table  # type: ignore[attr-defined]  # noqa: SLF001  paramiko has no hook
        self._channel_handler_table = {**handlers, MSG_CHANNEL_REQUEST: self._handle_request}

    def _handle_request(self, channel: paramiko.Channel, message: paramiko.Message) -> None:
        Channel._handle_request(channel, message)  # type: ignore[attr-defined]  # noqa: SLF001  as above
        visitor: Any = self.server_object
        visitor.start_command(channel)


class _Visitor(paramiko.ServerInterface):
    """What one client may do: log in, and run commands."""

    def __init__(self, server: SSHServer) -> None:
        self._server = server
        self._asked: dict[int, str] = {}

    def get_allowed_auths(self, username: str) -> str:
        return self._server.methods(username)

    def check_auth_password(self, username: str, password: str) -> int:
        accepted = self._server.accepts_password(username, password)
        return AUTH_SUCCESSFUL if accepted else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL if self._server.accepts_key(username, key) else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002  paramiko's signature
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if channel.chanid in self._asked:
            return False
        self._asked[channel.chanid] = command.decode(errors="surrogateescape")
        return True

    def start_command(self, channel: paramiko.Channel) -> None:
        """Run what was asked for, once the client knows that it will be run."""
        line = self._asked.pop(channel.chanid, None)
        if line is not None:
            self._server.run(channel, line)


class _Command:
    """A running command, with a thread for each of its three streams; the first also waits for its end."""

    def __init__(
        self, channel: paramiko.Channel, line: str, environment: Mapping[str, str], cwd: Path | str, forget: Any
    ) -> None:
        self._channel = channel
        self._forget = forget
        self._process = subprocess.Popen(  # noqa: S603  to run what its clients ask for is what a lab machine is for
            ["/bin/sh", "-c", line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd,
            bufsize=0,
            start_new_session=True,
        )
        self._lock = threading.Lock()
        self.threads = [
            threading.Thread(target=work, name=f"lab command {self._process.pid}", daemon=True)
            for work in (self._run, self._pass_on_stderr, self._feed)
        ]

    def start(self) -> None:
        """Begin to pass data."""
        for thread in reversed(self.threads):  # the first waits for the others
            thread.start()

    def kill(self) -> None:
        """End the command and whatever it started, unless it has been waited for."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _run(self) -> None:
        _pump(self._process.stdout, self._channel.sendall)
        self.threads[1].join()
        code = self._wait()
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # the client may be gone
            self._channel.shutdown_write()
            self._channel.send_exit_status(code if code >= 0 else 128 - code)
            self._channel.close()
        self.threads[2].join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._forget(self)

    def _wait(self) -> int:
        # not reaped while kill() may be about to signal its process group
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            return self._process.wait()

    def _pass_on_stderr(self) -> None:
        _pump(self._process.stderr, self._channel.sendall_stderr)

    def _feed(self) -> None:
        stdin: Any = self._process.stdin
        os.set_blocking(stdin.fileno(), False)
        with contextlib.suppress(OSError, EOFError):  # the command reads no more
            while data := self._channel.recv(_CHUNK):
                view = memoryview(data)
                while view and not self._channel.closed:
                    if select.select([], [stdin], [], _SLICE)[1]:
                        view = view[stdin.write(view) or 0 :]
        with contextlib.suppress(OSError):
            stdin.close()
        self._channel.status_event.wait()  # set when the channel is closed, by us or by a client that has gone
        self.kill()


def _refuse(channel: paramiko.Channel, message: str) -> None:
    """End a command that could not be started, as a shell does."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.sendall_stderr(message.encode(errors="replace"))
        channel.shutdown_write()
        channel.send_exit_status(_CANNOT_RUN)
        channel.close()


def _pump(stream: Any, send: Any) -> None:
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):  # the client is gone: kill() comes from _feed
        while data := stream.read(_CHUNK):
            send(data)
