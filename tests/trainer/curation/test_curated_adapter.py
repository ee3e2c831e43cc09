from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from reading_days import BOX, PROPOSAL, Day

from app.core.audit.choice import Chosen, choosing
from app.core.manifest import Lesion, file_sha256, read_manifest, write_manifest
from app.core.reading.annotations import corners
from app.core.reading.report import ReportFinding
from app.core.stated import stored_orientation
from trainer import cli
from trainer.datasets import index


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return Day(tmp_path)


def curated(day: Day, *options: str, images: Path | None = None, name: str = "curated.csv"):
    out = day.folder / name
    where = ("--images", str(images or day.images))
    code = cli.main(["index", "curated", str(day.path), "-o", str(out), *where, *options])
    assert code == 0
    rows = {row.image_id: row for row in read_manifest(out).rows}
    lines = out.with_name(f"{name}.curation.jsonl").read_text("utf-8").splitlines()
    head, *records = (json.loads(line) for line in lines)
    return rows, {record["image_id"]: record for record in records}, head


def labelled(day: Day, **labels: str) -> Path:
    """Return a manifest of the exam in which RCC, LCC, ... have these labels, all others normal."""
    path = day.folder / "before.csv"
    (day.images / "table.csv").write_text(
        "path,label\n"
        + "".join(
            f"{p.relative_to(day.images)},{labels.get(p.stem, 'normal')}\n"
            for p in sorted(day.images.rglob("*.dcm"))
        )
    )
    assert cli.main(["index", "csv", str(day.images), "-o", str(path)]) == 0
    return path


def test_accepted_corrected_added_and_rejected_findings_become_rows(day: Day) -> None:
    day.answer("RCC", "accepted", "Ada")
    day.answer("LCC", "corrected", "Ada", box=(50.0, 5.0, 60.0, 15.0), text="calcification")
    day.draw("RMLO", (30.0, 20.0, 45.0, 40.0), "distortion", "Ben")
    day.answer("LMLO", "rejected", "Ada")
    day.read("Ada")
    rows, records, _ = curated(day)
    assert {name: (row.label, row.findings) for name, row in rows.items()} == {
        "exam1/RCC": ("lesion", (Lesion("mass", BOX),)),
        "exam1/LCC": ("lesion", (Lesion("calcification", (50.0, 5.0, 60.0, 15.0)),)),
        "exam1/RMLO": ("lesion", (Lesion("distortion", (30.0, 20.0, 45.0, 40.0)),)),
    }
    # What the model proposed in LMLO is none, but the breast has a lesion: that view of it is not normal.
    assert records["exam1/LMLO"]["left_out"].startswith("read, but exam1/LCC has a lesion")
    assert {name: each["findings"][0]["is"] for name, each in records.items()} == {
        "exam1/RCC": "accepted",
        "exam1/LCC": "corrected",
        "exam1/RMLO": "added",
        "exam1/LMLO": "rejected",
    }
    correction = records["exam1/LCC"]["findings"][0]
    assert (correction["reader"], correction["made"]) == ("Ada", "2026-11-21T10:00:01+00:00")
    assert correction["proposal"] == {
        "model": "finder",
        "version": "1.0",
        "label": "mass",
        "score": 0.875,
        "calibrated": True,
        "box": list(BOX),
    }
    assert all(row.label_source.startswith("curated: ") for row in rows.values())


def test_what_a_finding_was_before_stands_in_the_record(day: Day) -> None:
    first = day.answer("RCC", "accepted", "Ada")
    day.again(first, "Ada", decision="corrected", text="cyst")
    rows, records, _ = curated(day)
    assert rows["exam1/RCC"].findings[0].label == "cyst"
    history = records["exam1/RCC"]["findings"][0]["history"]
    assert [each["change"] for each in history] == [1, 2]
    assert history[0]["before"] is None
    assert history[1]["before"]["text"] == "mass"


