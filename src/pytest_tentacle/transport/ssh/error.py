"""How failures of an SSH session are told: one printable line each, without secrets."""

from __future__ import annotations

from pytest_tentacle import hiding
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError


class DroppedError(TransportError):
    """A failure to connect that another attempt may mend."""


def broken_off(stage: ReachStage, target: str) -> TransportError:
    """The error for a session that was closed from another thread while it was at this stage."""
    return TransportError(stage, f"the session with {target} was broken off", "Run again to survey this machine.")


def dropped(label: str) -> DroppedError:
    """The error for a connection that was accepted, and ended before SSH began."""
    return DroppedError(
        ReachStage.CONNECT,
        f"{label} accepted the connection and dropped it before SSH began",
        "Is that the SSH server's port? A busy sshd (MaxStartups), or one that bars this address, does so too.",
    )


def no_ssh(label: str, why: str) -> TransportError:
    """The error for something at that port that is no SSH server."""
    return TransportError(
        ReachStage.CONNECT,
        f"{label} does not speak SSH: {why}",
        "Check the port: something else answers on it.",
    )


def no_key_exchange(label: str, why: str) -> TransportError:
    """The error for two ends that did not agree on keys."""
    return TransportError(
        ReachStage.CONNECT,
        f"the key exchange with {label} failed: {why}",
        "The server may be too old for what is safe today, or something on the path alters the data.",
    )


def no_way_on(label: str, why: str) -> TransportError:
    """The error for a jump host that does not lead on."""
    return TransportError(
        ReachStage.CONNECT,
        f"the jump host could not connect to {label}: {why}",
        "Check the name and port as the jump host sees them, its firewall, and its AllowTcpForwarding.",
    )


def too_late(target: str, where: str, deadline: Deadline) -> TransportError:
    """The error for what was not finished by the deadline."""
    return TransportError(
        ReachStage.TIME_OUT,
        f"{target} did not answer in time: {where} within {deadline.seconds:g} s",
        "Is the machine overloaded or hung? --machine-timeout gives it longer.",
    )


def too_talkative(stage: ReachStage, target: str) -> TransportError:
    """The error for a server that sends without end."""
    return TransportError(stage, f"{target} sent far more than an SSH server should", "See what listens on that port.")


def too_much_output(target: str, max_output: int, received: bytes) -> TransportError:
    """The error for a command that prints without end."""
    return TransportError(
        ReachStage.RUN,
        f"the command on {target} printed more than {max_output:,} bytes",
        "See what floods the output there: a shell profile that prints, perhaps.",
        received,
    )


def not_run(stage: ReachStage, target: str, why: str) -> TransportError:
    """The error for a command that the server did not start, or did not bring to its end."""
    told = "would not start the command" if stage is ReachStage.START else "broke off the command"
    return TransportError(
        stage,
        one_line(f"{target} {told}: {why}", 400),
        "See the SSH server's own log; a forced command, MaxSessions or a restricted shell refuses commands.",
    )


def reason(error: BaseException) -> str:
    """An exception as one printable line: what a server sent may stand in it."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text or type(error).__name__)


def one_line(text: str, limit: int = 200) -> str:
    """Text from elsewhere, safe to print: one line, no control characters, not longer than `limit`."""
    return hiding.one_line(text, limit)
