"""The page in a real browser: it can be read, used, printed and trusted."""

from __future__ import annotations

import re
import time

import pytest

from pytest_tentacle.diagnosis import CAUSES, FoldedCause
from pytest_tentacle.guide.severity import Severity
from pytest_tentacle.judging.finding import Evidence
from pytest_tentacle.report.build import build_report
from pytest_tentacle.report.document import STAGES, StageView
from pytest_tentacle.report.page import render_page
from support.pages import document, hard_to_read

VISIBLE_ROWS = "#tt-rows tr:not(.tt-group)"


@pytest.fixture(scope="session")
def small_page(tmp_path_factory, small_run, small_causes):
    """The small run's page, as a file."""
    path = tmp_path_factory.mktemp("page") / "small.html"
    path.write_text(document(render_page(build_report(small_run, small_causes))), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="session")
def large_page(tmp_path_factory, large_run, large_causes):
    """The large run's page, as a file."""
    path = tmp_path_factory.mktemp("page") / "large.html"
    path.write_text(document(render_page(build_report(large_run, large_causes))), encoding="utf-8")
    return path.as_uri()


class TestFirstScreen:
    """What one sees at 3 a.m."""

    def test_verdict_counts_and_causes(self, open_page, small_page):
        """The verdict in one sentence, counts with words, causes with what to do."""
        page = open_page(small_page)
        assert page.inner_text("#tt-verdict").endswith(
            "5 of 8 machines have problems (5 causes). 1 could not be fully checked. 2 are healthy."
        )
        assert " ".join(page.inner_text(".tt-counts").split()) == (
            "✕ with problems 5 ? not fully checked 1 ✓ healthy 2"
        )
        assert page.inner_text(".tt-steps") == "Steps: 22 passed, 6 failed, 5 unknown, 2 blocked, 1 waived"
        assert page.locator(".tt-cause").count() == 5
        assert page.locator(".tt-command code").first.is_visible()

    def test_a_cause_shows_where_its_link_breaks(self, open_page, small_page):
        """Beside the sentence: the broken link of its first machine; a shut cause names its machines."""
        page = open_page(small_page)
        cause = page.locator(".tt-cause", has_text="web-03").first
        if cause.get_attribute("open") is None:
            assert "web-03" in cause.locator(".tt-who").inner_text()
            cause.locator("summary").first.click()
        spoken = cause.locator(".tt-broken svg").get_attribute("aria-label")
        assert "resolve failed, connect not reached" in spoken

    def test_without_javascript(self, open_page, small_page):
        """Causes, remedies, provenance and the matrix are there, and its links lead somewhere; a note says what is not."""
        page = open_page(small_page, java_script_enabled=False)
        assert "5 of 8 machines have problems" in page.inner_text("#tt-verdict")
        assert page.locator(".tt-cause").count() == 5
        assert "Without JavaScript" in page.inner_text("noscript")
        assert not page.is_visible("#tt-filter")
        assert "prod.yaml" in page.inner_text(".tt-facts")
        rows = page.locator(VISIBLE_ROWS)
        assert rows.count() == 8
        assert rows.first.inner_text().split()[:3] == ["web-02", "✕", "failed"]
        assert "TT101" in rows.first.inner_text()
        targets = page.evaluate("""[...document.querySelectorAll('main a[href^="#"]')].map((a) => a.hash.slice(1))""")
        missing = [name for name in targets if not page.locator(f'[id="{name}"]').count()]
        assert missing == []

    def test_bare(self, tmp_path, open_page, small_run, small_causes):
        """Without style and script, as Jenkins serves it: verdict, causes, remedies, matrix, in this order."""
        page = render_page(build_report(small_run, small_causes))
        bare = re.sub(r"<style>.*?</style>|<script.*?</script>", "", page, flags=re.DOTALL)
        path = tmp_path / "bare.html"
        path.write_text(document(bare), encoding="utf-8")
        words = open_page(path.as_uri(), java_script_enabled=False).inner_text("body")
        places = [
            words.index(each) for each in ("have problems", "What is wrong, and what to do", "On Windows", "web-02")
        ]
        assert places == sorted(places)
        assert re.search(r"web-02\s+✕ failed TT101", words)

    def test_commands_that_change_something_look_so(self, open_page, small_page):
        """And say what follows; those that look say that they only look."""
        page = open_page(small_page)
        kinds = {kind: page.locator(f".tt-cause .tt-{kind}").all() for kind in ("changes", "looks")}
        assert all(kinds.values()), kinds
        shades = {
            kind: {each.locator("pre").evaluate("(pre) => getComputedStyle(pre).backgroundColor") for each in found}
            for kind, found in kinds.items()
        }
        assert not shades["changes"] & shades["looks"]
        assert all(each.locator(".tt-consequence").text_content() for each in kinds["changes"])
        assert {each.locator(".tt-kind").text_content() for each in kinds["looks"]} == {"only looks"}

    def test_a_causes_place_is_its_code(self, open_page, small_page):
        """A link to a code opens that cause, whatever else this run has."""
        page = open_page(f"{small_page}#TC011")
        page.wait_for_function("document.activeElement.parentElement?.id === 'TC011'")
        assert page.locator("#TC011").get_attribute("open") is not None

    def test_copied_for_a_ticket(self, open_page, small_page):
        """Title, code, machines, commands, as text."""
        page = open_page(small_page)
        page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        page.click(".tt-cause:has(.tt-command) .tt-ticket >> nth=0")
        page.wait_for_function("window.copied !== undefined")
        words = page.evaluate("window.copied")
        assert words.startswith("## ")
        assert "Machines: `" in words
        assert page.inner_text(".tt-command code >> nth=0") in words
        page.click(".tt-cause .tt-copy-link >> nth=0")
        page.wait_for_function("window.copied.includes('#')")
        assert page.evaluate("window.copied").endswith("#" + page.get_attribute(".tt-cause >> nth=0", "id"))

    def test_the_copy_button_copies(self, open_page, small_page):
        """The command, as it stands."""
        page = open_page(small_page)
        command = page.inner_text(".tt-command code >> nth=0")
        page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        page.click(".tt-copy >> nth=0")
        page.wait_for_function("window.copied !== undefined")
        assert page.evaluate("window.copied") == command

    def test_about_this_run(self, open_page, small_page):
        """Versions, digest, options, vantage points, recordings."""
        words = open_page(small_page).inner_text("section[aria-labelledby=tt-about]")
        for word in ("pytest-tentacle", "9f86d081884c7d", "--limit", "octo-1", "sql-02", "nothing"):
            assert word in words


