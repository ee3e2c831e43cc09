"""Heat maps of a trained bundle tested from the command line, and kept in the bundle."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_training import Miniature, train

from app.core.manifest import write_manifest
from model_zoo.breast import find_breast
from model_zoo.bundle import load_bundle, shipped_folder
from model_zoo.contract import ArrayView
from model_zoo.index import image_mark, read_index
from model_zoo.verdicts import WORDS, read_verdicts
from trainer.cli import main
from trainer.embed import NOTHING, PLAIN
from trainer.export import export
from trainer.honesty.marker import marker_boxes, with_markers
from trainer.honesty.store import HEADING
from trainer.runs import patient_mark


@pytest.fixture(scope="module")
def exported(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    return export([train(miniature, folder / "run")], folder / "bundles", print).folder


def test_the_command_stores_what_it_measured_in_the_bundle(
    miniature: Miniature, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = load_bundle(shutil.copytree(exported, tmp_path / "bundle"))
    weights = bundle.weights.read_bytes()
    words = [str(bundle.folder), "--manifest", str(miniature.manifest.path), "--explain-images", "6"]
    assert main(["explain", *words]) == 0
    assert "signed: " in capsys.readouterr().out
    after = load_bundle(bundle.folder)
    block = after.metrics["explanations"]
    assert set(block["methods"]) == {"signed", "gradcam"}
    assert list(block["methods"]["signed"]["tests"]) == list(WORDS)
    assert block["n"]["images"] == 6
    assert block["methods"]["gradcam"]["same_as"] == "signed", "one linear head on a mean: the same map"
    assert block["data"] == "mias"
    assert {one.method for one in read_verdicts(after.metrics)} == {"signed", "gradcam"}
    assert after.metrics["metrics"] == bundle.metrics["metrics"], "what was measured before stays"
    assert after.weights.read_bytes() == weights
    assert after.card.count(HEADING) == 1
    report = tmp_path / "report"
    assert main(["evaluate", *words, "--explain", "-o", str(report)]) == 0
    again = load_bundle(bundle.folder)
    assert again.card.count(HEADING) == 1, "an older section is replaced"
    assert json.loads((report / "metrics.json").read_text())["explanations"] == again.metrics["explanations"]
    assert HEADING in (report / "MODEL_CARD.md").read_text()
    # The same sample and seeds give the same numbers.
    assert again.metrics["explanations"]["methods"] == block["methods"]


def test_a_bundle_without_lesions_to_point_at_is_not_measured(
    miniature: Miniature, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = load_bundle(shutil.copytree(exported, tmp_path / "bundle"))
    lines = miniature.manifest.path.read_text().splitlines()
    plain = tmp_path / "plain.csv"
    plain.write_text("\n".join([lines[0], *(line for line in lines if ",normal," in line)]) + "\n")
    assert main(["explain", str(bundle.folder), "--manifest", str(plain)]) == 1
    assert "no image here has a lesion of known place" in capsys.readouterr().err
    assert "explanations" not in load_bundle(bundle.folder).metrics


def test_a_bundle_of_texture_numbers_is_refused_by_the_right_reason(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(shipped_folder() / "mias-density", tmp_path / "mias-density")
    arguments = ["explain", str(folder), "--manifest", str(miniature.manifest.path), "--device", "cpu"]
    assert main(arguments) == 1
    said = f"{folder}: none of its networks has a heat map that can be tested"
    assert said in " ".join(capsys.readouterr().err.split())
    assert "explanations" not in load_bundle(folder).metrics


def test_markers_lie_in_the_air_away_from_the_breast() -> None:
    rows, columns = np.indices((400, 320))
    pixels = np.where(((rows - 200) / 150) ** 2 + (columns / 180) ** 2 <= 1, 30000, 500).astype(np.uint16)
    view = ArrayView("x", pixels, source="film")
    near, far = marker_boxes(view)
    breast = find_breast(pixels).mask
    for box in (near, far):
        top, left, bottom, right = (int(edge) for edge in box)
        assert (bottom - top, right - left) == (16, 16), "4 % of 400"
        assert 0 <= top < bottom <= 400
        assert 0 <= left < right <= 320
        # Half a marker of air on each side.
        assert not breast[max(0, top - 7) : bottom + 7, max(0, left - 7) : right + 7].any()
    assert far[1] > near[1], "far from a breast at the left edge is to the right"
    marked = with_markers(view)[0][0]
    assert (marked != pixels).sum() == 256
    assert (marked[marked != pixels] == 65535).all()


def test_the_index_names_the_places_a_bundle_was_trained_on(
    miniature: Miniature, exported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = load_bundle(shutil.copytree(exported, tmp_path / "bundle"))
    typed = "as in Berta Muster's other breast"
    named = [
        replace(row, findings=tuple(replace(one, label=typed, pathology=typed) for one in row.findings))
        if row.laterality == "L"
        else row
        for row in miniature.manifest.rows
    ]
    manifest = write_manifest(named, tmp_path / "typed.csv").path
    assert main(["embed", str(bundle.folder), "--manifest", str(manifest)]) == 0
    assert "no pixels" in capsys.readouterr().out
    after = load_bundle(bundle.folder)
    index = read_index(after)
    assert index is not None
    known = set(bundle.metrics["trained_on_patients"])
    rows = [row for row in miniature.manifest.rows if patient_mark(row.patient_id) in known]
    assert 0 < len(rows) < len(miniature.manifest.rows), "the test part is not in it"
    places = [one for row in rows for one in row.findings if one.box is not None]
    plain = [row for row in rows if not row.findings]
    assert len(index.entries) == len(places) + PLAIN * len(plain)
    assert {entry.image for entry in index.entries} <= {image_mark(row.image_id) for row in rows}
    left = {image_mark(row.image_id) for row in rows if row.laterality == "L" and row.findings}
    right = [row for row in rows if row.laterality != "L" and row.findings]
    assert left, "a left breast of those that trained it has a lesion"
    assert {entry.what for entry in index.entries if entry.image in left} == {"lesion"}, "not what was typed"
    for row in right:
        told = {entry.what for entry in index.entries if entry.image == image_mark(row.image_id)}
        assert told == {f"{one.label}, {one.pathology}" for one in row.findings}, "known words stay"
    # What is looked up with an entry's own vector finds that entry first.
    lesion = next(number for number, entry in enumerate(index.entries) if entry.what != NOTHING)
    (nearest,) = index.nearest(index.vectors[lesion], 1)
    assert nearest.entry.image == index.entries[lesion].image
    assert nearest.similarity == pytest.approx(1.0, abs=1e-3)
    words = [str(after.folder), "--manifest", str(miniature.manifest.path), "--explain-images", "2"]
    assert main(["explain", *words]) == 0
    assert read_index(load_bundle(after.folder)) is not None, "testing the maps keeps the index"
