"""What the problems of logs have in common: their step, and the commands of their remedies."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.guide.problem import ProblemKind

STEP = "identify-the-problem"
READ_WINDOWS = '$ Get-Content -Tail 200 -LiteralPath "<log>"'
READ_LINUX = '$ tail -n 200 "<log>"'
TENTACLE = '$ & "<tentacle>"'
TENTACLE_LINUX = '$ sudo "<tentacle>"'
PROXY = (
    'polling-proxy --instance "<instance>" --proxyEnable True --proxyHost "<proxy>" --proxyPort "<port>" '
    '--proxyUsername "<user>" --proxyPassword "<password>"'
)
SHOW = 'show-thumbprint --instance "<instance>"'
RESTART_WINDOWS = '$ Restart-Service -Name "<service>"'
RESTART_LINUX = '$ sudo systemctl restart "<service>"'
RESOLVE_WINDOWS = '$ Resolve-DnsName "<host>"'
RESOLVE_LINUX = '$ getent ahosts "<host>"'
CONNECT_WINDOWS = '$ Test-NetConnection "<host>" -Port <port>'
CONNECT_LINUX = '$ curl -kv "https://<host>:<port>/"'
HOLDER_WINDOWS = "$ netstat -anob"
HOLDER_LINUX = "$ sudo ss -ltnp"


def kind(
    code: str,
    title: str,
    meaning: str,
    what: str,
    *,
    windows: tuple[str, ...] = (),
    linux: tuple[str, ...] = (),
    **own: Any,
) -> ProblemKind:
    """A problem whose remedy is a sentence and commands; by default, those that read the log."""
    return ProblemKind(
        code,
        title,
        STEP,
        meaning,
        (what, *(windows or (READ_WINDOWS,))),
        (what, *(linux or (READ_LINUX,))),
        **own,
    )
