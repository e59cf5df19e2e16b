"""Logging on by SSH with a Kerberos ticket: one ssh a machine holds the connection, and commands share it."""

from __future__ import annotations

import math
import os
import shutil
import sys
import threading
from collections.abc import Sequence

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport import tcp
from pytest_tentacle.transport.base import (
    LINGER_SECONDS,
    Answer,
    Deadline,
    ReachStage,
    Transport,
    TransportError,
)
from pytest_tentacle.transport.child import Streams
from pytest_tentacle.transport.ssh.config import Endpoint, plan_route
from pytest_tentacle.transport.ssh.error import (
    broken_off,
    not_run,
    one_line,
    reason,
    too_late,
    too_much_output,
    too_talkative,
)
from pytest_tentacle.transport.ssh.known_hosts import Trust, fingerprint
from pytest_tentacle.transport.ssh.tcp import retrying
from pytest_tentacle.transport.ssh.trust import known_hosts, write_down
from pytest_tentacle.transport.ssh.wire import HANDSHAKE_BYTES, Guard, Halt

from .hops import Hop, checked, configure, new_key, private_folder
from .master import FloodError, Master
from .reasons import banner, explained, unfinished
from .sharing import LostError, RefusedError, Session, pipes

_SLICE = 0.1


class OpenSSHTransport(Transport):
    """One SSH session with one machine, logged on to with the ticket of whoever runs this, by the program `ssh`.

    Where it goes and which host keys are trusted is as with `SSHTransport`, for jump hosts, too. No key, agent or
    password is tried, and nothing is asked.
    """

    def __init__(self, settings: SSH) -> None:
        """Nothing is contacted yet."""
        self._settings = settings
        self._guard = Guard()
        self._busy = threading.Lock()
        self._master: Master | None = None
        self._is_on = False
        self._banner = ""
        self._target = f"{settings.host} port {settings.port}" if settings.port else settings.host

    def __repr__(self) -> str:
        return f"<OpenSSHTransport {self._target}>"

    def connect(self, deadline: Deadline) -> None:
        """Log on. Raises TransportError of any stage but RUN.

        START where this machine has no ssh that can do it; else as `SSHTransport.connect`.
        """
        with self._busy:
            program = _program()
            route = plan_route(self._settings)
            checked(route)
            self._target = route[-1].label
            try:
                retrying(lambda: self._log_on(program, route, deadline), deadline, self._guard)
            except BaseException:
                self._end()
                raise

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 16_000_000) -> Answer:
        """Run a command line with these bytes on its stdin, to its end.

        The exit code is -1 where the server tells none, as for a command that a signal ended. Raises TransportError
        with stage START, RUN or TIME_OUT; the session is then closed.
        """
        with self._busy:
            if self._master is None or not self._is_on or self._master.is_over():
                raise not_run(ReachStage.START, self._target, "there is no session")
            self.requests += 1
            run = _Run(self._guard, self._target, deadline)
            try:
                return run.run(self._master, command, stdin, max_output)
            except BaseException:
                self._end()
                raise

    def detect_os(self) -> str | None:
        """As the server's own name tells; None before the login."""
        if not self._is_on:
            return None
        return "windows" if "windows" in self._banner.lower() else "linux"

    def close(self) -> None:
        """End the session; from another thread, break off what is under way. Never raises."""
        self._guard.halt(Halt.CLOSED)
        if not self._busy.acquire(blocking=False):
            if (master := self._master) is not None:
                master.break_off()
            return
        try:
            self._end()
        finally:
            self._busy.release()

    def _end(self) -> None:
        self._is_on = False
        if self._master is not None:
            self._master.end()
            self._master = None

    def _log_on(self, program: str, route: Sequence[Endpoint], deadline: Deadline) -> None:
        self._end()  # of an attempt before this one
        try:
            folder = private_folder()
            self._master = master = Master(folder)
            names = (*(f"jump-{number}" for number in range(1, len(route))), "machine")
            hops = [
                Hop(name, endpoint, known_hosts(self._settings, endpoint), folder)
                for name, endpoint in zip(names, route, strict=True)
            ]
            config = configure(hops, self._settings, program, master.control, _patience(len(hops), deadline))
            master.start(program, config, hops[-1].name, [hop.log for hop in hops])
        except OSError as error:
            raise TransportError(
                ReachStage.START, f"ssh cannot be started on this machine: {reason(error)}", "Is there room for it?"
            ) from error

        def check() -> None:
            if self._guard.halted is Halt.CLOSED:
                raise broken_off(ReachStage.CONNECT, self._target)
            if deadline.expired():
                raise unfinished(hops, lambda hop: master.said(hop.log), deadline)

        try:
            if not master.logged_on(check, HANDSHAKE_BYTES * len(hops)):
                check()
                raise explained(hops, lambda hop: master.said(hop.log), deadline)
        except FloodError:
            raise too_talkative(ReachStage.CONNECT, self._target) from None
        self._banner = banner(master.said(hops[-1].log))
        master.let_talk()
        self._keep_new_keys(hops)
        self._is_on = True

    def _keep_new_keys(self, hops: Sequence[Hop]) -> None:
        if self._settings.host_keys != "accept-new":
            return
        for hop in hops:
            if (new := new_key(hop)) is not None and hop.known.judge(new[0], fingerprint(new[1]))[0] is Trust.UNKNOWN:
                write_down(self._settings, hop.endpoint, *new)


