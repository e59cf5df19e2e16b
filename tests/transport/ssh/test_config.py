"""Where a login goes: the inventory over ssh_config, and jump hosts."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport import Deadline, ReachStage, TransportError
from pytest_tentacle.transport.ssh.config import plan_route
from pytest_tentacle.transport.ssh.transport import SSHTransport


@pytest.fixture
def config(home: Path):
    """Write the user's own ssh_config."""

    def write(text: str, name: str = "config") -> Path:
        path = home / ".ssh" / name
        path.write_text(text)
        return path

    return write


def failure(settings: SSH) -> TransportError:
    with pytest.raises(TransportError) as caught:
        plan_route(settings)
    return caught.value


class TestPlanRoute:
    def test_without_any_config(self) -> None:
        """Port 22, the local user, nothing else."""
        (target,) = plan_route(SSH(host="box"))

        assert (target.host, target.port, target.user) == ("box", 22, getpass.getuser())
        assert (target.identities, target.only_identities, target.key_names) == ((), False, ("box",))

    def test_the_config_fills_in(self, config, home) -> None:
        """HostName, Port, User, IdentityFile, IdentitiesOnly and HostKeyAlias."""
        config(
            "Host box\n HostName 10.0.0.1\n Port 2222\n User octo\n IdentityFile ~/.ssh/special\n"
            " IdentitiesOnly yes\n HostKeyAlias Real\n IdentityAgent none\n"
        )
        (target,) = plan_route(SSH(host="box"))

        assert (target.host, target.port, target.user) == ("10.0.0.1", 2222, "octo")
        assert target.identities == (home / ".ssh" / "special",)
        assert (target.only_identities, target.key_names, target.agent_socket) == (True, ("real",), "none")

    def test_the_inventory_wins(self, config) -> None:
        """What the inventory states is not overruled."""
        config("Host box\n Port 2222\n User octo\n ProxyJump bastion\n")
        (target,) = plan_route(SSH(host="box", port=23, user="me", proxy_jump="none"))

        assert (target.port, target.user) == (23, "me")

    def test_a_named_config_replaces_the_users(self, config, tmp_path) -> None:
        """`ssh_config` in the inventory is read instead of ~/.ssh/config."""
        config("Host *\n Port 2222\n")
        (tmp_path / "mine").write_text("Host *\n User mine\n")
        (target,) = plan_route(SSH(host="box", ssh_config=tmp_path / "mine"))

        assert (target.port, target.user) == (22, "mine")

    def test_includes_are_followed(self, config) -> None:
        """Include works, with patterns, and what follows it belongs to its own block."""
        config("Port 2300\nInclude extra/*.conf\nHost box\n Include one.conf\n User last\n")
        (Path.home() / ".ssh" / "extra").mkdir()
        config("Host fox\n Port 2400\n User fox\n", "extra/a.conf")
        config("IdentityFile /k\n", "one.conf")
        (box,), (fox,) = plan_route(SSH(host="box")), plan_route(SSH(host="fox"))

        assert (box.port, box.user, box.identities) == (2300, "last", (Path("/k"),))
        assert (fox.port, fox.user, fox.identities) == (2300, "fox", ())

    def test_a_circle_of_includes_is_told(self, config) -> None:
        """An Include of itself ends with an error, not with the stack."""
        config("Include config\n")

        assert "round in a circle" in failure(SSH(host="box")).summary

    @pytest.mark.parametrize("text", ['Host "unclosed\n', "nonsense\n", "Host *\n Port many\n"])
    def test_what_cannot_be_read_is_told(self, config, text) -> None:
        """A broken ssh_config fails at RESOLVE, in one line."""
        config(text)
        error = failure(SSH(host="box"))

        assert error.stage is ReachStage.RESOLVE
        assert "ssh_config" in error.summary
        assert "\n" not in error.summary

    def test_a_missing_named_config_is_told(self, tmp_path) -> None:
        """A file that the inventory names must exist."""
        assert str(tmp_path / "gone") in failure(SSH(host="box", ssh_config=tmp_path / "gone")).summary

    def test_a_proxy_command_is_refused(self, config) -> None:
        """ProxyCommand is refused by name, unless a ProxyJump of the inventory takes its place, or it is `none`."""
        config("Host box\n ProxyCommand nc %h %p\nHost fox\n ProxyCommand none\n")

        assert "ProxyCommand for box, which is not supported" in failure(SSH(host="box")).summary
        assert len(plan_route(SSH(host="box", proxy_jump="bastion"))) == 2
        assert len(plan_route(SSH(host="fox"))) == 1

    def test_jump_hosts(self, config) -> None:
        """Several hops, each with its own part of the ssh_config; users, ports and IPv6 in the list."""
        config(
            "Host first\n HostName 10.0.0.1\n User one\n ProxyJump zero\nHost box\n ProxyJump first,two@[::2]:2022,ssh://third:23\n"
        )
        route = plan_route(SSH(host="box", user="me"))

        assert [(hop.host, hop.port) for hop in route] == [
            ("zero", 22),
            ("10.0.0.1", 22),
            ("::2", 2022),
            ("third", 23),
            ("box", 22),
        ]
        assert [hop.user for hop in route] == [getpass.getuser(), "one", "two", getpass.getuser(), "me"]

    def test_a_circle_of_jump_hosts_is_told(self, config) -> None:
        """Jump hosts that lead to each other end with an error."""
        config("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")

        assert "round in a circle" in failure(SSH(host="a")).summary

    def test_a_malformed_jump_host_is_told(self) -> None:
        """The offending part is shown."""
        assert "'a:b:c'" in failure(SSH(host="box", proxy_jump="ok,a:b:c")).summary


