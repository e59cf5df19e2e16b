"""Commands and problem codes that several causes share."""

from __future__ import annotations

EXE = '& "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\Tentacle.exe"'
CLI = "sudo /opt/octopus/tentacle/Tentacle"

RESTART_WINDOWS = '$ Restart-Service -Name "<service>"'
RESTART_LINUX = '$ sudo systemctl restart "<service>"'
START_WINDOWS = '$ Start-Service -Name "<service>"'
START_LINUX = '$ sudo systemctl start "<service>"'
STATE_WINDOWS = '$ Get-Service -Name "<service>"'
STATE_LINUX = '$ systemctl status "<service>"'
JOURNAL = '$ journalctl -u "<service>" -n 60 --no-pager'
WHO_WINDOWS = '$ Get-NetTCPConnection -State Listen -LocalPort "<port>" | Select-Object LocalAddress, OwningProcess'
WHO_LINUX = '$ sudo ss -ltnp "sport = :<port>"'
TRY_WINDOWS = '$ Test-NetConnection "<host>" -Port "<port>"'
TRY_LINUX = '$ curl -kv --max-time 10 "https://<host>:<port>/"'
HANDSHAKE = '$ openssl s_client -connect "<host>:<port>" </dev/null'
FILE_WINDOWS = '$ Get-Item "<file>"'
FILE_LINUX = ('$ ls -l "<file>"', "$ df -h")

DOWN = frozenset({"TT202", "TT203", "TT204", "TT206"})
"""The service is not running; what broke it explains that as well."""

UNANSWERED = frozenset({"TT105", "TT106", "TT107", "TT108", "TT109", "TT112", "TT115", "TT116"})
"""What logs at either end tell of a Tentacle that nobody gets an answer from."""

ACROSS = frozenset({"TT106", "TT109", "TT115", "TT131"})
"""What the log of the other end tells of a link that fails, whatever the reason."""

UNTRUSTED = frozenset({"TT103", "TT105", "TT127", "TT132", "TT551"})
"""What logs and sockets at either end tell where one does not trust the other."""

UNCONNECTED = frozenset({"TT551"})
"""A polling Tentacle's process holds no connection: so it is wherever its attempts fail."""

UNREACHED = frozenset({"TT107", "TT108", "TT115", "TT118", "TT133"})
"""What logs tell of attempts that do not come as far as a connection, and of requests that wait for one."""

PROXIED = UNREACHED | UNCONNECTED | {"TT110", "TT119"}
"""The same where the way leads through a proxy, or should."""

STARTLESS = frozenset({"TT129", "TT130"})
"""What a log tells of a process that did not come through its start."""


def tentacle(*calls: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The same calls of Tentacle for Windows and for Linux."""
    return tuple(f"$ {EXE} {call}" for call in calls), tuple(f"$ {CLI} {call}" for call in calls)
