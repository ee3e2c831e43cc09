"""The invented woman of a phantom exam: name, birth date, dates of her exams; all from the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from app.core.phantom.texture import stream

_NAMES = (
    "Ada",
    "Beatrix",
    "Clara",
    "Dorothea",
    "Edith",
    "Flora",
    "Greta",
    "Hedda",
    "Ida",
    "Jutta",
    "Karla",
    "Lena",
    "Maud",
    "Nora",
    "Olga",
    "Paula",
    "Rosa",
    "Selma",
    "Thea",
    "Ursula",
    "Vera",
    "Wilma",
    "Xenia",
    "Yvonne",
    "Zelda",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A synthetic patient at one exam.

    Attributes
    ----------
    seed, key
        The exam's seed, and eight hexadecimal digits of everything else that made it.
    is_prior
        True for the exam two years earlier.
    """

    seed: int
    key: str
    patient_id: str
    name: str
    birth_date: date
    study_date: date
    is_prior: bool = False

    @property
    def age(self) -> int:
        """Whole years at the exam."""
        birthday = (self.birth_date.month, self.birth_date.day)
        before = (self.study_date.month, self.study_date.day) < birthday
        return self.study_date.year - self.birth_date.year - int(before)


def draw_subject(seed: int, key: str) -> Subject:
    """Return the patient of a seed, 45 to 72 years old, in 2026."""
    rng = stream("subject", seed)
    study = date(2026, 1, 12) + timedelta(days=int(rng.integers(300)))
    birth = date(study.year - int(rng.integers(46, 72)), int(rng.integers(1, 13)), int(rng.integers(1, 29)))
    name = _NAMES[seed % len(_NAMES)]
    return Subject(seed, key, f"PHANTOM-{seed:05d}-{key[:4]}", f"Phantom^{name}", birth, study)


def earlier(subject: Subject) -> Subject:
    """Return the same patient 24 months before."""
    then = subject.study_date
    day = min(then.day, 28)  # 29 February has no counterpart two years before
    return replace(subject, study_date=then.replace(year=then.year - 2, day=day), is_prior=True)
