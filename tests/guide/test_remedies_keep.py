"""What a remedy must leave as it works: other nodes of a server, a cluster, a second instance, a shared certificate."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.acting.mendable import commands_of
from pytest_tentacle.diagnosis import CAUSES, diagnose
from pytest_tentacle.diagnosis.base_facts import base_facts
from pytest_tentacle.guide.commands import (
    BY_ITSELF_WINDOWS,
    CLEAN_LINUX,
    CLEAN_WINDOWS,
    DELAYED_WINDOWS,
    INSTALL,
    NEW_CERTIFICATE,
    OTHER_MODE,
    OWN_IDENTITY,
    RESTART_WINDOWS,
    TRUST_ANEW,
    TRUST_FIRST,
    TRUST_SERVER,
    fitting,
)
from pytest_tentacle.guide.remedies import fill
from pytest_tentacle.sections import STEPS, applicable
from pytest_tentacle.sections.catalogue import CATALOGUE
from support.faults.logs import not_collected
from support.fleets.whole import Whole, wide_fleet
from support.setups.addresses import two_nodes
from support.setups.documented.machines import service_of_a_file_of_settings
from support.setups.machines import several_instances, user_of_its_own


def facts_of(world: Whole, name: str) -> dict[str, Any]:
    """What is known of a machine for any command."""
    return base_facts(world.fleet().subject(name))


def diagnosed(world: Whole) -> list[Any]:
    """The causes that are found."""
    fleet = world.fleet()
    results = [each.result(step.slug) for each in fleet.subjects for step in STEPS if applicable(step.slug, each)]
    return list(diagnose(fleet, results).views())


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

    def test_each_is_polled_where_none_was(self) -> None:
        """The list is empty, and the inventory has two nodes."""
        world = wide_fleet()
        two_nodes(world, "poll-01")
        world["poll-01"].trusted = []
        facts = facts_of(world, "poll-01") | {"mistrusts": True}
        lines = [line for line in fill(TRUST_FIRST[1], "linux", facts) if line.startswith("$ ")]
        assert ["register-with" in lines[0], "poll-server" in lines[1], "restart" in lines[2]] == [True] * 3
        assert "poll-server" not in "\n".join(fill(TRUST_FIRST[1], "linux", facts_of(wide_fleet(), "poll-01")))

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

    def test_no_node_starts_it_by_itself(self) -> None:
        """Nor later than the others."""
        facts = {"clustered": True, "resource": "Octopus", "service": "T"}
        for line in (BY_ITSELF_WINDOWS, DELAYED_WINDOWS):
            assert fill((line,), "windows", facts) == ()
            assert fill((line,), "windows", {"service": "T"})

    def test_a_copy_is_stopped_by_the_cluster(self) -> None:
        lines = fill(
            OWN_IDENTITY[0], "windows", {"clustered": True, "resource": "Octopus", "listening": True, "polling": False}
        )
        assert "$ Stop-ClusterResource -Name Octopus" in lines
        assert "service --stop" not in "\n".join(lines)


class TestUnitOfAnotherName:
    def test_a_copy_is_really_stopped(self) -> None:
        """`Tentacle service --stop` asks for a unit called after the instance, and leaves a role's own one running."""
        lines = fill(
            OWN_IDENTITY[1], "linux", {"service": "octopus-tentacle.service", "listening": True, "polling": False}
        )
        assert next(line for line in lines if line.startswith("$ ")) == "$ sudo systemctl stop octopus-tentacle.service"


