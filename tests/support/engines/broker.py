"""Keeps PowerShell engines: `broker.py ENGINE ADDRESS` serves clients at a socket until its stdin ends."""

import contextlib
import marshal
import os
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

MOST = (os.cpu_count() or 1) + 2
"""As many as there are workers. What is first compiled costs each of them more than four surveys do after it, and a lab surveys six
machines at a time."""

PATIENCE = 40.0
"""Seconds for which who asks for one more waits for one of these: they may be held by what hangs."""

MOST_JOBS = 100
"""After so many an engine is replaced: what a script leaves aside stays in its process."""

ONCE = {
    "DOTNET_TieredCompilation": "0",
    "DOTNET_GCgen0size": "0x4000000",
    "DOTNET_gcConcurrent": "0",
    "DOTNET_EnableWriteXorExecute": "0",
}
"""For a process that lives: compile once and well, collect less often, and map no page twice for what is compiled."""

WARM = Path(__file__).with_name("warm.ps1")


class Ended(Exception):  # noqa: N818  an event
    """The client has gone."""


class Engine:
    """A process of the engine that runs one command after the other."""

    def __init__(self, program: str) -> None:
        self.jobs = 0
        folder = tempfile.mkdtemp(prefix="engine-")
        address = f"{folder}/socket"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(1)
            listener.settimeout(120)
            self.process = subprocess.Popen(
                [program, "-NoProfile", "-NonInteractive", "-File", str(WARM), address],
                env=os.environ | ONCE,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self.channel = listener.accept()[0]
        shutil.rmtree(folder, ignore_errors=True)
        for stream in (self.process.stdout, self.process.stderr):
            os.set_blocking(stream.fileno(), False)

    def run(self, client: socket.socket, asked: bytes, files: list[int]) -> int:
        """One command to its end; its exit code. Raises Ended when the client goes before, OSError where its reader does."""
        self.jobs += 1
        folder, arguments, environment = marshal.loads(asked)
        environment = {name: value for name, value in environment.items() if name not in ONCE}
        pairs = [text for pair in environment.items() for text in pair]
        texts = [f"/proc/{os.getpid()}/fd/{files[0]}", folder, str(len(arguments)), *arguments, *pairs]
        parts = [text.encode("utf-8", "surrogateescape") for text in texts]
        framed = b"".join(struct.pack("<i", len(part)) + part for part in parts)
        self.channel.sendall(struct.pack("<i", len(parts)) + framed)
        streams = {self.process.stdout.fileno(): files[1], self.process.stderr.fileno(): files[2]}
        with selectors.DefaultSelector() as waiting:
            for each in (*streams, self.channel, client):
                waiting.register(each, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _ in waiting.select()}
                if client in ready:
                    raise Ended
                for source in ready & streams.keys():
                    if not _pass_on(source, streams[source]):
                        waiting.unregister(source)
                if self.channel in ready:
                    answer = self.channel.recv(1)
                    code = answer[0] if answer else self.process.wait() & 0xFF
                    for source, target in streams.items():
                        while _pass_on(source, target):
                            pass
                    return code

    @property
    def is_good(self) -> bool:
        """Whether another command may be given to it."""
        return self.process.poll() is None and self.jobs < MOST_JOBS

    def end(self) -> None:
        """With all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for each in (self.channel, self.process.stdout, self.process.stderr):
            each.close()


def _pass_on(source: int, target: int) -> bool:
    """What is there to be read; False where nothing is."""
    try:
        data = os.read(source, 65536)
    except BlockingIOError:
        return False
    while data:
        data = data[os.write(target, data) :]
        if not data:
            return True
    return False


class Broker:
    """Gives each client an engine."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._gate = threading.Condition()
        self._idle: list[Engine] = []
        self._all: set[Engine] = set()
        self._starting = 0
        self._over = False

    def serve(self, client: socket.socket) -> None:
        """One client."""
        files: list[int] = []
        with client, contextlib.suppress(Ended, OSError):
            engine = None
            try:
                head, files, _, _ = socket.recv_fds(client, 4, 3)
                asked = _read(client, int.from_bytes(head, "little"))
                engine = self._take()
                code = engine.run(client, asked, files)
                self._put_back(engine)
                engine = None
            finally:
                if engine is not None:
                    self._drop(engine)
                for descriptor in files:
                    os.close(descriptor)
            client.sendall(bytes([code]))

    def close(self) -> None:
        """End all engines; there will be no other."""
        with self._gate:
            self._over = True
            left, self._all = self._all, set()
        for engine in left:
            engine.end()

    def _take(self) -> Engine:
        with self._gate:
            self._gate.wait_for(lambda: self._idle or self._starting + len(self._all) < MOST, PATIENCE)
            if self._idle:
                return self._idle.pop()
            self._starting += 1
        try:
            engine = Engine(self._program)
        finally:
            with self._gate:
                self._starting -= 1
        with self._gate:
            if not self._over:
                self._all.add(engine)
                return engine
        engine.end()
        raise Ended

    def _put_back(self, engine: Engine) -> None:
        with self._gate:
            if engine.is_good and len(self._all) <= MOST:
                self._idle.append(engine)
                self._gate.notify()
                return
        self._drop(engine)

    def _drop(self, engine: Engine) -> None:
        with self._gate:
            known = engine in self._all
            self._all.discard(engine)
            self._gate.notify()
        if known:
            engine.end()


def _read(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            raise Ended
        data += piece
    return data


def main() -> None:
    program, address = sys.argv[1:]
    broker = Broker(program)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(256)

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            threading.Thread(target=broker.serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print("listening", flush=True)
    sys.stdin.buffer.read()
    broker.close()
    os._exit(0)


if __name__ == "__main__":
    main()
