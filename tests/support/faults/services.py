"""Services that do not run (causes/services)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pytest_tentacle.link import Failure
from pytest_tentacle.survey.surroundings import (
    Access,
    AccessEntry,
    Binding,
    Changes,
    Disk,
    Event,
    LoadTime,
    Reservations,
    ReservedPrefix,
    ServiceAccount,
    WrittenFile,
)
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.failures import SILENT
from support.fleets.looks import OWN_PORT
from support.fleets.whole import Whole, make_linux
from support.fleets.world import probe

from . import case

FOR_NETWORK_SERVICE = "010004800000000000000000000000001400000002001c00010000000000140000000020010100000000000514000000"
"""`D:(A;;GX;;;NS)` as the registry holds it."""


def happened(world: Whole, name: str, number: int, ago: float = 30, **data: Any) -> None:
    """An entry of Windows' service controller about a machine's service."""
    event = Event(source="service-control-manager", id=number, time_utc=NOW - timedelta(seconds=ago), data=data)
    world.sections[name]["events"] = (*world.sections[name]["events"], event)


@case("TC2021", confidence="certain", unsure="")
def stopped(world: Whole) -> None:
    world.down("web-01")


@case("TC2021", "poll-01")
def stopped_by_systemd(world: Whole) -> None:
    """SIGTERM's own exit code, which systemd calls a failure."""
    world.down("poll-01", state="failed", exit_code=143, detail="failed / exit-code")


@case("TC2025", confidence="certain", unsure="")
def run_by_no_node(world: Whole) -> None:
    """The cluster's own word: Start-Service would go behind its back."""
    resource = {"resource": "Octopus", "state": "failed", "owner": "WEB-01", "group": "Octopus role"}
    world.down("web-01", start_mode="manual", cluster=resource)


@case("TC2025", "octo-1")
def server_run_by_no_node(world: Whole) -> None:
    resource = {"resource": "Octopus", "state": "offline", "owner": "OCTO-2", "group": "Octopus role"}
    world.down("octo-1", start_mode="manual", exit_code=1077, cluster=resource)


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


@case("TC2031", "poll-01", confidence="certain", unsure="")
def flaps_under_a_systemd_that_does_not_count(world: Whole) -> None:
    """One before 235, as on RHEL 7: no number of restarts, which is not none."""
    world.down("poll-01", state="starting", exit_code=100, restarts=None, detail="auto-restart / exit-code")


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


SERVICE = "OctopusDeploy Tentacle"


@case("TC2033", confidence="certain", unsure="")
def no_log_on_since_boot(world: Whole) -> None:
    """After a boot only the System log tells: the service was never started, so there is no exit code."""
    world.down("web-01", exit_code=1077, account="CORP\\octopus")
    happened(world, "web-01", 7038, param1=SERVICE, param2="CORP\\octopus", param3="%%1330")
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%1069", service=SERVICE)


@case("TC2033", "octo-1")
def no_log_on_of_a_server(world: Whole) -> None:
    world.down("octo-1", exit_code=1069, account="CORP\\octopus")


@case("TC2036", confidence="certain", unsure="")
def no_right_to_log_on(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account="CORP\\octopus")
    happened(world, "web-01", 7041, param1=SERVICE, param2="CORP\\octopus")


@case("TC2036")
def no_right_by_its_number(world: Whole) -> None:
    world.down("web-01", exit_code=1077, account="CORP\\octopus")
    happened(world, "web-01", 7038, param1=SERVICE, param2="CORP\\octopus", param3="%%1385")


@case("TC2037", confidence="certain", unsure="")
def managed_account(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account="CORP\\octo$")
    happened(world, "web-01", 7038, param1=SERVICE, param2="CORP\\octo$", param3="%%1326")


@case("TC2024", confidence="likely", unsure="")
def too_late_at_boot(world: Whole) -> None:
    world.down("web-01", exit_code=1077)
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%1053", service=SERVICE)
    happened(world, "web-01", 7009, param1="30000", param2=SERVICE)


@case("TC2024", "octo-1")
def server_too_late(world: Whole) -> None:
    world.down("octo-1", exit_code=1053)


