"""Guide: not in it, and as common: disk space, clocks, versions with known defects."""

from pytest_tentacle.sections import health
from pytest_tentacle.testing import step


@step("machine-health")
def test_machine_health(machine):
    """There is free disk space, the clocks agree as far as that matters, and no known defect of the version shows.

    A disabled watchdog and what earlier installations left behind are evidence. Where an earlier step failed, the
    guide's last advice stands here: restart the services, then a clean slate ("Uninstall Tentacles").
    """
    machine.must_pass(
        health.disks_have_room,
        health.clocks_agree,
        health.no_known_defect_shows,
        health.both_ends_are_of_one_generation,
        health.process_is_of_the_installed_version,
        health.left_overs_are_told,  # evidence, and no verdict
        health.last_resort_is_told,  # "Restart the Octopus and Tentacle Services", "Uninstall Tentacles"
    )
