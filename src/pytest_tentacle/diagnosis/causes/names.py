"""Name resolution: which machine's DNS is wrong, and for what (guide, "Check the Connections")."""

from __future__ import annotations

from pytest_tentacle.diagnosis.from_problem import told
from pytest_tentacle.diagnosis.kind import CauseKind, Clue
from pytest_tentacle.diagnosis.view import View, zone_of
from pytest_tentacle.diagnosis.wording import listed
from pytest_tentacle.guide.commands import when
from pytest_tentacle.guide.consequences import NAME_FAILURES, NAMES_IN_LOGS, NO_ANSWER
from pytest_tentacle.guide.problem import Confidence
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.link.hosts import plain_address, plain_host
from pytest_tentacle.survey.targets import names_of

from .path.web_only import is_elsewhere

_SEVERAL = 2
_LOOK_WINDOWS = ('$ Resolve-DnsName "<host>"', "$ Get-DnsClientServerAddress")
_LOOK_LINUX = ('$ getent ahosts "<host>"', "$ cat /etc/resolv.conf /etc/hosts")


def _host(problem: Problem) -> str:
    return plain_host(str(problem.facts.get("host")))


def _resolver_fails(view: View, problem: Problem) -> bool:
    """Whether its DNS servers fail on whatever is asked: an error about one name alone is that name's.

    A name that leads to a wrong address is no proof of DNS: it may stand in a hosts file.
    """
    error, vantage = problem.facts.get("error"), _where(problem)
    return error == "timed-out" or (error == "resolver-failed" and not _resolved(view, vantage) - _wrong(view, vantage))


def _resolved(view: View, vantage: str | None) -> set[str]:
    return view.scene.reach.resolved[vantage] if vantage else set()


def _wrong(view: View, vantage: str | None) -> set[str]:
    """Hosts that lead a machine to another address than the declared one."""
    return {_host(each) for each in view.scene.by_code["TT512"] if each.facts.get("vantage") == vantage}


def _where(problem: Problem) -> str | None:
    vantage = problem.facts.get("vantage")
    return str(vantage) if vantage else None


def _resolver(view: View, problem: Problem) -> Clue | None:
    if not _resolver_fails(view, problem):
        return None
    resolved = sorted(_resolved(view, _where(problem)))
    if not resolved or problem.facts.get("error") == "timed-out":
        return Clue(place=_where(problem))
    return Clue(
        facts={"other": resolved[0]},
        place=_where(problem),
        confidence=Confidence.POSSIBLE,
        unsure="{vantage} does get an address for {other}, and a wrong one: see whether that stands in its hosts file, "
        "or comes from DNS.",
    )


def _zone_unknown(view: View, problem: Problem) -> str | None:
    """The zone of which this vantage point resolves no name at all."""
    zone, vantage = zone_of(_host(problem)), _where(problem)
    if not zone or vantage is None or _resolver_fails(view, problem):
        return None
    resolved = (vantage, zone) in view.scene.resolved_zones
    return zone if view.scene.failed_zones[vantage, zone] >= _SEVERAL and not resolved else None


def _zone_missing(view: View, problem: Problem) -> Clue | None:
    zone = None if _multicast(view, problem) else _zone_unknown(view, problem)
    return Clue(facts={"zone": zone}, place=_where(problem)) if zone else None


def _no_record(view: View, problem: Problem) -> bool:
    """Nobody resolves the name, and more than one machine tried."""
    host = _host(problem)
    return not view.scene.resolved_by.get(host) and view.scene.unresolved_by.get(host, 0) >= _SEVERAL


def _record_missing(view: View, problem: Problem) -> Clue | None:
    if _resolver_fails(view, problem) or _zone_unknown(view, problem) or not _no_record(view, problem):
        return None
    tries = view.scene.unresolved_by[_host(problem)]
    return Clue(evidence=(Evidence("all surveyed machines", f"{tries} tried to resolve it, and none could"),))


