"""What was measured of heat maps, into the bundle's own metrics.json and model card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.core.files import write_json, write_text
from model_zoo.bundle import Bundle
from model_zoo.seal import CARD_FILE, METRICS_FILE
from model_zoo.verdicts import KEY, WORDS, read_verdicts
from trainer.bundle_notes import put_section, write_notes

HEADING = "## Heat maps, tested"


def store(bundle: Bundle, block: Mapping[str, Any]) -> Bundle:
    """Put the block into a bundle, in place of an older one, and seal it anew.

    Raises
    ------
    BundleError
        Where the folder cannot be written.
    """
    return write_notes(bundle, bundle.metrics | {KEY: block}, with_section(bundle.card, block))


def add_to_report(folder: Path, block: Mapping[str, Any]) -> None:
    """Put the block into an evaluation's report, as `store` does into a bundle; may raise OSError."""
    path, card = folder / METRICS_FILE, folder / CARD_FILE
    metrics = json.loads(path.read_text(encoding="utf-8"))
    write_json(path, metrics | {KEY: block})
    write_text(card, with_section(card.read_text(encoding="utf-8"), block))


def with_section(card: str, block: Mapping[str, Any]) -> str:
    """Return a model card with the section on heat maps, in place of an older one."""
    return put_section(card, HEADING, section(block))


def section(block: Mapping[str, Any]) -> str:
    """Return the section of the model card."""
    n = block["n"]
    seen = n["in_sample_patients"]
    known = f" IN-SAMPLE: {seen} of these patients trained the weights." if seen else ""
    lines = [
        HEADING,
        "",
        f"Measured on {n['images']} images of {n['patients']} patients with lesions of known place "
        f"({block['data']}, {block['part']}, split {block['split'][:12]}, seed {block['seed']}).{known} "
        f"Rules version {block['rules_version']}, written down before any result was seen; "
        "docs/explanations.md gives them. A map that failed is hidden until it is asked for.",
    ]
    lines += [f"- `{method}`: {sentence}." for method, sentence in sentences(block).items()]
    names = list(block["methods"])
    lines += ["", f"| test | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for name, words in WORDS.items():
        cells = [_cell(name, block["methods"][method]["tests"][name]) for method in names]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def sentences(block: Mapping[str, Any]) -> dict[str, str]:
    """Return one line per method: its verdict and why."""
    made = {}
    for one in read_verdicts({KEY: block}):
        twin = block["methods"][one.method].get("same_as")
        made[one.method] = f"{one.verdict}: {one.line}" + (f" (draws what {twin} draws)" if twin else "")
    return made


def _cell(name: str, test: Mapping[str, Any]) -> str:
    value = test.get("value")
    if value is None:
        return str(test["result"])
    interval = "" if test.get("low") is None else f" [{test['low']:.2f}, {test['high']:.2f}]"
    beside = ""
    if name == "randomised":
        beside = f", two random {test['two_random']:.2f}"
    elif "references" in test:
        beside = ", " + ", ".join(f"{guess} {number:.2f}" for guess, number in test["references"].items())
    return f"{value:.2f}{interval}{beside}, n = {test['n']}: {test['result']}"
