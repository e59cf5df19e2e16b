"""TT64x: what many attempts at a link show that one does not. What to do is done where the connection is opened."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.guide.commands import CERTIFICATE_WINDOWS
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "tentacle-ping"
_PING = '$ pytest-tentacle ping "<host>" --port <port> --count 50'
_TRY_WINDOWS = '$ Test-NetConnection "<host>" -Port <port>'
_TRY_LINUX = '$ openssl s_client -connect "<host>:<port>" </dev/null'


def _kind(
    code: str, title: str, meaning: str, what: str, *, windows: tuple[str, ...], linux: tuple[str, ...], **own: Any
) -> ProblemKind:
    return ProblemKind(code, title, _STEP, meaning, (what, *windows), (what, *linux), **own)


PING: tuple[ProblemKind, ...] = (
    _kind(
        "TT641",
        "The link has stopped working",
        "A first look succeeded, and then no attempt of the ping did: what answers has just stopped, or "
        "something on the path allows only a few connections.",
        "See whether it still happens; then look at the other end's service, and at limits on connections on the path:",
        windows=(_TRY_WINDOWS, _PING),
        linux=(_TRY_LINUX, _PING),
        sentence=(
            "From {vantage}, {host}:{port} showed its page, and moments later no longer did ({sent} attempts): "
            "what answers has just stopped, or something on the path limits the number of connections."
        ),
        fold_by=("server", "vantage"),
        place="vantage",
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    _kind(
        "TT642",
        "Some connection attempts fail",
        "Most attempts succeed, but several in a row fail. TCP sends lost packets again, so this is more than a "
        "packet: "
        "an overloaded end, a restart, a firewall that drops for a while. Octopus tries again up to five times, and a "
        "deployment fails where that is not enough.",
        "Ping for longer, note when attempts fail, and compare with the logs of both ends and the firewalls between:",
        windows=(_PING, _TRY_WINDOWS),
        linux=(_PING, _TRY_LINUX),
    ),
    _kind(
        "TT643",
        "The link is intermittent",
        "The link works, fails and works again, several times within the ping. Where each second or third attempt "
        "fails, several machines answer at one address, and not all of them are healthy.",
        "See what stands at the address: a load balancer, a cluster, two machines with one address, a flapping route:",
        windows=(_PING, '$ Resolve-DnsName "<host>"'),
        linux=(_PING, '$ getent ahosts "<host>"'),
    ),
    _kind(
        "TT644",
        "The link is slow",
        "In one of twenty attempts or more, a stage takes a second or longer. No distance on Earth does that: a first "
        "packet that is lost is sent again after one second, a DNS server that does not answer costs as much or more, "
        "and a handshake or page waits for a busy machine.",
        "See which stage it is (in the evidence), and measure from the machine that connects:",
        windows=('$ Measure-Command { Resolve-DnsName "<host>" }', _PING),
        linux=('$ time getent ahosts "<host>"', _PING),
    ),
    _kind(
        "TT645",
        "The certificate changes from one attempt to the next",
        "Within one ping, the same address presented different certificates: several machines stand behind it. "
        "Octopus knows its peer by its certificate, so it accepts only one of them. A polling Tentacle "
        "needs an address of its own for each server node, and a listening one its own address.",
        "See whose certificates they are (in the evidence), and give each machine an address of its own:",
        windows=(CERTIFICATE_WINDOWS, '$ Resolve-DnsName "<host>"'),
        linux=(
            (
                '$ openssl s_client -connect "<host>:<port>" </dev/null | openssl x509 -noout -subject -fingerprint '
                "-sha1"
            ),
            '$ getent ahosts "<host>"',
        ),
    ),
    _kind(
        "TT646",
        "Large requests are not answered",
        "A small request is answered, and none of those with the payload: packets of full size do not get through "
        "(a tunnel or VPN with a smaller MTU whose ICMP messages are filtered), or a device on the path cuts requests "
        "off.",
        "Find the largest packet that passes, and let the ICMP message `fragmentation needed` through the firewalls:",
        windows=('$ ping -f -l 1472 "<host>"', "$ netsh interface ipv4 show subinterfaces"),
        linux=('$ tracepath "<host>"', "$ ip link show"),
        sentence=(
            "From {vantage} to {host}:{port} small requests are answered and larger ones are not: a tunnel or VPN "
            "with a smaller MTU whose ICMP messages are filtered, or a device that cuts requests off."
        ),
        fold_by=("server", "vantage"),
        place="vantage",
        rank=45,
        confidence=Confidence.LIKELY,
    ),
)
