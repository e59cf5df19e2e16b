"""TT80x: the rights of the service's account on Octopus Home."""

from __future__ import annotations

from pytest_tentacle.guide.commands import START_LINUX, STATE_WINDOWS
from pytest_tentacle.guide.consequences import (
    NO_PORT,
    NO_PROCESS,
    NO_RIGHTS,
    STARTLESS,
    UNANSWERED,
    UNCONNECTED,
    UNREACHED,
)
from pytest_tentacle.guide.problem import ProblemKind

_STEP = "service-account-permissions"
_GRANT = '$ icacls "<home>" /grant "*<sid>:(OI)(CI)M"'
_GRANT_HERE = '$ icacls "<path>" /grant "*<sid>:(OI)(CI)M"'
_SHOW = '$ Get-Acl -LiteralPath "<path>" | Format-List Owner, AccessToString'
_OWN_HOME = '$ sudo chown "<account>" "<home>" "<file>"'
_OWN_FOLDERS = '$ sudo chown -R "<account>" "<home>/Logs" "<home>/Work" "<home>/Tools" "<home>/Files" "<home>/Packages"'
_OWN_HERE = '$ sudo chown -R "<account>" "<path>"'
_DENIALS = (
    "$ sudo ausearch -m avc -ts today",
    "Where no auditd runs, the kernel's own log has the records:",
    "$ sudo journalctl -k --since today",
)
_LINUX_ONLY = ("This concerns Linux only. See the service's state:", STATE_WINDOWS)
_LIST = '$ ls -ld "<path>"'

ACCOUNT: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT801",
        "The service account lacks rights on Octopus Home",
        _STEP,
        "The account that the service runs as cannot read, write and delete in the folder Octopus Home. The guide "
        "asks for full control of it and of everything below.",
        (
            (
                "Give the account Modify on Octopus Home (the guide asks for full control). Everything that "
                "inherits gets it, and nothing "
                "is taken from what applications keep to themselves. See what is set there now:"
            ),
            _SHOW,
            _GRANT,
        ),
        (
            (
                "Make the account the owner of Octopus Home and of what is Tentacle's own below (some of these may not "
                "be there). Not of everything below: applications own what they keep there. See what is set there now:"
            ),
            _LIST,
            _OWN_HOME,
            _OWN_FOLDERS,
        ),
        sentence="The account that the service of {who} runs as has too few rights on Octopus Home.",
        consequences=NO_RIGHTS | {"TT802"},
        fold_by=("account",),
        rank=20,
    ),
    ProblemKind(
        "TT802",
        "The service account lacks rights below Octopus Home",
        _STEP,
        "The account may work in Octopus Home itself, but not with everything below: a folder or file there does not "
        "inherit its rights, or somebody else made it, such as an administrator who ran a command by hand.",
        (
            (
                "Give the account Modify there and on nothing else: what applications keep to themselves stays as it "
                "is. See what is set there now:"
            ),
            _SHOW,
            _GRANT_HERE,
        ),
        (
            (
                "Make the account the owner there and of nothing else: it is Tentacle's own, and what applications "
                "keep to themselves stays as it is. See what is set there now:"
            ),
            _LIST,
            _OWN_HERE,
        ),
        sentence=(
            "The account that the service of {who} runs as may not work with everything below Octopus Home: somebody "
            "else made it, or it does not inherit."
        ),
        consequences=NO_RIGHTS,
        fold_by=("account",),
        rank=25,
    ),
    ProblemKind(
        "TT803",
        "A deny entry removes the account's rights",
        _STEP,
        "The account, or a group that it is in, is given the rights on Octopus Home or below, and another entry "
        "denies them. A deny entry overrides allow entries.",
        (
            "See which entry it is, and remove it (for one of a group, think of the others in it first):",
            _SHOW,
            '$ icacls "<path>" /remove:d "*<sid>"',
        ),
        ("See which entry it is, and remove it:", '$ getfacl "<path>"'),
        sentence="An entry of an access list denies the service's account of {who} what others allow.",
        consequences=NO_RIGHTS | {"TT801", "TT802"},
        fold_by=("account",),
        rank=20,
    ),
    ProblemKind(
        "TT804",
        "SELinux or AppArmor denies the start of the program",
        _STEP,
        "systemd was denied the right to run the service's program, whatever the file's mode says (exit code 203). "
        "Most often its label is that of a user's home or of a temporary folder, from which no service may be started.",
        _LINUX_ONLY,
        (
            (
                "Install the program from its package, into /opt/octopus/tentacle, or give it the label of programs "
                "(bin_t), which systemd may start. See what was denied, and its label, first:"
            ),
            *_DENIALS,
            '$ ls -Zd "<executable>"',
            '$ sudo semanage fcontext -a -t bin_t "<executable>"',
            '$ sudo restorecon -v "<executable>"',
            START_LINUX,
        ),
        sentence="{module} of {who} denies systemd the start of {executable}: {action} on {target}.",
        consequences=NO_PROCESS | STARTLESS | {"TT501"},
        echoes=UNANSWERED,
        fold_by=("module", "target"),
        rank=12,
    ),
    ProblemKind(
        "TT805",
        "SELinux or AppArmor denies the process its port",
        _STEP,
        "The process may not open its port: a policy holds it in a domain of its own, or a profile, and the port is "
        "not among those that are allowed.",
        _LINUX_ONLY,
        (
            (
                "Allow the port in the policy that holds the process (semanage port adds one to a type that its domain "
                "may bind), or in its profile below /etc/apparmor.d; then restart it. See the denial first:"
            ),
            *_DENIALS,
        ),
        sentence="{module} of {who} denies the service its port {port}: {action}, to {source}.",
        consequences=NO_PORT | {"TT501"},
        fold_by=("module", "port", "source"),
        rank=12,
    ),
    ProblemKind(
        "TT806",
        "SELinux or AppArmor denies the process its connections",
        _STEP,
        "The process may not connect to a port: a policy holds it in a domain of its own, or a profile. Other programs "
        "of the machine, such as this survey's, may get there all the same.",
        _LINUX_ONLY,
        (
            (
                "Allow the connection in the policy that holds the process, or in its profile below /etc/apparmor.d; "
                "then restart it. See the denial first:"
            ),
            *_DENIALS,
        ),
        sentence="{module} of {who} denies the service connections to port {port}: {action}, to {source}.",
        consequences=UNREACHED | UNCONNECTED,
        fold_by=("module", "port", "source"),
        rank=12,
    ),
    ProblemKind(
        "TT807",
        "SELinux or AppArmor denies the process its files",
        _STEP,
        "The process may not work with a file or folder, whatever rights its account has there: the label is one that "
        "its domain may not touch, or its profile does not name the path.",
        _LINUX_ONLY,
        (
            (
                "Give the files the label that the policy has for their place (matchpathcon tells which), or allow the "
                "access in the policy or profile that holds the process. See the denial, and the label, first:"
            ),
            *_DENIALS,
            '$ ls -Zd "<path>"',
        ),
        sentence="{module} of {who} denies the service what its account may do: {action} on {target}.",
        consequences=NO_RIGHTS,
        fold_by=("module", "source", "target"),
        rank=20,
    ),
)
