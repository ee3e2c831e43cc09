"""Weights learnt elsewhere: official .pth files made into safetensors that a recipe may start from.

Nothing is ever downloaded. A .pth file is read as plain tensors (`weights_only`): what else it holds is
refused. The safetensors file says in its header which trunk it is, where it is from, and under what licence.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from app.core.files import whole
from app.core.manifest import file_sha256
from model_zoo.architectures.transfer_classifier import KNOWN, grey_weights
from trainer.errors import TrainerError

SUFFIX = ".safetensors"
LICENCE = "research: weights learnt on ImageNet (its pictures are for research only)"
_URL = "https://download.pytorch.org/models/"
OFFICIAL = {
    "resnet34": f"{_URL}resnet34-b627a593.pth",
    "googlenet": f"{_URL}googlenet-1378be20.pth",
    "inception-v3": f"{_URL}inception_v3_google-0cc3c7bd.pth",
}
"""Where torchvision's own weights lie; the eight digits are the first of the file's sha256."""


def import_weights(source: Path, target: Path) -> str:
    """Write the trunk of an official .pth file as safetensors for one channel; return the trunk's name.

    Raises
    ------
    TrainerError
        No such file, not plain tensors, or not the weights of a known trunk.
    """
    if target.suffix != SUFFIX:
        raise TrainerError(f"{target}: the name must end in {SUFFIX}")
    try:
        official = torch.load(source, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainerError(f"{source}: is not there") from error
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError) as error:
        raise TrainerError(f"{source}: is no file of plain tensors, and nothing else is read") from error
    if not isinstance(official, dict) or not all(isinstance(value, Tensor) for value in official.values()):
        raise TrainerError(f"{source}: holds something else than named tensors")
    trunk, tensors = _recognised(source, official)
    facts = {"trunk": trunk, "source": source.name, "sha256": file_sha256(source), "licence": LICENCE}
    with whole(target) as part:
        safetensors.torch.save_file(tensors, part, metadata=facts)
    return trunk


def _recognised(source: Path, official: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
    for trunk in KNOWN:
        try:
            return trunk, grey_weights(trunk, official)
        except (KeyError, ValueError):
            continue
    raise TrainerError(f"{source}: holds the weights of none of {', '.join(KNOWN)}")


def is_file(pretrained: str) -> bool:
    """Tell whether a recipe starts from a file of imported weights, and not from a run or a bundle."""
    return pretrained.endswith(SUFFIX)


def need_file(path: Path, trunk: str) -> Mapping[str, str]:
    """Return what the header of imported weights says; raises TrainerError that says where to get them."""
    if not path.is_file():
        name = OFFICIAL[trunk].rpartition("/")[2]
        raise TrainerError(
            f"{path}: is not there; download {OFFICIAL[trunk]} and run "
            f"`mammoview-trainer import-weights {name} -o {path}`"
        )
    try:
        with safetensors.safe_open(path, "pt") as content:
            facts = content.metadata() or {}
    except (OSError, SafetensorError) as error:
        raise TrainerError(f"{path}: is not a safetensors file") from error
    if facts.get("trunk") != trunk:
        raise TrainerError(f"{path}: holds the weights of {facts.get('trunk', 'nothing known')}, not {trunk}")
    return facts


def body_tensors(path: Path) -> dict[str, Tensor]:
    """Return imported weights by their names in a task's classifier."""
    state = safetensors.torch.load_file(path)
    return {f"networks.classifier.body.{name}": value for name, value in state.items()}
