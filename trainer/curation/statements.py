"""What readers said of an image, taken from the store's items: findings, assessments, verdicts.

A statement is one reader's last word on one item. Nothing is decided here: who is right where two readers
contradict each other is said in `trainer.curation.conflicts`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from app.core.audit.choice import is_chosen, read_chosen
from app.core.audit.verdicts import CaseVerdict, read_verdict, verdict_of
from app.core.reading.annotations import Annotation
from app.core.reading.history import Change
from app.core.reading.items import READ, REPORT, annotation_of, read_annotation
from app.core.reading.log import Opinion, opinions, standing
from app.core.reading.report import Report, ReportFinding
from app.core.reading.report_json import ReportError, from_json

REGIONS = ("finding", "rectangle", "ellipse", "polygon")
"""Kinds of annotation that say where a lesion is."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Mark:
    """One reader's last word on one finding.

    Attributes
    ----------
    item
        Its name in the store.
    image, frame
        The image's identity (SOP Instance UID, or its path without one), and which frame, from 0.
    annotation
        The finding as this reader left it; where the reader deleted it, as it was before.
    deleted
        The reader took away what another had made.
    """

    study: str
    item: str
    image: str
    frame: int
    reader: str
    made: str
    seq: int
    annotation: Annotation
    deleted: bool = False

    @property
    def positive(self) -> bool:
        """Whether this reader says that there is a lesion."""
        return not self.deleted and self.annotation.decision != "rejected"

    @property
    def how(self) -> str:
        """Return ``accepted``, ``corrected``, ``rejected``, ``added`` or ``deleted``."""
        return "deleted" if self.deleted else self.annotation.decision or "added"


@dataclass(frozen=True, slots=True)
class Word:
    """One reader's value for one thing that is said of a study, a breast or an image.

    Attributes
    ----------
    about
        ``R`` or ``L`` (the assessment of a breast), ``density``, ``read``; of a verdict ``label`` (what it
        should be), ``wrong`` (the label is, and nothing says what is right), ``unusable`` or ``verdict``.
    value
        In the codes of its source.
    before
        What stood there when the reader changed it.
    image
        Identity of the image; of a verdict the hash of its file. Empty: of the whole study or breast.
    name
        What the image was called when that was said.
    note, tags
        The reader's own words.
    """

    study: str
    about: str
    value: str
    before: str
    reader: str
    made: str
    seq: int
    image: str = ""
    frame: int = 0
    name: str = ""
    note: str = ""
    tags: tuple[str, ...] = ()


@dataclass(slots=True)
class Said:
    """All that was said in a store.

    Attributes
    ----------
    named
        What a report calls a mark, by the mark's uid.
    chosen
        How an image came to be read (`app.core.audit.choice`), oldest first, by the hash of its file.
    """

    marks: list[Mark] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    named: dict[str, ReportFinding] = field(default_factory=dict)
    chosen: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    history: dict[tuple[str, str], list[dict[str, object]]] = field(default_factory=dict)

    @property
    def by_hash(self) -> bool:
        """Whether an image is known by the hash of its file."""
        return bool(self.chosen) or any(word.image for word in self.words)

    @property
    def images(self) -> dict[str, str]:
        """The study of every image that is named."""
        named: dict[str, str] = {mark.image: mark.study for mark in self.marks}
        return named | {word.image: word.study for word in self.words if word.image}


def said(changes: Iterable[Change], tell: Tell) -> Said:
    """Return what a log says; what cannot be read is told and passed over.

    Undone changes say nothing. Of a report only the readers who changed a value said it.
    """
    every = tuple(changes)
    found = Said()
    kept = standing(every)
    for (study, item), given in opinions(every).items():
        if annotation_of(item) is not None:
            found.marks += _marks(study, item, given, tell)
        elif verdict_of(item) is not None:
            found.words += _verdicts(given, tell)
    found.words += (*_report_words(kept, found.named, tell), *_read_words(kept))
    found.chosen = _chosen(kept, tell)
    found.history = _history(every, {change.seq for change in kept})
    return found


def _marks(study: str, item: str, given: tuple[Opinion, ...], tell: Tell) -> list[Mark]:
    """Return the readers' words on one annotation; who deleted only their own says nothing."""
    made: list[Mark] = []
    for opinion in given:
        text = opinion.text or opinion.before
        if text is None:
            continue
        try:
            annotation = read_annotation(text)
        except (ValueError, OverflowError, RecursionError) as error:
            tell(f"study {study}: a mark of change {opinion.seq} cannot be read ({error}); left out")
            continue
        if annotation.kind in REGIONS:
            who = (opinion.reader, opinion.made, opinion.seq)
            gone = opinion.text is None
            made.append(Mark(study, item, annotation.image, annotation.frame, *who, annotation, gone))
    # A mark that its own maker deleted is gone; one that somebody else deleted is contested.
    return [] if all(mark.deleted for mark in made) else made


