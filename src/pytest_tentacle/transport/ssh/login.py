"""Proving who we are to an SSH server: keys from files and from an agent, and passwords.

What the inventory states is tried and nothing else: its key, then its password. Where it states neither, it goes as
with `ssh`: the agent's keys, and the key files of the ssh_config or the usual ones. A jump host is given keys only,
never the machine's password.
"""

from __future__ import annotations

import functools
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.agent import AgentSSH, get_agent_connection
from paramiko.pkey import PublicBlob, UnknownKeyType

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.inventory.secrets import Secret
from pytest_tentacle.transport.base import Deadline, ReachStage, TransportError

from .config import Endpoint
from .error import one_line, reason

_KERBEROS = frozenset({"gssapi-with-mic", "gssapi-keyex"})
"""RFC 4462's methods. paramiko speaks neither since its version 5; `openssh` does."""

_USUAL_KEYS = ("id_rsa", "id_ecdsa", "id_ed25519")


class Agent(AgentSSH):
    """The user's ssh-agent (or Pageant, or Windows' own), asked with a deadline where its connection knows one."""

    def __init__(self, path: str | None, deadline: Deadline) -> None:
        """Connect and list the keys. Raises OSError or SSHException for an agent that does not answer."""
        super().__init__()
        connection = _agent_socket(path) if path else get_agent_connection()
        if connection is None:
            return
        if isinstance(connection, socket.socket):
            connection.settimeout(max(deadline.remaining(), 0.001))
        try:
            self._connect(connection)  # type: ignore[attr-defined]  # the stubs leave it out
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Let go of the agent."""
        self._close()  # type: ignore[attr-defined]  # the stubs leave it out


@dataclass
class _Attempts:
    """What was tried, for the message; never a secret."""

    tried: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)


def log_in(
    session: paramiko.Transport, settings: SSH, endpoint: Endpoint, deadline: Deadline, *, is_jump: bool
) -> None:
    """Authenticate. Raises TransportError with stage AUTHENTICATE.

    The caller's guard ends the session at the deadline; it then knows better than the error raised here.
    """
    attempts = _Attempts()
    agent = _open_agent(settings, endpoint, deadline, attempts)
    try:
        if _try_keys(session, settings, endpoint, agent, attempts, is_jump=is_jump):
            return
        if settings.password is not None and not is_jump and _try_password(session, settings, endpoint, attempts):
            return
        if not attempts.tried and _try_none(session, endpoint, attempts):
            return
    finally:
        if agent is not None:
            agent.close()
    raise _refused(endpoint, attempts, session, is_jump=is_jump)


def _open_agent(settings: SSH, endpoint: Endpoint, deadline: Deadline, attempts: _Attempts) -> Agent | None:
    if not settings.agent or endpoint.agent_socket == "none":
        return None
    try:
        return Agent(endpoint.agent_socket, deadline)
    except (OSError, paramiko.SSHException) as error:
        attempts.notes.append(f"the ssh-agent does not answer ({reason(error)})")
        return None


def _agent_socket(path: str) -> socket.socket | None:
    if sys.platform == "win32":
        return None  # Windows' agent listens on one named pipe, which paramiko finds by itself
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


def _try_keys(
    session: paramiko.Transport,
    settings: SSH,
    endpoint: Endpoint,
    agent: Agent | None,
    attempts: _Attempts,
    *,
    is_jump: bool,
) -> bool:
    for name, key in _keys(settings, endpoint, agent, attempts, is_jump=is_jump):
        if not session.is_active():
            return False
        attempts.tried.append(name)
        try:
            further = session.auth_publickey(endpoint.user, key)
        except paramiko.BadAuthenticationType as error:
            attempts.allowed = list(error.allowed_types)
            return False  # no key will do
        except (paramiko.SSHException, OSError, EOFError) as error:
            _note_unusual(attempts, name, error)
            continue
        if not further:
            return True
        attempts.allowed = list(further)
        attempts.notes.append(f"{name} was accepted, but the server wants a further proof")
        return False
    return False


def _keys(
    settings: SSH, endpoint: Endpoint, agent: Agent | None, attempts: _Attempts, *, is_jump: bool
) -> Iterator[tuple[str, paramiko.PKey]]:
    """The keys to offer, in order, each once, each with a name for messages."""
    held = {key.asbytes(): key for key in (agent.get_keys() if agent else ())}
    for path in _key_files(settings, endpoint, attempts, is_jump=is_jump):
        public = _public_part(path)
        if public is not None and public in held:
            yield f"key {path} (from the agent)", held.pop(public)
            continue
        passphrase = settings.passphrase if settings.key and path == settings.key.expanduser() else None
        key = _load_key(path, passphrase, attempts)
        if key is not None:
            held.pop(key.asbytes(), None)
            yield f"key {path}", key
    if endpoint.only_identities or (not is_jump and (settings.key or settings.password)):
        return
    for number, key in enumerate(held.values(), 1):
        yield f"agent key {number} ({one_line(key.comment or key.get_name(), 40)})", key


def _key_files(settings: SSH, endpoint: Endpoint, attempts: _Attempts, *, is_jump: bool) -> list[Path]:
    stated = [settings.key.expanduser()] if settings.key else []
    configured = [path for path in endpoint.identities if path.exists()]
    usual = [] if endpoint.identities else [Path.home() / ".ssh" / name for name in _USUAL_KEYS]
    if not is_jump and (stated or settings.password is not None):
        files = stated
    else:
        files = [*stated, *configured, *(path for path in usual if path.exists())]
        attempts.notes.extend(f"{path} does not exist" for path in endpoint.identities if path not in configured)
    return list(dict.fromkeys(files))


def _public_part(path: Path) -> bytes | None:
    try:
        public = path if path.suffix == ".pub" else Path(f"{path}.pub")
        return PublicBlob.from_file(str(public)).key_blob
    except (OSError, ValueError):
        return None


def _load_key(path: Path, passphrase: Secret | None, attempts: _Attempts) -> paramiko.PKey | None:
    try:
        stamp = path.stat()
        return _read_key(path, stamp.st_mtime_ns, passphrase)
    except OSError as error:
        attempts.notes.append(f"{path}: {reason(error)}")
    except (TypeError, paramiko.PasswordRequiredException):
        attempts.notes.append(f"{path} is encrypted and the passphrase is not known")
    except (ValueError, paramiko.SSHException, UnknownKeyType, UnsupportedAlgorithm):
        # what the parser says is left out: it may quote the file
        wrong = " or the passphrase is wrong" if passphrase is not None else ""
        attempts.notes.append(f"{path} is no private key that can be used{wrong}")
    return None


@functools.lru_cache(maxsize=32)
def _read_key(path: Path, _mtime: int, passphrase: Secret | None) -> paramiko.PKey:
    # kept for the run: unlocking a key takes a tenth of a second on purpose, and 400 machines ask for the same one
    secret = passphrase.get_secret_value().encode() if passphrase is not None else None
    return paramiko.PKey.from_path(str(path), secret)  # type: ignore[arg-type]  # str is what it says, bytes what it takes


def _try_password(session: paramiko.Transport, settings: SSH, endpoint: Endpoint, attempts: _Attempts) -> bool:
    if settings.password is None or not session.is_active():
        return False
    attempts.tried.append("password")
    try:
        further = session.auth_password(endpoint.user, settings.password.get_secret_value())
    except paramiko.BadAuthenticationType as error:
        attempts.allowed = list(error.allowed_types)
        return False
    except (paramiko.SSHException, OSError, EOFError) as error:
        _note_unusual(attempts, "password", error)
        return False
    if further:
        attempts.allowed = list(further)
        attempts.notes.append("the password was accepted, but the server wants a further proof")
    return not further


def _try_none(session: paramiko.Transport, endpoint: Endpoint, attempts: _Attempts) -> bool:
    """Ask without any proof: a few servers accept that, the others tell what they would accept."""
    if not session.is_active():
        return False
    try:
        return not session.auth_none(endpoint.user)
    except paramiko.BadAuthenticationType as error:
        attempts.allowed = list(error.allowed_types)
    except (paramiko.SSHException, OSError, EOFError) as error:
        _note_unusual(attempts, "no proof", error)
    return False


def _note_unusual(attempts: _Attempts, name: str, error: Exception) -> None:
    # a plain refusal says no more than its name; anything else (a lost agent, no common algorithm) is worth telling
    if str(error) != "Authentication failed.":
        attempts.notes.append(f"{name}: {reason(error)}")


def _refused(endpoint: Endpoint, attempts: _Attempts, session: paramiko.Transport, *, is_jump: bool) -> TransportError:
    role = "jump host " if is_jump else ""
    tried = ", ".join(attempts.tried) or "nothing: there is no key and no password to try"
    notes = "".join(f"; {note}" for note in dict.fromkeys(attempts.notes))
    allowed = f"; it accepts {one_line(', '.join(attempts.allowed), 80)}" if attempts.allowed else ""
    summary = f"{role}{endpoint.label} refused user {endpoint.user} (tried {tried}{notes}{allowed})"
    if attempts.allowed and set(attempts.allowed) <= _KERBEROS:
        advice = (
            "The server takes Kerberos alone: get a ticket (kinit), and say auth: kerberos in the machine's transport; "
            "or let the user log on there by a key as well."
        )
    elif not attempts.tried:
        advice = "Name a key or a password in the inventory, or load a key into the ssh-agent."
    elif not session.is_active() and len(attempts.tried) > 1:
        advice = (
            "The server ended the login, as it does after too many attempts: name the one right key in the inventory."
        )
    else:
        advice = "Check the user's name, and the key or password; the server's own log says why it refused."
    if _wants_a_hint(endpoint, attempts):
        advice += " A Kerberos ticket is used where the machine's transport says auth: kerberos."
    return TransportError(ReachStage.AUTHENTICATE, one_line(summary, 600), advice)


def _wants_a_hint(endpoint: Endpoint, attempts: _Attempts) -> bool:
    """Whether a ticket might have logged on, beside what was tried; a refused key does not tell what else would do."""
    if not attempts.allowed:
        return endpoint.wants_tickets
    others = set(attempts.allowed) - _KERBEROS
    return 0 < len(others) < len(attempts.allowed) and (endpoint.wants_tickets or not attempts.tried)
