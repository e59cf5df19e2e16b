"""Signatures of the machine itself: ports, keys, configuration, rights, disk, start (tentacle-facts 3.4, 12 to 53)."""

from __future__ import annotations

from .model import Level, Phase, Signature, Writer, compiled
from .texts import ACCESS_DENIED, FORBIDDEN, IN_USE, NO_KEYSET, NOT_LOCAL, WRONG_KEY_STATE


def _host(
    slug: str,
    pattern: str,
    keys: tuple[str, ...],
    meaning: str,
    advice: str,
    *,
    code: str | None,
    phase: Phase = Phase.START,
    level: Level = Level.WARN,
    writer: Writer = "either",
    by_call: bool = False,
) -> Signature:
    return Signature(slug, compiled(pattern), keys, writer, "host", level, phase, meaning, advice, code, by_call)


PORTS: tuple[Signature, ...] = (
    _host(
        "port-in-use",
        r"A required communications port is already in use\.",
        ("a required communications port is already in use",),
        "Another process, instance or left-over child process holds the port; Tentacle 8.0.0 to 8.1.61 also says so "
        "for "
        "a minute or two after a restart.",
        "Find who holds the port; end it, or take another port; upgrade a Tentacle from 8.0.0 to 8.1.61.",
        code="TT111",
    ),
    _host(
        "http-port-in-use",
        r"The HTTP server failed to start because the port is in use\.",
        ("http server failed to start because the port",),
        "Another program holds the portal's port or prefix.",
        "Find who holds the port, or take another.",
        code="TT111",
    ),
    _host(
        "address-in-use",
        IN_USE.pattern,
        IN_USE.keys,
        "Another process, instance or left-over child process holds the port.",
        "Find who holds the port; end it, or take another port.",
        code="TT111",
    ),
    _host(
        "address-not-local",
        NOT_LOCAL.pattern,
        NOT_LOCAL.keys,
        "It is to listen on an address that the machine does not have.",
        "Correct Tentacle.Services.ListenIP, or give the machine that address.",
        code="TT134",
    ),
    _host(
        "port-forbidden",
        FORBIDDEN.pattern,
        FORBIDDEN.keys,
        "The system does not let it use the port: it lies in a reserved range, or another program holds it "
        "exclusively.",
        "Look at the excluded port ranges (netsh int ipv4 show excludedportrange tcp), or take another port.",
        code="TT134",
    ),
    _host(
        "accepting-fails",
        r"Accepting a connection has failed (?P<count>\d+) times in a row|Error accepting TCP client",
        ("accepting a connection has failed", "error accepting tcp client"),
        "The listening socket is in trouble: handles or memory run out, or a security product interferes.",
        "Restart the service; look at its handles, and at what antivirus software does to it.",
        code="TT128",
    ),
)

KEYS: tuple[Signature, ...] = (
    _host(
        "private-key-not-loaded",
        r"The X509 certificate (?P<subject>[^\r\n]*?) was loaded but the private key was not loaded",
        ("was loaded but the private key was not loaded",),
        "The service's account cannot read the private key of its certificate.",
        "Give the account the right to read the key's file (MachineKeys), or import the certificate again.",
        code="TT122",
    ),
    _host(
        "keyset-missing",
        NO_KEYSET.pattern,
        NO_KEYSET.keys,
        "Windows does not find the private key, or the account may not read it.",
        "Give the account the right to read the key's file (MachineKeys), or make a new certificate.",
        code="TT122",
    ),
    _host(
        "no-private-key",
        r"does not have a private key, and so it cannot be used for listening",
        ("does not have a private key, and so",),
        "The certificate is there without its private key.",
        "Import it with its key, or make a new certificate (new-certificate).",
        code="TT122",
    ),
    _host(
        "certificate-not-loaded",
        r"Unable to load X509 Certificate",
        ("unable to load x509 certificate",),
        "The certificate cannot be loaded.",
        "Make a new certificate (new-certificate), and register again.",
        code="TT122",
    ),
    _host(
        "profile-not-loaded",
        r"Crypto functions require the Windows User Profile",
        ("require the windows user profile",),
        "A command ran without the profile of its user, as over WinRM.",
        "Run it in a session that loads the profile, such as a scheduled task.",
        code="TT122",
    ),
    _host(
        "x509stores-owner",
        r"The owner of the x509stores is not the current user",
        ("the owner of the x509stores is not",),
        "The store of certificates belongs to another user: the service's user was changed, or sudo was used.",
        "Give the folder ~/.dotnet/corefx/cryptography/x509stores to the service's user.",
        code="TT122",
    ),
    _host(
        "certificate-not-readable",
        r"Unable to parse configuration key 'Tentacle\.Certificate' as a 'String'",
        ("configuration key 'tentacle.certificate'",),
        "The certificate in the configuration cannot be decrypted: the file comes from another machine, or the "
        "machine's "
        "identity was changed.",
        "Make a new certificate (new-certificate), and register again; do not copy configuration files.",
        code="TT123",
    ),
    _host(
        "wrong-machine-key",
        rf"{WRONG_KEY_STATE.pattern}|Padding is invalid and cannot be removed|"
        r"Machine key file at .{0,300}? is corrupt|"
        r"machine-id contents .{0,200}? is either empty or not 256 bits",
        (
            *WRONG_KEY_STATE.keys,
            "padding is invalid and cannot be removed",
            "machine key file at",
            "machine-id contents",
        ),
        "What is encrypted in the configuration was encrypted on another machine, or by another machine-id.",
        "Create the instance anew on this machine; do not copy configuration files.",
        code="TT123",
    ),
    _host(
        "fips-certificate",
        r"PKCS12 routines:PKCS12_parse:parse error",
        ("pkcs12_parse",),
        "FIPS mode keeps the Tentacle from making its certificate.",
        "Import a certificate of your own (import-certificate), or turn FIPS mode off.",
        code="TT123",
    ),
)