def test_an_undone_answer_says_nothing(day: Day) -> None:
    first = day.answer("RCC", "accepted", "Ada")
    item, key = f"annotation/{first.uid}", day.study().key
    day.draw("LCC", BOX, "mass", "Ada")
    undo = day.put(item, None, "Ada", key, undoes=1)
    rows, _, _ = curated(day)
    assert list(rows) == ["exam1/LCC"]
    text = json.loads(json.dumps(first.text))  # done again: the same text under the same item
    assert text == "mass"
    from app.core.reading.items import annotation_text

    day.put(item, annotation_text(first), "Ada", key, undoes=undo)
    rows, _, _ = curated(day)
    assert sorted(rows) == ["exam1/LCC", "exam1/RCC"]


def test_the_label_of_the_data_set_is_never_overwritten(day: Day) -> None:
    before = labelled(day, LCC="malignant")
    content = before.read_bytes()
    day.report("Ada", right="2", left="1")
    day.answer("RCC", "accepted", "Ada")
    rows, records, _ = curated(day, images=before)
    assert before.read_bytes() == content
    assert rows["exam1/LCC"].label == "malignant"  # a report does not overrule a label that is there
    assert rows["exam1/RCC"].label == "lesion"
    assert rows["exam1/RCC"].label_source == "curated from csv: reader's findings"
    assert records["exam1/RCC"]["before"]["label"] == "normal"
    assert records["exam1/RCC"]["before"]["label_source"] == "csv: the column label"
    said = [each for each in records["exam1/LCC"]["said"] if each["about"] == "L"]
    assert (said[0]["value"], said[0]["source"], said[0]["reader"]) == ("1", "reader report", "Ada")


def test_reports_label_images_that_have_no_label(day: Day) -> None:
    day.report("Ada", right="4B", left="1", density="c")
    rows, _, _ = curated(day)
    assert {name: row.label for name, row in rows.items()} == {
        "exam1/RCC": "birads-4b",
        "exam1/RMLO": "birads-4b",
        "exam1/LCC": "birads-1",
        "exam1/LMLO": "birads-1",
    }
    assert {row.label_source for row in rows.values()} == {"curated: reader report"}
    assert {row.density for row in rows.values()} == {"C"}


def test_a_read_breast_without_a_lesion_is_normal_and_its_other_views_beside_one_are_not(
    day: Day, capsys
) -> None:
    day.answer("LMLO", "accepted", "Ada")
    day.answer("RCC", "rejected", "Ada")
    day.read("Ada")
    rows, records, _ = curated(day)
    assert {name: row.label for name, row in rows.items()} == {
        "exam1/LMLO": "lesion",
        "exam1/RCC": "normal",
        "exam1/RMLO": "normal",
    }
    reason = "read, but exam1/LMLO has a lesion and is, or may be, of the same breast"
    assert records["exam1/LCC"]["left_out"] == reason
    assert f"exam1/LCC: {reason}; left out" in capsys.readouterr().out


def without_laterality(day: Day, *names: str) -> None:
    for path in (day.images / "exam1").iterdir():
        if path.stem in names:
            ds = pydicom.dcmread(path)
            del ds.ImageLaterality
            del ds.PatientOrientation  # from which the side could be told
            ds.save_as(path)


@pytest.mark.parametrize("gone", [("LCC", "LMLO"), ("LMLO",), ("RCC", "LCC", "RMLO", "LMLO")])
def test_an_assessment_whose_breast_is_not_found_leaves_no_image_normal(
    tmp_path: Path, capsys, gone: tuple[str, ...]
) -> None:
    day = Day(tmp_path, exams=2)
    day.report("Ada", left="5")
    day.read("Ada")
    day.read("Ada", number=2)  # of which nothing else was said
    without_laterality(day, *gone)
    capsys.readouterr()
    rows, _, _ = curated(day)
    said = capsys.readouterr().out
    found = "LCC" not in gone  # and so the assessment has an image
    sides = {"exam1/LCC": "birads-5", "exam1/RCC": "normal", "exam1/RMLO": "normal"}
    assert {name: row.label for name, row in rows.items()} == {
        **(sides if found else {}),
        **{f"exam2/{name}": "normal" for name in ("RCC", "LCC", "RMLO", "LMLO")},
    }
    assert "exam1/LMLO: read, but the assessment of the left breast may be of this image; left out" in said
    assert ("no image is known to be of the left breast, which Ada assessed" in said) == (not found)


