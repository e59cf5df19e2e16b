"""HTTP for pywinrm over one guarded connection: no proxies, no redirects, no second connection behind our back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from pytest_tentacle.transport.base import ReachStage, TransportError

from .wire import Watch, Wire


class Adapter(HTTPAdapter):
    """The way of every request of one session.

    Attributes:
        requests: HTTP requests so far, those of the login included.
        status: the last response's HTTP status; 0 when the last request got none.
        offered: the ways to log on that the last 401 offered, as "Negotiate, Basic".
        log_on_failure: why Kerberos or CredSSP failed by itself: what it means, what to do, and its number.
        may_dial: whether a connection may be opened now. NTLM authenticates a connection, so that a new one in the
            middle of things would send a request that nobody has logged on for.
    """

    def __init__(self, dial: Callable[[], Wire], watch: Watch) -> None:
        super().__init__()
        self.requests = 0
        self.status = 0
        self.offered = ""
        self.log_on_failure: tuple[str, str, int | None] | None = None
        self.may_dial = True
        self._dial = dial
        self._watch = watch
        self._wire: Wire | None = None
        self._pool = _Pool(self._open)

    def note_failure(self, reason: tuple[str, str, int | None]) -> None:
        """Kerberos or CredSSP failed by itself. Its exception is not kept, for it may hold the login's headers."""
        self.log_on_failure = reason

    @property
    def asked_for_certificate(self) -> bool | None:
        """Whether the machine asked for a client certificate; None where that cannot be told."""
        return None if self._wire is None else self._wire.asked_for_certificate

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send one request and read the head of its response. Raises TransportError or what requests raises."""
        self._watch.check()
        self._watch.begin_response()
        self.requests += 1
        self.status = 0
        response = super().send(request, *args, **kwargs)
        self.status = response.status_code
        if self.status == 401:  # noqa: PLR2004  HTTP's "unauthorized"
            schemes = [line.split(None, 1)[0] for line in response.raw.headers.getlist("WWW-Authenticate") if line]
            self.offered = ", ".join(dict.fromkeys(schemes))
        if 300 <= self.status < 400:  # noqa: PLR2004  HTTP's redirections
            raise TransportError(
                ReachStage.START,
                f"{self._watch.place} sends /wsman elsewhere (HTTP {self.status})",
                "That is not WinRM: see which web server or gateway answers there.",
            )
        # a body that says it is compressed could unpack to a thousand times its size; WinRM never compresses
        response.raw.headers.discard("Content-Encoding")
        return response

    def get_connection_with_tls_context(self, *_args: Any, **_kwargs: Any) -> HTTPConnectionPool:
        """The one connection, whatever proxies or certificates anybody names: `dial` has decided about those."""
        return self._pool

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: the connection is verified when it is made."""

    def lost(self) -> bool:
        """Whether the peer has closed the connection that the session was logged on over."""
        return self._wire is not None and self._pool.lost()

    def break_off(self) -> None:
        """Wake a thread that waits on the connection; it then meets the watch."""
        if self._wire is not None:
            self._wire.shutdown()

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        super().close()

    def _open(self) -> Wire:
        if not self.may_dial:
            raise TransportError(
                ReachStage.RUN,
                f"{self._watch.place} closed the connection, waiting for {self._watch.waiting_for}",
                "Was the machine or its WinRM service restarted? Run again.",
            )
        if self._wire is not None:
            self._wire.close()
        self._wire = self._dial()
        return self._wire


class _Connection(HTTPConnection):
    """An HTTP connection over whatever `open_wire` gives, TLS included."""

    def __init__(self, open_wire: Callable[[], Wire]) -> None:
        super().__init__("localhost")  # never resolved: the wire is already connected
        self._open_wire = open_wire

    def _new_conn(self) -> Any:
        return self._open_wire()


class _Pool(HTTPConnectionPool):
    """A pool of one connection."""

    def __init__(self, open_wire: Callable[[], Wire]) -> None:
        super().__init__("localhost", maxsize=1)
        self._connection = _Connection(open_wire)

    def _new_conn(self) -> Any:
        return self._connection

    def lost(self) -> bool:
        """Whether the connection is closed, by us or by the peer."""
        return not self._connection.is_connected
