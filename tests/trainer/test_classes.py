"""Further classes: which words of the manifest mean which, and what is left out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.core.manifest import Lesion, Row
from trainer.classes import class_loss, said_of, words_of
from trainer.recipe_blocks import Classes

ROW = Row(
    image_id="i", patient_id="p", study_id="s", laterality="L", view="CC", path=Path("x"), frame=0,
    sha256="", rows=1, columns=1, spacing_mm=None, source="film", density="G", age="", vendor="",
    label="benign", label_source="test",
)  # fmt: skip
TYPES = Classes("calc type", True, {"a": ("AMORPHOUS",), "rim": ("LUCENT_CENTER", "LUCENT_CENTERED")})


def with_types(*values: str) -> Row:
    lesions = tuple(Lesion("calcification", None, None, "benign", (("calc type", one),)) for one in values)
    return replace(ROW, findings=lesions)


def test_words_come_from_where_the_recipe_says() -> None:
    assert words_of(ROW, "density") == {"G"}
    assert words_of(ROW, "lesion") == {"benign"}
    assert words_of(with_types("AMORPHOUS"), "lesion") == {"benign calcification"}
    assert words_of(with_types("AMORPHOUS-SKIN", "COARSE"), "calc type") == {"AMORPHOUS", "SKIN", "COARSE"}


def test_joined_words_and_two_lesions_give_several_classes() -> None:
    assert said_of(with_types("LUCENT_CENTERED-AMORPHOUS"), TYPES).tolist() == [1, 1]
    assert said_of(with_types("AMORPHOUS", "LUCENT_CENTER"), TYPES).tolist() == [1, 1]
    assert said_of(with_types("AMORPHOUS-AMORPHOUS"), TYPES).tolist() == [1, 0]


def test_an_image_without_a_known_word_or_with_two_of_one_kind_is_left_out() -> None:
    assert np.isnan(said_of(with_types("N/A"), TYPES)).all()
    one = replace(TYPES, several=False)
    assert np.isnan(said_of(with_types("AMORPHOUS-LUCENT_CENTER"), one)).all()
    assert said_of(with_types("AMORPHOUS"), one).tolist() == [1, 0]


def test_the_loss_is_cross_entropy_of_what_is_known() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0], [100.0, -100.0]])
    said = torch.tensor([[1.0, 0.0], [math.nan, math.nan]])
    one = replace(TYPES, several=False)
    assert float(class_loss(logits, said, one)) == pytest.approx(-math.log(3 / 4))
    # Each for itself: -ln(3/4) of the first, -ln(1/2) of the second, their mean.
    assert float(class_loss(logits, said, TYPES)) == pytest.approx((math.log(4 / 3) + math.log(2)) / 2)
    assert float(class_loss(logits, torch.full((2, 2), math.nan), TYPES)) == 0.0
