"""Words by number: the numbers of Windows and of POSIX alike, whatever the text says."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from pytest_tentacle.link import Failure
from pytest_tentacle.link.failures import of_connect, of_resolve, of_stream


def windows(number: int, translated: int) -> OSError:
    """What Python raises on Windows: WSA's number in `winerror`, sometimes a translation in `errno`."""
    error = OSError(translated, "Es konnte keine Verbindung hergestellt werden")
    error.winerror = number
    return error


class TestWindows:
    @pytest.mark.parametrize(
        ("number", "word"),
        [
            (10061, Failure.REFUSED),
            (10060, Failure.TIMED_OUT),
            (10051, Failure.UNREACHABLE),
            (10065, Failure.UNREACHABLE),
            (10049, Failure.UNREACHABLE),
            (10047, Failure.UNREACHABLE),
            (10054, Failure.RESET),
            (99999, Failure.OTHER),
        ],
    )
    def test_connect(self, number, word):
        """Every WSA number of connect."""
        assert word is of_connect(windows(number, number), "10.0.0.1")

    @pytest.mark.parametrize("address", ["10.0.0.1", "fd00::1"])
    def test_policy(self, address):
        """10013, which Python translates to EACCES, is this machine's own policy for both families."""
        assert Failure.PROHIBITED is of_connect(windows(10013, errno.EACCES), address)

    @pytest.mark.parametrize(
        ("number", "word"),
        [
            (11001, Failure.NAME_NOT_FOUND),
            (11004, Failure.NO_ADDRESS),
            (11002, Failure.RESOLVER_FAILED),
            (11003, Failure.RESOLVER_FAILED),
        ],
    )
    def test_resolve(self, number, word):
        """Every WSA number of getaddrinfo."""
        assert word is of_resolve(socket.gaierror(number, "Der angegebene Host ist unbekannt"))

    @pytest.mark.parametrize(("number", "word"), [(10054, Failure.RESET), (10053, Failure.RESET)])
    def test_stream(self, number, word):
        """Aborted by our own side or reset by the other: both broke."""
        assert word is of_stream(windows(number, number))


class TestPosix:
    @pytest.mark.parametrize(
        ("number", "word"),
        [
            (errno.ECONNREFUSED, Failure.REFUSED),
            (errno.ETIMEDOUT, Failure.TIMED_OUT),
            (errno.ENETUNREACH, Failure.UNREACHABLE),
            (errno.EHOSTUNREACH, Failure.UNREACHABLE),
            (errno.EPERM, Failure.PROHIBITED),
            (errno.EACCES, Failure.PROHIBITED),
            (errno.EMFILE, Failure.OTHER),
        ],
    )
    def test_connect(self, number, word):
        """Every errno of connect."""
        assert word is of_connect(OSError(number, "texte localisé"), "10.0.0.1")

    def test_icmpv6_prohibited_is_a_routers_word(self):
        """Linux tells a remote firewall's ICMPv6 refusal as EACCES."""
        assert Failure.UNREACHABLE is of_connect(PermissionError(errno.EACCES, "x"), "fd00::1")


class TestTls:
    @pytest.mark.parametrize(
        ("reason", "word"),
        [
            ("WRONG_VERSION_NUMBER", Failure.NOT_TLS),
            ("TLSV1_ALERT_PROTOCOL_VERSION", Failure.PROTOCOL_VERSION),
            ("UNSUPPORTED_PROTOCOL", Failure.PROTOCOL_VERSION),
            ("SSLV3_ALERT_HANDSHAKE_FAILURE", Failure.NO_COMMON_CIPHER),
            ("SOMETHING_NEW", Failure.OTHER),
            (None, Failure.OTHER),
        ],
    )
    def test_by_reason(self, reason, word):
        """OpenSSL's reason name decides."""
        error = ssl.SSLError(1, "irgendein Text")
        error.reason = reason
        assert word is of_stream(error)

    def test_end_of_stream(self):
        """An end instead of a handshake is `closed`."""
        assert Failure.CLOSED is of_stream(ssl.SSLEOFError(8, "x"))
