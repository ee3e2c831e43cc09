from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import product
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bundles import AS_STORED, flat_view, mean_weights, tiny_bundle, tiny_spec
from torch import Tensor, nn

from model_zoo.bundle import Bundle
from model_zoo.calibration import Calibration
from model_zoo.contract import ArrayView, MammogramView, UnreadableView
from model_zoo.errors import Cancelled, ViewError
from model_zoo.exam import predict_exam, raw_scores
from model_zoo.geometry import Turn
from model_zoo.predictor import Predictor, load_predictor
from model_zoo.preprocess import Preprocess, Resize
from model_zoo.spec import Aggregation, Detection, Network, Outputs, Score
from model_zoo.suitability import Domain, Views

FOUR = [("L", "CC", 0.1), ("L", "MLO", 0.3), ("R", "CC", 0.2), ("R", "MLO", 0.6)]
ALL_FOUR = Views(("LCC", "LMLO", "RCC", "RMLO"), ("CC", "MLO"))


def sigmoid(value: float) -> float:
    return 1.0 / (1.0 + exp(-value))


def four_views() -> list[MammogramView]:
    return [flat_view(side, view, level) for side, view, level in FOUR]


def predictor_of(folder: Path, **changes: Any) -> Predictor:
    return load_predictor(tiny_bundle(folder / "b", **changes), "cpu")


class FailingView:
    """A view whose pixels cannot be had."""

    def __init__(self, laterality: str, view: str, error: Exception) -> None:
        self._facts = flat_view(laterality, view, 0.5)
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name == "pixels":
            raise self._error
        return getattr(self._facts, name)


def test_a_views_score_is_the_calibrated_mean_intensity(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, slope=4.0, offset=-1.0)
    exam = predict_exam(predictor, four_views())
    wanted = [sigmoid(4.0 * level - 1.0) for _, _, level in FOUR]
    assert [view.score for view in exam.views] == pytest.approx(wanted, abs=1e-5)
    assert [view.status for view in exam.views] == ["scored"] * 4
    assert (exam.model, exam.version, exam.status, exam.device) == ("tiny-mean", "1.0.0", "complete", "cpu")
    assert raw_scores(predictor, four_views()) == pytest.approx(
        [4.0 * level - 1.0 for _, _, level in FOUR], abs=1e-4
    )


@pytest.mark.parametrize("breast", ["mean", "max", "noisy-or"])
@pytest.mark.parametrize("exam", ["mean", "max", "noisy-or"])
def test_views_make_breasts_and_breasts_make_the_exam(tmp_path: Path, breast: str, exam: str) -> None:
    pool = {
        "mean": lambda a, b: (a + b) / 2,
        "max": max,
        "noisy-or": lambda a, b: 1 - (1 - a) * (1 - b),
    }
    how = Aggregation("classifier", "probability", 0.0, breast, exam)  # type: ignore[arg-type]
    predictor = predictor_of(tmp_path, aggregation=how)
    got = predict_exam(predictor, four_views())
    cc, mlo, rcc, rmlo = (sigmoid(level) for _, _, level in FOUR)
    left, right = pool[breast](cc, mlo), pool[breast](rcc, rmlo)
    assert got.breasts == pytest.approx({"L": left, "R": right}, abs=1e-5)
    assert got.exam_score == pytest.approx(pool[exam](left, right), abs=1e-5)


def test_half_of_the_other_breast_is_subtracted_view_by_view(tmp_path: Path) -> None:
    how = Aggregation("classifier", "logit", 0.5, "mean", "max")
    predictor = predictor_of(tmp_path, aggregation=how)
    exam = predict_exam(predictor, four_views())
    wanted = [0.1 - 0.5 * 0.2, 0.3 - 0.5 * 0.6, 0.2 - 0.5 * 0.1, 0.6 - 0.5 * 0.3]
    assert [view.score for view in exam.views] == pytest.approx([sigmoid(x) for x in wanted], abs=1e-5)


