"""Faults that a Windows sees, or has: its looks go out from a namespace of its own, by way of the router."""

from __future__ import annotations

from dataclasses import replace

from support.hosts.scenario import Scenario, scenario
from support.hosts.scenarios.between import _HAPROXY, _KEY, _STUNNEL, box, served
from support.hosts.scenarios.filters import nft
from support.hosts.scenarios.names import hosts
from support.hosts.scenarios.proxies import _ALL, _NOBODY, _SQUID
from support.hosts.scenarios.slow import _NO_LATE, late

_WEB, _POLL = "10.10.2.31", "10.10.3.32"
_OWN = "TC5411 TC5421 TT546"
_BEFORE_ONE, _ONE_OUT = "TC5202", "TC5213"
_CHANGES = "/etc/lab/changes.json"
_SERVICE = "/etc/lab/service"
_NO_RULE, _NOT_FOUND = '{"firewall_ports": []}', '{"dns_silent": 11001}'
_BLOCKS = '{"firewall_rules": {"{block}": "v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=10933|Name=Block Octopus|"}}'
_UNCHANGED = f"rm {_CHANGES}"


def windows(name: str, area: str, fault: str, do: str, expect: str, **more: object) -> Scenario:
    """A fault of the fleet with Windows hosts."""
    return scenario(f"windows-{name}", area, fault, do, expect, fleet="windows", **more)  # type: ignore[arg-type]


def changed(machine: str, text: str) -> str:
    """What only a Windows has, laid over the blueprint."""
    return f"{machine}: printf '%s' '{text}' > {_CHANGES}"


def _boxed(one: Scenario) -> Scenario:
    return replace(one, name=one.name.replace("box-", "windows-box-"), fleet="windows")


def _winrm(machine: str, change: str, back: str) -> dict[str, str]:
    """Its WinRM server started anew, and what it begins with changed before."""
    again = "for i in $(seq 100); do ss -Hltn | grep -q :5986 && exit 0; sleep 0.05; done; exit 1"
    return {
        "do": f"{machine}: /etc/lab/winrm stop; {change}; sleep 0.3; /etc/lab/winrm start; {again}",
        "undo": f"{machine}: /etc/lab/winrm stop; {back}; sleep 0.3; /etc/lab/winrm start",
    }


_PATH = (
    windows("router-one", "filter on the way", "the router drops towards a Windows Tentacle", nft("router", f"ip daddr {_WEB} tcp dport 10933 drop", hook="forward"), f"web-w: {_BEFORE_ONE}"),
    windows("router-one-reset", "filter on the way", "the router resets towards a Windows Tentacle", nft("router", f"ip daddr {_WEB} tcp dport 10933 reject with tcp reset", hook="forward"), f"web-w: {_BEFORE_ONE}"),
    windows("router-subnet", "filter on the way", "the router drops towards a subnet with both systems", nft("router", "ip daddr 10.10.2.0/24 tcp dport 10933 drop", hook="forward"), "web-1,web-w: TC5203 TC5204"),
    windows("router-poller", "filter on the way", "the router drops a Windows poller's connections", nft("router", f"ip saddr {_POLL} tcp dport 10943 drop", hook="forward"), f"poll-w: {_ONE_OUT}"),
    windows("router-poller-reset", "filter on the way", "the router resets a Windows poller's connections", nft("router", f"ip saddr {_POLL} tcp dport 10943 reject with tcp reset", hook="forward"), f"poll-w: {_ONE_OUT}"),
    windows("router-poller-prohibited", "filter on the way", "the router answers a Windows poller: prohibited", nft("router", f"ip saddr {_POLL} tcp dport 10943 reject with icmpx admin-prohibited", hook="forward"), f"poll-w: {_ONE_OUT} TC5222"),
    windows("router-polling", "filter on the way", "the router drops the polling port for both systems", nft("router", "tcp dport 10943 drop", hook="forward"), "poll-1,poll-w: TC5211"),
    windows("router-poller-nat", "middle boxes", "the router leads a Windows poller to another machine", f"router: nft add table ip n; nft 'add chain ip n c {{ type nat hook prerouting priority dstnat; }}'; nft add rule ip n c ip saddr {_POLL} ip daddr 10.10.1.10 tcp dport 10943 dnat to {_WEB}:10933", "poll-w: TC5301 TC5312", beside="TC5301 TC5312"),
    windows("poller-out-drop", "filter of the poller", "the Windows poller's own firewall lets nothing out", nft("poll-w", "tcp dport 10943 drop", hook="output"), f"poll-w: {_ONE_OUT}"),
    windows("server-one-source", "filter of the server", "the server drops the Windows poller's address", nft("octo-1", f"ip saddr {_POLL} tcp dport 10943 drop"), "poll-w: TC5411 TT546", beside="TC5411 TT546"),
    windows("no-default", "routing", "a Windows Tentacle has no default route", "web-w: ip route del default", "web-w: TT532"),
    windows("poller-no-default", "routing", "a Windows poller has no default route", "poll-w: ip route del default", "poll-w: TT532"),
    windows("dead-gateway", "routing", "a Windows poller's gateway is dead", "poll-w: ip route replace default via 10.10.3.99", "poll-w: TT532 TC5213"),
    windows("late", "slow ways", "a round trip to a Windows Tentacle takes 3 s", late(_WEB, 3), "web-w: TC5351 TC5352", undo=_NO_LATE, seconds=5),
    windows("late-poller", "slow ways", "a round trip to a Windows poller takes 3 s", late(_POLL, 3), "poll-w: TC5351 TC5352", undo=_NO_LATE, seconds=5),
)  # fmt: skip