class TestMatrix:
    """Machines and steps."""

    def test_rows_and_words(self, open_page, small_page):
        """Each cell says its outcome in words, not in colour alone; the worst come first."""
        page = open_page(small_page)
        assert page.locator(VISIBLE_ROWS).count() == 8
        first = page.locator(VISIBLE_ROWS).first
        assert first.locator("td").first.inner_text() == "web-02"
        assert [cell.text_content() for cell in first.locator("td.tt-cell").all()] == [
            "✕failed TT101",
            "✓passed",
            "✓passed",
            "⊘blocked",
            "⊘blocked",
        ]

    def test_filter_by_outcome(self, open_page, small_page):
        """Only machines whose worst outcome is ticked."""
        page = open_page(small_page)
        page.uncheck("input[value=failed]")
        assert page.locator(VISIBLE_ROWS).count() == 3
        page.uncheck("input[value=passed]")
        assert page.inner_text(f"{VISIBLE_ROWS} td >> nth=0") == "build-01"
        assert page.inner_text("#tt-status") == "1 of 8 machines"

    @pytest.mark.parametrize(
        ("words", "names"),
        [
            ("web-03", {"web-03"}),
            ("TT503", {"sql-01"}),
            ("10.4.1.14", {"sql-02"}),
            ("INSPECTION sql", {"sql-02"}),
            ("zzz", set()),
        ],
    )
    def test_search(self, open_page, small_page, words, names):
        """By name, code, address or words; all of them must fit."""
        page = open_page(small_page)
        page.fill("#tt-search", words)
        page.wait_for_function(f"document.querySelector('#tt-status').textContent.startsWith('{len(names)} of')")
        assert {cell.inner_text() for cell in page.locator(f"{VISIBLE_ROWS} td:first-child a").all()} == names

    def test_fold_by_cause(self, open_page, small_page):
        """One group a cause, which closes and opens."""
        page = open_page(small_page)
        page.check("#tt-fold")
        groups = page.locator("#tt-rows .tt-group button")
        assert (
            groups.first.inner_text()
            == "▾ 1 \N{MULTIPLICATION SIGN} TLS inspection between octo-1 and the Tentacle · TC011"
        )
        groups.first.click()
        assert groups.first.get_attribute("aria-expanded") == "false"
        assert page.locator(VISIBLE_ROWS).count() == 7

    def test_only_one_causes_machines(self, open_page, small_page):
        """From a cause to its machines and back."""
        page = open_page(small_page)
        page.click(".tt-only >> nth=1")
        assert page.inner_text(f"{VISIBLE_ROWS} td >> nth=0") == "sql-01"
        page.click("#tt-clear")
        assert page.locator(VISIBLE_ROWS).count() == 8


