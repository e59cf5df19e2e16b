"""Whom services' processes run as, and a masked unit whose process is still there."""

from __future__ import annotations

import pytest

MASKED = "/opt/octopus/tentacle/Tentacle agent --instance 'My Tentacle'"


@pytest.fixture
def sections():
    return {"service_accounts", "loading"}


def rows(machine, *shell):
    return [
        (row.service, row.account, row.sid, row.process_sid)
        for row in machine.survey(*shell).survey.service_accounts.data
    ]


class TestAccounts:
    def test_as_the_unit_says(self, machine, shell):
        """In every shell; a unit that names nobody runs as root, and a number is a user, too."""
        machine.service(account="octopus")
        machine.service(name="second", account=None, pid=2137)
        machine.service(name="third", account="1234", pid=2138)
        assert rows(machine, shell) == [
            ("Tentacle.service", "octopus", "990", "990"),
            ("second.service", "root", "0", "0"),
            ("third.service", "1234", "1234", "1234"),
        ]

    def test_a_former_user(self, machine):
        machine.service(account="octopus")
        machine.process(2136)
        assert rows(machine) == [("Tentacle.service", "octopus", "990", "0")]

    def test_nobody_tells(self, machine):
        """No such user, or a process that may not be looked at: null, and no zero."""
        machine.service(account="nobody-knows")
        machine.description["denied"] = ["/proc/2136/status"]
        assert rows(machine) == [("Tentacle.service", "nobody-knows", None, None)]

    @pytest.mark.parametrize(
        ("state", "freezer", "halted"),
        [
            ("S (sleeping)", "running", None),
            ("T (stopped)", "running", "stopped"),
            ("t (tracing stop)", "running", "traced"),
            ("S (sleeping)", "frozen", "frozen"),
            ("S (sleeping)", "frozen-by-parent", "frozen"),
        ],
    )
    def test_a_process_that_does_nothing(self, machine, shell, state, freezer, halted):
        """Stopped by a signal, held by a debugger, frozen with its control group."""
        machine.service(account="octopus", FreezerState=freezer)
        machine.file("/proc/2136/status", f"Name:\tTentacle\nUmask:\t0022\nState:\t{state}\nUid:\t990\t990\t990\t990\n")
        (row,) = machine.survey(shell).survey.service_accounts.data
        assert (row.process_sid, row.halted) == ("990", halted)

    def test_it_does_not_run(self, machine):
        machine.service(state="stopped", pid=None)
        assert rows(machine) == []


class TestMasked:
    """systemd loads nothing of a masked unit, and keeps the process that it had started."""

    @pytest.fixture
    def masked(self, machine):
        machine.service(command=MASKED, start_mode="disabled", account="octopus")
        return machine

    def test_its_process_tells(self, masked, shell):
        survey = masked.survey(shell).survey
        (service,) = survey.services.data
        assert (service.product, service.instance, service.start_mode) == ("tentacle", "My Tentacle", "disabled")
        assert (service.account, service.pid, service.state) == ("octopus", 2136, "running")
        assert service.executable == "/opt/octopus/tentacle/Tentacle"
        assert service.started_utc is not None
        assert [row.process_sid for row in survey.service_accounts.data] == ["990"]
        assert survey.loading.data.times

    @pytest.mark.parametrize("closed", ["/proc/2136/status", "/proc/2136/cmdline"])
    def test_that_may_not_be_looked_at(self, masked, closed):
        """Then its name tells whose it is, and its account is not known: never root."""
        masked.description["denied"] = [closed]
        (service,) = masked.survey().survey.services.data
        assert (service.product, service.account, service.pid) == ("tentacle", None, 2136)

    def test_systemd_has_lost_it(self, masked):
        """What the lab said before: no number of a process."""
        masked.description["services"][0]["process_lost"] = True
        (service,) = masked.survey().survey.services.data
        assert (service.product, service.account, service.pid, service.state) == ("tentacle", None, None, "running")

    def test_another_program(self, machine):
        """A masked unit of somebody else's that runs is none of ours, whatever it is called."""
        machine.service(command="/usr/bin/other agent", start_mode="disabled")
        assert machine.survey().survey.services.data == ()
