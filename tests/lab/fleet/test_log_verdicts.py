"""What logs say, exactly as designed: each mishap of inventory/lab-logs.yaml yields its own codes, and no other."""

from __future__ import annotations

import json
import re

import pytest

from pytest_tentacle.inventory import load
from pytest_tentacle.logs.signatures import BY_ID
from pytest_tentacle.sections.catalogue import CATALOGUE
from pytest_tentacle.sections.identify.problems import LOGS
from pytest_tentacle.sections.messages.problems import MESSAGES

STEPS = ("identify-the-problem", "other-error-messages")

DESIGNED: dict[str, tuple[str, ...]] = {
    # Servers: only what concerns their own machine
    "octo-1": (),
    "octo-2": ("TT111", "TT122", "TT134"),
    "octo-3": ("TT125", "TT126", "TT128"),
    # Trust
    "replaced-01": ("TT101",),
    "replaced-02": ("TT101",),
    "opened-01": ("TT102",),
    "opened-02": ("TT102",),
    "mistrusted-01": ("TT103", "TT105"),
    "mistrusted-02": ("TT103", "TT105", "TT132"),
    "mistrusted-03": ("TT103",),
    "unoffered-01": ("TT104", "TT105"),
    "unoffered-02": ("TT104", "TT105", "TT132"),
    "hungup-01": ("TT105",),
    "hungup-02": ("TT105", "TT132"),
    "outside-01": ("TT132",),
    "copies-01": ("TT117",),
    "twice-01": ("TT117",),
    # The way
    "reset-01": ("TT106",),
    "reset-02": ("TT106",),
    "refuses-01": ("TT107",),
    "refuses-02": ("TT107",),
    "drops-01": ("TT108",),
    "drops-02": ("TT108",),
    "mute-01": ("TT108",),
    "register-01": ("TT108",),
    "quiet-01": ("TT109",),
    "quiet-02": ("TT109",),
    "hello-01": ("TT109",),
    "hello-02": ("TT109",),
    "nameless-01": ("TT110",),
    "nameless-02": ("TT110",),
    "closes-01": ("TT112",),
    "closes-02": ("TT112",),
    "routeless-01": ("TT133",),
    "routeless-02": ("TT133",),
    # TLS
    "tls-01": ("TT113",),
    "tls-02": ("TT113",),
    "alert-01": ("TT113",),
    "shortkey-01": ("TT114",),
    "shortkey-02": ("TT113", "TT114"),
    # Requests
    "idle-01": ("TT115",),
    "hung-01": ("TT116",),
    "hung-02": ("TT116",),
    "riddle-01": ("TT131",),
    "riddle-02": ("TT131",),
    # Proxies, and what answers in the other end's place
    "noproxy-01": ("TT118",),
    "noproxy-02": ("TT118",),
    "forbids-01": ("TT119",),
    "forbids-02": ("TT119",),
    "socket-01": ("TT120",),
    "plain-01": ("TT121",),
    "plain-02": ("TT121",),
    "page-01": ("TT951",),
    "page-02": ("TT951",),
    "anonymous-01": ("TT952",),
    "anonymous-02": ("TT952",),
    "changed-01": ("TT953",),
    "changed-02": ("TT953",),
    "cut-01": ("TT954",),
    "cut-02": ("TT954",),
    # The start, rights, disk
    "inuse-01": ("TT111",),
    "foreignip-01": ("TT134",),
    "keystore-01": ("TT122",),
    "copied-01": ("TT123",),
    "machinekey-01": ("TT123",),
    "damaged-01": ("TT124",),
    "moved-01": ("TT124",),
    "full-01": ("TT125",),
    "rights-01": ("TT126",),
    "alone-01": ("TT127",),
    "alone-02": ("TT127",),
    "accepts-01": ("TT128",),
    "dies-01": ("TT129",),
    "hangs-01": ("TT130",),
    # What is over, or no trouble of the link
    "over-01": (),
    "over-02": (),
    "over-03": (),
    "noise-01": ("TT151",),
    "noise-02": ("TT151",),
    # Windows
    "win-polls-01": (
        *("TT101", "TT103", "TT105", "TT106", "TT107", "TT108", "TT109", "TT110", "TT112", "TT113"),
        *("TT115", "TT116", "TT117", "TT118", "TT119", "TT120", "TT121", "TT133", "TT951", "TT952", "TT953", "TT954"),
    ),
    "win-listens-01": ("TT102", "TT104", "TT105", "TT125", "TT126", "TT127", "TT128", "TT132"),
    "win-riddle-01": ("TT131",),
    "win-down-01": ("TT111", "TT122", "TT123", "TT124", "TT129", "TT134"),
    "win-hangs-01": ("TT130",),
    "win-over-01": (),
}

