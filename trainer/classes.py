"""Further classes of an image beside its score: kinds of calcification, density, tile classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from torch import Tensor

from app.core.manifest import Row
from trainer.recipe_blocks import Classes


def words_of(row: Row, of: str) -> frozenset[str]:
    """Return the words that a manifest's row says of an image, see `trainer.recipe_blocks.Classes`."""
    if of in ("label", "density"):
        return frozenset({getattr(row, of)} - {""})
    if of == "lesion":
        named = {" ".join(filter(None, (one.pathology, one.label))) for one in row.findings}
        return frozenset(named or {row.label})
    values = [lesion.descriptor(of) for lesion in row.findings]
    return frozenset(word for value in values for word in value.split("-") if word)


def said_of(row: Row, classes: Classes | None) -> npt.NDArray[np.float32]:
    """Return (K,) of 0 or 1 by class, or of NaN where none of the words is known; (0,) without classes."""
    if classes is None:
        return np.zeros(0, np.float32)
    words = words_of(row, classes.of)
    said = np.array([bool(words & set(known)) for known in classes.words.values()], np.float32)
    sure = said.any() if classes.several else said.sum() == 1
    return said if sure else np.full(len(said), np.nan, np.float32)


def class_loss(logits: Tensor, said: Tensor, classes: Classes) -> Tensor:
    """Return the mean cross entropy: of each class for itself where several may hold, else of the one.

    Parameters
    ----------
    logits, said
        (B, K); rows of `said` that are not numbers have no part in it.
    """
    known = ~torch.isnan(said).any(dim=1)
    if not bool(known.any()):
        return logits.sum() * 0
    logits, said = logits[known], said[known]
    if classes.several:
        return functional.binary_cross_entropy_with_logits(logits, said)
    return functional.cross_entropy(logits, said.argmax(dim=1))
