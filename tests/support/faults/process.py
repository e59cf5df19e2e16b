"""What the running process does otherwise than its settings say (causes/process.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pytest_tentacle.survey.surroundings import AccessControl, Loading, LoadTime, Proxy, RootLists
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.looks import OWN_PORT
from support.fleets.whole import LINUX_EXECUTABLE, LISTEN, LISTENS, VERSION, Whole, line, make_windows, started

from . import case
from .logs import OCTO, PROXY, TRANSACTION, met

OLD = "octopus of old"


@case("TC1032", confidence="certain", unsure="")
def trusts_the_old_server(world: Whole) -> None:
    """Its settings were corrected, the process was not restarted: the server is never let in."""
    said = f"Agent will trust Octopus Servers with the thumbprint: {thumbprint(OLD)}"
    world.logs["web-01"] = started(2136, said, LISTENS)
    for ago in (300, 298, 296, 294, 292):
        world.logs["web-01"] += line(ago, "INFO", f"{LISTEN}Accepted TCP client: {OCTO}", 2136)
    world.say("web-01", "INFO", "nothing else", 200)


@case("TC1032")
def trusts_nobody_yet(world: Whole) -> None:
    world.logs["web-01"] = started(2136, "The agent is not configured to trust any Octopus Servers.", LISTENS)


@case("TC1032", "poll-01")
def polls_with_the_old_thumbprint(world: Whole) -> None:
    right = world["poll-01"].trusted
    world["poll-01"].trusted = [{**right[0], "Thumbprint": thumbprint(OLD)}]
    world.logs["poll-01"] = world.polls_at_start("poll-01")
    world["poll-01"].trusted = right
    met(world, thumbprint("octopus"), "CN=Octopus Server")
    world.sections["poll-01"]["connections"] = ()


@case("TT909", confidence="likely")
def isolated(world: Whole) -> None:
    """The network drops what goes to the Internet, and Windows waits for it in each handshake, also with itself."""
    waits(world)


@case("TT909")
def isolated_and_slow(world: Whole) -> None:
    waits(world, synced_utc=NOW - timedelta(days=400))


def waits(world: Whole, **lists: Any) -> None:
    world.change("web-01", "tls", root_lists=RootLists(**lists))
    own = world["web-01"].own[OWN_PORT.place_in(world["web-01"].own)]
    world["web-01"].replace(OWN_PORT, own.model_copy(update={"tls": own.tls.model_copy(update={"ms": 15_080.0})}))


@case("TC1183", "poll-01", confidence="likely")
def proxy_of_one_account(world: Whole) -> None:
    """The service's account has one in its Internet Options, which forbids the port; the survey's account has none."""
    make_windows(world, "poll-01")
    world["poll-01"].service["account"] = "CORP\\octopus"
    (rights,) = world.sections["poll-01"]["permissions"]
    world.sections["poll-01"]["permissions"] = (rights.model_copy(update={"account": "CORP\\octopus"}),)
    proxy = Proxy(layer="wininet", account="CORP\\octopus", enabled=True, address="proxy.corp.example:3128")
    world.sections["poll-01"]["proxies"] = (proxy,)
    world.sections["poll-01"]["connections"] = ()
    world.say(
        "poll-01",
        "ERROR",
        f"{TRANSACTION}{PROXY}Proxy destination proxy.corp.example on port 3128 responded with a 403 code - Forbidden",
    )


def server_ends(world: Whole, text: str) -> None:
    """The server ends in its start, and says why."""
    world.down("octo-1", exit_code=1067)
    world.say("octo-1", "FATAL", text)


@case("TT155", "octo-1", confidence="likely")
def license_expired(world: Whole) -> None:
    """The check of the license is one of those before the database is upgraded."""
    text = (
        "One of the pre-conditions to safely upgrade your database has failed, and the upgrade cannot continue.\n"
        "- FAIL: Your Octopus Server would not be compliant with your license if we allowed the upgrade to continue."
    )
    server_ends(world, text)


@case("TT156", "octo-1", confidence="likely")
def schema_not_upgraded(world: Whole) -> None:
    text = (
        "Unhandled AppDomain exception occurred: Failed upgrading database schema - the entire upgrade has been "
        "rolled back to its last known good state.\nUnrecognised document prefix Accounts-1"
    )
    server_ends(world, text)


@case("TT157", "octo-1", confidence="likely")
def portal_on_kestrel(world: Whole) -> None:
    text = "An exception was thrown while activating Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerImpl."
    server_ends(world, text)


@case("TC1431", "octo-1", confidence="likely")
def database_of_another_installation(world: Whole) -> None:
    server_ends(world, "System.IO.IOException: Encrypted stream is not correctly salted with the document key.")


@case("TC1291", "web-01")
def never_since_its_upgrade(world: Whole) -> None:
    """The old version ran for days; the new one ends with an error that nobody knows."""
    world.down("web-01", exit_code=1067)
    world.logs["web-01"] = world.logs["web-01"].replace(VERSION, "8.3.2941") + started(3100, ago=600)
    world.logs["web-01"] += line(
        590, "FATAL", "An exception was thrown while activating Octopus.Tentacle.Something.Nobody.Knows.", 3100
    )


@case("TC2066", "poll-01")
def labelled_as_a_home(world: Whole) -> None:
    """It was unpacked in a home folder: a shell runs it, systemd does not. What SELinux denied was not read."""
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")
    world.sections["poll-01"]["access_control"] = "its records could not be read"


@case("TC2066", "poll-01", confidence="likely")
def hidden_by_its_unit(world: Whole) -> None:
    """ProtectHome=: systemd finds no program where a shell does, and no SELinux is there to deny it."""
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")
    world.sections["poll-01"]["access_control"] = AccessControl(selinux="disabled")


@case("TC2066", "poll-01", confidence="possible")
def labelled_as_a_home_or_kept_from_its_account(world: Whole) -> None:
    """With SELinux and an account of its own, it may be either."""
    may_not_enter_the_folder(world)
    world.sections["poll-01"]["access_control"] = AccessControl(selinux="enforcing")


def refused(world: Whole, words: str) -> None:
    """Neither systemd nor a shell may run the program of poll-01."""
    said = f"it cannot be started: timeout: failed to run command '{LINUX_EXECUTABLE}': {words}"
    time = LoadTime(product="tentacle", executable=LINUX_EXECUTABLE, error=said)
    world.sections["poll-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")


@case("TC2060", "poll-01", confidence="likely")
def on_no_list(world: Whole) -> None:
    """fapolicyd knows what packages brought, and it came in an archive."""
    refused(world, "Operation not permitted")


@case("TC2060", "poll-01")
def mounted_without_programs(world: Whole) -> None:
    """Its file system is mounted with noexec: root may not run it either."""
    refused(world, "Permission denied")


@case("TC2035", "poll-01")
def taken_away(world: Whole) -> None:
    """That it cannot be run is no word of a list or a mount: it is not there."""
    refused(world, "No such file or directory")


@case("TC2042", "poll-01", confidence="likely")
def hardened_too_far(world: Whole) -> None:
    """MemoryDenyWriteExecute=: .NET ends before the program begins, and in a shell all is well."""
    world.down("poll-01", state="starting", exit_code=137, restarts=57, detail="auto-restart / exit-code")


@case("TC2042", "poll-01")
def hardened_by_a_filter_of_calls(world: Whole) -> None:
    world.down("poll-01", state="starting", exit_code=31, restarts=57, detail="auto-restart / core-dump")


@case("TC2031", "poll-01")
def killed_by_somebody(world: Whole) -> None:
    """SIGKILL is nothing that a process does to itself."""
    world.down("poll-01", state="starting", exit_code=9, restarts=57, detail="auto-restart / signal")


@case("TC2041", "poll-01")
def tells_systemd_nothing(world: Whole) -> None:
    """Type=notify: it works, until systemd ends it."""
    world["poll-01"].service |= {"state": "starting", "detail": "start / timeout", "restarts": 57}
    world["poll-01"].service |= {"started_utc": NOW - timedelta(seconds=60)}


@case("TT204", "poll-01")
def comes_to_no_end(world: Whole) -> None:
    """What the unit runs before it (ExecStartPre=) has not ended: the program has not begun."""
    world["poll-01"].service |= {"state": "starting", "detail": "start-pre / success"}
    world["poll-01"].service |= {"started_utc": NOW - timedelta(seconds=60)}


def says_of_itself(world: Whole, printed: str) -> None:
    """The program of web-01 ends with an exception when it is asked for its help."""
    (time,) = world.sections["web-01"]["loading"].times
    time = time.model_copy(update={"exit_code": 0xE0434352, "printed": printed})
    world.sections["web-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("web-01", exit_code=1067)


@case("TC8137", confidence="likely")
def hooked_by_a_product_that_is_gone(world: Whole) -> None:
    words = "Unhandled exception. System.ArgumentException: Startup hook assembly 'C:\\Otel\\Hook.dll' failed to load."
    says_of_itself(world, f"{words} ---> System.IO.FileNotFoundException: Could not load file or assembly 'C:\\Otel'")


@case("TC8138", confidence="likely")
def one_part_is_blocked(world: Whole) -> None:
    words = "An Application Control policy has blocked this file. (0x800711C7)"
    says_of_itself(
        world, f"Unhandled exception. System.IO.FileLoadException: Could not load file 'Halibut.dll'. {words}"
    )


@case("TC8138")
def one_part_is_blocked_by_applocker(world: Whole) -> None:
    """In German: the number is the same."""
    says_of_itself(world, "System.IO.FileLoadException: Dieses Programm wurde durch Gruppenrichtlinie (0x800704EC)")


@case("TC8139", confidence="likely")
def framework_cannot_read_its_configuration(world: Whole) -> None:
    words = "Configuration system failed to initialize ---> System.Xml.XmlException: Root element is missing."
    says_of_itself(world, f"Unhandled Exception: System.Configuration.ConfigurationErrorsException: {words}")


@case("TC8139")
def own_configuration_is_damaged(world: Whole) -> None:
    words = "(C:\\Program Files\\Octopus Deploy\\Tentacle\\Tentacle.exe.Config line 3)"
    says_of_itself(world, f"System.Configuration.ConfigurationErrorsException: Unrecognized section startup. {words}")


@case("TC8131")
def lacks_a_part(world: Whole) -> None:
    """An assembly that is not there, and no hook, policy or configuration of another's."""
    says_of_itself(
        world, "Unhandled Exception: System.IO.FileNotFoundException: Could not load file or assembly 'Halibut'"
    )


