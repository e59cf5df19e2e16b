"""What Windows' service controller wrote of a service: by numbers and names, never by its localised text.

Events 7000 to 7045 (windows-shapes 2.3, windows-reality 7): which fields stand for what differs by event, and a service
is named now by its key, now by its display name, which are the same for the products' own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_tentacle.survey.model import Service
from pytest_tentacle.survey.surroundings import Event

NOT_STARTED, NEEDS_ANOTHER, LACKS_ANOTHER, TOO_LATE, NO_ANSWER, HUNG = 7000, 7001, 7003, 7009, 7011, 7022
ENDED, ENDED_BY_OWN_CODE, CRASHED_AND_MENDED, CRASHED = 7023, 7024, 7031, 7034
NO_LOG_ON, START_MODE_CHANGED, NO_RIGHT_TO_LOG_ON, INSTALLED = 7038, 7040, 7041, 7045

CRASHES = frozenset({CRASHED_AND_MENDED, CRASHED})
_FAILURES = frozenset(
    {NOT_STARTED, NEEDS_ANOTHER, LACKS_ANOTHER, TOO_LATE, NO_ANSWER, HUNG, ENDED, ENDED_BY_OWN_CODE}
    | {NO_LOG_ON, NO_RIGHT_TO_LOG_ON}
    | CRASHES
)

_TOGETHER = timedelta(minutes=2)
"""What belongs to one failure is written within this: 7038 or 7009, and the 7000 that follows from it."""

LOG_ON_FAILED, LOG_ON_TYPE_NOT_GRANTED, NO_ANSWER_IN_TIME = 1069, 1385, 1053
DEPENDENCY_FAILED, DEPENDENCY_MISSING = 1068, 1075

PROGRAM_MISSING = {
    2: "is missing",
    3: "is missing: its path does not exist",
    193: "is none that this Windows can run: it is damaged, or made for another processor",
    216: "is none that this Windows can run: it is damaged, or made for another processor",
    1392: "cannot be read: the file system of its volume is damaged",
    14001: "is not whole: a library that it is built with is missing, or there in another version (side by side)",
}
PROGRAM_REFUSED = 5
PROGRAM_BLOCKED = {
    225: "a security product holds its program for a virus or unwanted software",
    577: "Windows does not accept the signature of its program",
    1260: "a policy (AppLocker, or software restriction) does not allow its program",
    4551: "a policy (App Control, WDAC) does not allow its program",
}
NO_FILE = frozenset({*PROGRAM_MISSING, PROGRAM_REFUSED, *PROGRAM_BLOCKED})
"""System error codes (winerror.h) of a program that is missing, may not be run, cannot be, or is blocked."""

NO_MEMORY = frozenset({8, 14, 1450, 1455})
"""Those of memory, of the paging file, or of what the system makes of both, that is used up."""
FILE_DAMAGED = 1392
CLOCKS_APART, NO_NETLOGON = 1398, 1792

LOG_ON_WORDS = {
    1326: "its name or password is wrong",
    1327: "a restriction of the account, such as an empty password or the hours in which it may log on",
    1328: "it may not log on at this time of day",
    1329: "it may not log on to this machine",
    1330: "its password has expired",
    1331: "the account is disabled",
    CLOCKS_APART: "the clocks of the machine and its domain are too far apart",
    NO_NETLOGON: "Netlogon, by which Windows logs on to a domain, was not running",
    1908: "no domain controller could be reached",
    1355: "no domain controller could be reached",
    1311: "no domain controller could be reached",
    1385: "it was not granted to log on as a service",
    1332: "the account does not exist",
    1786: "the machine's own trust with its domain is broken",
    1787: "the domain has no account of this machine any more",
    1788: "the trust between its domain and another one is broken",
    1789: "the machine's own trust with its domain is broken",
    1793: "the account has expired",
    1907: "its password has to be changed first",
    1909: "the account is locked out",
}
"""System error codes of a failed log-on (winerror.h)."""

_OF_THE_ACCOUNT = frozenset({1327, 1328, 1329, 1331, 1332, 1793, 1909})
"""Those of an account that no password lets in."""

_OF_THE_DOMAIN = frozenset({1311, 1355, 1786, 1787, 1788, 1789, 1908, CLOCKS_APART, NO_NETLOGON})
"""Those that say nothing about the account: the machine could not ask."""

_MEANINGS = {
    NOT_STARTED: "it could not be started",
    NEEDS_ANOTHER: "one that it depends on did not start",
    LACKS_ANOTHER: "one that it depends on is not installed",
    TOO_LATE: "it did not answer in time when it was started",
    NO_ANSWER: "it did not answer a request in time",
    HUNG: "it hung while it was started",
    ENDED: "it ended with an error",
    ENDED_BY_OWN_CODE: "it ended with an error of its own",
    CRASHED_AND_MENDED: "it ended unexpectedly, and Windows took its recovery action",
    CRASHED: "it ended unexpectedly",
    NO_LOG_ON: "its account could not log on",
    START_MODE_CHANGED: "its start mode was changed",
    NO_RIGHT_TO_LOG_ON: "its account has no right to log on as a service",
    INSTALLED: "it was installed",
}
_MILLISECONDS = re.compile(r"[0-9]{1,9}")
_CODE = re.compile(r"%%(\d{1,10})")
_PROGRAM = re.compile(r'\s*(?:"(?P<quoted>[^"%~]+)"|(?P<plain>[^"%~]+?\.exe)(?=\s|$))', re.IGNORECASE)
"""The program of an ImagePath; none of one with variables or short names, which compares with nothing."""

_SAME_ACCOUNT = {"system": "localsystem"}


@dataclass(frozen=True)
class LastFailure:
    """The events of a service's last failure, newest first."""

    events: tuple[Event, ...]

    def has(self, *ids: int) -> bool:
        """Whether one of these is among them."""
        return any(event.id in ids for event in self.events)

    @property
    def codes(self) -> frozenset[int]:
        """Windows' error numbers in them."""
        return frozenset(
            int(code) for event in self.events for text in event.data.values() for code in _CODE.findall(text)
        )

    @property
    def log_on(self) -> bool:
        """Whether the account could not log on."""
        return self.has(NO_LOG_ON, NO_RIGHT_TO_LOG_ON) or LOG_ON_FAILED in self.codes

    @property
    def no_right(self) -> bool:
        """Whether it failed for want of the right to log on as a service."""
        return self.has(NO_RIGHT_TO_LOG_ON) or LOG_ON_TYPE_NOT_GRANTED in self.codes

    @property
    def account_refused(self) -> bool:
        """Whether the account itself is kept out, whatever its password."""
        return bool(self.codes & _OF_THE_ACCOUNT)

    @property
    def domain_unreachable(self) -> bool:
        """Whether the machine could not ask its domain about the account."""
        return bool(self.codes & _OF_THE_DOMAIN)

    @property
    def log_on_reason(self) -> str:
        """Why it could not, in words; empty where no event tells."""
        return next((words for code, words in LOG_ON_WORDS.items() if code in self.codes), "")

    @property
    def too_late(self) -> bool:
        """Whether it did not answer in time when it was started."""
        return self.has(TOO_LATE, HUNG) or NO_ANSWER_IN_TIME in self.codes

    @property
    def program_codes(self) -> frozenset[int]:
        """Windows' error numbers of a program that is missing, may not be run, or is blocked."""
        return self.codes & NO_FILE if self.has(NOT_STARTED) else frozenset()

    @property
    def no_program(self) -> bool:
        """Whether its program is missing or may not be run."""
        return bool(self.program_codes)

    @property
    def no_memory(self) -> int | None:
        """Windows' error number of memory that is used up, where it did not start the service for that."""
        return min(self.codes & NO_MEMORY, default=None) if self.has(NOT_STARTED) else None

    @property
    def dependency(self) -> str:
        """Display name of the service that it waits for; empty where no event tells."""
        return self._param2_of(NEEDS_ANOTHER)

    @property
    def lacks_dependency(self) -> str:
        """Name of the service that it is set to depend on, and that is not installed; empty where no event tells."""
        return self._param2_of(LACKS_ANOTHER)

    def _param2_of(self, number: int) -> str:
        return next((event.data.get("param2", "") for event in self.events if event.id == number), "")

    @property
    def waited(self) -> str:
        """How long Windows waited for it, in words; empty where no event tells."""
        text = next((event.data.get("param1", "") for event in self.events if event.id == TOO_LATE), "")
        return f"{int(text) // 1000} s" if _MILLISECONDS.fullmatch(text) else ""