_ELSEWHERE = dict.fromkeys(
    [f"TT{number}" for number in (*range(135, 151), *range(152, 159), 955)],
    "the lab has no machine for it: tests/cases and tests/sections do it",
)
NOT_ON = {
    "linux": _ELSEWHERE,
    "windows": _ELSEWHERE
    | {
        "TT151": "as on Linux: tests/cases and tests/sections do it",
        "TT114": "OpenSSL's text; Schannel calls a key that is too short an invalid parameter (TT113)",
    },
}
"""Codes that cannot come about on a system, and why."""

_ONCE = "read in each layout of its time by tests/logs/test_eras.py; the lab's products are of today"
NOT_IN_LOGS = {
    "service-timeout": "the service manager writes it into the event log, and no product into its own",
    **dict.fromkeys(
        (
            "unexpected-certificate-1x",
            "unexpected-certificate-2x",
            "client-not-trusted-1x",
            "not-trusted-there-2x",
            "subscriber-unknown-2x",
            "aborted-2x",
            "discovery-not-tls-2x",
            "reset-shut-down",
            "retry",
            "idle-connection",
            "leak-note",
            "address-family",
            "no-certificate",
            "no-home",
            "broken-envelope",
            "prefix-taken",
            "prefix-port-taken",
            "prefix-denied",
            "bind-failed",
            "logging-configuration",
            "file-locked",
            "database",
            "database-pool",
            "powershell-not-started",
            "threads-exhausted",
            "license",
            "database-key",
            "database-upgrade",
            "portal-web-server",
            "key-asks-somebody",
            "pkcs12-iterations",
            "key-isolation",
            "key-not-usable",
            "own-server-not-recognised",
            "web-socket-gateway",
            "no-room-to-accept",
            "no-room-to-connect",
            "part-of-program",
            "openssl-configuration",
            "connecting-forbidden",
            "altered-data",
        ),
        _ONCE,
    ),
}
"""Signatures that no log file holds, and why."""

CAUSES: dict[str, tuple[str, ...]] = {
    "octo-2": ("TT111", "TT134", "TT122"),
    "octo-3": ("TT125", "TT126", "TT128"),
    "replaced-01": ("TC1012",),
    "replaced-02": ("TC1012",),
    "opened-01": ("TT102",),
    "opened-02": ("TT102",),
    "mistrusted-01": ("TC1031",),
    "mistrusted-02": ("TC1031",),
    "mistrusted-03": ("TC1031",),
    "unoffered-01": ("TT104",),
    "unoffered-02": ("TT104",),
    "hungup-01": ("TC1051",),
    "hungup-02": ("TC1051",),
    "outside-01": ("TC1321",),
    "copies-01": ("TC1171",),
    "twice-01": ("TC1172",),
    "reset-01": ("TT106",),
    "reset-02": ("TT106",),
    "refuses-01": ("TT107",),
    "refuses-02": ("TT107",),
    "drops-01": ("TT108",),
    "drops-02": ("TT108",),
    "mute-01": ("TT108",),
    "register-01": ("TT108",),
    "quiet-01": ("TT109",),
    "quiet-02": ("TT109",),
    "hello-01": ("TT109",),
    "hello-02": ("TT109",),
    "nameless-01": ("TT110",),
    "nameless-02": ("TT110",),
    "closes-01": ("TT112",),
    "closes-02": ("TT112",),
    "routeless-01": ("TT133",),
    "routeless-02": ("TT133",),
    "tls-01": ("TT113",),
    "tls-02": ("TT113",),
    "alert-01": ("TT113",),
    "shortkey-01": ("TT114",),
    "shortkey-02": ("TT114",),
    "idle-01": ("TC1151",),
    "hung-01": ("TT116",),
    "hung-02": ("TT116",),
    "noproxy-01": ("TC1181",),
    "noproxy-02": ("TC1181",),
    "forbids-01": ("TC1191",),
    "forbids-02": ("TC1191",),
    "socket-01": ("TC1204",),
    "plain-01": ("TT121",),
    "plain-02": ("TT121",),
    "page-01": ("TT951",),
    "page-02": ("TT951",),
    "anonymous-01": ("TC9522",),
    "anonymous-02": ("TC9522",),
    "changed-01": ("TT953",),
    "changed-02": ("TT953",),
    "cut-01": ("TC9542",),
    "cut-02": ("TC9542",),
    "inuse-01": ("TT111",),
    "foreignip-01": ("TC1341",),
    "keystore-01": ("TC1221",),
    "copied-01": ("TT123",),
    "machinekey-01": ("TT123",),
    "damaged-01": ("TT124",),
    "moved-01": ("TT124",),
    "full-01": ("TT125",),
    "rights-01": ("TT126",),
    "alone-01": ("TC1032",),
    "alone-02": ("TC1271",),
    "accepts-01": ("TT128",),
    "hangs-01": ("TT130",),
    "win-hangs-01": ("TT130",),
    "noise-01": ("TC1512", "TC1515"),
    "noise-02": ("TC1512", "TC1515"),
    # Nobody knows that error: it stays visible, unexplained
    "riddle-01": ("TT131",),
    "riddle-02": ("TT131",),
    "dies-01": ("TT129",),
    "win-riddle-01": ("TT131",),
}
"""What the diagnosis makes of these two steps; several mishaps on one machine may share a cause."""