class TestMachine:
    """A machine's section."""

    def test_it_begins_with_what_to_do(self, open_page, small_page):
        """The link of a ticket leads here: the machine's causes, commands, and the way back."""
        page = open_page(f"{small_page}#machine=web-02")
        first = page.locator(".tt-machine[open] .tt-inside > *").first
        assert first.get_attribute("class") == "tt-mine"
        assert first.locator(".tt-command code").count() >= 1
        page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        first.locator(".tt-copy").first.click()
        page.wait_for_function("window.copied !== undefined")
        back = first.locator("p > a").last
        assert back.inner_text().startswith("Back to the cause")
        back.click()
        page.wait_for_function("document.activeElement.parentElement.matches('.tt-cause[open]')")

    def test_blocked_steps_are_one_line(self, open_page, small_page):
        """However many they are."""
        page = open_page(f"{small_page}#machine=web-02")
        lines = page.locator(".tt-machine[open] .tt-blocked")
        assert lines.count() == 1
        assert "2 steps blocked by TT101 on web-02" in lines.inner_text()

    @pytest.mark.parametrize("width", [1400, 400])
    def test_the_pictures_words_do_not_overlap(self, open_page, tmp_path, small_run, width):
        """Neighbouring stages that fail with long words."""
        report = build_report(small_run, ())
        worst = tuple(StageView(stage=stage, state="failed", error="certificate-of-somebody-else") for stage in STAGES)
        machine = next(machine for machine in report.machines if machine.name == "sql-02")
        links = tuple(
            link.model_copy(update={"lanes": tuple(lane.model_copy(update={"stages": worst}) for lane in link.lanes)})
            for link in machine.links
        )
        report = report.model_copy(update={"machines": (machine.model_copy(update={"links": links}),)})
        path = tmp_path / "labels.html"
        path.write_text(document(render_page(report)), encoding="utf-8")
        page = open_page(f"{path.as_uri()}#machine=sql-02", viewport={"width": width, "height": 900})
        page.wait_for_selector(".tt-machine[open] svg")
        overlaps = page.evaluate(
            """() => [...document.querySelectorAll('.tt-machine[open] svg')].flatMap((svg) => {
              const words = [...svg.querySelectorAll('text')].filter((text) => text.textContent.trim());
              const boxes = words.map((text) => [text.textContent, text.getBBox()]);
              return boxes.flatMap(([one, a], index) => boxes.slice(index + 1)
                .filter(([, b]) => a.x < b.x + b.width - 1 && b.x < a.x + a.width - 1 && a.y < b.y + b.height - 2 && b.y < a.y + a.height - 2)
                .map(([other]) => `${one} | ${other}`));
            })"""
        )
        assert overlaps == []
        assert page.locator(".tt-machine[open] svg text").count() > 6

    def test_problem_with_the_difference_marked(self, open_page, small_page):
        """Expected against actual."""
        page = open_page(f"{small_page}#machine=sql-02")
        assert page.inner_text(".tt-machine[open] .tt-compare dd:nth-of-type(2) mark >> nth=0") in "A1B2"
        assert page.locator(".tt-machine[open] .tt-compare").count() == 2

    def test_picture(self, open_page, small_page):
        """A picture with a spoken text, broken where the link breaks, by name and by IP."""
        page = open_page(f"{small_page}#machine=web-03")
        spoken = page.get_attribute(".tt-machine[open] svg", "aria-label")
        assert "by name, web-03.corp.example.com:10933: resolve failed, connect not reached" in spoken
        assert "by IP, 10.4.1.12:10933 (10.4.1.7): resolve not asked, connect ok" in spoken
        assert page.locator(".tt-machine[open] svg .tt-n-failed").count() == 1

    def test_certificate(self, open_page, small_page):
        """Decoded."""
        words = open_page(f"{small_page}#machine=sql-02").inner_text(".tt-machine[open]")
        for word in (
            "CN=Corporate TLS Inspection",
            "(self-signed)",
            "RSA 2048",
            "sha256WithRSAEncryption",
            "2026-11-21 03:04:05Z to 2126-11-23",
        ):
            assert word in words

    def test_unknown_and_noise(self, open_page, small_page):
        """Why, what to do, and what a profile printed."""
        page = open_page(f"{small_page}#machine=build-01")
        assert "refused every key" in page.inner_text(".tt-machine[open]")
        page.click(f"{VISIBLE_ROWS} a:text-is('web-01')")
        page.wait_for_selector("#tt-details :text('Welcome to CORP')")

    def test_both_clocks(self, open_page, small_page):
        """The machine's and ours."""
        assert "there 2026-11-22 03:04:06Z, here 2026-11-22 03:04:05Z (+1 s)" in open_page(
            f"{small_page}#machine=sql-01"
        ).inner_text(".tt-machine[open]")


