"""Texture in numbers, and ordered classes by a line through them: expected values by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from model_zoo.architectures import build_network
from model_zoo.architectures.muscle import pectoral
from model_zoo.architectures.texture import NAMES, measure
from model_zoo.architectures.texture_classifier import TextureClassifier
from model_zoo.errors import BundleError, ModelError

ROWS, COLUMNS = 256, 192


def breast(values: np.ndarray | float) -> torch.Tensor:
    """A half ellipse of the given grey on the left edge, air elsewhere."""
    row, col = np.ogrid[:ROWS, :COLUMNS]
    inside = ((row - 127.5) / 120) ** 2 + (col / 170) ** 2 < 1
    return torch.from_numpy(np.where(inside, values, 0.0).astype(np.float32))


def numbers_of(image: torch.Tensor) -> dict[str, float]:
    return dict(zip(NAMES, measure(image).tolist(), strict=True))


def noise(size: int, spread: float, seed: int = 0) -> np.ndarray:
    """Squares of `size` pixels, each of one random grey."""
    small = np.random.default_rng(seed).normal(0.5, spread, (ROWS // size, COLUMNS // size))
    return np.kron(small, np.ones((size, size))).clip(0.05, 0.95)


def test_every_number_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(measure(breast(0.5)))


def test_grey_levels_of_an_even_breast_are_its_grey() -> None:
    found = numbers_of(breast(0.4))
    assert [found[f"grey {q:g}"] for q in (0.01, 0.5, 0.99)] == pytest.approx([0.4] * 3, abs=1e-4)
    assert found["mean"] == pytest.approx(0.4, abs=1e-4)
    assert found["spread"] < 1e-3


def test_half_dark_and_half_bright_tissue_is_told_by_mean_and_spread() -> None:
    halves = np.where(np.arange(ROWS)[:, None] % 64 < 32, 0.3, 0.7) * np.ones((1, COLUMNS))
    found = numbers_of(breast(halves))
    assert found["mean"] == pytest.approx(0.5, abs=0.03)
    assert found["spread"] == pytest.approx(0.2, abs=0.02)
    # Of two values that occur equally often the kurtosis is 1 and the skewness 0.
    assert found["kurtosis"] == pytest.approx(1.0, abs=0.1)
    assert found["skewness"] == pytest.approx(0.0, abs=0.25)


def test_twice_the_contrast_adds_the_logarithm_of_two_at_every_scale() -> None:
    weak, strong = numbers_of(breast(noise(4, 0.04))), numbers_of(breast(noise(4, 0.08)))
    for band in ("finest", "0.4 mm", "0.8 mm", "1.6 mm", "3.2 mm"):
        name = f"contrast at {band}"
        assert strong[name] - weak[name] == pytest.approx(math.log(2), abs=0.1)


def test_fine_and_coarse_structure_are_told_apart_by_scale() -> None:
    fine, coarse = numbers_of(breast(noise(2, 0.1))), numbers_of(breast(noise(16, 0.1)))
    assert fine["contrast at 0.4 mm"] > coarse["contrast at 0.4 mm"] + 0.5
    assert fine["contrast at 6.4 mm"] < coarse["contrast at 6.4 mm"] - 0.5


def test_shares_of_local_patterns_sum_to_one() -> None:
    found = numbers_of(breast(noise(4, 0.1)))
    for number in range(5):
        assert sum(v for k, v in found.items() if k.endswith(f"of {number}")) == pytest.approx(1.0, abs=1e-5)


def test_the_bright_triangle_at_chest_wall_and_head_is_the_muscle() -> None:
    row, col = np.ogrid[:64, :48]
    body = ((row - 31.5) / 31) ** 2 + (col / 42.0) ** 2 < 1
    muscle = body & (col / 20 + row / 36 < 1)
    image = np.where(muscle, 0.8, 0.4) * body
    found = pectoral(torch.from_numpy(image).float(), torch.from_numpy(body).float()).numpy() > 0
    both = (found & muscle).sum() / ((found | muscle) & body).sum()
    assert both > 0.8


def test_a_bright_muscle_does_not_brighten_the_breast() -> None:
    row, col = np.ogrid[:ROWS, :COLUMNS]
    with_muscle = np.where(col / 80 + (row - 8) / 140 < 1, 0.9, 0.4)
    found = numbers_of(breast(with_muscle))
    assert found["grey 0.9"] == pytest.approx(0.4, abs=0.02)
    assert found["median to muscle"] == pytest.approx(0.4 - 0.9, abs=0.05)


def test_an_image_without_a_breast_is_refused_with_a_sentence() -> None:
    with pytest.raises(ModelError, match="too little breast"):
        measure(torch.zeros(ROWS, COLUMNS))


def network_of(weight: float, biases: tuple[float, float]) -> TextureClassifier:
    """Both steps look at the mean grey alone."""
    network = build_network("texture-classifier", {"outputs": 4})
    assert isinstance(network, TextureClassifier)
    (steps,) = network.all_steps()
    with torch.no_grad():
        steps.weight[:, NAMES.index("mean")] = weight
        steps.bias.copy_(torch.tensor(biases))
    return network


def test_classes_are_the_differences_of_the_steps_chances() -> None:
    network = network_of(2.0, (0.0, -1.5))
    (logits,) = network(breast(0.5)[None, None]).tolist()
    beyond = [1 / (1 + math.exp(-(2 * 0.5 + bias))) for bias in (0.0, -1.5)]
    wanted = [1 - beyond[0], beyond[0] - beyond[1], beyond[1]]
    assert [math.exp(value) for value in logits[1:]] == pytest.approx(wanted, abs=1e-3)
    assert logits[0] == pytest.approx(2 * 0.5 - 1.5, abs=1e-3)


def test_a_later_step_is_never_likelier_than_an_earlier_one() -> None:
    (logits,) = network_of(0.0, (-1.0, 2.0))(breast(0.5)[None, None]).tolist()
    first = 1 / (1 + math.exp(1.0))
    assert [math.exp(value) for value in logits[1:]] == pytest.approx([1 - first, 1e-4, first], abs=1e-4)


def test_a_strange_number_counts_six_spreads_at_most() -> None:
    network = network_of(1.0, (0.0, 0.0))
    (steps,) = network.all_steps()
    steps.spread.fill_(1e-4)
    assert network.features(breast(0.5)[None, None]).shape == (1, len(NAMES), 1, 1)
    assert float(network(breast(0.5)[None, None])[0, 0].detach()) == pytest.approx(6.0)


def test_members_answer_with_the_mean_of_their_steps() -> None:
    both = build_network("texture-classifier", {"outputs": 4, "members": 2})
    first, second = network_of(2.0, (0.0, -1.5)), network_of(-1.0, (1.0, 0.5))
    state = {
        f"members.{n}.{name}": value
        for n, one in enumerate((first, second))
        for name, value in one.state_dict().items()
    }
    both.load_state_dict(state)
    image = breast(0.5)[None, None]
    mean = (float(first(image)[0, 0].detach()) + float(second(image)[0, 0].detach())) / 2
    assert float(both(image)[0, 0].detach()) == pytest.approx(mean, abs=1e-5)


@pytest.mark.parametrize("config", [{"outputs": 2}, {"outputs": 0}, {"members": 33}, {"depth": 3}])
def test_a_wrong_config_is_refused(config: dict[str, int]) -> None:
    with pytest.raises(BundleError, match="config of texture-classifier"):
        build_network("texture-classifier", config)
