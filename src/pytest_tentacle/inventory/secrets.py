"""Secrets: held by a type that no text, repr, JSON or exception shows, and remembered so that reports can be cleaned."""

from __future__ import annotations

from pydantic import SecretStr

Secret = SecretStr
