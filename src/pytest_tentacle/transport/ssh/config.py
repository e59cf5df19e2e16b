"""Where an SSH login goes and with what: the inventory's settings over the user's ssh_config.

Of the ssh_config, HostName, Port, User, IdentityFile, IdentitiesOnly, IdentityAgent, ProxyJump, UserKnownHostsFile,
HostKeyAlias, Include, Host and Match are followed; GSSAPIAuthentication only where a refusal is told, since a log-on by
Kerberos is for the inventory to ask for. ProxyCommand is refused, since it would start a program of its own for each
machine, and paramiko cannot speak through one on Windows. StrictHostKeyChecking is not followed: how host keys are
verified is for the inventory alone to say, where it can be seen.
"""

from __future__ import annotations

import getpass
import glob
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from pytest_tentacle.inventory.model import SSH
from pytest_tentacle.transport.base import ReachStage, TransportError

from .error import reason
from .known_hosts import default_files, known_names

_SSH_PORT = 22
_MAX_HOPS = 8
_MAX_INCLUDES = 16
_INCLUDE = re.compile(r"\s*include(?:\s*=\s*|\s+)(?P<files>.+?)\s*$", re.IGNORECASE)
_BLOCK = re.compile(r"\s*(?:host|match)(?:\s*=\s*|\s+)", re.IGNORECASE)
_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>\d+))?/?")


@dataclass(frozen=True)
class Endpoint:
    """One SSH server on the way: a jump host, or the machine itself.

    Attributes:
        identities: private key files to try, besides the inventory's.
        only_identities: offer no agent keys but those of these files.
        agent_socket: None for the usual agent, `none` for no agent, else the path of its socket.
        alias: HostKeyAlias.
        known_hosts: groups of files; the first group that knows the server decides about its key.
        wants_tickets: the ssh_config asks for log-ons by Kerberos.
    """

    host: str
    port: int
    user: str
    identities: tuple[Path, ...]
    only_identities: bool
    agent_socket: str | None
    alias: str | None
    known_hosts: tuple[tuple[Path, ...], ...]
    wants_tickets: bool = False

    @property
    def label(self) -> str:
        """For messages: `host port 22`."""
        return f"{self.host} port {self.port}"

    @property
    def key_names(self) -> tuple[str, ...]:
        """Names under which the server's key may stand in known_hosts files."""
        return known_names(self.host, self.port, self.alias)


def plan_route(settings: SSH) -> tuple[Endpoint, ...]:
    """The jump hosts, nearest first, and the machine itself at the end.

    Raises TransportError with stage RESOLVE for an ssh_config that cannot be read or followed.
    """
    config = _load(settings.ssh_config)
    try:
        values = _lookup(config, settings.host)
        target = _endpoint(settings, settings.host, values, user=settings.user, port=settings.port)
        jumps = settings.proxy_jump if settings.proxy_jump is not None else values.get("proxyjump")
        _refuse_proxy_command(settings.host, values, jumps)
        return (*_jump_hosts(settings, config, jumps, _MAX_HOPS), target)
    except (paramiko.SSHException, ValueError, OSError, KeyError, ImportError) as error:
        raise _unusable(f"the ssh_config cannot be followed for {settings.host}: {reason(error)}") from error


def _jump_hosts(settings: SSH, config: paramiko.SSHConfig, jumps: str | None, left: int) -> tuple[Endpoint, ...]:
    if not jumps or jumps.strip().lower() == "none":
        return ()
    if left <= 0:
        raise ValueError(f"ProxyJump leads over more than {_MAX_HOPS} hosts, or round in a circle")
    hops: list[Endpoint] = []
    for position, text in enumerate(jumps.split(",")):
        match = _JUMP.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"ProxyJump {text.strip()!r} is not [user@]host[:port]")
        name = match["v6"] or match["host"]
        values = _lookup(config, name)
        if position == 0:  # as ssh does: the first one may itself lie behind a jump host, the others are listed
            _refuse_proxy_command(name, values, values.get("proxyjump"))
            hops.extend(_jump_hosts(settings, config, values.get("proxyjump"), left - 1))
        hops.append(_endpoint(settings, name, values, user=match["user"], port=int(match["port"] or 0) or None))
    return tuple(hops)


