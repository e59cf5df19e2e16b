"""The small fleet of the checks' tests, to be broken in one place and diagnosed."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tentacle.checks import applicable
from pytest_tentacle.checks.result import Outcome, StepResult
from pytest_tentacle.diagnosis import diagnose
from pytest_tentacle.guide.outcome import Evidence, Problem
from pytest_tentacle.guide.sections import STEPS

if TYPE_CHECKING:
    from types import ModuleType

    from pytest_tentacle.diagnosis import Diagnosis


def _load_builder() -> ModuleType:
    """Test folders cannot import one another, so the builder is loaded from its file."""
    name = "tests_checks_builder"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / "checks" / "conftest.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


builder = _load_builder()


@dataclass(frozen=True)
class Tools:
    """What a change may need besides the world."""

    probe: Any
    thumbprint: Any
    across: Any
    builder: Any
    certificate: Any


def results_of(world: Any, extra: tuple[Problem, ...] = ()) -> tuple[Any, list[StepResult]]:
    """The fleet, and every applicable step's result; `extra` problems are added as a step of their own."""
    fleet = world.fleet()
    results = [
        subject.result(step.slug) for subject in fleet.subjects for step in STEPS if applicable(step.slug, subject)
    ]
    results += [StepResult(each.machine, "extra", Outcome.FAILED, (each,)) for each in extra]
    return fleet, results


@pytest.fixture
def small_world() -> Any:
    """octo-1, web-01 (listening), poll-01 (polling), each in a subnet of its own; all well."""
    return builder.small_fleet()


@pytest.fixture
def world() -> Any:
    """The small fleet with neighbours: web-02 beside web-01, poll-02 beside poll-01; all well."""
    return wide_fleet()


def wide_fleet() -> Any:
    made = builder.World()
    made.add_server("octo-1", "192.0.2.10")
    made.add_listening("web-01", "198.51.100.1")
    made.add_listening("web-02", "198.51.100.2")
    made.add_polling("poll-01", "203.0.113.1")
    made.add_polling("poll-02", "203.0.113.2")
    return made


@pytest.fixture
def new_world() -> Any:
    """Makes an empty world, to be filled with servers and Tentacles."""
    return builder.World


@pytest.fixture
def diagnosed() -> Any:
    """Judges a world and diagnoses it: `diagnosed(world, *extra problems)`."""

    def run(world: Any, *extra: Problem) -> Diagnosis:
        fleet, results = results_of(world, extra)
        return diagnose(fleet, results)

    return run


@pytest.fixture
def judged() -> Any:
    """A world's fleet and results."""
    return results_of


@pytest.fixture
def make_problem() -> Any:
    """Makes a problem that no check of today yields: `make_problem(code, machine, **facts)`."""

    def make(code: str, machine: str = "web-01", **facts: Any) -> Problem:
        return Problem(code, machine, "it is well", f"it shows {code}", (Evidence(machine, "seen"),), facts)

    return make


@pytest.fixture
def tools(real_certificate: str) -> Tools:
    """Everything for the changes."""

    def across(world: Any, name: str, by_name: dict[str, Any] | None, by_address: dict[str, Any] | None = None) -> None:
        """Replaces the probes of a machine's link to octo-1."""
        machine = world[name].machine
        if name.startswith("web"):
            draft, host, ip = world["octo-1"], machine.dns_name, machine.ip
            ids = [f"{name}:name"], [f"{name}:address"]
            common: dict[str, Any] = {"port": 10933, "whose": name}
        else:
            server = world["octo-1"].machine
            draft, host, ip = world[name], server.dns_name, server.ip
            ids = ["configured:Tentacle:0", f"{name}:octo-1:10943:{host}"], [f"{name}:octo-1:10943:{ip}"]
            common = {"port": 10943, "whose": "octopus", "page": "server"}
        for probe_id in ids[0] if by_name is not None else ():
            made = builder.probe(host, by=builder.By.NAME, **({"addresses": (ip,)} | common | (by_name or {})))
            draft.replace(probe_id, made)
        for probe_id in ids[1] if by_address is not None else ():
            draft.replace(probe_id, builder.probe(ip, by=builder.By.ADDRESS, **(common | (by_address or {}))))

    return Tools(builder.probe, builder.thumbprint, across, builder, real_certificate)


@pytest.fixture(scope="session")
def real_certificate() -> str:
    """A certificate of www.example.com that Inspection CA issued: base64 of DER."""
    return issued("www.example.com", "Inspection CA")


def issued(subject: str, issuer: str, *, bits: int = 0) -> str:
    """A certificate: with an RSA key of so many bits, or an elliptic one."""
    import base64
    from datetime import timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key: Any = rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())
    name = [x509.Name([x509.NameAttribute(builder.NameOID.COMMON_NAME, text)]) for text in (subject, issuer)]
    built = (
        x509.CertificateBuilder()
        .subject_name(name[0])
        .issuer_name(name[1])
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(builder.NOW - timedelta(days=1))
        .not_valid_after(builder.NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(serialization.Encoding.DER)).decode()


@pytest.fixture(scope="session")
def issue() -> Any:
    """Makes a certificate."""
    return issued
