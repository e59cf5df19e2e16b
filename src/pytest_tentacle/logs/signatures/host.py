"""Signatures of the machine itself: configuration, rights, disk, start (tentacle-facts 3.4, 38 to 53)."""

from __future__ import annotations

from .model import Level, Phase, Signature
from .of_host import host_signature
from .texts import ACCESS_DENIED, LOCKED

CONFIGURATION: tuple[Signature, ...] = (
    host_signature(
        "logging-configuration",
        (
            r"Invalid logging configuration: (?P<detail>[^\r\n]{1,200})|NLogConfigurationException: "
            r"(?P<word>[^\r\n]{1,200})"
        ),
        ("invalid logging configuration", "nlogconfigurationexception"),
        "The program's own file for logging is of another version than the program, as one that an upgrade left over.",
        "Put the file of the installed version in its place, by repairing the installation.",
        code="TT140",
    ),
    host_signature(
        "no-certificate",
        r"No certificate has been generated for this (?:Tentacle|Octopus Server)",
        ("no certificate has been generated for this",),
        "The instance was never given a certificate: its set-up was not brought to its end. Tentacles before 6.1 do "
        "not make one by themselves.",
        "Make one (new-certificate), then register the Tentacle and start the service.",
        code="TT137",
    ),
    host_signature(
        "no-home",
        r"No home directory has been configured for this Tentacle",
        ("no home directory has been configured",),
        "The instance was never given a home: its set-up was not brought to its end.",
        "Give it one (configure --home), then start the service.",
        code="TT137",
    ),
    host_signature(
        "configuration-missing",
        r"The configuration file for instance (?P<instance>.{1,200}?) could not be located at the specified location"
        r"(?: (?P<path>[^\r\n]{1,300}?)\. The file)?|Configuration file (?P<word>[^\r\n]{1,300}?) could not be found",
        ("could not be located at the specified location", "configuration file "),
        "The configuration file is gone.",
        "Restore it, or delete the instance and create it anew.",
        code="TT124",
    ),
    host_signature(
        "configuration-damaged",
        r"Unable to parse configuration key 'Octopus\.Home' as a 'String'|There is an error in XML document|"
        r"Root element is missing|not a valid Base-64 string.{0,2000}?KeyValueStore",
        (
            "configuration key 'octopus.home'",
            "there is an error in xml document",
            "root element is missing",
            "not a valid base-64 string",
        ),
        "The configuration file is empty or cut off; a full disk does that.",
        "Free disk space, then restore the file or create the instance again.",
        code="TT124",
    ),
    host_signature(
        "instance-unknown",
        r"has not been configured on this machine|Unable to find default instance of Tentacle",
        ("has not been configured on this machine", "unable to find default instance"),
        "There is no instance of that name.",
        "Use one of the instances that list-instances names.",
        code="TT124",
    ),
    host_signature(
        "trusts-nobody",
        r"The agent is not configured to trust any Octopus Servers",
        ("is not configured to trust any octopus servers",),
        "The Tentacle runs without a server that it trusts: nothing can work.",
        "Trust the server's thumbprint (configure --trust), or register the Tentacle.",
        code="TT127",
        level=Level.INFO,
        writer="tentacle",
    ),
    host_signature(
        "polling-entry-incomplete",
        r"Configured to connect to server (?P<host>.{0,200}?) ?but its configuration is incomplete; skipping",
        ("but its configuration is incomplete",),
        "An entry for a server to poll lacks its address, and is left out.",
        "Register the Tentacle again (server-comms with --host).",
        code="TT127",
        level=Level.INFO,
        writer="tentacle",
    ),
)

RIGHTS: tuple[Signature, ...] = (
    host_signature(
        "file-locked",
        LOCKED.pattern,
        LOCKED.keys,
        "A file that the program needs is held by another process: a second copy of it, a backup, a virus scanner.",
        "Find who holds the file, and leave it out of what holds it.",
        code="TT142",
        level=Level.FATAL,
    ),
    host_signature(
        "database-pool",
        r"\A(?![^\n]{0,200}?faulted, retrying in).{0,6000}?prior to obtaining a connection from the pool",
        ("prior to obtaining a connection from the pool",),
        "Octopus Server gets no connection to its database: all those that it may open are in use, because the "
        "database is slow or blocked, or the server has more to do than it can.",
        "Look at the load of SQL Server and of the server; a restart of the service frees its connections.",
        code="TT143",
        writer="server",
    ),
    host_signature(
        "database",
        r"network-related or instance-specific error occurred while establishing a connection|"
        r"Cannot open database \"(?P<word>[^\"\r\n]{1,100})\"|Login failed for user '(?P<user>[^'\r\n]{1,100})'|"
        r"The database '[^'\r\n]{1,100}' (?:cannot be opened|is not accessible)|"
        r"A connection was successfully established with the server, but then an error occurred during the "
        r"(?:pre-)?login|SQL Error -?\d{1,10} - [^\n]{0,300}?(?:connection|log ?in|transport|network)|"
        r"SqlException[^\n]{0,80}?(?:Connection Timeout Expired|The server was not found|transport-level error)|"
        r"(?:connection is broken and recovery is not possible|transport-level error has occurred)"
        r".{0,2000}?\bSqlClient\b",
        (
            "instance-specific error",
            "cannot open database",
            "login failed for user",
            "the database '",
            "but then an error occurred during the",
            "sql error ",
            "sqlexception",
            "recovery is not possible",
            "transport-level error",
        ),
        "Octopus Server does not reach its database, or may not open it.",
        "Check that SQL Server runs and is reached, and that the service's account may log on to the database.",
        code="TT143",
        writer="server",
    ),
    host_signature(
        "disk-full",
        r"does not have enough free disk space available for this operation to proceed\.(?: The disk only has "
        r"(?P<free>.{1,60}?) available; please free up at least (?P<need>.{1,60}?)\.)?|Not enough free space on disk|"
        r"There is not enough space on the disk|No space left on device|"
        r"Es steht nicht genug Speicherplatz auf dem Datentr|ディスクに十分な空き領域がありません",
        (
            "not have enough free disk space",
            "not enough free space on disk",
            "not enough space on the disk",
            "no space left on device",
            "nicht genug speicherplatz auf dem datentr",
            "ディスクに十分な空き領域がありません",
        ),
        "There is too little free disk space.",
        "Free space on the drive of Octopus Home and of the work folder.",
        code="TT125",
        phase=Phase.HOST,
    ),
    host_signature(
        "access-denied",
        rf"{ACCESS_DENIED.pattern}|Unable to write file '[^']*' as user '[^']*'|Could not write to temp folder",
        (*ACCESS_DENIED.keys, "unable to write file", "could not write to temp folder"),
        "The service's account lacks rights on a folder.",
        "Give it full control of Octopus Home, recursively.",
        code="TT126",
        phase=Phase.HOST,
    ),
    host_signature(
        "not-elevated",
        r"Tentacle is not running with elevated permissions",
        ("is not running with elevated permissions",),
        "The service's account is no administrator. That is allowed.",
        "Nothing, as long as it has what it needs.",
        code=None,
        phase=Phase.HOST,
        writer="tentacle",
    ),
    host_signature(
        "command-not-elevated",
        r"This command requires elevation|A security exception was encountered|Requires elevated privileges",
        ("this command requires elevation", "a security exception was encountered", "requires elevated privileges"),
        "A command was called by somebody without the rights for it.",
        "Call it from an elevated prompt, or with sudo.",
        code=None,
        phase=Phase.HOST,
        level=Level.INFO,
    ),
)

