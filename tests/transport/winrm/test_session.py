"""What a healthy WinRM session does, and what it costs."""

from __future__ import annotations

import threading
import time

import pytest

from pytest_tentacle.lab.winrm.runner import PowerShellRunner
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.winrm.transport import BLOCK_BYTES, shared_tls_context

WAYS = [("https", "ntlm"), ("http", "ntlm"), ("https", "basic")]

ECHO = (
    "$ProgressPreference = 'SilentlyContinue'\n"
    "[Console]::OutputEncoding = New-Object Text.UTF8Encoding $false\n"
    "[Console]::InputEncoding = New-Object Text.UTF8Encoding $false\n"
    "$text = [Console]::In.ReadToEnd()\n"
    "[Console]::Error.Write('noise')\n"
    "[Console]::Out.Write($text)\n"
    "exit 7"
)

COPY = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"


class TestWholeSurvey:
    """One login, one shell, one command: a script in the real engine, its data over stdin."""

    @pytest.mark.parametrize("cost", [(WAYS[0], 7), (WAYS[1], 8), (WAYS[2], 5)])
    def test_a_hostile_data_value_comes_back_intact_in_at_most_eight_requests(
        self, serve, logged_on, engine, encoded, cost
    ):
        """Quotes, `$(...)`, umlauts and 4,000 characters are data; eight requests are the most that it may cost."""
        (scheme, auth), requests = cost
        server = serve(scheme, runner=PowerShellRunner(engine))
        value = "\"'`$(Get-Date)${env:PATH}; Ümlaut ß € \t&|<>%PATH%" + "x" * 4000
        transport = logged_on(server, scheme=scheme, auth=auth)
        transport.connect(Deadline(30))
        answer = transport.execute(encoded(ECHO), value.encode(), Deadline(30))
        transport.close()
        assert (answer.stdout.decode(), answer.stderr, answer.exit_code) == (value, b"noise", 7)
        assert (transport.requests, server.count(), server.connections) == (requests, requests, 1)
        assert [server.count(action) for action in ("Create", "Command", "Send", "Receive", "Delete")] == [1] * 5
        assert server.count("Signal") == 0
        assert server.open_shells == 0

    def test_a_prelude_runs_before_the_command(self, serve, logged_on, engine, encoded, tmp_path):
        """A noisy profile and constrained language come to the command as they would on a machine."""
        prelude = tmp_path / "it's a prelude.ps1"
        prelude.write_text(
            "Write-Output 'Welcome to LAB'\n$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'\n"
        )
        transport = logged_on(serve(runner=PowerShellRunner(engine, prelude=prelude)))
        transport.connect(Deadline(30))
        answer = transport.execute(
            encoded("Write-Output $ExecutionContext.SessionState.LanguageMode"), b"never read", Deadline(30)
        )
        assert answer.stdout.decode().split() == ["Welcome", "to", "LAB", "ConstrainedLanguage"]

    def test_only_a_session_that_has_a_shell_knows_the_system(self, serve, logged_on):
        """Whoever opens a WinRM shell is Windows; before that nothing is known."""
        transport = logged_on(serve())
        assert transport.detect_os() is None
        transport.connect(Deadline(10))
        assert transport.detect_os() == "windows"

    def test_a_session_serves_several_commands(self, serve, logged_on):
        """The second costs no login and no shell."""
        server = serve("http")
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(10))
        answers = [transport.execute(f"print({n})", b"", Deadline(10)).stdout.split() for n in (1, 2)]
        assert answers == [[b"1"], [b"2"]]
        assert (transport.requests, server.count("Create")) == (3 + 1 + 2 * 3, 1)


