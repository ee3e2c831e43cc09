"""What a bundle reaches on data that it never saw, kept in the bundle and on its card."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_exams import BOX, exam
from safetensors.torch import load_file
from tiny_training import Miniature

from app.core.manifest import Box, Lesion
from model_zoo.bundle import Bundle, load_bundle, shipped_folder, write_bundle
from trainer.bundle_notes import put_section, write_notes
from trainer.cli import main
from trainer.errors import TrainerError
from trainer.evaluate import target_of
from trainer.other_data import Wish, as_shown, check, measure_other, opened
from trainer.other_section import section, store_other
from trainer.recipe_blocks import Target
from trainer.runs import patient_mark
from trainer.splits import Part
from trainer.units import ExamResult

AWAY: Box = (60.0, 60.0, 80.0, 80.0)
TARGET = Target(("malignant",), "a lesion", {"lesion": ("lesion",)})
WISH = Wish("Made-up films, half of them normal", "0123456789abcdef")


def _with(one: ExamResult, *boxes: tuple[float, Box]) -> ExamResult:
    return replace(one, images=(replace(one.images[0], boxes=boxes),))


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """The shipped detector of phantoms on a canvas of 64 x 64, its threshold 0.4."""
    shipped = load_bundle(shipped_folder() / "phantom-lesions")
    block = shipped.spec.preprocess
    spec = replace(
        shipped.spec,
        preprocess=replace(block, resize=replace(block.resize, rows=64, columns=64, mm=0.8)),
        detection=replace(shipped.spec.detection, score_threshold=0.4),
    )
    state = load_file(str(shipped.weights))
    return write_bundle(tmp_path / "here" / "phantom-lesions", spec, state, "# A card\n", shipped.metrics)


@pytest.fixture
def exams() -> list[ExamResult]:
    normal = [exam(number, 0.1 * number, sick=False) for number in range(4)]
    sick = [
        exam(number, 0.1 * number, sick=True, kind="SPIC" if number > 7 else "CIRC") for number in range(4, 9)
    ]
    return [
        _with(normal[0], (0.9, AWAY), (0.5, BOX), (0.1, AWAY)),
        _with(normal[1], (0.3, AWAY)),
        _with(normal[2], (0.7, AWAY)),
        _with(normal[3]),
        *(_with(one, (score, BOX)) for one, score in zip(sick, (0.9, 0.6, 0.45, 0.2), strict=False)),
        _with(sick[4], (0.8, AWAY)),
    ]


def _entry(bundle: Bundle, exams: list[ExamResult], wish: Wish = WISH) -> dict[str, Any]:
    part = Part("all", tuple(image.row for one in exams for image in one.images), -1, "")
    return measure_other(bundle, part, exams, TARGET, wish)


def test_the_numbers_are_those_counted_by_hand(bundle: Bundle, exams: list[ExamResult]) -> None:
    entry = _entry(bundle, exams)
    metrics = entry["metrics"]
    assert entry["n"] == {"images": 9, "scored": 9, "patients": 9, "normal": 4, "positive": 5}
    # From 0.4 up the normal images have 2, 0, 1 and 0 boxes.
    assert metrics["false_boxes_per_normal_image"]["value"] == 3 / 4
    assert metrics["normal_images_without_box"]["value"] == 2 / 4
    # Of four CIRC those at 0.9, 0.6 and 0.45 are shown; the box in SPIC's image lies away from it.
    assert (metrics["found.CIRC"]["value"], metrics["found.CIRC"]["n"]) == (3 / 4, 4)
    assert (metrics["found.SPIC"]["value"], metrics["found.SPIC"]["n"]) == (0.0, 1)
    # Sides of 20 pixels of 0.5 mm: 10 mm each.
    assert metrics["found_size.10 to 20 mm"]["value"] == 3 / 5
    # False boxes 0.9 0.8 0.7 0.5 0.3 0.1: of 9 images 4 are allowed at a rate of 0.5, all of them at 1.
    assert metrics["froc.centre@0.5"]["value"] == 3 / 5
    assert metrics["froc.centre@1"]["value"] == 4 / 5, "boxes below the threshold take part"
    assert metrics["auc.image"]["value"] == 1.0
    for name, one in metrics.items():
        assert one["n"] > 0, name
        assert one["baseline"] is not None, name
        assert one["low"] <= one["value"] <= one["high"], name
    # Of none of SPIC in one patient, by hand: 0 to z^2 / (n + z^2), z = 1.959964.
    assert (metrics["found.SPIC"]["low"], metrics["found.SPIC"]["high"]) == (
        0.0,
        pytest.approx(3.841459 / 4.841459, abs=1e-5),
    )
    assert "Wilson's, n = 1 patients" in metrics["found.SPIC"]["method"]
    assert "SPIC 0 of 1 (0.00 to 0.79, Wilson, 1 patients)" in section(entry)
    assert "bootstrap" in metrics["found.CIRC"]["method"]


@pytest.mark.parametrize(("boxes", "low", "high"), [(0, 4 / (4 + 3.841459), 1), (1, 0, 3.841459 / 7.841459)])
def test_normal_images_all_alike_have_no_interval_of_a_single_point(
    bundle: Bundle, exams: list[ExamResult], boxes: int, low: float, high: float
) -> None:
    """Four patients, all or none of whose images are free of boxes; Wilson's with z^2 = 3.841459."""
    alike = [_with(one, *[(0.9, AWAY)] * boxes) for one in exams[:4]]
    entry = _entry(bundle, [*alike, *exams[4:]])
    free = entry["metrics"]["normal_images_without_box"]
    assert (free["low"], free["high"]) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))
    false = entry["metrics"]["false_boxes_per_normal_image"]
    assert (false["value"], false["low"], false["high"]) == (boxes, None, None)
    assert "no interval" in section(entry)