class TestAccess:
    """For everybody, on every screen, by keyboard."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1400, 400])
    def test_axe(self, open_page, small_page, scheme, width):
        """Nothing serious or critical, with sections and causes open."""
        page = open_page(f"{small_page}#machine=sql-02", color_scheme=scheme, viewport={"width": width, "height": 900})
        page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
        page.wait_for_selector("#tt-m-1 .tt-inside")
        assert hard_to_read(page) == []

    def test_axe_sees_something(self, open_page, small_page):
        """The check can fail."""
        page = open_page(small_page)
        page.evaluate("document.body.append(document.createElement('button'))")
        assert any(found.startswith("button-name") for found in hard_to_read(page))

    def test_dark_is_dark(self, open_page, small_page):
        """And light is light."""
        shades = [
            open_page(small_page, color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor")
            for scheme in ("light", "dark")
        ]
        light, dark = [sum(map(int, re.findall(r"\d+", shade)[:3])) for shade in shades]
        assert light > 600
        assert dark < 150

    @pytest.mark.parametrize("width", [400, 800, 1400])
    def test_no_sideways_scrolling(self, open_page, small_page, width):
        """The page fits; only the matrix scrolls within itself."""
        page = open_page(f"{small_page}#machine=sql-02", viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    def test_keyboard(self, open_page, small_page):
        """`/` searches, Tab reaches a cause, Enter opens it and a machine."""
        page = open_page(small_page)
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "tt-search"
        page.focus(".tt-cause:not([open]) > summary")
        page.keyboard.press("Enter")
        assert page.locator(".tt-cause[open]").count() == 4
        page.focus(f"{VISIBLE_ROWS} a >> nth=0")
        page.keyboard.press("Enter")
        page.wait_for_selector("#tt-details .tt-machine[open] .tt-inside")
        assert page.evaluate("document.activeElement.closest('.tt-machine') !== null")

    def test_print_opens_what_has_problems(self, open_page, small_page):
        """Paper cannot be clicked."""
        page = open_page(small_page)
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".tt-machine[open]").count() == 6
        assert not page.is_visible("#tt-filter")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".tt-machine[open]").count() == 0


class TestPaper:
    """What one takes to the meeting."""

    def test_33_causes_take_eight_pages(self, browser, tmp_path, small_run):
        """With the catalogue's own remedies: causes, matrix and all."""
        kinds = [kind for kind in CAUSES if kind.windows and kind.linux][:33]
        names = tuple(machine.name for machine in small_run.surveys.inventory.machines)
        causes = tuple(
            FoldedCause(
                kind.code,
                kind.title,
                kind.sentence * 2,
                names[number % 7 : number % 7 + 2],
                kind.confidence.value,
                (Evidence("web-01", "expected one thing; seen another " * 4),),
                kind.windows if number % 2 else (),
                () if number % 2 else kind.linux,
                "https://octopus.com/docs",
                severity=Severity.WILL_FAIL if number % 3 else Severity.OUTAGE,
            )
            for number, kind in enumerate(kinds)
        )
        assert len(causes) == 33
        path = tmp_path / "paper.html"
        path.write_text(document(render_page(build_report(small_run, causes))), encoding="utf-8")
        page = browser.new_page(viewport={"width": 718, "height": 1000})
        page.goto(path.as_uri())
        page.emulate_media(media="print")
        heads = [head.bounding_box()["width"] for head in page.locator(".tt-cause > summary .tt-head").all()]
        assert min(heads) > 120  # pixels: beside "will fail later, fails no run" a title has room for its words
        paper = page.pdf(format="A4", prefer_css_page_size=True)
        page.close()
        assert 2 <= len(re.findall(rb"/Type\s*/Page\b", paper)) <= 8


