from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from reading_days import BOX, Day

from app.core.audit.choice import is_chosen, read_chosen
from app.core.manifest import read_manifest
from app.core.reading.store import Store
from trainer import cli


@pytest.fixture
def day(tmp_path: Path) -> Day:
    made = Day(tmp_path, exams=3)
    table = made.images / "table.csv"
    paths = sorted(made.images.rglob("*.dcm"))
    table.write_text("path,label\n" + "".join(f"{p.relative_to(made.images)},normal\n" for p in paths))
    assert cli.main(["index", "csv", str(made.images), "-o", str(tmp_path / "manifest.csv")]) == 0
    fold = {"train": ["P-1"], "val": ["P-3"], "test": ["P-2"]}
    rest = {"version": 1, "manifest_sha256": "", "seed": 0, "folds": [fold]}
    from trainer.splits import Fold, _hash

    hashed = _hash("", 0, [Fold(("P-1",), ("P-3",), ("P-2",))])
    (tmp_path / "splits.json").write_text(json.dumps({"format": "mammoview-splits", "hash": hashed, **rest}))
    return made


def predictions(day: Day, name: str, scores: dict[str, float]) -> Path:
    """Write a prediction file with the scores of images by id."""
    rows = {row.image_id: row for row in read_manifest(day.folder / "manifest.csv").rows}
    views = [
        {
            "sop_uid": "",
            "path": str(rows[image].path),
            "model": name,
            "laterality": None,
            "view": None,
            "status": "scored",
            "reason": "",
            "score": score,
            "findings": [],
            "heatmap": None,
            "notes": [],
        }
        for image, score in scores.items()
    ]
    study = {
        "study_uid": "1",
        "status": "partial",
        "breasts": {},
        "exam_score": None,
        "suitability": [],
        "views": views,
    }
    outputs = {"score": {"of": "a lesion", "prevalence": 0.5, "calibrated": True}}
    model = {"name": name, "version": "1.0", "outputs": outputs}
    content = {"format": "mammoview-prediction", "version": 1, "models": [model], "studies": [study]}
    path = day.folder / f"{name}.json"
    path.write_text(json.dumps(content))
    return path


def queue(day: Day, *options: str) -> list[str]:
    out = day.folder / "queue.csv"
    splits = ("--splits", str(day.folder / "splits.json"))
    assert cli.main(["next-cases", str(day.folder / "manifest.csv"), "-o", str(out), *splits, *options]) == 0
    with out.open(newline="") as file:
        return [line["image_id"] for line in csv.DictReader(file)]


def test_cases_near_the_threshold_come_first_and_frozen_ones_never(day: Day) -> None:
    scores = {"exam1/RCC": 0.9, "exam1/LCC": 0.55, "exam2/RCC": 0.5, "exam3/RCC": 0.1, "exam3/LCC": 0.45}
    options = ("--strategy", "uncertainty", "--predictions", str(predictions(day, "a", scores)))
    found = queue(day, *options, "--threshold", "0.5", "--count", "3")
    assert set(found[:2]) == {"exam1/LCC", "exam3/LCC"}
    assert "exam2/RCC" not in queue(day, *options, "--count", "99")
    assert sorted(set(queue(day, "--strategy", "random", "--count", "99"))) == [
        f"exam{n}/{label}" for n in (1, 3) for label in ("LCC", "LMLO", "RCC", "RMLO")
    ]


def test_what_was_read_is_left_out_and_the_choice_is_on_record(day: Day) -> None:
    day.draw("RCC", BOX, "mass", "Ada")
    day.report("Ada", left="2")
    day.store.close()
    store = ("--store", str(day.path), "--reader", "Ben")
    found = queue(day, "--strategy", "random", "--seed", "7", "--count", "99", *store)
    assert sorted(found) == ["exam1/RMLO", *(f"exam3/{label}" for label in ("LCC", "LMLO", "RCC", "RMLO"))]
    items = Store(day.path).items("audit")
    chosen = [read_chosen(text) for item, text in items.items() if is_chosen(item) and text]
    assert sorted(each.image_id for each in chosen) == sorted(found)
    assert {(each.strategy, each.seed, each.of, each.reader) for each in chosen} == {("random", 7, 5, "Ben")}
    assert all(each.frozen for each in chosen)
    assert cli.main([
        "index", "curated", str(day.path), "--images", str(day.images), "-o", str(day.folder / "c.csv")
    ]) == 0  # fmt: skip


def test_a_queue_that_cannot_be_written_leaves_no_choice_on_record(day: Day, capsys) -> None:
    day.draw("RCC", BOX, "mass", "Ada")
    day.store.close()
    taken = day.folder / "queue"
    taken.mkdir()
    manifest, splits = str(day.folder / "manifest.csv"), str(day.folder / "splits.json")
    base = ["next-cases", manifest, "-o", str(taken), "--splits", splits, "--strategy", "random"]
    capsys.readouterr()
    assert cli.main([*base, "--store", str(day.path)]) == 1
    assert "queue" in capsys.readouterr().err
    store = Store(day.path)
    assert not [item for item in store.items("audit") if is_chosen(item)]
    store.close()


@pytest.mark.parametrize("fold", ["-1", "1"])
def test_a_fold_that_is_not_there_freezes_nobody_and_is_refused(day: Day, capsys, fold: str) -> None:
    out = day.folder / "q.csv"
    manifest, splits = str(day.folder / "manifest.csv"), str(day.folder / "splits.json")
    base = ["next-cases", manifest, "-o", str(out), "--splits", splits, "--strategy", "random"]
    assert cli.main([*base, "--fold", fold]) == 1
    assert f"has no fold {fold}" in capsys.readouterr().err
    assert not out.exists()


def test_two_models_that_rank_a_case_apart(day: Day) -> None:
    one = predictions(day, "a", {"exam1/RCC": 0.1, "exam1/LCC": 0.5, "exam3/RCC": 0.9})
    two = predictions(day, "b", {"exam1/RCC": 0.8, "exam1/LCC": 0.4, "exam3/RCC": 0.6})
    files = ("--predictions", str(one), "--predictions", str(two))
    assert queue(day, "--strategy", "disagreement", *files)[0] == "exam1/RCC"


def test_a_missing_splits_option_or_score_is_said(day: Day, capsys) -> None:
    out = ("-o", str(day.folder / "q.csv"))
    manifest = str(day.folder / "manifest.csv")
    assert cli.main(["next-cases", manifest, *out, "--strategy", "random"]) == 2
    capsys.readouterr()
    for strategy, word in (("uncertainty", "scores"), ("diversity", "embeddings")):
        assert cli.main(["next-cases", manifest, *out, "--no-splits", "--strategy", strategy]) == 1
        assert word in capsys.readouterr().err
