"""All that may be asked of Octopus's API: one verb, and these paths. The client refuses anything else.

Nothing here changes anything or starts anything on the server; `discover` makes the server open a connection, so it is
asked for only where the user said `--discover`. Left out on purpose, though they are reads: whatever holds secrets
(variables, accounts, certificates of the library, API keys) and whatever is costly (system report, events as CSV).
"""

from __future__ import annotations

import re

_SPACE = r"(?:/Spaces-\d+)?"
_ID = r"[A-Za-z]+-\d+"

PATHS: tuple[str, ...] = (
    r"",
    r"/users/me",
    r"/users/me/permissions",
    r"/spaces",
    r"/octopusservernodes/summary",
    r"/octopusservernodes/ping",
    r"/serverstatus",
    r"/serverstatus/health",
    r"/serverstatus/redis",
    r"/serverstatus/logs",
    r"/configuration/certificates/certificate-global",
    rf"{_SPACE}/machines",
    rf"{_SPACE}/workers",
    rf"{_SPACE}/(?:machines|workers)/{_ID}/connection",
    rf"{_SPACE}/(?:machines|workers)/discover",
    rf"{_SPACE}/machinepolicies/all",
    rf"{_SPACE}/proxies/all",
    rf"{_SPACE}/environments/all",
    rf"{_SPACE}/tenants/all",
    rf"{_SPACE}/workerpools/all",
    rf"{_SPACE}/events",
    rf"{_SPACE}/tasks",
    rf"{_SPACE}/tasks/ServerTasks-\d+/(?:details|raw)",
)
"""Below the API's base, as whole expressions. The only verb is GET."""

_ALLOWED = re.compile("|".join(f"(?:{path})" for path in PATHS))


def is_allowed(path: str) -> bool:
    """Whether a path below the API's base may be asked for with GET."""
    return _ALLOWED.fullmatch(path) is not None
