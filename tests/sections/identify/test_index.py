"""A server's log is looked up by what it names, and that finds what going through it finds."""

from __future__ import annotations

from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.sections.identify.index import index_of, telling
from pytest_tentacle.sections.identify.server import Names, names
from support.logs import read_log

THUMBPRINT = "4B8E0F5A1C2D3E4F5A6B7C8D9E0F1A2B3C4D5E6F"
HEAD = "2026-11-22 02:00:00.0057   1000      9 ERROR  "
RECORDS = (
    "https://web-01.lab:10933/   12  Connection refused",
    "https://WEB-01.lab:10933/   12  Connection refused",
    "https://web-01.lab:10934/   12  Connection refused",
    "https://10.0.0.1:10933/   12  No route to host",
    (
        "listen://[::]:10943/   12  A client at [::ffff:10.0.0.1]:5 connected, and attempted a message exchange, but did not "
        "present a client certificate"
    ),
    (
        "listen://[::]:10943/   12  A client at [::ffff:10.0.0.9]:5 connected, and attempted a message exchange, but it "
        f"presented a client certificate with the thumbprint '{THUMBPRINT}' which is not in the list of thumbprints"
    ),
    (
        "An error occurred when sending a request to 'poll://ABC-1/', before the request could begin: A request was sent to a "
        "polling endpoint, but the polling endpoint did not collect the request within the allowed time (00:02:00), so the request timed out"
    ),
    (
        "An error occurred when sending a request to 'poll://abc-12/', before the request could begin: A request was sent to a "
        "polling endpoint, but the polling endpoint did not collect the request within the allowed time (00:02:00), so the request timed out"
    ),
    "An error occurred when sending a request to 'https://web-01.lab:10933/', after the request began: Connection reset by peer",
    "Address already in use",
)
KNOWN = (
    Names(frozenset({"web-01.lab"}), frozenset(), 10933, frozenset(), frozenset()),
    Names(frozenset({"10.0.0.1"}), frozenset({"10.0.0.1"}), None, frozenset(), frozenset()),
    Names(frozenset(), frozenset(), None, frozenset({THUMBPRINT}), frozenset()),
    Names(frozenset(), frozenset(), None, frozenset(), frozenset({"poll://abc-1"})),
    Names(frozenset({"nobody.lab"}), frozenset(), None, frozenset(), frozenset({"poll://abc"})),
)


def log() -> LogFile:
    text = "".join(f"{HEAD}{record}\n" for record in RECORDS)
    return read_log(text.encode(), product="server", instance="OctopusServer", path="/x")


class TestIndex:
    def test_finds_what_going_through_the_log_finds(self) -> None:
        whole = log()
        for known in KNOWN:
            candidates = [
                record for record, signature in index_of(whole).about(known.all) if names(record, signature, known)
            ]
            assert candidates == [record for record, signature in telling(whole) if names(record, signature, known)]

    def test_each_kind_of_name_finds_something(self) -> None:
        whole = log()
        found = [sum(names(record, signature, known) for record, signature in telling(whole)) for known in KNOWN]
        assert found == [3, 2, 1, 1, 0]

    def test_is_made_once_for_a_log_and_anew_for_another(self) -> None:
        one, other = log(), log()

        assert index_of(one) is index_of(one)
        assert index_of(one) is not index_of(other)
