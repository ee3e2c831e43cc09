"""How 96 % came about: turned copies of every film, and only then a random division. A warning, not a model.

THIS MODULE ALONE multiplies images before they are divided, to show what comes of it. It shares nothing
with `fit`, writes no run, no weights and no bundle, and nothing but the command line imports it (a test
says so). The protocol is that of document 004 (github.com/iancraz/Mammography-Abnormality-Detector): rows
of Info.txt taken for images, the first normal ones dropped until both classes are equal, 128 x 128 pixels,
a copy every 2 degrees, then 20 % at random to test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional

from app.core.files import write_json, write_text
from app.core.manifest import Manifest, Row, check_unchanged
from model_zoo.architectures import build_network
from model_zoo.fields import Fields
from trainer.errors import TrainerError
from trainer.recipe import recipe_content

TASK = "leakage-demo"
WARNING = (
    "The first number is wrong on purpose: copies of the same films trained and tested. Nothing here is a "
    "model; no bundle can be made of it."
)
_SEED = 42  # of the document's train_test_split
Tell = Callable[[str], None]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the recipe says.

    Attributes
    ----------
    every
        Degrees between two copies of a film.
    side
        Pixels along each side.
    epochs, patience
        At most so many, and stop after so many without a lower validation loss.
    start
        First weights: ``narrow`` as it was, or ``he``, with which a few epochs are enough.
    scale
        Grey values are divided by it: 1 as it was; 255 with ``he``.
    precision
        ``32-true`` or ``bf16-mixed``.
    """

    positive: tuple[str, ...]
    every: int
    side: int
    epochs: int
    batch: int
    patience: int
    lr: float
    start: str
    scale: float
    precision: str


@dataclass(frozen=True, slots=True, eq=False)
class _Copies:
    """All turned copies: pixels (N, side, side), truth, film and patient numbers, and the angle's number."""

    pixels: Bytes
    positive: Bools
    film: Whole
    patient: Whole
    turn: Whole


def is_demo(recipe: str, changes: Sequence[str] = ()) -> bool:
    """Tell whether a recipe is this demonstration; one that cannot be read is not."""
    try:
        return recipe_content(recipe, changes).get("task") == TASK
    except TrainerError:
        return False


def read_demo(recipe: str, changes: Sequence[str] = ()) -> Demo:
    """Return the demonstration's settings; `BundleError` or `TrainerError` names what is wrong."""
    fields = Fields(f"recipe {Path(recipe).stem}", recipe_content(recipe, changes))
    fields.text("name")
    fields.choice("task", (TASK,))
    made = Demo(
        fields.texts("positive"),
        fields.whole("every", 2, low=1, high=180),
        fields.whole("side", 128, low=32, high=512),
        fields.whole("epochs", 100, low=1, high=1000),
        fields.whole("batch", 128, low=1, high=4096),
        fields.whole("patience", 3, low=1, high=1000),
        fields.number("lr", 1e-3, low=1e-8, high=1),
        fields.choice("start", ("narrow", "he"), "narrow"),
        fields.number("scale", 1.0, low=1.0, high=65535.0),
        fields.choice("precision", ("32-true", "bf16-mixed"), "32-true"),
    )
    fields.finish()
    if made.side % 32 or 360 % made.every:
        raise TrainerError("mias-leakage-demo: side must be a multiple of 32, and every must divide 360")
    return made


def document_rows(rows: Sequence[Row], positive: Sequence[str]) -> list[Row]:
    """Return what the document took for its images: a film per row of Info.txt, the first normals dropped.

    A film with two marked lesions stands there twice, and both are kept, as it was.
    """
    listed = [row for row in rows for _ in range(max(1, len(row.findings)))]
    normals = [number for number, row in enumerate(listed) if row.label not in positive]
    surplus = max(0, 2 * len(normals) - len(listed))
    dropped = set(normals[:surplus])
    return [row for number, row in enumerate(listed) if number not in dropped]


