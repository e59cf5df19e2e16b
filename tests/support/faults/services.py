"""Services that do not run (causes/services.py)."""

from __future__ import annotations

from datetime import timedelta

from support import NOW
from support.whole import Whole, make_linux

from . import case


@case("TC201", confidence="certain", unsure="")
def stopped(world: Whole) -> None:
    world.down("web-01")


@case("TC201", "poll-01")
def stopped_by_systemd(world: Whole) -> None:
    """SIGTERM's own exit code, which systemd calls a failure."""
    world.down("poll-01", state="failed", exit_code=143, detail="failed / exit-code")


@case("TC202")
def not_since_boot(world: Whole) -> None:
    world.down("web-01", exit_code=1077)


@case("TC202", "octo-1")
def server_not_since_boot(world: Whole) -> None:
    world.down("octo-1", exit_code=1077)


@case("TC203")
def switched_off(world: Whole) -> None:
    world.down("web-01", start_mode="disabled")


@case("TC204", "poll-01")
def off_after_reboot(world: Whole) -> None:
    world["poll-01"].service |= {"start_mode": "disabled"}


@case("TC205", "poll-01", confidence="certain", unsure="")
def flaps_under_systemd(world: Whole) -> None:
    world.down("poll-01", state="starting", exit_code=100, restarts=57, detail="auto-restart / exit-code")


@case("TC205", "poll-01")
def flaps_and_was_just_started(world: Whole) -> None:
    """Between two crashes it runs for some seconds, and that is when it is surveyed."""
    world["poll-01"].service |= {"restarts": 57, "started_utc": NOW - timedelta(seconds=20)}


@case("TC206", confidence="likely", unsure="end of the log of web-01")
def crashed(world: Whole) -> None:
    world.down("web-01", exit_code=1067)


@case("TC206", "web-01")
def crashed_on_linux(world: Whole) -> None:
    """A code that means a missing file on Windows says nothing on Linux."""
    make_linux(world, "web-01")
    world.down("web-01", state="failed", exit_code=2, restarts=0, detail="failed / exit-code")


@case("TC207", confidence="certain")
def no_log_on(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account="CORP\\octopus")


@case("TC208")
def dependency(world: Whole) -> None:
    world.down("web-01", exit_code=1068)


@case("TC209")
def no_program(world: Whole) -> None:
    world.down("web-01", exit_code=2)


@case("TC210")
def hangs_in_start(world: Whole) -> None:
    world.down("web-01", state="starting", exit_code=None, pid=2136, started_utc=NOW - timedelta(minutes=5))


@case("TC211")
def no_service(world: Whole) -> None:
    world.down("web-01")
    world["web-01"].without_service = True


@case("TC212")
def no_instance(world: Whole) -> None:
    world["web-01"].declare(instance="Production")


@case("TC213", "octo-1", confidence="certain")
def server_stopped(world: Whole) -> None:
    world.down("octo-1")
