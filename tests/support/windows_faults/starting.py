"""Services that do not start, or do not stay."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.survey.surroundings import Product
from support import NOW
from support.fleets.whole import Whole, line, started

from . import controller_event, end_log, fault

NAME = "OctopusDeploy Tentacle"
PROGRAM = r"C:\Program Files\Octopus Deploy\Tentacle\Tentacle.exe"


def _does_not_start(world: Whole, code: int, *, exit_code: int | None = None) -> None:
    world.down("web-01", exit_code=code if exit_code is None else exit_code, started_utc=None)
    end_log(world, "web-01")
    world.sections["web-01"]["events"] = (controller_event(7000, 3600, NAME, f"%%{code}"),)


def _dies_when_started(world: Whole, words: str) -> None:
    """Again and again, with these last words in its log."""
    world.down("web-01", exit_code=1067, started_utc=None)
    end_log(world, "web-01")
    world.sections["web-01"]["events"] = (controller_event(7034, 1800, NAME, "3"),)
    world.logs["web-01"] = started(4000, ago=1800) + line(
        1799,
        "FATAL",
        words,
        4000,
    )


def _program_fails(world: Whole, error: str) -> None:
    loading = world.sections["web-01"]["loading"]
    time = loading.times[0].model_copy(update={"cold_ms": None, "warm_ms": None, "exit_code": None, "error": error})
    world.change("web-01", "loading", times=(time,))


@fault("a group policy disabled the service", "disabled")
def service_was_disabled(world: Whole) -> None:
    world.down("web-01", start_mode="disabled", exit_code=0, started_utc=None)
    end_log(world, "web-01")
    told = controller_event(7040, 7200, NAME, "auto start", "disabled", NAME, service=None)
    world.sections["web-01"]["events"] = (told,)


@fault("a service that it needs did not start", "Workstation|LanmanWorkstation")
def dependency_did_not_start(world: Whole) -> None:
    world.down("web-01", exit_code=1068, started_utc=None)
    end_log(world, "web-01")
    told = controller_event(7001, 3600, NAME, "Workstation", "%%1058")
    world.sections["web-01"]["events"] = (told,)


@fault("a service that it needs is not there", "Npcap|depend")
def dependency_is_missing(world: Whole) -> None:
    world.down("web-01", exit_code=1075, started_utc=None)
    end_log(world, "web-01")
    told = (controller_event(7000, 3600, NAME, "%%1075"), controller_event(7003, 3600, NAME, "npcap", service=None))
    world.sections["web-01"]["events"] = told


@fault("it did not start in the 30 s that Windows waits while the machine booted", r"30|time|long", never=("icacls",))
def start_timed_out_at_boot(world: Whole) -> None:
    world["web-01"].host["boot_utc"] = NOW - timedelta(minutes=40)
    world.down("web-01", exit_code=1053, started_utc=None)
    end_log(world, "web-01")
    told = (
        controller_event(7000, 2350, NAME, "%%1053"),
        controller_event(7009, 2350, "30000", NAME, service=None),
    )
    world.sections["web-01"]["events"] = told


@fault(
    "a security product took Tentacle.exe away", r"missing|not there|gone|cannot find|does not exist", "Tentacle.exe"
)
def program_is_gone(world: Whole) -> None:
    _does_not_start(world, 2)
    _program_fails(world, "not-found: the file is not there")
    world.sections["web-01"]["products"] = (Product(product="tentacle", version=None, path=PROGRAM),)


@fault("the path of the program does not exist", r"path|folder|missing|not there")
def path_is_gone(world: Whole) -> None:
    _does_not_start(world, 3)
    _program_fails(world, "not-found: the file is not there")
    world.sections["web-01"]["products"] = ()


@fault("a security product holds Tentacle.exe for a virus", r"holds its program for a virus")
def program_is_taken_for_a_virus(world: Whole) -> None:
    _does_not_start(world, 225)


@fault("a software restriction or AppLocker forbids Tentacle.exe", r"AppLocker|policy|restriction")
def program_is_forbidden_by_policy(world: Whole) -> None:
    _does_not_start(world, 1260)


@fault("application control (WDAC) forbids Tentacle.exe", r"App(lication)? Control|WDAC|AppLocker|policy")
def program_is_forbidden_by_application_control(world: Whole) -> None:
    _does_not_start(world, 4551)


@fault(
    "Tentacle.exe is no program for this Windows: damaged, or of another kind", r"damaged|valid|architecture|install"
)
def program_is_damaged(world: Whole) -> None:
    _does_not_start(world, 193)
    _program_fails(world, "The specified executable is not a valid application for this OS platform.")


@fault("the service's account may not run the program", r"denied|right|access", never=("New-NetFirewallRule",))
def program_is_denied(world: Whole) -> None:
    _does_not_start(world, 5)


@fault("an assembly of the installation is missing", r"damaged|incomplete|missing|install", r"install|repair")
def assembly_is_missing(world: Whole) -> None:
    _dies_when_started(
        world,
        "Could not load file or assembly 'Halibut, Version=8.1.2063.0, Culture=neutral, PublicKeyToken=null' or one of its "
        "dependencies. The system cannot find the file specified.\n"
        "System.IO.FileNotFoundException: Could not load file or assembly 'Halibut, Version=8.1.2063.0'",
    )


@fault("its settings were made on another machine: Windows cannot decrypt them here", r"another machine|copied|other machine",
       may=("new-certificate", "register-with", "delete-instance"))  # fmt: skip
def settings_of_another_machine(world: Whole) -> None:
    _dies_when_started(
        world,
        "Unable to parse configuration key 'Tentacle.Certificate' as a 'String'.\n"
        "System.Security.Cryptography.CryptographicException: Key not valid for use in specified state.",
    )


@fault("somebody stopped the service, and it is set to manual", r"stopped|not run", r"Start-Service|start")
def stopped_by_hand(world: Whole) -> None:
    world.down("web-01", start_mode="manual", exit_code=0)
    end_log(world, "web-01")


@fault("the service is paused", r"paus", r"Resume-Service|continue|restart")
def paused(world: Whole) -> None:
    world["web-01"].service["state"] = "paused"
    world.shut("web-01")
    end_log(world, "web-01")


@fault("the service hangs while it stops", r"stopping|hang|does not end|never end", r"Stop-Process|taskkill|end ")
def hangs_while_stopping(world: Whole) -> None:
    world["web-01"].service["state"] = "stopping"
    world.shut("web-01")
    end_log(world, "web-01")


@fault("the machine booted 70 s ago: a delayed service is not due yet")
def booted_a_minute_ago(world: Whole) -> None:
    world["web-01"].host["boot_utc"] = NOW - timedelta(seconds=70)
    world.down("web-01", exit_code=1077, started_utc=None)
    end_log(world, "web-01")


@fault(
    "it is started by Windows again and again, for it fails by the other instance's port", r"10933|port", r"Blue|3333"
)
def recovers_in_a_loop(world: Whole) -> None:
    world.second_instance("web-01")
    world["web-01"].service |= {"started_utc": NOW - timedelta(seconds=5), "pid": 5100}
    world["web-01"].listeners = [
        {"address": "::", "port": 10933, "pid": 3333, "owner": {
            "pid": 3333, "name": "Tentacle.exe", "command_line": f'"{PROGRAM}" run --instance="Blue"'}}
    ]  # fmt: skip
    told = [controller_event(7031, ago, NAME, str(9 - at), "60000", "1", "Restart the service") for at, ago in
            enumerate((70, 135, 200, 265))]  # fmt: skip
    world.sections["web-01"]["events"] = tuple(told)
    text = (
        "A required communications port is already in use.\nSystem.Net.Sockets.SocketException: Only one usage of each "
        "socket address (protocol/network address/port) is normally permitted"
    )
    for number, ago in enumerate((265, 200, 135, 70, 5)):
        world.logs["web-01"] += started(5096 + number, ago=ago) + line(ago - 1, "FATAL", text, 5096 + number)
    _shows_the_other(world)


def _shows_the_other(world: Whole) -> None:
    from support.fleets.looks import OWN_PORT
    from support.fleets.world import probe

    world["web-01"].replace(OWN_PORT, probe(whose="web-01-blue"))
    world.across("web-01", {"whose": "web-01-blue"}, {"whose": "web-01-blue"})


@fault(".NET Framework is too old for this Tentacle", r"\.NET Framework", r"4\.8")
def framework_is_too_old(world: Whole) -> None:
    world["web-01"].host["dotnet_release"] = 461808
    world.down("web-01", exit_code=1067, started_utc=None)
    end_log(world, "web-01")
    world.sections["web-01"]["events"] = (controller_event(7034, 1800, NAME, "3"),)
