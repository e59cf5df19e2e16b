"""All that a run without `--restart` and `mend` can send, listed: nothing that changes a machine is reachable from it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import pytest_tentacle
from pytest_tentacle.acting.restarting import Restart, restart
from pytest_tentacle.acting.sending import send
from pytest_tentacle.inventory.model import SSH, OperatingSystem
from pytest_tentacle.link import PingOrder
from pytest_tentacle.octopus import allowed
from pytest_tentacle.survey import collector, host
from pytest_tentacle.survey.actions import By
from pytest_tentacle.survey.collector import Plan, collect
from pytest_tentacle.survey.scripts import linux, windows
from pytest_tentacle.transport.base import Answer, Deadline, Transport
from support import hostile
from support.fleets.world import small_fleet
from support.shell_words import Shell

PACKAGE = Path(pytest_tentacle.__file__).parent

LINUX_REQUEST = frozenset(
    [
        "nonce",
        "gather",
        "budget",
        "probe-seconds",
        "identity",
        "port",
        "name",
        "peer",
        "target",
        "ping",
        "pinged",
        "tls-versions",
        "tried",
        "end",
    ]
)
"""What the lines of a request for Linux may be about: numbers, names and addresses to look at."""
WINDOWS_REQUEST = frozenset(
    [
        "nonce",
        "gather",
        "targets",
        "ports",
        "probe_seconds",
        "budget_seconds",
        "identity",
        "names",
        "peers",
        "ping",
        "tls_versions",
    ]
)

SENDERS = {
    "survey/host.py": 2,  # the survey, and the same by cmdlets
    "acting/sending.py": 1,  # --restart and mend
    "transport/backend.py": 1,  # testinfra's `host`, in a user's own test
}
"""Who gives a transport something to run, and how often."""

ACTORS = {
    "acting/carrying_out.py", "acting/mending.py", "acting/planning.py", "acting/restarting.py", "acting/sending.py",
    "cli/mend.py", "run/acting/doing.py", "run/reach.py",
}  # fmt: skip
"""Who knows those that send what changes a machine; `restart_first` alone is called by a run, and only for --restart."""


class Recorder(Transport):
    """A session that takes note of what it is given, and answers like a machine that is well."""

    def __init__(self, sent: list[tuple[str, bytes]], answer: bytes, system: str) -> None:
        self._sent, self._answer, self._system = sent, answer, system

    def connect(self, deadline: Deadline) -> None:
        """At once."""

    def execute(self, command: str, stdin: bytes, deadline: Deadline, *, max_output: int = 0) -> Answer:
        self._sent.append((command, stdin))
        found = re.search(rb'survey-([0-9a-f]{16})|"nonce": "([0-9a-f]{16})"', command.encode() + stdin[-20_000:])
        assert found is not None
        return Answer(self._answer.replace(hostile.NONCE.encode(), found[1] or found[2]), b"", 0)

    def detect_os(self) -> str:
        return self._system

    def close(self) -> None:
        """Nothing."""


def is_a_survey(command: str, stdin: bytes) -> bool:
    """Whether this is the published script, with a request that only asks."""
    text = stdin.decode("utf-8")
    if command == windows.COMMAND:
        script, request = windows.script(), windows.request_of(stdin)
        return text.startswith(script) and text[len(script) :].count("\n") == 1 and set(request) <= WINDOWS_REQUEST
    if command == windows.BY_CMDLETS:
        return text.startswith(windows.constrained_script()) and set(windows.request_of(stdin)) <= WINDOWS_REQUEST
    if re.fullmatch(re.escape(linux.COMMAND).replace("<nonce>", "[0-9a-f]{16}"), command):
        request, end, script = text.partition("\nend\n")
        words = {line.partition("\t")[0] for line in request.splitlines()}
        return bool(end) and script == f"{linux.script()}#SURVEY-END\n" and words <= LINUX_REQUEST
    return False


@pytest.mark.parametrize("system", list(OperatingSystem))
@pytest.mark.parametrize("constrained", [False, True])
def test_all_that_a_plain_run_sends(monkeypatch: Any, system: OperatingSystem, constrained: bool) -> None:
    """Both rounds, with every option that asks for more: the published scripts, and nothing else."""
    sent: list[tuple[str, bytes]] = []
    documents = {name: hostile.framed(each) for name, each in hostile.healthy_documents().items()}
    refusal = b"MethodInvocationNotSupportedInConstrainedLanguage"

    def opened(settings: SSH) -> Recorder:
        answer = refusal if constrained and system is OperatingSystem.WINDOWS else documents[settings.host]
        return Recorder(sent, answer, system.value)

    monkeypatch.setattr(host, "open_transport", opened)
    monkeypatch.setattr(collector, "controller_targets", lambda *_: ())
    inventory = hostile.inventory(small_fleet())
    inventory = inventory.model_copy(
        update={
            "servers": tuple(each.model_copy(update={"os": system}) for each in inventory.servers),
            "tentacles": tuple(each.model_copy(update={"os": system}) for each in inventory.tentacles),
        }
    )
    plan = Plan(machine_timeout=30, identity=True, tls_versions=True, ping=PingOrder(count=2))
    collect(inventory, documents, plan, hostile.Silence())
    assert len(sent) >= 3
    assert [command for command, stdin in sent if not is_a_survey(command, stdin)] == []


@pytest.mark.parametrize("is_windows", [True, False])
def test_a_restart_is_none_of_them(monkeypatch: Any, is_windows: bool) -> None:
    """The look itself works: what `--restart` sends over the same session is noticed."""
    sent: list[tuple[str, bytes]] = []
    monkeypatch.setattr(
        "pytest_tentacle.acting.sending.open_transport",
        lambda _: Recorder(sent, b"", "windows" if is_windows else "linux"),
    )
    restart(
        Restart("web-01", SSH(host="x"), is_windows=is_windows, service="s", log=None, by=By()), send, lambda _: None
    )
    assert [is_a_survey(command, stdin) for command, stdin in sent] == [False]


BUILT_IN = frozenset(
    {"[", "break", "cd", "command", "continue", "echo", "exec", "exit", "export", "printf", "read", "return", "set",
     "shift", "trap", "unset", "wait"}
)  # fmt: skip
"""What a shell does itself."""

FILTERS = frozenset(
    {"awk", "base64", "cat", "date", "grep", "gzip", "head", "od", "readlink", "sed", "sleep", "tail", "tr", "uname"}
)
"""What only reads, and writes to the script's own output: no redirection of the script names a file (below)."""

