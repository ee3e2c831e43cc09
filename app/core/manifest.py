"""The manifest: one table of all images of a data set, read and written as CSV.

Every later step (split, cache, fit, evaluate) reads this file and nothing else of the data set,
so that a new data set is one adapter and no other change.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from app.core.errors import MammoviewError
from app.core.files import write_text

COLUMNS = (
    "image_id",
    "patient_id",
    "study_id",
    "laterality",
    "view",
    "path",
    "frame",
    "sha256",
    "rows",
    "columns",
    "spacing_mm",
    "source",
    "density",
    "age",
    "vendor",
    "label",
    "label_source",
    "findings",
    "official_split",
    "licence",
)
"""Column names in file order; the contract of DESIGN.md."""

csv.field_size_limit(1 << 26)  # process-wide; an image with a thousand calcifications has a long cell

NO_PATIENT = "unknown-patient:"
"""Begins the patient id of an image whose patient its data set does not tell; the image's id follows."""

NORMAL_LABELS = frozenset({"normal", "negative", "birads-1", "0", "no"})
"""Labels, in lower case, that say there is no lesion; the one list of the trainer, the audit and curation."""

Box = tuple[float, float, float, float]


class ManifestError(MammoviewError):
    """A manifest, or a file that it names, cannot be used; one sentence."""


def is_normal(label: str) -> bool:
    """Tell whether a label says that there is no lesion: BI-RADS 1 does, BI-RADS 2 (benign) does not.

    An empty label says nothing and is not normal.
    """
    return label.strip().lower() in NORMAL_LABELS


@dataclass(frozen=True, slots=True)
class Lesion:
    """One marked abnormality of an image.

    Attributes
    ----------
    label
        The data set's own class, for example ``CIRC`` or ``mass``.
    box
        (row0, col0, row1, col1), continuous, edges at pixel corners, half-open, stored pixels,
        clipped to the image; None where the data set gives no place.
    mask
        Path of a mask, or None; ``trainer.rois.read_mask`` reads it and brings it to the image's size.
    pathology
        ``benign``, ``malignant`` or None.
    descriptors
        (name, value) pairs of what else the data set says of it, in its own words: shape, margins,
        BI-RADS assessment.
    """

    label: str
    box: Box | None = None
    mask: str | None = None
    pathology: str | None = None
    descriptors: tuple[tuple[str, str], ...] = ()

    def descriptor(self, name: str) -> str:
        """Return the value of a descriptor, "" where the data set gives none."""
        return dict(self.descriptors).get(name, "")


@dataclass(frozen=True, slots=True)
class Row:
    """One image of the manifest.

    Attributes
    ----------
    laterality, view
        ``L``/``R`` or "", ``CC``/``MLO``/... or "".
    path
        Absolute path of the file.
    frame
        0-based.
    sha256
        Of the file's bytes, in hexadecimal.
    spacing_mm
        (row, column) millimetres between pixel centres, or None.
    label
        The image's class in the data set's words: ``normal``, ``benign``, ``malignant``, ``lesion``;
        a recipe says which of them are positive.
    label_source
        ``<adapter>: <where the label comes from>``.
    official_split
        ``train``, ``test``, another word, or "" where there is none; two words part by a blank where the
        data set puts the same image into both.
    licence
        ``any: ...`` or ``research: ...`` with the licence's name.
    """

    image_id: str
    patient_id: str
    study_id: str
    laterality: str
    view: str
    path: Path
    frame: int
    sha256: str
    rows: int
    columns: int
    spacing_mm: tuple[float, float] | None
    source: str
    density: str
    age: str
    vendor: str
    label: str
    label_source: str
    findings: tuple[Lesion, ...] = ()
    official_split: str = ""
    licence: str = "research: unknown"

    @property
    def located(self) -> bool:
        """True when every marked abnormality has a place, so that box metrics may count the image."""
        return all(lesion.box is not None for lesion in self.findings)

    @property
    def patient_known(self) -> bool:
        """False where the data set does not tell whose image it is."""
        return not self.patient_id.startswith(NO_PATIENT)


@dataclass(frozen=True, slots=True)
class Manifest:
    """All images of a data set, in file order.

    Attributes
    ----------
    sha256
        Of the manifest file's bytes; what splits and bundles refer to.
    """

    path: Path
    rows: tuple[Row, ...]
    sha256: str

    @property
    def patients(self) -> tuple[str, ...]:
        """Patient ids in order of first appearance, each once."""
        return tuple(dict.fromkeys(row.patient_id for row in self.rows))

    @property
    def caveats(self) -> tuple[str, ...]:
        """What every report on these images must say, one sentence each."""
        return caveats_of(self.rows)


