"""A machine that hangs, drips or floods costs its own deadline, and `close` ends at once what waits for it."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc

import pytest

from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.winrm.wire import RESPONSE_LIMIT

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"

"""Seconds beyond the deadline that a failure may come late."""


def hang(connection, over):
    connection.recv(65536)
    over.wait()


def drip_head(connection, over):
    connection.recv(65536)
    for number in range(10_000):
        if over.wait(0.05):
            return
        connection.sendall((HEAD + b"X-Slow: " + b"y" * 10_000)[number : number + 1])


def drip_body(connection, over):
    connection.recv(65536)
    connection.sendall(HEAD + b"Content-Length: 10000\r\n\r\n")
    while not over.wait(0.05):
        connection.sendall(b"<")


def flood_body(connection, over):
    connection.recv(65536)
    connection.sendall(HEAD + b"Content-Length: 99999999999\r\n\r\n")
    while not over.is_set():
        connection.sendall(b"<a>" * 20_000)


def flood_continue(connection, over):
    connection.recv(65536)
    while not over.is_set():
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def read_nothing(connection, over):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    over.wait()


class TestBeforeTheLogin:
    """From the first byte on, whatever layer is waiting."""

    @pytest.mark.parametrize("secured", [False, True])
    @pytest.mark.parametrize("behave", [hang, drip_head, drip_body])
    def test_hanging_and_dripping_cost_the_deadline(self, misbehaving, logged_on, certificates, behave, secured):
        """Per-`recv` time-outs would never end a drip."""
        port = misbehaving(behave, certificates.good if secured else None)
        transport = logged_on(port, scheme="https" if secured else "http")
        deadline = Deadline(1.0)
        with pytest.raises(TransportError) as caught:
            transport.connect(deadline)
        assert caught.value.stage is ReachStage.TIME_OUT
        assert "within 1 s" in caught.value.summary
        assert deadline.expired()

    def test_a_tls_handshake_that_hangs(self, misbehaving, logged_on):
        """The line says that it was the handshake."""
        transport = logged_on(misbehaving(hang))
        with pytest.raises(TransportError, match="TLS handshake") as caught:
            transport.connect(Deadline(0.8))
        assert caught.value.stage is ReachStage.TIME_OUT

    def test_endless_heads_are_cut_off(self, misbehaving, logged_on):
        """http.client would skip "100 Continue" for ever."""
        transport = logged_on(misbehaving(flood_continue), scheme="http")
        with pytest.raises(TransportError, match="sent more than") as caught:
            transport.connect(Deadline(30))
        assert caught.value.stage is ReachStage.RUN

    def test_a_flood_is_cut_off(self, misbehaving, logged_on, certificates):
        """Long before the deadline, and before it fills the memory."""
        transport = logged_on(misbehaving(flood_body, certificates.good))
        tracemalloc.start()
        with pytest.raises(TransportError, match="sent more than") as caught:
            transport.connect(Deadline(30))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert caught.value.stage is ReachStage.RUN
        assert peak < 3 * RESPONSE_LIMIT

    def test_elements_without_end(self, answering, logged_on, certificates):
        """What is parsed takes many times the memory of its bytes: it ends before much of that is needed."""
        body = b"<a>" + b"<b/>" * 3_750_000
        answer = HEAD + b"Content-Type: application/soap+xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        transport = logged_on(answering(answer, certificates.good))
        tracemalloc.start()
        with pytest.raises(TransportError, match="sent more than 1,000,000 bytes"):
            transport.connect(Deadline(20))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 40_000_000

    def test_a_compressed_bomb_is_not_unpacked(self, answering, logged_on, certificates):
        """16 kB that would become 16 MB: WinRM never compresses, so nobody unpacks."""
        bomb = gzip.compress(b"<" * 16_000_000)
        answer = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
        transport = logged_on(answering(answer, certificates.good))
        tracemalloc.start()
        with pytest.raises(TransportError, match="did not answer as WinRM does"):
            transport.connect(Deadline(10))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000


class TestWhileACommandRuns:
    """The server is sound, the command is not."""

    def test_a_command_that_never_ends(self, serve, logged_on):
        """It costs the deadline; closing then deletes the shell, which ends the process."""
        server = serve("http")
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(10))
        with pytest.raises(TransportError, match="the command's end") as caught:
            transport.execute("import time; time.sleep(60)", b"", Deadline(3.0))
        assert caught.value.stage is ReachStage.TIME_OUT
        transport.close()
        assert (server.open_shells, server.count("Delete")) == (0, 1)

    def test_a_command_that_drips(self, serve, logged_on):
        """A byte a second is output, and still only a deadline's worth."""
        transport = logged_on(serve("http"), scheme="http")
        transport.connect(Deadline(10))
        with pytest.raises(TransportError) as caught:
            transport.execute("import time\nwhile True: print('.', flush=True); time.sleep(1)", b"", Deadline(3.0))
        assert caught.value.stage is ReachStage.TIME_OUT

    def test_a_command_that_floods(self, serve, logged_on):
        """`max_output` is a limit for both streams together."""
        server = serve()
        transport = logged_on(server)
        transport.connect(Deadline(10))
        with pytest.raises(TransportError, match="printed more than 1,000,000 bytes") as caught:
            transport.execute(
                "import sys\nwhile True: sys.stderr.write('x' * 65536)", b"", Deadline(20), max_output=1_000_000
            )
        assert caught.value.stage is ReachStage.RUN
        transport.close()
        assert server.open_shells == 0

    def test_output_up_to_the_limit_is_kept(self, serve, logged_on):
        """The limit itself is allowed."""
        transport = logged_on(serve())
        transport.connect(Deadline(10))
        answer = transport.execute("print('x' * 999_999)", b"", Deadline(20), max_output=1_000_000)
        assert len(answer.stdout) == 1_000_000

    def test_a_server_that_dies(self, serve, logged_on):
        """The connection ends while the command runs: RUN."""
        server = serve()
        transport = logged_on(server)
        transport.connect(Deadline(10))
        timer = threading.Timer(0.5, server.stop)
        timer.start()
        with pytest.raises(TransportError) as caught:
            transport.execute("import time; time.sleep(60)", b"", Deadline(20))
        timer.join()
        assert caught.value.stage is ReachStage.RUN
        assert server.connections == 1

    def test_a_connection_that_is_closed_between_two_requests(self, serve, logged_on, monkeypatch):
        """NTLM logs a connection on: what follows must not go over a new one, in clear or as nobody."""
        server = serve(idle_seconds=0.2)
        transport = logged_on(server)
        transport.connect(Deadline(10))
        send = transport._send
        monkeypatch.setattr(transport, "_send", lambda *given: time.sleep(0.5) or send(*given))
        with pytest.raises(TransportError, match="closed the connection") as caught:
            transport.execute("print(1)", b"", Deadline(10))
        assert caught.value.stage is ReachStage.RUN
        assert server.connections == 1


