"""The attacks' tests need what answers them."""

from __future__ import annotations

import pytest

from support import hostile


@pytest.fixture(scope="session")
def documents():
    """What the small fleet's machines say when they are well."""
    return hostile.healthy_documents()


@pytest.fixture
def beside(monkeypatch, documents):
    """Run the small fleet with web-01 answering so: `beside(answer)`; the others are well."""

    def run(answer: bytes, **options):
        answers = {name: hostile.framed(document) for name, document in documents.items()} | {"web-01": answer}
        return hostile.run(monkeypatch, answers, **options)

    return run