@case("TC8134", "poll-01")
def of_an_old_distribution(world: Whole) -> None:
    printed = f"{LINUX_EXECUTABLE}: /lib64/libstdc++.so.6: version `GLIBCXX_3.4.20' not found"
    time = LoadTime(
        product="tentacle", executable=LINUX_EXECUTABLE, cold_ms=20, warm_ms=20, exit_code=1, printed=printed
    )
    world.sections["poll-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("poll-01", exit_code=1)


@case("TC8135", "poll-01", confidence="likely")
def without_room_for_the_runtime(world: Whole) -> None:
    """A small machine: what .NET reserves when it starts is more than a limit allows."""
    printed = "Failed to create CoreCLR, HRESULT: 0x8007000E"
    time = LoadTime(
        product="tentacle", executable=LINUX_EXECUTABLE, cold_ms=20, warm_ms=20, exit_code=137, printed=printed
    )
    world.sections["poll-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("poll-01", exit_code=137)


@case("TC8136", "poll-01", confidence="likely")
def without_a_folder_for_temporary_files(world: Whole) -> None:
    """Its account may not write there, which .NET says before the program itself can say anything."""
    time = LoadTime(
        product="tentacle",
        executable=LINUX_EXECUTABLE,
        cold_ms=20,
        warm_ms=20,
        exit_code=137,
        printed="Failed to create CoreCLR, HRESULT: 0x80004005",
    )
    world.sections["poll-01"]["loading"] = Loading(times=(time,), revocation=())
    world.down("poll-01", exit_code=137)


@case("TC2068", "poll-01", confidence="likely")
def for_another_processor(world: Whole) -> None:
    """The archive was that of another kind of machine."""
    words = "it is a program for another kind of processor"
    time = LoadTime(product="tentacle", executable=LINUX_EXECUTABLE, error=words)
    world.sections["poll-01"]["loading"] = Loading(times=(time,), revocation=())
    world["poll-01"].host["architecture"] = "x86_64"
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")


@case("TC2067", "poll-01", confidence="likely")
def may_not_enter_the_folder(world: Whole) -> None:
    """The folder of the program was made for root alone, and the service runs as somebody else."""
    world["poll-01"].service["account"] = "octopus"
    (rights,) = world.sections["poll-01"]["permissions"]
    access = tuple(each.model_copy(update={"owner": "octopus"}) for each in rights.access)
    theirs = rights.model_copy(update={"account": "octopus", "groups": ("octopus",), "access": access})
    world.sections["poll-01"]["permissions"] = (theirs,)
    world.down("poll-01", state="failed", exit_code=203, detail="failed / exit-code")


@case("TC1081", "poll-01")
def polls_past_its_proxy(world: Whole) -> None:
    """It was set to a proxy, which its version does not load for polling."""
    world.through_proxy("poll-01")
    said = world.polls_at_start("poll-01", proxy="none").splitlines(keepends=True)
    world.logs["poll-01"] = "".join(each for each in said if "proxy" not in each)
    world.sections["poll-01"]["connections"] = ()
    text = (
        "A connection attempt failed because the connected party did not properly respond after a period of time, or "
        "established connection failed because connected host has failed to respond"
    )
    address = world["octo-1"].machine.ip
    world.say("poll-01", "ERROR", f"{TRANSACTION}{text} {address}:10943")
