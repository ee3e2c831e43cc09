"""Two detectors of one split, coarse and fine, as runs of one `two-scale-detector`.

The fine one's scores are brought onto the coarse one's scale by what both get wrong: of the false boxes
at any threshold the fine one may make a stated share. Lesions have no part in that, so that it needs no
part of the data to itself.
"""

from __future__ import annotations

import copy
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor

from app.core.manifest import read_manifest
from model_zoo.architectures import fcos_detector
from model_zoo.architectures.fcos_detector import FcosDetector
from model_zoo.calibration import logit
from trainer.checkpoints import WholeCheckpoints
from trainer.errors import TrainerError
from trainer.held_out import Data, Tell, Trained, load_trained
from trainer.recipe import changed, resolve
from trainer.runs import Run, write_run
from trainer.samples import PartSamples, boxes_of
from trainer.splits import kept_test, part_of, read_splits

Floats = np.ndarray[Any, np.dtype[np.float64]]
_RATES = (1.0, 4.0)
"""False boxes per image at which the scores of both are made to agree."""
_MOST = 20
"""Boxes of an image that are looked at."""
_EDGE = 1e-4
_ALLOWED = ("version", "title", "false_boxes", "card.intended", "card.limits", "card.data", "mirrored")


@dataclass(frozen=True, slots=True)
class Scale:
    """How the fine one's logits become the coarse one's: ``slope * logit + offset``."""

    slope: float
    offset: float


def join(
    coarse: Sequence[Path],
    fine: Sequence[Path],
    output: Path,
    tell: Tell,
    *,
    share: float = 0.25,
    changes: Sequence[str] = (),
) -> list[Path]:
    """Write one run per fold into `output` and return their folders.

    Parameters
    ----------
    coarse, fine
        Runs of the same folds of one split, each of an fcos-detector on a canvas by spacing.
    share
        False boxes of the fine one per false box of the coarse one.
    changes
        ``key=value`` of what is said of the joined model, and ``mirrored=true``.

    Raises
    ------
    TrainerError, BundleError
        Runs that do not fit together or have not ended, data that has changed, an output that exists.
    """
    if output.exists():
        raise TrainerError(f"{output}: exists already")
    if not 0 < share <= 10:
        raise TrainerError(f"--share {share:g}: must be more than 0 and at most 10")
    pairs = _pairs([load_trained(one) for one in coarse], [load_trained(one) for one in fine])
    data = _data(pairs[0][0].run)
    content = joined_recipe(pairs[0], changes)
    resolve(content, "the joined recipe")
    part: Literal["val", "test"] = "val" if kept_test(data.manifest, data.splits) else "test"
    config = content["networks"]["detector"]["config"]
    tell(f"asking the coarse detectors about their {part} parts")
    coarse_scores, images = _false_scores([one for one, _ in pairs], config["coarse"], data, part)
    tell(f"asking the fine detectors about their {part} parts")
    fine_scores, _ = _false_scores([other for _, other in pairs], config["fine"], data, part)
    scale = agreed(coarse_scores, fine_scores, images, share)
    config |= {"slope": round(scale.slope, 4), "offset": round(scale.offset, 4)}
    tell(f"slope {scale.slope:.2f}, offset {scale.offset:.2f}")
    told = (
        f"The two numbers that join its halves (slope {scale.slope:.2f}, offset {scale.offset:.2f}) were set "
        f"on the false boxes of the folds' {part} parts"
    )
    with tempfile.TemporaryDirectory(prefix=".joined-", dir=_parent(output)) as name:
        folders = [_write(pair, content, told, Path(name) / f"fold-{pair[0].run.fold}") for pair in pairs]
        Path(name).chmod(0o755)
        output.mkdir()
        for folder in folders:
            folder.rename(output / folder.name)
    return [output / folder.name for folder in folders]


def _parent(output: Path) -> Path:
    output.parent.mkdir(parents=True, exist_ok=True)
    return output.parent


