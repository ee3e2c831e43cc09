"""A synthetic four-view screening exam with exact ground truth."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from app.core.phantom import lesion_shapes
from app.core.phantom.anatomy import FIELD_MM, Breast, Density, Side, ViewName, ViewShape, draw_breast
from app.core.phantom.detector import expose
from app.core.phantom.lesion_shapes import overlap
from app.core.phantom.lesions import KINDS, Kind, Lesion, draw_lesion
from app.core.phantom.positioning import reposition
from app.core.phantom.subject import Subject, draw_subject, earlier
from app.core.phantom.texture import stream
from app.core.phantom.tissue import make_tissue

VIEWS: tuple[tuple[Side, ViewName], ...] = (("R", "CC"), ("L", "CC"), ("R", "MLO"), ("L", "MLO"))
LesionChoice = Literal["none", "mass", "calc", "asymmetry", "any"] | Sequence[Lesion | Kind] | None
CANONICAL: dict[tuple[str, str], tuple[str, str]] = {
    ("R", "CC"): ("P", "L"),
    ("L", "CC"): ("A", "R"),
    ("R", "MLO"): ("P", "FL"),
    ("L", "MLO"): ("A", "FR"),
}
"""Patient Orientation (row direction, column direction) of the hung views."""
_WORK_MM = 0.21


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A lesion as one view shows it.

    Attributes
    ----------
    kind, label
        As of `Lesion`.
    box
        (row0, col0, row1, col1) in the view's pixels, edges at pixel corners, half-open: the tight
        bounds of the mask.
    mask
        Read-only bool, of the view's shape.
    lesion
        Index into the exam's `lesions`: the same number in CC and MLO.
    """

    kind: Kind
    label: str
    box: tuple[float, float, float, float]
    mask: npt.NDArray[np.bool_]
    lesion: int


@dataclass(frozen=True, slots=True, eq=False)
class PhantomView:
    """One synthetic mammogram, hung canonically (right breast on the right edge, chest walls touching).

    Attributes
    ----------
    pixels
        Read-only uint16, higher = denser, as For Presentation: 1..4095 in the breast, 0 outside (padding).
    spacing_mm
        Between pixel centres, the same in both directions, at the breast.
    orientation
        Patient Orientation of `pixels`: row direction, column direction.
    nipple
        (row, column) of the nipple's base, continuous.
    angle
        Positioner angle, degrees.
    subject
        The invented patient and date.
    """

    side: Side
    view: ViewName
    pixels: npt.NDArray[np.uint16]
    spacing_mm: float
    orientation: tuple[str, str]
    nipple: tuple[float, float]
    angle: float
    truth: tuple[Truth, ...]
    subject: Subject

    @property
    def label(self) -> str:
        """Laterality and view as written on an image: ``RMLO``."""
        return f"{self.side}{self.view}"


@dataclass(frozen=True, slots=True, eq=False)
class PhantomExam:
    """Four views of one synthetic patient.

    Attributes
    ----------
    seed, density
        What it was drawn from; BI-RADS density class a to d.
    views
        RCC, LCC, RMLO, LMLO.
    lesions
        In both breasts; `Truth.lesion` counts in it.
    subject
        The invented patient and the date of the exam.
    prior
        The same breasts without lesions, positioned anew, two years earlier; None if not asked for.
    """

    seed: int
    density: Density
    views: tuple[PhantomView, ...]
    lesions: tuple[Lesion, ...]
    subject: Subject
    prior: PhantomExam | None = None


def choose_lesions(seed: int, breasts: dict[Side, Breast], choice: LesionChoice) -> tuple[Lesion, ...]:
    """Return the lesions of an exam; None draws none in half of the exams, else one or two."""
    rng = stream("lesions", seed)
    kinds: Sequence[Lesion | Kind]
    if choice is None:
        kinds = [KINDS[int(k)] for k in rng.integers(0, 3, rng.choice((0, 1, 2), p=(0.5, 0.35, 0.15)))]
    elif choice == "none":
        kinds = ()
    elif choice == "any":
        kinds = (KINDS[int(rng.integers(3))],)
    elif isinstance(choice, str):
        kinds = [kind for kind in KINDS if kind == choice]
        if not kinds:
            raise ValueError(f"{choice!r} is no kind of lesion: none, any, {', '.join(KINDS)}")
    else:
        kinds = choice
    found: list[Lesion] = []
    for kind in kinds:
        side: Side = "R" if rng.random() < 0.5 else "L"
        found.append(kind if isinstance(kind, Lesion) else draw_lesion(rng, breasts[side], kind))
    return tuple(found)