def _turned(rows: Sequence[Row], demo: Demo) -> _Copies:
    angles = 360 // demo.every
    side = demo.side
    pixels = np.empty((len(rows) * angles, side, side), np.uint8)
    films, patients = _numbers([row.image_id for row in rows]), _numbers([row.patient_id for row in rows])
    for number, row in enumerate(rows):
        check_unchanged(row)
        picture = cv2.imread(str(row.path), cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise TrainerError(f"{row.path}: the picture cannot be read")
        small = cv2.resize(picture, (side, side))
        for turn in range(angles):
            matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn * demo.every, 1)
            pixels[number * angles + turn] = cv2.warpAffine(small, matrix, (side, side))
    positive = np.array([row.label in demo.positive for row in rows])
    return _Copies(
        pixels,
        np.repeat(positive, angles),
        np.repeat(films, angles),
        np.repeat(patients, angles),
        np.tile(np.arange(angles), len(rows)),
    )


def _numbers(names: Sequence[str]) -> Whole:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _leaky(copies: _Copies) -> tuple[Whole, Whole, Whole]:
    """Divide the copies, not the patients: the mistake itself."""
    order = np.random.default_rng(_SEED).permutation(len(copies.positive))
    test, rest = np.split(order, [math.ceil(0.2 * len(order))])
    train, val = np.split(rest, [round(0.8 * len(rest))])
    return train, val, test


def _honest(copies: _Copies) -> tuple[Whole, Whole, Whole]:
    """Divide the patients in the same shares, stratified by whether one of her films is abnormal."""
    sick = {int(one): bool(copies.positive[copies.patient == one].any()) for one in np.unique(copies.patient)}
    draw = np.random.default_rng(_SEED)
    parts: list[list[int]] = [[], [], []]
    for kind in (True, False):
        own = draw.permutation([patient for patient, state in sick.items() if state is kind])
        cuts = np.rint(np.array([0.64, 0.8]) * len(own)).astype(int)
        for part, some in zip(parts, np.split(own, cuts), strict=True):
            part.extend(int(one) for one in some)
    train, val, test = (np.flatnonzero(np.isin(copies.patient, part)).astype(np.int64) for part in parts)
    return train, val, test


def _tensor(pixels: Bytes, demo: Demo) -> torch.Tensor:
    return torch.from_numpy(pixels.astype(np.float32) / demo.scale)[:, None]


def _logits(network: torch.nn.Module, copies: _Copies, where: Whole, demo: Demo) -> torch.Tensor:
    network.eval()
    with torch.no_grad(), _precision(demo):
        found = [
            network(_tensor(copies.pixels[where[start : start + 512]], demo))[:, 0].float()
            for start in range(0, len(where), 512)
        ]
    return torch.cat(found)


def _precision(demo: Demo) -> Any:
    return torch.autocast("cpu", torch.bfloat16, enabled=demo.precision == "bf16-mixed")


def _network(demo: Demo) -> torch.nn.Module:
    """Return the document's network: 32, 64, pool, 64, pool, 64 on each cell, flat, one."""
    config = {"rows": demo.side, "columns": demo.side, "channels": [32, 64, 64], "pools": [0, 2, 2]}
    config |= {"start": demo.start}
    return build_network("plain-cnn", config | {"pointwise": 64, "map_dropout": 0.25, "dropout": 0.25})


def _trained(copies: _Copies, train: Whole, val: Whole, demo: Demo, name: str, tell: Tell) -> torch.nn.Module:
    """Train as the document did: Adam, batches of 128, stop by validation loss, best weights back."""
    torch.manual_seed(_SEED)
    network = _network(demo)
    optimizer = torch.optim.Adam(network.parameters(), lr=demo.lr)
    best, waited = math.inf, 0
    kept = {key: value.clone() for key, value in network.state_dict().items()}
    truth = torch.from_numpy(copies.positive.astype(np.float32))
    for epoch in range(demo.epochs):
        network.train()
        order = np.random.default_rng([_SEED, epoch]).permutation(train)
        for start in range(0, len(order), demo.batch):
            where = order[start : start + demo.batch]
            with _precision(demo):
                logits = network(_tensor(copies.pixels[where], demo))[:, 0].float()
            loss = functional.binary_cross_entropy_with_logits(logits, truth[where])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        logits = _logits(network, copies, val, demo)
        now = float(functional.binary_cross_entropy_with_logits(logits, truth[val]))
        right = float(((logits > 0) == (truth[val] > 0.5)).float().mean())
        tell(f"{name}, epoch {epoch + 1}: validation loss {now:.3f}, accuracy {right:.3f}")
        if now < best:
            best, waited = now, 0
            kept = {key: value.clone() for key, value in network.state_dict().items()}
        else:
            waited += 1
            if waited >= demo.patience:
                break
    network.load_state_dict(kept)
    return network