class TestJump:
    def test_through_two_sshds(self, sshd, start_sshd, open_ssh, tmp_path) -> None:
        """Over two jump hosts to a third sshd, each verified, the key of the inventory used for all."""
        first, second = start_sshd(), start_sshd()
        known = tmp_path / "known"
        known.write_text(first.known_line + second.known_line + sshd.known_line)
        jumps = f"{getpass.getuser()}@127.0.0.1:{first.port},{getpass.getuser()}@127.0.0.1:{second.port}"
        transport = open_ssh(sshd.settings(known_hosts=known, proxy_jump=jumps))
        data = bytes(range(256)) * 20_000

        assert transport.execute("cat", data, Deadline(60)).stdout == data
        assert [server.log.count("Connection from") for server in (first, second, sshd)] == [1, 1, 1]
        assert [server.log.count("Starting session") for server in (first, second, sshd)] == [0, 0, 1]

    def test_each_hop_is_verified(self, sshd, start_sshd) -> None:
        """An unknown jump host is refused, though the machine behind it is known."""
        jump = start_sshd()
        settings = sshd.settings(proxy_jump=f"127.0.0.1:{jump.port}")
        with pytest.raises(TransportError, match=rf"host key of 127.0.0.1 port {jump.port} is not known") as caught:
            SSHTransport(settings).connect(Deadline(20))

        assert caught.value.stage is ReachStage.AUTHENTICATE
        assert "Connection from" not in sshd.log

    def test_the_machine_behind_is_verified(self, sshd, start_sshd) -> None:
        """An unknown machine behind a known jump host is refused."""
        jump = start_sshd()
        settings = sshd.settings(known_hosts=jump.folder / "known_hosts", proxy_jump=f"127.0.0.1:{jump.port}")
        with pytest.raises(TransportError, match=rf"host key of 127.0.0.1 port {sshd.port} is not known"):
            SSHTransport(settings).connect(Deadline(20))

    def test_a_refused_forward_is_told(self, sshd, start_sshd) -> None:
        """What the jump host cannot reach, or may not, is a CONNECT failure that names the hop."""
        jump = start_sshd()
        settings = sshd.settings(known_hosts=jump.folder / "known_hosts", port=1, proxy_jump=f"127.0.0.1:{jump.port}")
        with pytest.raises(TransportError, match=r"the jump host could not connect to 127\.0\.0\.1 port 1:") as caught:
            SSHTransport(settings).connect(Deadline(20))

        assert caught.value.stage is ReachStage.CONNECT

    def test_the_password_is_not_for_the_jump_host(self, lab_settings, lab_server) -> None:
        """A jump host that takes the machine's password is not given it."""
        settings = lab_settings.model_copy(update={"proxy_jump": f"octo@127.0.0.1:{lab_server.port}"})
        with pytest.raises(TransportError, match=r"jump host .* refused user octo .*tried nothing"):
            SSHTransport(settings).connect(Deadline(20))
