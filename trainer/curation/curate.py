"""From what readers said to rows of a manifest, each with where it comes from.

What a row was before stays as it was: in the record of the image, in the snapshot, and in the manifest that
was searched. Only `label_source` says that a reader had a part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from app.core.manifest import Lesion, Row, is_normal
from app.core.reading.report import ReportFinding
from trainer.curation.cases import BREASTS, Case, cases_of
from trainer.curation.conflicts import UNNAMED, Conflict, Rule, Settled, overlap, same_place, settle
from trainer.curation.images import UNLABELLED, Finder, Known
from trainer.curation.statements import Mark, Said, Tell, Word, file_identity
from trainer.rois import clipped

Reports = Literal["fill", "override"]
UNFINISHED: Final = "0"
"""The assessment that is no label: the exam is not finished."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a set is made.

    Attributes
    ----------
    conflicts
        What becomes of an image whose readers contradict each other.
    by_hand
        The reader who is right, by case.
    reports
        ``fill``: an assessment is the label where there was none; ``override``: wherever there is one.
    rest
        The manifest's other images belong to the set too, as they were.
    """

    conflicts: Rule = "leave-out"
    by_hand: dict[str, str] = field(default_factory=dict)
    reports: Reports = "fill"
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Curated:
    """A curated set.

    Attributes
    ----------
    records
        One for each image that a reader said something of, left out or not: JSON objects.
    used
        The images that the set was made from.
    studies
        The studies whose changes it was made from.
    missing
        One sentence for each image or study that was not found.
    """

    rows: tuple[Row, ...]
    records: tuple[dict[str, Any], ...]
    conflicts: tuple[Conflict, ...]
    used: tuple[Known, ...]
    studies: frozenset[str]
    missing: tuple[str, ...]


def curate(said: Said, known: Iterable[Known], options: Options, tell: Tell) -> Curated:
    """Return the curated set of what was said about images.

    Raises
    ------
    TrainerError
        An image file that cannot be read, or a reader named by hand who said nothing.
    """
    every = tuple(known)
    finder = Finder(every, said.images)
    cases, missing = cases_of(said, finder)
    made = [_Image(said, cases[each.identity], options, tell) for each in every if each.identity in cases]
    rows = [row for image in made for row in image.rows]
    if options.rest:
        rows += [row for each in every if each.identity not in cases for row in each.rows]
    return Curated(
        tuple(rows),
        tuple(record for image in made for record in image.records),
        tuple(conflict for image in made for conflict in image.conflicts),
        tuple(image.case.known for image in made) + (tuple(every) if options.rest else ()),
        frozenset(study for image in made for study in image.case.studies),
        tuple(missing),
    )


class _Image:
    """One image's rows and records, frame by frame."""

    def __init__(self, said: Said, case: Case, options: Options, tell: Tell) -> None:
        self.case = case
        self._said, self._options, self._tell = said, options, tell
        self.rows: list[Row] = []
        self.records: list[dict[str, Any]] = []
        self.conflicts: list[Conflict] = []
        # Frames are those that were marked; what is said of the whole image is of every frame that has a row.
        frames = {mark.frame for mark in case.marks}
        if any(word.about not in ("read", "density") for word in case.words) or not frames:
            frames |= {row.frame for row in case.known.rows} or {0}
        for frame in sorted(frames):
            self._frame(frame)

    def _frame(self, frame: int) -> None:
        before = self.case.known.row(frame)
        marks = [mark for mark in self.case.marks if mark.frame == frame]
        said = self._words(frame)
        words = self._labels(before, said)
        given = self._options.by_hand.get(before.image_id)
        settled = settle(before.image_id, marks, words, self._options.conflicts, given)
        density, about_density = self._density(before)
        conflicts = [*settled.conflicts, *about_density]
        self.conflicts += conflicts
        lesions = merged(before, settled.marks, self._said.named)
        label, source = self._label(before, settled, bool(marks))
        if self._nothing_there(settled):
            lesions = ()
        row = replace(
            before, findings=lesions, density=density, label=label, label_source=_source(before, source)
        )
        out = self._why_out(settled, said, row)
        if out:
            if settled.kept:  # else the contradiction is told
                self._tell(f"{before.image_id}: {out}; left out")
        elif self._changed(before, row, marks):
            self.rows.append(row)
        elif before.label != UNLABELLED:
            self.rows.append(before)
        self.records.append(self._record(before, row, settled, conflicts, marks, out))

    def _changed(self, before: Row, row: Row, marks: Sequence[Mark]) -> bool:
        return bool(marks) or (row.label, row.findings, row.density) != (
            before.label,
            before.findings,
            before.density,
        )

    def _words(self, frame: int) -> list[Word]:
        """Return what was said of a frame: verdicts name theirs, all else is of the whole image."""
        return [word for word in self.case.words if not word.image or word.frame == frame]

    def _why_out(self, settled: Settled, said: Sequence[Word], row: Row) -> str:
        for word in said:
            if word.about == "unusable":
                return f"{word.reader or UNNAMED} called the image unusable"
        if not settled.kept:
            return "its readers contradict each other"
        wrong = next((word for word in said if word.about == "wrong"), None)
        if wrong is not None and (settled.word is None or settled.word.about != "label"):
            return f"{wrong.reader or UNNAMED} called the label wrong and gave no other"
        if row.label == UNLABELLED:
            doubt = self._doubt(row.frame)
            if doubt and any(self._says_normal(word) for word in said):
                return f"assessed as BI-RADS 1, but {doubt}"
            if doubt and "read" in {word.about for word in said}:
                return f"read, but {doubt}"
            return "nothing says whether it is normal (no lesion, no assessment, and not marked as read)"
        return ""

    def _labels(self, before: Row, said: Sequence[Word]) -> list[Word]:
        """Return the labels that readers gave: corrections always, assessments as the options say.

        Beside a correction, who said that the model is wrong stands for the label that was given.
        """
        corrections = [word for word in said if word.about == "label"]
        if corrections:
            others = (word for word in said if (word.about, word.value) == ("verdict", "model wrong"))
            return [*corrections, *(replace(word, value=before.label) for word in others)]
        if before.label != UNLABELLED and self._options.reports == "fill":
            return []
        assessed = [word for word in said if word.about in BREASTS and word.value != UNFINISHED]
        if self.case.doubt:
            # A breast with a mark in its other view was not called free of lesions with both views in mind.
            assessed = [word for word in assessed if not self._says_normal(word)]
        return [replace(word, value=f"birads-{word.value.lower()}") for word in assessed]

    @staticmethod
    def _nothing_there(settled: Settled) -> bool:
        """Tell whether a verdict says normal, and so of the known lesions too; the record keeps them."""
        word = settled.word
        says = word is not None and word.about == "label" and is_normal(word.value)
        return says and not any(mark.positive for mark in settled.marks)

    @staticmethod
    def _says_normal(word: Word) -> bool:
        """Tell whether an assessment says that a breast is free of lesions."""
        return word.about in BREASTS and is_normal(f"birads-{word.value}")

    def _density(self, before: Row) -> tuple[str, tuple[Conflict, ...]]:
        """Return the density, a reader's where the manifest gave none in A to D, or none at all."""
        words = [word for word in self.case.words if word.about == "density"]
        known = before.density
        if not words or (known and self._options.reports == "fill") or (known and known not in "ABCD"):
            return known, ()
        if len({word.value for word in words}) > 1:
            settled = settle(before.image_id, (), words, self._options.conflicts)
            about = tuple(
                replace(each, about="density", settled=each.settled.replace("left out", "left as it was"))
                for each in settled.conflicts
            )
            return (settled.word.value.upper() if settled.kept and settled.word else known), about
        return words[-1].value.upper(), ()

    def _label(self, before: Row, settled: Settled, marked: bool) -> tuple[str, str]:
        """Return the label and, in words, where it comes from; empty: as it was."""
        word = settled.word
        if word is not None:
            return word.value, "reader report" if word.about in BREASTS else "reader's verdict"
        if any(mark.positive for mark in settled.marks):
            if before.label == UNLABELLED or is_normal(before.label):
                return "lesion", "reader's findings"
            return before.label, "label as before, reader's findings"
        about = {each.about for each in self.case.words}
        read = "read" in about and not about & set(BREASTS)
        if before.label == UNLABELLED and read and not self._doubt(before.frame):
            return "normal", "read, no lesion marked"
        return before.label, "label as before, reader's findings" if marked else "label as before"

    def _doubt(self, frame: int) -> str:
        """Return why the read mark of the study does not make a frame normal, empty where it may."""
        if any(mark.positive and mark.frame != frame for mark in self.case.marks):
            return "another of its frames has a lesion"
        return self.case.doubt

    def _record(
        self,
        before: Row,
        row: Row,
        settled: Settled,
        conflicts: Sequence[Conflict],
        marks: Sequence[Mark],
        out: str,
    ) -> dict[str, Any]:
        kept = {(mark.item, mark.seq) for mark in settled.marks}
        return {
            "image_id": before.image_id,
            "patient_id": before.patient_id,
            "image": self.case.known.identity,
            "frame": before.frame,
            "left_out": out or None,
            "before": _facts(before),
            "after": None if out else _facts(row),
            "label_by": None if settled.word is None else _word(settled.word),
            "said": [_word(word) for word in self._words(before.frame)],
            "findings": [self._finding(mark, (mark.item, mark.seq) in kept) for mark in marks],
            "conflicts": [asdict(conflict) for conflict in conflicts],
            "chosen_by": self._said.chosen.get(file_identity(before.sha256), []),
        }

    def _finding(self, mark: Mark, kept: bool) -> dict[str, Any]:
        """Return who said what of a finding, from which proposal, and what was there before."""
        annotation = mark.annotation
        return {
            "is": mark.how,
            "taken": kept,
            "label": annotation.text,
            "box": list(annotation.box),
            "kind": annotation.kind,
            "points": [list(point) for point in annotation.points],
            "reader": mark.reader,
            "made": mark.made,
            "change": mark.seq,
            "proposal": None if annotation.proposal is None else asdict(annotation.proposal),
            "history": self._said.history.get((mark.study, mark.item), []),
        }


