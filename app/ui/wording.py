"""How facts are written for the reader: names, dates, windows, states. Pure functions, no Qt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from app.core.imaging.greyscale import reach
from app.core.imaging.image import Image, PatientFacts, Study, Voi, Window
from app.core.reading.findings import SecondLook
from app.services.state import WindowState

RESEARCH: Final = "Research use only"
UNSAVED: Final = "Marks are not being saved"
MAPS: Final = {
    "signed": "class activation map",
    "hirescam": "class activation map (HiResCAM)",
    "gradcam": "gradient map (Grad-CAM)",
    "detector": "map of what a box there would score",
}
"""What the reader calls the methods of heat maps."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: Final = {"Y": "y", "M": "months", "W": "weeks", "D": "days"}


def person(facts: PatientFacts) -> str:
    """Return the name as written in lists, ``Doe, Jane``, from ``Doe^Jane`` (PS3.5 6.2.1)."""
    alphabetic = facts.name.split("=")[0]
    family, *given = [part.strip() for part in alphabetic.split("^")]
    rest = " ".join(part for part in given[:2] if part)
    return ", ".join(part for part in (family, rest) if part) or "No name"


def of_nobody(study: Study) -> bool:
    """Tell whether a study is loose pictures: no person's name or id, only files of a folder."""
    return not (study.patient.name or study.patient.id) and all(i.kind == "raster" for i in study.images)


def day(value: date | datetime | None) -> str:
    """Return ``3 Nov 2026``, or ``no date``."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}" if value else "no date"


def moment(value: datetime | None) -> str:
    """Return date and time, ``3 Nov 2026 10:41``; the date alone at midnight sharp (no time known)."""
    if value is None:
        return "no date"
    clock = f" {value.hour:02}:{value.minute:02}" if (value.hour or value.minute or value.second) else ""
    return day(value) + clock


def age(text: str) -> str:
    """Return ``61 y`` from an Age String ``061Y`` (PS3.5 6.2), any other text as it is."""
    number, unit = text[:-1], text[-1:]
    if number.isdigit() and unit in _UNITS:
        return f"{int(number)} {_UNITS[unit]}"
    return text


def label(image: Image) -> str:
    """Return the view label, or the file's name where laterality and view are not known."""
    return image.label or image.path.name


def voi_shape(voi: Voi) -> str:
    """Return ``linear``, ``linear exact``, ``sigmoid`` or ``LUT``."""
    return voi.function.lower().replace("_", " ") if isinstance(voi, Window) else "LUT"


def window_text(voi: Voi, state: WindowState) -> str:
    """Return centre and width as they stand after the reader's drag, in modality units."""
    centre, width = reach(voi, state.shift, state.stretch)
    return f"C {centre:.0f}  W {width:.0f}"


def spacing_text(image: Image) -> str:
    """Return ``0.094 mm at detector``, or ``pixels, no millimetres``."""
    if image.spacing is None:
        return "pixels, no millimetres"
    row, col = image.spacing.row_mm, image.spacing.col_mm
    size = f"{row:.3g}" if abs(row - col) < 1e-6 * row else f"{row:.3g} × {col:.3g}"
    return f"{size} mm {image.spacing.label}"


def percentile(score: float, negatives: tuple[float, ...]) -> float | None:
    """Return the share of negatives that score lower, 0..100, or None where none are known."""
    if not negatives:
        return None
    return 100.0 * sum(value < score for value in negatives) / len(negatives)


def headline(look: SecondLook, threshold: float = 0.0) -> str:
    """Return the state of one second look as one line.

    Parameters
    ----------
    threshold
        The reader's: findings with lower scores are not shown, and that is said.
    """
    done, total = look.progress
    words = {
        "not run": "Not run",
        "running": f"Running, view {min(done + 1, total)} of {total}" if total else "Running",
        "no findings": "No findings",
        "answered": "Answered",
        "findings": "Findings",
        "partly failed": "Partly failed",
        "failed": "Failed",
        "declined": "Declined",
        "outside its training domain": "Outside its training domain",
    }[look.state]
    scored = sum(view.status == "scored" for view in look.views)
    if look.state == "no findings" and scored < len(look.views):
        return f"No findings in {scored} of {len(look.views)} views"
    if look.state == "declined" and scored:
        rest = "" if look.exam_score is not None else ", no exam score"
        return f"Declined in part: {scored} of {len(look.views)} views scored{rest}"
    if look.state not in ("findings", "partly failed", "outside its training domain"):
        return words
    parts = [] if look.state == "findings" else [words]
    if look.findings:
        parts.append(_counted(len(look.findings), "finding"))
    hidden = sum(finding.score < threshold for finding in look.findings)
    if hidden:
        parts.append(f"{hidden} below your threshold not shown")
    if look.above is not None:
        parts.append(f"score {'above' if look.above else 'below'} the operating point")
        if look.above and not look.findings:
            parts.append("no place marked")
    line = ", ".join(parts) or words
    return line[0].upper() + line[1:]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def short_state(looks: tuple[SecondLook, ...]) -> str:
    """Return the AI state of the top bar: the most pressing one of the reading set."""
    states = [look.state for look in looks]
    for state, text in (
        ("running", "AI running"),
        ("failed", "AI failed"),
        ("partly failed", "AI partly failed"),
        ("findings", "AI findings"),
        ("outside its training domain", "AI outside domain"),
        ("declined", "AI declined"),
        ("no findings", "AI no findings"),
        ("answered", "AI answered"),
    ):
        if state in states:
            return text
    return "AI off"
