"""``train-input-warm`` and ``train-input-cold``: images per second into training.

Ours: samples as a training takes them (prepared pixels, breast mask, lesions), collated, from a full cache;
and the filling of an empty one by as many processes as there are cores. The peer: a plain loop that reads
each DICOM file with pydicom and resizes it to the same canvas.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pydicom
import torch
from torch.utils.data import DataLoader

from app.core.manifest import Row, file_sha256
from app.core.spread import cores
from benchmarks.exam import four_views
from benchmarks.result import BenchmarkError, Result, alternate, judge
from trainer.cache import fill
from trainer.datasets import index
from trainer.recipe import Recipe, read_recipe
from trainer.samples import PartSamples, collate
from trainer.splits import Part

COPIES = 4
ROUNDS = 3
BATCH = 4
RECIPE = "phantom-lesions"


def run(name: str, folder: Path) -> Result:
    recipe = read_recipe(RECIPE)
    rows = _rows(folder)
    size = recipe.preprocess.resize
    config = (
        f"pydicom {pydicom.__version__}, cv2 INTER_AREA to {size.rows}x{size.columns}, float32, one process"
    )

    def plain() -> float:
        return _per_second(rows, lambda: [_plain(row, (size.columns, size.rows)) for row in rows])

    theirs = _Worked(plain, len(rows))
    if name == "train-input-warm":
        fill(rows, recipe.preprocess, workers=1)
        ours = _warm(rows, recipe)
        goal = 20.0
    else:
        ours = _Worked(_cold(rows, recipe, folder / "cold"), len(rows))
        goal = 0.8 * cores()
        config += f"; ours with {cores()} processes, their start included"
    config += f"; {len(rows)} views of 4096x3328, JPEG 2000 lossless; goal for the ratio {goal:.1f}"
    runs = alternate(ours, theirs, ROUNDS)
    if name == "train-input-cold":
        config += (
            f"; work of processors per image: the loop {theirs.seconds:.2f} s (its decoder has threads of "
            f"its own: it keeps {theirs.busy:.1f} of {cores()} busy), ours {ours.seconds:.2f} s "
            f"({ours.busy:.1f})"
        )
    return judge(name, "images/s", runs, better="higher", peer="plain loop", peer_config=config)


class _Worked:
    """A measurement of images per second that also notes the work of the processors, other processes' too.

    Attributes
    ----------
    seconds
        Of work per image, the median.
    busy
        How many processors that is at any time, the median.
    """

    def __init__(self, measure: Callable[[], float], images: int) -> None:
        self._measure, self._images = measure, images
        self._rounds: list[tuple[float, float]] = []

    def __call__(self) -> float:
        before, start = _work(), time.perf_counter()
        rate = self._measure()
        work, seconds = _work() - before, time.perf_counter() - start
        self._rounds.append((work / self._images, work / seconds))
        return rate

    @property
    def seconds(self) -> float:
        return statistics.median(each for each, _ in self._rounds)

    @property
    def busy(self) -> float:
        return statistics.median(each for _, each in self._rounds)


def _work() -> float:
    """Return the seconds that this process and those of its that have ended have worked."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _per_second(rows: list[Row], work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return len(rows) / (time.perf_counter() - start)


def _rows(folder: Path) -> list[Row]:
    """Return the exam's rows and those of copies, each a file of its own."""
    files = four_views(folder)
    rows = index("phantom", files[0].parent, lambda sentence: None)
    if len(rows) != len(files):
        raise BenchmarkError(f"{len(rows)} of {len(files)} views were indexed")
    made = []
    for row in rows:
        dataset = pydicom.dcmread(row.path)
        for copy in range(COPIES):
            path = folder / "feeding" / f"{row.path.stem}-{copy}.dcm"
            path.parent.mkdir(exist_ok=True)
            if not path.exists():
                dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = (
                    pydicom.uid.generate_uid()
                )
                dataset.save_as(path)
            made.append(replace(row, image_id=f"{row.image_id}-{copy}", path=path, sha256=file_sha256(path)))
    return made


def _warm(rows: list[Row], recipe: Recipe) -> Callable[[], float]:
    samples = PartSamples(Part("train", tuple(rows), 0, ""), recipe)
    torch.set_num_threads(1)

    def work() -> list[float]:
        loader = DataLoader(samples, batch_size=BATCH, collate_fn=collate, num_workers=0)
        return [float(batch.pixels[0, 0, 0, 0]) for batch in loader]

    return lambda: _per_second(rows, work)


def _cold(rows: list[Row], recipe: Recipe, cache: Path) -> Callable[[], float]:
    def ours() -> float:
        shutil.rmtree(cache, ignore_errors=True)
        return _per_second(rows, lambda: fill(rows, recipe.preprocess, folder=cache, workers=cores()))

    return ours


def _plain(row: Row, size: tuple[int, int]) -> np.ndarray:
    pixels = pydicom.dcmread(row.path).pixel_array
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 65535
