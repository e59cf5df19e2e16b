"""Logging on by CredSSP, with the client's own library, to the lab's server; and what people meet instead."""

from __future__ import annotations

import base64
import json
import ssl
import struct
import traceback

import pytest
import spnego
import spnego.tls
from pydantic import SecretStr
from spnego._credssp import CredSSPProxy
from spnego.exceptions import ErrorCode

from pytest_tentacle.lab.winrm import credssp as acceptor
from pytest_tentacle.lab.winrm.soap import Fault
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError

PASSWORD = 's3:crét "quoted" \'ß€'
STAGE = ReachStage.AUTHENTICATE
END = b"Connection: close\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def by_credssp(logged_on):
    """A transport that logs on by CredSSP: `by_credssp(server, scheme)`."""
    return lambda server, scheme="https", **changes: logged_on(server, scheme=scheme, auth="credssp", **changes)


@pytest.fixture
def accepting(serve, monkeypatch):
    """A server whose side of CredSSP is another one: `accepting(make)`, where `make()` gives its context."""

    def start(make, scheme="https"):
        monkeypatch.setattr(acceptor, "new_context", make)
        return serve(scheme, credssp=True)

    return start


def fails(transport):
    """The failure to connect: one line, one piece of advice, and the password nowhere."""
    with pytest.raises(TransportError) as caught:
        transport.connect(Deadline(20))
    error = caught.value
    assert error.stage is STAGE, error.summary
    assert "\n" not in error.summary + error.advice
    assert error.advice.endswith((".", "?"))
    told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert json.dumps(PASSWORD)[1:-1] not in told
    assert PASSWORD not in told
    return error


def with_status(number):
    """A server that refuses by this number."""

    class Status(acceptor.RefusedError):
        nt_status = number

    class Refusing(acceptor._Negotiate):
        def step(self, token=None):
            if b"NTLMSSP\0\x03" in token:
                raise Status(ErrorCode.failure)
            return super().step(token)

    return lambda: spnego.server(
        protocol="credssp", options=spnego.NegotiateOptions.none, credssp_negotiate_context=Refusing()
    )


class Altered(CredSSPProxy):
    """Speaks as an older version does."""

    def _yield_ts_request(self, ts_request, context_msg):
        ts_request.version = 4
        return (yield from super()._yield_ts_request(ts_request, context_msg))


class TestLoggedOn:
    """The account's name and password, which the machine then has."""

    @pytest.mark.parametrize("scheme", ["https", "http"])
    @pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
    def test_a_command_with_input(self, accepting, by_credssp, scheme, version):
        """Over HTTP each message is sealed, a long one in parts, by whatever version of TLS within CredSSP."""
        new_context = acceptor.new_context

        def held():
            context = new_context()
            context.get_extra_info("sslcontext").maximum_version = version
            return context

        server = accepting(held, scheme)
        transport = by_credssp(server, scheme)
        transport.connect(Deadline(20))
        text = b"0123456789abcdef" * 4000
        command = "import sys; print(len(sys.stdin.read())); print('x' * 40000)"
        answer = transport.execute(command, text, Deadline(20))
        assert answer.stdout.split() == [b"64000", b"x" * 40000]
        assert {one.user for one in server.seen if one.action != "login"} == {"LAB\\björn"}
        assert server.connections == 1

    def test_the_password_goes_to_the_machine(self, accepting, by_credssp):
        """That is what CredSSP is for, and why it is not the default."""
        made = []
        new_context = acceptor.new_context

        def kept():
            made.append(new_context())
            return made[-1]

        by_credssp(accepting(kept)).connect(Deadline(20))
        assert acceptor.delegated(made[-1]) == ("LAB\\björn", PASSWORD)


