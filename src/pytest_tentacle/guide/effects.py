"""What each printed command does to a machine: it only looks, or it changes something, and who is cut off until when.

A remedy's commands are known here by how they begin; a test holds every command of the catalogue against this table, so
that none is shown without a word. Sources: tentacle-commands.md for Tentacle and Octopus Server, the systems' manuals.
"""

from __future__ import annotations

import re

LOOKS = "looks"
CHANGES = "changes"

_PROGRAM = r"(?:(?:sudo |& |time )*(?:\"[^\"]*\"|'[^']*'|\S+) )"

_CHANGES: tuple[tuple[str, str], ...] = (
    (_PROGRAM + r"configure .*--reset-trust", "removes every server that the Tentacle trusts, from its next start on"),
    (_PROGRAM + r"configure .*--commsListenPort", "after its restart the server cannot be reached on the old port"),
    (_PROGRAM + r"configure ", "changes the settings; takes effect at the next restart"),
    (_PROGRAM + r"update-trust ", "after the restart the polled server must have the new thumbprint"),
    (_PROGRAM + r"new-certificate .*--export-pfx ", "writes a certificate with its key into that file"),
    (_PROGRAM + r"(?:new|import)-certificate ", "after the restart the server refuses it until it knows the new one"),
    (_PROGRAM + r"(?:server-comms|poll-server|clear-trusted-servers|set-polling-connection-count) ",
     "changes the settings; takes effect at the next restart"),
    (_PROGRAM + r"register-(?:with|worker) (?!--help)", "adds or overwrites the machine in the portal"),
    (_PROGRAM + r"\"?(?:<command>|'?polling-proxy'?|'?proxy'?)\"? ",
     "changes the settings; takes effect at the next restart"),
    (_PROGRAM + r"service .*--(?:stop|uninstall)", "the Tentacle does no work until it is started again"),
    (_PROGRAM + r"service .*--(?:install|start)", "sets the service up, or starts it; harmless where it runs"),
    (_PROGRAM + r"delete-instance ", "removes the instance from the list of instances; files and service stay"),
    (r"Resume-Service ", "the service goes on with its work"),
    (r"Restart-Service |sudo systemctl restart ", "ends scripts that run on it; it is unavailable for some seconds"),
    (r"Start-Service |net start |sudo systemctl (?:start|enable --now) ", "starts the service; harmless where it runs"),
    (r"Stop-ClusterResource ", "has the failover cluster stop the service, and what depends on it in its role"),
    (r"Start-ClusterResource ", "has the failover cluster start the service, on some node; harmless where it runs"),
    (r"Stop-Service |sudo systemctl stop ", "the service does no work until it is started again"),
    (r"sudo kill -CONT |sudo systemctl thaw ", "the process goes on with what it was doing"),
    (r"Stop-Process |sudo kill |sudo systemctl kill ", "ends that process, and what it was doing"),
    (r"sudo systemctl (?:enable|unmask|daemon-reload|reset-failed)", "affects only later starts"),
    (r"sudo systemctl edit ", "opens an editor for a drop-in of the unit, which affects only later starts"),
    (r"sudo fapolicyd-cli --(?:file add|update)", "lets the programs in that folder be run, as they are now"),
    (r"Set-Service |sc\.exe config .*(?:start= delayed-auto|depend= )", "affects only later starts"),
    (r"New-NetFirewallRule ", "opens the port for these addresses only"),
    (r"Disable-NetFirewallRule |Set-NetFirewallProfile ", "allows what was blocked, for every program that uses it"),
    (r"sudo (?:ufw allow from |firewall-cmd (?:--permanent )?['\"]?--add-rich-rule)",
     "opens the port for that address only"),
    (r"icacls .*/(?:grant|remove)", "changes who may do what in that folder and what inherits from it"),
    (r"sudo chown ", "changes the owner of what is named; with -R, of everything below as well"),
    (r"Set-ItemProperty |Enable-Tls", "affects every program on the machine, after a reboot"),
    (r"netsh interface ipv4 add ", "keeps the port from being taken at random, from now on"),
    (r"(?:net|sudo) stop ", "stops that service and what depends on it"),
    (r"Clear-DnsClientCache|sudo resolvectl flush-caches", "names are resolved again"),
    (r"w32tm /resync", "sets the clock"),
    (r"sudo apt-get remove|Get-Package .*Uninstall-Package", "removes the program, for every instance"),
    (r"sudo semanage fcontext -a ", "affects only labels that are set from now on"),
    (r"sudo restorecon -v ", "sets that file's label to the one of the policy"),
    (r"Copy-Item |sudo cp ", "makes a copy"),
    (r"sudo sed -i\.bak ", "changes that file, and leaves a copy beside it"),
)  # fmt: skip
"""How a command begins, and what follows from it, for who reads on."""

_LOOKS = (
    r"Get-|Test-|Resolve-|Find-|Measure-Command |Select-String |\$tcp = New-Object Net\.Sockets",
    r"(?:\[Net\.ServicePointManager\]::SecurityProtocol = 'Tls12'; )?Invoke-WebRequest ",
    r"netsh (?:interface|int|http|winhttp) .*\bshow\b|netstat |ipconfig |route print|ping |w32tm /query|tracert ",
    r"(?:time )?getent |(?:sudo )?(?:ss|ls|tail|cat|stat|journalctl|ausearch|nft list|iptables -S|ufw status) ?",
    r"sudo firewall-cmd --list|systemctl (?:status|show|cat|list-dependencies|is-)|timedatectl |top |ps |df|grep ",
    r"(?:sudo )?dmesg --level |findmnt --target |free -m$|sudo fail2ban-client status$",
    r"ip |tc qdisc show$|sudo ip xfrm policy$|tracepath |openssl |curl |ldd --version|(?:sudo )?(?:docker|podman) ps ",
    r"update-crypto-policies --show|pytest-tentacle[ -]ping |icacls \S+$",
    r"icacls \"\$env:ProgramData[^\"]*\"$|getfacl |namei |id |getenforce",
    r"nltest \"?/dsgetdc:|gpresult\.exe /scope computer /r$",
    r"sc\.exe qc |sudo fuser -v |lsof |sudo lsof |sudo -u |Get-Acl |(?:sudo )?find ",
    r"uname -m$|file \S+$|(?:sudo )?du --inodes |sudo docker network ls$|resolvectl query ",
    r"\[Environment\]::GetEnvironmentVariable\(|nstat -az |sudo grep -rs ",
    r"sysctl (?:[\w.]+ ?)+$|sysctl -a -r '[\w$]+'$",
    r"(?:time |& |sudo |Measure-Command \{ )*(?:\"[^\"]*\"|'[^']*'|\S+) (?:help|version|list-instances|show-\w+)",
)


def effect_of(command: str) -> tuple[str, str] | None:
    """`looks` or `changes`, and the consequence of a change; None for a command that nobody described.

    `command` is without the `$ ` before it, its facts filled in or not.
    """
    for pattern, consequence in _CHANGES:
        if re.match(pattern, command):
            return CHANGES, consequence
    if any(re.match(pattern, command) for pattern in _LOOKS):
        return LOOKS, ""
    return None


def told(command: str) -> str:
    """The same in words, for a reader: `looks`, `changes: ...`, or that nobody knows."""
    found = effect_of(command)
    if found is None:
        return "changes: nobody has described what"
    kind, consequence = found
    return f"{kind}: {consequence}" if consequence else kind