def _word(word: Word) -> dict[str, Any]:
    return {
        "about": word.about,
        "value": word.value,
        "before": word.before,
        "note": word.note,
        "tags": list(word.tags),
        "reader": word.reader,
        "made": word.made,
        "change": word.seq,
        "source": "reader report" if word.about in (*BREASTS, "density") else "reader",
    }


def _facts(row: Row) -> dict[str, Any]:
    return {
        "label": row.label,
        "label_source": row.label_source,
        "density": row.density,
        "findings": [asdict(lesion) for lesion in row.findings],
    }


def _source(before: Row, source: str) -> str:
    """Return the label source; it keeps the adapter's name, which says how the files are stored."""
    adapter = before.label_source.partition(":")[0].strip().removeprefix("curated from ")
    return f"curated{f' from {adapter}' if adapter and adapter != 'curated' else ''}: {source}"


def merged(before: Row, marks: Sequence[Mark], named: dict[str, ReportFinding]) -> tuple[Lesion, ...]:
    """Return a row's lesions with what the reader marked.

    An accepted proposal at a lesion that was known leaves it as it was; a corrected or drawn one moves it and
    keeps its pathology and descriptors. A place that was not known is a new lesion. Nothing that was known
    goes because a model's proposal was rejected.
    """
    lesions = list(before.findings)
    free = set(range(len(lesions)))
    for mark in marks:
        if not mark.positive:
            continue
        box = clipped(mark.annotation.box, before.rows, before.columns)
        at = _known_at(lesions, free, box)
        if at is None:
            lesions.append(_lesion(mark, box, named))
            continue
        free.discard(at)
        if mark.how != "accepted":
            lesions[at] = replace(lesions[at], box=box, mask=None)
    return tuple(lesions)


def _known_at(lesions: Sequence[Lesion], free: set[int], box: Any) -> int | None:
    if box is None:
        return None
    places = {at: lesions[at].box for at in free}
    near = {at: overlap(known, box) for at, known in places.items() if known and same_place(known, box)}
    return max(near, key=lambda at: near[at]) if near else None


def _lesion(mark: Mark, box: Any, named: dict[str, ReportFinding]) -> Lesion:
    """Return a new lesion in the report's words for it, else in those of the mark."""
    reported = named.get(mark.annotation.uid)
    label = (reported.kind if reported else "") or mark.annotation.text or "lesion"
    return Lesion(label, box, descriptors=reported.descriptors if reported else ())
