"""Recipes are checked whole, before any training."""

from __future__ import annotations

import pytest

from app.core.errors import MammoviewError
from model_zoo.errors import ModelError
from trainer.descriptors.commands import takes_tables
from trainer.descriptors.recipe import read_descriptor_recipe
from trainer.leakage_demo import is_demo
from trainer.recipe import read_recipe, recipe_content, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_of_ours_makes_a_bundle(name: str) -> None:
    if takes_tables(name, ()):
        assert read_descriptor_recipe(recipe_content(name), name).name == name
        with pytest.raises(MammoviewError, match="learns from tables of descriptors"):
            read_recipe(name)
    elif is_demo(name):
        with pytest.raises(MammoviewError, match="makes no run and no bundle"):
            read_recipe(name)
    else:
        assert read_recipe(name).name == name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("networks.detector.config.classes=2", "detector has 2 classes"),
        ("target.findings.mass=['mass']", "findings names 2"),
        ("networks.detector.config.finest=5", "finest must be one of"),
        ("detection.nms_iou=7", "nms_iou must lie in"),
        ("detection.nms=0.3", "nms is not a field"),
        ("aggregation.view=oracle", "view must be one of"),
    ],
)
def test_a_recipe_whose_bundle_would_be_refused_is_refused(change: str, said: str) -> None:
    with pytest.raises((MammoviewError, ModelError), match=said):
        read_recipe("phantom-lesions", [change])
