"""Stacked bars as SVG, written by hand: how many images of each label a property's values have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from app.core.plot import COLOURS

_WIDTH, _LEFT, _RIGHT, _STEP, _TOP = 420, 120, 56, 22, 52
_SHORT = 20


def colours(labels: Sequence[str]) -> dict[str, str]:
    """Return each label's colour."""
    return {label: COLOURS[number % len(COLOURS)] for number, label in enumerate(labels)}


def _shortened(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"


def _key(labels: Sequence[str]) -> list[str]:
    x, parts = float(_LEFT), []
    for label, colour in colours(labels).items():
        parts.append(f'<rect x="{x:.0f}" y="30" width="9" height="9" fill="{colour}"/>')
        parts.append(f'<text x="{x + 13:.0f}" y="39">{escape(_shortened(label))}</text>')
        x += 24 + 6.2 * min(len(label), _SHORT)
    return parts


def stacked_bars(title: str, counts: Mapping[str, Mapping[str, int]]) -> str:
    """Return one SVG element: a bar per value, its length the number of images, a colour per label."""
    labels = list(next(iter(counts.values()), {}))
    longest = max((sum(row.values()) for row in counts.values()), default=1) or 1
    height = _TOP + _STEP * len(counts) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="8" y="20" font-size="13" font-weight="600">{escape(title)}</text>',
        *_key(labels),
    ]
    for number, (value, row) in enumerate(counts.items()):
        y, x = _TOP + _STEP * number, float(_LEFT)
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 12}" text-anchor="end">{escape(_shortened(value))}</text>'
        )
        for label, colour in colours(labels).items():
            wide = (_WIDTH - _LEFT - _RIGHT) * row[label] / longest
            if row[label]:
                parts.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{max(wide, 0.5):.1f}" height="16" fill="{colour}">'
                    f"<title>{escape(value)}, {escape(label)}: {row[label]}</title></rect>"
                )
            x += wide
        parts.append(f'<text x="{x + 5:.1f}" y="{y + 12}">{sum(row.values())}</text>')
    return "\n".join([*parts, "</svg>"])
