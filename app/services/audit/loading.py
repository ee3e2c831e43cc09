"""What an audit is opened on, read in the background: plain functions for a job, which know no Qt."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.core.audit.cases import (
    NO_TRUTH,
    Answers,
    AuditModel,
    CaseTable,
    ExamSaid,
    answers_of,
    known,
    table_of,
)
from app.core.audit.kept import KeptAnswers, exam_key
from app.core.audit.prediction_files import join, read_predictions, rows_of
from app.core.audit.seen import seen_sentence
from app.core.dicom.finder import find
from app.core.errors import MammoviewError, ReadError
from app.core.imaging.image import Image, Study
from app.core.manifest import NO_PATIENT, Manifest, Row, file_sha256, read_manifest
from app.services.inference import audited

Report = Callable[[int, int], None]

MOST_MODELS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What was opened.

    Attributes
    ----------
    folders
        By model's name its bundle's folder; a model known from a prediction file only is missing.
    notes
        Sentences to stand beside the table.
    """

    title: str
    path: Path
    table: CaseTable
    folders: dict[str, Path] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to open: a manifest, folders and files, or studies; which bundles; prediction files as they are.

    Attributes
    ----------
    paths
        One manifest (``.csv``), or files and folders; none: the images of the first prediction file.
    models
        Names or folders of one or two bundles.
    studies
        Studies that are open already, in place of `paths`: as the finder grouped them, with what the
        reader said of their images by hand.
    """

    paths: tuple[Path, ...] = ()
    models: tuple[str, ...] = ()
    predictions: tuple[Path, ...] = ()
    studies: tuple[Study, ...] = ()

    @property
    def manifest(self) -> Path | None:
        """The manifest, or None where images are looked for."""
        only = self.paths[0] if len(self.paths) == 1 else None
        return only if only is not None and only.suffix.lower() == ".csv" else None


def load(wanted: Wanted, kept: KeptAnswers, report: Report) -> Loaded:
    """Read what is wanted, join the prediction files, and take what is kept of the bundles.

    Raises
    ------
    MammoviewError
        A file, a bundle or the join is not to be used; one sentence.
    Cancelled
        When `report` raises it.
    """
    rows, notes = _rows(wanted, report)
    answers: list[Answers] = []
    folders: dict[str, Path] = {}
    for path in wanted.predictions:
        joined = join(read_predictions(path), rows)
        answers += [_described(each) for each in joined.answers]
        notes += joined.notes
    for model, folder in audited.chosen(wanted.models) if wanted.models else ():
        folders[model.name] = folder
        if not any(each.model.name == model.name for each in answers):
            answers.append(answers_of(model, rows, said_before(kept, model, rows)))
    if not answers:
        raise MammoviewError("an audit needs a model or a prediction file")
    if len(answers) > MOST_MODELS:
        names = ", ".join(each.model.name for each in answers)
        raise MammoviewError(f"at most {MOST_MODELS} models can be audited side by side, not {names}")
    table = table_of(rows, answers)
    seen = [sentence for each in answers if (sentence := seen_sentence(each.model, rows))]
    return Loaded(_title(wanted), _path(wanted), table, folders, (*seen, *notes, *_lacks(table)))


def exams_of(rows: Sequence[Row]) -> list[list[int]]:
    """Return the places of the images of each exam (patient and study), in order of first appearance."""
    found: dict[tuple[str, str], list[int]] = {}
    for place, row in enumerate(rows):
        found.setdefault((row.patient_id, row.study_id), []).append(place)
    return list(found.values())


def keys_of(rows: Sequence[Row]) -> dict[str, list[list[int]]]:
    """Return the exams of each key, as the places of their images: several where their files are the same."""
    found: dict[str, list[list[int]]] = {}
    for exam in exams_of(rows):
        found.setdefault(exam_key([rows[place] for place in exam]), []).append(exam)
    return found


def said_before(kept: KeptAnswers, model: AuditModel, rows: Sequence[Row]) -> list[ExamSaid]:
    """Return what is kept of a bundle's answers to these images; raises ReadError."""
    keys = keys_of(rows)
    found = kept.find(model.digest, tuple(keys))
    pairs = ((exam, record) for key, record in found.items() for exam in keys[key])
    return [record.at(exam) for exam, record in pairs if len(record.views) == len(exam)]


def _rows(wanted: Wanted, report: Report) -> tuple[tuple[Row, ...], list[str]]:
    if wanted.studies:
        return _listed(wanted.studies, report)
    if wanted.manifest is not None:
        manifest: Manifest = read_manifest(wanted.manifest)
        return manifest.rows, list(manifest.caveats)
    if wanted.paths:
        return _found(wanted.paths, report)
    if not wanted.predictions:
        raise MammoviewError("an audit needs a manifest, a folder or a prediction file")
    return rows_of(read_predictions(wanted.predictions[0])), []


