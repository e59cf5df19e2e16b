"""What may stand between two machines, or in a Tentacle's place: each a port on loopback, without root.

Every one has `address`, `port`, `start` and `stop`, is a context manager, and takes port 0 for any free port.
"""

from __future__ import annotations

from .boxes import BlackHole, Box, Closer, Forwarder, Hanger, HttpResponder, Refused, Resetter, Trickler
from .tls_boxes import HttpsServer, NoCommonCipher, OldTls, SilentAfterTls, TlsInspector, TricklingPage

__all__ = [
    "BlackHole",
    "Box",
    "Closer",
    "Forwarder",
    "Hanger",
    "HttpResponder",
    "HttpsServer",
    "NoCommonCipher",
    "OldTls",
    "Refused",
    "Resetter",
    "SilentAfterTls",
    "TlsInspector",
    "Trickler",
    "TricklingPage",
]
