"""From when on a stage is slow: a large request is read byte by byte, which is no fault of the way."""

from pytest_tentacle.link import Stage
from pytest_tentacle.sections.ping.series import SLOW_MS, limit


def test_a_page_after_a_large_request_may_take_longer() -> None:
    """19,000 bytes took a real Halibut up to 660 ms (Mono, two cores)."""
    assert limit(Stage.PAGE, 0) == SLOW_MS
    assert limit(Stage.PAGE, 16_000) >= SLOW_MS + 660 * 16_000 / 19_000


def test_other_stages_have_no_part_in_that() -> None:
    assert limit(Stage.CONNECT, 16_000) == limit(Stage.TLS, 16_000) == SLOW_MS
