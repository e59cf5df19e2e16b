"""Runs made by hand: one like the lab, one of 1,000 machines and 16 steps."""

from .causes import make_large_causes, make_small_causes
from .large import make_large_run
from .parts import certificate_of
from .small import make_small_run

__all__ = ["certificate_of", "make_large_causes", "make_large_run", "make_small_causes", "make_small_run"]
