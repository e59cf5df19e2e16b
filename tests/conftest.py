"""What tests of several parts share."""

from __future__ import annotations

import base64
import contextlib
import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pytest_tentacle.link import By, Probe, Target, probe
from pytest_tentacle.link.resolving import is_literal
from pytest_tentacle.plugin import PLUGIN_NAME
from support import engines
from support.session import collected, no_skips, sharing
from support.session.every_code import EveryCode
from support.session.forked import Forks, Runs, collect_seldom, let_workers_be_forks, shared

with contextlib.suppress(ModuleNotFoundError):  # a run of the guide reads this file, too, where it may be missing
    from hypothesis import settings

    # an example that takes long on a busy machine has found nothing
    settings.register_profile("tests", deadline=None, max_examples=300 if os.environ.get("CI") else 100)
    settings.register_profile("fuzz", deadline=None, max_examples=100_000)
    settings.load_profile("tests")

TESTS = Path(__file__).parent
TOP = TESTS.parent

RunPytest = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_configure(config: pytest.Config) -> None:
    """What the tests of the checks do is held against what the checks declare; a Ctrl-C reaches who is sent one.

    A shell starts background jobs with SIGINT ignored, and the processes that tests start would inherit that. A run of
    the guide in this checkout reads this file, and wants none of it.
    """
    if config.pluginmanager.hasplugin(PLUGIN_NAME):
        return
    config.pluginmanager.register(EveryCode(config), "every-code")
    config.pluginmanager.register(sharing, "sharing")
    kept = None if config.option.collectonly else engines.keep()
    if kept is not None:
        config.add_cleanup(lambda: engines.give_back(kept))
    if getattr(config.option, "numprocesses", None) and not config.option.collectonly and sys.platform == "linux":
        config.add_cleanup(let_workers_be_forks(config.args).close)
    if os.environ.get("CI"):
        config.pluginmanager.register(no_skips, "no-skips")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


HEAVY_FIRST = (
    "lab/fleet/test_causes.py::TestCauses",  # runs three labs, which the others of its folder read: they come later
    "survey/windows/",
    "sites/",  # waits for most of a minute, in one class
    "suite/test_moods.py::TestProcesses",
    "diagnosis/test_setups.py",
    "run/",
    "diagnosis/test_law.py",
    "hosts/",
    "survey/linux/",
    "hostility/",
    "diagnosis/test_remedies.py",
    "lab/fleet/",
    "lab/",
    "report/",
    "transport/",
    "octopus/",
    "link/",
)
"""What takes long begins first, so that no worker is left alone with it at the end. By CPU as it was measured."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the same order in every process; what takes no time comes last, in the order of the files."""
    items.sort(key=_weight)


def _weight(item: pytest.Item) -> int:
    return _weight_of(item.path, item.nodeid.partition("::")[2].partition("::")[0].partition("[")[0])


@cache
def _weight_of(path: Path, name: str) -> int:
    """Of a class, or a function, in a file; there are ten times as many tests."""
    inside = f"{path.relative_to(TESTS)}::{name}" if path.is_relative_to(TESTS) else ""
    return next((rank for rank, start in enumerate(HEAVY_FIRST) if inside.startswith(start)), len(HEAVY_FIRST))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Thousands of tests and modules stay to the end: nobody looks for garbage among them again and again."""
    if session.config.pluginmanager.hasplugin(PLUGIN_NAME):
        return
    collected.write(session)
    gc.collect()
    gc.freeze()
    collect_seldom()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: many tests wait, for silent peers above all."""
    return (os.cpu_count() or 1) + 2


def _missing(what: str) -> None:
    """A tool that CI is meant to have is a failure there (`support/session/no_skips.py`), and elsewhere a skip with a reason."""
    pytest.skip(f"{what} (in CI this is a failure)")


@pytest.fixture(scope="session")
def engine() -> Path:
    """A PowerShell; its process may be one that is kept for many questions (`support/engines`)."""
    found = os.environ.get("PYTEST_TENTACLE_POWERSHELL") or shutil.which("pwsh")
    if not found:
        _missing("no PowerShell: set PYTEST_TENTACLE_POWERSHELL to the path of a pwsh, or put it on the PATH")
    return Path(str(found))


@pytest.fixture(scope="session")
def cold_engine(engine: Path) -> Path:
    """A PowerShell with a process of its own for each question."""
    return Path(os.environ.get(engines.COLD, engine))


@pytest.fixture(scope="session")
def analyzer() -> str:
    """What says whether a script keeps to Windows PowerShell 5.1."""
    found = os.environ.get("PYTEST_TENTACLE_ANALYZER") or shutil.which("analyze")
    if not found:
        _missing("no analyzer: set PYTEST_TENTACLE_ANALYZER to its path")
    return str(found)


@pytest.fixture(scope="session")
def root() -> None:
    """The right to make network namespaces."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        _missing("network namespaces need root")


@pytest.fixture(scope="session")
def top() -> Path:
    """The top of the checkout."""
    return TOP


@pytest.fixture(scope="session")
def forks() -> Iterator[Runs]:
    """What begins runs of pytest with all modules read."""
    if (of_all := shared()) is not None:
        yield of_all
        return
    begun = Forks()
    yield begun
    begun.close()


@pytest.fixture(scope="session")
def run_pytest(forks: Runs) -> RunPytest:
    """Run pytest as a user does, in a process of its own: `run_pytest(*arguments, cwd=..., environment=...)`."""

    def run(*arguments: object, cwd: Path, environment: Mapping[str, str] | None = None) -> object:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
        whole = {**kept, "COLUMNS": "140", "NO_COLOR": "1", **(environment or {})}
        return forks.run([str(argument) for argument in arguments], cwd, whole, timeout=280)

    return run


@pytest.fixture(scope="session")
def real_certificate() -> str:
    """A certificate of www.example.com that Inspection CA issued: base64 of DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("www.example.com", "Inspection CA")
    )
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


@pytest.fixture
def probe_of() -> Callable[..., Probe]:
    """Probe a host and port; every option of `probe` may be given."""

    def ask(host: str, port: int, *, seconds: float = 5.0, **options: object) -> Probe:
        by = By.ADDRESS if is_literal(host) else By.NAME
        return probe(Target(host=host, port=port, by=by), seconds=seconds, **options)

    return ask


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """The test leaves no server's thread behind."""
    yield
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        left = [one.name for one in threading.enumerate() if one.name.startswith(("accept", "serve "))]
        if not left:
            return
        time.sleep(0.02)
    pytest.fail(f"threads were left behind: {left}")
