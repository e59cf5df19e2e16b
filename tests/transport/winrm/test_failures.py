"""Every failure has a stage, one line that says what, and one that says what to do; none shows the password."""

from __future__ import annotations

import base64
import socket
import threading
import time
import traceback

import pytest
import requests
from pydantic import SecretStr
from winrm import transport as pywinrm

from pytest_tentacle.inventory.model import WinRM
from pytest_tentacle.lab.winrm.soap import Fault
from pytest_tentacle.transport import tcp
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.winrm.transport import WinRMTransport


def fails(transport, seconds=10.0):
    """The failure to connect, checked for what holds for all of them."""
    with pytest.raises(TransportError) as caught:
        transport.connect(Deadline(seconds))
    shows_no_secret(caught.value, transport._settings)
    return caught.value


def shows_no_secret(error, settings):
    """Neither text nor chain nor any local variable in a traceback holds the password, in clear or as Basic's header."""
    assert "\n" not in error.summary
    assert "\n" not in error.advice
    assert error.advice.endswith((".", "?"))
    password = settings.password.get_secret_value()
    header = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
    told = ""
    chain: list[BaseException] = [error]
    while chain:
        one = chain.pop()
        # an exception of requests, or a frame of anything below us, has the login's headers within reach
        assert isinstance(one, TransportError | OSError)
        assert not isinstance(one, requests.RequestException)
        assert [frame for frame in traceback.extract_tb(one.__traceback__) if "site-packages" in frame.filename] == []
        told += repr(one) + repr(vars(one))
        told += "".join(traceback.TracebackException.from_exception(one, capture_locals=True).format())
        chain += [other for other in (one.__cause__, one.__context__) if other is not None]
    for secret in (password, repr(password)[1:-1], header):
        assert secret not in told


class TestResolve:
    """The name leads nowhere."""

    def test_a_name_that_does_not_exist(self, logged_on):
        """The top-level domain `invalid` never resolves."""
        error = fails(logged_on(5986, host="no-such-machine.invalid"))
        assert error.stage is ReachStage.RESOLVE
        assert "no-such-machine.invalid" in error.summary

    @pytest.mark.parametrize("host", ["a" * 64 + ".lab", "two..dots"])
    def test_a_name_that_cannot_exist(self, logged_on, host):
        """A label that is too long or empty is no traceback."""
        assert fails(logged_on(5986, host=host)).stage is ReachStage.RESOLVE

    def test_a_resolver_that_hangs_costs_the_deadline(self, logged_on, monkeypatch):
        """`getaddrinfo` knows no time-out."""
        over = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait() and [])
        error = fails(logged_on(5986), 0.8)
        over.set()
        assert error.stage is ReachStage.RESOLVE


class TestConnect:
    """No TCP connection."""

    def test_a_closed_port(self, logged_on, monkeypatch):
        """It is tried three times."""
        tried, connect = [], tcp.connect
        monkeypatch.setattr(tcp, "connect", lambda *arguments: [tried.append(1), connect(*arguments)][1])
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else gets it
            error = fails(logged_on(taken.getsockname()[1], host="127.0.0.1"))
        assert error.stage is ReachStage.CONNECT
        assert "refused" in error.summary.lower()
        assert "nothing listens" in error.advice
        assert len(tried) == 3

    def test_a_port_that_opens_meanwhile(self, serve, logged_on):
        """A service that is just being restarted is reached by the second or third attempt."""
        server = serve("http")
        real = server.port
        with socket.socket() as late:
            late.bind(("127.0.0.1", 0))

            def forward():
                late.listen()
                connection, _ = late.accept()
                with connection, socket.create_connection(("127.0.0.1", real)) as onward:
                    back = threading.Thread(target=pump, args=(onward, connection))
                    back.start()
                    pump(connection, onward)
                    back.join()

            def pump(source, target):
                while data := source.recv(65536):
                    target.sendall(data)
                target.shutdown(socket.SHUT_WR)

            timer = threading.Timer(0.15, forward)
            timer.start()
            transport = logged_on(late.getsockname()[1], scheme="http", host="127.0.0.1")
            transport.connect(Deadline(10))
            assert transport.execute("print(1)", b"", Deadline(10)).stdout.strip() == b"1"
            transport.close()
            timer.join(5)

    def test_a_silent_address_costs_the_deadline(self, logged_on):
        """A listener whose queue is full lets further connections wait, as a firewall that drops does."""
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.settimeout(0)
                filler.connect_ex(full.getsockname())
            time.sleep(0.1)
            error = fails(logged_on(full.getsockname()[1], host="127.0.0.1"), 1.0)
            for filler in fillers:
                filler.close()
        assert error.stage is ReachStage.CONNECT
        assert "no answer" in error.summary
        assert "firewall" in error.advice