def agreed(coarse: Floats, fine: Floats, images: int, share: float) -> Scale:
    """Return the scale on which the fine one makes `share` false boxes where the coarse one makes one.

    Parameters
    ----------
    coarse, fine
        Scores of their false boxes on the same images, any order.
    images
        How many those are.

    Raises
    ------
    TrainerError
        Too few false boxes, or all of one score.
    """

    def at(scores: Floats, rate: float) -> float:
        place = int(rate * images)
        if place >= len(scores):
            raise TrainerError(
                f"there are {len(scores)} false boxes on {images} images, too few to set {rate:g} per image"
            )
        return logit(float(np.sort(scores)[::-1][place]), _EDGE)

    low, high = ([at(coarse, rate), at(fine, rate * share)] for rate in reversed(_RATES))
    if high[1] - low[1] <= 0 or high[0] - low[0] <= 0:
        raise TrainerError("the scores of the false boxes are all the same: there is no scale to agree on")
    slope = (high[0] - low[0]) / (high[1] - low[1])
    return Scale(slope, high[0] - slope * high[1])


def _pairs(coarse: Sequence[Trained], fine: Sequence[Trained]) -> list[tuple[Trained, Trained]]:
    by_fold = {one.run.fold: one for one in fine}
    if len(by_fold) != len(fine) or len({one.run.fold for one in coarse}) != len(coarse):
        raise TrainerError("two of the runs trained the same fold")
    if set(by_fold) != {one.run.fold for one in coarse} or -1 in by_fold:
        raise TrainerError("the coarse and the fine runs must be of the same folds, none of them a refit")
    pairs = [(one, by_fold[one.run.fold]) for one in sorted(coarse, key=lambda one: one.run.fold)]
    for one, other in pairs:
        for name in ("manifest_sha256", "split_hash"):
            if len({getattr(run, name) for run in (one.run, other.run, coarse[0].run)}) > 1:
                raise TrainerError(f"{other.folder}: has another {name} than {one.folder}")
        for role, first in zip((one, other), pairs[0], strict=True):
            if role.recipe.networks != first.recipe.networks:
                raise TrainerError(f"{role.folder}: has another network than {first.folder}")
            if (role.recipe.config("detector") or ("",))[0] != "fcos-detector":
                raise TrainerError(f"{role.folder}: is no run of an fcos-detector")
    return pairs


def _data(run: Run) -> Data:
    manifest, splits = read_manifest(Path(run.manifest)), read_splits(Path(run.splits))
    if manifest.sha256 != run.manifest_sha256 or splits.hash != run.split_hash:
        raise TrainerError(f"{run.manifest}: the manifest or its splits have changed since the training")
    return Data(manifest, splits)


