"""Clients that others wrote talk to our server: else we would only agree with ourselves."""

from __future__ import annotations

import base64

import pytest
import winrm
from pypsrp.exceptions import AuthenticationError
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan
from requests_credssp.exceptions import AuthenticationException
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.protocol import Protocol

from pytest_tentacle.lab.winrm.runner import PowerShellRunner

COPY = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); sys.stderr.write('err'); sys.exit(5)"

PYWINRM = [("https", "basic"), ("https", "ntlm"), ("http", "ntlm")]
PYPSRP = [*PYWINRM, ("https", "negotiate"), ("http", "negotiate"), ("https", "credssp"), ("http", "credssp")]


USER = {"basic": "LAB\\admin", "ntlm": "vagrant", "negotiate": "vagrant", "credssp": "LAB\\admin"}
"""requests, and so both clients, write Basic credentials as Latin-1, which is no UTF-8 if there is an umlaut in them."""


@pytest.fixture
def protocol(certificate, accounts):
    def make(server, scheme, auth, password=None):
        return Protocol(
            f"{scheme}://localhost:{server.port}/wsman",
            transport=auth,
            username=USER[auth],
            password=password or accounts[USER[auth]],
            ca_trust_path=str(certificate.ca),
            proxy=None,
            read_timeout_sec=6,
            operation_timeout_sec=1,
        )

    return make


class TestPywinrm:
    """pywinrm 0.5 as it is."""

    @pytest.mark.parametrize(("scheme", "auth"), PYWINRM)
    def test_a_session_runs_a_command(self, serve, certificate, accounts, scheme, auth):
        """A new shell, a new login and a Signal per command: its usual way."""
        server = serve(scheme)
        session = winrm.Session(
            f"{scheme}://localhost:{server.port}/wsman",
            auth=("LAB\\admin", accounts["LAB\\admin"]),
            transport=auth,
            ca_trust_path=str(certificate.ca),
            proxy=None,
        )
        answer = session.run_cmd("print(6 * 7)")
        assert (answer.std_out.strip(), answer.status_code) == (b"42", 0)
        assert server.count("Signal") == 1
        assert server.open_shells == 0

    @pytest.mark.parametrize(("scheme", "auth"), [*PYWINRM, ("https", "credssp")])
    def test_a_protocol_sends_input_and_waits(self, serve, protocol, scheme, auth):
        """Input in two parts, stderr, an exit code, and an operation timeout that is asked again."""
        server = serve(scheme, credssp=auth == "credssp")
        client = protocol(server, scheme, auth)
        shell = client.open_shell(codepage=65001)
        command = client.run_command(shell, "import time; time.sleep(1.4); " + COPY)
        client.send_command_input(shell, command, b"first ")
        client.send_command_input(shell, command, b"\xc3\xa4\x00", end=True)
        assert client.get_command_output(shell, command) == (b"first \xc3\xa4\x00", b"err", 5)
        client.cleanup_command(shell, command)
        client.close_shell(shell)
        assert 500 in [one.status for one in server.seen if one.action == "Receive"]
        assert {one.user for one in server.seen if one.action == "Create"} == {USER[auth]}

    def test_run_ps_reaches_the_engine(self, serve, certificate, accounts, engine):
        """Without our flags and with its own spelling of `-encodedcommand`."""
        server = serve("https", runner=PowerShellRunner(engine))
        session = winrm.Session(
            f"https://localhost:{server.port}/wsman",
            auth=("vagrant", accounts["vagrant"]),
            transport="ntlm",
            ca_trust_path=str(certificate.ca),
            proxy=None,
        )
        answer = session.run_ps("Write-Output ('a' * 3); exit 4")
        assert (answer.std_out.strip(), answer.status_code) == (b"aaa", 4)

    @pytest.mark.parametrize(("scheme", "auth"), PYWINRM)
    def test_a_wrong_password(self, serve, protocol, scheme, auth):
        """Its own word for it."""
        with pytest.raises(InvalidCredentialsError):
            protocol(serve(scheme), scheme, auth, password="wrong").open_shell()

    def test_a_shell_that_is_not_there(self, serve, protocol):
        """The fault that Windows gives: pywinrm finds its number."""
        client = protocol(serve("http"), "http", "ntlm")
        with pytest.raises(WSManFaultError) as caught:
            client.run_command("11111111-2222-3333-4444-555555555555", "print(1)")
        assert caught.value.wsman_fault_code == 2150858843

    def test_basic_over_http_is_not_offered(self, serve, protocol):
        """As on a Windows with AllowUnencrypted false."""
        with pytest.raises(InvalidCredentialsError):
            protocol(serve("http"), "http", "basic").open_shell()

    def test_a_message_in_clear_is_refused(self, serve, accounts):
        """NTLM over HTTP without encryption is what AllowUnencrypted stands for."""
        server = serve("http")
        client = Protocol(
            f"http://localhost:{server.port}/wsman",
            transport="ntlm",
            username="vagrant",
            password=accounts["vagrant"],
            message_encryption="never",
            ca_trust_path=None,
            proxy=None,
        )
        with pytest.raises(winrm.exceptions.WinRMTransportError) as caught:
            client.open_shell()
        assert caught.value.code == 500


class TestPypsrp:
    """pypsrp's WinRS client as it is: another WS-Man, another NTLM, real SPNEGO."""

    def _connection(self, server, scheme, auth, certificate, password):
        return WSMan(
            "localhost",
            port=server.port,
            ssl=scheme == "https",
            auth=auth,
            username=USER[auth],
            password=password,
            cert_validation=str(certificate.ca),
            no_proxy=True,
            operation_timeout=1,
        )

    @pytest.mark.parametrize(("scheme", "auth"), PYPSRP)
    def test_a_process_with_input(self, serve, certificate, accounts, scheme, auth):
        """Shell, command, input, output, exit code; messages are encrypted over HTTP, bound to the channel over HTTPS."""
        server = serve(scheme, credssp=auth == "credssp")
        connection = self._connection(server, scheme, auth, certificate, accounts[USER[auth]])
        with connection, WinRS(connection) as shell:
            process = Process(shell, COPY)
            process.begin_invoke()
            process.send(b"\xff\x00data", end=True)
            process.end_invoke()
            assert (process.stdout, process.stderr, process.rc) == (b"\xff\x00data", b"err", 5)
        assert server.open_shells == 0
        assert server.connections == 1

    @pytest.mark.parametrize(("scheme", "auth"), PYPSRP)
    def test_a_wrong_password(self, serve, certificate, scheme, auth):
        """Its own word for it."""
        server = serve(scheme, credssp=auth == "credssp")
        connection = self._connection(server, scheme, auth, certificate, "wrong")
        refused = AuthenticationException if auth == "credssp" else AuthenticationError
        with connection, pytest.raises(refused):
            WinRS(connection).open()

    def test_a_script_of_the_engine_through_it(self, serve, certificate, accounts, engine):
        """The command line that our own transport sends."""
        server = serve("http", runner=PowerShellRunner(engine))
        script = base64.b64encode("[Console]::In.ReadToEnd().Length".encode("utf-16-le")).decode()
        connection = self._connection(server, "http", "negotiate", certificate, accounts["vagrant"])
        with connection, WinRS(connection) as shell:
            process = Process(shell, "powershell.exe", ["-NoProfile", "-NonInteractive", "-EncodedCommand", script])
            process.begin_invoke()
            process.send(b"x" * 4000, end=True)
            process.end_invoke()
            assert process.stdout.strip() == b"4000"
