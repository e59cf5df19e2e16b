"""From pywinrm's exceptions to typed failures of a WinRM session: decided by numbers, never by text."""

from __future__ import annotations

from pathlib import Path

import requests
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WinRMTransportError, WSManFaultError

from pytest_tentacle import hiding
from pytest_tentacle.transport.base import ReachStage, TransportError

from .client_certificate import refused
from .http import Adapter
from .wire import Watch

SHELL_GONE = 2150858843
ENVELOPE_TOO_BIG = 2150858824

PIPE_CLOSED = frozenset({109, 232, 2147942509, 2147942632})
"""ERROR_BROKEN_PIPE and ERROR_NO_DATA, plain and as HRESULT: a Send to a command that reads no more."""

_RESTART = "Was its WinRM service restarted, or a quota (MaxMemoryPerShellMB) exceeded? Run again."
_QUOTA = "Close shells that were left open there (winrm enumerate shell), or raise the quotas in winrm/config/winrs."
_ADMINISTRATOR = (
    "The account must be a local administrator there, or have Execute rights on WinRM (RootSDDL); a local account "
    "other than Administrator also needs LocalAccountTokenFilterPolicy=1."
)

_FAULTS: dict[int, tuple[str, str]] = {
    2150858770: ("its WinRM service says that the destination is unreachable", "Is the WinRM service running there?"),
    SHELL_GONE: ("the shell is gone", _RESTART),
    2150859046: (
        "its WinRM service says that the network timed out",
        "Is the machine's network Public? See its firewall.",
    ),
    2150859173: ("the user has too many shells there", _QUOTA),
    2150859236: ("the user has too many shells there", _QUOTA),
    2150859174: ("the user has too many operations there", _QUOTA),
    2150859240: ("the user has too many operations there", _QUOTA),
    2150859180: (
        "remote shells are not allowed there",
        "Set AllowRemoteShellAccess in winrm/config/winrs, or the policy 'Allow Remote Shell Access'.",
    ),
    2150859193: ("its WinRM service could not resolve a name", "Check the machine's own DNS."),
    2150859194: ("its WinRM service had a TLS connection aborted", "Check the listener's certificate."),
    2150858980: ("the server is not trusted", "Check TrustedHosts, or use HTTPS or Kerberos."),
    2150858981: ("explicit credentials are required", "Give user and password."),
    2150859019: ("Kerberos needs a name, not an IP address", "Declare the transport's host by its DNS name."),
    2150859026: ("its WinRM service is not available (HTTP 503)", "Is the WinRM service running there?"),
    2150859027: ("nothing serves /wsman there (HTTP 404)", "Is this the WinRM port?"),
    2150859113: (
        "one of its networks is Public",
        "Make the network Private or Domain, or allow WinRM in the Public profile.",
    ),
    ENVELOPE_TOO_BIG: ("a message was too big", "Raise MaxEnvelopeSizekb (winrm get winrm/config)."),
    5: ("access is denied", _ADMINISTRATOR),
    2147942405: ("access is denied", _ADMINISTRATOR),
    995: ("the operation was aborted", _RESTART),
    2147943418: ("the user's profile was being unloaded", "Run again: a new shell loads it anew."),
}
"""`WSManFault Code` to what it says and what to do (windows-shapes 9.2)."""

_STATUSES: dict[int, tuple[ReachStage, str, str]] = {
    403: (
        ReachStage.AUTHENTICATE,
        "forbids this login (HTTP 403)",
        "See the listener's IPv4Filter/IPv6Filter, and whether a gateway stands in between.",
    ),
    404: (
        ReachStage.START,
        "serves no /wsman (HTTP 404)",
        "A web server other than WinRM has this port: see the transport's port (5986 for HTTPS, 5985 for HTTP).",
    ),
    407: (ReachStage.CONNECT, "is a proxy that asks for a login (HTTP 407)", "Declare the machine itself as host."),
    500: (
        ReachStage.START,
        "failed inside (HTTP 500) and did not say why",
        "See the log Microsoft-Windows-WinRM/Operational.",
    ),
    503: (
        ReachStage.START,
        "has no WinRM service behind this port (HTTP 503)",
        "Start the WinRM service there (sc query winrm), or wait until the machine has finished starting.",
    ),
}


class FaultError(TransportError):
    """A WSMan fault; `code` is its number, None where it has none."""

    def __init__(self, stage: ReachStage, summary: str, advice: str, code: int | None) -> None:
        super().__init__(stage, summary, advice)
        self.code = code


