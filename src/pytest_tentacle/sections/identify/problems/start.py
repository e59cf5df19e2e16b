"""What logs say of a process and its start (guide, "Identify the Problem")."""

from __future__ import annotations

from pytest_tentacle.guide.commands import (
    NEW_CERTIFICATE,
    NEW_CERTIFICATE_WORDS,
    REFUSED_UNTIL,
    START_LINUX,
    START_WINDOWS,
    TRUST_FIRST,
    when,
)
from pytest_tentacle.guide.consequences import ACROSS, DOWN, STARTLESS, UNANSWERED, UNCONNECTED
from pytest_tentacle.guide.problem import Confidence

from .kind import (
    HOLDER_LINUX,
    HOLDER_WINDOWS,
    READ_LINUX,
    READ_WINDOWS,
    RESTART_LINUX,
    RESTART_WINDOWS,
    TENTACLE,
    TENTACLE_LINUX,
    kind,
)

(_KEY_IS_GONE,) = when("is_tentacle", f"Only if the key is gone, make a new certificate. {REFUSED_UNTIL}")

START_KINDS = (
    kind(
        "TT111",
        "The port is already in use",
        "When it started, another process held its port: another instance, another program, or a left-over child "
        "process. Tentacle 8.0.0 to 8.1.61 also says so for a minute or two after each restart.",
        "Find who holds the port and end it, or take another port; upgrade a Tentacle from 8.0.0 to 8.1.61:",
        windows=(HOLDER_WINDOWS, RESTART_WINDOWS),
        linux=(HOLDER_LINUX, RESTART_LINUX),
        sentence=(
            "According to the log, the port was in use when {who} last started, and it has not finished starting since."
        ),
        consequences=STARTLESS | {"TT203", "TT202", "TT501"},
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT134",
        "The service cannot listen on the configured address or port",
        "The machine does not have the address that it is set to listen on, or the system reserves the port.",
        "Compare Tentacle.Services.ListenIP with the machine's addresses, and look at reserved port ranges:",
        windows=("$ Get-NetIPAddress", "$ netsh int ipv4 show excludedportrange tcp"),
        linux=("$ ip address",),
        sentence=(
            "According to the log, {who} cannot listen on the configured address or port: the address is not the "
            "machine's, or the system reserves the port."
        ),
        consequences=STARTLESS | {"TT203", "TT202", "TT501"},
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT122",
        "The private key of the certificate cannot be used",
        "The service's account cannot read the key, or it is gone, so that it cannot identify itself.",
        "A copy in the account's store without its key is passed over at the next start, and the key is taken from the "
        "settings again; or the account lacks the right to read it. Restart the service, then look into its log:",
        windows=(RESTART_WINDOWS, READ_WINDOWS, _KEY_IS_GONE, *NEW_CERTIFICATE[0]),
        linux=(RESTART_LINUX, READ_LINUX, _KEY_IS_GONE, *NEW_CERTIFICATE[1]),
        sentence=(
            "According to the log, the service of {who} cannot use its certificate's private key: its account may not"
            " read it, or it is gone."
        ),
        consequences=STARTLESS | {"TT203", "TT202", "TT501", "TT505", "TT508", "TT113", "TT112"},
        rank=19,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT123",
        "The configuration's secrets cannot be decrypted",
        "They were encrypted on another machine, or by another identity of this one: a copied configuration, a "
        "clone, a "
        "new machine-id.",
        "If it is the machine's own file, restore what it was encrypted with (on Linux /etc/machine-id, or "
        "/etc/octopus/machinekey), or import the certificate's backup (import-certificate --from-file). Otherwise "
        "make a new certificate; set a proxy's password again, too.",
        windows=(NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[0]),
        linux=(NEW_CERTIFICATE_WORDS, *NEW_CERTIFICATE[1]),
        sentence=(
            "According to the log, {who} cannot decrypt {its} configuration: it was copied from another machine, or "
            "the machine's identity changed (a clone, a new machine-id)."
        ),
        consequences=STARTLESS | {"TT203", "TT202", "TT501", "TT403", "TT122"},
        rank=10,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT124",
        "The configuration file is missing or damaged",
        "The agent could not read its configuration when it started. A full disk can leave an empty file.",
        "Restore the file from a backup of this very machine, then start the service; the instances and their files:",
        windows=(f"{TENTACLE} list-instances", START_WINDOWS),
        linux=(f"{TENTACLE_LINUX} list-instances", START_LINUX),
        sentence="According to the log, {who} could not read {its} configuration at the last start.",
        consequences=STARTLESS | {"TT203", "TT202", "TT501"},
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT125",
        "Too little disk space",
        "Something could not be written or unpacked because the disk is full.",
        "Free space on the drive of Octopus Home and of the work folder:",
        windows=("$ Get-PSDrive -PSProvider FileSystem",),
        linux=("$ df -h",),
        sentence="According to the log, {who} ran out of disk space.",
        consequences=STARTLESS | {"TT203", "TT302", "TT303"},
        rank=15,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT126",
        "The service account lacks rights on a folder",
        "A file or folder could not be read or written.",
        "Give the account full control of Octopus Home, recursively:",
        windows=('$ Get-Acl -LiteralPath "<path>" | Format-List',),
        linux=('$ ls -la "<path>"',),
        sentence="According to the log, the service of {who} may not read or write {path}.",
        consequences=STARTLESS | {"TT203", "TT202"},
        fold_by=("path",),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT127",
        "The Tentacle has no server to work with",
        "It trusts no server, or the entry of a server to poll lacks its address and is left out.",
        "Trust the server's thumbprint (listening), or register the Tentacle again (polling):",
        windows=TRUST_FIRST[0],
        linux=TRUST_FIRST[1],
    ),
    kind(
        "TT128",
        "The listening socket reports errors",
        "Connections cannot be accepted: handles or memory run out, or a security product interferes.",
        "Restart the service, and look at its handles and at antivirus software:",
        windows=(
            "$ Get-Process Tentacle, Octopus.Server -ErrorAction Ignore | Select-Object Id, Handles",
            RESTART_WINDOWS,
        ),
        linux=("$ sudo ss -tnp", RESTART_LINUX),
        sentence=(
            "According to the log, {who} cannot accept connections: handles or memory run out, or a security product "
            "interferes."
        ),
        consequences=UNANSWERED | {"TT505"},
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT129",
        "The service failed to start or ended with an error",
        "Its log ends with a fatal error, or the system gave up waiting for it.",
        "Read the last fatal record, and the service's events:",
        windows=(
            READ_WINDOWS,
            "$ Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20",
        ),
        linux=(READ_LINUX, '$ journalctl -u "<service>" -n 60 --no-pager'),
        sentence="The process of {who} ended with an unrecognised error (it says: {words})",
        consequences=DOWN | {"TT501", "TT130"},
        rank=22,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT130",
        "The agent did not finish starting",
        "It began to start but never reported that it listens, or that it cannot: it hangs, or was killed.",
        "See whether its process is running and what it waits for, then restart it:",
        windows=("$ Get-Process Tentacle -ErrorAction Ignore", RESTART_WINDOWS),
        linux=('$ systemctl status "<service>"', RESTART_LINUX),
        sentence="The process of {who} began to start but never reported that it listens, or that it cannot.",
        consequences=frozenset({"TT204", "TT501", "TT505"}),
        rank=25,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT147",
        "The system has no ports or memory left for connections",
        "A connection could not be opened because the system's ports, handles or memory for sockets are used up: by a "
        "program that does not close its connections, or by a version that reconnects in storms.",
        "Find what holds so many connections, then restart it; Tentacles and servers from 2020 and before did this:",
        windows=(
            "$ Get-NetTCPConnection | Group-Object State, OwningProcess -NoElement | Sort-Object Count -Descending",
            "$ netsh int ipv4 show dynamicport tcp",
        ),
        linux=("$ ss -s", "$ sysctl net.ipv4.ip_local_port_range", "$ sudo ss -tnp"),
        sentence=(
            "According to the log of {vantage}, its system has no port or memory left for one more connection (in its "
            "words: {words})"
        ),
        fold_by=("vantage",),
        place="vantage",
        consequences=UNCONNECTED | {"TT128", "TT131"},
        echoes=ACROSS,
        rank=18,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT153",
        "PowerShell does not start to run scripts",
        "The Tentacle started powershell.exe for a script, and it did not run the script's first line for minutes: "
        "most often security products that look into each process as it starts get in each other's way. The Tentacle "
        "itself is well.",
        "Have the security products on the machine leave out powershell.exe when the Tentacle starts it, and the "
        "Tentacle's folders; a process that never started stays until the machine is restarted:",
        windows=("$ Get-Process powershell -ErrorAction Ignore | Select-Object Id, StartTime",),
        sentence=(
            "On {who} PowerShell is started for scripts and does not run them: most often a security product "
            "(antivirus, endpoint protection) keeps it from starting."
        ),
        rank=60,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT154",
        "The Octopus Server runs out of threads",
        "The server told that no thread was left for its work for seconds: what it should do waits, health checks and "
        "polling Tentacles among it.",
        "Lower the load (fewer tasks at once), or raise the least number of threads, in steps, by the service's "
        "environment (OCTOPUS__ThreadPool__MinimumWorkerThreads, OCTOPUS__ThreadPool__MinimumCompletionPortThreads; "
        "128 by default since 2023.3, 400 to begin with), then restart it; how busy the machine is:",
        windows=("$ Get-Process Octopus.Server -ErrorAction Ignore | Select-Object Id, CPU, Threads, Handles",),
        linux=("$ ps -ef",),
        sentence=(
            "The Octopus Server on {who} has no threads left at times, by its log: its work waits, and so do its "
            "Tentacles."
        ),
        consequences=frozenset({"TT143"}),
        rank=7,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT148",
        "FIPS mode keeps the Tentacle from making its certificate",
        "With the system in FIPS mode the Tentacle for Linux cannot make a certificate in the form that it needs. "
        "Trying again fails "
        "the same way.",
        "Let a Tentacle on a machine without FIPS mode make the certificate (new-certificate --export-pfx, with a "
        "--pfx-password), copy the file here, import it (import-certificate --from-file, with the password), delete "
        "the file, then register the Tentacle and start its service. Or turn FIPS mode off, if your rules allow it, "
        "restart the machine, and make it here (new-certificate). 1 says that it is on:",
        windows=(READ_WINDOWS,),
        linux=("$ cat /proc/sys/crypto/fips_enabled",),
        sentence="{who} cannot make a certificate: the system is in FIPS mode, in which this program cannot do that.",
        consequences=STARTLESS | {"TT203", "TT202", "TT501", "TT137"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT149",
        "Windows' service for private keys is not running",
        "No program can use a private key without CNG Key Isolation (KeyIso). Windows starts it on "
        "demand, unless it is disabled. A new certificate does not help.",
        "Let Windows start it on demand, start it, then start the service:",
        windows=(
            "$ Set-Service -Name KeyIso -StartupType Manual",
            "$ Start-Service -Name KeyIso",
            RESTART_WINDOWS,
        ),
        sentence=(
            "According to the log, {who} cannot use any private key: Windows' service for them, CNG Key Isolation "
            "(KeyIso), is not running."
        ),
        consequences=STARTLESS | {"TT203", "TT202", "TT501", "TT122"},
        rank=12,
        confidence=Confidence.LIKELY,
    ),
    kind(
        "TT150",
        "Parts of the program cannot be loaded",
        "A file of the program, or one that it needs of .NET, is missing, damaged, of another version, or kept from "
        "it: an upgrade that did not finish, a security program that took a file away, or a .NET that is too old.",
        "See which file the log names. Let security programs leave the program's folder alone, install the same "
        "version again (settings and certificate stay), and start the service:",
        windows=(READ_WINDOWS, RESTART_WINDOWS),
        linux=(READ_LINUX, RESTART_LINUX),
        sentence=(
            "According to the log, {who} cannot load a part of its program: the installation is damaged, or something "
            "keeps a file from it (it says: {words})"
        ),
        consequences=STARTLESS | {"TT203", "TT202", "TT501", "TT813"},
        rank=14,
        confidence=Confidence.LIKELY,
    ),
)
