"""One HTTP connection of the lab's WinRM server: logging on, decrypting, answering."""

from __future__ import annotations

import struct
from http.server import BaseHTTPRequestHandler
from typing import Protocol, cast
from xml.etree.ElementTree import ParseError

from spnego.exceptions import SpnegoError

from . import soap
from .client_certificates import MUTUAL, mapped_user
from .service import Seen, Service

_SOAP = "application/soap+xml;charset=UTF-8"
_UNREADABLE = (SpnegoError, ParseError, ValueError, struct.error)


class _Served(Protocol):
    service: Service


class Handler(BaseHTTPRequestHandler):
    """Answers the POSTs of one connection, one after the other."""

    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body of an answer in one packet

    def setup(self) -> None:
        """Begin a connection."""
        self.service = cast("_Served", self.server).service
        self.number = self.service.new_connection()
        self.login = self.service.new_login()
        super().setup()
        self.connection.settimeout(self.service.rules.idle_seconds)

    def do_POST(self) -> None:
        """Log on, or answer a message."""
        action = "login"
        body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), 4 * self.service.rules.max_envelope))
        if self.path.split("?", 1)[0].rstrip("/").lower() != "/wsman":
            self._answer(404, action)
            return
        reply: str | None = None
        authorization = self.headers.get("Authorization")
        if authorization is not None:
            _, reply = self.login.step(authorization)
            if authorization == MUTUAL:
                self.login.user = mapped_user(self.connection, self.service.rules.mapped)
        if self.login.user is None:
            self._answer(401, action, challenges=[reply] if reply else self.login.challenges)
            return
        challenges = [reply] if reply else []
        sealed = self.headers.get("Content-Type", "").startswith(("multipart/encrypted", "multipart/x-multi-encrypted"))
        if not body:
            self._answer(200, action, challenges=challenges)
            return
        if not sealed and not self.service.encrypted_transport:
            self._answer(500, action)  # AllowUnencrypted is false
            return
        try:
            request = soap.parse(self.login.decrypt(body) if sealed else body)
        except _UNREADABLE:
            self._answer(400, action)
            return
        status, message = self._respond(request, len(body))
        content_type = _SOAP
        if sealed:
            content_type, message = self.login.encrypt(message)
        self._answer(status, request.action, message, content_type, challenges=challenges)
        self.login.end_request()

    def _respond(self, request: soap.Request, size: int) -> tuple[int, bytes]:
        try:
            if size > self.service.rules.max_envelope:
                raise soap.envelope_too_big()
            fault = self.service.rules.refuse(request.action)
            if fault is not None:
                raise fault
            body = self.service.shells.answer(request, self.login.user or "", self.client_address[0])
        except soap.Fault as raised:
            return 500, soap.fault_envelope(raised, request.message_id, self.service.rules.name)
        return 200, soap.respond(request, body)

    def _answer(
        self,
        status: int,
        action: str,
        body: bytes = b"",
        content_type: str = _SOAP,
        *,
        challenges: list[str] | None = None,
    ) -> None:
        self.service.note(Seen(self.number, self.client_address[0], self.login.user, action, status))
        self.send_response(status)
        for challenge in challenges or []:
            self.send_header("WWW-Authenticate", challenge)
        if body:
            self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Say nothing: what was seen is in the service."""
