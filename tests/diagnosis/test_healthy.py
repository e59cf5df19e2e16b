"""Properties over made-up fleets: the healthy ones yield nothing; sick ones the same whatever the order, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.judging.result import Outcome
from pytest_tentacle.survey.surroundings import Product
from support.fleets.failures import DROPPED

SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VERSIONS = ("6.2.277", "7.0.1", "8.1.1000", "9.1.3268")
SYSTEMS = {
    "windows": ("Microsoft Windows Server 2022 Standard", "Microsoft Windows Server 2019 Datacenter Évaluation"),
    "linux": ("Debian GNU/Linux 12 (bookworm)", "SUSE Linux Enterprise Server 15 SP6"),
}
LOCAL_SYSTEM = ("LocalSystem", "NT-AUTORIT\u00c4T\\SYSTEM", "AUTORITE NT\\Syst\u00e8me")


@dataclass(frozen=True)
class Spec:
    """One Tentacle."""

    listening: bool
    windows: bool
    nodes: int
    proxy: bool
    nat: bool
    instances: int
    version: str
    locale: int


SPECS = st.builds(
    Spec,
    listening=st.booleans(),
    windows=st.booleans(),
    nodes=st.integers(1, 3),
    proxy=st.booleans(),
    nat=st.booleans(),
    instances=st.integers(1, 2),
    version=st.sampled_from(VERSIONS),
    locale=st.integers(0, 2),
)


def build(whole: Any, nodes: int, specs: list[Spec]) -> Any:
    """A fleet in which all is well."""
    world = whole.Whole()
    for number in range(nodes):
        world.add_server(f"octo-{number + 1}", f"192.0.2.{10 + number}")
    for number, spec in enumerate(specs):
        name = f"{'web' if spec.listening else 'poll'}-{number}"
        add = world.add_listening if spec.listening else world.add_polling
        add(name, f"198.51.{100 + number % 3}.{number + 1}")
        dress(world, whole, name, spec, nodes)
    return world


def dress(world: Any, whole: Any, name: str, spec: Spec, nodes: int) -> None:
    """All that may differ between machines that are well."""
    if spec.listening and not spec.windows:
        whole.make_linux(world, name)
    if not spec.listening and spec.windows:
        whole.make_windows(world, name)
    for number in range(1, min(spec.nodes, nodes)):
        world.join(name, f"octo-{number + 1}")
    if spec.proxy and not spec.listening:
        world.through_proxy(name)
    if spec.nat:
        world.behind_nat(name, f"10.77.0.{len(world.drafts)}")
    if spec.instances > 1:
        world.second_instance(name)
    system = "windows" if spec.windows else "linux"
    world[name].host["os_name"] = SYSTEMS[system][spec.locale % 2]
    (product,) = world.sections[name]["products"]
    world.sections[name]["products"] = (Product(product="tentacle", version=spec.version, path=product.path),)
    if spec.windows:
        account = LOCAL_SYSTEM[spec.locale]
        world[name].service["account"] = account
        (rights,) = world.sections[name]["permissions"]
        world.sections[name]["permissions"] = (rights.model_copy(update={"account": account}),)


class TestHealthyFleets:
    """Nothing wrong, nothing found, and nothing unknown."""

    def test_a_poller_that_only_its_proxy_lets_out(self, world: Any, judged: Any) -> None:
        """The proxy let the very survey through: that the direct way is closed tells nothing; where it did not, it does."""
        world.through_proxy("poll-01")
        world.across("poll-01", DROPPED, DROPPED)
        _, results = judged(world)
        assert {each.outcome for each in results} == {Outcome.PASSED}
        world.sections["poll-01"]["proxy_connects"] = ()
        _, results = judged(world)
        across = next(each for each in results if (each.machine, each.step) == ("poll-01", "welcome-page-across"))
        assert across.outcome is Outcome.UNKNOWN

    @settings(SETTINGS, max_examples=30)
    @given(st.integers(1, 3), st.lists(SPECS, max_size=6))
    def test_nothing_is_found(self, whole: Any, judged: Any, nodes: int, specs: list[Spec]) -> None:
        """Whatever the sizes, systems, modes, nodes, proxies, addresses, instances, versions and languages."""
        fleet, results = judged(build(whole, nodes, specs))
        sick = [(each.machine, each.step, each.outcome, each.problems, each.reason) for each in results]
        assert [each for each in sick if each[2] is not Outcome.PASSED] == []
        diagnosis = diagnose(fleet, results)
        assert not diagnosis.views()
        assert not diagnosis.doubts
        assert not diagnosis.machines

    @settings(SETTINGS, max_examples=20)
    @given(st.lists(SPECS, min_size=1, max_size=6), st.sets(st.integers(0, 8)))
    def test_unreachable_machines_invent_nothing(
        self, whole: Any, diagnosed: Any, specs: list[Spec], dark: set[int]
    ) -> None:
        """Some machines cannot be logged on to, in a fleet in which all is well."""
        world = build(whole, 2, specs)
        for number, name in enumerate(world.drafts):
            if number in dark:
                world.dark(name)
        diagnosis = diagnosed(world)
        assert not diagnosis.views()

    @settings(SETTINGS, max_examples=20)
    @given(st.lists(SPECS, min_size=1, max_size=4), st.data())
    def test_unknown_sections_invent_nothing(self, whole: Any, diagnosed: Any, specs: list[Spec], data: Any) -> None:
        """Sections that could not be read are no causes, nor the absence of any."""
        world = build(whole, 2, specs)
        for sections in world.sections.values():
            for section in data.draw(st.sets(st.sampled_from(sorted(sections)), max_size=6)):
                sections[section] = "access is denied"
        assert not diagnosed(world).views()


class TestSickFleets:
    """Several faults at once, in any order of machines."""

    @settings(SETTINGS, max_examples=30)
    @given(st.data(), st.randoms(use_true_random=False))
    def test_order_of_machines_does_not_matter(
        self, whole: Any, faults: Any, diagnosed: Any, data: Any, shuffled: Random
    ) -> None:
        """The same causes on the same machines, as sure, with the same words."""
        case = data.draw(st.sampled_from(faults.CASES), label="fault")
        world = whole.wide_fleet()
        case.change(world)
        first = told(diagnosed(world))
        names = list(world.drafts)
        shuffled.shuffle(names)
        world.drafts = {name: world.drafts[name] for name in names}
        assert told(diagnosed(world)) == first

    @settings(SETTINGS, max_examples=30)
    @given(st.data())
    def test_what_is_chosen_explains_all_that_can_be(self, whole: Any, faults: Any, judged: Any, data: Any) -> None:
        """Two faults at once: each problem is explained or shown as unexplained, never both, never lost."""
        world = whole.wide_fleet()
        for case in data.draw(st.lists(st.sampled_from(compatible(faults)), min_size=2, max_size=2), label="faults"):
            case.change(world)
        fleet, results = judged(world)
        diagnosis = diagnose(fleet, results)
        for name, machine in diagnosis.machines.items():
            own = {id(problem) for result in results if result.machine == name for problem in result.problems}
            explained = {id(problem) for found in machine.causes for problem in found.problems}
            left = {id(problem) for problem in machine.unexplained}
            assert not explained & left
            assert explained <= own
            if not machine.waits_for:
                assert explained | left == own
            for found in machine.causes:
                others = {id(p) for other in machine.causes if other is not found for p in other.problems}
                assert {id(problem) for problem in found.problems} - others, "each explains something by itself"

    @settings(SETTINGS, max_examples=20)
    @given(st.data(), st.sets(st.integers(0, 4), min_size=1))
    def test_unreachable_machines_add_no_certainty(
        self, whole: Any, faults: Any, diagnosed: Any, data: Any, dark: set[int]
    ) -> None:
        """Who sees less does not find what is not there: no cause names a machine that was well."""
        case = data.draw(st.sampled_from([case for case in faults.CASES if case.code != "TC2052"]), label="fault")
        world = whole.wide_fleet()
        case.change(world)
        seen = {name for cause in diagnosed(world).views() for name in cause.machines}
        for number, name in enumerate(tuple(world.drafts)):
            if number in dark:
                world.dark(name)
        now = {name for cause in diagnosed(world).views() for name in cause.machines}
        assert now <= seen


def compatible(faults: Any) -> list[Any]:
    """Faults that can be injected whatever else is: those that neither take machines away nor replace a whole log."""
    return [
        case
        for case in faults.CASES
        if case.code in {"TC2021", "TC2052", "TC3211", "TC5201", "TC4011", "TT971", "TT811", "TC5311", "TT801"}
    ]


def told(diagnosis: Any) -> list[tuple[Any, ...]]:
    """What a diagnosis says, without the order in which machines are named."""
    return sorted(
        (
            cause.code,
            cause.confidence,
            tuple(sorted(cause.machines)),
            tuple(sorted(cause.affected)),
            tuple(sorted(cause.places)),
            tuple(sorted(cause.explains)),
        )
        for cause in diagnosis.views()
    )