class TestClose:
    """`close` ends whatever it finds, never raises, and may come from another thread."""

    @pytest.mark.parametrize("place", ["connect", "handshake", "answer", "command"])
    def test_from_another_thread_it_breaks_off_at_once(self, serve, misbehaving, logged_on, place):
        """Ctrl-C ends a run within two seconds, whatever the machines are doing."""
        full = socket.socket()
        fillers = [socket.socket() for _ in range(4)]
        if place == "connect":
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            for filler in fillers:
                filler.settimeout(0)
                filler.connect_ex(full.getsockname())
            transport = logged_on(full.getsockname()[1], host="127.0.0.1")
        elif place == "handshake":
            transport = logged_on(misbehaving(hang))
        elif place == "answer":
            transport = logged_on(misbehaving(hang), scheme="http")
        else:
            transport = logged_on(serve("http"), scheme="http")
        failures = []

        def run():
            try:
                transport.connect(Deadline(600))
                transport.execute("import time; time.sleep(600)", b"", Deadline(600))
            except TransportError as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.6)
        transport.close()
        thread.join(60)
        for one in (full, *fillers):
            one.close()
        assert [error.stage for error in failures] == [ReachStage.RUN]
        assert "broken off" in failures[0].summary

    def test_before_during_and_after(self, serve, logged_on):
        """Without a session, twice, and after a failure."""
        transport = logged_on(1)
        transport.close()
        transport.close()
        failed = logged_on(1, host="127.0.0.1")
        with pytest.raises(TransportError):
            failed.connect(Deadline(0.1))
        failed.close()
        gone = logged_on(server := serve("http"), scheme="http")
        gone.connect(Deadline(10))
        server.stop()
        gone.close()

    def test_a_server_that_no_longer_answers_does_not_hold_it_up(self, serve, logged_on):
        """The Delete is a courtesy: it is sent, and its answer not waited for without end."""
        closed, asked = threading.Event(), []

        def refuse(action):
            asked.append(action)
            if action == "Delete":
                closed.wait()

        transport = logged_on(serve("http", refuse=refuse), scheme="http")
        transport.connect(Deadline(60))
        transport.close()
        assert asked.count("Delete") == 1
        closed.set()

    def test_an_input_that_nobody_reads(self, misbehaving, logged_on):
        """A send that blocks obeys the deadline as well."""
        transport = logged_on(misbehaving(read_nothing), scheme="http", user="x" * 60_000)
        with pytest.raises(TransportError) as caught:
            transport.connect(Deadline(0.8))
        assert caught.value.stage is ReachStage.TIME_OUT
