"""The steps, one for each test of the guide, and what each looks at in the surveys. Needs neither pytest nor a network.

`STEPS` is the one list: what a step is called, to which machines it applies, which checks it makes, and on which other
steps it rests. A section of the guide is a folder here, whose name holds its checks: `services.service_keeps_running`.
"""

from __future__ import annotations

from pytest_tentacle.guide import sections as guide
from pytest_tentacle.guide.severity import DEFAULT_GATE, Severity
from pytest_tentacle.judging.check import Check, check
from pytest_tentacle.judging.step import Step, in_order
from pytest_tentacle.judging.subject import Fleet, Subject
from pytest_tentacle.survey.store import Surveys

from . import (
    account,
    addresses,
    applies,
    connections,
    health,
    identify,
    load_time,
    messages,
    ping,
    proxies,
    services,
    settings,
    thumbprint,
    tls,
    zombies,
)
from .cost import weighed

STEPS: tuple[Step, ...] = (
    Step(
        "identify-the-problem",
        "Identify the problem",
        guide.IDENTIFY,
        applies.to_each_machine,
        checks=(
            identify.octopus_own_words_are_told,
            identify.own_log_holds_no_standing_failure,
            identify.last_start_came_to_its_end,
            identify.connecting_server_is_let_in,
            identify.servers_logs_hold_no_standing_failure,
            identify.no_start_ended_before_its_home_was_known,
            identify.no_process_ended_unknown_before_its_home_was_known,
            identify.service_names_an_instance_that_is_there,
            identify.last_registration_succeeded,
            identify.last_calls_succeeded,
            identify.process_runs_with_the_settings_of_its_file,
            identify.server_does_not_hang_up_on_the_certificate,
            identify.thumbprint_is_let_in_from_one_machine,
        ),
    ),
    Step(
        "services-running",
        "Services running",
        guide.SERVICES,
        applies.to_each_host,
        checks=(
            services.instance_is_registered,
            services.service_is_installed,
            services.service_is_not_about_to_be_deleted,
            services.service_keeps_running,
            services.process_is_not_halted,
            services.service_starts_by_itself,
            services.process_runs_as_its_account,
            services.servers_further_ports_are_free_for_it,
            services.web_server_is_set_up,
            services.octopus_says_that_it_operates,
        ),
    ),
    Step(
        "communication-settings",
        "Communication settings",
        guide.SETTINGS,
        applies.to_tentacles_and_polled_servers,
        checks=(
            settings.configuration_is_readable,
            settings.mode_is_as_declared,
            settings.port_is_as_declared,
            settings.listening_address_is_the_machines_own,
            settings.polling_entries_are_complete,
            settings.declared_servers_are_polled,
            settings.some_server_is_trusted,
            settings.declared_servers_are_trusted,
            settings.trusted_thumbprints_are_well_formed,
            settings.registration_in_octopus_can_be_used,
            settings.octopus_waits_for_its_subscription,
        ),
    ),
    Step(
        "tentacle-thumbprint",
        "Tentacle thumbprint",
        guide.THUMBPRINT,
        applies.to_tentacles_and_polled_servers,
        checks=(
            thumbprint.thumbprint_is_as_declared,
            thumbprint.port_presents_the_thumbprint,
            thumbprint.no_other_host_has_the_certificate,
            thumbprint.octopus_thumbprints_are_told,
        ),
        rests_on=("services-running", "communication-settings", "welcome-page-here"),
    ),
    Step(
        "tentacle-certificate",
        "Tentacle certificate",
        guide.THUMBPRINT,
        applies.to_tentacles_and_polled_servers,
        checks=(
            thumbprint.certificate_is_strong_enough,
            thumbprint.no_other_host_has_the_subscription,
            thumbprint.private_key_is_usable,
        ),
        rests_on=("services-running", "communication-settings", "welcome-page-here"),
    ),
    Step(
        "welcome-page-here",
        "Welcome page on the machine itself",
        guide.CONNECTIONS,
        applies.to_whoever_listens,
        checks=(
            connections.page_is_shown_here,
            connections.port_is_held_by_the_service,
            connections.port_is_not_excluded_from_use,
        ),
        rests_on=("services-running", "communication-settings"),
    ),
    Step(
        "welcome-page-across",
        "Welcome page across the link",
        guide.CONNECTIONS,
        applies.to_links,
        checks=(
            connections.page_is_shown_by_name_or_else_by_address,
            connections.connection_is_let_out,
            connections.both_ends_have_a_way,
            connections.connection_comes_about_soon,
            connections.octopus_way_to_the_machine_is_told,
            connections.octopus_waits_long_enough,
        ),
        rests_on=("services-running", "communication-settings", "welcome-page-here"),
    ),
    Step(
        "local-firewall",
        "Local firewall",
        guide.CONNECTIONS,
        applies.to_whoever_listens,
        checks=(connections.port_is_let_in,),
        rests_on=("services-running", "communication-settings", "welcome-page-here"),
    ),
    Step(
        "connections-established",
        "Connections established",
        guide.CONNECTIONS,
        applies.to_tentacles_and_polled_servers,
        checks=(
            connections.polled_servers_are_connected,
            connections.half_closed_connections_do_not_pile_up,
            connections.no_address_holds_too_many_connections,
        ),
        rests_on=("services-running", "communication-settings", "welcome-page-here", "welcome-page-across"),
    ),
    Step(
        "proxies-and-ssl-offloading",
        "Proxies and SSL offloading",
        guide.PROXIES,
        applies.to_tentacles,
        checks=(
            proxies.proxy_settings_can_be_right,
            proxies.process_uses_the_proxy_of_its_settings,
            proxies.proxy_opens_a_way_to_each_server,
        ),
        rests_on=("welcome-page-across",),
    ),
    Step(
        "tentacle-ping",
        "Tentacle Ping",
        guide.PING,
        applies.where_pings_were_asked_for,
        checks=(ping.every_attempt_goes_well,),
        rests_on=("services-running", "communication-settings", "welcome-page-here", "welcome-page-across"),
    ),
    Step(
        "ip-addresses",
        "IP addresses",
        guide.ADDRESSES,
        applies.to_tentacles,
        checks=(
            addresses.used_address_is_the_machines_own,
            addresses.own_names_lead_to_the_machine,
            addresses.each_address_of_a_name_answers,
            addresses.names_resolve_soon,
        ),
        rests_on=("services-running", "communication-settings", "welcome-page-here", "welcome-page-across"),
    ),
    Step(
        "zombie-child-processes",
        "Zombie child processes",
        guide.ZOMBIES,
        applies.to_whoever_listens,
        checks=(zombies.nothing_left_over_holds_the_port,),
        rests_on=("communication-settings", "welcome-page-here"),
    ),
    Step(
        "service-account-permissions",
        "Service account permissions",
        guide.ACCOUNT,
        applies.to_tentacles_and_polled_servers,
        checks=(account.account_has_full_control, account.security_modules_let_it_work),
    ),
    Step(
        "load-time",
        "Load time",
        guide.LOADING,
        applies.to_tentacles_and_polled_servers,
        checks=(load_time.help_is_shown_within_a_second,),
        rests_on=("welcome-page-across",),
    ),
    Step(
        "schannel-and-tls",
        "Schannel and TLS",
        guide.TLS,
        applies.to_each_end,
        checks=(
            tls.own_policy_allows_what_octopus_needs,
            tls.both_ends_have_tls_in_common,
            tls.failed_handshakes_are_told,
            tls.net_framework_is_new_enough,
            tls.no_handshake_waits_for_lists_of_roots,
        ),
        rests_on=("services-running", "communication-settings", "welcome-page-here"),
    ),
    Step(
        "other-error-messages",
        "Other error messages",
        guide.MESSAGES,
        applies.to_each_machine,
        checks=(
            messages.own_log_holds_no_such_message,
            messages.servers_logs_hold_no_such_message,
        ),
    ),
    Step(
        "machine-health",
        "Machine health",
        guide.MESSAGES,
        applies.to_each_host,
        checks=(
            health.disks_have_room,
            health.clocks_agree,
            health.no_known_defect_shows,
            health.both_ends_are_of_one_generation,
            health.process_is_of_the_installed_version,
            health.left_overs_are_told,
            health.last_resort_is_told,
        ),
        rests_on=(
            "identify-the-problem",
            "services-running",
            "communication-settings",
            "tentacle-thumbprint",
            "welcome-page-here",
            "welcome-page-across",
            "connections-established",
        ),
    ),
)
"""In the guide's order; the report's columns."""

TABLE = {step.slug: step for step in in_order(STEPS)}
"""By slug, each after those that it rests on."""


def fleet_of(surveys: Surveys, gate: Severity = DEFAULT_GATE) -> Fleet:
    """All machines of a run, to be judged step by step; problems that cost less than the gate fail none."""
    return Fleet(surveys, STEPS, gate, weighed)


def applicable(step: str, subject: Subject) -> bool:
    """Whether a step says anything about a machine. Raises LookupError for a slug that is no step."""
    return subject.fleet.step(step).applies(subject)


def checks_of(step: str) -> tuple[Check, ...]:
    """A step's checks. Raises LookupError for a slug that is no step."""
    if step not in TABLE:
        raise LookupError(f"{step!r} is no step of the guide")
    return TABLE[step].checks


def step_of(code: str) -> Step | None:
    """The step whose checks find a problem; None for a code that none of them has, such as a user's own."""
    return _BY_CODE.get(code)


_BY_CODE = {code: step for step in STEPS for each in step.checks for code in each.codes}

__all__ = [
    "STEPS",
    "TABLE",
    "Check",
    "Fleet",
    "Step",
    "Subject",
    "applicable",
    "check",
    "checks_of",
    "fleet_of",
    "step_of",
]