PROGRAMS = frozenset(
    {
        "kill",  # of children of its own, by number
        "timeout",
        "df -Pi",
        "df -Pk",
        "getent ahosts",
        "getent passwd",
        "hostname -I",
        "hostname -f",
        "id",
        "ifconfig -a",
        "ip -6",  # rule show
        "ip -o",
        "ip neigh",
        "ip rule",  # show
        "ip xfrm",  # policy, and state count
        "journalctl -q",  # with none of its words that change the journal (below)
        "ls",
        "matchpathcon -V",  # compares labels, and sets none
        "netstat -tanp",
        "nslookup",
        "ping -c",
        "ps -o",
        "ps -ww",
        "ss -H",
        "stat -L",
        "systemctl list-units",
        "systemctl show",
        "tc filter",  # show
        "tc qdisc",  # show
        "dpkg-query -W",
        "rpm -q",
        "firewall-cmd --state",
        "firewall-cmd --list-all-zones",
        "iptables-save -c",
        "ip6tables-save -c",
        '"${family}tables-legacy-save" -c',
        "ipset save",  # prints
        "nft list",
        "openssl ciphers",
        "openssl s_client",
        "openssl version",
        "curl -q",
        '"$executable" help',
        '"$@"',  # in those that run what they were given, which are read where they are called
    }
)
"""All programs that a survey of a Linux machine calls, with the word behind them where that says what they do."""

RUNNERS = {"bounded": 2, "bounded_last": 2, "limit": 2, "limit_last": 2, "rules_of": 2, "exec": 1}
"""Functions of the script that run the words behind them, and where these begin."""


def programs_of(shell: Shell) -> set[str]:
    """Each with the word behind it where the table has it with one."""
    found = set()
    for call in shell.calls:
        words = call
        while words and words[0] in RUNNERS:
            words = words[RUNNERS[words[0]] :]
        if words[:3] == ("set", "--", '"$1"') and len(words) > 4:  # what `limit "$@"` runs then
            words = words[4:]
        if not words or words[0] in BUILT_IN | FILTERS | shell.functions:
            continue
        found.add(words[0] if words[0] in PROGRAMS else " ".join(words[:2]))
    return found


def test_all_programs_that_a_survey_of_linux_calls() -> None:
    """By a reader of the shell's language, in every branch of the script; on Windows: `test_scripts.py` there."""
    shell = Shell(linux.script())
    assert programs_of(shell) == PROGRAMS
    journal = {word for call in shell.calls if "journalctl" in call for word in call}
    assert not {
        word for word in journal if re.match(r"--(?:rotate|vacuum|flush|sync|relinquish|smart|setup|update)", word)
    }


