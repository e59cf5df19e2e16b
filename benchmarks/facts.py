"""What a testinfra user would ask a machine, one command for each fact: as much as our steps need, and no more.

Each fact is one command, as each assertion of a testinfra suite is. Nothing here is slowed down on purpose: what can
be had by one command is one command (a look at a TLS port in PowerShell gives certificate and page at once).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from pytest_tentacle.inventory.model import Inventory, Mode, OctopusServer, OperatingSystem, Tentacle


@dataclass(frozen=True)
class Fact:
    """One command.

    Attributes:
        host: name of the machine that it runs on.
        purpose: what the fact is for; the same for the same fact of other machines.
        command: the command line.
        expected: text that a healthy machine's answer holds.
    """

    host: str
    purpose: str
    command: str
    expected: str


def facts_about(inventory: Inventory, machine: OctopusServer | Tentacle) -> list[Fact]:
    """All facts that the steps need about one machine: its own, and its listening port as its servers see it."""
    own = windows_facts(machine) if machine.os is OperatingSystem.WINDOWS else linux_facts(machine)
    return own + link_facts(inventory, machine)


def windows_facts(machine: OctopusServer | Tentacle) -> list[Fact]:
    """A Windows machine's own facts."""
    is_server = isinstance(machine, OctopusServer)
    kind, product = ("OctopusServer", "Octopus.Server.exe") if is_server else ("Tentacle", "Tentacle.exe")
    service = "OctopusDeploy" if is_server else "OctopusDeploy Tentacle"
    scripts = [
        ("host name", "$env:COMPUTERNAME", machine.name[:15].upper()),
        (
            "operating system",
            "Get-CimInstance -ClassName Win32_OperatingSystem | Select-Object Caption, Version | ConvertTo-Json",
            "Windows",
        ),
        ("clock", "(Get-Date).ToUniversalTime().ToString('s') + 'Z'", "Z"),
        (
            "PowerShell",
            "$PSVersionTable.PSVersion.ToString(); [string]$ExecutionContext.SessionState.LanguageMode",
            ".",
        ),
        ("account", "[Environment]::UserName", ""),
        (
            "service's state",
            f"Get-Service -Name '{service}' | ForEach-Object {{ $_.Name; [string]$_.Status }}",
            service,
        ),
        (
            "service's command, account and exit code",
            "Get-CimInstance -ClassName Win32_Service -Filter \"Name = '" + service + "'\" | "
            "Select-Object Name, State, StartMode, StartName, ProcessId, ExitCode, PathName | ConvertTo-Json",
            product,
        ),
        (
            "processes",
            "Get-CimInstance Win32_Process | Select-Object ProcessId, Name, CommandLine | ConvertTo-Json",
            product,
        ),
        (
            "instances",
            (
                f"Get-ChildItem -LiteralPath 'C:\\ProgramData\\Octopus\\{kind}\\Instances' -Filter *.config | "
                "ForEach-Object { Get-Content -Raw -LiteralPath $_.FullName }"
            ),
            f"{kind}.config",
        ),
        ("configuration", f"Get-Content -Raw -LiteralPath 'C:\\Octopus\\{kind}.config'", "octopus-settings"),
        (
            "IP addresses",
            "Get-NetIPAddress | Select-Object IPAddress, InterfaceAlias, PrefixLength | ConvertTo-Json",
            "127.0.0.1",
        ),
    ]
    ports = _own_ports(machine)
    for port in ports:
        scripts.append(
            (
                "who listens on the port",
                (
                    f"Get-NetTCPConnection -State Listen -LocalPort {port} | "
                    "Select-Object LocalAddress, OwningProcess | ConvertTo-Json"
                ),
                "OwningProcess",
            )
        )
        scripts.append(("the port from the machine itself", _look(machine.ip or "", port), "configured successfully"))
    return [Fact(machine.name, purpose, powershell(script), expected) for purpose, script, expected in scripts]