def test_a_lesion_in_an_image_of_no_known_breast_may_be_in_any(day: Day) -> None:
    day.draw("LCC", BOX, "mass", "Ada")
    day.read("Ada")
    without_laterality(day, "LCC")
    rows, _, _ = curated(day)
    assert {name: row.label for name, row in rows.items()} == {"exam1/LCC": "lesion"}


def test_an_unfinished_assessment_is_no_label(day: Day) -> None:
    day.report("Ada", right="0", left="2")
    day.read("Ada")
    rows, records, _ = curated(day)
    assert {name: row.label for name, row in rows.items()} == {
        "exam1/LCC": "birads-2",
        "exam1/LMLO": "birads-2",
    }
    assert records["exam1/RCC"]["left_out"].startswith("nothing says whether it is normal")


def test_reports_override_where_asked(day: Day) -> None:
    day.report("Ada", right="5", left="1")
    rows, _, _ = curated(day, "--reports", "override", images=labelled(day))
    assert rows["exam1/RCC"].label == "birads-5"


def test_words_of_the_report_describe_the_lesion(day: Day) -> None:
    mark = day.draw("RCC", BOX, "", "Ada")
    finding = ReportFinding("f", "R", "mass", (("margin", "spiculated"),), marks=(mark.uid,))
    day.report("Ada", right="5", findings=(finding,))
    rows, _, _ = curated(day)
    assert rows["exam1/RCC"].findings == (Lesion("mass", BOX, descriptors=(("margin", "spiculated"),)),)


def test_a_corrected_box_moves_a_known_lesion_and_keeps_what_is_known_of_it(day: Day) -> None:
    before = labelled(day, RCC="malignant")
    rows = list(read_manifest(before).rows)
    at = next(i for i, row in enumerate(rows) if row.image_id == "exam1/RCC")
    known = Lesion("CALC", (22.0, 12.0, 42.0, 32.0), None, "malignant", (("subtlety", "3"),))
    rows[at] = replace(rows[at], findings=(known,))
    write_manifest(rows, before)
    day.answer("RCC", "accepted", "Ada")
    rows_by_name, _, _ = curated(day, images=before)
    assert rows_by_name["exam1/RCC"].findings == (known,)  # accepted: the model was right, the truth stays
    moved = (18.0, 8.0, 38.0, 28.0)
    other = replace(PROPOSAL, version="2.0")
    day.answer("RCC", "corrected", "Ada", proposal=other, box=moved)
    rows_by_name, _, _ = curated(day, images=before)
    assert rows_by_name["exam1/RCC"].findings == (replace(known, box=moved),)


@pytest.mark.parametrize(
    ("rule", "kept"), [("leave-out", None), ("latest", "normal"), ("majority", "lesion")]
)
def test_readers_who_contradict_each_other(day: Day, capsys, rule: str, kept: str | None) -> None:
    first = day.answer("RCC", "accepted", "Ada")
    day.again(first, "Ben", decision="accepted", text="mass", made="2026-11-21T10:01:00+00:00")
    day.again(first, "Cyd", decision="rejected")
    day.draw("LCC", BOX, "mass", "Ada")
    day.read("Cyd")
    capsys.readouterr()
    rows, records, _ = curated(day, "--conflicts", rule)
    said = capsys.readouterr().out
    assert "exam1/RCC: readers contradict each other about the finding" in said
    assert "Cyd: no lesion" in said
    assert (rows["exam1/RCC"].label if "exam1/RCC" in rows else None) == kept
    assert rows["exam1/LCC"].label == "lesion"
    assert [each["reader"] for each in records["exam1/RCC"]["conflicts"][0]["sides"]] == ["Ada", "Ben", "Cyd"]


