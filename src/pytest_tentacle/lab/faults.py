"""What can be wrong with a lab machine: each fault is one real change to a healthy blueprint.

`inventory/lab.yaml` names them under a machine's `lab: {fault: ...}`. A fault changes what the machine is, has or
answers; no fault touches what the suite reads from it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from . import network
from .blueprint import PID, POLLING_STYLE, Trust

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .blueprint import Blueprint
    from .halibut import LabCertificate

OTHER_PID = 4711
NIGHTLY = "2026-01-05T03:12:00Z"


class Site:
    """What a fault may need besides the machine itself.

    Attributes:
        fresh: makes one more certificate with the given common name.
        machines: blueprints by name.
        server_port: the polling port of the lab's Octopus Server.
    """

    def __init__(
        self, fresh: Callable[[str], LabCertificate], machines: dict[str, Blueprint], server_port: int
    ) -> None:
        self.fresh = fresh
        self.machines = machines
        self.server_port = server_port


def service_stopped(machine: Blueprint, _: Site) -> None:
    """Somebody stopped the service."""
    _stop(machine, "stopped")


def service_missing(machine: Blueprint, _: Site) -> None:
    """The service was never installed, or was removed."""
    _stop(machine, "stopped")
    machine.service = None


def crash_loop(machine: Blueprint, _: Site) -> None:
    """The service dies on start, and systemd starts it again and again."""
    _stop(machine, "starting")
    machine.log += [(minutes, "FATAL", "Address already in use") for minutes in (9.0, 5.0, 1.0)]
    _service(machine).update(sub_state="auto-restart", result="exit-code", exit_code=100, restarts=57)


def crashed(machine: Blueprint, _: Site) -> None:
    """The service ended with an error: Windows' 1067, the process terminated unexpectedly."""
    _stop(machine, "stopped")
    _service(machine).update(exit_code=1067)


def service_disabled(machine: Blueprint, _: Site) -> None:
    """It runs, and will not after the next reboot."""
    _service(machine)["start_mode"] = "disabled"


def wrong_mode(machine: Blueprint, site: Site) -> None:
    """The inventory says listening; the Tentacle was set up to poll."""
    server = next(other for other in site.machines.values() if other.is_server)
    machine.presents, machine.sockets = None, []
    machine.settings["Tentacle.Services.NoListen"] = "true"
    machine.settings["Tentacle.Services.ListenIP"] = ""
    machine.trusts = [polling_trust(server, server.certificate.thumbprint, machine.name)]


def wrong_port(machine: Blueprint, _: Site) -> None:
    """The Tentacle listens on another port than the inventory and the server believe."""
    machine.declared["port"] = machine.port
    machine.port += 1
    machine.settings["Tentacle.Services.PortNumber"] = str(machine.port)
    for socket in machine.sockets:
        socket["port"] = machine.port


def no_listen(machine: Blueprint, _: Site) -> None:
    """Reinstalled from polling to listening; NoListen stayed (Octopus issue 1411)."""
    machine.settings["Tentacle.Services.NoListen"] = "true"
    machine.presents, machine.sockets = None, []


def nobody_trusted(machine: Blueprint, _: Site) -> None:
    """The list of trusted servers is empty."""
    machine.trusts = []


def other_server_trusted(machine: Blueprint, site: Site) -> None:
    """It trusts an Octopus Server of old, not the present one."""
    machine.trusts = [replace(trust, thumbprint=site.fresh("Octopus Server").thumbprint) for trust in machine.trusts]


def invisible_character(machine: Blueprint, _: Site) -> None:
    """The thumbprint was pasted from the certificate dialog, with its left-to-right mark."""
    machine.trusts = [replace(trust, thumbprint="\u200e" + trust.thumbprint) for trust in machine.trusts]


def lower_case_thumbprint(machine: Blueprint, _: Site) -> None:
    """Harmless when listening; a poller compares letter by letter."""
    machine.trusts = [replace(trust, thumbprint=trust.thumbprint.lower()) for trust in machine.trusts]


