"""TT2xx: the services."""

from __future__ import annotations

from pytest_tentacle.guide.commands import BY_ITSELF_WINDOWS, INSTALL, INSTALL_WORDS, when
from pytest_tentacle.guide.consequences import (
    ACROSS,
    DOWN,
    NO_ANSWER,
    NO_PAGE_HERE,
    STARTLESS,
    UNANSWERED,
    UNCONNECTED,
)
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "services-running"

SERVICES: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT201",
        "The service is not installed",
        _STEP,
        "The instance has no service that would run it: it was never installed, or it was removed with an upgrade or "
        "by hand.",
        (INSTALL_WORDS, *INSTALL[0]),
        (INSTALL_WORDS, *INSTALL[1]),
    ),
    ProblemKind(
        "TT202",
        "The Tentacle's service is not running",
        _STEP,
        "Nothing listens or polls while the service is stopped. Somebody stopped it, or it was not started after a "
        "reboot.",
        (
            "Start it, allow it 30 seconds, then look again; if it stops again, read the Tentacle's log:",
            '$ Start-Service -Name "<service>"',
            '$ Get-Service -Name "<service>"',
        ),
        (
            "Start it, allow it 30 seconds, then look again; if it stops again, read the Tentacle's log:",
            '$ sudo systemctl start "<service>"',
            '$ systemctl status "<service>"',
        ),
    ),
    ProblemKind(
        "TT203",
        "The service fails or crashes",
        _STEP,
        "It was started and ended, perhaps over and over. Its log gives the reason: a port in use, a "
        "configuration or certificate that cannot be read, an account that may not log on.",
        (
            "Read the end of the log in the folder Logs of the Tentacle's home, and the last service events:",
            '$ Get-Content -Tail 60 -LiteralPath "<home>\\Logs\\OctopusTentacle.txt"',
            "$ Get-WinEvent -FilterHashtable @{LogName='System'; ProviderName='Service Control Manager'} -MaxEvents 20",
        ),
        (
            "Read the last lines that it wrote, and its log in the folder Logs of the Tentacle's home:",
            '$ journalctl -u "<service>" -n 60 --no-pager',
            '$ systemctl show "<service>" -p Result,ExecMainStatus,NRestarts',
        ),
    ),
    ProblemKind(
        "TT204",
        "The service does not finish starting",
        _STEP,
        "It has been starting for longer than the 30 seconds that the guide allows. It may be waiting for something: "
        "a certificate revocation "
        "check without Internet access, a domain controller, a busy disk.",
        (
            "Read the end of the Tentacle's log, and measure how long the program takes to load (guide, load time):",
            '$ Measure-Command { & "<tentacle>" help }',
            '$ Restart-Service -Name "<service>"',
        ),
        (
            "See what it waits for, then restart it:",
            '$ journalctl -u "<service>" -n 60 --no-pager',
            '$ sudo systemctl restart "<service>"',
        ),
        sentence="The service on {who} has been starting for longer than the 30 seconds that the guide allows.",
        consequences=STARTLESS,
        echoes=UNANSWERED,
        rank=20,
    ),
    ProblemKind(
        "TT205",
        "The service does not start automatically",
        _STEP,
        "It will not start after the next reboot, such as the one that installs patches.",
        (
            "Set it to start automatically, unless something else starts it, such as a failover cluster:",
            BY_ITSELF_WINDOWS,
        ),
        (
            "Set it to start automatically, unless something else starts it:",
            '$ sudo systemctl unmask "<service>"',
            '$ sudo systemctl enable "<service>"',
        ),
    ),
    ProblemKind(
        "TT206",
        "The Octopus Server's service is not running",
        _STEP,
        "Without it no Tentacle is reached and none can poll; ignore what fails on their links until it runs.",
        (
            "Start it, allow it 30 seconds, then look again; if it stops again, read the server's log:",
            '$ Start-Service -Name "<service>"',
            '$ Get-Service -Name "<service>"',
        ),
        (
            "An Octopus Server on Linux runs in a container; start it, then look at what it writes:",
            '$ sudo systemctl start "<service>"',
            '$ journalctl -u "<service>" -n 60 --no-pager',
        ),
    ),
    ProblemKind(
        "TT207",
        "The instance is not registered",
        _STEP,
        "The machine's list of instances does not hold the one that the inventory means: it has another name, was "
        "deleted, or the program is not configured at all.",
        (
            (
                "See which instances there are (the command leaves some lines in the Tentacle's log), and correct "
                "the inventory, or create the instance with the Tentacle Manager:"
            ),
            '$ & "<tentacle>" list-instances',
        ),
        (
            (
                "See which instances there are (the command leaves some lines in the Tentacle's log), and correct "
                "the inventory, or create the instance (configure-tentacle.sh asks for what it needs):"
            ),
            '$ "<tentacle>" list-instances',
        ),
        sentence=(
            "The instance that the inventory means is not registered on {who}: it was renamed or deleted, or the "
            "inventory names another one."
        ),
        consequences=frozenset({"TT201"}) | DOWN | STARTLESS,
        echoes=UNANSWERED,
        rank=10,
    ),
    ProblemKind(
        "TT208",
        "The process still runs as the service's former account",
        _STEP,
        "The service was given another account, and was not restarted since: its process works with the rights, the "
        "proxy and the certificates of the former one. What is granted to the new account changes nothing until the "
        "next start, and nobody has seen yet that the new one can start it.",
        (
            (
                "See first that the new account may log on as a service and has full control of Octopus Home. Then "
                "restart the service when no deployment is running:"
            ),
            '$ Restart-Service -Name "<service>"',
        ),
        (
            "See first that the new account owns Octopus Home. Then restart the service when no deployment is running:",
            '$ sudo systemctl restart "<service>"',
        ),
        sentence=(
            "The service on {who} was given another account and not restarted: its process still runs as the former "
            "one."
        ),
        rank=45,
    ),
    ProblemKind(
        "TT209",
        "Another program holds a port or URL prefix that the server needs",
        _STEP,
        "Besides the polling port an Octopus Server opens those of its portal and of its web socket, and 8443 for "
        "Kubernetes. Where another program has one of them first, the server does not finish starting, or its portal "
        "is missing.",
        (
            (
                "See what the program is for, and what http.sys serves; give one of the two another port (Octopus "
                "Manager, Change bindings):"
            ),
            "$ Get-Process -Id <pid> | Select-Object Id, Name, Path, StartTime",
            "$ netsh http show servicestate view=requestq",
        ),
        (
            "See what the program is for; give one of the two another port:",
            "$ ps -o pid,ppid,user,lstart,args -p <pid>",
            "$ sudo ss -ltnp 'sport = :<port>'",
        ),
        sentence="Port {port}, which the Octopus Server on {who} needs, belongs to another program: {holder}.",
        consequences=DOWN | STARTLESS | {"TT111", "TT138", "TT501"},
        echoes=UNANSWERED,
        rank=17,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT210",
        "No certificate is bound to the server's HTTPS port",
        _STEP,
        "http.sys, Windows' own web server, serves an HTTPS prefix of the server and has no certificate for its port: "
        "every connection there is reset. The binding was removed, perhaps together with a site of IIS, or the "
        "prefix was moved to another port. Tentacles that poll over a web socket cannot connect; others can.",
        (
            "See what is bound, then choose the certificate again (Octopus Manager, Change bindings):",
            "$ netsh http show sslcert",
            "$ Get-ChildItem Cert:\\LocalMachine\\My | Format-List Subject, Thumbprint, NotAfter, HasPrivateKey",
        ),
        ("This concerns Windows' own web server. On Linux, see what listens:", "$ sudo ss -ltnp 'sport = :<port>'"),
        sentence="No certificate is bound to port {port} of {who} for {url}: every connection there is reset.",
        rank=17,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT211",
        "The certificate that is bound to the server's HTTPS port is missing or has no key",
        _STEP,
        "The binding of http.sys names a certificate that its store no longer holds, or that was imported without "
        "its private key, as after a renewal that removed the old one. Windows resets the connections there, at the "
        "latest from its next start on.",
        (
            (
                "In Octopus Manager, Change bindings, choose for the HTTPS binding a certificate that the list below "
                "shows with HasPrivateKey True and a NotAfter to come, and apply it, which restarts the server. Where "
                "there is none, import the certificate again as a .pfx, with its key, into the computer's store "
                "Personal, then do the same. Tentacles that poll by web socket must trust the new one (update-trust):"
            ),
            "$ netsh http show sslcert",
            "$ Get-ChildItem Cert:\\LocalMachine\\My | Format-List Subject, Thumbprint, NotAfter, HasPrivateKey",
        ),
        ("This concerns Windows' own web server. On Linux, see what listens:", "$ sudo ss -ltnp 'sport = :<port>'"),
        sentence=(
            "The certificate that is bound to {endpoint} on {who}, {thumbprint}, is not in the machine's store {store} "
            "with a private key: Windows cannot open TLS for {url}."
        ),
        rank=17,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT212",
        "The server's account may not register its URL prefix",
        _STEP,
        "On Windows only an administrator may register a URL prefix that is not reserved for them. The service's "
        "account is not an administrator, and the prefix is reserved for another account: the previous one, or that "
        "of another program. The server ends as it starts.",
        (
            (
                "See for whom it is reserved, reserve it for the service's account (Octopus Manager, Change "
                "bindings), then start the service:"
            ),
            "$ netsh http show urlacl",
            '$ Start-Service -Name "<service>"',
        ),
        ("Only Windows has such reservations; see what the service may do:", '$ systemctl status "<service>"'),
        sentence="{account}, as which the Octopus Server on {who} runs, may not register {url}.",
        consequences=DOWN | STARTLESS | {"TT139", "TT501"},
        echoes=UNANSWERED,
        rank=17,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT213",
        "The service's process is stopped",
        _STEP,
        "The process lives and does nothing. Its system keeps its port and its connections for it, so that all seems "
        "well from outside until somebody waits for an answer; a polling Tentacle's connection stands and fetches no "
        "work.",
        ("This concerns Linux only. See the service:", '$ Get-Service -Name "<service>"'),
        (
            *when(
                "stopped",
                "Find out who stopped it (a debugger, a backup, a script), then let it go on; restart it if that was "
                "long ago:",
                '$ sudo kill -CONT "<pid>"',
            ),
            *when(
                "frozen",
                "Find out who froze it, then let it go on; restart it if that was long ago:",
                '$ sudo systemctl thaw "<service>"',
            ),
        ),
        sentence="The process of the service on {who} lives and does nothing: {how}.",
        consequences=NO_PAGE_HERE | UNANSWERED | UNCONNECTED | NO_ANSWER | {"TT553"},
        echoes=ACROSS,
        rank=12,
    ),
    ProblemKind(
        "TT214",
        "The service is marked for deletion",
        _STEP,
        "Somebody removed it (sc delete, or an uninstallation) while it ran, or while a program had it open, as the "
        "Services applet does. Windows deletes it as soon as neither is so, at the latest with the next restart of the "
        "machine. Until then it can be neither started nor changed nor installed again.",
        (
            (
                "Close all Services applets, Task Managers and Event Viewers of all who are logged on (programs that "
                "watch services may have it open, too), or restart the machine. Then Windows does not know the service "
                "any more (error 1060):"
            ),
            "$ Get-Process -Name mmc, Taskmgr -ErrorAction SilentlyContinue | Select-Object Id, Name, SessionId",
            '$ sc.exe qc "<service>"',
            *when("running", "If the Tentacle is still needed, install its service again after that restart."),
            *when("stopped", "If the Tentacle is still needed:", INSTALL_WORDS, *INSTALL[0]),
        ),
        ("This concerns Windows only. See the service:", '$ systemctl status "<service>"'),
        sentence=(
            "The service on {who} is marked for deletion: somebody removed it while it ran, or while a program had it "
            "open. It cannot be started or changed any more, and it is gone after the next restart of the machine."
        ),
        consequences=DOWN | STARTLESS | {"TT205", "TT501"},
        echoes=UNANSWERED,
        rank=12,
    ),
)
