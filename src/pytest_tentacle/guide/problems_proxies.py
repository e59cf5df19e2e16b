"""TT60x: proxies, as far as a setting itself is wrong. What a probe meets on the way is TT529 to TT531."""

from __future__ import annotations

from .problem_kind import ProblemKind

_STEP = "proxies-and-ssl-offloading"
_TENTACLE_EXE = '& "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\Tentacle.exe"'
_TENTACLE = "sudo /opt/octopus/tentacle/Tentacle"
_SET = '<command> --instance "<instance>" --proxyEnable True --proxyHost "<host>" --proxyPort "<port>"'
_NONE = '<command> --instance "<instance>" --proxyEnable False'
_RESTART = 'service --restart --instance "<instance>"'


def _kind(code: str, title: str, meaning: str, what: str, *calls: str) -> ProblemKind:
    """A problem that is mended by calls of Tentacle, with the same arguments on both systems."""
    return ProblemKind(
        code,
        title,
        _STEP,
        meaning,
        (what, *(f"$ {_TENTACLE_EXE} {call}" for call in calls)),
        (what, *(f"$ {_TENTACLE} {call}" for call in calls)),
    )


PROXIES: tuple[ProblemKind, ...] = (
    _kind(
        "TT601",
        "The proxy's host is no bare host name",
        "Where the name or address of a proxy should stand, there is a URL, a port or another sign besides. The "
        "Tentacle takes the whole text for the host's name and never reaches the proxy.",
        "Name the host alone, and the port beside it; then restart the service:",
        _SET,
        _RESTART,
    ),
    _kind(
        "TT602",
        "The proxy's port is no port number",
        "What stands for the proxy's port cannot be one, so the proxy cannot be reached.",
        "Give the proxy's port, 1 to 65535; then restart the service:",
        _SET,
        _RESTART,
    ),
    _kind(
        "TT603",
        "A proxy's host is set, and ignored",
        "UseDefaultProxy is true (which it is, too, where it is not set), and then the Tentacle does not look at "
        "ProxyHost: it uses the proxy of the service's account, or none. It often comes of setting the host by "
        "environment variables alone.",
        "Say which of the two is meant. For the named host (without --proxyHost it is the account's proxy):",
        _SET,
        _RESTART,
    ),
    _kind(
        "TT604",
        "The proxy is the Octopus Server itself",
        "The proxy for polling has the very host and port that the Tentacle polls. The server's polling port is no "
        "proxy: it does not answer CONNECT.",
        "Name the real proxy's host and port, or switch the proxy off:",
        _NONE,
        _RESTART,
    ),
    _kind(
        "TT605",
        "The Tentacle runs with another proxy than its settings name",
        "When it started, the process said that it would use another proxy than the settings name by now: they were "
        "changed, and the service not restarted.",
        "Restart the service:",
        _RESTART,
    ),
)
