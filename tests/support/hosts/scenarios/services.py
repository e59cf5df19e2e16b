"""The services under a real systemd, the local port, trust, the disk and the clock."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

_CONFIG = "/etc/octopus/default/tentacle-Tentacle.config"
_START = "systemctl daemon-reload; systemctl reset-failed; systemctl restart Tentacle"
_PROGRAM = "/opt/octopus/tentacle/Tentacle"
_BREAKS = f"cp {_PROGRAM} /root/program; sed -i 's#^exec .*#exit 3#' {_PROGRAM}"
_MENDS = f"cp /root/program {_PROGRAM}"
_UNIT = "/etc/systemd/system/Tentacle.service"


def _with(machine: str, change: str, back: str) -> dict[str, str]:
    return {"do": f"{machine}: {change}", "undo": f"{machine}: {back}; {_START}\nhere: sleep 2"}


SCENARIOS: tuple[Scenario, ...] = (
    scenario("stopped", "services", "the service is stopped", "web-1: systemctl stop Tentacle", "web-1: TC2021", undo=f"web-1: {_START}\nhere: sleep 2"),
    scenario("poller-stopped", "services", "a poller's service is stopped", "poll-1: systemctl stop Tentacle", "poll-1: TC2021", undo=f"poll-1: {_START}\nhere: sleep 2"),
    scenario("server-stopped", "services", "the server's service is stopped", "octo-1: systemctl stop octopusserver", "octo-1: TC2061", beside="TC2061", undo="octo-1: systemctl start octopusserver\nhere: sleep 2"),
    scenario("disabled", "services", "the service is not enabled, and stopped", "web-1: systemctl disable --now Tentacle 2>/dev/null", "web-1: TC2051 TC2052 TC2021", beside="TC2051 TC2052 TC2021", undo=f"web-1: systemctl enable Tentacle 2>/dev/null; {_START}\nhere: sleep 2"),
    scenario("masked", "services", "the service is masked", f"web-1: systemctl stop Tentacle; cp {_UNIT} /root/unit; rm {_UNIT}; ln -s /dev/null {_UNIT}; systemctl daemon-reload", "web-1: TC2051 TC2021", beside="TC2051 TC2021 TC2052", undo=f"web-1: rm {_UNIT}; cp /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
    scenario("crash-loop", "services", "the process crashes again and again", **_with("web-1", f"{_BREAKS}; sed -i 's/RestartSec=5/RestartSec=1/' {_UNIT}; {_START}; sleep 4", f"{_MENDS}; sed -i 's/RestartSec=1/RestartSec=5/' {_UNIT}"), expect="web-1: TC2031 TC2032", beside="TT813 TC8131"),
    scenario("program-missing", "services", "the program is gone", **_with("web-1", "mv /opt/octopus/tentacle/Tentacle /opt/octopus/tentacle/gone; systemctl restart Tentacle || :; sleep 1", "mv /opt/octopus/tentacle/gone /opt/octopus/tentacle/Tentacle"), expect="web-1: TC2035", beside="TT207 TT813"),
    scenario("program-not-executable", "services", "the program may not be run", **_with("web-1", "chmod 644 /opt/octopus/tentacle/Tentacle; systemctl restart Tentacle || :; sleep 1", "chmod 755 /opt/octopus/tentacle/Tentacle"), expect="web-1: TC2035 TC2060", beside="TT813"),
    scenario("no-unit", "services", "there is no unit", f"web-1: systemctl stop Tentacle; mv {_UNIT} /root/unit; systemctl daemon-reload", "web-1: TC2011", undo=f"web-1: mv /root/unit {_UNIT}; {_START}\nhere: sleep 2"),
    scenario("start-limit", "services", "systemd has given up", **_with("web-1", f"{_BREAKS}; sed -i 's/^RestartSec=5/RestartSec=100ms/' {_UNIT}; {_START} || :; sleep 2", f"{_MENDS}; sed -i 's/^RestartSec=100ms/RestartSec=5/' {_UNIT}"), expect="web-1: TC2032 TC2031", beside="TT813 TC8131"),
    scenario("hangs", "local port", "the process is stopped, and hangs", "web-1: kill -STOP $(systemctl show -p MainPID --value Tentacle)", "web-1: TT213 TT505", undo="web-1: kill -CONT $(systemctl show -p MainPID --value Tentacle)"),
    scenario("other-program", "local port", "another program holds the port", **_with("web-1", "systemctl stop Tentacle; (setsid /lab/python/bin/python -m http.server 10933 >/dev/null 2>&1 & echo $! >/run/other); sleep 1; systemctl start Tentacle; sleep 1", "kill $(cat /run/other)"), expect="web-1: TC5021", beside="TC2031"),
    scenario("port-in-settings", "settings", "the Tentacle is told another port, and restarted", **_with("web-1", f"sed -i 's/PortNumber\">10933/PortNumber\">10955/' {_CONFIG}; sed -i 's/\"::\", 10933/\"::\", 10955/' /etc/lab/agent.json; {_START}; sleep 3", f"sed -i 's/PortNumber\">10955/PortNumber\">10933/' {_CONFIG}; sed -i 's/\"::\", 10955/\"::\", 10933/' /etc/lab/agent.json"), expect="web-1: TC3111 TC5012 TT311", beside="TC3111"),
    scenario("trust-another", "trust", "a Tentacle trusts another server's thumbprint", **_with("web-1", f"cp {_CONFIG} /root/config; sed -i 's/&quot;Thumbprint&quot;: &quot;[0-9A-F]*/\\&quot;Thumbprint\\&quot;: \\&quot;{'AB' * 20}/; s/\"Thumbprint\": \"[0-9A-F]*/\"Thumbprint\": \"{'AB' * 20}/' {_CONFIG}", f"cp /root/config {_CONFIG}"), expect="web-1: TC3211 TC3213", beside="TC3211 TC3213"),
    scenario("trust-none", "trust", "a Tentacle trusts nobody", **_with("web-1", f"cp {_CONFIG} /root/config; sed -i '/TrustedOctopusServers/d' {_CONFIG}", f"cp /root/config {_CONFIG}"), expect="web-1: TT320", beside="TC5012"),
    scenario("config-gone", "settings", "the configuration file is gone", **_with("web-1", f"mv {_CONFIG} /root/config", f"mv /root/config {_CONFIG}"), expect="web-1: TT301"),
    scenario("config-empty", "settings", "the configuration file is empty", **_with("web-1", f"cp {_CONFIG} /root/config; : > {_CONFIG}", f"cp /root/config {_CONFIG}"), expect="web-1: TC3022 TC3021"),
    scenario("config-cut", "settings", "the configuration file is cut off", **_with("web-1", f"cp {_CONFIG} /root/config; head -c 300 /root/config > {_CONFIG}", f"cp /root/config {_CONFIG}"), expect="web-1: TC3031"),
    scenario("poller-nowhere", "settings", "a poller's entry has no address", **_with("poll-1", f"cp {_CONFIG} /root/config; sed -i 's#https://octo-1.lab.test:10943##' {_CONFIG}", f"cp /root/config {_CONFIG}"), expect="poll-1: TT315 TT310", beside="TT315 TT310 TC5511 TC3131"),
    scenario("poller-old-port", "settings", "a poller polls a port of old", **_with("poll-1", f"cp {_CONFIG} /root/config; sed -i 's#octo-1.lab.test:10943#octo-1.lab.test:10999#' {_CONFIG}", f"cp /root/config {_CONFIG}"), expect="poll-1: TC3141 TC3131 TC3142", beside="TC3141 TC3142 TC3131 TC5214 TC5213"),
    scenario("not-registered", "settings", "the instance is not in the registry", "web-1: mv /etc/octopus/Tentacle/Instances/tentacle.config /root/", "web-1: TT207", undo="web-1: mv /root/tentacle.config /etc/octopus/Tentacle/Instances/"),
    scenario("no-ssh", "management", "only the management is cut", "web-1: nft add table inet t; nft 'add chain inet t c { type filter hook input priority 0; }'; nft add rule inet t c tcp dport 22 drop", "", undo="", beside=""),
)  # fmt: skip
