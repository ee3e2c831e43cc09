"""What evaluate leaves: subgroups, curves, the worst errors, one page that needs nothing else."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from made_exams import exam
from tiny_training import Miniature, train

from app.core.manifest import ManifestError
from app.core.plot import Line, Plot, svg
from model_zoo.bundle import load_bundle
from model_zoo.contract import ArrayView, HeatMap
from model_zoo.predictor import load_predictor
from model_zoo.spec import OperatingPoint
from trainer.cli import main
from trainer.curves import curves, write_curves
from trainer.evaluate import read_ahead, read_study, score_study, studies
from trainer.export import export
from trainer.gallery import SHOWN, draw, worst
from trainer.measure import measure, recalibrated
from trainer.recipe_blocks import Target
from trainer.report_page import evaluation_page
from trainer.subgroups import age_band, subgroups
from trainer.units import ExamResult, by_image

TARGET = Target(("malignant",), "a mass", {"mass": ("*",)})
FAR = (60.0, 60.0, 80.0, 80.0)


def crowd() -> list[ExamResult]:
    """Eight: dense breasts ranked wholly wrong, fatty ones wholly right."""
    return [
        exam(1, 0.9, sick=True, density="a", kind="CIRC"),
        exam(2, 0.8, sick=True, density="a", kind="SPIC"),
        exam(3, 0.2, sick=False, density="a"),
        exam(4, 0.1, sick=False, density="a"),
        exam(5, 0.15, sick=True, density="d", kind="SPIC", box=FAR),
        exam(6, 0.05, sick=True, density="d", kind="SPIC"),
        exam(7, 0.7, sick=False, density="d"),
        exam(8, 0.6, sick=False, density="d", age="061Y"),
    ]


def test_subgroups_say_how_many_and_how_well() -> None:
    found = subgroups(crowd(), TARGET, OperatingPoint("half", 0.5, ""), boxes=True)
    fatty, dense = found["density"]["a"], found["density"]["d"]
    assert (fatty["n"], fatty["positives"], fatty["patients"]) == (4, 2, 4)
    assert fatty["metrics"]["auc.image"]["value"] == 1.0
    assert dense["metrics"]["auc.image"]["value"] == 0.0
    assert dense["metrics"]["sensitivity.image"]["value"] == 0.0
    assert dense["metrics"]["specificity.image"]["value"] == 0.0
    # A type's positives against every negative: 0.9 is above all four; 0.8 above all, 0.15 one, 0.05 none.
    assert found["lesion"]["CIRC"]["metrics"]["auc.image"]["value"] == 1.0
    assert found["lesion"]["SPIC"]["metrics"]["auc.image"]["value"] == pytest.approx(5 / 12, abs=1e-6)
    assert found["lesion"]["SPIC"]["n"] == 7
    # One box per image; at 1 false box per image all count: one of three spiculated ones lies elsewhere.
    assert found["lesion found"]["SPIC"]["metrics"]["froc.centre@1"]["value"] == pytest.approx(
        2 / 3, abs=1e-6
    )
    assert found["lesion found"]["CIRC"]["metrics"]["froc.centre@1"]["value"] == 1.0
    assert set(found["age"]) == {"60 to 69", "not stated"}
    # All are MLO, of film and of no vendor: nothing to tell apart.
    assert not {"view", "source", "vendor", "lesion size found"} & set(found)


@pytest.mark.parametrize(
    ("text", "band"), [("39", "under 40"), ("040Y", "40 to 49"), ("69.5", "60 to 69"), ("70", "70 and over"),
                       ("", "not stated"), ("old", "not stated")]
)  # fmt: skip
def test_ages_fall_into_bands(text: str, band: str) -> None:
    assert age_band(text) == band


def test_every_metric_has_its_baseline_unit_and_method() -> None:
    metrics = measure(
        crowd(), TARGET, bundle="b 1", split="all", boxes_from=0.05, point=OperatingPoint("p", 0.5, "")
    )["metrics"]
    for unit in ("image", "breast", "patient"):
        for name in ("auc", "auprc", "sens_at_spec90", "spec_at_sens90", "pf1", "brier", "ece", "ppv"):
            assert metrics[f"{name}.{unit}"]["unit"] == unit
    assert {"froc.centre@0.5", "froc.iou20@1", "froc.iou50@4", "froc_normal.centre@2", "map50"} <= set(
        metrics
    )
    assert "IoU >= 0.5" in metrics["froc.iou50@4"]["method"]
    assert "over normal images, 4 of them" in metrics["froc_normal.centre@2"]["method"]
    for name, entry in metrics.items():
        assert entry["baseline"] is not None or name.startswith("recall_rate"), name


def two_views(number: int, cc: float | None, mlo: float, *, sick: bool) -> ExamResult:
    """A breast whose score is the mean of its views."""
    (one,) = exam(number, mlo, sick=sick).images
    other = replace(one, row=replace(one.row, image_id=f"c{number}", view="CC"), score=cc)
    score = mlo if cc is None else (cc + mlo) / 2
    return ExamResult((one, other), {"L": score, "R": None}, score)


def test_what_the_second_view_brings_is_told_of_the_breasts_that_have_both() -> None:
    breasts = [
        two_views(1, 0.9, 0.3, sick=True),  # both 0.6
        two_views(2, 0.4, 0.6, sick=True),  # both 0.5
        two_views(3, 0.5, 0.2, sick=False),  # both 0.35
        two_views(4, 0.6, 0.5, sick=False),  # both 0.55
        two_views(5, None, 0.0, sick=True),
        exam(6, 1.0, sick=False),
    ]
    metrics = measure(breasts, TARGET, bundle="b 1", split="all", boxes_from=None)["metrics"]
    # Sick above healthy, of four pairs: CC 0.9 above both, 0.4 above none; MLO 0.3 above 0.2 alone, 0.6
    # above both; together 0.6 above both, 0.5 above 0.35 alone.
    wanted = {"cc": 2 / 4, "mlo": 3 / 4, "both": 3 / 4}
    for name, value in wanted.items():
        entry = metrics[f"auc.two_views.{name}"]
        assert (entry["value"], entry["unit"], entry["n"]) == (value, "breast", 4)
    assert metrics["auc.breast"]["n"] == 6
    alone = measure(crowd(), TARGET, bundle="b 1", split="all", boxes_from=None)["metrics"]
    assert not [name for name in alone if "two_views" in name]


def test_recalibration_is_told_beside_the_scores_as_they_are() -> None:
    many = [exam(k, 0.9 if k % 2 else 0.8, sick=k % 4 == 1) for k in range(80)]
    found = recalibrated(by_image(many, lambda row: row.label == "malignant"))
    # 40 of 0.9 with a half positive, 40 of 0.8 with none: |0.9 - 0.5| / 2 + |0.8 - 0| / 2.
    assert found["as shipped"]["ece"] == pytest.approx(0.6)
    assert found["isotonic"]["ece"] < 0.1
    assert found["isotonic"]["brier"] < found["as shipped"]["brier"]


def test_curves_are_pictures_and_tables_of_the_same_numbers(tmp_path: Path) -> None:
    write_curves(curves(crowd(), TARGET, boxes=True), tmp_path)
    names = {path.name for path in (tmp_path / "curves").iterdir()}
    assert names == {f"{n}.{kind}" for n in ("roc", "pr", "calibration", "froc") for kind in ("svg", "csv")}
    with (tmp_path / "curves" / "roc.csv").open(newline="") as table:
        rows = [row for row in csv.DictReader(table) if row["unit"] == "image"]
    points = [(float(row["false_positive_rate"]), float(row["sensitivity"])) for row in rows]
    # Falling: + + - - - + - +
    assert points == [
        (0, 0), (0, 0.25), (0, 0.5), (0.25, 0.5), (0.5, 0.5), (0.75, 0.5), (0.75, 0.75), (1, 0.75), (1, 1)
    ]  # fmt: skip
    for path in (tmp_path / "curves").glob("*.svg"):
        ElementTree.parse(path)


def test_one_class_has_no_roc_and_still_a_report() -> None:
    one = [exam(k, k / 10, sick=False) for k in range(4)]
    made = curves(one, TARGET, boxes=True)
    assert [curve.name for curve in made] == ["calibration"]
    metrics = measure(one, TARGET, bundle="b 1", split="all", boxes_from=0.05)
    assert metrics["metrics"]["auc.image"]["value"] is None
    metrics |= {"protocol": "Measured.", "subgroups": subgroups(one, TARGET)}
    assert "undefined here" in evaluation_page("t", metrics, "card", made, [])


def test_a_diagram_puts_points_where_the_axes_say() -> None:
    drawn = svg(Plot("t", "x", "y", [Line("half", (0, 0.5, 1), (0, 0.5, 1))]))
    points = re.search(r'polyline points="([^"]+)"', drawn)
    assert points is not None
    first, middle, last = (tuple(map(float, p.split(","))) for p in points.group(1).split())
    assert middle == pytest.approx(((first[0] + last[0]) / 2, (first[1] + last[1]) / 2), abs=0.11)
    assert first[1] > last[1], "SVG counts downwards"
    assert "<script>" not in svg(Plot("<script>", "x", "y", []))


def test_the_worst_errors_are_those_farthest_on_the_wrong_side() -> None:
    kinds = dict(worst(crowd(), TARGET, OperatingPoint("half", 0.5, "")))
    missed, false = kinds.values()
    assert [one.row.image_id for one in missed] == ["i6", "i5"]
    assert [one.row.image_id for one in false] == ["i7", "i8"]
    many = [exam(k, k / 100, sick=False) for k in range(50)]
    assert len(worst(many, TARGET, None)[1][1]) == SHOWN


def test_a_picture_shows_the_breast_alone_with_map_and_boxes() -> None:
    pixels = np.zeros((200, 160), np.uint16)
    pixels[20:180, 0:100] = 30_000
    pixels[100:140, 40:80] = 40_000
    pixels[2:12, 110:150] = 65_535  # a film label with a name
    values = np.zeros((10, 8), np.float32)
    values[6, 3] = 2.0  # its cell covers stored rows 120..140 and columns 60..80
    to_stored = np.array([[20.0, 0, 9.5], [0, 20.0, 9.5]])
    view = ArrayView("i1", pixels, source="film", laterality="L", view="MLO")
    lesion = (30.0, 10.0, 60.0, 40.0)
    drawn = draw(view, HeatMap(values, to_stored, "signed"), ((0.5, (100.0, 40.0, 140.0, 80.0)),), (lesion,))
    orange = (drawn[..., 0].astype(int) - drawn[..., 2] > 60) & (drawn[..., 1] > 40)
    rows, columns = np.nonzero(orange)
    # Cropped to the breast, which starts at row 20 and column 0; bilinear, so centred on the cell.
    assert (rows.mean() + 20, columns.mean()) == pytest.approx((129.5, 69.5), abs=3)
    green = np.all(drawn == (120, 230, 140), axis=2)
    assert green[10, 10]
    assert green[39, 39]
    assert not green[25, 25]
    assert drawn.shape[1] < 110, "the label is not in the picture"


@pytest.fixture(scope="module")
def bundle(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluated")
    return export([train(miniature, folder / "run")], folder / "bundles", print).folder


def test_the_report_is_one_page_that_needs_no_network_and_names_no_patient(
    miniature: Miniature, bundle: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    words = ["--manifest", str(miniature.manifest.path), "--splits", str(miniature.splits_path)]
    assert main(["evaluate", str(bundle), *words, "--device", "cpu", "-o", str(report)]) == 0
    page = (report / "index.html").read_text()
    for outside in ('src="http', "href=", "<script", "<link", "@import", "url("):
        assert outside not in page
    assert "default-src 'none'" in page
    assert page.count("<svg") == 3
    assert page.count("data:image/png") == len(list((report / "gallery").glob("*.png")))
    metrics = json.loads((report / "metrics.json").read_text())
    assert metrics["format"] == "mammoview-metrics"
    assert metrics["subgroups"]
    for name in ("auc.image", "pf1.breast", "brier.patient"):
        assert f"{metrics['metrics'][name]['value']:.3f}" in page
    for patient in miniature.manifest.patients:
        assert patient not in page
    for path in (report / "gallery").glob("*.png"):
        assert cv2.imread(str(path)) is not None


def test_a_report_that_cannot_be_written_is_one_sentence(
    miniature: Miniature, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    words = ["--manifest", str(miniature.manifest.path), "-o", str(tmp_path / "file")]
    assert main(["evaluate", str(bundle), *words]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the report cannot be written" in error


def test_views_read_ahead_are_those_of_each_study_in_order(miniature: Miniature) -> None:
    groups = studies(miniature.manifest.rows)
    ahead = list(read_ahead(groups))
    assert [[view.uid for view in views] for views in ahead] == [[row.image_id for row in g] for g in groups]
    assert np.array_equal(ahead[3][0].pixels, read_study(groups[3])[0].pixels)


def test_a_file_that_moved_ends_reading_ahead(miniature: Miniature) -> None:
    from dataclasses import replace

    rows = [replace(row, path=Path("/nowhere/x.pgm")) for row in miniature.manifest.rows]
    with pytest.raises(ManifestError, match=r"x\.pgm"):
        list(read_ahead(studies([*miniature.manifest.rows[:4], *rows[4:]])))


def test_the_region_of_random_boxes_is_the_breast(bundle: Path) -> None:
    pixels = np.zeros((400, 320), np.uint16)
    pixels[40:360, 0:200] = 30_000
    pixels[40:360, 0:200] += np.random.default_rng(0).integers(0, 3000, (320, 200)).astype(np.uint16)
    rows = [exam(number, 0.5, sick=False).images[0].row for number in (1, 2)]
    views = [
        ArrayView(side, pixels, source="film", laterality=side, view="MLO", spacing_mm=(0.5, 0.5))
        for side in "LR"
    ]
    images = score_study(load_predictor(load_bundle(bundle), "cpu"), rows, views).images
    assert images[0].score is not None, images[0].reason
    assert images[0].region == pytest.approx((40, 0, 360, 200), abs=8)
