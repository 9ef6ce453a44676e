"""The page in a browser: everything drawn, readable and reachable, on a desk and on a phone, without a complaint."""

from pathlib import Path

import pytest

from proof import report
from tests.proof import browser, pages

LIGHT, DARK = "rgb(245, 246, 248)", "rgb(15, 18, 22)"


@pytest.mark.slow
@browser.needed
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True), (360, False), (1280, True)])
def test_a_browser_draws_everything_without_a_complaint(tmp_path: Path, width: int, dark: bool) -> None:
    path = tmp_path / "report.html"
    report.write(path, pages.page(pages.drill(), pages.drill("HighLatency", fired=None, resolved=None)))
    seen = browser.look(path, tmp_path / "profile", width=width, dark=dark)
    assert seen.console == ()
    assert seen.charts == ("ecs-tasks-1", "ecs-tasks-4")
    assert seen.boards == {"ecs-tasks": seen.charts, "traces": ()}
    assert seen.widths == {width}
    assert seen.faint == frozenset()
    assert seen.nameless == seen.unreachable == seen.twice == ()
    assert seen.backgrounds == ((DARK, LIGHT) if dark else (LIGHT, DARK))
    sizes = {path: len(text) for path, text in pages.DOCUMENTS.items()}
    assert dict(one.split(": ") for one in seen.documents) == {path: str(size) for path, size in sizes.items()}
    assert seen.found == ("collector/front.yaml",)


@pytest.mark.slow
@browser.needed
def test_the_browser_would_see_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    page = pages.page()
    worse = "".join((".soft { color: #999 }", ".hero { width: 1500px }", ".panel button { visibility: hidden }"))
    page = page.replace("</style>", f"{worse}</style>", 1)
    page = page.replace("</main>", '<button></button><b id="main">.</b></main>').replace(
        '"use strict";', "console.error(1);"
    )
    report.write(path, page)
    seen = browser.look(path, tmp_path / "profile")
    assert max(seen.widths) > 1280
    assert seen.faint
    assert seen.nameless == ("<button></button>",)
    assert "about-ecs-tasks-0" in seen.unreachable
    assert seen.console
    assert seen.twice == ("main",)
