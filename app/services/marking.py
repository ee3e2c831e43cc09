"""What the reader does with marks, and with what a model proposed; all of it ends in the reader's work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.core.imaging.image import Image
from app.core.reading.annotations import (
    Annotation,
    Decision,
    Kind,
    Point,
    Proposal,
    corners,
    new_annotation,
)
from app.core.reading.findings import Finding
from app.core.reading.handles import identity
from app.core.reading.work import WorkState
from app.services.work import ReaderWork


def nipple_of(state: WorkState, image: Image) -> Annotation | None:
    """Return where the reader marked the nipple of an image, or None."""
    return next((each for each in state.of_image(identity(image)) if each.kind == "nipple"), None)


def answer_to(
    state: WorkState, image: Image, finding: Finding, model: str, version: str
) -> Annotation | None:
    """Return what the reader made of a model's finding, or None where it was not answered."""
    asked = _proposal(finding, model, version)
    answers = (each for each in state.of_image(identity(image), finding.frame) if each.proposal == asked)
    return next(answers, None)


class Marking:
    """Draws, changes and deletes marks, and answers findings.

    Parameters
    ----------
    study_of
        Key of the study that an image belongs to; empty for the one being read; None for an image that is
        not open any more: nothing is kept of it.
    reader
        Name of who reads, or empty.
    """

    def __init__(
        self, work: ReaderWork, study_of: Callable[[Image], str | None], reader: Callable[[], str]
    ) -> None:
        self._work = work
        self._study_of = study_of
        self._reader = reader

    def draw(self, kind: Kind, image: Image, frame: int, points: tuple[Point, ...], text: str = "") -> None:
        """Add a mark; a second nipple on an image takes the place of the first."""
        old = nipple_of(self._work.state, image) if kind == "nipple" else None
        if old is not None:
            self._work.change(replace(old, frame=frame, points=points))
            self._work.select(old.uid)
            return
        self._add(
            new_annotation(kind, identity(image), frame, points, text=text, reader=self._reader()), image
        )

    def change(self, annotation: Annotation) -> None:
        """Put another version of a mark in its place.

        What a model proposed is then ``corrected``, or ``accepted`` where it is as it was proposed.
        """
        if annotation == self._work.state.find(annotation.uid):
            return
        asked = annotation.proposal
        if asked is not None:
            is_same = annotation.points == corners(asked.box) and annotation.text == asked.label
            annotation = replace(annotation, decision="accepted" if is_same else "corrected")
        self._work.change(annotation)

    def rename(self, uid: str, text: str) -> None:
        """Give a mark other words; a text without any is deleted."""
        found = self._work.state.find(uid)
        if found is None:
            return
        if not text.strip() and found.kind == "text":
            self._work.remove(uid)
        elif text.strip() or found.proposal is None:  # a finding is always called something
            self.change(replace(found, text=text.strip()))

    def answer(self, image: Image, finding: Finding, model: str, version: str, decision: Decision) -> None:
        """Accept or reject a model's finding as it was proposed, and select the mark that this makes.

        A second answer changes the first. ``corrected`` accepts it, and leaves alone what was corrected
        already: the correction itself is a `change` or `rename` of the mark.
        """
        old = answer_to(self._work.state, image, finding, model, version)
        given: Decision = "rejected" if decision == "rejected" else "accepted"
        points = corners(finding.box)
        if old is None:
            made = new_annotation(
                "finding",
                identity(image),
                finding.frame,
                points,
                text=finding.label,
                reader=self._reader(),
                proposal=_proposal(finding, model, version),
                decision=given,
            )
            self._add(made, image)
            return
        if not (decision == "corrected" and old.decision == "corrected"):
            news = replace(old, points=points, text=finding.label, decision=given)
            if news != old:
                self._work.change(news)
        self._work.select(old.uid)

    def withdraw(self, image: Image, finding: Finding, model: str, version: str) -> None:
        """Take an answer back: the finding is open again."""
        old = answer_to(self._work.state, image, finding, model, version)
        if old is not None:
            self._work.remove(old.uid)

    def _add(self, annotation: Annotation, image: Image) -> None:
        study = self._study_of(image)
        if study is not None:
            self._work.add(annotation, study)


def _proposal(finding: Finding, model: str, version: str) -> Proposal:
    return Proposal(model, version, finding.label, finding.score, finding.calibrated, finding.box)
