"""The runs of several folds as one bundle, and one of its members asked alone again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from model_zoo.bundle import Bundle, write_bundle
from model_zoo.spec import Network
from trainer.errors import TrainerError
from trainer.recipe import Recipe

ENSEMBLES = {
    "classifier": ("evidence-classifier", "texture-classifier"),
    "detector": ("fcos-detector", "two-scale-detector"),
}
"""By role, the architectures that know `members`."""

MEAN_BOXES = (
    "Box threshold, calibration and operating point were chosen on the boxes of single members. A mean of "
    "members says less extreme scores than one member: an image's best score is as a rule somewhat lower, "
    "so that at these thresholds the ensemble shows fewer boxes, true and false, than its members did"
)
"""What must be said of a detector ensemble whose thresholds come from its members."""


def ensemble_role(networks: Mapping[str, Any]) -> str | None:
    """Return the role of the network that has several members, or None.

    Parameters
    ----------
    networks
        By role: a bundle's `Network`, or a recipe's block.
    """
    for role, network in networks.items():
        config = network.config if isinstance(network, Network) else network.get("config", {})
        if config.get("members", 1) > 1:
            return role
    return None


def ensemble_recipe(recipe: Recipe, members: int) -> Recipe:
    """Return the recipe of an ensemble of runs of this one.

    Raises
    ------
    TrainerError
        Networks that cannot be averaged, or that are ensembles already.
    """
    if len(recipe.networks) == 1:
        (role,) = recipe.networks
        name, config = recipe.config(role) or ("", {})
        if name in ENSEMBLES.get(role, ()):
            if config.get("members", 1) != 1:
                raise TrainerError(
                    f"{recipe.name}: each run is an ensemble already, and ensembles are not joined"
                )
            block = {"architecture": name, "config": {**config, "members": members}}
            return replace(recipe, networks={role: block})
    raise TrainerError(
        f"{recipe.name}: folds become an ensemble only where their one network is an "
        f"{' or an '.join(chain(*ENSEMBLES.values()))}; name a refit (fit --fold all) beside them"
    )


def ensemble_state(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the tensors of an ensemble: ``role.x`` of run N becomes ``role.members.N.x``.

    Classifiers share one head, made so that the logit is the mean of theirs.
    """
    made: dict[str, Tensor] = {}
    for number, state in enumerate(states):
        for name, value in state.items():
            role, _, rest = name.partition(".")
            if not name.startswith("classifier.head."):
                made[f"{role}.members.{number}.{rest}"] = value
    if "classifier.head.weight" in states[0]:
        heads = [state["classifier.head.weight"].float() / len(states) for state in states]
        bias = sum(state["classifier.head.bias"].float() for state in states) / len(states)
        made["classifier.head.weight"] = torch.cat(heads, dim=1)
        made["classifier.head.bias"] = torch.as_tensor(bias)
    return made


def member_facts(fold: int, patients: list[str], state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return what metrics.json says of a member, so that it can be asked alone.

    Parameters
    ----------
    patients
        Marks of whom it has seen.
    state
        Of its run. A classifier's own offset is lost in the mean of the heads and is kept here.
    """
    facts: dict[str, Any] = {"fold": fold, "patients": patients}
    if "classifier.head.bias" in state:
        facts["offset"] = float(state["classifier.head.bias"].float()[0])
    return facts


def member_bundle(bundle: Bundle, number: int, folder: Path) -> Bundle:
    """Write the bundle that asks one member of an ensemble only, and return it."""
    role = ensemble_role(bundle.spec.networks)
    if role is None:
        raise TrainerError(f"{bundle.folder}: metrics.json names members, but no network has any")
    network = bundle.spec.networks[role]
    config = {name: value for name, value in network.config.items() if name != "members"}
    state = safetensors.torch.load_file(str(bundle.weights))
    within = f"{role}.members.{number}."
    own = {
        f"{role}.{name.removeprefix(within)}": value
        for name, value in state.items()
        if name.startswith(within)
    }
    if "classifier.head.weight" in state:
        members = int(network.config["members"])
        head: Tensor = state["classifier.head.weight"].float()
        own["classifier.head.weight"] = head.chunk(members, dim=1)[number] * members
        own["classifier.head.bias"] = torch.tensor([float(bundle.metrics["members"][number]["offset"])])
    spec = replace(bundle.spec, networks={role: Network(network.architecture, config)})
    return write_bundle(folder, spec, own, bundle.card, bundle.metrics)
