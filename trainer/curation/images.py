"""Finding the pixels again: the store names images by SOP Instance UID and studies by key, nothing else.

The images are looked for in a manifest (whose rows then say what was known before) or below a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.dicom.finder import find
from app.core.imaging.image import Image
from app.core.manifest import NO_PATIENT, Row, file_sha256, read_manifest
from app.core.reading.handles import identity
from trainer.curation.statements import file_identity
from trainer.errors import TrainerError
from trainer.examine import PICTURES, examine

LICENCE = "research: the licence of your own images is not stated"
UNLABELLED = ""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Known:
    """One image that was found.

    Attributes
    ----------
    identity
        The name under which marks know it: its SOP Instance UID, or its path without one.
    path
        Where the file lies.
    study
        Its study's key, as the workstation makes it from the same files.
    laterality
        ``L``, ``R``, ``B`` or empty.
    case
        The name of the case in every list: the image's id in the manifest, else its path below the folder.
    rows
        Its rows as they were before, by frame; empty where a folder was searched.
    image
        What the file says of itself; None where all rows that are needed are there (a snapshot).
    sha256
        Of the file, where it was asked for.
    """

    identity: str
    path: Path
    study: str
    laterality: str
    case: str
    rows: tuple[Row, ...]
    image: Image | None = None
    sha256: str = ""

    def row(self, frame: int = 0) -> Row:
        """Return the row of a frame; where there is none, one without a label, made from the file.

        Raises
        ------
        TrainerError
            The file cannot be read to its end.
        """
        for row in self.rows:
            if row.frame == frame:
                return row
        name = self.case if frame == 0 else f"{self.case}#{frame + 1}"
        if self.rows:
            return replace(self.rows[0], image_id=name, frame=frame, label=UNLABELLED, findings=())
        if self.image is None:
            raise TrainerError(f"{self.path}: the snapshot lacks frame {frame + 1} of {self.case}")
        return _made(self.image, self.case, name, frame)


def _made(image: Image, case: str, name: str, frame: int) -> Row:
    facts = examine(image.path)
    patient = image.patient.id or NO_PATIENT + case
    return Row(
        image_id=name,
        patient_id=patient,
        study_id=image.study_uid or patient,
        laterality=image.laterality or "",
        view=image.view or "",
        path=facts.path,
        frame=frame,
        sha256=facts.sha256,
        rows=image.rows,
        columns=image.columns,
        spacing_mm=facts.spacing_mm,
        source=image.source,
        density="",
        age=facts.years,
        vendor=facts.vendor,
        label=UNLABELLED,
        label_source="",
        licence=LICENCE,
    )


def known_images(source: Path, tell: Tell, *, hashed: bool = False) -> tuple[Known, ...]:
    """Return the images of a manifest or below a folder, by path.

    Parameters
    ----------
    hashed
        Files of a folder are needed by their hash too; a manifest has it.

    Raises
    ------
    TrainerError
        Neither a manifest nor a folder.
    ManifestError
        A manifest that cannot be read.
    """
    if source.is_dir():
        return _below(source.resolve(), tell, hashed)
    if not source.is_file():
        raise TrainerError(f"{source}: --images names neither a manifest nor a folder")
    rows: dict[Path, list[Row]] = {}
    for row in read_manifest(source).rows:
        rows.setdefault(row.path, []).append(row)
    found = []
    for image, study in _found(rows, tell):
        own = sorted(rows.get(image.path, []), key=lambda row: row.frame)
        if own:
            side = own[0].laterality or image.laterality or ""
            found.append(Known(identity(image), image.path, study, side, own[0].image_id, tuple(own), image))
    return tuple(found)


def _below(folder: Path, tell: Tell, hashed: bool) -> tuple[Known, ...]:
    found = []
    for image, study in _found([folder], tell):
        name = str(image.path.relative_to(folder).with_suffix("")).replace("\\", "/")
        sha256 = file_sha256(image.path) if hashed else ""
        found.append(
            Known(identity(image), image.path, study, image.laterality or "", name, (), image, sha256)
        )
    return tuple(found)


def _found(paths: Iterable[Path], tell: Tell) -> list[tuple[Image, str]]:
    collection = find(list(paths))
    for left in collection.left_out:
        tell(f"{left.path}: {left.reason}; left out")
    every = [
        (image, study.key)
        for patient in collection.patients
        for study in patient.studies
        for image in study.images
    ]
    return sorted(every, key=lambda each: str(each[0].path))


def is_path(identity: str) -> bool:
    """Tell whether an image is known by its path: a UID has no letter, a hash no suffix."""
    return Path(identity).suffix.lower() in PICTURES


class Finder:
    """Answers which images a store means, in a set of images that were found.

    Parameters
    ----------
    named
        The study of each image that the store names. A study whose key is not made again from these files
        (they were opened together with others) is known by the images that are named in it.
    """

    def __init__(self, known: Iterable[Known], named: dict[str, str]) -> None:
        self._by_identity: dict[str, Known] = {}
        self._by_study: dict[str, list[Known]] = {}
        every = tuple(known)
        for each in every:
            self._by_identity.setdefault(each.identity, each)
            self._by_identity.setdefault(str(each.path.resolve()), each)
            # A row without a hash is known by its id in verdicts.
            hashes = {each.sha256, *(row.sha256 or row.image_id for row in each.rows)} - {""}
            for sha256 in hashes:
                self._by_identity.setdefault(file_identity(sha256), each)
            self._by_study.setdefault(each.study, []).append(each)
        self._every = every
        for name, study in named.items():
            found = self.image(name)
            if found is not None and study not in self._by_study:
                self._by_study[study] = self._by_study[found.study]

    def image(self, identity: str) -> Known | None:
        """Return the image of that identity, or None.

        A path that was opened from within a folder is found where it is the end of one image's path alone.
        """
        found = self._by_identity.get(identity)
        if found is not None or not is_path(identity):
            return found
        end = "/" + Path(identity).as_posix().lstrip("./")
        ends = [each for each in self._every if each.path.as_posix().endswith(end)]
        return ends[0] if len(ends) == 1 else None

    def of_study(self, study: str) -> tuple[Known, ...]:
        """Return the images of a study; empty where none was found."""
        return tuple(self._by_study.get(study, ()))
