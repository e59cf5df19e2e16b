"""TT136 to TT143: what a process, or a call that was to register it, said last (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import START_LINUX, START_WINDOWS
from pytest_tentacle.guide.consequences import DOWN, STARTLESS
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "identify-the-problem"
_ENDED = DOWN | STARTLESS | {"TT501"}
_TENTACLE = '$ & "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\Tentacle.exe"'
_TENTACLE_LINUX = "$ sudo /opt/octopus/tentacle/Tentacle"
_SERVED = "$ netsh http show servicestate view=requestq"

LAST_WORDS: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT136",
        "Registering the Tentacle failed",
        _STEP,
        "The last call that was to register it with the Octopus Server ended with an error, and nothing later shows "
        "that it works: the portal does not know the machine, or knows it as it was before.",
        (
            (
                "Mend what the error says, then call it again. The machine is not in the portal until then; the "
                "call is in the log:"
            ),
            '$ Select-String -Path "<log>" -Pattern "Register" -Context 0,20',
        ),
        (
            (
                "Mend what the error says, then call it again. The machine is not in the portal until then; the "
                "call is in the log:"
            ),
            '$ grep -A 20 "Register" "<log>"',
        ),
    ),
    ProblemKind(
        "TT137",
        "The Tentacle's set-up was not brought to its end",
        _STEP,
        "The instance has no home, or no certificate: new-instance and service were called, and what lies between was "
        "not. Since Tentacle 6.1 a missing certificate is made at the start.",
        (
            "Bring it to its end (home, certificate), register the Tentacle, then start the service:",
            f'{_TENTACLE} configure --instance "<instance>" --home "C:\\Octopus" --app "C:\\Octopus\\Applications"',
            f'{_TENTACLE} new-certificate --instance "<instance>" --if-blank',
            START_WINDOWS,
        ),
        (
            "Bring it to its end (home, certificate), register the Tentacle, then start the service:",
            f'{_TENTACLE_LINUX} configure --instance "<instance>" --home "/etc/octopus/default"',
            f'{_TENTACLE_LINUX} new-certificate --instance "<instance>" --if-blank',
            START_LINUX,
        ),
        sentence="The process of {who} ended at its start, since the set-up lacks a part (in its words: {words})",
        consequences=_ENDED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT138",
        "Another program has the port or prefix of the service's web server",
        _STEP,
        "Besides its communications port an Octopus Server opens those of its portal (a prefix at http.sys, Windows' "
        "own web server) and of its further services, such as 8443. One of them is taken: by an earlier installation, "
        "by IIS, by another program; and the service ends.",
        (
            "See who has it, end that or give one of the two another port; then start the service:",
            _SERVED,
            START_WINDOWS,
        ),
        ("See who has it, end that or give one of the two another port; then start:", "$ sudo ss -ltnp", START_LINUX),
        sentence=(
            "The service of {who} ended at its start, since another program has registered its prefix or holds its port"
            " (in its words: {words})"
        ),
        consequences=_ENDED | {"TT111"},
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT139",
        "The service's account may not listen on its web prefix",
        _STEP,
        "On Windows an account that is no administrator needs a reservation for the prefix of the portal.",
        (
            "Reserve the prefix for the account, then start the service; what is reserved is shown by:",
            "$ netsh http show urlacl",
            START_WINDOWS,
        ),
        ("Only Windows has such reservations; see what the service may do, then start it:", START_LINUX),
        sentence="The service of {who} ended at its start, since its account may not listen on its prefix "
        "(in its words: {words})",
        consequences=_ENDED,
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT140",
        "The program's file for logging is of another version",
        _STEP,
        "A file such as Tentacle.exe.nlog or NLog.config that an upgrade left over does not fit the program: it ends "
        "before it can do anything.",
        (
            "Take the left-over file away, repair the installation (its MSI), then start the service:",
            '$ Get-ChildItem "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\*nlog*"',
            START_WINDOWS,
        ),
        (
            "Take the left-over file away, install the package anew, then start the service:",
            "$ ls -l /opt/octopus/tentacle/",
            START_LINUX,
        ),
        sentence="The program of {who} ends at once, since its logging configuration (nlog) does not fit it "
        "(in its words: {words})",
        consequences=_ENDED | {"TT813"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT141",
        "The quotes around the instance's name are taken for a part of it",
        _STEP,
        "The service's command line quotes the name in a way that its system does not take off (systemd before 230 "
        "does so with quotes within a word, as on RHEL 7 and Amazon Linux 2; Tentacle 6.1.0 to 6.1.735 wrote such "
        "units), so that the program looks for an instance whose name has quotes.",
        (
            "Write the name without the quotes in the service's command line, then start it:",
            '$ sc.exe qc "<service>"',
            START_WINDOWS,
        ),
        (
            "Take the quotes out of the unit, or upgrade the Tentacle and install its service anew; then start it:",
            '$ systemctl cat "<service>"',
            r"$ sudo sed -i.bak '/^ExecStart=/s/\x22//g' \"/etc/systemd/system/<service>.service\"",
            "$ sudo systemctl daemon-reload",
            START_LINUX,
        ),
        sentence=(
            "The service of {who} ends at each start: the quotes in its command line are taken for a part of the "
            "instance's name, and there is no instance {wanted}."
        ),
        consequences=_ENDED | {"TT124"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT142",
        "The process ended, since another one holds a file of it",
        _STEP,
        "A second copy of the program, a backup or a virus scanner holds a file that it needs.",
        (
            (
                "See who holds it (a second Tentacle or Octopus Server process, a scanner), end that, then start the "
                "service:"
            ),
            "$ Get-Process Tentacle, Octopus.Server -ErrorAction Ignore | Select-Object Id, Path, StartTime",
            START_WINDOWS,
        ),
        ("See who holds it, end that, then start the service:", '$ sudo fuser -v "<path>"', START_LINUX),
        sentence="The process of {who} ended, since another one holds a file that it needs (in its words: {words})",
        consequences=_ENDED,
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT143",
        "The Octopus Server does not get into its database",
        _STEP,
        "Without its SQL Server database the Octopus Server ends at its start, and stops its work when it loses it.",
        (
            (
                "See that SQL Server runs, is reached from here and lets the service's account into the database; then "
                "start the service:"
            ),
            "$ Get-Service MSSQL* -ErrorAction Ignore",
            START_WINDOWS,
        ),
        ("See that SQL Server runs and is reached from here; then start the service:", START_LINUX),
        sentence="The Octopus Server on {who} does not get into its database (in its words: {words})",
        consequences=_ENDED,
        rank=8,
        confidence=Confidence.LIKELY,
    ),
)
