"""What the placeholders in remedies stand for. A report fills in what its facts tell; the rest is left to a person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

PLACEHOLDER = re.compile(r"<([a-z][a-z_]*)>")

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "account": "the account that the service runs as",
        "address": "an IP address",
        "child": "the PID of a child process that the ended one left behind (the evidence lists those that are known)",
        "command": "`polling-proxy` for the way to the server's polling port, `proxy` for web requests",
        "configured": "the thumbprint as the configuration file has it now",
        "connections": "polling connections to each server: more than there are now, five at least and 512 at most",
        "dead": "the address of the name that does not work",
        "declared": "the port that the inventory declares",
        "environment": "an environment that the machine is in, by the portal; repeat the option for each",
        "executable": "full path of the product's program",
        "expected_thumbprint": "the thumbprint that the settings expect now, as they have it",
        "file": "full path of the instance's configuration file",
        "home": "Octopus Home of the instance: the folder with its logs, work and packages",
        "host": "name or address that the connection is made to; in a command about a proxy, the proxy's",
        "instance": "name of the instance of Tentacle or Octopus Server, mostly `Tentacle` or `OctopusServer`",
        "keep": "every address that is to be polled on, with commas between",
        "key": "an API key of Octopus Server, which only a person has; no report knows it",
        "key_side": "`Client` or `Server`: the side of the connection whose registry key it is",
        "log": "full path of the product's own log file",
        "lower_case": "the server's thumbprint as the configuration file has it now",
        "name": "the machine's name in the portal",
        "octopus": "full path of Octopus Server's program",
        "own_log": "full path of the Tentacle's log, which its user must be able to write",
        "password": "a password that only you have; no report contains it",
        "path": "a file or folder of the machine",
        "peers": "addresses from which the other ends connect",
        "pfx": "full path of a file that only administrators may read, for a certificate with its key",
        "pid": "the PID of a process",
        "policy": "name of a machine policy in the portal",
        "polled": "URL of the server node's polling port, such as https://octopus.example.com:10943",
        "polled_port": "the server node's polling port: 10943, unless it was changed",
        "port": "TCP port of the link: by default 10933 at a listening Tentacle, 10943 at a server; or the proxy's",
        "portal": "URL of Octopus Server's web portal",
        "prefix": "URL prefix that the server is to serve for web sockets, such as https://+:443/OctopusComms",
        "profile": "a profile of Windows Firewall: `Domain`, `Private` or `Public`",
        "proxy": "name or address of the proxy",
        "resource": "the failover cluster's resource that starts the product's service (Get-ClusterResource)",
        "role": "a role (target tag) of the machine, by the portal; repeat the option for each",
        "rule": "display name of the firewall rule",
        "runs_as": "the user that the unit runs the Tentacle as",
        "service": "name of the Windows service or of the systemd unit",
        "sid": "SID of an account or group, such as `S-1-5-32-545`",
        "target": "host and port of the server's polling port, which the proxy is asked to connect to",
        "tentacle": "full path of Tentacle's program",
        "thumbprint": "40 hexadecimal digits: the thumbprint of the certificate that should be trusted or expected",
        "trusted_too": "the thumbprint of another server that the Tentacle trusts",
        "upper_case": "the same thumbprint in upper case",
        "user": "a user of the proxy; no report contains it",
    }
)
"""By name, in words that fit any problem."""


def named_in(lines: Iterable[str]) -> tuple[str, ...]:
    """The placeholders of these lines, each once, in the order of the alphabet."""
    return tuple(sorted({name for line in lines for name in PLACEHOLDER.findall(line)}))
