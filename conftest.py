"""For pytest in a checkout: `pytest` runs the project's own tests, `pytest --inventory FILE` the guide's."""

from __future__ import annotations

pytest_plugins = ["pytester"]
