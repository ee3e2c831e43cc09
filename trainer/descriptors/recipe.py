"""A recipe of the task ``descriptors``: which columns of which tables, and which words are which term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model_zoo.descriptors import Descriptors, Group, Term, read_descriptors
from model_zoo.fields import Fields
from trainer.tables import column_name

TASK = "descriptors"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table that becomes a group of descriptors.

    Attributes
    ----------
    column
        Its name, as by `trainer.tables.column_name`.
    reads
        For each term the table's words that mean it; words joined by ``-`` hold together.
    ignored
        Words that say nothing about the lesion: taken as not given.
    """

    column: str
    group: Group
    reads: tuple[tuple[str, ...], ...]
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BundleRecipe:
    """One bundle of a recipe.

    Attributes
    ----------
    train, test
        Names of the official tables; fitting opens `train` alone, exporting and evaluating `test`.
    judgement
        The group that holds the reader's own judgement (the BI-RADS assessment): measured with and
        without it.
    references
        AUCs of others to stand beside ours: ``what``, ``auc``, ``low``, ``high``.
    """

    name: str
    version: str
    title: str
    of: str
    train: str
    test: str
    trained_on: str
    licence: str
    judgement: str
    columns: tuple[Column, ...]
    references: tuple[Mapping[str, Any], ...]
    card: Mapping[str, str]
    raw: Mapping[str, Any]

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of descriptors; `seen` of their terms is 0 until a training has counted."""
        return tuple(column.group for column in self.columns)


@dataclass(frozen=True, slots=True)
class DescriptorRecipe:
    """How the tables are fitted.

    Attributes
    ----------
    folds, repeats
        Of the patient cross-validation inside the training table.
    members
        Of the patient-bootstrap ensemble.
    alone, together
        Strengths of the shrinkage that are tried: of a group given alone towards 0, of several groups
        towards what they say when fewer are given.
    draws
        Of the patient bootstrap of every interval.
    """

    name: str
    folds: int
    repeats: int
    members: int
    alone: tuple[float, ...]
    together: tuple[float, ...]
    draws: int
    bundles: tuple[BundleRecipe, ...]
    raw: Mapping[str, Any]


def read_descriptor_recipe(content: Mapping[str, Any], where: str) -> DescriptorRecipe:
    """Return a recipe from its TOML; `BundleError` names an unknown key or a wrong value."""
    top = Fields(where, content)
    top.choice("task", (TASK,))
    bundles = tuple(read_bundle_recipe(where, raw) for raw in top.raw("bundles"))
    if not bundles:
        raise top.error("bundles", "must name at least one")
    made = DescriptorRecipe(
        top.text("name"),
        top.whole("folds", 10, low=2, high=100),
        top.whole("repeats", 3, low=1, high=100),
        top.whole("members", 200, low=2, high=10_000),
        _strengths(top, "alone"),
        _strengths(top, "together"),
        top.whole("draws", 2000, low=100, high=100_000),
        bundles,
        dict(content),
    )
    top.finish()
    return made


def _strengths(top: Fields, name: str) -> tuple[float, ...]:
    found = top.numbers(name, [1.0], low=1e-3, high=1e6)
    if not found:
        raise top.error(name, "must name at least one strength")
    return found


def read_bundle_recipe(where: str, raw: Any) -> BundleRecipe:
    """Return one bundle's part of a recipe from its TOML, or from the metrics.json that keeps it."""
    fields = Fields(f"{where}: bundles", raw)
    made = BundleRecipe(
        name=fields.text("name"),
        version=fields.text("version"),
        title=fields.text("title"),
        of=fields.text("of"),
        train=fields.text("train"),
        test=fields.text("test"),
        trained_on=fields.text("trained_on"),
        licence=fields.text("licence"),
        judgement=fields.text("judgement"),
        columns=tuple(_column(item) for item in fields.each("groups")),
        references=tuple(_reference(item) for item in fields.each("references", [])),
        card={name: str(text) for name, text in fields.mapping("card", {}).items()},
        raw=dict(raw),
    )
    if made.judgement not in [group.name for group in made.groups]:
        raise fields.error("judgement", f"names {made.judgement}, which is no group")
    fields.finish()
    return made


def _reference(fields: Fields) -> dict[str, Any]:
    auc = fields.number("auc", low=0, high=1)
    low, high = (fields.maybe(name, fields.number) for name in ("low", "high"))
    made = {"what": fields.text("what"), "auc": auc, "low": low, "high": high}
    fields.finish()
    return made


def _column(fields: Fields) -> Column:
    column, ignored = column_name(fields.text("column")), fields.texts("ignored", ())
    items = fields.each("terms")
    reads = tuple(item.texts("reads") for item in items)
    plain = {
        "groups": [
            {
                "name": fields.text("name"),
                "title": fields.text("title"),
                "many": fields.flag("many", False),
                "terms": [
                    {name: value for name, value in raw.items() if name != "reads"} | {"seen": 0}
                    for raw in fields.raw("terms")
                ],
            }
        ]
    }
    words = [word for group in reads for word in group] + list(ignored)
    if len(set(words)) != len(words):
        raise fields.error("terms", "read a word twice")
    fields.finish()
    return Column(column, read_descriptors(Fields(fields.where, plain)).groups[0], reads, ignored)


def counted(recipe: BundleRecipe, seen: Mapping[str, Mapping[str, int]]) -> Descriptors:
    """Return the vocabulary of a bundle with how many lesions had each term, by group and term."""
    return Descriptors(
        tuple(
            Group(
                group.name,
                group.title,
                group.many,
                tuple(Term(t.name, t.title, seen[group.name][t.name], t.also) for t in group.terms),
            )
            for group in recipe.groups
        )
    )
