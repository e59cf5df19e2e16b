"""TLS for WinRM: one context for the whole run, and what a failed handshake means."""

from __future__ import annotations

import functools
import ssl
import threading
from pathlib import Path

from pytest_tentacle.inventory.model import WinRM
from pytest_tentacle.transport.base import ReachStage, TransportError

from .client_certificate import present, refused_in_tls

_LOCK = threading.Lock()


def shared_tls_context(settings: WinRM) -> ssl.SSLContext:
    """The context for these settings, the same object for equal settings: making one costs 30 to 85 ms of CPU.

    Verified against the operating system's certificates, or against `settings.ca` alone. Raises TransportError (TLS)
    where a file of certificates or keys cannot be used.
    """
    client = (settings.certificate, settings.certificate_key) if settings.auth == "certificate" else (None, None)
    with _LOCK:  # lru_cache alone would let the first threads make one each
        return _context(settings.ca, settings.verify == "verify", *client)


@functools.lru_cache(maxsize=64)
def _context(ca: Path | None, verified: bool, certificate: Path | None, key: Path | None) -> ssl.SSLContext:  # noqa: FBT001  a cache's key
    if verified:
        context = _verifying(ca)
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None and key is not None:
        present(context, certificate, key)
    return context


def _verifying(ca: Path | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as error:  # ssl.SSLError is one: a file without a certificate
        raise TransportError(
            ReachStage.TLS,
            f"the CA file {ca} cannot be used ({error.strerror or error})",
            "Give a PEM file with the certificate of the CA, or of the machine itself (transport key `ca`).",
        ) from None
    # A machine's self-signed certificate may be given as its own CA, and those of New-SelfSignedCertificate lack an
    # extension that Python 3.13 began to insist on: the same verdict on every Python.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def tls_failure(error: OSError | ValueError, place: str) -> TransportError:
    """What a failed handshake means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message or str(error)
        return TransportError(
            ReachStage.TLS,
            f"the certificate of {place} could not be verified: {reason.rstrip('.')}",
            _CERTIFICATE_ADVICE.get(
                error.verify_code,
                "Give the CA's certificate as `ca`, or ask for `verify: insecure` to do without verification.",
            ),
        )
    if (refusal := refused_in_tls(error, place)) is not None:
        return refusal
    if isinstance(error, ssl.SSLError):
        name = error.reason or type(error).__name__
        if name in _NOT_TLS:
            return TransportError(
                ReachStage.TLS,
                f"{place} does not speak TLS ({name})",
                "WinRM's HTTPS port is 5986; for 5985 declare `scheme: http` (NTLM encrypts the messages there).",
            )
        return TransportError(
            ReachStage.TLS,
            f"the TLS handshake with {place} failed ({name})",
            "See which TLS versions and ciphers the machine's WinRM listener offers; this side wants TLS 1.2 or newer.",
        )
    if isinstance(error, OSError):
        return TransportError(
            ReachStage.TLS,
            f"{place} ended the connection in the TLS handshake ({error.strerror or type(error).__name__})",
            "Has the WinRM listener a certificate (winrm enumerate winrm/config/listener), and is this its HTTPS port?",
        )
    return TransportError(ReachStage.TLS, f"no TLS with {place} ({error})", "Check the host name in the inventory.")


_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",  # the first bytes are no TLS record
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNKNOWN_PROTOCOL",
    }
)

# The numbers are OpenSSL's X509_V_ERR_*, the same on every platform; the texts differ between versions.
_UNKNOWN_ISSUER = (
    "Give the certificate of the CA that issued it (or this certificate itself, if self-signed) as `ca`, a PEM file; "
    "`verify: insecure` does without."
)
_CERTIFICATE_ADVICE = {
    9: "It is not valid yet: compare the clocks of both machines.",
    10: "Renew the certificate of the machine's WinRM listener; until then `verify: insecure` does without.",
    18: _UNKNOWN_ISSUER,
    19: _UNKNOWN_ISSUER,
    20: _UNKNOWN_ISSUER,
    21: _UNKNOWN_ISSUER,
    62: "Use the name that the certificate was issued for as the transport's host, or issue one for this name.",
    64: "The certificate does not hold this IP address: use the name that it was issued for as the transport's host.",
}
