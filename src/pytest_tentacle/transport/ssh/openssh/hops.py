"""What OpenSSH's client is told: a configuration of our own, in a folder that nobody else reads.

It holds all that the inventory and the user's ssh_config say of the way (`plan_route` has read them), so that nothing
of either stands on a command line, and nothing else of an ssh_config is followed: what may be run, forwarded or trusted
is as it is with keys and passwords.
"""

from __future__ import annotations

import base64
import re
import shlex
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport.base import ReachStage, TransportError
from pytest_tentacle.transport.ssh.config import Endpoint
from pytest_tentacle.transport.ssh.error import one_line
from pytest_tentacle.transport.ssh.known_hosts import KnownHosts

_LONGEST_FOLDER = 60
"""A path of a Unix socket has a hundred bytes or so, and ssh makes one of its own from ours and seventeen more."""

_HOST = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
_USER = re.compile(r"(?!-)[\w.@+~-]+(?:[ \\][\w.@+~][\w.@+~-]*)*\$?")

_FOR_ALL = """\
Host *
 BatchMode yes
 GSSAPIAuthentication yes
 GSSAPIDelegateCredentials no
 PreferredAuthentications gssapi-with-mic
 PubkeyAuthentication no
 PasswordAuthentication no
 KbdInteractiveAuthentication no
 HostbasedAuthentication no
 IdentityAgent none
 IdentityFile none
 GlobalKnownHostsFile /dev/null
 HostKeyAlgorithms -*-cert-v0*
 FingerprintHash sha256
 CheckHostIP no
 UpdateHostKeys no
 HashKnownHosts no
 VerifyHostKeyDNS no
 ConnectionAttempts 1
 ForwardAgent no
 ForwardX11 no
 PermitLocalCommand no
 EscapeChar none
 LogLevel DEBUG3
"""
"""A ticket and nothing else; no question, no further program, no forwarding. From the log we read why it failed."""


@dataclass(frozen=True)
class Hop:
    """One SSH server on the way, and the files that ssh is given for it."""

    name: str
    """What our configuration calls it."""
    endpoint: Endpoint
    known: KnownHosts
    folder: Path

    @property
    def log(self) -> Path:
        """A pipe, through which ssh tells what it does."""
        return self.folder / f"{self.name}.log"

    @property
    def trusted(self) -> Path:
        """The host keys that it may show."""
        return self.folder / f"{self.name}.keys"

    @property
    def is_new(self) -> bool:
        """Whether no key is known that it must show."""
        return not self.known.proper


def private_folder() -> Path:
    """A new folder that nobody else reads. Raises OSError."""
    usual = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="tentacle-", dir=usual if len(usual.encode()) <= _LONGEST_FOLDER else "/tmp"))  # noqa: S108  mkdtemp's name is not to be guessed


def checked(route: Sequence[Endpoint]) -> None:
    """Refuse what OpenSSH's configuration might take for more than a name. Raises TransportError."""
    for endpoint in route:
        for what, text, pattern in (("host name", endpoint.host, _HOST), ("user", endpoint.user, _USER)):
            if not pattern.fullmatch(text):
                raise TransportError(
                    ReachStage.RESOLVE,
                    f"the {what} {one_line(text, 80)!r} cannot be given to ssh",
                    "Write it without quotes, a shell's signs or a hyphen in front, in the inventory or ssh_config.",
                )


def configure(hops: Sequence[Hop], settings: SSH, program: str, control: Path, seconds: Sequence[int]) -> Path:
    """Write the configuration and the trusted keys; the path of the first. `seconds`: for each hop's first answer."""
    config = hops[-1].folder / "config"
    parts = []
    for position, hop in enumerate(hops):
        hop.trusted.write_text(_trusted(hop, settings), encoding="ascii")
        endpoint = hop.endpoint
        parts += [
            f"Host {hop.name}",
            f" HostName {_untouched(endpoint.host)}",
            f" Port {endpoint.port}",
            f' User "{endpoint.user}"',
            f" HostKeyAlias {hop.name}",
            f' UserKnownHostsFile "{_untouched(str(hop.trusted))}"',
            f" StrictHostKeyChecking {_strictness(hop, settings)}",
            f" ConnectTimeout {seconds[position]}",
        ]
        if position:
            before = hops[position - 1]
            way = (program, "-F", str(config), "-E", str(before.log), "-W", _place(endpoint), "--", before.name)
            parts.append(f" ProxyCommand {_untouched(shlex.join(way))}")
    parts.append(f' ControlPath "{_untouched(str(control))}"')
    config.write_text("\n".join(parts) + "\n" + _FOR_ALL, encoding="utf-8")
    return config


def new_key(hop: Hop) -> tuple[str, bytes] | None:
    """The type and the key that ssh has taken for a server's, where none was known; None where it took none."""
    for line in hop.trusted.read_text(encoding="ascii").splitlines():
        name, key_type, encoded = line.split()[:3]
        if name == hop.name and hop.is_new:
            return key_type, base64.b64decode(encoded)
    return None


def _strictness(hop: Hop, settings: SSH) -> str:
    if settings.host_keys == "insecure":
        return "no"
    return "accept-new" if settings.host_keys == "accept-new" and hop.is_new else "yes"


def _trusted(hop: Hop, settings: SSH) -> str:
    entries = hop.known.entries
    if _strictness(hop, settings) == "accept-new":  # keys of other ports on the same host would make it a changed one
        entries = tuple(entry for entry in entries if entry.revoked)
    return "".join(
        f"{'@revoked ' if entry.revoked else ''}{hop.name} {entry.key_type} {base64.b64encode(entry.key).decode()}\n"
        for entry in entries
    )


def _place(endpoint: Endpoint) -> str:
    return f"[{endpoint.host}]:{endpoint.port}"


def _untouched(text: str) -> str:
    """A text in which ssh finds no token of its own."""
    return text.replace("%", "%%")