@case("TC2022")
def an_old_story(world: Whole) -> None:
    """What its log got over, or what was before the boot, is no reason of today."""
    world.down("web-01", exit_code=1077)
    happened(world, "web-01", 7000, 86_400 * 4, param1=SERVICE, param2="%%1053", service=SERVICE)
    happened(world, "web-01", 7038, 86_400 * 2, param1=SERVICE, param2="x", param3="%%1326")


@case("TC2021")
def somebody_elses_event(world: Whole) -> None:
    world.down("web-01")
    happened(world, "web-01", 7041, param1="Spooler", param2="CORP\\print")


@case("TC2031", "web-01", confidence="certain", unsure="")
def flaps_on_windows(world: Whole) -> None:
    """Its recovery action starts it again each time, and between two ends it is surveyed."""
    world["web-01"].service |= {"started_utc": NOW - timedelta(seconds=40)}
    for ago in (2000, 900, 400, 100):
        happened(world, "web-01", 7031, ago, param1=SERVICE, param2="4", param3="60000", service=SERVICE)


@case("TC2032", "web-01", confidence="likely", unsure="end of the log of web-01")
def ended_with_an_error(world: Whole) -> None:
    world.down("web-01", exit_code=1066)
    happened(world, "web-01", 7024, param1=SERVICE, param2="%%4294967295", service=SERVICE)


@case("TC2034", confidence="certain")
def dependency_by_name(world: Whole) -> None:
    world.down("web-01", exit_code=1077)
    happened(world, "web-01", 7001, param1=SERVICE, param2="Network Store Interface", param3="%%1058", service=SERVICE)


@case("TC2035", confidence="certain")
def no_program_by_event(world: Whole) -> None:
    world.down("web-01", exit_code=1077)
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%2", service=SERVICE)


@case("TC2051")
def switched_off_lately(world: Whole) -> None:
    world.down("web-01", start_mode="disabled")
    happened(world, "web-01", 7040, param1=SERVICE, param2="auto start", param3="disabled", param4=SERVICE)


@case("TC2034")
def dependency(world: Whole) -> None:
    world.down("web-01", exit_code=1068)


@case("TC2035")
def no_program(world: Whole) -> None:
    world.down("web-01", exit_code=2)


@case("TC2035", confidence="certain")
def another_file_is_in_its_way(world: Whole) -> None:
    """A file named Program, and no quotes around the path: Windows says that it is no program, and by its path it starts."""
    world.down("web-01", exit_code=193, unquoted=True)


@case("TC2039", confidence="certain")
def memory_is_used_up(world: Whole) -> None:
    """Windows has none left for one more process."""
    world.down("web-01", exit_code=1455)


@case("TC2039")
def memory_was_used_up_at_boot(world: Whole) -> None:
    """By the event alone: as the machine started, and never since."""
    world.down("web-01", exit_code=1077)
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%1455", service=SERVICE)


@case("TC2028")
def blocked_by_policy(world: Whole) -> None:
    world.down("web-01", exit_code=1260)


@case("TC2032", "poll-01")
def ended_by_a_signal(world: Whole) -> None:
    world.down("poll-01", state="failed", exit_code=11, detail="failed / core-dump")


@case("TC2038", "poll-01", confidence="certain", unsure="")
def no_such_user(world: Whole) -> None:
    world.down("poll-01", state="failed", exit_code=217, detail="failed / exit-code")


@case("TC2038", "poll-01")
def no_working_directory_again_and_again(world: Whole) -> None:
    world.down("poll-01", state="starting", exit_code=200, restarts=57, detail="auto-restart / exit-code")


@case("TC2038", "poll-01", confidence="certain", unsure="")
def no_credential(world: Whole) -> None:
    world.down("poll-01", state="failed", exit_code=243, detail="failed / exit-code")


@case("TC2038", "poll-01", confidence="certain", unsure="")
def no_file_of_variables(world: Whole) -> None:
    """Seen with systemd 252: the program was not run, so it has no exit code of its own."""
    world.down("poll-01", state="starting", exit_code=0, detail="auto-restart / resources")


