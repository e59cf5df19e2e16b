"""Logs put into a fleet, and judged by the steps that read logs."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest

from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.logs.lines import moment
from pytest_tentacle.logs.model import LogFile
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import Connection, Proxy
from support import NOW
from support.logs import read_log

LISTEN = "listen://[::]:10933/             91  "
WEB_PID = 2136
DAYS = timedelta(days=3)


class Logs:
    """Puts logs and connections into a fleet, and judges."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.logs: dict[str, tuple[LogFile, ...] | str] = {}
        self.connections: dict[str, tuple[Connection, ...]] = {"web-01": ()}
        """Those of the others were not read."""
        self.proxies: dict[str, tuple[Proxy, ...]] = {}
        for name, draft in world.drafts.items():
            self.write(name, self.line(DAYS, "INFO", "nothing", draft.service["pid"]))

    def write(self, name: str, text: str, **more: Any) -> None:
        """A log that was last written when its last line says."""
        draft = self.world[name]
        log = read_log(text.encode(), product=draft.product, instance=draft.instance, path=f"/logs/{name}.txt")
        last = moment(log.last_time or "")
        assert last is not None
        self.logs[name] = (log.model_copy(update={"modified_utc": last.replace(tzinfo=UTC)} | more),)

    def judge(self, name: str, step: str = "identify-the-problem") -> StepResult:
        return self.fleet().subject(name).result(step)

    def fleet(self) -> Fleet:
        surveys = self.world.surveys()
        records = []
        for record in surveys.records:
            if record.survey is None:
                records.append(record)
                continue
            (machine,) = record.machines
            logs = self.logs[machine]
            update: dict[str, Any] = {"logs": Section(unknown=logs) if isinstance(logs, str) else Section(data=logs)}
            if machine in self.connections:
                update["connections"] = Section(data=self.connections[machine])
            if machine in self.proxies:
                update["proxies"] = Section(data=self.proxies[machine])
            records.append(record.model_copy(update={"survey": record.survey.model_copy(update=update)}))
        return fleet_of(surveys.model_copy(update={"records": tuple(records)}))

    def codes(self, name: str, step: str = "identify-the-problem") -> list[str]:
        return [problem.code for problem in self.judge(name, step).problems]

    @staticmethod
    def line(ago: timedelta | float, level: str, text: str, pid: int = WEB_PID) -> str:
        """A line of a log, so many seconds (or so long) before the survey."""
        at = NOW - (ago if isinstance(ago, timedelta) else timedelta(seconds=ago))
        return f"{at:%Y-%m-%d %H:%M:%S}.0057 {pid:>6}      9 {level:>5}  {text}\n"

    @staticmethod
    def start(ago: timedelta | float, pid: int = WEB_PID, *more: str, command: str = "RunAgentCommand") -> str:
        own = ["=" * 80, "Tentacle version 9.1.3268 (9.1.3268) instance Tentacle", f"==== {command} ====", *more]
        return "".join(Logs.line(ago, "INFO", text, pid) for text in own)

    @staticmethod
    def accepted(ago: float, peer: str) -> str:
        return Logs.line(ago, "INFO", f"{LISTEN}Accepted TCP client: {peer}")

    @staticmethod
    def let_in(ago: float, peer: str, thumbprint: str = "AA" * 20, listen: str = LISTEN, pid: int = WEB_PID) -> str:
        return Logs.line(ago, "INFO", f"{listen}Client at {peer} authenticated as {thumbprint}", pid)


@pytest.fixture
def logs(world: Any) -> Logs:
    return Logs(world)
