"""Logging on by a client certificate: showing it, whether a machine asked for it, and why it was of no use."""

from __future__ import annotations

import datetime as dt
import re
import ssl
import weakref
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pytest_tentacle.transport.base import ReachStage, TransportError

_HANDSHAKE = 22
_CERTIFICATE_REQUEST = 13
"""Numbers of RFC 8446, B.1 and B.3."""

_KEY = re.compile(rb"-----BEGIN ((?:[A-Z]+ )*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----\r?\n?", re.DOTALL)

_asked: weakref.WeakSet[Any] = weakref.WeakSet()


def present(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    """Have the context show this certificate to whoever asks. Raises TransportError (TLS), without a word of the key.

    Windows asks after the handshake, once it has read how the client wants to log on. TLS 1.3 allows that only with a
    client that said so in the handshake (RFC 8446, 4.2.6), which Python leaves off by default.
    """
    reason: str | None = None
    try:
        # an empty password keeps OpenSSL from asking on the terminal for the one of an encrypted key
        context.load_cert_chain(certificate, key, password=b"")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
    if reason is not None:
        what, advice = _why_unusable(certificate, key) or (
            f"the client certificate {certificate} cannot be used ({reason})",
            "Give PEM files of the certificate and of its key, the key without a passphrase.",
        )
        raise TransportError(ReachStage.TLS, what, advice)
    context.post_handshake_auth = True
    if hasattr(context, "_msg_callback"):  # no documented way tells what OpenSSL was asked for
        context._msg_callback = _listen  # noqa: SLF001


def was_asked_for(connection: ssl.SSLSocket) -> bool | None:
    """Whether the peer asked for a certificate by now; None where that cannot be told."""
    return connection in _asked if getattr(connection.context, "_msg_callback", None) is _listen else None


def _listen(connection: Any, direction: str, _version: int, content: int, message: int, _data: bytes) -> None:
    if direction == "read" and content == _HANDSHAKE and message == _CERTIFICATE_REQUEST:
        _asked.add(connection)


def refused(place: str, certificate: Path | None, *, asked: bool | None) -> tuple[str, str]:
    """What HTTP 401 means for a client certificate, and what to do.

    Args:
        place: host and port.
        certificate: the PEM file.
        asked: whether the machine asked for it; None: not known.
    """
    if asked is False:
        return (
            f"{place} refused to log on and did not ask for the client certificate (HTTP 401)",
            "See whether Certificate is allowed there (winrm get winrm/config/service/auth; it is off by default).",
        )
    wrong = None if certificate is None else _out_of_date(certificate)
    if wrong is not None:
        return (
            f"{place} refused the client certificate, which {wrong} by the clock here (HTTP 401)",
            "Get a new certificate and map it to the user there, or set the clock right.",
        )
    return (
        f"{place} refused the client certificate (HTTP 401)",
        "Is it mapped to a local user there (winrm enumerate winrm/config/service/certmapping), with that user's "
        "present password, and is its issuer trusted there"
        + (", and Certificate allowed (winrm get winrm/config/service/auth)?" if asked is None else "?"),
    )


def refused_in_tls(error: OSError | ValueError, place: str) -> TransportError | None:
    """What a TLS alert about the client's certificate means; None for any other error.

    With TLS 1.3 it comes after the client's part of the handshake, with the first bytes that are read.
    """
    name = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    known = _ALERTS.get(name.rpartition("_ALERT_")[2])
    if known is None:
        return None
    what, advice = known
    return TransportError(ReachStage.TLS, f"{place} {what} ({name})", advice)


_RENEW = "Get a new certificate and map it to the user there, or set the machine's clock right."
_MADE_FOR = (
    "It must be made for client authentication (extended key usage 1.3.6.1.5.5.7.3.2), and its issuer be trusted there."
)
_ALERTS = {
    "CERTIFICATE_REQUIRED": (
        "asks for a client certificate and got none that it takes",
        "Declare `auth: certificate` with `certificate` and `certificate_key`, or see what asks there.",
    ),
    "CERTIFICATE_EXPIRED": ("refused the client certificate as expired", _RENEW),
    "CERTIFICATE_REVOKED": ("refused the client certificate as revoked", _RENEW),
    "UNKNOWN_CA": (
        "does not know the issuer of the client certificate",
        "Put the issuer's certificate into the machine's trusted roots (Cert:\\LocalMachine\\Root).",
    ),
    "BAD_CERTIFICATE": ("refused the client certificate", _MADE_FOR),
    "UNSUPPORTED_CERTIFICATE": ("refused the client certificate", _MADE_FOR),
    "CERTIFICATE_UNKNOWN": ("refused the client certificate", _MADE_FOR),
}
"""RFC 8446, 6.2, by the end of OpenSSL's names."""


def _out_of_date(certificate: Path) -> str | None:
    try:
        held = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):  # it could be read when it was loaded, and says nothing now
        return None
    now = dt.datetime.now(dt.UTC)
    if now > held.not_valid_after_utc:
        return f"expired on {held.not_valid_after_utc:%Y-%m-%d}"
    if now < held.not_valid_before_utc:
        return f"is not valid before {held.not_valid_before_utc:%Y-%m-%d}"
    return None


def _why_unusable(certificate: Path, key: Path) -> tuple[str, str] | None:
    """Which of the two files is wrong, in what, and what to do; None where both look right."""
    contents = []
    for file, what in ((certificate, "client certificate"), (key, "client certificate's key")):
        try:
            contents.append(file.read_bytes())
        except OSError as error:
            return (
                f"the {what} {file} cannot be read ({error.strerror or type(error).__name__})",
                "See its path, and whether the account that runs pytest may read it.",
            )
        if b"-----BEGIN " not in contents[-1]:
            return (
                f"the {what} {file} is not a PEM file",
                "PEM is text with lines of BEGIN and END; `openssl pkcs12 -in FILE.pfx -nodes` makes it from a PFX.",
            )
    try:
        held = x509.load_pem_x509_certificate(contents[0])
    except ValueError:
        return (
            f"{certificate} holds no certificate that can be read",
            "Give the certificate as `certificate` and its key as `certificate_key`, PEM files.",
        )
    return _why_key_unusable(key, contents[1], held)


def _why_key_unusable(key: Path, content: bytes, held: x509.Certificate) -> tuple[str, str] | None:
    found = _KEY.search(content)
    if found is None:
        return (
            f"{key} holds no private key, or not the whole of one",
            "Give the certificate as `certificate` and its key as `certificate_key`, PEM files.",
        )
    try:
        private = load_pem_private_key(found.group(), None)
    except TypeError:  # the library's word for an encrypted key without a password
        return (
            f"the client certificate's key {key} is encrypted with a passphrase",
            "Give it without: `openssl pkey -in KEY -out NEW`, and let only the account that runs pytest read it.",
        )
    except (ValueError, UnsupportedAlgorithm):
        return f"the client certificate's key {key} cannot be read as a key", "Export it anew as PEM (PKCS #8)."
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if private.public_key().public_bytes(*form) != held.public_key().public_bytes(*form):
        return (
            f"the key {key} does not belong to the client certificate",
            "Give the key that the certificate was requested with; the first certificate in its file counts.",
        )
    return None
