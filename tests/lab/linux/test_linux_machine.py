"""The stand-ins of a Linux lab machine beside the real commands of this machine."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess

import pytest

from pytest_tentacle.lab.linux.machine import REAL_TOOLS, called, prepare
from support.lab.stand_ins import STAND_INS

MACHINE = {
    "hostname": "web-7", "os": "linux", "addresses": ["127.0.0.77", "::7"],
    "services": [{
        "name": "Tentacle", "state": "running", "start_mode": "auto", "account": "root", "pid": 2136, "exit_code": 0, "restarts": 0,
        "command": "/opt/octopus/tentacle/Tentacle run", "started_utc": "2026-11-20T10:11:12Z", "environment": {"A": 'b "c" $d'},
    }],
    "processes": [{
        "pid": 2136, "parent_pid": 1, "name": "Tentacle", "command_line": "/opt/octopus/tentacle/Tentacle run",
        "started_utc": "2026-11-20T10:11:12Z", "user": "root",
    }],
    "sockets": [
        {"address": "127.0.0.77", "port": 10933, "pid": 2136, "state": "listen"},
        {"address": "::", "port": 10943, "pid": None, "state": "listen"},
        {"address": "127.0.0.77", "port": 5, "pid": 2136, "state": "established", "remote_address": "127.0.0.9", "remote_port": 10943},
    ],
    "names": {"octo-1.lab": ["127.0.0.9"], "gone.lab": "name-not-found"},
}  # fmt: skip


@pytest.fixture
def lab(tmp_path):
    (tmp_path / "machine.json").write_text(json.dumps(MACHINE))
    environment = prepare(tmp_path)

    def run(command, *arguments):
        done = subprocess.run(
            [f"{environment['PATH']}/{command}", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    run.folder = tmp_path
    run.environment = environment
    return run


def real(*command):
    path = shutil.which(command[0])
    assert path, f"{command[0]} is needed by this test"
    return subprocess.run(
        [path, *command[1:]],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC0", "PATH": "/usr/bin:/bin"},
    )


class TestShapes:
    """The same columns as the real tools print, so that what reads the one reads the other."""

    def test_ss(self, lab):
        """Six columns, the last being users:((...)) where the holder is known."""
        pattern = re.compile(r'LISTEN +\d+ +\d+ +\S+:\d+ +\S+:\* *(users:\(\(".*",pid=\d+,fd=\d+\)\))? *')
        with socket.create_server(("127.0.0.1", 0)):
            actual = real("ss", "-H", "-ltnp").stdout
        assert actual.strip()
        for line in (actual + lab("ss", "-H", "-ltnp")[1]).splitlines():
            assert pattern.fullmatch(line), line
        assert len(lab("ss", "-H", "-ltnp")[1].splitlines()) == 2
        assert lab("ss", "-H", "-tnp")[1].split()[:5] == ["ESTAB", "0", "128", "127.0.0.77:5", "127.0.0.9:10943"]

    def test_netstat(self, lab):
        """Two header lines, then seven columns."""
        with socket.create_server(("127.0.0.1", 0)):
            actual = real("netstat", "-ltnp").stdout
        assert actual.splitlines()[0] == lab("netstat", "-ltnp")[1].splitlines()[0]
        assert actual.splitlines()[1].split() == lab("netstat", "-ltnp")[1].splitlines()[1].split()
        for line in [*actual.splitlines()[2:], *lab("netstat", "-ltnp")[1].splitlines()[2:]]:
            assert re.fullmatch(r"tcp6? +\d+ +\d+ \S+:\d+ +\S+:\* +LISTEN +(\d+/.*|- *)", line), line

    def test_ps(self, lab):
        """pid, parent, user, five words of start, command line."""
        arguments = ("-ww", "-eo", "pid=,ppid=,user:32=,lstart=,args=")
        pattern = re.compile(r" *\d+ +\d+ \S+ +\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} .+")
        for line in real("ps", *arguments).stdout.splitlines() + lab("ps", *arguments)[1].splitlines():
            assert pattern.fullmatch(line), line

    def test_getent(self, lab):
        """Three lines an address, and exit code 2 for what is not found."""
        pattern = re.compile(r"\S+ +(STREAM \S+|DGRAM *|RAW *)")
        for line in (
            real("getent", "ahosts", "localhost").stdout.splitlines()
            + lab("getent", "ahosts", "octo-1.lab")[1].splitlines()
        ):
            assert pattern.fullmatch(line), line
        assert real("getent", "ahosts", "-no-such-host.invalid.").returncode != 0
        assert lab("getent", "ahosts", "gone.lab") == (2, "")

    def test_ip(self, lab):
        """One line an address: number, device, family, address/length."""
        pattern = re.compile(r"\d+: \S+ +inet6? \S+/\d+ .*")
        for line in real("ip", "-o", "addr").stdout.splitlines() + lab("ip", "-o", "addr")[1].splitlines():
            assert pattern.fullmatch(line), line

    def test_systemctl(self, lab):
        """`show` prints blocks of Property=value, as systemd does for -p, whatever else is known."""
        text = lab("systemctl", "show", "--no-pager", "-p", "Id", "--", "Tentacle.service", "cron.service")[1]
        first, second = text.strip().split("\n\n")
        assert "Id=Tentacle.service" in first.splitlines()
        assert "Id=cron.service" in second.splitlines()
        assert 'Environment="A=b \\"c\\" \\$d"' in first.splitlines()
        assert "ExecMainStartTimestamp=Fri 2026-11-20 10:11:12 UTC" in first.splitlines()

    def test_uname(self, lab):
        """Name and kind of the machine in one line."""
        assert len(real("uname", "-nm").stdout.split()) == 2
        assert lab("uname", "-nm") == (0, "web-7 x86_64\n")

    def test_id(self, lab):
        """Number and name of the login come first."""
        pattern = re.compile(r"uid=\d+\([^)]+\) gid=\d+.*\n")
        assert pattern.fullmatch(real("id").stdout)
        assert pattern.fullmatch(lab("id")[1])

    def test_df(self, lab):
        """A header, and a row for each path that is there, in the order of the paths."""
        actual = real("df", "-Pk", "/no/such", "/proc", "/").stdout.splitlines()
        told = lab("df", "-Pk", "/etc/octopus", "/")[1].splitlines()
        assert actual[0].split() == told[0].split()
        assert [line.split()[-1] for line in actual[1:]] == ["/proc", "/"]
        assert [line.split()[-1] for line in told[1:]] == ["/", "/"]

    def test_grep(self, lab):
        """A file that may not be read is named, and the others are read all the same, each line behind its file's name."""
        for name in ("a", "b"):
            (lab.folder / name).write_text(f"{name} 1\n{name}: 2\n")
        (lab.folder / "machine.json").write_text(json.dumps(MACHINE | {"denied": [str(lab.folder / "a")]}))
        (lab.folder / "bin" / "sh").unlink()
        prepare(lab.folder)
        paths = [str(lab.folder / name) for name in ("a", "b", "gone")]
        assert lab("grep", "-a", "", *paths) == (2, f"{paths[1]}:b 1\n{paths[1]}:b: 2\n")
        assert real("grep", "-a", "", *paths[1:]).stdout == f"{paths[1]}:b 1\n{paths[1]}:b: 2\n"

    def test_own_names(self, lab):
        """A healthy machine knows its own names."""
        assert lab("getent", "ahosts", "web-7")[1].split()[0] == "127.0.0.77"


class TestRecorder:
    def test_every_call_is_noted(self, lab):
        """Stand-ins and real tools alike, arguments as they were, in order."""
        lab("hostname", "-f")
        lab("date", "+%s", 'a "b"\n$(touch x) ü')
        assert called(lab.folder) == [("hostname", ["-f"]), ("date", ["+%s", 'a "b"\n$(touch x) ü'])]

    def test_the_path_holds_nothing_else(self, lab):
        """Besides the shell: the stand-ins and the listed real tools."""
        names = {path.name for path in (lab.folder / "bin").iterdir()}
        assert names <= {*STAND_INS, *REAL_TOOLS, "sh"}
        others = {"rpm", "firewall-cmd", "iptables-save", "journalctl", "matchpathcon", "tc"}
        assert {*STAND_INS, "sh", "awk", "openssl"} - others <= names
        assert not others & names
        assert lab.environment["PATH"] == str(lab.folder / "bin")

    def test_real_tools_are_real(self, lab):
        """A recorded tool gives the real one's output and exit code."""
        assert lab("head", "-c", "2", str(lab.folder / "machine.json")) == (0, '{"')
        assert lab("cat", "/no/such/file")[0] == 1
