"""What comes packed is unpacked once, where it arrives: each certificate, and each log of each machine.

Behind it (the door, judging, diagnosis, every view, the survey file and its replay, false names) nobody has anything left
to unpack.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections import Counter
from typing import Any

import pytest
from cryptography import x509

from pytest_tentacle.link.decoding import decode
from pytest_tentacle.report.redaction.redactor import Redactor
from pytest_tentacle.survey import ingest
from support import hostile

LOADERS = ("load_der_x509_certificate", "load_pem_x509_certificate", "load_pem_x509_certificates")
LINE = "2026-11-22 03:04:05.0000   1234      6  INFO  listen://[::]:10933/              6  listening on {}\n"


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each certificate was decoded, by whichever of the library's ways."""
    count: Counter[bytes] = Counter()
    for name in LOADERS:
        original = getattr(x509, name)

        def load(data: bytes, *rest: Any, original: Any = original) -> Any:
            count[data] += 1
            return original(data, *rest)

        monkeypatch.setattr(x509, name, load)
    return count


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[bytes]:
    """How often each log was read, by its bytes; unpacked it is only for that."""
    count: Counter[bytes] = Counter()
    original = ingest.resolve_log

    def resolve_log(fields: Any, content: bytes, before: bytes) -> Any:
        count[content] += 1
        return original(fields, content, before)

    monkeypatch.setattr(ingest, "resolve_log", resolve_log)
    return count


def test_a_whole_run_unpacks_each_once(
    monkeypatch: pytest.MonkeyPatch, decoded: Counter[bytes], read: Counter[bytes]
) -> None:
    """Surveyed, let in, written, read again, judged, explained, shown; under false names as well."""
    documents = hostile.healthy_documents()
    for name, document in documents.items():
        packed = base64.b64encode(gzip.compress(LINE.format(name).encode(), mtime=0)).decode()
        log = {"product": "tentacle", "instance": "Tentacle", "path": "/var/log/x.txt", "size": 99, "text": packed}
        document["logs"] = {"data": [log]}
    answers = {name: hostile.framed(document) for name, document in documents.items()}
    printed = set(re.findall(r'"certificate": ?"([A-Za-z0-9+/=]+)"', "".join(a.decode() for a in answers.values())))
    assert len(printed) == 2  # the Tentacle's, and the server's, at which the other Tentacle looks as well
    declared = hostile.inventory()
    monkeypatch.setattr(hostile, "inventory", lambda: declared)
    decode.cache_clear()
    decoded.clear()

    came = hostile.run(monkeypatch, answers, redactor=Redactor(pseudonyms=True))

    assert decoded == {base64.b64decode(each): 1 for each in printed}
    answered = {name: 2 if name == "octo-1" else 1 for name in answers}  # a server is asked again, in round 2
    assert read == {LINE.format(name).encode(): times for name, times in answered.items()}
    assert not printed & set(re.findall(r"[A-Za-z0-9+/=]{100,}", came.texts["surveys.json"]))
    assert came.texts["surveys.json"].count('"thumbprint"') > len(printed)