def _nearest(copies: _Copies, train: Whole, test: Whole) -> Bools:
    """Return the class of the nearest training copy by sorted grey values, which no turn changes much."""
    sorted_ = np.sort(copies.pixels.reshape(len(copies.pixels), -1), axis=1)[:, ::8].astype(np.float32)
    known, asked = torch.from_numpy(sorted_[train]), torch.from_numpy(sorted_[test])
    parts = [asked[start : start + 256] for start in range(0, len(asked), 256)]
    nearest = [torch.cdist(part, known).argmin(dim=1) for part in parts]
    found: Bools = copies.positive[train[torch.cat(nearest).numpy()]]
    return found


def _by_patient(right: Bools, patients: Whole, draws: int = 2000) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy, patients drawn with replacement."""
    ids, where = np.unique(patients, return_inverse=True)
    hits, counts = np.bincount(where, right), np.bincount(where)
    drawn = np.random.default_rng(0).multinomial(len(ids), np.full(len(ids), 1 / len(ids)), size=draws)
    shares = (drawn @ hits) / (drawn @ counts)
    low, high = np.percentile(shares, (2.5, 97.5))
    return float(low), float(high)


def _judged(copies: _Copies, parts: tuple[Whole, Whole, Whole], demo: Demo, name: str, tell: Tell) -> Any:
    train, val, test = parts
    for part, where in (("training", train), ("validation", val), ("test", test)):
        if len(np.unique(copies.positive[where])) < 2:
            raise TrainerError(f"mias-leakage-demo: the {part} part divided {name} holds one class only")
    network = _trained(copies, train, val, demo, name, tell)
    truth = copies.positive[test]
    right = (_logits(network, copies, test, demo).numpy() > 0) == truth
    low, high = _by_patient(right, copies.patient[test])
    share = float(truth.mean())
    return {
        "accuracy": float(right.mean()),
        "low": low,
        "high": high,
        "majority": max(share, 1 - share),
        "nearest_neighbour": float((_nearest(copies, train, test) == truth).mean()),
        "copies_tested": len(test),
        "films_tested": len(np.unique(copies.film[test])),
        "films_tested_that_trained": len(np.intersect1d(copies.film[test], copies.film[train])),
    }


def run_demo(recipe: str, changes: Sequence[str], manifest: Manifest, folder: Path, tell: Tell) -> Path:
    """Train both ways and write leakage.json and README.md into a new folder, which is returned.

    Raises
    ------
    TrainerError
        An existing folder, pictures that moved or cannot be read, one class only.
    """
    demo = read_demo(recipe, changes)
    if folder.exists():
        raise TrainerError(f"{folder}: exists already; take another name")
    rows = document_rows(manifest.rows, demo.positive)
    copies = _turned(rows, demo)
    tell(f"{len(rows)} rows of {len(np.unique(copies.film))} films, {len(copies.positive)} copies")
    made = {
        "format": "mammoview-leakage-demo",
        "warning": WARNING,
        "settings": asdict(demo),
        "manifest_sha256": manifest.sha256,
        "rows": len(rows),
        "leaky": _judged(copies, _leaky(copies), demo, "at random", tell),
        "honest": _judged(copies, _honest(copies), demo, "by patient", tell),
    }
    write_json(folder / "leakage.json", made)
    text = told(made)
    write_text(folder / "README.md", text)
    for line in text.splitlines():
        tell(line)
    return folder


def told(made: Any) -> str:
    """Return both numbers beside the majority's, as a table."""
    lines = [
        "| divided | accuracy | interval by patient | majority | nearest neighbour | films of the test that "
        "trained too |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, key in (("copies at random (as it was, wrong)", "leaky"), ("patients (honest)", "honest")):
        own = made[key]
        lines.append(
            f"| {name} | {own['accuracy']:.3f} | {own['low']:.3f} to {own['high']:.3f} | "
            f"{own['majority']:.3f} | {own['nearest_neighbour']:.3f} | "
            f"{own['films_tested_that_trained']} of {own['films_tested']} |"
        )
    return "\n".join([*lines, "", WARNING, ""])
