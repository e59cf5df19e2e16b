"""Proving who we are: keys, agent and passwords, and what a refusal says and does not say."""

from __future__ import annotations

import getpass
import logging
import shutil
import signal
import socket
import subprocess
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.ssh.transport import SSHTransport
from pytest_tentacle.transport.ssh.wire import LOG_NAME

PASSWORD = 'pä\'ss "wörd" $(id) `x`\\'


def refusal(settings: SSH, seconds: float = 20.0) -> TransportError:
    """The error that logging on raises."""
    transport = SSHTransport(settings)
    with pytest.raises(TransportError) as caught:
        transport.connect(Deadline(seconds))
    assert "\n" not in caught.value.summary + caught.value.advice
    return caught.value


def make_key(path: Path, passphrase: str = "", kind: str = "ed25519") -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(path)], check=True)
    return path


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real ssh-agent without keys."""
    path = str(tmp_path / "agent.sock")
    process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while (
            subprocess.run(["ssh-add", "-l"], env={"SSH_AUTH_SOCK": path}, capture_output=True, check=False).returncode
            == 2
        ):
            assert process.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        yield path
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


class TestKeys:
    @pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
    def test_of_all_kinds(self, sshd, open_ssh, tmp_path, kind) -> None:
        """Each kind of key that OpenSSH makes logs on."""
        key = make_key(tmp_path / "key", kind=kind)
        with (sshd.folder / "authorized_keys").open("a") as file:
            file.write(key.with_suffix(".pub").read_text())

        open_ssh(sshd.settings(key=key))

    def test_with_a_passphrase(self, sshd, open_ssh, tmp_path) -> None:
        """An encrypted key is opened with its passphrase, whatever that holds."""
        key = make_key(tmp_path / "key", PASSWORD)
        with (sshd.folder / "authorized_keys").open("a") as file:
            file.write(key.with_suffix(".pub").read_text())

        open_ssh(sshd.settings(key=key, passphrase=PASSWORD))

    def test_with_a_wrong_passphrase(self, sshd, tmp_path) -> None:
        """The refusal says so, and holds no passphrase."""
        key = make_key(tmp_path / "key", "right one")
        error = refusal(sshd.settings(key=key, passphrase="Wrong-One-7"))

        assert error.stage is ReachStage.AUTHENTICATE
        assert f"{key} is no private key that can be used or the passphrase is wrong" in error.summary
        assert "Wrong-One-7" not in "".join(traceback.format_exception(error))

    def test_without_its_passphrase(self, sshd, tmp_path) -> None:
        """An encrypted key without passphrase is named."""
        key = make_key(tmp_path / "key", "right one")

        assert f"{key} is encrypted and the passphrase is not known" in refusal(sshd.settings(key=key)).summary

    def test_a_missing_file(self, sshd, tmp_path) -> None:
        """A key file that does not exist is named."""
        assert f"{tmp_path / 'gone'}: No such file" in refusal(sshd.settings(key=tmp_path / "gone")).summary

    def test_a_file_that_is_no_key(self, sshd, tmp_path) -> None:
        """What stands in the file is not shown."""
        (tmp_path / "key").write_text("the-secret-itself")
        error = refusal(sshd.settings(key=tmp_path / "key"))

        assert "is no private key that can be used" in error.summary
        assert "the-secret-itself" not in "".join(traceback.format_exception(error))

    def test_the_wrong_key(self, sshd, tmp_path) -> None:
        """The refusal names user and key."""
        key = make_key(tmp_path / "key")
        error = refusal(sshd.settings(key=key))

        assert error.stage is ReachStage.AUTHENTICATE
        assert f"127.0.0.1 port {sshd.port} refused user {getpass.getuser()} (tried key {key})" in error.summary

    def test_the_wrong_user(self, sshd) -> None:
        """A user that does not exist is refused like any."""
        error = refusal(sshd.settings(user="nobody-of-that-name"))

        assert error.stage is ReachStage.AUTHENTICATE
        assert "refused user nobody-of-that-name" in error.summary

    def test_nothing_to_try(self, sshd) -> None:
        """Without key, agent and password the refusal says that, and what the server accepts."""
        error = refusal(sshd.settings(key=None))

        assert "tried nothing" in error.summary
        assert "it accepts publickey" in error.summary
        assert "Name a key or a password" in error.advice

    def test_the_usual_files(self, sshd, open_ssh, home, user_key) -> None:
        """Where the inventory states nothing, ~/.ssh/id_* is tried."""
        shutil.copy(user_key, home / ".ssh" / "id_ed25519")

        open_ssh(sshd.settings(key=None))


class TestAgent:
    @pytest.mark.usefixtures("agent")
    def test_its_key_is_used(self, sshd, open_ssh, user_key) -> None:
        """A key that only the agent holds logs on."""
        subprocess.run(["ssh-add", "-q", str(user_key)], check=True)

        open_ssh(sshd.settings(key=None))

    @pytest.mark.usefixtures("agent")
    def test_only_when_allowed(self, sshd, user_key) -> None:
        """`agent: false` leaves it alone."""
        subprocess.run(["ssh-add", "-q", str(user_key)], check=True)

        assert "tried nothing" in refusal(sshd.settings(key=None, agent=False)).summary

    @pytest.mark.usefixtures("agent")
    def test_opens_an_encrypted_key(self, sshd, open_ssh, tmp_path) -> None:
        """A key that the inventory names and that is encrypted on disk is taken from the agent."""
        key = make_key(tmp_path / "key")
        with (sshd.folder / "authorized_keys").open("a") as file:
            file.write(key.with_suffix(".pub").read_text())
        subprocess.run(["ssh-add", "-q", str(key)], check=True)
        subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", "unknown", "-f", str(key)], check=True)

        open_ssh(sshd.settings(key=key))

    @pytest.mark.usefixtures("agent")
    def test_a_stated_key_is_the_only_one(self, sshd, user_key, tmp_path) -> None:
        """A right key in the agent does not make up for a wrong one in the inventory."""
        subprocess.run(["ssh-add", "-q", str(user_key)], check=True)

        assert "agent" not in refusal(sshd.settings(key=make_key(tmp_path / "key"))).summary

    @pytest.mark.usefixtures("agent")
    def test_too_many_keys(self, sshd, tmp_path) -> None:
        """When the server ends the login because of too many keys, the advice is to name one."""
        for number in range(8):
            subprocess.run(["ssh-add", "-q", str(make_key(tmp_path / f"key{number}"))], check=True)

        assert "name the one right key" in refusal(sshd.settings(key=None)).advice

    def test_a_dead_agent_is_passed_over(self, sshd, open_ssh, home, user_key, monkeypatch) -> None:
        """A socket that nobody listens on is as good as no agent."""
        monkeypatch.setenv("SSH_AUTH_SOCK", str(home / "gone"))
        shutil.copy(user_key, home / ".ssh" / "id_ed25519")

        open_ssh(sshd.settings(key=None))

    def test_a_hanging_agent_costs_the_deadline(self, sshd, monkeypatch, tmp_path) -> None:
        """An agent that never answers does not outlast the machine's budget."""
        path = str(tmp_path / "hung.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            monkeypatch.setenv("SSH_AUTH_SOCK", path)

            assert refusal(sshd.settings(key=None), 1.0).stage is ReachStage.TIME_OUT


class TestPassword:
    def test_with_quotes_and_umlauts(self, lab_settings, lab_server, open_ssh) -> None:
        """A password goes over as it is."""
        assert open_ssh(lab_settings).execute("echo in", b"", Deadline(20)).stdout == b"in\n"
        assert (lab_server.connections, lab_server.execs) == (1, 1)

    def test_the_wrong_one(self, lab_settings) -> None:
        """The refusal says what was tried, without the password."""
        error = refusal(lab_settings.model_copy(update={"user": "nobody"}))

        assert error.stage is ReachStage.AUTHENTICATE
        assert "refused user nobody (tried password)" in error.summary

    def test_of_a_server_that_takes_keys_only(self, sshd) -> None:
        """The refusal says what the server would accept."""
        assert "it accepts publickey" in refusal(sshd.settings(key=None, password="x")).summary

    @pytest.mark.parametrize("key", [True, False], ids=["with-a-key", "with-nothing"])
    def test_of_a_server_that_takes_kerberos_alone(self, start_sshd, user_key, key) -> None:
        """paramiko does not speak it: neither user nor key is to blame."""
        server = start_sshd("GSSAPIAuthentication yes", "AuthenticationMethods gssapi-with-mic")
        error = refusal(server.settings(key=user_key if key else None))
        assert "it accepts gssapi-with-mic" in error.summary
        assert "takes Kerberos alone: get a ticket (kinit), and say auth: kerberos" in error.advice

    def test_of_a_server_that_takes_kerberos_too(self, start_sshd, tmp_path, home) -> None:
        """With a key all is well, and without one a ticket does not stand in for it."""
        server = start_sshd("GSSAPIAuthentication yes")
        error = refusal(server.settings(key=None))
        assert "gssapi-with-mic" in error.summary
        how = "A Kerberos ticket is used where the machine's transport says auth: kerberos."
        assert error.advice.endswith(how)
        other = make_key(tmp_path / "other")
        assert how not in refusal(server.settings(key=other)).advice
        (home / ".ssh" / "config").write_text("GSSAPIAuthentication yes\n")
        assert refusal(server.settings(key=other)).advice.endswith(how)
        transport = SSHTransport(server.settings())
        transport.connect(Deadline(20))
        transport.close()

    def test_nothing_else_is_tried(self, sshd, home, user_key) -> None:
        """Where the inventory states a password, the usual key files are left alone."""
        shutil.copy(user_key, home / ".ssh" / "id_ed25519")

        assert "id_ed25519" not in refusal(sshd.settings(key=None, password="x")).summary


class TestSecrets:
    def test_stand_in_no_log_and_no_error(self, lab_settings, open_ssh, caplog, capfd) -> None:
        """With paramiko's log wide open, neither password nor passphrase stands in it, in an error or in a repr."""
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.DEBUG, LOG_NAME)
        open_ssh(lab_settings)
        wrong = lab_settings.model_copy(update={"user": "nobody"})
        error = refusal(wrong)
        told = [
            caplog.text,
            "".join(traceback.format_exception(error)),
            repr(SSHTransport(wrong)),
            repr(wrong),
            *capfd.readouterr(),
        ]

        assert "userauth is OK" in caplog.text
        for text in told:
            assert PASSWORD not in text
            assert "wörd" not in text
            assert "w\\xf6rd" not in text

    def test_nothing_is_printed(self, misbehave, caplog, capfd) -> None:
        """A server that talks nonsense makes paramiko log a traceback, which nobody wants on stderr or in a report."""
        refusal(misbehave(lambda connection: connection.sendall(b"SSH-2.0-x\r\n" + b"\x00" * 500)))

        assert capfd.readouterr() == ("", "")
        assert caplog.text == ""

    def test_stand_in_no_process_list(self, lab_settings, open_ssh) -> None:
        """No process is started on the way, so none has the password among its arguments."""
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
        before = children.read_text()
        open_ssh(lab_settings)

        assert children.read_text() == before
