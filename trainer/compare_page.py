"""``report/index.html`` of a comparison of two bundles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.core.metrics.delong import p_words
from trainer.curves import Curve
from trainer.report_page import drawings, number, page, table


def _signed(value: Any) -> str:
    return "–" if value is None else f"{float(value):+.3f}"


def _cells(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    test = entry.get("delong")
    interval = "–" if entry["low"] is None else f"{_signed(entry['low'])} to {_signed(entry['high'])}"
    return (
        name,
        number(entry["a"]),
        number(entry["b"]),
        _signed(entry["difference"]),
        interval,
        p_words(test["p"]) if test else "–",
        str(entry["n"]),
        "difference shown" if entry["shown"] else "no difference shown",
        entry["method"],
    )


_HEADER = ("metric", "A", "B", "B - A", "95 % interval", "DeLong p", "n", "", "method")


def comparison_page(found: Mapping[str, Any], curves: Sequence[Curve]) -> str:
    """Return the report of `trainer.compare`."""
    parts = [f'<p class="verdict">{escape(text)}</p>' for text in found["sentences"]]
    parts += [f"<p>A: {escape(found['a'])}. B: {escape(found['b'])}.</p>"]
    parts += [f"<p>{escape(note)}</p>" for note in found["notes"]]
    if found["one_only"]:
        left_out = f"{found['one_only']} images were scored by one bundle only: left out."
        parts.append(f'<p class="warn">{left_out}</p>')
    rows = [_cells(name, entry) for name, entry in found["metrics"].items()]
    parts += ["<h2>Differences</h2>", table(_HEADER, rows, method=True), drawings(curves)]
    if found["subgroups"]:
        looked = sum(len(values) for values in found["subgroups"].values())
        parts += [
            "<h2>Subgroups</h2>",
            f'<p class="quiet">{looked} subgroups were looked at; of so many about {looked / 20:.0f} would '
            "show a difference by chance.</p>",
        ]
    for kind, values in found["subgroups"].items():
        header = (kind, *_HEADER[1:])
        rows = [_cells(name, entry) for name, entry in values.items()]
        parts += [f"<h3>AUC per image, by {escape(kind)}</h3>", table(header, rows, method=True)]
    return page("Two bundles compared", parts)
