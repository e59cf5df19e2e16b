"""What only many attempts at a link show (causes/ping.py)."""

from __future__ import annotations

from typing import Any

from pytest_tentacle.link import By, Failure, PingAttempt, PingOrder, PingSeries, Stage
from pytest_tentacle.link.decoding import decode_text
from pytest_tentacle.survey.store import Surveys
from support.fleets.certificates import certificate
from support.fleets.failures import CLOSED
from support.fleets.whole import Whole

from . import case

EVERY_THIRD = "++c" * 6 + "++"
NOW_AND_THEN = "++++++++cc++++++++++"


def attempts(pattern: str, certificates: str, slow: str) -> tuple[PingAttempt, ...]:
    """`+` went well, `c` was closed at TLS, `p` timed out waiting for the page."""
    made = []
    for number, sign in enumerate(pattern):
        times: dict[str, Any] = dict.fromkeys(("resolve", "connect", "tls", "page"), 3.0)
        if slow:
            times[slow] = 1200.0
        failure: dict[str, Any] = {}
        if sign == "c":
            times["page"] = None
            failure = {"stage": Stage.TLS, "error": Failure.CLOSED}
        elif sign == "p":
            failure = {"stage": Stage.PAGE, "error": Failure.TIMED_OUT}
        presented = int(certificates[number]) if certificates else 0
        made.append(PingAttempt(at=number / 2, certificate=None if sign == "c" else presented, **times, **failure))
    return tuple(made)


def pinged(world: Whole, how: dict[str, Any]) -> None:
    """Every link was pinged; `how[machine]` says what came of it, the others went well."""
    original = world.surveys

    def series(name: str, host: str, port: int, whose: str) -> PingSeries:
        values = {"pattern": "+" * 20, "certificates": "", "slow": "", "payload": 0} | how.get(name, {})
        ends = (certificate(whose), certificate("another"))
        return PingSeries(
            host=host,
            port=port,
            by=By.NAME,
            wanted=20,
            payload_bytes=values["payload"],
            certificates=tuple(map(decode_text, ends[: 2 if values["certificates"] else 1])),
            attempts=attempts(values["pattern"], values["certificates"], values["slow"]),
        )

    def surveys() -> Surveys:
        made = original()
        records = []
        for record in made.records:
            (name,) = record.machines
            if name == "octo-1":
                names = [other for other in world.drafts if other.startswith("web")]
                found = tuple(series(each, f"{each}.example", 10933, each) for each in names)
                record = record.model_copy(update={"peer_pings": found})  # noqa: PLW2901
            elif name.startswith("poll") and record.survey:
                one = series(name, "octo-1.example", 10943, "octopus")
                survey = record.survey.model_copy(update={"pings": (one,)})
                record = record.model_copy(update={"survey": survey})  # noqa: PLW2901
            records.append(record)
        return made.model_copy(update={"records": tuple(records), "ping": PingOrder(count=20)})

    world.surveys = surveys  # type: ignore[method-assign]


@case("TT641", confidence="likely")
def stopped_meanwhile(world: Whole) -> None:
    pinged(world, {"web-01": {"pattern": "c" * 20}})


@case("TC6421", confidence="likely", unsure="")
def losses_on_one_link(world: Whole) -> None:
    pinged(world, {"web-01": {"pattern": NOW_AND_THEN}})


@case("TC6421", "poll-01")
def a_flapping_link(world: Whole) -> None:
    pinged(world, {"poll-01": {"pattern": "++c++++cc+++++++c+++"}})


@case("TC6421")
def losses_and_a_look_that_met_one(world: Whole) -> None:
    """The single look failed as well; one cause explains both."""
    world.both("web-01", CLOSED)
    pinged(world, {"web-01": {"pattern": NOW_AND_THEN}})


@case("TC6422")
def a_dead_member(world: Whole) -> None:
    pinged(world, {"web-01": {"pattern": EVERY_THIRD}})


@case("TC6422", "poll-01", "poll-02")
def a_dead_member_of_the_servers(world: Whole) -> None:
    pinged(world, {name: {"pattern": EVERY_THIRD} for name in ("poll-01", "poll-02")})


@case("TC6423", "web-01", "web-02", "poll-01", "poll-02", confidence="likely")
def losses_on_all_links(world: Whole) -> None:
    pinged(world, {name: {"pattern": NOW_AND_THEN} for name in ("web-01", "web-02", "poll-01", "poll-02")})


@case("TC6451", confidence="certain")
def two_at_one_address(world: Whole) -> None:
    pinged(world, {"web-01": {"certificates": "01" * 10}})


@case("TC6451")
def two_at_one_address_and_the_other_first(world: Whole) -> None:
    """The single look met the other one."""
    world.across("web-01", {"der": certificate("another")}, {"der": certificate("another")})
    pinged(world, {"web-01": {"certificates": "10" * 10}})


@case("TT646")
def a_small_mtu(world: Whole) -> None:
    pinged(world, {"web-01": {"pattern": "p" * 20, "payload": 9000}})


@case("TC6441", "poll-01")
def slow_names(world: Whole) -> None:
    pinged(world, {"poll-01": {"slow": "resolve"}})


@case("TC6442")
def lost_packets(world: Whole) -> None:
    pinged(world, {"web-01": {"slow": "connect"}})


@case("TC6443")
def a_busy_end(world: Whole) -> None:
    pinged(world, {"web-01": {"slow": "tls"}})
