"""The last command to register the Tentacle: told where it failed and nothing repaired it."""

from datetime import timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.sections.identify.registering import kind_of
from pytest_tentacle.survey.surroundings import Connection

HOUR = timedelta(hours=1)
DAYS = timedelta(days=3)
CALL_PID, POLL_PID = 3100, 900
OCTO = "[::ffff:192.0.2.10]:50001"
LISTENS = "Agent listening on: [::]:10933"
CERTIFICATE = (
    "System.Net.WebException: The underlying connection was closed: Could not establish trust relationship for the "
    "SSL/TLS secure channel."
)
TEXTS = (
    ("certificate", CERTIFICATE),
    ("certificate", "AuthenticationException: The remote certificate is invalid because of errors in the certificate chain: PartialChain"),
    ("tls", "The request was aborted: Could not create SSL/TLS secure channel."),
    ("credentials", "The API key you provided was not valid. Please double-check your API key and try again."),
    ("credentials", "You do not have permission to perform this action. Please contact your Octopus administrator."),
    ("name", "A machine named 'web-01' already exists in the environment. Use the 'force' parameter if you intended to update the existing machine."),
    ("unknown-thing", "Could not find the environment named Prod on the Octopus Server."),
    ("generation", "You cannot register a 3.* Octopus Tentacle with a 2.* Octopus Server."),
    ("generation", "There was a problem with your request.\n\n - Please provide a thumbprint for this machine."),
    ("handle", "System.IO.IOException: The handle is invalid."),
    ("reach", "System.Net.WebException: Unable to connect to the remote server"),
    ("reach", "The remote name could not be resolved: 'octo.lab'"),
    ("reach", "Unable to communicate with the Octopus Server communications port"),
    ("reach", "The server answered: 503 (Service Unavailable)"),
    ("reach", "Es konnte keine Verbindung mit dem Remoteserver hergestellt werden"),
    ("certificate", "The following certificate errors were encountered: RemoteCertificateNameMismatch, RemoteCertificateChainErrors"),
    ("proxy", "The remote server returned an error: (407) Proxy Authentication Required."),
    ("unknown-thing", "Could not find machine policy Servers"),
    ("other", "Something that nobody has seen\n   at Octopus.Client.Foo() in Foo.cs:line 403"),
    ("certificate", "System.Net.WebException: La connexion sous-jacente a été fermée\n   à System.Net.Security.SslState.StartSendAuthResetSignal(ProtocolToken message)"),
    ("tls", "System.Security.Authentication.AuthenticationException: Fehler bei SSPI-Aufruf, siehe interne Ausnahme. ---> System.ComponentModel.Win32Exception: Der Client und der Server können nicht kommunizieren\n   bei System.Net.Security.SslState.StartSendAuthResetSignal(ProtocolToken message)"),
    ("reach", "System.Net.WebException: リモート サーバーに接続できません\n   場所 System.Net.ServicePoint.ConnectSocketInternal(Boolean connectFailure, Socket s4)"),
    ("unconfirmed", "The certificate presented by wss://octo.lab/OctopusComms could not be validated (RemoteCertificateChainErrors). Its thumbprint is AB."),
    ("unconfirmed", "The certificate presented by wss://octo.lab/OctopusComms was not trusted, so the Octopus Server has not been configured."),
    ("arguments", "Invalid URI: The format of the URI could not be determined."),
    ("arguments", "Unrecognized command line arguments: https://octo.lab"),
    ("arguments", "Please specify a Bearer Token, API Key or username and password - not multiple."),
    ("renegotiation", "The SSL connection could not be established, see inner exception.\n ---> Interop+Crypto+OpenSslCryptographicException: error:0A000152:SSL routines::unsafe legacy renegotiation disabled"),
    ("proxy-refused", "The proxy tunnel request to proxy 'http://proxy.lab:3128/' failed with status code '403'.\""),
    ("proxy-refused", "The proxy tunnel request to proxy 'http://proxy.lab:3128/' failed with status code '503'.\""),
    ("proxy", "The proxy tunnel request to proxy 'http://proxy.lab:3128/' failed with status code '407'.\""),
    ("other", "Something that nobody has seen"),
)  # fmt: skip


def registers(logs: Any, ago: timedelta, *failure: str, command: str = "RegisterMachineCommand") -> str:
    """A call, that ends with an error where one is given."""
    text = logs.start(ago, CALL_PID, "Registering the tentacle with the server at https://octo.lab/", command=command)
    return str(text + "".join(logs.line(ago, "FATAL", words, CALL_PID) for words in failure))


@pytest.mark.parametrize(("kind", "text"), TEXTS)
def test_a_failure_is_told_with_its_words_and_its_kind(logs: Any, kind: str, text: str) -> None:
    logs.write("web-01", logs.start(DAYS, 2136, LISTENS) + registers(logs, HOUR, text))
    (problem,) = logs.judge("web-01").problems
    assert problem.code == "TT136"
    assert (problem.facts["kind"], kind_of(text)) == (kind, kind)
    assert text.split("\n", maxsplit=1)[0][:60] in str(problem.facts["words"])