def test_several_views_of_the_other_breast_count_by_their_mean(tmp_path: Path) -> None:
    how = Aggregation("classifier", "logit", 0.5, "mean", "max")
    views = [flat_view("L", "CC", 0.4), flat_view("R", "CC", 0.2), flat_view("R", "CC", 0.6, uid="again")]
    raw = raw_scores(predictor_of(tmp_path, aggregation=how), views)
    assert raw == pytest.approx([0.4 - 0.5 * 0.4, 0.2 - 0.5 * 0.4, 0.6 - 0.5 * 0.4], abs=1e-5)


def test_a_comparison_without_the_other_breast_is_declined(tmp_path: Path) -> None:
    how = Aggregation("classifier", "logit", 0.5, "mean", "max")
    exam = predict_exam(predictor_of(tmp_path, aggregation=how), [flat_view("L", "CC", 0.4)])
    assert (exam.status, exam.exam_score, exam.views[0].status) == ("declined", None, "declined")
    assert exam.views[0].reason == (
        "The model compares both breasts, and the other breast's CC was not scored."
    )


@pytest.mark.parametrize(
    ("calibration", "wanted"),
    [
        (Calibration("platt", 2.0, -3.0), sigmoid(2.0 * 0.5 - 3.0)),
        (Calibration("temperature", temperature=0.25), sigmoid(2.0)),
        (Calibration("isotonic", raw=(0.0, 1.0), score=(0.2, 0.8)), 0.5),
        (Calibration(), sigmoid(0.5)),
    ],
)
def test_calibration_comes_between_raw_value_and_score(
    tmp_path: Path, calibration: Calibration, wanted: float
) -> None:
    exam = predict_exam(predictor_of(tmp_path, calibration=calibration), [flat_view("L", "CC", 0.5)])
    assert exam.views[0].score == pytest.approx(wanted, abs=1e-5)


def test_two_images_of_one_view_are_both_scored(tmp_path: Path) -> None:
    views = [*four_views(), flat_view("L", "CC", 0.5, uid="second")]
    exam = predict_exam(predictor_of(tmp_path, views=ALL_FOUR), views)
    assert [view.uid for view in exam.views] == ["LCC", "LMLO", "RCC", "RMLO", "second"]
    left = np.mean([sigmoid(level) for level in (0.1, 0.3, 0.5)])
    assert exam.breasts["L"] == pytest.approx(left, abs=1e-5)


