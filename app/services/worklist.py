"""The order in which studies are read; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from app.core.imaging.image import Collection, Image, Study


def studies_of(collection: Collection) -> tuple[Study, ...]:
    """Return all studies in reading order: patients as found, each newest first."""
    return tuple(study for patient in collection.patients for study in patient.studies)


def following(
    studies: tuple[Study, ...],
    key: str | None,
    step: int,
    wanted: Callable[[Study], bool] = lambda study: True,
    *,
    around: bool = False,
) -> Study | None:
    """Return the next study in steps of +1 or -1 that is wanted, or None.

    Parameters
    ----------
    key
        Of the study to go on from; None or unknown starts before the first.
    around
        Go on at the other end of the list.
    """
    places = [index for index, study in enumerate(studies) if study.key == key]
    here = places[0] if places else -1
    order = list(range(here + step, len(studies) if step > 0 else -1, step))
    if around:
        order += list(range(0, here + 1)) if step > 0 else list(range(len(studies) - 1, here - 1, -1))
    return next((studies[index] for index in order if wanted(studies[index])), None)


def holding(studies: tuple[Study, ...], paths: Iterable[Path]) -> Study | None:
    """Return the first study that holds all of these files, or None."""
    wanted = set(paths)
    return next((study for study in studies if wanted <= {image.path for image in study.images}), None)


def same_patient(collection: Collection, key: str, image: Image) -> bool:
    """Tell whether an image is of the patient whose study has the key."""
    for patient in collection.patients:
        if any(study.key == key for study in patient.studies):
            return any(image.key == each.key for study in patient.studies for each in study.images)
    return False
