"""Logging on by SSH, with paramiko: one connection a machine, verified host keys, one deadline over everything.

How a login goes: `config` plans the route, `tcp` connects, `wire` guards the bytes, `trust` judges the host key of
every hop, `login` proves who we are, `exec` runs the command. A log-on by Kerberos goes through the system's own client
instead, see `openssh`.
"""

from __future__ import annotations

import contextlib
import functools
import threading

import paramiko

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport.base import Answer, Deadline, ReachStage, Transport, TransportError

from .config import Endpoint, plan_route
from .error import (
    broken_off,
    dropped,
    no_key_exchange,
    no_ssh,
    no_way_on,
    not_run,
    reason,
    too_late,
    too_much_output,
    too_talkative,
)
from .exec import TooMuchOutputError, converse
from .known_hosts import KnownHosts
from .login import log_in
from .tcp import connect, retrying
from .trust import known_hosts, prefer_known_types, verify_host_key
from .wire import HANDSHAKE_BYTES, PROTOCOL_BYTES, Guard, Halt, Stream, new_session

_JOIN_SECONDS = 1.0
_SLICE = 0.1


class SSHTransport(Transport):
    """One SSH session with one machine, through jump hosts if need be.

    Host keys are verified against known_hosts (`settings.host_keys` is `verify`). `accept-new` trusts a server that
    no file knows, never one whose key has changed; it writes the key down only where `settings.known_hosts` names a
    file for it. `insecure` verifies nothing. The same goes for every jump host.
    """

    def __init__(self, settings: SSH) -> None:
        """Nothing is contacted yet."""
        self._settings = settings
        self._guard = Guard()
        self._sessions: list[paramiko.Transport] = []
        self._lock = threading.Lock()
        self._target = f"{settings.host} port {settings.port}" if settings.port else settings.host

    def __repr__(self) -> str:
        return f"<SSHTransport {self._target}>"

    def connect(self, deadline: Deadline) -> None:
        """Log on. Raises TransportError with stage RESOLVE, CONNECT, AUTHENTICATE or TIME_OUT.

        An ssh_config that cannot be followed counts as RESOLVE, a failed key exchange as CONNECT, a host key that is
        not trusted as AUTHENTICATE; a server that accepts the connection and then does not answer, as TIME_OUT.
        """
        route = plan_route(self._settings)
        self._target = route[-1].label
        self._guard.watch(deadline, HANDSHAKE_BYTES * len(route))
        try:
            for endpoint in route:
                is_jump = endpoint is not route[-1]
                known = known_hosts(self._settings, endpoint)
                attempt = functools.partial(self._shake_hands, endpoint, known, deadline)
                session = retrying(attempt, deadline, self._guard)
                verify_host_key(session, self._settings, endpoint, known)
                self._log_in(session, endpoint, deadline, is_jump=is_jump)
        except BaseException:
            self.close()
            raise
        self._guard.rest()

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 16_000_000) -> Answer:
        """Run a command line with these bytes on its stdin, to its end.

        The exit code is -1 where the server tells none, as for a command that a signal ended. Raises TransportError
        with stage START, RUN or TIME_OUT; the session is then closed.
        """
        if not self._sessions or not self._sessions[-1].is_active():
            raise self._failure(ReachStage.START, deadline, EOFError("there is no session"))
        session = self._sessions[-1]
        self._guard.watch(deadline, PROTOCOL_BYTES + 2 * max_output)
        self.requests += 1
        stage = ReachStage.START
        printed: list[bytes] = []
        try:
            channel = session.open_session(timeout=deadline.remaining())
            channel.exec_command(command)
            stage = ReachStage.RUN
            answer = converse(channel, stdin, deadline, max_output, printed)
            channel.close()
            if answer.exit_code < 0 and not session.is_active():
                raise EOFError("the connection was lost")  # noqa: TRY301  told as the others are
        except (paramiko.SSHException, OSError, EOFError) as error:
            failure = self._failure(stage, deadline, error)
            failure.received = b"".join(printed)
            self.close()
            raise failure from error
        except TooMuchOutputError as error:
            self.close()
            raise too_much_output(self._target, max_output, b"".join(printed)) from error
        except BaseException:
            self.close()
            raise
        self._guard.rest()
        return answer

    def detect_os(self) -> str | None:
        """What the server's banner tells: Microsoft's port of OpenSSH names itself; all others are taken for Linux."""
        if not self._sessions:
            return None
        return "windows" if "for_windows" in self._sessions[-1].remote_version.lower() else "linux"

    def close(self) -> None:
        """End the session, from whichever thread; never raises."""
        self._guard.halt(Halt.CLOSED)
        with self._lock:
            sessions = self._sessions[::-1]
        for session in sessions:
            _end(session)
        for session in sessions:
            if session.is_alive():
                session.join(_JOIN_SECONDS)

    def _shake_hands(self, endpoint: Endpoint, known: KnownHosts, deadline: Deadline) -> paramiko.Transport:
        """Connect to an endpoint, the first by TCP, the others through the one before; then exchange keys."""
        stream: Stream
        if self._sessions:
            stream = self._through_jump_host(endpoint, deadline)
        else:
            stream = connect(endpoint.host, endpoint.port, deadline, self._guard)
        session = new_session(stream, self._guard, deadline, counts=not self._sessions)
        with self._lock:
            self._sessions.append(session)
        prefer_known_types(session, known)
        done = threading.Event()
        session.start_client(event=done)
        # a session that is closed from another thread never says that it is done
        while session.is_active() and not deadline.expired() and not done.wait(min(_SLICE, deadline.remaining())):
            pass
        if session.is_active() and session.initial_kex_done:
            return session
        failure = self._handshake_failure(endpoint, session, deadline)
        with self._lock:
            self._sessions.remove(session)
        _end(session)
        raise failure

    def _through_jump_host(self, endpoint: Endpoint, deadline: Deadline) -> Stream:
        try:
            return self._sessions[-1].open_channel(
                "direct-tcpip", (endpoint.host, endpoint.port), ("127.0.0.1", 0), timeout=deadline.remaining()
            )
        except (paramiko.SSHException, OSError, EOFError) as error:
            if self._guard.halted is not None:
                raise self._failure(ReachStage.CONNECT, deadline, error, "the jump host did not connect") from error
            raise no_way_on(endpoint.label, reason(error)) from error

    def _handshake_failure(self, endpoint: Endpoint, session: paramiko.Transport, deadline: Deadline) -> TransportError:
        error = session.get_exception() or EOFError("the connection was closed")
        answered = bool(session.remote_version)
        if self._guard.halted is not None or deadline.expired():
            where = "the key exchange was not finished" if answered else "no SSH banner came"
            return self._failure(ReachStage.CONNECT, deadline, error, where)
        if answered:
            return no_key_exchange(endpoint.label, reason(error))
        # paramiko wraps what happened while it read the banner
        if isinstance(error.__context__ or error, (EOFError, ConnectionError)):
            return dropped(endpoint.label)
        return no_ssh(endpoint.label, reason(error))

    def _log_in(self, session: paramiko.Transport, endpoint: Endpoint, deadline: Deadline, *, is_jump: bool) -> None:
        try:
            log_in(session, self._settings, endpoint, deadline, is_jump=is_jump)
        except TransportError as error:
            if self._guard.halted is None and not deadline.expired():
                raise
            raise self._failure(ReachStage.AUTHENTICATE, deadline, error, "the login was not finished") from error

    def _failure(
        self, stage: ReachStage, deadline: Deadline, error: BaseException, where: str = "the command was not finished"
    ) -> TransportError:
        """The error for what ended at this stage: by the guard, or else as the exception says."""
        halted = self._guard.halted
        if halted is Halt.CLOSED:
            return broken_off(stage, self._target)
        if halted is Halt.FLOOD:
            return too_talkative(stage, self._target)
        if halted is Halt.DEADLINE or isinstance(error, TimeoutError) or deadline.expired():
            return too_late(self._target, where, deadline)
        return not_run(stage, self._target, reason(error))


def _end(session: paramiko.Transport) -> None:
    with contextlib.suppress(Exception):  # an end that fails is an end all the same
        session.close()
    with contextlib.suppress(Exception):  # paramiko leaves the socket of a session open that never started
        session.sock.close()
