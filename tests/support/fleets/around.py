"""The small fleet with what stands around its Tentacles: connections, firewalls, TLS, disks and the like."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.judging.result import StepResult
from pytest_tentacle.packet_filter.firewall import Firewall, FirewallProfile, FirewallRule
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import Connection, Disk, Product, TlsPolicy

from .world import World

WINDOWS_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_RSA_WITH_AES_256_CBC_SHA")
LINUX_SUITES = ("TLS_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
ROOM = 20 * 1024**3


class Around:
    """A small fleet with what stands around its Tentacles, all of it well: `sections[machine][section]` is the data.

    A text instead of the data is the reason why the section is unknown.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.sections: dict[str, dict[str, Any]] = {name: self.healthy(name) for name in world.drafts}

    def healthy(self, name: str) -> dict[str, Any]:
        """The sections of a machine that is well."""
        draft = self.world[name]
        windows = draft.os == "windows"
        port = 10943 if draft.product == "server" else 10933
        rule = FirewallRule(name="Octopus", action="allow", ports=(str(port),))
        profile = FirewallProfile(name="Domain", enabled=True, inbound="block", local_rules=True, active=True)
        polled = {"local_address": "192.0.2.30", "remote_address": "192.0.2.10", "remote_port": 10943}
        return {
            "connections": (Connection(local_port=50000, state="established", pid=900, **polled),)
            if draft.machine.name.startswith("poll")
            else (),
            "firewall": Firewall(engine="windows", running=True, profiles=(profile,), rules=(rule,))
            if windows
            else Firewall(engine="none", running=False),
            "proxies": (),
            "tls": TlsPolicy(library="Schannel", build=20348, cipher_suites=WINDOWS_SUITES, fips=False)
            if windows
            else TlsPolicy(library="OpenSSL 3.0.15 3 Sep 2024", cipher_suites=LINUX_SUITES, fips=False),
            "events": (),
            "disks": (Disk(path="C:\\" if windows else "/", free_bytes=ROOM, size_bytes=2 * ROOM),),
            "products": (Product(product=draft.product, version="9.1.3268", path=draft.service.get("executable")),),
            "watchdog": (),
            "left_overs": (),
        }

    def change(self, name: str, section: str, **values: Any) -> None:
        """Other values in a section that is one object."""
        self.sections[name][section] = self.sections[name][section].model_copy(update=values)

    def fleet(self) -> Fleet:
        """The drafts with their surroundings, ready to be judged."""
        surveys = self.world.surveys()
        records = []
        for record in surveys.records:
            if record.survey is not None:
                made = {
                    section: Section(unknown=data) if isinstance(data, str) else Section(data=data)
                    for section, data in self.sections[record.machines[0]].items()
                }
                record = record.model_copy(update={"survey": record.survey.model_copy(update=made)})  # noqa: PLW2901
            records.append(record)
        return fleet_of(surveys.model_copy(update={"records": tuple(records)}))

    def judge(self, step: str, name: str) -> StepResult:
        """A step's result on a machine."""
        return self.fleet().subject(name).result(step)

    def codes(self, step: str, name: str) -> list[str]:
        """The codes of a step's problems on a machine."""
        return [problem.code for problem in self.judge(step, name).problems]