def test_boxes_too_weak_to_be_shown_are_on_record_and_not_in_the_report(
    bundle: Bundle, exams: list[ExamResult]
) -> None:
    shown = as_shown(exams, bundle.spec)
    assert [len(one.images[0].boxes) for one in shown] == [2, 0, 1, 0, 1, 1, 1, 0, 1]
    assert opened(bundle, WISH).spec.detection.score_threshold == 0.05
    assert opened(bundle, Wish()) == bundle


def test_lesions_of_the_bundles_own_class_count_alone_where_there_are_any(
    bundle: Bundle, exams: list[ExamResult]
) -> None:
    image = exams[4].images[0]
    named = replace(image, row=replace(image.row, findings=(Lesion("lesion", BOX),)))
    entry = _entry(bundle, [replace(exams[4], images=(named,)), *exams[:4], *exams[5:]])
    assert entry["metrics"]["froc.centre@1"]["n"] == 1
    assert [name for name in entry["metrics"] if name.startswith("found.")] == ["found.lesion"]


def test_a_section_takes_its_older_ones_place_and_leaves_the_others() -> None:
    card = "# A\n\n## On other data: x\n\nold\n\n## Heat maps\n\nstay\n"
    made = put_section(card, "## On other data: x", "## On other data: x\n\nnew \\1\n")
    assert made == "# A\n\n## On other data: x\n\nnew \\1\n\n## Heat maps\n\nstay\n"
    assert put_section(made, "## On other data: x", "## On other data: x\n\nnew \\1\n") == made
    assert put_section(made, "## On other data", "## On other data\n\ny").endswith(
        "stay\n\n## On other data\n\ny\n"
    )


def test_the_same_data_replaces_its_record_and_the_seal_holds(
    bundle: Bundle, exams: list[ExamResult]
) -> None:
    before = bundle.metrics
    weights = bundle.weights.read_bytes()
    first = store_other(bundle, _entry(bundle, exams))
    card = first.card
    assert "gets 0.75 false boxes" in card
    assert "CIRC 3 of 4" in card
    assert "| 1 | 0.800" in card
    assert store_other(first, _entry(bundle, exams)).card == card
    other = store_other(first, _entry(bundle, exams, replace(WISH, sentence="Others: more films")))
    assert [one["name"] for one in other.metrics["other_data"]] == ["Made-up films", "Others"]
    fewer = store_other(other, _entry(bundle, exams[1:]))
    assert [one["n"]["images"] for one in fewer.metrics["other_data"]] == [8, 9]
    assert fewer.card.count("## On other data: ") == 2
    assert {name: fewer.metrics[name] for name in before} == before
    assert load_bundle(bundle.folder).weights.read_bytes() == weights


