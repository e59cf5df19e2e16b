"""Faults of the services, of their instances and files, and of our own way to the machine."""

from __future__ import annotations

from pytest_tentacle.lab.blueprint import Blueprint

from .breaking import Site, close, end, lose_configuration, lose_missing, service_of, stop


def service_stopped(machine: Blueprint, _: Site) -> None:
    """Somebody stopped the service."""
    stop(machine, "stopped")


def service_missing(machine: Blueprint, _: Site) -> None:
    """The service was never installed, or was removed."""
    stop(machine, "stopped")
    machine.service = None


def crash_loop(machine: Blueprint, _: Site) -> None:
    """The service dies on start, and systemd starts it again and again."""
    stop(machine, "starting")
    for minutes in (9.0, 5.0, 1.0):
        machine.log.add(minutes, "FATAL", "Address already in use")
    service_of(machine).update(sub_state="auto-restart", result="exit-code", exit_code=100, restarts=57)


def crashed(machine: Blueprint, _: Site) -> None:
    """The service ended with an error: Windows' 1067, the process terminated unexpectedly."""
    stop(machine, "stopped" if machine.is_windows else "failed")
    service_of(machine).update(exit_code=1067 if machine.is_windows else 100, result="exit-code", sub_state="failed")


def service_disabled(machine: Blueprint, _: Site) -> None:
    """It runs, and will not after the next reboot."""
    service_of(machine)["start_mode"] = "disabled"


def start_hangs(machine: Blueprint, _: Site) -> None:
    """The process is there since yesterday, and the service manager still waits for it."""
    service_of(machine).update(state="starting", sub_state="start")
    close(machine)


def not_registered(machine: Blueprint, _: Site) -> None:
    """The instance's entry in the registry of instances was deleted; service and files are still there."""
    machine.registered = False


def config_missing(machine: Blueprint, _: Site) -> None:
    """The instance is registered; its configuration file is gone."""
    machine.config_missing = True
    end(machine)
    lose_missing(
        machine,
        "C:\\Octopus\\Tentacle.config" if machine.is_windows else "/etc/octopus/default/tentacle-Tentacle.config",
    )


def config_empty(machine: Blueprint, _: Site) -> None:
    """A full disk left a file of 0 bytes (Octopus issue 4610)."""
    machine.config_text = ""
    end(machine)
    lose_configuration(machine, "There is an error in XML document (0, 0).\nRoot element is missing.")


def config_cut_off(machine: Blueprint, _: Site) -> None:
    """The file ends in the middle."""
    machine.config_text = machine.xml()[:200]
    end(machine)
    lose_configuration(machine, "There is an error in XML document (6, 40).\nUnexpected end of file has occurred.")


def not_reachable(machine: Blueprint, _: Site) -> None:
    """Our own way to the machine is closed: says nothing about the Tentacle."""
    machine.answers = False


def wrong_password(machine: Blueprint, _: Site) -> None:
    """The inventory's password is an old one."""
    machine.wrong_password = True


def constrained_language(machine: Blueprint, _: Site) -> None:
    """AppLocker or WDAC keep PowerShell in constrained language mode."""
    machine.prelude = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'"


def services_refused(machine: Blueprint, _: Site) -> None:
    """The survey's account may not query the service manager."""
    machine.denied.append("services")


FAULTS = (
    service_stopped, service_missing, crash_loop, crashed, service_disabled, start_hangs, not_registered,
    config_missing, config_empty, config_cut_off,
    not_reachable, wrong_password, constrained_language, services_refused,
)  # fmt: skip
