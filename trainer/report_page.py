"""``report/index.html``: one file that a browser shows as it is, with no script and no network."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from app.core.plot import svg
from trainer.curves import Curve
from trainer.gallery import Picture

_STYLE = """
:root { color-scheme: light; }
body { font: 14px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 32px auto;
  max-width: 1040px; padding: 0 24px; }
h1 { font-size: 22px; margin-bottom: 0; } h2 { font-size: 16px; margin: 32px 0 8px; }
h3 { font-size: 14px; margin: 16px 0 4px; } p { max-width: 76ch; }
.quiet { color: #666; } .verdict { border-left: 4px solid #1f6fb2; padding: 4px 12px; margin: 8px 0; }
.warn { border-left: 4px solid #c27a00; padding: 4px 12px; margin: 8px 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 3px 12px 3px 0;
  vertical-align: top; border-bottom: 1px solid #e6e6e6; } th { font-weight: 600; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.method { color: #666; font-size: 12px; }
.row { display: flex; flex-wrap: wrap; gap: 16px; } .row svg { width: 420px; border: 1px solid #e6e6e6; }
figure { margin: 0; background: #111; color: #ddd; padding: 8px; border-radius: 4px; width: 220px; }
figure img { display: block; max-width: 100%; max-height: 320px; margin: 0 auto; }
figcaption { font-size: 12px; margin-top: 8px; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; font: 12px/1.5 ui-monospace, monospace; background: #f6f6f6; padding: 12px; }
"""
# Nothing may be fetched or run, whatever a manifest's texts hold.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def number(value: Any) -> str:
    """Return three places, or a dash where there is none."""
    return "–" if value is None else f"{float(value):.3f}"


def interval(entry: Mapping[str, Any]) -> str:
    """Return ``low to high`` or a dash."""
    return "–" if entry["low"] is None else f"{number(entry['low'])} to {number(entry['high'])}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], method: bool = False) -> str:
    """Return a table of texts; with `method` the last column is small."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for cells in rows:
        kinds = ["number"] * len(cells)
        if method:
            kinds[-1] = "method"
        lines.append(
            "<tr>"
            + "".join(f'<td class="{k}">{escape(cell)}</td>' for k, cell in zip(kinds, cells, strict=True))
            + "</tr>"
        )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole HTML page."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n<h1>{escape(title)}</h1>\n"
        '<p class="quiet">Research use only. Not a medical device.</p>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def drawings(curves: Sequence[Curve]) -> str:
    """Return the diagrams in a row."""
    return '<div class="row">' + "\n".join(svg(curve.plot) for curve in curves) + "</div>"


def evaluation_page(
    title: str,
    metrics: Mapping[str, Any],
    card: str,
    curves: Sequence[Curve],
    pictures: Sequence[Picture],
) -> str:
    """Return the report of an evaluation."""
    counts = metrics["n"]
    sizes = f"{counts['images']} images, {counts['breasts']} breasts, {counts['patients']} patients scored."
    kind = "warn" if "IN-SAMPLE" in metrics["protocol"] else "verdict"
    left_out = metrics["not_scored"].items()
    parts = [
        f'<p class="{kind}">{escape(metrics["protocol"])}</p>',
        f"<p>{escape(sizes)}</p>",
        *(f'<p class="warn">{n} images not scored: {escape(why)}</p>' for why, n in left_out),
        "<h2>Metrics</h2>",
        _metrics(metrics["metrics"]),
        "<h2>Curves</h2>",
        drawings(curves) if curves else "<p>None: they need positives and negatives.</p>",
        *_recalibrated(metrics.get("recalibrated", {})),
        *_subgroups(metrics.get("subgroups", {})),
        *_pictures(pictures),
        "<h2>Model card</h2>",
        f"<pre>{escape(card)}</pre>",
    ]
    return page(title, parts)


def _metrics(metrics: Mapping[str, Any]) -> str:
    header = ("metric", "value", "95 % interval", "baseline", "unit", "n", "method")
    rows = [
        (
            name,
            number(entry["value"]),
            interval(entry),
            number(entry["baseline"]),
            entry["unit"],
            str(entry["n"]),
            entry["method"],
        )
        for name, entry in metrics.items()
    ]
    return table(header, rows, method=True)


def _recalibrated(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    rows = [(name, number(one["brier"]), number(one["ece"])) for name, one in found.items()]
    return [
        "<h2>Could the scores be more honest here?</h2>",
        '<p class="quiet">Each calibration was fitted on four fifths of these patients and judged on the '
        "rest, in turn. The bundle is not changed.</p>",
        table(("calibration", "Brier score", "calibration error"), rows),
    ]


def _subgroups(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not found:
        return []
    parts = [
        "<h2>Subgroups</h2>",
        '<p class="quiet">Small groups have wide intervals, and one in twenty looks odd by chance.</p>',
    ]
    for kind, values in found.items():
        rows = [
            (
                value,
                name,
                number(entry["value"]),
                interval(entry),
                number(entry["baseline"]),
                str(entry["n"]),
                str(group["positives"]),
                str(group["patients"]),
            )
            for value, group in values.items()
            for name, entry in group["metrics"].items()
        ]
        header = (kind, "metric", "value", "95 % interval", "baseline", "n", "positives", "patients")
        parts += [f"<h3>By {escape(kind)}</h3>", table(header, rows)]
    return parts


def _pictures(pictures: Sequence[Picture]) -> list[str]:
    parts = [
        "<h2>Worst errors</h2>",
        '<p class="quiet">As stored, the breast alone. Orange: what spoke for the score; blue: boxes of the '
        "model; green: what the data set marks.</p>",
    ]
    if not pictures:
        parts.append("<p>None.</p>")
    for kind, own in groupby(pictures, key=lambda picture: picture.kind):
        figures = "\n".join(
            f'<figure><img alt="{escape(one.caption)}" src="data:image/png;base64,'
            f'{base64.b64encode(one.png).decode("ascii")}"><figcaption>{escape(one.caption)}</figcaption></figure>'
            for one in own
        )
        parts += [f"<h3>{escape(kind)}</h3>", f'<div class="row">{figures}</div>']
    return parts
