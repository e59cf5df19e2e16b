"""Inventories from elsewhere: Ansible's own program, tables, programs, standard input, the lab, the command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from pytest_tentacle.inventory import InventoryError, load
from pytest_tentacle.inventory.model import SSH, Local, Mode, NoTransport, OperatingSystem, WinRM
from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.inventory.sources.named import NamedMachines
from pytest_tentacle.inventory.sources.opening import LAB


@pytest.fixture
def ansible(tmp_path, monkeypatch):
    """Loads hosts through the real ansible-inventory."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if not shutil.which("ansible-inventory"):
        pytest.fail("ansible-core is not installed: scripts/dev.py check installs it")
    monkeypatch.setenv("ANSIBLE_LOCAL_TEMP", str(tmp_path / "ansible"))

    def load_hosts(text: str, name: str = "hosts.yml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return load([f"ansible:{tmp_path / name}"], {"SECRET": "never"})

    return load_hosts


class TestAnsible:
    HOSTS = """
all:
  children:
    octopus_servers:
      hosts: {octo-1: {ansible_host: 10.0.0.1, ansible_connection: winrm, ansible_port: 5985,
                       ansible_winrm_transport: kerberos, ansible_user: svc@CORP.LOCAL}}
    web:
      vars: {ansible_connection: winrm, ansible_user: 'CORP\\me', ansible_password: '${env:SECRET}"x',
             ansible_winrm_transport: ntlm, ansible_winrm_server_cert_validation: ignore, tentacle_mode: listening}
      hosts: {web-01: {}, web-02: {ansible_host: web-02.corp.local, tentacle_port: 10934}}
    linux:
      hosts:
        lin-01: {ansible_user: root, ansible_ssh_private_key_file: /keys/id, ansible_port: 2222, tentacle_mode: polling}
        here: {ansible_connection: local}
"""

    def test_real_hosts(self, ansible, tmp_path):
        """Log-ons by WinRM, SSH and local; groups; servers; what Ansible has no word for."""
        (tmp_path / "id").write_text("x")
        inventory = ansible(self.HOSTS.replace("/keys/id", str(tmp_path / "id")))
        (server,) = inventory.servers
        assert (server.name, server.ip, server.transport.scheme, server.transport.auth) == (
            "octo-1",
            "10.0.0.1",
            "http",
            "kerberos",
        )
        web, web2, lin, here = sorted(
            inventory.tentacles, key=lambda t: ["web-01", "web-02", "lin-01", "here"].index(t.name)
        )
        assert isinstance(web.transport, WinRM)
        assert (web.transport.user, web.transport.verify, web.mode) == ("CORP\\me", "insecure", Mode.LISTENING)
        assert (web2.dns_name, web2.port) == ("web-02.corp.local", 10934)
        assert isinstance(lin.transport, SSH)
        assert (lin.transport.port, lin.transport.user, lin.mode) == (2222, "root", Mode.POLLING)
        assert isinstance(here.transport, Local)
        assert {"web"} <= set(web.groups)

    def test_values_are_data(self, ansible, tmp_path):
        """A password that looks like one of our references is a password."""
        (tmp_path / "id").write_text("x")
        inventory = ansible(self.HOSTS.replace("/keys/id", str(tmp_path / "id")))
        web = next(t for t in inventory.tentacles if t.name == "web-01")
        assert web.transport.password.get_secret_value() == '${env:SECRET}"x'
        assert inventory.warnings == ()

    def test_group_of_tentacles(self, ansible):
        """Where there is a group of that name, nobody else is one."""
        inventory = ansible("all: {children: {tentacles: {hosts: {a: }}, others: {hosts: {b: }}}}")
        assert [t.name for t in inventory.tentacles] == ["a"]

    def test_what_is_no_inventory(self, ansible, tmp_path):
        """No host, and no file: a line each."""
        with pytest.raises(InventoryError, match="Ansible lists no host"):
            ansible("all: {}")
        with pytest.raises(InventoryError, match="there is no such file or folder"):
            load([f"ansible:{tmp_path / 'none.yml'}"], {})

    def test_not_installed(self, tmp_path, monkeypatch):
        """What to install."""
        (tmp_path / "hosts.yml").write_text("all: {hosts: {a: }}")
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(InventoryError, match="ansible-inventory is not installed here"):
            load([f"ansible:{tmp_path / 'hosts.yml'}"], {})


class TestTable:
    def load(self, files, text, **environment):
        return load([f"csv:{files.write(text, 'm.csv')}"], environment)

    @pytest.mark.parametrize("sign", [",", ";", "\t"])
    def test_rows(self, files, sign):
        """A row a machine; Excel's semicolons and a byte order mark are welcome."""
        rows = [
            ["Name", "FQDN", "Mode", "Port", "OS", "Groups", "Transport", "User", "Password", "Role"],
            ["octo-1", "octopus.example.com", "", "", "", "", "ssh", "me", "", "server"],
            [
                "web-01",
                "web-01.example.com",
                "listening",
                "10933",
                "windows",
                "prod web",
                "winrm",
                "CORP\\me",
                "${env:PW}",
                "",
            ],
            [],
            ["web-02", "", "", "", "", "", "", "", "", ""],
        ]
        text = "\ufeff" + "".join(sign.join(row) + "\r\n" for row in rows)
        inventory = self.load(files, text, PW='p,"x')
        web, bare = inventory.tentacles
        assert [server.name for server in inventory.servers] == ["octo-1"]
        assert (web.dns_name, web.mode, web.port, web.os) == (
            "web-01.example.com",
            Mode.LISTENING,
            10933,
            OperatingSystem.WINDOWS,
        )
        assert (web.transport.user, web.transport.password.get_secret_value()) == ("CORP\\me", 'p,"x')
        assert isinstance(bare.transport, NoTransport)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "no column name"),
            ("host,ip\nweb,10.0.0.1\n", "no column name"),
            ("name,prot\nweb,1\n", "did you mean 'port'"),
            ("name,name\nweb,x\n", "a column stands there twice"),
            ("name,ip\nweb,10.0.0.300\n", r"m\.csv:2"),
            ("name\nweb\nweb\n", "given twice"),
            ("name,transport\nweb,telnet\n", "must be one of"),
        ],
    )
    def test_faults(self, files, text, words):
        """Each names the row."""
        with pytest.raises(InventoryError, match=words):
            self.load(files, text)

    def test_not_utf8(self, files):
        """A table in a code page is refused with what to do."""
        with pytest.raises(InventoryError, match="not UTF-8"):
            load([f"csv:{files.write(b'name' + bytes([10]) + b'w' + bytes([0xFC]), 'm.csv')}"], {})

    def test_settings_of_a_file_beside_it(self, files):
        """A group that a table only names has the settings that a file gives it."""
        settings = files.write("groups: {prod: {transport: {kind: ssh, user: me}}}\n")
        inventory = load([f"csv:{files.write('name,groups' + chr(10) + 'web,prod' + chr(10), 'm.csv')}", settings], {})
        assert inventory.tentacles[0].transport.user == "me"

    def test_groups_are_names(self, files):
        """A group of a table needs no settings."""
        assert self.load(files, "name,groups\nweb,prod;eu\n").tentacles[0].groups == ("prod", "eu")


