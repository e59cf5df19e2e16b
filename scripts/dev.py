"""The whole developer interface: `python3 scripts/dev.py lab`, `check`, `fuzz`, `faults`, `docs`, `lock`.

It needs but Python 3.11 or later.

lab    set up what a run needs, then run the guide over the embedded lab
check  set up what the tests need, then lint, types, import rules, the manual's pages and all tests; the tests'
       run of the lab leaves a sample report, site/sample.html
fuzz   give whatever reads a stranger's bytes 100,000 made-up examples each (hours; arguments go to pytest)
faults break a lab of separate hosts in every way that it knows, and hold the diagnosis against that (as root)
docs   write the manual's pages of problems and causes and the report's schema, and build the site (mkdocs, into site/)
lock   write the lock files anew from pyproject.toml

An active virtual environment is used; without one, `.venv` is made at the top of the checkout.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import IO

TOP = Path(__file__).resolve().parent.parent
VENV = TOP / ".venv"
DEBIAN = {
    "sshd": "openssh-server",
    "ssh-agent": "openssh-client",
    "chromium": "chromium",
    "nft": "nftables",
    "ip": "iproute2",
    "iptables": "iptables",
    "nginx": "nginx-light",
    "haproxy": "haproxy",
    "stunnel4": "stunnel4",
    "squid": "squid",
    "dnsmasq": "dnsmasq-base",
    "openssl": "openssl",
    "node": "nodejs",
    "npm": "npm",
    "busybox": "busybox",
    "mksh": "mksh",
    "krb5kdc": "krb5-kdc",
    "kadmin.local": "krb5-admin-server",
    "kinit": "krb5-user",
}
"""Programs that the tests need, and the Debian packages that bring them."""

FUZZED = ("tests/hostility/test_any.py", "tests/inventory/test_any_bytes.py")
"""Tests that are given made-up examples."""

PARALLEL = ["-n", "auto", "--dist", "loadscope", "--no-loadscope-reorder"]
"""By classes, in the order in which `tests/conftest.py` sorts them: what takes long begins first."""

PACE = """
import ensurepip, time, venv

class Item:
    def __init__(self, number):
        self.number = number

    def text(self):
        return str(self.number)

def work():
    begun = time.process_time()
    for number in range(20_000):
        item = {"one": Item(number), "more": [number] * 3}
        item["one"].text()
        item.get("two")
    return time.process_time() - begun

print(min(work() for _ in range(9)))
"""

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): processes whose parent ends become children of this one."""

SAMPLE = TOP / "site" / "sample.html"
"""The lab's report, for those who want to see one first."""

SBIN = os.pathsep + "/usr/sbin" + os.pathsep + "/sbin"


