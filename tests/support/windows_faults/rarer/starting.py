"""Services that Windows cannot start, for rarer reasons."""

from __future__ import annotations

from datetime import timedelta

from pytest_tentacle.survey.model import Service
from support import NOW
from support.fleets.whole import Whole, line, make_windows, started
from support.windows_faults import controller_event, end_log, fault, set_account
from support.windows_faults.rarer import TENTACLE, as_known

SID = "S-1-5-21-1004336348-1177238915-682003330-1604"
LOG_ON_FAILED = 1069
NOT_THE_PASSWORD = (r"Renew the password", r"obj=.{0,80}password=")
POLLER = {"machine": "poll-01"}


def _cannot_log_on(world: Whole, code: int, account: str, name: str = "web-01") -> None:
    set_account(world, name, account, SID, runs=False)
    world.down(name, exit_code=LOG_ON_FAILED, started_utc=None)
    world.sections[name]["events"] = (
        controller_event(7000, 2350, TENTACLE, f"%%{LOG_ON_FAILED}"),
        controller_event(7038, 2350, TENTACLE, account, f"%%{code}", service=None),
    )


def _does_not_start(world: Whole, code: int, name: str = "web-01") -> None:
    world.down(name, exit_code=code, started_utc=None)
    world.sections[name]["events"] = (controller_event(7000, 3600, TENTACLE, f"%%{code}"),)


@fault(
    "the machine's clock is wrong, so its domain lets nobody log on",
    r"clock|time (and|or|diff)",
    never=NOT_THE_PASSWORD,
)
def clock_keeps_the_account_out(world: Whole) -> None:
    """Hyper-V's time synchronisation set the clock back at boot: Kerberos refuses more than five minutes.

    Source: learn.microsoft.com, System Error Codes 1300-1699: 1398, ERROR_TIME_SKEW ("There is a time and/or date difference
    between the client and server"); event 7038 of the service controller.
    """
    _cannot_log_on(world, 1398, r"CONTOSO\svc-octopus")
    end_log(world, "web-01")


@fault("the same on a poller", r"clock|time (and|or|diff)", never=NOT_THE_PASSWORD, **POLLER)
def clock_keeps_the_account_of_a_poller_out(world: Whole) -> None:
    """As above; the poller has said nothing since."""
    make_windows(world, "poll-01")
    _cannot_log_on(world, 1398, r"CONTOSO\svc-octopus", "poll-01")
    world.logs["poll-01"] = world.polls_at_start("poll-01") + world.secured("poll-01", "octo-1")


@fault("Netlogon was not started when the service logged on", r"Netlogon|log-?on service", never=NOT_THE_PASSWORD)
def netlogon_was_not_ready(world: Whole) -> None:
    """At boot, the service logs on before Netlogon runs.

    Source: learn.microsoft.com, System Error Codes 1700-3999: 1792, ERROR_NETLOGON_NOT_STARTED ("An attempt was made to logon, but
    the network logon service was not started").
    """
    world["web-01"].host["boot_utc"] = NOW - timedelta(minutes=40)
    _cannot_log_on(world, 1792, r"CONTOSO\svc-octopus")
    end_log(world, "web-01")


@fault("at boot no domain controller gave the managed account's password yet", r"domain", r"delay|minutes later|some minutes",
       never=("PrincipalsAllowedToRetrieve", *NOT_THE_PASSWORD))  # fmt: skip
def managed_account_at_boot(world: Whole) -> None:
    """A group managed account of a machine whose network comes up late.

    Source: learn.microsoft.com, "Group Managed Service Accounts overview" (the host asks a domain controller at each start);
    System Error Codes: 1908, ERROR_DOMAIN_CONTROLLER_NOT_FOUND ("Could not find the domain controller for this domain").
    """
    world["web-01"].host["boot_utc"] = NOW - timedelta(minutes=40)
    _cannot_log_on(world, 1908, r"CONTOSO\gmsa-octopus$")
    end_log(world, "web-01")


def _marked(world: Whole, name: str) -> None:
    draft = world[name]
    draft.service |= as_known(Service, deleted=True)
    world.down(name, start_mode="disabled", exit_code=1072 if name == "poll-01" else 0)


@fault("the service is marked for deletion", r"marked for deletion|to be deleted|deletes? it", never=("Set-Service",))
def service_is_marked_for_deletion(world: Whole) -> None:
    """Tentacle was uninstalled, to be installed again, while somebody's Services applet was open.

    The service cannot be started or changed until all handles to it are closed; DeleteFlag is 1 in its key, and its start mode
    is disabled.

    Source: learn.microsoft.com, DeleteService; System Error Codes 1072, ERROR_SERVICE_MARKED_FOR_DELETE; octopus.com/docs,
    "uninstall Tentacle" (service --stop --uninstall).
    """
    _marked(world, "web-01")
    end_log(world, "web-01")


@fault("the same on a poller", r"marked for deletion|to be deleted|deletes? it", never=("Set-Service",), **POLLER)
def service_of_a_poller_is_marked_for_deletion(world: Whole) -> None:
    """As above; somebody tried to start it, and it kept that error."""
    make_windows(world, "poll-01")
    _marked(world, "poll-01")