SCRIPTS: tuple[Signature, ...] = (
    host_signature(
        "powershell-not-started",
        r"PowerShell startup detection: PowerShell did not start within (?P<word>[\d.,]{1,10}) minutes for task "
        r"[^\s]{1,100}",
        ("powershell did not start within",),
        "powershell.exe was started for a script and never came to run it.",
        "Exempt the Tentacle's folders and powershell.exe from what security products do when a process starts.",
        code="TT153",
        phase=Phase.HOST,
        writer="tentacle",
    ),
    host_signature(
        "threads-exhausted",
        r"ThreadPool exhausted for approximately (?P<word>\d{1,10})ms",
        ("threadpool exhausted for",),
        "Octopus Server had no thread left for its work: requests and pollers waited.",
        "Lower its load, or raise the least number of its threads.",
        code="TT154",
        phase=Phase.HOST,
        writer="server",
    ),
)

COMMANDS: tuple[Signature, ...] = (
    host_signature(
        "registration-not-reached",
        r"Checking that server communications are open failed with message (?P<detail>[^\r\n]{0,300}?)\. Retrying|"
        r"Checking that server communications are open failed .{0,400}?after \d+ retries",
        ("checking that server communications are open failed",),
        "A registration could not reach the server's polling port.",
        "Look at what lies between this machine and the server's polling port.",
        code="TT108",
        phase=Phase.REACH,
        level=Level.INFO,
        writer="tentacle",
        by_call=True,
    ),
    host_signature(
        "own-server-not-recognised",
        r"does not appear to be an Octopus server\. The response was:\s*(?:\Z|System\.Exception)",
        ("does not appear to be an octopus server",),
        "The check of the polling port by Tentacles until 3.2 takes the empty answer of a server from 3.1.6 on for a "
        "stranger's: it is the server.",
        "Register with another version of Tentacle.",
        code=None,
        phase=Phase.HOST,
        level=Level.INFO,
        writer="tentacle",
    ),
    host_signature(
        "not-an-octopus-server",
        r"does not appear to be an Octopus Server",
        ("does not appear to be an octopus server",),
        "Something else answers at the server's address and port.",
        "Correct host and port.",
        code="TT121",
        phase=Phase.SECURE,
        level=Level.INFO,
        writer="tentacle",
        by_call=True,
    ),
    host_signature(
        "server-not-yet-trusted",
        r"The Octopus Server with the thumbprint '(?P<thumbprint>[^']*)' is not yet trusted|"
        r"No trusted server was found with the supplied thumbprint",
        ("is not yet trusted", "no trusted server was found with the supplied"),
        "A command named a server that is not trusted yet.",
        "Trust it first (configure --trust).",
        code="TT127",
        level=Level.INFO,
        writer="tentacle",
    ),
    host_signature(
        "watchdog-cannot-start",
        r"Service (?P<service>[^\r\n]{1,200}?) (?:doesn't have Running status after 30\s?sec|could not be started)",
        ("doesn't have running status after", "could not be started"),
        "The watchdog could not start the service.",
        "Read what the service wrote when it started.",
        code="TT129",
        level=Level.INFO,
        by_call=True,
    ),
    host_signature(
        "service-timeout",
        r"A timeout was reached \((?P<milliseconds>\d+) milliseconds\) while waiting for|"
        r"did not respond to the start or control request in a timely fashion|"
        r"Das Zeitlimit \(\d+ ms\) wurde beim Verbindungsversuch mit dem Dienst",
        (
            "while waiting for",
            "did not respond to the start or control request",
            "wurde beim verbindungsversuch mit dem dienst",
        ),
        "The service did not start in time: a busy boot, or a check of revocation lists that gets no answer.",
        "Set it to delayed start; see the step Load time.",
        code="TT129",
    ),
)