def joined_recipe(pair: tuple[Trained, Trained], changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the content of the recipe of both: the coarse one's on the fine one's pixels.

    Raises
    ------
    TrainerError
        Canvases that have no spacing, or whose spacings stand the wrong way round; images that are
        prepared in two ways; a change that is not allowed.
    """
    coarse, fine = pair
    sizes = [one.recipe.preprocess.resize for one in pair]
    if any(size.mm is None for size in sizes) or cast(float, sizes[1].mm) >= cast(float, sizes[0].mm):
        raise TrainerError(f"{fine.folder}: its pixels must be smaller than those of {coarse.folder}")
    if replace(coarse.recipe.preprocess, resize=sizes[1]) != fine.recipe.preprocess:
        raise TrainerError(f"{fine.folder}: prepares its images otherwise than {coarse.folder}")
    shrink = cast(float, sizes[0].mm) / cast(float, sizes[1].mm)
    content: dict[str, Any] = copy.deepcopy(dict(coarse.recipe.raw))
    own = content["preprocess"]["resize"]
    own |= {
        "rows": _canvas(own["rows"] * shrink),
        "columns": _canvas(own["columns"] * shrink),
        "mm": sizes[1].mm,
    }
    parts = [copy.deepcopy(dict(one.recipe.networks["detector"]["config"])) for one in pair]
    said = [_change(change) for change in changes]
    for part in parts:
        part |= {"mirrored": True} if ("mirrored", "true") in said else {}
    config = {"coarse": parts[0], "fine": parts[1], "shrink": shrink, "slope": 1.0, "offset": 0.0}
    content["networks"] = {"detector": {"architecture": "two-scale-detector", "config": config}}
    content["target"]["findings"] |= fine.recipe.raw["target"]["findings"]
    return changed(content, [f"{key}={value}" for key, value in said if key != "mirrored"])


def _change(text: str) -> tuple[str, str]:
    key, _, value = (part.strip() for part in text.partition("="))
    if key not in _ALLOWED:
        raise TrainerError(f"--set {text}: here only {', '.join(_ALLOWED)} may be set")
    if key == "mirrored" and value != "true":
        raise TrainerError(f"--set {text}: mirrored=true or nothing, the halves are as they are")
    return key, value


def _canvas(side: float) -> int:
    """Return the side that a canvas may have nearest to this one: multiples of 32."""
    return max(1, round(side / 32)) * 32


def _false_scores(
    runs: Sequence[Trained], config: Mapping[str, Any], data: Data, name: Literal["val", "test"]
) -> tuple[Floats, int]:
    """Return the scores of false boxes (centre in no lesion) on the runs' parts, and their images.

    Images with a lesion that has no place are left out: there a box cannot be called false.
    """
    scores, images = [np.zeros(0)], 0
    for one in runs:
        detector = _detector(one, config)
        samples = PartSamples(part_of(data.manifest, data.splits, one.run.fold, name), one.recipe)
        for number in range(len(samples)):
            sample = samples[number]
            if not sample.located:
                continue
            found = detector(sample.pixels[None])[0]
            false = ~_inside(found["boxes"], boxes_of(sample.ellipses))
            scores.append(found["scores"][false].double().numpy())
            images += 1
    return np.concatenate(scores), images


def _detector(trained: Trained, config: Mapping[str, Any]) -> FcosDetector:
    detector = cast(FcosDetector, fcos_detector.build(config))
    detector.load_state_dict(
        {name.removeprefix("detector."): value.float() for name, value in trained.state.items()}
    )
    detector.eval().requires_grad_(False)
    detector.limit(0.0, float(trained.recipe.detection["nms_iou"]), _MOST)
    return detector


def _inside(boxes: Tensor, lesions: Tensor) -> Tensor:
    """Return which boxes have their centre in a lesion, shape (N,)."""
    centre = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    return ((centre >= lesions[None, :, :2]) & (centre < lesions[None, :, 2:])).all(2).any(1)


def _write(pair: tuple[Trained, Trained], content: Mapping[str, Any], told: str, folder: Path) -> Path:
    coarse, fine = pair
    state = {
        f"networks.detector.{name}.{key.removeprefix('detector.')}": value
        for name, one in (("coarse", coarse), ("fine", fine))
        for key, value in one.state.items()
    }
    state |= {"cell_scale": torch.tensor(math.log(0.15)), "cell_offset": torch.tensor(-4.0)}
    checkpoint = {"state_dict": state, "epoch": coarse.recipe.train.epochs - 1}
    for which in ("best", "last"):
        WholeCheckpoints().save_checkpoint(checkpoint, folder / "checkpoints" / f"{which}.ckpt")
    train = fine.recipe.train
    facts = [
        f"Joined with {fine.recipe.name} {fine.recipe.version}, trained on the same patients: up to "
        f"{train.epochs} epochs of batches of {train.batch}, peak learning rate {train.lr:g}.",
        f"{told}.",
    ]
    drawn = fine.recipe.augment.insert_lesions
    if drawn:
        facts.append(
            f"Synthetic, for the fine half alone: in each epoch a drawn lesion in {drawn:.0%} of the images "
            "without one of its kind that train; none in those that tune or test."
        )
    run = replace(
        coarse.run,
        recipe=content,
        licences=tuple(sorted({*coarse.run.licences, *fine.run.licences})),
        ancestors=tuple(dict.fromkeys(chain(coarse.run.ancestors, fine.run.ancestors))),
        facts=tuple(facts),
        seen_before=(*coarse.run.seen_before, *fine.run.seen_before),
    )
    write_run(run, folder)
    return folder