def _endpoint(settings: SSH, name: str, values: Mapping[str, Any], *, user: str | None, port: int | None) -> Endpoint:
    identities: list[str] = values.get("identityfile") or []
    pinned = (settings.known_hosts.expanduser(),) if settings.known_hosts else ()
    listed = tuple(_path(item) for item in _words(values.get("userknownhostsfile", "")) if item.lower() != "none")
    usual = default_files()
    return Endpoint(
        host=values.get("hostname", name),
        port=port or int(values.get("port", _SSH_PORT)),
        user=user or values.get("user") or getpass.getuser(),
        identities=tuple(_path(item) for item in identities if item.lower() != "none"),
        only_identities=values.get("identitiesonly", "no").lower() == "yes",
        agent_socket=_agent_socket(values.get("identityagent")),
        alias=values.get("hostkeyalias"),
        known_hosts=(pinned, (*listed, *usual[2:]) if "userknownhostsfile" in values else usual),
        wants_tickets=values.get("gssapiauthentication", "no").lower() == "yes",
    )


def _agent_socket(value: str | None) -> str | None:
    if value is None or value == "SSH_AUTH_SOCK":
        return None
    return "none" if value.lower() == "none" else str(_path(value))


class _Config(paramiko.SSHConfig):
    # paramiko would ask the DNS for this machine's own name whenever an IdentityFile stands there (%l), and would take
    # the tilde of a Windows short name for the home directory
    TOKENS_BY_CONFIG_KEY = {  # noqa: RUF012  overrides paramiko's own attribute of this shape
        "hostname": ["%h"],
        "identityfile": ["%d", "%h", "%r", "%u"],
        "identityagent": ["%d", "%h", "%r", "%u"],
        "proxyjump": ["%h", "%p", "%r"],
        "userknownhostsfile": ["%d", "%h", "%r", "%u"],
        "match-exec": ["%d", "%h", "%L", "%n", "%p", "%r", "%u"],
    }


def _load(path: Path | None) -> paramiko.SSHConfig:
    """The ssh_config; an absent `~/.ssh/config` is an empty one, one that the inventory names must exist."""
    chosen = path.expanduser() if path else Path.home() / ".ssh" / "config"
    if path is None and not chosen.exists():
        return _Config()
    try:
        return _Config.from_text("\n".join(_expand_includes(chosen, "Host *", _MAX_INCLUDES)))
    except (paramiko.SSHException, OSError, ValueError) as error:
        raise _unusable(f"the ssh_config {chosen} cannot be read: {reason(error)}") from error


def _expand_includes(path: Path, block: str, depth: int) -> list[str]:
    """The lines of a file with those of its Includes in place; paramiko would pass over these without a word.

    What follows an Include belongs to the block that it stood in: `block` is repeated there.
    """
    if depth == 0:
        raise ValueError("Include goes too deep, or round in a circle")
    lines: list[str] = []
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        match = _INCLUDE.fullmatch(line)
        if match is None:
            block = line if _BLOCK.match(line) else block
            lines.append(line)
            continue
        for pattern in _words(match["files"]):
            for found in sorted(glob.glob(str(Path.home() / ".ssh" / _path(pattern)))):  # noqa: PTH207  may be absolute
                lines.extend(_expand_includes(Path(found), block, depth - 1))
        lines.append(block)
    return lines


def _lookup(config: paramiko.SSHConfig, name: str) -> Mapping[str, Any]:
    return config.lookup(name)


def _refuse_proxy_command(name: str, values: Mapping[str, Any], jumps: str | None) -> None:
    if values.get("proxycommand") and not jumps:
        raise _unusable(f"the ssh_config asks for a ProxyCommand for {name}, which is not supported")


def _unusable(summary: str) -> TransportError:
    return TransportError(
        ReachStage.RESOLVE, summary, "Use ProxyJump, or proxy_jump in the inventory; or name another ssh_config there."
    )


def _words(text: str) -> list[str]:
    return [word.strip('"') for word in shlex.split(text, posix=False)]


def _path(text: str) -> Path:
    return Path(text).expanduser()
