"""Faults of whole files, of many files, and all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tentacle.inventory import InventoryError, faults, load, nodes


class TestFiles:
    def test_missing(self, files):
        """A file that is not there is told by its path, with the nearest name beside it."""
        files.write("tentacles: [t]", "prod.yaml")
        path = files.folder / "prd.yaml"
        with pytest.raises(InventoryError) as caught:
            load([path], {})
        assert [str(fault) for fault in caught.value.faults] == [
            f"{path}: there is no such file; did you mean 'prod.yaml'?",
        ]

    def test_in_a_missing_folder(self, tmp_path):
        """A path whose folder is missing too is no other case."""
        path = tmp_path / "no" / "prod.yaml"
        with pytest.raises(InventoryError, match="there is no such file"):
            load([path], {})

    def test_folder(self, tmp_path):
        """A folder is called one."""
        with pytest.raises(InventoryError) as caught:
            load([tmp_path], {})
        assert str(caught.value.faults[0]) == f"{tmp_path}: cannot be read: it is a folder; name a file in it"

    def test_given_twice(self, files):
        """A file that is given twice is one fault, not one for each of its machines."""
        path = files.write("tentacles: [a, b, c]")
        with pytest.raises(InventoryError) as caught:
            load([path, Path(str(path))], {})
        assert [fault.message for fault in caught.value.faults] == ["the file is given twice"]

    def test_no_file(self):
        """An inventory of no file has no machine."""
        with pytest.raises(InventoryError, match="no machine is declared"):
            load([], {})

    def test_name_in_two_files(self, files):
        """A name in two files is told at the second one, and the first is named."""
        (told,) = files.faults("tentacles: [a]", "servers:\n  - b\n  - a")
        # Servers come before Tentacles within a file; across files, the file that is given first is the first.
        assert told.startswith("b.yaml:3:5: the name is given twice: 'a'; first at ")
        assert told.endswith("prod.yaml:1:13")


class TestNesting:
    def test_too_deep(self, files):
        """Brackets without end are refused, not a RecursionError."""
        assert files.faults("tentacles: " + "[" * 5000) == ["prod.yaml: nested too deeply"]

    def test_aliases_that_multiply(self, files):
        """A few lines of aliases that stand for a billion values are refused at once."""
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
        (told,) = files.faults("\n".join(lines))
        assert "more than 300,000 values" in told


class TestOtherForms:
    """A file that is no inventory of ours is called what it is, with the option that reads it."""

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("# ours\n[web]\nweb-01 ansible_host=192.0.2.1\n", "Ansible's INI: --inventory=ansible:FILE reads it"),
            ("name,host\nweb-01,192.0.2.1\n", "a table: --inventory=csv:FILE reads it"),
            ("name;host\nweb-01;192.0.2.1\n", "a table: --inventory=csv:FILE reads it"),
            ('{"format": 3, "records": []}', "this is a survey file, no inventory; --replay=FILE reads it"),
            ('{"machines": [], "causes": []}', "this is the report of a run, no inventory; --compare=FILE reads it"),
        ],
    )
    def test_told(self, files, text, told):
        """In one line."""
        (fault,) = files.faults(text)
        assert told in fault


class TestTime:
    """What is refused is refused soon: no work grows with the square of a file's length."""

    def test_misspelt_names_are_compared_for_a_while(self, files, monkeypatch):
        """Thousands of them, each near none of thousands of names: only the first are compared with all others."""
        compared = []
        near = faults.did_you_mean
        monkeypatch.setattr(
            faults, "did_you_mean", lambda word, choices: (compared.append(len(choices)), near(word, choices))[1]
        )
        count = 4_000
        groups = "".join(f"  g{number}: {{}}\n" for number in range(count))
        wrong = "".join(f"- {{name: t{number}, groups: [other-{number}]}}\n" for number in range(count))
        error = files.error(f"groups:\n{groups}tentacles:\n{wrong}")
        assert len(error.faults) == count
        assert 0 < sum(compared) <= 50_000

    def test_too_many_values_are_not_read_to_the_end(self, files, monkeypatch):
        """The reader stops at the first that is one too many."""
        monkeypatch.setattr(nodes, "MOST_NODES", 100)
        (fault,) = files.faults("tentacles:\n" + "- web\n" * 98 + "- [\n")
        assert "prod.yaml:" in fault
        assert "more than 100 values; name fewer machines" in fault


class TestAllAtOnce:
    def test_faults_of_all_files_in_order(self, files):
        """Every fault of every file is told in one go, sorted by file and line, each of another kind."""
        first = """
            tentacles:
              - {name: b, port: 99999, mode: pulling}
              - {name: a, transport: {kind: ssh, password: '${env:NO}'}}
        """
        second = "tentacles:\n  - {name: c, server: gone, thumbprint: 12}\n  - {naem: d}"
        told = files.faults(first, second)
        assert [line.split(": ")[0] for line in told] == [
            "prod.yaml:2:21",
            "prod.yaml:2:34",
            "prod.yaml:3:48",
            "b.yaml:2:23",
            "b.yaml:2:41",
            "b.yaml:3:5",
            "b.yaml:3:6",
        ]

    def test_what_many_inherit_is_told_once_where_it_is_written(self, files):
        """A fault in defaults or a group is one fault however many machines inherit it, and it is told there."""
        names = ", ".join(f"t{n}" for n in range(50))
        told = files.faults(
            f"defaults:\n  tentacle: {{server: octo, transport: {{kind: ssh, password: '${{env:NO}}'}}}}\n"
            f"tentacles: [{names}]"
        )
        assert told == [
            "prod.yaml:2:22: there is no such server: 'octo'; declare it under servers:",
            "prod.yaml:2:61: the environment variable is not set: 'NO'; "  # noqa: ISC004
            "in sh: export NAME=..., in PowerShell: $env:NAME = '...'",
        ]

    def test_faults_of_groups_that_nobody_uses(self, files):
        """A group without members is checked too."""
        assert len(files.faults("groups: {g: {port: x, transport: {kind: ssh, agent: 1}}}\ntentacles: [t]")) == 2

    def test_long_lists_are_counted(self, files):
        """Fifty faults are written out, the rest is counted; `faults` has them all."""
        error = files.error("tentacles:\n" + "\n".join(f"  - {{name: t{n}, port: 0}}" for n in range(70)))
        lines = str(error).splitlines()
        assert lines[0] == "The inventory has 70 faults:"
        assert len(lines) == 52
        assert lines[-1] == "  and 20 more"
        assert len(error.faults) == 70

    def test_fault_has_its_parts(self, files):
        """A fault can be taken apart by programs."""
        (fault,) = files.error("tentacles:\n  - {name: t, mode: pollin}").faults
        assert (Path(fault.file).name, fault.line, fault.column) == ("prod.yaml", 2, 21)
        assert fault.message == "mode must be one of listening, polling"
        assert fault.value == "pollin"
        assert fault.hint == "did you mean 'polling'?"

    def test_long_values_are_cut(self, files):
        """A value that fills the screen is cut."""
        (fault,) = files.error(f"tentacles: [{{name: t, dns_name: {'x' * 500}}}]").faults
        assert len(fault.value) == 60