def _report_words(changes: tuple[Change, ...], named: dict[str, ReportFinding], tell: Tell) -> list[Word]:
    """Return who gave which breast which assessment, and the density; by study, thing and reader the last."""
    last: dict[tuple[str, str, str], Word] = {}
    for change in changes:
        for item, before, after in change.edits:
            if item != REPORT:
                continue
            was, now = (_report(change, text, tell) for text in (before, after))
            named.update({uid: finding for finding in now.findings for uid in finding.marks})
            for about, old, new in _differences(was, now):
                last.pop((change.study, about, change.reader), None)
                if new:
                    last[change.study, about, change.reader] = Word(
                        change.study, about, new, old, change.reader, change.made, change.seq
                    )
    return list(last.values())


def _report(change: Change, text: str | None, tell: Tell) -> Report:
    try:
        return from_json(text) if text else Report()
    except ReportError as error:
        tell(f"study {change.study}: the report of change {change.seq} is left out. {error}")
        return Report()


def _differences(was: Report, now: Report) -> list[tuple[str, str, str]]:
    pairs = [("R", was.right, now.right), ("L", was.left, now.left), ("density", was.density, now.density)]
    return [(about, old, new) for about, old, new in pairs if old != new]


def _read_words(changes: tuple[Change, ...]) -> list[Word]:
    last: dict[tuple[str, str], Word] = {}
    for change in changes:
        for item, before, after in change.edits:
            if item == READ:
                last.pop((change.study, change.reader), None)
                if after is not None:
                    old = "read" if before else ""
                    who = (change.reader, change.made, change.seq)
                    last[change.study, change.reader] = Word(change.study, "read", "read", old, *who)
    return list(last.values())


def _verdicts(given: tuple[Opinion, ...], tell: Tell) -> list[Word]:
    """Return what a verdict says of an image: the right label, that it is wrong, or that it is of no use."""
    found = []
    for opinion in given:
        if opinion.text is None:
            continue
        try:
            verdict = read_verdict(opinion.text)
        except (ValueError, RecursionError) as error:
            tell(f"a verdict of change {opinion.seq} cannot be read ({error}); left out")
            continue
        about, value = _meaning(verdict)
        word = Word(
            study=opinion.study,
            about=about,
            value=value,
            before=verdict.given,
            reader=verdict.reader or opinion.reader,
            made=verdict.made or opinion.made,
            seq=opinion.seq,
            image=file_identity(verdict.image.rpartition("/")[0]),
            frame=verdict.frame,
            name=verdict.image_id,
            note=verdict.note,
            tags=verdict.tags,
        )
        found.append(word)
    return found


def _meaning(verdict: CaseVerdict) -> tuple[str, str]:
    if verdict.verdict == "label wrong":
        return ("label", verdict.label) if verdict.label else ("wrong", verdict.given)
    if verdict.verdict == "unusable image":
        return "unusable", verdict.verdict
    return "verdict", verdict.verdict


def file_identity(sha256: str) -> str:
    """Return what verdicts and choices know an image by, as an identity that is no UID."""
    return f"sha256:{sha256}"


def _chosen(changes: tuple[Change, ...], tell: Tell) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for change in changes:
        for edit in change.edits:
            if is_chosen(edit.item) and edit.after is not None:
                try:
                    chosen = read_chosen(edit.after)
                except (ValueError, TypeError, RecursionError) as error:
                    tell(f"a choice of change {change.seq} cannot be read ({error}); left out")
                    continue
                name = file_identity(chosen.image.rpartition("/")[0])
                found.setdefault(name, []).append({"change": change.seq, **asdict(chosen)})
    return found


def _history(
    changes: tuple[Change, ...], standing_numbers: set[int]
) -> dict[tuple[str, str], list[dict[str, object]]]:
    """Return each item's way: number, reader, time and words of every change, and whether it was undone."""
    found: dict[tuple[str, str], list[dict[str, object]]] = {}
    for change in changes:
        for edit in change.edits:
            entry: dict[str, object] = {
                "change": change.seq,
                "reader": change.reader,
                "made": change.made,
                "what": change.label,
                "before": _loaded(edit.before),
            }
            if change.undoes is not None:
                entry["undoes"] = change.undoes
            elif change.seq not in standing_numbers:
                entry["undone"] = True
            found.setdefault((change.study, edit.item), []).append(entry)
    return found


def _loaded(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None
