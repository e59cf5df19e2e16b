"""Where a polling Tentacle's connection to its server is lost (guide, "Checking a Polling Tentacle")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.causes.trust import polled_tentacle
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View
from pytest_tentacle.guide.commands import (
    AGAIN,
    KEEP,
    REGISTER,
    REGISTER_WORDS,
    TRY_LINUX,
    TRY_WINDOWS,
    tentacle,
    when,
)
from pytest_tentacle.guide.consequences import FIREWALL, LOST_IN_LOGS, STRANGER_IN_LOGS
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.inventory.model import Mode
from pytest_tentacle.judging.entries import entries_of
from pytest_tentacle.judging.finding import Blocked, Evidence, Problem, Unknown
from pytest_tentacle.link.hosts import plain_host

from .links import (
    ALLOW_WINDOWS,
    BLOCKED,
    OUTBOUND_WINDOWS,
    RULES_LINUX,
    RULES_WINDOWS,
    SEVERAL,
    WAY_LINUX,
    WAY_WINDOWS,
    filter_verdict,
    filtered,
    lost_link,
    own_page,
    unless_own_rules,
)
from .own_firewall import own_terms


def _server_firewall(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=False)
    if link is None or not link.would_answer or link.reached or link.lost < SEVERAL:
        return None
    if link.end is not None and (link.end.codes & FIREWALL or own_terms(view, problem)):
        return None
    evidence = (own_page(link.server, link), link.far_evidence)
    own = {"own": link.own_words}
    if filter_verdict(link.end, view, problem) == "closed":
        told = filtered(link.server, problem)
        return Clue(facts=own, evidence=(told, *evidence), confidence=Confidence.CERTAIN, place=link.server)
    return link.unless_by_proxy(Clue(facts=own, evidence=evidence, place=link.server), near=False)


def _path_to_server(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=False)
    if link is None or not link.reached or link.near or link.near_lost < SEVERAL:
        return None
    clue = Clue(facts={"subnet": link.region}, evidence=(link.far_evidence, link.near_evidence))
    return link.unless_by_proxy(clue, near=True)


def _own_outbound(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=False)
    if link is None or not link.reached or (not link.near and link.near_lost >= SEVERAL):
        return None
    if _proxy_of_others(view, problem) is not None:
        return None
    if link.near:
        return Clue(evidence=(link.near_evidence,))
    return Clue(
        evidence=(link.far_evidence,),
        confidence=Confidence.POSSIBLE,
        unsure="No other Tentacle in the same subnet polls {server}: trace the path from {who} to tell {its} own "
        "firewall from one on the path.",
    )


def _proxy_of_others(view: View, problem: Problem) -> Clue | None:
    """A proxy is set for WinHTTP alone, which no Tentacle asks; it polls directly, and does not get there."""
    link = lost_link(view, problem, listening=False)
    proxies = view.survey.proxies.data if view.survey is not None and view.system == "windows" else None
    on = [each for each in proxies or () if each.enabled and (each.address or each.pac)]
    if link is None or not link.reached or not on or any(each.layer != "winhttp" for each in on):
        return None
    try:
        if view.subject.settings.polling_proxy.host:
            return None
    except (Unknown, Blocked):
        return None
    proxy = on[0].address or on[0].pac
    told = Evidence(
        f"proxies of {view.name}", f"WinHTTP: {proxy}; none for the service's account, none in its settings"
    )
    return Clue(facts={"proxy": proxy}, evidence=(told, link.far_evidence), unsure=_TRY_THE_PROXY)


_TRY_THE_PROXY = (
    "Whether {proxy} would lead there, and whether anything else keeps {who} from connecting, the survey did not try."
)


def _one_poller(view: View, problem: Problem) -> Clue | None:
    link = lost_link(view, problem, listening=False)
    if link is None or not link.would_answer or link.reached or link.lost >= SEVERAL or own_terms(view, problem):
        return None
    return Clue(
        facts={"own": link.own_words},
        evidence=(own_page(link.server, link),),
        unsure="No other Tentacle polls {server}: browse there from one more machine to tell the firewall of "
        "{server} from that of {who}.",
    )


def _polls_a_tentacle(view: View, problem: Problem) -> Clue | None:
    """An address of its settings, which is no declared server's, shows the certificate or page of a Tentacle."""
    facts = problem.facts
    if problem.code == "TT321":
        return _expects_a_tentacle(view)
    if view.subject.mode is not Mode.POLLING or facts.get("server") or facts.get("vantage") not in {None, view.name}:
        return None  # what a server's own name leads to has causes of its own
    thumbprint = str(problem.facts.get("thumbprint") or "")
    owners = view.scene.owners.get(thumbprint, ())
    if any(owner in view.scene.fleet.servers for owner in owners):
        return None
    owner = next((name for name in owners if name != view.name), None)
    left = _left_without(view, str(facts.get("host")), facts.get("port"))
    if owner is not None:
        seen = Evidence("all surveyed machines", f"{thumbprint} is the certificate of {owner}, a Tentacle")
        return Clue(facts={"owner": f"Tentacle {owner}", **left}, evidence=(seen,), seen=True)
    if str(problem.facts.get("page") or "").lower() != "tentacle":
        return None
    return Clue(facts={"owner": "page of a Tentacle that the inventory does not have", **left}, seen=True)


def _expects_a_tentacle(view: View) -> Clue | None:
    """By its settings alone, whoever may have looked where they lead."""
    if (found := polled_tentacle(view)) is None:
        return None
    entry, owner = found
    told = Evidence("all surveyed machines", f"{entry.thumbprint} is the certificate of {owner}, a Tentacle")
    facts = {"owner": f"Tentacle {owner}", "host": entry.host, "port": entry.port}
    return Clue(facts=facts | _left_without(view, entry.host, entry.port), evidence=(told,))


