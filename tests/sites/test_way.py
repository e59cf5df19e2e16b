"""Before anything is contacted: addresses, words of the command line, and what an inventory says of sites."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_tentacle.cli import main
from pytest_tentacle.inventory import InventoryError, load, without_credentials
from pytest_tentacle.inventory.secrets import Reference
from pytest_tentacle.sites.address import SitesError, Way

TWO = """
groups: {far: {site: north, transport: {kind: ssh, user: me, password: '${env:FAR}', key: /there/id_ed25519}}}
tentacles:
- {name: here-01, ip: 10.0.0.5, transport: {kind: ssh, user: me, password: '${env:HERE}'}}
- {name: north-01, ip: 10.0.0.5, groups: [far], secrets: worker}
- {name: north-02, ip: 10.0.0.6, groups: [far]}
"""


class TestAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "tls://scheduler:8786",
            "tls://[2001:db8::1]:8786",
            "tcp://127.0.0.2:8786",
            "tcp://[::1]:1",
            "tcp://localhost:1",
        ],
    )
    def test_taken(self, address: str) -> None:
        """Over TLS everywhere, without it on this machine alone."""
        assert Way.of(f"dask:{address}").address == address

    @pytest.mark.parametrize(
        "address", ["tcp://scheduler:8786", "tcp://10.0.0.1:8786", "tcp://localhost.example.com:1"]
    )
    def test_in_clear(self, address: str) -> None:
        """Passwords would travel there."""
        with pytest.raises(SitesError, match="is not encrypted: passwords and what machines say would travel in clear"):
            Way.of(f"dask:{address}")

    @pytest.mark.parametrize(
        "executor", ["tls://s:1", "ray:tls://s:1", "dask:", "dask:tls://s", "dask:ucx://s:1", "dask:tls://a b:1"]
    )
    def test_no_address(self, executor: str) -> None:
        """Told, with how it is written."""
        with pytest.raises(SitesError, match=r"tls://scheduler:8786"):
            Way.of(executor)


class TestInventory:
    @pytest.fixture
    def fleet(self, tmp_path: Path) -> Path:
        """Two machines of one address, of which one has a site."""
        path = tmp_path / "fleet.yaml"
        path.write_text(TWO)
        return path

    def test_sites_are_hosts_of_their_own(self, fleet: Path) -> None:
        """The same private address in two networks is two hosts."""
        here, north, _ = load([fleet], {"HERE": "a", "FAR": "b"}, elsewhere=True).tentacles
        assert (here.site, north.site) == (None, "north")
        assert here.host_key == "ssh://10.0.0.5:22"
        assert north.host_key == "north|ssh://10.0.0.5:22"

    def test_secrets_are_looked_up_where_it_says(self, fleet: Path) -> None:
        """One by the worker, who alone needs it; the others here."""
        found = [
            machine.transport.password for machine in load([fleet], {"HERE": "a", "FAR": "b"}, elsewhere=True).tentacles
        ]
        assert [type(password) is Reference for password in found] == [False, True, False]
        assert [password.get_secret_value() for password in found] == ["a", "${env:FAR}", "b"]
        with pytest.raises(InventoryError, match="FAR"):
            load([fleet], {"HERE": "a"}, elsewhere=True)  # of north-02

    def test_without_a_scheduler_all_is_as_ever(self, fleet: Path) -> None:
        """Paths are looked for here, and so is each secret."""
        with pytest.raises(InventoryError, match="id_ed25519"):
            load([fleet], {"HERE": "a", "FAR": "b"})

    def test_a_saved_one_keeps_the_site_alone(self, fleet: Path) -> None:
        """It tells no reference."""
        saved = without_credentials(load([fleet], {"HERE": "a", "FAR": "b"}, elsewhere=True))
        assert [machine.site for machine in saved.tentacles] == [None, "north", "north"]
        assert "FAR" not in saved.model_dump_json()

    def test_a_name_that_is_no_resource(self, fleet: Path) -> None:
        """It stands in a command line of the engine."""
        fleet.write_text(TWO.replace("site: north", "site: 'north, south=1'"))
        with pytest.raises(InventoryError, match="site"):
            load([fleet], {"HERE": "a", "FAR": "b"}, elsewhere=True)


class TestWords:
    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--executor=dask:tcp://10.0.0.1:8786"], "is not encrypted"),
            (["--executor=dask:tls://127.0.0.1:1"], "--executor-ca and --executor-cert"),
            (["--executor=dask:tls://127.0.0.1:1", "--executor-ca=nothing.pem"], "there is no file nothing.pem"),
            (["--executor=dask:tcp://127.0.0.1:1", "--limit=here-01"], "none of these machines has a site"),
            (["--executor=dask:tcp://127.0.0.1:1"], "the scheduler tcp://127.0.0.1:1 cannot be reached"),
        ],
        ids=["in clear", "no certificate", "no file", "no site", "nobody there"],
    )
    def test_wrong_use(self, run_pytest, tmp_path: Path, words: list[str], told: str) -> None:
        """Exit code 4, in a sentence; no machine was contacted."""
        (tmp_path / "f.yaml").write_text(
            "tentacles: [{name: far-01, ip: 127.0.0.1, site: north, transport: local}, {name: here-01, transport: none}]"
        )
        done = run_pytest("--inventory=f.yaml", *words, "-p", "no:cacheprovider", cwd=tmp_path)
        assert told in done.stdout + done.stderr
        assert done.returncode == 4
        assert "surveying" not in done.stdout

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["--site", "north", "--scheduler", "tcp://10.0.0.1:8786"], "is not encrypted"),
            (["--site", "a,b", "--scheduler", "tls://s:8786"], "letters, digits"),
        ],
    )
    def test_a_worker_that_cannot_be(self, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
        """Exit code 2, before the engine is asked."""
        assert main(["worker", *words]) == 2
        assert told in capsys.readouterr().err

    def test_the_engine_is_imported_by_those_who_ask_for_it(self) -> None:
        """Neither the plugin nor the command needs it."""
        program = "import sys, pytest_tentacle.plugin, pytest_tentacle.run.session, pytest_tentacle.cli.worker; "
        program += "sys.exit(any(name.partition('.')[0] in ('distributed', 'dask') for name in sys.modules))"
        assert subprocess.run([sys.executable, "-c", program]).returncode == 0
