"""Members of a detector and its mirror image are averaged cell by cell."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from model_zoo.architectures import build_network
from model_zoo.architectures.fcos_maps import DenseMaps, boxes_of, dense_maps, mean_maps, strongest
from model_zoo.errors import BundleError, ModelError

SMALL: dict[str, Any] = {
    "stem": 8,
    "widths": [8, 16, 16],
    "blocks": [1, 1, 1],
    "strides": [1, 2, 2],
    "classes": 2,
    "channels": 32,
    "convs": 1,
}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.no_grad():
        yield
    torch.set_num_threads(before)


def network(seed: int, **changes: object) -> Any:
    """A network whose cells differ: fresh weights of the heads say nearly nothing."""
    torch.manual_seed(seed)
    made = build_network("fcos-detector", {**SMALL, **changes}).eval()
    for name, value in made.state_dict().items():
        if "head" in name and value.ndim == 4:
            value.normal_(0.0, 0.15)
        if name.endswith("cls_logits.bias"):
            value.zero_()
    return made


def image(seed: int = 1, rows: int = 64) -> Tensor:
    return torch.rand(1, rows, 96, generator=torch.Generator().manual_seed(seed))


def joined(members: list[Any], **changes: object) -> Any:
    """The ensemble of these detectors, by the names that its state has."""
    ensemble = build_network("fcos-detector", {**SMALL, "members": len(members), **changes}).eval()
    state = {
        f"members.{number}.{name}": value
        for number, member in enumerate(members)
        for name, value in member.state_dict().items()
    }
    ensemble.load_state_dict(state)
    return ensemble


def same_boxes(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert len(one["boxes"]) > 3, "no boxes prove nothing"
    torch.testing.assert_close(one["boxes"], other["boxes"], atol=1e-3, rtol=0.0)
    torch.testing.assert_close(one["scores"], other["scores"], atol=1e-5, rtol=0.0)
    assert torch.equal(one["labels"], other["labels"])


def test_members_that_are_the_same_answer_as_one_of_them() -> None:
    one = network(0)
    ensemble = joined([one, one, one])
    for detector in (one, ensemble):
        detector.limit(0.3, 0.3, 20)
    images = torch.stack([image(1), image(2)])
    for own, other in zip(one(images), ensemble(images), strict=True):
        same_boxes(own, other)
    torch.testing.assert_close(one.dense(images), ensemble.dense(images))


def test_the_limits_reach_what_answers() -> None:
    ensemble = joined([network(0), network(1)])
    ensemble.limit(0.0, 0.3, 4)
    (found,) = ensemble(image()[None])
    assert len(found["boxes"]) == 4
    ensemble.limit(float(found["scores"][1]), 0.3, 4)
    assert len(ensemble(image()[None])[0]["boxes"]) == 1
    assert ensemble.classes == 2


def test_the_mean_is_of_logits_and_of_distances() -> None:
    members = [network(seed) for seed in (0, 1, 2)]
    ensemble = joined(members)
    # What torchvision's own heads say, averaged by hand: the head is asked, not our maps.
    stacked = torch.stack([image()])
    said = [one.fcos.head(list(one.fcos.backbone(stacked).values())) for one in members]
    mean = {name: sum(own[name] for own in said) / 3 for name in said[0]}
    assert max(float((said[0][name] - mean[name]).abs().max()) for name in mean) > 0.1
    # The cell in row 3, column 5 of the finest level's 8 x 12 is number 41: class score times centre-ness.
    logits, centre = mean["cls_logits"][0, 41], float(mean["bbox_ctrness"][0, 41, 0])
    wanted = max(1 / (1 + math.exp(-float(one))) for one in logits) / (1 + math.exp(-centre))
    (maps,) = ensemble._maps(stacked)
    torch.testing.assert_close(maps.logits[0][3, 5], logits)
    own = float(maps.logits[0][3, 5].sigmoid().max() * maps.centreness[0][3, 5, 0].sigmoid())
    assert own == pytest.approx(wanted, abs=1e-5)
    # The box of that cell: its middle (44, 28), less and plus the mean distances times the stride 8.
    left, top, right, bottom = (8 * float(value) for value in mean["bbox_regression"][0, 41])
    ensemble.limit(0.0, 1.0, 10_000)
    (found,) = ensemble(stacked)
    box = torch.tensor([44 - left, 28 - top, 44 + right, 28 + bottom])
    box = torch.minimum(box.clamp_min(0), torch.tensor([96.0, 64.0, 96.0, 64.0]))
    score = torch.sqrt(logits.sigmoid() * torch.tensor(centre).sigmoid())
    apart = (found["boxes"] - box).abs().amax(1) + (found["scores"] - score[found["labels"]]).abs()
    assert float(apart.min()) < 1e-3


def maps_of(cells: list[float], distances: list[list[float]]) -> DenseMaps:
    """Two rows of one cell of stride 4."""
    return DenseMaps(
        (torch.tensor(cells).reshape(2, 1, 1),),
        (torch.tensor(distances).reshape(2, 1, 4),),
        (torch.tensor(cells).reshape(2, 1, 1) + 1,),
        (torch.tensor([[0.0, 0.0, 4.0, 4.0], [0.0, 4.0, 4.0, 8.0]]),),
        (8, 4),
    )


def test_a_mean_by_hand() -> None:
    a = maps_of([1.0, -2.0], [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]])
    b = maps_of([3.0, 0.0], [[2.0, 2.0, 2.0, 2.0], [0.0, 1.0, 0.0, 1.0]])
    mean = mean_maps([a, b])
    assert mean.logits[0].flatten().tolist() == [2.0, -1.0]
    assert mean.centreness[0].flatten().tolist() == [3.0, 0.0]
    assert mean.distances[0].reshape(2, 4).tolist() == [[1.0, 1.5, 2.0, 2.5], [2.0, 3.0, 3.0, 4.0]]


def test_turned_over_top_and_bottom_change_places() -> None:
    a = maps_of([1.0, -2.0], [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]])
    turned = a.turned()
    assert turned.logits[0].flatten().tolist() == [-2.0, 1.0]
    assert turned.centreness[0].flatten().tolist() == [-1.0, 2.0]
    assert turned.distances[0].reshape(2, 4).tolist() == [[4.0, 7.0, 6.0, 5.0], [0.0, 3.0, 2.0, 1.0]]


@pytest.mark.parametrize("members", [1, 2])
def test_a_mirrored_image_gives_the_mirrored_boxes(members: int) -> None:
    made = [network(seed, mirrored=True) for seed in range(members)]
    detector = made[0] if members == 1 else joined(made, mirrored=True)
    plain = network(0) if members == 1 else joined([network(seed) for seed in range(members)])
    for one in (detector, plain):
        one.limit(0.3, 0.3, 20)
    (own,), (over,) = detector(image()[None]), detector(image().flip(1)[None])
    back = over["boxes"].clone()
    back[:, [1, 3]] = 64 - over["boxes"][:, [3, 1]]
    same_boxes(own, {**over, "boxes": back})
    torch.testing.assert_close(detector.dense(image().flip(1)[None]).flip(1), detector.dense(image()[None]))
    # It is the averaging that does it: without it the answers differ.
    scores = [plain(one[None])[0]["scores"][0] for one in (image(), image().flip(1))]
    assert abs(float(scores[0] - scores[1])) > 1e-3


def test_mirroring_leaves_names_and_training_alone() -> None:
    plain, mirrored = network(0), network(0, mirrored=True)
    assert plain.state_dict().keys() == mirrored.state_dict().keys()
    assert next(iter(plain.state_dict())).startswith("fcos.backbone.trunk.stem")
    target = {"boxes": torch.tensor([[50.0, 20.0, 74.0, 36.0]]), "labels": torch.tensor([1])}
    losses = [one.train()(image()[None], [target]) for one in (plain, mirrored)]
    for name, value in losses[0].items():
        assert torch.equal(value, losses[1][name]), name


def test_maps_and_boxes_come_of_one_pass() -> None:
    ensemble = joined([network(0), network(1)])
    ensemble.limit(0.3, 0.3, 20)
    found, dense = ensemble.forward_with_dense(image()[None])
    same_boxes(found[0], ensemble(image()[None])[0])
    assert ensemble.stride == 8.0
    assert dense.shape == (1, 8, 12)
    assert torch.equal(dense, ensemble.dense(image()[None]))


def test_our_boxes_are_those_of_the_network_itself() -> None:
    one = network(3)
    one.limit(0.3, 0.3, 20)
    maps = dense_maps(one.fcos, image())
    same_boxes(one.fcos([image()])[0], boxes_of(one.fcos, maps))
    # A coarse cell covers 2 x 2 fine ones; the larger of both levels is shown.
    fine = maps.logits[0][2, 3].sigmoid().max() * maps.centreness[0][2, 3, 0].sigmoid()
    coarse = maps.logits[1][1, 1].sigmoid().max() * maps.centreness[1][1, 1, 0].sigmoid()
    assert float(strongest(maps)[2, 3]) == pytest.approx(max(float(fine), float(coarse)))


def test_an_ensemble_is_not_trained() -> None:
    ensemble = joined([network(0), network(1)])
    target = {"boxes": torch.tensor([[50.0, 20.0, 74.0, 36.0]]), "labels": torch.tensor([1])}
    with pytest.raises(ModelError, match="2 members cannot be trained"):
        ensemble(image()[None], [target])
    with pytest.raises(ModelError, match="2 members cannot be trained"):
        ensemble.train()(image()[None])


def test_rows_that_the_cells_do_not_tile_are_not_mirrored() -> None:
    with pytest.raises(ModelError, match="needs a multiple of 16 rows, not 72"):
        network(0, mirrored=True)(image(rows=72)[None])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"members": 0}, "members must lie in 1 to 32, not be 0"),
        ({"members": 33}, "members must lie in 1 to 32, not be 33"),
        ({"mirrored": 1}, "mirrored must be true or false"),
    ],
)
def test_wrong_members_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BundleError, match=sentence):
        build_network("fcos-detector", {**SMALL, **changes})