ERRORS = [
    ViewError("LMLO.dcm: pixel data is truncated"),
    ValueError("bad\nvalue"),
    OSError(5, "Input/output error"),
    RuntimeError("decoder"),
    MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_view_that_fails_leaves_the_rest_scored_and_the_exam_without_score(
    tmp_path: Path, error: Exception
) -> None:
    views = [*four_views()]
    views[1] = FailingView("L", "MLO", error)
    exam = predict_exam(predictor_of(tmp_path, views=ALL_FOUR), views)
    assert [view.status for view in exam.views] == ["scored", "failed", "scored", "scored"]
    assert exam.views[1].reason
    assert "\n" not in exam.views[1].reason
    assert (exam.status, exam.exam_score, exam.breasts) == ("partial", None, {"L": None, "R": None})


@pytest.mark.parametrize("required", [(), ("LCC", "LMLO", "RCC", "RMLO")])
def test_an_unreadable_file_is_a_failed_view_and_never_a_missing_one(
    tmp_path: Path, required: tuple[str, ...]
) -> None:
    broken = UnreadableView("u", "pixel data is truncated", "L", "MLO", "phantom", "presentation")
    views = [four_views()[0], pickle.loads(pickle.dumps(broken)), *four_views()[2:]]
    predictor = predictor_of(tmp_path, views=Views(required, ("CC", "MLO")))
    exam = predict_exam(predictor, views)
    assert (exam.views[1].status, exam.views[1].reason) == ("failed", "pixel data is truncated")
    assert (exam.status, exam.exam_score, exam.breasts) == ("partial", None, {"L": None, "R": None})


def test_a_second_image_of_a_view_that_fails_leaves_the_exam_without_score(tmp_path: Path) -> None:
    views = [*four_views(), FailingView("L", "CC", ValueError("x"))]
    exam = predict_exam(predictor_of(tmp_path), views)
    assert (exam.status, exam.exam_score) == ("partial", None)


def test_every_view_failing_is_a_failed_exam(tmp_path: Path) -> None:
    views = [FailingView("L", "CC", ValueError("x")), FailingView("R", "CC", ValueError("y"))]
    exam = predict_exam(predictor_of(tmp_path), views)
    assert (exam.status, exam.exam_score) == ("failed", None)


def test_a_missing_required_view_declines_the_exam_with_a_reason(tmp_path: Path) -> None:
    exam = predict_exam(predictor_of(tmp_path, views=ALL_FOUR), four_views()[:2], heatmaps=True)
    assert exam.status == "declined"
    assert {view.reason for view in exam.views} == {"The exam lacks RCC and RMLO, which the model needs."}
    assert all(view.score is None and view.heatmap is None and view.in_domain for view in exam.views)
    assert exam.suitability == ("LCC, LMLO: The exam lacks RCC and RMLO, which the model needs.",)


def test_a_view_required_of_each_breast_is_asked_only_of_breasts_that_are_there(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, views=Views(("CC", "MLO"), ("CC", "MLO")))
    one_breast = predict_exam(predictor, four_views()[:2])
    assert one_breast.status == "complete"
    assert one_breast.breasts["R"] is None
    assert one_breast.exam_score == one_breast.breasts["L"]
    assert predict_exam(predictor, four_views()[:3]).status == "declined"


REFUSED = [
    ({"intent": "processing"}, "For Processing"),
    ({"view": "XCCL"}, "never saw the view XCCL; it reads CC and MLO"),
    ({"view": None}, "The view is not known"),
    ({"source": "dbt"}, "tomosynthesis frame"),
    ({"pixels": np.zeros((40, 64), np.uint16)}, "too few pixels: 40 x 64, the model needs 48 x 48"),
]


@pytest.mark.parametrize(("facts", "reason"), REFUSED, ids=[r[1][:12] for r in REFUSED])
def test_what_a_bundle_was_not_made_for_is_refused_with_a_reason(
    tmp_path: Path, facts: dict[str, Any], reason: str
) -> None:
    domain = Domain(("phantom",), ("presentation",), 48, 48, True, "Trained on nothing.")
    odd = flat_view(**{"laterality": "L", "view": "MLO", "level": 0.5, **facts})
    exam = predict_exam(
        predictor_of(tmp_path, domain=domain), [odd, flat_view("L", "CC", 0.5)], heatmaps=True
    )
    refused, scored = exam.views
    assert (refused.status, refused.score, refused.findings, refused.heatmap) == ("declined", None, (), None)
    assert reason in str(refused.reason)
    assert refused.in_domain
    assert scored.status == "scored"
    assert reason in exam.suitability[0]


def test_raw_images_beside_those_for_presentation_do_not_spoil_the_exam(tmp_path: Path) -> None:
    raw = [replace(view, uid=f"raw {view.uid}", intent="processing") for view in four_views()]
    exam = predict_exam(predictor_of(tmp_path, views=ALL_FOUR), [*raw, *four_views()])
    assert exam.status == "complete"
    assert [view.status for view in exam.views] == ["declined"] * 4 + ["scored"] * 4


OUTSIDE = [({"source": "ffdm"}, "full-field digital"), ({"implant": True}, "implant")]


@pytest.mark.parametrize(("facts", "reason"), OUTSIDE)
def test_outside_its_training_domain_there_is_no_score_and_a_map_only_on_request(
    tmp_path: Path, facts: dict[str, Any], reason: str
) -> None:
    domain = Domain(("phantom",), ("presentation",), 1, 1, False, "Trained on synthetic images only.")
    predictor = predictor_of(tmp_path, domain=domain)
    plain = predict_exam(predictor, [flat_view("L", "CC", 0.5, **facts)])
    mapped = predict_exam(predictor, [flat_view("L", "CC", 0.5, **facts)], heatmaps=True)
    for exam in (plain, mapped):
        view = exam.views[0]
        assert (exam.status, view.status, view.score, view.findings) == ("declined", "declined", None, ())
        assert not view.in_domain
        assert str(view.reason).startswith("Outside its training domain: ")
        assert reason in str(view.reason)
        assert str(view.reason).endswith("Trained on synthetic images only.")
        assert exam.exam_score is None
    assert plain.views[0].heatmap is None
    assert mapped.views[0].heatmap is not None


def test_progress_is_reported_by_view_and_cancelling_stops(tmp_path: Path) -> None:
    predictor, calls = predictor_of(tmp_path), []
    predict_exam(predictor, four_views(), report=lambda done, total: calls.append((done, total)))
    assert calls == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]

    def cancel(done: int, total: int) -> None:
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        predict_exam(predictor, four_views(), report=cancel)


