"""A mark as a pane shows it: the annotation with its words, as frozen data."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.imaging.image import Image
from app.core.reading.annotations import Annotation
from app.core.reading.findings import Finding, SecondLook
from app.core.reading.handles import identity
from app.services.marking import answer_to, nipple_of
from app.ui.mark_words import lines_of


@dataclass(frozen=True, slots=True)
class Mark:
    """One annotation ready to be painted.

    Attributes
    ----------
    lines
        What is written beside it.
    selected
        Keys act on it: it has handles.
    pending
        Not yet on disk, or still being drawn.
    """

    annotation: Annotation
    lines: tuple[str, ...] = ()
    selected: bool = False
    pending: bool = False


def marks_of(session, image: Image, frame: int) -> tuple[Mark, ...]:
    """Return the marks of one frame of an image, in the order in which they were made.

    `image` with completed facts. Rejected findings are among them only while findings are shown.
    """
    overlay, state = session.overlay, session.work.state
    if not overlay.marks:
        return ()
    found = [
        each
        for each in state.of_image(identity(image), frame)
        if each.decision != "rejected" or overlay.boxes
    ]
    if not found:
        return ()
    nipple = nipple_of(state, image)
    point = nipple.points[0] if nipple is not None else None
    return tuple(
        Mark(
            each,
            lines_of(
                each,
                image,
                session.measuring.statistics(each, image),
                point,
                whole=each.uid == state.selected,
            ),
            each.uid == state.selected,
            each.uid in state.pending,
        )
        for each in found
    )


def answered(session, looks: tuple[SecondLook, ...], image: Image) -> frozenset[Finding]:
    """Return the findings of an image that the reader answered: their marks are drawn in their place."""
    state = session.work.state
    if not session.overlay.marks or not state.of_image(identity(image)):
        return frozenset()
    return frozenset(
        finding
        for look in looks
        for view in look.views
        if view.key == image.key
        for finding in view.findings
        if answer_to(state, image, finding, look.model.name, look.model.version)
    )