def incomplete_polling(machine: Blueprint, _: Site) -> None:
    """A polling entry without address and subscription: the agent skips it."""
    machine.trusts = [replace(trust, address=None, subscription=None) for trust in machine.trusts]


def config_missing(machine: Blueprint, _: Site) -> None:
    """The instance is registered; its configuration file is gone."""
    machine.config_missing = True
    _stop(machine, "stopped")


def config_empty(machine: Blueprint, _: Site) -> None:
    """A full disk left a file of 0 bytes (Octopus issue 4610)."""
    machine.config_text = ""
    _stop(machine, "stopped")


def config_cut_off(machine: Blueprint, _: Site) -> None:
    """The file ends in the middle."""
    machine.config_text = machine.xml()[:200]
    _stop(machine, "stopped")


def foreign_listen_ip(machine: Blueprint, _: Site) -> None:
    """ListenIP is an address that this machine no longer has."""
    machine.settings["Tentacle.Services.ListenIP"] = "192.0.2.77"
    _stop(machine, "stopped")


def inventory_thumbprint(machine: Blueprint, site: Site) -> None:
    """The certificate was renewed; inventory and server still know the old one."""
    machine.declared["thumbprint"] = site.fresh("Octopus Tentacle").thumbprint


def restart_needed(machine: Blueprint, site: Site) -> None:
    """The file has a new certificate; the process still presents the old one."""
    renewed = site.fresh("Octopus Tentacle").thumbprint
    machine.settings["Tentacle.CertificateThumbprint"] = renewed
    machine.declared["thumbprint"] = renewed


def clone(machine: Blueprint, site: Site) -> None:
    """Installed from an image of the machine that stands before it in the inventory, with its certificate."""
    names = list(site.machines)
    original = site.machines[names[names.index(machine.name) - 1]]
    machine.certificate = machine.presents = original.certificate
    machine.settings["Tentacle.CertificateThumbprint"] = original.certificate.thumbprint


def port_not_open(machine: Blueprint, _: Site) -> None:
    """The service runs, and nothing listens."""
    machine.presents, machine.sockets = None, []


def port_taken(machine: Blueprint, site: Site) -> None:
    """Another program was there first; the service gave up its port."""
    machine.presents = None
    machine.sockets[0]["pid"] = OTHER_PID
    machine.processes.append(_process("nginx", OTHER_PID, 1 if not machine.is_windows else 700, machine))
    machine.foreign = lambda address, port: network.HttpsServer(address, port, certificate=site.fresh("intranet"))


def zombie(machine: Blueprint, _: Site) -> None:
    """The Tentacle is gone; a PowerShell that it started inherited the socket (guide, "Zombie Child Processes")."""
    name = "powershell.exe" if machine.is_windows else "bash"
    machine.presents = None
    machine.foreign = network.Hanger
    machine.sockets[0]["pid"] = OTHER_PID
    machine.processes.append(_process(name, OTHER_PID + 1, OTHER_PID, machine))


def dns_issue(machine: Blueprint, site: Site) -> None:
    """The server cannot resolve this Tentacle's name; its address works."""
    for other in site.machines.values():
        if other.is_server:
            other.names[f"{machine.name}.lab"] = "name-not-found"


def stale_name(machine: Blueprint, site: Site) -> None:
    """The name still leads to the address that the machine had before."""
    for other in site.machines.values():
        if other.is_server:
            other.names[f"{machine.name}.lab"] = [_elsewhere(machine)]


def firewall_drops(machine: Blueprint, _: Site) -> None:
    """Something between swallows the packets."""
    _behind(machine, lambda outer, port, _inner: network.BlackHole(outer, port))


def firewall_rejects(machine: Blueprint, _: Site) -> None:
    """Something between refuses the connection."""
    _behind(machine, lambda _outer, _port, _inner: None)


def intercepted(machine: Blueprint, site: Site) -> None:
    """A box between opens the TLS and closes it again with a certificate of its own."""
    inspector = site.fresh("Corporate TLS Inspection CA")
    _behind(machine, lambda outer, port, inner: network.TlsInspector(outer, port, inner, port, certificate=inspector))