_DEAD_DNS = "poll-w: cp /etc/resolv.conf /etc/lab/resolv; echo 'nameserver 10.10.3.77' > /etc/resolv.conf; echo 'options timeout:1 attempts:1' >> /etc/resolv.conf"
_OWN_DNS = "poll-w: cp /etc/lab/resolv /etc/resolv.conf"
_NAMES = (
    windows("wrong-record", "names", "the pollers' DNS has an old address of the server, as both systems see", hosts("c", "s/10.10.1.10/10.10.1.77/"), "poll-1,poll-w: TC5121"),
    windows("no-record", "names", "the server has no record anywhere", "\n".join(hosts(each, "'/octo-1.lab/d'") for each in "abc"), "poll-1,poll-w: TC5102 TC5101"),
    windows("dns-silent", "names", "the pollers' DNS does not answer (Windows tells 11002)", "dns: stop c", "poll-1,poll-w: TC5103"),
    windows("dns-silent-not-found", "names", "the pollers' DNS does not answer (Windows tells 11001)", f"dns: stop c\n{changed('poll-w', _NOT_FOUND)}", "poll-1: TC5103\npoll-w: TC5103 TC5101?", undo=f"poll-w: {_UNCHANGED}", beside="TC5103"),
    windows("tentacle-stale-record", "names", "a Windows Tentacle's record is old", hosts("a", f"s/{_WEB}/10.10.2.77/"), "web-w: TC5121"),
    windows("tentacle-record-of-another", "names", "a Windows Tentacle's name leads to a Linux one", hosts("a", f"s/{_WEB}/10.10.2.11/"), "web-w: TC5312"),
    windows("own-dns-silent", "names", "a Windows poller asks a DNS server that is not there (Windows tells 11002)", _DEAD_DNS, "poll-w: TC5103", undo=_OWN_DNS),
    windows("own-dns-silent-not-found", "names", "a Windows poller asks a DNS server that is not there (Windows tells 11001)", f"{_DEAD_DNS}\n{changed('poll-w', _NOT_FOUND)}", "poll-w: TC5103 TC5101", undo=f"{_OWN_DNS}\npoll-w: {_UNCHANGED}"),
    windows("hosts-file", "names", "a Windows poller's hosts file has an old address", "poll-w: cp /etc/hosts /etc/lab/hosts; echo 10.10.1.77 octo-1.lab.test >> /etc/hosts", "poll-w: TC5121", undo="poll-w: cp /etc/lab/hosts /etc/hosts"),
    windows("duplicate-address", "addresses", "another machine has the Windows Tentacle's address as well", f"web-1: ip addr add {_WEB}/24 dev eth0\nrouter: ip neigh replace {_WEB} lladdr $(ip neigh show 10.10.2.11 dev net-b | grep -o '..:..:..:..:..:..') dev net-b nud permanent", "web-w: TC5312 TT711 TT712", undo=f"router: ip neigh del {_WEB} dev net-b; ip neigh flush dev net-b\nweb-1: ip addr del {_WEB}/24 dev eth0 || :", beside="TT711 TT712"),
)  # fmt: skip