@case("TC2038", "poll-01", confidence="certain", unsure="")
def command_before_it_fails(world: Whole) -> None:
    """The same version: the code that is told is the program's, and the result is of the command."""
    world.down("poll-01", state="failed", exit_code=0, restarts=4, detail="failed / exit-code")


@case("TC2039", "poll-01", confidence="certain", unsure="")
def out_of_memory(world: Whole) -> None:
    world.down("poll-01", state="failed", exit_code=9, detail="failed / oom-kill")


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


@case("TT208", confidence="certain", unsure="")
def former_account(world: Whole) -> None:
    """It was given a domain's account, and its process is still Local System's."""
    world["web-01"].service |= {"account": "ACME\\octo$"}
    row = ServiceAccount(
        service="OctopusDeploy Tentacle", account="ACME\\octo$", sid="S-1-5-21-1-2-3-1105", process_sid="S-1-5-18"
    )
    world.sections["web-01"]["service_accounts"] = (row,)


@case("TT213", "poll-01", confidence="certain", unsure="")
def stopped_by_a_signal(world: Whole) -> None:
    """Its connection stands, as its system keeps it, and that says nothing for it."""
    halted(world, "poll-01", "stopped")


@case("TT213", confidence="certain", unsure="")
def frozen(world: Whole) -> None:
    """Its port is open, and serves no page."""
    make_linux(world, "web-01")
    halted(world, "web-01", "frozen")
    world["web-01"].replace(OWN_PORT, probe(fails="tls", error=Failure.TIMED_OUT))
    world.both("web-01", SILENT)


def halted(world: Whole, name: str, how: Literal["stopped", "frozen"]) -> None:
    """What its system tells of its service's process."""
    row = ServiceAccount(service=world[name].service["name"], account="root", sid="0", process_sid="0", halted=how)
    world.sections[name]["service_accounts"] = (row,)


@case("TT208", "poll-01")
def former_user(world: Whole) -> None:
    """The unit was written after its process was started, and names another user."""
    service = world["poll-01"].service
    service |= {"account": "octopus"}
    row = ServiceAccount(service=service["name"], account="octopus", sid="990", process_sid="0")
    world.sections["poll-01"]["service_accounts"] = (row,)
    unit = WrittenFile(path=f"/etc/systemd/system/{service['name']}", modified_utc=NOW - timedelta(minutes=5))
    world.sections["poll-01"]["changes"] = Changes(files=(unit,))


OTHER_SITE = Binding(endpoint="other.example:443", thumbprint=thumbprint("other"), stored=True, has_key=True)


def serve(world: Whole, name: str, prefix: str = "https://portal.example:443/", **more: Any) -> None:
    """A server's portal at http.sys, with the certificate `BOUND` for its port."""
    world[name].settings["Octopus.WebPortal.ListenPrefixes"] = prefix
    binding = Binding(endpoint="0.0.0.0:443", thumbprint=thumbprint("portal"), stored=True, has_key=True)
    told: dict[str, Any] = {
        "excluded": (),
        "http_sys": (prefix.upper(),),
        "bindings": (binding,),
        "prefixes": (),
    } | more
    world.sections[name]["reservations"] = Reservations(**told)


@case("TT209", "octo-1", confidence="likely")
def portals_port_is_taken(world: Whole) -> None:
    serve(world, "octo-1", http_sys=())
    world.down("octo-1", exit_code=1067)
    owner = {"pid": 4711, "name": "nginx.exe", "executable": r"C:\nginx\nginx.exe", "parent_pid": 1}
    world["octo-1"].listeners.append({"address": "0.0.0.0", "port": 443, "pid": 4711, "owner": owner})


@case("TT209", "octo-1", confidence="likely")
def portals_prefix_is_registered(world: Whole) -> None:
    """By another program, while the server does not run."""
    serve(world, "octo-1")
    world.down("octo-1", exit_code=1067)


@case("TT210", "octo-1", confidence="likely")
def portal_without_a_certificate(world: Whole) -> None:
    """Another site has one."""
    serve(world, "octo-1", bindings=(OTHER_SITE,))


