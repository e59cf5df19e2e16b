"""Since when a link does not work, and what changed then: both ends' logs, Octopus's word, and clocks that disagree."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_tentacle.history import Kind, histories_of
from pytest_tentacle.octopus.model import ConnectionLine, Evidence, MachineEvent
from pytest_tentacle.sections import fleet_of
from pytest_tentacle.survey.surroundings import (
    Changes,
    Event,
    PackageChange,
    RuleChange,
    ServiceAccount,
    UpdateChange,
    WrittenFile,
)
from support import NOW
from support.fleets.certificates import thumbprint
from support.fleets.failures import REFUSED
from support.fleets.whole import LISTENS, SERVER_LISTEN, line, started, wide_fleet

REFUSAL = (
    "https://{name}.example:10933/   5  An error occurred when sending a request to 'https://{name}.example:10933/', "
    "before the request could begin: The remote host at https://{name}.example:10933/ refused the connection, this may "
    "mean that the expected listening service is not running."
)


def ago(seconds: float):
    return NOW - timedelta(seconds=seconds)


@pytest.fixture
def world():
    """web-01 was let in ten minutes before the survey and is refused now; its server's log tells of it 200 s before."""
    made = wide_fleet()
    made.both("web-01", REFUSED)
    made.say("octo-1", "WARN", REFUSAL.format(name="web-01"), ago=200)
    return made


def time_of(moment):
    """To the second, as the tests say it: lines of logs have fractions."""
    return moment.time.replace(microsecond=0)


def history(world, name="web-01"):
    """The history of a machine's only link."""
    (found,) = histories_of(world.fleet().subject(name))
    return found


def saw(world, name, **more):
    """Octopus was asked for it."""
    registration = world.register(name)
    evidence = Evidence(registration=registration.id, **more)
    world.portal = world.portal.model_copy(update={"evidence": (*world.portal.evidence, evidence)})


def event(category, seconds, **more):
    return MachineEvent(category=category, occurred=ago(seconds).isoformat(), message="", **more)


class TestBreak:
    def test_listening(self, world):
        """The Tentacle's log has the last proof, the server's the first failure."""
        found = history(world)
        assert (time_of(found.worked), found.worked.machine) == (ago(600), "web-01")
        assert (time_of(found.failed), found.failed.machine) == (ago(200), "octo-1")
        assert found.between == ()
        assert found.sentence.startswith(
            "last seen working 22 November 2026 02:54:05 UTC; nothing that was read changed"
        )
        assert "first known failure at 03:00:45: Nothing listens at that address" in found.sentence

    def test_polling(self):
        """The server's log has the proof; of the Tentacle's own TLS connection it is not shown that it was let in."""
        world = wide_fleet()
        world.logs["octo-1"] += line(
            500,
            "INFO",
            f"{SERVER_LISTEN}Client at [::ffff:192.0.2.30]:50000 authenticated as {thumbprint('poll-01')}",
            1000,
        )
        world.both("poll-01", REFUSED)
        found = history(world, "poll-01")
        assert (time_of(found.worked), found.worked.machine) == (ago(500), "octo-1")
        assert time_of(found.failed) == NOW
        assert {each.kind for each in found.lines} <= {Kind.WORKED, Kind.FAILED, Kind.PARTLY, Kind.CHANGED}

    def test_tls_is_no_proof(self):
        """A TLS connection comes about before the listener decides whom it trusts."""
        world = wide_fleet()
        world.both("poll-01", REFUSED)
        found = history(world, "poll-01")
        assert found.worked is None
        assert "nothing shows that it ever worked" in found.sentence

    def test_recovered(self, world):
        """A failure that was followed by a proof is not the break: only what stands is."""
        world.across("web-01", {}, {})
        world.logs["web-01"] += world.visit("web-01", "octo-1", ago=100)
        found = history(world)
        assert time_of(found.worked) == ago(100)
        assert found.failed is None
        assert "no later failure is known" in found.sentence

    def test_record_that_came_often(self, world):
        """Of the times between its first and its last nobody knows which was the first after the proof."""
        world.logs["octo-1"] = line(9_000, "INFO", "Octopus Server version 2026.1", 1000) + "".join(
            line(seconds, "WARN", REFUSAL.format(name="web-01"), 1000) for seconds in (5_000, 400, 200)
        )
        found = history(world)
        assert (time_of(found.failed), found.failed.again) == (ago(200), True)
        assert "and before at times that are not known" in found.sentence

    def test_other_links_are_not_its_own(self, world):
        """What the server's log says of another Tentacle is none of this one's history."""
        world.say("octo-1", "WARN", REFUSAL.format(name="web-02"), ago=550)
        assert time_of(history(world).failed) == ago(200)

    def test_stopped_service(self):
        """Until when it wrote, and that it does not run."""
        world = wide_fleet()
        world.down("web-01")
        found = history(world)
        assert found.failed.text == "its service OctopusDeploy Tentacle is stopped"
        assert any("last line of its log" in each.text for each in found.between)


