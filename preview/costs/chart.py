"""A picture of costs by the number of tasks, as SVG."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

_WIDTH: Final = 720
_HEIGHT: Final = 360
_LEFT: Final = 70
_BOTTOM: Final = 50
_TOP: Final = 20
_RIGHT: Final = 190
_COLOURS: Final = ("#0b62a4", "#b8432f", "#6b6b6b")
_STYLES: Final = ("", "", ' stroke-dasharray="6 4"')
"""The third line is often close to another."""


def svg(title: str, tasks: Sequence[int], lines: Mapping[str, Sequence[Decimal]]) -> str:
    """Up to three lines over the same numbers of tasks, in dollars a month from 0 on."""
    most = _round_up(max(max(values) for values in lines.values()))
    return "\n".join((*_frame(title, tasks, most), *_lines(tasks, lines, most), "</svg>", ""))


def _round_up(value: Decimal) -> int:
    """The next number of which a quarter is round."""
    step = 10 ** max(len(str(int(value))) - 1, 1)
    for most in range(step // 5 * 2, 11 * step, step // 5 * 2):
        if most >= value:
            return most
    return 10 * step


def _x(tasks: int, every: Sequence[int]) -> Decimal:
    return Decimal(_LEFT) + Decimal(_WIDTH - _LEFT - _RIGHT) * (tasks - every[0]) / max(every[-1] - every[0], 1)


def _y(dollars: Decimal, most: int) -> Decimal:
    return Decimal(_HEIGHT - _BOTTOM) - Decimal(_HEIGHT - _BOTTOM - _TOP) * dollars / most


def _frame(title: str, tasks: Sequence[int], most: int) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13" aria-label="{title}">'
    )
    yield f"<title>{title}</title>"
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    for quarter in range(5):
        dollars = Decimal(most) * quarter / 4
        y = _y(dollars, most)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}" stroke="#dddddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{dollars:,.0f} $</text>'
    for one in tasks:
        if one in (tasks[0], tasks[-1]) or one % 5 == 0:
            yield f'<text x="{_x(one, tasks):.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{one}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) // 2
    yield f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">tasks of each application</text>'


def _lines(tasks: Sequence[int], lines: Mapping[str, Sequence[Decimal]], most: int) -> Iterator[str]:
    below = Decimal(_HEIGHT)
    heights = {name: _y(values[-1], most) for name, values in lines.items()}
    labels: dict[str, Decimal] = {}
    # From the lowest line upwards, so that no label covers another.
    for name in sorted(heights, key=lambda one: -heights[one]):
        below = labels[name] = min(heights[name] + 4, below - 16)
    for at, (name, values) in enumerate(lines.items()):
        points = " ".join(
            f"{_x(one, tasks):.1f},{_y(value, most):.1f}" for one, value in zip(tasks, values, strict=True)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{_COLOURS[at]}" stroke-width="2"{_STYLES[at]}/>'
        yield f'<text x="{_WIDTH - _RIGHT + 10}" y="{labels[name]:.1f}" fill="{_COLOURS[at]}">{name}</text>'
