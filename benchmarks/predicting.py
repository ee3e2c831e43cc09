"""``predict-batch``: images an hour through the audit's engine beside the same network in a bare loop.

The bare loop has the decoded arrays in memory and calls prepare and network only, with all processors,
and keeps its memory as our workers do. Ours reads, checks and decodes the files, aggregates, and keeps each
answer on disk: one worker with all processors, and two that share them. What a second worker brings is told
twice: beside one worker that has all processors, and beside one that has half of them, as each of the two
has. The second is also told of two bare loops side by side: more than these cannot be had of a machine.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.core.errors import MammoviewError
from app.core.manifest import Row, read_manifest, write_manifest
from app.core.memory import keep_memory
from app.core.settings import Device
from app.core.spread import cores
from app.services.audit.predicting import Run, plan_of, predict
from app.services.inference.audited import audit_model
from benchmarks.result import BenchmarkError, Result, judge
from model_zoo.errors import ModelError
from model_zoo.predictor import load_predictor
from model_zoo.preprocess import prepare
from trainer.datasets import index
from trainer.evaluate import find_bundle, read_study, studies
from trainer.phantoms import make_phantoms

MODEL = "phantom-lesions"
EXAMS, ROUNDS = 24, 3
SHAPE = (1280, 1024)
DEVICE: Device = "cpu"
PATIENCE_S = 600


def run(name: str, folder: Path) -> Result:
    """Measure all in turn; the time until the first answers (starting the processes) does not count."""
    rates: dict[str, list[float]] = {}
    try:
        bundle = find_bundle(MODEL).folder
        rows = _rows(folder)
        for turn in range(ROUNDS):
            for words, rate in _round(bundle, rows, folder / f"kept-{turn}").items():
                rates.setdefault(words, []).append(rate)
    except (ModelError, MammoviewError) as error:
        raise BenchmarkError(str(error)) from None
    middle = {words: statistics.median(found) for words, found in rates.items()}
    runs = [(max(one, two), bare) for one, two, bare in zip(
        rates["one worker"], rates["two workers"], rates["bare loop"], strict=True)]  # fmt: skip
    half = _half()
    second = middle["two workers"] / middle["one worker"]
    shared = middle["two workers"] / middle["half a worker"]
    most = middle["two bare loops"] / middle["half a bare loop"]
    config = (
        f"arrays in memory, prepare and network only, {cores()} processors; goal 0.8; {MODEL} on {DEVICE}, "
        f"{len(rows)} images of {SHAPE[0]} x {SHAPE[1]}; two workers (of {half} processors each) "
        f"{second:.2f} times one of {cores()}, {shared:.2f} times one of {half} (goal 1.6); two bare loops "
        f"of {half} side by side {most:.2f} times one of {half}: what this machine has to give"
    )
    return judge(name, "images an hour", runs, better="higher", peer="bare loop", peer_config=config)


def _half() -> int:
    return max(1, cores() // 2)


def _round(bundle: Path, rows: tuple[Row, ...], kept: Path) -> dict[str, float]:
    """Return images an hour of each way."""
    kept.mkdir()
    with _on_half():
        alone = _ours(bundle, rows, kept / "half.sqlite", 1)
        alone_bare = _bare(bundle, rows, 1, _half())
    return {
        "half a worker": alone,
        "one worker": _ours(bundle, rows, kept / "one.sqlite", 1),
        "two workers": _ours(bundle, rows, kept / "two.sqlite", 2),
        "half a bare loop": alone_bare,
        "bare loop": _bare(bundle, rows, 1, cores()),
        "two bare loops": _bare(bundle, rows, 2, _half()),
    }


@contextmanager
def _on_half() -> Iterator[None]:
    """Leave this process and those that it starts half of the processors."""
    if not hasattr(os, "sched_setaffinity"):
        raise BenchmarkError("this system does not say which processors a process may use")
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(own)[: _half()])
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


def _rows(folder: Path) -> tuple[Row, ...]:
    place = folder / "predicted"
    if not (place / "manifest.csv").is_file():
        make_phantoms(place, EXAMS, 11, SHAPE)
        write_manifest(index("phantom", place, lambda sentence: None), place / "manifest.csv")
    return read_manifest(place / "manifest.csv").rows


def _ours(bundle: Path, rows: tuple[Row, ...], kept: Path, workers: int) -> float:
    """Return images an hour from the first answers to the last."""
    model = audit_model(find_bundle(str(bundle)))
    run = Run((model,), plan_of(rows, [[True] * len(rows)]))
    first: list[tuple[float, int]] = []

    def report(done: int, total: int) -> None:
        # Each worker's first exam comes with loading the network.
        if done >= 2 * workers and not first:
            first.append((time.perf_counter(), run.images_done))

    predict(run, [bundle], kept, DEVICE, workers, report=report)
    seconds = time.perf_counter() - first[0][0]
    return 3600 * (run.images_done - first[0][1]) / seconds


def _bare(bundle: Path, rows: tuple[Row, ...], loops: int, threads: int) -> float:
    """Return images an hour of so many bare loops in processes of their own, begun at the same moment."""
    context = multiprocessing.get_context("spawn")
    together, answers = context.Barrier(loops), context.Queue()
    processes = [
        context.Process(target=_loop, args=(bundle, rows, threads, together, answers)) for _ in range(loops)
    ]
    for process in processes:
        process.start()
    try:
        slowest = max(answers.get(timeout=PATIENCE_S) for _ in processes)
    except queue.Empty:
        raise BenchmarkError(f"a bare loop did not end within {PATIENCE_S} s") from None
    finally:
        for process in processes:  # one that waits for another that died would wait for ever
            process.terminate()
            process.join()
    return 3600 * loops * len(rows) / slowest


def _loop(bundle: Path, rows: tuple[Row, ...], threads: int, together: Any, answers: Any) -> None:
    """Put the seconds of one bare loop into `answers`."""
    import cv2
    import torch

    keep_memory()
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    predictor = load_predictor(find_bundle(str(bundle)), DEVICE)
    views = [view for study in studies(rows) for view in read_study(study)]
    block = predictor.bundle.spec.preprocess
    for view in views[:4]:
        predictor.answer(prepare(view, block).pixels)
    together.wait()
    start = time.perf_counter()
    for view in views:
        predictor.answer(prepare(view, block).pixels)
    answers.put(time.perf_counter() - start)
