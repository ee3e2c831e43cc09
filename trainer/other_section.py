"""The section of a model card on other data, and how it and its numbers get into the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from model_zoo.bundle import Bundle
from trainer.box_metrics import RATES
from trainer.bundle_notes import put_section, write_notes
from trainer.other_data import KEY

_MOST = 6
"""Types of lesion that the card names; metrics.json has all."""


def store_other(bundle: Bundle, entry: Mapping[str, Any]) -> Bundle:
    """Put an entry and its section into a bundle, in place of older ones of the same data; seal it anew.

    Raises
    ------
    BundleError
        Where the folder cannot be written.
    """
    metrics = bundle.metrics
    others = metrics.get(KEY, [])
    known = [one for one in others if isinstance(one, dict)] if isinstance(others, list) else []
    names = [one.get("name") for one in known]
    if entry["name"] in names:
        known[names.index(entry["name"])] = dict(entry)
    else:
        known.append(dict(entry))
    return write_notes(
        bundle, metrics | {KEY: known}, put_section(bundle.card, heading(entry), section(entry))
    )


def heading(entry: Mapping[str, Any]) -> str:
    """Return the section's first line."""
    return f"## On other data: {entry['name']}"


def section(entry: Mapping[str, Any]) -> str:
    """Return the section: what the data is, what the bundle shows there, and what its ranking is worth."""
    n, metrics = entry["n"], entry["metrics"]
    part = entry["part"]
    which = "" if entry["split"] == "all" else f"; the {part['name']} part of fold {part['fold']}"
    scored = "" if n["scored"] == n["images"] else f", {n['scored']} of them scored"
    parts = [
        heading(entry),
        f"{entry['data'].rstrip('.')}. {n['images']} images of {n['patients']} patients{scored}; none of "
        f"these trained or tuned it, as far as it says (manifest {entry['manifest_sha256'][:12]}{which}). "
        "Intervals: 95 %, patients drawn with replacement; of none or all, Wilson's with n = patients.",
    ]
    if entry["outside_domain"]:
        every = entry["outside_domain"] == n["images"]
        these = "These images are" if every else f"{entry['outside_domain']} of these images are"
        parts.append(f"**{these} outside its training domain; the workstation declines these.**")
    lines = [*_normal(entry), *_found(entry), *_auc(entry)]
    parts.append("\n".join(f"- {line}" for line in lines) or "Nothing here could be measured.")
    if "froc.centre@1" in metrics:
        parts.append(_froc(metrics))
    return "\n\n".join(parts)


def _between(entry: Mapping[str, Any], form: str = ".2f") -> str:
    """Return the interval in words, and whose it is where it is not the bootstrap's."""
    if entry["low"] is None:
        return "no interval"
    patients = entry.get("wilson_patients")
    how = "" if patients is None else f", Wilson, {patients} patients"
    return f"{format(entry['low'], form)} to {format(entry['high'], form)}{how}"


def _normal(entry: Mapping[str, Any]) -> list[str]:
    metrics = entry["metrics"]
    if entry["threshold"] is None:
        return []
    if "false_boxes_per_normal_image" not in metrics:
        return ["No image here is normal, so that false boxes per normal image cannot be said."]
    false, free = metrics["false_boxes_per_normal_image"], metrics["normal_images_without_box"]
    return [
        f"At the threshold that ships, {entry['threshold']:g}, a normal image gets {false['value']:.2f} "
        f"false boxes ({_between(false)}; {false['n']} images); {free['value']:.0%} of normal images get "
        f"none ({_between(free, '.0%')})."
    ]


def _found(entry: Mapping[str, Any]) -> list[str]:
    """Return how many lesions of each type and size are found at the threshold that ships."""
    made = []
    for word, what in (
        ("found.", f"Found from a score of {entry['threshold']:g} up"),
        ("found_size.", "By size"),
    ):
        own = {
            name.removeprefix(word): one for name, one in entry["metrics"].items() if name.startswith(word)
        }
        if not own or (word == "found_size." and set(own) == {"not stated"}):
            continue
        if word == "found_size.":
            own = {name: own[name] for name in sorted(own, key=_by_size)}
        shares = [f"{name} {_count(one)} ({_between(one)})" for name, one in list(own.items())[:_MOST]]
        rest = f"; {len(own) - _MOST} rarer types in metrics.json" if len(own) > _MOST else ""
        rule = ", a box's centre inside the lesion's box" if word == "found." else ""
        chance = max(one["baseline"] for one in own.values())
        made.append(
            f"{what}{rule}: {', '.join(shares)}{rest}. As many boxes at random: {chance:.2f} at most."
        )
    return made


def _by_size(band: str) -> tuple[bool, str]:
    """Order `size_band`'s words: under 10 mm, 10 to 20, 20 and over, not stated."""
    return not band.startswith("under"), band


def _count(entry: Mapping[str, Any]) -> str:
    return f"{round(entry['value'] * entry['n'])} of {entry['n']}"


def _auc(entry: Mapping[str, Any]) -> list[str]:
    shown = [
        f"{one['value']:.3f} per {one['unit']} ({_between(one, '.3f')}; {one['n']})"
        for name, one in entry["metrics"].items()
        if name.startswith("auc.")
    ]
    if not shown:
        if entry["n"].get("positive") == 0:
            words = " or ".join(entry["positive"])
            return [f"None of these labels is the bundle's positive one ({words}): no AUC."]
        return ["One kind of label only: no AUC."]
    return [f"AUC, {' or '.join(entry['positive'])} against the rest (chance 0.5): {', '.join(shown)}."]


def _froc(metrics: Mapping[str, Any]) -> str:
    """Return the table of lesions found at each rate of false boxes."""
    lesions = metrics["froc.centre@1"]["n"]
    lines = [
        f"Share found of all {lesions} lesions of these types, boxes too weak to be shown included:",
        "",
        "| false boxes per image | centre inside | IoU at least 0.2 | boxes at random (centre) |",
        "| --- | --- | --- | --- |",
    ]
    for rate in RATES:
        centre, overlap = metrics.get(f"froc.centre@{rate:g}"), metrics.get(f"froc.iou20@{rate:g}")
        if centre is not None and overlap is not None:
            cells = " | ".join(f"{one['value']:.3f} ({_between(one, '.3f')})" for one in (centre, overlap))
            lines.append(f"| {rate:g} | {cells} | {centre['baseline']:.3f} |")
    return "\n".join(lines)
