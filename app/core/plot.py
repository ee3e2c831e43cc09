"""Plain diagrams as SVG, written by hand: no library, no script, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

COLOURS = ("#1f6fb2", "#c2571a", "#2b8a57", "#7b4fa3")
_WIDTH, _HEIGHT = 420, 360
_LEFT, _TOP, _RIGHT, _BOTTOM = 56, 32, 16, 48


@dataclass(frozen=True, slots=True)
class Line:
    """One curve, or with `dots` its points alone.

    Attributes
    ----------
    y_low, y_high
        Ends of each point's interval, drawn as a bar; empty for none.
    quiet
        Grey and dashed: a baseline.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    y_low: Sequence[float] = ()
    y_high: Sequence[float] = ()
    dots: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """A diagram: title, axes with their ticks (the first and last are the ends), lines."""

    title: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    x_ticks: Sequence[float] = field(default=(0, 0.2, 0.4, 0.6, 0.8, 1))
    y_ticks: Sequence[float] = field(default=(0, 0.2, 0.4, 0.6, 0.8, 1))


def svg(plot: Plot) -> str:
    """Return the diagram as one SVG element that needs nothing else."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(plot.title)}" font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="13" font-weight="600">{escape(plot.title)}</text>',
        *_axes(plot),
    ]
    colours = iter(COLOURS * (1 + len(plot.lines) // len(COLOURS)))
    named = []
    for line in plot.lines:
        colour = "#888" if line.quiet else next(colours)
        parts += _drawn(plot, line, colour)
        named.append((line, colour))
    parts += _legend(named)
    return "\n".join([*parts, "</svg>"])


def _x(plot: Plot, value: float) -> float:
    low, high = plot.x_ticks[0], plot.x_ticks[-1]
    share = (min(max(value, low), high) - low) / (high - low)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(plot: Plot, value: float) -> float:
    low, high = plot.y_ticks[0], plot.y_ticks[-1]
    share = (min(max(value, low), high) - low) / (high - low)
    return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def _axes(plot: Plot) -> list[str]:
    left, right = _x(plot, plot.x_ticks[0]), _x(plot, plot.x_ticks[-1])
    foot, head = _y(plot, plot.y_ticks[0]), _y(plot, plot.y_ticks[-1])
    parts = []
    for tick in plot.x_ticks:
        x = _x(plot, tick)
        parts.append(f'<path d="M{x} {foot}V{head}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{x}" y="{foot + 16}" text-anchor="middle">{tick:g}</text>')
    for tick in plot.y_ticks:
        y = _y(plot, tick)
        parts.append(f'<path d="M{left} {y}H{right}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{left - 6}" y="{y + 4}" text-anchor="end">{tick:g}</text>')
    parts.append(f'<path d="M{left} {head}V{foot}H{right}" stroke="#666" fill="none"/>')
    middle, half = (left + right) / 2, (foot + head) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 10}" text-anchor="middle">{escape(plot.x_label)}</text>')
    turned = f'transform="translate(14 {half}) rotate(-90)"'
    parts.append(f'<text {turned} text-anchor="middle">{escape(plot.y_label)}</text>')
    return parts


def _drawn(plot: Plot, line: Line, colour: str) -> list[str]:
    points = [(_x(plot, x), _y(plot, y)) for x, y in zip(line.x, line.y, strict=True)]
    parts = []
    for (x, _), low, high in zip(points, line.y_low, line.y_high, strict=False):
        parts.append(f'<path d="M{x} {_y(plot, low)}V{_y(plot, high)}" stroke="{colour}" opacity="0.5"/>')
    if line.dots:
        parts += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in points]
        return parts
    path = " ".join(f"{x},{y}" for x, y in points)
    dash = ' stroke-dasharray="4 4"' if line.quiet else ""
    width = 1 if line.quiet else 2
    parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>')
    return parts


def _legend(named: Sequence[tuple[Line, str]]) -> list[str]:
    parts = []
    foot = _HEIGHT - _BOTTOM - 10 - 15 * (len(named) - 1)
    for number, (line, colour) in enumerate(named):
        y = foot + 15 * number
        right = _WIDTH - _RIGHT - 8
        place, name = f'x="{right}" y="{y}" text-anchor="end"', escape(line.name)
        parts.append(f'<text {place} stroke="#fff" stroke-width="4">{name}</text>')
        parts.append(f'<text {place} fill="{colour}">{name}</text>')
    return parts
