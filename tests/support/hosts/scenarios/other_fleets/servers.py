"""Tentacles that work for two Octopus Servers, or for two nodes of one."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario
from support.hosts.scenarios.filters import nft
from support.hosts.scenarios.names import hosts

_CONFIG = "/etc/octopus/default/tentacle-Tentacle.config"
_OWN = "TC5411 TC5421 TT546"


def servers(name: str, area: str, fault: str, do: str, expect: str, **more: object) -> Scenario:
    """A fault of two Octopus Servers: octo-1, and octo-2 on Windows; web-b and poll-b work for both."""
    return scenario(f"servers-{name}", area, fault, do, expect, fleet="servers", **more)  # type: ignore[arg-type]


def nodes(name: str, area: str, fault: str, do: str, expect: str, **more: object) -> Scenario:
    """A fault of one server's two nodes, which share a certificate."""
    return scenario(f"nodes-{name}", area, fault, do, expect, fleet="nodes", **more)  # type: ignore[arg-type]


def _trust(machine: str, which: int) -> dict[str, str]:
    """One of a Tentacle's trusted thumbprints is another one's."""
    return {
        "do": f"{machine}: cp {_CONFIG} /root/config; python3 /lab/tests/programs/other_trust.py {_CONFIG} {which}",
        "undo": f"{machine}: cp /root/config {_CONFIG}",
    }


SCENARIOS: tuple[Scenario, ...] = (
    servers("healthy", "healthy", "nothing (with two Octopus Servers)", "", "", healthy=True),
    servers("one-dropped", "filter on the way", "the router drops one server's way to a Tentacle of two", nft("router", "ip saddr 10.10.1.33 ip daddr 10.10.2.34 tcp dport 10933 drop", hook="forward"), "web-b: TC5206 TC5202 TC5203"),
    servers("one-rejected", "filter on the way", "the router rejects one server's way to a Tentacle of two", nft("router", "ip saddr 10.10.1.33 ip daddr 10.10.2.34 tcp dport 10933 reject with tcp reset", hook="forward"), "web-b: TC5206 TC5202 TC5203"),
    servers("one-not-polled", "filter on the way", "the router drops a poller's way to one of two servers", nft("router", "ip daddr 10.10.1.33 tcp dport 10943 drop", hook="forward"), "poll-b: TC5211 TC5213 TC5214"),
    servers("own-source", "filter of the host", "a Tentacle of two servers drops one of them", nft("web-b", "ip saddr 10.10.1.33 tcp dport 10933 drop"), f"web-b: {_OWN}"),
    servers("one-out", "filter of the server", "one of two servers lets nothing out to Tentacles", nft("octo-1", "tcp dport 10933 drop", hook="output"), "web-b: TC533 TT533", beside="TC533 TT533"),
    servers("one-no-route", "routing", "one of two servers has no way to the Tentacle", "octo-2: ip route del default", "web-b,poll-b: TT532", beside="TT532"),
    servers("one-untrusted", "trust", "a Tentacle of two servers has a wrong thumbprint of one", expect="web-b: TC3211 TC3213 TC1014", **_trust("web-b", 1)),
    servers("one-untrusted-poller", "trust", "a poller of two servers has a wrong thumbprint of one", expect="poll-b: TC3211 TC3213 TC1014", **_trust("poll-b", 0)),
    servers("one-stopped", "services", "one of two servers is stopped", "octo-2: /etc/lab/service stop", "octo-2: TC2061", undo="octo-2: /etc/lab/service start", beside="TC2061"),
    servers("name-of-other", "names", "one server's name leads to the other one", hosts("c", "s/10.10.1.33/10.10.1.10/"), "poll-b: TC5312"),
    servers("no-record-of-one", "names", "one of two servers has no record", "\n".join(hosts(each, "'/octo-2.lab/d'") for each in "abc"), "poll-b: TC5102 TC5101"),
    servers("swapped", "middle boxes", "the router leads one server's polling port to the other server", "router: nft add table ip n; nft 'add chain ip n c { type nat hook prerouting priority dstnat; }'; nft add rule ip n c ip daddr 10.10.1.33 tcp dport 10943 dnat to 10.10.1.10", "poll-b: TC5312"),
    servers("tentacle-dns", "names", "one of two servers has an old record of the Tentacle in its hosts file", "octo-2: cp /etc/hosts /etc/lab/hosts; echo 10.10.2.77 web-b.lab.test >> /etc/hosts", "web-b: TC5121", undo="octo-2: cp /etc/lab/hosts /etc/hosts"),
    nodes("healthy", "healthy", "nothing (with two nodes)", "", "", healthy=True),
    nodes("one-stopped", "services", "one of two nodes is stopped", "octo-1b: systemctl stop octopusserver", "octo-1b: TC2061", undo="octo-1b: systemctl start octopusserver", beside="TC2061"),
    nodes("one-dropped", "filter on the way", "the router drops towards one of two nodes", nft("router", "ip daddr 10.10.1.36 tcp dport 10943 drop", hook="forward"), "poll-n: TC5211 TC5213 TC5214"),
    nodes("one-to-tentacle", "filter on the way", "the router drops what one of two nodes sends to a Tentacle", nft("router", "ip saddr 10.10.1.36 tcp dport 10933 drop", hook="forward"), "web-n: TC5206 TC5202 TC5203"),
    nodes("own-firewall", "filter of the server", "one of two nodes drops the polling port", nft("octo-1b", "tcp dport 10943 drop"), f"poll-n: {_OWN}", beside=_OWN),
    nodes("one-not-polled", "settings", "a poller does not poll one of two nodes", f"poll-n: cp {_CONFIG} /root/config; sed -i 's#octo-1b.lab.test:10943#octo-1.lab.test:10943#' {_CONFIG}", "poll-n: TC3131", undo=f"poll-n: cp /root/config {_CONFIG}"),
    nodes("name-of-other", "names", "one node's name leads to the other node", hosts("c", "s/10.10.1.36/10.10.1.10/"), "poll-n: TC5121 TC5312"),
    nodes("server-certificate", "trust", "a Tentacle trusts another thumbprint than the nodes have", expect="web-n: TC3211 TC3213 TC1014", **_trust("web-n", 0)),
)  # fmt: skip