def caveats_of(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return what every report on these images must say, one sentence each."""
    unknown = sum(not row.patient_known for row in rows)
    if not unknown:
        return ()
    return (
        f"{unknown} of {len(rows)} images have no patient id: a split by patient is impossible, "
        "images of one patient may stand in several parts, and every number may be too good.",
    )


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's bytes in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def format_spacing(spacing: tuple[float, float] | None) -> str:
    r"""Return millimetres as written in the manifest: ``0.2``, or ``row\column`` where they differ."""
    if spacing is None:
        return ""
    row, col = spacing
    return f"{row:g}" if row == col else f"{row:g}\\{col:g}"


def parse_spacing(text: str) -> tuple[float, float] | None:
    """Return (row, column) millimetres of the manifest's text; raises ValueError on nonsense."""
    if not text.strip():
        return None
    parts = [float(part) for part in text.split("\\")]
    row, col = (parts[0], parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    if not (0 < row < math.inf and 0 < col < math.inf):
        raise ValueError(f"spacing {text} is not positive")
    return row, col


def _findings_text(findings: tuple[Lesion, ...]) -> str:
    return json.dumps(
        [
            {
                "label": lesion.label,
                "box": None if lesion.box is None else list(lesion.box),
                "mask": lesion.mask,
                "pathology": lesion.pathology,
                **({"descriptors": dict(lesion.descriptors)} if lesion.descriptors else {}),
            }
            for lesion in findings
        ]
    )


def _findings(text: str) -> tuple[Lesion, ...]:
    lesions = []
    for entry in json.loads(text) if text.strip() else []:
        box = entry.get("box")
        if box is not None:
            row0, col0, row1, col1 = (float(value) for value in box)
            box = (row0, col0, row1, col1)
        words = tuple((str(name), str(word)) for name, word in (entry.get("descriptors") or {}).items())
        label, mask, pathology = str(entry.get("label", "")), entry.get("mask"), entry.get("pathology")
        lesions.append(Lesion(label, box, mask, pathology, words))
    return tuple(lesions)


def write_manifest(rows: Iterable[Row], path: Path) -> Manifest:
    """Write rows as CSV with the contract's columns and return what was written."""
    kept = tuple(rows)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in kept:
        values = {field.name: getattr(row, field.name) for field in fields(row)}
        values["spacing_mm"] = format_spacing(row.spacing_mm)
        values["findings"] = _findings_text(row.findings)
        writer.writerow([str(values[name]) for name in COLUMNS])
    write_text(path, table.getvalue())
    return Manifest(path, kept, file_sha256(path))


def write_notes(sentences: Sequence[str], manifest: Path) -> Path:
    """Write what an adapter left out or doubted beside its manifest, one sentence a line; return the file.

    The file of an earlier index goes where there is nothing to say.
    """
    path = manifest.with_name(f"{manifest.name}.notes.txt")
    if sentences:
        write_text(path, "".join(f"{' '.join(sentence.split())}\n" for sentence in sentences))
    else:
        path.unlink(missing_ok=True)
    return path


def read_table(path: Path) -> tuple[list[tuple[int, dict[str, str]]], str]:
    """Return the rows of a CSV file, each with its line number, and the sha256 of its bytes.

    Cells that a row lacks are empty. A line break inside quotes belongs to its cell.

    Raises
    ------
    ManifestError
        The file is missing, no UTF-8 or no CSV.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), restval="")
        rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise ManifestError(f"{path}: the table cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        what = "it is no UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise ManifestError(f"{path}: the table cannot be read ({what})") from error
    return rows, hashlib.sha256(content).hexdigest()


def _row(cells: dict[str, str], folder: Path) -> Row:
    path = Path(cells["path"])
    values: dict[str, object] = dict(cells)
    values |= {
        "path": path if path.is_absolute() else folder / path,
        "frame": int(cells["frame"] or 0),
        "rows": int(cells["rows"]),
        "columns": int(cells["columns"]),
        "spacing_mm": parse_spacing(cells["spacing_mm"]),
        "findings": _findings(cells["findings"]),
    }
    return Row(**values)  # type: ignore[arg-type]


def read_manifest(path: Path) -> Manifest:
    """Read a manifest written by ``index`` (or by hand: relative paths start at its folder).

    Raises
    ------
    ManifestError
        Missing file, missing column, a row that cannot be understood, an image twice, no row.
    """
    table, sha256 = read_table(path)
    missing = [name for name in COLUMNS if table and name not in table[0][1]]
    if missing:
        raise ManifestError(f"{path}: the manifest lacks the column {missing[0]}")
    rows: list[Row] = []
    for line, cells in table:
        try:
            rows.append(_row({name: cells[name] for name in COLUMNS}, path.parent))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ManifestError(f"{path}: line {line} cannot be understood ({error})") from error
    if not rows:
        raise ManifestError(f"{path}: the manifest holds no image")
    seen: set[str] = set()
    for row in rows:
        if row.image_id in seen:
            raise ManifestError(f"{path}: the image {row.image_id} stands there twice")
        seen.add(row.image_id)
    return Manifest(path, tuple(rows), sha256)


def patient_mark(patient: str) -> str:
    """Return a patient's mark in a bundle: enough to recognise her.

    It carries no salt, so that the same patient has the same mark in every bundle: whoever can guess her id
    can check it, and ids that are counted up can all be tried. Train on a de-identified copy before a bundle
    leaves the house.
    """
    return hashlib.sha256(patient.encode()).hexdigest()[:16]


def check_file(row: Row) -> None:
    """Refuse an image file that is missing; raises ManifestError naming it."""
    if not row.path.is_file():
        raise ManifestError(
            f"{row.path}: the file named by the manifest is not there (moved since indexing?)"
        )


def check_unchanged(row: Row) -> None:
    """Refuse an image file that is missing or no longer the one that was indexed; raises ManifestError."""
    check_file(row)
    try:
        found = file_sha256(row.path)
    except OSError as error:
        raise ManifestError(f"{row.path}: cannot be read ({error.strerror})") from error
    if found != row.sha256:
        raise ManifestError(f"{row.path}: the file has changed since the manifest was made (another sha256)")