class TestTLS:
    """The certificate is verified unless somebody asks for less by name."""

    @pytest.mark.parametrize(
        "case",
        [
            ("good", "other_ca", "", "`ca`"),
            ("expired", "ca", "expired", "Renew"),
            ("elsewhere", "ca", "localhost", "name"),
        ],
        ids=["wrong-ca", "expired", "other-name"],
    )
    def test_a_certificate_that_does_not_verify(self, serve, logged_on, certificates, case):
        """The line says what is wrong with it; the login was not even begun."""
        certificate, ca, said, advised = case
        server = serve(certificate=getattr(certificates, certificate))
        error = fails(logged_on(server, ca=getattr(certificates, ca)))
        assert error.stage is ReachStage.TLS
        assert "could not be verified" in error.summary
        assert said in error.summary
        assert advised in error.advice
        assert server.count() == 0

    def test_the_systems_own_authorities_do_not_know_the_lab(self, serve, logged_on):
        """Without a CA the operating system's are asked."""
        assert "`ca`" in fails(logged_on(serve(), ca=None)).advice

    @pytest.mark.parametrize("certificate", ["good", "expired", "elsewhere"])
    def test_insecure_must_be_asked_for(self, serve, logged_on, certificates, certificate):
        """It then works, with NTLM's channel binding to whatever certificate there is."""
        transport = logged_on(serve(certificate=getattr(certificates, certificate)), ca=None, verify="insecure")
        transport.connect(Deadline(10))
        assert transport.execute("print(1)", b"", Deadline(10)).exit_code == 0

    def test_the_machines_own_certificate_may_stand_for_its_ca(self, serve, logged_on, certificates):
        """Most WinRM certificates are self-signed: the certificate itself is all there is to give."""
        transport = logged_on(serve(), ca=certificates.good)
        transport.connect(Deadline(10))

    def test_an_http_port_is_called_so(self, serve, logged_on):
        """5985 declared with https."""
        error = fails(logged_on(serve("http")))
        assert (error.stage, "does not speak TLS" in error.summary) == (ReachStage.TLS, True)
        assert "5985" in error.advice

    def test_a_machine_that_hangs_up(self, misbehaving, logged_on):
        """A listener without a certificate resets the connection."""
        error = fails(logged_on(misbehaving(lambda connection, _: connection.recv(10))))
        assert error.stage is ReachStage.TLS

    @pytest.mark.parametrize("content", [None, "", "no certificate"])
    def test_a_ca_file_that_is_none(self, logged_on, tmp_path, content):
        """Missing, empty, or something else: said before anything is contacted."""
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content)
        error = fails(logged_on(9, ca=file))
        assert error.stage is ReachStage.TLS
        assert str(file) in error.summary


class TestAuthenticate:
    """The machine does not let us in."""

    @pytest.mark.parametrize(("scheme", "auth"), [("https", "ntlm"), ("http", "ntlm"), ("https", "basic")])
    def test_a_wrong_password(self, serve, logged_on, scheme, auth):
        """One attempt: a second could lock the account."""
        server = serve(scheme)
        error = fails(logged_on(server, scheme=scheme, auth=auth, password=SecretStr("wrong: «пароль»")))
        assert error.stage is ReachStage.AUTHENTICATE
        assert "refused user or password" in error.summary
        assert server.count() == (1 if auth == "basic" else 3)

    def test_a_user_who_is_not_there(self, serve, logged_on):
        """The same line: who tries must not learn which of the two was wrong."""
        assert "user or password" in fails(logged_on(serve(), user="nobody")).summary

    def test_basic_that_is_not_offered(self, serve, logged_on):
        """Windows has it off by default: the line says what is on."""
        error = fails(logged_on(serve(basic=False), auth="basic"))
        assert "does not offer basic; it offers Negotiate" in error.summary

    @pytest.mark.parametrize("auth", ["basic", "certificate"])
    def test_nothing_in_clear_over_http(self, misbehaving, logged_on, auth):
        """Refused before a connection is made."""
        touched = threading.Event()
        error = fails(logged_on(misbehaving(lambda *_: touched.set()), scheme="http", auth=auth))
        assert (error.stage, "plain HTTP" in error.summary) == (ReachStage.AUTHENTICATE, True)
        assert not touched.is_set()

    @pytest.mark.parametrize("auth", ["kerberos", "credssp"])
    def test_a_missing_extra_is_named(self, logged_on, monkeypatch, auth):
        """With the command that installs it."""
        monkeypatch.setattr(pywinrm, f"HAVE_{auth.upper()}", False)
        assert f"pytest-tentacle[{auth}]" in fails(logged_on(9, auth=auth)).advice

    def test_ntlm_needs_user_and_password(self):
        """Said before anything is contacted."""
        with pytest.raises(TransportError, match="without user or password"):
            WinRMTransport(WinRM(host="127.0.0.1", user="someone")).connect(Deadline(5))


