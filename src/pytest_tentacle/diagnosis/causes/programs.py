"""Why a program fails though nothing was asked of it (guide, "Check Tentacle load time")."""

from __future__ import annotations

import re

from pytest_tentacle.diagnosis.from_problem import from_problem
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.last_resort import left_overs
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import KEY_OF_SERVICE, RESTART_LINUX, RESTART_WINDOWS, when
from pytest_tentacle.guide.consequences import ENDED
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.sections.versions import version_of

_UNHANDLED = frozenset({-532462766, 0xE0434352, -532459699, 0xE0434F4D, 134, -6})
"""Exit codes of a .NET program that ends with an exception that nobody handles: the runtime's on Windows, SIGABRT on
Linux."""


_NEEDS = re.compile(
    r"valid ICU package|libicu|No usable version of (?:the )?libssl|libssl|cannot open shared object file|"
    r"version `?(?:GLIBC|GLIBCXX)_|hostfxr|You must install (?:or update )?\.NET|framework .{0,60}was not found|"
    r"requires one of the following versions of the \.NET Framework",
    re.IGNORECASE,
)
"""In the words of .NET's runtime and of the loaders of both systems."""

_C_LIBRARY = re.compile(r"version `?(?:GLIBC|GLIBCXX)_", re.IGNORECASE)
_OF_THE_RELEASE = re.compile(rf"{_C_LIBRARY.pattern}|No usable version of (?:the )?libssl", re.IGNORECASE)
_WANTS_OLD = "the system's C library is older than the one that the program was built for"
_WANTS_NEW = "the program knows OpenSSL up to 1.1 only, and the system has a newer one"

_LIMITED = re.compile(
    r"(?:Failed to (?:create|initialize) CoreCLR, HRESULT: |GC heap initialization failed with error )"
    r"0x8007(?P<error>000E|0008)",
    re.IGNORECASE,
)
"""The runtime's words where the system does not give it what it asks for before anything of the program's own runs."""

_TOO_LITTLE = {
    "000E": "it does not get the memory, or the addresses, that .NET reserves when it starts",
    "0008": ".NET cannot start its threads, of which the system or a limit allows no more",
}
"""By the error of Windows that the runtime tells of on every system: out of memory, and of what a thread needs."""

_NOT_LET = re.compile(r"Failed to (?:create|initialize) CoreCLR, HRESULT: 0x80004005", re.IGNORECASE)
"""The runtime's words where it may not make its own files in the folder for temporary ones, or what watches the system
calls of programs keeps it from one (OctopusDeploy/Issues#9686)."""

_HOOK = re.compile(
    r"Startup hook assembly '(?P<hook>[^'\n]{1,200})|StartupHookProvider|DOTNET_STARTUP_HOOKS", re.IGNORECASE
)
"""The runtime's words of what it is to load into every .NET program, before the program (DOTNET_STARTUP_HOOKS)."""

_BLOCKED_PART = re.compile(
    r"0x800711C7|0x800704EC|Application Control policy has blocked|blocked by (?:group|your organi[sz]ation's) policy|"
    r"system administrator has blocked this program",
    re.IGNORECASE,
)
"""ERROR_SYSTEM_INTEGRITY_POLICY_VIOLATION (App Control, WDAC) and ERROR_ACCESS_DISABLED_BY_POLICY (AppLocker, software
restriction), of a library that the program was to load."""

_OWN_CONFIGURATION = re.compile(
    r"Configuration system failed to initialize|ConfigurationErrorsException", re.IGNORECASE
)
_FILE_OF_IT = re.compile(r"\((?P<file>[A-Z]:\\[^()\n]{1,240}?\.config)(?: line \d+)?\)", re.IGNORECASE)
"""The .NET Framework's words where one of its own configuration files cannot be read, and which."""

_FRAMEWORK = re.compile(
    r"Retargetable=Yes|Method not found: '[\w.!\[\]`<>]+ System\.|"
    r"'(?:mscorlib|System(?:\.(?:Core|Runtime|Xml|Data))?), Version=[^'\n]{0,100}?"
    r"PublicKeyToken=(?:7cec85d7bea7798e|b77a5c561934e089)",
    re.IGNORECASE,
)
"""What the .NET Framework itself has, and an older one, or one without an update, has not (Octopus issue 118)."""

_UNREAD = (
    "Its message appears only on its error output: most often that its logging configuration (a left-over nlog.config "
    "or Tentacle.exe.nlog of an earlier version) is invalid, or that a file of the installation is missing."
)


