"""Testinfra's `host` over our transports."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
import testinfra
from testinfra.host import Host

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.lab.ssh_server import SSHServer
from pytest_tentacle.transport import Answer, Deadline, Transport, TransportError, open_transport
from pytest_tentacle.transport.backend import TentacleBackend, make_host, powershell_command
from pytest_tentacle.transport.local import LocalTransport


class Engine(Transport):
    """A Windows machine's PowerShell: each command line is run by the real engine here."""

    def __init__(self, engine: Path) -> None:
        self._engine = engine
        self._local = LocalTransport()
        self.lines: list[str] = []

    def connect(self, deadline: Deadline) -> None:
        """Nothing to do."""

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 16_000_000) -> Answer:
        self.lines.append(command)
        assert command.startswith("powershell.exe ")
        line = command.replace("powershell.exe", f"'{self._engine}'", 1).replace(" -OutputFormat Text", "")
        return self._local.execute(line, stdin, deadline, max_output=max_output)

    def detect_os(self) -> str | None:
        return "windows"

    def close(self) -> None:
        self._local.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SSHServer]:
    with SSHServer(
        "127.0.0.1",
        0,
        host_key=paramiko.ECDSAKey.generate(),
        users={"octo": "x"},
        environment={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
    ) as running:
        yield running


@pytest.fixture(params=["local", "ssh"])
def host(request: pytest.FixtureRequest, server: SSHServer) -> Iterator[Host]:
    """A host over each of the transports that run sh."""
    settings = SSH(host="127.0.0.1", port=server.port, user="octo", password="x", host_keys="insecure")
    transport = open_transport(settings) if request.param == "ssh" else LocalTransport()
    transport.connect(Deadline(20))
    yield make_host(transport, name="box", seconds=20)
    transport.close()


@pytest.fixture
def windows(engine: Path) -> Host:
    return make_host(Engine(engine), name="win", seconds=60)


class TestPosix:
    def test_runs_commands(self, host) -> None:
        """`host.run` with its code and both streams."""
        done = host.run("echo out; echo err >&2; exit 3")

        assert (done.rc, done.stdout, done.stderr) == (3, "out\n", "err\n")

    def test_quotes_arguments(self, host) -> None:
        """Arguments are data, never code."""
        nasty = 'it\'s $(id) "x" `y` ; ü'

        assert host.check_output("printf %%s %s", nasty) == nasty

    def test_testinfras_modules_work(self, host, tmp_path) -> None:
        """Files, commands, users, and testinfra's way of finding them."""
        (tmp_path / "file").write_text("grüße\n")
        file = host.file(str(tmp_path / "file"))

        assert (file.exists, file.is_file, file.content_string) == (True, True, "grüße\n")
        assert not host.file(str(tmp_path / "gone")).exists
        assert host.exists("sh")
        assert host.user("root").uid == 0
        assert host.system_info.type == "linux"

    def test_services_work(self, host) -> None:
        """`host.service` asks the machine's service manager."""
        assert host.service("surely-not-a-service").is_running is False

    def test_odd_bytes_cost_nothing(self, host) -> None:
        """Bytes that are not UTF-8 are replaced, without asking the machine for its encoding."""
        before = host.backend._transport.requests
        done = host.run("printf 'l\\204uft'")

        assert done.stdout == "l\N{REPLACEMENT CHARACTER}uft"
        assert done.stdout_bytes == b"l\x84uft"
        assert host.backend._transport.requests == before + 1

    def test_has_a_name(self, host) -> None:
        """It shows in test ids."""
        assert host.backend.get_pytest_id() == "tentacle://box"


class TestSession:
    def test_is_kept(self, server) -> None:
        """Many commands, one connection."""
        settings = SSH(host="127.0.0.1", port=server.port, user="octo", password="x", host_keys="insecure")
        transport = open_transport(settings)
        transport.connect(Deadline(20))
        host = make_host(transport)
        for number in range(10):
            assert host.check_output("echo %s", str(number)) == str(number)
        transport.close()

        assert (server.connections, server.execs) == (1, 10)

    def test_has_a_budget_per_command(self) -> None:
        """A command that hangs ends with its budget."""
        with pytest.raises(TransportError, match=r"within 0.5 s"):
            make_host(LocalTransport(), seconds=0.5).run("sleep 20")

    def test_is_registered(self) -> None:
        """Testinfra itself makes it, by the name `tentacle`."""
        host = testinfra.get_host("tentacle://box", transport=LocalTransport())

        assert isinstance(host.backend, TentacleBackend)
        assert host.check_output("echo in") == "in"


class TestWindows:
    def test_runs_powershell(self, windows) -> None:
        """`host.run` is PowerShell, with umlauts both ways."""
        done = windows.run("$a = 'grüße'; \"$a $($a.Length)\"")

        assert (done.rc, done.stdout.strip(), done.stderr) == (0, "grüße 5", "")

    @pytest.mark.parametrize(
        ("script", "code"),
        [("exit 5", 5), ("'fine'", 0), ("sh -c 'exit 9'", 9), ("Get-Item /no/such/file", 1), ("throw 'x'", 1)],
        ids=["exit", "fine", "program", "failed-command", "thrown"],
    )
    def test_exit_codes(self, windows, script, code) -> None:
        """The script's own exit, its last program's, or 1 for a last command that failed."""
        assert windows.run(script).rc == code

    def test_quotes_arguments(self, windows) -> None:
        """Arguments are data, also with PowerShell's typographic quotes."""
        nasty = 'it\'s $(1+1) "x" `n \N{RIGHT SINGLE QUOTATION MARK}; exit 9; \N{LEFT SINGLE QUOTATION MARK} ü'

        assert windows.check_output("[Console]::Out.Write(%s)", nasty) == nasty

    def test_a_long_script_goes_over_stdin(self, windows) -> None:
        """What cmd.exe's command line cannot hold works as well, exit code included."""
        done = windows.run("$text = '" + "ü" * 20_000 + "'; $text.Length; exit 6")

        assert (done.rc, done.stdout.strip()) == (6, "20000")
        assert len(windows.backend._transport.lines[-1]) < 8_000

    def test_the_command_holds_the_script_encoded(self) -> None:
        """A short script stands in the command line as -EncodedCommand takes it."""
        line, stdin = powershell_command("Get-Date")
        script = base64.b64decode(line.split()[-1]).decode("utf-16-le")

        assert "\nGet-Date\n" in script
        assert stdin == b""