def main() -> int:
    """Do what the first argument says; the rest goes to pytest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["lab", "check", "fuzz", "faults", "docs", "lock"])
    chosen, rest = parser.parse_known_args()
    if sys.version_info < (3, 11):  # noqa: UP036  the first thing that a user of an older Python must read
        sys.exit(f"pytest-tentacle needs Python 3.11 or later; this is {sys.version.split()[0]}")
    os.chdir(TOP)
    if chosen.command == "lock":
        return lock(environment("dev"))
    if chosen.command == "fuzz":
        return run(environment("dev"), "-m", "pytest", "--hypothesis-profile", "fuzz", *FUZZED, *rest)
    if chosen.command == "docs":
        made = run(environment("dev"), "scripts/manual.py") or run(environment("dev"), "scripts/hostility.py")
        made = made or run(environment("dev"), "-m", "mkdocs", "build", "--strict")
        return made or sample_report()
    if chosen.command == "lab":
        return run(environment("product"), "-m", "pytest", "--inventory", "inventory/lab.yaml", *rest)
    debian_packages()
    if chosen.command == "faults":
        return run(environment("dev"), "tests/support/hosts/faults.py", *rest)
    npm_packages()
    plugin_packages(environment("dev"))
    return check(environment("dev"), rest)


def sample_report() -> int:
    """The lab's report beside the manual's site. Most of the lab is broken on purpose: exit code 1 is the right one."""
    code = run(environment("dev"), "-m", "pytest", "--inventory", "lab:", f"--html={SAMPLE}", "-p", "no:cacheprovider")
    return 0 if code == 1 and SAMPLE.is_file() else 1


def environment(which: str) -> Path:
    """The Python of an environment that holds what `locks/<which>.txt` names, with this checkout installed."""
    python = Path(sys.executable) if sys.prefix != sys.base_prefix else make_venv()
    lock_file = TOP / "locks" / f"{which}.txt"
    wanted = hashlib.sha256(lock_file.read_bytes() + (TOP / "pyproject.toml").read_bytes()).hexdigest()
    stamp = python.parent.parent / f".pytest-tentacle-{which}"
    full = python.parent.parent / ".pytest-tentacle-dev"
    if wanted in (read(stamp), read(full) if which == "dev" else ""):
        return python
    say(f"installing what {lock_file.relative_to(TOP)} names into {python.parent.parent}")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(lock_file)], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(TOP)], check=True)
    stamp.write_text(wanted, encoding="ascii")
    return python


def make_venv() -> Path:
    """Make `.venv`, on Debian even where python3-venv is still missing."""
    python = VENV / ("Scripts/python.exe" if sysconfig.get_platform().startswith("win") else "bin/python")
    if python.exists():
        return python
    base = quickest_build()
    if pace(base) is None:
        install(["python3-venv"], "Python's venv module is incomplete")
    say(f"making {VENV}" + (f" with {base}" if base != sys.executable else ""))
    subprocess.run([base, "-m", "venv", str(VENV)], check=True)
    return python


def quickest_build() -> str:
    """The Python that runs us, or another build of its version that takes a fifth less for the same work.

    A build without profile-guided optimization, as pyenv makes them by default, takes half as long again as Debian's.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/bin"]
    found = [path for folder in folders if folder and (path := shutil.which(name, path=folder))]
    builds = list({Path(path).resolve(): path for path in [*found, sys.executable]}.values())
    rounds = [[pace(build) for build in builds] for _ in range(3)]  # in turns, as a busy machine slows whom it will
    least = {
        build: min(took)
        for build, *each in zip(builds, *rounds, strict=True)
        if (took := [seconds for seconds in each if seconds is not None])
    }
    best = min(least, key=least.__getitem__, default=sys.executable)
    return best if least.get(best, 0.0) < 0.8 * least.get(sys.executable, 0.0) else sys.executable


def pace(python: str) -> float | None:
    """Seconds of CPU for work such as the tests do; None for a Python that cannot make a `.venv` with pip in it."""
    try:
        asked = subprocess.run([python, "-I", "-c", PACE], capture_output=True, text=True, check=False, timeout=60)
        return float(asked.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None


def debian_packages() -> None:
    """Install the programs that the tests need; elsewhere than on Debian as root, say which are missing."""
    path = os.environ.get("PATH", "") + SBIN
    missing = sorted({package for program, package in DEBIAN.items() if not shutil.which(program, path=path)})
    if missing:
        install(missing, "the tests need programs")


def npm_packages() -> None:
    """Install what the tests need of npm, from its lock: Octopus's official client, and the schema of SARIF."""
    folder = TOP / "tests" / "npm"
    stamp, lock_file = folder / "node_modules" / ".from-lock", folder / "package-lock.json"
    wanted = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    if read(stamp) == wanted:
        return
    say(f"installing what {lock_file.relative_to(TOP)} names")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(command, cwd=folder, check=True)
    stamp.write_text(wanted, encoding="ascii")


def plugin_packages(python: Path) -> None:
    """Install the pytest plugins that people have into a folder of their own: tests put it on the path, run by run."""
    folder, lock_file = TOP / ".plugins", TOP / "locks" / "plugins.txt"
    wanted = hashlib.sha256(lock_file.read_bytes()).hexdigest()
    if read(folder / ".from-lock") == wanted:
        return
    say(f"installing what {lock_file.relative_to(TOP)} names into {folder.relative_to(TOP)}")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]
    subprocess.run([*pip, "--require-hashes", "--target", str(folder), "-r", str(lock_file)], check=True)
    (folder / ".from-lock").write_text(wanted, encoding="ascii")


