"""TT72x: zombie child processes beside a living service. One that holds the port in its stead is TT503."""

from __future__ import annotations

from pytest_tentacle.guide.consequences import UNANSWERED
from pytest_tentacle.guide.problem import ProblemKind

_STEP = "zombie-child-processes"

_END = (
    "End the left-over process (what is known of it is in the evidence), or reboot; an application that a deployment "
    "started ends with it, and must be started again:"
)

ZOMBIES: tuple[ProblemKind, ...] = (
    ProblemKind(
        "TT721",
        "A leftover process holds the port alongside the service",
        _STEP,
        "The service has its port, and yet a socket on the same port belongs to what an earlier process left behind: "
        "a PowerShell or Calamari of a cancelled task that inherited it. Connections that end there are never "
        "answered, and the next start of the service may find the port in use.",
        (
            _END,
            "$ Get-NetTCPConnection -State Listen -LocalPort <port> | Select-Object LocalAddress, OwningProcess",
            "$ Get-CimInstance Win32_Process | Where-Object ParentProcessId -eq <pid> | Select-Object ProcessId, Name",
        ),
        (
            _END,
            "$ sudo ss -ltnp 'sport = :<port>'",
            "$ ps -o pid,ppid,user,lstart,args -p <pid>",
        ),
        sentence=(
            "On {who}, a leftover of an earlier process listens beside the service: connections that end there are"
            " never answered."
        ),
        consequences=frozenset({"TT528", "TT505", "TT111"}) | UNANSWERED,
        rank=20,
    ),
)
