"""SELinux and AppArmor: whether they are in force, labels, and what they denied a service, by the kernel's records.

The records' shapes are the kernel's (security/selinux/avc.c, security/lsm_audit.c, security/apparmor/audit.c), in auditd's file
as auditd writes them, in the journal as journald does (src/journal/journald-audit.c).
"""

from __future__ import annotations

import pytest

INIT, UNCONFINED = "system_u:system_r:init_t:s0", "system_u:system_r:unconfined_service_t:s0"
AUDIT = "/var/log/audit/audit.log"
START = (
    'type=AVC msg=audit(1795428672.123:411): avc:  denied  { execute } for  pid=2136 comm="(Tentacle)" name="Tentacle" '
    f'dev="dm-0" ino=393 scontext={INIT} tcontext=unconfined_u:object_r:user_home_t:s0 tclass=file permissive=0\n'
    "type=SYSCALL msg=audit(1795428672.123:411): arch=c000003e syscall=59 success=no exit=-13 a0=55d0 a1=55d1 a2=55d2 a3=0 items=0 "
    'ppid=1 pid=2136 auid=4294967295 uid=0 gid=0 tty=(none) ses=4294967295 comm="(Tentacle)" exe="/usr/lib/systemd/systemd" '
    f"subj={INIT} key=(null)\n"
)
BIND = (
    "type=AVC msg=audit(1795428680.001:412): avc:  denied  { name_bind } for  pid=2136 comm=2E4E455420546872656164506F6F6C20576F src=10933 "
    "scontext=system_u:system_r:tentacle_t:s0 tcontext=system_u:object_r:unreserved_port_t:s0 tclass=tcp_socket permissive=0\n"
)
OTHERS = (
    'type=AVC msg=audit(1795428690.001:413): avc:  denied  { getattr } for  pid=1 comm="httpd" path="/srv/a" dev=dm-0 ino=2 '
    "scontext=system_u:system_r:httpd_t:s0 tcontext=system_u:object_r:samba_share_t:s0 tclass=file permissive=0\n"
)
ROTATING = (
    'type=AVC msg=audit(1795428691.001:414): avc:  denied  { read } for  pid=77 comm="logrotate" path="/etc/octopus/default/Logs/OctopusTentacle.txt" '
    "scontext=system_u:system_r:logrotate_t:s0 tcontext=system_u:object_r:etc_t:s0 tclass=file permissive=1\n"
)
BY_JOURNAL = (
    '1795428672.123000 web-7 audit[2136]: AVC avc:  denied  { execute } for  pid=2136 comm="(Tentacle)" name="Tentacle" dev="dm-0" ino=393 '
    f"scontext={INIT} tcontext=unconfined_u:object_r:user_home_t:s0 tclass=file permissive=0"
)
APPARMOR = (
    'type=AVC msg=audit(1795428695.321:500): apparmor="DENIED" operation="mknod" profile="/opt/octopus/tentacle/Tentacle" '
    'name="/etc/octopus/default/Logs/OctopusTentacle.txt" pid=2136 comm="Tentacle" requested_mask="c" denied_mask="c" fsuid=0 ouid=0\n'
)


@pytest.fixture
def sections():
    return {"access_control"}


def enforcing(machine, **more):
    machine.description["selinux"] = {"mode": "enforcing", **more}
    return machine


def found(machine, *shell):
    return machine.survey(*shell).survey.access_control.data


def unread(machine):
    section = machine.survey().survey.access_control
    assert section.data is None
    return section.unknown


class TestState:
    def test_no_such_module(self, whole, shell):
        """Nothing is started for it."""
        whole.records = True
        assert found(whole, shell).model_dump() == {
            "selinux": "disabled", "apparmor": False, "processes": (), "labels": (), "denials": (), "records_since": None,
        }  # fmt: skip
        assert not {"journalctl", "matchpathcon"} & {command for command, _ in whole.called()}

    def test_it_only_tells(self, whole):
        whole.description["selinux"] = {"mode": "permissive"}
        assert found(whole).selinux == "permissive"

    def test_nobody_can_tell(self, whole):
        """A container, which is not shown SELinux's file system; or one that may not be read."""
        whole.file("/proc/filesystems", "nodev\tselinuxfs\n")
        assert "is not shown here" in unread(whole)

    def test_the_kernel_shows_nothing(self, whole):
        whole.description["denied"] = ["/proc/filesystems"]
        assert unread(whole) == "whether the kernel has SELinux is not shown here"


