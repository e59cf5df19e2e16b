"""Logging on to the lab's WinRM server: NTLM and Negotiate (with message encryption and channel binding), and Basic."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import struct
import threading
from collections.abc import Mapping
from pathlib import Path

import spnego
from spnego._ntlm_raw.crypto import ntowfv1  # there is no public way to write the account file that its server reads
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

BOUNDARY = b"--Encrypted Boundary"
ENCRYPTED = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"


class Accounts:
    """The users of one server.

    pyspnego's NTLM server finds them in a file that an environment variable of the whole process names, so that the
    variable is set, under a lock, for just as long as it reads.
    """

    _environment = threading.Lock()

    def __init__(self, users: Mapping[str, str], folder: Path) -> None:
        r"""Write the account file.

        Args:
            users: `user` or `DOMAIN\user` to password.
            folder: where to, a temporary folder of the server's own.
        """
        self._users = {user.lower(): password for user, password in users.items()}
        self._file = folder / "accounts"
        # the form with hashes, for the other one cannot hold a password with a colon
        lines = [f"{user}:1:{'0' * 32}:{ntowfv1(password).hex().upper()}:[U]:LCT-0" for user, password in users.items()]
        self._file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def accept(
        self, context: spnego.ContextProxy | None, token: bytes, binding: GssChannelBindings | None
    ) -> tuple[spnego.ContextProxy, bytes | None]:
        """One step of a login: the context (made if None) and the token to answer with. Raises SpnegoError."""
        with self._environment:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(self._file)
            try:
                if context is None:
                    protocol = "ntlm" if token.startswith(b"NTLMSSP\0") else "negotiate"
                    options = spnego.NegotiateOptions.none
                    context = spnego.server(protocol=protocol, options=options, channel_bindings=binding)
                return context, context.step(token)
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before

    def check(self, credentials: str) -> str | None:
        """The user of Basic credentials (base64 of `user:password`, UTF-8), None if they are wrong."""
        try:
            user, _, password = base64.b64decode(credentials).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self._users.get(user.lower())
        return user if known is not None and hmac.compare_digest(known.encode(), password.encode()) else None


class Login:
    """The state of one connection: who has logged on over it, and the keys for its messages."""

    def __init__(self, accounts: Accounts, binding: GssChannelBindings | None, *, basic: bool) -> None:
        self._accounts = accounts
        self._binding = binding
        self._basic = basic
        self._context: spnego.ContextProxy | None = None
        self._per_request = False
        self.user: str | None = None

    @property
    def challenges(self) -> list[str]:
        """The values of WWW-Authenticate in a 401."""
        return ["Negotiate", *(['Basic realm="WSMAN"'] if self._basic else [])]

    def step(self, authorization: str) -> tuple[bool, str | None]:
        """Take an Authorization header: whether the user is logged on, and a header to answer with."""
        scheme, _, value = authorization.partition(" ")
        self.user = None
        self._per_request = scheme.lower() == "basic"
        if self._per_request and self._basic:
            self.user = self._accounts.check(value)
            return self.user is not None, None
        if scheme.lower() not in ("negotiate", "ntlm"):
            return False, None
        try:
            token = base64.b64decode(value)
            if token.startswith(b"NTLMSSP\0\x01"):
                self._context = None  # a login begins
            self._context, reply = self._accounts.accept(self._context, token, self._binding)
        except (SpnegoError, ValueError, struct.error):
            self._context = None
            return False, None
        header = f"{scheme} {base64.b64encode(reply).decode('ascii')}" if reply else None
        if not self._context.complete:
            return False, header
        self.user = self._context.client_principal
        return True, header

    def end_request(self) -> None:
        """Basic logs on each request; NTLM and Negotiate the connection."""
        if self._per_request:
            self.user = None

    def decrypt(self, body: bytes) -> bytes:
        """The message in an encrypted body. Raises ValueError, SpnegoError or struct.error."""
        if self._context is None:
            raise ValueError("nobody has logged on over this connection")
        start = body.index(_OCTETS) + len(_OCTETS)
        sealed = body[start : body.rindex(BOUNDARY + b"--")]
        (size,) = struct.unpack_from("<I", sealed)
        return self._context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])

    def encrypt(self, message: bytes) -> bytes:
        """An encrypted body that holds the message."""
        if self._context is None:
            raise ValueError("nobody has logged on over this connection")
        header, data, padding = self._context.wrap_winrm(message)
        return b"".join(
            [
                BOUNDARY + b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n",
                b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % (len(message) + padding),
                BOUNDARY + b"\r\n" + _OCTETS,
                struct.pack("<I", len(header)) + header + data,
                BOUNDARY + b"--\r\n",
            ]
        )
