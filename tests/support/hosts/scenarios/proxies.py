"""A poller that reaches its server through a proxy (squid), and cannot do so by itself."""

from __future__ import annotations

from support.hosts.scenario import Scenario, scenario

from .between import served
from .filters import nft

_CONFIG = "/etc/octopus/default/tentacle-Tentacle.config"
_AGENT = "/etc/lab/agent.json"
_START = "systemctl daemon-reload; systemctl reset-failed; systemctl restart Tentacle; sleep 3"
_KEYS = "".join(
    f'<set key="Octopus.Server.Proxy.{key}">{value}</set>'
    for key, value in (("UseDefaultProxy", "False"), ("ProxyHost", "10.10.3.1"), ("ProxyPort", "3128"))
)
_SQUID = (
    "printf 'http_port 10.10.3.1:3128\\ncache deny all\\naccess_log none\\ncache_log /dev/null\\npid_filename none\\n"
    "coredump_dir /tmp\\nconnect_timeout 2 seconds\\nforward_timeout 2 seconds\\ndns_nameservers 10.10.1.1\\n"
    "shutdown_lifetime 0 seconds\\n%s' > /mnt/router/squid.conf"
)
_ALL = "http_access allow all\\n"
_NOBODY = "http_access deny all\\n"
_USERS = "auth_param basic program /usr/lib/squid/basic_fake_auth\\nacl users proxy_auth REQUIRED\\nhttp_access allow users\\n"
_DIRECT = nft("router", "iifname net-c tcp dport 10943 drop", hook="forward")


def proxied(name: str, fault: str, rules: str | None, expect: str, *, more: str = "", beside: str = "") -> Scenario:
    """poll-1 polls through the router's squid with these rules; None: nobody listens there."""
    squid = f"{_SQUID % rules}; {served('exec squid -N -f /mnt/router/squid.conf', 3128, 'squid')}" if rules else ":"
    return scenario(
        name,
        "proxies" if expect else "healthy",
        fault,
        f"router: {squid}\n{_DIRECT}\n{more}\n"
        f"poll-1: cp {_CONFIG} /root/config; cp {_AGENT} /root/agent; sed -i 's#</octopus-settings>#{_KEYS}&#' {_CONFIG}; "
        f'sed -i \'s#^{{#{{"proxy": ["10.10.3.1", 3128], #\' {_AGENT}; {_START}',
        f"{expect}\npoll-2: TC5213 TC5211 TC5214" if expect else "poll-2: TC5213 TC5211 TC5214",
        beside=f"TC5211 TC5213 TC5214 {beside}",
        undo="router: if [ -e /mnt/router/squid.pid ]; then kill $(cat /mnt/router/squid.pid) || :; rm /mnt/router/squid.pid; fi\n"
        f"poll-1: if [ -e /root/config ]; then cp /root/config {_CONFIG}; cp /root/agent {_AGENT}; {_START}; fi",
    )


SCENARIOS: tuple[Scenario, ...] = (
    proxied("proxy-works", "only the poller without a proxy is cut off", _ALL, ""),
    proxied("proxy-denies", "the proxy does not let a poller through", _NOBODY, "poll-1: TT607"),
    proxied("proxy-credentials", "the proxy wants credentials", _USERS, "poll-1: TT608"),
    proxied("proxy-down", "the proxy is down", None, "poll-1: TT606"),
    proxied("proxy-no-way", "the proxy has no way to the server", _ALL, "poll-1: TT609", more=nft("octo-1", "ip saddr 10.10.1.1 tcp dport 10943 drop"), beside="TC5411 TT546"),
)  # fmt: skip
