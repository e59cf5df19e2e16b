"""Logging on to the lab's WinRM server by a client certificate.

As Windows does it: http.sys asks for the certificate when a request wants to log on by it, unless the port's binding
says to ask at once; it lets any certificate of a known issuer through, and WinRM says 401 where none is mapped to a
local user, or it is out of date. What WinRM says to one that is out of date is not documented; see the tests of the
transport for a server that ends the handshake instead.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import socket
import ssl
import time
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
"""The Authorization header of a request that logs on by certificate (DSP0226, security profiles)."""

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for."""

_ANSWER_SECONDS = 2.0


def ask_clients(context: ssl.SSLContext, issuers: Path, *, at_once: bool) -> None:
    """Have the context ask for certificates: in the handshake, or when `mapped_user` wants one (TLS 1.3)."""
    context.load_verify_locations(issuers)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.post_handshake_auth = not at_once


def mapped_user(connection: socket.socket, mapped: Mapping[str, str]) -> str | None:
    """The user whom the client's certificate stands for. Raises OSError where the client cannot be asked."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    shown = connection.getpeercert(binary_form=True) or _ask_now(connection)
    if shown is None:
        return None
    held = x509.load_der_x509_certificate(shown)
    if not held.not_valid_before_utc <= dt.datetime.now(dt.UTC) <= held.not_valid_after_utc:
        return None
    return mapped.get(hashlib.sha1(shown, usedforsecurity=False).hexdigest().upper())


def _ask_now(connection: ssl.SSLSocket) -> bytes | None:
    if not connection.context.post_handshake_auth:
        return None
    before = connection.gettimeout()
    connection.verify_client_post_handshake()  # an SSLError where the client did not offer it
    connection.do_handshake()
    connection.settimeout(0.02)
    end = time.monotonic() + _ANSWER_SECONDS
    shown = None
    while shown is None and time.monotonic() < end:
        with contextlib.suppress(TimeoutError):  # what comes is the certificate, which is no data
            if not connection.recv(1):
                break
        shown = connection.getpeercert(binary_form=True)
    connection.settimeout(before)
    return shown
