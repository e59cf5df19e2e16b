"""TT54x: the listening end's own packet filter (guide, "Check the Connections")."""

from __future__ import annotations

from pytest_tentacle.guide.problem import ProblemKind

_STEP = "local-firewall"
_RULES = (
    "$ Get-NetFirewallPortFilter | Where-Object LocalPort -eq <port> | Get-NetFirewallRule | "
    "Format-Table DisplayName, Action, Enabled, Profile"
)
_NAMED = (
    '$ Get-NetFirewallRule -DisplayName "<rule>" -PolicyStore ActiveStore | '
    "Format-List DisplayName, PolicyStoreSourceType, Profile, Action"
)
_PROFILES = "$ Get-NetConnectionProfile | Format-Table InterfaceAlias, NetworkCategory"
_ADD = (
    '$ New-NetFirewallRule -DisplayName "Octopus Tentacle <port>" -Direction Inbound -Protocol TCP -LocalPort <port> '
    '-Action Allow -RemoteAddress "<peers>"'
)
_LINUX = (
    "$ sudo nft list ruleset",
    "$ sudo iptables -S",
    "$ sudo ufw status verbose",
    "$ sudo firewall-cmd --list-all",
)
_RICH_RULE = (
    '$ sudo firewall-cmd {options}"--add-rich-rule=rule family=ipv4 source address=<peers> port port=<port> '
    'protocol=tcp accept"'
)
_ON_LINUX = "This concerns Windows Firewall. On Linux, see what filters there:"


def _windows(code: str, title: str, meaning: str, what: str, *commands: str) -> ProblemKind:
    return ProblemKind(code, title, _STEP, meaning, (what, *commands), (_ON_LINUX, *_LINUX))


FIREWALL: tuple[ProblemKind, ...] = (
    _windows(
        "TT541",
        "No Windows Firewall rule allows the port",
        "Windows Firewall blocks what no rule names, and no enabled inbound rule names the port. The machine itself "
        "still gets the page: local connections are not filtered.",
        "Add a rule for the port:",
        _RULES,
        _ADD,
    ),
    _windows(
        "TT542",
        "A Windows Firewall rule blocks the port",
        "An enabled inbound rule blocks the port. Such a rule overrides every allow rule.",
        "An allow rule does not override it: see where this rule comes from, and disable or narrow "
        "it there. Fix a Group Policy rule in the policy; the last command is for a local rule:",
        _NAMED,
        '$ Disable-NetFirewallRule -DisplayName "<rule>"',
    ),
    _windows(
        "TT543",
        "Windows Firewall blocks all incoming connections",
        "The profile of the connected network blocks all incoming connections, even those in the list of allowed ones.",
        "Let the rules apply again in this profile:",
        '$ Set-NetFirewallProfile -Name "<profile>" -AllowInboundRules True',
    ),
    _windows(
        "TT544",
        "Group Policy overrides the machine's own rule for the port",
        "There is a rule for the port, but a group policy lets only its own rules apply in this profile.",
        "Have the rule added to the group policy; the active store shows what applies:",
        "$ Get-NetFirewallProfile -PolicyStore ActiveStore | Format-Table Name, AllowLocalFirewallRules",
    ),
    _windows(
        "TT545",
        "The firewall rule for the port does not match the network, the peer or the program",
        "There is a rule that allows the port, but for other kinds of network than the connected one, for other "
        "remote "
        "addresses than the peers', or for another program. A domain member's network may be taken for a public one "
        "after a reboot.",
        "Compare the rule with the network's category, then widen the rule or correct the category:",
        _RULES,
        _PROFILES,
    ),
    ProblemKind(
        "TT546",
        "The Linux packet filter blocks the port",
        _STEP,
        "The rules of the machine's own packet filter (nftables, iptables, what firewalld and ufw make, or a unit's "
        "IPAddressDeny=) stop the peer's connection, or the answer to it; the rule is named. The installer of a "
        "Tentacle for Linux leaves firewalls alone.",
        (
            "This concerns a packet filter on Linux. On Windows, look at the rules for the port:",
            _RULES,
        ),
        (
            "See which tool made the rule that is named:",
            *_LINUX,
            "Then allow that peer, and no other, with that tool. Where ufw made it:",
            '$ sudo ufw allow from "<peers>" to any port <port> proto tcp',
            "Where firewalld made it, at once and permanently (family=ipv6 for such an address):",
            _RICH_RULE.format(options=""),
            _RICH_RULE.format(options="--permanent "),
        ),
    ),
)
