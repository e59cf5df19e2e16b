"""A pytest plugin: a run that watches a restarted service for three seconds, and waits eight for an answer."""

from __future__ import annotations

from pytest_tentacle.acting import restarting

restarting.WATCH_SECONDS = 3
restarting.ANSWER_SECONDS = 8