def test_an_exam_without_views_is_declined(tmp_path: Path) -> None:
    exam = predict_exam(predictor_of(tmp_path), [])
    assert (exam.status, exam.exam_score, exam.views) == ("declined", None, ())


def test_without_laterality_a_view_is_scored_and_no_breast_is(tmp_path: Path) -> None:
    exam = predict_exam(predictor_of(tmp_path), [flat_view(None, "CC", 0.5)])
    assert exam.views[0].status == "scored"
    assert (exam.status, exam.exam_score, exam.breasts) == ("partial", None, {"L": None, "R": None})


# Heat maps and boxes go through the same way back as the beads in test_preprocess; here end to end.
EIGHT = [Turn(*flags) for flags in product((False, True), repeat=3)]
LETTERS = {
    (False, False, False): ("A", "F"),
    (False, True, False): ("A", "H"),
    (False, False, True): ("P", "F"),
    (False, True, True): ("P", "H"),
    (True, False, False): ("F", "A"),
    (True, True, False): ("H", "A"),
    (True, False, True): ("F", "P"),
    (True, True, True): ("H", "P"),
}
FACING = Preprocess(crop=False, mask=False, face="left", resize=Resize("size", 64, 64))


def stored_block(turn: Turn) -> ArrayView:
    """Return a 128x128 view stored any way round: upright, rows 16..24 and columns 96..112 are white."""
    upright = np.zeros((128, 128), np.uint16)
    upright[16:24, 96:112] = 65535
    if turn.flip_rows:
        upright = upright[::-1]
    if turn.flip_cols:
        upright = upright[:, ::-1]
    stored = np.ascontiguousarray(upright.T if turn.transpose else upright)
    letters = LETTERS[(turn.transpose, turn.flip_rows, turn.flip_cols)]
    return ArrayView("a", stored, None, letters, "L", "MLO", source="phantom", intent="presentation")


@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_a_heat_map_lies_on_the_stored_pixels_that_made_it(tmp_path: Path, turn: Turn) -> None:
    view = stored_block(turn)
    exam = predict_exam(predictor_of(tmp_path, slope=3.0, preprocess=FACING), [view], heatmaps=True)
    heatmap = exam.views[0].heatmap
    assert heatmap is not None
    assert (heatmap.method, heatmap.values.shape, heatmap.values.dtype) == ("signed", (16, 16), np.float32)
    # Prepared, the block is 4 rows by 8 columns: 1 x 2 of the 4-pixel cells, each 3 / 256 of the logit.
    lit = np.argwhere(heatmap.values > 1e-6)
    assert len(lit) == 2
    np.testing.assert_allclose(heatmap.values[heatmap.values > 1e-6], 3.0 / 256, rtol=1e-4)
    cells = (heatmap.affine @ np.vstack([lit.T, np.ones(2)])).T
    rows, columns = np.nonzero(view.pixels)
    truth = (rows.mean(), columns.mean())
    np.testing.assert_allclose(cells.mean(axis=0), truth, atol=1e-6)
    assert {view.pixels[round(row), round(col)] for row, col in cells} == {65535}


def test_the_signed_map_sums_to_the_logit_without_its_bias(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, slope=-3.0, offset=0.7)
    exam = predict_exam(predictor, [flat_view("L", "CC", 0.4)], heatmaps=True)
    heatmap, score = exam.views[0].heatmap, exam.views[0].score
    assert heatmap is not None
    assert score is not None
    assert heatmap.values.sum() == pytest.approx(log(score / (1 - score)) - 0.7, abs=1e-4)
    assert (heatmap.values < 0).all()
    for method in ("hirescam", "gradcam"):
        only_for = predict_exam(predictor, [flat_view("L", "CC", 0.4)], heatmaps=method).views[0].heatmap
        assert only_for is not None
        assert only_for.method == method
        assert not only_for.values.any()