class TestAnswersThatAreNotWinRMs:
    """What answers on the port is something else, or WinRM in trouble."""

    @pytest.mark.parametrize(
        "case",
        [
            (403, ReachStage.AUTHENTICATE, "HTTP 403"),
            (404, ReachStage.START, "serves no /wsman"),
            (407, ReachStage.CONNECT, "proxy"),
            (500, ReachStage.START, "HTTP 500"),
            (503, ReachStage.START, "HTTP 503"),
            (418, ReachStage.START, "HTTP 418"),
            (200, ReachStage.START, "did not answer as WinRM does"),
        ],
        ids=lambda case: str(case[0]),
    )
    def test_http_statuses_are_told_apart(self, answering, logged_on, certificates, case):
        """By their numbers."""
        status, stage, said = case
        answer = b"HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\n\r\n<br>" % status
        error = fails(logged_on(answering(answer, certificates.good), auth="basic"))
        assert (error.stage, said in error.summary) == (stage, True), error

    def test_a_redirect_is_not_followed(self, misbehaving, answering, logged_on, certificates):
        """The credentials would go with it."""
        touched = threading.Event()
        elsewhere = misbehaving(lambda *_: touched.set())
        place = b"http://127.0.0.1:%d/wsman" % elsewhere
        answer = b"HTTP/1.1 307 Moved\r\nLocation: " + place + b"\r\nContent-Length: 0\r\n\r\n"
        error = fails(logged_on(answering(answer, certificates.good), auth="basic"))
        assert (error.stage, "HTTP 307" in error.summary) == (ReachStage.START, True)
        assert not touched.is_set()

    @pytest.mark.parametrize(
        "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"\0" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"]
    )
    def test_no_http_at_all(self, answering, logged_on, answer):
        """An SSH server, nothing, zeros, or half an answer."""
        assert fails(logged_on(answering(answer), scheme="http")).stage is ReachStage.AUTHENTICATE

    @pytest.mark.parametrize("challenge", ["NTLM", "Negotiate !!!", "Negotiate TlRMTVNTUAACAAAA"])
    def test_a_broken_challenge(self, misbehaving, logged_on, challenge):
        """A login that goes wrong inside pyspnego is a failure to log on, not a traceback."""

        def behave(connection, _):
            while connection.recv(65536):
                connection.sendall(
                    f"HTTP/1.1 401 No\r\nWWW-Authenticate: {challenge}\r\nContent-Length: 0\r\n\r\n".encode()
                )

        assert fails(logged_on(misbehaving(behave), scheme="http")).stage is ReachStage.AUTHENTICATE


class TestFaults:
    """WSMan's faults are decided by their numbers: their texts are in the machine's language."""

    @pytest.mark.parametrize(
        ("code", "said"),
        [
            (5, "access is denied"),
            (2147942405, "access is denied"),
            (2150859173, "too many shells"),
            (2150859180, "remote shells are not allowed"),
            (995, "aborted"),
            (4711, "Zugriff auf \u0394 verweigert"),
        ],
    )
    def test_a_shell_that_is_refused(self, serve, logged_on, code, said):
        """The login worked, the shell did not; an unknown code brings the machine's own words."""
        server = serve(
            refuse=lambda action: Fault(code, "Zugriff auf \u0394\r\nverweigert") if action == "Create" else None
        )
        error = fails(logged_on(server))
        assert error.stage is ReachStage.START
        assert said in error.summary
        assert str(code) in error.summary

    def test_a_command_that_is_refused(self, serve, logged_on):
        """START as well; the shell is deleted."""
        server = serve("http", refuse=lambda action: Fault(2150859174, "x") if action == "Command" else None)
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(10))
        with pytest.raises(TransportError) as caught:
            transport.execute("print(1)", b"", Deadline(10))
        assert (caught.value.stage, "2150859174" in caught.value.summary) == (ReachStage.START, True)
        transport.close()
        assert server.open_shells == 0

    def test_output_that_is_refused(self, serve, logged_on):
        """995 while it runs: the shell was ended under us."""
        transport = logged_on(serve(refuse=lambda action: Fault(995, "x") if action == "Receive" else None))
        transport.connect(Deadline(10))
        with pytest.raises(TransportError) as caught:
            transport.execute("print(1)", b"", Deadline(10))
        assert (caught.value.stage, "aborted" in caught.value.summary) == (ReachStage.RUN, True)
