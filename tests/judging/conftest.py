"""The small fleet that is judged."""

from support.fixtures import *  # noqa: F403  the fixtures, and nothing else
