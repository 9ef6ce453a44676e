"""Pictures: what is in what, where arrows go, and that nothing in a name is markup."""

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from preview.drawing import Arrow, Box, Kind, picture

SVG = "{http://www.w3.org/2000/svg}"


def rects(svg: str) -> list[tuple[float, float, float, float]]:
    """All boxes, without the paper, as left, top, right, bottom."""
    found = [one for one in ElementTree.fromstring(svg).iter(f"{SVG}rect") if one.get("class") != "paper"]
    edges = [[float(one.get(name, 0)) for name in ("x", "y", "width", "height")] for one in found]
    return [(x, y, x + width, y + height) for x, y, width, height in edges]


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def within(inner: tuple[float, ...], outer: tuple[float, ...]) -> bool:
    return outer[0] < inner[0] and outer[1] < inner[1] and inner[2] < outer[2] and inner[3] < outer[3]


def test_boxes_are_apart_or_one_is_in_the_other() -> None:
    row = Box("row", ("of", "three"), tuple(Box(name) for name in "abc"), row=True)
    column = Box("column", (), (row, Box("a much longer title than all of these"), Box("d", ("x",))))
    found = rects(picture("t", "d", [[column, Box("below")], [Box("beside")]]))
    assert len(found) == 9
    assert all(apart(one, other) or within(one, other) or within(other, one) for one, other in combinations(found, 2))


def test_everything_is_on_the_paper() -> None:
    boxes = [[Box("a", key="a"), Box("b", key="b"), Box("c", key="c")], [Box("d", key="d")]]
    arrows = [Arrow("c", "a", "up"), Arrow("a", "d", "right"), Arrow("d", "b", "left")]
    svg = picture("t", "d", boxes, arrows)
    left, top, width, height = map(float, re.search(r'viewBox="([^"]+)"', svg)[1].split())  # pyright: ignore[reportOptionalSubscript]
    numbers = [
        (float(x), float(y))
        for path in re.findall(r'<path class="arrow" d="([^"]+)"', svg)
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)
    ]
    assert all(left <= x <= left + width and top <= y <= top + height for x, y in numbers)
    assert len(re.findall("<polygon", svg)) == 3


def test_a_box_leads_to_the_next_one_straight_down() -> None:
    inner = (Box("first", key="1", leads="then"), Box("second", key="2"))
    svg = picture("t", "d", [[Box("both", (), inner)]], [Arrow("1", "2", "then")])
    [path] = re.findall(r'<path class="arrow" d="M([\d.]+) ([\d.]+) L([\d.]+) ([\d.]+)"', svg)
    assert path[0] == path[2]
    assert float(path[1]) < float(path[3])


def test_names_are_no_markup() -> None:
    svg = picture("<t>", "&", [[Box('<b onload="x">', ("a & b",), kind=Kind.STORE)]])
    texts = [one.text for one in ElementTree.fromstring(svg).iter() if one.tag != f"{SVG}style"]
    assert '<b onload="x">' in texts
    assert "a & b" in texts


def test_an_arrow_to_nothing_is_an_error() -> None:
    with pytest.raises(KeyError, match="nobody"):
        picture("t", "d", [[Box("a", key="a")]], [Arrow("a", "nobody", "")])
