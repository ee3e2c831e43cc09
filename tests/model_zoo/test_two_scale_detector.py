"""A coarse and a fine detector as one: what each says comes out, in the input's pixels, on one scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from model_zoo.architectures import build_network
from model_zoo.architectures.two_scale_detector import area_mean
from model_zoo.errors import BundleError, ModelError

PART: dict[str, Any] = {
    "stem": 8,
    "widths": [8, 16],
    "blocks": [1, 1],
    "strides": [2, 2],
    "channels": 32,
    "convs": 1,
}
PAIR: dict[str, Any] = {"coarse": PART, "fine": PART, "shrink": 2.25, "slope": 2.0, "offset": -0.5}
SHAPE = (144, 104)
"""The coarse one's cells tile 64 x 48 of its pixels, 144 x 108 of these; the fine one's 144 x 112."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(before)


def loud(made: Any, seed: int) -> Any:
    """Weights of which cells differ, and all of them are boxes."""
    torch.manual_seed(seed)
    for name, value in made.state_dict().items():
        if "head" in name and value.ndim == 4:
            value.normal_(0.0, 0.15)
        if name.endswith("cls_logits.bias"):
            value.zero_()
    return made.eval()


def network(seed: int = 0, **changes: object) -> Any:
    return loud(build_network("two-scale-detector", {**PAIR, **changes}), seed)


def padded(columns: int) -> Tensor:
    """The image with its last column repeated."""
    return torch.nn.functional.pad(image()[None], (0, columns, 0, 0), mode="replicate")


def silence(part: Any) -> None:
    """Make one of the two say next to nothing."""
    for name, value in part.state_dict().items():
        if "cls_logits" in name:
            value.fill_(-1.0 if name.endswith("bias") else 0.0)
    part.fcos.head.classification_head.cls_logits.bias.fill_(-40.0)


def image(seed: int = 1) -> Tensor:
    return torch.rand(1, *SHAPE, generator=torch.Generator().manual_seed(seed))


def test_a_mean_over_areas_counts_each_pixel_by_what_is_covered() -> None:
    row = torch.arange(9, dtype=torch.float32)[None]
    made = area_mean(row.repeat(9, 1), (4, 4))
    # 9 pixels as 4: each covers 2.25 of them.
    expected = [
        (0 + 1 + 0.25 * 2) / 2.25,
        (0.75 * 2 + 3 + 0.5 * 4) / 2.25,
        (0.5 * 4 + 5 + 0.75 * 6) / 2.25,
        (0.25 * 6 + 7 + 8) / 2.25,
    ]
    torch.testing.assert_close(made, torch.tensor(expected)[None].repeat(4, 1))
    torch.testing.assert_close(area_mean(row, (1, 9)), row)


def test_the_coarse_one_is_shown_means_and_its_boxes_are_enlarged() -> None:
    both = network()
    silence(both.fine)
    for one in (both, both.coarse):
        one.limit(0.3, 0.4, 10)
    (own,) = both.coarse(area_mean(padded(4), (64, 48)))
    (found,) = both(image()[None])
    assert len(own["boxes"]) > 3, "no boxes prove nothing"
    torch.testing.assert_close(found["boxes"], own["boxes"] * 2.25, atol=1e-3, rtol=0.0)
    torch.testing.assert_close(found["scores"], own["scores"])
    assert not found["labels"].any()


def test_the_fine_ones_scores_come_on_the_coarse_ones_scale_with_a_label_of_their_own() -> None:
    both = network()
    silence(both.coarse)
    both.fine.limit(0.45, 0.4, 10)
    (own,) = both.fine(padded(8))
    # sigmoid(2 * logit(0.45) - 0.5)
    lowest = 1 / (1 + math.exp(-(2 * math.log(0.45 / 0.55) - 0.5)))
    both.limit(lowest, 0.4, 10)
    (found,) = both(image()[None])
    assert len(own["boxes"]) > 3, "no boxes prove nothing"
    torch.testing.assert_close(found["boxes"], own["boxes"], atol=1e-3, rtol=0.0)
    # sigmoid(2 logit(p) - 0.5) = o / (1 + o), o = (p / (1 - p))^2 exp(-0.5)
    odds = (own["scores"] / (1 - own["scores"])) ** 2 * math.exp(-0.5)
    torch.testing.assert_close(found["scores"], odds / (1 + odds))
    assert set(found["labels"].tolist()) == {1}


def test_boxes_of_both_come_the_best_first_and_no_more_than_asked() -> None:
    both = network(3, slope=1.0, offset=-1.0)
    both.limit(0.0, 0.5, 30)
    (found,) = both(image()[None])
    assert len(found["scores"]) == 30
    assert found["scores"].tolist() == sorted(found["scores"].tolist(), reverse=True)
    assert set(found["labels"].tolist()) == {0, 1}, "both have something to say"


def test_the_evidence_is_the_stronger_of_both_on_the_fine_grid() -> None:
    both = network(1)
    assert both.stride == 8.0
    (dense,) = both.dense(image()[None])
    assert dense.shape == (18, 13)
    silence(both.fine)
    (coarse,) = both.dense(image()[None])
    (own,) = both.coarse.dense(area_mean(padded(4), (64, 48)))
    assert coarse.max() == own.max()
    assert (dense >= coarse - 1e-6).all()
    assert (dense > coarse + 1e-3).any()


def test_pairs_that_are_the_same_answer_as_one_of_them() -> None:
    one = network()
    together = build_network("two-scale-detector", {**PAIR, "members": 2}).eval()
    together.load_state_dict(
        {f"members.{n}.{name}": value for n in (0, 1) for name, value in one.state_dict().items()}
    )
    for detector in (one, together):
        detector.limit(0.3, 0.3, 20)
    (own, seen), (other, also) = (each.forward_with_dense(image()[None]) for each in (one, together))
    torch.testing.assert_close(own[0], other[0], atol=1e-3, rtol=0.0)
    torch.testing.assert_close(seen, also)


def test_an_image_turned_over_gives_boxes_turned_over() -> None:
    part = {**PART, "mirrored": True}
    both = network(2, coarse=part, fine=part)
    both.limit(0.0, 0.5, 6)
    (own,), (other,) = both(image()[None]), both(image().flip(1)[None])
    x0, y0, x1, y1 = other["boxes"].unbind(1)
    torch.testing.assert_close(own["boxes"], torch.stack([x0, 144 - y1, x1, 144 - y0], 1), atol=1e-2, rtol=0)
    torch.testing.assert_close(own["scores"], other["scores"], atol=1e-4, rtol=0)


def test_it_is_joined_and_not_trained() -> None:
    both = network()
    with pytest.raises(ModelError, match="cannot be trained itself"):
        both(image()[None], [{}])
    both.train()
    with pytest.raises(ModelError, match="cannot be trained itself"):
        both(image()[None])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shrink": 0.5}, "shrink must lie in 1 to 16"),
        ({"slope": -1.0}, "slope must lie in"),
        ({"fine": {**PART, "members": 2}}, "fine must be of one member"),
        ({"coarse": {**PART, "mirrored": True}}, "mirrored if and only if coarse is"),
        ({"scale": 2}, "scale is not a field"),
        ({"fine": {**PART, "finest": 5}}, "finest must be one of"),
    ],
)
def test_a_config_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BundleError, match=said):
        build_network("two-scale-detector", {**PAIR, **change})
