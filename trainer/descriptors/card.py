"""MODEL_CARD.md of a descriptor model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_zoo.spec import BundleSpec
from trainer.card import metrics_table
from trainer.descriptors.choose import TOLERANCE
from trainer.descriptors.recipe import BundleRecipe, DescriptorRecipe


def _facts(spec: BundleSpec) -> str:
    score = spec.outputs.score
    groups = spec.descriptors.groups if spec.descriptors else ()
    lines = [
        f"- Version {spec.model_version}, task: {spec.task}. It looks at no image and is no part of the "
        "second look.",
        f"- The score is of: {score.of} (per {score.unit}); calibrated at a prevalence of "
        f"{score.prevalence:.3f}, "
        "that of the training data, and moved from there to the prevalence that is entered.",
        f"- {spec.domain.trained_on}",
        f"- Licence: {spec.licence.name} (use: {spec.licence.use}).",
    ]
    lines += [
        f"- Operating point “{p.name}”: score ≥ {p.threshold:.4f}; {p.meaning}."
        for p in spec.operating_points
    ]
    lines += [
        f"- {group.title} ({'several may hold' if group.many else 'one of them'}): "
        + ", ".join(f"{term.title} ({term.seen})" for term in group.terms)
        + ". In brackets: lesions of the training table."
        for group in groups
    ]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _span(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def _beside(metrics: Mapping[str, Any], kind: str) -> str:
    """Return our AUC on the test table beside those of others."""
    lines = ["| AUC per lesion, official test table | value | 95 % interval |", "| --- | --- | --- |"]
    for name, said in (
        ("auc.lesion", "this model, every group"),
        (f"auc.{kind}.lesion", f"this model, {kind.replace('_', ' ')}"),
    ):
        found = metrics["metrics"][name]
        lines.append(f"| **{said}** | {_number(found['value'])} | {_span(found['low'], found['high'])} |")
    lines += [
        f"| {one['what']} | {_number(one['auc'])} | {_span(one.get('low'), one.get('high'))} |"
        for one in metrics["references"]
    ]
    return "\n".join([*lines, "| chance | 0.500 | – |"])


def _inside(metrics: Mapping[str, Any], recipe: DescriptorRecipe, judgement: str) -> str:
    found = metrics["cross_validation"]
    every, without = found["auc.lesion"], found["auc.without.lesion"]
    mean, blank = found["mean_of_repeats"], found["if_blanks_were_terms"]
    chosen = found["chosen"]
    return (
        f"Cross-validation inside the training table ({recipe.folds} folds by patient, {recipe.repeats} "
        "repeats; no "
        f"patient in both parts of a fold) chose among {len(found['tried'])} pairs of shrinkage by log loss, "
        f"and of those within {100 * TOLERANCE:g} % of the least took the strongest: "
        f"{chosen['alone']:g} for a group given alone, {chosen['together']:g} for several together. Out of "
        "fold AUC "
        f"{every['value']:.3f} [{every['low']:.3f} to {every['high']:.3f}] with every group, "
        f"{without['value']:.3f} "
        f"[{without['low']:.3f} to {without['high']:.3f}] without {judgement} (first repeat; means of the "
        "repeats "
        f"{mean[0]:.3f} and {mean[1]:.3f}). Were “not given” a term of its own, the means would be "
        f"{blank[0]:.3f} and "
        f"{blank[1]:.3f}: what blanks would bring, and what this model leaves alone."
    )


def _subgroups(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| subgroup | n | malignant | AUC | 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        told = _number(row["auc"]) if row["auc"] is not None else "too few"
        span = _span(row.get("low"), row.get("high"))
        lines.append(f"| {row['group']} | {row['n']} | {row['malignant']} | {told} | {span} |")
    return "\n".join(lines)


def _how(recipe: DescriptorRecipe) -> str:
    return (
        "Additive: the log-odds are the logit of the pre-test prevalence plus one contribution of each "
        "group of "
        "descriptors, exactly. Several terms of one group add up. A group that is not given contributes "
        "nothing: each "
        "set of groups that may be given has a table of its own, a ridge-penalised logistic regression "
        "fitted on every "
        "lesion that has these groups (whatever else it has), shrunk towards what the same groups say when "
        "fewer are "
        "given. One bundle therefore serves with and without the BI-RADS assessment: leave it out and it "
        "is not used. "
        "With nothing given the answer is the prevalence. Prevalence: the log-odds are moved by "
        "logit(entered) − "
        f"logit(training). Interval: 2.5th and 97.5th percentile of {recipe.members} refits on patients "
        "drawn with "
        "replacement; it is that of the estimate, not of the outcome, and holds the shrinkage and the "
        "data's selection for given. "
        "Where two terms of the 5th edition fall on one of these words (rim; 4A, 4B and 4C) they are not "
        "told apart; "
        "the pairing with the 5th edition is ours and was not checked by a radiologist. A breast density "
        "of 0 and a "
        "BI-RADS assessment of 1 say nothing about a lesion and count as not given; 6 is not taken."
    )


def descriptor_card(
    spec: BundleSpec,
    metrics: Mapping[str, Any],
    one: BundleRecipe,
    recipe: DescriptorRecipe,
    run: Mapping[str, Any],
) -> str:
    """Return the card of a descriptor bundle; every number in it is one of `metrics` or `spec`."""
    kind = next(name for name in metrics["subgroups"] if name != "every")
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    parts = [
        f"# {spec.title}",
        "Research use only. Not a medical device.",
        "## What it is",
        _facts(spec),
        "## Intended use",
        one.card.get("intended", "Research."),
        "## Not for",
        one.card.get("limits", "Any decision about a patient."),
        "## Data",
        one.card.get("data", one.trained_on),
        "## How it works",
        _how(recipe),
        "## Training",
        f"Recipe {recipe.name}, seed {run['seed']}; {versions}; one or two minutes on one CPU. Training "
        "table sha256 "
        f"{metrics['train_sha256']}, test table {metrics['test_sha256']}; split {metrics['split']}.",
        _inside(metrics, recipe, one.judgement),
        "## What it reaches",
        f"{metrics['protocol']} A lesion here is one row of the table: one lesion in one view. Intervals "
        "draw patients.",
        _beside(metrics, kind),
        "The numbers of others are of the same official test table, but those with subtlety use a rating "
        "that no reader "
        "gives, and may have read blanks. Inside their interval means equal.",
        metrics_table(metrics),
        "## Subgroups, every group given",
        _subgroups(metrics["subgroups"]["every"]),
        f"## Subgroups, {kind.replace('_', ' ')}",
        _subgroups(metrics["subgroups"][kind]),
    ]
    return "\n\n".join(parts) + "\n"


def report_text(spec: BundleSpec, metrics: Mapping[str, Any]) -> str:
    """Return the card of an evaluation: the bundle's facts and the numbers measured now."""
    parts = [
        f"# {spec.title}: evaluation",
        "Research use only. Not a medical device.",
        _facts(spec),
        "## What it reaches here",
        metrics["protocol"],
        metrics_table(metrics),
        "## Subgroups, every group given",
        _subgroups(metrics["subgroups"]["every"]),
    ]
    return "\n\n".join(parts) + "\n"
