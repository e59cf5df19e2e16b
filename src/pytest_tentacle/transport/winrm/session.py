"""From settings to a pywinrm Protocol that uses our connection, and nothing of the environment."""

from __future__ import annotations

import requests.auth
from winrm import transport as pywinrm
from winrm.protocol import Protocol

from pytest_tentacle.inventory.model import WinRM
from pytest_tentacle.transport.base import ReachStage, TransportError

from . import credssp, kerberos
from .http import Adapter


def new_protocol(settings: WinRM, endpoint: str, adapter: Adapter) -> Protocol:
    """A Protocol whose every request goes through the adapter. Nothing is sent yet."""
    password = "" if settings.password is None else settings.password.get_secret_value()
    protocol = Protocol(
        endpoint,
        transport=settings.auth,
        username=settings.user,
        password=password,
        cert_pem=None if settings.certificate is None else str(settings.certificate),
        cert_key_pem=None if settings.certificate_key is None else str(settings.certificate_key),
        ca_trust_path=None,  # type: ignore[arg-type]  # documented for "no other CA"; its annotation lacks it
        # "auto" would send a first request from inside build_session, before the adapter is mounted
        message_encryption="never",
        proxy=None,
    )
    session = protocol.transport.build_session()
    session.trust_env = False
    session.proxies = {}
    session.cert = None  # the TLS context presents it
    session.headers["Accept-Encoding"] = "identity"
    if settings.auth == "basic":
        # requests would encode text as Latin-1, and fail for what is not in it
        session.auth = requests.auth.HTTPBasicAuth((settings.user or "").encode(), password.encode())
    if settings.auth == "kerberos":
        kerberos.hear(session.auth, lambda error: adapter.note_failure(kerberos.reason_of(error)))
    if settings.auth == "credssp":
        credssp.hear(session.auth, adapter.note_failure)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return protocol


def require_usable(settings: WinRM) -> None:
    """Raise TransportError (AUTHENTICATE) for what cannot work or must not be tried, before anything is contacted."""

    def refuse(summary: str, advice: str) -> TransportError:
        return TransportError(ReachStage.AUTHENTICATE, f"{settings.host}: {summary}", advice)

    if settings.scheme == "http" and settings.auth == "certificate":
        raise refuse(
            "a client certificate cannot be shown over plain HTTP",
            "Use `scheme: https` and the port of the HTTPS listener (5986).",
        )
    if settings.scheme == "http" and settings.auth == "basic":
        raise refuse(
            "basic over plain HTTP would show the credentials and all data to everybody on the path",
            "Use `scheme: https`, or `auth: ntlm` or `kerberos`, which encrypt their messages.",
        )
    if settings.auth == "certificate" and (settings.certificate is None or settings.certificate_key is None):
        raise refuse("auth certificate without a certificate", "Give `certificate` and `certificate_key`, PEM files.")
    if settings.auth in ("ntlm", "basic", "credssp") and (not settings.user or settings.password is None):
        raise refuse(f"auth {settings.auth} without user or password", "Give `user` and `password` (as a reference).")
    extra = {"kerberos": pywinrm.HAVE_KERBEROS, "credssp": pywinrm.HAVE_CREDSSP}
    if not extra.get(settings.auth, True):
        raise refuse(
            f"auth {settings.auth} needs a package that is not installed",
            f"Install it: pip install 'pytest-tentacle[{settings.auth}]'.",
        )
