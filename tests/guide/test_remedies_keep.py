"""What a remedy must leave as it works: other nodes of a server, a cluster, a second instance, a shared certificate."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.acting.mendable import commands_of
from pytest_tentacle.diagnosis.base_facts import base_facts
from pytest_tentacle.guide.commands import CLEAN_LINUX, CLEAN_WINDOWS, NEW_CERTIFICATE, TRUST_ANEW, TRUST_SERVER
from pytest_tentacle.guide.remedies import fill
from support.fleets.whole import Whole, wide_fleet
from support.setups.addresses import two_nodes
from support.setups.documented.machines import service_of_a_file_of_settings
from support.setups.machines import several_instances


def facts_of(world: Whole, name: str) -> dict[str, Any]:
    """What is known of a machine for any command."""
    return base_facts(world.fleet().subject(name))


class TestNodes:
    """High availability: `configure --reset-trust` forgets every node, and `register-with` brings back one."""

    def test_each_other_node_is_polled_again(self) -> None:
        """Before the restart, by an address that a person knows."""
        world = wide_fleet()
        two_nodes(world, "poll-01")
        lines = fill(TRUST_ANEW[1], "linux", facts_of(world, "poll-01"))
        calls = [line.split(" --")[0].rsplit(maxsplit=1)[-1] for line in lines if line.startswith("$ ")]
        assert calls == ["configure", "register-with", "poll-server", "Tentacle.service"]
        assert 'poll-server --instance Tentacle --server "<portal>"' in "\n".join(lines)

    def test_a_single_node(self) -> None:
        assert "poll-server" not in "\n".join(fill(TRUST_ANEW[1], "linux", facts_of(wide_fleet(), "poll-01")))


class TestCluster:
    """A failover cluster takes a stop that is not its own for a failure."""

    def test_restarts_the_service_itself(self) -> None:
        world = wide_fleet()
        world["web-01"].service |= {"cluster": {"resource": "Octopus"}}
        lines = fill(TRUST_SERVER[0], "windows", facts_of(world, "web-01"))
        assert lines[-2:] == ("$ Stop-ClusterResource -Name Octopus", "$ Start-ClusterResource -Name Octopus")
        assert "Restart-Service" not in "\n".join(lines)

    def test_is_not_asked_by_us(self) -> None:
        """What `mend` would run is left to a person."""
        found = type("Found", (), {"kind": type("K", (), {"code": "TC2021"}), "facts": {"clustered": True}})
        assert "failover cluster" in commands_of(found, is_windows=True).by_hand  # type: ignore[arg-type]

    def test_without_one(self) -> None:
        assert fill(TRUST_SERVER[0], "windows", facts_of(wide_fleet(), "web-01"))[-1].startswith("$ Restart-Service")


class TestSecondInstance:
    def test_keeps_the_program(self) -> None:
        world = wide_fleet()
        several_instances(world, "web-01")
        facts = facts_of(world, "web-01")
        assert "Uninstall-Package" not in "\n".join(fill(CLEAN_WINDOWS, "windows", facts))
        assert "apt-get" not in "\n".join(fill(CLEAN_LINUX, "linux", facts))

    def test_alone(self) -> None:
        facts = facts_of(wide_fleet(), "web-01")
        assert "Uninstall-Package" in "\n".join(fill(CLEAN_WINDOWS, "windows", facts))


class TestUnnamedInstance:
    def test_is_called_by_its_file(self) -> None:
        """What stands in no registry is not found by a name."""
        world = wide_fleet()
        service_of_a_file_of_settings(world, "web-01")
        lines = fill(TRUST_SERVER[0], "windows", facts_of(world, "web-01"))
        assert "configure --config 'C:\\Octopus\\Tentacle.config' --trust" in "\n".join(lines)
        assert "--instance" not in "\n".join(lines)


class TestSharedCertificate:
    def test_is_made_anew_for_all(self) -> None:
        """Nodes of a cluster, and machines from one exported certificate."""
        for declared in ({"shares_certificate": True}, {"cluster": "sql-role"}):
            world = wide_fleet()
            world["web-01"].declare(**declared)
            assert "--export-pfx" in "\n".join(fill(NEW_CERTIFICATE[0], "windows", facts_of(world, "web-01")))
        assert "--export-pfx" not in "\n".join(fill(NEW_CERTIFICATE[0], "windows", facts_of(wide_fleet(), "web-01")))
