"""The moving average of the weights: what validates, and what a checkpoint gives to a bundle."""

from __future__ import annotations

import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


def averaged(mean: Tensor, new: Tensor, number: Tensor | int, decay: float) -> Tensor:
    """Return the mean with the weights of one more step.

    Parameters
    ----------
    number
        Steps in the mean so far; a tensor on a GPU is not waited for.
    decay
        Share that the mean keeps at most. Early on it keeps (1 + n) / (10 + n), or a short training's mean
        would be its first weights (as TensorFlow's ExponentialMovingAverage with ``num_updates``).
    """
    count = torch.as_tensor(number, dtype=torch.float32)
    keep = ((1 + count) / (10 + count)).clamp(max=decay)
    return mean * keep + new * (1 - keep)


class MovingAverage(WeightAveraging):  # type: ignore[misc]
    """Averages weights and batch statistics after each step.

    Checkpoints hold the average as ``state_dict`` and the moving weights beside it, so that a resumed
    training goes on with both.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(
            use_buffers=True, avg_fn=lambda mean, new, number: averaged(mean, new, number, decay)
        )