class _Run:
    """One command over the shared connection."""

    def __init__(self, guard: Guard, target: str, deadline: Deadline) -> None:
        self._guard = guard
        self._target = target
        self._deadline = deadline
        self._stage = ReachStage.START

    def run(self, master: Master, command: str, stdin: bytes, max_output: int) -> Answer:
        streams: Streams | None = None
        session: Session | None = None
        try:
            session = Session(master.control)
            streams = self._start(session, command, stdin, max_output)
            self._stage = ReachStage.RUN
            return self._converse(master, session, streams, max_output)
        except TransportError as error:
            error.received = streams.stdout if streams else b""
            raise
        except (LostError, RefusedError, OSError) as error:
            self._check()
            told = "the connection was lost" if isinstance(error, LostError) else one_line(str(error))
            raise not_run(self._stage, self._target, told) from error
        finally:
            if session is not None:
                session.close()

    def _start(self, session: Session, command: str, stdin: bytes, max_output: int) -> Streams:
        theirs, ours = pipes()
        try:
            session.start(command, theirs, self._check)
        except BaseException:
            for number in ours:
                os.close(number)
            raise
        finally:
            for number in theirs:
                os.close(number)
        feed, *drain = (
            os.fdopen(number, mode, buffering=0) for number, mode in zip(ours, ("wb", "rb", "rb"), strict=True)
        )
        return Streams((feed, drain[0], drain[1]), stdin, max_output)

    def _converse(self, master: Master, session: Session, streams: Streams, max_output: int) -> Answer:
        linger: Deadline | None = None
        while not streams.wait(_SLICE):
            self._check()
            if session.exit_code() is not None:
                linger = linger or Deadline(LINGER_SECONDS)
                if linger.expired():
                    break
        if streams.overflowed:
            raise too_much_output(self._target, max_output, streams.stdout)
        while session.exit_code() is None and not session.is_over():
            self._check()
            session.wait(self._check)
        code = session.exit_code()
        if code is None and not Session.answers(master.control, self._check):
            raise LostError
        self._check()
        return Answer(streams.stdout, streams.stderr, -1 if code is None else code)

    def _check(self) -> None:
        if self._guard.halted is Halt.CLOSED:
            raise broken_off(self._stage, self._target)
        if self._deadline.expired():
            raise too_late(self._target, "the command was not finished", self._deadline)


def _patience(hops: int, deadline: Deadline) -> list[int]:
    """For each hop, whole seconds until it must have answered; those behind a jump host wait for its log-on, too."""
    left = math.ceil(deadline.remaining()) + 1
    return [min(left, math.ceil(tcp.CONNECT_SECONDS)), *(left for _ in range(hops - 1))]


def _program() -> str:
    if sys.platform == "win32":
        raise TransportError(
            ReachStage.START,
            "SSH by Kerberos is not spoken from Windows, whose ssh lets no commands share a connection",
            "Run it from Linux (WSL will do), log on by a key, or use WinRM with auth: kerberos.",
        )
    program = shutil.which("ssh")
    if program is None:
        raise TransportError(
            ReachStage.START,
            "SSH by Kerberos needs OpenSSH's client, and there is no program ssh on this machine's PATH",
            "Install it (Debian: openssh-client, Red Hat: openssh-clients), or log on by a key.",
        )
    return os.path.abspath(program)  # noqa: PTH100  a link stays a link
