"""The networks of the documents: their layers, and where the cells of their last maps lie."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from model_zoo.architectures import build_network
from model_zoo.architectures.mask_detector import ellipse_masks
from model_zoo.architectures.transfer_classifier import KNOWN, grey_weights
from model_zoo.errors import BundleError


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


AS_IT_WAS = {"rows": 128, "columns": 128, "channels": [32, 64, 64], "pools": [0, 2, 2], "pointwise": 64}
CBIS = {"rows": 150, "columns": 150, "channels": [32, 64, 64], "pool_stride": 1, "dense": [128, 64]}


def test_the_networks_have_the_parameters_of_the_documents() -> None:
    with torch.device("meta"):
        four, two = build_network("plain-cnn", AS_IT_WAS), build_network("plain-cnn", CBIS)
    convolutions = (9 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 64
    # 128 - 2 - 2 = 124, halved 62, - 2 = 60, halved 30.
    assert sum(p.numel() for p in four.parameters()) == convolutions + 65 * 64 + 30 * 30 * 64 + 1
    # Poolings of step 1 take one pixel each, unpadded convolutions two: 150 - 3 * 3 = 141.
    flat = 141 * 141 * 64
    assert sum(p.numel() for p in two.parameters()) == convolutions + (flat + 1) * 128 + 129 * 64 + 65


def test_a_network_of_another_size_than_its_canvas_says_where_its_cells_are() -> None:
    small = {**CBIS, "channels": [2, 2, 2], "dense": []}
    network = build_network("plain-cnn", small).eval()
    with torch.no_grad():
        assert network.features(torch.rand(1, 1, 160, 160)).shape == (1, 2, 150, 150)
    assert network.stride * 150 == pytest.approx(160)
    with pytest.raises(ValueError, match="wants"):
        network(torch.rand(1, 1, 128, 128))


@pytest.mark.parametrize("pools", [[0, 2, 2], [2, 2, 2]])
def test_cells_of_a_plain_network_lie_where_the_image_changed(pools: list[int]) -> None:
    torch.manual_seed(0)
    config = {"rows": 128, "columns": 128, "channels": [4, 4, 4], "pools": pools}
    network = build_network("plain-cnn", config).eval()
    row, col = place_of_influence(network, (7, 9), 128)
    stride = network.stride
    assert row == pytest.approx(stride * 7 + (stride - 1) / 2, abs=stride / 2)
    assert col == pytest.approx(stride * 9 + (stride - 1) / 2, abs=stride / 2)


def place_of_influence(network: torch.nn.Module, cell: tuple[int, int], side: int) -> tuple[float, float]:
    """The middle of the pixels that a cell depends on, from gradients alone."""
    image = torch.rand(1, 1, side, side, requires_grad=True)
    network.features(image)[0, :, cell[0], cell[1]].sum().backward()
    where = image.grad[0, 0].abs().nonzero().double()
    low, high = where.min(dim=0).values, where.max(dim=0).values
    return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2


def straightened(network: torch.nn.Module) -> torch.nn.Module:
    for name, child in list(network.named_children()):
        if isinstance(child, torch.nn.BatchNorm2d | torch.nn.ReLU):
            setattr(network, name, torch.nn.Identity())
        elif isinstance(child, torch.nn.Conv2d):
            torch.nn.init.constant_(child.weight, 1.0 / child.weight[0].numel())
        elif isinstance(child, torch.nn.MaxPool2d):
            mean = torch.nn.AvgPool2d(
                child.kernel_size, child.stride, child.padding, child.ceil_mode, count_include_pad=False
            )
            setattr(network, name, mean)
        else:
            straightened(child)
    return network


@pytest.mark.parametrize("trunk", list(KNOWN))
def test_cells_of_a_known_trunk_tile_the_canvas(trunk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Inception's own branches call it; a maximum would choose one pixel of its window by chance.
    monkeypatch.setattr(torch.nn.functional, "max_pool2d", torch.nn.functional.avg_pool2d)
    network = straightened(build_network("transfer-classifier", {"trunk": trunk})).eval()
    with torch.no_grad():
        assert network.features(torch.rand(1, 1, 288, 352)).shape[2:] == (9, 11)
    image = torch.rand(1, 1, 64, 1664, requires_grad=True)
    network.features(image)[0, :, 1, 25].sum().backward()
    weight = image.grad[0, 0].double().sum(dim=0)
    centre = float((weight * torch.arange(1664)).sum() / weight.sum())
    assert centre == pytest.approx(32 * 25 + 15.5, abs=1.0)


def test_official_weights_answer_a_grey_picture_as_the_official_network_does() -> None:
    from torchvision.models import resnet34

    torch.manual_seed(1)
    official = resnet34(weights=None).eval()
    ours = build_network("transfer-classifier", {"trunk": "resnet34"}).eval()
    ours.body.load_state_dict(grey_weights("resnet34", official.state_dict()), strict=False)
    grey = torch.rand(1, 1, 64, 64)
    layers = torch.nn.Sequential(*list(official.children())[:-2])
    with torch.no_grad():
        torch.testing.assert_close(ours.body(grey), layers(grey.expand(1, 3, 64, 64)), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "config", "sentence"),
    [
        ("plain-cnn", {"rows": 64, "columns": 64, "channels": [4], "pools": []}, "must name the same"),
        ("plain-cnn", {"rows": 16, "columns": 16, "channels": [4] * 5}, "too small for its layers"),
        ("plain-cnn", {"rows": 150, "columns": 96, "channels": [4]}, "must be alike"),
        ("transfer-classifier", {"trunk": "vgg"}, "trunk must be one of"),
    ],
)
def test_a_wrong_config_is_refused_in_one_sentence(
    name: str, config: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BundleError, match=sentence):
        build_network(name, config)


def test_a_mask_is_the_ellipse_in_its_box() -> None:
    centres = torch.arange(20) + 0.5
    (mask,) = ellipse_masks(torch.tensor([[2.0, 4.0, 12.0, 10.0]]), centres, centres)
    rows, columns = mask.nonzero().unbind(1)
    assert (int(rows.min()), int(rows.max())) == (4, 9)
    assert (int(columns.min()), int(columns.max())) == (2, 11)
    assert int(mask.sum()) == pytest.approx(torch.pi * 5 * 3, rel=0.1)


def test_mask_rcnn_learns_one_box_and_gives_labels_from_0() -> None:
    torch.manual_seed(0)
    config = {"stem": 8, "widths": [16, 16, 16], "blocks": [1, 1, 1], "strides": [1, 2, 2], "channels": 32}
    network = build_network("mask-rcnn", {**config, "hidden": 32})
    image = torch.zeros(1, 64, 64)
    image[:, 20:36, 30:46] = 3.0
    target = {"boxes": torch.tensor([[30.0, 20.0, 46.0, 36.0]]), "labels": torch.tensor([0])}
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(40):
        losses = network([image], [target])
        assert "loss_mask" in losses
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    network.eval()
    network.limit(0.3, 0.3, 5)
    with torch.no_grad():
        (found,) = network(image[None])
    assert set(found) == {"boxes", "scores", "labels"}
    torch.testing.assert_close(found["boxes"][0], target["boxes"][0], atol=3.0, rtol=0)
    assert int(found["labels"][0]) == 0
