"""Secrets planted in every field and source of a run are in none of its outputs."""

from __future__ import annotations

import base64
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
  tentacle: {{servers: octo-1}}
servers:
  - name: octo-1
    portal: https://octo-1.example.com
    transport: {{kind: winrm, host: octo-1.example.com, user: 'CORP\\svc', password: '${{env:CANARY_PASSWORD}}'}}
tentacles:
  - name: t0
    waive: [{{code: TT205, reason: '{waived}'}}]
    transport: {{kind: ssh, host: t0, user: u, password: '${{file:secret.txt}}'}}
  - {{name: t1, transport: {{kind: ssh, host: t1, user: u, key: id, passphrase: '${{env:CANARY_PASSPHRASE}}'}}}}
  - {{name: t2, transport: {{kind: winrm, host: t2, user: u, password: {clear}}}}}
  - {{name: t3, transport: {{kind: ssh, host: t3, user: u, passphrase: '${{file:secret2.txt}}', key: id}}}}
  - {{name: t4, mode: polling, transport: {{kind: winrm, host: t4, user: u, password: '${{env:CANARY_PASSWORD}}'}}}}
"""

USERS_TEST = """
import os
import pytest

SECRET = os.environ["CANARY_LOG"]

def test_own(machine):
    print("printed", SECRET)
    assert SECRET == ""

@pytest.mark.skip(reason=SECRET)
def test_skipped(machine):
    pass
"""


class Canaries:
    """Secrets, each with a number of its own, that begin with QZ: found by that even where they are cut."""

    PATTERN = re.compile(r"QZ\d{5}[A-Z]X")

    def __init__(self) -> None:
        self._numbers = count()
        self.places: dict[str, str] = {}

    def one(self, place: str, kind: str = "A") -> str:
        """One secret of capitals and digits."""
        made = f"QZ{next(self._numbers):05d}{kind}X0123456789ABCDEF"
        self.places[made[:9]] = place
        return made

    def text(self, place: str) -> str:
        """A text with a secret of every kind, and one of the inventory's in clear and encoded."""
        secret = {kind: self.one(place, kind) for kind in "ABCDEFGHIJKLMN"}
        pair = base64.b64encode(f"svc:{KNOWN['CANARY_PASSWORD']}".encode()).decode()
        return "\n".join(
            (
                f"key API-{secret['A']} in a sentence",
                f"https://svc:{secret['B']}@octo-1.example.com:443/x?y=1",
                f"Server=db;User Id=sa;Password={secret['C']};Encrypt=true",
                f"Authorization: Bearer {secret['D']}",
                f"Set-Cookie: session={secret['E']}; Path=/",
                f"Tentacle.exe configure --password {secret['F']} --name x",
                f'<set key="Tentacle.Certificate">{secret["G"]}</set>',
                f'{{"apiKey": "{secret["H"]}"}}',
                f"-----BEGIN RSA PRIVATE KEY-----\n{secret['I']}\n-----END RSA PRIVATE KEY-----",
                f"MIIKvAIBAzCC{secret['J']}{'A' * 40}=",
                f"X-Octopus-ApiKey: {secret['K']}",
                f"http://proxy.example.com/?token={secret['L']}&x=1",
                f"master key: MasterKey={secret['M']}",
                f"Proxy-Authorization: Basic {secret['N']}",
                f"known {KNOWN['CANARY_PASSWORD']} {KNOWN['CANARY_PASSPHRASE']} {pair}",
            )
        )

    def short(self, place: str) -> str:
        """For a certificate's common name."""
        return f"API-{self.one(place)}"


KNOWN = {
    "CANARY_PASSWORD": "QZ9000" + "1AX-Pass wörd<&>'x",
    "CANARY_PASSPHRASE": "QZ9000" + "2AX-pass/phrase",
    "file": "QZ9000" + "3AX-in a file",
    "file2": "QZ9000" + "4AX-in another",
    "clear": "QZ9000" + "5AX-in-clear",
}
"""The inventory's own secrets."""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory):
    """A folder with an inventory, surveys full of secrets, a user's own test, and the environment for a run."""
    folder = tmp_path_factory.mktemp("planted")
    canaries = Canaries()
    (folder / "secret.txt").write_text(KNOWN["file"])
    (folder / "secret2.txt").write_text(KNOWN["file2"])
    (folder / "id").write_text("no key")
    text = INVENTORY.format(clear=KNOWN["clear"], waived=f"see https://x:{canaries.one('waiver')}@y/z")
    (folder / "prod.yaml").write_text(text, encoding="utf-8")
    environment = {name: KNOWN[name] for name in ("CANARY_PASSWORD", "CANARY_PASSPHRASE")}
    inventory = load([folder / "prod.yaml"], environment)
    surveys = planting.surveys_of(inventory, canaries.text, canaries.short)
    (folder / "surveys.json").write_text(store.dumps(surveys), encoding="utf-8")
    (folder / "test_users.py").write_text(USERS_TEST)
    environment |= {
        "CANARY_SURVEYS": str(folder / "surveys.json"),
        "CANARY_LOG": f"https://svc:{canaries.one('log')}@x/y {KNOWN['CANARY_PASSWORD']}",
        "PYTHONPATH": os.pathsep.join([str(Path(planting.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    return folder, environment, canaries


RUNS = {
    "short": (),
    "full, verbose": ("--output", "full", "-vv", "-o", "log_cli=true", "--log-cli-level=DEBUG", "-rA"),
    "pseudonyms": ("--pseudonyms", "--output", "full", "-v"),
    "workers": ("-n", "2", "-v"),
    "workers, pseudonyms": ("-n", "2", "--pseudonyms", "-rA"),
}


class TestSecrets:
    """Nothing that a machine, an inventory or a library says of a secret comes out of a run."""

    @pytest.mark.parametrize("options", RUNS.values(), ids=RUNS)
    def test_no_canary_is_in_any_output(self, planted, run_pytest, top: Path, tmp_path: Path, options):
        """Page, JSON, Markdown, JUnit, console, log, surveys, bundle, mapping: searched as text and decoded."""
        folder, environment, canaries = planted
        done = run_pytest(
            folder / "test_users.py", top / "tests_infra", "-p", "support.stand_in_collector", "-p", "no:cacheprovider",
            "--inventory", folder / "prod.yaml", "--junitxml", "j.xml", "--save-surveys", "s.json", "--bundle", "b.zip",
            "--html", "r.html", "--log-file", "log.txt", "--log-file-level", "DEBUG", *options,
            cwd=tmp_path, environment=environment,
        )  # fmt: skip
        texts = planting.texts_of(tmp_path, done)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "INTERNALERROR" not in done.stdout + done.stderr
        wanted = {"r.html", "r.json", "r.md", "j.xml", "log.txt", "s.json", "b.zip/surveys.json", "b.zip/report.html"}
        assert wanted <= texts.keys()
        if "-n" not in options:  # each worker begins the file anew
            assert "[removed: " in texts["log.txt"]
        leaks = {
            (name, match[0], canaries.places.get(match[0], "the inventory"))
            for name, text in texts.items()
            for match in canaries.PATTERN.finditer(text)
        }
        assert sorted(leaks)[:400] == []
