"""`mammoview predict` and `mammoview models`: with a bundle whose score is arithmetic."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import write_mg

from app.cli import main

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import TRUNK, mean_weights, tiny_bundle

from model_zoo.bundle import load_bundle, write_bundle
from model_zoo.spec import Aggregation, ClassOutputs, Network
from model_zoo.suitability import Domain, Views

LEVELS = {("R", "CC"): 800, ("L", "CC"): 1600, ("R", "MLO"): 2400, ("L", "MLO"): 3200}
ORIENTATIONS = {
    ("R", "CC"): ("P", "L"),
    ("L", "CC"): ("A", "R"),
    ("R", "MLO"): ("P", "FL"),
    ("L", "MLO"): ("A", "FR"),
}


def expected(level: int) -> float:
    """Return sigmoid(4 P - 2) of a flat image of that stored value under a window of all 12 bits."""
    return 1 / (1 + math.exp(-(4 * level / 4095 - 2)))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle(
        tmp_path_factory.mktemp("made") / "tiny-mean",
        slope=4.0,
        offset=-2.0,
        domain=Domain(("ffdm",), ("presentation",), 32, 32, True, "Trained on nothing."),
        views=Views(("CC", "MLO"), ("CC", "MLO")),
        aggregation=Aggregation("classifier", "logit", breast="mean", exam="max"),
    ).folder


@pytest.fixture
def models(tmp_path, monkeypatch, bundle):
    monkeypatch.setenv("MAMMOVIEW_MODELS", str(tmp_path / "models"))
    assert main(["models", "install", str(bundle)]) == 0
    return tmp_path / "models"


@pytest.fixture
def exam(tmp_path):
    folder = tmp_path / "exam"
    folder.mkdir()
    for (side, view), level in LEVELS.items():
        write_mg(
            folder / f"{side}{view}.dcm",
            np.full((64, 64), level, np.uint16),
            laterality=side,
            view=view,
            orientation=ORIENTATIONS[side, view],
            window=(2048, 4096),
        )
    return folder


def predicted(exam, tmp_path, *options):
    out = tmp_path / "out.json"
    code = main(["predict", str(exam), "-o", str(out), "--model", "tiny-mean", *options])
    return code, json.loads(out.read_text()) if out.exists() else None


def test_scores_of_view_breast_and_exam_follow_the_declared_aggregation(models, exam, tmp_path):
    code, document = predicted(exam, tmp_path)
    assert code == 0
    assert (document["format"], document["version"]) == ("mammoview-prediction", 1)
    assert document["models"] == [
        {
            "name": "tiny-mean",
            "version": "1.0.0",
            "outputs": {"score": {"of": "brightness", "prevalence": None, "calibrated": False}},
        }
    ]
    (study,) = document["studies"]
    scores = {(view["laterality"], view["view"]): view["score"] for view in study["views"]}
    assert scores == pytest.approx({key: expected(level) for key, level in LEVELS.items()}, abs=2e-3)
    right = (expected(800) + expected(2400)) / 2
    left = (expected(1600) + expected(3200)) / 2
    assert study["status"] == "complete"
    assert study["breasts"] == pytest.approx({"L": left, "R": right}, abs=2e-3)
    assert study["exam_score"] == pytest.approx(left, abs=2e-3)


def test_a_missing_required_view_leaves_breasts_and_exam_null(models, exam, tmp_path):
    (exam / "LMLO.dcm").unlink()
    code, document = predicted(exam, tmp_path)
    (study,) = document["studies"]
    assert code == 0
    assert study["breasts"] == {"L": None, "R": None}
    assert study["exam_score"] is None


def test_for_processing_is_declined_with_a_reason_and_no_score(models, tmp_path):
    folder = tmp_path / "raw"
    folder.mkdir()
    write_mg(folder / "r.dcm", sop_class="1.2.840.10008.5.1.4.1.1.1.2.1")
    code, document = predicted(folder, tmp_path)
    (view,) = document["studies"][0]["views"]
    assert code == 0
    assert (view["status"], view["score"], view["findings"], view["heatmap"]) == ("declined", None, [], None)
    assert view["reason"]


def test_a_file_that_cannot_be_decoded_fails_alone(models, exam, tmp_path):
    path = exam / "RCC.dcm"
    path.write_bytes(path.read_bytes()[:-2000])
    code, document = predicted(exam, tmp_path)
    (study,) = document["studies"]
    status = {Path(view["path"]).name: view["status"] for view in study["views"]}
    assert code == 0
    assert status == {"RCC.dcm": "failed", "LCC.dcm": "scored", "RMLO.dcm": "scored", "LMLO.dcm": "scored"}
    assert study["status"] == "partial"
    assert study["exam_score"] is None


def test_heat_maps_lie_on_their_native_grid_with_an_affine_to_stored_pixels(models, exam, tmp_path):
    _, document = predicted(exam, tmp_path, "--heatmaps", str(tmp_path / "maps"))
    for view in document["studies"][0]["views"]:
        path = tmp_path / view["heatmap"]
        values = np.load(path)
        facts = json.loads(path.with_suffix(".json").read_text())
        assert values.dtype == np.float32
        # 64 prepared pixels at stride 4; the centre of cell 0 lies between pixels 1 and 2.
        assert values.shape == (16, 16)
        corners = np.array([[0, 0, 1], [15, 15, 1]]) @ np.array(facts["affine"]).T
        assert sorted(corners[:, 0]) == pytest.approx([1.5, 61.5])
        assert sorted(corners[:, 1]) == pytest.approx([1.5, 61.5])
        picture = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_UNCHANGED)
        assert (picture.dtype, picture.shape) == (np.uint16, (16, 16))


def test_cuda_without_a_gpu_is_one_sentence(models, exam, tmp_path, capsys):
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    capsys.readouterr()
    code, document = predicted(exam, tmp_path, "--device", "cuda")
    assert (code, document) == (1, None)
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_an_unknown_model_is_named(models, exam, tmp_path, capsys):
    assert main(["predict", str(exam), "-o", str(tmp_path / "x.json"), "--model", "absent"]) == 1
    assert "absent" in capsys.readouterr().err


def test_models_can_be_shown_verified_and_removed(models, capsys):
    capsys.readouterr()
    assert main(["models"]) == 0
    assert "tiny-mean 1.0.0" in capsys.readouterr().out
    assert main(["models", "show", "tiny-mean"]) == 0
    assert "# Tiny" in capsys.readouterr().out
    assert main(["models", "verify", "tiny-mean"]) == 0
    assert main(["models", "remove", "tiny-mean"]) == 0
    assert main(["models", "show", "tiny-mean"]) == 1


def test_a_changed_weight_is_refused(models, capsys):
    weights = models / "tiny-mean" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert main(["models", "verify", "tiny-mean"]) == 1
    assert "weights.safetensors" in capsys.readouterr().err


def test_classes_are_one_more_key_of_each_view_and_absent_without_them(models, exam, tmp_path):
    _, plain = predicted(exam, tmp_path)
    weights = mean_weights(4.0, -2.0)
    head, offset = weights["classifier.head.weight"], weights["classifier.head.bias"]
    slopes = [[4.0], [-2.0], [0.0], [2.0]]
    weights["classifier.head.weight"] = np.pad(np.array(slopes, np.float32), ((0, 0), (0, head.shape[1] - 1)))
    weights["classifier.head.bias"] = np.concatenate([offset, np.zeros(3, np.float32)])
    bundle = load_bundle(models / "tiny-mean")
    classes = ClassOutputs("density", ("fatty", "glandular", "dense"))
    spec = replace(
        bundle.spec,
        name="tiny-classes",
        networks={"classifier": Network("residual-classifier", {**TRUNK, "outputs": 4})},
        outputs=replace(bundle.spec.outputs, classes=classes),
        files={},
    )
    write_bundle(tmp_path / "tiny-classes", spec, weights, "# Tiny\n", {"n": {}})
    assert main(["models", "install", str(tmp_path / "tiny-classes")]) == 0
    out = tmp_path / "out.json"
    assert main(["predict", str(exam), "-o", str(out), "--model", "tiny-classes"]) == 0
    document = json.loads(out.read_text())
    assert document["models"][0]["outputs"]["classes"] == {"of": "density", "calibrated": False}
    for before, view in zip(plain["studies"][0]["views"], document["studies"][0]["views"], strict=True):
        level = LEVELS[view["laterality"], view["view"]] / 4095
        grown = [math.exp(slope * level) for slope in (-2.0, 0.0, 2.0)]
        said = view.pop("classes")
        assert list(said) == ["fatty", "glandular", "dense"]
        assert list(said.values()) == pytest.approx([each / sum(grown) for each in grown], abs=1e-3)
        assert view == {**before, "model": "tiny-classes", "score": pytest.approx(before["score"], abs=1e-6)}