class TestLarge:
    """1,000 machines x 16 steps with 791 failures."""

    def test_size(self, large_run, large_causes):
        """Ours leaves pytest-html's rows their share of the 2 MB."""
        assert sum(1 for result in large_run.results if result.problems) == 791
        assert len(large_run.results) == 16_000
        assert len(render_page(build_report(large_run, large_causes)).encode()) <= 1_200_000

    def test_load_and_filter(self, open_page, large_page, capsys):
        """Loaded and filtered before one looks up."""
        started = time.perf_counter()
        page = open_page(large_page)
        loaded = time.perf_counter() - started
        started = time.perf_counter()
        page.check("input[value=passed]")
        page.wait_for_function("document.querySelector('#tt-status').textContent.startsWith('1,000 of')")
        filtered = time.perf_counter() - started
        started = time.perf_counter()
        page.fill("#tt-search", "tentacle-0777")
        page.wait_for_function("document.querySelector('#tt-status').textContent.startsWith('1 of')")
        searched = time.perf_counter() - started
        with capsys.disabled():
            print(f"\n1,000 x 16 page: load {loaded:.2f} s, filter {filtered:.2f} s, search {searched:.2f} s")

    def test_rows_come_in_portions(self, open_page, large_page):
        """Not all rows at once; the rest on request."""
        page = open_page(large_page)
        assert page.locator(VISIBLE_ROWS).count() == 120
        page.click("#tt-next")
        assert page.locator(VISIBLE_ROWS).count() == 240
