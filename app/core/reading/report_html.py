"""A report as HTML: one self-contained page that asks for nothing from a network.

Every text is escaped. The body alone is in the few tags that a Qt text document knows, so that the PDF
is made from the same words.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from app.core.reading.lexicon import Lexicon
from app.core.reading.report import Report
from app.core.reading.report_text import RESEARCH, Heading, sections, signed

STYLE: Final = """
body { font: 15px/1.5 "Noto Sans", "Segoe UI", "Helvetica Neue", sans-serif; color: #1a1a1a;
  background: #fff; max-width: 46rem; margin: 2rem auto; padding: 0 1.5rem; }
header { border-bottom: 1px solid #999; padding-bottom: .75rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
h2 { font-size: .85rem; margin: 1.2rem 0 .2rem; color: #555; }
p { margin: 0 0 .3rem; }
p.strong { font-weight: 600; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; margin: 0; }
dt { color: #555; } dd { margin: 0; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin-top: .5rem; }
figure { margin: 0; break-inside: avoid; }
figure img { width: 100%; background: #000; }
figcaption, footer { color: #555; font-size: .85rem; }
footer { border-top: 1px solid #999; margin-top: 2rem; padding-top: .5rem; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } }
"""


@dataclass(frozen=True, slots=True)
class KeyPicture:
    """A key image as PNG bytes, with what stands below it."""

    caption: str
    png: bytes


def body(report: Report, lexicon: Lexicon) -> str:
    """Return the sections as headings and paragraphs."""
    parts = []
    for section in sections(report, lexicon):
        kind = ' class="strong"' if section.strong else ""
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p{kind}>{escape(line)}</p>" for line in section.lines]
    parts.append(f'<p class="signed">{escape(signed(report))}</p>')
    return "\n".join(parts)


def page(report: Report, lexicon: Lexicon, heading: Heading, pictures: Iterable[KeyPicture] = ()) -> str:
    """Return the whole page; key images are within it."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in heading.rows)
    figures = "".join(
        f'<figure><img src="data:image/png;base64,{b64encode(each.png).decode("ascii")}" '
        f'alt="{escape(each.caption)}"><figcaption>{escape(each.caption)}</figcaption></figure>'
        for each in pictures
    )
    images = f'<h2>Key images</h2>\n<div class="pictures">{figures}</div>' if figures else ""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>Mammography report</title>
<style>{STYLE}</style>
</head>
<body>
<header><h1>Mammography report</h1><dl>{rows}</dl></header>
<main>
{body(report, lexicon)}
{images}
</main>
<footer>{escape(RESEARCH)} Made with Mammoview.</footer>
</body>
</html>
"""