_BOXES = (
    _boxed(box("stunnel", "TLS to a Windows Tentacle is opened and closed again (stunnel)", "exec stunnel4 /mnt/router/stunnel.conf", "web-w: TC5311", files=f"{_KEY}; {_STUNNEL.replace('10.10.2.11', _WEB)}", address=_WEB)),
    _boxed(box("poll-stunnel", "the polling port is inspected, as both systems see (stunnel)", "exec stunnel4 /mnt/router/stunnel.conf", "poll-1,poll-w: TC5311", files=f"{_KEY}; {_STUNNEL.replace('10.10.2.11:10933', '10.10.1.10:10943')}", listens=10943, address="10.10.1.10")),
    _boxed(box("haproxy-dead", "a balancer before a Windows Tentacle has no living member (haproxy)", "exec haproxy -f /mnt/router/haproxy.conf", "web-w: TC5241 TC5242 TC5281", files=_HAPROXY % f"{_WEB}:9", address=_WEB)),
    _boxed(box("poll-dead", "a balancer before the server has no living member (haproxy)", "exec haproxy -f /mnt/router/haproxy.conf", "poll-1,poll-w: TC5241 TC5242 TC5281 TC5282", files=_HAPROXY % "10.10.1.10:9", listens=10943, address="10.10.1.10")),
)  # fmt: skip

_DROPS = nft("web-w", "iif lo accept; tcp dport 10933 drop")
_HOST = (
    windows("own-firewall", "filter of the host", "Windows Firewall has no rule for the port", f"{_DROPS}\n{changed('web-w', _NO_RULE)}", f"web-w: {_OWN}", undo=f"web-w: {_UNCHANGED}"),
    windows("own-firewall-rule", "filter of the host", "a rule of Windows Firewall blocks the port", f"{_DROPS}\n{changed('web-w', _BLOCKS)}", f"web-w: {_OWN}", undo=f"web-w: {_UNCHANGED}"),
    windows("stopped", "services", "a Windows Tentacle's service is stopped", f"web-w: {_SERVICE} stop", "web-w: TC2021", undo=f"web-w: {_SERVICE} start"),
    windows("poller-stopped", "services", "a Windows poller's service is stopped", f"poll-w: {_SERVICE} stop", "poll-w: TC2021", undo=f"poll-w: {_SERVICE} start"),
    windows("other-program", "local port", "another program holds a Windows Tentacle's port", f"web-w: {_SERVICE} stop; sleep 0.3; (setsid python3 -m http.server 10933 >/dev/null 2>&1 & echo $! >/etc/lab/other); for i in $(seq 100); do ss -Hltn | grep -q :10933 && exit 0; sleep 0.05; done; exit 1", "web-w: TC5021 TC2021 TT504", undo=f"web-w: kill $(cat /etc/lab/other)\nhere: sleep 0.5\nweb-w: {_SERVICE} start", beside="TC2021 TT504 TC5021"),
)  # fmt: skip

