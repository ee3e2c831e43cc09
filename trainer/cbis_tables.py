"""The four tables of CBIS-DDSM: one row per abnormality, in the names and forms in which they circulate.

``{mass,calc}_case_description_{train,test}_set.csv``. Traps: ``breast_density`` in the mass tables and
``breast density`` in the others; the last column ends in a line break inside its quotes; re-uploads
rename columns (``side``, ``view``, ``abn_num``, ``od_img_path``) and write backslashes; the columns of
crop and mask are not to be trusted in which is which, so only their folders are taken from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import TrainerError
from trainer.tables import find_table, is_missing, laterality, rows_of, whole

CASE = re.compile(
    r"(Mass|Calc)-(Training|Test)_(P_[0-9]{5})_(LEFT|RIGHT)_(CC|MLO)(?:_([0-9]{1,2}))?(?![0-9A-Za-z])"
)
"""The folder of a whole view, or with a number at its end that of one abnormality's crop and mask."""
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_ALIASES = {
    "side": "left or right breast",
    "view": "image view",
    "abn num": "abnormality id",
    "density": "breast density",
    "od img path": "image file path",
    "od crop path": "cropped image file path",
    "mask path": "roi mask file path",
}
_NEEDED = (
    "patient id",
    "breast density",
    "left or right breast",
    "image view",
    "abnormality id",
    "pathology",
    "image file path",
)
_DESCRIPTORS = ("mass shape", "mass margins", "calc type", "calc distribution", "assessment", "subtlety")
_PATHOLOGY = {"MALIGNANT": "malignant", "BENIGN": "benign", "BENIGN_WITHOUT_CALLBACK": "benign"}
_WORDS = {"mass": ("Mass", "mass"), "calc": ("Calc", "calcification")}
_PARTS = {"train": "Training", "test": "Test"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a table says that files lie: their case folder, study and series UID ("" where not given)."""

    case: str
    study: str = ""
    series: str = ""


@dataclass(frozen=True, slots=True)
class Abnormality:
    """One row of a table.

    Attributes
    ----------
    kind
        ``mass`` or ``calcification``.
    part
        ``train`` or ``test``.
    number
        From 1 on, within its case.
    image, regions
        Where the whole view is, and its crop and mask (one place or two, which is which unknown).
    """

    kind: str
    part: str
    patient: str
    laterality: str
    view: str
    number: int
    density: str
    pathology: str
    descriptors: tuple[tuple[str, str], ...]
    image: Place
    regions: tuple[Place, ...]

    @property
    def key(self) -> tuple[str, str, str]:
        """(patient, laterality, view): the image, of which masses and calcifications have a copy each."""
        return self.patient, self.laterality, self.view


def place_of(text: str) -> Place | None:
    """Return the place that a path cell names, None where it is empty or of another form."""
    parts = [part for part in text.replace("\\", "/").strip().split("/") if part]
    for number, part in enumerate(parts):
        if CASE.fullmatch(part):
            uids = [word for word in parts[number + 1 : number + 3] if _UID.fullmatch(word)]
            return Place(part, *uids)
    return None


def _abnormality(cells: dict[str, str], kind: str, part: str) -> Abnormality:
    patient = cells["patient id"]
    if not re.fullmatch(r"P_[0-9]{5}", patient):
        raise ValueError(f"{patient[:40]!r} is no patient id of the form P_00001")
    side = laterality(cells["left or right breast"])
    view = cells["image view"].upper()
    if view not in ("CC", "MLO"):
        raise ValueError(f"{view[:40]!r} is neither CC nor MLO")
    pathology = cells["pathology"].upper()
    if pathology not in _PATHOLOGY:
        raise ValueError(f"{pathology[:40]!r} is no pathology")
    density = whole(cells["breast density"], "breast density", 0, 4)
    number = whole(cells["abnormality id"], "abnormality id", 1, 99)
    prefix, word = _WORDS[kind]
    case = f"{prefix}-{_PARTS[part]}_{patient}_{'LEFT' if side == 'L' else 'RIGHT'}_{view}"
    regions = [place_of(cells.get(f"{name} file path", "")) for name in ("cropped image", "roi mask")]
    described = []
    for name in _DESCRIPTORS:
        value = cells.get(name, "")
        if name in ("assessment", "subtlety") and not is_missing(value):
            value = str(whole(value, name, 0, 6))
        if not is_missing(value):
            described.append((name, value))
    if pathology == "BENIGN_WITHOUT_CALLBACK":
        described.append(("benign by", "follow-up, without callback"))
    described.append(("abnormality id", str(number)))
    return Abnormality(
        kind=word,
        part=part,
        patient=patient,
        laterality=side,
        view=view,
        number=number,
        density=str(density) if density else "",
        pathology=_PATHOLOGY[pathology],
        descriptors=tuple(described),
        image=place_of(cells["image file path"]) or Place(case),
        regions=tuple(dict.fromkeys(place for place in regions if place)) or (Place(f"{case}_{number}"),),
    )


def read_tables(root: Path, report: Callable[[str], None]) -> list[Abnormality]:
    """Return the rows of all tables that are there; a row that cannot be understood is reported.

    Raises
    ------
    TrainerError
        No table, or one without a column it needs.
    """
    found, missing = [], []
    for kind in _WORDS:
        for part in _PARTS:
            name = f"{kind}_case_description_{part}_set.csv"
            table = find_table(root, (name,))
            if table is None:
                missing.append(name)
                continue
            for line, cells in rows_of(table, _NEEDED, aliases=_ALIASES):
                try:
                    found.append(_abnormality(cells, kind, part))
                except ValueError as error:
                    report(f"{table}: line {line} left out: {error}")
    if len(missing) == len(_WORDS) * len(_PARTS):
        raise TrainerError(f"{root}: none of the tables of CBIS-DDSM is here (such as {missing[0]})")
    for name in missing:
        report(f"{root}: no {name}, so its images are left out")
    return found


def in_both_parts(entries: Iterable[Abnormality]) -> tuple[str, ...]:
    """Return the patients who stand in the official training part and in the test part, sorted."""
    parts: dict[str, set[str]] = {}
    for entry in entries:
        parts.setdefault(entry.patient, set()).add(entry.part)
    return tuple(sorted(patient for patient, named in parts.items() if len(named) > 1))
