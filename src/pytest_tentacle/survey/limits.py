"""How much one machine may say: more than any honest machine has, and little enough that a hostile one is soon done.

All numbers are in one place, so that the door (`door`), the reader of answers and the manual mean the same ones. They
bound memory as well: answers are read one at a time, and what is kept of each is at most `RECORD_BYTES`, written.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ANSWER_BYTES = 8_000_000
"""That a machine's script may print; logs come packed, and 2 MB of a log pack to some 200 kB."""

DOCUMENT_BYTES = 12_000_000
"""That a packed document may have once unpacked."""

DOCUMENT_VALUES = 250_000
"""Values in a document, counted before it is parsed: an empty list takes 2 bytes to send and 56 to hold."""

LOG_BYTES = 4_000_000
"""That a packed log may have once unpacked; scripts send 2 MB at most."""

LOGS_BYTES = 40_000_000
"""The same for all logs of one machine together: those of ten instances with the archive before each."""

CONFIGURATION_BYTES = 1_000_000
"""Of one configuration file; a Tentacle's has some 3 kB, and one server that it trusts takes 200 bytes."""

RECORD_BYTES = 6_000_000
"""Of all that is kept of one machine, written as JSON; some 50 kB are usual, a busy server's log takes 900 kB."""

ENTRIES = 5_000
"""Members of any list or map, but for those in `MORE_ENTRIES`."""

MORE_ENTRIES: Mapping[str, int] = MappingProxyType({"connections": 20_000})
"""By the field's name. A server node with 2,000 polling Tentacles holds some 10,000 connections."""

TEXT = 65_536
"""Characters of any text, but for those in `MORE_TEXT`."""

MORE_TEXT: Mapping[str, int] = MappingProxyType({"settings": 262_144})
"""By the field's name: a configuration that trusts hundreds of servers."""

CERTIFICATE = 262_144
"""Letters of base64 of one certificate; there are some with hundreds of names."""

NUMBER = 2**64
"""No number of a machine's (bytes, process ids, milliseconds) is as large as that, in either direction."""

TRUSTED_SERVERS = 200
"""Entries of one instance's TrustedOctopusServers; each is looked for among the connections."""

READING_SHARE = 1 / 20
"""Of a machine's budget, as seconds of CPU: what reading its answer may take. CPU, so that load changes no verdict."""

READING_SECONDS = 1.5
"""That much in any case: a large honest answer takes a tenth of it."""

FILE_BYTES = 400_000_000
"""Of a survey file or a bundle, as it lies on the disk; a fleet of 1,000 machines takes some 50 MB."""

FILE_VALUES = 16_000_000
"""Values in a survey file, counted before it is parsed; a machine has some 2,000, and 5,000 machines are replayed."""

BUNDLE_BYTES = 500_000_000
"""Of all parts of a bundle together, once unpacked."""

BUNDLE_PARTS = 20
"""Parts of a bundle; there are five."""