class TestDenials:
    def test_by_auditd(self, whole, shell):
        """In every shell; words with a blank are hex; what other programs were denied is nobody's business here."""
        whole.file(AUDIT, START + BIND + OTHERS + ROTATING)
        facts = found(enforcing(whole), shell)
        assert facts.selinux == "enforcing"
        rotated, bound, ran = facts.denials
        assert f"{facts.records_since:%Y-%m-%d %H:%M:%S}" == "2026-11-23 10:11:12"
        assert (ran.action, ran.process, ran.executable, ran.pid) == (
            "execute",
            "(Tentacle)",
            "/usr/lib/systemd/systemd",
            2136,
        )
        assert (ran.source, ran.target, ran.kind, ran.path) == (
            INIT,
            "unconfined_u:object_r:user_home_t:s0",
            "file",
            "Tentacle",
        )
        assert (ran.enforced, f"{ran.time_utc:%Y-%m-%d %H:%M:%S}") == (True, "2026-11-23 10:11:12")
        assert (bound.action, bound.process, bound.port, bound.kind) == (
            "name_bind",
            ".NET ThreadPool Wo",
            10933,
            "tcp_socket",
        )
        assert (rotated.process, rotated.enforced) == ("logrotate", False)

    def test_the_last_of_its_like(self, whole):
        whole.file(AUDIT + ".1", START)
        whole.file(AUDIT, START.replace("1795428672", "1795428999"))
        (denial,) = found(enforcing(whole)).denials
        assert f"{denial.time_utc:%H:%M:%S}" == "10:16:39"

    def test_without_auditd(self, whole, shell):
        whole.description["journal"] = ["1795428600.000000 web-7 kernel: Linux version 5.14.0", BY_JOURNAL]
        (denial,) = found(enforcing(whole), shell).denials
        assert (denial.action, denial.path, f"{denial.time_utc:%H:%M:%S}") == ("execute", "Tentacle", "10:11:12")
        assert f"{found(whole).records_since:%H:%M:%S}" == "10:10:00"

    def test_none(self, whole):
        whole.file(AUDIT, OTHERS)
        assert found(enforcing(whole)).denials == ()

    @pytest.mark.parametrize("missing", ["file", "journal", "rows", "tool"])
    def test_not_read(self, whole, missing):
        """Never the same as none."""
        if missing == "file":
            whole.file(AUDIT, START)
            whole.description["denied"] = [AUDIT]
        elif missing == "rows":  # to others than root and its groups the journal shows their own lines alone
            whole.description["journal"] = []
        elif missing == "journal":
            whole.description["journal"] = ["No journal files were opened due to insufficient permissions."]
        told = unread(enforcing(whole))
        assert told.startswith(f"SELinux is enforcing, the process is {UNCONFINED}, and what was denied: ")
        assert (
            told.partition("what was denied: ")[2]
            == {
                "file": "/var/log/audit/audit.log may not be read",
                "journal": "the journal of the kernel may not be read",
                "rows": "the journal of the kernel may not be read",
                "tool": "this machine has neither /var/log/audit/audit.log nor a journal",
            }[missing]
        )


class TestLabels:
    def test_of_program_home_and_process(self, whole, shell):
        program = "/opt/octopus/tentacle/Tentacle"
        home, should = "unconfined_u:object_r:user_home_t:s0", "system_u:object_r:usr_t:s0"
        whole.file(AUDIT, OTHERS)
        facts = found(enforcing(whole, labels={program: home}, policy={program: should}, process=UNCONFINED), shell)
        assert [(label.path, label.label, label.expected) for label in facts.labels] == [
            (program, home, should),
            ("/etc/octopus/default", "unconfined_u:object_r:etc_t:s0", None),
        ]
        assert [(one.service, one.pid, one.label) for one in facts.processes] == [
            ("Tentacle.service", 2136, UNCONFINED)
        ]


class TestAppArmor:
    @pytest.fixture
    def on(self, whole):
        whole.file("/sys/module/apparmor/parameters/enabled", "Y\n")
        whole.file(AUDIT, APPARMOR)
        return whole

    def test_without_a_profile_nothing_is_denied(self, on):
        on.file("/proc/2136/attr/current", "unconfined\n")
        facts = found(on)
        assert (facts.apparmor, [one.label for one in facts.processes], facts.denials) == (True, ["unconfined"], ())

    def test_a_profile(self, on, shell):
        on.file("/proc/2136/attr/current", "/opt/octopus/tentacle/Tentacle (enforce)\n")
        (denial,) = found(on, shell).denials
        assert (denial.module, denial.action, denial.kind) == ("apparmor", "mknod", "file")
        assert (denial.source, denial.path) == (
            "/opt/octopus/tentacle/Tentacle", "/etc/octopus/default/Logs/OctopusTentacle.txt",
        )  # fmt: skip
