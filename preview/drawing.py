"""Boxes, arrows and words as one SVG picture: no script, no font and no colour from elsewhere, on paper of its own."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from itertools import pairwise
from typing import Final

_PAD: Final = 12
_GAP: Final = 10
"""Between boxes that are in one, or in one column."""
_CHANNEL: Final = 116
"""Between columns, with room for what an arrow says."""
_MARGIN: Final = 16
_TITLE: Final = 20
_LINE: Final = 16
"""Heights of a line of text."""
_ROOM: Final = 26
"""Below a box from which an arrow goes to the next, and between those of a column to which arrows go."""
_AROUND: Final = 60
"""How far an arrow goes around within a column, with what it says."""

_SAID: Final = 0.78
"""The share of an arrow's way after which it says what it carries: arrows lie further apart where they end."""

_NARROW: Final = frozenset("ijltfr.,:;'|!()[]- ")
_WIDE: Final = frozenset("mwMW@%")


class Kind(StrEnum):
    """What a box is, which decides how it looks."""

    FRAME = "frame"
    TASK = "task"
    CONTAINER = "container"
    COLLECTOR = "collector"
    STORE = "store"
    PERSON = "person"


@dataclass(frozen=True)
class Box:
    """A title, lines below it, and boxes in it: one below the other, or side by side in a `row`. Arrows name its `key`;
    `leads` is what the one to the box below says, if there is one."""

    title: str
    lines: tuple[str, ...] = ()
    inner: tuple["Box", ...] = ()
    row: bool = False
    kind: Kind = Kind.FRAME
    key: str = ""
    leads: str = ""


@dataclass(frozen=True)
class Arrow:
    """From one box or node to another, by their keys."""

    start: str
    end: str
    label: str


@dataclass(frozen=True)
class _Area:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class _Placed:
    box: Box
    column: int
    at: _Area


def picture(title: str, description: str, columns: Sequence[Sequence[Box]], arrows: Sequence[Arrow] = ()) -> str:
    """The SVG. Columns stand from left to right; with arrows, each in the middle of the height. The same input gives
    the same bytes.

    Raises KeyError if an arrow names no box.
    """
    placed = _columns(columns, _CHANNEL if arrows else 2 * _GAP, centred=bool(arrows))
    lines = list(_arrows(placed, arrows))
    left = min(one.at.x for one in placed) - _MARGIN - (_AROUND if _goes_around(placed, arrows) else 0)
    width = max(one.at.x + one.at.width for one in placed) + _MARGIN - left
    height = max(one.at.y + one.at.height for one in placed) + _MARGIN
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="{left:g} 0 {width:g} {height:g}" role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            _STYLE,
            f'<rect class="paper" x="{left + 0.5:g}" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>',
            *(line for one in placed for line in _drawn(one)),
            *lines,
            "</svg>\n",
        )
    )


def _columns(columns: Sequence[Sequence[Box]], channel: int, *, centred: bool) -> list[_Placed]:
    gap = _ROOM if centred else _GAP
    heights = [_stack(column, gap) for column in columns]
    placed: list[_Placed] = []
    x = 0.0
    for index, column in enumerate(columns):
        width = max(_size(box)[0] for box in column)
        y = _MARGIN + ((max(heights) - heights[index]) / 2 if centred else 0)
        for box in column:
            height = _size(box)[1]
            placed += _place(box, index, _Area(x, y, width, height))
            y += height + (_ROOM if box.leads else gap)
        x += width + channel
    return placed


def _size(box: Box) -> tuple[float, float]:
    """Width and height that a box needs."""
    texts = (_length(box.title, bold=True), *map(_length, box.lines), _length(box.leads) + _ROOM)
    height = _top(box) + _PAD / 2
    if not box.inner:
        return max(texts) + 2 * _PAD, height
    sizes = [_size(one) for one in box.inner]
    if box.row:
        across = sum(width for width, _ in sizes) + _GAP * (len(sizes) - 1)
        return max(*texts, across) + 2 * _PAD, height + max(each for _, each in sizes) + _PAD / 2
    return max(*texts, *(width for width, _ in sizes)) + 2 * _PAD, height + _stack(box.inner, _GAP) + _PAD / 2


