"""Why a Tentacle cannot use its certificate's private key (guide, "Check the Tentacle Thumbprint").

A new certificate is never the way: the settings hold the key as well, and a Tentacle that starts and cannot use the one
in its account's store loads it from there (CertificateEncoder of Tentacle's source).
"""

from __future__ import annotations

from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import RESTART_LINUX, RESTART_WINDOWS, START_WINDOWS
from pytest_tentacle.guide.consequences import STARTLESS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Problem

_NEEDS = frozenset({"TT414"})
_FOLLOWS = frozenset({"TT122", "TT505", "TT508", "TT113", "TT112", "TT524", "TT528"})
_LINUX = (
    "Windows reports this. On Linux, see whether the service's account owns what lies in Octopus Home:",
    "$ sudo ls -lR /etc/octopus",
)


def _kept(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("readable") is False else None


def _gone(_view: View, problem: Problem) -> Clue | None:
    return Clue() if problem.facts.get("there") is False else None


def _not_told(_view: View, problem: Problem) -> Clue | None:
    if "readable" in problem.facts or "there" in problem.facts:
        return None
    return Clue(unsure="Whether the key's file of {who} is there, and who may read it, would tell.")


def _of_another_user(view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("signature") != "x509stores-owner":
        return None
    store = problem.facts.get("path") or problem.facts.get("word") or "~/.dotnet/corefx/cryptography/x509stores"
    return Clue(facts={"path": store, "account": view.service.account if view.service else None}, seen=True)


def _asks_somebody(view: View, problem: Problem) -> Clue | None:
    if problem.facts.get("signature") != "key-asks-somebody":
        return None
    return Clue(facts={"account": view.service.account if view.service else None}, seen=True)


_ASK_NOBODY = (
    'Have those who manage the policy set the security option "System cryptography: Force strong key protection for '
    'user keys stored on the computer" to "User input is not required" (ForceKeyProtection 0), for machines with '
    "services. The certificate stays; where the key was made under that policy, the service makes it again from its "
    "settings. Then restart it:"
)
_GIVE_STORE = (
    "Give that folder, and nothing else, to the user that the service runs as (owner {account}), then start the "
    "service. The certificate stays. Who owns it:"
)

PRIVATE_KEY: tuple[CauseKind, ...] = (
    CauseKind(
        "TC1221",
        "The store of certificates belongs to another user",
        "According to the log, the store of certificates that {who} use{s} ({path}) belongs to another user than the "
        "one that runs it: its user was changed, or a command was once called as another one.",
        frozenset({"TT122"}),
        ("Linux reports this. On Windows see the log:", '$ Get-Content -Tail 200 -LiteralPath "<log>"'),
        (_GIVE_STORE, '$ sudo ls -ld "<path>"', RESTART_LINUX),
        _of_another_user,
        consequences=STARTLESS | {"TT202", "TT203", "TT501", "TT113"},
        fold_by=("path",),
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC1222",
        "A policy has Windows ask somebody for each use of a key",
        "According to the log, the service of {who} cannot use a private key: Windows would have to ask somebody, by "
        "the policy of strong key protection, and a service has nobody whom it could ask.",
        frozenset({"TT122"}),
        (
            _ASK_NOBODY,
            "$ Get-ItemProperty 'HKLM:\\SOFTWARE\\Policies\\Microsoft\\Cryptography' -Name ForceKeyProtection",
            RESTART_WINDOWS,
        ),
        _LINUX,
        _asks_somebody,
        consequences=STARTLESS | {"TT202", "TT203", "TT501", "TT113"},
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC4141",
        "The service's account may not read the key of its certificate",
        "The service on {who} runs as {account} and cannot use its certificate's private key: {key}.",
        _NEEDS,
        (
            (
                "Give the account the right to read that one file (an entry that denies it has to go as well), then "
                "restart the service. The certificate stays, and nothing has to be registered again:"
            ),
            '$ icacls "<path>" /grant "*<sid>:R"',
            RESTART_WINDOWS,
        ),
        _LINUX,
        _kept,
        consequences=_FOLLOWS,
        rank=15,
    ),
    CauseKind(
        "TC4142",
        "The key of the certificate is gone",
        "The service on {who} cannot use its certificate's private key: {key}.",
        _NEEDS,
        (
            (
                "Restart the service: a Tentacle that cannot use the key when it starts makes it again from its "
                "settings. The certificate stays, and nothing has to be registered again:"
            ),
            RESTART_WINDOWS,
            (
                "If that does not help, stop it, take the certificate out of the store Octopus of its account (not "
                "out of its settings), and start it:"
            ),
            "$ Get-ChildItem Registry::HKEY_USERS\\*\\Software\\Microsoft\\SystemCertificates\\Octopus\\Certificates",
            START_WINDOWS,
        ),
        _LINUX,
        _gone,
        consequences=_FOLLOWS,
        rank=15,
    ),
    CauseKind(
        "TC4143",
        "The key of the certificate cannot be used",
        "The service on {who} cannot use its certificate's private key: its account may not read the key's file, or "
        "the file is gone.",
        _NEEDS,
        (
            (
                "Restart the service: a Tentacle that cannot use the key when it starts makes it again from its "
                "settings. If that does not help, see whether its account ({account}) may read what is there:"
            ),
            RESTART_WINDOWS,
            '$ icacls "$env:ProgramData\\Microsoft\\Crypto\\RSA\\MachineKeys"',
        ),
        _LINUX,
        _not_told,
        consequences=_FOLLOWS,
        rank=15,
        confidence=Confidence.LIKELY,
    ),
)
