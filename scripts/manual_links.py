"""A hook of mkdocs: links from the manual to files of the checkout become their names, since a site has no checkout."""

from __future__ import annotations

import re
from typing import Any

_SCHEMA = re.compile(r"\[([^\]]+)\]\([\w-]+\.json\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page's text without links that would lead nowhere. Pages of codes stand one folder below."""
    depth = page.file.src_uri.count("/") + 1
    text = re.sub(rf"\[([^\]]+)\]\((?:\.\./){{{depth},}}[^)]*\)", r"\1", markdown)
    return _SCHEMA.sub(r"\1", text)
