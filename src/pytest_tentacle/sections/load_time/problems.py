"""TT81x: how long the programs take to load."""

from __future__ import annotations

from pytest_tentacle.guide.commands import RESTART_LINUX, RESTART_WINDOWS
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "load-time"
_MEASURE_WINDOWS = '$ Measure-Command { & "<executable>" help }'
_MEASURE_LINUX = '$ time "<executable>" help'
_STATE = (
    "$ Get-ItemProperty 'HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\WinTrust\\Trust Providers\\Software "
    "Publishing' -Name State"
)

LOADING: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT811",
        "The program loads slowly",
        _STEP,
        "The help of the program is not displayed at once (the guide: within 1 s), even when it was loaded just "
        "before. This slows down every start and every task, and connections may time out meanwhile: a busy machine, a "
        "virus scanner that looks into each file, or, on Windows without Internet access, the check of the "
        "publisher's certificate.",
        (
            (
                "See how long it takes; exempt the program's folder and Octopus Home from virus scanning; without "
                "Internet access, uncheck Internet Options, Advanced, Check for publisher's certificate revocation, as "
                "the service's account:"
            ),
            _MEASURE_WINDOWS,
            _STATE,
        ),
        (
            "See how long it takes, and what keeps the machine busy:",
            _MEASURE_LINUX,
            "$ top -b -n 1",
        ),
        sentence=(
            "On {who} the program takes longer to load than the second that the guide allows, each time: a busy "
            "machine, or a virus scanner."
        ),
        consequences=frozenset({"TT204", "TT116", "TT130"}),
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT812",
        "The first start waits for a check of the publisher's certificate",
        _STEP,
        "The first load takes much longer than the second, Windows is set to check code signing certificates for "
        "revocation for the service's account, and the address where it would check cannot be reached: it waits "
        "for an answer that never comes.",
        (
            (
                "Uncheck Internet Options, Advanced, Check for publisher's certificate revocation, as the service's "
                "account; or let the machine reach the distribution points (port 80). To see how it is set for your "
                "own account:"
            ),
            _STATE,
            _MEASURE_WINDOWS,
        ),
        ("Only Windows checks for revocation when it loads a program; see how long it takes:", _MEASURE_LINUX),
        sentence=(
            "On {who} Windows checks the program's certificate for revocation at addresses that cannot be reached, as "
            "in a DMZ: each first load waits for that."
        ),
        consequences=frozenset({"TT204", "TT811", "TT130", "TT116"}),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT813",
        "The program fails even when it is asked to show its help",
        _STEP,
        "Showing its help needs no instance and no settings, and yet the program ends with an error: parts of the "
        "installation, or of what it needs from the system, are missing or damaged.",
        (
            (
                "See what it says; look for its crash in the Application log; then repair the installation, and start "
                "the service:"
            ),
            '$ & "<executable>" help',
            "$ Get-WinEvent -FilterHashtable @{ LogName = 'Application'; ProviderName = '.NET Runtime' } -MaxEvents 5",
            RESTART_WINDOWS,
        ),
        (
            "See what it says, then install the package again, and start the service:",
            '$ "<executable>" help',
            RESTART_LINUX,
        ),
    ),
)
