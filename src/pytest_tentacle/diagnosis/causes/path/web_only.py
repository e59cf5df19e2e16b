"""A name leads to what does not pass every port on, or to nothing: a web service, a client, a filter of DNS."""

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


_SHARED: Final = (ip_network("100.64.0.0/10"),)
"""Addresses that no public DNS has (RFC 6598): clients such as Zscaler's answer names with them, on one machine."""

_BLOCKED: Final = tuple(map(ip_network, ("0.0.0.0/32", "::/128", "146.112.61.104/29")))
"""What a filter of DNS answers with: no address at all (Pi-hole, AdGuard Home), or Cisco Umbrella's block pages."""

_LET_THROUGH = (
    "On {vantage}, see what answers the name. Where it is a client of Zscaler Private Access or its like, have those "
    "who manage it let this machine through to {host} at port {port} (with Zscaler the application segment and an "
    "access policy; a segment with port 443 alone is enough for the portal), or take the name out of it. No firewall "
    "of the two ends is in the way as long as connections end at the client:"
)
_UNBLOCK = (
    "On {vantage}, see whether its hosts file has the name like that. Otherwise have those who run the DNS filter "
    "(Pi-hole, AdGuard Home, Cisco Umbrella and their like) allow the name, or have the machine ask DNS servers that "
    "do; then empty the cache. The server, its port and the firewalls are not to blame:"
)


_NETWORKS: Final = {"cloudflare": _CLOUDFLARE, "shared": _SHARED, "blocked": _BLOCKED}
_BEGINNINGS: Final = {
    which: frozenset(str(each.network_address).partition(".")[0] for each in networks)
    for which, networks in _NETWORKS.items()
}
"""Of these, the first number: of thousands of addresses most are told by it."""


@lru_cache(maxsize=1024)
def _lie_in(addresses: tuple[str, ...], which: str) -> bool:
    """Whether all of them do."""
    networks, first = _NETWORKS[which], addresses[0] if addresses else ""
    if ":" not in first and first.partition(".")[0] not in _BEGINNINGS[which]:
        return False
    try:
        read = [ip_address(plain_address(each) or "") for each in addresses]
    except ValueError:
        return False
    return bool(read) and all(any(each in network for network in networks) for each in read)


def _leads_to(problem: Problem, which: str) -> Clue | None:
    resolved = problem.facts.get("resolved")
    if not isinstance(resolved, tuple) or not _lie_in(resolved, which):
        return None
    return Clue(facts={"resolved": ", ".join(resolved)}, place=str(problem.facts.get("vantage")))


def _web_ports_alone(_view: View, problem: Problem) -> Clue | None:
    resolved = problem.facts.get("resolved")
    if (
        not isinstance(resolved, tuple)
        or problem.facts.get("port") in _PASSED_ON
        or not _lie_in(resolved, "cloudflare")
    ):
        return None
    return Clue(facts={"resolved": ", ".join(resolved)}, place=str(problem.facts.get("vantage")))


def _through_a_client(view: View, problem: Problem) -> Clue | None:
    """Nobody else gets such an address for the name, and the other end has none of them."""
    end = view.end(problem)
    known = tuple(end.subject.known_addresses) if end is not None else ()
    declared = (*known, str(problem.facts.get("declared_ip")))
    return None if any(_lie_in((each,), "shared") for each in declared) else _leads_to(problem, "shared")


def is_elsewhere(view: View, problem: Problem) -> bool:
    """Whether one of the causes below says where the name leads."""
    return any(each(view, problem) for each in (_web_ports_alone, _through_a_client, _filtered))


def _filtered(_view: View, problem: Problem) -> Clue | None:
    return _leads_to(problem, "blocked")


_LOOK_WINDOWS, _LOOK_LINUX = '$ Resolve-DnsName "<host>"', '$ getent ahosts "<host>"'


WEB_ONLY: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5122",
        "The name leads to Cloudflare, which does not pass the port on",
        "{host} leads {vantage} to addresses of Cloudflare ({resolved}): its record is proxied there, and that proxy "
        "takes web ports only, not {port}.",
        NO_ANSWER | {"TT512"},
        (_NOT_PROXIED, _LOOK_WINDOWS),
        (_NOT_PROXIED, _LOOK_LINUX),
        _web_ports_alone,
        consequences=LOST_IN_LOGS | {"TT711", "TT712"},
        fold_by=("host",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5123",
        "The name leads into a client that passes only what it is set to",
        "On {vantage}, {host} resolves to {resolved}, of a range that no public DNS gives (100.64.0.0/10): a client "
        "for private access, such as Zscaler's, answers names like that and takes the connections. What it does not "
        "know as a name with port {port} comes to nothing there. (A mesh such as Tailscale's, and networks of some "
        "clouds, have such addresses, too.)",
        frozenset({"TT512"}),
        (_LET_THROUGH, _LOOK_WINDOWS, "$ Get-NetAdapter | Format-Table Name, InterfaceDescription, Status"),
        (_LET_THROUGH, _LOOK_LINUX, "$ ip address"),
        _through_a_client,
        consequences=LOST_IN_LOGS | NO_ANSWER,
        fold_by=("host",),
        rank=30,
        confidence=Confidence.POSSIBLE,
    ),
    CauseKind(
        "TC5124",
        "A filter of DNS answers instead of giving the address",
        "On {vantage}, {host} resolves to {resolved}, which is what a filter of DNS answers with for a name that it "
        "blocks (or a hosts file that was made for that).",
        frozenset({"TT512"}),
        (_UNBLOCK, _LOOK_WINDOWS, "$ Get-DnsClientServerAddress", "$ Clear-DnsClientCache"),
        (_UNBLOCK, _LOOK_LINUX, "$ cat /etc/resolv.conf /etc/hosts", "$ sudo resolvectl flush-caches"),
        _filtered,
        consequences=LOST_IN_LOGS | NO_ANSWER | frozenset({"TT101", "TT102", "TT121"}),
        fold_by=("host",),
        rank=30,
        confidence=Confidence.LIKELY,
    ),
)
