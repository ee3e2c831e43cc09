"""What was said, by the image that it is of; and which images a study's read mark does not make normal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from app.core.manifest import is_normal
from trainer.curation.conflicts import UNNAMED
from trainer.curation.images import Finder, Known
from trainer.curation.statements import Mark, Said, Word

BREASTS: Final = {"R": "right", "L": "left"}


@dataclass(slots=True)
class Case:
    """What was said of one image.

    Attributes
    ----------
    doubt
        Why it is not normal though its study was read and nothing is marked in it; empty: nothing says so.
    """

    known: Known
    marks: list[Mark] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    doubt: str = ""

    @property
    def studies(self) -> set[str]:
        """The studies, by key, in which it was spoken of."""
        return {mark.study for mark in self.marks} | {word.study for word in self.words}

    @property
    def lesion(self) -> bool:
        """Whether anybody says that it shows a lesion, or it was known to."""
        return (
            any(mark.positive for mark in self.marks)
            or any(word.about == "label" and not is_normal(word.value) for word in self.words)
            or any(row.findings for row in self.known.rows)
        )


def cases_of(said: Said, finder: Finder) -> tuple[dict[str, Case], list[str]]:
    """Return what was said by image found, and a sentence for all that found no image."""
    cases: dict[str, Case] = {}
    missing: dict[str, None] = {}
    unplaced: dict[str, Word] = {}

    def case(known: Known) -> Case:
        return cases.setdefault(known.identity, Case(known))

    for mark in said.marks:
        known = finder.image(mark.image)
        if known is None:
            missing[f"image {mark.image} of study {mark.study}: not among the images searched"] = None
        else:
            case(known).marks.append(mark)
    for word in said.words:
        named = [finder.image(word.image)] if word.image else list(finder.of_study(word.study))
        found = [each for each in named if each is not None]
        meant = [each for each in found if word.about not in BREASTS or each.laterality == word.about]
        if not found:
            what = f"image {word.name} ({word.image})" if word.image else f"study {word.study}"
            missing[f"{what}: not among the images searched"] = None
        elif not meant:
            missing[_without_image(word)] = None
        for known in meant:
            case(known).words.append(word)
        if word.about in BREASTS:
            unplaced |= {each.identity: word for each in found if not meant or each.laterality not in BREASTS}
    _doubt(cases.values(), unplaced)
    return cases, list(missing)


def _without_image(word: Word) -> str:
    who, breast = word.reader or UNNAMED, BREASTS[word.about]
    return f"study {word.study}: no image is known to be of the {breast} breast, which {who} assessed"


def _doubt(cases: Iterable[Case], unplaced: Mapping[str, Word]) -> None:
    """Note which images a study's read mark does not make normal.

    Parameters
    ----------
    unplaced
        By image the assessment of its study that may be of it: nothing says so, nor that it is not.
    """
    studies: dict[str, list[Case]] = {}
    for case in cases:
        studies.setdefault(case.known.study, []).append(case)
    for beside in studies.values():
        lesions = [case for case in beside if case.lesion]
        for case in beside:
            other = next((each for each in lesions if each is not case and _one_breast(each, case)), None)
            word = unplaced.get(case.known.identity)
            if other is not None:
                case.doubt = f"{other.known.case} has a lesion and is, or may be, of the same breast"
            elif word is not None:
                case.doubt = f"the assessment of the {BREASTS[word.about]} breast may be of this image"


def _one_breast(one: Case, other: Case) -> bool:
    """Tell whether two images of a study may be of one breast."""
    return {one.known.laterality, other.known.laterality} != set(BREASTS)