def test_a_majority_that_is_none_leaves_the_image_out(day: Day, capsys) -> None:
    first = day.answer("RCC", "accepted", "Ada")
    day.again(first, "Ben", decision="rejected")
    day.draw("LCC", BOX, "mass", "Ada")
    rows, records, _ = curated(day, "--conflicts", "majority")
    assert list(rows) == ["exam1/LCC"]
    assert records["exam1/RCC"]["conflicts"][0]["settled"] == "left out (no majority)"


def test_a_place_that_one_reader_draws_and_another_rejects_is_a_contradiction(day: Day) -> None:
    day.draw("RCC", (21.0, 11.0, 41.0, 31.0), "mass", "Ada")
    day.answer("RCC", "rejected", "Ben")
    day.draw("LCC", (21.0, 11.0, 41.0, 31.0), "mass", "Ada")
    day.answer("LCC", "rejected", "Ada")  # her own box in place of the model's: no contradiction
    rows, records, _ = curated(day)
    assert list(rows) == ["exam1/LCC"]
    assert records["exam1/RCC"]["conflicts"][0]["about"] == "place"


def test_two_assessments_and_a_normal_breast_with_a_lesion_are_contradictions(tmp_path: Path) -> None:
    day = Day(tmp_path, exams=2)
    day.read("Ada", number=2)  # of which nothing else was said
    day.report("Ada", right="1", left="2")
    day.report("Ben", right="1", left="4A")
    day.draw("RCC", BOX, "mass", "Ben")
    rows, records, _ = curated(day)
    assert {name.partition("/")[0] for name in rows} == {"exam2"}
    assert records["exam1/RMLO"]["left_out"] == (
        "assessed as BI-RADS 1, but exam1/RCC has a lesion and is, or may be, of the same breast"
    )
    assert records["exam1/RCC"]["conflicts"][0]["about"] == "label and findings"
    assert records["exam1/LCC"]["conflicts"][0]["about"] == "label"


def test_degrees_of_suspicion_are_no_contradiction(day: Day) -> None:
    day.report("Ada", right="4A")
    day.report("Ben", right="4B")
    rows, records, _ = curated(day)
    assert rows["exam1/RCC"].label == "birads-4b"  # the later one
    assert records["exam1/RCC"]["conflicts"] == []


def test_contradictions_are_settled_by_hand(day: Day, tmp_path: Path, capsys) -> None:
    first = day.answer("RCC", "accepted", "Ada")
    day.again(first, "Ben", decision="rejected")
    day.draw("LCC", BOX, "mass", "")
    table = tmp_path / "right.csv"
    table.write_text("case,reader\nexam1/RCC,Ada\nexam1/LCC,leave-out\n")
    rows, records, _ = curated(day, "--resolve", str(table))
    assert {name: row.label for name, row in rows.items()} == {"exam1/RCC": "lesion"}
    assert records["exam1/RCC"]["conflicts"][0]["settled"] == "by hand: lesion (mass)"
    for line, reason in (
        ("exam1/RCC,Zoe", "the reader Zoe said nothing"),
        ("exam1/RMLO,Ada", "no reader said"),
    ):
        table.write_text(f"case,reader\n{line}\n")
        out = str(tmp_path / "no.csv")
        images = ("--images", str(day.images))
        assert cli.main(["index", "curated", str(day.path), "-o", out, *images, "--resolve", str(table)]) == 1
        assert reason in capsys.readouterr().err


def test_images_that_are_not_found_are_listed(day: Day, capsys) -> None:
    day.draw("RCC", BOX, "mass", "Ada")
    day.draw("LCC", BOX, "mass", "Ada")
    gone = day.uid("LCC")
    (day.images / "exam1" / "LCC.dcm").unlink()
    capsys.readouterr()
    rows, _, _ = curated(day)
    assert list(rows) == ["exam1/RCC"]
    assert f"image {gone} of study" in capsys.readouterr().out