def web_page_between(machine: Blueprint, _: Site) -> None:
    """A proxy answers in plain HTTP where Halibut should speak."""
    _behind(machine, lambda outer, port, _inner: network.HttpResponder(outer, port))


def another_server_answers(machine: Blueprint, site: Site) -> None:
    """The address leads to somebody else's web server."""
    stranger = site.fresh("www.example.com")
    _behind(machine, lambda outer, port, _inner: network.HttpsServer(outer, port, certificate=stranger))


def old_tls_between(machine: Blueprint, _: Site) -> None:
    """An appliance that ends TLS 1.0 and nothing newer."""
    _behind(machine, lambda outer, port, _inner: network.OldTls(outer, port, by_hand=True))


def closed_between(machine: Blueprint, _: Site) -> None:
    """A load balancer without a living member: it accepts and closes."""
    _behind(machine, lambda outer, port, _inner: network.Closer(outer, port))


def silent_between(machine: Blueprint, _: Site) -> None:
    """Something accepts the connection and never says a word."""
    _behind(machine, lambda outer, port, _inner: network.Hanger(outer, port))


def not_reachable(machine: Blueprint, _: Site) -> None:
    """Our own way to the machine is closed: says nothing about the Tentacle."""
    machine.answers = False


def wrong_password(machine: Blueprint, _: Site) -> None:
    """The inventory's password is an old one."""
    machine.wrong_password = True


def constrained_language(machine: Blueprint, _: Site) -> None:
    """AppLocker or WDAC keep PowerShell in constrained language mode."""
    machine.prelude = "$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'"


def services_refused(machine: Blueprint, _: Site) -> None:
    """The survey's account may not query the service manager."""
    machine.denied.append("services")


FAULTS: dict[str, Callable[[Blueprint, Site], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        service_stopped, service_missing, crash_loop, crashed, service_disabled,
        wrong_mode, wrong_port, no_listen, nobody_trusted, other_server_trusted, invisible_character,
        lower_case_thumbprint, incomplete_polling, config_missing, config_empty, config_cut_off, foreign_listen_ip,
        inventory_thumbprint, restart_needed, clone,
        port_not_open, port_taken, zombie,
        dns_issue, stale_name, firewall_drops, firewall_rejects, intercepted, web_page_between,
        another_server_answers, old_tls_between, closed_between, silent_between,
        not_reachable, wrong_password, constrained_language, services_refused,
    )
}  # fmt: skip


def polling_trust(server: Blueprint, thumbprint: str, subscriber: str) -> Trust:
    """A healthy polling entry for a server."""
    subscription = f"poll://{subscriber.replace('-', '').lower():x<20.20}/"
    return Trust(thumbprint, POLLING_STYLE, f"https://{server.name}.lab:{server.port}", subscription)


def _stop(machine: Blueprint, state: str) -> None:
    _service(machine).update(state=state, pid=0, sub_state="dead", started_utc=None)
    machine.presents, machine.sockets = None, []
    machine.processes = [process for process in machine.processes if process["pid"] != PID]


def _service(machine: Blueprint) -> dict[str, Any]:
    assert machine.service is not None  # noqa: S101
    return machine.service


def _behind(machine: Blueprint, box: Callable[[str, int, str], Any]) -> None:
    machine.outer = _elsewhere(machine)
    machine.box = box


def _elsewhere(machine: Blueprint) -> str:
    """A lab address that belongs to no machine: the machine's own, in the half that is kept for this."""
    first, second, third, last = machine.address.split(".")
    return f"{first}.{second}.{third}.{int(last) + 100}"


def _process(name: str, pid: int, parent: int, machine: Blueprint) -> dict[str, Any]:
    folder = "C:\\Windows\\System32\\" if machine.is_windows else "/usr/bin/"
    return {
        "pid": pid,
        "parent_pid": parent,
        "name": name,
        "executable": folder + name,
        "command_line": folder + name,
        "started_utc": NIGHTLY,
        "user": "SYSTEM" if machine.is_windows else "root",
    }
