"""One file to one `Image`: the place where all repair of headers is done.

`read_image` reads the header alone; `complete` adds what only pixels tell. What was inferred or doubted
is kept as `Image.notes`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from app.core.dicom import raster
from app.core.dicom.character_set import repair_character_set
from app.core.dicom.codes import label_of
from app.core.dicom.corner import read_corner
from app.core.dicom.elements import numbers, text
from app.core.dicom.grey import Layout, read_grey
from app.core.dicom.header import BIG_ENDIAN, NATIVE, Header, read_header
from app.core.dicom.laterality import read_laterality
from app.core.dicom.layout import JPEG_LOSSY, MAYBE_LOSSY, PixelLayout, read_layout
from app.core.dicom.orientation import read_orientation
from app.core.dicom.patient import LONGEST, read_acquired, read_age, read_patient, read_study_date
from app.core.dicom.source import read_intent, read_source, spacing_rule, why_not_mammogram
from app.core.dicom.spacing import read_spacing
from app.core.dicom.view import View, read_view
from app.core.errors import ReadError
from app.core.imaging.background import surroundings
from app.core.imaging.image import Grey, Image, Laterality, Note
from app.core.imaging.orientation import FEET_DOWN_VIEWS, chest_wall


def read_image(path: Path | str) -> Image:
    """Return the facts of one DICOM file or picture; pixels are not read.

    Raises
    ------
    ReadError
        The file is missing, empty, foreign, not a mammogram, or says of its pixels what cannot be.
    """
    path = Path(path)
    if raster.is_picture(path):
        return raster.read_picture_facts(path)
    return image_of(read_header(path))


def image_of(header: Header) -> Image:
    """Return the `Image` of a parsed header; errors as in `read_image`."""
    ds = header.dataset
    text_notes = repair_character_set(ds)
    why_not = why_not_mammogram(ds)
    if why_not is not None:
        raise ReadError(header.path, why_not)
    layout = read_layout(header)
    laterality, side_notes = read_laterality(ds)
    view = read_view(ds)
    orientation, orientation_notes = read_orientation(ds)
    spacing, spacing_notes = read_spacing(ds, spacing_rule(ds))
    little = header.transfer_syntax != BIG_ENDIAN
    grey, grey_notes = read_grey(ds, Layout(layout.bits_stored, layout.signed, layout.frames, little))
    notes = (*side_notes, *view.notes, *orientation_notes, *spacing_notes, *grey_notes,
             *_cut(header, layout), *text_notes)  # fmt: skip
    return _filled(
        header, layout, laterality, view, notes, orientation=orientation, spacing=spacing, grey=grey
    )


def _filled(header: Header, layout: PixelLayout, laterality: Laterality | None, view: View,
            notes: tuple[Note, ...], **found: Any) -> Image:  # fmt: skip
    ds = header.dataset
    patient, patient_notes = read_patient(ds)
    study_date, date_notes = read_study_date(ds)
    acquired = read_acquired(ds)
    age = read_age(ds, patient.birth_date, acquired.date() if acquired else study_date)
    implant = text(ds, "BreastImplantPresent").upper() == "YES"
    return Image(
        path=header.path,
        sop_uid=text(ds, "SOPInstanceUID"),
        sop_class=text(ds, "SOPClassUID"),
        study_uid=text(ds, "StudyInstanceUID"),
        series_uid=text(ds, "SeriesInstanceUID"),
        patient=patient,
        rows=layout.rows,
        columns=layout.columns,
        frames=layout.frames,
        laterality=laterality,
        view=view.view,
        modifiers=view.modifiers,
        label=label_of(laterality, view.view, view.modifiers),
        partial=view.partial,
        intent=read_intent(ds),
        source=read_source(ds),
        implant=implant,
        photometric=layout.photometric,
        transfer_syntax=header.transfer_syntax,
        modality=text(ds, "Modality").upper(),
        study_date=study_date,
        study_description=text(ds, "StudyDescription")[:LONGEST],
        accession=text(ds, "AccessionNumber")[:LONGEST],
        acquired=acquired,
        age=age,
        manufacturer=text(ds, "Manufacturer")[:LONGEST],
        model_name=text(ds, "ManufacturerModelName")[:LONGEST],
        corner=read_corner(ds, age=age, partial=view.partial, implant=implant),
        notes=(*notes, *patient_notes, *date_notes, *_cut_out(ds), *_lossy(ds, layout)),
        **found,
    )


def _cut(header: Header, layout: PixelLayout) -> tuple[Note, ...]:
    """Return a note if there are less or more uncompressed pixels than the header says.

    Compressed ones show it when they are decoded.
    """
    if layout.transfer_syntax not in NATIVE:
        return ()
    there = len(header.inflated) if header.inflated is not None else header.size
    needed = layout.frame_bytes * layout.frames
    if layout.offset + needed <= there:
        if layout.length <= needed + 1:  # an even length, PS3.5 8.1.1
            return ()
        words = "The file holds more pixels than its rows, columns and frames take up."
        return (Note("pixels-surplus", words, "warning"),)
    return (Note("pixels-truncated", "The file ends before its last pixel.", "warning"),)


def _cut_out(ds: Dataset) -> tuple[Note, ...]:
    """Return a note for the crops around a lesion that CBIS-DDSM distributes as images of their own."""
    if "crop" not in text(ds, "SeriesDescription").lower():
        return ()
    return (Note("cut-out", "A cut-out of a mammogram, not a whole view.", "warning"),)


def _lossy(ds: Dataset, layout: PixelLayout) -> tuple[Note, ...]:
    """Return a note if the pixels were or may have been compressed with loss (PS3.3 C.7.6.1.1.5).

    The file says so, or its syntax is never lossless, or may be lossy and the file says nothing.
    """
    stated = text(ds, "LossyImageCompression")
    sure = stated == "01" or layout.transfer_syntax in JPEG_LOSSY
    if not sure and (stated or layout.transfer_syntax not in MAYBE_LOSSY):
        return ()
    ratios = numbers(ds, "LossyImageCompressionRatio")
    how_much = f" ({math.prod(ratios):.3g} : 1)" if ratios and min(ratios) > 0 else ""
    verb = "were" if sure else "may have been"
    words = f"The pixels {verb} compressed with loss{how_much}: fine detail may be missing."
    return (Note("lossy", words, "warning"),)


def complete(image: Image, stored: npt.NDArray[Any]) -> Image:
    """Return the image with what only its pixels tell.

    Parameters
    ----------
    stored
        Stored values of a frame, shape (rows, columns), full or reduced size.

    Notes
    -----
    Without a usable Patient Orientation the chest wall is found from the pixels and the orientation
    inferred (note ``orientation-inferred``). A stated one that the pixels clearly contradict is kept
    (note ``orientation-contradicted``). Spot and magnification views, specimens and cut-outs are left
    alone: where tissue meets air there says nothing about the chest wall.
    """
    if image.laterality not in ("L", "R") or image.view == "SPECIMEN" or _is_close_up(image):
        return image
    if any(note.code in ("orientation-inferred", "orientation-contradicted") for note in image.notes):
        return image
    found = chest_wall(*_small(stored, image.grey_of(0)), image.laterality, image.view)
    if found is None:
        return image
    if image.orientation is None:
        words = "The orientation is not stated and was taken from where the chest wall is in the pixels"
        # The lateral and the medial half of a cranio-caudal view look alike.
        words += "." if image.view in FEET_DOWN_VIEWS else "; which end is lateral is assumed."
        note = Note("orientation-inferred", words, "inferred")
        return replace(image, orientation=found, notes=(*image.notes, note))
    if _opposed(image.orientation, found):
        words = "The pixels show the chest wall on the other side than Patient Orientation says."
        note = Note("orientation-contradicted", words, "warning")
        return replace(image, notes=(*image.notes, note))
    return image


def _is_close_up(image: Image) -> bool:
    """Tell whether the image need not show the chest wall where the whole breast does."""
    return not {"M", "S"}.isdisjoint(image.modifiers) or any(note.code == "cut-out" for note in image.notes)


def _small(stored: npt.NDArray[Any], grey: Grey) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Return every n-th pixel, for only the breast's shape counts, and where it is padding or air."""
    step = max(1, max(stored.shape) // 1024)
    small = np.ascontiguousarray(stored[::step, ::step])
    return small, surroundings(small, grey).dark


def _opposed(stated: tuple[str, str], found: tuple[str, str]) -> bool:
    """Tell whether both name the chest wall on the same axis, at opposite ends."""
    pairs = zip(stated, found, strict=True)
    return any(("A" in one and "P" in other) or ("P" in one and "A" in other) for one, other in pairs)
