"""Pictures for the documentation."""

import struct
from pathlib import Path

import pytest

from proof import pictures
from tests.proof import browser, pages


def test_it_says_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CHROMIUM", "/chromium")
    assert pictures.main(["unheard-of"]) == 2
    assert capsys.readouterr().err == "pictures: build/unheard-of/report.html does not exist; make prove writes it\n"
    monkeypatch.setattr(pictures, "CHROMIUM", None)
    assert pictures.main(["dev"]) == 2
    assert capsys.readouterr().err == "pictures: Chromium is needed, and is not on PATH\n"


@pytest.mark.slow
@browser.needed
def test_there_is_a_picture_of_the_report_and_of_each_dashboard(tmp_path: Path) -> None:
    taken = pictures.take(str(pictures.CHROMIUM), pages.page(), tmp_path)
    names = [str(path.relative_to(tmp_path)) for path in taken]
    assert names == ["report.png", "dashboards/ecs-tasks.png", "dashboards/traces.png"]
    sizes = [struct.unpack(">II", path.read_bytes()[16:24]) for path in taken]
    assert {width for width, _ in sizes} == {960}
    # The tallest dashboard has four lines of panels of eight times 38 pixels, the other has one.
    assert sizes[1][1] > 0.75 * 4 * 304 > 600 > sizes[2][1] > 0.75 * 304
