"""From the command line to a bundle whose heat maps were tested."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from model_zoo.bundle import Bundle
from model_zoo.predictor import Device, load_predictor
from trainer.assess import ask
from trainer.evaluate import find_bundle, models_folder
from trainer.honesty.measure import Plan, measure_maps
from trainer.honesty.store import sentences, store
from trainer.splits import Part


def explain_bundle(
    name: str,
    part: Part,
    device: str,
    tell: Callable[[str], None],
    *,
    most: int,
    seed: int,
    second: str = "",
) -> tuple[Bundle, dict[str, Any]]:
    """Test a bundle's heat maps on a part, store the results in the bundle, return it and the block.

    Parameters
    ----------
    second
        Name or folder of another training of the same recipe, for repeatability; empty: its own members.

    Raises
    ------
    BundleError, TrainerError, ModelError
        No such bundle, nothing to test it on, a folder that cannot be written.
    """
    bundle = find_bundle(name, [models_folder()])
    where = cast(Device, device)
    whole = load_predictor(bundle, where)
    twin = load_predictor(find_bundle(second, [models_folder()]), where) if second else None
    with tempfile.TemporaryDirectory(prefix="mammoview-explain-") as work:
        asked = ask(bundle, where, Path(work))
        block = measure_maps(bundle, asked, whole, part, Plan(most, seed, twin), tell)
    for method, sentence in sentences(block).items():
        tell(f"{method}: {sentence}")
    return store(bundle, block), block