class TestInput:
    """stdin is bytes, in blocks that fit into an envelope."""

    def test_binary_data_comes_back(self, serve, logged_on):
        """Every byte value, in one Send."""
        server = serve("http")
        data = bytes(range(256)) * 16
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(10))
        assert transport.execute(COPY, data, Deadline(10)).stdout == data
        assert server.count("Send") == 1

    def test_more_than_a_block_goes_in_several_sends(self, serve, logged_on):
        """2.5 blocks are three Sends, and the output comes back in as many Receives as its envelopes need."""
        server = serve()
        data = bytes(range(250)) * (BLOCK_BYTES // 100)
        transport = logged_on(server)
        transport.connect(Deadline(20))
        assert transport.execute(COPY, data, Deadline(20)).stdout == data
        assert server.count("Send") == 3

    def test_blocks_shrink_for_a_machine_with_small_envelopes(self, serve, logged_on):
        """Windows 2008 R2 takes 150 kB: its fault halves the block, and nothing is sent twice."""
        server = serve("http", max_envelope=150 * 1024)
        data = bytes(range(250)) * (BLOCK_BYTES // 250)
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(20))
        assert transport.execute(COPY, data, Deadline(20)).stdout == data
        assert [one.status for one in server.seen if one.action == "Send"] == [500, 200, 200]

    def test_a_command_that_reads_nothing_still_answers(self, serve, logged_on):
        """A bootstrap that refuses at once has ended before its input arrives: the refusal counts."""
        transport = logged_on(serve())
        transport.connect(Deadline(20))
        answer = transport.execute("print('refused'); raise SystemExit(3)", b"x" * 4 * BLOCK_BYTES, Deadline(20))
        assert (answer.stdout.strip(), answer.exit_code) == (b"refused", 3)


class TestLongCommands:
    """The machine says "nothing yet" and is asked again."""

    def test_an_operation_timeout_is_no_failure(self, serve, logged_on):
        """With 4 s left a Receive waits 3 s at most; a command of 3.4 s gets a fault and is asked again."""
        server = serve("http")
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(10))
        answer = transport.execute("import time; time.sleep(2.6); print('done')", b"", Deadline(4.0))
        assert answer.stdout.strip() == b"done"
        assert [one.status for one in server.seen if one.action == "Receive"] == [500, 200]

    def test_hands_over_what_had_come_by_the_deadline(self, serve, logged_on):
        """What a command printed before it hung is not lost with it."""
        server = serve("http")
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(30))
        with pytest.raises(TransportError) as caught:
            transport.execute("import time; print('one', flush=True); time.sleep(60)", b"", Deadline(8))
        assert caught.value.stage is ReachStage.TIME_OUT
        assert caught.value.received.strip() == b"one"


class TestIdleSessions:
    """Between the rounds of a run a session may lie idle for minutes."""

    @pytest.mark.parametrize(("scheme", "auth"), WAYS)
    def test_a_closed_connection_is_opened_again_before_a_command(self, serve, logged_on, scheme, auth):
        """http.sys closes after two minutes of silence; the shell is still there, and only the login is repeated."""
        server = serve(scheme, idle_seconds=0.3)
        transport = logged_on(server, scheme=scheme, auth=auth)
        transport.connect(Deadline(10))
        time.sleep(0.7)
        assert transport.execute("print('here')", b"", Deadline(10)).stdout.strip() == b"here"
        assert (server.connections, server.count("Create")) == (2, 1)

    def test_a_shell_that_idled_out_is_replaced(self, serve, logged_on):
        """The command was refused because its shell is gone: it gets a new one, once."""
        server = serve("http")
        transport = logged_on(server, scheme="http")
        transport.connect(Deadline(10))
        server._service.shells.close()
        assert transport.execute("print('here')", b"", Deadline(10)).stdout.strip() == b"here"
        assert server.count("Create") == 2
        transport.close()
        assert server.open_shells == 0


class TestEnvironment:
    """Nothing of the environment decides where our requests go or whom they trust."""

    def test_proxies_and_bundles_of_the_environment_are_ignored(self, serve, logged_on, monkeypatch, tmp_path):
        """A run through a proxy would diagnose the proxy's network, not ours."""
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
        for scheme in ("http", "https"):
            transport = logged_on(serve(scheme), scheme=scheme)
            transport.connect(Deadline(10))
            assert transport.execute("print(1)", b"", Deadline(10)).exit_code == 0


class TestMany:
    """Sessions of many machines at once share the TLS context and nothing else."""

    def test_twelve_at_once(self, serve, logged_on):
        """Each gets its own answer."""
        server = serve()
        answers: dict[int, bytes] = {}

        def survey(number):
            transport = logged_on(server)
            transport.connect(Deadline(30))
            answers[number] = transport.execute(f"print({number})", b"", Deadline(30)).stdout.strip()
            transport.close()

        threads = [threading.Thread(target=survey, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == {number: str(number).encode() for number in range(12)}
        assert server.connections == 12

    def test_one_context_for_the_whole_run(self, logged_on, certificates):
        """Making one costs as much as the rest of a session; another CA or verification is another context."""
        settings = logged_on(1)._settings
        contexts = {id(shared_tls_context(settings.model_copy(update={"host": f"m{n}"}))) for n in range(5)}
        assert len(contexts) == 1
        assert shared_tls_context(settings.model_copy(update={"ca": certificates.other_ca})) is not shared_tls_context(
            settings
        )
        assert shared_tls_context(settings.model_copy(update={"verify": "insecure"})).verify_mode == 0
