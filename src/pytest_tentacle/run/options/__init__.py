"""The options of a run: declared to pytest, read from it, typed. Light: every pytest run imports them."""

from .model import DEFAULT_WORKERS, Options
from .reading import read_options
from .words import add_options

__all__ = ["DEFAULT_WORKERS", "Options", "add_options", "read_options"]