def _top(box: Box) -> float:
    """Where in a box what is in it begins."""
    return _PAD + _TITLE + _LINE * len(box.lines)


def _stack(boxes: Sequence[Box], gap: int) -> float:
    """The height of boxes that stand one below the other."""
    return sum(_size(box)[1] for box in boxes) + sum(_ROOM if box.leads else gap for box in boxes[:-1])


def _place(box: Box, column: int, at: _Area) -> Iterator[_Placed]:
    """A box and all that are in it, which get what is left of the width."""
    yield _Placed(box, column, at)
    x, y, spare = at.x + _PAD, at.y + _top(box), at.width - 2 * _PAD
    if box.row:
        spare -= sum(_size(one)[0] for one in box.inner) + _GAP * (len(box.inner) - 1)
        for one in box.inner:
            width = _size(one)[0] + spare / len(box.inner)
            yield from _place(one, column, _Area(x, y, width, at.y + at.height - _PAD - y))
            x += width + _GAP
    else:
        for one in box.inner:
            height = _size(one)[1]
            yield from _place(one, column, _Area(x, y, spare, height))
            y += height + (_ROOM if one.leads else _GAP)


def _drawn(placed: _Placed) -> Iterator[str]:
    box, at = placed.box, placed.at
    yield f'<rect class="{box.kind}" x="{at.x:g}" y="{at.y:g}" width="{at.width:g}" height="{at.height:g}" rx="6"/>'
    x, base = at.x + _PAD, at.y + _PAD + 11
    yield f'<text class="title" x="{x:g}" y="{base:g}">{escape(box.title)}</text>'
    for line in box.lines:
        base += _LINE
        yield f'<text x="{x:g}" y="{base + 1:g}">{escape(line)}</text>'


def _below(placed: Sequence[_Placed]) -> set[tuple[str, str]]:
    """The keys of boxes of which one leads down to the other."""
    named = [one for one in placed if one.box.key]
    return {(one.box.key, other.box.key) for one, other in pairwise(named) if one.box.leads}


def _goes_around(placed: Sequence[_Placed], arrows: Iterable[Arrow]) -> bool:
    """Whether an arrow goes around at the left of all columns."""
    first = {one.box.key for one in placed if one.column == 0}
    return any({one.start, one.end} <= first and (one.start, one.end) not in _below(placed) for one in arrows)


def _arrows(placed: Sequence[_Placed], arrows: Sequence[Arrow]) -> Iterator[str]:
    """The arrows, and over them what they say. Those at one side of a box share its height, in the order of where they
    go, so that they do not cross there."""
    by_key = {one.box.key: one for one in placed if one.box.key}
    down = _below(placed)
    sides: dict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for index, arrow in enumerate(arrows):
        start, end = by_key[arrow.start], by_key[arrow.end]
        leave, enter = _ends(start, end)
        if (arrow.start, arrow.end) not in down:
            sides[arrow.start, leave].append((end.at.middle, index))
            sides[arrow.end, enter].append((start.at.middle, index))
    words: list[str] = []
    for index, arrow in enumerate(arrows):
        start, end = by_key[arrow.start], by_key[arrow.end]
        if (arrow.start, arrow.end) in down:
            x, top, bottom = start.at.x + _PAD + 4, start.at.y + start.at.height, end.at.y
            yield f'<path class="arrow" d="M{x:g} {top:g} L{x:g} {bottom - 7:g}"/>'
            yield _head(x, bottom, "down")
            words.append(_word(x + 8, (top + bottom) / 2 + 4, arrow.label, "start"))
            continue
        leave, enter = _ends(start, end)
        x1, y1 = _port(start.at, leave, sides[arrow.start, leave], index)
        x2, y2 = _port(end.at, enter, sides[arrow.end, enter], index)
        tip = x2 + (7 if enter == "right" else -7)
        bend = max(abs(x2 - x1) / 2, _AROUND)
        c1, c2 = x1 + (bend if leave == "right" else -bend), tip + (bend if enter == "right" else -bend)
        yield f'<path class="arrow" d="M{x1:g} {y1:g} C{c1:g} {y1:g} {c2:g} {y2:g} {tip:g} {y2:g}"/>'
        yield _head(x2, y2, "left" if enter == "right" else "right")
        x, y = (_on(_SAID, *way) for way in ((x1, c1, c2, tip), (y1, y1, y2, y2)))
        words.append(_word(x, y - 4, arrow.label, "middle"))
    yield from words


