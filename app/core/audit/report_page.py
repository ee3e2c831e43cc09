"""The page of an audit's report: a browser shows it as it is, with no script and no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from app.core.audit.columns import Sheet
from app.core.audit.filters import words
from app.core.audit.matching import RULES
from app.core.audit.outcomes import OUTCOMES, Matrix, Share
from app.core.audit.plots import Curve, FrocCurve, Histogram, Number, Plots
from app.core.audit.readings import Reading, said_kappa
from app.core.audit.reported import AuditReport, Exhibit
from app.core.audit.units import PLURAL
from app.core.plot import Line, Plot, svg

_STYLE: Final = """
:root { color-scheme: light; }
body { font: 14px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 32px auto;
  max-width: 1040px; padding: 0 24px; }
h1 { font-size: 22px; margin-bottom: 0; } h2 { font-size: 16px; margin: 32px 0 8px; } p { max-width: 76ch; }
.quiet { color: #666; } .warn { border-left: 4px solid #c27a00; padding: 4px 12px; margin: 8px 0; }
table { border-collapse: collapse; } th, td { text-align: left; padding: 3px 16px 3px 0; vertical-align: top;
  border-bottom: 1px solid #e6e6e6; font-variant-numeric: tabular-nums; } th { font-weight: 600; }
td.method { color: #666; font-size: 12px; font-variant-numeric: normal; }
.row { display: flex; flex-wrap: wrap; gap: 16px; } .row > svg { width: 420px; border: 1px solid #e6e6e6; }
figure { margin: 0; background: #111; color: #ddd; padding: 8px; border-radius: 4px; width: 300px; }
figure svg { display: block; width: 100%; }
figcaption { font-size: 12px; margin-top: 8px; overflow-wrap: anywhere; }
.key { font-size: 12px; color: #666; }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MOST_RATE: Final = 8.0


def page(report: AuditReport) -> str:
    """Return the whole page."""
    model, plots = report.sheet.answers.model, report.plots
    unit = PLURAL[plots.unit]
    facts = [
        ("Data", report.source),
        ("Model", f"{model.name} {model.version}".strip()),
        ("Score of", model.score_of or "not stated"),
        ("Cases", words(report.subgroup)),
        ("Counted", f"{plots.counted} {unit} with score and truth, {plots.positives} of them positive"),
        ("Made", f"{report.made}{f' by {report.reader}' if report.reader else ''}"),
    ]
    body = [
        f"<h1>{escape(report.title)}</h1>",
        '<p class="quiet">Research use only. Not a medical device.</p>',
        _table(("", ""), facts, head=False),
        *(f'<p class="warn">{escape(note)}</p>' for note in (*report.notes, *plots.without)),
        f"<h2>At the threshold {report.sheet.threshold:.3f}, per {escape(plots.unit)}</h2>",
        _matrix(report.matrix),
        "<h2>Numbers</h2>",
        _numbers(plots),
        "<h2>Curves</h2>",
        f'<div class="row">{"".join(svg(each) for each in diagrams(plots))}</div>',
        *_readings(report.readings),
        *_gallery(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], *, head: bool = True) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    lines = []
    for cells in rows:
        small = [
            "method" if head and k == len(cells) - 1 and len(cells) > 4 else "" for k in range(len(cells))
        ]
        inner = "".join(f'<td class="{k}">{escape(cell)}</td>' for k, cell in zip(small, cells, strict=True))
        lines.append(f"<tr>{inner}</tr>")
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if head else ''}<tbody>{''.join(lines)}</tbody></table>"


def said_share(one: Share) -> str:
    """Return a share as written: ``62.0 % (41.0 to 79.2), 13 of 21``; a dash of none."""
    if one.value is None or one.low is None or one.high is None:
        return "– (none)"
    return f"{100 * one.value:.1f} % ({100 * one.low:.1f} to {100 * one.high:.1f}), {one.found} of {one.n}"


def said_number(one: Number) -> str:
    """Return a number as written: ``0.812 (0.761 to 0.859)``; a dash where it is undefined."""
    if one.value is None:
        return "–"
    interval = "" if one.low is None or one.high is None else f" ({one.low:.3f} to {one.high:.3f})"
    return f"{one.value:.3f}{interval}"


def _matrix(matrix: Matrix) -> str:
    counts = _table(
        ("", "truth positive", "truth negative"),
        [
            ("recalled", f"{matrix.tp} (TP)", f"{matrix.fp} (FP)"),
            ("not recalled", f"{matrix.fn} (FN)", f"{matrix.tn} (TN)"),
        ],
    )
    shares = _table(
        ("share", f"value, 95 % interval (Wilson), {PLURAL[matrix.unit]}"),
        [
            ("sensitivity", said_share(matrix.sensitivity)),
            ("specificity", said_share(matrix.specificity)),
            ("positive predictive value", said_share(matrix.predictive)),
            ("recalled", said_share(matrix.recalled)),
        ],
    )
    left = f"In no cell: {matrix.without_truth} without truth, {matrix.without_score} without score."
    return f'{counts}\n{shares}\n<p class="quiet">{left}</p>'


def _numbers(plots: Plots) -> str:
    rows = []
    named: list[tuple[str, Number]] = []
    if plots.roc is not None:
        named.append(("AUC", plots.roc.area))
    if plots.precision is not None:
        named.append(("average precision", plots.precision.area))
    if plots.froc is not None:
        named += plots.froc.numbers
    for name, one in named:
        rows.append((name, said_number(one), one.unit, str(one.n), one.method))
    if plots.calibration is not None:
        for name, value in (
            ("Brier score", plots.calibration.brier),
            ("calibration error", plots.calibration.ece),
        ):
            shown = "–" if value is None else f"{value:.3f}"
            rows.append((name, shown, plots.unit, str(plots.counted), "lower is better; no interval"))
    if not rows:
        return '<p class="quiet">None: see above why.</p>'
    return _table(("number", "value (95 % interval)", "unit", "n", "method"), rows)


def diagrams(plots: Plots) -> list[Plot]:
    """Return the diagrams that there are, each with its unit and count named."""
    made = []
    of = f"per {plots.unit}, n = {plots.counted}"
    if plots.roc is not None:
        chance = Line("chance", (0, 1), (0, 1), quiet=True)
        made.append(Plot("ROC", "1 - specificity", "sensitivity", [_line(of, plots.roc), chance]))
    if plots.precision is not None:
        made.append(Plot("Precision-recall", "recall", "precision", [_line(of, plots.precision)]))
    if plots.froc is not None:
        made.append(_froc(plots.froc))
    if plots.calibration is not None:
        bins = plots.calibration.bins
        line = Line(
            of,
            [one.score for one in bins],
            [one.share for one in bins],
            [one.low for one in bins],
            [one.high for one in bins],
            dots=True,
        )
        right = Line("calibrated", (0, 1), (0, 1), quiet=True)
        made.append(Plot("Calibration", "mean score", "share of positives", [line, right]))
    if plots.counted or plots.histogram.unknown.any():
        made.append(_histogram(plots.histogram, plots.unit))
    return made


def _line(name: str, curve: Curve) -> Line:
    return Line(name, [float(x) for x in curve.x], [float(y) for y in curve.y])


def _froc(curve: FrocCurve) -> Plot:
    kept = curve.x <= _MOST_RATE
    name = f"{curve.lesions} lesions in {curve.images} images, {RULES[curve.rule]}"
    line = Line(name, [float(x) for x in curve.x[kept]], [float(y) for y in curve.y[kept]])
    ticks = (0, 1, 2, 4, 6, 8)
    return Plot("FROC", "false boxes per image", "lesions found", [line], x_ticks=ticks)


def _histogram(bars: Histogram, unit: str) -> Plot:
    """Return the counts as steps; the axis ends at the fullest bar."""
    lines = []
    for name, counts in (
        ("negative", bars.negative),
        ("positive", bars.positive),
        ("no truth", bars.unknown),
    ):
        if counts.any():
            steps_x = np.repeat(bars.edges, 2)[1:-1]
            steps_y = np.repeat(counts, 2)
            total = int(counts.sum())
            lines.append(Line(f"{name}, n = {total}", steps_x.tolist(), steps_y.astype(float).tolist()))
    most = max(int(max(own.max() for own in (bars.negative, bars.positive, bars.unknown))), 1)
    x_ticks = np.linspace(bars.edges[0], bars.edges[-1], 6).tolist()
    y_ticks = np.linspace(0, most, 5).tolist()
    return Plot("Scores by truth", "score", f"count ({unit})", lines, x_ticks=x_ticks, y_ticks=y_ticks)


def _readings(readings: Sequence[Reading]) -> list[str]:
    parts = []
    for reading in readings:
        parts.append(f"<h2>Blinded reading “{escape(reading.name)}”</h2>")
        rows = [
            (
                one.name,
                str(one.answered),
                f"{one.seconds:.0f} s",
                said_share(one.sensitivity),
                said_share(one.specificity),
                "–" if one.auc is None else f"{one.auc:.3f}",
                f"{said_share(one.model_sensitivity)}; {said_share(one.model_specificity)}; "
                f"AUC {'–' if one.model_auc is None else f'{one.model_auc:.3f}'}",
                f"{said_kappa(one.with_models)}, {one.with_models.n} images",
            )
            for one in reading.results
        ]
        header = ("reader", "images", "median time", "sensitivity", "specificity", "AUC",
                  "the model on the same images: sensitivity; specificity; AUC",
                  "Cohen's kappa of recall with the model")  # fmt: skip
        parts.append(_table(header, rows))
        for pair in reading.pairs:
            parts.append(
                f"<p>{escape(pair.one)} and {escape(pair.other)}, {pair.recall.n} images: "
                f"Cohen's kappa of recall {said_kappa(pair.recall)}, of the assessment (quadratic weights) "
                f"{said_kappa(pair.assessment)}.</p>"
            )
        if reading.fleiss is not None:
            parts.append(
                f"<p>All readers without the model, {reading.fleiss.n} images: Fleiss' kappa of recall "
                f"{said_kappa(reading.fleiss)}.</p>"
            )
    return parts


def _gallery(report: AuditReport) -> list[str]:
    if not report.gallery:
        return []
    if report.sheet.answers.model.boxes_from is None:
        key = "Truth: white, dashed. The model draws no boxes."
    else:
        key = (
            "Truth: white, solid where the model found it, dashed where it missed it. "
            "Model: amber, thick where it hits, thin and dotted where it points at nothing."
        )
    return [
        f"<h2>Gallery: {escape(report.gallery_words)}</h2>",
        f'<p class="key">{key}</p>',
        f'<div class="row">{"".join(_figure(report.sheet, one) for one in report.gallery)}</div>',
    ]


def _figure(sheet: Sheet, one: Exhibit) -> str:
    facts, score = sheet.table.rows[one.row], sheet.answers.score[one.row]
    shown = "no score" if np.isnan(score) else f"score {score:.3f}"
    caption = f"{facts.image_id} {facts.laterality}{facts.view}: {OUTCOMES[sheet.outcome[one.row]]}, {shown}"
    caption += f", label {facts.label}" if facts.label else ""
    for verdict in sheet.said.of.get(one.row, ()):
        word = " ".join((verdict.verdict, verdict.label)).strip()
        caption += f". {verdict.reader or 'unnamed'}: {word}{f' – {verdict.note}' if verdict.note else ''}"
    if one.png is None:
        return f"<figure><figcaption>{escape(caption)}. {escape(one.reason)}</figcaption></figure>"
    return f"<figure>{picture_svg(one)}<figcaption>{escape(caption)}</figcaption></figure>"


def picture_svg(one: Exhibit) -> str:
    """Return the picture with the boxes drawn above it, told apart by line as well as by colour."""
    assert one.png is not None
    rows, columns = one.shape
    boxes = []
    if one.matching is not None:
        for lesion in one.matching.lesions:
            if lesion.lesion.box is not None:
                dash = "" if lesion.state == "found" else ' stroke-dasharray="3 2"'
                boxes.append(_rectangle(one, lesion.lesion.box, f'stroke="#fff" stroke-width="0.6"{dash}'))
        for said in one.matching.boxes:
            line = (
                'stroke-width="1"'
                if said.state != "false"
                else 'stroke-width="0.5" stroke-dasharray="0.5 1.5"'
            )
            boxes.append(_rectangle(one, said.said.box, f'stroke="#f0a030" {line}'))
    data = b64encode(one.png).decode()
    height = 100 * rows / columns
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 {height:.3f}" role="img">'
        f'<image href="data:image/png;base64,{data}" width="100" height="{height:.3f}" '
        f'preserveAspectRatio="none"/>{"".join(boxes)}</svg>'
    )


def _rectangle(one: Exhibit, box: tuple[float, float, float, float], line: str) -> str:
    corners = np.array([[box[0], box[1], 1.0], [box[2], box[3], 1.0]]) @ one.affine.T
    (top, bottom), (left, right) = sorted(corners[:, 0]), sorted(corners[:, 1])
    height = 100 * one.shape[0] / one.shape[1]
    return (
        f'<rect x="{100 * left:.2f}" y="{height * top:.2f}" width="{100 * (right - left):.2f}" '
        f'height="{height * (bottom - top):.2f}" fill="none" {line}/>'
    )
