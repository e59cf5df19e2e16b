"""Secrets: held by a type that no text, repr, JSON or exception shows."""

from __future__ import annotations

from pydantic import SecretStr

Secret = SecretStr


class Reference(SecretStr):
    """`${env:...}` and the like, still to be looked up: by the worker of the machine's site."""