CONFIGURATION: tuple[Signature, ...] = (
    _host(
        "no-certificate",
        r"No certificate has been generated for this (?:Tentacle|Octopus Server)",
        ("no certificate has been generated for this",),
        "The instance was never given a certificate: its set-up was not brought to its end. Tentacles before 6.1 do "
        "not make one by themselves.",
        "Make one (new-certificate), then register the Tentacle and start the service.",
        code="TT124",
    ),
    _host(
        "no-home",
        r"No home directory has been configured for this Tentacle",
        ("no home directory has been configured",),
        "The instance was never given a home: its set-up was not brought to its end.",
        "Give it one (configure --home), then start the service.",
        code="TT124",
    ),
    _host(
        "configuration-missing",
        r"The configuration file for instance (?P<instance>.{1,200}?) could not be located at the specified location"
        r"(?: (?P<path>[^\r\n]{1,300}?)\. The file)?",
        ("could not be located at the specified location",),
        "The configuration file is gone.",
        "Restore it, or delete the instance and create it anew.",
        code="TT124",
    ),
    _host(
        "configuration-damaged",
        r"Unable to parse configuration key 'Octopus\.Home' as a 'String'|There is an error in XML document|"
        r"Root element is missing",
        ("configuration key 'octopus.home'", "there is an error in xml document", "root element is missing"),
        "The configuration file is empty or cut off; a full disk does that.",
        "Free disk space, then restore the file or create the instance anew.",
        code="TT124",
    ),
    _host(
        "instance-unknown",
        r"has not been configured on this machine|Unable to find default instance of Tentacle",
        ("has not been configured on this machine", "unable to find default instance"),
        "There is no instance of that name.",
        "Use one of the instances that list-instances names.",
        code="TT124",
    ),
    _host(
        "trusts-nobody",
        r"The agent is not configured to trust any Octopus Servers",
        ("is not configured to trust any octopus servers",),
        "The Tentacle runs without a server that it trusts: nothing can work.",
        "Trust the server's thumbprint (configure --trust), or register the Tentacle.",
        code="TT127",
        level=Level.INFO,
        writer="tentacle",
    ),
    _host(
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
    _host(
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
    _host(
        "access-denied",
        rf"{ACCESS_DENIED.pattern}|Unable to write file '[^']*' as user '[^']*'|Could not write to temp folder",
        (*ACCESS_DENIED.keys, "unable to write file", "could not write to temp folder"),
        "The service's account lacks rights on a folder.",
        "Give it full control of Octopus Home, recursively.",
        code="TT126",
        phase=Phase.HOST,
    ),
    _host(
        "not-elevated",
        r"Tentacle is not running with elevated permissions",
        ("is not running with elevated permissions",),
        "The service's account is no administrator. That is allowed.",
        "Nothing, as long as it has what it needs.",
        code=None,
        phase=Phase.HOST,
        writer="tentacle",
    ),
    _host(
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

COMMANDS: tuple[Signature, ...] = (
    _host(
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
    _host(
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
    _host(
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
    _host(
        "watchdog-cannot-start",
        r"Service (?P<service>[^\r\n]{1,200}?) (?:doesn't have Running status after 30\s?sec|could not be started)",
        ("doesn't have running status after", "could not be started"),
        "The watchdog could not start the service.",
        "Read what the service wrote when it started.",
        code="TT129",
        level=Level.INFO,
        by_call=True,
    ),
    _host(
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
