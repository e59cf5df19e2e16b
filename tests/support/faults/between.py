"""Something that answers in the peer's place, or ends TLS (causes/interception.py, middlebox.py, tls.py)."""

from __future__ import annotations

import base64
from datetime import timedelta

from pytest_tentacle.link import By
from pytest_tentacle.link.certificate import KeyedCertificate, make_certificate
from pytest_tentacle.survey.surroundings import Access, Event, TlsProtocol
from support import NOW
from support.fleets.certificates import issued
from support.fleets.failures import CLOSED, NO_SUITE, NOT_TLS, OLD_TLS, RESET, SILENT
from support.fleets.looks import OWN_PORT, polled
from support.fleets.whole import LISTEN, Whole
from support.fleets.world import probe
from support.rules import linux_rules

from . import case
from .logs import INIT, TRANSACTION


def inspector() -> str:
    """A certificate that no machine of ours has."""
    return issued("www.example.com", "Inspection CA")


@case("TC5311", "web-01", "web-02", confidence="certain")
def inspected(world: Whole) -> None:
    der = inspector()
    for name in ("web-01", "web-02"):
        world.both(name, {"der": der})


@case("TC5311", "web-01", "web-02", confidence="certain")
def inspected_under_the_same_subject(world: Whole) -> None:
    der = issued("Octopus Tentacle", "Inspection CA")
    for name in ("web-01", "web-02"):
        world.both(name, {"der": der})


@case("TC5312")
def leads_to_another(world: Whole) -> None:
    world.both("web-01", {"whose": "web-02"})


@case("TC5304", "poll-01")
def polls_a_tentacle(world: Whole) -> None:
    """What answers at the polled address is a Tentacle, which its settings trust as if it were the server."""
    draft = world["poll-01"]
    new = {"Address": "https://web-02.example:10933/", "Thumbprint": world.thumbprint("web-02")}
    world.logs["poll-01"] = (
        world.logs["poll-01"]
        .replace(draft.trusted[0]["Address"], new["Address"])
        .replace(draft.trusted[0]["Thumbprint"], new["Thumbprint"])
    )
    draft.trusted[0] |= new
    draft.replace(polled(0), probe("web-02.example", 10933, By.NAME, whose="web-02"))
    world.sections["poll-01"]["connections"] = ()


@case("TC5303", confidence="likely", unsure="")
def a_stranger_of_octopus(world: Whole) -> None:
    world.both("web-01", {"der": issued("Octopus Tentacle", "Octopus Tentacle")})


@case("TC5303", confidence="possible", unsure="Log on to web-01 to tell a renewed certificate from another machine")
def a_stranger_of_octopus_and_the_end_unseen(world: Whole) -> None:
    a_stranger_of_octopus(world)
    world.dark("web-01")


@case("TC5301")
def a_server_answers(world: Whole) -> None:
    world.both("web-01", {"whose": "octopus of somebody else", "page": "server"})


@case("TC5302")
def web_server(world: Whole) -> None:
    world.both("web-01", {"der": inspector(), "page": "other"})


@case("TC5302")
def ingress(world: Whole) -> None:
    """An ingress controller opens TLS itself, with the certificate that it makes for names without one."""
    name = "Kubernetes Ingress Controller Fake Certificate"
    world.both("web-01", {"der": issued(name, name), "page": "other"})


@case("TC5291", confidence="certain", unsure="")
def plain_http(world: Whole) -> None:
    world.both("web-01", NOT_TLS)


@case(
    "TC5291",
    confidence="possible",
    unsure="Log on to web-01 to tell something on the path apart from a program on its own port",
)
def plain_http_and_the_end_unseen(world: Whole) -> None:
    world.both("web-01", NOT_TLS)
    world.dark("web-01")


@case("TC5241", confidence="likely", unsure="")
def load_balancer(world: Whole) -> None:
    world.both("web-01", CLOSED)


@case("TC5241", confidence="possible", unsure="Log on to web-01 to tell something on the path")
def load_balancer_and_the_end_unseen(world: Whole) -> None:
    world.both("web-01", CLOSED)
    world.dark("web-01")


@case("TC5243", confidence="likely")
def load_balancer_with_a_preamble(world: Whole) -> None:
    """What stands in front sends the header of the PROXY protocol, which the Tentacle takes for broken TLS."""
    world.behind_nat("web-01", "10.8.0.4")
    world.both("web-01", CLOSED)
    text = (
        f"{LISTEN}Client failed authentication: [::ffff:198.51.100.1]:40112\n"
        "System.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received."
    )
    world.say("web-01", "INFO", text)


@case("TC5241", confidence="likely", unsure="")
def load_balancer_and_a_scanner(world: Whole) -> None:
    """Somebody else spoke something without TLS: that tells nothing of what stands in front."""
    world.behind_nat("web-01", "10.8.0.4")
    world.both("web-01", CLOSED)
    text = (
        f"{LISTEN}Client failed authentication: [::ffff:203.0.113.77]:40112\n"
        "System.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received."
    )
    world.say("web-01", "INFO", text)


