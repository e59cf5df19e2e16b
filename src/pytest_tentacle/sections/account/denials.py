"""What one denial of SELinux or AppArmor means for a service: a problem, nothing, or that nobody can tell.

A denial counts that was put into force, is of the process that runs now (or of a start that failed within a day), and
takes away what a Tentacle cannot do without: its program, its own port, the servers that it polls, its own folders.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath

from pytest_tentacle.judging.entries import entries_of
from pytest_tentacle.judging.finding import Blocked, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.survey.model import Service, ServiceState
from pytest_tentacle.survey.surroundings import AccessControl, Denial

NO_START, NO_PORT, NO_CONNECTION, NO_FILES = "TT804", "TT805", "TT806", "TT807"
DENIAL_READS = ("host", "instances", "services", "access_control", "listeners", "connections")
"""What `Concerned` reads."""

_EXIT_EXEC = 203
"""What systemd says of a program that could not be run (systemd.exec, "Process Exit Codes")."""

_RUNS = frozenset({"execute", "execute_no_trans", "entrypoint", "transition", "exec"})
_FILES = frozenset({"file", "dir", "lnk_file"})
_SOCKETS = frozenset({"inet", "inet6"})
"""Families as AppArmor calls them; a profile without a rule for the network denies the very `create` of a socket."""
_CHANGES = frozenset({
    "write", "create", "add_name", "remove_name", "append", "unlink", "rename", "rmdir", "setattr", "mknod", "mkdir",
    "truncate", "rename_src", "rename_dest",
})  # fmt: skip
_READS = frozenset({"open", "read", "search", "map"})
"""Permissions of SELinux, and operations of AppArmor, without which a file or folder is of no use."""

_KERNELS_OWN = re.compile(r":(?:proc|sysctl|sysfs|cgroup|debugfs|tmpfs|tmp)(?:_\w+)?_t(?::|$)|:tmp_t(?::|$)")
"""Labels of what the kernel shows of itself, and of where .NET puts a pipe for debuggers: it does without."""
_DOES_WITHOUT = ("/proc/", "/sys/", "/dev/shm/", "/tmp/")  # noqa: S108  none of it is used
_FOLDERS = frozenset({"Logs", "Work", "Tools", "Files", "Packages", "Applications"})
"""Of a Tentacle's home; SELinux's records mostly have the last part of a path alone."""
_A_DAY = timedelta(days=1)
_SLACK = timedelta(seconds=10)


@dataclass(frozen=True)
class Meaning:
    """Code of the problem; None: none, or `doubt` says what nobody can tell."""

    code: str | None = None
    doubt: str = ""


NOTHING = Meaning()


@dataclass(frozen=True)
class Concerned:
    """The service whose denials are judged, and what it needs."""

    subject: Subject
    service: Service
    facts: AccessControl
    clock: datetime | None

    @property
    def runs(self) -> bool:
        """Whether its process runs."""
        return self.service.state is ServiceState.RUNNING

    def meaning_of(self, denial: Denial) -> Meaning:
        """What a denial means for it."""
        if denial.time_utc is None or self._was_allowed(denial) or self._is_past(denial.time_utc):
            return NOTHING
        actions = set(denial.action.split())
        if actions & _RUNS and self._is_program(denial):
            return Meaning(NO_START) if self._could_not_be_run else NOTHING
        if self._is_by_it(denial):
            return self._of_its_work(denial, actions)
        return NOTHING

    def _of_its_work(self, denial: Denial, actions: set[str]) -> Meaning:
        if self.runs and self.service.started_utc is None and denial.pid != self.service.pid:
            return Meaning(doubt="when the process that runs now was started is not known")
        if denial.kind in _SOCKETS or actions & {"name_bind", "name_connect", "bind", "connect"}:
            return self._of_sockets(denial, actions)
        return self._of_files(denial, actions)

    def _was_allowed(self, denial: Denial) -> bool:
        return denial.module == "selinux" and (denial.enforced is False or self.facts.selinux != "enforcing")

    def _is_past(self, when: datetime) -> bool:
        if self.runs and self.service.started_utc is not None:
            return when < self.service.started_utc - _SLACK
        return not self.runs and self.clock is not None and when < self.clock - _A_DAY

    @property
    def _failed(self) -> bool:
        return self.service.state in {ServiceState.FAILED, ServiceState.STARTING}

    @property
    def _could_not_be_run(self) -> bool:
        code = self.service.exit_code
        return not self.runs and (code == _EXIT_EXEC or (code is None and self._failed))

    def _is_program(self, denial: Denial) -> bool:
        """Whether its program was to be run; one of another label is another program, or was relabelled since."""
        program = self.service.executable
        if program is None or denial.path not in (program, PurePosixPath(program).name):
            return False
        label = next((each.label for each in self.facts.labels if each.path == program), None)
        return label is None or denial.target is None or label == denial.target

    def _is_by_it(self, denial: Denial) -> bool:
        """Whether its own process asked: not a script of a deployment, a call by hand, or another instance."""
        if self.runs and denial.pid is not None and self.service.pid is not None:
            return denial.pid == self.service.pid
        if not self.runs and not self._failed:
            return False  # somebody stopped it: what it was denied before says nothing of the next start
        others = {each.pid for each in self.facts.processes if each.service != self.service.name}
        if denial.pid in others:
            return False
        if denial.executable is not None:
            return denial.executable == self.service.executable
        return denial.process in ("Tentacle", "Octopus.Server")

    # -- sockets -----------------------------------------------------------------------------------------------------

    def _of_sockets(self, denial: Denial, actions: set[str]) -> Meaning:
        connects = bool(actions & {"name_connect", "connect"})
        try:
            own = self._own_port()
            polled = self._polled_ports()
        except (Unknown, Blocked):
            return Meaning(doubt="which ports it needs is not known, since its settings were not read")
        if denial.port is None and not connects:  # AppArmor tells no port of a socket that could not be made
            connects = own is None
        needed = polled if connects else frozenset({own} if own is not None else ())
        if not needed or (denial.port is not None and denial.port not in needed):
            return NOTHING
        works = self._reaches(denial.port, polled) if connects else self._listens(own)
        if works is None:
            where = "connections" if connects else "listeners"
            return Meaning(doubt=f"whether it works all the same was not read ({where})")
        return NOTHING if works else Meaning(NO_CONNECTION if connects else NO_PORT)

    def _own_port(self) -> int | None:
        if not self.subject.is_tentacle:
            return self.subject.expected_port
        settings = self.subject.settings
        return None if settings.no_listen else settings.port

    def _polled_ports(self) -> frozenset[int]:
        if not self.subject.is_tentacle:
            return frozenset()
        settings = self.subject.settings
        polled = {entry.port for entry in entries_of(settings)}
        proxy = settings.polling_proxy
        return frozenset({proxy.port} if polled and proxy.host and proxy.port else polled)

    def _listens(self, port: int | None) -> bool | None:
        try:
            found = [each for each in self.subject.read(FACTS.listeners) if each.port == port]
        except Unknown:
            return None
        return self._is_own([each.pid for each in found])

    def _reaches(self, port: int | None, polled: frozenset[int]) -> bool | None:
        wanted = polled if port is None else {port}
        try:
            rows = self.subject.read(FACTS.connections)
        except Unknown:
            return None
        return self._is_own([row.pid for row in rows if row.state == "established" and row.remote_port in wanted])

    def _is_own(self, pids: list[int | None]) -> bool | None:
        if self.service.pid is not None and self.service.pid in pids:
            return True
        return None if self.runs and None in pids else False

    # -- files -------------------------------------------------------------------------------------------------------

    def _of_files(self, denial: Denial, actions: set[str]) -> Meaning:
        path = denial.path or ""
        if denial.kind not in _FILES or not actions & (_CHANGES | _READS):
            return NOTHING
        if _KERNELS_OWN.search(denial.target or "") or path.startswith(_DOES_WITHOUT):
            return NOTHING
        if not self._is_own_file(denial):
            whole = path.startswith("/")
            if whole or not actions & _CHANGES:
                return NOTHING
            return Meaning(doubt="whether the file is one that it needs cannot be told by its name")
        if self.clock is None or denial.time_utc is None or denial.time_utc < self.clock - _A_DAY:
            return Meaning(doubt="it is older than a day, and whether it still holds cannot be seen")
        return Meaning(NO_FILES)

    def _is_own_file(self, denial: Denial) -> bool:
        path, places = denial.path or "", self._places()
        if path.startswith("/"):
            return any(path == place or path.startswith(f"{place}/") for place in places)
        if path in _FOLDERS | {PurePosixPath(place).name for place in places}:
            return True
        labels = {each.label for each in self.facts.labels}
        return denial.target is not None and denial.target in labels

    def _places(self) -> set[str]:
        """Its program, its home, and the folders of its applications and configuration, as far as they are known."""
        found = {each.path for each in self.facts.labels} | {self.service.executable or ""}
        try:
            registered = self.subject.registered
            found |= {str(PurePosixPath(registered.configuration.path).parent)} if registered is not None else set()
            settings = self.subject.settings if self.subject.is_tentacle else self.subject.server_settings
            found |= {settings.home or "", getattr(settings, "application_directory", None) or ""}
        except (Unknown, Blocked):
            pass
        return {place.rstrip("/") for place in found if place.startswith("/")}
