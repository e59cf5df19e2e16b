"""What the system or the network keeps from a Tentacle: reserved ports, its proxy, its own name, curves."""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Confidence, whenever
from pytest_tentacle.guide.consequences import (
    ACROSS,
    DOWN,
    PROXIED,
    START_LINUX,
    START_WINDOWS,
    STARTLESS,
    UNANSWERED,
    WHO_LINUX,
    WHO_WINDOWS,
)

from .from_problem import from_problem

_NO_PORT = DOWN | STARTLESS | UNANSWERED | {"TT111"}
_ELSEWHERE = UNANSWERED | {"TT510", "TT511", "TT512", "TT520", "TT521", "TT522", "TT530", "TT531", "TT711"}
_EXCLUDED = "$ netsh interface ipv4 show excludedportrange protocol=tcp"
_QUEUES = "$ netsh http show servicestate view=requestq"

SYSTEM: tuple[CauseKind, ...] = (
    CauseKind(
        "TC508",
        "Windows excludes the port from use",
        "Port {port} of {who} lies in a range ({first} to {last}) that Windows keeps from every program, so the "
        "service cannot open it: Hyper-V, containers or WSL took the range at the start of the machine.",
        frozenset({"TT506"}),
        (
            "Keep the port out of them (with winnat stopped, or right after a reboot), then start the service:",
            _EXCLUDED,
            '$ netsh interface ipv4 add excludedportrange protocol=tcp startport="<port>" numberofports=1',
            START_WINDOWS,
        ),
        ("Only Windows excludes ports; see who listens, then start the service:", WHO_LINUX, START_LINUX),
        whenever,
        also=_NO_PORT | {"TT501"},
        fold_by=("port", "first", "last"),
        rank=12,
    ),
    CauseKind(
        "TC509",
        "http.sys serves a URL on the port",
        "Port {port} of {who} is held by Windows' own web server driver, for {url}: a web site, WinRM or another "
        "program registered it there, and the service cannot open the port.",
        frozenset({"TT507"}),
        (
            "See whose request queue it is, move one of the two to another port, then start the service:",
            _QUEUES,
            WHO_WINDOWS,
            START_WINDOWS,
        ),
        ("Only Windows has http.sys; see who listens, then start the service:", WHO_LINUX, START_LINUX),
        whenever,
        also=_NO_PORT,
        fold_by=("port", "url"),
        rank=12,
    ),
    from_problem(
        "TC606",
        "TT606",
        "The proxy for polling gives no answer",
        "Where the settings of {who} have the proxy for polling ({proxy}), nothing answers as one.",
        fold_by=("proxy",),
        also=PROXIED,
        echoes=ACROSS,
        rank=20,
    ),
    from_problem(
        "TC607",
        "TT607",
        "The proxy does not allow CONNECT to the server's polling port",
        "The proxy {proxy} refuses to open a way to {target} for {who} (status {status}).",
        fold_by=("proxy", "target", "status"),
        also=PROXIED,
        echoes=ACROSS,
        rank=20,
    ),
    from_problem(
        "TC608",
        "TT608",
        "The proxy wants credentials that the Tentacle does not have",
        "The proxy {proxy} wants credentials, and the settings of {who} hold none.",
        fold_by=("proxy",),
        also=PROXIED,
        echoes=ACROSS,
        rank=20,
    ),
    from_problem(
        "TC609",
        "TT609",
        "The proxy cannot reach the server",
        "The proxy {proxy} answers {who}, and comes no further than itself: it cannot connect to {target}.",
        fold_by=("proxy", "target"),
        also=PROXIED,
        echoes=ACROSS,
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    from_problem(
        "TC714",
        "TT714",
        "The machine's name leads to another machine",
        "The name {host}, by which {who} should be reached, leads to {other}, even when {who} itself {is} asked.",
        fold_by=("host", "other"),
        also=_ELSEWHERE,
        rank=12,
    ),
    CauseKind(
        "TC908",
        "The two ends share no elliptic curve",
        "What {who} and {its} peer allow has cipher suites in common, but no elliptic curve that these could use.",
        frozenset({"TT907"}),
        (
            "Allow one curve at both ends, such as NistP256 (by group policy where that has the list):",
            "$ Get-TlsEccCurve",
            "$ Enable-TlsEccCurve -Name NistP256",
        ),
        (
            "Allow one curve at both ends, such as prime256v1, in openssl.cnf or the crypto policy:",
            "$ grep -n -E 'Groups|Curves' /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf",
        ),
        whenever,
        also=frozenset({"TT106", "TT112", "TT113", "TT131", "TT132", "TT505", "TT524", "TT525", "TT526"}),
        rank=20,
    ),
)