_MANAGEMENT = (
    windows("winrm-dropped", "management", "WinRM's ports are dropped, the link is well", nft("web-w", "tcp dport { 5985, 5986 } drop"), "", unreached="web-w:connect"),
    windows("winrm-stopped", "management", "WinRM is stopped, the link is well", "web-w: /etc/lab/winrm stop", "", unreached="web-w:connect", undo="web-w: /etc/lab/winrm start"),
    windows("winrm-password", "management", "the log-on's password is not the right one, the link is well", expect="", unreached="poll-w:authenticate", **_winrm("poll-w", "cp /etc/lab/host.json /etc/lab/kept; sed -i 's/lab.s/an old/' /etc/lab/host.json", "cp /etc/lab/kept /etc/lab/host.json")),
    windows("winrm-certificate", "management", "WinRM's certificate is of nobody that is trusted, the link is well", expect="", unreached="web-w:tls", **_winrm("web-w", "cp /etc/lab/winrm.pem /etc/lab/kept; openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=web-w -keyout /etc/lab/key.pem -out /etc/lab/own.pem 2>/dev/null; cat /etc/lab/own.pem /etc/lab/key.pem > /etc/lab/winrm.pem", "cp /etc/lab/kept /etc/lab/winrm.pem")),
)  # fmt: skip

_CONFIG = "/mnt/poll-w/machine/files/C/Octopus/Tentacle.config"
_LOG = "/mnt/poll-w/machine/files/C/Octopus/Logs/OctopusTentacle.txt"
_KEYS = "".join(
    f'<set key="Octopus.Server.Proxy.{key}">{value}</set>'
    for key, value in (("ProxyHost", "10.10.3.1"), ("ProxyPort", "3128"))
)


def _proxied(name: str, fault: str, rules: str | None, expect: str, *, more: str = "", beside: str = "") -> Scenario:
    """The Windows poller's settings name the router's squid, which alone leads it to the server; None: nobody is there."""
    squid = f"{_SQUID % rules}; {served('exec squid -N -f /mnt/router/squid.conf', 3128, 'squid')}" if rules else ":"
    again = f"{_SERVICE} stop; sleep 0.3; {_SERVICE} start"
    return windows(
        f"proxy-{name}", "proxies" if expect else "healthy", fault,
        f"router: {squid}\n{nft('router', f'iifname net-c ip saddr {_POLL} tcp dport 10943 drop', hook='forward')}\n{more}\n"
        f"poll-w: cp {_LOG} /etc/lab/log; cp {_CONFIG} /etc/lab/config; cp /etc/lab/agent.json /etc/lab/agent; sed -i 's#</octopus-settings>#{_KEYS}&#' {_CONFIG}; "
        f'sed -i \'s#^{{#{{"proxy": ["10.10.3.1", 3128], #\' /etc/lab/agent.json; {again}; sleep 3; '
        f"sed -i 's#Agent will not use a proxy server#Agent will use the octopus configured proxy at 10.10.3.1:3128 for server at https://octo-1.lab.test:10943/#' {_LOG}; touch -d '40 hours ago' {_CONFIG}",
        expect, beside=beside, healthy=not expect,
        undo="router: if [ -e /mnt/router/squid.pid ]; then kill $(cat /mnt/router/squid.pid) || :; rm /mnt/router/squid.pid; fi\n"
        f"poll-w: cp /etc/lab/log {_LOG}; cp /etc/lab/config {_CONFIG}; touch -d '40 hours ago' {_CONFIG}; cp /etc/lab/agent /etc/lab/agent.json; {again}",
    )  # fmt: skip


_PROXIES = (
    _proxied("works", "a Windows poller goes through a proxy that lets it through", _ALL, ""),
    _proxied("denies", "the proxy does not let a Windows poller through", _NOBODY, "poll-w: TT607"),
    _proxied("down", "a Windows poller's proxy is down", None, "poll-w: TT606"),
    _proxied("no-way", "the proxy has no way to the server", _ALL, "poll-w: TT609", more=nft("octo-1", "ip saddr 10.10.1.1 tcp dport 10943 drop"), beside="TC5411 TT546"),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = (
    windows("healthy", "healthy", "nothing (with Windows hosts)", "", "", healthy=True),
    *_PATH,
    *_NAMES,
    *_BOXES,
    *_HOST,
    *_MANAGEMENT,
    *_PROXIES,
)
