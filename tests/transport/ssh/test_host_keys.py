"""Whom the SSH transport trusts, against a real sshd."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.ssh.transport import SSHTransport


def refusal(settings: SSH) -> TransportError:
    """The error that logging on raises."""
    transport = SSHTransport(settings)
    with pytest.raises(TransportError) as caught:
        transport.connect(Deadline(20))
    assert caught.value.stage is ReachStage.AUTHENTICATE
    assert "\n" not in caught.value.summary + caught.value.advice
    return caught.value


@pytest.fixture
def other_key(tmp_path: Path) -> str:
    """A public key that is not the server's."""
    path = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@pytest.fixture
def fingerprint(sshd) -> str:
    """The server's fingerprint, as ssh-keygen tells it."""
    public = str(sshd.folder / "host_key.pub")
    return subprocess.run(["ssh-keygen", "-lf", public], check=True, capture_output=True, text=True).stdout.split()[1]


class TestVerify:
    def test_a_key_in_the_named_file_is_trusted(self, sshd, open_ssh) -> None:
        """The inventory's known_hosts file vouches for the server."""
        open_ssh(sshd.settings())

    def test_a_key_in_the_users_file_is_trusted(self, sshd, open_ssh, home) -> None:
        """So does the user's own known_hosts."""
        (home / ".ssh" / "known_hosts").write_text(sshd.known_line)
        open_ssh(sshd.settings(known_hosts=None))

    def test_a_hashed_entry_is_trusted(self, sshd, open_ssh, home) -> None:
        """An entry that ssh-keygen has hashed is found."""
        path = home / ".ssh" / "known_hosts"
        path.write_text(sshd.known_line)
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(path)], check=True, capture_output=True)
        assert "127.0.0.1" not in path.read_text()

        open_ssh(sshd.settings(known_hosts=None))

    def test_a_key_under_the_bare_name_is_trusted(self, sshd, open_ssh, home) -> None:
        """As with ssh: the same key under the host's name without the port will do."""
        (home / ".ssh" / "known_hosts").write_text(f"127.0.0.1 {sshd.host_key}\n")
        open_ssh(sshd.settings(known_hosts=None))

    def test_the_file_of_the_ssh_config_is_asked(self, sshd, open_ssh, tmp_path) -> None:
        """UserKnownHostsFile replaces the user's own file; HostKeyAlias is the name that is looked up in it."""
        (tmp_path / "known").write_text(f"the-box {sshd.host_key}\n")
        config = tmp_path / "config"
        config.write_text(f'Host *\n UserKnownHostsFile /nowhere "{tmp_path}/known"\n HostKeyAlias The-Box\n')

        open_ssh(sshd.settings(known_hosts=None, ssh_config=config))

    def test_asks_for_a_key_of_a_known_type(self, start_sshd, open_ssh) -> None:
        """Of a server with several keys, the one that is known is asked for."""
        sshd = start_sshd(f"HostKey {start_sshd(kind='ecdsa').folder}/host_key", kind="rsa")
        assert sshd.host_key.startswith("ssh-rsa ")

        open_ssh(sshd.settings())

    def test_an_unknown_key_is_refused(self, sshd, home, fingerprint) -> None:
        """The refusal shows the fingerprint, and how to make the key known."""
        error = refusal(sshd.settings(known_hosts=None))

        assert f"not known: it shows ssh-ed25519 {fingerprint}" in error.summary
        assert f"ssh-keyscan -p {sshd.port} 127.0.0.1 >> {home}/.ssh/known_hosts" in error.advice
        assert f"`[127.0.0.1]:{sshd.port} ssh-ed25519 ...`" in error.advice
        assert "Starting session" not in sshd.log

    def test_a_key_of_another_port_says_nothing(self, sshd, other_key, home) -> None:
        """Another key under the bare name belongs to port 22: this one is unknown, not changed."""
        (home / ".ssh" / "known_hosts").write_text(f"127.0.0.1 {other_key}\n")

        assert "not known" in refusal(sshd.settings(known_hosts=None)).summary

    def test_a_changed_key_is_refused_loudly(self, sshd, other_key, tmp_path, fingerprint) -> None:
        """A changed key is told in capitals, with both fingerprints and the line that holds the old one."""
        known = tmp_path / "known"
        known.write_text(f"# comment\n[127.0.0.1]:{sshd.port} {other_key}\n")
        error = refusal(sshd.settings(known_hosts=known))

        assert f"THE HOST KEY OF 127.0.0.1 port {sshd.port} HAS CHANGED" in error.summary
        assert fingerprint in error.summary
        assert f"{known}:2 holds ssh-ed25519 SHA256:" in error.summary
        assert f"ssh-keygen -R '[127.0.0.1]:{sshd.port}' -f {known}" in error.advice
        assert "publickey" not in sshd.log

    def test_a_key_of_another_type_is_a_changed_one(self, start_sshd, sshd, tmp_path) -> None:
        """Where only a key of another type is known, a new one is not taken for a new machine."""
        ecdsa = start_sshd(kind="ecdsa").host_key
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{sshd.port} {ecdsa}\n")

        assert "HAS CHANGED" in refusal(sshd.settings(known_hosts=known, host_keys="accept-new")).summary

    def test_a_revoked_key_is_refused(self, sshd, tmp_path) -> None:
        """`@revoked` beats any entry that would allow the key."""
        known = tmp_path / "known"
        known.write_text(f"{sshd.known_line}@revoked * {sshd.host_key}\n")

        assert "IS REVOKED" in refusal(sshd.settings(known_hosts=known)).summary

    def test_the_named_file_decides_alone(self, sshd, other_key, tmp_path, home) -> None:
        """A server that the inventory's file knows by another key is not saved by the user's own file."""
        (home / ".ssh" / "known_hosts").write_text(sshd.known_line)
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{sshd.port} {other_key}\n")

        assert "HAS CHANGED" in refusal(sshd.settings(known_hosts=known)).summary

    def test_a_file_that_cannot_be_read_is_told(self, sshd, tmp_path) -> None:
        """A folder in place of the file is an error, not an empty file."""
        assert str(tmp_path) in refusal(sshd.settings(known_hosts=tmp_path)).summary