@case("TC5241", confidence="likely", unsure="")
def load_balancer_and_a_look_of_its_own(world: Whole) -> None:
    """What spoke without TLS came from the machine's own address: a program on it, and no device."""
    world.both("web-01", CLOSED)
    text = (
        f"{LISTEN}Client failed authentication: [::ffff:198.51.100.1]:40112\n"
        "System.Security.Authentication.AuthenticationException: Cannot determine the frame size or a corrupted frame was received."
    )
    world.say("web-01", "INFO", text)


@case("TC5242", confidence="likely", unsure="")
def resets(world: Whole) -> None:
    world.both("web-01", RESET)


@case("TC5242", confidence="possible", unsure="Log on to web-01 to tell something on the path")
def resets_and_the_end_unseen(world: Whole) -> None:
    world.both("web-01", RESET)
    world.dark("web-01")


@case("TC5281", confidence="possible", unsure="Log on to web-01 to tell something on the path")
def silent_and_the_end_unseen(world: Whole) -> None:
    world.both("web-01", SILENT)
    world.dark("web-01")


@case("TC5281", confidence="likely", unsure="")
def silent(world: Whole) -> None:
    world.both("web-01", SILENT)


@case("TC5283", confidence="possible", unsure="Look whether that rule counts packets")
def own_rule_for_what_follows(world: Whole) -> None:
    """The machine's own filter drops what begins TLS, or not: what is in a packet nobody knows."""
    world.sections["web-01"]["firewall"] = linux_rules("tcp dport 10933 @th,160,24 0x160301 drop")
    world.both("web-01", SILENT)


@case("TC5283", confidence="likely", unsure="Look whether that rule counts packets")
def own_rule_that_counted(world: Whole) -> None:
    """The same rule resets the connection, and counts: packets met it."""
    rule = "tcp dport 10933 @th,160,24 0x160301 counter packets 4 bytes 240 reject with tcp reset"
    world.sections["web-01"]["firewall"] = linux_rules(rule)
    world.both("web-01", RESET)


@case("TC5283", confidence="certain", unsure="")
def own_rules_let_only_the_first_packet_in(world: Whole) -> None:
    """Nothing lets in what belongs to a connection that stands."""
    rules = linux_rules("tcp dport 10933 ct state new accept", "iif lo accept", "tcp dport 10933 drop")
    world.sections["web-01"]["firewall"] = rules
    world.both("web-01", SILENT)


@case("TC5283", confidence="possible", unsure="Look whether that rule counts packets")
def servers_own_rule_for_what_follows(world: Whole) -> None:
    """The rule stands at the end that connects."""
    rules = linux_rules("tcp dport 10933 @th,160,24 0x160301 drop", hook="output")
    world.sections["octo-1"]["firewall"] = rules
    world.both("web-01", SILENT)


@case("TC5284", confidence="possible", unsure="A device on the path that accepts connections")
def lets_no_icmp_in(world: Whole) -> None:
    """The machine never hears that its certificate is too large for the way."""
    rules = linux_rules("ct state established accept", "ip protocol icmp drop")
    world.sections["web-01"]["firewall"] = rules
    world.both("web-01", SILENT)


@case("TC5281", confidence="likely", unsure="")
def lets_icmp_in(world: Whole) -> None:
    """It answers no ping, but hears of what belongs to its connections."""
    rules = linux_rules("ct state established,related accept", "icmp type echo-request drop", "tcp dport 10933 accept")
    world.sections["web-01"]["firewall"] = rules
    world.both("web-01", SILENT)


@case("TC5282", "web-01", "web-02", confidence="possible", unsure="a load balancer without a member")
def too_large(world: Whole) -> None:
    for name in ("web-01", "web-02"):
        world.both(name, SILENT)


def fails_at_both_ends(world: Whole, how: dict[str, object]) -> None:
    """The Tentacle's TLS fails with everybody, itself included."""
    world["web-01"].own = [probe(look=OWN_PORT, **how)]
    world.both("web-01", how)


@case("TC9011")
def tls_switched_off(world: Whole) -> None:
    fails_at_both_ends(world, OLD_TLS)
    off = tuple(TlsProtocol(name=name, side="server", enabled=False) for name in ("TLS 1.2", "TLS 1.3"))
    world.change("web-01", "tls", protocols=off)


@case("TC9011", confidence="certain")
def tls_switched_off_for_all_but_itself(world: Whole) -> None:
    """Its own machine speaks TLS 1.3 with it, of which the server's Windows knows nothing."""
    world.both("web-01", OLD_TLS)
    world.change("web-01", "tls", protocols=(TlsProtocol(name="TLS 1.2", side="server", enabled=False),))
    world.change("octo-1", "tls", build=17763)


