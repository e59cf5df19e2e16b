"""The log of before home is known, as records: whose process said what, and which of them found their home."""

from __future__ import annotations

from support.logs import read_log

PARSE = "Unable to parse configuration key 'Octopus.Home' as a 'String'. Value was ''."


def line(second: int, level: str, text: str, pid: int | None = 70) -> str:
    column = f"{pid:>6}      1 " if pid else ""
    return f"2026-11-22 03:04:{second:02}.0057 {column}{level:>5}  {text}\n"


def first(second: int, instance: str, pid: int | None = 70) -> str:
    words = f"Tentacle version 8.3.3000 (8.3.3000) instance {instance}"
    return line(second, "INFO", words, pid) + line(second, "INFO", "Environment Information:\n  PID: 70", pid)


def home(second: int, pid: int | None = 70) -> str:
    return line(second, "INFO", "Changing log folder from /root/.local/share/Octopus/Logs to /etc/octopus/a/Logs", pid)


def read(text: str, account: str | None = "root"):
    return read_log(text.encode(), product="tentacle", instance="", path="/x", account=account)


class TestWhose:
    def test_by_the_first_words(self):
        """Each record has the instance that its own process was started for, whoever wrote between."""
        text = first(1, "First", 70) + first(1, "Second", 71) + line(2, "FATAL", PARSE, 70) + line(3, "FATAL", "?", 71)
        assert [(record.instance, record.signature) for record in read(text).records] == [
            ("First", "configuration-damaged"),
            ("Second", None),
        ]

    def test_without_process_numbers(self):
        """By order."""
        text = first(1, "First", None) + line(2, "FATAL", PARSE, None) + first(3, "Second", None)
        text += line(4, "FATAL", PARSE, None)
        assert [record.instance for record in read(text).records] == ["First", "Second"]

    def test_a_process_number_used_again(self):
        """A new process begins with its own first words: it has neither the instance nor the command of the other."""
        text = first(1, "First") + line(1, "INFO", "==== ShowThumbprintCommand ====") + line(2, "FATAL", PARSE)
        text += first(3, "Second") + line(4, "FATAL", PARSE)
        assert [(record.instance, record.command) for record in read(text).records] == [
            ("First", "ShowThumbprintCommand"),
            ("Second", None),
        ]

    def test_whose_beginning_was_not_read(self):
        """What stands before any first words is nobody's."""
        assert [record.instance for record in read(line(1, "FATAL", PARSE)).records] == [None]

    def test_an_instances_own_log(self):
        """It has no such column: the file says whose it is."""
        log = read(first(1, "First") + home(2) + line(3, "FATAL", PARSE), account=None)
        assert (log.records[0].instance, log.homes) == (None, ())


class TestHomes:
    def test_the_last_of_each(self):
        """By instance, the last process that found its home."""
        text = first(1, "First") + home(2) + first(3, "First") + home(4) + first(5, "Second") + home(6)
        text += first(7, "First") + line(8, "FATAL", PARSE)
        log = read(text)
        assert [(one.instance, one.time[-7:-5]) for one in log.homes] == [("First", "04"), ("Second", "06")]
        assert all(one.number < log.records[-1].number for one in log.homes)