def test_what_it_lacks_names_a_call_that_has_no_name(logs: Any) -> None:
    """Before 3.14 nothing but its words tells a registration from the agent (OctopusTentacle#15)."""
    words = "Value cannot be null.\nParameter name: Please specify an Octopus server, e.g., --server=http://your-octopus-server"
    logs.write("web-01", logs.line(HOUR, "FATAL", words, CALL_PID))
    (problem,) = logs.judge("web-01").problems
    assert (problem.code, problem.facts["kind"]) == ("TT136", "arguments")


@pytest.mark.parametrize("command", ["RegisterMachineCommand", "RegisterWorkerCommand", "PollCommand"])
def test_every_command_that_registers_counts(logs: Any, command: str) -> None:
    logs.write("web-01", logs.start(DAYS, 2136, LISTENS) + registers(logs, HOUR, CERTIFICATE, command=command))
    assert logs.codes("web-01") == ["TT136"]


def test_weeks_do_not_mend_it(logs: Any) -> None:
    """Nothing repaired it."""
    logs.write("web-01", logs.start(30 * DAYS, 2136, LISTENS) + registers(logs, 10 * DAYS, CERTIFICATE))
    assert logs.codes("web-01") == ["TT136"]


class TestHistory:
    def test_a_later_call_that_worked(self, logs: Any) -> None:
        logs.write(
            "web-01", logs.start(DAYS, 2136, LISTENS) + registers(logs, 2 * HOUR, CERTIFICATE) + registers(logs, HOUR)
        )
        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_server_that_was_let_in_afterwards(self, logs: Any) -> None:
        text = logs.start(DAYS, 2136, LISTENS) + registers(logs, HOUR, CERTIFICATE) + logs.let_in(600, OCTO)
        logs.write("web-01", text)
        assert logs.judge("web-01").outcome is Outcome.PASSED

    def test_a_connection_of_a_poller_that_stands(self, logs: Any) -> None:
        """It polls since before that: somebody wanted to register it once more."""
        logs.write("poll-01", logs.start(DAYS, POLL_PID) + registers(logs, HOUR, CERTIFICATE))
        logs.connections["poll-01"] = (
            Connection(
                local_address="192.0.2.30",
                local_port=50000,
                remote_address="192.0.2.10",
                remote_port=10943,
                state="established",
                pid=POLL_PID,
            ),
        )
        assert "TT136" not in logs.codes("poll-01")

    def test_a_connection_that_nobody_could_see(self, logs: Any) -> None:
        """Neither the connections of a poller, nor, to an ordinary account, whose they are."""
        started = logs.start(DAYS, POLL_PID, "Agent will not listen on any TCP ports")
        logs.write("poll-01", started + registers(logs, HOUR, CERTIFICATE))
        assert logs.judge("poll-01").outcome is Outcome.UNKNOWN
        assert "TT136" not in logs.codes("poll-01")
        row = {"local_address": "192.0.2.30", "local_port": 50000, "remote_address": "192.0.2.10", "remote_port": 10943}
        logs.connections["poll-01"] = (Connection(**row, state="established"),)
        assert "TT136" not in logs.codes("poll-01")
        logs.connections["poll-01"] = ()
        assert "TT136" in logs.codes("poll-01")

    @pytest.mark.parametrize(("since", "codes"), [("ConfigureCommand", []), ("NewCertificateCommand", ["TT136"])])
    def test_a_name_that_the_portal_has_already(self, logs: Any, since: str, codes: list[str]) -> None:
        """A script registers it at each boot, and a server was let in before; not where its certificate is new."""
        text = logs.start(DAYS, 2136, LISTENS) + logs.let_in(9000, OCTO) + logs.start(2 * HOUR, 3300, command=since)
        logs.write("web-01", text + registers(logs, HOUR, dict(TEXTS)["name"]))
        assert [code for code in logs.codes("web-01") if code == "TT136"] == codes

    def test_a_call_of_another_kind(self, logs: Any) -> None:
        text = registers(logs, HOUR, "Unrecognized command line arguments: --status", command="ShowThumbprintCommand")
        logs.write("web-01", logs.start(DAYS, 2136, LISTENS) + text)
        assert logs.judge("web-01").outcome is Outcome.PASSED


def test_what_the_catalogue_tells_of_a_call_is_told_once(logs: Any) -> None:
    text = "Checking that server communications are open failed with message Connection refused after 5 retries."
    logs.write("web-01", logs.start(DAYS, 2136, LISTENS) + registers(logs, HOUR, text))
    assert logs.codes("web-01") == ["TT108"]