@case("TC4111")
def short_key(world: Whole) -> None:
    weak_certificate(world, make_certificate(bits=1024))


@case("TC4111")
def old_signature(world: Whole) -> None:
    weak_certificate(world, make_certificate(sha1=True))


def weak_certificate(world: Whole, made: KeyedCertificate) -> None:
    der = base64.b64encode(made.der).decode()
    shown = probe(der=der, look=OWN_PORT)
    world["web-01"].own = [shown]
    world["web-01"].settings["Tentacle.CertificateThumbprint"] = shown.thumbprint
    world["web-01"].declare(thumbprint=shown.thumbprint)
    world.both("web-01", OLD_TLS)


@case("TC5251", confidence="likely", unsure="")
def old_tls_between(world: Whole) -> None:
    world.both("web-01", OLD_TLS)


@case("TC5251", unsure="Compare the cipher suites of web-01 and octo-1")
def old_tls_between_and_policies_unread(world: Whole) -> None:
    world.both("web-01", OLD_TLS)
    for name in ("octo-1", "web-01"):
        world.sections[name]["tls"] = "access is denied"


@case(
    "TC5252", confidence="possible", unsure="Compare the TLS versions and cipher suites that octo-1 and web-01 enable"
)
def no_common_tls(world: Whole) -> None:
    world.both("web-01", OLD_TLS)
    world.dark("web-01")


@case("TT904")
def no_suite_that_octopus_needs(world: Whole) -> None:
    fails_at_both_ends(world, NO_SUITE)
    world.change("web-01", "tls", cipher_suites=("TLS_RSA_WITH_AES_256_CBC_SHA",))


@case("TC9021")
def policies_exclude_each_other(world: Whole) -> None:
    """One has the suites of 128 bits only, the other one those of 256."""
    world.both("web-01", NO_SUITE)
    for name, suite in (("web-01", "128_GCM_SHA256"), ("octo-1", "256_GCM_SHA384")):
        world.change(name, "tls", build=17763, cipher_suites=(f"TLS_ECDHE_RSA_WITH_AES_{suite}",))


@case("TT906")
def old_dotnet(world: Whole) -> None:
    world["web-01"].host["dotnet_release"] = 461814
    world.down("web-01", exit_code=1067)


@case("TC4143", confidence="likely", unsure="Whether the key's file")
def key_not_usable(world: Whole) -> None:
    fails_at_both_ends(world, CLOSED)
    told = Event(
        source="schannel",
        id=36870,
        time_utc=NOW - timedelta(minutes=1),
        data={"CallerProcessId": "2136", "ErrorCode": "0x8009030D"},
    )
    world.sections["web-01"]["events"] = (told,)


@case("TC4142", confidence="certain")
def key_gone(world: Whole) -> None:
    """No event names the process, as before Server 2022, but its key's file is gone."""
    fails_at_both_ends(world, CLOSED)
    path = r"C:\ProgramData\Microsoft\Crypto\RSA\MachineKeys\52ab417621a9d74c73e3e0f1bc374e0a_6f1d3b8c"
    world.sections["web-01"]["private_keys"] = (
        world.private_key("web-01", access=Access(path=path, error="not-found")),
    )


@case("TC4141", confidence="certain")
def key_kept_from_the_account(world: Whole) -> None:
    """Its service was given another account, and nobody gave that the key's file."""
    fails_at_both_ends(world, CLOSED)
    account, sid = r"CORP\octopus", "S-1-5-21-1-2-3-1604"
    world["web-01"].service["account"] = account
    accounts = world.sections["web-01"]["service_accounts"][0]
    named = {"account": account, "sid": sid, "process_sid": sid}
    world.sections["web-01"]["service_accounts"] = (accounts.model_copy(update=named),)
    world.sections["web-01"]["private_keys"] = (world.private_key("web-01", account=account, sid=sid),)


@case("TT955", "poll-01", confidence="likely")
def altered_on_its_way(world: Whole) -> None:
    """Its connection stands again: that something changes data holds all the same."""
    text = (
        "System.IO.IOException: The decryption operation failed, see inner exception.\n ---> "
        "Interop+OpenSsl+SslException: Decrypt failed with OpenSSL error - SSL_ERROR_SSL.\n ---> "
        "Interop+Crypto+OpenSslCryptographicException: error:0A000119:SSL routines::decryption failed or bad record mac"
    )
    world.say("poll-01", "ERROR", f"{TRANSACTION}{text}")


@case("TT955")
def altered_on_the_server_s_way(world: Whole) -> None:
    """Schannel's words."""
    text = (
        "System.IO.IOException: The decryption operation failed, see inner exception. ---> "
        "System.ComponentModel.Win32Exception: The message or signature supplied for verification has been altered"
    )
    world.say("octo-1", "ERROR", f"{INIT}{text}")
