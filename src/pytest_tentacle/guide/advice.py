"""What to do about a section that was not read. It fits the reason: rights are no help where a tool is missing."""

from __future__ import annotations

import re

RIGHTS = "Give the account that surveys the rights to read it (Windows: local Administrators; Linux: root or sudo)."

_ADVICE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (
            r"no systemctl|not been booted with systemd|names no service",
            (
                "No systemd runs there. Where the product runs in a container, say so in the inventory (container); "
                "otherwise check by hand how it is started and whether it runs."
            ),
        ),
        (
            r"\bthis machine has (?:no|none|neither)\b|CommandNotFoundException",
            "Install what is missing there, or check by hand: more rights do not help.",
        ),
        (r"constrained", "Look by hand, or let the script run in full language mode, as docs/security-team.md says."),
        (
            r"no time (?:was )?left|time budget|could not be read in time",
            "Run again with a longer --machine-timeout; find out what makes the machine slow.",
        ),
        (
            r"did not (?:answer|end)|timed?[ -]out|0x40004|0x800706ba|RPC",
            "Find out why that part of the machine does not answer (on Windows usually WMI), then run again.",
        ),
        (r"\Anot read:", "Find out why the session ended so early, then run again."),
        (r"could not be read, and so", "Find out first why that could not be read: this follows from it."),
        (r"systemd does not show", "Look by hand: `systemctl cat` shows the unit's own lines, and rights do not help."),
        (r"not surveyed", "The survey was taken by an older version: survey again."),
        (
            r"0x8004100e|0x80041010|MetadataError|NoMatchingProvidersFound|CouldNotAutoLoadModule",
            "That part of Windows is damaged or not registered there: repair it, or look by hand.",
        ),
    )
)
_DENIED = re.compile(
    r"denied|not permitted|permission|unauthori[sz]ed|may not be|0x80041003|0x80070005|Windows System Error 5\b",
    re.IGNORECASE,
)


def advice_on(reason: str) -> str:
    """What to do about a section that is unknown for this reason; more rights where nothing else is known to help."""
    if _DENIED.search(reason):
        return RIGHTS
    return next((words for pattern, words in _ADVICE if pattern.search(reason)), RIGHTS)
