"""The welcome pages: the product's title, heading and sentences (tentacle-facts 1.4), in a dress of our own."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

_STYLE = "body{font-family:sans-serif;margin:4em auto;max-width:40em;color:#223}h1{font-size:1.4em}"

_TITLES = {"tentacle": "Octopus Tentacle", "server": "Octopus Server"}

_SENTENCES = {
    "tentacle": (
        "If you can view this page, your Octopus Tentacle is configured and ready to accept deployment commands.",
        (
            "This landing page is displayed when no X509 certificate is provided. "
            "Only Octopus Servers with a trusted certificate can control this Tentacle."
        ),
    ),
    "server": ("If you can view this page, your Octopus Server is configured and ready to talk to polling Tentacles.",),
}

_LENGTH = 842
"""Characters of a Tentacle's page body."""


def page_of(product: Literal["tentacle", "server"]) -> bytes:
    """Halibut's whole answer to a browser: status, headers, body, and the two line ends beyond Content-Length."""
    body = _body(product)
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    head = (
        "HTTP/1.0 200 OK",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; img-src 'self'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "X-XSS-Protection: 1; mode=block",
        "Strict-Transport-Security: max-age=31536000",
    )
    return ("\r\n".join(head) + "\r\n\r\n" + body + "\r\n\r\n").encode("ascii")


def _body(product: Literal["tentacle", "server"]) -> str:
    title = _TITLES[product]
    sentences = "\n".join(f"    <p>{sentence}</p>" for sentence in _SENTENCES[product])
    page = (
        f"\n<!DOCTYPE html>\n<html>\n<head>\n  <title>{title}</title>\n  <style>{_STYLE}</style>\n</head>\n<body>\n"
        f"  <main>\n    <h1>{title} configured successfully</h1>\n{sentences}\n  </main>\n</body>\n</html>"
    )
    return page.ljust(_LENGTH - 1) + "\n"
