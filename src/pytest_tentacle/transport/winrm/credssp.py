"""CredSSP: why it did not log on, by the step that it had come to and the machine's number, and what it seals.

The steps are those of MS-CSSP 3.1.5: TLS within HTTP, a log-on by Negotiate in it, both sides' word for the TLS key,
and then the password itself, with which the machine logs on once more. The words are ours.
"""

from __future__ import annotations

import functools
import ssl
import struct
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from spnego.exceptions import BadBindingsError

from pytest_tentacle.transport.base import TransportError

OLDEST_VERSION = 5
"""Versions before it let who sits in between act as the user (CVE-2018-0886). Windows' own clients refuse them, too,
since May 2018 (KB4093492): the password would be handed to such a machine."""

_UNAUTHORIZED = 401

Reason = tuple[str, str, int | None]
"""What it means, what to do, and the machine's number."""

_ACCOUNT = "See the account in the domain or in lusrmgr.msc; Security event 4625 of the machine has the status."
_STATUSES: dict[int, tuple[str, str]] = {
    0xC000006D: ("the machine refused user or password", "Check both, and in which domain the user is."),
    0xC0000064: ("the machine knows no such user", "Check the user, and in which domain it is."),
    0xC000006A: ("the machine refused the password", "Check the password."),
    0xC000006E: (
        "the account may not log on in this way",
        "Members of Protected Users log on by Kerberos alone, which this log-on does not: use `auth: kerberos`.",
    ),
    0xC000006F: ("the account may not log on at this hour", _ACCOUNT),
    0xC0000070: ("the account may not log on from this machine", _ACCOUNT),
    0xC0000071: ("the password has expired", "Set a new one."),
    0xC0000072: ("the account is disabled", _ACCOUNT),
    0xC0000133: ("the clocks of the machine and its domain are too far apart", "Set both by the domain's time."),
    0xC000015B: (
        "the account may not log on over the network",
        "See the user rights SeNetworkLogonRight and SeDenyNetworkLogonRight there.",
    ),
    0xC0000193: ("the account has expired", _ACCOUNT),
    0xC0000224: ("the password must be changed first", "Log on by hand once, and set a new one."),
    0xC0000234: ("the account is locked", _ACCOUNT),
    0xC0000413: ("the account may not log on to this machine (selective authentication)", _ACCOUNT),
    0xC0000418: ("the machine takes no NTLM, by which CredSSP logs on here", "Use `auth: kerberos`."),
}
"""NTSTATUS (MS-ERREF 2.3.1) of a TSRequest's errorCode."""

_TLS = "the TLS handshake within CredSSP failed"
_TLS_ADVICE = (
    "It is not that of the listener: this side wants TLS 1.2 or newer, and what Schannel offers there decides. See its "
    "events 36874, 36886 and 36888 in the machine's System log; with 36886 its certificate for CredSSP cannot be used."
)
_REFUSED = (
    "the machine refused user or password, and gave no number",
    "Check both; Security event 4625 of the machine has the status.",
)
_BETWEEN = (
    "the machine answered for another key than that of the channel, and got no password",
    "Something in between ends CredSSP's TLS: find it before you log on by CredSSP.",
)
_OLD = (
    "the machine speaks a version of CredSSP with a known hole (CVE-2018-0886), and got no password",
    "Install Windows' updates there (those of March 2018 or later), or use `auth: kerberos` or `ntlm`.",
)
_NOT_TAKEN = (
    "the machine let the user in, and then could not log on with the password that it was handed",
    "See Security event 4625 there; the account may lack the right to log on there, or be kept from being delegated.",
)
_UNREADABLE = (
    "what the machine answered is not CredSSP",
    "See what sits in between: a proxy or gateway may change headers.",
)


class _Answered(Exception):  # noqa: N818  it ends the log-on, and is no error of it
    """An answer that is not of the log-on any more, such as a fault: the caller's to read."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__()
        self.response = response


def hear(auth: Any, note: Callable[[Reason], None]) -> None:
    """Has `note` called with the reason of each failure of `auth`, an HttpCredSSPAuth of requests_credssp's."""
    auth.minimum_version = OLDEST_VERSION
    handle = auth.handle_401
    take = auth._get_credssp_token  # noqa: SLF001  which takes any other status for a failure to log on

    def taken(response: requests.Response, *rest: Any) -> bytes:
        if response.status_code != _UNAUTHORIZED:
            raise _Answered(response)
        return cast("bytes", take(response, *rest))

    auth._get_credssp_token = taken  # noqa: SLF001

    @functools.wraps(handle)
    def listened(response: requests.Response, **options: Any) -> requests.Response:
        host = urlsplit(str(response.url)).hostname
        try:
            answer = cast("requests.Response", handle(response, **options))
        except _Answered as answered:
            return answered.response
        except (TransportError, requests.RequestException):
            raise  # of the connection, and told as such
        except Exception as error:
            note(reason_of(error, auth.contexts.get(host)))
            raise
        if answer.status_code == _UNAUTHORIZED:
            note((*_NOT_TAKEN, None))
        return answer

    auth.handle_401 = listened


def reason_of(error: BaseException, context: Any) -> Reason:
    """Why CredSSP failed.

    Args:
        error: what requests_credssp raised; behind it stand pyspnego's own error and the number, or OpenSSL's.
        context: requests_credssp's, for the step and the machine's version; None where there is none yet.
    """
    ask = None if context is None else context._context.get_extra_info  # noqa: SLF001  it hands on none of this
    stage = "" if ask is None else str(ask("auth_stage", ""))
    version = None if ask is None else ask("protocol_version")
    number = _number(error)
    if number is not None:
        known = _STATUSES.get(number, ("the machine refused the log-on", _ACCOUNT))
        return (*known, number)
    if _behind(error, BadBindingsError) is not None:
        return (*_BETWEEN, None)
    if version is not None and version < OLDEST_VERSION:
        return (*_OLD, None)
    broken = cast("ssl.SSLError | None", _behind(error, ssl.SSLError))
    broke_off = _is_of(error, "requests_credssp") and error.__cause__ is None  # it answered without a token
    if stage == "TLS Handshake" and (broken is not None or broke_off):
        said = "the machine ended it" if broken is None else broken.reason or type(broken).__name__
        return (f"{_TLS} ({said})", _TLS_ADVICE, None)
    if not broke_off:
        return (*_UNREADABLE, None)
    return (*(_NOT_TAKEN if stage == "Credential exchange" else _REFUSED), None)


def seal_as_negotiated(encryption: Any, auth: Any) -> None:
    """Has pywinrm's `encryption` name the length of the TLS version that was agreed on: its own knows TLS 1.2 alone."""

    def build(message: bytes, host: str) -> bytes:
        header, data, _ = auth.contexts[host].wrap_winrm(message)
        return struct.pack("<i", len(header)) + bytes(header) + bytes(data)

    encryption._build_message = build  # noqa: SLF001  the one place where it can be mended


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _behind(error: BaseException, kind: type[BaseException]) -> BaseException | None:
    return next((each for each in _chain(error) if isinstance(each, kind)), None)


def _number(error: BaseException) -> int | None:
    for each in _chain(error):
        number = getattr(getattr(each, "base_error", None), "winerror", None)
        if isinstance(number, int):
            return number & 0xFFFFFFFF
    return None


def _is_of(error: BaseException, package: str) -> bool:
    return type(error).__module__.partition(".")[0] == package