OF_AWK = {
    "openssl base64 -d -A 2>/dev/null | openssl dgst -sha1 2>/dev/null",
    "openssl base64 -d -A | openssl dgst -sha1",
}
"""What programs of awk start: the thumbprint of a large certificate."""


def test_all_that_awk_starts_and_reads() -> None:
    """It has its own ways to start programs and to open files."""
    texts = "\n".join(Shell(linux.script()).quoted)
    assert re.findall(r"\bsystem\s*\(", texts) == []
    assert set(re.findall(r"getline\s*(?:\w+\s*)?<\s*(\S+?)\)", texts)) == {'"/proc/mounts"', "its_mounts"}
    assert re.findall(r"\bits_mounts = ([^;\n]*)", texts) == ['"/proc/" $3 "/mounts"']  # a process's own, by its number
    assert len(re.findall(r"\bgetline\b", texts)) == 2
    assert set(re.findall(r"\bprintf?\b.*?[^|]\|\s*([a-z_]\w*)\s*[;}\n]", texts)) == {"digest"}
    assert set(re.findall(r'digest = "([^"]*)"', texts)) == OF_AWK


def test_the_reader_sees_what_is_hidden() -> None:
    """In substitutions, branches, functions and quotes."""
    text = (
        'f() { rm -r x; }\ncase $a in "x y" | z) bounded 3 systemctl stop "$(reboot now)" ;; *) if [ "${b:-$(mkfs /dev/x)}" ]'
        "; then :; fi ;; esac\ncat <<'E'\nrm in a document\nE\nlast one # rm\n"
    )
    found = programs_of(Shell(text))
    assert found == {"rm -r", "systemctl stop", "reboot now", "mkfs /dev/x", ":", "last one"}


def test_a_survey_of_linux_writes_no_file() -> None:
    """Its output goes to its own streams, and to nowhere."""
    opened = Shell(linux.script()).files
    assert {file for sign, file in opened if sign != "<"} == {"/dev/null"}
    assert ("<", "/dev/null") in opened


SENT_TO_WORKERS = {
    ("sites/engine.py", "run", "clock"),
    ("sites/engine.py", "run", "end"),
    ("sites/engine.py", "run", "function"),  # `call`, below
    ("sites/engine.py", "submit", "carry_out"),
    ("sites/deeds.py", "call", "do_once"),
    ("sites/deeds.py", "call", "end"),
}
"""What is asked of the engine's workers; `do_once` alone, which `--restart` and mend use, does what an order says."""


def test_all_that_workers_are_asked_for() -> None:
    """By the sources; and who has something done there once is listed above."""
    found = set()
    deeds = set()
    for path, tree in _sources().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if path.startswith("sites/") and node.func.attr in {"run", "submit", "call", "map"}:
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Name) and path != "sites/executor.py":
                    found.add((path, node.func.attr, first.id))
            if node.func.attr == "do" and "sites" in ast.unparse(node.func.value):
                deeds.add(path)
    assert found == SENT_TO_WORKERS
    assert deeds == {"acting/sending.py"}


def _sources() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
        if "lab/" not in path.relative_to(PACKAGE).as_posix()
    }


def test_who_gives_a_transport_something_to_run() -> None:
    """By the sources: nobody but those that are listed."""
    found: dict[str, int] = {}
    for path, tree in _sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute":
                found[path] = found.get(path, 0) + 1
    assert found == SENDERS


def test_who_knows_those_that_change_something() -> None:
    """Only these import what sends it; and a run asks for it under one condition."""
    wanted = {"restarting", "carrying_out", "mending", "scripts", "sending"}
    found = set()
    for path, tree in _sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                whole = f"acting.{node.module}" if node.level and path.startswith("acting/") else node.module
                parts = whole.split(".")
                if "acting" in parts and "run" not in parts and wanted & {*parts, *(each.name for each in node.names)}:
                    found.add(path)
    assert found == ACTORS
    session = (PACKAGE / "run" / "session.py").read_text(encoding="utf-8")
    assert re.findall(r".*restart_first\(.*", session) == [
        "        restarted = self._restarted = doing.restart_first(chosen, ways) if self.options.restart else self._restarted"
    ]


def test_octopus_is_only_asked() -> None:
    """One verb, and the paths of a list."""
    client = (PACKAGE / "octopus" / "client.py").read_text(encoding="utf-8")
    assert re.findall(r"(?i)_session\.(post|put|delete|patch)\b|\"(POST|PUT|DELETE|PATCH)\"", client) == []
    assert not any(
        allowed.is_allowed(path) for path in ("/Spaces-1/tasks/rerun", "/octopusservernodes/x", "/users/login")
    )
