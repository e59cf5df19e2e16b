"""Guide, "Restart the Octopus and Tentacle Services" and "Uninstall Tentacles": what is left where nothing else helps.

Facts stand there as `<fact>`, as in the catalogue of problems; nothing of it is run by us.
"""

from __future__ import annotations

RESTART = "Restart the services at both ends"
CLEAN_SLATE = (
    "remove the instance and the program with all that they leave behind, and set the Tentacle up anew (guide, "
    "Uninstall Tentacles); what was deployed stays as it is"
)

_EXE = '& "$env:ProgramFiles\\Octopus Deploy\\Tentacle\\Tentacle.exe"'
_CLI = "sudo /opt/octopus/tentacle/Tentacle"
_REMOVE = ('service --stop --uninstall --instance "<instance>"', 'delete-instance --instance "<instance>"')

RESTART_WINDOWS = ('$ Restart-Service -Name "<service>"',)
RESTART_LINUX = ('$ sudo systemctl restart "<service>"',)
CLEAN_WINDOWS = (
    *(f"$ {_EXE} {call}" for call in _REMOVE),
    "$ Get-Package -Name 'Octopus Deploy Tentacle*' | Uninstall-Package",
)
CLEAN_LINUX = (*(f"$ {_CLI} {call}" for call in _REMOVE), "$ sudo apt-get remove tentacle || sudo yum remove tentacle")
