"""TT3xx: the communication settings."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.guide.commands import (
    AGAIN,
    OTHER_ADDRESS,
    OTHER_MODE,
    POLL_ANEW,
    POLL_NODE,
    REGISTER_WORDS,
    TRUST_ANEW,
    TRUST_FIRST,
    TRUST_SERVER,
    tentacle,
)
from pytest_tentacle.guide.consequences import (
    BROKEN_TRUST,
    ENDED,
    NO_SETTINGS_READ,
    UNANSWERED,
    UNREACHED,
    UNTRUSTED,
)
from pytest_tentacle.guide.problem import ProblemKind

_STEP = "communication-settings"


def _kind(code: str, title: str, meaning: str, what: str, *calls: str, **own: Any) -> ProblemKind:
    """A problem that is mended by calls of Tentacle, with the same arguments on both systems, and a restart."""
    windows, linux = tentacle(*calls, AGAIN)
    return ProblemKind(code, title, _STEP, meaning, (what, *windows), (what, *linux), **own)


def _either(
    code: str, title: str, meaning: str, what: str, lines: tuple[tuple[str, ...], ...], **own: Any
) -> ProblemKind:
    """A problem whose remedy is made of these lines for Windows and for Linux."""
    return ProblemKind(code, title, _STEP, meaning, (what, *lines[0]), (what, *lines[1]), **own)


_FILE_REMEDY_WINDOWS = (
    (
        "Restore the file from a backup of this very machine (its certificate is encrypted for it), then restart the "
        "service; without a backup, set the instance up again. See what is there:"
    ),
    '$ Get-Item -LiteralPath "<file>"',
)
_FILE_REMEDY_LINUX = (
    (
        "Restore the file from a backup of this very machine (its certificate is encrypted for it), then restart the "
        "service; without a backup, set the instance up again. See what is there:"
    ),
    '$ ls -l "<file>"',
    "$ df -h",
)

_IN_THE_PORTAL = (
    "Correct the address or the thumbprint in the Octopus Web Portal, on the machine's page (Settings): <portal>. The "
    "thumbprint is the one that the Tentacle shows for itself."
)
_REGISTERED_AGAIN = (
    "Compare the subscription with the one on the machine's page in the Octopus Web Portal (<portal>). Then register "
    "the Tentacle again from its own machine, and delete the entry in Octopus that nobody uses. See what it has:"
)

SETTINGS: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT301",
        "The configuration file is missing",
        _STEP,
        "The instance is registered, but the file that its registration names is not there. It does not start without "
        "it.",
        _FILE_REMEDY_WINDOWS,
        _FILE_REMEDY_LINUX,
        sentence="The configuration file of {who} is gone, so the service cannot start.",
        consequences=NO_SETTINGS_READ,
        rank=10,
    ),
    ProblemKind(
        "TT302",
        "The configuration file is empty",
        _STEP,
        "The file has no content; a disk that was full when the Tentacle wrote it leaves it empty. The Tentacle "
        "does not start.",
        (*_FILE_REMEDY_WINDOWS, "Free disk space first:", "$ Get-PSDrive -PSProvider FileSystem"),
        _FILE_REMEDY_LINUX,
    ),
    ProblemKind(
        "TT303",
        "The configuration file is malformed",
        _STEP,
        "The file, or the list of trusted servers in it, cannot be read: cut off by a full disk, or edited by hand.",
        _FILE_REMEDY_WINDOWS,
        _FILE_REMEDY_LINUX,
    ),
    _either(
        "TT310",
        "The communication mode is not the expected one",
        "The Tentacle is set up to listen where the inventory has it poll, or the other way round: each end waits "
        "for the other, or connects to where nothing listens.",
        "Correct the inventory and the machine's settings in the Octopus Web Portal; or set the Tentacle up for the "
        "mode that they have:",
        OTHER_MODE,
        sentence=(
            "{who} {is} {declared} according to the inventory, and probably to the server; by {its} own settings "
            "{seen}. So the two ends never meet."
        ),
        consequences=UNANSWERED,
        fold_by=("declared",),
        rank=30,
    ),
    _kind(
        "TT311",
        "The Tentacle listens on another port",
        "The server connects to the port that it has on record, and nothing listens there.",
        "Correct the port in the inventory and in the machine's settings in the Octopus Web Portal, or let the "
        "Tentacle listen on the port that they have, and open it in the firewall:",
        'configure --instance "<instance>" --port <declared>',
    ),
    _kind(
        "TT312",
        "Listening is switched off (NoListen)",
        "NoListen is true: the service runs and opens no port. It stays behind when a polling Tentacle becomes a "
        "listening one.",
        "Let it listen:",
        'configure --instance "<instance>" --noListen False',
        sentence=(
            "NoListen is true on {who}, although a server should connect: the setting stays behind when a polling "
            "Tentacle becomes a listening one."
        ),
        consequences=frozenset({"TT501"}) | UNANSWERED,
        rank=30,
    ),
    ProblemKind(
        "TT313",
        "A server node is not polled",
        _STEP,
        "A polling Tentacle must poll every node of its Octopus Server: a node that it does not poll cannot give it "
        "work. A load balancer in front of the nodes is not a substitute.",
        (
            (
                "Let it poll the node as well, with an API key that may register machines; or declare the name that "
                "it polls among the node's addresses in the inventory:"
            ),
            *POLL_NODE[0],
        ),
        (
            (
                "Let it poll the node as well, with an API key that may register machines; or declare the name that "
                "it polls among the node's addresses in the inventory:"
            ),
            *POLL_NODE[1],
        ),
    ),
    _either(
        "TT314",
        "A server node is polled on another port",
        "The Tentacle connects to a port that is not one of the node's polling ports.",
        "Correct the node's polling_ports in the inventory, or the address that the Tentacle polls:",
        OTHER_ADDRESS,
    ),
    _either(
        "TT315",
        "A polling entry is incomplete",
        "The Tentacle skips an entry without address or subscription, and says so in its log: it does not "
        "poll that server.",
        f"Remove the incomplete entry, then register the Tentacle again. {REGISTER_WORDS}",
        POLL_ANEW,
        sentence=(
            "{who} {has} an entry for a server without address or subscription: the Tentacle skips it, and does "
            "not poll it."
        ),
        consequences=UNANSWERED | {"TT127"},
        rank=30,
    ),
    _kind(
        "TT316",
        "The listening address is not one of the machine's",
        "ListenIP names an address that the machine does not have, or no longer has, so the Tentacle cannot open "
        "its port. "
        "That happens when the machine gets another address.",
        "Let it listen on every address; where some network is not to reach it, name the new address in place of Any:",
        'configure --instance "<instance>" --listenIpAddress Any',
        sentence=(
            "{who} {is} set to listen on {address}, which is no longer an address of the machine, so the port cannot "
            "be "
            "opened."
        ),
        consequences=ENDED | UNANSWERED | {"TT505", "TT134"},
        rank=10,
    ),
    ProblemKind(
        "TT317",
        "The Octopus Server's polling port is not the expected one",
        _STEP,
        "The server listens for polling Tentacles on another port than the inventory declares.",
        (
            (
                "Correct polling_ports in the inventory, or the server's port, which takes effect after a restart that "
                "ends running tasks. A balancer or a Tentacle that knows the port of now is cut off by that until it "
                "has the other one:"
            ),
            '$ & "<octopus>" configure --instance "<instance>" --commsListenPort <declared>',
            '$ Restart-Service -Name "<service>"',
        ),
        (
            "Correct polling_ports in the inventory, or the port that the container publishes:",
            "$ docker ps --format '{{.Names}} {{.Ports}}'",
        ),
    ),
    _either(
        "TT320",
        "No Octopus Server is trusted",
        "A Tentacle that trusts no server closes every connection, and polls no server.",
        "Trust the server by the thumbprint that the Octopus Web Portal shows under Configuration, Thumbprints:",
        TRUST_FIRST,
        sentence="{who} {does} not trust any Octopus Server, so every connection is closed, and no server is polled.",
        consequences=UNTRUSTED,
        rank=35,
    ),
    _either(
        "TT321",
        "The Octopus Server is not trusted",
        "The server's thumbprint is not among the trusted ones: the Tentacle silently closes its connections, or does "
        "so when the server presents its certificate. The server has a new certificate, or another server "
        "was meant.",
        "Compare with the Octopus Web Portal (Configuration, Thumbprints), then trust it:",
        TRUST_SERVER,
    ),
    _either(
        "TT322",
        "A trusted thumbprint is malformed",
        "The thumbprint contains a character that is not a hexadecimal digit, often an invisible one that was copied "
        "from the certificate window: it never matches any server's.",
        "Trust it again; type the thumbprint, or paste it from the Octopus Web Portal:",
        TRUST_ANEW,
    ),
    _kind(
        "TT323",
        "A polled server's thumbprint is in lower case",
        "A polling Tentacle compares thumbprints letter by letter, and servers present them in upper case: never "
        "equal. (A listening one does not mind.)",
        "Write it in upper case:",
        'update-trust --instance "<instance>" --oldThumbprint "<configured>" --newThumbprint "<thumbprint>"',
        sentence=(
            "{who} expect{s} a server's thumbprint in lower case ({configured}), and a polling Tentacle compares "
            "letter by letter."
        ),
        consequences=BROKEN_TRUST,
        fold_by=("configured",),
        rank=35,
    ),
    ProblemKind(
        "TT331",
        "The registration in Octopus cannot be used",
        _STEP,
        "Octopus has no usable address of the Tentacle, or a thumbprint that no certificate can match: it compares "
        "character by character. It was typed by hand, or the registration was interrupted.",
        (_IN_THE_PORTAL, *tentacle('show-thumbprint --instance "<instance>"')[0]),
        (_IN_THE_PORTAL, *tentacle('show-thumbprint --instance "<instance>"')[1]),
        sentence="Octopus cannot use its registration of {who}: {fault}.",
        fold_by=("fault",),
        rank=35,
    ),
    ProblemKind(
        "TT332",
        "Octopus expects a different subscription",
        _STEP,
        "The Tentacle polls with a subscription that belongs to no machine in Octopus: it was deleted in Octopus, or "
        "registered again on one side only. It connects, and no request ever waits for it.",
        (_REGISTERED_AGAIN, *tentacle('show-configuration --instance "<instance>"')[0]),
        (_REGISTERED_AGAIN, *tentacle('show-configuration --instance "<instance>"')[1]),
        sentence="{who} poll{s} with a subscription that belongs to no machine in Octopus.",
        consequences=UNTRUSTED | UNREACHED,
        rank=35,
    ),
)
