"""Services that do not run (causes/services.py)."""

from __future__ import annotations

from datetime import timedelta

from support import NOW
from support.whole import Whole, make_linux

from . import case


@case("TC2021", confidence="certain", unsure="")
def stopped(world: Whole) -> None:
    world.down("web-01")


@case("TC2021", "poll-01")
def stopped_by_systemd(world: Whole) -> None:
    """SIGTERM's own exit code, which systemd calls a failure."""
    world.down("poll-01", state="failed", exit_code=143, detail="failed / exit-code")


@case("TC2022")
def not_since_boot(world: Whole) -> None:
    world.down("web-01", exit_code=1077)


@case("TC2022", "octo-1")
def server_not_since_boot(world: Whole) -> None:
    world.down("octo-1", exit_code=1077)


@case("TC2051")
def switched_off(world: Whole) -> None:
    world.down("web-01", start_mode="disabled")


@case("TC2052", "poll-01")
def off_after_reboot(world: Whole) -> None:
    world["poll-01"].service |= {"start_mode": "disabled"}


@case("TC2031", "poll-01", confidence="certain", unsure="")
def flaps_under_systemd(world: Whole) -> None:
    world.down("poll-01", state="starting", exit_code=100, restarts=57, detail="auto-restart / exit-code")


@case("TC2031", "poll-01")
def flaps_and_was_just_started(world: Whole) -> None:
    """Between two crashes it runs for some seconds, and that is when it is surveyed."""
    world["poll-01"].service |= {"restarts": 57, "started_utc": NOW - timedelta(seconds=20)}


@case("TC2032", confidence="likely", unsure="end of the log of web-01")
def crashed(world: Whole) -> None:
    world.down("web-01", exit_code=1067)


@case("TC2032", "web-01")
def crashed_on_linux(world: Whole) -> None:
    """A code that means a missing file on Windows says nothing on Linux."""
    make_linux(world, "web-01")
    world.down("web-01", state="failed", exit_code=2, restarts=0, detail="failed / exit-code")


@case("TC2033", confidence="certain")
def no_log_on(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account="CORP\\octopus")


@case("TC2034")
def dependency(world: Whole) -> None:
    world.down("web-01", exit_code=1068)


@case("TC2035")
def no_program(world: Whole) -> None:
    world.down("web-01", exit_code=2)


@case("TT204")
def hangs_in_start(world: Whole) -> None:
    world.down("web-01", state="starting", exit_code=None, pid=2136, started_utc=NOW - timedelta(minutes=5))


@case("TC2011")
def no_service(world: Whole) -> None:
    world.down("web-01")
    world["web-01"].without_service = True


@case("TT207")
def no_instance(world: Whole) -> None:
    world["web-01"].declare(instance="Production")


@case("TC2061", "octo-1", confidence="certain")
def server_stopped(world: Whole) -> None:
    world.down("octo-1")