def test_a_report_is_found_by_the_marks_beside_it_where_the_key_is_another(day: Day) -> None:
    mark = day.draw("RCC", BOX, "mass", "Ada")
    day.state.clear()
    other = "another-key"  # the workstation saw these files together with others
    from app.core.reading.items import annotation_item, annotation_text
    from app.core.reading.report import Report
    from app.core.reading.report_json import to_json

    day.put(annotation_item(mark.uid), annotation_text(mark), "Ada", other)
    day.put("report", to_json(Report(left="2")), "Ada", other)
    rows, _, _ = curated(day)
    assert rows["exam1/LCC"].label == "birads-2"


def test_the_rest_of_the_manifest_comes_along_where_asked(day: Day) -> None:
    before = labelled(day)
    day.answer("RCC", "accepted", "Ada")
    rows, _, _ = curated(day, images=before)
    assert list(rows) == ["exam1/RCC"]
    rows, _, _ = curated(day, "--rest", images=before)
    assert sorted(rows) == ["exam1/LCC", "exam1/LMLO", "exam1/RCC", "exam1/RMLO"]
    assert rows["exam1/LCC"].label_source == "csv: the column label"


def test_the_store_is_not_changed_and_what_is_no_store_is_refused(day: Day, tmp_path: Path, capsys) -> None:
    day.draw("RCC", BOX, "mass", "Ada")
    day.store.close()
    content = day.path.read_bytes()
    curated(day)
    assert day.path.read_bytes() == content
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    for store, reason in ((other, "no store of Mammoview"), (tmp_path / "none", "does not exist")):
        capsys.readouterr()
        out = str(tmp_path / "no.csv")
        assert cli.main(["index", "curated", str(store), "--images", str(day.images), "-o", out]) == 1
        assert reason in capsys.readouterr().err
        assert not Path(out).exists()


def test_curated_film_keeps_how_its_files_are_stored(tmp_path: Path) -> None:
    from film_miniature import make_miniature

    make_miniature(tmp_path, 2, size=64)
    row = index("mias", tmp_path, lambda sentence: None)[0]
    turned = stored_orientation(row)
    assert turned is not None
    assert stored_orientation(replace(row, label_source="curated from mias: reader's findings")) == turned
    assert corners((0.0, 0.0, 2.0, 2.0)) == ((-0.5, -0.5), (1.5, 1.5))


@pytest.mark.parametrize("relative", [False, True])
def test_a_picture_is_known_by_its_path(tmp_path: Path, relative: bool) -> None:
    from film_miniature import make_miniature

    from app.core.reading.annotations import new_annotation
    from app.core.reading.history import Change, Edit
    from app.core.reading.items import annotation_item, annotation_text
    from app.core.reading.store import Store

    make_miniature(tmp_path / "data", 2, size=64)
    rows = index("mias", tmp_path / "data", lambda sentence: None)
    write_manifest(rows, tmp_path / "before.csv")
    row = next(row for row in rows if row.label == "normal")
    # As it was opened: the whole path, or one below the folder in which the workstation was started.
    identity = f"data/{row.path.name}" if relative else str(row.path)
    mark = new_annotation("ellipse", identity, 0, corners(BOX), text="mass", reader="Ada")
    edit = Edit(annotation_item(mark.uid), None, annotation_text(mark))
    Store(tmp_path / "work.sqlite").commit(
        Change("key", "drawn", (edit,), "key", "Ada", "2026-11-21T10:00:00")
    )
    out = tmp_path / "c.csv"
    images = ("--images", str(tmp_path / "before.csv"))
    assert cli.main(["index", "curated", str(tmp_path), "-o", str(out), *images]) == 0
    (made,) = read_manifest(out).rows
    assert (made.image_id, made.label, made.findings) == (row.image_id, "lesion", (Lesion("mass", BOX),))
    assert stored_orientation(made) == stored_orientation(row)


