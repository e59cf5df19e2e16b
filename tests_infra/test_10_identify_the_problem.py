"""Guide: Identify the Problem."""

from pytest_tentacle.sections import identify
from pytest_tentacle.testing import step


@step("identify-the-problem")
def test_identify_the_problem(machine):
    """The logs often say outright what is wrong.

    The Tentacle's own log files, and what the server logs of the machine's name, address or thumbprint: what they say
    last counts, and what was followed by proof of recovery is history.
    """
    machine.must_pass(
        identify.octopus_own_words_are_told,  # 1. the health check's log, 2. the "Connectivity" tab
        identify.own_log_holds_no_standing_failure,
        identify.last_start_came_to_its_end,
        identify.connecting_server_is_let_in,
        identify.servers_logs_hold_no_standing_failure,  # 3. "searching for the machine's name or IP address"
        identify.no_start_ended_before_its_home_was_known,  # which its own log cannot tell
        identify.no_process_ended_unknown_before_its_home_was_known,
        identify.service_names_an_instance_that_is_there,
        identify.last_registration_succeeded,  # "successfully 'Discovered' or 'Registered' a machine"
        identify.last_calls_succeeded,
        identify.process_runs_with_the_settings_of_its_file,
        identify.server_does_not_hang_up_on_the_certificate,
        identify.thumbprint_is_let_in_from_one_machine,
    )
