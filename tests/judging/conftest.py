"""The small fleet that is judged."""

from support.session.fixtures import *  # noqa: F403  the fixtures, and nothing else
