"""Calls of the command line that were to change something and failed: told where nothing repaired them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from pytest_tentacle.hiding import hide
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Unknown
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.logs.calls import registers
from pytest_tentacle.logs.model import LogCall, LogFile

from .index import age_of
from .records import MACHINE_READS, logs_of, present_of
from .recovery import FRESH, Present
from .registering import called, failed_call, is_told_elsewhere, kind_of, works_all_the_same

FAILED_CALL = "TT151"

_KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE | re.DOTALL))
    for kind, pattern in (
        (
            "not-registered",
            (
                r"has not been registered with the server|have been configure\b|does not appear to trust an Octopus|"
                r"it is not in polling mode|is not yet trusted|thumbprint of this server is not trusted|"
                r"not been configured (?:as a polling|to connect to)|trust must be established|"
                r"No trusted server was found|More than one server is trusted|No (?:machine|worker) was found matching"
            ),
        ),
        ("profile", r"require the Windows User Profile"),
        ("certificate-file", r"ImportCertificateCommand\b(?!.{0,1200}?(?:PKCS12 routines|FIPS))"),
        (
            "cryptography",
            (
                r"PKCS12|OpenSslCryptographicException|CryptographicException|0xC0000005.{0,600}?Certificate|"
                r"CertificateGenerat|FIPS"
            ),
        ),
        (
            "service",
            (
                r"The service could not be|authentication required|Could not (?:start|install|remove|reconfigure) the "
                r"systemd|service is not able to stop|Unable to set username/password on service|"
                r"Cannot (?:start|open|stop) (?:service )?.{1,200}? (?:service )?on computer|"
                r"no service (?:with this name was found|was found with that name)"
            ),
        ),
    )
)
_OF_THE_PORTAL = frozenset(
    {
        "certificate",
        "tls",
        "renegotiation",
        "store",
        "proxy",
        "proxy-refused",
        "credentials",
        "unknown-thing",
        "reach",
        "other-page",
        "name",
        "generation",
    }
)
_NEVER_BEGAN = re.compile(
    r"\A(?:Unrecognized command line argument|Please specify|Please provide|Invalid (?:command|arguments)|"
    r"This command (?:requires elevation|is only supported)|Use --instances|The value '|The format '|"
    r"Tentacle is not running with elevated)",
    re.IGNORECASE,
)
"""Whoever typed it was told so at once, and typed it anew."""
_NOT_THERE = re.compile(r"No (?:machine|worker) was found matching", re.IGNORECASE)
_AT_THE_KEYBOARD = frozenset({"instance-unknown", "command-not-elevated", "not-elevated", "access-denied"})
"""Texts of the catalogue of which the same is true."""


@check(codes=(FAILED_CALL,), reads=MACHINE_READS)
def last_calls_succeeded(subject: Subject) -> Iterator[Finding]:
    """The last call of each command that changes something came to its end, or what followed repaired it."""
    present = present_of(subject)
    for log in logs_of(subject):
        for call in log.calls:
            if call.failure is None or _is_for_registering(subject, log, call):
                continue
            why = _why_it_is_over(log, call, present)
            if why is None:
                yield failed_call(
                    FAILED_CALL, subject, log, call, kind_of_call(f"{call.command}: {hide(call.failure)}")
                )
            else:
                text = f"{called(call.command)} failed at {call.time}, and that is history: {why}"
                yield Evidence(f"log of {subject.name}, {log.path}", text)


def kind_of_call(failure: str) -> str:
    """Which kind of failure it is, by its command and its words; `other` for what nobody knows."""
    kind = next((kind for kind, pattern in _KINDS if pattern.search(failure)), None)
    if kind is not None:
        return kind
    return "portal" if kind_of(failure) in _OF_THE_PORTAL else "other"


def _is_for_registering(subject: Subject, log: LogFile, call: LogCall) -> bool:
    """Whether it is told, or forgiven, as a registration. That one node is polled says nothing of a further one."""
    if not registers(call.command):
        return False
    try:
        return not call.command.startswith("Poll") or works_all_the_same(subject, log, call) is None
    except Unknown:
        return True  # which of the two it is stands with the last registration


def _why_it_is_over(log: LogFile, call: LogCall, present: Present) -> str | None:
    failure = call.failure or ""
    if is_told_elsewhere(call):
        return "its text is known, and judged by itself"
    if call.signature in _AT_THE_KEYBOARD or _NEVER_BEGAN.match(failure):
        return "it did not begin, and whoever called it was told"
    return _done_already(call, failure) or _repaired(log, call, present)


def _done_already(call: LogCall, failure: str) -> str | None:
    if call.command.startswith("Deregister") and _NOT_THERE.search(failure):
        return "it is not registered there, which is what the call was for"
    return None


def _repaired(log: LogFile, call: LogCall, present: Present) -> str | None:
    age = age_of(log, call.time, present.clock)
    if age is not None and age > FRESH:
        return "it is older than a day, and other steps look at the present state"
    later = next((other for other in log.calls if other.number > call.number and other.failure is None), None)
    if later is not None and later.command.startswith("Register"):
        return f"it was registered at {later.time}"
    if call.command == "ServiceCommand" and _started_since(log, call, present, age):
        return "the service was started afterwards"
    return None


def _started_since(log: LogFile, call: LogCall, present: Present, age: timedelta | None) -> bool:
    startup = log.startup
    if startup is not None and startup.number > call.number:
        return True
    return age is not None and present.uptime is not None and present.uptime < age