def test_images_of_one_label_have_no_auc_and_no_normal_image(bundle: Bundle, exams: list[ExamResult]) -> None:
    entry = _entry(bundle, exams[4:])
    assert not {"auc.image", "false_boxes_per_normal_image"} & set(entry["metrics"])
    text = section(entry)
    assert "No image here is normal" in text
    assert "One kind of label only: no AUC" in text


def test_birads_1_is_normal_and_labels_none_of_which_is_positive_are_called_so(
    bundle: Bundle, exams: list[ExamResult]
) -> None:
    """As VinDr-Mammo and INbreast label: BI-RADS 1 is negative, 2 benign (ACR BI-RADS atlas)."""

    def called(one: ExamResult, label: str) -> ExamResult:
        image = one.images[0]
        return replace(one, images=(replace(image, row=replace(image.row, label=label)),))

    labels = ["birads-1", "birads-1", "BIRADS-1", "birads-2", *["birads-5"] * 5]
    entry = _entry(bundle, [called(one, label) for one, label in zip(exams, labels, strict=True)])
    assert entry["n"]["normal"] == 3
    assert entry["metrics"]["false_boxes_per_normal_image"]["value"] == (2 + 0 + 1) / 3
    text = section(entry)
    assert "No image here is normal" not in text
    assert "None of these labels is the bundle's positive one (malignant): no AUC." in text
    rows = [exam.images[0].row for exam in map(called, exams, labels)]
    unstated = write_notes(bundle, {}, bundle.card)
    assert target_of(unstated, rows).positive == ("birads-2", "birads-5")


@pytest.mark.parametrize("sentence", [", no name", "two\nlines", "x" * 401])
def test_a_sentence_that_names_no_data_is_refused(
    bundle: Bundle, exams: list[ExamResult], sentence: str
) -> None:
    part = Part("all", tuple(one.images[0].row for one in exams), -1, "")
    with pytest.raises(TrainerError, match="say in one line"):
        check(Wish(sentence), bundle, part)


def _evaluate(miniature: Miniature, folder: Path, report: Path, *more: str) -> int:
    words = ["evaluate", str(folder), "--manifest", str(miniature.manifest.path), "-o", str(report)]
    return main([*words, "--device", "cpu", *more])


def test_the_command_measures_outside_the_domain_and_says_so(
    miniature: Miniature, bundle: Bundle, tmp_path: Path
) -> None:
    films = ("--record", "Miniature films, drawn")
    assert _evaluate(miniature, bundle.folder, tmp_path / "declined", *films) == 0
    (declined,) = load_bundle(bundle.folder).metrics["other_data"]
    assert (declined["n"]["scored"], declined["outside_domain"]) == (0, 24)
    assert _evaluate(miniature, bundle.folder, tmp_path / "report", *films, "--outside-domain") == 0
    after = load_bundle(bundle.folder)
    (entry,) = after.metrics["other_data"]
    assert entry["n"]["scored"] == 24
    assert entry["manifest_sha256"] == miniature.manifest.sha256
    assert entry["metrics"]["false_boxes_per_normal_image"]["n"] == 16, "every third of 24 has a lesion"
    said = "outside its training domain; the workstation declines these"
    assert said in after.card
    assert after.spec.domain == bundle.spec.domain, "only a copy in memory was opened"
    assert after.spec.detection == bundle.spec.detection
    report = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert said in report["protocol"]
    # The report is of the bundle as it ships: with a record and without one the same.
    assert _evaluate(miniature, bundle.folder, tmp_path / "plain", "--outside-domain") == 0
    assert json.loads((tmp_path / "plain" / "metrics.json").read_text()) == report


def test_patients_that_trained_the_bundle_do_not_go_on_record(
    miniature: Miniature, bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [patient_mark(miniature.manifest.rows[0].patient_id)]
    metrics = bundle.metrics | {"trained_on_patients": known}
    own = write_bundle(tmp_path / "own", bundle.spec, load_file(str(bundle.weights)), bundle.card, metrics)
    before = shutil.copytree(own.folder, tmp_path / "before")
    assert _evaluate(miniature, own.folder, tmp_path / "report", "--record", "Films, its own") == 1
    assert "1 of these patients trained or tuned" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
    for path in before.iterdir():
        assert (own.folder / path.name).read_bytes() == path.read_bytes()