def explained(
    error: Exception, stage: ReachStage, adapter: Adapter, watch: Watch, auth: str, *, certificate: Path | None = None
) -> TransportError:
    """The failure that this exception stands for; it keeps no reference to it, for it may hold the login's headers.

    Args:
        error: what pywinrm, or something under it, raised.
        stage: what was under way; the exception may tell better.
        adapter: for the last HTTP status and the ways to log on that were offered.
        watch: for the place and what was waited for.
        auth: the way to log on that was asked for.
        certificate: the client's, where that is the way.
    """
    if isinstance(error, WSManFaultError):
        return _fault(error, stage, watch)
    if isinstance(error, WinRMOperationTimeoutError):
        return TransportError(
            ReachStage.TIME_OUT,
            f"{watch.place} gave up by itself, waiting for {watch.waiting_for}",
            "See whether the machine is overloaded, or give it more time (--machine-timeout).",
        )
    status = error.code if isinstance(error, WinRMTransportError) else adapter.status
    if isinstance(error, InvalidCredentialsError) or status == 401 or adapter.log_on_failure:  # noqa: PLR2004  HTTP
        known = adapter.log_on_failure
        return _failed_by_itself(*known, auth, watch) if known else _refused(adapter, auth, watch, certificate)
    if status in _STATUSES:
        usual, what, advice = _STATUSES[status]
        return TransportError(
            stage if status == 500 and stage is ReachStage.RUN else usual,  # noqa: PLR2004  HTTP's "internal error"
            f"{watch.place} {what}",
            advice,
        )
    if isinstance(error, requests.ConnectionError):
        return TransportError(
            stage,
            f"{watch.place} ended the connection, waiting for {watch.waiting_for}",
            "Was the machine or its WinRM service restarted? Is something in between that cuts connections?",
        )
    said = f"HTTP {status}" if status else type(error).__name__
    return TransportError(
        stage,
        f"{watch.place} did not answer as WinRM does ({said}), waiting for {watch.waiting_for}",
        "See what listens on this port, and whether a gateway stands in between.",
    )


def _fault(error: WSManFaultError, stage: ReachStage, watch: Watch) -> FaultError:
    code = error.wsman_fault_code if error.wsman_fault_code is not None else error.wmierror_code
    what, advice = _FAULTS.get(
        code or 0, (_one_line(error.reason), "Look the code up, or see the log Microsoft-Windows-WinRM/Operational.")
    )
    number = (
        f"WSMan fault {code}" if code is not None else f"fault {_one_line(error.fault_subcode or error.fault_code)}"
    )
    return FaultError(stage, f"{watch.place}: {what} ({number}), waiting for {watch.waiting_for}", advice, code)


def _one_line(text: str | None) -> str:
    """The machine's own words, whose length and characters are its own choice, as part of a line."""
    return hiding.one_line(text or "no reason given", 200)


def _failed_by_itself(what: str, advice: str, number: int | None, auth: str, watch: Watch) -> TransportError:
    name, form = ("CredSSP", "0x{:08X}") if auth == "credssp" else ("Kerberos", "{}")
    told = f" ({form.format(number)})" if number is not None else ""
    return TransportError(ReachStage.AUTHENTICATE, f"{watch.place}: {name}: {what}{told}", advice)


_SCHEMES = {
    "basic": ("basic",),
    "ntlm": ("negotiate", "ntlm"),
    "kerberos": ("negotiate", "kerberos"),
    "credssp": ("credssp",),
}


def _refused(adapter: Adapter, auth: str, watch: Watch, certificate: Path | None) -> TransportError:
    if auth == "certificate":
        told = refused(watch.place, certificate, asked=adapter.asked_for_certificate)
        return TransportError(ReachStage.AUTHENTICATE, *told)
    offered = adapter.offered
    schemes = {scheme.strip().lower() for scheme in offered.split(",")}
    wanted = _SCHEMES.get(auth, ())
    allow = (
        "allow it there (Enable-WSManCredSSP -Role Server; it is off by default)"
        if auth == "credssp"
        else f"allow {auth} there (winrm get winrm/config/service/auth)"
    )
    if wanted and not schemes.intersection(wanted):
        return TransportError(
            ReachStage.AUTHENTICATE,
            f"{watch.place} does not offer {auth}; it offers {_one_line(offered or 'nothing')}",
            f"Declare another `auth`, or {allow}.",
        )
    return TransportError(
        ReachStage.AUTHENTICATE,
        f"{watch.place} refused user or password (HTTP 401, {auth})",
        "Check both, and whether the account is locked, expired or not allowed to log on over the network.",
    )
