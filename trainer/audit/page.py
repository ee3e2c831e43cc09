"""``report/index.html``: the audit as one page that needs no network, no script and no other file."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from app.core.files import write_text
from app.core.manifest import Manifest, Row
from app.core.plot import Line, Plot, svg
from trainer.audit.balance import age_of
from trainer.audit.bars import stacked_bars
from trainer.audit.facts import BINS
from trainer.audit.run import Audit, Looked
from trainer.audit.sheets import Pictures, Sheet, sheets
from trainer.errors import TrainerError

_STYLE = """
body { font: 15px/1.5 sans-serif; color: #222; background: #f6f6f4; max-width: 1180px; margin: 24px auto;
  padding: 0 24px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 8px; }
h3 { font-size: 14px; margin: 16px 0 4px; color: #555; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 16px;
  align-items: start; }
.plots svg { width: 100%; height: auto; border: 1px solid #ddd; }
.row { display: flex; gap: 8px; flex-wrap: wrap; background: #111; padding: 8px; }
figure { margin: 0; } figcaption { font-size: 11px; color: #bbb; max-width: 140px; overflow-wrap: anywhere; }
table { border-collapse: collapse; background: #fff; } td, th { padding: 4px 12px; border: 1px solid #ddd;
  text-align: left; font-size: 13px; }
td.n { text-align: right; }
ul { margin: 4px 0; padding-left: 20px; } li { overflow-wrap: anywhere; }
.stop { background: #fbe4e0; border-left: 4px solid #b3261e; padding: 8px 16px; }
.warn { background: #fff3d6; border-left: 4px solid #c98a00; padding: 8px 16px; }
.fine { background: #e5f1e8; border-left: 4px solid #2b8a57; padding: 8px 16px; }
.quiet { color: #666; font-size: 13px; } .hidden { position: absolute; }
"""
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
_LISTED = 50


def _list(sentences: Sequence[str]) -> str:
    shown = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences[:_LISTED])
    more = len(sentences) - _LISTED
    rest = f'<p class="quiet">and {more} more, all in audit.json</p>' if more > 0 else ""
    return f"<ul>{shown}</ul>{rest}"


def _block(kind: str, title: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    return f'<div class="{kind}"><h3>{escape(title)} ({len(sentences)})</h3>{_list(sentences)}</div>'


def _alike(found: Audit) -> list[str]:
    return [
        f"{one.images[0]} and {one.images[1]}, likeness {one.likeness:.2f}"
        + (", same patient" if one.same_patient else ", two patients")
        + (f", in {one.parts[0]}" if one.parts else "")
        for one in found.alike
    ]


def _findings(found: Audit) -> str:
    twins = [", ".join(group) for group in found.twins]
    mixed = (
        [f"{found.mixed_breasts} breasts have views with different labels (often right: seen in one view)"]
        if found.mixed_breasts
        else []
    )
    parts = [
        _block("stop", "Leaks: a patient, or identical pixels, in two parts", found.leaks),
        _block("stop", "Unreadable files", found.unreadable),
        _block("warn", "What goes together with the label and should not", found.warnings),
        _block("warn", "What every report must say", found.caveats),
        _block("warn", "Identical pixels, mirrored and turned too", twins),
        _block("warn", f"Perceptual twins, {found.alike_total} in all", _alike(found)),
        _block("warn", "Contradicting labels", [*found.conflicts, *mixed]),
        _block("warn", "Pictures that show nothing or are not as indexed", found.junk),
        _block("warn", "Side or orientation contradicted by file or pixels", found.sides),
    ]
    if found.unassigned:
        parts.append(
            _block("warn", "Patients", [f"{found.unassigned} patients stand in no part of the splits"])
        )
    return "\n".join(parts) if any(parts) else '<div class="fine">Nothing to complain of was found.</div>'


def _ticks(high: float) -> tuple[float, ...]:
    step = 10 ** np.floor(np.log10(max(high, 1e-6)))
    step = step / 5 if high / step < 2 else step / 2 if high / step < 4 else step
    return tuple(round(step * k, 8) for k in range(int(np.ceil(high / step)) + 1))


def _grey(looked: Looked, labels: Sequence[str]) -> str:
    names = sorted(set(labels))
    shares = [
        looked.facts["grey"][np.array([label == name for label in labels])].mean(axis=0) for name in names
    ]
    x = [(k + 0.5) / BINS for k in range(1, BINS)]
    top = max((float(share[1:].max()) for share in shares), default=0) or 1.0
    lines = [Line(name, x, [float(v) for v in share[1:]]) for name, share in zip(names, shares, strict=True)]
    return svg(Plot("Grey values by label (black left out)", "P-value, 0 to 1", "share of pixels", lines,
                    y_ticks=_ticks(top)))  # fmt: skip


def _scatter(looked: Looked, labels: Sequence[str]) -> str:
    generator = np.random.default_rng(0)
    lines = []
    for name in sorted(set(labels)):
        own = np.flatnonzero([label == name for label in labels])
        some = generator.permutation(own)[:200]
        mean, std = (looked.facts[key][some].tolist() for key in ("mean", "std"))
        lines.append(Line(name, mean, std, dots=True))
    high = float(looked.facts["std"].max()) or 1.0
    return svg(Plot("Mean and spread of grey values", "mean P-value", "standard deviation", lines,
                    y_ticks=_ticks(high)))  # fmt: skip


def _ages(rows: Sequence[Row]) -> str:
    ages: dict[str, list[float]] = {}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        age = age_of(row)
        if age is not None and (row.patient_id, row.label) not in seen:
            seen.add((row.patient_id, row.label))
            ages.setdefault(row.label, []).append(age)
    if not ages:
        return ""
    x = [float(low + 2.5) for low in range(20, 100, 5)]
    lines, top = [], 0.0
    for name in sorted(ages):
        counts = np.histogram(ages[name], bins=np.arange(20, 105, 5))[0] / len(ages[name])
        top = max(top, float(counts.max()))
        middle = statistics.median(ages[name])
        lines.append(Line(f"{name}, median {middle:g}", x, [float(value) for value in counts]))
    return svg(Plot("Age of patients by label", "years", "share of patients", lines,
                    x_ticks=(20, 40, 60, 80, 100), y_ticks=_ticks(top or 1.0)))  # fmt: skip


def _sizes(rows: Sequence[Row]) -> str:
    sides: dict[str, list[float]] = {}
    for row in rows:
        for lesion in row.findings:
            if lesion.box is not None:
                row0, col0, row1, col1 = lesion.box
                side = max((row1 - row0) / row.rows, (col1 - col0) / row.columns)
                sides.setdefault(lesion.pathology or lesion.label, []).append(side)
    if not sides:
        return ""
    often = sorted(sides, key=lambda name: -len(sides[name]))[:4]
    lines, top, edges = [], 0.0, np.linspace(0, 1, 21)
    for name in often:
        counts = np.histogram(sides[name], bins=edges)[0] / len(sides[name])
        top = max(top, float(counts.max()))
        lines.append(Line(f"{name} ({len(sides[name])})", (edges[:-1] + 0.025).tolist(), counts.tolist()))
    return svg(Plot("Longer side of the boxes", "share of the image's side", "share of lesions", lines,
                    y_ticks=_ticks(top or 1.0)))  # fmt: skip


def _plots(looked: Looked, rows: Sequence[Row]) -> str:
    labels = [row.label for row in rows]
    counts = {label: {label: labels.count(label)} for label in sorted(set(labels))}
    for label in counts:
        counts[label] = {name: counts[label].get(name, 0) for name in counts}
    made = [stacked_bars("Images by label", counts)]
    for table in looked.audit.tables:
        title = f"Label by {table.name}"
        title += "" if table.association is None else f" (Cramér's V {table.association:.2f})"
        made.append(stacked_bars(title, table.counts))
    made += [_ages(rows), _grey(looked, labels), _scatter(looked, labels), _sizes(rows)]
    return '<div class="plots">' + "\n".join(one for one in made if one) + "</div>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(word)}</th>" for word in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _probes(found: Audit) -> str:
    if not found.probes:
        return '<p class="quiet">Too few patients with and without any label to ask.</p>'
    rows = [
        (one.label, one.of, f"{one.auc:.2f} [{one.low:.2f} to {one.high:.2f}]",
         "beyond chance" if one.beyond_chance else "not beyond chance")
        for one in found.probes
    ]  # fmt: skip
    return _table(("label against the rest", "told by", "AUC", ""), rows) + (
        '<p class="quiet">A logistic regression on statistics that hold no anatomy, out of fold with '
        "patients kept together; intervals draw patients, 95 % for all rows together.</p>"
    )


def _sheet(sheet: Sheet, pictures: Pictures) -> str:
    parts = [f"<h2>{escape(sheet.title)}</h2>", f'<p class="quiet">{escape(sheet.about)}</p>']
    for caption, numbers in sheet.groups:
        shown = "".join(pictures.figure(number) for number in numbers)
        parts.append(f'<h3>{escape(caption)}</h3><div class="row">{shown}</div>')
    return "\n".join(parts)


def page(looked: Looked, manifest: Manifest) -> str:
    """Return the whole page as HTML. Image ids are shown, names never."""
    found, pictures = looked.audit, Pictures(manifest.rows)
    samples = "\n".join(_sheet(sheet, pictures) for sheet in sheets(looked, manifest.rows))
    depths = _table(("photometric and bits", "images"), ((k, str(v)) for k, v in found.depths.items()))
    return "\n".join([
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>Audit of {escape(manifest.path.name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>Audit of {escape(manifest.path.name)}</h1>",
        f'<p class="quiet">{found.images} images of {found.patients} patients; '
        f"manifest {manifest.sha256[:16]}</p>",
        _findings(found),
        "<h2>Balance</h2>", _plots(looked, manifest.rows),
        "<h2>Confounder probe</h2>", _probes(found),
        "<h2>Bit depth</h2>", depths,
        pictures.symbols(), samples, "</body></html>\n",
    ])  # fmt: skip


def write_page(looked: Looked, manifest: Manifest, folder: Path) -> None:
    """Write index.html into a report folder, whole or not at all; raises TrainerError."""
    try:
        write_text(folder / "index.html", page(looked, manifest))
    except OSError as error:
        raise TrainerError(f"{folder}: the report cannot be written ({error.strerror})") from error