MANY = ("win-polls-01", "win-listens-01", "win-down-01")
"""Machines whose mishaps are too many to say which cause takes which."""


@pytest.fixture(scope="session")
def causes(log_run) -> dict[str, set[str]]:
    """By machine, its causes; what nothing explains stands there by its problem's code."""
    (path,) = (log_run.folder / "reports").glob("*.json")
    found: dict[str, set[str]] = {}
    for cause in json.loads(path.read_text(encoding="utf-8"))["causes"]:
        for machine in cause["machines"]:
            found.setdefault(machine, set()).add(cause["code"])
    return found


@pytest.fixture(scope="session")
def logs(log_run) -> dict[str, list[dict]]:
    """By machine, its logs as they were surveyed: its instance's own, then that of before home is known."""
    return {
        record["machines"][0]: record["survey"]["logs"]["data"]
        for record in log_run.surveys["records"]
        if record.get("survey")
    }


@pytest.fixture(scope="session")
def systems(top) -> dict[str, str]:
    """By machine, its system."""
    inventory = load([top / "inventory" / "lab-logs.yaml"])
    return {machine.name: machine.os.value for machine in inventory.machines if machine.name in DESIGNED}


class TestVerdicts:
    @pytest.mark.parametrize("machine", DESIGNED)
    def test_each_mishap_yields_its_own_codes_and_no_other(self, log_run, machine: str):
        """Nothing is unknown or blocked either: what is over is history, and what is nobody's trouble is left alone."""
        found = log_run.of(machine)

        assert set(found) <= set(STEPS)
        assert all(isinstance(verdict, tuple) for verdict in found.values()), found
        assert tuple(sorted({code for codes in found.values() for code in codes})) == DESIGNED[machine]

    def test_every_machine_is_designed(self, log_run):
        """No machine is left out of the table but octo-dmz, which nobody can log on to."""
        machines = {re.match(rf"(.+)-(?:{'|'.join(STEPS)})$", name)[1] for name in log_run.verdicts}
        assert machines == set(DESIGNED)


class TestCodes:
    @pytest.mark.parametrize("system", NOT_ON)
    def test_each_is_failed_on_each_system(self, systems, system: str):
        """By a mishap on a machine of that system, or on its server about it."""
        failed = {code for machine, codes in DESIGNED.items() if systems[machine] == system for code in codes}
        assert failed == {kind.code for kind in (*LOGS, *MESSAGES)} - set(NOT_ON[system])


class TestCauses:
    @pytest.mark.parametrize("machine", CAUSES)
    def test_the_diagnosis_names_the_mishap(self, causes, machine: str):
        assert causes.get(machine, set()) == set(CAUSES[machine])

    @pytest.mark.parametrize("machine", MANY)
    def test_of_many_mishaps_none_stays_without_a_cause(self, causes, machine: str):
        assert {code for code in causes[machine] if code in CATALOGUE and not CATALOGUE[code].is_cause} == set()

    def test_every_sick_machine_has_one(self, causes):
        sick = {machine for machine, codes in DESIGNED.items() if codes}
        assert set(causes) == sick == {*CAUSES, *MANY}


class TestRecords:
    def test_each_signature_is_met_in_a_real_file(self, logs):
        met = {record.get("signature") for files in logs.values() for log in files for record in log["records"]}
        assert set(BY_ID) - met == set(NOT_IN_LOGS)

    @pytest.mark.parametrize("machine", ["over-01", "over-02", "over-03", "win-over-01"])
    def test_what_is_over_was_there(self, logs, machine: str):
        """The passing of these machines is a verdict on failures, not their absence."""
        known = [BY_ID.get(record.get("signature", "")) for log in logs[machine] for record in log["records"]]
        codes = {signature.code for signature in known if signature is not None and signature.code}

        assert codes >= {"TT111", "TT122", "TT108"}

    @pytest.mark.parametrize(
        ("machine", "pid"), [("drops-01", False), ("quiet-01", False), ("refuses-01", False), ("refuses-02", True)]
    )
    def test_every_layout_is_read(self, logs, machine: str, pid: bool):
        """Only today's has the process."""
        log, _ = logs[machine]

        assert log["startup"]["version"] == "8.3.3000"
        assert (log["startup"].get("pid") is not None) is pid

    def test_the_archive_comes_along(self, logs):
        """A log that was rotated half an hour ago has its start in the file before."""
        log, _ = logs["nameless-01"]

        assert log["startup"]["polls"]
        assert log["records"][0]["count"] == 6

    def test_a_server_of_many_tentacles_loses_none(self, logs):
        (log,) = logs["octo-1"]

        assert not log.get("dropped")
