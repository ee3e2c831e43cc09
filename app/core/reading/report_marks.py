"""What the reader's marks tell a report: breast, size, depth, distance to the nipple, quadrant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, Literal

from app.core.imaging.image import Image
from app.core.imaging.millimetres import length
from app.core.reading.annotations import Annotation, Point
from app.core.reading.assessment import TOLERANCE_MM, Contradiction
from app.core.reading.lexicon import Lexicon, text_of
from app.core.reading.location import location
from app.core.reading.measure import centre, size
from app.core.reading.quadrant import Aside, aside, estimate
from app.core.reading.report import Breast, Report, ReportFinding, new_uid

SIZED: Final = ("length", "rectangle", "ellipse", "polygon", "finding")
"""Kinds of marks that have a size."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark with its image (completed facts) and the nipple on it, (row, col) of stored pixels or None."""

    annotation: Annotation
    image: Image
    nipple: Point | None = None


def with_nipples(annotations: Iterable[Annotation], images: Mapping[str, Image]) -> dict[str, Mark]:
    """Return marks by uid, each with its image and the nipple marked on it.

    Parameters
    ----------
    images
        Completed facts by the name that marks know them by (`app.core.reading.handles.identity`); marks on
        other images are left out, and those that say no to a model's finding.
    """
    every = tuple(annotations)
    nipples = {each.image: each.points[0] for each in reversed(every) if each.kind == "nipple"}
    return {
        each.uid: Mark(each, images[each.image], nipples.get(each.image))
        for each in every
        if each.kind != "nipple" and each.image in images and each.decision != "rejected"
    }


def extent_mm(mark: Mark) -> tuple[float, str] | None:
    """Return the largest extent of a mark in mm and its basis, None where it has none or no spacing."""
    annotation, spacing = mark.annotation, mark.image.spacing
    if annotation.kind not in SIZED or spacing is None:
        return None
    if annotation.kind == "length":
        start, end = annotation.points
        longest = length(start, end, spacing)
    elif annotation.kind == "polygon":
        pairs = combinations(annotation.points, 2)
        longest = max((length(a, b, spacing) for a, b in pairs), key=lambda each: each.value)
    else:
        longest = size(annotation.points, spacing)[0]
    return longest.value, longest.basis


def measured(report: Report, marks: Mapping[str, Mark]) -> dict[str, float | None]:
    """Return what the marks that sizes were taken from measure now, in mm; None where one is gone."""
    found: dict[str, float | None] = {}
    for uid in {finding.size_of for finding in report.findings if finding.size_of}:
        extent = extent_mm(marks[uid]) if uid in marks else None
        found[uid] = extent[0] if extent else None
    return found


def drifted(report: Report, lexicon: Lexicon, marks: Mapping[str, Mark]) -> tuple[Contradiction, ...]:
    """Return where findings say other than their marks do by now; what was written by hand is left alone."""
    found = []
    for number, finding in enumerate(report.findings, start=1):
        mine = [marks[uid] for uid in finding.marks if uid in marks]
        sides = {mark.image.laterality for mark in mine} & {"R", "L"}
        if finding.laterality and sides - {finding.laterality}:
            sentence = f"Finding {number} has a mark in the other breast."
            found.append(Contradiction("other-breast", sentence))
        now = reread(finding, marks)
        was, then = finding.nipple_mm, now.nipple_mm
        if was is not None and then is not None and abs(was - then) > TOLERANCE_MM:
            sentence = (
                f"Finding {number} says {was:.0f} mm from the nipple; its mark is now {then:.0f} mm from it."
            )
            found.append(Contradiction("nipple-differs", sentence))
        # An image that is not decoded yet may not know which way up it is.
        is_known = all(mark.image.orientation for mark in mine)
        if is_known and (now.region, now.clock) != (finding.region, finding.clock):
            words = text_of(lexicon.regions, now.region)
            words += f", {now.clock} o'clock" if now.clock is not None else ""
            found.append(Contradiction("place-differs", f"Finding {number}: its marks now say {words}."))
    return tuple(found)


