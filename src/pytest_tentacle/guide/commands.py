"""Commands that several remedies share, and what the guide leaves where nothing else helps.

Facts stand there as `<fact>`, within double quotes, so that the whole word is quoted for the shell; nothing of it is
run by us.
"""

from __future__ import annotations

EXE = '& "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\Tentacle.exe"'
CLI = "sudo /opt/octopus/tentacle/Tentacle"

RESTART_WINDOWS = '$ Restart-Service -Name "<service>"'
RESTART_LINUX = '$ sudo systemctl restart "<service>"'
START_WINDOWS = '$ Start-Service -Name "<service>"'
START_LINUX = '$ sudo systemctl start "<service>"'
STATE_WINDOWS = '$ Get-Service -Name "<service>"'
STATE_LINUX = '$ systemctl status "<service>"'
JOURNAL = '$ journalctl -u "<service>" -n 60 --no-pager'
WHO_WINDOWS = '$ Get-NetTCPConnection -State Listen -LocalPort "<port>" | Select-Object LocalAddress, OwningProcess'
WHO_LINUX = '$ sudo ss -ltnp "sport = :<port>"'
TRY_WINDOWS = '$ Test-NetConnection "<host>" -Port "<port>"'
TRY_LINUX = '$ curl -kv --max-time 10 "https://<host>:<port>/"'
HANDSHAKE = '$ openssl s_client -connect "<host>:<port>" </dev/null'
FILE_WINDOWS = '$ Get-Item "<file>"'
FILE_LINUX = ('$ ls -l "<file>"', "$ df -h")


def tentacle(*calls: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The same calls of Tentacle for Windows and for Linux."""
    return tuple(f"$ {EXE} {call}" for call in calls), tuple(f"$ {CLI} {call}" for call in calls)


# -- guide, "Restart the Octopus and Tentacle Services" and "Uninstall Tentacles"

RESTART = "Restart the services at both ends"
CLEAN_SLATE = (
    "remove the instance and the program with all that they leave behind, and set the Tentacle up anew (guide, "
    "Uninstall Tentacles); what was deployed stays as it is"
)
_REMOVE = tentacle('service --stop --uninstall --instance "<instance>"', 'delete-instance --instance "<instance>"')
CLEAN_WINDOWS = (*_REMOVE[0], "$ Get-Package -Name 'Octopus Deploy Tentacle*' | Uninstall-Package")
CLEAN_LINUX = (*_REMOVE[1], "$ sudo apt-get remove tentacle || sudo yum remove tentacle")
