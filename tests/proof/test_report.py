"""The page: complete, self-contained, and without a secret."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from preview.comparison import Comparison, Group, Line
from proof import report
from proof.plan import environment, secret_value
from proof.verdict import Kind, Verdict
from tests import hostile
from tests.proof import pages
from tests.proof.made import plan, service, truth

COMPARISON = Comparison(
    "sidecar",
    "service",
    (
        Group(
            "What runs",
            (
                Line("tasks", ("2",), ("4",)),
                Line("region", ("one",), ("one",)),
                Line("roles", tuple("abcdefgh"), tuple("abcdefghi")),
            ),
        ),
    ),
)


@pytest.fixture(scope="module")
def page() -> str:
    never = pages.drill(
        "HighLatency",
        fired=None,
        resolved=None,
        verdict=Verdict(Kind.FAILED, "alert", "HighLatency", reason="too late"),
    )
    return pages.page(pages.drill(), never)


def body(page: str) -> str:
    return page[: page.index('<script type="application/json"')]


def text(page: str) -> str:
    """What stands on the page, without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", body(page)[page.index("<body>") :]))


def test_every_panel_stands_with_its_verdict(page: str) -> None:
    said = text(page)
    for words in ("Running tasks", "CPU of reservation", "Network in", "Elsewhere", "aws_ecs_task_id"):
        assert words in said
    assert "<b>2</b>" in body(page)
    assert "no series for shop-dev-front" in said
    assert "What to do about &lt;it&gt;." in said
    assert "make prove STACK=dev" in said
    assert re.search(r"\d+ of \d+ verdicts failed", said)


def test_what_cannot_run_here_never_looks_proved(page: str) -> None:
    panel = body(page).split('aria-label="Service map"', 1)[1].split("<dialog")[0]
    assert "≡ checked against the contract" in panel
    assert "X-Ray cannot run here: names checked, no values seen." in panel
    assert "getServiceMap" in panel
    assert "proved" not in panel


def test_alerts_stand_with_what_was_done_and_how_long_it_took(page: str) -> None:
    said = text(page)
    assert "HighErrorRate critical front AMP rule half of the requests fail 3 min 5 min ✓ proved" in said
    assert "half of the requests fail: fired 3 min after it began, resolved 5 min after it ended." in said
    assert "half of the requests fail: never fired." in said
    assert "never never ✗ failed too late" in said


def test_without_drills_the_page_says_so() -> None:
    assert "No alert was made to fire in this run." in text(pages.page())


def test_text_from_telemetry_is_never_markup(page: str) -> None:
    assert "</script><b>" not in page
    assert "&lt;/script&gt;&lt;b&gt;" in body(page)


class Markup(HTMLParser):
    """The elements of a page, each with the names of its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[tuple[str, frozenset[str]]] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, frozenset(name for name, _ in attrs)))


def test_no_text_of_a_stack_is_markup() -> None:
    """Titles and descriptions come with dashboards of others, documents with everything that a stack file may say."""
    every = " ".join(hostile.TEXTS)
    titled = {"title": every, "description": every}
    panels = [one | titled if one["type"] != "row" else one for one in pages.BOARD["panels"]]
    board = json.dumps(pages.BOARD | titled | {"panels": panels})
    documents = {"dashboards/ecs-tasks.json": board, "tasks/front.json": json.dumps(every), "compose.yaml": every}
    ours, theirs = (
        report.render(pages.judged(made), made, pages.FACTS)
        for made in (
            pages.made(**{"tasks/front.json": '"text"', "compose.yaml": "text"}),
            pages.made(**documents),
        )
    )
    assert hostile.TEXTS[2] in html.unescape(body(theirs))
    assert Markup(theirs).elements == Markup(ours).elements


def test_the_page_refers_to_nothing_else(page: str) -> None:
    assert not re.search(r"""<(?:script|img|link|iframe)[^>]*(?:src|href)=["'](?!data:|#)""", body(page))
    assert not re.search(r"url\((?!#)|@import", body(page))
    assert set(re.findall(r'href="([^"]*)"', body(page))) <= {"data:,", *re.findall(r'href="(#[^"]+)"', body(page))}
    assert page.count("<script>") == 2


def test_links_on_the_page_lead_somewhere(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', body(page))
    assert len(ids) == len(set(ids))
    named = re.findall(r'(?:href="#|aria-controls="|aria-labelledby="|data-opens="|for=")([^"]+)"', body(page))
    assert set(named) <= set(ids)


def test_charts_have_the_data_and_what_was_expected(page: str) -> None:
    charts = json.loads(re.findall(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)[0])
    assert list(charts) == ["ecs-tasks-1", "ecs-tasks-4"]
    chart = charts["ecs-tasks-1"]
    assert chart["axes"] == [{"suffix": " %", "limits": []}]
    assert [line["name"] for line in chart["lines"]] == ["shop-dev-front", "shop-dev-back"]
    assert chart["lines"][0]["x"][:2] == [0.0, 2.0]
    assert chart["lines"][0]["y"][0] == 80.0
    assert chart["lines"][0]["band"] == [pytest.approx(68), pytest.approx(92)]


def test_traces_are_drawn_as_waterfalls(page: str) -> None:
    assert body(page).count('class="card trace"') == 3
    for title in ("An ordinary request, 150 ms", "A slow request, 600 ms", "A failed request, 150 ms"):
        assert title in body(page)
    failed = body(page).split("A failed request")[1].split('<section id="documents"')[0]
    assert failed.count('class="span bad"') == 2
    assert failed.count('class="span sub bad"') == 1
    assert "subsegment" in failed


def test_without_dashboards_and_traces_the_page_says_so() -> None:
    made = truth(traces=truth().traces.__class__())
    said = text(report.render(pages.judged(made), made, pages.FACTS))
    assert "its Grafana is turned off" in said
    assert "No complete trace arrived." in said


def test_the_other_pattern_is_shown_by_what_differs() -> None:
    made = pages.made()
    page = report.render(pages.judged(made), made, pages.FACTS, COMPARISON)
    said = text(page)
    assert "sidecar (this stack) service" in said
    assert '<span class="only">4</span>' in page
    assert "the same: one" in said
    assert '<span class="only">i</span> <span class="soft">8 in both</span>' in page


def test_a_pattern_that_cannot_be_had_is_told_with_its_reason() -> None:
    made = pages.made()
    refused = Comparison("sidecar", "service", refused="ports: 4317 is taken")
    said = text(report.render(pages.judged(made), made, pages.FACTS, refused))
    assert "With the collector as service this configuration is refused: ports: 4317 is taken" in said


def test_no_value_of_a_secret_is_on_the_page() -> None:
    front = service("front")
    container = front.definition["containerDefinitions"][0]
    container["secrets"] = [{"name": "TOKEN", "valueFrom": "<token.arn>"}]
    assert environment(container)["TOKEN"] == secret_value("TOKEN")
    made = truth(plan(front, service("back"), documents=pages.DOCUMENTS | {"tasks/front.json": json.dumps(container)}))
    page = report.render(pages.judged(made), made, pages.FACTS)
    assert "&lt;token.arn&gt;" in page
    assert "secret TOKEN" not in page


def test_the_page_is_put_in_place_at_once(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    report.write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        report.write(path, "half \ud800")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"