class TestRefused:
    """What a machine says instead, each in a line of its own."""

    def test_not_allowed_there(self, serve, by_credssp):
        """Off by default; the password is not to blame, and was not sent."""
        server = serve()
        error = fails(by_credssp(server))
        assert "does not offer credssp; it offers Negotiate, Basic" in error.summary
        assert "Enable-WSManCredSSP -Role Server" in error.advice
        assert len(server.seen) == 1

    @pytest.mark.parametrize("scheme", ["https", "http"])
    def test_a_wrong_password(self, serve, by_credssp, scheme):
        """Once: a second attempt could lock the account."""
        server = serve(scheme, credssp=True)
        error = fails(by_credssp(server, scheme, password=SecretStr("wrong")))
        assert "CredSSP: the machine refused user or password (0xC000006D)" in error.summary
        assert len(server.seen) == 5  # nobody, hello, the rest of the handshake, negotiate, authenticate

    @pytest.mark.parametrize(
        ("number", "said"),
        [
            (0xC000006E, "may not log on in this way"),
            (0xC0000071, "password has expired"),
            (0xC0000072, "is disabled"),
            (0xC0000234, "is locked"),
            (0xC0000418, "takes no NTLM"),
            (0xC0DEC0DE, "refused the log-on (0xC0DEC0DE)"),
        ],
    )
    def test_by_its_number(self, accepting, by_credssp, number, said):
        """What the machine says of the account."""
        error = fails(by_credssp(accepting(with_status(number))))
        assert said in error.summary
        assert f"(0x{number:08X})" in error.summary

    def test_without_a_number(self, accepting, by_credssp, monkeypatch):
        """Versions 2 and 5 have none, and the machine breaks off."""

        class Silent(acceptor._Negotiate):
            def step(self, token=None):
                if b"NTLMSSP\0\x03" in token:
                    raise ValueError("refused")
                return self._context.step(token)

        def make():
            return spnego.server(
                protocol="credssp", options=spnego.NegotiateOptions.none, credssp_negotiate_context=Silent()
            )

        error = fails(by_credssp(accepting(make)))
        assert "refused user or password, and gave no number" in error.summary

    def test_what_was_delegated_does_not_log_on(self, serve, by_credssp):
        """The first log-on was fine: neither user nor password is to blame."""
        error = fails(by_credssp(serve(credssp=True, delegates=False)))
        assert "could not log on with the password that it was handed" in error.summary
        assert "delegated" in error.advice

    @pytest.mark.parametrize("scheme", ["https", "http"])
    def test_a_fault_behind_the_log_on(self, serve, by_credssp, scheme):
        """Over HTTPS it comes in answer to the log-on's last step, and is no failure of it."""
        fault = Fault(2150859173, "as many shells as it may have")
        with pytest.raises(TransportError, match="2150859173") as caught:
            by_credssp(serve(scheme, credssp=True, refuse=lambda _: fault), scheme).connect(Deadline(20))
        assert caught.value.stage is ReachStage.START

    def test_an_older_version_gets_no_password(self, accepting, by_credssp):
        """With it whoever sits in between could act as the user."""
        made = []

        def old():
            made.append(
                Altered(usage="accept", options=spnego.NegotiateOptions.none,
                        credssp_negotiate_context=acceptor._Negotiate())
            )  # fmt: skip
            return made[-1]

        error = fails(by_credssp(accepting(old)))
        assert "CVE-2018-0886" in error.summary
        assert made[-1].get_extra_info("client_credential") is None

    def test_another_key_gets_no_password(self, accepting, by_credssp):
        """Somebody in between ends the channel, and cannot seal its key."""
        made = []

        class Between(acceptor._Negotiate):
            def wrap(self, data):
                return self._context.wrap(data[:-1] + bytes([data[-1] ^ 1]))

        def make():
            made.append(
                spnego.server(
                    protocol="credssp", options=spnego.NegotiateOptions.none, credssp_negotiate_context=Between()
                )
            )
            return made[-1]

        error = fails(by_credssp(accepting(make)))
        assert "answered for another key than that of the channel" in error.summary
        assert made[-1].get_extra_info("client_credential") is None


class TestInnerTLS:
    """The handshake within CredSSP is another than the listener's, with a certificate of its own."""

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    def test_only_older_versions(self, accepting, by_credssp):
        """As on Windows Server 2008 R2 without updates: it breaks off, and tells the reason to its own log."""

        def make():
            held = spnego.tls.default_tls_context("accept")
            held.public_key = b"none"
            held.context.minimum_version = ssl.TLSVersion.TLSv1
            held.context.maximum_version = ssl.TLSVersion.TLSv1_1
            return spnego.server(
                protocol="credssp", credssp_tls_context=held, credssp_negotiate_context=acceptor._Negotiate()
            )

        error = fails(by_credssp(accepting(make)))
        assert "the TLS handshake within CredSSP failed (the machine ended it)" in error.summary
        assert "36886" in error.advice

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (struct.pack(">BHH2B", 21, 0x0303, 2, 2, 70), "TLSV1_ALERT_PROTOCOL_VERSION"),
            (struct.pack(">BHH2B", 21, 0x0303, 2, 2, 40), "HANDSHAKE_FAILURE"),
            (b"HTTP/1.1 400 Bad Request\r\n\r\n", "WRONG_VERSION_NUMBER"),
        ],
        ids=["version", "no-common-cipher", "not-tls"],
    )
    def test_an_alert(self, answering, by_credssp, certificates, answer, said):
        """OpenSSL's word for it."""
        token = base64.b64encode(answer)
        reply = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: CredSSP " + token + b"\r\n" + END
        error = fails(by_credssp(answering(reply, certificates.good)))
        assert said in error.summary

    def test_a_header_that_something_in_between_changed(self, answering, by_credssp, certificates):
        """It is no base64 any more."""
        reply = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: CredSSP a\r\n" + END
        error = fails(by_credssp(answering(reply, certificates.good)))
        assert "is not CredSSP" in error.summary
