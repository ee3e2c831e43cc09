"""What is measured of a bundle after its export, written into its own metrics.json and model card."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from model_zoo.bundle import Bundle, amend
from model_zoo.seal import CARD_FILE, METRICS_FILE


def put_section(card: str, heading: str, section: str) -> str:
    """Return a model card with a section in the place of its older one, or else at the end.

    Parameters
    ----------
    heading
        The section's first line, ``## ...``; an older section is known by it.
    section
        The whole section, its heading included.
    """
    older = re.compile(rf"^{re.escape(heading)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if not older.search(card):
        return f"{card.rstrip()}\n\n{section.rstrip()}\n"
    made = older.sub(lambda _: f"{section.rstrip()}\n\n", card, count=1)
    return f"{made.rstrip()}\n"


def write_notes(bundle: Bundle, metrics: Mapping[str, Any], card: str) -> Bundle:
    """Replace a bundle's metrics.json and card, whole or not at all, seal it anew and return it.

    Raises
    ------
    BundleError
        Where the folder cannot be written.
    """
    text = json.dumps(metrics, indent=1, allow_nan=False) + "\n"
    return amend(bundle, {METRICS_FILE: text.encode(), CARD_FILE: card.encode()})