def _here_only(view: View, problem: Problem) -> Clue | None:
    if _resolver_fails(view, problem) or _zone_unknown(view, problem) or _no_record(view, problem):
        return None
    if _multicast(view, problem):
        return None
    others = view.scene.resolved_by.get(_host(problem), 0)
    vantage = _where(problem)
    if others:
        seen = Evidence("other surveyed machines", f"{others} of them resolve {_host(problem)}")
        return Clue(evidence=(seen,), place=vantage)
    return Clue(
        place=vantage,
        confidence=Confidence.POSSIBLE,
        unsure="Nobody else could tell: resolve {host} on another machine to tell a missing record from the DNS "
        "settings of {vantage}.",
    )


_ITS_OWN = (
    "elsewhere it leads to the right one, so it is that machine's own hosts file, cache or DNS servers, or a search "
    "domain of its own that answers every name (a wildcard)"
)
_ANY = (
    "a stale record or cache, a hosts file, a search domain that answers every name, or an old address in the inventory"
)


def _leads_right_here(view: View, problem: Problem) -> bool:
    """Whether the machine that runs pytest gets the declared address for the same name."""
    end, declared = view.end(problem), plain_address(str(problem.facts.get("declared_ip")))
    looks = view.scene.fleet.surveys.controller_probes.get(end.name, ()) if end is not None else ()
    return declared is not None and any(
        plain_host(look.host) == _host(problem)
        and look.resolve is not None
        and look.resolve.addresses
        and {plain_address(each) for each in look.resolve.addresses} == {declared}
        for look in looks
    )


def _stale(view: View, problem: Problem) -> Clue | None:
    if is_elsewhere(view, problem):
        return None
    resolved = problem.facts.get("resolved")
    addresses = resolved if isinstance(resolved, tuple) else ()
    own = _leads_right_here(view, problem)
    facts: dict[str, object] = {"resolved": ", ".join(map(str, addresses)) or None, "zone": zone_of(_host(problem))}
    facts |= {"why": _ITS_OWN if own else _ANY, "its_own": own, "any": not own}
    unseen = _nameless_at(view, {plain_address(str(address)) for address in addresses})
    if unseen and problem.facts.get("thumbprint"):
        doubt = f"What answers may be {listed(unseen)}, whose address it is and whose certificate nobody saw."
        return Clue(facts=facts, place=_where(problem), confidence=Confidence.POSSIBLE, unsure=doubt)
    return Clue(facts=facts, place=_where(problem))


def _nameless_at(view: View, addresses: set[str | None]) -> list[str]:
    """Machines at one of these addresses of which nobody knows the thumbprint."""
    return [name for name in view.scene.nameless if addresses & set(view.scene.view(name).subject.known_addresses)]


def dead_address(view: View, problem: Problem) -> Clue | None:
    """By name it fails, by the declared address it works, though the name holds that one too."""
    resolved = problem.facts.get("resolved")
    if problem.facts.get("by") != "name" or not isinstance(resolved, tuple) or len(resolved) < _SEVERAL:
        return None
    declared = problem.facts.get("declared_ip")
    if declared is None or plain_address(str(declared)) not in {plain_address(str(each)) for each in resolved}:
        return None
    if plain_address(str(problem.facts.get("address"))) == plain_address(str(declared)):
        return None  # what failed by name is what works by address: it is no other address's fault
    vantage = str(problem.facts.get("vantage"))
    end = view.end(problem)
    if end is None or not view.scene.reach.by_address.get((vantage, end.name)):
        return None
    tried = str(problem.facts.get("address"))
    return Clue(facts={"resolved": ", ".join(map(str, resolved)), "tried": tried}, place=vantage)


