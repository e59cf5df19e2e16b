"""TT97x: the rest of the machine: disk space, clocks, versions with known defects."""

from __future__ import annotations

from pytest_tentacle.guide.commands import RESTART_LINUX, RESTART_WINDOWS, when
from pytest_tentacle.guide.consequences import STARTLESS, STRANGER_IN_LOGS, STRANGER_SPEAKS, UNANSWERED, UNTRUSTED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "machine-health"

MACHINE: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT971",
        "Too little free disk space",
        _STEP,
        "With less than 550 MB of free disk space a Tentacle refuses work, and a full disk can cost it its "
        "configuration file. On Linux a file system is also full when its inodes are used up, one for each file.",
        (
            "Free some space; retention policies and old packages are the first to look at:",
            "$ Get-CimInstance Win32_Volume | Format-Table Name, FreeSpace, Capacity",
        ),
        (
            *when("space", "Free some space; retention policies and old packages are the first to look at:"),
            *when(
                "inodes",
                "Space is not what it lacks. Find the folder with more files than anybody needs (of sessions, caches, "
                "mail, old packages), see whose they are, and remove those:",
            ),
            '$ df -h "<path>"',
            '$ df -i "<path>"',
            *when("inodes", '$ du --inodes -xd 3 "<path>"'),
        ),
        sentence="A disk of {who} has {lack}.",
        consequences=STARTLESS | {"TT125", "TT203"},
        rank=12,
    ),
    ProblemKind(
        "TT972",
        "The clocks of the two ends are more than a day apart",
        _STEP,
        "Time is not part of the protocol, but a certificate is valid from the day before it was made: to a clock "
        "that is more than a day behind, a new one is not valid yet. Log-ons and records of logs suffer as well.",
        ("Correct the clock of the machine that is wrong:", "$ w32tm /query /status", "$ w32tm /resync"),
        ("Correct the clock of the machine that is wrong:", "$ timedatectl status"),
        sentence=(
            "The clock of {who} and that of the other end are more than a day apart: certificates, log-ons and the "
            "times in logs suffer."
        ),
        consequences=frozenset({"TT113", "TT525", "TT527"}),
        rank=45,
    ),
    ProblemKind(
        "TT973",
        "The installed version has a known defect that occurs here",
        _STEP,
        "This version has the defect, and exactly what it does was found on the machine.",
        (
            "Upgrade to the fixed version or later, in the portal or by the installer; to see the installed version:",
            '$ Get-Item -LiteralPath "<executable>" | Format-List VersionInfo',
            "Then, unless the upgrade did so:",
            RESTART_WINDOWS,
        ),
        (
            "Upgrade to the fixed version or later, by the package manager; to see the installed version:",
            '$ "<tentacle>" version',
            "Then, unless the upgrade did so:",
            RESTART_LINUX,
        ),
        sentence=(
            "{who} {has} version {version}, which has a known defect (fixed in {fixed}): {what}. Exactly that was "
            "found."
        ),
        # Not TT503: an upgrade does not free the port, and through the portal it needs the port.
        consequences=STARTLESS | UNANSWERED | {"TT111", "TT122", "TT203", "TT552", "TT554"},
        fold_by=("version", "what"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT974",
        "The Tentacle and server versions are incompatible",
        _STEP,
        "Tentacle 1.x and 2.x speak with an Octopus Server of their own generation only, and Tentacle 3 and later "
        "with a server 3 or later.",
        (
            "Install a Tentacle of the server's generation, or upgrade the server; to see the installed version:",
            '$ Get-Item -LiteralPath "<tentacle>" | Format-List VersionInfo',
        ),
        (
            "Install a Tentacle of the server's generation, or upgrade the server; to see the installed version:",
            '$ "<tentacle>" version',
        ),
        sentence=(
            "{who} {has} Tentacle {version}, and {server} is an Octopus Server {other}: these versions are of "
            "generations that are not compatible, and cannot work with each other."
        ),
        consequences=UNANSWERED
        | UNTRUSTED
        | STRANGER_IN_LOGS
        | STRANGER_SPEAKS
        | {"TT131", "TT136", "TT320", "TT504", "TT525", "TT526"},
        fold_by=("version", "other"),
        rank=6,
    ),
    ProblemKind(
        "TT975",
        "A disk of Octopus is mounted read-only",
        _STEP,
        "The file system of Octopus Home, its logs or the folder for applications cannot be written to. Linux makes a "
        "file system read-only by itself when the disk has errors. A Tentacle can then neither log, nor keep its "
        "settings, nor deploy.",
        ("See why; look for errors of the disk:", "$ Get-Volume"),
        (
            (
                "See why: look for errors of the disk, and for the option ro in /etc/fstab; then mount it again. Where "
                "it is read-only for the service alone, its unit says so (ProtectSystem=, ReadOnlyPaths=): name the "
                "folder in ReadWritePaths= (systemctl edit), then restart it:"
            ),
            '$ findmnt --target "<path>"',
            "$ sudo dmesg --level err",
            '$ systemctl cat "<service>"',
        ),
        sentence="{path} on {who} is mounted read-only{for_whom}: nothing can be written there.",
        consequences=STARTLESS | {"TT122", "TT125", "TT126", "TT203", "TT971"},
        fold_by=("path",),
        rank=11,
    ),
    ProblemKind(
        "TT976",
        "The running process is not of the installed version",
        _STEP,
        "The program was upgraded, and its service was not restarted: the process of before goes on, and the files "
        "that it has not yet loaded are of another version. It may fail at any time.",
        ("Restart the service when no deployment is running on it:", RESTART_WINDOWS),
        ("Restart the service when no deployment is running on it:", RESTART_LINUX),
        sentence=(
            "The process of {who} is still version {version}, though {installed} is installed: the service was not "
            "restarted after the upgrade."
        ),
        fold_by=("version", "installed"),
        rank=70,
        confidence=Confidence.LIKELY,
    ),
)