class TestPrograms:
    def program(self, tmp_path, text):
        path = tmp_path / "inventory.sh"
        path.write_text(text)
        path.chmod(0o755)
        return path

    def test_output(self, tmp_path):
        """What an executable prints, as YAML or JSON."""
        printed = json.dumps({"tentacles": [{"name": "web-01"}]})
        assert load([self.program(tmp_path, f"#!/bin/sh\nprintf '%s' '{printed}'\n")], {}).tentacles[0].name == "web-01"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("#!/bin/sh\necho 'no such thing' >&2; exit 3\n", r"exit code 3.*no such thing"),
            ("#!/no/such/shell\n", "cannot be run"),
        ],
    )
    def test_failing(self, tmp_path, text, words):
        """Its exit code and its last words."""
        with pytest.raises(InventoryError, match=words):
            load([self.program(tmp_path, text)], {})

    def test_executable_file_of_ours(self, tmp_path):
        """A YAML file that somebody made executable stays a file."""
        assert load([self.program(tmp_path, "tentacles: [web-01]\n")], {}).tentacles

    def test_standard_input(self, monkeypatch):
        """`-`."""
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"tentacles: [web-01]\n")))
        assert load(["-"], {}).tentacles[0].name == "web-01"

    def test_lab(self):
        """`lab:` is the embedded lab's own inventory, wherever one stands."""
        assert load([LAB], {}).is_lab


class TestNamed:
    @pytest.mark.parametrize(
        ("named", "name", "port"),
        [
            ("web-01", "web-01", None),
            ("web-01:10934", "web-01", 10934),
            ("10.0.0.7", "10.0.0.7", None),
            ("[fd00::7]:10933", "fd00::7", 10933),
            ("fd00::7", "fd00::7", None),
        ],
    )
    def test_addresses(self, named, name, port):
        """A name or an address, with a port or without."""
        (tentacle,) = load([], {}, named=NamedMachines((named,))).tentacles
        assert (tentacle.name, tentacle.port) == (name, port)
        assert (tentacle.dns_name is None) == (name[0].isdigit() or ":" in name)

    def test_log_on(self):
        """One log-on for all, and the password is nowhere to be seen."""
        named = NamedMachines(
            ("a", "b"), servers=("s",), transport="winrm", user="me", password=Secret("p${env:X}"), mode="polling"
        )
        inventory = load([], {}, named=named)
        assert inventory.tentacles[0].transport.password.get_secret_value() == "p${env:X}"
        assert inventory.tentacles[1].servers == ("s",)
        assert inventory.tentacles[1].mode is Mode.POLLING
        assert "p$" not in repr(named) + repr(inventory)
