"""Commands that several remedies share, and what the guide leaves where nothing else helps.

Facts stand there as `<fact>`, within double quotes, so that the whole word is quoted for the shell; nothing of it is
run by us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from .since import known_to

EXE = '& "<tentacle>"'
CLI = 'sudo "<tentacle>"'
SERVER_EXE = '& "<octopus>"'
"""The machine's own programs, wherever they were installed."""

AGAIN, HALT, BEGIN = "restart", "stop", "start"
"""Among calls of Tentacle: what the service manager is asked.

Its restart starts a stopped service, as `service --restart` does not; `service --stop` knows no unit of another name.
"""

RESTART_WINDOWS = '$ Restart-Service -Name "<service>"'
RESTART_LINUX = '$ sudo systemctl restart "<service>"'
STOP_WINDOWS = '$ Stop-Service -Name "<service>"'
STOP_LINUX = '$ sudo systemctl stop "<service>"'
START_WINDOWS = '$ Start-Service -Name "<service>"'
START_LINUX = '$ sudo systemctl start "<service>"'
BY_ITSELF_WINDOWS = '$ Set-Service -Name "<service>" -StartupType Automatic'
DELAYED_WINDOWS = '$ sc.exe config "<service>" start= delayed-auto'
KEY_OF_SERVICE = "HKLM:\\SYSTEM\\CurrentControlSet\\Services\\<service>"
STATE_WINDOWS = '$ Get-Service -Name "<service>"'
STATE_LINUX = '$ systemctl status "<service>"'
JOURNAL = '$ journalctl -u "<service>" -n 60 --no-pager'
_BY_NAME, _BY_FILE = '--instance "<instance>"', '--config "<file>"'
"""How a call says for which instance it is; one that stands in no registry has no name."""

_BY_CLUSTER: Mapping[str, tuple[str, ...]] = {
    RESTART_WINDOWS: ('$ Stop-ClusterResource -Name "<resource>"', '$ Start-ClusterResource -Name "<resource>"'),
    STOP_WINDOWS: ('$ Stop-ClusterResource -Name "<resource>"',),
    START_WINDOWS: ('$ Start-ClusterResource -Name "<resource>"',),
    BY_ITSELF_WINDOWS: (),
    DELAYED_WINDOWS: (),
}
"""What stands in their place where a failover cluster runs the service.

It takes any other stop for a failure, and a node that starts the service by itself runs it beside the one that should.
"""
WHO_LINUX = '$ sudo ss -ltnp "sport = :<port>"'
TRY_WINDOWS = '$ Test-NetConnection "<host>" -Port "<port>"'
TRY_LINUX = '$ curl -kv --max-time 10 "https://<host>:<port>/"'
HANDSHAKE = '$ openssl s_client -connect "<host>:<port>" </dev/null'
FILE_WINDOWS = '$ Get-Item -LiteralPath "<file>"'
FILE_LINUX = ('$ ls -l "<file>"', "$ df -h")


CERTIFICATE_WINDOWS = (
    '$ $tcp = New-Object Net.Sockets.TcpClient "<host>", <port>; '
    "$tls = New-Object Net.Security.SslStream $tcp.GetStream(), $false, { $true }; "
    """$tls.AuthenticateAsClient("<host>", $null, 'Tls12', $false); """
    "$tls.RemoteCertificate | Format-List Subject, Issuer; "
    "$tls.RemoteCertificate.GetCertHashString(); $tcp.Close()"
)
"""Whose certificate answers, by what every Windows has: curl.exe came with Windows Server 2019, and shows none.

Without a version Windows PowerShell says hello by TLS 1.0, which Tentacles of today refuse.
"""

_SUITES_OF_OLD = "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002"
SUITES_WINDOWS = (
    "$ Get-TlsCipherSuite | Format-Table Name",
    "Windows Server 2012 R2 has no such command; its list, unless a group policy has another:",
    f"$ Get-ItemProperty '{_SUITES_OF_OLD}' -Name Functions",
)

WITH_TLS_12 = "$ [Net.ServicePointManager]::SecurityProtocol = 'Tls12';"
"""Before a web request: up to Windows Server 2016, PowerShell tries nothing newer than TLS 1.0. One window's matter."""

