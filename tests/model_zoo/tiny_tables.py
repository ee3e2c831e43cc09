"""A descriptor bundle whose tables are set by hand, so that its answers follow by arithmetic."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from model_zoo.bundle import Bundle, write_bundle
from model_zoo.descriptors import Descriptors, Group, Term
from model_zoo.spec import BundleSpec, Licence, Outputs, Score, at_rest
from model_zoo.tabular import GIVEN, MEMBERS, WEIGHTS

WORDS = Descriptors(
    (
        Group("shape", "Shape", False, (Term("round", "Round", 50), Term("irregular", "Irregular", 3))),
        Group(
            "margin",
            "Margin",
            True,
            (Term("sharp", "Sharp", 40, ("circumscribed",)), Term("spiky", "Spiky", 60)),
        ),
    )
)
LN = math.log


def tiny_spec(**changes: Any) -> BundleSpec:
    """Return a valid specification of a descriptor model; `changes` replace its fields."""
    spec = BundleSpec(
        name="tiny-words",
        model_version="1.0.0",
        task="descriptors",
        outputs=Outputs(Score("cancer in this lump", 0.5, True, "lesion")),
        licence=Licence("Apache-2.0", "any"),
        descriptors=WORDS,
        **at_rest("Trained on nothing."),
    )
    return replace(spec, **changes)


def tiny_tensors() -> dict[str, np.ndarray]:
    """Return tables: shape alone, margin alone, both; five members around them.

    Odds ratios: irregular 4 alone, 2 beside a margin; spiky 9 alone, 6 beside a shape; round and sharp
    their reciprocals. Member k = -2..2 adds k tenths to every term.
    """
    weights = np.array(
        [
            [-LN(4), LN(4), 0, 0],
            [0, 0, -LN(9), LN(9)],
            [-LN(2), LN(2), -LN(6), LN(6)],
        ]
    )
    given = np.array([[1, 0], [0, 1], [1, 1]], np.uint8)
    members = np.stack([weights + 0.1 * k for k in (-2, -1, 0, 1, 2)])
    return {GIVEN: given, WEIGHTS: weights, MEMBERS: members}


def tiny_tables(folder: Path, **changes: Any) -> Bundle:
    """Write the bundle and return it; `changes` replace fields of its specification."""
    empty = {"format": "mammoview-metrics", "version": 1}
    return write_bundle(folder, tiny_spec(**changes), tiny_tensors(), "# Tiny\n", empty)
