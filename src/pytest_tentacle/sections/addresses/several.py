"""Guide, "Check the IP Address": a name with several addresses, each of which a product may get.

Halibut connects by `TcpClient.ConnectAsync(host, port)` within 60 s in all (OctopusDeploy/Halibut,
TcpClientExtensions.cs and HalibutTimeoutsAndLimits.cs), and .NET tries the name's addresses one after the other, in the
resolver's order. Windows gives a silent one up after some 20 s, so the next gets its turn; Linux after more than two
minutes (tcp_syn_retries, tcp(7)), so it does not. What refuses, or is unreachable, costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from pytest_tentacle.judging.attempts import TENTACLE_READS, Attempt, attempts_of
from pytest_tentacle.judging.check import Finding, check
from pytest_tentacle.judging.finding import Evidence, Problem, Unknown
from pytest_tentacle.judging.reading import FACTS
from pytest_tentacle.judging.subject import Subject
from pytest_tentacle.link import By, Failure, Stage, Tried
from pytest_tentacle.link.hosts import plain_address
from pytest_tentacle.sections.connections.linux_filter import FilteredWay, linux_verdict, own_addresses
from pytest_tentacle.sections.connections.probe_verdict import WORDS

IN_ITS_TURN = "TT715"
NEVER_BEHIND = "TT716"

_ROTATES = "it is used when DNS gives the addresses in another order"
_GOES_ON = "Octopus goes on to the next one"
_WAITS = "each new connection waits for it first, some 20 s on Windows"
_TAKES_ALL = "on Linux it takes all of the 60 s that Octopus gives a connection, and the next one is never tried"


@check(
    codes=(IN_ITS_TURN, NEVER_BEHIND),
    reads=("host", "firewall", "peer.host", "peer.firewall", "peer.services", *TENTACLE_READS),
)
def each_address_of_a_name_answers(subject: Subject) -> Iterator[Finding]:
    """Where a name leads to several addresses, the machine answers at each that a product may use."""
    looks = [each for each in attempts_of(subject) if each.probe.by is By.NAME and _tried(each)]
    for look in {(each.vantage, each.probe.host, each.probe.port): each for each in looks}.values():
        if look.link.proxy is None:
            yield from _judged(subject, look)


def _judged(subject: Subject, look: Attempt) -> Iterator[Finding]:
    tried = _with_the_other_look(subject, look)
    answering = _answering(tried)
    if answering is None:
        yield from _none_answers(subject, look, tried)
        return
    stranger = answering.stage is None and not _own_is_met(look, tried, answering)
    place = tried.index(answering)
    system = _system_of(look.link.vantage)
    wrong: dict[str, list[tuple[Tried, str]]] = {}
    unread: list[Tried] = []
    for number, one in enumerate(tried):
        told = _wrong(subject, look, one, answering)
        behind = number > place
        hidden = stranger and not _is_beside_the_end(subject, look, one, answering)
        if told is None or (behind and (hidden or _is_six(one) is not _is_six(answering))):
            continue  # nobody gets there as long as one before it answers, whoever that is
        if stranger and one.address == plain_address(look.link.declared_ip or ""):
            continue  # the link's own steps tell why the machine itself does not answer
        if one.error is Failure.UNREACHABLE and _is_of_no_family_of(look.link.vantage, one):
            continue  # the vantage's system says so at once, whoever answers there
        silent = one.stage is Stage.CONNECT and one.error is Failure.TIMED_OUT
        if silent and not behind and system is None:
            unread.append(one)
            continue
        code = NEVER_BEHIND if silent and not behind and system == "linux" else IN_ITS_TURN
        effect = _ROTATES if behind else _TAKES_ALL if code == NEVER_BEHIND else _WAITS if silent else _GOES_ON
        wrong.setdefault(code, []).append((one, f"{one.address} {told}: {effect}"))
    for code, ones in wrong.items():
        yield _problem(subject, look, code, ones, answering)
    if unread:
        yield _silent_for_whom(look, unread, answering)
    if not wrong and not unread:
        yield Evidence(f"probe from {look.vantage}", f"{look.probe.host}: {_listed(tried)}")


def _with_the_other_look(subject: Subject, look: Attempt) -> tuple[Tried, ...]:
    """Each address as it was tried by name, and as answering where the look by address alone found it so."""
    reached = {
        each.probe.connect.address
        for each in attempts_of(subject)
        if each.link is look.link and each.probe.by is By.ADDRESS and each.met_own and each.probe.connect
    }
    return tuple(
        one.model_copy(update={"stage": None, "error": None}) if one.address in reached else one for one in _tried(look)
    )


def _answering(tried: tuple[Tried, ...]) -> Tried | None:
    """The first that answers, else the first that takes connections; None where none does."""
    whole = next((one for one in tried if one.stage is None), None)
    return whole or next((one for one in tried if one.stage is not Stage.CONNECT), None)


def _own_is_met(look: Attempt, tried: tuple[Tried, ...], answering: Tried) -> bool:
    """Whether any address leads to the machine itself, as far as its certificate is known."""
    expected = look.link.expected_thumbprint
    return (
        answering.thumbprint in {None, expected} or expected is None or any(one.thumbprint == expected for one in tried)
    )


def _none_answers(subject: Subject, look: Attempt, tried: tuple[Tried, ...]) -> Iterator[Finding]:
    """What one fault does not explain: an address that the machine does not have, beside one that it has.

    Or one that another machine has as well; or one that its own rules (Linux) let in, beside one that they keep out.
    """
    end = look.link.end
    if end is None:
        return
    try:
        own = {plain_address(each) for each in end.read(FACTS.host).addresses}
    except Unknown:
        return
    here = [one for one in tried if one.address in own]
    strange = [one for one in tried if one.address not in own | {plain_address(end.machine.ip or "")}] if here else []
    kept = [one for one in here if _verdict(end, look, one) == "closed"]
    let = [one for one in here if kept and _verdict(end, look, one) == "open"]
    told = [(one, f"{one.address} is none of the addresses of {end.name}") for one in strange]
    told += [
        (one, f"{one.address} {_wrong(subject, look, one, kept[0])}, and no rule of {end.name} keeps it out")
        for one in let
    ]
    twins = subject.surveyed.twins_of(end.machine)
    for one in here if len(here) > 1 else ():
        owners = subject.fleet.machines_by_address.get(one.address, ())
        others = [name for name in owners if name not in {end.name, *twins} and not _is_same_host(subject, end, name)]
        told += [(one, f"{one.address} is an address of {others[0]} as well")] if others else []
    if told:
        yield _problem(subject, look, IN_ITS_TURN, told, None)
    elif kept:
        names = ", ".join(one.address for one in kept)
        yield Unknown(
            f"whether each address of {look.probe.host} answers {look.vantage} cannot be told as long as the rules of "
            f"{end.name} keep out what comes to {names}",
            "Run again once they let it in.",
        )


def _is_same_host(subject: Subject, end: Subject, name: str) -> bool:
    return subject.fleet.subject(name).machine.host_key == end.machine.host_key


def _verdict(end: Subject, look: Attempt, one: Tried) -> str | None:
    """What the end's own rules on Linux do with a connection to one of its addresses."""
    try:
        firewall = end.read(FACTS.firewall)
    except Unknown:
        return None
    if firewall.engine == "windows" or firewall.filters is None:
        return None
    other = look.link.vantage
    peers = frozenset(each for each in own_addresses(other) if (":" in each) is _is_six(one))
    way = FilteredWay(inbound=True, port=look.probe.port, own=frozenset({one.address}), peers=peers)
    return linux_verdict(firewall, [way]).word


