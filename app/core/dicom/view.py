"""Which projection: View Code Sequence with its nested modifiers, View Position, then the description.

PS3.3 C.8.11.7.1.1 and C.8.21.3: View Code Sequence (0054,0220), with View Modifier Code Sequence
(0054,0222) inside its item; codes of CID 4014 and 4015. Partial views: C.8.11.7, CID 4005.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydicom.dataset import Dataset

from app.core.dicom.codes import MODIFIERS, SECTIONS, VIEWS, code_value, meaning
from app.core.dicom.elements import items, text, texts, walk
from app.core.dicom.laterality import read_laterality
from app.core.dicom.naming import Named, parse
from app.core.imaging.image import Note


@dataclass(frozen=True, slots=True)
class View:
    """The projection of one image; fields as in `Image`."""

    view: str | None = None
    modifiers: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()


def read_view(ds: Dataset) -> View:
    """Return view, modifiers and partial view sections.

    Notes
    -----
    Codes: ``view-conflict`` (View Position contradicts the code, the code is kept), ``view-inferred``
    (from a description or from Patient Orientation), ``view-unknown``, ``modifier-unknown``,
    ``modifier-inferred`` (from a description).
    """
    partial = _partial(ds)
    coded, modifiers, notes = _coded(ds)
    position = parse(text(ds, "ViewPosition"))
    if coded:
        if position.view and position.view != coded and not position.modifiers:
            words = f"The view code says {coded}, View Position {position.view}: {coded} is shown."
            notes = (*notes, Note("view-conflict", words, "warning"))
        return _with_worded_modifiers(ds, View(coded, modifiers, partial, notes))
    if position.view or position.modifiers:
        found = tuple(dict.fromkeys((*modifiers, *position.modifiers)))
        return _with_worded_modifiers(ds, View(position.view, found, partial, notes))
    source, named = _worded(ds)
    if named.view:
        words = f"The view ({named.view}) was taken from the {source}."
        found = tuple(dict.fromkeys((*modifiers, *named.modifiers)))
        return View(named.view, found, partial, (*notes, Note("view-inferred", words, "inferred")))
    unknown = Note("view-unknown", "The file does not say which view it shows.", "warning")
    return View(None, modifiers, partial, (*notes, unknown))


def _with_worded_modifiers(ds: Dataset, stated: View) -> View:
    """Return a view that states no modifier with those of a description that names the same view."""
    source, named = _worded(ds)
    if stated.modifiers or not named.modifiers or named.view != stated.view:
        return stated
    words = f"The view modifiers ({', '.join(named.modifiers)}) were taken from the {source}."
    note = Note("modifier-inferred", words, "inferred")
    return replace(stated, modifiers=named.modifiers, notes=(*stated.notes, note))


def _coded(ds: Dataset) -> tuple[str | None, tuple[str, ...], tuple[Note, ...]]:
    view_items = items(ds, "ViewCodeSequence")
    if not view_items:
        view_items = list(
            walk(ds, "SharedFunctionalGroupsSequence", "FrameAnatomySequence", "ViewCodeSequence")
        )
    view: str | None = None
    found: list[str] = []
    notes: list[Note] = []
    for item in view_items:
        view = view or VIEWS.get(code_value(item))
        if code_value(item) not in VIEWS:
            notes.append(
                Note("view-unknown-code", f"The view code '{meaning(item)}' is not known.", "warning")
            )
        # Nested in MG and BTO; some older writers put the modifiers beside the view.
        for modifier in items(item, "ViewModifierCodeSequence"):
            found.append(_modifier(modifier, notes))
    for modifier in items(ds, "ViewModifierCodeSequence"):
        found.append(_modifier(modifier, notes))
    return view, tuple(code for code in dict.fromkeys(found) if code), tuple(notes)


def _modifier(item: Dataset, notes: list[Note]) -> str:
    code = MODIFIERS.get(code_value(item), "")
    if not code:
        words = f"The view modifier '{meaning(item)}' is not known and not in the label."
        notes.append(Note("modifier-unknown", words, "warning"))
    return code


def _worded(ds: Dataset) -> tuple[str, Named]:
    orientation = [parse(one) for one in texts(ds, "PatientOrientation")]
    for named in orientation:
        if named.view:  # CBIS-DDSM crops hold "CC" or "MLO" there
            return "Patient Orientation, which names a view instead of directions", named
    for keyword, name in (
        ("SeriesDescription", "series description"),
        ("ProtocolName", "protocol name"),
        ("AcquisitionDeviceProcessingDescription", "processing description"),
    ):
        named = parse(text(ds, keyword))
        if named.view:
            side, _ = read_laterality(ds)
            other = {named.laterality, side} == {"L", "R"}  # its modifiers are the other breast's too
            return name, replace(named, modifiers=()) if other else named
    return "", Named()


def _partial(ds: Dataset) -> tuple[str, ...]:
    if text(ds, "PartialView").upper() != "YES":
        return ()
    found = []
    for item in items(ds, "PartialViewCodeSequence"):
        words = meaning(item).lower()
        found.append(SECTIONS.get(code_value(item)) or words)
    return tuple(dict.fromkeys(found)) or (clean_description(ds),)


def clean_description(ds: Dataset) -> str:
    """Return Partial View Description (0028,1351), or a word that says it is not described."""
    return text(ds, "PartialViewDescription").lower() or "unspecified"
