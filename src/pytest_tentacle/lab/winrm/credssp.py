"""CredSSP as the lab's WinRM server takes it: pyspnego's acceptor, with the numbers that Windows gives."""

from __future__ import annotations

import struct
from typing import Any

import spnego
from spnego.exceptions import ErrorCode, SpnegoError

MOST = 16_384
"""Bytes of a message in one part: a TLS record's worth (MS-WSMV 2.2.9.1.3)."""

LOGON_FAILURE = 0xC000006D
"""STATUS_LOGON_FAILURE: what Windows calls a wrong user as well as a wrong password."""


class RefusedError(SpnegoError):
    """A log-on that Windows would refuse with this number."""

    nt_status = LOGON_FAILURE


class _Negotiate:
    """The log-on within CredSSP: pyspnego's, which has numbers of its own for what is refused."""

    def __init__(self) -> None:
        self._context = spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.none)

    def step(self, token: bytes | None = None) -> bytes | None:
        try:
            return self._context.step(token)
        except (SpnegoError, ValueError, struct.error) as error:
            raise RefusedError(ErrorCode.failure) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)


def begins(token: bytes) -> bool:
    """Whether a log-on begins: a TLS record with a ClientHello."""
    return token[:1] == b"\x16" and token[5:6] == b"\x01"


def new_context() -> spnego.ContextProxy:
    """An acceptor with a certificate of its own, as Windows' is."""
    return spnego.server(
        protocol="credssp", options=spnego.NegotiateOptions.none, credssp_negotiate_context=_Negotiate()
    )


def delegated(context: spnego.ContextProxy) -> tuple[str, str]:
    """The user and the password that were handed over."""
    held: Any = context.get_extra_info("client_credential")
    return (f"{held.domain_name}\\{held.username}" if held.domain_name else held.username), held.password


def trailer(context: spnego.ContextProxy) -> int:
    """The bytes that sealing adds behind the data, by AES-GCM, which both sides prefer."""
    return 17 if context.get_extra_info("ssl_object").version() == "TLSv1.3" else 16
