from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torchvision.models.detection.image_list import ImageList

from model_zoo.architectures import ARCHITECTURES, build_network, role_of
from model_zoo.errors import BundleError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small only lose time by waiting for a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


SMALL = {"stem": 8, "widths": [8, 16, 16], "blocks": [1, 1, 1], "strides": [1, 2, 2]}


@pytest.mark.parametrize("norm", ["group", "batch"])
def test_the_classifier_answers_one_logit_per_output(norm: str) -> None:
    network = build_network("residual-classifier", {**SMALL, "norm": norm, "outputs": 3}).eval()
    with torch.no_grad():
        features = network.features(torch.rand(2, 1, 64, 96))
        assert features.shape == (2, 16, 4, 6)
        assert network(torch.rand(2, 1, 64, 96)).shape == (2, 3)


def test_the_last_map_may_be_a_sixteenth_or_a_thirty_second() -> None:
    for strides, scale in (([1, 2, 2, 1], 16), ([1, 2, 2, 2], 32)):
        assert build_network("residual-classifier", {"strides": strides}).stride == scale


@pytest.mark.parametrize(
    ("name", "config", "sentence"),
    [
        ("residual-classifier", {"widths": [12], "blocks": [1], "strides": [1]}, "multiples of 8, not 12"),
        ("residual-classifier", {"widths": [8, 8]}, "must name the same 1 to 6 stages"),
        ("residual-classifier", {"strides": [3, 1, 1, 1]}, "strides must lie in 1 to 2"),
        ("residual-classifier", {"norm": "layer"}, "norm must be one of group, batch"),
        ("residual-classifier", {"width": 3}, "width is not a field"),
        ("residual-classifier", {"widths": [8.5] * 4}, "whole numbers"),
        ("residual-classifier", {"outputs": True}, "outputs must be a whole number"),
        ("fcos-detector", {"finest": 5}, "finest must be one of the trunk's scales"),
        ("fcos-detector", {"channels": 40}, "channels must be a multiple of 32"),
        ("fcos-detector", {**SMALL, "strides": [1, 2, 1], "finest": 8}, "strides must be 2 after"),
        ("nothing", {}, "is not an architecture known here"),
    ],
)
def test_a_wrong_config_is_refused_in_one_sentence(name: str, config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BundleError, match=sentence):
        build_network(name, config)


def test_the_registry_tells_roles() -> None:
    assert role_of("residual-classifier") == "classifier"
    assert role_of("fcos-detector") == "detector"
    assert len({a.name for a in ARCHITECTURES}) == len(ARCHITECTURES)


def test_the_detectors_anchors_lie_in_the_middle_of_their_cells() -> None:
    detector = build_network("fcos-detector", {**SMALL, "finest": 8})
    images = torch.zeros(1, 1, 64, 32)
    with torch.no_grad():
        maps = list(detector.fcos.backbone(images).values())
    assert [tuple(level.shape[2:]) for level in maps] == [(8, 4), (4, 2)]
    (anchors,) = detector.fcos.anchor_generator(ImageList(images, [(64, 32)]), maps)
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    # Edges at pixel corners: cell i of stride 8 covers [8 i, 8 i + 8).
    wanted = [(8 * x + 4, 8 * y + 4) for y in range(8) for x in range(4)]
    wanted += [(16 * x + 8, 16 * y + 8) for y in range(4) for x in range(2)]
    torch.testing.assert_close(centres, torch.tensor(wanted, dtype=torch.float32))


def test_the_detector_sees_the_image_as_prepared() -> None:
    detector = build_network("fcos-detector", SMALL).eval()
    image = torch.rand(1, 70, 33)
    images, _ = detector.fcos.transform([image])
    torch.testing.assert_close(images.tensors, image[None])
    assert images.image_sizes == [(70, 33)]


def test_the_detector_learns_one_box_in_prepared_pixels() -> None:
    torch.manual_seed(0)
    detector = build_network("fcos-detector", {**SMALL, "classes": 2, "channels": 32, "convs": 1})
    image = torch.zeros(1, 1, 64, 96)
    image[..., 20:36, 50:74] = 1.0
    boxes = torch.tensor([[50.0, 20.0, 74.0, 36.0]])
    target = {"boxes": boxes, "labels": torch.tensor([1])}
    steps = 80
    optimiser = torch.optim.AdamW(detector.parameters(), lr=5e-3)
    # Falling to nothing: at a constant rate the last step decides by how much the box is off.
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, steps)
    detector.train()
    for _ in range(steps):
        loss = sum(detector(image, [target]).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        falling.step()
    detector.eval()
    detector.limit(0.05, 0.3, 5)
    with torch.no_grad():
        found = detector(image)[0]
    assert found["labels"][0] == 1
    torch.testing.assert_close(found["boxes"][0], boxes[0], atol=1.0, rtol=0.0)
    assert found["scores"][0] > 0.5