def _registered_otherwise(view: View, problem: Problem) -> Clue | None:
    """A server's log has a name for the Tentacle that is none of those declared, and that the server cannot resolve."""
    machine, host = view.subject.machine, _host(problem)
    if view.is_server or problem.facts.get("vantage") not in view.scene.fleet.servers:
        return None
    declared = [name for name, _ in names_of(machine)]
    if not declared or host in {plain_host(name) for name in declared}:
        return None
    facts = told(view, problem).facts | {"declared": f"https://{declared[0]}:{problem.facts.get('port')}/"}
    return Clue(facts=facts, evidence=(Evidence("inventory", f"{view.name} is {' or '.join(declared)}"),))


_ENTER = (
    "In the portal, enter an address of the machine that the server reaches in the machine's settings (Connectivity), "
    "such as {declared}. To register it so by itself: --publicHostName, or for a container PublicHostNameConfiguration "
    "and CustomPublicHostName. To see what the server gets for the name that it uses:"
)

_COMPARE = (
    *when("any", "On {vantage}, compare; then correct the record, or the inventory, and empty the cache:"),
    *when(
        "its_own",
        "On {vantage}, compare what it gets for the name, and for the name with a point at its end, to which no search "
        "domain is added. Where the second is right, take that domain off the search list, or its wildcard out of DNS, "
        "or lower ndots (a pod's is 5). Where both are wrong, correct its hosts file or the DNS servers that it asks, "
        "and empty the cache:",
    ),
)
_ASK_DNS = (
    "The record in DNS may be right: dig and nslookup ask DNS whatever the name is. Have {vantage} ask DNS for this "
    "domain as well: with systemd-resolved a routing domain on its link (Domains=~{zone}), otherwise `dns` without "
    "`mdns4_minimal [NOTFOUND=return]` before it in the line hosts: of /etc/nsswitch.conf; or give the server a name "
    "in another domain, and let the Tentacles poll that. See both ways:"
)


def _multicast(view: View, problem: Problem) -> Clue | None:
    """A name in .local, which Linux keeps for multicast DNS (RFC 6762), and no other one in it was resolved."""
    host, vantage = _host(problem), _where(problem)
    if not host.endswith(".local") or problem.facts.get("error") != "name-not-found" or vantage is None:
        return None
    machines = view.scene.fleet.machines
    if vantage not in machines or view.scene.view(vantage).system != "linux":
        return None
    if any(each.endswith(".local") for each in _resolved(view, vantage)):
        return None
    others = view.scene.resolved_by.get(host, 0)
    if others:
        seen = Evidence("other surveyed machines", f"{others} of them resolve {host}")
        return Clue(facts={"zone": zone_of(host)}, evidence=(seen,), place=vantage, confidence=Confidence.LIKELY)
    return Clue(
        facts={"zone": zone_of(host)},
        place=vantage,
        unsure="Nobody else could tell: ask DNS itself (dig, nslookup) to tell a missing record from that.",
    )