class TestAcceptNew:
    def test_accepts_an_unknown_key_and_writes_nothing(self, sshd, open_ssh, home) -> None:
        """Without a file of the inventory's own, nothing is written."""
        open_ssh(sshd.settings(known_hosts=None, host_keys="accept-new"))

        assert list((home / ".ssh").iterdir()) == []

    def test_writes_into_the_named_file(self, sshd, open_ssh, tmp_path) -> None:
        """The inventory's file receives the key, once; from then on it is verified."""
        known = tmp_path / "new" / "known"
        for _ in range(2):
            open_ssh(sshd.settings(known_hosts=known, host_keys="accept-new"))

        assert known.read_text() == sshd.known_line
        open_ssh(sshd.settings(known_hosts=known))

    def test_refuses_a_changed_key(self, sshd, other_key, tmp_path) -> None:
        """A changed key is refused as ever, and the file stays as it was."""
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{sshd.port} {other_key}\n")

        assert "HAS CHANGED" in refusal(sshd.settings(known_hosts=known, host_keys="accept-new")).summary
        assert known.read_text() == f"[127.0.0.1]:{sshd.port} {other_key}\n"


class TestInsecure:
    def test_accepts_even_a_changed_key(self, sshd, open_ssh, other_key, tmp_path) -> None:
        """`insecure` verifies nothing."""
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{sshd.port} {other_key}\n")

        open_ssh(sshd.settings(known_hosts=known, host_keys="insecure"))

    def test_is_not_the_default(self) -> None:
        """It must be asked for by name."""
        assert SSH(host="x").host_keys == "verify"
