"""TT71x: IP addresses: the one that a name leads to, the ones that the machine has, the ones that it listens on."""

from __future__ import annotations

from pytest_tentacle.guide.consequences import LOST_IN_LOGS, UNANSWERED, UNCONNECTED, WRONG_ADDRESS, WRONG_NAME
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "ip-addresses"
_ADDRESSES_WINDOWS = "$ ipconfig /all"
_ADDRESSES_LINUX = "$ ip address show"
_SOCKETS_WINDOWS = "$ Get-NetTCPConnection -State Listen -LocalPort <port> | Select-Object LocalAddress, OwningProcess"
_SOCKETS_LINUX = "$ sudo ss -ltnp 'sport = :<port>'"

ADDRESSES: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT711",
        "The address in use does not belong to the machine",
        _STEP,
        "The address that the connecting machine uses does not belong to the machine that should answer, the "
        "inventory does not declare it for that machine, and nothing accepts a connection there: a stale record in "
        "DNS, an old address in the settings, or an address of a NAT device or load balancer that does not forward the "
        "port.",
        (
            (
                "Compare the addresses of the machine that should answer with what the name resolves to on the other "
                "one; "
                "correct the record, or let the NAT device forward the port:"
            ),
            _ADDRESSES_WINDOWS,
            '$ Resolve-DnsName "<host>"',
        ),
        (
            (
                "Compare the addresses of the machine that should answer with what the name resolves to on the other "
                "one; "
                "correct the record, or let the NAT device forward the port:"
            ),
            _ADDRESSES_LINUX,
            '$ getent ahosts "<host>"',
        ),
        sentence=(
            "The address that is used on the link of {who} does not belong to the machine that should "
            "answer: a stale record,"
            " or a NAT device or load balancer that does not forward the port."
        ),
        consequences=WRONG_ADDRESS,
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT712",
        "The machine does not listen on the address in use",
        _STEP,
        "The address is one of the machine's, but the port is open on another of its addresses only, so that "
        "connections to this one fail.",
        (
            (
                "Let it listen on every address (for a Tentacle: an empty ListenIP), or let the other end use the one "
                "that it listens on. See which that is:"
            ),
            _SOCKETS_WINDOWS,
            _ADDRESSES_WINDOWS,
        ),
        (
            (
                "Let it listen on every address (for a Tentacle: an empty ListenIP), or let the other end use the one "
                "that it listens on. See which that is:"
            ),
            _SOCKETS_LINUX,
            _ADDRESSES_LINUX,
        ),
        sentence=(
            "The machine that should answer has its port open on another of its addresses ({bound}) than the one that "
            "is used on the link of {who}."
        ),
        consequences=WRONG_ADDRESS | {"TT501", "TT505"},
        rank=25,
    ),
    ProblemKind(
        "TT713",
        "The address in use is self-assigned",
        _STEP,
        "The address that the connecting machine uses is link-local (169.254.0.0/16 or fe80::/10). A machine takes "
        "such an address when it gets none, no router forwards it, and nothing answers there.",
        (
            (
                "Find out why the machine got no address (DHCP, cable, virtual switch), then remove the link-local "
                "address from DNS or inventory:"
            ),
            _ADDRESSES_WINDOWS,
            '$ Resolve-DnsName "<host>"',
        ),
        (
            (
                "Find out why the machine got no address (DHCP, cable, virtual switch), then remove the link-local "
                "address from DNS or inventory:"
            ),
            _ADDRESSES_LINUX,
            '$ getent ahosts "<host>"',
        ),
        sentence=(
            "The address that is used on the link of {who} is self-assigned: a machine takes such an address when it "
            "gets none, and no router forwards it."
        ),
        consequences=WRONG_ADDRESS | {"TT711"},
        rank=25,
    ),
    ProblemKind(
        "TT714",
        "The machine's own name resolves to another machine",
        _STEP,
        "Asked on the machine itself, a name by which its servers should reach it leads to addresses of another "
        "surveyed machine: a stale or duplicate record in DNS, or an entry in the hosts file. Whoever uses the name "
        "talks to that other machine.",
        (
            "Correct the record, or the hosts file; see what the name resolves to and which addresses the machine has:",
            '$ Resolve-DnsName "<host>"',
            '$ Get-Content "$env:SystemRoot\\System32\\drivers\\etc\\hosts"',
            _ADDRESSES_WINDOWS,
        ),
        (
            "Correct the record, or /etc/hosts; see what the name resolves to and which addresses the machine has:",
            '$ getent ahosts "<host>"',
            "$ cat /etc/hosts",
            _ADDRESSES_LINUX,
        ),
        sentence=(
            "The name {host}, by which {who} should be reached, leads to {other}, even when {who} itself {is} asked."
        ),
        consequences=WRONG_NAME,
        fold_by=("host", "other"),
        rank=12,
    ),
    ProblemKind(
        "TT715",
        "An address of the name does not work",
        _STEP,
        "A name leads to several addresses, and the machine does not answer at all of them. Octopus tries them one "
        "after the other, in the order that DNS gives: it goes on if one refuses, and waits if one is silent. So "
        "connections are slow, or fail now and then.",
        (
            "Remove the address from DNS or the hosts file, or remove what keeps the machine from answering there:",
            '$ Resolve-DnsName "<host>"',
            '$ Test-NetConnection "<dead>" -Port <port>',
            _ADDRESSES_WINDOWS,
        ),
        (
            "Remove the address from DNS or the hosts file, or remove what keeps the machine from answering there:",
            '$ getent ahosts "<host>"',
            '$ openssl s_client -connect "<dead>:<port>" </dev/null',
            _ADDRESSES_LINUX,
        ),
        sentence="Not every address of {host} works from {vantage}: {why}.",
        consequences=LOST_IN_LOGS | UNCONNECTED | {"TT553", "TT642", "TT643", "TT644", "TT645"},
        fold_by=("host", "why"),
        place="vantage",
        rank=30,
    ),
    ProblemKind(
        "TT716",
        "A silent address of the name keeps Octopus from the one that answers",
        _STEP,
        "A name leads to several addresses, and the first of them is silent. Octopus has 60 s for a connection, over "
        "all addresses. Windows gives up on a silent one after some 20 s; Linux only after two minutes, so there the "
        "next address is never tried. A router that reports the host as unreachable ends the wait sooner.",
        (
            "Remove the address from DNS or the hosts file, or remove what keeps the machine from answering there:",
            '$ Resolve-DnsName "<host>"',
            '$ Test-NetConnection "<dead>" -Port <port>',
        ),
        (
            "Remove the address from DNS or the hosts file, or remove what keeps the machine from answering there:",
            '$ getent ahosts "<host>"',
            '$ openssl s_client -connect "<dead>:<port>" </dev/null',
            _ADDRESSES_LINUX,
        ),
        sentence="The first address of {host} does not work from {vantage}: {why}.",
        consequences=UNANSWERED | LOST_IN_LOGS | UNCONNECTED | {"TT553", "TT642", "TT643", "TT644", "TT645", "TT715"},
        fold_by=("host", "why"),
        place="vantage",
        rank=28,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT717",
        "A name takes a second or longer to resolve",
        _STEP,
        "A resolver asks the next DNS server only when the first has been silent for a while: five seconds on Linux, a "
        "second at first on Windows. So the first one is down or overloaded, or what it asks itself is. Each new "
        "connection waits that long, and a look that gives up sooner shows a time-out.",
        (
            "See which DNS servers are asked, and how long each takes; correct their order, or fix the first:",
            "$ Get-DnsClientServerAddress",
            '$ Measure-Command { Resolve-DnsName "<host>" -DnsOnly }',
        ),
        (
            "See which DNS servers are asked, and how long each takes; correct their order, or fix the first:",
            "$ cat /etc/resolv.conf",
            '$ time getent ahosts "<host>"',
        ),
        sentence="{vantage} takes {ms} ms to resolve {host}: a DNS server does not answer, or answers late.",
        consequences=frozenset({"TT644"}),
        fold_by=("vantage",),
        place="vantage",
        rank=29,
        confidence=Confidence.LIKELY,
    ),
)
