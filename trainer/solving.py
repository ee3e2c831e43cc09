"""Heads that are solved, not stepped: the ridge-penalised logistic regressions of a texture classifier.

Its numbers are measured and not learnt, so the best weights are the minimum of a convex function: Newton's
method finds it in a few steps, the same each time. The epochs that follow only measure the loss.
"""

from __future__ import annotations

import numpy as np
import torch

from app.core.metrics.ranking import Floats
from model_zoo.architectures.texture_classifier import Steps, TextureClassifier
from model_zoo.errors import ModelError
from trainer.errors import TrainerError
from trainer.samples import PartSamples
from trainer.task import LesionTask

_NEWTON = 50
_SMALL = 1e-8
_LEAST_SPREAD = 1e-4
"""What hardly differs between images is left at that spread, which float16 can still hold."""


def settle(task: LesionTask, samples: PartSamples, *, solve: bool) -> None:
    """Solve the head of a texture classifier on the training part, and keep it from being stepped.

    Nothing is done to other networks.

    Parameters
    ----------
    solve
        False: the weights come from a checkpoint.

    Raises
    ------
    TrainerError
        The score is not of the last class, or a class is missing from the training part.
    """
    network = dict(task.networks.items()).get("classifier")
    if not isinstance(network, TextureClassifier):
        return
    if solve:
        numbers, beyond = _measured(network, samples)
        (steps,) = network.all_steps()
        _solve(steps, numbers, beyond, task.recipe.train.ridge)
    network.requires_grad_(False)


def _measured(network: TextureClassifier, samples: PartSamples) -> tuple[Floats, Floats]:
    """Return the numbers of images whose class is known, and 1 for each step that one lies beyond, else 0."""
    numbers, beyond = [], []
    for index in range(len(samples)):
        sample = samples[index]
        said = sample.said.numpy()
        if np.isnan(said).any():
            continue
        if len(said) and bool(said[-1]) != bool(sample.positive):
            raise TrainerError(
                f"{sample.image_id}: a texture classifier's score is of its last class, and target: positive "
                "names others"
            )
        order = np.arange(len(said) - 1) < said.argmax() if len(said) else np.array([sample.positive > 0])
        try:
            measured = network.features(sample.pixels[None])[0, :, 0, 0]
        except ModelError as error:
            raise TrainerError(f"{sample.image_id}: {error}") from error
        numbers.append(measured.double().numpy())
        beyond.append(order)
    found = np.array(beyond, dtype=np.float64)
    if not len(found) or found.min(axis=0).any() or not found.max(axis=0).all():
        raise TrainerError(
            "the training part lacks the first or the last class, so there is no order to learn"
        )
    return np.array(numbers), found


def _solve(steps: Steps, numbers: Floats, beyond: Floats, ridge: float) -> None:
    centre, spread = numbers.mean(axis=0), numbers.std(axis=0).clip(_LEAST_SPREAD)
    # As they will ship, so that the weights are solved for these very numbers.
    steps.centre.copy_(torch.from_numpy(centre).half())
    steps.spread.copy_(torch.from_numpy(spread).half())
    terms = steps.standard(torch.from_numpy(numbers).float()).double().numpy()
    with torch.no_grad():
        for number in range(beyond.shape[1]):
            weights = ridge_logistic(terms, beyond[:, number], ridge)
            steps.weight[number] = torch.from_numpy(weights[:-1])
            steps.bias[number] = float(weights[-1])


def ridge_logistic(terms: Floats, positive: Floats, ridge: float) -> Floats:
    """Return weights and, last, the offset of least log loss + ridge / 2 * sum(weight^2), by Newton's method.

    The offset is not penalised. Hastie, Tibshirani, Friedman (2009), 4.4 and 18.3.

    Parameters
    ----------
    terms
        (units, terms), standardised.
    positive
        (units,) of 0 and 1, both of which occur.
    """
    design = np.column_stack([terms, np.ones(len(terms))])
    penalty = np.full(design.shape[1], ridge)
    penalty[-1] = 0.0

    def loss(weights: Floats) -> float:
        z = design @ weights
        return float(np.sum(np.logaddexp(0, z) - positive * z) + np.sum(penalty * weights**2) / 2)

    weights = np.zeros(design.shape[1])
    weights[-1] = np.log(positive.mean() / (1 - positive.mean()))
    now = loss(weights)
    for _ in range(_NEWTON):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -50, 50)))
        slope = design.T @ (chance - positive) + penalty * weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        while loss(weights - step) > now and np.abs(step).max() > _SMALL:
            step /= 2
        weights, now = weights - step, loss(weights - step)
        if np.abs(step).max() < _SMALL:
            break
    return weights
