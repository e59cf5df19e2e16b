"""The step "Service account permissions": effective rights, and who cannot be told to have them."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tentacle.judging.result import Outcome, StepResult
from pytest_tentacle.sections import Fleet, fleet_of
from pytest_tentacle.sections.account.rights import FULL, MODIFY, has_rights
from pytest_tentacle.survey.model import Section
from pytest_tentacle.survey.surroundings import Access, AccessEntry, Permissions

ME, OTHER = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
SYSTEM, ADMINISTRATORS, USERS, EVERYONE = "S-1-5-18", "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0"
TEAM = "S-1-5-21-1-2-3-2001"
OWNER_RIGHTS = "S-1-3-4"
READ = 0x1200A9
GENERIC_ALL, GENERIC_MODIFY = 0x10000000, 0xE0010000
HOME = r"C:\Octopus"
STANDARD = (
    {"sid": SYSTEM, "mask": FULL},
    {"sid": ADMINISTRATORS, "mask": FULL},
    {"sid": USERS, "mask": READ},
    {"sid": "S-1-3-0", "mask": GENERIC_ALL, "inherit_only": True},
)
"""What C:\\ hands down to a folder."""

Entry = dict[str, Any]


def entries(*given: Entry) -> tuple[AccessEntry, ...]:
    return tuple(AccessEntry(**entry) for entry in given)


def whose(**values: Any) -> Permissions:
    """A local account, all of whose groups are known."""
    common: dict[str, Any] = {
        "instance": "Tentacle",
        "product": "tentacle",
        "account": r".\octopus",
        "sid": ME,
        "groups": (EVERYONE, "S-1-5-11", "S-1-5-6", USERS, "S-1-5-113"),
        "home": HOME,
        "looked_at": 1,
    }
    return Permissions(**(common | values))


def on(*given: Entry, path: str = HOME, owner: str = SYSTEM) -> Access:
    return Access(path=path, owner=owner, entries=entries(*given))


def unix(mode: int, owner: str = "root", group: str = "root", path: str = "/etc/octopus/Tentacle") -> Access:
    return Access(path=path, owner=owner, group=group, mode=mode)


def on_linux(*access: Access, **values: Any) -> Permissions:
    common = {"account": "octopus", "sid": None, "groups": ("octopus", "deploy"), "home": "/etc/octopus/Tentacle"}
    return whose(**(common | values), access=access)


class TestHasRights:
    """Windows-shapes 4.3, and the rules of Windows for lists of access."""

    @pytest.mark.parametrize(
        ("given", "mask", "expected"),
        [
            pytest.param(({"sid": ME, "mask": FULL},), FULL, True, id="full"),
            pytest.param(({"sid": ME, "mask": FULL, "inherited": True},), FULL, True, id="inherited"),
            pytest.param(({"sid": ME, "mask": FULL, "inherit_only": True},), MODIFY, False, id="inherit-only"),
            pytest.param(({"sid": ME, "mask": GENERIC_ALL},), FULL, True, id="generic-all"),
            pytest.param(({"sid": ME, "mask": GENERIC_MODIFY},), MODIFY, True, id="generic-modify"),
            pytest.param(({"sid": ME, "mask": MODIFY},), FULL, False, id="modify-is-not-full"),
            pytest.param(({"sid": EVERYONE, "mask": FULL},), FULL, True, id="by-a-group"),
            pytest.param(({"sid": USERS, "mask": READ}, {"sid": ME, "mask": FULL - READ}), FULL, True, id="added-up"),
            pytest.param(({"sid": OTHER, "mask": FULL},), MODIFY, False, id="somebody-else"),
            pytest.param((), READ, False, id="empty-list"),
            pytest.param(
                ({"sid": USERS, "mask": 2, "deny": True}, {"sid": ME, "mask": FULL}), MODIFY, False, id="denied-first"
            ),
            pytest.param(
                ({"sid": ME, "mask": FULL}, {"sid": USERS, "mask": 2, "deny": True}), FULL, True, id="denied-too-late"
            ),
            pytest.param(
                ({"sid": OTHER, "mask": FULL, "deny": True}, {"sid": ME, "mask": FULL}), FULL, True, id="other-denied"
            ),
            pytest.param(
                ({"sid": ME, "mask": 2, "deny": True, "inherit_only": True}, {"sid": ME, "mask": FULL}),
                FULL,
                True,
                id="denied-below-only",
            ),
        ],
    )
    def test_by_entries(self, given: tuple[Entry, ...], mask: int, *, expected: bool) -> None:
        """In stored order: the first entry about a right decides on it."""
        assert has_rights(on(*given), whose(), mask) is expected

    @pytest.mark.parametrize(
        ("given", "mask", "expected"),
        [
            pytest.param((), 0x60000, True, id="may-always-read-and-change-rights"),
            pytest.param((), READ, False, id="and-nothing-else"),
            pytest.param(({"sid": OWNER_RIGHTS, "mask": 0x20000},), 0x60000, False, id="owner-rights-take-it"),
            pytest.param(({"sid": OWNER_RIGHTS, "mask": FULL},), FULL, True, id="owner-rights-give"),
            pytest.param(
                ({"sid": OWNER_RIGHTS, "mask": FULL, "inherit_only": True},), 0x60000, True, id="owner-rights-below"
            ),
        ],
    )
    def test_of_the_owner(self, given: tuple[Entry, ...], mask: int, *, expected: bool) -> None:
        """The owner has two rights of his own, unless an entry for owners says otherwise."""
        assert has_rights(on(*given, owner=ME), whose(), mask) is expected

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            pytest.param(STANDARD, None, id="may-be-an-administrator"),
            pytest.param(
                ({"sid": SYSTEM, "mask": FULL}, {"sid": USERS, "mask": READ}), False, id="no-group-would-help"
            ),
            pytest.param(({"sid": ME, "mask": FULL},), True, id="by-itself"),
            pytest.param(
                ({"sid": TEAM, "mask": FULL, "deny": True}, {"sid": ME, "mask": FULL}), None, id="may-be-denied"
            ),
            pytest.param(
                ({"sid": ME, "mask": 2, "deny": True}, {"sid": TEAM, "mask": FULL}), False, id="denied-whatever-group"
            ),
        ],
    )
    def test_groups_not_known(self, given: tuple[Entry, ...], *, expected: bool | None) -> None:
        """What depends on a group that the account may be in is not shown, neither way."""
        domain = whose(account=r"CORP\octopus", groups_complete=False)
        assert has_rights(on(*given), domain, MODIFY) is expected

    def test_sid_not_known(self) -> None:
        """Then any entry may be its own."""
        nobody = whose(sid=None)
        assert has_rights(on({"sid": OTHER, "mask": FULL}), nobody, MODIFY) is None
        assert has_rights(on({"sid": SYSTEM, "mask": FULL}), nobody, MODIFY) is False

    def test_services_own_sids(self) -> None:
        """A token may have its service's SID and that of all services, however well its groups are known."""
        assert has_rights(on({"sid": "S-1-5-80-0", "mask": FULL}), whose(), MODIFY) is None


