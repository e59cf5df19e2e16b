"""The JSON Schema and the example: each says what the loader does."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from pytest_tentacle.cli import main
from pytest_tentacle.inventory import load
from pytest_tentacle.inventory.schema import schema, schema_text

FOLDER = Path(__file__).parents[2] / "inventory"
EXAMPLE = FOLDER / "example.yaml"


def keys_of(part) -> set[str]:
    """All keys of maps that a schema describes."""
    if isinstance(part, list):
        return set().union(*map(keys_of, part)) if part else set()
    if not isinstance(part, dict):
        return set()
    return set(part.get("properties", ())).union(*map(keys_of, part.values())) if part else set()


def as_json(text: str):
    """A file's values as an editor has them: by YAML 1.2 a date is text."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))


def valid(text: str) -> bool:
    return jsonschema.Draft202012Validator(schema()).is_valid(as_json(text))


class TestSchema:
    def test_committed_schema_is_the_generated_one(self):
        """Write it anew with `python -m pytest_tentacle.inventory.schema > inventory/schema.json`."""
        assert (FOLDER / "schema.json").read_text(encoding="utf-8") == schema_text()

    def test_printed_as_committed(self):
        """The command prints the file, byte for byte."""
        command = [sys.executable, "-m", "pytest_tentacle.inventory.schema"]
        printed = subprocess.run(command, check=True, capture_output=True, timeout=60)
        assert printed.stdout == (FOLDER / "schema.json").read_bytes()
        assert printed.stderr == b""

    def test_is_a_schema(self):
        """It is a valid schema of its dialect, with nothing that the dialect does not know."""
        jsonschema.Draft202012Validator.check_schema(schema())
        assert json.loads(schema_text()) == schema()
        assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert not {'"ge"', '"le"'} & set(re.findall(r'"\w+"', schema_text()))

    def test_every_key_is_described(self):
        """Editors show a description with each key."""
        without = [
            f"{name}.{key}"
            for name, model in [*schema()["$defs"].items(), ("", schema())]
            for key, described in model.get("properties", {}).items()
            if not described.get("description")
        ]
        assert without == []

    @pytest.mark.parametrize(
        "text",
        [
            "tentacles: [{name: t, prot: 1}]",
            "tentacles: [{name: t, port: 70000}]",
            "tentacles: [{name: t, thumbprint: abc}]",
            "tentacles: [{mode: polling}]",
            "tentacles: [{name: t, transport: {kind: ssh, scheme: http}}]",
            "tentacles: [{name: t, mode: pulling}]",
            "tentacles: t",
            "tentacles: [{name: t, waive: [{code: TT205}]}]",
            "tentacles: [{name: t, waive: [{code: X1, reason: r}]}]",
            "tentacles: [{name: t, waive: [{code: TT205, reason: r, until: soon}]}]",
        ],
    )
    def test_refuses_what_the_loader_refuses(self, files, text):
        """Editors underline what loading would refuse."""
        assert not valid(text)
        assert files.faults(text)

    @pytest.mark.parametrize(
        "text",
        [
            "tentacles: [a, {name: b, transport: winrm, server: x, groups: [g]}]\ngroups: {g: }\nservers: [x]\nlab: true",
            "tentacles: [{name: b, transport: {user: x}}]\ndefaults: {tentacle: {transport: ssh}}",
            "tentacles: [{name: b, mode: }]\nservers: [{name: s, polling_ports: 443}, {name: t, polling_ports: [1, 2]}]",
            "tentacles: [{name: b, waive: [{code: TT205, reason: r, until: 2027-01-31}]}]",
        ],
    )
    def test_accepts_what_the_loader_accepts(self, files, text):
        """Editors leave in peace what loads."""
        assert valid(text)
        assert files.load(text).machines


class TestExample:
    def text(self) -> str:
        return EXAMPLE.read_text(encoding="utf-8")

    def test_loads(self):
        """It loads, without a warning, with the variables that it names."""
        environment = dict.fromkeys(re.findall(r"\$\{env:(OCTOPUS\w+)\}", self.text()), "x")
        inventory = load([EXAMPLE], environment)
        assert inventory.warnings == ()
        assert {"octo-1", "octopus-cloud", "web-01", "lin-01"} <= {machine.name for machine in inventory.machines}

    def test_is_valid(self):
        """It is valid by the schema that it names in its first line."""
        assert self.text().startswith("# yaml-language-server: $schema=schema.json\n")
        jsonschema.validate(as_json(self.text()), schema())

    def test_has_every_key(self):
        """Every key that there is occurs in it."""
        missing = {key for key in keys_of(schema()) if not re.search(rf"\b{key}:", self.text())}
        assert missing == set()

    def test_whole_short_inventory_in_its_heading(self, files):
        """The short inventory in its heading is whole: it loads as it stands there."""
        lines = re.findall(
            r"^#     ( *(?:defaults|tentacle|transport|servers|tentacles|- ).*)$", self.text(), re.MULTILINE
        )
        short = "\n".join(line for line in lines)
        assert len(short.splitlines()) <= 10
        inventory = files.load(short, OCTOPUS_CHECK_PASSWORD="x")
        assert [machine.name for machine in inventory.tentacles] == ["web-01.example.com", "web-02.example.com"]
        assert inventory.tentacles[0].servers == ("octopus.example.com",)


class TestCommand:
    def test_it_is_printed(self, capsys):
        """`pytest-tentacle schema`, for whoever has no checkout: the file that the source has."""
        assert main(["schema"]) == 0
        assert capsys.readouterr().out == (FOLDER / "schema.json").read_text(encoding="utf-8")
