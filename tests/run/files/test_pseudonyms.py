"""Names planted in every field of a run are in none of its outputs under --pseudonyms, and its bundle says the same."""

from __future__ import annotations

import ipaddress
import json
import os
import re
from itertools import count
from pathlib import Path

import pytest

from pytest_tentacle.inventory import load
from pytest_tentacle.survey import store
from support import planting

INVENTORY = """
defaults:
  tentacle: {servers: zq90001octo}
servers:
  - name: zq90001octo
    dns_name: zq90001octo.zq90002corp.test
    ip: fd12:3456:789a::1
    addresses: [octopus.zq90003web.com]
    portal: https://zq90004portal.zq90002corp.test
    transport: {kind: winrm, host: zq90001octo.zq90002corp.test, user: 'ZQ90005CORP\\zq90006svc', password: '${env:P}'}
tentacles:
  - {name: zq90007a, ip: fd12:3456:789a::2, transport: {kind: ssh, host: zq90007a, user: zq90008u, proxy_jump: 'zq90009j@zq90010jump:22'}}
  - {name: Zq90011B, waive: [{code: TT205, reason: ask zq90012p@zq90013mail.org}], transport: {kind: winrm, host: zq90011b, user: zq90014u@zq90015ad.net, password: '${env:P}'}}
  - {name: zq90016c, dns_name: zq90016c.zq90017lab, mode: polling, transport: local}
  - {name: zq90018d, transport: {kind: ssh, host: zq90019mgmt.zq90002corp.test, user: zq90008u}}
"""

USERS_TEST = """
def test_own(machine):
    print("printed", machine.name, "CORP")
    assert machine.name == ""
"""


class Canaries:
    """Names, each with a number of its own, that begin with zq; and addresses of one network."""

    PATTERN = re.compile(r"(?i)zq\d{5}")
    NETWORK = ipaddress.ip_network("fd12:3456:789a::/48")
    HOSTS = ("hostname", "fqdn", "host", "proxy", "endpoint")
    USERS = ("user", "account", "owner")

    def __init__(self) -> None:
        self._numbers = count()
        self.places: dict[str, str] = {}

    def _new(self, place: str) -> str:
        made = f"zq{next(self._numbers):05d}"
        self.places[made] = place
        return made

    def address(self) -> str:
        return str(self.NETWORK.network_address + (next(self._numbers) << 40) + 5)

    def text(self, place: str) -> str:
        """A bare name where a field is for one, on every other machine; else a text with everything that is known."""
        last = place.rpartition(".")[2]
        if place.startswith(("zq90007a", "zq90016c", "own1")):
            if last in self.HOSTS:
                return f"{self._new(place)}h.{self._new(place)}.example"
            if last in self.USERS:
                return f"{self._new(place)}dom\\{self._new(place)}u"
        new = [self._new(place) for _ in range(8)]
        return "\n".join(
            (
                f"zq90001OCTO and {new[0]}.zq90002corp.test, of zq90018d at {self.address()}",
                f"account ZQ90005CORP\\{new[1]} and {new[2]}@{new[3]}.org, not zq90006svc",
                f"https://{new[4]}.{new[5]}.co:443/ and C:\\Users\\{new[6]}\\x or /home/{new[7]}/y",
                f"[{self.address()}]:10933, {self.address()}/64",
            )
        )

    def short(self, place: str) -> str:
        """For a certificate's common name."""
        return f"{self._new(place)}.{self._new(place)}.test"


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory):
    """A folder with an inventory, surveys full of names, a user's own test, and the environment for a run."""
    folder = tmp_path_factory.mktemp("planted") / "zq90020"
    folder.mkdir()
    canaries = Canaries()
    (folder / "zq90021prod.yaml").write_text(INVENTORY, encoding="utf-8")
    inventory = load([folder / "zq90021prod.yaml"], {"P": "x1y2z3"})
    surveys = planting.surveys_of(inventory, canaries.text, canaries.short)
    (folder / "surveys.json").write_text(store.dumps(surveys), encoding="utf-8")
    (folder.parent / "test_users.py").write_text(USERS_TEST)  # a traceback shows the path of the test itself
    environment = {
        "P": "x1y2z3",
        "CANARY_SURVEYS": str(folder / "surveys.json"),
        "CANARY_LOG": "https://zq90001octo.zq90002corp.test and fd12:3456:789a::1",
        "PYTHONPATH": os.pathsep.join([str(Path(planting.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    return folder, environment, canaries


RUNS = {
    "short": (),
    "full, verbose": ("--output", "full", "-vv", "-o", "log_cli=true", "--log-cli-level=DEBUG", "-rA"),
    "workers": ("-n", "2", "-v"),
}


class TestNames:
    """Hosts, users and addresses, wherever they stand."""

    @pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
    def test_no_name_is_in_any_output(self, planted, run_pytest, top: Path, tmp_path: Path, options):
        """Page, JSON, Markdown, JUnit, console, log, surveys, bundle: searched as text and decoded."""
        folder, environment, canaries = planted
        done = run_pytest(
            top / "tests_infra", folder.parent / "test_users.py", "-p", "support.stand_in_collector", "-p", "no:cacheprovider",
            "--rootdir", tmp_path, "--inventory", folder / "zq90021prod.yaml", "--junitxml", "j.xml",
            "--save-surveys", "s.json", "--bundle", "b.zip", "--html", "r.html", "--pseudonyms",
            "--log-file", "log.txt", "--log-file-level", "DEBUG", *options,
            cwd=tmp_path, environment=environment,
        )  # fmt: skip
        texts = planting.texts_of(tmp_path, done)
        mapping = json.loads(texts.pop("r.mapping.json"))
        assert mapping["hosts"]["zq90001octo"] == "host-001"
        assert done.returncode == 1, done.stdout + done.stderr
        assert "INTERNALERROR" not in done.stdout + done.stderr
        leaks = {
            (name, match[0], canaries.places.get(match[0].lower(), "the inventory"))
            for name, text in texts.items()
            for match in canaries.PATTERN.finditer(text)
        }
        assert sorted(leaks)[:40] == []
        real = {address for address in mapping["addresses"] if ipaddress.ip_address(address) in canaries.NETWORK}
        assert len(real) > 100
        shown = {word for text in texts.values() for word in re.findall(r"[0-9a-f:]{8,}", text)}
        assert real & shown == set()
