"""Whatever bytes: a machine's answer, a file to replay, a log, a certificate, a page. A few hundred examples each.

`python3 scripts/dev.py fuzz` runs 100,000 of each.
"""

from __future__ import annotations

import base64
import copy
import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pytest_tentacle.link import Secured
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.report.redaction.names import Names
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.run import bundle
from pytest_tentacle.survey import store
from pytest_tentacle.survey.door import Budget, prove
from support import hostile
from support.fleets.world import small_fleet
from support.logs import read_log
from support.planting import certificate_of

NO_RESET = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

ODD_TEXTS = st.sampled_from(
    [
        "", "\ud800", "\x00", "\x1b[2J", "\u202e", "</script><b>", "::error::x", "|`*_[x](y)", "{0}{x}", "%s%n", "../../x",
        "A" * 300, "é" * 200, "127.0.0.1", "::ffff:1.2.3.4", "1e999", "-1", "0x10", "true", "null", "NaN", "https://x:y@z/",
        "poll://x", "S-1-5-21-1-2-3-500", "2026-02-30T25:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "[",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
        '[{"Thumbprint": "\\ud800"}]', "TLSv1.3", "password=x", "\n\n\n", "\r\n",
    ]
)  # fmt: skip
"""Texts that somebody somewhere takes for something."""

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0, -1, 65_536, 2**31, 2**63, 2**64, 10**300])
    | st.floats()
    | ODD_TEXTS
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | ODD_TEXTS, inner, max_size=4),
    max_leaves=6,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as the path to it."""
    found = [at] if at else []
    if isinstance(value, dict):
        for key, member in value.items():
            found += places(member, (*at, key))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            found += places(member, (*at, number))
    return found


def put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """The value with something else at a place; what does not lie on the way there is shared."""
    changed = copy.copy(value)
    at = changed
    for step in place[:-1]:
        at[step] = copy.copy(at[step])
        at = at[step]
    at[place[-1]] = new
    return changed


DOCUMENTS = hostile.healthy_documents()
PLACES = {name: places(document) for name, document in DOCUMENTS.items()}
SAVED = store.dumps(small_fleet().surveys())
SAVED_PLACES = places(json.loads(SAVED))
CERTIFICATE = certificate_of("web-01")


@st.composite
def changed_documents(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A machine of the small fleet, and what it says with one to three values changed."""
    name = draw(st.sampled_from(sorted(DOCUMENTS)))
    document = DOCUMENTS[name]
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(PLACES[name]))
        try:
            document = put(document, place, draw(VALUES))
        except (KeyError, IndexError, TypeError):  # an earlier change took the place away
            continue
    return name, document


@pytest.fixture(scope="module")
def fleet():
    """Run the small fleet with one machine answering so: `fleet(name, answer)`."""
    with pytest.MonkeyPatch.context() as patch:
        whole = {name: hostile.framed(document) for name, document in DOCUMENTS.items()}
        healthy = hostile.run(patch, whole)

        def run(name: str, answer: bytes) -> None:
            outcome = hostile.run(patch, whole | {name: answer})
            assert set(outcome.texts) == {"surveys.json", "report.json", "report.md", "report.html", "console"}
            broken = [each.reason for each in outcome.results.values() if "broke off" in each.reason]
            assert broken == []
            for other in ("web-01", "poll-01"):
                if name not in {other, "octo-1"}:
                    assert outcome.verdicts(other) == healthy.verdicts(other)

        yield run


class TestAnswers:
    """The property: all reports are written, no step breaks off, and the healthy machine beside it is judged."""

    @given(answer=st.binary(max_size=400))
    @example(answer=b"")
    def test_any_bytes(self, fleet, answer):
        """By themselves."""
        fleet("web-01", answer)

    @given(
        payload=st.binary(max_size=200), part=st.text(string.ascii_lowercase + "_", max_size=12), packed=st.booleans()
    )
    @example(payload=b"[" * 100_000, part="services", packed=False)
    @example(payload=b'{"data": "\\ud800"}', part="host", packed=False)
    @example(payload=b'{"unknown": "\\ud800"}', part="host", packed=True)
    @example(payload=b'[{"link": {}, "ms": NaN}]', part="probes", packed=False)
    def test_any_bytes_between_marks(self, fleet, payload, part, packed):
        """As the payload of any part, among the healthy ones."""
        text = payload.decode("latin-1")
        own = hostile.framed({"x": 0}, packed=packed, spelled=("0", text)).replace(b" x ", b" %b " % part.encode())
        fleet("web-01", own[: own.rindex(b"-----SURVEY")] + hostile.framed(DOCUMENTS["web-01"]))

    @NO_RESET
    @given(changed=changed_documents())
    def test_any_value_anywhere(self, fleet, changed):
        """One to three values of a machine's document, each replaced by whatever JSON can spell."""
        name, document = changed
        fleet(name, hostile.framed(document))