CASES = {
    "TT801-standard": ("TT801", whose(access=(on(*STANDARD),))),
    "TT801-and-below": ("TT801", whose(access=(on(*STANDARD), on(*STANDARD, path=HOME + r"\Work")))),
    "TT801-network-service": (
        "TT801",
        whose(
            account=r"NT AUTHORITY\NetworkService", sid="S-1-5-20", groups=(EVERYONE, USERS), access=(on(*STANDARD),)
        ),
    ),
    "TT801-linux": ("TT801", on_linux(unix(0o755))),
    "TT801-linux-owner": ("TT801", on_linux(unix(0o575, "octopus", "octopus"))),
    "TT801-linux-group": ("TT801", on_linux(unix(0o757, "root", "deploy"))),
    "TT802": (
        "TT802",
        whose(access=(on({"sid": ME, "mask": FULL}), on(*STANDARD, path=HOME + r"\Logs\OctopusTentacle.txt"))),
    ),
    "TT802-linux": (
        "TT802",
        on_linux(unix(0o755, "octopus"), unix(0o644, path="/etc/octopus/Tentacle/Logs/OctopusTentacle.txt")),
    ),
    "TT803": (
        "TT803",
        whose(access=(on({"sid": USERS, "mask": 0x10000, "deny": True}, {"sid": ME, "mask": FULL}),)),
    ),
    "TT803-below": (
        "TT803",
        whose(
            access=(
                on({"sid": ME, "mask": FULL}),
                on({"sid": ME, "mask": 2, "deny": True}, {"sid": ME, "mask": FULL}, path=HOME + r"\Work"),
            )
        ),
    ),
}

WELL = {
    "local-system": whose(account="LocalSystem", sid=SYSTEM, groups=(), access=(on(),)),
    "root": on_linux(unix(0o500, "somebody"), account="root", groups=()),
    "full": whose(access=(on({"sid": ME, "mask": FULL}),)),
    "vanished-below": whose(access=(on({"sid": ME, "mask": FULL}), Access(path=HOME + r"\x", error="not-found"))),
    "administrator": whose(groups=(EVERYONE, USERS, ADMINISTRATORS), access=(on(*STANDARD),)),
    "linux-owner": on_linux(unix(0o700, "octopus"), unix(0o600, "octopus", path="/etc/octopus/Tentacle/a.config")),
    "linux-group": on_linux(unix(0o770, "root", "deploy")),
    "linux-everybody": on_linux(unix(0o777)),
}