def _without_zone(record):
    logs = tuple(log.model_copy(update={"modified_utc": None}) for log in record.survey.logs.data)
    section = record.survey.logs.model_copy(update={"data": logs})
    return record.model_copy(update={"survey": record.survey.model_copy(update={"logs": section})})


class TestClocks:
    def test_brought_together(self, world):
        """A Tentacle whose clock is an hour ahead did not work after the failure."""
        world["web-01"].host["clock_utc"] = NOW + timedelta(hours=1)
        world.logs["web-01"] = started(2136, LISTENS) + world.visit("web-01", "octo-1", ago=600 - 3_600)
        found = history(world)
        assert time_of(found.worked) == ago(600)
        assert time_of(found.failed) == ago(200)
        assert any("3,600 s ahead of ours" in note for note in found.notes)

    def test_zone_that_is_not_clear(self, world):
        """A log whose zone nobody can tell is left out, and that is said."""
        surveys = world.surveys()
        unclear = [_without_zone(record) if record.machines == ("web-01",) else record for record in surveys.records]
        (found,) = histories_of(fleet_of(surveys.model_copy(update={"records": tuple(unclear)})).subject("web-01"))
        assert found.worked is None
        assert any("could not be placed" in note for note in found.notes)


class TestChanges:
    def test_between(self, world):
        """Settings, an upgrade of either end, Windows' service manager, a boot, and Octopus's audit: by time, with source."""
        world["web-01"].config_modified = ago(450)
        world["octo-1"].host["boot_utc"] = ago(500)
        world.logs["octo-1"] = (
            line(90_000, "INFO", "=" * 80, 1000)
            + line(90_000, "INFO", "Octopus Server version 2025.4.10", 1000)
            + line(90_000, "INFO", "==== RunCommand ====", 1000)
            + line(480, "INFO", "=" * 80, 1001)
            + line(480, "INFO", "Octopus Server version 2026.1.7", 1001)
            + line(480, "INFO", "==== RunCommand ====", 1001)
            + line(200, "WARN", REFUSAL.format(name="web-01"), 1001)
        )
        world.sections["web-01"]["events"] = (
            Event(source="service-control-manager", id=7040, time_utc=ago(470), data={"param1": "OctopusDeploy Tentacle", "param2": "auto start"}),
            Event(source="service-control-manager", id=7034, time_utc=ago(460), data={"param1": "Spooler"}),
        )  # fmt: skip
        saw(
            world, "web-01", events=(event("Modified", 440, changed=("/Endpoint/Uri",)), event("MachineHealthy", 9_000))
        )
        found = history(world)
        told = [(each.machine, each.text) for each in found.between]
        assert told == [
            ("octo-1", "the machine booted"),
            ("octo-1", "Octopus Server 2026.1.7 started; before it was 2025.4.10"),
            ("web-01", "how the service starts was changed (OctopusDeploy Tentacle, auto start)"),
            ("web-01", "its settings were written"),
            ("web-01", "its registration was changed in Octopus: /Endpoint/Uri"),
        ]
        assert all(each.source for each in found.lines)
        assert len(found.lines) <= 12

    def test_long_before(self, world):
        """What changed days before the last proof is no line of the break."""
        world["web-01"].config_modified = ago(900_000)
        assert history(world).between == ()

    def test_certificate_by_its_day(self, world):
        """A Tentacle's own certificate tells the day that it was made on, and no more."""
        found = history(world)
        made = [each for each in found.lines if "certificate" in each.text]
        assert all(each.is_day and ":" not in each.when for each in made if "was made" in each.text)


