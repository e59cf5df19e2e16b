"""Guide: Check the Octopus and Tentacle Services are Running."""

from pytest_tentacle.sections import services
from pytest_tentacle.testing import step


@step("services-running")
def test_services_running(machine):
    """Look for "OctopusDeploy Tentacle" and verify that the service is in the "Running" state.

    If it is not, start it and allow 30 seconds; if it stops, it is likely that it crashes during startup, and its log
    says why. On an Octopus Server the same goes for its own service.
    """
    machine.must_pass(
        services.instance_is_registered,
        services.service_is_installed,  # "look for 'OctopusDeploy Tentacle'"
        services.service_keeps_running,  # "Allow 30 seconds for the service to start work"
        services.service_starts_by_itself,  # or it is gone after the next reboot
        services.process_runs_as_its_account,  # its account was changed, and it was not restarted
        services.octopus_says_that_it_operates,  # nodes, maintenance mode, task queue
    )
