"""What our own looks leave in a log is told from a client that lacks a certificate, days later as well."""

import pytest

from pytest_tentacle.logs.model import LogFile
from support.logs import read_log

WITHOUT = "connected, and attempted a message exchange, but did not present a client certificate"
TODAY = "2026-11-29 {at}   2136     12 {level:>5}  listen://[::]:10933/     12  {text}\n"
OLD = "2026-11-29 {at}     12  {level}  listen://0.0.0.0:10933/     12  {text}\n"
ERAS = [pytest.param(TODAY, "DEBUG", id="8.1.1322-"), pytest.param(OLD, "INFO", id="3.0-")]


def read(*entries: tuple[str, str, str], layout: str) -> LogFile:
    text = "".join(layout.format(at=at, level=level, text=words) for at, level, words in entries)
    return read_log(text.encode(), product="tentacle", instance="Tentacle", path="x")


def came(at: str, port: int) -> tuple[str, str, str]:
    return at, "INFO", f"Accepted TCP client: 10.0.0.1:{port}"


def lacks(at: str, port: int, level: str) -> tuple[str, str, str]:
    return at, level, f"A client at 10.0.0.1:{port} {WITHOUT}"


def looks_of(log: LogFile) -> list[tuple[int, bool]]:
    return [(record.count, "look" in record.facts) for record in log.records if record.signature]


@pytest.mark.parametrize(("layout", "level"), ERAS)
class TestLooks:
    def test_a_page_and_then_an_identity_is_a_look(self, layout: str, level: str) -> None:
        first = came("10:00:00.1000", 5001), came("10:00:00.2000", 5002), lacks("10:00:00.2100", 5002, level)
        again = came("12:00:00.1000", 6001), came("12:00:00.2000", 6002), lacks("12:00:00.2100", 6002, level)
        assert looks_of(read(*first, *again, layout=layout)) == [(2, True)]

    def test_a_client_that_lacks_one_fails_with_each_connection(self, layout: str, level: str) -> None:
        """Octopus tries five times, a second apart."""
        entries = []
        for number in range(5):
            at = f"10:00:0{number}.1000"
            entries += [came(at, 5000 + number), lacks(at, 5000 + number, level)]
        assert looks_of(read(*entries, layout=layout)) == [(5, False)]

    def test_both_are_told_apart(self, layout: str, level: str) -> None:
        real = came("09:00:00.1000", 4001), lacks("09:00:00.1500", 4001, level)
        look = came("10:00:00.1000", 5001), came("10:00:00.2000", 5002), lacks("10:00:00.2100", 5002, level)
        assert looks_of(read(*real, *look, layout=layout)) == [(1, False), (1, True)]

    def test_long_after_a_page_is_no_look(self, layout: str, level: str) -> None:
        entries = came("10:00:00.1000", 5001), came("10:00:09.2000", 5002), lacks("10:00:09.2100", 5002, level)
        assert looks_of(read(*entries, layout=layout)) == [(1, False)]