def _left_without(view: View, host: str, port: object) -> dict[str, object]:
    """What else it trusts, for a remedy that must not take that away; `clear-trusted-servers` keeps only addresses."""
    try:
        trusted, entries = view.subject.settings.trusted, entries_of(view.subject.settings)
    except (Unknown, Blocked):
        return {}
    wrong = {each.address for each in entries if plain_host(each.host) == plain_host(host) and each.port == port}
    others = [each.address for each in trusted if each.address not in wrong]
    keep = ",".join(dict.fromkeys(address for address in others if address))
    return {"alone": not others, "keepable": bool(others) and all(others), "unkeepable": not all(others), "keep": keep}


_POLL_THE_SERVER = (
    "Forget the Tentacle that it takes for its server, and register it with the Octopus Server and its polling port "
    f"(10943, unless it was changed). {REGISTER_WORDS}"
)
_FORGET = tentacle('configure --instance "<instance>" --reset-trust')
_REGISTER = tentacle(REGISTER, AGAIN)
_BUT_FOR_OTHERS = tuple(
    (
        _POLL_THE_SERVER,
        *when("keepable", "Take its address out (8.1.1713 and later); the others are kept:", KEEP[system][:-1]),
        *when(
            "unkeepable",
            "Stop the service, copy <file>, take only that entry out of TrustedOctopusServers, start it: it trusts "
            "others as well, which must stay.",
        ),
        *when("alone", _FORGET[system]),
        *_REGISTER[system],
    )
    for system in (0, 1)
)

PATH_POLLING: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5304",
        "The polling Tentacle polls another Tentacle",
        "{who} poll{s} {host}:{port}, where the {owner} answers and no Octopus Server: no work can come from there, "
        "though the connection may stand without an error.",
        frozenset({"TT530", "TT531", "TT321"}),
        _BUT_FOR_OTHERS[0],
        _BUT_FOR_OTHERS[1],
        _polls_a_tentacle,
        consequences=STRANGER_IN_LOGS | {"TT313", "TT320"},
        fold_by=("owner", "port"),
        rank=30,
    ),
    CauseKind(
        "TC5211",
        "A firewall blocks polling Tentacles from the server",
        "None of the Tentacles that poll {server} reaches port {port} there. {own} The server's own firewall, or one "
        "in front of it, blocks the port.",
        BLOCKED,
        ("On {server}, see which rules name the port, and allow it:", RULES_WINDOWS, ALLOW_WINDOWS),
        ("On {server}, see which rules there are, and allow the port:", *RULES_LINUX),
        unless_own_rules(_server_firewall),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "port"),
        rank=8,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5212",
        "The path from a subnet to the server is blocked",
        "No polling Tentacle in {subnet} reaches {server} on port {port}, but those elsewhere do: a firewall or "
        "security group between them, or the routing.",
        BLOCKED,
        (
            "From one of these machines, see how far packets get; ask your network team to open the port:",
            *WAY_WINDOWS,
        ),
        (
            "From one of these machines, see how far packets get; ask your network team to open the port:",
            *WAY_LINUX,
        ),
        unless_own_rules(_path_to_server),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "subnet", "port"),
        rank=15,
        told_apart_by=frozenset({"fleet.probes"}),
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5217",
        "The machine's proxy is set where no Tentacle looks",
        "{who} cannot reach {server} on port {port}, but others do. A proxy is set there for WinHTTP ({proxy}), which "
        "Windows' own services use and Tentacles do not: if the way out leads through that proxy alone, the Tentacle "
        "has to be told.",
        BLOCKED,
        (
            (
                "If nothing gets out without that proxy, set it for the Tentacle (polling-proxy --proxyHost), and "
                "have it allow the port. If the Tentacle is to go directly, look for outbound rules of the machine:"
            ),
            "$ netsh winhttp show proxy",
            *tentacle('show-configuration --instance "<instance>"')[0],
            OUTBOUND_WINDOWS,
        ),
        ("This concerns Windows only. On {who}, see how far packets get:", *WAY_LINUX),
        _proxy_of_others,
        consequences=LOST_IN_LOGS,
        fold_by=("port", "proxy"),
        rank=40,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"proxies", "instances"}),
    ),
    CauseKind(
        "TC5213",
        "The polling Tentacle's machine cannot connect out",
        "{who} cannot reach {server} on port {port}, but others do: an outbound rule of that machine, or its own "
        "security group.",
        BLOCKED,
        (
            "On {there}, look for outbound rules, and see how far packets get:",
            OUTBOUND_WINDOWS,
            TRY_WINDOWS,
        ),
        ("On {there}, look for outbound rules, and see how far packets get:", *RULES_LINUX, TRY_LINUX),
        unless_own_rules(_own_outbound),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "port"),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5214",
        "A firewall between polling Tentacle and server",
        "{who} {does} not reach {server} on port {port}. {own} The firewall of either machine, or one on the path, "
        "blocks the port.",
        BLOCKED,
        ("Look at the firewalls on the path, beginning at the server's own:", TRY_WINDOWS, RULES_WINDOWS),
        ("Look at the firewalls on the path, beginning at the server's own:", TRY_LINUX, *RULES_LINUX),
        unless_own_rules(_one_poller),
        consequences=LOST_IN_LOGS,
        fold_by=("server", "port"),
        rank=40,
        confidence=Confidence.POSSIBLE,
    ),
)