class TestOctopus:
    def test_health_checks(self, world):
        """A health check is a proof, and its change to unavailable a failure, with what its words mean."""
        world.without_log |= {"web-01", "octo-1"}
        saw(
            world,
            "web-01",
            events=(
                event("MachineUnavailable", 3_000, details="SocketException (10061): the target machine actively refused it."),
                event("MachineHealthy", 7_000),
            ),
        )  # fmt: skip
        found = history(world)
        assert (time_of(found.worked), time_of(found.failed)) == (ago(7_000), ago(3_000))
        assert any("log of web-01 was not read" in note for note in found.notes)

    def test_connectivity(self, world):
        """The Connectivity tab's errors are failures, its TLS connections no proof; what has no time is left out."""
        world.without_log |= {"web-01", "octo-1"}
        saw(
            world,
            "web-01",
            connection=(
                ConnectionLine(level="Info", text="Secure connection established. Server at", occurred=ago(4_000).isoformat()),
                ConnectionLine(level="Error", text="refused", occurred=ago(3_500).isoformat()),
                ConnectionLine(level="Error", text="never", occurred="0001-01-01T00:00:00+00:00"),
            ),
        )  # fmt: skip
        found = history(world)
        assert (found.worked, time_of(found.failed)) == (None, ago(3_500))
        assert ago(4_000) in {each.time for each in found.lines if each.kind is Kind.PARTLY}

    def test_not_asked(self, world):
        """It is said, not guessed."""
        assert any("was not asked for" in note for note in history(world).notes)


class TestWindows:
    """What Windows tells of updates, its firewall and the account of a service."""

    def test_updates_and_rules(self, world):
        """One moment for each run of servicing; rules with what they do; what was not read is told."""
        made = [
            UpdateChange(name=name, action="installed", time_utc=ago(400))
            for name in ("Web-Server", "KB1", "KB2", "KB3", "KB4")
        ]
        old = UpdateChange(name="KB0", action="removed", time_utc=ago(90_000))
        rules = [
            RuleChange(action="added", name="Stop", time_utc=ago(390), ports=("10933",), verdict="block", active=True),
            RuleChange(action="changed", name="Off", time_utc=ago(380), verdict="allow", active=False),
            RuleChange(action="removed", name="Octopus", time_utc=ago(370)),
            RuleChange(action="profile", name="3", time_utc=ago(360)),
        ]
        world.sections["web-01"]["changes"] = Changes(updates=(*made, old), rules=rules, unread=("its log is gone",))
        found = history(world)
        assert [each.text for each in found.between] == [
            "updates of Windows: KB1 installed, KB2 installed, KB3 installed, KB4 installed and 1 more",
            "the firewall's rule 'Stop' was added: it blocks TCP 10933",
            "the firewall's rule 'Off' was changed: it allows TCP on any port, and is switched off",
            "the firewall's rule 'Octopus' was removed",
            "a setting of the firewall's profile Domain and Private was changed",
        ]
        assert "what changed on web-01 is not all known: its log is gone" in found.notes

    def account(self, world, *events, **service):
        """What is told of its account, by events of the service manager."""
        world["web-01"].service |= service
        world.sections["web-01"]["events"] = tuple(
            Event(source="service-control-manager", id=number, time_utc=ago(seconds), data={field: account, "service": "OctopusDeploy Tentacle"})
            for number, seconds, field, account in events
        )  # fmt: skip
        return [(time_of(each), each.within.total_seconds(), each.text) for each in history(world).between]

    def test_account(self, world):
        """Between the last time at which the former account is known and the first at which the later one is."""
        told = self.account(
            world,
            (7045, 500, "AccountName", "LocalSystem"),
            (7038, 450, "param2", "CORP\\svc"),
            account="svc@corp.example",
        )
        changed = [each for each in told if "account of its service" in each[2]]
        assert changed == [(ago(500), 50, "the account of its service was changed from LocalSystem to CORP\\svc")]

    def test_account_now(self, world):
        """What it is set to now was set after the last event that names another one."""
        told = self.account(world, (7045, 500, "AccountName", "NT AUTHORITY\\SYSTEM"), account=".\\svc")
        assert (ago(500), 500, "the account of its service was changed from NT AUTHORITY\\SYSTEM to .\\svc") in told
        assert any(
            "between 22 November 2026 02:55:45 and 22 November 2026 03:04:05" in each.when
            for each in history(world).lines
        )

    @pytest.mark.parametrize(
        ("before", "now"),
        [("LocalSystem", "NT AUTHORITY\\SYSTEM"), ("NT AUTHORITY\\NETWORK SERVICE", "NT AUTHORITY\\NetworkService")],
    )
    def test_same_account(self, world, before, now):
        """One account has several names: nothing changed, and nothing is guessed."""
        told = self.account(world, (7045, 500, "AccountName", before), account=now)
        assert not [each for each in told if "account of its service" in each[2]]

    def test_process_of_another_account(self, world):
        """It was changed after the process had started."""
        row = {"service": "OctopusDeploy Tentacle", "account": "x", "sid": "S-1-5-20", "process_sid": "S-1-5-18"}
        world.sections["web-01"]["service_accounts"] = (ServiceAccount(**row),)
        told = self.account(world, account="NT AUTHORITY\\NetworkService", started_utc=ago(550))
        assert any(at == ago(550) and "its process still runs as another" in text for at, _, text in told)