class TestNames:
    """`--force` takes over whichever machine has the name."""

    def test_the_portals_own(self) -> None:
        world = wide_fleet()
        world.register("poll-01", name="PRD-POLLER-A")
        assert facts_of(world, "poll-01")["name"] == "PRD-POLLER-A"

    def test_two_of_them(self) -> None:
        world = wide_fleet()
        world.register("poll-01", name="A")
        world.register("poll-01", name="B", space="Ops", space_id="Spaces-2")
        assert "name" not in facts_of(world, "poll-01")

    def test_where_nobody_asked(self) -> None:
        assert facts_of(wide_fleet(), "poll-01")["name"] == "poll-01"

    def test_a_service_with_brackets(self) -> None:
        """`Web[12]` as a pattern would be Web1 and Web2: other instances of the machine."""
        (line,) = fill((RESTART_WINDOWS,), "windows", {"service": "OctopusDeploy Tentacle: Web[12]"})
        assert line == "$ Restart-Service -Name 'OctopusDeploy Tentacle: Web`[12`]'"
        (line,) = fill((BY_ITSELF_WINDOWS,), "windows", {"service": "OctopusDeploy Tentacle: Web[12]"})
        assert line.startswith("$ Set-Service -Name 'OctopusDeploy Tentacle: Web[12]'")


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
            lines = fill(NEW_CERTIFICATE[0], "windows", facts_of(world, "web-01"))
            calls = [line for line in lines if line.startswith("$ &")]
            assert ["--export-pfx" in calls[0], "import-certificate" in calls[1], len(calls)] == [True, True, 2]
        assert "--export-pfx" not in "\n".join(fill(NEW_CERTIFICATE[0], "windows", facts_of(wide_fleet(), "web-01")))


class TestOlderTentacle:
    """What the installed version does not know is not printed: behind --reset-trust it would leave a Tentacle without trust."""

    @staticmethod
    def told(version: str | None, lines: tuple[str, ...], **facts: object) -> list[str]:
        world = wide_fleet()
        (own,) = world.sections["poll-01"]["products"]
        world.sections["poll-01"]["products"] = (own.model_copy(update={"version": version}),)
        return list(fill(lines, "linux", facts_of(world, "poll-01") | facts))

    def test_a_port_instead_of_an_address(self) -> None:
        """register-with has --server-comms-address since 6.3.341."""
        for version, has_port in (("6.3.340", True), ("3.14.15", True), ("6.3.341", False), ("9.1.3268", False)):
            text = "\n".join(self.told(version, TRUST_ANEW[1]))
            assert ("--server-comms-port 10943" in text, "--server-comms-address https:" in text) == (
                has_port,
                not has_port,
            )

    def test_is_said_before_the_list_is_emptied(self) -> None:
        lines = self.told("6.2.277", TRUST_ANEW[1])
        (said,) = [at for at, line in enumerate(lines) if "Tentacle 6.2.277 has no --server-comms-address" in line]
        assert lines[said + 1].startswith("$ ")
        assert "--reset-trust" in lines[said + 1]

    def test_a_version_that_nobody_knows(self) -> None:
        text = "\n".join(self.told(None, TRUST_ANEW[1]))
        assert "A Tentacle before 6.3.341" in text
        assert "--server-comms-address https:" in text

    def test_what_it_has_nothing_for(self) -> None:
        """No restart for nothing either."""
        facts = {"configured": "A" * 40, "thumbprint": "B" * 40, "replaceable": True, "unreplaceable": False}
        lines = self.told("3.23.0", TRUST_SERVER[1], **facts)
        assert [line for line in lines if line.startswith("$ ")] == []
        assert "3.23.0 has no update-trust (3.24.0 and later)" in lines[-1]
        assert "update-trust" in "\n".join(self.told("3.24.0", TRUST_SERVER[1], **facts)[1:])

    def test_is_not_tried_by_us(self) -> None:
        """`mend` would carry out the rest of the remedy."""
        kind = next(kind for kind in CAUSES if kind.code == "TC1014")
        facts = {"installed": "3.23.0", "replaceable": True, "in_file": True, "expected_thumbprint": "A" * 40,
                 "thumbprint": "B" * 40, "service": "Tentacle.service", "instance": "Tentacle", "tentacle": "/t"}  # fmt: skip
        found = type("Found", (), {"kind": kind, "facts": facts, "place": "a", "machine": "a", "confidence": "certain"})
        assert "too old" in commands_of(found, is_windows=False).by_hand  # type: ignore[arg-type]
        found.facts = facts | {"installed": "8.0.0"}
        assert "update-trust" in commands_of(found, is_windows=False).lines[0][0]  # type: ignore[arg-type]