def _ends(start: _Placed, end: _Placed) -> tuple[str, str]:
    """The sides at which an arrow leaves and enters; within a column it goes around on the left."""
    if start.column == end.column:
        return "left", "left"
    return ("right", "left") if start.column < end.column else ("left", "right")


def _port(at: _Area, side: str, ends: list[tuple[float, int]], index: int) -> tuple[float, float]:
    """Where an arrow meets a side."""
    order = [each for _, each in sorted(ends)]
    share = at.height / (len(order) + 1)
    return (at.x + at.width if side == "right" else at.x), at.y + share * (order.index(index) + 1)


def _on(share: float, *points: float) -> float:
    """A coordinate of a cubic curve, after a share of its way."""
    rest = 1 - share
    weights = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
    return round(sum(weight * point for weight, point in zip(weights, points, strict=True)), 1)


def _head(x: float, y: float, towards: str) -> str:
    back = {"right": (-8, -4, -8, 4), "left": (8, -4, 8, 4), "down": (-4, -8, 4, -8)}[towards]
    points = f"{x:g},{y:g} {x + back[0]:g},{y + back[1]:g} {x + back[2]:g},{y + back[3]:g}"
    return f'<polygon class="head" points="{points}"/>'


def _word(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="word" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _length(text: str, *, bold: bool = False) -> float:
    """About how long a text is. Whoever looks has another font, so that boxes are rather too wide."""
    units = sum(0.36 if one in _NARROW else 0.9 if one in _WIDE else 0.7 if one.isupper() else 0.6 for one in text)
    return round(units * (16.5 if bold else 12.5))


_STYLE: Final = """\
<style>
  text { font: 12.5px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #424a53; }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328; }
  .word { font-size: 11.5px; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
  .paper { fill: #ffffff; stroke: #d0d7de; }
  .frame { fill: #f6f8fa; stroke: #8c959f; }
  .task { fill: #eaf2fd; stroke: #3d74c7; }
  .container { fill: #ffffff; stroke: #3d74c7; }
  .collector { fill: #fff1dc; stroke: #b8650a; }
  .store { fill: #e6f5ea; stroke: #2b8246; }
  .person { fill: #fbeaea; stroke: #b23a34; }
  .arrow { fill: none; stroke: #57606a; stroke-width: 1.4; }
  .head { fill: #57606a; }
  @media (prefers-color-scheme: dark) {
    text { fill: #b9c1ca; }
    .title { fill: #e6edf3; }
    .word { stroke: #0d1117; }
    .paper { fill: #0d1117; stroke: #3d444d; }
    .frame { fill: #161b22; stroke: #6e7681; }
    .task { fill: #12233d; stroke: #5b93e6; }
    .container { fill: #0d1117; stroke: #5b93e6; }
    .collector { fill: #33230c; stroke: #d68a2d; }
    .store { fill: #10281a; stroke: #45a862; }
    .person { fill: #331717; stroke: #dd6b64; }
    .arrow { stroke: #9198a1; }
    .head { fill: #9198a1; }
  }
</style>"""
