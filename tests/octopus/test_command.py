"""`pytest-tentacle inventory SOURCE`: what it prints loads again, and holds no secret."""

from __future__ import annotations

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.loading import OctopusSource
from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.lab.portal import PortalData, Space, machine
from pytest_tentacle.run.octopus import OctopusSession
from pytest_tentacle.survey.store import dumps
from support.fleets.certificates import thumbprint
from support.fleets.whole import wide_fleet

from .conftest import KEY


@pytest.fixture
def printed(capsys, tmp_path):
    """Runs the command; the file that it printed, or its error."""

    def run(*arguments: str):
        code = main(["inventory", *arguments])
        out, error = capsys.readouterr()
        path = tmp_path / "printed.yaml"
        path.write_text(out, encoding="utf-8")
        return (path, out) if code == 0 else error

    return run


class TestOctopus:
    def test_loads_again(self, printed, serve, monkeypatch):
        """The same machines, groups and servers, without asking anybody."""
        monkeypatch.setenv("OCTOPUS_API_KEY", KEY)
        data = PortalData(
            spaces=[
                Space(
                    machines=[
                        machine(1, "web [1]", "https://web-01:10934/", "A" * 40),
                        machine(2, "poll", "poll://x/", "B" * 40),
                    ]
                )
            ]
        )
        path, text = printed(f"octopus:{serve(data).url}")
        inventory = load([path], {})
        assert [(t.name, t.port, t.servers) for t in inventory.tentacles] == [
            ("web (1)", 10934, ("octo-1",)),
            ("poll", None, ("octo-1",)),
        ]
        assert "env:Production" in inventory.tentacles[0].groups
        assert KEY not in text

    def test_failure_is_a_line(self, printed, monkeypatch):
        """Without a key, what to set."""
        monkeypatch.delenv("OCTOPUS_API_KEY", raising=False)
        monkeypatch.delenv("OCTOPUS_ACCESS_TOKEN", raising=False)
        assert "set OCTOPUS_API_KEY" in printed("octopus:https://octopus.invalid")

    def test_token_of_the_file(self, serve):
        """It wins over a key of the environment, and is a secret like all others."""
        session = OctopusSession({"OCTOPUS_API_KEY": "API-OF-ANOTHER"})
        assert session.ask(OctopusSource(serve().url, token=Secret(KEY))).version
        assert session.secrets() == {KEY}


LOG_ON = {"TENTACLE_USER": "me", "TENTACLE_PASSWORD": "x"}


class TestSurvey:
    """A run of healthy machines as the expectations of later ones."""

    @pytest.fixture
    def saved(self, tmp_path):
        """Writes a fleet's surveys to a file."""

        def save(world):
            path = tmp_path / "run.json"
            path.write_text(dumps(world.surveys()), encoding="utf-8")
            return f"survey:{path}"

        return save

    def test_healthy(self, printed, saved):
        """Mode, port, thumbprint, system and instance are asserted from then on."""
        world = wide_fleet()
        for name in ("web-01", "poll-01"):
            world[name].declare(mode=None, port=None, thumbprint=None, os=None)
        path, text = printed(saved(world))
        inventory = load([path], LOG_ON)
        web, poll = inventory.find("web-01"), inventory.find("poll-01")
        assert (web.mode, web.port, web.thumbprint, web.os, web.instance) == (
            "listening", 10933, thumbprint("web-01"), "windows", "Tentacle",
        )  # fmt: skip
        assert (poll.mode, poll.port, poll.thumbprint, poll.os) == ("polling", None, thumbprint("poll-01"), "linux")
        assert inventory.find("octo-1").thumbprint == thumbprint("octopus")
        assert web.transport.kind == world["web-01"].machine.transport.kind
        assert "machines are healthy" in text
        assert "Not healthy" not in text

    def test_what_is_wrong_is_no_expectation(self, printed, saved):
        """A machine with a problem keeps what was declared of it, and is named."""
        world = wide_fleet()
        world["web-01"].declare(mode=None, port=None, thumbprint=None)
        world.down("web-01")
        path, text = printed(saved(world))
        web = load([path], LOG_ON).find("web-01")
        assert (web.mode, web.port, web.thumbprint) == (None, None, None)
        assert "Not healthy, so only what was declared of them stands here:" in text
        assert "web-01" in text.split("Not healthy")[1].splitlines()[0]

    def test_no_survey(self, printed, tmp_path):
        """A sentence."""
        (tmp_path / "x.json").write_text("{}")
        assert "x.json" in printed(f"survey:{tmp_path / 'x.json'}")


class TestOthers:
    def test_table(self, printed, tmp_path):
        """A password of the table is not written."""
        (tmp_path / "m.csv").write_text("name,transport,user,password\nweb-01,ssh,me,geheim\n")
        path, text = printed(f"csv:{tmp_path / 'm.csv'}")
        assert "geheim" not in text
        assert load([path], {"TENTACLE_PASSWORD": "x"}).tentacles[0].transport.user == "me"

    def test_what_is_none(self, printed, tmp_path):
        """A faulty table, and a file of ours."""
        (tmp_path / "m.csv").write_text("host\nx\n")
        assert "no column name" in printed(f"csv:{tmp_path / 'm.csv'}")
        assert "is no source to take an inventory from" in printed(str(tmp_path / "prod.yaml"))