class TestFiles:
    @given(data=st.data())
    def test_any_value_anywhere_in_a_survey_file(self, data):
        """It is told, or replayed with every report."""
        place = data.draw(st.sampled_from(SAVED_PLACES))
        text = json.dumps(put(json.loads(SAVED), place, data.draw(VALUES)))
        try:
            surveys = store.loads(text.encode(), "x.json")
        except store.StoreError:
            return
        outcome = hostile.judged(surveys)
        assert [each.reason for each in outcome.results.values() if "broke off" in each.reason] == []

    @given(data=st.data())
    def test_any_byte_of_a_bundle(self, data, tmp_path_factory):
        """Some bytes changed, taken out or put in."""
        path = tmp_path_factory.getbasetemp() / "any.zip"
        bundle.write_bundle(path, {bundle.SURVEYS: SAVED, "report.md": "# x"})
        raw = path.read_bytes()
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(raw)))
            raw = raw[:at] + data.draw(st.binary(max_size=8)) + raw[at + data.draw(st.integers(0, 8)) :]
        path.write_bytes(raw)
        try:
            surveys = bundle.load_surveys(path)
        except store.StoreError:
            return
        assert surveys == store.loads(SAVED.encode(), "x")


LINES = st.sampled_from(
    [
        b"2026-11-20 10:11:12.0001   2136      1  INFO  ==== RunAgentCommand ====\n",
        b"2026-11-20 10:11:12.0001   2136      1  ERROR  An error occurred when sending a request to 'https://h:10933/'\n",
        b"2026-11-20 10:11:12.0001   2136     12  INFO  listen://[::]:10933/  12  Accepted TCP client: 10.0.0.1:1\n",
        b"9999-99-99 99:99:99  FATAL \n", b"System.Exception: x\n", b"   at a.b()\n", b"\xff\xfe\n", b"\x00\x00", b"\r", b"\n",
        b"2026-11-20 10:11:12.0001 | 1 | INFO | x\n",
    ]
)  # fmt: skip


class TestLogs:
    @given(pieces=st.lists(LINES | st.binary(max_size=40), max_size=20), server=st.booleans(), cut=st.booleans())
    def test_any_log(self, pieces, server, cut):
        """It is read, and can travel on."""
        log = read_log(b"".join(pieces), product="server" if server else "tentacle", instance="T", path="/x", cut=cut)
        prove(log, Budget())


class TestCertificates:
    @given(data=st.data())
    def test_any_certificate(self, data):
        """A real one with bytes changed, or no certificate at all: decoded or told, hidden, never a traceback."""
        der = CERTIFICATE if data.draw(st.booleans()) else data.draw(st.binary(max_size=80))
        for _ in range(data.draw(st.integers(0, 4))):
            at = data.draw(st.integers(0, len(der)))
            der = der[:at] + data.draw(st.binary(max_size=3)) + der[at + data.draw(st.integers(0, 3)) :]
        decoded = decode_text(base64.b64encode(der).decode())
        names = Names()
        names.walk(decoded)
        redactor = Redactor(pseudonyms=True)
        redactor.learn(names.hosts, names.users, texts=names.texts)
        redactor.json_text(decoded.model_dump_json())
        assert decoded.error or decoded.not_after
        prove(Secured(certificate=decoded), Budget())


class TestPages:
    @given(text=st.text(max_size=300) | ODD_TEXTS, length=st.integers(0, 2**63))
    def test_any_page_of_a_port(self, fleet, text, length):
        """Markup, marks and whatever else a stranger's server sends."""
        probe = {**DOCUMENTS["web-01"]["probes"][0], "page": {"ms": 1.0, "text": text, "length": length}}
        fleet("web-01", hostile.framed({**DOCUMENTS["web-01"], "probes": [probe]}))