def make_exam(
    seed: int,
    *,
    shape: tuple[int, int] = (3328, 2560),
    density: Density | None = None,
    lesions: LesionChoice = None,
    prior: bool = False,
    calc_scale: float = 1.0,
    views: Sequence[tuple[Side, ViewName]] = VIEWS,
) -> PhantomExam:
    """Return a synthetic screening exam; the same arguments give the same pixels.

    Parameters
    ----------
    seed
        0 or more. Left and right of one seed resemble each other; sizes, texture and places do not
        depend on `shape`.
    shape
        (rows, columns) of each view. The field is always 233 mm x 179 mm or more, so fewer pixels mean
        larger ones: lesions keep their size in mm.
    density
        BI-RADS class a to d; None draws it (10, 40, 40, 10 %).
    lesions
        ``none``; one ``mass``, ``calc``, ``asymmetry`` or ``any``; a list of kinds or of `Lesion`; None
        draws (half of the exams are normal).
    prior
        Also make the exam two years earlier.
    calc_scale
        Multiplies the size of calcifications (they vanish at small sizes, honestly).
    views
        Which views to make, in order.

    Raises
    ------
    ValueError
        For an unknown kind of lesion, or a lesion given at a place outside of the breast.
    """
    rng = stream("exam", seed)
    classes: tuple[Density, ...] = ("a", "b", "c", "d")
    drawn = classes[int(rng.choice(4, p=(0.1, 0.4, 0.4, 0.1)))]
    chosen = density or drawn
    breasts: dict[Side, Breast] = {side: draw_breast(seed, side, chosen) for side in ("R", "L")}
    found = choose_lesions(seed, breasts, lesions)
    key = hashlib.sha256(repr((seed, shape, chosen, found, calc_scale)).encode()).hexdigest()[:8]
    now = draw_subject(seed, key)
    current = _exam(now, breasts, found, shape, calc_scale, views)
    if not prior:
        return current
    return replace(current, prior=_exam(earlier(now), breasts, (), shape, calc_scale, views))


def _exam(
    subject: Subject,
    breasts: dict[Side, Breast],
    found: tuple[Lesion, ...],
    shape: tuple[int, int],
    calc_scale: float,
    views: Sequence[tuple[Side, ViewName]],
) -> PhantomExam:
    made = []
    for side, name in views:
        breast = breasts[side]
        form = breast.views[0] if name == "CC" else breast.views[1]
        own = [(index, lesion) for index, lesion in enumerate(found) if lesion.side == side]
        made.append(_view(subject, breast, form, own, shape, calc_scale))
    return PhantomExam(subject.seed, breasts["L"].density, tuple(made), found, subject)


def _view(
    subject: Subject,
    breast: Breast,
    form: ViewShape,
    own: list[tuple[int, Lesion]],
    shape: tuple[int, int],
    calc_scale: float,
) -> PhantomView:
    """Return one view: tissue on a working grid, then everything sharp at the view's own pixels."""
    seed, is_prior = subject.seed, subject.is_prior
    rows, columns = shape
    spacing = max(FIELD_MM[0] / rows, FIELD_MM[1] / columns)
    times = max(1, round(_WORK_MM / spacing))
    used = min(columns, int((form.outline[:, 0].max() + 9) / spacing))
    work = (-(-rows // times), -(-used // times))
    tissue = make_tissue(breast, form, seed, *work, spacing * times)
    nipple = form.nipple
    if is_prior:
        tissue, nipple = reposition(tissue, nipple, (seed, form.side, form.view))
    drawn = [(index, lesion, lesion_shapes.draw(lesion, form, spacing, calc_scale)) for index, lesion in own]
    pixels = np.zeros(shape, np.uint16)
    pixels[:, :used] = expose(
        tissue,
        [lesion for _, _, lesion in drawn],
        form,
        (rows, used),
        spacing,
        stream("noise", seed, form.side, form.view, "prior" if is_prior else "current"),
        seed,
    )
    truth = tuple(_truth(index, lesion, mark, pixels > 0) for index, lesion, mark in drawn)
    view = PhantomView(
        form.side,
        form.view,
        pixels,
        spacing,
        CANONICAL["L", form.view],
        (nipple[1] / spacing - 0.5, nipple[0] / spacing - 0.5),
        form.angle,
        truth,
        subject,
    )
    return _freeze(view if form.side == "L" else _mirror(view))


def _truth(index: int, lesion: Lesion, mark: lesion_shapes.Drawn, breast: npt.NDArray[np.bool_]) -> Truth:
    mask = np.zeros(breast.shape, np.bool_)
    target, source = overlap(mark.corner, mark.mask.shape, breast.shape)
    mask[target] = mark.mask[source]
    mask &= breast
    if not mask.any():
        raise ValueError(f"the {lesion.label} lies outside of the {lesion.side} breast")
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = (float(rows[0]), float(columns[0]), float(rows[-1] + 1), float(columns[-1] + 1))
    return Truth(lesion.kind, lesion.label, box, mask, index)


def _mirror(view: PhantomView) -> PhantomView:
    """Return a left view turned into the right one: flipped across columns, letters and truth with it."""
    columns = view.pixels.shape[1]
    truth = tuple(
        replace(
            mark,
            mask=np.ascontiguousarray(mark.mask[:, ::-1]),
            box=(mark.box[0], columns - mark.box[3], mark.box[2], columns - mark.box[1]),
        )
        for mark in view.truth
    )
    return replace(
        view,
        pixels=np.ascontiguousarray(view.pixels[:, ::-1]),
        orientation=CANONICAL["R", view.view],
        nipple=(view.nipple[0], columns - 1 - view.nipple[1]),
        truth=truth,
    )


def _freeze(view: PhantomView) -> PhantomView:
    view.pixels.flags.writeable = False
    for mark in view.truth:
        mark.mask.flags.writeable = False
    return view
