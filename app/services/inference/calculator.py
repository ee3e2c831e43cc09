"""The calculator: a report's finding to a descriptor model, and its opinion back in our own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QObject, Signal, Slot

from app.core.reading.opinion import Opinion, Share
from app.core.reading.report import ReportFinding
from app.services.inference import catalogue
from app.services.jobs import Job, Jobs, Report
from model_zoo import tabular
from model_zoo.bundle import Bundle
from model_zoo.errors import ModelError

Words = dict[str, str]
"""Term by group, as a descriptor model takes them."""

SHAPES: Final[Mapping[tuple[str, str], str]] = {
    ("distortion", ""): "architectural-distortion",
    ("lymph-node", ""): "lymph-node",
    ("asymmetry", "focal"): "focal-asymmetry",
    ("asymmetry", "global"): "asymmetric-tissue",
}
"""Kinds of our lexicon that the mass model knows as shapes: (kind, term of its group ``type``)."""
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "mass": ("shape", "margin"),
    "calcifications": ("morphology", "distribution"),
}
DENSITIES: Final = {"a": "1", "b": "2", "c": "3", "d": "4"}
UNTRAINED: Final = ("", "1", "6")
"""Assessments that say nothing of a lesion, or all."""


def words_of(finding: ReportFinding, density: str, assessment: str) -> Words:
    """Return a finding's descriptors as a descriptor model takes them; empty where no model knows its kind.

    Parameters
    ----------
    density
        Code of the breast's density, a to d, or empty.
    assessment
        Category of the breast, or empty: the model is then asked without it.
    """
    if finding.kind in GROUPS:
        said = {group: finding.term(group) for group in GROUPS[finding.kind]}
    else:
        kind = finding.term("type") if finding.kind == "asymmetry" else ""
        said = {"shape": SHAPES.get((finding.kind, kind), "")}
    words = {group: term for group, term in said.items() if term}
    if not words:
        return {}
    if density in DENSITIES:
        words["breast-density"] = DENSITIES[density]
    if assessment not in UNTRAINED:
        words["assessment"] = assessment[0]
    return words


def opinion_of(bundle: Bundle, model: tabular.Calculator, words: Words, prevalence: float) -> Opinion:
    """Ask a descriptor model; a refusal is an opinion with its sentence."""
    spec = bundle.spec
    try:
        told = model.explain(words, prevalence)
    except ModelError as error:
        return Opinion(spec.name, spec.model_version, refused=str(error))
    titles = {
        group.name: {term.name: term.title for term in group.terms} for group in model.vocabulary.groups
    }
    shares = tuple(
        Share(
            each.title,
            tuple(titles[each.group][term] for term in each.terms),
            each.log_odds,
            each.low,
            each.high,
        )
        for each in told.contributions
    )
    low, high = told.interval
    return Opinion(
        spec.name,
        spec.model_version,
        model.of,
        told.probability,
        low,
        high,
        told.prevalence,
        model.prevalence,
        shares,
        (spec.domain.trained_on, *told.notes),
    )


def load_models(report: Report) -> tuple[tuple[Bundle, tabular.Calculator], ...]:
    """Return the descriptor models of this installation: a job."""
    found = [bundle for bundle in catalogue.find().bundles if not bundle.spec.reads_images]
    return tuple((bundle, tabular.load(bundle)) for bundle in found)


class Calculators(QObject):
    """The descriptor models, loaded when first asked.

    Signals: `ready`, once `opinion` gives answers.
    """

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = Jobs(1, self)
        self._asked = False
        self._models: tuple[tuple[Bundle, tabular.Calculator], ...] = ()

    def opinion(
        self, finding: ReportFinding, density: str, assessment: str, prevalence: float
    ) -> Opinion | None:
        """Return what the model for a finding's kind says; None: there is none, or not yet."""
        if not self._asked:
            self._asked = True
            self._jobs.start(Job(load_models), done=self._loaded)
        words = words_of(finding, density, assessment)
        for bundle, model in self._models:
            groups = {group.name for group in model.vocabulary.groups}
            if words and set(words) <= groups:
                return opinion_of(bundle, model, words, prevalence)
        return None

    def stop(self) -> None:
        """End the loading."""
        self._jobs.close()

    @Slot(object, object)
    def _loaded(self, _job: Job, models: tuple[tuple[Bundle, tabular.Calculator], ...]) -> None:
        self._models = models
        self.ready.emit()
