"""Whether a server is who it should be: the verdict on the host key of each hop, told so that one can act on it."""

from __future__ import annotations

import paramiko

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport.base import ReachStage, TransportError

from .config import Endpoint
from .error import reason
from .known_hosts import Entry, KnownHosts, Trust, append_key, fingerprint, load_known_hosts


def known_hosts(settings: SSH, endpoint: Endpoint) -> KnownHosts:
    """What is known of a server before it is contacted. Raises TransportError for a file that cannot be read."""
    if settings.host_keys == "insecure":
        return KnownHosts(endpoint.key_names, ())
    try:
        return load_known_hosts(endpoint.key_names, endpoint.known_hosts)
    except OSError as error:
        raise TransportError(
            ReachStage.AUTHENTICATE,
            f"the host key of {endpoint.label} cannot be verified: {error.filename}: {reason(error)}",
            "Make the known_hosts file readable, or name another in the inventory.",
        ) from error


def prefer_known_types(session: paramiko.Transport, known: KnownHosts) -> None:
    """Ask first for a key of a type that is known, before the session starts."""
    options = session.get_security_options()
    wanted = set(known.key_types)

    def is_other(algorithm: str) -> bool:
        key_type = "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm
        return key_type not in wanted

    options.key_types = tuple(sorted(options.key_types, key=is_other))


def verify_host_key(session: paramiko.Transport, settings: SSH, endpoint: Endpoint, known: KnownHosts) -> None:
    """Raise TransportError (AUTHENTICATE) unless the shown key may be trusted. Nothing secret has been sent by then."""
    if settings.host_keys == "insecure":
        return
    key = session.get_remote_server_key()
    key_type, blob = key.get_name(), key.asbytes()
    trust, _ = known.judge(key_type, fingerprint(blob))
    if trust is Trust.UNKNOWN and settings.host_keys == "accept-new":
        write_down(settings, endpoint, key_type, blob)
    elif trust is not Trust.KNOWN:
        raise untrusted(endpoint, known, key_type, fingerprint(blob))


def untrusted(endpoint: Endpoint, known: KnownHosts, key_type: str, shown_as: str) -> TransportError:
    """The error for a shown key, given by its fingerprint, that is not trusted."""
    trust, entry = known.judge(key_type, shown_as)
    shown = f"{key_type} {shown_as}"
    return _unknown(endpoint, key_type, shown) if entry is None else _wrong(endpoint, trust, entry, shown)


def write_down(settings: SSH, endpoint: Endpoint, key_type: str, blob: bytes) -> None:
    """Keep a new server's key where the inventory names a file for it. Raises TransportError."""
    if settings.known_hosts is None:
        return
    try:
        append_key(settings.known_hosts.expanduser(), endpoint.key_names[0], key_type, blob)
    except OSError as error:
        raise TransportError(
            ReachStage.AUTHENTICATE,
            f"the new host key of {endpoint.label} cannot be written to {settings.known_hosts}: {reason(error)}",
            "Make the file writable, or leave known_hosts out of the inventory to accept keys for one run only.",
        ) from error


def _unknown(endpoint: Endpoint, key_type: str, shown: str) -> TransportError:
    file = next(path for group in endpoint.known_hosts for path in group)
    return TransportError(
        ReachStage.AUTHENTICATE,
        f"the host key of {endpoint.label} is not known: it shows {shown}",
        "Compare that with `ssh-keygen -lf` on the machine's own /etc/ssh/ssh_host_*_key.pub (Windows: "
        f"%ProgramData%\\ssh), then `ssh-keyscan -p {endpoint.port} {endpoint.host} >> {file}` so that a line "
        f"`{endpoint.key_names[0]} {key_type} ...` stands there; or set host_keys: accept-new.",
    )


def _wrong(endpoint: Endpoint, trust: Trust, entry: Entry, shown: str) -> TransportError:
    if trust is Trust.REVOKED:
        return TransportError(
            ReachStage.AUTHENTICATE,
            f"THE HOST KEY OF {endpoint.label} IS REVOKED ({entry.place}): it shows {shown}",
            "Do not log on there before you know who holds that key. No credentials were sent.",
        )
    file = entry.place.rpartition(":")[0]
    return TransportError(
        ReachStage.AUTHENTICATE,
        f"THE HOST KEY OF {endpoint.label} HAS CHANGED: it shows {shown}, but {entry.place} holds "
        f"{entry.key_type} {entry.fingerprint}",
        "Somebody may be intercepting the connection, or the machine was set up anew: find out which before you run "
        f"`ssh-keygen -R '{endpoint.key_names[0]}' -f {file}`. No credentials were sent.",
    )
