"""The ``descriptors`` block of bundle.json: which words about a lesion a model takes.

A model of the task ``descriptors`` looks at no image. It is told what a reader sees, in the words
of this block, one group of words after the other (morphology, distribution, ...).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from model_zoo.fields import Fields

_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Term:
    """One word that may be given.

    Attributes
    ----------
    name
        As `explain` takes it and as the tables are ordered: small letters, digits, single hyphens.
    title
        For people.
    seen
        Lesions of the training part that had it; where these are few the interval is wide.
    also
        Other words that are taken for it, for example the 5th edition's name of the same thing.
    """

    name: str
    title: str
    seen: int
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Words of one kind; ``many``: more than one of them may hold for a lesion."""

    name: str
    title: str
    many: bool
    terms: tuple[Term, ...]

    def find(self, word: str) -> int | None:
        """Return the place of a term by name or other word, or None; letters' case does not matter."""
        wanted = word.strip().lower()
        for place, term in enumerate(self.terms):
            if wanted == term.name or wanted in term.also:
                return place
        return None


@dataclass(frozen=True, slots=True)
class Descriptors:
    """All groups of a model, in the order in which its tables hold them."""

    groups: tuple[Group, ...]

    @property
    def terms(self) -> int:
        """How many terms there are in all groups together."""
        return sum(len(group.terms) for group in self.groups)

    def to_json(self) -> dict[str, Any]:
        """Return the block as `read_descriptors` takes it."""
        return asdict(self)


def read_descriptors(fields: Fields) -> Descriptors:
    """Return the block read from JSON; `BundleError` names a wrong field."""
    groups = tuple(_group(item) for item in fields.each("groups"))
    if not 1 <= len(groups) <= 8:
        raise fields.error("groups", f"must be 1 to 8, not {len(groups)}")
    names = [group.name for group in groups]
    if len(set(names)) != len(names):
        raise fields.error("groups", "names something twice")
    fields.finish()
    return Descriptors(groups)


def _group(fields: Fields) -> Group:
    terms = tuple(_term(item) for item in fields.each("terms"))
    if not 1 <= len(terms) <= 100:
        raise fields.error("terms", f"must be 1 to 100, not {len(terms)}")
    words = [word for term in terms for word in (term.name, *term.also)]
    twice = sorted({word for word in words if words.count(word) > 1})
    if twice:
        raise fields.error("terms", f"name {twice[0]} twice")
    group = Group(_code(fields, "name"), fields.text("title"), fields.flag("many"), terms)
    fields.finish()
    return group


def _term(fields: Fields) -> Term:
    also = fields.texts("also", ())
    if any(word != word.strip().lower() for word in also):
        raise fields.error("also", "must be in small letters")
    term = Term(_code(fields, "name"), fields.text("title"), fields.whole("seen", low=0, high=10**9), also)
    fields.finish()
    return term


def _code(fields: Fields, name: str) -> str:
    value = fields.text(name)
    if not _CODE.fullmatch(value):
        raise fields.error(name, f"must be small letters, digits and single hyphens, not {value!r}")
    return value