def _unhandled(view: View, problem: Problem) -> Clue | None:
    """With what speaks for an upgrade: left-overs, and a log that ends with another version than the installed one."""
    if problem.facts.get("exit_code") not in _UNHANDLED or _lacks(problem):
        return None
    evidence = [*left_overs((view,)), *_another_version(view)]
    words = problem.facts.get("words")
    return Clue(evidence=tuple(evidence), facts={"said": f"It says: {words}" if words else _UNREAD})


def _lacks(problem: Problem) -> bool:
    """Whether the program says itself that the system lacks something that it needs, or does not give it enough."""
    words = str(problem.facts.get("words") or "")
    return any(known.search(words) for known in (_NEEDS, _LIMITED, _NOT_LET, _HOOK, _BLOCKED_PART, _OWN_CONFIGURATION))


def _hook(_view: View, problem: Problem) -> Clue | None:
    found = _HOOK.search(str(problem.facts.get("words") or ""))
    if found is None:
        return None
    return Clue(facts={"hook": f"a file that it cannot load ({found['hook']})" if found["hook"] else "one that fails"})


def _blocked_part(view: View, problem: Problem) -> Clue | None:
    known = view.system != "linux" and _BLOCKED_PART.search(str(problem.facts.get("words") or ""))
    return Clue() if known and not _hook(view, problem) else None


def _own_configuration(view: View, problem: Problem) -> Clue | None:
    words = str(problem.facts.get("words") or "")
    if view.system == "linux" or not _OWN_CONFIGURATION.search(words) or _hook(view, problem):
        return None
    found = _FILE_OF_IT.search(words)
    file = found["file"] if found else None
    own = file is not None and "microsoft.net" not in file.casefold()
    which = file or "mostly machine.config, below Windows' folder Microsoft.NET"
    return Clue(facts={"which": which, "of_the_system": not own, "of_the_program": own})


def _not_let(view: View, problem: Problem) -> Clue | None:
    known = view.system == "linux" and _NOT_LET.search(str(problem.facts.get("words") or ""))
    return Clue() if known else None


def _limited(_view: View, problem: Problem) -> Clue | None:
    found = _LIMITED.search(str(problem.facts.get("words") or ""))
    return Clue(facts={"little": _TOO_LITTLE[found["error"].upper()]}) if found else None


def _needs(view: View, problem: Problem) -> Clue | None:
    others = (_of_another_age, _limited, _not_let, _hook, _blocked_part, _own_configuration)
    return Clue() if _lacks(problem) and not any(other(view, problem) for other in others) else None


def _of_another_age(view: View, problem: Problem) -> Clue | None:
    """What no package of this release of the system brings: its C library, or an OpenSSL that is no more."""
    words = str(problem.facts.get("words") or "")
    if view.system != "linux" or not _OF_THE_RELEASE.search(words):
        return None
    old = _C_LIBRARY.search(words) is not None
    return Clue(facts={"older": old, "newer": not old, "wants": _WANTS_OLD if old else _WANTS_NEW})


def _another_version(view: View) -> list[Evidence]:
    try:
        installed = version_of(view.subject)
    except Unknown:
        return []
    logs = (view.survey.logs.data if view.survey else None) or ()
    started = [log.startup.version for log in logs if log.startup is not None and log.startup.version]
    if not installed or not started or started[-1] == installed:
        return []
    return [Evidence(f"log of {view.name}", f"version {started[-1]} started last; installed is {installed}")]


