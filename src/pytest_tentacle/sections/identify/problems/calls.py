"""TT151: a call of the command line that failed (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.problem import ProblemKind

from .kind import READ_LINUX, READ_WINDOWS, kind

CALLS: tuple[ProblemKind, ...] = (
    kind(
        "TT151",
        "A command that should change something failed",
        "The last call of a command such as new-certificate, poll-server or service ended with an error, and nothing "
        "that followed repaired it: what it should have changed is as it was before.",
        "Fix what the error says and run the command again, or leave things as they are; the call is in the log:",
        windows=(READ_WINDOWS,),
        linux=(READ_LINUX,),
    ),
)
