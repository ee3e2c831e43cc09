"""What is wrong with a data set, one sentence each, from its manifest and the records of its pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.core.manifest import Manifest, Row
from app.core.stated import stored_orientation
from trainer.audit.facts import Facts, chest_side
from trainer.audit.twins import Pair
from trainer.splits import PARTS, Splits, overlaps

_NAMED = 6
_EMPTY = 0.004
"""Standard deviation of P-values (0..1) under which a picture shows nothing."""
_CUT_OFF = 0.5
"""Share of pixels at the largest value from which on a picture is burnt out."""
_USUAL = 0.9
"""Share of a data set's images of one side that make where its chest wall lies a habit."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Perceptual twins.

    Attributes
    ----------
    images
        Their two ids.
    likeness
        0.9..1.
    same_patient
        Whether both are of one patient.
    parts
        ``train and test of fold 0``, for each fold that has them in two parts; empty without splits.
    """

    images: tuple[str, str]
    likeness: float
    same_patient: bool
    parts: tuple[str, ...] = ()


def named(ids: Sequence[str]) -> str:
    """Return ids as a list of at most six and how many more there are."""
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more


def _places(splits: Splits | None) -> list[dict[str, set[str]]]:
    """Return for each fold the parts in which each patient stands."""
    places = []
    for fold in splits.folds if splits is not None else ():
        place: dict[str, set[str]] = {}
        for name in PARTS:
            for patient in fold.part(name):
                place.setdefault(patient, set()).add(name)
        places.append(place)
    return places


def _apart(patients: Iterable[str], places: Sequence[dict[str, set[str]]]) -> list[str]:
    """Return ``test and train of fold 0`` for each fold that has these patients in several parts."""
    wanted = set(patients)
    found = []
    for number, place in enumerate(places):
        parts = sorted(set().union(*(place.get(patient, set()) for patient in wanted)))
        if len(parts) > 1:
            found.append(f"{' and '.join(parts)} of fold {number}")
    return found


def leaks(rows: Sequence[Row], groups: Sequence[Sequence[int]], splits: Splits | None) -> list[str]:
    """Return a sentence per patient, or group of identical pictures, in two parts of a fold."""
    if splits is None:
        return []
    places = _places(splits)
    found = list(overlaps(splits))
    for group in groups:
        names = named([rows[number].image_id for number in group])
        for apart in _apart((rows[number].patient_id for number in group), places):
            found.append(f"identical pixels in {apart}: {names}")
    return found


def perceptual(rows: Sequence[Row], pairs: Sequence[Pair], splits: Splits | None) -> list[Alike]:
    """Return the pairs as the report names them, those in two parts first, then the most alike."""
    places = _places(splits)
    found = []
    for pair in pairs:
        one, other = rows[pair.first], rows[pair.second]
        apart = _apart((one.patient_id, other.patient_id), places)
        same = one.patient_id == other.patient_id
        found.append(Alike((one.image_id, other.image_id), pair.likeness, same, tuple(apart)))
    return sorted(found, key=lambda alike: (not alike.parts, alike.same_patient, -alike.likeness))


def _differ(rows: Sequence[Row], numbers: Sequence[int], what: str) -> list[str]:
    some = [rows[number] for number in numbers]
    found = []
    asked: tuple[tuple[str, Callable[[Row], str]], ...] = (
        ("labels", lambda row: row.label),
        ("sides", lambda row: row.laterality),
        ("densities", lambda row: row.density),
    )
    for word, value in asked:
        values = sorted({value(row) for row in some} - {""})
        if len(values) > 1:
            found.append(f"{what} with different {word} ({', '.join(values)}): "
                         f"{named([row.image_id for row in some])}")  # fmt: skip
    return found


def conflicts(
    rows: Sequence[Row], groups: Sequence[Sequence[int]], pairs: Sequence[Pair]
) -> tuple[list[str], int]:
    """Return sentences on identical or alike pictures with different labels, sides or densities.

    And the number of breasts of one study whose views carry different labels: often right (a lesion seen
    in one view only), so counted and not named.
    """
    found = [text for group in groups for text in _differ(rows, group, "identical pixels")]
    for pair in pairs:
        found += _differ(rows, (pair.first, pair.second), "perceptual twins")
    breasts: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        if row.laterality:
            breasts.setdefault((row.patient_id, row.study_id, row.laterality), set()).add(row.label)
    return found, sum(len(labels) > 1 for labels in breasts.values())


def junk(rows: Sequence[Row], facts: Facts, reasons: Sequence[str]) -> list[str]:
    """Return a sentence per picture that shows nothing, is burnt out, or is not of the size indexed."""
    found = []
    for row, fact, reason in zip(rows, facts, reasons, strict=True):
        if reason:
            continue
        if fact["low"] == fact["high"]:
            found.append(f"{row.image_id}: every pixel has the value {fact['low']:g}")
        elif fact["std"] < _EMPTY:
            found.append(f"{row.image_id}: nothing is seen (grey values vary by {100 * fact['std']:.2f} %)")
        elif fact["at_high"] > _CUT_OFF:
            found.append(
                f"{row.image_id}: {100 * fact['at_high']:.0f} % of the pixels have the largest value"
            )
        if (fact["rows"], fact["columns"]) != (row.rows, row.columns):
            found.append(f"{row.image_id}: the picture has {fact['rows']}x{fact['columns']} pixels, "
                         f"the manifest says {row.rows}x{row.columns}")  # fmt: skip
    return found


def sides(rows: Sequence[Row], facts: Facts) -> list[str]:
    """Return a sentence per image whose side or orientation its file or its pixels contradict.

    Where no orientation is known, the data set's own habit counts: if nine of ten images of a side have
    their chest wall on one edge and of the other side on the opposite one, the others are named.
    """
    found, free = [], []
    for number, (row, fact) in enumerate(zip(rows, facts, strict=True)):
        stated = fact["laterality"].decode()
        if stated in ("L", "R") and row.laterality in ("L", "R") and stated != row.laterality:
            found.append(f"{row.image_id}: the manifest says {row.laterality}, the file {stated}")
        seen, orientation = fact["chest"].decode(), stored_orientation(row)
        expected = chest_side(orientation)
        if fact["contradicted"] and orientation is None:
            found.append(f"{row.image_id}: the pixels show the chest wall on the other side than the file's "
                         f"Patient Orientation {fact['orientation'].decode()}")  # fmt: skip
        elif expected and seen and {seen, expected} in ({"left", "right"}, {"top", "bottom"}):
            found.append(f"{row.image_id}: the pixels show the chest wall on the {seen}, side "
                         f"{row.laterality} of this data set has it on the {expected}")  # fmt: skip
        elif not expected and not fact["orientation"] and seen and row.laterality in ("L", "R"):
            free.append(number)
    return found + _unusual(rows, facts, free)


def _unusual(rows: Sequence[Row], facts: Facts, free: Sequence[int]) -> list[str]:
    counts = {"L": Counter[str](), "R": Counter[str]()}
    for number in free:
        counts[rows[number].laterality][facts[number]["chest"].decode()] += 1
    habit: dict[str, str] = {}
    for side, seen in counts.items():
        if seen and seen.most_common(1)[0][1] >= max(5, _USUAL * seen.total()):
            habit[side] = seen.most_common(1)[0][0]
    if len(habit) < 2 or habit["L"] == habit["R"]:
        return []
    found = []
    for number in free:
        row, seen = rows[number], facts[number]["chest"].decode()
        usual = habit[row.laterality]
        # On top or at the bottom is mostly a breast whose fat at the chest wall is as black as air.
        if {seen, usual} == {"left", "right"}:
            found.append(
                f"{row.image_id}: side {row.laterality}, but the chest wall seems to be on the {seen} "
                f"(elsewhere in this data set on the {usual}): mirrored, or the wrong side"
            )
    return found


def depths(facts: Facts, reasons: Sequence[str]) -> dict[str, int]:
    """Return how many pictures have each ``PHOTOMETRIC, bits stored (bits used)``, the frequent first."""
    words = Counter(
        f"{fact['photometric'].decode()}, {fact['bits_stored']} bits ({fact['bits_used']} used)"
        for fact, reason in zip(facts, reasons, strict=True)
        if not reason
    )
    return dict(words.most_common())


def unassigned(manifest: Manifest, splits: Splits | None) -> int:
    """Return how many patients stand in no part of any fold."""
    if splits is None:
        return 0
    listed = {patient for fold in splits.folds for name in PARTS for patient in fold.part(name)}
    return len(set(manifest.patients) - listed)
