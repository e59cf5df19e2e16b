"""Guide: Check the Octopus and Tentacle Services are Running."""

from pytest_tentacle.sections import services
from pytest_tentacle.testing import step


@step("services-running")
def test_services_running(machine):
    """The service "OctopusDeploy Tentacle" is there and runs, and still does so 30 seconds after a start.

    One that stops again most likely ends while it starts, and its log says why. On an Octopus Server the same goes for
    its own service.
    """
    machine.must_pass(
        services.instance_is_registered,
        services.service_is_installed,  # "look for 'OctopusDeploy Tentacle'"
        services.service_is_not_about_to_be_deleted,  # somebody removed it, and something still has it open
        services.service_keeps_running,  # "Allow 30 seconds for the service to start work"
        services.process_is_not_halted,  # it lives and does nothing: somebody stopped or froze it
        services.service_starts_by_itself,  # or it is gone after the next reboot
        services.process_runs_as_its_account,  # its account was changed, and it was not restarted
        services.servers_further_ports_are_free_for_it,  # portal, web socket, 8443: somebody else has them
        services.web_server_is_set_up,  # http.sys has no certificate for the portal, or reserves its prefix for others
        services.octopus_says_that_it_operates,  # nodes, maintenance mode, task queue
    )
