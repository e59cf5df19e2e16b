"""Which version of its product a machine runs, by what was read there."""

from __future__ import annotations

import re

from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.own_service import program_of
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject

_NUMBERS = re.compile(r"\d+(?:\.\d+)+")


def parsed(version: str | None) -> tuple[int, ...] | None:
    """`8.1.61` as numbers, whatever follows them; None where there are none."""
    match = _NUMBERS.match(version or "")
    return tuple(map(int, match[0].split("."))) if match else None


def version_of(subject: Subject) -> str | None:
    """As installed: of the program that its service runs, else of the only one. Raises Unknown without the section."""
    own = [product for product in subject.read(FACTS.products) if product.product == subject.product]
    try:
        service = subject.service
    except (Unknown, Blocked):
        service = None
    running = (program_of(service) or "").lower() if service else ""
    fitting = [product for product in own if running and (product.path or "").lower() == running]
    versions = {product.version for product in fitting or own if product.version}
    return versions.pop() if len(versions) == 1 else None