def reread(finding: ReportFinding, marks: Mapping[str, Mark]) -> ReportFinding:
    """Return a finding with what its marks tell now, in place of what they told; the reader's own stays."""
    mine = [marks[uid] for uid in finding.marks if uid in marks]
    extent = extent_mm(marks[finding.size_of]) if finding.size_of in marks else None
    if extent is not None:
        finding = replace(finding, size_mm=round(extent[0], 1), size_basis=extent[1])
    places = [location(mark.annotation, mark.image, mark.nipple) for mark in mine]
    nipple = next((place.nipple for place in places if place.nipple and place.nipple.unit == "mm"), None)
    if finding.nipple_basis and nipple is not None:
        finding = replace(finding, nipple_mm=round(nipple.value, 1), nipple_basis=nipple.basis)
    return _located(finding, mine) if finding.estimated else finding


def finding_of(mark: Mark, lexicon: Lexicon) -> ReportFinding:
    """Return a new finding with all that a mark tells."""
    side = mark.image.laterality
    breast: Breast = side if side in ("R", "L") else ""
    empty = ReportFinding(new_uid(), laterality=breast, kind=_kind(mark.annotation, lexicon))
    return linked(empty, mark, {})


def linked(finding: ReportFinding, mark: Mark, marks: Mapping[str, Mark]) -> ReportFinding:
    """Return a finding with one more mark; what the reader wrote stays, what was open is filled.

    A mark of the other view makes quadrant and clock face, unless the reader had set them.

    Parameters
    ----------
    marks
        All marks by uid, among them those of the finding.
    """
    if mark.annotation.uid in finding.marks:
        return finding
    extent, place = extent_mm(mark), location(mark.annotation, mark.image, mark.nipple)
    if finding.size_mm is None and extent is not None:
        made = (round(extent[0], 1), extent[1], mark.annotation.uid)
        finding = replace(finding, size_mm=made[0], size_basis=made[1], size_of=made[2])
    if not finding.depth and place.third is not None:
        finding = replace(finding, depth=place.third)
    if finding.nipple_mm is None and place.nipple is not None and place.nipple.unit == "mm":
        finding = replace(finding, nipple_mm=round(place.nipple.value, 1), nipple_basis=place.nipple.basis)
    finding = replace(finding, marks=(*finding.marks, mark.annotation.uid))
    others = [marks[uid] for uid in finding.marks if uid in marks and uid != mark.annotation.uid]
    return _located(finding, [*others, mark])


def _located(finding: ReportFinding, marks: list[Mark]) -> ReportFinding:
    """Return a finding with quadrant and hour from the first pair of views, else what one view tells."""
    is_open = finding.estimated or not (finding.region or finding.clock)
    if not is_open or finding.laterality not in ("R", "L"):
        return finding
    sides = [_aside(mark) for mark in marks if mark.image.laterality == finding.laterality]
    across = next((side for side in sides if side is not None and side.axis == "outward"), None)
    along = next((side for side in sides if side is not None and side.axis == "upward"), None)
    breast: Literal["R", "L"] = "R" if finding.laterality == "R" else "L"
    found = estimate(across, along, breast) if across and along else None
    if found is not None:
        return replace(finding, region=found.region, clock=found.clock, estimated=True)
    one = across or along
    return finding if one is None else replace(finding, region=one.half, clock=None, estimated=True)


def _aside(mark: Mark) -> Aside | None:
    if mark.nipple is None:
        return None
    return aside(centre(mark.annotation), mark.nipple, mark.image)


def _kind(annotation: Annotation, lexicon: Lexicon) -> str:
    """Return the kind of finding that a mark's words name, else the lexicon's first."""
    words = f"{annotation.text} {annotation.proposal.label if annotation.proposal else ''}".lower()
    for start, kind in (("calc", "calcifications"), ("distort", "distortion"), ("asymm", "asymmetry")):
        if start in words and lexicon.kind(kind) is not None:
            return kind
    return lexicon.kinds[0].code