def _found(paths: Sequence[Path], report: Report) -> tuple[tuple[Row, ...], list[str]]:
    """Return a row for each image below paths; nothing is known of what is true."""
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise MammoviewError(f"{missing}: does not exist")
    collection = find(paths, report)
    studies = [study for patient in collection.patients for study in patient.studies]
    images = [(study, image) for study in studies for image in study.images]
    if not images:
        raise MammoviewError(f"{paths[0]}: no readable mammogram found")
    rows = []
    for number, (study, image) in enumerate(images):
        report(number, len(images))
        rows.append(_row(study, image))
    notes = [f"{len(collection.left_out)} files were left out."] if collection.left_out else []
    return tuple(rows), notes


def _listed(studies: Sequence[Study], report: Report) -> tuple[tuple[Row, ...], list[str]]:
    """Return a row for each image of studies that are open, as `_found` does; files may be gone since."""
    images = [(study, image) for study in studies for image in study.images]
    rows: list[Row] = []
    gone: list[ReadError] = []
    for number, (study, image) in enumerate(images):
        report(number, len(images))
        try:
            rows.append(_row(study, image))
        except ReadError as error:
            gone.append(error)
    if not rows:
        raise gone[0] if gone else MammoviewError("these studies have no image")
    if not gone:
        return tuple(rows), []
    left = (
        "1 image was left out: its file"
        if len(gone) == 1
        else f"{len(gone)} images were left out: their files"
    )
    return tuple(rows), [f"{left} can no longer be read ({gone[0].path.name}: {gone[0].reason})."]


def _row(study: Study, image: Image) -> Row:
    facts, spacing = image.patient, image.spacing
    # The id goes into lists and files of the reader's own: a hash stands for who it is.
    who = hashlib.sha256(f"{facts.issuer}\n{facts.id}".encode()).hexdigest()[:16] if facts.id else ""
    return Row(
        image_id=image.sop_uid or str(image.path),
        patient_id=who or NO_PATIENT + study.key,
        study_id=study.key,
        laterality=image.laterality or "",
        view=image.view or "",
        path=image.path,
        frame=0,
        sha256=_sha256(image.path),
        rows=image.rows,
        columns=image.columns,
        spacing_mm=(spacing.row_mm, spacing.col_mm) if spacing else None,
        source=image.source,
        density="",
        age=image.age,
        vendor=image.manufacturer,
        label="",
        label_source="no manifest",
    )


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise ReadError(path, f"cannot be read ({error.strerror})") from error


def _described(answers: Answers) -> Answers:
    model: AuditModel = audited.described(answers.model)
    return Answers(model, answers.status, answers.score, answers.breast, answers.exam, answers.said)


def _title(wanted: Wanted) -> str:
    if wanted.studies:
        return "1 study" if len(wanted.studies) == 1 else f"{len(wanted.studies)} studies"
    path = _path(wanted)
    return path.stem if wanted.manifest or not wanted.paths else path.name


def _path(wanted: Wanted) -> Path:
    """Return the manifest, the first path, or the folder that all files of the studies lie in."""
    if wanted.studies:
        folders = sorted({image.path.parent.absolute() for study in wanted.studies for image in study.images})
        try:
            return Path(os.path.commonpath(folders))
        except ValueError:  # on several drives
            return folders[0]
    return (wanted.paths or wanted.predictions)[0]


def _lacks(table: CaseTable) -> list[str]:
    """Return sentences on what the audit of this table can not say."""
    others = _differing([answers.model for answers in table.answers])
    unknown = int((table.truth == NO_TRUTH).sum())
    first, labels = table.answers[0].model, {word for word in table.label.words if known(word)}
    if first.positive and labels and labels.isdisjoint(first.positive):
        none = f"No label here is among those that are positive for {first.name} ({_positive(first)})"
        if unknown == len(table):
            return [f"{none}: outcomes, curves and the matrix stay empty.", *others]
        others = [f"{none}: no case counts as positive.", *others]
    if not unknown:
        return others
    if unknown == len(table):
        return ["Nothing is known of what is true: outcomes, curves and the matrix stay empty.", *others]
    return [f"{unknown} of {len(table)} images have no truth; they are in no curve and no cell.", *others]


def _differing(models: Sequence[AuditModel]) -> list[str]:
    """Return a sentence on each model whose positive labels are not the first one's, by which truth is."""
    first = models[0]
    return [
        f"What is true is by the positive labels of {first.name} ({_positive(first)}), for {each.name} too, "
        f"whose own are others ({_positive(each)})."
        for each in models[1:]
        if set(each.positive) != set(first.positive)
    ]


def _positive(model: AuditModel) -> str:
    return ", ".join(sorted(model.positive)) or "all that are not normal"