def install(packages: list[str], why: str) -> None:
    """`apt-get install`, where that is ours to do."""
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        sys.exit(f"{why}: install {' '.join(packages)} (Debian: sudo {' '.join(command)}), then run this again")
    say(f"{why}: installing {' '.join(packages)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # of daemons, none is started
    subprocess.run(["apt-get", "update", "--quiet", "--quiet"], check=True, env=quiet)
    subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


def check(python: Path, rest: list[str]) -> int:
    """Lint, types, import rules and the manual's pages side by side, then the tests; the first that fails ends it.

    The tests' own run of the lab leaves the sample report, so that it costs nothing more.
    """
    SAMPLE.unlink(missing_ok=True)
    os.environ["PYTEST_TENTACLE_SAMPLE"] = str(SAMPLE)
    scripts = python.parent
    looks = [
        [str(python), "-m", "mypy"],
        [str(python), "scripts/manual.py"],
        [str(scripts / "ruff"), "check", "."],
        [str(scripts / "ruff"), "format", "--check", "."],
        [str(scripts / "lint-imports")],
    ]
    os.environ.pop("PYTHONUNBUFFERED", None)  # as a user's pipe has it, whoever started this
    # or some hundred processes compile the product anew each, and each worker all tests
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="check-") as folder:
        if not rest:  # compiles the tests, which each worker would do by itself in a fresh checkout
            os.environ["PYTEST_TENTACLE_COLLECTED"] = f"{folder}/ids"  # what workers collect is held against it
            looks.insert(0, [str(python), "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"])
        code = side_by_side(looks)
        if not code:
            tests = [str(python), "-m", "pytest", "--timeout", "300", *(rest or PARALLEL)]
            say(shown(tests))
            code = run_alone(tests)
    if code:
        return code
    if not rest and not SAMPLE.is_file():
        say(f"the tests left no sample report at {SAMPLE.relative_to(TOP)}")
        return 1
    return 0


def side_by_side(commands: list[list[str]]) -> int:
    """Run commands at once, and tell of each when it has ended: its last line, or all of its output where it failed.

    The first that fails ends the others; its exit code, else 0.
    """
    with contextlib.ExitStack() as until, ThreadPoolExecutor(len(commands)) as waiting:
        begun: dict[Future[int], tuple[list[str], subprocess.Popen[bytes], IO[bytes]]] = {}
        for command in commands:
            said = until.enter_context(tempfile.TemporaryFile())
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
            begun[waiting.submit(process.wait)] = (command, process, said)
        try:
            for ended in as_completed(begun):
                command, _, output = begun[ended]
                output.seek(0)
                lines = output.read().decode("utf-8", "replace").splitlines()
                say(shown(command))
                told = lines if ended.result() else [line for line in lines if line.strip()][-1:]
                print(*told, sep="\n", end="\n" if told else "", flush=True)
                if ended.result():
                    return ended.result()
        finally:
            for _, process, _ in begun.values():
                process.terminate()
    return 0


def shown(command: list[str]) -> str:
    """A command as people read it."""
    return " ".join([Path(command[0]).name, *command[1:]])


def run_alone(command: list[str]) -> int:
    """Run a command that must leave no process behind: on Linux those that it leaves are named, ended, and an error."""
    if not sys.platform.startswith("linux"):
        return subprocess.run(command, check=False).returncode
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    code = subprocess.run(command, check=False).returncode
    for _ in range(100):  # what has been told to end may take its time
        left = {pid: words for pid in children() if (words := command_line(pid))}
        if not left:
            return code
        time.sleep(0.1)
    for pid, words in left.items():
        say(f"left running: {words}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return code or 1


def children() -> list[int]:
    """Processes whose parent is this one, also those whose own parent has ended."""
    stats = {int(file.parent.name): read_stat(file) for file in Path("/proc").glob("[0-9]*/stat")}
    return [pid for pid, stat in stats.items() if stat.rpartition(")")[2].split()[1:2] == [str(os.getpid())]]


def command_line(pid: int) -> str:
    """What a process runs; empty for one that has ended and only waits to be reaped."""
    return read_stat(Path(f"/proc/{pid}/cmdline")).replace("\0", " ").strip()


def read_stat(path: Path) -> str:
    """A file of /proc; empty where its process is gone by now."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def lock(python: Path) -> int:
    """Write the locks: names, versions and hashes for every platform, and no registry."""
    base = [
        str(python.parent / "uv"),
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
    ]
    base += ["--no-header", "--no-annotate", "--no-emit-index-url"]
    wanted = (
        ["--group", "build", "-o", "locks/product.txt"],
        ["--extra", "keyring", "--group", "dev", "-o", "locks/dev.txt"],
    )
    codes = [subprocess.run([*base, "pyproject.toml", *each], check=False).returncode for each in wanted]
    plugins = ["--no-deps", "--group", "plugins", "-o", "locks/plugins.txt"]
    return max(*codes, subprocess.run([*base, *plugins], check=False).returncode)


def run(python: Path, *arguments: str) -> int:
    """Run an environment's Python."""
    try:
        return subprocess.run([str(python), *arguments], check=False).returncode
    except KeyboardInterrupt:
        return 130


def read(path: Path) -> str:
    """A file's text, empty where there is none."""
    return path.read_text(encoding="ascii") if path.exists() else ""


def say(text: str) -> None:
    """Tell what is done, at once."""
    print(f"== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