class TestSystem:
    """What Linux tells of its files and packages."""

    def broken(self, changes):
        """poll-01 was let in 500 s before the survey, and is refused."""
        world = wide_fleet()
        where = f"{SERVER_LISTEN}Client at [::ffff:192.0.2.30]:50000 authenticated as {thumbprint('poll-01')}"
        world.logs["octo-1"] += line(500, "INFO", where, 1000)
        world.both("poll-01", REFUSED)
        world.sections["poll-01"]["changes"] = changes
        return [each.text for each in history(world, "poll-01").between]

    def test_files_and_packages(self):
        """One moment for each run of the package manager, by the zone of the machine; what matters is named first."""
        packages = [
            PackageChange(time="2026-11-22 03:59:05", action="upgraded", name=name, before="1", version="2")
            for name in ("vim", "less", "nano", "tar", "openssl:amd64")
        ]
        old = PackageChange(time="2026-11-20 03:59:05", action="removed", name="sl", before="5")
        unit = "/etc/systemd/system/tentacle.service.d/override.conf"
        files = [WrittenFile(path=path, modified_utc=ago(400)) for path in ("/etc/nftables.conf", unit)]
        files.append(WrittenFile(path="/etc/hosts"))
        told = self.broken(Changes(zone="Europe/Berlin", offset="+0200", files=files, packages=(old, *packages)))
        assert told == [
            "/etc/nftables.conf was written",
            f"{unit}, which says as whom and how the service runs, was written",
            f"packages: {', '.join(f'{name} 1 to 2 upgraded' for name in ('openssl:amd64', 'vim', 'less', 'nano'))} and 1 more",
        ]

    @pytest.mark.parametrize(
        ("time", "zone", "offset", "found"),
        [
            ("2026-11-22T03:59:05+0100", None, None, True),
            ("2026-11-22 02:59:05", "No/Where", "+0000", True),
            ("2026-11-22 02:59:05", "UTC", None, True),
            ("2026-11-22 02:59:05", None, None, False),
            ("22.11. 02:59", "UTC", None, False),
            ("2026-11-22 02:59:05", "../../etc/passwd", "x", False),
            ("9999-12-31 23:59:59-14:00", None, None, False),
            ("0001-01-01 00:00:00", None, "+1400", False),
        ],
    )
    def test_times(self, time, zone, offset, found):
        """By their own offset, the zone's name or the offset of now; without any they are not placed."""
        package = PackageChange(time=time, action="installed", name="x", version="1")
        assert bool(self.broken(Changes(zone=zone, offset=offset, packages=(package,)))) == found


class TestTls:
    def test_server_reached_the_tentacle(self, world):
        """The server's own log tells of its TLS connections to just this Tentacle: it came so far, and no proof more."""
        for name, seconds in (("web-01", 300), ("web-02", 290)):
            said = (
                f"https://{name}.example:10933/        12  Secure connection established. Server at "
                f"[::ffff:192.0.2.20]:10933 identified by thumbprint: {thumbprint(name)}, using protocol Tls13"
            )
            world.say("octo-1", "INFO", said, ago=seconds)
        found = history(world)
        partly = [each for each in found.lines if each.kind is Kind.PARTLY]
        assert [time_of(each) for each in partly] == [ago(300)]
        assert time_of(found.worked) == ago(600)
