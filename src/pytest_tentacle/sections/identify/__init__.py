from __future__ import annotations

from .before_home import (
    instance_name_comes_without_quotes,
    no_process_ended_unknown_before_its_home_was_known,
    no_start_ended_before_its_home_was_known,
)
from .both_ends import server_does_not_hang_up_on_the_certificate, thumbprint_is_let_in_from_one_machine
from .checks import (
    connecting_server_is_let_in,
    last_start_came_to_its_end,
    own_log_holds_no_standing_failure,
    servers_logs_hold_no_standing_failure,
)
from .octopus import octopus_own_words_are_told
from .registering import last_registration_succeeded
from .running_settings import process_runs_with_the_settings_of_its_file

__all__ = [
    "connecting_server_is_let_in",
    "instance_name_comes_without_quotes",
    "last_registration_succeeded",
    "last_start_came_to_its_end",
    "no_process_ended_unknown_before_its_home_was_known",
    "no_start_ended_before_its_home_was_known",
    "octopus_own_words_are_told",
    "own_log_holds_no_standing_failure",
    "process_runs_with_the_settings_of_its_file",
    "server_does_not_hang_up_on_the_certificate",
    "servers_logs_hold_no_standing_failure",
    "thumbprint_is_let_in_from_one_machine",
]
