"""TT50x: the welcome page on the machine itself."""

from __future__ import annotations

from pytest_tentacle.guide.problem import ProblemKind

_STEP = "welcome-page-here"
_WHO_WINDOWS = (
    "$ Get-NetTCPConnection -State Listen -LocalPort <port> | Select-Object LocalAddress, LocalPort, OwningProcess",
    "$ netstat -o -n -a -b",
)
_WHO_LINUX = ("$ sudo ss -ltnp 'sport = :<port>'",)

HERE: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT501",
        "The port is not open on the machine itself",
        _STEP,
        "Nothing stops the service, and yet nobody listens on its port: it could not open it (no permission, a range "
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
        "The port is held by what a dead process left behind",
        _STEP,
        "The process that opened the port is gone, but a child of it, mostly a PowerShell or Calamari of a cancelled "
        "task, inherited its socket and keeps it open. The Tentacle cannot open the port again until the child ends.",
        (
            "End the child (those that are known are in the evidence), or reboot; then start the Tentacle's service:",
            (
                "$ Get-CimInstance Win32_Process -Filter 'ParentProcessId = <pid>' | Select-Object ProcessId, Name, "
                "CommandLine"
            ),
            "$ Stop-Process -Id <child>",
        ),
        (
            "End the child (those that are known are in the evidence), or reboot; then start the Tentacle's service:",
            "$ sudo ss -ltnp 'sport = :<port>'",
            "$ sudo kill <child>",
        ),
    ),
    ProblemKind(
        "TT504",
        "What answers on the port is not Octopus",
        _STEP,
        "The port is open, but its answer is not the welcome page: another program listens there, or something that "
        "intercepts connections even on this machine, such as a security product.",
        ("See who listens, and browse there to see what answers:", *_WHO_WINDOWS),
        (
            "See who listens, and what answers:",
            *_WHO_LINUX,
            "$ curl -k https://localhost:<port>/",
        ),
    ),
    ProblemKind(
        "TT505",
        "The port is open, but no page comes",
        _STEP,
        "The connection to the machine's own port is accepted and then fails, or it hangs: the process is stuck, its "
        "certificate's key cannot be used, or a local firewall stands between.",
        (
            "Read the end of the Tentacle's log, then restart the service; see who listens:",
            *_WHO_WINDOWS,
        ),
        (
            (
                "Read the end of the Tentacle's log, then restart the service; see who listens, and how the "
                "handshake goes:"
            ),
            *_WHO_LINUX,
            "$ openssl s_client -connect localhost:<port> </dev/null",
        ),
    ),
    ProblemKind(
        "TT506",
        "Windows excludes the port from use",
        _STEP,
        "Nobody listens on the port, and it lies in a range that Windows keeps from every program: whoever opens it "
        "gets error 10013. Hyper-V, containers and WSL take such ranges anew at each start, mostly where "
        "the range for outgoing connections was widened so far that it covers the port.",
        (
            (
                "See the ranges. Reserve the port for whoever asks for it by number (best with the service winnat "
                "stopped, or right after a reboot), see that the dynamic range begins above it, then start the service:"
            ),
            "$ netsh interface ipv4 show excludedportrange protocol=tcp",
            "$ netsh interface ipv4 show dynamicport tcp",
            "$ netsh interface ipv4 add excludedportrange protocol=tcp startport=<port> numberofports=1",
        ),
        ("This concerns Windows only: Linux lets a program open a reserved port. See who listens:", *_WHO_LINUX),
    ),
    ProblemKind(
        "TT507",
        "http.sys holds the port",
        _STEP,
        "Windows' own web server driver (the System process, pid 4) serves a URL on the port: IIS, WinRM, a web-socket "
        "listener or another program of the machine registered it. A Tentacle cannot share the port with it.",
        (
            "See which program's request queue has the URL, and move one of the two to another port:",
            "$ netsh http show servicestate view=requestq",
            *_WHO_WINDOWS,
        ),
        ("This concerns Windows only. See who listens:", *_WHO_LINUX),
    ),
)
