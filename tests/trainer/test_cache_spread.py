"""Filling the cache with several processes, after a kill, on a cluster, and on a full disk."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import write_mg
from pool_work import killed_at, square
from tiny_training import TINY, Miniature

import app.core.spread
import trainer.cache
from app.core.manifest import Row, file_sha256, write_manifest
from app.core.spread import SpreadError, spread
from trainer.cache import fill, key_of, load
from trainer.cli import main
from trainer.errors import TrainerError


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_every_item_comes_back_once_with_its_number() -> None:
    assert sorted(spread(square, range(40), workers=2)) == [(n, n * n) for n in range(40)]
    assert list(spread(square, range(5), workers=1)) == [(n, n * n) for n in range(5)]
    assert list(spread(square, [], workers=2)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_killed_worker_is_one_sentence() -> None:
    with pytest.raises(SpreadError, match="a worker process was killed") as error:
        list(spread(killed_at, range(12), workers=2))
    assert "\n" not in str(error.value)


def test_two_processes_write_what_one_does(miniature: Miniature, tmp_path: Path) -> None:
    rows, block = miniature.manifest.rows[:8], miniature.recipe.preprocess
    seen: list[tuple[int, int]] = []
    fill(rows, block, folder=tmp_path / "one", workers=1)
    fill(rows, block, lambda done, total: seen.append((done, total)), folder=tmp_path / "two", workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "two")) == 3 * 8
    assert seen == [(done, 8) for done in range(9)]


def test_only_what_is_missing_is_made(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, block = miniature.manifest.rows[:6], miniature.recipe.preprocess
    fill(rows[:4], block, folder=tmp_path)
    # Ended between the arrays and the place: that entry is not finished.
    (tmp_path / key_of(rows[1], block)).with_suffix(".json").unlink()
    made: list[str] = []
    real = trainer.cache._prepare
    monkeypatch.setattr(trainer.cache, "_prepare", lambda row, *a: (made.append(row.image_id), real(row, *a)))
    fill(rows, block, folder=tmp_path)
    assert made == [rows[number].image_id for number in (1, 4, 5)]


def test_what_killed_writers_left_is_swept_and_a_living_writer_is_not(
    miniature: Miniature, tmp_path: Path
) -> None:
    old, new = tmp_path / ".a.npy.1.part", tmp_path / ".b.npy.2.part"
    for part in (old, new):
        part.write_bytes(b"half")
    os.utime(old, (time.time() - 3600,) * 2)
    fill(miniature.manifest.rows[:1], miniature.recipe.preprocess, folder=tmp_path)
    assert not old.exists()
    assert new.exists()


def words(miniature: Miniature, manifest: Path) -> list[str]:
    return ["cache", str(manifest), "--recipe", "mias-abnormality", *(w for s in TINY for w in ("--set", s))]


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_a_full_disk_is_one_sentence_and_nothing_half_written(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, count = Path.write_bytes, 0

    def full(path: Path, content: bytes) -> int:
        nonlocal count
        count += 1
        if count > 5:
            real(path, bytes(content)[:20])
            raise OSError(28, "No space left on device")
        return real(path, content)

    monkeypatch.setenv("MAMMOVIEW_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(words(miniature, miniature.manifest.path)) == 1
    assert "the cache cannot be written (No space left on device)" in one_line(capsys)
    assert not list((tmp_path / "prepared").glob(".*"))
    monkeypatch.undo()
    fill(miniature.manifest.rows, miniature.recipe.preprocess, folder=tmp_path / "prepared")
    fresh = tmp_path / "fresh"
    fill(miniature.manifest.rows, miniature.recipe.preprocess, folder=fresh)
    assert contents(fresh) == contents(tmp_path / "prepared")


@pytest.mark.skipif(sys.platform == "win32", reason="no limits")
def test_a_file_too_large_for_a_worker_is_one_sentence(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    # A real refusal of the system, in the processes that write: workers inherit the limit.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # Prepared pixels are 256 x 256 x 4 bytes; what decoding needs is less than the limit.
    block = miniature.recipe.preprocess
    block = replace(block, resize=replace(block.resize, rows=256, columns=256))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(TrainerError, match=r"the cache cannot be written \(File too large\)"):
            fill(miniature.manifest.rows[:4], block, folder=tmp_path, workers=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not list(tmp_path.glob("*.json"))
    assert not list(tmp_path.glob(".*.part"))


def test_a_file_that_moved_is_one_sentence(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAMMOVIEW_CACHE", str(tmp_path / "cache"))
    rows = [*miniature.manifest.rows[:3], replace(miniature.manifest.rows[3], path=tmp_path / "gone.pgm")]
    write_manifest(rows, tmp_path / "manifest.csv")
    assert main(words(miniature, tmp_path / "manifest.csv")) == 1
    assert f"{tmp_path / 'gone.pgm'}: the file named by the manifest is not there" in one_line(capsys)


def test_sixteen_bits_are_kept(miniature: Miniature, tmp_path: Path) -> None:
    # A slope that rises by less than one step of 8 bits from pixel to pixel.
    ramp = np.linspace(9000, 60000, 256 * 192).reshape(256, 192)
    ramp[:, 150:] = 0
    path = tmp_path / "ramp.png"
    cv2.imwrite(str(path), ramp.astype(np.uint16))
    row = Row("ramp", "p", "s", "L", "MLO", path, 0, file_sha256(path), 256, 192, (1.0, 1.0), "film", "", "",
              "", "normal", "csv: made up")  # fmt: skip
    entry = load(row, miniature.recipe.preprocess, tmp_path / "cache")
    assert isinstance(entry.pixels, np.memmap) or isinstance(entry.pixels.base, np.memmap)
    # 8 bits could tell at most 256 values apart.
    assert len(np.unique(entry.pixels[0][entry.mask])) > 1000


def test_dask_missing_or_silent_is_one_sentence(
    miniature: Miniature, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    asked = [*words(miniature, miniature.manifest.path), "--scheduler", "tcp://127.0.0.1:9"]
    assert main(asked) == 1
    assert "dask.distributed is not installed (pip install 'mammoview[cluster]')" in one_line(capsys)


def dicom_rows(folder: Path, count: int) -> Sequence[Row]:
    rows = []
    for number in range(count):
        pixels = np.zeros((96, 64), np.uint16)
        pixels[20:80, :40] = 900 + 37 * number
        path = write_mg(folder / f"{number}.dcm", pixels, laterality="L", view="MLO")
        rows.append(Row(f"d{number}", f"p{number}", "s", "L", "MLO", path, 0, file_sha256(path), 96, 64,
                        (1.0, 1.0), "ffdm", "", "", "", "normal", "csv: made up"))  # fmt: skip
    return rows


def test_a_cluster_of_two_workers_writes_what_one_process_does(
    miniature: Miniature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip("distributed")
    rows = [*miniature.manifest.rows[:6], *dicom_rows(tmp_path, 2)]
    block = miniature.recipe.preprocess
    wrong = replace(rows[0], image_id="moved", path=tmp_path / "gone.pgm")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tcp://")
        fill(rows, block, folder=tmp_path / "cluster", scheduler=address)
        with pytest.raises(TrainerError, match=r"gone\.pgm: the file named by the manifest is not there"):
            fill([wrong], block, folder=tmp_path / "other", scheduler=address)
    fill(rows, block, folder=tmp_path / "here", workers=1)
    assert contents(tmp_path / "cluster") == contents(tmp_path / "here")
    monkeypatch.setattr(app.core.spread, "_PATIENCE", 1)
    with pytest.raises(SpreadError, match="no dask scheduler answers there"):
        fill(rows, block, folder=tmp_path / "nobody", scheduler="tcp://127.0.0.1:9")
