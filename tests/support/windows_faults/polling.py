"""Polling Tentacles on Windows."""

from __future__ import annotations

from pytest_tentacle.survey.surroundings import Proxy
from support.fleets.failures import NO_NAME
from support.fleets.looks import polled
from support.fleets.whole import Whole, line, make_windows
from support.fleets.world import probe

from . import fault

POLL = "https://octo-1.example:10943/        12  "
POLLER = {"machine": "poll-01"}


def _windows(world: Whole) -> None:
    make_windows(world, "poll-01")


def _fails_with(world: Whole, text: str, *, at: str = POLL) -> None:
    world.sections["poll-01"]["connections"] = ()
    for ago in (600, 300, 60):
        world.logs["poll-01"] += line(ago, "ERROR", at + text, 900)


@fault(
    "the account's Internet Options name a proxy that is gone", r"oldproxy", r"proxy", never=(r"octo-1's",), **POLLER
)
def proxy_of_the_accounts_internet_options(world: Whole) -> None:
    _windows(world)
    world["poll-01"].settings["Octopus.Server.Proxy.UseDefaultProxy"] = "true"
    own = Proxy(layer="wininet", account="LocalSystem", enabled=True, address="oldproxy.example:8080")
    none = Proxy(layer="winhttp", enabled=False)
    world.sections["poll-01"]["proxies"] = (own, none)
    world.logs["poll-01"] = world.polls_at_start("poll-01").replace(
        "Agent configured to use the system proxy, but no system proxy is configured for server at https://octo-1.example:10943/",
        "Agent will use the configured system proxy at http://oldproxy.example:8080/ for server at https://octo-1.example:10943/",
    )
    _fails_with(world, "Halibut client exception: Connection to proxy host oldproxy.example on port 8080 failed: No such host is "
                       "known. Retrying in 5.0 seconds")  # fmt: skip


@fault("it polls the portal's port", r"10943", r"443|portal", **POLLER)
def polls_the_portals_port(world: Whole) -> None:
    _windows(world)
    world["poll-01"].trusted[0]["Address"] = "https://octo-1.example/"
    other = {"port": 443, "page": "other", "whose": "portal", "addresses": ("192.0.2.10",)}
    world["poll-01"].replace(polled(0), probe("octo-1.example", look=polled(0), **other))
    world.logs["poll-01"] = world.polls_at_start("poll-01")
    text = (
        "Halibut client exception: The server at https://octo-1.example/ presented an unexpected security certificate. We expected "
        f"the server to present a certificate with the thumbprint '{world.thumbprint('octopus')}'. Instead, it presented a "
        f"certificate with a thumbprint of '{world.thumbprint('portal')}' and subject 'CN=octo-1.example'. Retrying in 5.0 seconds"
    )
    _fails_with(world, text, at="https://octo-1.example/              12  ")


@fault("it expects the certificate of a former server", r"thumbprint|certificate", r"update-trust", **POLLER)
def expects_a_former_servers_certificate(world: Whole) -> None:
    _windows(world)
    old = world.thumbprint("octopus-old")
    world["poll-01"].trusted[0]["Thumbprint"] = old
    world.logs["poll-01"] = world.polls_at_start("poll-01")
    text = (
        "Halibut client exception: The server at https://octo-1.example:10943/ presented an unexpected security certificate. We "
        f"expected the server to present a certificate with the thumbprint '{old}'. Instead, it presented a certificate with a "
        f"thumbprint of '{world.thumbprint('octopus')}' and subject 'CN=Octopus Server'. Retrying in 5.0 seconds"
    )
    _fails_with(world, text)


@fault("poll-02 was imaged from poll-01: one subscription, one certificate", r"cop|clone|same|share", machine="poll-02",
       others=("poll-01",), may=("new-certificate", "register-with", "delete-instance", "--reset-trust"))  # fmt: skip
def subscription_is_duplicated(world: Whole) -> None:
    same = world.thumbprint("poll-01")
    world["poll-02"].settings["Tentacle.CertificateThumbprint"] = same
    world["poll-02"].declare(thumbprint=same)
    world["poll-02"].trusted[0]["SubscriptionId"] = world["poll-01"].trusted[0]["SubscriptionId"]
    world.logs["poll-02"] = world.polls_at_start("poll-02") + world.secured("poll-02", "octo-1")


@fault("it cannot resolve the server's name", r"name|DNS", r"octo-1\.example", **POLLER)
def servers_name_is_unknown(world: Whole) -> None:
    _windows(world)
    world.across("poll-01", NO_NAME)
    world.sections["poll-01"]["connections"] = ()
    _fails_with(world, "Socket communication error while connecting to https://octo-1.example:10943/\n"
                       "System.Net.Sockets.SocketException: No such host is known")  # fmt: skip


@fault(
    "sockets or ports are used up on this machine",
    r"port|socket|buffer",
    never=("octo-1's firewall",),
    unsure=True,
    **POLLER,
)
def sockets_are_used_up(world: Whole) -> None:
    _windows(world)
    text = (
        "Socket communication error while connecting to https://octo-1.example:10943/\nSystem.Net.Sockets.SocketException: An "
        "operation on a socket could not be performed because the system lacked sufficient buffer space or because a queue was full"
    )
    _fails_with(world, text)


@fault(
    "its entry has no subscription: it was never registered",
    r"subscription|register",
    may=("register-with", "--reset-trust"),
    **POLLER,
)
def was_never_registered(world: Whole) -> None:
    _windows(world)
    entry = world["poll-01"].trusted[0]
    entry["SubscriptionId"] = None
    entry["Address"] = None
    world.sections["poll-01"]["connections"] = ()
    world.logs["poll-01"] = line(
        3600, "WARN", "Configured to connect to server , but its configuration is incomplete; skipping.", 900
    )
