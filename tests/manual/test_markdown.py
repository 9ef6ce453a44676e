"""What is read out of a page: headings with GitHub's anchors, links, blocks of code."""

import pytest

from manual.markdown import Block, Heading, blocks, headings, linked, links, table


@pytest.mark.parametrize(
    ("line", "anchor"),
    [
        ("# Bad days", "bad-days"),
        ("## X-Ray's OTLP endpoint", "x-rays-otlp-endpoint"),
        ("## X-Ray's SDK, StatsD, Zipkin", "x-rays-sdk-statsd-zipkin"),
        ("### `applications.N.traffic`", "applicationsntraffic"),
        ("## [0.1.0] - unreleased", "010---unreleased"),
        ("## `make prove` fails", "make-prove-fails"),
        ("## A [link](x.md) in it", "a-link-in-it"),
        ("## Key_with_underscores ##", "key_with_underscores"),
    ],
)
def test_an_anchor_is_that_of_github(line: str, anchor: str) -> None:
    assert [heading.anchor for heading in headings(line)] == [anchor]


def test_the_second_heading_of_a_name_has_a_number() -> None:
    page = "# A\n## Same\n```sh\n# no heading\n```\n## Same\n"
    assert headings(page) == [Heading(1, "A", "a"), Heading(2, "Same", "same"), Heading(2, "Same", "same-1")]


def test_links_are_those_a_reader_sees() -> None:
    page = '[a](b.md#c) ![p](p.png) `[no](code.md)` <!-- [no](x.md) -->\n```\n[no](y.md)\n```\n[t](d.md "title")\n'
    assert links(page) == ["b.md#c", "p.png", "d.md"]


def test_a_block_knows_its_line_and_the_comment_before_it() -> None:
    page = "one\n<!-- unchecked: why -->\n```yaml\na: 1\n```\n\n````md\n```sh\n````\n"
    assert blocks(page) == [Block("yaml", "a: 1\n", 3, "unchecked: why"), Block("md", "```sh\n", 7, "")]


def test_a_bar_ends_no_cell() -> None:
    assert list(table(("a", "b"), [("x|y", "two\nlines")])) == ["| a | b |", "|---|---|", "| x\\|y | two lines |"]


def test_names_of_pages_become_links() -> None:
    assert linked("When; docs/tasks.md#by-the-clock, docs/decisions/0003-sidecar-lifecycle.md.") == (
        "When; [tasks](../tasks.md#by-the-clock), [sidecar lifecycle](../decisions/0003-sidecar-lifecycle.md)."
    )
