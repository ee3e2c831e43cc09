from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bundles import AS_STORED, flat_view, mean_weights, tiny_bundle, tiny_spec

from model_zoo.architectures import build_network
from model_zoo.bundle import write_bundle
from model_zoo.errors import BundleError, ModelError
from model_zoo.exam import predict_exam
from model_zoo.predictor import Predictor, load_predictor
from model_zoo.spec import Aggregation, Network, Outputs, Score

PIXELS = np.full((1, 64, 64), 0.5, np.float32)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_is_not_there_is_an_error_when_asked_for_and_a_note_when_not(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    with pytest.raises(ModelError, match="there is no GPU that PyTorch can use"):
        load_predictor(bundle, "cuda")
    predictor = load_predictor(bundle, "auto")
    assert predictor.device == "cpu"
    assert predictor.notes == ("There is no GPU that PyTorch can use, so the model runs on the CPU.",)
    assert predict_exam(predictor, [flat_view("L", "CC", 0.5)]).suitability == predictor.notes
    assert load_predictor(bundle, "cpu").notes == ()


def test_out_of_gpu_memory_goes_on_on_the_cpu_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = load_predictor(tiny_bundle(tmp_path / "b"), "cpu")
    wanted = predictor.answer(PIXELS).logit
    real, calls = predictor._answer, []

    def first_out_of_memory(*arguments: Any) -> Any:
        calls.append(predictor.device)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments)

    monkeypatch.setattr(predictor, "_answer", first_out_of_memory)
    predictor._device = "cuda"
    assert predictor.answer(PIXELS).logit == wanted
    assert calls == ["cuda", "cpu"]
    assert predictor.device == "cpu"
    assert predictor.notes == ("The GPU ran out of memory, so the model runs on the CPU.",)


def test_a_gpu_without_memory_for_the_weights_leaves_the_model_on_the_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    real = torch.nn.Module.to

    def to(self: torch.nn.Module, *arguments: Any, **named: Any) -> torch.nn.Module:
        if arguments == ("cuda",):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, *arguments, **named)

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(torch.nn.Module, "to", to)
    predictor = load_predictor(bundle, "auto")
    assert predictor.device == "cpu"
    assert predictor.notes == ("The GPU has no memory left, so the model runs on the CPU.",)
    assert predictor.answer(PIXELS).logit == pytest.approx(0.5, abs=1e-5)


def test_out_of_memory_on_the_cpu_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = load_predictor(tiny_bundle(tmp_path / "b"), "cpu")

    def out_of_memory(*_: Any) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(predictor, "_answer", out_of_memory)
    with pytest.raises(ModelError, match="tiny-mean: out of memory"):
        predictor.answer(PIXELS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_the_gpu_answers_as_the_cpu_does(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b", slope=3.0)
    on_gpu = load_predictor(bundle, "cuda")
    assert on_gpu.device == "cuda"
    assert on_gpu.answer(PIXELS).logit == pytest.approx(
        load_predictor(bundle, "cpu").answer(PIXELS).logit, abs=1e-3
    )


def test_half_precision_weights_are_run_in_single_precision(tmp_path: Path) -> None:
    halves = {k: v.astype(np.float16) if v.dtype == np.float32 else v for k, v in mean_weights(2.0).items()}
    predictor = load_predictor(write_bundle(tmp_path / "b", tiny_spec(), halves, "", {}), "cpu")
    assert {p.dtype for n in predictor._networks.values() for p in n.parameters()} == {torch.float32}
    assert predictor.answer(PIXELS).logit == pytest.approx(1.0, abs=1e-3)


def test_an_answer_that_is_not_finite_is_an_error_and_never_a_score(tmp_path: Path) -> None:
    predictor = load_predictor(tiny_bundle(tmp_path / "b", slope=1e30), "cpu")
    with pytest.raises(ModelError, match="not a finite number"):
        predictor.answer(np.full((1, 64, 64), 1e30, np.float32))


def test_parameters_are_no_inference_tensors_and_want_no_gradient(tmp_path: Path) -> None:
    with torch.inference_mode():
        predictor = load_predictor(tiny_bundle(tmp_path / "b"), "cpu")
        made = predictor.answer(PIXELS, "signed").evidence
    assert made is not None
    for network in predictor._networks.values():
        assert not network.training
        assert not any(p.is_inference() or p.requires_grad for p in network.parameters())


def bundle_with_detector(folder: Path, labels: tuple[str, ...]) -> Predictor:
    torch.manual_seed(0)
    trunk = {"stem": 8, "widths": [8, 16], "blocks": [1, 1], "strides": [1, 2]}
    config = {**trunk, "classes": 2, "channels": 32, "convs": 1}
    weights = {
        f"detector.{name}": value
        for name, value in build_network("fcos-detector", config).state_dict().items()
    }
    spec = tiny_spec(
        task="detection",
        networks={"detector": Network("fcos-detector", config)},
        outputs=Outputs(Score("a finding", None, False), labels),
        aggregation=Aggregation("detector-max", "probability"),
        preprocess=AS_STORED,
    )
    return load_predictor(write_bundle(folder / "d", spec, weights, "", {}), "cpu")


def test_a_detector_runs_from_its_bundle(tmp_path: Path) -> None:
    predictor = bundle_with_detector(tmp_path, ("mass", "calcification"))
    answer = predictor.answer(np.random.default_rng(0).random((1, 64, 64), np.float32))
    assert answer.logit is None
    assert answer.boxes.shape == (len(answer.box_scores), 4)
    assert 0 < len(answer.box_scores) <= predictor.bundle.spec.detection.max_per_view
    assert (answer.boxes[:, 2:] >= answer.boxes[:, :2]).all()
    exam = predict_exam(predictor, [flat_view("L", "CC", 0.5)], heatmaps=True)
    assert exam.views[0].status == "scored"
    assert exam.views[0].heatmap is not None
    assert exam.views[0].heatmap.method == "detector"


def test_a_detectors_map_is_what_its_cells_would_score(tmp_path: Path) -> None:
    predictor = bundle_with_detector(tmp_path, ("mass", "calcification"))
    pixels = np.random.default_rng(1).random((1, 64, 64), np.float32)
    plain, mapped = predictor.answer(pixels), predictor.answer(pixels, "signed")
    assert plain.evidence is None
    assert mapped.evidence is not None
    assert (mapped.method, mapped.stride, mapped.evidence.shape) == ("detector", 8.0, (8, 8))
    # torchvision scores a box by the root of class times centre-ness; the best box is never suppressed.
    assert np.sqrt(mapped.evidence.max()) == pytest.approx(mapped.box_scores[0], rel=1e-5)
    np.testing.assert_allclose(mapped.box_scores, plain.box_scores)
    assert predictor.answer(pixels, "gradcam").evidence is None, "a detector has no gradient map"


def test_a_detector_with_other_classes_than_the_bundle_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="2 classes, but outputs names 1 findings"):
        bundle_with_detector(tmp_path, ("mass",))
