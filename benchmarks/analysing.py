"""``analyse-4view`` and ``analyse-4view-overhead``: a second look at four full-size views, on the CPU.

From decoded pixels to the exam's answer with heat maps, as the window asks for it. The peer is the same
networks on the same prepared pixels with nothing around them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.dicom.reader import read_image
from app.core.errors import MammoviewError
from app.services.inference import catalogue
from app.services.inference.views import read_model_view
from benchmarks.exam import four_views
from benchmarks.result import BenchmarkError, Result, alternate, judge
from model_zoo.bundle import load_bundle
from model_zoo.contract import ArrayView
from model_zoo.errors import ModelError
from model_zoo.exam import predict_exam
from model_zoo.explain import Method
from model_zoo.predictor import Answer, Predictor, load_predictor

MODEL = "phantom-lesions"
ROUNDS = 5
BUDGET = 20.0
"""Per cent of the time that may go outside the networks."""


def run(name: str, folder: Path) -> Result:
    """Measure one of the two; both take the same runs."""
    predictor, views = _prepare(folder)
    prepared = _prepared_pixels(predictor, views)
    config = f"{MODEL} on {len(prepared)} prepared views, {predictor.device}, no heat map"

    def ours() -> float:
        return _seconds(lambda: predict_exam(predictor, views, heatmaps=True))

    def theirs() -> float:
        return _seconds(lambda: [predictor.answer(pixels) for pixels in prepared])

    runs = alternate(ours, theirs, ROUNDS)
    if name == "analyse-4view":
        return judge(name, "s per exam", runs, better="lower", peer="networks alone", peer_config=config)
    shares = [(max(0.0, 100 * (1 - networks / whole)), BUDGET) for whole, networks in runs]
    # A share of nothing would make the ratio infinite.
    shares = [(max(share, 0.1), budget) for share, budget in shares]
    return judge(
        name,
        "% of the time outside the networks",
        shares,
        better="lower",
        peer="budget",
        peer_config=f"{BUDGET:.0f} %; {config}",
    )


def _prepare(folder: Path) -> tuple[Predictor, list[ArrayView]]:
    try:
        predictor = load_predictor(load_bundle(catalogue.get(MODEL).folder), "cpu")
        views = [read_model_view(read_image(file)) for file in four_views(folder)]
    except (ModelError, MammoviewError) as error:
        raise BenchmarkError(str(error)) from None
    return predictor, views


def _prepared_pixels(predictor: Predictor, views: list[ArrayView]) -> list[npt.NDArray[np.float32]]:
    """Return what the networks are given for an exam, by listening to one prediction."""
    heard: list[npt.NDArray[np.float32]] = []

    class Listening(Predictor):
        def answer(self, pixels: npt.NDArray[np.float32], evidence: Method | None = None) -> Answer:
            heard.append(pixels.copy())
            return predictor.answer(pixels, evidence)

    listening = Listening(predictor.bundle, predictor._networks, predictor.device, [])
    prediction = predict_exam(listening, views, heatmaps=True)
    if prediction.status != "complete" or len(heard) < len(views):
        raise BenchmarkError(f"{MODEL}: {len(heard)} of {len(views)} views reached the networks")
    return heard


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