@fault(
    r"the path of the service has no quotes, and C:\Program.exe is started instead",
    r"quotes",
    r"C:\\Program\b",
)
def path_without_quotes(world: Whole) -> None:
    r"""`sc config binPath=` lost the quotes; somebody's C:\\Program.exe is no program for this Windows.

    Source: learn.microsoft.com, CreateService (lpBinaryPathName: "if the path contains a space, it must be quoted"); CreateProcess
    (the order in which a path without quotes is tried); System Error Codes 193, ERROR_BAD_EXE_FORMAT.
    """
    draft = world["web-01"]
    draft.service |= as_known(Service, unquoted=True)
    _does_not_start(world, 193)
    end_log(world, "web-01")


@fault("no memory was left to start the program", r"memory|paging file", never=("Repair|repair the installation",))
def paging_file_is_too_small(world: Whole) -> None:
    """Another program took all memory and the paging file does not grow.

    Source: learn.microsoft.com, System Error Codes 1300-1699: 1455, ERROR_COMMITMENT_LIMIT ("The paging file is too small for this
    operation to complete").
    """
    _does_not_start(world, 1455)
    end_log(world, "web-01")


@fault(
    "the file system cannot read the program any more",
    r"corrupt|damaged|unreadable|cannot be read",
    r"chkdsk|Repair-Volume|disk|volume",
)
def program_lies_on_damaged_clusters(world: Whole) -> None:
    """The volume is damaged.

    Source: learn.microsoft.com, System Error Codes 1300-1699: 1392, ERROR_FILE_CORRUPT ("The file or directory is corrupted and
    unreadable").
    """
    _does_not_start(world, 1392)
    loading = world.sections["web-01"]["loading"]
    failed = {
        "cold_ms": None,
        "warm_ms": None,
        "exit_code": None,
        "error": "The file or directory is corrupted and unreadable.",
    }
    world.change("web-01", "loading", times=(loading.times[0].model_copy(update=failed),))
    end_log(world, "web-01")


@fault("a library that the program is bound to is not there in its version (side by side)",
       r"side.by.side|library|part|runtime|damaged", r"install|repair", never=("icacls",))  # fmt: skip
def side_by_side_is_wrong(world: Whole) -> None:
    """The redistributable or the manifest is damaged.

    Source: learn.microsoft.com, System Error Codes 12000-15999: 14001, ERROR_SXS_CANT_GEN_ACTCTX ("The application has failed to start
    because its side-by-side configuration is incorrect").
    """
    _does_not_start(world, 14001)
    loading = world.sections["web-01"]["loading"]
    text = "The application has failed to start because its side-by-side configuration is incorrect."
    failed = {"cold_ms": None, "warm_ms": None, "exit_code": None, "error": text}
    world.change("web-01", "loading", times=(loading.times[0].model_copy(update=failed),))
    end_log(world, "web-01")


def _ends_with(world: Whole, text: str) -> None:
    world.down("web-01", exit_code=1067, started_utc=None)
    world.sections["web-01"]["events"] = (controller_event(7034, 1800, TENTACLE, "2"),)
    world.logs["web-01"] = started(4000, ago=1800) + line(1799, "FATAL", text, 4000)


@fault("Octopus Home is a share that does not answer", r"nas01|network path|share")
def home_on_a_share_that_is_gone(world: Whole) -> None:
    r"""The home was moved to a share, whose server is gone.

    Source: learn.microsoft.com, System Error Codes 53, ERROR_BAD_NETPATH ("The network path was not found"), as .NET's
    IOException words it.
    """
    world["web-01"].settings["Octopus.Home"] = r"\\nas01\octopus"
    text = (
        "The network path was not found.\nSystem.IO.IOException: The network path was not found. : '\\\\nas01\\octopus\\Logs'\n"
        "   at System.IO.FileSystem.CreateDirectory(String fullPath)"
    )
    _ends_with(world, text)
    held = world.sections["web-01"]["permissions"][0]
    unread = tuple(each.model_copy(update={"path": r"\\nas01\octopus", "error": "unreadable"}) for each in held.access)
    world.sections["web-01"]["permissions"] = (held.model_copy(update={"home": r"\\nas01\octopus", "access": unread}),)


@fault(
    "policy wants a password for each use of a key, which no service can give",
    r"key",
    r"protection|ForceKeyProtection|prompt|ask",
)
def keys_are_strongly_protected(world: Whole) -> None:
    """The security option "System cryptography: Force strong key protection" is 2: Windows would have to ask somebody.

    Source: learn.microsoft.com, that security option; winerror.h NTE_SILENT_CONTEXT 0x80090022 ("Provider could not perform the
    action since the context was acquired as silent").
    """
    text = (
        "Provider could not perform the action since the context was acquired as silent.\n"
        "System.Security.Cryptography.CryptographicException: Provider could not perform the action since the context was acquired "
        "as silent.\n   at System.Security.Cryptography.X509Certificates.X509Certificate2..ctor(Byte[] rawData, String password)"
    )
    _ends_with(world, text)
