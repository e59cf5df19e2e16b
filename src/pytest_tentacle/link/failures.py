"""From what the system raised to the word for it, by number or OpenSSL's reason name, never by localised text.

The numbers of Windows (WSA...) stand beside those of POSIX: Python gives most of them through unchanged as `errno`.
"""

from __future__ import annotations

import errno
import socket
import ssl

from .model import Failure


def _by_name(module: object, words: dict[str, Failure]) -> dict[int, Failure]:
    """The numbers of those names which this platform has; where two names share one, the first stays."""
    numbers: dict[int, Failure] = {}
    for name, failure in words.items():
        number = getattr(module, name, None)
        if number is not None:
            numbers.setdefault(number, failure)
    return numbers


_RESOLVE = {
    # WSAHOST_NOT_FOUND, WSANO_DATA, WSATRY_AGAIN, WSANO_RECOVERY
    11001: Failure.NAME_NOT_FOUND,
    11004: Failure.NO_ADDRESS,
    11002: Failure.RESOLVER_FAILED,
    11003: Failure.RESOLVER_FAILED,
} | _by_name(
    socket,
    {
        # EAI_NONAME first: Windows gives EAI_NODATA the same number
        "EAI_NONAME": Failure.NAME_NOT_FOUND,
        "EAI_NODATA": Failure.NO_ADDRESS,
        "EAI_ADDRFAMILY": Failure.NO_ADDRESS,
        "EAI_AGAIN": Failure.RESOLVER_FAILED,
        "EAI_FAIL": Failure.RESOLVER_FAILED,
    },
)

_STREAM = {
    10053: Failure.RESET,  # WSAECONNABORTED
    10054: Failure.RESET,  # WSAECONNRESET
    10060: Failure.TIMED_OUT,  # WSAETIMEDOUT
} | _by_name(
    errno,
    {
        "ECONNRESET": Failure.RESET,
        "ECONNABORTED": Failure.RESET,
        "EPIPE": Failure.RESET,
        "ETIMEDOUT": Failure.TIMED_OUT,
    },
)

_CONNECT = (
    _STREAM
    | {
        10061: Failure.REFUSED,  # WSAECONNREFUSED
        10013: Failure.PROHIBITED,  # WSAEACCES
        10047: Failure.UNREACHABLE,  # WSAEAFNOSUPPORT: no IPv6 on this machine
        10049: Failure.UNREACHABLE,  # WSAEADDRNOTAVAIL
        10050: Failure.UNREACHABLE,  # WSAENETDOWN
        10051: Failure.UNREACHABLE,  # WSAENETUNREACH
        10064: Failure.UNREACHABLE,  # WSAEHOSTDOWN
        10065: Failure.UNREACHABLE,  # WSAEHOSTUNREACH
    }
    | _by_name(
        errno,
        {
            "ECONNREFUSED": Failure.REFUSED,
            "EACCES": Failure.PROHIBITED,
            "EPERM": Failure.PROHIBITED,
            "EAFNOSUPPORT": Failure.UNREACHABLE,
            "EADDRNOTAVAIL": Failure.UNREACHABLE,
            "ENETDOWN": Failure.UNREACHABLE,
            "ENETUNREACH": Failure.UNREACHABLE,
            "EHOSTDOWN": Failure.UNREACHABLE,
            "EHOSTUNREACH": Failure.UNREACHABLE,
            "EINVAL": Failure.UNREACHABLE,  # Linux: a route of the kind blackhole
        },
    )
)

_NOT_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",  # the first five bytes are no record header
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "UNKNOWN_PROTOCOL",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "RECORD_LENGTH_MISMATCH",
        "BAD_RECORD_TYPE",
        "UNEXPECTED_RECORD",
        "UNEXPECTED_MESSAGE",
    }
)
_VERSION = frozenset(
    {
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "UNSUPPORTED_PROTOCOL",  # the peer chose a version below the ones that we offered
        "WRONG_SSL_VERSION",
        "VERSION_TOO_LOW",
        "VERSION_TOO_HIGH",
        "TLSV1_ALERT_INAPPROPRIATE_FALLBACK",
        "INAPPROPRIATE_FALLBACK",
        "NO_PROTOCOLS_AVAILABLE",
    }
)
_CIPHER = frozenset(
    {
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_INSUFFICIENT_SECURITY",
        "NO_SHARED_CIPHER",
        "NO_CIPHERS_AVAILABLE",
        "NO_CIPHER_MATCH",
        "DH_KEY_TOO_SMALL",  # the peer's key exchange is weaker than this machine's policy allows
        "WRONG_CURVE",
        "NO_SUITABLE_KEY_SHARE",
        "NO_SUITABLE_GROUPS",
        "NO_SUITABLE_SIGNATURE_ALGORITHM",
        "WRONG_SIGNATURE_TYPE",
        "LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED",
        "WRONG_CIPHER_RETURNED",
        "UNKNOWN_CIPHER_RETURNED",
    }
)


def of_resolve(error: Exception) -> Failure:
    """The word for what `getaddrinfo` raised."""
    if isinstance(error, TimeoutError):
        return Failure.TIMED_OUT
    if isinstance(error, UnicodeError):
        return Failure.NAME_NOT_FOUND  # an empty or too long label: no such name can exist
    if isinstance(error, socket.gaierror):
        return _RESOLVE.get(error.errno or 0, Failure.OTHER)
    return Failure.OTHER


def of_connect(error: OSError, address: str) -> Failure:
    """The word for what `connect` to this address raised."""
    if isinstance(error, TimeoutError):
        return Failure.TIMED_OUT
    word = _CONNECT.get(_number(error), Failure.OTHER)
    if word is Failure.PROHIBITED and ":" in address and error.errno == errno.EACCES and not _winerror(error):
        # Linux gives a remote firewall's ICMPv6 "administratively prohibited" as EACCES, where ICMP gives EHOSTUNREACH
        return Failure.UNREACHABLE
    return word


def of_stream(error: OSError) -> Failure:
    """The word for what a TLS handshake, a read or a write raised."""
    if isinstance(error, TimeoutError):
        return Failure.TIMED_OUT
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure.CLOSED
    if isinstance(error, ssl.SSLError):
        return _of_reason(error.reason or "")
    return _STREAM.get(_number(error), Failure.OTHER)


def _of_reason(reason: str) -> Failure:
    if reason in _NOT_TLS:
        return Failure.NOT_TLS
    if reason in _VERSION:
        return Failure.PROTOCOL_VERSION
    if reason in _CIPHER:
        return Failure.NO_COMMON_CIPHER
    return Failure.OTHER


def _winerror(error: OSError) -> int:
    """Windows' own number; 0 elsewhere. `errno` is a translation of it for a few numbers, such as 10013."""
    return getattr(error, "winerror", None) or 0


def _number(error: OSError) -> int:
    return _winerror(error) or error.errno or 0
