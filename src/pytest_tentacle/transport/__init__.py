"""Logging on to machines: WinRM, SSH, the machine that runs pytest, or not at all."""

from __future__ import annotations

from pytest_tentacle.inventory.model import SSH, Local, NoTransport, WinRM
from pytest_tentacle.inventory.model import Transport as Settings

from .base import Answer, Deadline, ReachStage, Transport, TransportError

__all__ = ["Answer", "Deadline", "ReachStage", "Transport", "TransportError", "open_transport"]


def open_transport(settings: Settings) -> Transport:
    """The transport that an inventory asks for; nothing is contacted before its `connect`.

    Each kind's module is imported here, when it is asked for: a part that is not installed disturbs only those who
    need it. Raises TransportError: with stage NOT_ASKED where no transport is declared, START where a part is missing.
    """
    try:
        match settings:
            case WinRM():
                from .winrm.transport import WinRMTransport  # noqa: PLC0415  see above

                return WinRMTransport(settings)
            case SSH(auth="kerberos"):
                from .ssh.openssh.transport import OpenSSHTransport  # noqa: PLC0415  see above

                return OpenSSHTransport(settings)
            case SSH():
                from .ssh.transport import SSHTransport  # noqa: PLC0415  see above

                return SSHTransport(settings)
            case Local():
                from .local import LocalTransport  # noqa: PLC0415  see above

                return LocalTransport()
            case NoTransport():
                raise TransportError(
                    ReachStage.NOT_ASKED,
                    "checked only from outside, without a log-on",
                    "A log-on would also show its service, settings, log and firewall: use --transport, or declare "
                    "one in the inventory.",
                )
    except ImportError as error:
        raise TransportError(
            ReachStage.START,
            f"{settings.kind} needs the Python package {error.name}, which is not installed",
            "Install pytest-tentacle with all its dependencies.",
        ) from error