NAMES: tuple[CauseKind, ...] = (
    CauseKind(
        "TC5105",
        "Names in .local are not asked of DNS",
        "{vantage} cannot resolve {host}: names that end in .local belong to multicast DNS (mDNS), and its resolver "
        "does not ask the DNS servers for them.",
        NAME_FAILURES,
        ("On {vantage}, see what the name resolves to and which DNS servers are asked; correct those:", *_LOOK_WINDOWS),
        (_ASK_DNS, '$ getent ahosts "<host>"', '$ resolvectl query "<host>"', "$ grep hosts: /etc/nsswitch.conf"),
        _multicast,
        consequences=NAMES_IN_LOGS,
        fold_by=("vantage",),
        rank=19,
        confidence=Confidence.POSSIBLE,
        told_apart_by=frozenset({"host"}),
    ),
    CauseKind(
        "TC1101",
        "The portal has a name for the Tentacle that its server cannot resolve",
        "{vantage} calls {who} {host}, a name that it cannot resolve: the machine registered itself by its own name, "
        "as a container does, or its address in the portal is wrong.",
        frozenset({"TT110"}),
        (_ENTER, '$ Resolve-DnsName "<host>"'),
        (_ENTER, '$ getent ahosts "<host>"'),
        _registered_otherwise,
        fold_by=("host",),
        rank=45,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5101",
        "One machine's DNS does not know the name",
        "{vantage} cannot resolve {host}: its DNS servers, its search list or its hosts file do not know the name.",
        NAME_FAILURES,
        ("On {vantage}, see what the name resolves to and which DNS servers are asked; correct those:", *_LOOK_WINDOWS),
        ("On {vantage}, see what the name resolves to and which DNS servers are asked; correct those:", *_LOOK_LINUX),
        _here_only,
        consequences=NAMES_IN_LOGS,
        fold_by=("vantage",),
        rank=40,
    ),
    CauseKind(
        "TC5102",
        "A name has no record in DNS",
        "No machine that was asked can resolve {host}: there is no such record.",
        NAME_FAILURES,
        ("Add the record in DNS, or correct the name in the inventory and the settings:", *_LOOK_WINDOWS),
        ("Add the record in DNS, or correct the name in the inventory and the settings:", *_LOOK_LINUX),
        _record_missing,
        consequences=NAMES_IN_LOGS,
        fold_by=("host",),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5103",
        "A machine's DNS servers do not answer",
        "{vantage} gets no usable answer from its DNS servers, so it cannot resolve any name, including {host}.",
        NAME_FAILURES,
        ("On {vantage}, see which DNS servers are asked, and whether it can reach them:", *_LOOK_WINDOWS),
        ("On {vantage}, see which DNS servers are asked, and whether it can reach them:", *_LOOK_LINUX),
        _resolver,
        consequences=NAMES_IN_LOGS,
        fold_by=("vantage",),
        rank=20,
    ),
    CauseKind(
        "TC5104",
        "A machine's DNS does not know the zone",
        "{vantage} resolves no name in {zone}: its DNS servers do not serve that zone, or do not forward queries "
        "to one that does.",
        NAME_FAILURES,
        ("On {vantage}, see which DNS servers are asked; add a forwarder, or the zone:", *_LOOK_WINDOWS),
        ("On {vantage}, see which DNS servers are asked; add a forwarder, or the zone:", *_LOOK_LINUX),
        _zone_missing,
        consequences=NAMES_IN_LOGS,
        fold_by=("vantage", "zone"),
        rank=20,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5121",
        "A name resolves to an old or wrong address",
        "On {vantage}, {host} resolves to {resolved} instead of {declared_ip}: {why}.",
        frozenset({"TT512"}),
        (
            *_COMPARE,
            '$ Resolve-DnsName "<host>"',
            *when("its_own", '$ Resolve-DnsName "<host>."'),
            "$ Clear-DnsClientCache",
        ),
        (
            *_COMPARE,
            '$ getent ahosts "<host>"',
            *when("its_own", '$ getent ahosts "<host>."', "$ cat /etc/resolv.conf /etc/hosts"),
            "$ sudo resolvectl flush-caches",
        ),
        _stale,
        consequences=frozenset({"TT101", "TT102", "TT106", "TT107", "TT108", "TT112", "TT121", "TT133"}),
        fold_by=("link", "zone"),
        rank=40,
        confidence=Confidence.LIKELY,
    ),
    CauseKind(
        "TC5207",
        "One of the name's addresses is dead",
        "{host} has several addresses ({resolved}); {tried} does not answer but {declared_ip} does: an IPv6 "
        "address or a network card that is not in use.",
        NO_ANSWER,
        ("Remove the dead address from DNS, or make it answer:", *_LOOK_WINDOWS),
        ("Remove the dead address from DNS, or make it answer:", *_LOOK_LINUX),
        dead_address,
        consequences=frozenset({"TT107", "TT108", "TT133"}),
        fold_by=("host",),
        rank=40,
    ),
)
