"""Which pictures that are no DICOM are one exam, from their folder and file names alone.

A picture names no patient. What the file name says besides side and view (``brown`` in
``brown_RCC.png``) is taken for the exam, within one folder. Pictures of two people must never hang
together; where names of sides and views do not tell exams apart, every file stays an exam of its own.
Pictures that name neither hang nowhere before a reader says what they are: a few of one folder are one
exam, so that they hang together then; of many each is an exam of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.core.dicom.naming import exam_name
from app.core.dicom.raster import folder_of, study_uid_of
from app.core.imaging.image import Image

MOST_VIEWS = 8
"""More pictures without side and view in one folder are hardly all of one person."""


def assigned(images: Iterable[Image]) -> list[Image]:
    """Return all images, the pictures among them with the study UID and description of their exam.

    Notes
    -----
    Pictures whose names tell a side or a view: one exam for each folder and rest of the name, unless a
    side and view comes twice in it, then each file is an exam. Pictures whose names tell neither: one for
    each folder, to be assigned by hand; of more than `MOST_VIEWS` each file is an exam.
    """
    found: list[Image] = []
    exams: dict[tuple[str, str | None], list[Image]] = {}
    for image in images:
        if image.kind != "raster":
            found.append(image)
            continue
        tells = image.laterality is not None or image.view is not None
        rest = exam_name(image.path.stem).casefold() if tells else None
        exams.setdefault((str(folder_of(image.path)), rest), []).append(image)
    for (folder, rest), pictures in exams.items():
        pictures.sort(key=lambda one: one.key)
        if len(pictures) > MOST_VIEWS if rest is None else _a_slot_comes_twice(pictures):
            found += [_own(image) for image in pictures]
        else:
            found += [_together(image, folder, rest, pictures[0]) for image in pictures]
    return found


def _a_slot_comes_twice(pictures: list[Image]) -> bool:
    slots = {(one.laterality, one.view, one.modifiers) for one in pictures}
    return len(slots) < len(pictures)


def _own(image: Image) -> Image:
    return replace(image, study_uid=study_uid_of(image.path), study_description=image.path.stem)


def _together(image: Image, folder: str, rest: str | None, first: Image) -> Image:
    words = exam_name(first.path.stem) if rest else folder_of(image.path).name
    uid = study_uid_of(image.path, "names no view" if rest is None else f"exam {rest}")
    return replace(image, study_uid=uid, study_description=words)
