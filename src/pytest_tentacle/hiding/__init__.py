"""Secrets: what they are, and how every text gets rid of them before anything else is done to it."""

from .secrets import Secrets, hide, one_line, printable, shorten, use

__all__ = ["Secrets", "hide", "one_line", "printable", "shorten", "use"]