@case("TT211", "octo-1", confidence="likely")
def portals_certificate_was_removed(world: Whole) -> None:
    binding = Binding(endpoint="[::]:443", thumbprint=thumbprint("portal"), stored=False)
    serve(world, "octo-1", bindings=(binding,))


@case("TT212", "octo-1", confidence="likely")
def portals_prefix_is_another_accounts(world: Whole) -> None:
    other = ReservedPrefix(url="https://portal.example:443/", descriptor=FOR_NETWORK_SERVICE)
    serve(world, "octo-1", http_sys=(), prefixes=(other,))
    world.down("octo-1", exit_code=1067)
    (rights,) = world.sections["octo-1"]["permissions"]
    sid = "S-1-5-21-1-2-3-1001"
    home = Access(path=rights.home, entries=(AccessEntry(sid=sid, mask=0x1F01FF),))
    account = {"account": ".\\octo", "sid": sid, "groups": ("S-1-1-0", "S-1-5-11"), "access": (home,)}
    world.sections["octo-1"]["permissions"] = (rights.model_copy(update=account),)


@case("TC2020", confidence="certain")
def paused(world: Whole) -> None:
    world["web-01"].service["state"] = "paused"
    world.shut("web-01")


@case("TC2062", confidence="possible", unsure="Look again in a minute")
def hangs_while_it_stops(world: Whole) -> None:
    world["web-01"].service["state"] = "stopping"
    world.shut("web-01")


@case("TC2065", confidence="certain", unsure="")
def locked_account(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account="CORP\\octopus")
    happened(world, "web-01", 7038, param1=SERVICE, param2="CORP\\octopus", param3="%%1909")


@case("TC2027", confidence="certain", unsure="")
def no_domain_to_ask(world: Whole) -> None:
    world.down("web-01", exit_code=1069, account="CORP\\octopus")
    happened(world, "web-01", 7038, param1=SERVICE, param2="CORP\\octopus", param3="%%1789")


@case("TC2069", confidence="likely")
def denied_by_a_security_product(world: Whole) -> None:
    """Neither the system nor an administrator may open the program, of which its access list knows nothing."""
    executable = world["web-01"].service["executable"]
    time = LoadTime(product="tentacle", executable=executable, error="Access is denied")
    world.sections["web-01"]["loading"] = world.sections["web-01"]["loading"].model_copy(update={"times": (time,)})
    world.down("web-01", exit_code=5)


@case("TC2028", confidence="certain", unsure="")
def taken_for_a_virus(world: Whole) -> None:
    world.down("web-01", exit_code=1077)
    happened(world, "web-01", 7000, param1=SERVICE, param2="%%225", service=SERVICE)


@case("TC2029", confidence="likely")
def program_may_not_be_run(world: Whole) -> None:
    world.down("web-01", exit_code=5, account="CORP\\octopus")


@case("TC2030", confidence="certain", unsure="")
def needs_what_is_not_installed(world: Whole) -> None:
    world.down("web-01", exit_code=1075)
    happened(world, "web-01", 7003, param1=SERVICE, param2="npcap")


@case("TC2063", confidence="certain")
def starts_an_instance_that_is_not_there(world: Whole) -> None:
    world.down("web-01", exit_code=1067, instance="Blue", arguments='run --instance="Blue"')


@case("TC2064", confidence="likely")
def home_on_a_disk_that_is_gone(world: Whole) -> None:
    world.down("web-01", exit_code=1067)
    held = world.sections["web-01"]["permissions"][0]
    gone = (Access(path="E:\\Octopus", error="not-found"),)
    world.sections["web-01"]["permissions"] = (held.model_copy(update={"home": "E:\\Octopus", "access": gone}),)
    world.sections["web-01"]["disks"] = (Disk(path="E:\\Octopus"),)


@case("TT214", confidence="certain", unsure="")
def removed_while_somebody_has_it_open(world: Whole) -> None:
    world.down("web-01", start_mode="disabled", deleted=True)


@case("TT214", confidence="certain", unsure="")
def removed_while_it_runs(world: Whole) -> None:
    world["web-01"].service["deleted"] = True