def linux_facts(machine: OctopusServer | Tentacle) -> list[Fact]:
    """A Linux machine's own facts."""
    home = '"${TentacleMachineConfigurationHomeDirectory:-/etc/octopus}"'
    commands = [
        ("host name", "hostname", machine.name),
        ("operating system", "cat /etc/os-release", "ID="),
        ("architecture", "uname -m", "x86_64"),
        ("clock", "date -u +%Y-%m-%dT%H:%M:%SZ", "Z"),
        ("account", "id -un", ""),
        ("services", "systemctl list-units --all --type=service --plain --no-legend --no-pager", "Tentacle.service"),
        (
            "service's state and command",
            (
                "systemctl show -p Id,ActiveState,SubState,Result,UnitFileState,User,MainPID,NRestarts,ExecMainStatus,"
                "ExecMainStartTimestamp,ExecStart,Environment -- Tentacle.service"
            ),
            "ActiveState=active",
        ),
        ("processes", "ps -ww -eo pid=,ppid=,user:32=,lstart=,args=", "Tentacle"),
        ("instances", f"cat {home}/Tentacle/Instances/*.config", "tentacle-Tentacle.config"),
        ("configuration", f"cat {home}/default/tentacle-Tentacle.config", "octopus-settings"),
        ("who listens", "ss -H -ltnp", ""),
        ("IP addresses", "ip -o addr", "inet"),
    ]
    for port in _own_ports(machine):
        commands += _linux_looks("from the machine itself", machine.ip or "", port)
    return [Fact(machine.name, purpose, command, expected) for purpose, command, expected in commands]


def link_facts(inventory: Inventory, machine: OctopusServer | Tentacle) -> list[Fact]:
    """A Tentacle's link, from the end that opens it, by DNS name and by IP; none where we cannot log on to that end."""
    if not isinstance(machine, Tentacle):
        return []
    facts: list[Fact] = []
    for server in inventory.servers_of(machine):
        here, there, ports = (
            (machine, server, server.polling_ports)
            if machine.mode is Mode.POLLING
            else (server, machine, (machine.port or 0,))
        )
        if here.transport.kind == "none":
            continue
        for port in ports:
            for way, target in (("by DNS name", there.dns_name or ""), ("by IP address", there.ip or "")):
                if here.os is OperatingSystem.WINDOWS:
                    command = powershell(_look(target, port))
                    facts.append(Fact(here.name, f"the link {way}", command, "configured successfully"))
                else:
                    looks = _linux_looks(way, target, port)
                    facts += [Fact(here.name, purpose, text, expected) for purpose, text, expected in looks]
    return facts


def powershell(script: str) -> str:
    """A command line for cmd.exe, which the winrm backend's commands go through."""
    # testinfra's quoting of double quotes is the one of sh; only an encoded command passes cmd.exe unharmed.
    code = "$ProgressPreference = 'SilentlyContinue'; " + script
    return (
        f"powershell -NoProfile -NonInteractive -EncodedCommand {base64.b64encode(code.encode('utf-16-le')).decode()}"
    )


def _own_ports(machine: OctopusServer | Tentacle) -> tuple[int, ...]:
    if isinstance(machine, OctopusServer):
        return machine.polling_ports
    return () if machine.mode is Mode.POLLING else (machine.port or 0,)


def _look(host: str, port: int) -> str:
    """PowerShell that resolves, connects, speaks TLS, prints the certificate's thumbprint and reads the page."""
    # the type by its name, for the lab's stand-in is known only when the command runs
    address = f"([type]'Net.Dns')::GetHostAddressesAsync('{host}').Result[0]" if host.endswith(".lab") else f"'{host}'"
    return (
        f"$a = {address}; $c = New-Object Net.Sockets.TcpClient; $c.Connect($a, {port}); "
        "$s = New-Object Net.Security.SslStream ($c.GetStream(), $false, "
        "[Net.Security.RemoteCertificateValidationCallback] { $true }); "
        f"$s.AuthenticateAsClient('{host}'); "
        "(New-Object Security.Cryptography.X509Certificates.X509Certificate2 $s.RemoteCertificate).Thumbprint; "
        f'$q = [Text.Encoding]::ASCII.GetBytes("GET / HTTP/1.1`r`nHost: {host}:{port}`r`nConnection: close`r`n`r`n"); '
        "$s.Write($q, 0, $q.Length); (New-Object IO.StreamReader $s).ReadToEnd(); $c.Close()"
    )


def _linux_looks(way: str, host: str, port: int) -> list[tuple[str, str, str]]:
    """The page by curl and the certificate by openssl: neither gives both."""
    # getent, since only it knows the lab's names; a real machine's curl and openssl would resolve by themselves
    address = f"\"$(getent ahosts {host} | awk 'NR == 1 {{ print $1 }}')\"" if host.endswith(".lab") else host
    page = f"a={address}; curl -sk --max-time 5 --connect-to ::$a: https://{host}:{port}/"
    certificate = (
        f"a={address}; printf 'GET / HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n' | "
        f"openssl s_client -connect $a:{port} -ign_eof 2>&1 | openssl x509 -noout -fingerprint -sha1 -enddate"
    )
    return [
        (f"welcome page {way}", page, "configured successfully"),
        (f"certificate {way}", certificate, "Fingerprint="),
    ]
