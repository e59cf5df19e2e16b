"""TT136 to TT146: what a process, or a call that was to register it, said last (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import RESTART_LINUX, RESTART_WINDOWS, START_LINUX, START_WINDOWS, when
from pytest_tentacle.guide.consequences import ENDED, UNANSWERED, UNTRUSTED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "identify-the-problem"
_A_HOME = "A home is a folder that no other instance has:"
_HOME = (
    (
        _A_HOME,
        (
            '$ & "<tentacle>" configure --instance "<instance>" --home "C:\\Octopus\\<instance>" '
            '--app "C:\\Octopus\\<instance>\\Applications"'
        ),
    ),
    (_A_HOME, '$ sudo "<tentacle>" configure --instance "<instance>" --home "/etc/octopus/<instance>"'),
)
_TENTACLE = '$ & "<tentacle>"'
_TENTACLE_LINUX = '$ sudo "<tentacle>"'
_SERVED = "$ netsh http show servicestate view=requestq"

LAST_WORDS: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT144",
        "The running process uses different settings from its configuration file",
        _STEP,
        "The configuration was changed after the service had started, and a Tentacle reads it only when it starts: "
        "the process keeps its old settings.",
        ("Restart the service when no deployment is running on it:", RESTART_WINDOWS),
        ("Restart the service when no deployment is running on it:", RESTART_LINUX),
        sentence="The process of {who} runs with settings other than those in {its} configuration file ({other}).",
        consequences=UNTRUSTED | UNANSWERED | {"TT101", "TT110", "TT118", "TT133"},
        fold_by=("other",),
        rank=26,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT136",
        "Registering the Tentacle failed",
        _STEP,
        "The last command to register it with the Octopus Server ended with an error, and nothing later shows "
        "that it works: the portal does not know the machine, or knows it as it was before.",
        (
            (
                "Fix what the error says, then run it again. The machine is not in the portal until then; the "
                "call is in the log:"
            ),
            '$ Select-String -LiteralPath "<log>" -Pattern "Register" -Context 0,20',
        ),
        (
            (
                "Fix what the error says, then run it again. The machine is not in the portal until then; the "
                "call is in the log:"
            ),
            '$ grep -A 20 "Register" "<log>"',
        ),
    ),
    ProblemKind(
        "TT137",
        "The Tentacle's setup was not completed",
        _STEP,
        "The instance has no home, or no certificate: new-instance and service were run, "
        "but not the steps between them. Since Tentacle 6.1 a missing certificate is made at the start.",
        (
            "Complete it (home, certificate), register the Tentacle, then start the service:",
            *when("homeless", *_HOME[0]),
            f'{_TENTACLE} new-certificate --instance "<instance>" --if-blank',
            START_WINDOWS,
        ),
        (
            "Complete it (home, certificate), register the Tentacle, then start the service:",
            *when("homeless", *_HOME[1]),
            f'{_TENTACLE_LINUX} new-certificate --instance "<instance>" --if-blank',
            START_LINUX,
        ),
        sentence="The process of {who} ended as it started, because the setup is incomplete (in its words: {words})",
        consequences=ENDED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT138",
        "Another program uses the service's web port or URL prefix",
        _STEP,
        "Besides its communications port an Octopus Server opens those of its portal (a prefix at http.sys, Windows' "
        "own web server) and of its further services, such as 8443. One of them is taken: by an earlier installation, "
        "by IIS, by another program; and the service ends.",
        (
            (
                "See which program has it (a server's ports: those of its portal, 10943, 8443); stop that or give one "
                "of the two another port; then start the service:"
            ),
            _SERVED,
            START_WINDOWS,
        ),
        (
            "See which program has it; stop that or give one of the two another port; then start:",
            "$ sudo ss -ltnp",
            START_LINUX,
        ),
        sentence=(
            "The service of {who} ended as it started, because another program has registered its prefix or holds "
            "its port"
            " (in its words: {words})"
        ),
        consequences=ENDED | {"TT111"},
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT139",
        "The service account may not listen on its URL prefix",
        _STEP,
        "On Windows an account that is no administrator needs a reservation for the prefix of the portal.",
        (
            "Reserve the prefix for the account, then start the service; to see what is reserved:",
            "$ netsh http show urlacl",
            START_WINDOWS,
        ),
        ("Only Windows has such reservations; see what the service may do, then start it:", START_LINUX),
        sentence="The service of {who} ended as it started, because its account may not listen on its prefix "
        "(in its words: {words})",
        consequences=ENDED,
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT140",
        "The logging configuration file belongs to another version",
        _STEP,
        "A file such as Tentacle.exe.nlog or NLog.config that an upgrade left over does not fit the program: it ends "
        "before it can do anything.",
        (
            "Remove the leftover file, repair the installation (its MSI), then start the service:",
            '$ Get-ChildItem "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\*nlog*"',
            START_WINDOWS,
        ),
        (
            "Remove the leftover file, install the package again, then start the service:",
            "$ ls -l /opt/octopus/tentacle/",
            START_LINUX,
        ),
        sentence="The program of {who} ends at once because its logging configuration (nlog) does not fit it "
        "(in its words: {words})",
        consequences=ENDED | {"TT813"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT141",
        "The quotes around the instance name are taken as part of it",
        _STEP,
        "The service's command line quotes the name in a way that its system does not remove (systemd before 230 "
        "does so with quotes within a word, as on RHEL 7 and Amazon Linux 2; Tentacle 6.1.0 to 6.1.735 wrote such "
        "units), so that the program looks for an instance whose name has quotes.",
        (
            "Write the name without the quotes in the service's command line, then start it:",
            '$ sc.exe qc "<service>"',
            START_WINDOWS,
        ),
        (
            "Take the quotes out of the unit, or upgrade the Tentacle and install its service again; then start it:",
            '$ systemctl cat "<service>"',
            """$ sudo sed -i.bak '/^ExecStart=/s/\\x22//g' "/etc/systemd/system/<service>\"""",
            "$ sudo systemctl daemon-reload",
            START_LINUX,
        ),
        sentence=(
            "The service of {who} ends at each start: the quotes in its command line are taken as part of the "
            "instance's name, and there is no instance {wanted}."
        ),
        consequences=ENDED | {"TT124"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT152",
        "The service names an instance that the machine does not have",
        _STEP,
        "The service's command line names an instance that is not there: it was copied from another machine, or "
        "the instance was deleted or renamed. The program ends at each start.",
        (
            "See which instances there are, and install the service for the one that is meant:",
            f"{_TENTACLE} list-instances",
            f'{_TENTACLE} service --install --start --instance "<instance>"',
        ),
        (
            "See which instances there are, and install the service for the one that is meant:",
            f"{_TENTACLE_LINUX} list-instances",
            f'{_TENTACLE_LINUX} service --install --start --instance "<instance>"',
        ),
        sentence=(
            "The service of {who} ends at each start: it is for the instance {wanted}, which the machine does not have."
        ),
        consequences=ENDED | {"TT124"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT142",
        "The process ended because another process has locked one of its files",
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
        sentence=(
            "The process of {who} ended because another process holds a file that it needs (in its words: {words})"
        ),
        consequences=ENDED,
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT143",
        "The Octopus Server cannot open its database",
        _STEP,
        "Without its SQL Server database the Octopus Server cannot start, and stops working when it loses the "
        "connection.",
        (
            (
                "Check that SQL Server runs, is reached from here and lets the service's account open the database; "
                "then "
                "start the service:"
            ),
            "$ Get-Service MSSQL* -ErrorAction Ignore",
            START_WINDOWS,
        ),
        ("Check that SQL Server runs and is reached from here; then start the service:", START_LINUX),
        sentence="The Octopus Server on {who} cannot open its database (in its words: {words})",
        consequences=ENDED,
        rank=8,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT145",
        "The server hangs up as soon as it sees the certificate",
        _STEP,
        "Connections from the server's address are accepted and reset at once. That is what a client does that expects "
        "a different certificate from the one it is shown: the server has an old thumbprint of this Tentacle.",
        (
            (
                "Compare the thumbprint with the one that the portal has for this machine (its settings), and correct "
                "that:"
            ),
            f'{_TENTACLE} show-thumbprint --instance "<instance>"',
        ),
        (
            (
                "Compare the thumbprint with the one that the portal has for this machine (its settings), and correct "
                "that:"
            ),
            f'{_TENTACLE_LINUX} show-thumbprint --instance "<instance>"',
        ),
        sentence=(
            "The server ({address}) resets its connections to {who} right after they are accepted: most likely it "
            "expects a different certificate from the Tentacle's ({thumbprint})."
        ),
        consequences=frozenset({"TT132"}),
        fold_by=("server",),
        rank=42,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT146",
        "Two machines connect to the server with the same thumbprint",
        _STEP,
        "Within a minute the server let the same thumbprint in from two addresses: a copy of the machine that the "
        "inventory does not know. Each gets a part of the work that is meant for the other. A gateway with several "
        "addresses (NAT) looks the same.",
        (
            "Find the machine at the other address; if it is a copy, give that copy its own identity:",
            f'{_TENTACLE} show-thumbprint --instance "<instance>"',
        ),
        (
            "Find the machine at the other address; if it is a copy, give that copy its own identity:",
            f'{_TENTACLE_LINUX} show-thumbprint --instance "<instance>"',
        ),
        sentence=(
            "According to the log of {vantage}, two machines ({addresses}) connect with the thumbprint of {who} at "
            "the same time: one is a copy of the other, unless a gateway gives one machine two addresses."
        ),
        consequences=frozenset({"TT116", "TT117"}),
        rank=44,
        confidence=Confidence.POSSIBLE,
    ),
)
