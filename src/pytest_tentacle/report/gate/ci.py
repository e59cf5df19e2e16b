"""What a CI system itself shows of a run: annotations, a summary, its own service messages. One a cause, ten at most.

Which system it is, its own environment variables tell: GITHUB_ACTIONS, TF_BUILD (Azure DevOps), TEAMCITY_VERSION.
GitLab reads the JUnit file and needs no words of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from pytest_tentacle.report.document import CauseReport, Report
from pytest_tentacle.report.markdown import report_markdown

MOST = 10
"""Annotations of one run: GitHub shows ten a step."""

MOST_SUMMARY = 1_000_000
"""Bytes of a step summary; GitHub takes 1 MiB."""

_MOST_TEAMCITY = 3_500
"""Characters of a build problem: it takes 4,000."""

_LAST_OF_TEAMCITY = 0xFFFF
_TEAMCITY_UNICODE = "|0x{:04X}"
_TEAMCITY = {"|": "||", "'": "|'", "\n": "|n", "\r": "|r", "[": "|[", "]": "|]"}

SYSTEMS: Mapping[str, str] = {"github": "GITHUB_ACTIONS", "azure": "TF_BUILD", "teamcity": "TEAMCITY_VERSION"}
"""By our word, the variable that a system sets."""


def system_of(environment: Mapping[str, str]) -> str | None:
    """The CI system that this process runs in; None where it is none that has words of its own."""
    return next((name for name, variable in SYSTEMS.items() if environment.get(variable)), None)


def ci_lines(report: Report, system: str, markdown: Path | None = None) -> list[str]:
    """The lines that a system takes from standard output.

    Args:
        report: what is told.
        system: one of `SYSTEMS`.
        markdown: the Markdown report, which Azure DevOps shows as the run's summary.
    """
    lines = list(_WORDS[system](report))
    if system == "azure" and markdown is not None and markdown.is_file():
        lines.append(f"##vso[task.uploadsummary]{markdown.resolve()}")
    return lines


def write_summary(report: Report, environment: Mapping[str, str]) -> None:
    """Append the report to GitHub's step summary, where there is one. Raises OSError."""
    name = environment.get("GITHUB_STEP_SUMMARY")
    if not name:
        return
    text = report_markdown(report).encode()[:MOST_SUMMARY]
    with Path(name).open("ab") as file:
        file.write(text)


def _told(report: Report) -> Iterator[tuple[str, str, str]]:
    """Kind, title and text of what is told: causes first, then what could not be checked."""
    entries = [("error", f"{cause.title} [{cause.code}]", _sentence(cause)) for cause in report.causes]
    entries += [
        ("warning", f"Not checked: {len(item.machines)} machines", f"{item.reason}. {item.advice}".strip())
        for item in report.not_looked_at
    ]
    yield from entries[:MOST]


def _sentence(cause: CauseReport) -> str:
    names = ", ".join(cause.machines[:MOST])
    more = f" and {len(cause.machines) - MOST} more" if len(cause.machines) > MOST else ""
    return f"{names}{more}: {cause.sentence}"


def _github(report: Report) -> Iterator[str]:
    for kind, title, text in _told(report):
        yield f"::{kind} title={_github_property(title)}::{_github_text(text)}"


def _github_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_text(text).replace(":", "%3A").replace(",", "%2C")


def _azure(report: Report) -> Iterator[str]:
    for kind, title, text in _told(report):
        yield f"##vso[task.logissue type={kind}]{_one_line(f'{title}: {text}')}"


def _teamcity(report: Report) -> Iterator[str]:
    for kind, title, text in _told(report):
        if kind == "error":
            identity = re.sub(r"[^A-Za-z0-9]+", "-", title)[-60:]
            yield f"##teamcity[buildProblem description='{_teamcity_text(f'{title}: {text}')}' identity='{identity}']"
        else:
            yield f"##teamcity[message text='{_teamcity_text(f'{title}: {text}')}' status='WARNING']"


def _teamcity_text(text: str) -> str:
    escaped = "".join(_TEAMCITY.get(sign, sign) for sign in text[:_MOST_TEAMCITY] if ord(sign) <= _LAST_OF_TEAMCITY)
    return "".join(sign if sign.isascii() else _TEAMCITY_UNICODE.format(ord(sign)) for sign in escaped)


def _one_line(text: str) -> str:
    return " ".join(text.split())


_WORDS: Mapping[str, Callable[[Report], Iterator[str]]] = {
    "github": _github,
    "azure": _azure,
    "teamcity": _teamcity,
}
