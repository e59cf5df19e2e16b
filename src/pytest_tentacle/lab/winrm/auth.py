"""Logging on to the lab's WinRM server: NTLM and Negotiate (with channel binding), CredSSP, and Basic.

All but Basic encrypt messages.
"""

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

from . import credssp

BOUNDARY = b"--Encrypted Boundary"
ENCRYPTED = 'multipart/{};protocol="application/HTTP-{}-session-encrypted";boundary="Encrypted Boundary"'
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
        self,
        context: spnego.ContextProxy | None,
        token: bytes,
        binding: GssChannelBindings | None,
        *,
        by_credssp: bool = False,
    ) -> tuple[spnego.ContextProxy, bytes | None]:
        """One step of a login: the context (made if None) and the token to answer with. Raises SpnegoError."""
        with self._environment:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(self._file)
            try:
                if context is None and by_credssp:
                    context = credssp.new_context()
                elif context is None:
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

    def holds(self, user: str, password: str) -> bool:
        """Whether these log on, as what CredSSP delegates has to."""
        return self._users.get(user.lower()) == password


class Login:
    """The state of one connection: who has logged on over it, and the keys for its messages."""

    def __init__(
        self,
        accounts: Accounts,
        binding: GssChannelBindings | None,
        *,
        basic: bool,
        by_credssp: bool = False,
        delegates: bool = True,
    ) -> None:
        self._accounts = accounts
        self._binding = binding
        self._basic = basic
        self._by_credssp = by_credssp
        self._delegates = delegates
        self._over_credssp = False
        self._context: spnego.ContextProxy | None = None
        self._per_request = False
        self.user: str | None = None

    @property
    def challenges(self) -> list[str]:
        """The values of WWW-Authenticate in a 401."""
        return [
            "Negotiate",
            *(['Basic realm="WSMAN"'] if self._basic else []),
            *(["CredSSP"] if self._by_credssp else []),
        ]

    def step(self, authorization: str) -> tuple[bool, str | None]:
        """Take an Authorization header: whether the user is logged on, and a header to answer with."""
        scheme, _, value = authorization.partition(" ")
        self.user = None
        self._per_request = scheme.lower() == "basic"
        if self._per_request and self._basic:
            self.user = self._accounts.check(value)
            return self.user is not None, None
        self._over_credssp = scheme.lower() == "credssp"
        if scheme.lower() not in ("negotiate", "ntlm", *(["credssp"] if self._by_credssp else [])):
            return False, None
        try:
            token = base64.b64decode(value)
            if credssp.begins(token) if self._over_credssp else token.startswith(b"NTLMSSP\0\x01"):
                self._context = None  # a login begins
            self._context, reply = self._accounts.accept(
                self._context, token, self._binding, by_credssp=self._over_credssp
            )
        except (SpnegoError, ValueError, struct.error):
            self._context = None
            return False, None
        header = f"{scheme} {base64.b64encode(reply).decode('ascii')}" if reply else None
        if not self._context.complete:
            return False, header
        handed = credssp.delegated(self._context) if self._over_credssp else None
        if handed is None or (self._delegates and self._accounts.holds(*handed)):
            self.user = self._context.client_principal
        return self.user is not None, header

    def end_request(self) -> None:
        """Basic logs on each request; NTLM and Negotiate the connection."""
        if self._per_request:
            self.user = None

    def decrypt(self, body: bytes) -> bytes:
        """The message in an encrypted body, of one part or many. Raises ValueError, SpnegoError or struct.error."""
        if self._context is None:
            raise ValueError("nobody has logged on over this connection")
        message = b""
        while not message or not body.startswith(BOUNDARY + b"--"):
            start = body.index(_OCTETS) + len(_OCTETS)
            length = _sealed_length(body, start) if self._over_credssp else body.rindex(BOUNDARY + b"--") - start
            sealed, body = body[start : start + length], body[start + length :]
            (size,) = struct.unpack_from("<I", sealed)
            if self._over_credssp and size != credssp.trailer(self._context):
                raise ValueError("the length is not that of the TLS version that was agreed on")
            message += self._context.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
        return message

    def encrypt(self, message: bytes) -> tuple[str, bytes]:
        """A content type, and an encrypted body that holds the message."""
        if self._context is None:
            raise ValueError("nobody has logged on over this connection")
        most = credssp.MOST if self._over_credssp else len(message)
        parts = [message[start : start + most] for start in range(0, len(message), most or 1)] or [b""]
        protocol = "CredSSP" if self._over_credssp else "SPNEGO"
        body = b"".join(self._sealed(self._context, part, protocol) for part in parts) + BOUNDARY + b"--\r\n"
        return ENCRYPTED.format("x-multi-encrypted" if len(parts) > 1 else "encrypted", protocol), body

    @staticmethod
    def _sealed(context: spnego.ContextProxy, part: bytes, protocol: str) -> bytes:
        header, data, padding = context.wrap_winrm(part)
        return b"".join(
            [
                BOUNDARY + b"\r\n\tContent-Type: application/HTTP-%s-session-encrypted\r\n" % protocol.encode(),
                b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % (len(part) + padding),
                BOUNDARY + b"\r\n" + _OCTETS,
                struct.pack("<I", len(header)) + header + data,
            ]
        )


def _sealed_length(body: bytes, start: int) -> int:
    """Of a part by CredSSP: a length of four bytes, and one TLS record, whose head tells its own."""
    return 4 + 5 + int(struct.unpack_from(">H", body, start + 7)[0])
