"""A name leads to a service in front of web servers, which passes no other port on."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.consequences import LOST_IN_LOGS, NO_ANSWER
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Problem
from pytest_tentacle.link.hosts import plain_address

_CLOUDFLARE: Final = tuple(
    map(
        ip_network,
        (
            *("173.245.48.0/20", "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "141.101.64.0/18"),
            *("108.162.192.0/18", "190.93.240.0/20", "188.114.96.0/20", "197.234.240.0/22", "198.41.128.0/17"),
            *("162.158.0.0/15", "104.16.0.0/13", "104.24.0.0/14", "172.64.0.0/13", "131.0.72.0/22"),
            *("2400:cb00::/32", "2606:4700::/32", "2803:f800::/32", "2405:b500::/32", "2405:8100::/32"),
            *("2a06:98c0::/29", "2c0f:f248::/32"),
        ),
    )
)
"""As Cloudflare publishes them (www.cloudflare.com/ips): what its proxy answers at is in no other network."""

_PASSED_ON: Final = frozenset({80, 443, 2052, 2053, 2082, 2083, 2086, 2087, 2095, 2096, 8080, 8443, 8880})
"""The ports that its proxy takes, by its documentation of network ports."""

_NOT_PROXIED = (
    "Give the polled name, or another one that Tentacles poll, a record that is not proxied (DNS only), with the "
    "server's own address; the portal's name may stay as it is. Then let the Tentacles poll that name. No firewall of "
    "the two ends is in the way. (Spectrum passes other ports: check that it has this one, where you have it.) "
    "To see where the name leads:"
)


@lru_cache(maxsize=1024)
def _of_cloudflare(addresses: tuple[str, ...]) -> bool:
    """Whether all are addresses of that proxy."""
    try:
        read = [ip_address(plain_address(each) or "") for each in addresses]
    except ValueError:
        return False
    return bool(read) and all(any(each in network for network in _CLOUDFLARE) for each in read)


def _web_ports_alone(_view: View, problem: Problem) -> Clue | None:
    resolved = problem.facts.get("resolved")
    if not isinstance(resolved, tuple) or problem.facts.get("port") in _PASSED_ON or not _of_cloudflare(resolved):
        return None
    return Clue(facts={"resolved": ", ".join(resolved)}, place=str(problem.facts.get("vantage")))


WEB_ONLY: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5122",
        "The name leads to Cloudflare, which does not pass the port on",
        "{host} leads {vantage} to addresses of Cloudflare ({resolved}): its record is proxied there, and that proxy "
        "takes web ports only, not {port}.",
        NO_ANSWER | {"TT512"},
        (_NOT_PROXIED, '$ Resolve-DnsName "<host>"'),
        (_NOT_PROXIED, '$ getent ahosts "<host>"'),
        _web_ports_alone,
        consequences=LOST_IN_LOGS | {"TT711", "TT712"},
        fold_by=("host",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
)