def events_of(events: Iterable[Event], service: Service) -> tuple[Event, ...]:
    """Those that name the service, newest first."""
    own = [event for event in events if event.source == "service-control-manager" and _names(event, service)]
    return tuple(sorted(own, key=lambda event: event.time_utc, reverse=True))


def last_failure(
    events: Iterable[Event], service: Service, *, since: datetime | None, wrote: datetime | None
) -> LastFailure | None:
    """What was written when the service last failed; None where nothing was, or it is an old story.

    Args:
        events: of the machine.
        service: the one in question.
        since: the machine's last boot.
        wrote: when the service's own program last wrote to its log: what is older it has got over.
    """
    found = [event for event in events_of(events, service) if event.id in _FAILURES]
    if not found:
        return None
    newest = found[0].time_utc
    if (since and newest < since) or (wrote and newest + _TOGETHER < wrote):
        return None
    return LastFailure(tuple(event for event in found if newest - event.time_utc <= _TOGETHER))


def installed_otherwise(events: Iterable[Event], service: Service) -> tuple[Event, str] | None:
    """The entry of its installation, and what was changed since: its program or account, of which nothing is written.

    None where neither was changed, or nobody can tell. Of several installations the last one counts.
    """
    event = next((event for event in events_of(events, service) if event.id == INSTALLED), None)
    if event is None:
        return None
    found = _PROGRAM.match(event.data.get("ImagePath", ""))
    program, account = (found["quoted"] or found["plain"]) if found else "", event.data.get("AccountName", "")
    changed = []
    if program and service.executable and program.casefold() != service.executable.casefold():
        changed.append(f"the program {program}, now {service.executable}")
    if account and service.account and plain_account(account) != plain_account(service.account):
        changed.append(f"the account {account}, now {service.account}")
    return (event, f"{said(event)} with {', and with '.join(changed)}") if changed else None


def plain_account(account: str) -> str:
    r"""`.\svc`, `WEB-01\svc` and `NT AUTHORITY\NETWORK SERVICE` as they compare: without domain and blanks."""
    name = account.rpartition("\\")[2].partition("@")[0].replace(" ", "").casefold()
    return _SAME_ACCOUNT.get(name, name)


def said(event: Event) -> str:
    """An event in words that are the same in every language."""
    codes = _CODE.findall(" ".join(event.data.values()))
    meant = [LOG_ON_WORDS[int(code)] for code in codes if int(code) in LOG_ON_WORDS]
    told = f"{_MEANINGS.get(event.id, 'event')}" + (f" (error {', '.join(codes)})" if codes else "")
    return f"{event.time_utc:%Y-%m-%d %H:%M:%SZ}: {told}" + (f": {'; '.join(meant)}" if meant else "")


def source_of(event: Event, machine: str) -> str:
    """Where it stands."""
    return f"System log of {machine}, service controller {event.id}"


def _names(event: Event, service: Service) -> bool:
    wanted = service.name.casefold()
    return any(text.casefold() == wanted for text in event.data.values())