def _system_of(vantage: Subject) -> str | None:
    """`windows` or `linux`, as read, else as declared."""
    try:
        return vantage.read(FACTS.host).os
    except Unknown:
        return vantage.system


def _silent_for_whom(look: Attempt, silent: list[Tried], answering: Tried) -> Unknown:
    names = ", ".join(one.address for one in silent)
    return Unknown(
        f"from {look.vantage}, {names} of {look.probe.host} is silent, and {answering.address} behind it answers: "
        f"which system {look.vantage} runs was not read, and Linux never gets to the next address, while Windows waits "
        "some 20 s first",
        f"Survey {look.vantage} again, or declare its `os` in the inventory.",
    )


def _is_beside_the_end(subject: Subject, look: Attempt, one: Tried, answering: Tried) -> bool:
    """Whether a known machine's certificate is met there, while a stranger holds the end's own address.

    Whoever that stranger is, the record leads to another machine of the fleet once DNS gives the addresses in turn.
    """
    at_the_end = answering.address == plain_address(look.link.declared_ip or "")
    return at_the_end and one.thumbprint is not None and _owner_of(subject, one) is not None


def _owner_of(subject: Subject, one: Tried) -> Subject | None:
    return next((each for each in subject.fleet.subjects if each.expected_thumbprint == one.thumbprint), None)


def _wrong(subject: Subject, look: Attempt, one: Tried, answering: Tried) -> str | None:
    """What is wrong with one of the addresses; None where it is as it should be."""
    if one.stage is not None and one.error is not None:
        return f"fails ({one.stage.value}: {WORDS[one.error]})"
    if one.thumbprint is None or one.thumbprint in {answering.thumbprint, look.link.expected_thumbprint}:
        return None
    owner = _owner_of(subject, one)
    whose = f"that of {owner.name}" if owner else one.thumbprint
    return f"presents another certificate, {whose}"


def _problem(
    subject: Subject, look: Attempt, code: str, wrong: list[tuple[Tried, str]], answering: Tried | None
) -> Problem:
    probe, tried = look.probe, _tried(look)
    dead = wrong[0][0].address
    why = "; ".join(told for _, told in wrong)
    return Problem(
        code,
        subject.name,
        expected=f"from {look.vantage}, each address of {probe.host} answers on port {probe.port}",
        actual=f"{_takes(answering)}; {why}",
        evidence=(Evidence(f"probe from {look.vantage}", f"{probe.host}: {_listed(tried)}"),),
        facts={
            "host": probe.host,
            "port": probe.port,
            "vantage": look.vantage,
            "server": look.server,
            "dead": f"[{dead}]" if ":" in dead else dead,
            "answering": answering.address if answering else None,
            "why": why,
        },
    )


def _takes(answering: Tried | None) -> str:
    if answering is None:
        return "none does"
    return f"{answering.address} does" if answering.stage is None else f"{answering.address} takes connections"


def _tried(look: Attempt) -> tuple[Tried, ...]:
    return look.probe.connect.tried if look.probe.connect else ()


def _is_of_no_family_of(vantage: Subject, one: Tried) -> bool:
    """Whether a machine has no address of that family that leads anywhere."""
    try:
        own = vantage.read(FACTS.host).addresses
    except Unknown:
        return False
    known = [ip_address(plain) for plain in map(plain_address, own) if plain]
    family = 6 if _is_six(one) else 4
    return bool(known) and not any(
        each.version == family and not (each.is_link_local or each.is_loopback) for each in known
    )


def _is_six(one: Tried) -> bool:
    return ":" in one.address


def _listed(tried: tuple[Tried, ...]) -> str:
    return ", ".join(
        f"{one.address} {f'{one.stage.value} {one.error.value}' if one.stage and one.error else 'answers'}"
        + (f" in {one.ms:.0f} ms" if one.ms is not None else "")
        for one in tried
    )
