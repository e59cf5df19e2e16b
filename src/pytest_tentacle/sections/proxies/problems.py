"""TT60x: proxies: a setting that is wrong, a proxy that does not let through. What a probe meets is TT529 to TT531."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.guide.commands import AGAIN, THROUGH_PROXY_WINDOWS, tentacle
from pytest_tentacle.guide.consequences import ACROSS, PROXIED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "proxies-and-ssl-offloading"
_SET = '"<command>" --instance "<instance>" --proxyEnable True --proxyHost "<host>" --proxyPort "<port>"'
_NONE = '"<command>" --instance "<instance>" --proxyEnable False'
_RESTART = AGAIN
_USER = '--proxyUsername "<user>" --proxyPassword "<password>"'
_TRY = '$ curl -vk --max-time 15 -x "http://<proxy>" "https://<target>/"'
_TRY_WINDOWS = (
    '$ Test-NetConnection "<host>" -Port <port>',
    THROUGH_PROXY_WINDOWS,
)


_TRY_IT = (
    "Try the proxy from the Tentacle's machine, and ask its operator why it does not answer. If it moved, name "
    "its host and port (`polling-proxy --proxyEnable True --proxyHost ... --proxyPort ...`, all in one call)."
)
_SWITCH_IT_OFF = "Only if the server is reached without a proxy, switch it off:"


def _kind(code: str, title: str, meaning: str, what: str, *calls: str, **own: Any) -> ProblemKind:
    """A problem that is mended by calls of Tentacle, with the same arguments on both systems."""
    return ProblemKind(
        code,
        title,
        _STEP,
        meaning,
        (what, *tentacle(*calls)[0]),
        (what, *tentacle(*calls)[1]),
        **own,
    )


PROXIES: tuple[ProblemKind, ...] = (
    _kind(
        "TT601",
        "The proxy host is not a plain host name",
        "Where the name or address of a proxy should stand, there is a URL, a port or another character. The "
        "Tentacle takes the whole text for the host's name and never reaches the proxy.",
        "Give only the host name, and the port separately; then restart the service:",
        _SET,
        _RESTART,
        sentence=(
            "The proxy's host in the settings of {who} is not a bare name: the Tentacle takes the whole text for a "
            "name."
        ),
        consequences=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    _kind(
        "TT602",
        "The proxy port is not a port number",
        "The value of the proxy port cannot be a port number, so the proxy cannot be reached.",
        "Give the proxy's port, 1 to 65535; then restart the service:",
        _SET,
        _RESTART,
        sentence="The proxy port in the settings of {who} is not a port number.",
        consequences=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    _kind(
        "TT603",
        "A proxy host is set but ignored",
        "UseDefaultProxy is true (which it is, too, where it is not set), and then the Tentacle does not look at "
        "ProxyHost: it uses the proxy of the service's account, or none. This often happens when the host is set only "
        "by environment variables.",
        "Decide which of the two is meant. For the named host (without --proxyHost it is the account's proxy):",
        _SET,
        _RESTART,
        sentence=(
            "The settings of {who} name a proxy, and UseDefaultProxy makes the Tentacle use that of the service's "
            "account instead, or none."
        ),
        consequences=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    _kind(
        "TT604",
        "The proxy is the Octopus Server itself",
        "The proxy for polling has the very host and port that the Tentacle polls. The server's polling port is no "
        "proxy: it does not answer CONNECT.",
        "Name the real proxy's host and port, or switch the proxy off:",
        _NONE,
        _RESTART,
        sentence="The proxy in the settings of {who} is the very port that is polled, which is no proxy.",
        consequences=PROXIED,
        echoes=ACROSS,
        rank=30,
    ),
    _kind(
        "TT605",
        "The Tentacle uses a different proxy from the one in its settings",
        "When it started, the process said that it would use a different proxy from the one that the settings name "
        "now: they were changed, but the service was not restarted.",
        "Restart the service:",
        _RESTART,
        sentence=(
            "The proxy settings of {who} were changed, but the process was not restarted: it uses those that it found "
            "when it started."
        ),
        consequences=PROXIED,
        echoes=ACROSS,
        rank=25,
    ),
    ProblemKind(
        "TT606",
        "The proxy does not answer",
        _STEP,
        "The Tentacle polls through a proxy, and nothing answers CONNECT there: its name does not "
        "resolve, nothing listens on its port, a firewall drops the connection, or what listens is no HTTP "
        "proxy (SOCKS, and proxies that speak "
        "TLS themselves, do not work).",
        (
            _TRY_IT,
            *_TRY_WINDOWS,
            _SWITCH_IT_OFF,
            *tentacle(_NONE, AGAIN)[0],
        ),
        (
            _TRY_IT,
            _TRY,
            _SWITCH_IT_OFF,
            *tentacle(_NONE, AGAIN)[1],
        ),
        sentence="Nothing answers as a proxy at {proxy}, which the settings of {who} name for polling.",
        consequences=PROXIED,
        echoes=ACROSS,
        fold_by=("proxy",),
        rank=20,
    ),
    ProblemKind(
        "TT607",
        "The proxy does not allow CONNECT to the server",
        _STEP,
        "The proxy answers CONNECT with a refusal. Many proxies allow it for port 443 only; a polling Tentacle needs "
        "the server's polling port, which is 10943 unless it was changed.",
        (
            "Have the proxy's operator allow CONNECT to <target> from this machine, and see its answer:",
            *_TRY_WINDOWS,
        ),
        ("Have the proxy's operator allow CONNECT to <target> from this machine, and see its answer:", _TRY),
        sentence="The proxy {proxy} refuses a tunnel to {target} for {who} (status {status}).",
        consequences=PROXIED,
        echoes=ACROSS,
        fold_by=("proxy", "target", "status"),
        rank=20,
    ),
    ProblemKind(
        "TT608",
        "The proxy requires credentials, but none are configured",
        _STEP,
        "The proxy answers CONNECT with 407, and the Tentacle's settings hold no user for it. The Tentacle can log on "
        "with user and password (Basic); it cannot use NTLM or Kerberos, even if the account can do so in a browser.",
        (
            "Give the Tentacle the proxy's user, or have the proxy let this machine through without one:",
            *tentacle(f"{_SET} {_USER}", AGAIN)[0],
        ),
        (
            "Give the Tentacle the proxy's user, or have the proxy let this machine through without one:",
            *tentacle(f"{_SET} {_USER}", AGAIN)[1],
        ),
        sentence="The proxy {proxy} requires credentials, but the settings of {who} hold none.",
        consequences=PROXIED,
        echoes=ACROSS,
        fold_by=("proxy",),
        rank=20,
    ),
    ProblemKind(
        "TT609",
        "The proxy cannot connect to the server",
        _STEP,
        "The proxy answers and tries, but reports a failure or never finishes: from there, the "
        "server's name does not resolve or its polling port does not answer.",
        (
            "Have the proxy's operator try <target> from the proxy itself: name, route, firewall; see its answer:",
            *_TRY_WINDOWS,
        ),
        ("Have the proxy's operator try <target> from the proxy itself: name, route, firewall; see its answer:", _TRY),
        sentence="The proxy {proxy} answers {who}, but cannot connect to {target}.",
        consequences=PROXIED,
        echoes=ACROSS,
        fold_by=("proxy", "target"),
        rank=25,
        confidence=Confidence.LIKELY,
    ),
)
