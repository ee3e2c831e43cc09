"""One mammogram as the workstation knows it: header facts and a key, never pixels.

Everything here is frozen. The reader (``app.core.dicom``) does all repair and records what it
inferred or doubted as `Note`; no other module looks at a DICOM tag.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

Laterality = Literal["L", "R", "B"]
Source = Literal["ffdm", "film", "synthetic2d", "dbt", "phantom", "unknown"]
Intent = Literal["presentation", "processing"]
VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader repaired, inferred or doubts about a file.

    Attributes
    ----------
    code
        A stable word such as ``orientation-inferred`` or ``spacing-conflict``.
    text
        One sentence for the radiologist.
    level
        ``info``; ``inferred`` (a value not stated by the file); ``warning`` (needs the reader's eye).
    """

    code: str
    text: str
    level: Literal["info", "inferred", "warning"] = "info"


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distance between pixel centres in the plane where the basis holds, in millimetres.

    Attributes
    ----------
    row_mm, col_mm
        Between neighbouring rows (vertical), between neighbouring columns (horizontal); > 0.
    basis
        ``at detector``, ``magnified`` (divided by `factor`), ``calibrated``, ``at film``,
        ``not calibrated``: stated as millimetres without saying in which plane they hold, or
        ``by hand``: said by the reader, of a picture that has none.
    factor
        Estimated radiographic magnification that was divided out; 1.0 when none was.
    """

    row_mm: float
    col_mm: float
    basis: Literal["at detector", "magnified", "calibrated", "at film", "not calibrated", "by hand"]
    factor: float = 1.0

    @property
    def label(self) -> str:
        """The basis as written beside every length, for example ``÷1.8 magnified``."""
        return f"÷{self.factor:g} magnified" if self.basis == "magnified" else self.basis


@dataclass(frozen=True, slots=True)
class Window:
    """A grey range, DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3.

    Attributes
    ----------
    center, width
        In units of the modality transform's output; width >= 1 for LINEAR, > 0 otherwise.
    function
        VOI LUT Function (0028,1056).
    explanation
        The file's own name for it, or ``automatic``.
    automatic
        True when no window stood in the file and this one was computed from breast pixels.
    """

    center: float
    width: float
    function: VoiFunction = "LINEAR"
    explanation: str = ""
    automatic: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A DICOM lookup table (VOI LUT or Modality LUT), PS3.3 C.11.1.1 and C.11.2.1.1.

    Attributes
    ----------
    first
        Input value mapped to entry 0; smaller inputs take entry 0, inputs past the end the last.
    data
        Read-only uint16 array of all entries (up to 65536).
    bits
        Bits per entry; VOI output is normalised by ``2**bits - 1``.
    explanation
        The file's own name for it.
    """

    first: int
    data: npt.NDArray[np.uint16]
    bits: int
    explanation: str = ""


Voi = Window | LookupTable


@dataclass(frozen=True, slots=True)
class Grey:
    """All facts of the grey-scale pipeline for one frame.

    Attributes
    ----------
    voi
        The file's alternatives: windows in file order, then tables. Empty if it names none.
    missing
        Their file has impossible alternatives too, left out of `voi`: these places, from 1.
    inverse
        True when P-values run against output values (MONOCHROME1 or Presentation LUT INVERSE;
        the two are the same statement and are applied once).
    padding
        Inclusive (low, high) range of *stored* values that are padding, or None.
    slope, intercept
        Rescale of stored values; ignored where `modality_lut` is present.
    bits_stored, signed
        Range of stored values.
    """

    voi: tuple[Voi, ...] = ()
    missing: tuple[int, ...] = ()
    inverse: bool = False
    padding: tuple[int, int] | None = None
    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: LookupTable | None = None
    bits_stored: int = 16
    signed: bool = False


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """Who was imaged, as the file says; repaired (an invalid date is None)."""

    id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: date | None = None
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One mammogram (a tomosynthesis object is one Image with several frames).

    Attributes
    ----------
    path
        The file. With `sop_uid` the key of the image.
    rows, columns, frames
        Size in stored pixels; frames >= 1.
    orientation
        Patient Orientation as (row direction letters, column direction letters), for example
        ``("P", "FL")``; None where neither the file nor the pixels tell.
    view
        CC MLO ML LM LMO SIO ISO XCC XCCL XCCM FB SPECIMEN or None.
    modifiers
        Short codes of view modifiers in file order: ``M S ID CV AT TAN RL RM RI RS NP AC IMF AX``.
    label
        Laterality, modifiers and view as written on the image: ``RMLO``, ``LCCID``, ``RMMLO``.
    grey
        One entry, or one per frame.
    acquired
        Acquisition date and time, else content, series or study date and time; None if none is valid.
    corner
        The corner texts of the full set as (name, text) in the order of the IHE list.
    kind
        ``dicom`` or ``raster``.
    """

    path: Path
    sop_uid: str
    sop_class: str = ""
    study_uid: str = ""
    series_uid: str = ""
    patient: PatientFacts = field(default_factory=PatientFacts)
    rows: int = 0
    columns: int = 0
    frames: int = 1
    laterality: Laterality | None = None
    view: str | None = None
    modifiers: tuple[str, ...] = ()
    label: str = ""
    partial: tuple[str, ...] = ()
    orientation: tuple[str, str] | None = None
    spacing: Spacing | None = None
    grey: tuple[Grey, ...] = (Grey(),)
    intent: Intent | None = None
    source: Source = "unknown"
    implant: bool = False
    photometric: str = "MONOCHROME2"
    transfer_syntax: str = ""
    modality: str = ""
    study_date: date | None = None
    study_description: str = ""
    accession: str = ""
    acquired: datetime | None = None
    age: str = ""
    manufacturer: str = ""
    model_name: str = ""
    corner: tuple[tuple[str, str], ...] = ()
    notes: tuple[Note, ...] = ()
    kind: Literal["dicom", "raster"] = "dicom"

    @property
    def key(self) -> tuple[str, str]:
        """(path, SOP instance UID): the identity under which pixels are cached."""
        return (str(self.path), self.sop_uid)

    def grey_of(self, frame: int = 0) -> Grey:
        """Return the grey-scale facts of a 0-based frame."""
        return self.grey[frame] if len(self.grey) > 1 else self.grey[0]


@dataclass(frozen=True, slots=True)
class Study:
    """The images of one visit of one patient, in acquisition order.

    Attributes
    ----------
    uid
        Study Instance UID as the files say; for output only, since two people may share one and a
        file may have none.
    key
        Unique among the studies of a collection, made by `app.core.dicom.grouping` from patient and
        uid: by this the workstation knows a study.
    """

    uid: str
    patient: PatientFacts
    date: date | None
    images: tuple[Image, ...]
    description: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        """Fall back to the uid where a study was made by hand."""
        if not self.key:
            object.__setattr__(self, "key", self.uid)


@dataclass(frozen=True, slots=True)
class Patient:
    """One person with all studies found, newest first; joined by the rule in DESIGN.md."""

    facts: PatientFacts
    studies: tuple[Study, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was found and not opened, and why (one clause, no full stop)."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What the finder found below the paths it was given."""

    patients: tuple[Patient, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
