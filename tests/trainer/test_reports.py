"""What is written for people: metrics' methods, operating points, tables, and nothing on stderr."""

from __future__ import annotations

import csv
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.core.manifest import Lesion, Row
from model_zoo.bundle import load_bundle, shipped_folder, write_bundle
from model_zoo.spec import read_spec
from trainer.card import metrics_table, report_card
from trainer.evaluate import write_report
from trainer.measure import measure
from trainer.operating import Trial, operating_point
from trainer.recipe import read_recipe
from trainer.recipe_blocks import Target
from trainer.units import ExamResult, ImageResult

WHOLE = (0.0, 0.0, 100.0, 100.0)
BOX = (10.0, 10.0, 30.0, 30.0)


def exam(number: int, score: float, *, sick: bool, patient: str = "") -> ExamResult:
    label = "malignant" if sick else "normal"
    row = Row(
        f"i{number}", patient or f"p{number:02d}", f"s{number}", "L", "MLO", Path("/nowhere"), 0, "", 100,
        100, None, "film", "", "", "", label, "test: made up", (Lesion("CIRC", BOX),) if sick else (),
    )  # fmt: skip
    image = ImageResult(row, score, None, ((score, BOX),), WHOLE)
    return ExamResult((image,), {"L": score}, score)


def measured(exams: list[ExamResult], boxes_from: float | None = None) -> dict[str, dict[str, object]]:
    target = Target(("malignant",), "a mass", {"mass": ("*",)})
    metrics = measure(exams, target, bundle="b 1", split="all", boxes_from=boxes_from)
    assert " nan" not in metrics_table(metrics)
    return dict(metrics["metrics"])


def test_delong_is_left_out_where_it_is_not_defined() -> None:
    one_positive = measured([exam(1, 0.9, sick=True), exam(2, 0.1, sick=False), exam(3, 0.2, sick=False)])
    assert one_positive["auc.image"]["value"] == 1.0
    assert "DeLong" not in str(one_positive["auc.image"]["method"])
    two = measured([exam(k, k / 10, sick=k > 2) for k in range(5)])
    assert "DeLong" in str(two["auc.image"]["method"])


def test_froc_says_that_classes_are_pooled_and_from_which_score() -> None:
    entries = measured([exam(k, k / 10, sick=k > 2) for k in range(5)], 0.35)
    for name, entry in entries.items():
        if name.startswith("froc") or name == "map50":
            assert "classes pooled; boxes from a score of 0.35 up" in str(entry["method"])


@pytest.mark.parametrize(("name", "boxes"), [("mias-density", False), ("mias-lesions", True)])
def test_only_a_card_with_boxes_tells_of_images_without_a_place(name: str, boxes: bool) -> None:
    shipped = load_bundle(shipped_folder() / name)
    assert shipped.metrics["without_place"] == 1
    made = report_card(shipped.spec, shipped.metrics, protocol="")
    assert ("box metrics" in made, "box metrics" in shipped.card) == (boxes, boxes)


def test_an_operating_point_is_judged_where_it_was_not_chosen() -> None:
    recipe = read_recipe("mias-abnormality", ["specificity=0.75"])
    # Chosen on one half: negatives 0.1 0.2 0.3 0.6, so 0.5 (a positive) keeps three of four.
    chosen = [exam(k, score, sick=False) for k, score in enumerate((0.1, 0.2, 0.3, 0.6))]
    chosen += [exam(10, 0.5, sick=True)]
    # Judged on the other: 0.7 and 0.4 positive, 0.55 and 0.45 negative.
    judged = [exam(20, 0.7, sick=True), exam(21, 0.4, sick=True)]
    judged += [exam(22, 0.55, sick=False), exam(23, 0.45, sick=False)]
    found = operating_point(recipe, chosen, [Trial(chosen, judged)], "on the first half; on the other it")
    assert found is not None
    point, entry = found
    assert point.threshold == 0.5
    assert (entry["sensitivity"]["value"], entry["specificity"]["value"]) == (0.5, 0.5)
    assert "on the other it recalls 50% of 2 positives" in point.meaning
    assert operating_point(recipe, judged[:2], [Trial(judged[:2], chosen)], "") is None


def test_a_table_of_predictions_quotes_its_cells(tmp_path: Path) -> None:
    write_report(tmp_path, {}, "card", [exam(1, 0.5, sick=True, patient='Doe, "Jane"')])
    with (tmp_path / "predictions.csv").open(newline="", encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert rows[0]["patient_id"] == 'Doe, "Jane"'
    assert rows[0]["score"] == "0.500000"


def test_weights_of_a_bundle_may_be_read_by_all_whom_the_umask_allows(tmp_path: Path) -> None:
    folder = shipped_folder() / "mias-abnormality"
    content = json.loads((folder / "bundle.json").read_text())
    before = os.umask(0o022)
    try:
        made = write_bundle(
            tmp_path / "b", read_spec("b", content), {"classifier.x": np.zeros(2, np.float32)}, "card\n", {}
        )
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made.folder.iterdir()}
    assert set(modes.values()) == {0o644}


@pytest.mark.parametrize("words", ["export /nowhere -o /nowhere/b", "evaluate /nowhere/b --manifest m -o r"])
def test_without_triton_stderr_is_one_line_all_the_same(words: str) -> None:
    code = (
        "import sys; sys.modules['triton'] = None\n"
        f"from trainer.cli import main; sys.exit(main({words.split()!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "/nowhere" in done.stderr or "m: " in done.stderr
