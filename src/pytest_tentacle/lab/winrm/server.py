"""A WinRM server for the lab: WS-Management with remote shells, over HTTPS and HTTP, in threads of this process."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .client_certificates import ask_clients
from .handler import Handler
from .runner import CommandRunner
from .service import Rules, Seen, Service

__all__ = ["Rules", "Seen", "WinRMServer"]

_HANDSHAKE_SECONDS = 10.0


class WinRMServer:
    """Serves from `start` to `stop`, as a context manager too. Stopping ends all that runs in its shells."""

    def __init__(
        self,
        address: str,
        port: int,
        *,
        users: Mapping[str, str],
        runner: CommandRunner,
        certificate: Path | None = None,
        key: Path | None = None,
        client_ca: Path | None = None,
        rules: Rules | None = None,
    ) -> None:
        r"""Bind the port; nothing is answered before `start`.

        Args:
            address: where to listen.
            port: 0 for a free one, then found as `port`.
            users: `user` or `DOMAIN\user` to password.
            runner: what runs the commands.
            certificate: PEM file of the server's certificate (and chain): HTTPS. None: HTTP.
            key: PEM file of its key, if that is another file.
            client_ca: PEM file with the issuers of client certificates, which are then asked for. None: Certificate
                is not allowed, as on a new Windows.
            rules: how it behaves; None: as a healthy Windows does.

        Raises:
            OSError: the port is taken, or the certificate cannot be used.
        """
        tls: ssl.SSLContext | None = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate, key)
            if client_ca is not None:
                ask_clients(tls, client_ca, at_once=(rules or Rules()).asks_at_once)
        self._folder = tempfile.TemporaryDirectory(prefix="winrm-")
        try:
            self._service = Service(users, runner, rules or Rules(), certificate, Path(self._folder.name))
            self._listener = _Listener((address, port), self._service, tls)
        except BaseException:
            self._folder.cleanup()
            raise
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, name="winrm-server", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._listener.server_address[1])

    @property
    def seen(self) -> list[Seen]:
        """All requests so far, in the order of their answers."""
        return self._service.seen

    @property
    def connections(self) -> int:
        """TCP connections so far, failed TLS handshakes not counted."""
        return self._service.connections

    @property
    def open_shells(self) -> int:
        """How many shells are open."""
        return self._service.shells.open

    def count(self, action: str | None = None, *, client: str | None = None) -> int:
        """How many requests there were, of all or with that action, from all or from that client's address."""
        return sum(action in (None, one.action) and client in (None, one.client) for one in self.seen)

    def start(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End all commands, connections and threads, and free the port. May be called again."""
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()
        self._listener.server_close()
        self._listener.cut_connections()  # first, so that no killed command is taken for one that ended
        self._service.shells.close()
        self._listener.await_connections()
        self._service.shells.close()  # those that a request was opening meanwhile
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Listener(socketserver.ThreadingTCPServer):
    """Accepts connections, each in a thread, and remembers both so that they can be ended."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.service = service
        self._tls = tls
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        this = threading.current_thread()
        try:
            self._remember(this, request)
            if self._tls is not None:
                request.settimeout(_HANDSHAKE_SECONDS)
                request = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                self._remember(this, request)
                request.do_handshake()
            super().process_request_thread(request, client_address)
        except OSError:  # no TLS, or the client went away
            self.shutdown_request(request)
        finally:
            with self._lock:
                self._open.pop(this, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client went away; let anything else be seen."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def cut_connections(self) -> None:
        """Wake whoever reads from a connection or writes to it."""
        with self._lock:
            still_open = list(self._open.values())
        for connection in still_open:
            with contextlib.suppress(OSError):
                # the plain socket's own: an SSLSocket would drop its TLS object under the reader's hands
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def await_connections(self) -> None:
        """Wait for the threads of all connections."""
        with self._lock:
            threads = list(self._open)
        for thread in threads:
            thread.join(timeout=1.0)

    def _remember(self, thread: threading.Thread, connection: socket.socket) -> None:
        with self._lock:
            self._open[thread] = connection
