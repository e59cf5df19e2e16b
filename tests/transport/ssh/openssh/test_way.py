"""Where a log-on by a ticket goes, whom it trusts on the way, and what is not tried or understood."""

from __future__ import annotations

import getpass
import shutil
import subprocess

import pytest

from pytest_tentacle.transport import Deadline
from support.gss.by_ssh import TICKETS, as_localhost, logged_on, refusal, settings

ME = getpass.getuser()


class TestHostKeys:
    def test_unknown_changed_or_revoked(self, machine, tickets, tmp_path, user_key) -> None:
        """Each is told as it is without Kerberos, by the file that says so."""
        known = tmp_path / "known"
        other = " ".join(user_key.with_suffix(".pub").read_text().split()[:2])
        told = {}
        for text in (
            "",
            f"[localhost]:{machine.port} {other}\n",
            f"@revoked [localhost]:{machine.port} {machine.host_key}\n",
        ):
            known.write_text(text)
            told[text] = refusal(settings(machine, known_hosts=known))
        unknown, changed, revoked = told.values()
        public = subprocess.run(
            ["ssh-keygen", "-lf", str(machine.folder / "host_key.pub")], check=True, capture_output=True, text=True
        )
        shown = f"it shows ssh-ed25519 {public.stdout.split()[1]}"
        assert f"the host key of localhost port {machine.port} is not known: {shown}" in unknown.summary
        assert f"HAS CHANGED: {shown}, but {known}:1 holds" in changed.summary
        assert f"IS REVOKED ({known}:1): {shown}" in revoked.summary

    def test_by_another_port_or_alias(self, machine, tickets, tmp_path) -> None:
        """The same key under the bare name will do; what the ssh_config says of files and names is followed."""
        known = tmp_path / "known"
        known.write_text(f"localhost {machine.host_key}\n")
        with logged_on(settings(machine, known_hosts=known)):
            pass
        known.write_text(f"the-box {machine.host_key}\n")
        config = tmp_path / "config"
        config.write_text(
            f'Host box\n HostName localhost\n Port {machine.port}\n UserKnownHostsFile "{known}"\n HostKeyAlias The-Box\n'
            " ControlPath none\n StrictHostKeyChecking no\n RemoteCommand false\n GSSAPIAuthentication no\n"
        )
        with logged_on(settings(machine, host="box", port=None, known_hosts=None, ssh_config=config)) as transport:
            assert transport.execute("echo on", b"", Deadline(60)).stdout == b"on\n"

    def test_new_ones_are_accepted_where_the_inventory_says_so(self, machine, tickets, tmp_path, user_key) -> None:
        """And written down, where it names a file; never one that has changed. `insecure` takes any."""
        known = tmp_path / "known"
        with logged_on(settings(machine, known_hosts=known, host_keys="accept-new")):
            assert known.read_text() == f"[localhost]:{machine.port} {machine.host_key}\n"
        with logged_on(settings(machine, known_hosts=known, host_keys="accept-new")):
            assert known.read_text() == f"[localhost]:{machine.port} {machine.host_key}\n"
        other = " ".join(user_key.with_suffix(".pub").read_text().split()[:2])
        known.write_text(f"[localhost]:{machine.port} {other}\n")
        assert "HAS CHANGED" in refusal(settings(machine, known_hosts=known, host_keys="accept-new")).summary
        with logged_on(settings(machine, known_hosts=known, host_keys="insecure")):
            pass
        known.write_text(f"localhost {other}\n")  # another server's, on another port
        with logged_on(settings(machine, known_hosts=known, host_keys="accept-new")):
            assert machine.host_key in known.read_text()


class TestJump:
    def test_through_another(self, in_domain, machine, start_sshd, tickets, tmp_path) -> None:
        """Both are logged on to by a ticket, and both host keys are verified."""
        jump = as_localhost(start_sshd(*TICKETS, **in_domain))
        known = tmp_path / "known"
        known.write_text("".join((sshd.folder / "known_hosts").read_text() for sshd in (jump, machine)))
        over = f"{ME}@localhost:{jump.port}"
        with logged_on(settings(machine, known_hosts=known, proxy_jump=over)) as transport:
            assert transport.execute("echo on", b"", Deadline(60)).stdout == b"on\n"
        assert f"Accepted gssapi-with-mic for {ME}" in jump.log

        error = refusal(settings(machine, proxy_jump=over))
        assert f"host key of localhost port {jump.port} is not known" in error.summary
        error = refusal(settings(machine, known_hosts=jump.folder / "known_hosts", proxy_jump=over))
        assert f"host key of localhost port {machine.port} is not known" in error.summary
        error = refusal(settings(machine, known_hosts=known, port=1, proxy_jump=over))
        assert (
            "the jump host could not connect to localhost port 1: connect failed: Connection refused" in error.summary
        )
        tickets("none")
        error = refusal(settings(machine, known_hosts=known, proxy_jump=over))
        assert f"no log-on to jump host localhost port {jump.port} by Kerberos: there is no ticket" in error.summary


class TestNothingElse:
    def test_is_tried(self, machine, tickets, home, user_key) -> None:
        """A key that the server would take lies where ssh looks, and is left alone."""
        shutil.copy(user_key, home / ".ssh" / "id_ed25519")
        (machine.folder / "log").write_text("")
        tickets("none")
        assert "there is no ticket" in refusal(settings(machine, key=user_key, password="x")).summary
        assert "publickey" not in machine.log

    @pytest.mark.parametrize(
        "changes",
        [
            {"user": "-oProxyCommand=touch x"},
            {"user": 'a"\n ProxyCommand touch x'},
            {"user": "a$(touch x)"},
            {"user": "a%h"},
            {"host": "-oProxyCommand=touch x"},
            {"host": "a\n ProxyCommand touch x"},
            {"host": "a;touch x"},
            {"proxy_jump": "a;touch x"},
            {"proxy_jump": "-l@localhost"},
        ],
        ids=repr,
    )
    def test_is_understood_by_names(self, machine, changes) -> None:
        """What ssh or a shell might take for more than a name is refused before anybody is asked."""
        assert "cannot be given to ssh" in refusal(settings(machine, **changes)).summary

    def test_is_refused_of_names(self, machine, tickets) -> None:
        """Names as domains have them arrive as they are; sshd tells whom it refused."""
        for user, shown in {
            "LAB\\björn": "LAB\\\\bj\\303\\266rn",
            "anna maria@LAB.EXAMPLE": "anna maria@LAB.EXAMPLE",
            "j.o-e_1+x$": "j.o-e_1+x$",
        }.items():
            assert f"refused user {user} before" in refusal(settings(machine, user=user)).summary
            assert f"Invalid user {shown} from" in machine.log
