"""Waivers: problems that are known and accepted, with a reason, on a machine, in a group or in defaults."""

from __future__ import annotations

from datetime import date

import pytest

from pytest_tentacle.inventory import InventoryError, load

CODES = ("TT101", "TT201", "TT205")


def waived(machine) -> dict[str, str]:
    return {waiver.code: waiver.reason for waiver in machine.waive}


class TestDeclared:
    """What a file says arrives, with the place where it is written."""

    def test_all_of_it(self, files):
        """Code, reason, last day, and file and line for what is told of it later."""
        machine = files.load("""
            tentacles:
              - name: web-01
                waive:
                  - {code: TT205, reason: by hand until the move, until: 2027-01-31}
                  - code: TT201
                    reason: switched off
        """).tentacles[0]
        first, second = machine.waive
        assert (first.code, first.reason, first.until) == ("TT205", "by hand until the move", date(2027, 1, 31))
        assert (second.code, second.until) == ("TT201", None)
        assert [waiver.origin.line for waiver in machine.waive] == [4, 5]

    def test_without_any(self, files):
        """No machine has waivers of its own accord."""
        assert files.load("tentacles: [t]").tentacles[0].waive == ()

    def test_holds_through_its_last_day(self, files):
        """The last day is one of those on which it holds; the next is not."""
        text = "tentacles: [{name: t, waive: [{code: TT205, reason: r, until: 2027-01-31}]}]"
        waiver = files.load(text).tentacles[0].waive[0]
        assert waiver.holds(date(2027, 1, 31))
        assert not waiver.holds(date(2027, 2, 1))

    def test_environment(self, files):
        """As in any text."""
        text = "tentacles: [{name: t, waive: [{code: '${env:C}', reason: 'see ${env:TICKET}', until: '${env:D}'}]}]"
        waiver = files.load(text, C="TT205", TICKET="OPS-1", D="2027-01-31").tentacles[0].waive[0]
        assert (waiver.code, waiver.reason, waiver.until) == ("TT205", "see OPS-1", date(2027, 1, 31))


class TestLayers:
    """Waivers merge like every other key: the later layer's list takes the inherited one's place."""

    def test_defaults_groups_and_machines(self, files):
        """The nearest list holds; one that is empty, or nothing, clears."""
        inventory = files.load("""
            defaults: {tentacle: {waive: [{code: TT101, reason: defaults}]}}
            groups: {old: {waive: [{code: TT201, reason: group}]}}
            tentacles:
              - a
              - {name: b, groups: [old]}
              - {name: c, groups: [old], waive: [{code: TT205, reason: own}]}
              - {name: d, groups: [old], waive: []}
              - {name: e, groups: [old], waive: }
        """)
        assert [waived(machine) for machine in inventory.tentacles] == [
            {"TT101": "defaults"},
            {"TT201": "group"},
            {"TT205": "own"},
            {},
            {},
        ]
        assert inventory.find("b").waive[0].origin.line == 2

    def test_servers_too(self, files):
        """A group's waivers are for both kinds of machines."""
        inventory = files.load("groups: {g: {waive: [{code: TT101, reason: r}]}}\nservers: [{name: s, groups: g}]")
        assert waived(inventory.servers[0]) == {"TT101": "r"}


class TestFaults:
    """What cannot be a waiver is told with file, line and column."""

    @pytest.mark.parametrize(
        ("waive", "message"),
        [
            ("TT205", "waive must be a list: 'TT205'; begin each of its maps with a dash: - code: TT205"),
            ("{code: TT205, reason: r}", "waive must be a list; begin each of its maps with a dash: - code: TT205"),
            ("[TT205]", "waive must be a list of maps; each with code: and reason:"),
            ("[{code: TT205}]", "the key reason of a waiver is missing"),
            ("[{reason: r}]", "the key code of a waiver is missing"),
            (
                "[{code: TT205, reason: ''}]",
                "reason is empty: ''; leave the key out if there is nothing to say",
            ),
            (
                "[{code: tt205, reason: r}]",
                "code must be the code of a problem, such as TT205: 'tt205'; write TT205",
            ),
            ("[{code: TC001, reason: r}]", "code must be the code of a problem, such as TT205: 'TC001'"),
            (
                "[{code: TT205, reason: r, until: 2027-02-30}]",
                "until is no day of the calendar: '2027-02-30'",
            ),
            ("[{code: TT205, reason: r, until: soon}]", "until must be a date, such as 2027-01-31: 'soon'"),
            ("[{code: TT205, reason: r, untill: x}]", "unknown key of a waiver: 'untill'; did you mean 'until'?"),
            ("[{code: TT205, reason: a}, {code: TT205, reason: b}]", "the problem is waived twice"),
        ],
    )
    def test_told(self, files, waive, message):
        """One line, at the place."""
        (fault,) = files.faults(f"tentacles:\n  - name: t\n    waive: {waive}\n")
        place, _, told = fault.partition(": ")
        assert place.startswith("prod.yaml:3:")
        assert told.startswith(message)

    def test_unknown_code(self, files):
        """A code that nothing has: the nearest is named; once, however many machines inherit it."""
        path = files.write("""
            groups: {g: {waive: [{code: TT206, reason: r}]}}
            tentacles: [{name: a, groups: g}, {name: b, groups: g}]
        """)
        with pytest.raises(InventoryError) as caught:
            load([path], {}, CODES)
        (fault,) = caught.value.faults
        assert (fault.line, fault.message, fault.value) == (1, "there is no problem of this code to waive", "TT206")
        assert fault.hint == "did you mean 'TT205'?"

    def test_known_codes(self, files):
        """Those that there are load."""
        path = files.write("tentacles: [{name: a, waive: [{code: TT205, reason: r}]}]")
        assert load([path], {}, CODES).tentacles[0].waive[0].code == "TT205"
