"""`mammoview predict manifest.csv`: the same answers as of the files, kept, and read back by the audit."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from batch_threads import work_in_threads
from clusters import local_cluster
from dicom_files import write_mg

import app.commands.predict_manifest as command
from app.cli import main
from app.core.audit.prediction_files import join, read_predictions
from app.core.manifest import Row, file_sha256, write_manifest

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import tiny_bundle

from model_zoo.spec import Aggregation
from model_zoo.suitability import Domain, Views

LEVELS = (800, 1600, 2400, 3200)


@pytest.fixture
def threads(monkeypatch, tmp_path) -> None:
    work_in_threads(monkeypatch)
    monkeypatch.setenv("MAMMOVIEW_DATA", str(tmp_path / "data"))


@pytest.fixture
def manifest(tmp_path: Path) -> tuple[Path, tuple[Row, ...], str]:
    bundle = tiny_bundle(
        tmp_path / "tiny-mean",
        slope=4.0,
        offset=-2.0,
        domain=Domain(("ffdm",), ("presentation",), 32, 32, True, "Trained on nothing."),
        views=Views(("CC",), ("CC",)),
        aggregation=Aggregation("classifier", "logit", breast="mean", exam="max"),
    )
    rows = []
    for number, level in enumerate(LEVELS):
        path = tmp_path / f"{number}.dcm"
        write_mg(path, np.full((64, 64), level, np.uint16), window=(2048, 4096))
        patient, side = f"p{number // 2}", "LR"[number % 2]
        rows.append(
            Row(
                f"i{number}",
                patient,
                patient,
                side,
                "CC",
                path,
                0,
                file_sha256(path),
                64,
                64,
                None,
                "ffdm",
                "",
                "",
                "",
                "normal",
                "made: up",
            )
        )
    write_manifest(rows, tmp_path / "m.csv")
    return tmp_path / "m.csv", tuple(rows), str(bundle.folder)


def expected(level: int) -> float:
    """Return sigmoid(4 P - 2) of a flat image of that stored value under a window of all 12 bits."""
    return 1 / (1 + math.exp(-(4 * level / 4095 - 2)))


def test_every_image_is_answered_once_and_the_audit_reads_it(
    threads, manifest, tmp_path, monkeypatch
) -> None:
    path, rows, bundle = manifest
    out = tmp_path / "out.json"
    assert (
        main(["predict", str(path), "-o", str(out), "--model", bundle, "--device", "cpu", "--workers", "1"])
        == 0
    )
    (answers,) = join(read_predictions(out), rows).answers
    wanted = [expected(level) for level in LEVELS]
    assert answers.score == pytest.approx(wanted, abs=1e-3)
    # The breast's score is its one image's, the exam's the greater of the two, by the bundle.
    assert answers.breast == pytest.approx(wanted, abs=1e-3)
    assert answers.exam == pytest.approx([wanted[1], wanted[1], wanted[3], wanted[3]], abs=1e-3)
    monkeypatch.setattr(command, "predict", None)  # a second run has nothing left to ask
    first = json.loads(out.read_text())
    assert main(["predict", str(path), "-o", str(out), "--model", bundle, "--device", "cpu"]) == 0
    assert json.loads(out.read_text()) == first


def test_copies_of_an_exam_under_another_patient_are_all_answered(
    threads, manifest, tmp_path, capsys
) -> None:
    _, rows, bundle = manifest
    copies = []
    for row in rows[:2]:
        path = tmp_path / f"copy-{row.path.name}"
        path.write_bytes(row.path.read_bytes())
        copies.append(replace(row, image_id=f"c{row.image_id}", patient_id="c", study_id="c", path=path))
    write_manifest((*rows, *copies), tmp_path / "twice.csv")
    out = tmp_path / "out.json"
    assert main(["predict", str(tmp_path / "twice.csv"), "-o", str(out), "--model", bundle]) == 0
    (answers,) = join(read_predictions(out), (*rows, *copies)).answers
    assert answers.score == pytest.approx([expected(level) for level in (*LEVELS, *LEVELS[:2])], abs=1e-3)
    assert "scored: 6" in capsys.readouterr().out


def test_a_manifest_of_no_readable_image_ends_with_one_sentence(threads, manifest, tmp_path, capsys) -> None:
    path, rows, bundle = manifest
    for row in rows:
        row.path.unlink()
    out = tmp_path / "out.json"
    assert main(["predict", str(path), "-o", str(out), "--model", bundle, "--device", "cpu"]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "none of its 4 images could be analysed" in said[0]
    assert "moved since indexing" in said[0]


def test_heat_maps_of_a_manifest_are_refused(threads, manifest, tmp_path, capsys) -> None:
    path, _, bundle = manifest
    arguments = ["predict", str(path), "-o", str(tmp_path / "o.json"), "--model", bundle, "--heatmaps", "h"]
    assert main(arguments) == 1
    assert "heat maps are made of images and folders" in capsys.readouterr().err


def test_a_manifest_and_its_file_tell_the_same_classes(threads, tmp_path) -> None:
    breast = np.zeros((512, 384), np.uint16)
    breast[64:448, :256] = np.random.default_rng(0).integers(1200, 2600, (384, 256))
    film = tmp_path / "l.dcm"
    # Film is what a file is whose detector is one; shared/field/display.md.
    write_mg(film, breast, laterality="L", orientation=("A", "FL"), window=(2048, 4096), DetectorType="FILM",
             ImagerPixelSpacing=[0.4, 0.4], PixelSpacing=[0.4, 0.4])  # fmt: skip
    row = Row("i", "p", "p", "L", "MLO", film, 0, file_sha256(film), 512, 384, (0.4, 0.4), "film",
              "", "", "", "normal", "made: up")  # fmt: skip
    write_manifest([row], tmp_path / "m.csv")
    for source, name in ((film, "a.json"), (tmp_path / "m.csv", "b.json")):
        argv = ["-o", str(tmp_path / name), "--model", "mias-density", "--device", "cpu"]
        assert main(["predict", str(source), *argv]) == 0
    one, other = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert one["models"] == other["models"]
    assert one["models"][0]["outputs"]["classes"]["of"] == "density"
    (view,), (again,) = one["studies"][0]["views"], other["studies"][0]["views"]
    assert view["status"] == "scored"
    assert sum(view["classes"].values()) == pytest.approx(1.0)
    assert set(view) == set(again)
    assert again["classes"] == pytest.approx(view["classes"], abs=1e-6)


def test_a_cluster_of_two_workers_says_what_this_machine_does(
    manifest, tmp_path, monkeypatch, threads
) -> None:
    path, _, bundle = manifest

    def said(name: str, *options: str) -> dict[str, object]:
        # Each with a memory of its own: nothing is taken from what the other kept.
        monkeypatch.setenv("MAMMOVIEW_DATA", str(tmp_path / name))
        out = tmp_path / f"{name}.json"
        assert main(["predict", str(path), "-o", str(out), "--model", bundle, *options]) == 0
        return json.loads(out.read_text())

    here = said("here")
    with local_cluster() as cluster:
        there = said("there", "--scheduler", cluster.scheduler_address)
    assert len(here["studies"]) == 2
    assert there == here
