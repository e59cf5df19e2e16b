"""TT95x: the rest of what logs may say (guide, "Other Error Messages")."""

from __future__ import annotations

from pytest_tentacle.guide.consequences import ACROSS, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "other-error-messages"
_WINDOWS = ('$ Test-NetConnection "<host>" -Port <port>', '$ Get-Content -Tail 200 -LiteralPath "<log>"')
_LINUX = ('$ curl -kv "https://<host>:<port>/"', '$ tail -n 200 "<log>"')

MESSAGES: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT951",
        "A web page is injected into the connection",
        _STEP,
        "Where Halibut should have identified itself, a web server answered (unknown identity 'HTTP/1.0' and the "
        "like): a firewall, a proxy or a load balancer answers instead of the other end.",
        ("Find what answers, and let the port pass through untouched; from the machine that connects:", *_WINDOWS),
        ("Find what answers, and let the port pass through untouched; from the machine that connects:", *_LINUX),
        sentence=(
            "According to the log, a web server answers where {who} or {its} peer should: a firewall, a proxy or a "
            "load balancer."
        ),
        consequences=UNCONNECTED | {"TT121", "TT113"},
        echoes=ACROSS,
        fold_by=("link",),
        rank=35,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT952",
        "The other end does not identify itself",
        _STEP,
        "It closed, or sent an empty line, where Halibut identifies itself: often an old Tentacle whose weak "
        "certificate "
        "its "
        "system no longer offers.",
        ("Upgrade the Tentacle and renew its certificate (SHA-256, 2048 bits), then register it again.", *_WINDOWS),
        ("Upgrade the Tentacle and renew its certificate (SHA-256, 2048 bits), then register it again.", *_LINUX),
    ),
    ProblemKind(
        "TT953",
        "The other end does not speak Halibut",
        _STEP,
        "What came is not what Halibut allows at that point: traffic is changed on the path, the parts are swapped, "
        "or a "
        "program that is no Tentacle answers.",
        ("Check that the address leads to the right machine and port, and what lies between:", *_WINDOWS),
        ("Check that the address leads to the right machine and port, and what lies between:", *_LINUX),
        sentence=(
            "According to the log, what {who} receive{s} is not what Octopus sends: traffic is changed on the path, or"
            " another program answers."
        ),
        consequences=UNCONNECTED,
        echoes=ACROSS,
        rank=60,
        confidence=Confidence.POSSIBLE,
    ),
    ProblemKind(
        "TT954",
        "Messages are cut off",
        _STEP,
        "A message ended before its end: the network cuts traffic short, or a weak certificate causes trouble (seen "
        "with SHA-1 on Windows Server 2012 R2). Halibut before 4.3.28 fails on a connection that breaks.",
        ("Look at the network between the two; renew a certificate with SHA-1:", *_WINDOWS),
        ("Look at the network between the two; renew a certificate with SHA-1:", *_LINUX),
    ),
    ProblemKind(
        "TT955",
        "Data is altered between the two ends",
        _STEP,
        "TLS found that what arrived is not what was sent. A connection that breaks does not look like that: a network "
        "card, its driver or what it does by itself (offloads), a virtual switch, antivirus software or a device on "
        "the path changes data.",
        (
            (
                "Update the drivers of the network card (of a virtual machine the host's as well), and leave the ends "
                "out of what inspects traffic on the machine. To find out which it is, switch one offload after the "
                "other off for a while, which costs some speed. See what the card does by itself, and its errors:"
            ),
            "$ Get-NetAdapterAdvancedProperty | Where-Object DisplayName -Match 'Offload|Checksum|RSC'",
            "$ Get-NetAdapterStatistics | Format-List *",
        ),
        (
            (
                "Update the drivers of the network card (of a virtual machine the host's as well), and leave the ends "
                "out of what inspects traffic on the machine. To find out which it is, switch one offload after the "
                "other off for a while (ethtool -K), which costs some speed. See the card's errors, and those of TCP:"
            ),
            "$ ip -s link",
            "$ nstat -az TcpInErrs TcpInCsumErrors",
        ),
        sentence=(
            "According to the log, what {who} receive{s} is not what the other end sent: something between the two, or "
            "a network card of theirs, changes data. (In its words: {words})"
        ),
        consequences=UNCONNECTED | {"TT106", "TT109", "TT113", "TT954"},
        echoes=ACROSS,
        rank=55,
        confidence=Confidence.LIKELY,
    ),
)