def test_verdicts_correct_labels_and_leave_images_out(day: Day, capsys) -> None:
    before = labelled(day, RMLO="benign")
    day.verdict("RCC", "Ada", "label wrong", "malignant", note="spiculated")
    day.verdict("LCC", "Ada", "unusable image")
    day.verdict("RMLO", "Ada", "label wrong", given="benign")
    day.verdict("LMLO", "Ada", "agree")
    rows, records, _ = curated(day, images=before)
    assert {name: row.label for name, row in rows.items()} == {
        "exam1/RCC": "malignant",
        "exam1/LMLO": "normal",
    }
    assert rows["exam1/RCC"].label_source == "curated from csv: reader's verdict"
    assert rows["exam1/LMLO"].label_source == "csv: the column label"
    said = records["exam1/RCC"]["label_by"]
    assert (said["reader"], said["before"], said["note"], said["tags"]) == (
        "Ada",
        "normal",
        "spiculated",
        ["tag"],
    )
    assert records["exam1/LCC"]["left_out"] == "Ada called the image unusable"
    assert records["exam1/RMLO"]["left_out"] == "Ada called the label wrong and gave no other"
    folder, _, _ = curated(day)  # found by the hash of the file without a manifest too
    assert folder["exam1/RCC"].label == "malignant"


def test_a_label_corrected_to_normal_takes_the_known_lesions_with_it(day: Day) -> None:
    before = labelled(day, RCC="malignant", LCC="malignant")
    known = (Lesion("mass", BOX),)
    sick = ("exam1/RCC", "exam1/LCC")
    rows = read_manifest(before).rows
    write_manifest([replace(row, findings=known if row.image_id in sick else ()) for row in rows], before)
    day.verdict("RCC", "Ada", "label wrong", "normal", given="malignant")
    day.verdict("LCC", "Ada", "label wrong", "benign", given="malignant")
    made, records, _ = curated(day, images=before)
    assert (made["exam1/RCC"].label, made["exam1/RCC"].findings) == ("normal", ())
    assert (made["exam1/LCC"].label, made["exam1/LCC"].findings) == ("benign", known)
    kept = records["exam1/RCC"]["before"]
    assert (kept["label"], [each["label"] for each in kept["findings"]]) == ("malignant", ["mass"])


def test_two_verdicts_that_contradict_each_other(day: Day) -> None:
    before = labelled(day)
    day.verdict("RCC", "Ada", "label wrong", "malignant")
    day.verdict("RCC", "Ben", "model wrong")
    day.verdict("LCC", "Ada", "label wrong", "malignant")
    day.verdict("LCC", "Ben", "agree")
    rows, records, _ = curated(day, images=before)
    assert {name: row.label for name, row in rows.items()} == {"exam1/LCC": "malignant"}
    sides = records["exam1/RCC"]["conflicts"][0]["sides"]
    assert [(side["reader"], side["what"]) for side in sides] == [("Ada", "malignant"), ("Ben", "normal")]


def test_how_a_case_was_chosen_stands_in_its_record(day: Day) -> None:
    image = f"{file_sha256(day.images / 'exam1' / 'RCC.dcm')}/0"
    who = ("Ada", "2026-11-21T09:00:00+00:00")
    chosen = Chosen(image, "exam1/RCC", "P-1", "disagreement", 0.75, 1, 4, 0, None, ("a 1", "b 1"), "", *who)
    for change in choosing([chosen], {}):
        day.store.commit(change)
    day.draw("RCC", BOX, "mass", "Ada")
    day.draw("LCC", BOX, "mass", "Ada")
    _, records, _ = curated(day)
    (way,) = records["exam1/RCC"]["chosen_by"]
    assert (way["strategy"], way["value"], way["of"], way["change"]) == ("disagreement", 0.75, 4, 1)
    assert records["exam1/LCC"]["chosen_by"] == []
