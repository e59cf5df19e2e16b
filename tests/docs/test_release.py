"""Each release tells the SHA-256 of the scripts that it sends, by which a survey can be allowed."""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

import pytest

from pytest_tentacle.survey.scripts.linux import script as linux_script
from pytest_tentacle.survey.scripts.windows import constrained_script
from pytest_tentacle.survey.scripts.windows import script as windows_script

TOP = Path(__file__).resolve().parents[2]
SCRIPTS = {"windows": windows_script, "constrained": constrained_script, "linux": linux_script}
CHANGELOG = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(TOP / "scripts"))
    import release

    yield release.released
    sys.modules.pop("release")


def test_a_release_of_today(released):
    """The hashes of what is sent today stand in it, all that was unreleased follows, and a second one is refused."""
    text = released(CHANGELOG, "7.8.9", "2027-01-31")
    section = text[text.index("## 7.8.9 (2027-01-31)") :]
    assert dict(re.findall(r"- `(\w+)`: `([0-9a-f]{64})`", section)) == {
        system: hashlib.sha256(script().encode("ascii")).hexdigest() for system, script in SCRIPTS.items()
    }
    assert CHANGELOG.partition("## Unreleased\n")[2].strip() in section
    assert text.index("## Unreleased") < text.index("## 7.8.9")
    for version in ("7.8.9", "7.9.0"):
        with pytest.raises(ValueError, match=r"released|nothing to release"):
            released(text, version, "2027-02-01")


@pytest.mark.parametrize("version", ["7", "v1.0.0", "1.0.0 (x)", ""])
def test_no_version(released, version):
    with pytest.raises(ValueError, match="no version"):
        released(CHANGELOG, version, "2027-01-31")


def test_past_releases_tell_theirs():
    """What a release said of its scripts is still there."""
    sections = re.split(r"^## ", CHANGELOG, flags=re.MULTILINE)[1:]
    assert sections[0].startswith("Unreleased")
    for section in sections[1:]:
        assert set(dict(re.findall(r"- `(\w+)`: `([0-9a-f]{64})`", section))) == set(SCRIPTS), section[:40]
