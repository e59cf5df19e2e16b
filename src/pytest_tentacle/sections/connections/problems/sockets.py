"""TT55x: the connections that both ends really hold (guide, "Check the Connections")."""

from __future__ import annotations

from pytest_tentacle.guide.consequences import ACROSS, UNANSWERED, UNCONNECTED, UNREACHED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "connections-established"
_SHOW_WINDOWS = (
    "$ Get-NetTCPConnection -RemotePort <port> | Format-Table RemoteAddress, State, OwningProcess, CreationTime"
)
_SHOW_LINUX = "$ sudo ss -tanp '( sport = :<port> or dport = :<port> )'"
_SERVICE = '$ Restart-Service -Name "<service>"'
_SERVICE_LINUX = '$ sudo systemctl restart "<service>"'

SOCKETS: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT551",
        "The polling Tentacle holds no connection to its server",
        _STEP,
        "The server's page is shown from the Tentacle's machine, and yet the Tentacle's process holds no connection to "
        "it, although it has run long enough: the server closes each of them at once (it does not trust the Tentacle's "
        "thumbprint, or the machine is disabled or deleted there), or the process is stuck.",
        (
            "Read the end of the Tentacle's log and compare the thumbprints at both ends; watch the connections:",
            _SHOW_WINDOWS,
            _SERVICE,
        ),
        (
            "Read the end of the Tentacle's log and compare the thumbprints at both ends; watch the connections:",
            _SHOW_LINUX,
            _SERVICE_LINUX,
        ),
    ),
    ProblemKind(
        "TT552",
        "Connections pile up in CLOSE_WAIT",
        _STEP,
        "One address closed many connections that this end still holds half-open. Something between the two, or the "
        "other "
        "end, breaks connections off, or the process here is stuck and does not clean up.",
        (
            "See whose address it is; look there for a firewall or proxy that closes connections; restart the service:",
            (
                "$ Get-NetTCPConnection -State CloseWait | Group-Object RemoteAddress, OwningProcess | Format-Table "
                "Count, Name"
            ),
            _SERVICE,
        ),
        (
            "See whose address it is; look there for a firewall or proxy that closes connections; restart the service:",
            "$ sudo ss -tanp state close-wait",
            _SERVICE_LINUX,
        ),
        sentence=(
            "On {who} {count} connections that {address} has closed are still held (CLOSE_WAIT): something breaks "
            "them off, or the process is stuck."
        ),
        consequences=UNANSWERED | {"TT128", "TT505"},
        fold_by=("address",),
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT553",
        "The Tentacle's own connection attempts get no answer",
        _STEP,
        "A probe from the same machine reaches the server, but what the Tentacle's process sends is not answered: an "
        "outbound rule for its program or its account, or a security product, blocks it.",
        (
            "See which outbound rules name the program:",
            _SHOW_WINDOWS,
            (
                "$ Get-NetFirewallRule -Direction Outbound -Enabled True -Action Block | "
                "Get-NetFirewallApplicationFilter | Format-Table Program"
            ),
        ),
        ("See which rules concern the account that it runs as:", _SHOW_LINUX, "$ sudo nft list ruleset"),
        sentence=(
            "A probe on {who} reaches the server, and the Tentacle's own process does not: an outbound rule or a "
            "security product for its program or account."
        ),
        consequences=UNCONNECTED | UNREACHED,
        echoes=ACROSS,
        rank=30,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT554",
        "Connections from one address pile up and stay open",
        _STEP,
        "Far more connections from one address are open on the port than are in use: they "
        "are opened and never closed, until sockets or memory run out. Tentacle 4.0.2 to 5.0.2, and Octopus Server "
        "2019.5.5 to "
        "2019.7, have such a leak.",
        (
            "See whose connections they are; until that is fixed, a restart closes them:",
            (
                "$ Get-NetTCPConnection -State Established -LocalPort <port> | Group-Object RemoteAddress | "
                "Format-Table Count, Name"
            ),
            _SERVICE,
        ),
        (
            "See whose connections they are; until that is fixed, a restart closes them:",
            "$ sudo ss -tanp state established '( sport = :<port> )'",
            _SERVICE_LINUX,
        ),
        sentence="{count} connections from {address} stay open on {who} and are never closed: they pile up.",
        consequences=UNANSWERED | {"TT128"},
        fold_by=("address",),
        rank=45,
        confidence=Confidence.LIKELY,
    ),
)