def _other(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("exit_code") not in _UNHANDLED and not _lacks(problem) else None


def _framework(view: View, problem: Problem) -> Clue | None:
    known = view.system != "linux" and _FRAMEWORK.search(str(problem.facts.get("words") or ""))
    return Clue() if known else None


_NEWER = (
    "Install the .NET Framework that this version needs (4.8 from Tentacle 6.3 on, 4.5 from 3.1 on; for an older one "
    "with 4.0 the update KB2468871), restart Windows, then start the service:"
)

PROGRAMS: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1501",
        "The .NET Framework lacks what the program needs",
        "According to the log, the .NET Framework of {who} is too old for the program, or lacks an update. (It says: "
        "{words})",
        frozenset({"TT150"}),
        (
            _NEWER,
            "$ Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\NET Framework Setup\\NDP\\v4\\Full' -Name Release",
            RESTART_WINDOWS,
        ),
        ("Only Windows has a .NET Framework. Start the service:", RESTART_LINUX),
        _framework,
        consequences=ENDED | {"TT813"},
        rank=13,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"host"}),
    ),
    CauseKind(
        "TC8131",
        "The program crashes before it can write a log",
        "On {who} the program ends with an exception that it does not handle, even when it is only asked to show its "
        "help, and so before a line is logged. ({said})",
        frozenset({"TT813"}),
        (
            (
                "Read what it says. `Invalid logging configuration`: take the left-over nlog files of the earlier "
                "version out of its folder. A file or assembly that is missing: repair the installation (its MSI). "
                "Then start it:"
            ),
            '$ & "<executable>" help',
            '$ Get-ChildItem -LiteralPath (Split-Path -LiteralPath "<executable>") -Filter *nlog*',
            RESTART_WINDOWS,
        ),
        (
            (
                "Read what it says. `Invalid logging configuration`: take the left-over nlog files of the earlier "
                "version out of its folder. A file or assembly that is missing: install the package again. Then "
                "start it:"
            ),
            '$ "<executable>" help',
            '$ ls -l "<executable>"',
            RESTART_LINUX,
        ),
        _unhandled,
        consequences=ENDED | {"TT140"},
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC8133",
        "The program needs a library or runtime that the system lacks",
        "On {who} the program cannot be loaded: the system lacks a library or runtime. (It says: {words})",
        frozenset({"TT813"}),
        (
            "Install what it names (Tentacle 6.3 and later need .NET Framework 4.8), then start it:",
            '$ & "<executable>" help',
            RESTART_WINDOWS,
        ),
        (
            "Install what it names with the system's package manager (ICU is libicu or icu-libs), then start it:",
            '$ "<executable>" help',
            RESTART_LINUX,
        ),
        _needs,
        consequences=ENDED | {"TT140"},
        rank=14,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC8134",
        "This version of the program and this release of the system do not fit",
        "On {who} the program cannot be loaded: {wants}. (It says: {words})",
        frozenset({"TT813"}),
        ("This concerns Linux only. See its state:", RESTART_WINDOWS),
        (
            (
                "No package of this release brings what is missing. Move to a release of the system that the "
                "Tentacle's requirements name, or, until then:"
            ),
            *when(
                "older",
                "install an earlier Tentacle, of before the upgrade: those on .NET 8 (8.2.2447 and later) need glibc "
                "2.23, which CentOS 7 and its like do not have. To see what there is, and start it:",
            ),
            *when(
                "newer",
                "upgrade the Tentacle: those on .NET 6 and later (6.3 and later) speak with OpenSSL 3. To see what "
                "there is, and start it:",
            ),
            "$ ldd --version",
            "$ openssl version",
            RESTART_LINUX,
        ),
        _of_another_age,
        consequences=ENDED | {"TT140"},
        fold_by=("wants",),
        rank=14,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"host"}),
    ),
    CauseKind(
        "TC8135",
        "A limit keeps .NET from starting the program",
        "On {who} the program does not come as far as its own first line: {little}. (It says: {words})",
        frozenset({"TT813"}),
        (
            "Nothing is damaged: to install it again does not help. See what takes the memory, then start it:",
            "$ Get-Process | Sort-Object WorkingSet64 -Descending | Select-Object -First 10 Name, Id, WorkingSet64",
            RESTART_WINDOWS,
        ),
        (
            (
                "Nothing is damaged: to install it again does not help. See how much memory is left, and what limits "
                "there are: of the unit (MemoryMax=, LimitAS=, TasksMax=, LimitNPROC=), of a container, and of the "
                "account (ulimit). Lift the one that is too low, then start it:"
            ),
            "$ free -m",
            '$ systemctl show "<service>" --property=MemoryMax,TasksMax,LimitAS,LimitNPROC',
            RESTART_LINUX,
        ),
        _limited,
        consequences=ENDED | {"TT140"},
        fold_by=("little",),
        rank=14,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC8136",
        "The system does not let .NET make its temporary files",
        "On {who} the program does not come as far as its own first line: .NET makes files in the folder for temporary "
        "ones (/tmp, or TMPDIR) when it starts, and may not, or a security product keeps it from that. (It says: "
        "{words})",
        frozenset({"TT813"}),
        ("This concerns Linux only. See its state:", RESTART_WINDOWS),
        (
            (
                "Nothing is damaged: to install it again does not help. See whether /tmp is there, may be written by "
                "the service's account (it is drwxrwxrwt, of root), is mounted for writing (in a container its root "
                "may be read-only: mount a /tmp, or set TMPDIR), and has room. Where all that is right, ask for what "
                "the security software on the machine denies. Then start it:"
            ),
            "$ ls -ld /tmp",
            "$ findmnt --target /tmp",
            "$ df -h /tmp",
            RESTART_LINUX,
        ),
        _not_let,
        consequences=ENDED | {"TT140"},
        rank=14,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"host"}),
    ),
    CauseKind(
        "TC8137",
        "Another product's hook keeps .NET programs from starting",
        "On {who} every .NET program is to load something of another product's before itself (DOTNET_STARTUP_HOOKS), "
        "and the program ends at that: {hook}. Products that watch applications set this, and leave it behind where "
        "they are removed. (It says: {words})",
        frozenset({"TT813"}),
        (
            (
                "Nothing is wrong with the program: to install it again does not help. See where the variable is set "
                "(of the machine, or of the service alone) and what it leads to. With those who run that product, "
                "repair or update it, or leave the service out of it; where it is gone, remove the variable. A service "
                "knows of a changed variable of the machine when Windows was restarted:"
            ),
            "$ [Environment]::GetEnvironmentVariable('DOTNET_STARTUP_HOOKS', 'Machine')",
            f'$ Get-ItemProperty -LiteralPath "{KEY_OF_SERVICE}" -Name Environment',
            RESTART_WINDOWS,
        ),
        (
            (
                "Nothing is wrong with the program: to install it again does not help. See where the variable is set "
                "(/etc/environment, a profile, the unit or its drop-ins) and what it leads to. With those who run that "
                "product, repair or update it, or leave the service out of it; where it is gone, remove the variable. "
                "Then start it:"
            ),
            "$ sudo grep -rs DOTNET_STARTUP_HOOKS /etc/environment /etc/profile.d /etc/systemd",
            '$ systemctl show "<service>" --property=Environment,EnvironmentFiles',
            RESTART_LINUX,
        ),
        _hook,
        consequences=ENDED | {"TT140"},
        fold_by=("hook",),
        rank=14,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC8138",
        "A policy blocks a part of the program",
        "On {who} the program may be run, and a policy (App Control, also called WDAC, or AppLocker for libraries) "
        "does not let it load one of its own files: a new version has others than the policy knows. (It says: {words})",
        frozenset({"TT813"}),
        (
            (
                "To install it again does not help. Have those who manage the policy allow what Octopus Deploy signs, "
                "or the program's folder, and switch nothing off for it; then start the service. What was blocked "
                "(3077, 8004):"
            ),
            "$ Get-WinEvent -LogName 'Microsoft-Windows-CodeIntegrity/Operational' -MaxEvents 20 -ErrorAction Ignore",
            "$ Get-WinEvent -LogName 'Microsoft-Windows-AppLocker/EXE and DLL' -MaxEvents 20 -ErrorAction Ignore",
            RESTART_WINDOWS,
        ),
        ("This concerns Windows only. Restart it:", RESTART_LINUX),
        _blocked_part,
        consequences=ENDED | {"TT140"},
        rank=14,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"host"}),
    ),
    CauseKind(
        "TC8139",
        "A configuration file of the .NET Framework is damaged",
        "On {who} the program ends because a configuration file that the .NET Framework reads for it is damaged, or "
        "has lines that it does not know: {which}. (It says: {words})",
        frozenset({"TT813"}),
        (
            *when(
                "of_the_system",
                (
                    "All programs on the .NET Framework are affected, and to install the Tentacle again does not help. "
                    "Keep a copy of the file and restore it from a backup, or from machine.config.default beside it "
                    "(what other products added is lost then). Both Framework and Framework64 have one. Then start "
                    "the service:"
                ),
                "$ Get-Item -Path (Join-Path $env:windir 'Microsoft.NET\\Framework*\\v4*\\Config\\machine.config*')",
            ),
            *when(
                "of_the_program",
                (
                    "It is the program's own file, which an installation brings: restore it by repairing the "
                    "installation (its MSI); settings and certificate of the instance are not in it. Then start the "
                    "service:"
                ),
            ),
            RESTART_WINDOWS,
        ),
        ("Only Windows has a .NET Framework. Start the service:", RESTART_LINUX),
        _own_configuration,
        consequences=ENDED | {"TT140"},
        fold_by=("which",),
        rank=14,
        confidence=Confidence.LIKELY,
        told_apart_by=frozenset({"host"}),
    ),
    from_problem(
        "TC8132",
        "TT813",
        "The program fails before it does anything",
        "On {who} the program fails even when it is only asked to show its help: parts of its installation, or of "
        "what it needs from the system, are missing or damaged.",
        match=_other,
        consequences=ENDED,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
)