class TestOtherMode:
    def test_it_listens_until_it_is_registered(self) -> None:
        """A refused registration leaves it as it was: nothing is forgotten, and its entry of listening does no harm."""
        facts = facts_of(wide_fleet(), "web-01") | {"to_poll": True, "to_listen": False}
        calls = [line for line in fill(OTHER_MODE[0], "windows", facts) if line.startswith("$ ")]
        assert ["register-with" in calls[0], "--noListen True" in calls[1], len(calls)] == [True, True, 3]
        assert "--reset-trust" not in "\n".join(calls)


class TestUserOfItsOwn:
    """A call by root at the right moment leaves the service's user a log that it may not write."""

    def test_the_log_is_given_back(self) -> None:
        world = wide_fleet()
        user_of_its_own(world, "poll-01")
        lines = fill(TRUST_ANEW[1], "linux", facts_of(world, "poll-01"))
        calls = [line for line in lines if line.startswith("$ ")]
        assert calls[-2:] == ["$ sudo chown octopus /logs/poll-01.txt", "$ sudo systemctl restart Tentacle.service"]
        assert "runs as octopus" in "\n".join(lines)
        assert "chown" not in "\n".join(fill(TRUST_ANEW[1], "linux", facts_of(wide_fleet(), "poll-01")))

    def test_once(self) -> None:
        """Lines that are for the machine already."""
        facts = {"runs_as": "octopus", "own_log": "/l", "installed": "9.1.3268", "polling": True, "listening": False}
        once = fitting(TRUST_ANEW[1], facts)
        assert fitting(once, facts) == once

    def test_not_for_the_service_manager(self) -> None:
        facts = {"runs_as": "octopus", "own_log": "/l"}
        assert fitting(INSTALL[1], facts) == INSTALL[1]


class TestHome:
    """`configure --home` leaves what lies in the home of before."""

    def test_stays_where_there_is_one(self) -> None:
        kind = CATALOGUE["TT137"]
        world = wide_fleet()
        assert "--home 'C:\\Octopus\\Tentacle'" in "\n".join(fill(kind.windows, "windows", facts_of(world, "web-01")))
        world["web-01"].settings["Octopus.Home"] = r"D:\Octopus"
        assert "--home" not in "\n".join(fill(kind.windows, "windows", facts_of(world, "web-01")))

    def test_a_backslash_at_its_end(self) -> None:
        """With a space in it, Windows PowerShell 5.1 lets it take the closing quote away."""
        (line,) = fill(('$ icacls "<home>" /grant x',), "windows", {"home": "D:\\Octopus Home\\"})
        assert line == "$ icacls 'D:\\Octopus Home' /grant x"
        (line,) = fill(('$ icacls "<home>" /grant x',), "windows", {"home": "D:\\"})
        assert line == "$ icacls 'D:\\' /grant x"


class TestPollingConnections:
    def test_are_never_made_fewer(self) -> None:
        """A worker with eight that are all busy gets more, and not five."""
        world = wide_fleet()
        not_collected(world)
        (held,) = world.sections["poll-01"]["connections"]
        world.sections["poll-01"]["connections"] = tuple(
            held.model_copy(update={"local_port": 50_000 + number}) for number in range(8)
        )
        (own,) = world.sections["poll-01"]["products"]
        world.sections["poll-01"]["products"] = (own.model_copy(update={"version": "9.2.4154"}),)
        (cause,) = [each for each in diagnosed(world) if each.code == "TC1151"]
        assert "--pollingConnectionCount 16" in "\n".join(cause.remedy_linux)
