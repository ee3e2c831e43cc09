"""MODEL_CARD.md: what a bundle is for, what it is not for, what it was trained on and what it reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from model_zoo.spec import BundleSpec

_ORDER = (
    "density.auc_macro",
    "density.auc_d_vs_rest",
    "density.quadratic_kappa",
    "density.accuracy",
    "auc.image",
    "auc.breast",
    "auc.patient",
    "auc.malignant.image",
    "auc.malignant.breast",
    "auprc.image",
    "sens_at_spec90.image",
    "brier.image",
    "ece.image",
)


def _number(value: Any) -> str:
    return "–" if value is None else f"{float(value):.3f}"


def metrics_table(metrics: Mapping[str, Any]) -> str:
    """Return the metrics as a Markdown table: value, interval, baseline, unit, count, method."""
    names = [name for name in _ORDER if name in metrics["metrics"]]
    names += [name for name in metrics["metrics"] if name not in names]
    lines = [
        "| metric | value | 95 % interval | baseline | unit | n | method |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in names:
        entry = metrics["metrics"][name]
        interval = "–" if entry["low"] is None else f"{_number(entry['low'])} to {_number(entry['high'])}"
        lines.append(
            f"| `{name}` | {_number(entry['value'])} | {interval} | {_number(entry['baseline'])} "
            f"| {entry['unit']} | {entry['n']} | {entry['method']} |"
        )
    return "\n".join(lines)


def _facts(spec: BundleSpec) -> list[str]:
    score = spec.outputs.score
    calibrated = (
        f"calibrated at a prevalence of {score.prevalence:.3f} in the training data set and nowhere else"
        if score.calibrated and score.prevalence is not None
        else "not calibrated: a ranking value"
    )
    lines = [
        f"- Version {spec.model_version}, task: {spec.task}.",
        f"- The score is of: {score.of} (per {score.unit}); {calibrated}.",
        f"- Views: {', '.join(spec.views.allowed)}; required: {', '.join(spec.views.required) or 'none'}.",
        f"- {spec.domain.trained_on}",
        f"- Sources in the training domain: {', '.join(spec.domain.sources)}; on any other it declines. "
        "For Processing images are refused.",
        f"- Licence: {spec.licence.name} (use: {spec.licence.use}).",
    ]
    lines += [
        f"- Operating point “{p.name}”: score ≥ {p.threshold:.4f}; {p.meaning}."
        for p in spec.operating_points
    ]
    return lines


def _networks(spec: BundleSpec) -> list[str]:
    block = spec.preprocess
    size = f"{block.resize.rows} x {block.resize.columns}"
    scale = f"{block.resize.mm:g} mm per pixel" if block.resize.mm else "as large as fits"
    lines = [f"- {role}: `{net.architecture}`, {dict(net.config)}" for role, net in spec.networks.items()]
    lines.append(
        f"- Input: breast region {'cut out' if block.crop else 'kept in place'}, facing left, {scale}, "
        f"on a canvas of {size}; grey values: {block.normalise.method}."
    )
    how = spec.aggregation
    compared = f", less {how.bilateral:g} of the other breast's" if how.bilateral else ""
    lines.append(
        f"- Score of a view: {how.view} ({how.space}){compared}; breast: {how.breast} of its views; "
        f"exam: {how.exam}."
    )
    if spec.outputs.classes is not None:
        lines.append(_classes(spec))
    return lines


def _classes(spec: BundleSpec) -> str:
    """Return what the further classes are, and whose chances a view's are."""
    classes = spec.outputs.classes
    assert classes is not None
    how = "each for itself" if not classes.exclusive else "not calibrated"
    if classes.temperature is not None:
        how = f"logits over a temperature of {classes.temperature:g}, fitted as the score's calibration"
    if spec.aggregation.classes == "both-breasts":
        how += "; of a view the mean of its own and those of the other breast's same view, where it is"
    return f"- Classes of {classes.of}: {', '.join(classes.names)} ({how})."


def bundle_card(
    spec: BundleSpec,
    metrics: Mapping[str, Any],
    *,
    protocol: str,
    texts: Mapping[str, str],
    facts: Sequence[str],
) -> str:
    """Return the card of a bundle.

    Parameters
    ----------
    protocol
        How the metrics came about: one test part, out-of-fold, or a refit ("of the procedure").
    texts
        The recipe's ``card`` block: ``intended``, ``limits``, ``data``.
    facts
        Lines on the training (split hash, seeds, versions).
    """
    parts = [
        f"# {spec.title or spec.name}",
        "Research use only. Not a medical device.",
        "## What it is",
        "\n".join(_facts(spec)),
        "## Intended use",
        texts.get("intended", "Research."),
        "## Not for",
        texts.get("limits", "Any decision about a patient."),
        "## Data",
        texts.get("data", spec.domain.trained_on),
        "## How it works",
        "\n".join(_networks(spec)),
        "## Training",
        "\n".join(f"- {fact}" for fact in facts),
        "## What it reaches",
        protocol,
        metrics_table(metrics),
        _left_out(spec, metrics),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _left_out(spec: BundleSpec, metrics: Mapping[str, Any]) -> str:
    """Return what is not in the numbers; a model without a detector has no box metrics to be left out of."""
    lines = [f"- {count} not scored: {reason}" for reason, count in metrics.get("not_scored", {}).items()]
    if metrics.get("without_place") and "detector" in spec.networks:
        count = metrics["without_place"]
        images, they, are = (
            ("image has", "it counts", "is") if count == 1 else ("images have", "they count", "are")
        )
        lines.append(
            f"- {count} {images} an abnormality without a place: {they} for the image's metrics and {are} "
            "left out of the box metrics."
        )
    return "\n".join(lines)


def report_card(spec: BundleSpec, metrics: Mapping[str, Any], *, protocol: str) -> str:
    """Return the card of an evaluation: the bundle's facts and the numbers measured now."""
    parts = [
        f"# {spec.title or spec.name}: evaluation",
        "Research use only. Not a medical device.",
        "\n".join(_facts(spec)),
        "## What it reaches here",
        protocol,
        metrics_table(metrics),
        _left_out(spec, metrics),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