CERTIFICATE_HERE_WINDOWS = CERTIFICATE_WINDOWS.replace('"<host>"', '"localhost"')
PLAIN_WINDOWS = '$ Invoke-WebRequest -UseBasicParsing -TimeoutSec 10 "http://<host>:<port>/"'
THROUGH_PROXY_WINDOWS = (
    f'{WITH_TLS_12} Invoke-WebRequest -UseBasicParsing -TimeoutSec 15 -Proxy "http://<proxy>" "https://<target>/"'
)


_OF_SERVICES = {
    AGAIN: (RESTART_WINDOWS, RESTART_LINUX), HALT: (STOP_WINDOWS, STOP_LINUX), BEGIN: (START_WINDOWS, START_LINUX),
}  # fmt: skip


def tentacle(*calls: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The same calls of Tentacle for Windows and for Linux; `AGAIN` and its like are for the service manager."""
    pairs = [_OF_SERVICES.get(call, (f"$ {EXE} {call}", f"$ {CLI} {call}")) for call in calls]
    return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)


def when(flag: str, *parts: str | tuple[str, ...]) -> tuple[str, ...]:
    """Lines for machines of which a fact is true, such as `polling`; where nobody knows, they are shown as well.

    Around lines that are for some machines already: both must be true.
    """
    lines = (line for part in parts for line in ((part,) if isinstance(part, str) else part))
    return tuple(f"[{flag}] {line}" for line in lines)


_WHEN = re.compile(r"\[(\w+)\] ")


def fitting(lines: Iterable[str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """The lines that are for a machine of which these facts are known, as its own Tentacle understands them."""
    found = known_to(chosen(lines, facts), facts)
    return _with_its_log(found) if facts.get("runs_as") and facts.get("own_log") else found


_OWN_LOG_WORDS = (
    "Its service runs as <runs_as>. The first call of a day makes the log anew, and by root it is one that <runs_as> "
    "may not write: so it is given back afterwards."
)
OWN_LOG = '$ sudo chown "<runs_as>" "<own_log>"'


def _with_its_log(lines: Sequence[str]) -> tuple[str, ...]:
    """Linux: behind calls of Tentacle by root, the log belongs to the service's user again."""
    calls = [at for at, line in enumerate(lines) if _is_call(line)]
    if not calls or OWN_LOG in lines:
        return tuple(lines)
    found = [*lines[: calls[0]], _OWN_LOG_WORDS]
    for at in range(calls[0], len(lines)):
        found.append(lines[at])
        if at in calls and at + 1 not in calls:
            found.append(OWN_LOG)
    return tuple(found)


def _is_call(line: str) -> bool:
    return line.startswith(f"$ {CLI} ") and not line.startswith(f"$ {CLI} service ")


def chosen(lines: Iterable[str], facts: Mapping[str, object]) -> tuple[str, ...]:
    """The lines that are for a machine of which these facts are known; without what says for whom.

    Whether its service is `clustered` decides who restarts it, and whether it is `unnamed` what calls are for.
    """
    found: list[str] = []
    for line in lines:
        rest, wanted = line, True
        while flag := _WHEN.match(rest):
            rest, wanted = rest[flag.end() :], wanted and bool(facts.get(flag[1], True))
        if facts.get("unnamed"):
            rest = rest.replace(_BY_NAME, _BY_FILE)
        if wanted:
            found.extend(_BY_CLUSTER.get(rest, (rest,)) if facts.get("clustered") else (rest,))
    return tuple(found)


# -- what several remedies share ---------------------------------------------------------------------------------------

REGISTER = (
    'register-with --instance "<instance>" --server "<portal>" --apiKey "<key>" --comms-style TentacleActive '
    '--server-comms-address "<polled>" --name "<name>" --environment "<environment>" --role "<role>" --force'
)
"""Registers a poller anew under its old name, which gets environments and roles of this call."""

REGISTER_WORDS = (
    "First note its environments, roles, tenants and policy in the portal: with --force the machine keeps only those "
    "of this command, and --name is the one that it has there, or another machine of that name is taken over. In "
    "another space than the default one, name it with --space. A worker is registered with register-worker "
    "--workerpool."
)
_TRUST = tentacle('configure --instance "<instance>" --trust "<thumbprint>"', AGAIN)
_UPDATE = tentacle(
    'update-trust --instance "<instance>" --oldThumbprint "<configured>" --newThumbprint "<thumbprint>"', AGAIN
)
_SHOW = tentacle('show-thumbprint --instance "<instance>"')
_OTHERS = "This also removes its trust in other servers: name each of them with its own --trust in the same command."
_POLLS_OTHERS = (
    "It also polls another server, which --reset-trust forgets: instead, correct TrustedOctopusServers by hand "
    "(stop the service, copy its configuration file, change only that entry, start it), or register it there again "
    "afterwards."
)
_POLLS_NODES = (
    "It polls several nodes of its server, all of which are forgotten by that: register-with brings one of them back, "
    "and poll-server each of the others, with a call for each."
)
_OTHER_NODES = (
    "Its server has several nodes, of which register-with lets it poll one: poll-server does so for each of the "
    "others, with a call for each."
)
_POLL_AGAIN = tentacle(
    'poll-server --instance "<instance>" --server "<portal>" --apiKey "<key>" --server-comms-address "<polled>"'
)
_TRUST_OTHER = tentacle('configure --instance "<instance>" --trust "<trusted_too>"')


def _but_for_others(calls: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Calls with --reset-trust, and what keeps the trust in others: that is no fault, and must not be lost."""
    windows, linux = (
        (
            *when("trusts_others", _OTHERS),
            *when("polls_others", _POLLS_OTHERS),
            *when("polls_nodes", _POLLS_NODES),
            *lines[:-1],
            *when("trusts_other", _TRUST_OTHER[system]),
            *when("polls_nodes", _POLL_AGAIN[system]),
            lines[-1],
        )
        for system, lines in enumerate(calls)
    )
    return windows, linux


_ANEW = _but_for_others(tentacle('configure --instance "<instance>" --reset-trust', REGISTER, AGAIN))
_RESET = _but_for_others(tentacle('configure --instance "<instance>" --reset-trust --trust "<thumbprint>"', AGAIN))


def _per_mode(
    listening: tuple[str, tuple[tuple[str, ...], tuple[str, ...]]],
    polling: tuple[str, tuple[tuple[str, ...], tuple[str, ...]]],
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    windows, linux = (
        (*when("listening", listening[0], listening[1][system]), *when("polling", polling[0], polling[1][system]))
        for system in (0, 1)
    )
    return windows, linux


REPLACE_BY_HAND = (
    "update-trust replaces a thumbprint wherever it stands, and here that may be another server's entry as well, which "
    "would be cut off: correct that one entry of TrustedOctopusServers in <file> by hand (stop the service, copy the "
    "file, change it, start it)."
)
_POLLS_ANOTHER = (
    "No address that it polls is known to be this server's alone: update-trust would cut off whoever answers there. If "
    "one is another name of this server, declare it in the inventory (addresses) and run again. Else register the "
    f"Tentacle with this server, too; what it polls now stays. {REGISTER_WORDS}"
)
TRUST_SERVER = tuple(
    (
        *when("listening", "On a listening Tentacle, trust it beside the others:", _TRUST[system]),
        *when(
            "polling",
            *when(
                "replaceable",
                "On a polling Tentacle (3.24 and later), replace the thumbprint; its address and subscription stay:",
                _UPDATE[system],
            ),
            *when("unreplaceable", _POLLS_ANOTHER, tentacle(REGISTER, AGAIN)[system]),
        ),
    )
    for system in (0, 1)
)
"""Let a Tentacle trust its server: `configure --trust` never touches a polled entry, and `update-trust` changes one."""

TRUST_CALLER = tuple(
    (
        *when(
            "listening",
            *when("mistrusts", "On a listening Tentacle, trust it beside the others:", _TRUST[system]),
        ),
        *when(
            "polling",
            "A polling Tentacle's own thumbprint must stand in the portal, in the machine's settings (Connectivity), "
            "and the machine must not be disabled there. To show it:",
            _SHOW[system],
        ),
    )
    for system in (0, 1)
)
"""Let whoever listens trust who connects: the Tentacle its server, or the server the Tentacle."""

TRUST_ANEW = _per_mode(
    ("On a listening Tentacle, one command removes the old trust and adds the new:", _RESET),
    (f"A polling Tentacle must be registered again after its list is emptied. {REGISTER_WORDS}", _ANEW),
)
"""The same where the list itself is damaged, or holds what can be named in no command."""


def _with_each_node(calls: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A registration, after which one node of several is polled."""
    windows, linux = (
        (*when("several_nodes", _OTHER_NODES), *lines[:-1], *when("several_nodes", _POLL_AGAIN[system]), lines[-1])
        for system, lines in enumerate(calls)
    )
    return windows, linux


def _where(flag: str, calls: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All but the restart for machines of which a fact is true."""
    windows, linux = ((*when(flag, *lines[:-1]), lines[-1]) for lines in calls)
    return windows, linux


_UNLESS_TRUSTED = _where("mistrusts", _TRUST)
_UNLESS_POLLED = _where("mistrusts", _with_each_node(tentacle(REGISTER, AGAIN)))
TRUST_FIRST = _per_mode(
    ("A listening Tentacle:", _UNLESS_TRUSTED),
    (f"A polling Tentacle must be registered again. {REGISTER_WORDS}", _UNLESS_POLLED),
)
"""The same where the list is empty."""

_UPPER = tentacle('update-trust --instance "<instance>" --oldThumbprint "<lower_case>" --newThumbprint "<upper_case>"')
_UPPER_FIRST = tuple(
    when(
        "miscased",
        "Its settings have the server's thumbprint in lower case, which no server presents and these commands do not "
        "find: first write it in upper case (3.24 and later):",
        lines,
    )
    for lines in _UPPER
)
_POLL_NODE = tentacle(
    'poll-server --instance "<instance>" --server "<portal>" --apiKey "<key>" --server-comms-address "<polled>"', AGAIN
)
POLL_TRUSTED_NODE = tuple((*upper, *lines) for upper, lines in zip(_UPPER_FIRST, _POLL_NODE, strict=True))
"""Adds a node to a server that is polled already; needs a key that may see machines."""
POLL_NODE = tuple(
    (
        *when("trusts", *lines),
        *when("mistrusts", f"It does not trust that server yet: register it. {REGISTER_WORDS}", *again),
    )
    for lines, again in zip(POLL_TRUSTED_NODE, tentacle(REGISTER, AGAIN), strict=True)
)
"""The same where the server may be none that it trusts, which `poll-server` refuses."""

POLL_ANEW = _ANEW

_SERVER_COMMS = (
    'server-comms --instance "<instance>" --thumbprint "<configured>" --style TentacleActive --host "<host>" '
    '--port "<declared>"'
)
KEEP = tentacle('clear-trusted-servers --instance "<instance>" --keep "<keep>"', AGAIN)
"""Takes out every address but these."""

_KEEP = tentacle(_SERVER_COMMS, 'clear-trusted-servers --instance "<instance>" --keep "<keep>"', AGAIN)
OTHER_ADDRESS = tuple(
    (
        (
            "Least invasive: stop the service, copy <file>, correct that one address in TrustedOctopusServers by hand, "
            "start it."
        ),
        *when(
            "keepable",
            "Or let Tentacle (8.1.1713 and later) add the right address, and keep no other that is wrong:",
            _UPPER_FIRST[system],
            _KEEP[system],
        ),
        *when("unkeepable", f"Or remove all trust, and register it again. {REGISTER_WORDS}", _ANEW[system]),
    )
    for system in (0, 1)
)
"""An entry is found by thumbprint and address, so a corrected address alone would be a second entry."""

_NO_LONGER_REACHED = "With --noListen True no server can connect to it any more, those that it trusts besides as well."
OTHER_MODE = tuple(
    (
        *when(
            "to_listen",
            "To let it listen:",
            tentacle('configure --instance "<instance>" --noListen False', AGAIN)[system],
        ),
        *when(
            "to_poll",
            f"To let it poll, it must be registered as a polling Tentacle. {REGISTER_WORDS}",
            *when("trusts_other", _NO_LONGER_REACHED),
            *when("trusts_others", _NO_LONGER_REACHED),
            _with_each_node(tentacle(REGISTER, 'configure --instance "<instance>" --noListen True', AGAIN))[system],
        ),
    )
    for system in (0, 1)
)

REFUSED_UNTIL = (
    "After the restart the server refuses this Tentacle until the portal has its new thumbprint: enter it in the "
    "machine's settings (Connectivity) before you restart, in each space and at each server that has it."
)
IMPORT = 'import-certificate --instance "<instance>" --from-file "<pfx>" --pfx-password "<password>"'
_SHARED_WORDS = (
    "Its certificate is that of other machines on purpose: make the new one once, as a file, import it on each of "
    "them, this one as well, and delete the file."
)
_SHARED_ONE = tentacle(
    'new-certificate --instance "<instance>" --export-pfx "<pfx>" --pfx-password "<password>"',
    IMPORT,
    AGAIN,
)
(NEW_CERTIFICATE_WORDS,) = when("is_tentacle", REFUSED_UNTIL)
_SERVERS_CERTIFICATE = when(
    "is_server",
    "An Octopus Server's new certificate cuts off every Tentacle that does not trust it yet: let all of them trust it "
    "beforehand (update-trust), as Octopus's page on regenerating certificates says.",
)
_NEW_ONE = tentacle('new-certificate --instance "<instance>"', 'show-thumbprint --instance "<instance>"', AGAIN)
NEW_CERTIFICATE = tuple(
    (
        *when("is_tentacle", when("own_certificate", alone), when("shares_certificate", _SHARED_WORDS, shared)),
        *_SERVERS_CERTIFICATE,
    )
    for alone, shared in zip(_NEW_ONE, _SHARED_ONE, strict=True)
)
"""A new certificate for a Tentacle. No command is printed for a server's: the order of its steps is all."""


_ON_THE_CLONE = (
    "On the clone, never on the original: stop it, so that it takes no more of the original's work, and give it a "
    "certificate{and_more} of its own."
)
_NO_FORCE = "No --force: it would overwrite the original in the portal."
_OWN = (HALT, 'new-certificate --instance "<instance>"')
_OWN_POLLING = _but_for_others(
    tentacle(
        *_OWN,
        'configure --instance "<instance>" --reset-trust',
        REGISTER.removesuffix(" --force"),
        BEGIN,
    )
)
_OWN_LISTENING = tentacle(*_OWN, 'show-thumbprint --instance "<instance>"', BEGIN)
OWN_IDENTITY = _per_mode(
    (
        _ON_THE_CLONE.format(and_more="") + " Before you start it, enter its thumbprint in the portal, as a machine "
        "of its own.",
        _OWN_LISTENING,
    ),
    (_ON_THE_CLONE.format(and_more=", a subscription and a name") + f" {_NO_FORCE}", _OWN_POLLING),
)
"""For copies of one machine: a subscription stays as long as its entry does, so a poller is registered anew."""


# -- guide, "Restart the Octopus and Tentacle Services" and "Uninstall Tentacles"

RESTART = "Restart the services at both ends"
CLEAN_SLATE = (
    "remove the instance and the program (unless another instance needs it) with all that they leave behind, and set "
    "the Tentacle up again (guide, "
    "Uninstall Tentacles); what was deployed stays as it is. Its trust in every server goes with the instance: note "
    "whom it trusts and polls, and let it trust, or register it with, each of them again"
)
INSTALL_WORDS = (
    "Install and start it, on Windows in an elevated prompt. It runs as Local System then (on Linux as root): where it "
    "ran as another account, install it without --start, give it that account (service --reconfigure --username, with "
    "--password unless the account is a managed one), and start it then:"
)
INSTALL = tentacle('service --install --start --instance "<instance>"')
_REMOVE = tentacle('service --stop --uninstall --instance "<instance>"', 'delete-instance --instance "<instance>"')
CLEAN_WINDOWS = (
    *_REMOVE[0],
    *when("only_instance", "$ Get-Package -Name 'Octopus Deploy Tentacle*' | Uninstall-Package"),
)
CLEAN_LINUX = (*_REMOVE[1], *when("only_instance", "$ sudo apt-get remove tentacle || sudo yum remove tentacle"))
