"""What a manifest states of an image goes before what its file says: one rule for trainer and workstation."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

from app.core.imaging.image import Image, Source, Spacing
from app.core.manifest import Row


def stored_orientation(row: Row) -> tuple[str, str] | None:
    """Return the Patient Orientation that a data set's conventions give its image files, or None.

    Some collections store their pictures mirrored. The data set is named by the first word of the row's
    label source; what a reader curated says ``curated from <adapter>``.

    Notes
    -----
    mini-MIAS: left breasts are stored as rows to the posterior, columns to foot and right; right ones
    mirrored.
    """
    name = row.label_source.partition(":")[0].strip().removeprefix("curated from ")
    if name != "mias":
        return None
    return ("P", "FR") if row.laterality == "L" else ("A", "FL")


def stated(image: Image, row: Row) -> Image:
    """Return the image with the facts that the manifest states; the file's own fill the rest."""
    spacing = image.spacing
    if row.spacing_mm is not None:
        basis: Literal["at detector", "at film"] = "at film" if row.source == "film" else "at detector"
        spacing = Spacing(*row.spacing_mm, basis)
    laterality = row.laterality or image.laterality
    return replace(
        image,
        laterality=cast(Literal["L", "R", "B"] | None, laterality or None),
        view=row.view or image.view,
        spacing=spacing,
        source=cast(Source, row.source or image.source),
        orientation=stored_orientation(row) or image.orientation,
    )