class BrightBox(nn.Module):
    """A detector that frames what is bright, with a score that is given."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        rows, columns = torch.nonzero(images[0, 0] > 0.5, as_tuple=True)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        count = len(self.scores)
        return [
            {
                "boxes": torch.tensor([[float(edge) for edge in box]] * count).reshape(count, 4),
                "scores": torch.tensor(self.scores),
                "labels": torch.arange(count) % 2,
            }
        ]


def detector_bundle(folder: Path, **changes: Any) -> Bundle:
    """Return a bundle whose bundle.json names a detector; the tests put `BrightBox` in its place."""
    spec = {
        "task": "classification+detection",
        "networks": {
            "classifier": tiny_spec().networks["classifier"],
            "detector": Network("fcos-detector", {"classes": 2}),
        },
        "outputs": Outputs(Score("a finding", None, False), ("mass", "calcification")),
        **changes,
    }
    weights = {**mean_weights(), "detector.stand-in": np.zeros(1, np.float32)}
    from model_zoo.bundle import write_bundle

    return write_bundle(folder / "d", tiny_spec(**spec), weights, "", {})


@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_a_box_comes_back_on_the_stored_pixels_that_it_framed(tmp_path: Path, turn: Turn) -> None:
    view = stored_block(turn)
    bundle = detector_bundle(
        tmp_path, preprocess=FACING, aggregation=Aggregation("detector-max", "probability")
    )
    exam = predict_exam(Predictor(bundle, {"detector": BrightBox(0.8)}, "cpu", []), [view])
    rows, columns = np.nonzero(view.pixels)
    (finding,) = exam.views[0].findings
    assert finding.box == pytest.approx((rows.min(), columns.min(), rows.max() + 1, columns.max() + 1))
    assert (finding.label, finding.score, finding.frame) == ("mass", pytest.approx(0.8), 0)
    assert exam.views[0].score == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("scores", "how", "wanted"),
    [
        ((0.8, 0.5), Aggregation("detector-max", "probability"), 0.8),
        ((0.8, 0.5), Aggregation("detector-noisy-or", "probability"), 1 - 0.2 * 0.5),
        ((0.8, 0.5), Aggregation("detector-max", "logit"), 0.8),
        ((), Aggregation("detector-max", "probability"), 0.0),
        ((), Aggregation("detector-max", "logit"), 0.001),
        ((0.02,), Aggregation("detector-max", "probability"), 0.02),
    ],
)
def test_boxes_make_the_score_where_the_bundle_says_so(
    tmp_path: Path, scores: tuple[float, ...], how: Aggregation, wanted: float
) -> None:
    bundle = detector_bundle(tmp_path, aggregation=how, preprocess=AS_STORED)
    predictor = Predictor(bundle, {"detector": BrightBox(*scores)}, "cpu", [])
    view = predict_exam(predictor, [flat_view("L", "CC", 0.9)]).views[0]
    assert view.score == pytest.approx(wanted, abs=1e-6)
    assert len(view.findings) == sum(score >= 0.05 for score in scores)


def test_findings_are_the_best_few_above_the_threshold_best_first(tmp_path: Path) -> None:
    bundle = detector_bundle(tmp_path, detection=Detection(0.3, 0.3, 2), preprocess=AS_STORED)
    networks = {
        "classifier": load_predictor(tiny_bundle(tmp_path / "c"), "cpu")._networks["classifier"],
        "detector": BrightBox(0.4, 0.9, 0.2, 0.6),
    }
    view = predict_exam(Predictor(bundle, networks, "cpu", []), [flat_view("L", "CC", 0.9)]).views[0]
    assert [(f.label, round(f.score, 3)) for f in view.findings] == [
        ("calcification", 0.9),
        ("calcification", 0.6),
    ]
    # The classifier scores; the boxes are found beside it.
    assert view.score == pytest.approx(sigmoid(0.9), abs=1e-4)