DOUBTFUL = {
    "groups": whose(account=r"CORP\octopus", groups_complete=False, access=(on(*STANDARD),)),
    "denied": whose(access=(Access(path=HOME, error="denied"),)),
    "home-not-found": whose(access=(Access(path=HOME, error="not-found"),)),
    "nothing": whose(access=()),
    "linux-access-list": on_linux(unix(0o770)),
    "linux-groups": on_linux(unix(0o770, "root", "deploy"), groups=(), groups_complete=False),
    "linux-number": on_linux(unix(0o700, "octopus"), account="1001"),
}


class Scene:
    """The small fleet, with the rights of one machine's account."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def fleet(self, rights: Any, machine: str = "web-01") -> Fleet:
        section: Section[Any] = Section(unknown=rights) if isinstance(rights, str) else Section(data=rights)
        if any(each.home.startswith("/") for each in section.data or ()):
            self.world[machine].os = "linux"
        surveys = self.world.surveys()
        records = tuple(
            record.model_copy(update={"survey": record.survey.model_copy(update={"permissions": section})})
            if machine in record.machines
            else record
            for record in surveys.records
        )
        return fleet_of(surveys.model_copy(update={"records": records}))

    def judge(self, rights: Any, machine: str = "web-01") -> StepResult:
        return self.fleet(rights, machine).subject(machine).result("service-account-permissions")


@pytest.fixture
def scene(world: Any) -> Scene:
    return Scene(world)


class TestEachCode:
    """One change, one problem."""

    @pytest.mark.parametrize(("code", "rights"), CASES.values(), ids=CASES)
    def test_is_found(self, scene: Scene, code: str, rights: Permissions) -> None:
        """The step fails with this code and no other, with evidence."""
        result = scene.judge((rights,))
        assert [problem.code for problem in result.problems] == [code], result
        problem = result.problems[0]
        assert rights.account in problem.expected
        assert problem.evidence
        assert not result.reason

    def test_of_a_server(self, scene: Scene) -> None:
        """For polling Tentacles the guide asks for the server's account, on the server."""
        rights = whose(product="server", instance="OctopusServer", access=(on(*STANDARD),))
        assert [problem.code for problem in scene.judge((rights,), "octo-1").problems] == ["TT801"]

    def test_many_below_are_one_problem(self, scene: Scene) -> None:
        """What is nearest to the top is named, the rest is counted."""
        below = tuple(on(*STANDARD, path=rf"{HOME}\Work\{number}") for number in range(30))
        (problem,) = scene.judge((whose(access=(on({"sid": ME, "mask": FULL}), *below)),)).problems
        assert "29 more" in problem.actual
        assert problem.facts["path"] == HOME + r"\Work\0"
        assert len(problem.evidence) == 5


class TestWell:
    """Nothing is wrong."""

    @pytest.mark.parametrize("rights", WELL.values(), ids=WELL)
    def test_passes(self, scene: Scene, rights: Permissions) -> None:
        """The step says what it looked at."""
        result = scene.judge((rights,))
        assert result.outcome is Outcome.PASSED, result
        assert result.looked_at

    def test_modify_is_enough_and_told(self, scene: Scene) -> None:
        """The guide asks for more than the work needs."""
        rights = whose(access=(on({"sid": ME, "mask": MODIFY}),), complete=False)
        result = scene.judge((rights,))
        assert result.outcome is Outcome.PASSED
        assert "Modify" in result.looked_at[0]
        assert "not all there are" in result.looked_at[0]

    def test_full_control_is_told(self, scene: Scene) -> None:
        """What the guide asks for."""
        assert "full control" in scene.judge((WELL["full"],)).looked_at[0]


class TestNotSeen:
    """What could not be looked at."""

    @pytest.mark.parametrize("rights", DOUBTFUL.values(), ids=DOUBTFUL)
    def test_is_unknown(self, scene: Scene, rights: Permissions) -> None:
        """Neither yes nor no, with the reason."""
        result = scene.judge((rights,))
        assert result.outcome is Outcome.UNKNOWN, result
        assert "web-01" in result.reason

    def test_section_unknown(self, scene: Scene) -> None:
        """Nothing was read at all."""
        assert "access denied" in scene.judge("access denied").reason

    def test_another_instance(self, scene: Scene) -> None:
        """The rights of another instance's account say nothing of this one's."""
        assert scene.judge((whose(instance="Other", access=(on(),)),)).outcome is Outcome.UNKNOWN

    def test_no_service(self, scene: Scene) -> None:
        """Then there is no account."""
        scene.world["web-01"].without_service = True
        assert scene.judge(()).blocked_by == ("TT201", "web-01")
