"""What is looked at in the surveys, step by step, and what it comes to. Needs neither pytest nor a network."""

from __future__ import annotations

from . import across, here, identify, other_messages, services, settings, thumbprint, trust
from .check import Check, checks_of
from .fleet import Fleet
from .runner import applicable, judge, judge_step
from .subject import Subject

__all__ = [
    "Check",
    "Fleet",
    "Subject",
    "across",
    "applicable",
    "checks_of",
    "here",
    "identify",
    "judge",
    "judge_step",
    "other_messages",
    "services",
    "settings",
    "thumbprint",
    "trust",
]
