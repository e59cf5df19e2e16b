"""Which version of its product a machine runs, by what was read there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.own_service import program_of
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import Service
from pytest_tentacle.survey.surroundings import Product

_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


def parsed(version: str | None) -> tuple[int, ...] | None:
    """`8.1.61` as numbers, whatever follows them; None where there are none."""
    match = _NUMBERS.match(version or "")
    return tuple(map(int, match[0].split("."))) if match else None


def version_of(subject: Subject) -> str | None:
    """As installed: of the program that its service runs, else of the only one. Raises Unknown without the section."""
    products = subject.read(FACTS.products)
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    return version_among(products, subject.product, service)


def version_among(products: Iterable[Product], product: str, service: Service | None) -> str | None:
    """Of the product's program that the service runs, else of the only one; None where that cannot be told."""
    own = [each for each in products if each.product == product]
    running = (program_of(service) or "").lower() if service else ""
    fitting = [each for each in own if running and (each.path or "").lower() == running]
    versions = {each.version for each in fitting or own if each.version}
    return versions.pop() if len(versions) == 1 else None
