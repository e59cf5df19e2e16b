"""The log that Tentacle writes before it knows its home, wherever the account of a service has it."""

from __future__ import annotations

import pytest

TIME = "2026-11-22 03:04:05.0057"
FIRST = f"{TIME}   70      1  INFO  Tentacle version 8.3.3000 (8.3.3000) instance Tentacle\n"
FATAL = f"{TIME}   70      1  FATAL  Root element is missing.\n"
ROOTS = "/root/.local/share/Octopus/Logs/OctopusTentacle.txt"
BARE = "/Octopus/Logs/OctopusTentacle.txt"


@pytest.fixture
def sections():
    return {"logs"}


def early(ran):
    return [log for log in ran.survey.logs.data if log.account is not None]


def paths(ran):
    return [log.path for log in early(ran)]


def tentacle(machine, tools, **changes):
    """A Tentacle whose service differs from a healthy one's."""
    machine.service(**changes)
    machine.instance(tools.settings_file(tools.SETTINGS), folder="default")
    return machine


class TestWhere:
    def test_of_root(self, whole, shell):
        """In root's own data, with whose it is and what it says."""
        text = FIRST + FATAL
        whole.file(ROOTS, text)
        own, log = whole.survey(shell).survey.logs.data
        assert (own.account, own.instance, own.error) == (None, "Tentacle", None)
        assert (log.account, log.product, log.instance, log.path) == ("root", "tentacle", "", ROOTS)
        assert (log.size, log.complete, log.error) == (len(text), True, None)
        assert log.modified_utc
        assert [(record.signature, record.instance) for record in log.records] == [
            ("configuration-damaged", "Tentacle")
        ]

    def test_of_another_account(self, machine, tools, shell):
        """In the home that the system names for the account."""
        tentacle(machine, tools, account="octopus")
        machine.file("/home/octopus/.local/share/Octopus/Logs/OctopusTentacle.txt", FIRST + FATAL)
        machine.file(ROOTS, FIRST)
        ran = machine.survey(shell)
        assert [(log.account, log.path) for log in early(ran)] == [
            ("octopus", "/home/octopus/.local/share/Octopus/Logs/OctopusTentacle.txt")
        ]

    def test_without_getent(self, machine, tools):
        """The home stands in /etc/passwd, too."""
        tentacle(machine, tools, account="octopus")
        machine.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\noctopus:x:9:9:Octopus,,,:/var/octopus:/bin/sh\n")
        machine.file("/var/octopus/.local/share/Octopus/Logs/OctopusTentacle.txt", FIRST)
        machine.description["missing"] = ["getent"]
        assert paths(machine.survey()) == ["/var/octopus/.local/share/Octopus/Logs/OctopusTentacle.txt"]

    def test_without_a_folder_for_data(self, whole, shell):
        """Then it lies below the folder that the process works in, by default the root of all."""
        whole.file(BARE, FIRST)
        assert paths(whole.survey(shell)) == [BARE]

    @pytest.mark.parametrize(
        ("folder", "path"),
        [
            ("/opt/octopus/work", "/opt/octopus/work/Octopus/Logs/OctopusTentacle.txt"),
            ("!/opt/octopus/work", "/opt/octopus/work/Octopus/Logs/OctopusTentacle.txt"),
            ("~", "/root/Octopus/Logs/OctopusTentacle.txt"),
        ],
    )
    def test_the_units_folder(self, machine, tools, folder, path):
        """As the unit says: a folder, one that may be missing, the account's home."""
        tentacle(machine, tools, working_folder=folder)
        machine.file(path, FIRST)
        assert paths(machine.survey()) == [path]

    @pytest.mark.parametrize(
        ("environment", "path"),
        [
            ({"DefaultLogDirectory": "/var/log/early logs"}, "/var/log/early logs/OctopusTentacle.txt"),
            ({"XDG_DATA_HOME": "/var/data"}, "/var/data/Octopus/Logs/OctopusTentacle.txt"),
            ({"HOME": "/var/home"}, "/var/home/.local/share/Octopus/Logs/OctopusTentacle.txt"),
        ],
    )
    def test_the_units_environment(self, machine, tools, shell, environment, path):
        """What the unit sets goes first."""
        tentacle(machine, tools, environment=environment)
        machine.file(path, FIRST)
        assert paths(machine.survey(shell)) == [path]

    def test_an_environment_file(self, machine, tools):
        """The same variable in a file of the unit's."""
        tentacle(machine, tools, environment_files=["/etc/default/tentacle"])
        machine.file("/etc/default/tentacle", 'DefaultLogDirectory="/var/log/early"\n')
        machine.file("/var/log/early/OctopusTentacle.txt", FIRST)
        assert paths(machine.survey()) == ["/var/log/early/OctopusTentacle.txt"]


class TestOnce:
    def test_two_services_of_one_account(self, machine, tools):
        """They write into the same file, which is read once."""
        tentacle(machine, tools)
        machine.service(name="Second", command="/opt/octopus/tentacle/Tentacle run --instance=Second")
        machine.file(ROOTS, FIRST)
        assert paths(machine.survey()) == [ROOTS]

    def test_an_instances_own_log(self, machine, tools):
        """DefaultLogDirectory may lead to it: then it is the instance's own, and no other."""
        tentacle(machine, tools, environment={"DefaultLogDirectory": "/etc/octopus/default/Logs/"})
        machine.file("/etc/octopus/default/Logs/OctopusTentacle.txt", FIRST + FATAL)
        (log,) = machine.survey().survey.logs.data
        assert log.account is None

    def test_a_servers_account(self, machine, tools):
        """Octopus Server's service says nothing of where Tentacle writes."""
        machine.service(name="octopusserver", command="/opt/octopus/server/Octopus.Server run --instance=OctopusServer")
        machine.instance(tools.settings_file(tools.SETTINGS), name="OctopusServer", kind="OctopusServer")
        machine.file(ROOTS, FIRST)
        assert early(machine.survey()) == []


class TestBounds:
    def test_large(self, whole, shell):
        """Of a large one the last 200,000 bytes are read."""
        whole.file(ROOTS, FIRST * 20_000 + FATAL)
        (log,) = early(whole.survey(shell))
        assert (log.complete, log.read) == (False, 200_000 // len(FIRST))
        assert log.records[-1].text == "Root element is missing."

    def test_absent_empty_or_refused(self, whole):
        """Without a word: a healthy machine has none, and whoever may not read it learns from the instance's own."""
        (own,) = whole.survey().survey.logs.data
        assert own.account is None
        whole.file(ROOTS, "")
        assert early(whole.survey()) == []
        whole.file(ROOTS, FIRST)
        whole.description["denied"] = [ROOTS]
        for stand_in in (whole.folder / "bin").iterdir():
            stand_in.unlink()
        (whole.folder / "bin").rmdir()
        (own,) = whole.survey().survey.logs.data
        assert (own.account, own.error) == (None, None)
