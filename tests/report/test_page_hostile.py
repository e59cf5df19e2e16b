"""What a machine sends is text in the page, wherever it stands."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from pytest_tentacle.diagnosis import FoldedCause
from pytest_tentacle.inventory.model import Inventory
from pytest_tentacle.judging.finding import Evidence, Problem
from pytest_tentacle.judging.result import Outcome, Run, StepResult
from pytest_tentacle.link import Secured
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.page import render_page
from pytest_tentacle.survey.model import HostRecord, Unreachable
from support.pages import document

PAYLOADS = (
    "<script>window.alive=1</script>",
    "</script><script>window.alive=1</script>",
    "<img src=http://127.0.0.1:9/x onerror=window.alive=1>",
    '"><svg onload=window.alive=1>',
    "javascript:window.alive=1",
    "{{ 7*7 }}<!--",
    "</style><script>window.alive=1</script>",
    "&lt;script&gt;\u2028window.alive=1",
)


def _hostile(run: Run) -> tuple[Run, tuple[FoldedCause, ...]]:
    """The small run with markup in every text that comes from outside."""
    bad = " ".join(PAYLOADS)
    surveys = run.surveys
    records = []
    for record in surveys.records:
        survey = record.survey
        if survey and survey.host.data and survey.services.data and survey.instances.data and survey.listeners.data:
            host = survey.host.data.model_copy(
                update={
                    "hostname": bad,
                    "fqdn": bad,
                    "os_name": bad,
                    "user": bad,
                    "clock_utc": record.taken_utc + timedelta(1),
                }
            )
            service = survey.services.data[0].model_copy(update={"name": bad, "account": bad, "detail": bad})
            instance = survey.instances.data[0]
            configuration = instance.configuration.model_copy(
                update={"path": bad, "settings": {"Tentacle.Services.PortNumber": bad}}
            )
            instance = instance.model_copy(update={"name": bad, "configuration": configuration})
            owner = survey.listeners.data[0].owner.model_copy(update={"name": bad})
            listener = survey.listeners.data[0].model_copy(update={"address": bad, "owner": owner})
            survey = survey.model_copy(
                update={
                    "noise": bad,
                    "host": survey.host.model_copy(update={"data": host}),
                    "services": survey.services.model_copy(update={"data": (service,)}),
                    "instances": survey.instances.model_copy(update={"data": (instance,)}),
                    "listeners": survey.listeners.model_copy(update={"data": (listener,)}),
                    "probes": tuple(_hostile_probe(probe, bad) for probe in survey.probes),
                }
            )
        records.append(
            record.model_copy(
                update={
                    "survey": survey,
                    "peer_probes": tuple(_hostile_probe(probe, bad) for probe in record.peer_probes),
                }
            )
        )
    hostile_machines = tuple(
        machine.model_copy(update={"dns_name": bad, "groups": (bad,), "instance": None})
        for machine in surveys.inventory.tentacles
    )
    name = PAYLOADS[1]
    hostile_machines += (hostile_machines[0].model_copy(update={"name": name}),)
    records.append(
        HostRecord(
            host_key="none://x",
            machines=(name,),
            taken_utc=surveys.taken_utc,
            seconds=0,
            unreachable=Unreachable(stage="connect", summary=bad, advice=bad),
        )
    )
    inventory = Inventory(
        servers=surveys.inventory.servers, tentacles=hostile_machines, files=(bad,), digest=bad, warnings=(bad,)
    )
    results = [
        *(
            replace(
                result,
                problems=tuple(
                    Problem(bad, problem.machine, bad, f"{bad}!", (Evidence(bad, bad),)) for problem in result.problems
                ),
                reason=bad if result.reason else "",
                advice=bad if result.advice else "",
                looked_at=(bad,) if result.looked_at else (),
            )
            for result in run.results
        ),
        StepResult(name, bad, Outcome.BLOCKED, blocked_by=(bad, bad), reason=bad),
        StepResult(name, "services-running", Outcome.UNKNOWN, reason=bad, advice=bad),
    ]
    causes = tuple(
        FoldedCause(
            bad,
            bad,
            bad,
            (name, machine.name),
            bad,
            (Evidence(bad, bad),),
            (bad, f"$ {bad}"),
            (f"$ {bad}",),
            PAYLOADS[4],
            bad,
        )
        for machine in hostile_machines
    )
    hostile = replace(
        run,
        surveys=surveys.model_copy(update={"inventory": inventory, "records": tuple(records)}),
        results=tuple(results),
        options={bad: bad},
        notes=(bad,),
    )
    return hostile, causes


def _hostile_probe(probe, bad):
    stages = {}
    for stage in ("resolve", "connect", "tls", "page"):
        record = getattr(probe, stage)
        if record is not None:
            stages[stage] = record.model_copy(update={"detail": bad})
    if probe.page is not None:
        stages["page"] = probe.page.model_copy(update={"text": bad, "detail": bad})
    return probe.model_copy(
        update={"host": bad, "unavailable": bad if probe.link.tentacle == "web-01" else None, **stages}
    )


class TestHostile:
    """What a machine sends is text, wherever it stands."""

    @pytest.mark.parametrize("width", [1400, 400])
    def test_nothing_comes_alive(self, open_page, tmp_path, small_run, width):
        """All sections open, filtered, folded, printed: no script ran, nothing was asked for, no strange element stands."""
        run, causes = _hostile(small_run)
        path = tmp_path / "hostile.html"
        path.write_text(document(render_page(build_report(run, causes))), encoding="utf-8")
        page = open_page(path.as_uri(), viewport={"width": width, "height": 900})
        page.check("#tt-fold")
        page.fill("#tt-search", "script")
        page.wait_for_timeout(150)
        page.fill("#tt-search", "")
        page.wait_for_timeout(150)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
        page.wait_for_timeout(300)
        assert page.locator(".tt-machine .tt-inside").count() >= 8
        assert page.evaluate("window.alive") is None
        assert page.locator("main img, main [onload], main [onerror], main script, a[href^='javascript:']").count() == 0
        assert page.locator("script").count() == 2
        assert "<script>window.alive=1</script>" in page.inner_text("#tt-details")
        assert "49" not in re.sub(r"[0-9a-f]{16,}", "a digest", page.inner_text("#tt-about ~ dl"))

    def test_a_certificates_subject(self, open_page, tmp_path, small_run, make_certificate):
        """A certificate is whatever the peer likes."""
        certificate = make_certificate(PAYLOADS[0])
        record = small_run.surveys.records[0]
        probes = tuple(
            probe.model_copy(update={"tls": probe.tls and Secured(version="TLSv1.3", certificate=certificate)})
            for probe in record.peer_probes
        )
        records = (record.model_copy(update={"peer_probes": probes}), *small_run.surveys.records[1:])
        run = replace(small_run, surveys=small_run.surveys.model_copy(update={"records": records}))
        path = tmp_path / "certificate.html"
        path.write_text(document(render_page(build_report(run, ()))), encoding="utf-8")
        page = open_page(f"{path.as_uri()}#machine=web-01")
        assert "window.alive=1" in page.inner_text(".tt-machine[open]")
        assert page.evaluate("window.alive") is None
