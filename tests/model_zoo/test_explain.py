from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model_zoo.architectures import build_network
from model_zoo.explain import exact_map, explain, gradcam, gradient_of, hirescam, map_affine


class PooledLinear(nn.Module):
    """A map that is the input, pooled by mean or maximum, and one linear head."""

    stride = 1

    def __init__(self, channels: int, *, maximum: bool = False) -> None:
        super().__init__()
        self.head, self.maximum = nn.Linear(channels, 2), maximum

    def features(self, x: Tensor) -> Tensor:
        return x

    def logits(self, features: Tensor) -> Tensor:
        pooled = features.amax(dim=(2, 3)) if self.maximum else features.mean(dim=(2, 3))
        return self.head(pooled)


@pytest.fixture
def features() -> Tensor:
    return torch.randn(5, 7, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def pooled_linear(*, maximum: bool = False) -> PooledLinear:
    torch.manual_seed(2)
    return PooledLinear(5, maximum=maximum).double()


@pytest.mark.parametrize("output", [0, 1])
def test_with_mean_pooling_and_a_linear_head_the_three_maps_are_one(features: Tensor, output: int) -> None:
    network = pooled_linear()
    weight = network.head.weight[output].detach()
    gradient = gradient_of(network, features, output)
    # d logit / d f[c, i, j] = w[c] / (H W), so every map is w . f[i, j] / (H W).
    by_hand = sum(weight[c] * features[c] for c in range(5)) / (7 * 3)
    torch.testing.assert_close(gradient, (weight / 21)[:, None, None].expand(5, 7, 3))
    torch.testing.assert_close(hirescam(features, gradient), by_hand)
    torch.testing.assert_close(gradcam(features, gradient), by_hand)
    torch.testing.assert_close(exact_map(features, weight), by_hand)


def test_the_exact_map_sums_to_the_logit_without_its_bias(features: Tensor) -> None:
    network = pooled_linear()
    logit = network.logits(features[None])[0, 0] - network.head.bias[0]
    torch.testing.assert_close(exact_map(features, network.head.weight[0]).sum(), logit)


def test_with_maximum_pooling_grad_cam_is_another_map_and_only_hirescam_keeps_to_the_maxima(
    features: Tensor,
) -> None:
    network = pooled_linear(maximum=True)
    gradient = gradient_of(network, features, 0)
    maxima = features == features.amax(dim=(1, 2), keepdim=True)
    used = maxima.any(dim=0)
    assert bool((hirescam(features, gradient)[~used] == 0).all())
    assert bool((gradcam(features, gradient)[~used] != 0).any())


def test_the_gradient_is_of_the_head_alone_and_needs_no_gradient_outside(features: Tensor) -> None:
    network = pooled_linear().requires_grad_(False)
    with torch.no_grad():
        gradient = gradient_of(network, features, 0)
    assert bool(torch.isfinite(gradient).all())
    assert features.grad is None


def test_rectified_maps_keep_only_what_speaks_for_the_output(features: Tensor) -> None:
    network = pooled_linear().float()
    signed = explain(network, features.float(), "signed")
    assert (signed < 0).any()
    assert signed.dtype == np.float32
    np.testing.assert_array_equal(explain(network, features.float(), "hirescam"), np.maximum(signed, 0))
    np.testing.assert_allclose(
        explain(network, features.float(), "gradcam"), np.maximum(signed, 0), rtol=1e-4, atol=1e-7
    )


def test_cells_tile_the_prepared_image() -> None:
    # Cell 0 of stride 4 covers prepared pixels 0..3, centre 1.5; with stored pixels half as large and
    # edges on edges its centre is at stored 2 * 1.5 + 0.5 = 3.5; the next is 8 further.
    to_stored = np.array([[2.0, 0.0, 0.5], [0.0, 2.0, 0.5]])
    affine = map_affine(to_stored, 4)
    np.testing.assert_allclose(affine @ [0, 0, 1], [3.5, 3.5])
    np.testing.assert_allclose(affine @ [1, 2, 1], [11.5, 19.5])


@pytest.mark.parametrize("scale", [4, 8, 16, 32])
def test_a_mirrored_image_gives_the_mirrored_map_so_cells_are_centred(scale: int) -> None:
    torch.manual_seed(3)
    strides = [1, 2, 2, 2][: {4: 1, 8: 2, 16: 3, 32: 4}[scale]]
    config = {"stem": 8, "widths": [8] * len(strides), "blocks": [1] * len(strides), "strides": strides}
    network = build_network("residual-classifier", config).eval()
    assert network.stride == scale
    # Symmetric kernels: what is left to break the symmetry is where each layer's cells are centred.
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data = module.weight.data + module.weight.data.flip(2)
            module.weight.data = module.weight.data + module.weight.data.flip(3)
    image = torch.rand(1, 1, 128, 64)
    with torch.no_grad():
        straight, mirrored = network.features(image), network.features(image.flip(3).flip(2))
    assert straight.shape[2:] == (128 // scale, 64 // scale)
    torch.testing.assert_close(mirrored.flip(3).flip(2), straight, rtol=1e-3, atol=1e-4)
