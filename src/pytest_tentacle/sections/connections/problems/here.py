"""TT50x: the welcome page on the machine itself."""

from __future__ import annotations

from pytest_tentacle.guide.commands import (
    CERTIFICATE_HERE_WINDOWS,
    RESTART_LINUX,
    RESTART_WINDOWS,
)
from pytest_tentacle.guide.consequences import NO_PORT, UNANSWERED
from pytest_tentacle.guide.problem import Confidence, ProblemKind

_STEP = "welcome-page-here"
_WHO_WINDOWS = (
    "$ Get-NetTCPConnection -State Listen -LocalPort <port> | Select-Object LocalAddress, LocalPort, OwningProcess",
    "$ netstat -o -n -a -b",
)
_WHO_LINUX = ("$ sudo ss -ltnp 'sport = :<port>'",)

_CHILD = (
    "See what the child process is (the evidence lists those that are known): what a deployment started, such as an "
    "application, is ended with it and must be started again, apart from the Tentacle. End it, or reboot; then start "
    "the service:"
)

HERE: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT501",
        "The port is not open on the machine itself",
        _STEP,
        "Nothing stops the service, and yet nothing listens on its port: it could not open it (no permission, a range "
        "that Windows reserves), or it runs with other settings than its file has now.",
        (
            (
                "Read the end of the Tentacle's log for the reason, see whether the port is reserved, then restart "
                "the service:"
            ),
            "$ netsh interface ipv4 show excludedportrange protocol=tcp",
            *_WHO_WINDOWS,
        ),
        ("Read the end of the Tentacle's log for the reason, then restart the service:", *_WHO_LINUX),
    ),
    ProblemKind(
        "TT502",
        "The port is held by another process",
        _STEP,
        "Another program had the port first, so the Tentacle or the server cannot open it. It may be a second "
        "instance with the same port, too.",
        (
            "Find out what the program is for; move one of the two to another port:",
            "$ Get-Process -Id <pid> | Select-Object Id, Name, Path, StartTime",
            *_WHO_WINDOWS,
        ),
        (
            "Find out what the program is for; move one of the two to another port:",
            "$ ps -o pid,ppid,user,lstart,args -p <pid>",
            *_WHO_LINUX,
        ),
    ),
    ProblemKind(
        "TT503",
        "A leftover of a dead process holds the port",
        _STEP,
        "The process that opened the port is gone, but a child of it, mostly a PowerShell or Calamari of a cancelled "
        "task, inherited its socket and keeps it open. The Tentacle cannot open the port again until the child ends.",
        (
            _CHILD,
            (
                "$ Get-CimInstance Win32_Process -Filter 'ParentProcessId = <pid>' | Select-Object ProcessId, Name, "
                "CommandLine"
            ),
            "$ Stop-Process -Id <child>",
            RESTART_WINDOWS,
        ),
        (
            _CHILD,
            *_WHO_LINUX,
            "$ sudo kill <child>",
            RESTART_LINUX,
        ),
        sentence=(
            "Port {port} of {who} is held by a leftover of a Tentacle process that has ended (pid {pid}): a script or "
            "Calamari of a cancelled task inherited the socket. The service cannot open the port until that ends."
        ),
        consequences=NO_PORT,
        fold_by=("port",),
        rank=15,
    ),
    ProblemKind(
        "TT504",
        "The program on the port is not Octopus",
        _STEP,
        "The port is open, but its answer is not the welcome page: another program listens there, or something that "
        "intercepts connections even on this machine, such as a security product.",
        ("See what listens, and what answers:", *_WHO_WINDOWS, CERTIFICATE_HERE_WINDOWS),
        (
            "See what listens, and what answers:",
            *_WHO_LINUX,
            "$ curl -kv https://localhost:<port>/",
        ),
        sentence=(
            "Seen on the machine itself, port {port} of {who} shows a page other than Octopus's: another "
            "program, or a security product that intercepts connections even there."
        ),
        consequences=UNANSWERED | {"TT102", "TT121"},
        fold_by=("port", "issuer"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT505",
        "The port is open but serves no page",
        _STEP,
        "The connection to the machine's own port is accepted and then fails, or it hangs: the process is stuck, its "
        "certificate's key cannot be used, or a local firewall stands between.",
        (
            "Read the end of the Tentacle's log, see what listens, then restart the service:",
            *_WHO_WINDOWS,
            RESTART_WINDOWS,
        ),
        (
            "Read the end of the Tentacle's log, see what listens and how the handshake goes, then restart it:",
            *_WHO_LINUX,
            "$ openssl s_client -connect localhost:<port> </dev/null",
            RESTART_LINUX,
        ),
        sentence=(
            "On {who} the port is open, but no page arrives ({error} at {stage}): the process hangs, or cannot use the "
            "key of its certificate."
        ),
        consequences=UNANSWERED | {"TT122", "TT113", "TT114"},
        fold_by=("stage", "error"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    ProblemKind(
        "TT506",
        "Windows excludes the port from use",
        _STEP,
        "Nothing listens on the port, and it lies in a range that Windows reserves: opening it fails with error "
        "10013. Hyper-V, containers and WSL reserve new ranges at each start, usually where "
        "the range for outgoing connections was widened so far that it covers the port.",
        (
            (
                "See the ranges, and that the dynamic range begins above the port. One that an administrator excluded "
                "has a star: give that one back instead (delete excludedportrange), after asking whose it is."
            ),
            "$ netsh interface ipv4 show excludedportrange protocol=tcp",
            "$ netsh interface ipv4 show dynamicport tcp",
            (
                "Reserve the port for the program that asks for it by number, which is refused as long as winnat holds "
                "the range. While winnat is stopped, containers and WSL have no network:"
            ),
            "$ net stop winnat",
            "$ netsh interface ipv4 add excludedportrange protocol=tcp startport=<port> numberofports=1",
            "$ net start winnat",
            RESTART_WINDOWS,
        ),
        ("This concerns Windows only: Linux lets a program open a reserved port. See what listens:", *_WHO_LINUX),
        sentence=(
            "Port {port} of {who} lies in a range ({first} to {last}) that Windows reserves, so the service cannot "
            "open it: Hyper-V, containers or WSL took the range when the machine started."
        ),
        consequences=NO_PORT | {"TT501"},
        fold_by=("port", "first", "last"),
        rank=12,
    ),
    ProblemKind(
        "TT507",
        "http.sys holds the port",
        _STEP,
        "Windows' own web server driver (the System process, pid 4) serves a URL on the port: IIS, WinRM, a web-socket "
        "listener or another program of the machine registered it. A Tentacle cannot share the port with it.",
        (
            "See whose request queue has the URL, move one of the two to another port, then start the service:",
            "$ netsh http show servicestate view=requestq",
            *_WHO_WINDOWS,
            RESTART_WINDOWS,
        ),
        ("This concerns Windows only. See what listens:", *_WHO_LINUX),
        sentence=(
            "Port {port} of {who} is held by Windows' own web server driver, for {url}: a web site, WinRM or another "
            "program registered it there, and the service cannot open the port."
        ),
        consequences=NO_PORT | {"TT502", "TT504"},
        fold_by=("port", "url"),
        rank=12,
    ),
    ProblemKind(
        "TT508",
        "The port refuses TLS from its own machine",
        _STEP,
        "The process runs, but refuses a modern TLS hello. It complains about versions or suites; most "
        "often the key of its certificate is too short for its system's TLS library (RSA below 2048 bits), and "
        "Tentacles before 3.1 speak only TLS 1.0.",
        (
            "See what it speaks, and read the end of its log at level Debug, then renew the certificate or upgrade:",
            CERTIFICATE_HERE_WINDOWS,
        ),
        (
            "See what it speaks, and read the end of its log at level Debug, then renew the certificate or upgrade:",
            "$ openssl s_client -connect localhost:<port> </dev/null",
        ),
    ),
)
