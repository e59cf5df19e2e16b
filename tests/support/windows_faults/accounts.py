"""The account that a service logs on as."""

from __future__ import annotations

from support.fleets.whole import Whole

from . import controller_event, end_log, fault, set_account

NAME = "OctopusDeploy Tentacle"
SID = "S-1-5-21-1004336348-1177238915-682003330-1604"
OWN = r"CONTOSO\svc-octopus"
LOGON_FAILED = 1069
NOT_THE_PASSWORD = (r"Renew the password",)


def _cannot_log_on(world: Whole, code: int | None, account: str = OWN, *, event: int = 7038) -> None:
    """It did not start after the reboot of last night: 7038 or 7041 tell why, and 7000 that it did not log on."""
    set_account(world, "web-01", account, SID, runs=False)
    world.down("web-01", exit_code=LOGON_FAILED, started_utc=None)
    end_log(world, "web-01")
    told = controller_event(event, 3600, NAME, account, *([f"%%{code}"] if code else []), service=None)
    failed = controller_event(7000, 3600, NAME, f"%%{LOGON_FAILED}")
    world.sections["web-01"]["events"] = (failed, told)


@fault("the account's password was changed, and the service has the old one", "password", "svc-octopus")
def password_was_changed(world: Whole) -> None:
    _cannot_log_on(world, 1326)


@fault("the account's password has expired", "expired", "password")
def password_has_expired(world: Whole) -> None:
    _cannot_log_on(world, 1330)


@fault("the account must change its password before it logs on", "password", "must|change")
def password_must_change(world: Whole) -> None:
    _cannot_log_on(world, 1907)


@fault("the account is locked", "locked", never=NOT_THE_PASSWORD)
def account_is_locked(world: Whole) -> None:
    _cannot_log_on(world, 1909)


@fault("the account is disabled", "account.{0,60}disabled|disabled.{0,60}account", never=NOT_THE_PASSWORD)
def account_is_disabled(world: Whole) -> None:
    _cannot_log_on(world, 1331)


@fault("the account has expired", "account.{0,60}expired|expired.{0,60}account", never=NOT_THE_PASSWORD)
def account_has_expired(world: Whole) -> None:
    _cannot_log_on(world, 1793)


@fault(
    "the right to log on as a service was taken, as by a group policy",
    "log on as a service|SeServiceLogonRight",
    never=NOT_THE_PASSWORD,
)
def right_was_taken_7041(world: Whole) -> None:
    _cannot_log_on(world, None, event=7041)


@fault("the right to log on as a service is missing", "log on as a service|SeServiceLogonRight", never=NOT_THE_PASSWORD)
def right_is_missing_1385(world: Whole) -> None:
    _cannot_log_on(world, 1385)


@fault(
    "no domain controller answered when the service logged on",
    "domain controller|logon server|log-on server",
    never=NOT_THE_PASSWORD,
)
def no_logon_server(world: Whole) -> None:
    _cannot_log_on(world, 1311)


@fault(
    "the machine lost the trust of its domain",
    "trust|secure channel",
    "domain",
    never=(r"configure --trust", *NOT_THE_PASSWORD),
)
def trust_of_the_domain_is_lost(world: Whole) -> None:
    _cannot_log_on(world, 1789)


@fault(
    "this machine may not read the managed account's password", r"managed|gMSA|ADServiceAccount",
    never=(r"obj=.{0,80}password=",),
)  # fmt: skip
def managed_account_is_not_for_this_machine(world: Whole) -> None:
    _cannot_log_on(world, 1326, r"CONTOSO\gmsa-octopus$")


@fault("it could not log on; the System log could not be read, so why is open", "log on", "account", unsure=True)
def logon_failed_and_no_event_log(world: Whole) -> None:
    _cannot_log_on(world, 1326)
    world.sections["web-01"]["events"] = "the event log did not answer within 10 s"


@fault("the account's name does not exist any more", r"svc-octopus", "does not exist", never=NOT_THE_PASSWORD)
def account_was_deleted(world: Whole) -> None:
    _cannot_log_on(world, 1332)
