"""The audit's findings and its page, on small sets with one thing wrong each."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from film_miniature import picture, write_pgm
from tiny_training import Miniature

import trainer.audit.table
from app.core.files import whole
from app.core.manifest import Lesion, Manifest, Row, file_sha256, write_manifest
from trainer.audit.balance import cramers_v
from trainer.audit.facts import KIND
from trainer.audit.page import page
from trainer.audit.probe import border_and_format, probe
from trainer.audit.run import audit, look_over
from trainer.audit.table import all_facts, table_path
from trainer.cli import main
from trainer.errors import LeakageError, TrainerError
from trainer.splits import make_splits, read_splits, write_splits

NASTY = '<script>alert("x")</script>&'


def row_of(path: Path, number: int, **changed: object) -> Row:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    side = "LR"[(number + 1) % 2]
    made = Row(
        f"i{number:03d}", f"p{number // 2:03d}", f"s{number // 2}", side, "MLO", path, 0, file_sha256(path),
        *pixels.shape[:2], None, "film", "ABCD"[number % 4], str(40 + number), "ONE", "normal",
        "csv: made up",
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def make_set(folder: Path, count: int = 12) -> list[Row]:
    """Films of which L has its chest wall on the right and R on the left, as in `film_miniature`."""
    rows = []
    for number in range(count):
        path = folder / f"{number}.pgm"
        write_pgm(path, picture(number + 1, None, 128))
        rows.append(row_of(path, number + 2))
    return rows


def manifest_of(rows: list[Row], folder: Path) -> Manifest:
    return write_manifest(rows, folder / "manifest.csv")


def test_a_clean_set_has_nothing_to_complain_of(tmp_path: Path) -> None:
    rows = [replace(row, label=("normal", "benign")[n // 2 % 2]) for n, row in enumerate(make_set(tmp_path))]
    found = audit(manifest_of(rows, tmp_path), None)
    assert (found.twins, found.alike, found.conflicts, found.junk, found.sides, found.warnings) == ((),) * 6
    assert found.depths == {"MONOCHROME2, 8 bits (7 used)": 12}


def test_twins_with_other_labels_sides_and_densities_contradict(tmp_path: Path) -> None:
    rows = make_set(tmp_path)
    rows[6] = replace(rows[1], image_id="copy", patient_id="other", label="malignant", density="A")
    found = audit(manifest_of(rows, tmp_path), None)
    assert found.twins == ((rows[1].image_id, "copy"),)
    assert found.twins_apart == 1
    assert found.conflicts == (
        f"identical pixels with different labels (malignant, normal): {rows[1].image_id}, copy",
        f"identical pixels with different densities (A, D): {rows[1].image_id}, copy",
    )


def test_constant_empty_burnt_and_resized_pictures_are_named(tmp_path: Path) -> None:
    rows = make_set(tmp_path)
    generator = np.random.default_rng(0)
    wrong = {
        0: np.full((128, 128), 9), 1: 90 + generator.integers(0, 2, (128, 128)),
        2: np.where(np.arange(128) < 80, 255, generator.integers(0, 200, (128, 128))),
    }  # fmt: skip
    for number, pixels in wrong.items():
        write_pgm(rows[number].path, pixels)
        rows[number] = replace(rows[number], sha256=file_sha256(rows[number].path))
    rows[3] = replace(rows[3], rows=127)
    found = audit(manifest_of(rows, tmp_path), None)
    words = ["every pixel has the value 9", "nothing is seen", "62 % of the pixels have the largest value",
             "the picture has 128x128 pixels, the manifest says 127x128"]  # fmt: skip
    assert len(found.junk) == 4
    for number, (sentence, word) in enumerate(zip(found.junk, words, strict=True)):
        assert sentence.startswith(rows[number].image_id)
        assert word in sentence


def test_an_unreadable_file_is_named_and_the_rest_audited(tmp_path: Path) -> None:
    rows = make_set(tmp_path)
    rows[4].path.write_bytes(rows[4].path.read_bytes()[:500])
    rows[4] = replace(rows[4], sha256=file_sha256(rows[4].path))
    found = audit(manifest_of(rows, tmp_path), None)
    assert len(found.unreadable) == 1
    assert str(rows[4].path) in found.unreadable[0]
    assert sum(found.depths.values()) == 11


def test_a_side_against_the_habit_of_its_data_set_is_named(tmp_path: Path) -> None:
    rows = make_set(tmp_path, 24)
    rows[5] = replace(rows[5], laterality="L" if rows[5].laterality == "R" else "R")
    found = audit(manifest_of(rows, tmp_path), None)
    assert len(found.sides) == 1
    assert found.sides[0].startswith(rows[5].image_id)


def test_a_side_against_the_known_convention_of_its_data_set_is_named(miniature: Miniature) -> None:
    assert audit(miniature.manifest, None).sides == ()
    rows = list(miniature.manifest.rows)
    rows[7] = replace(rows[7], laterality="L" if rows[7].laterality == "R" else "R")
    found = audit(replace(miniature.manifest, rows=tuple(rows)), None)
    assert [sentence.partition(":")[0] for sentence in found.sides] == [rows[7].image_id]


def resaved(row: Row, folder: Path) -> Row:
    """A copy that is not identical: mirrored, at three quarters of the size, as JPEG."""
    pixels = cv2.imread(str(row.path), cv2.IMREAD_GRAYSCALE)[:, ::-1]
    path = folder / "alike.jpg"
    cv2.imwrite(str(path), cv2.resize(pixels, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA))
    return replace(row, image_id="alike", path=path, sha256=file_sha256(path), rows=96, columns=96)


def run(tmp_path: Path, *more: str) -> int:
    return main(["audit", str(tmp_path / "manifest.csv"), "-o", str(tmp_path / "report"), *more])


def test_perceptual_twins_end_the_command_only_with_strict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = make_set(tmp_path)
    rows[9] = replace(resaved(rows[1], tmp_path), patient_id=rows[9].patient_id)
    manifest = manifest_of(rows, tmp_path)
    splits = make_splits(manifest, folds=3)
    write_splits(splits, tmp_path / "splits.json")
    assert audit(manifest, splits).leaks == ()
    for words in ([], ["--splits", str(tmp_path / "splits.json")]):
        assert run(tmp_path, *words) == 0
        assert "perceptual twins" in capsys.readouterr().out
        assert run(tmp_path, *words, "--strict") == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert rows[1].image_id in error
        assert "alike" in error
        assert "perceptual twins" in (tmp_path / "report" / "index.html").read_text().lower()


def test_perceptual_twins_of_one_patient_pass_strict(tmp_path: Path) -> None:
    rows = make_set(tmp_path)
    rows[0] = resaved(rows[1], tmp_path)
    manifest_of(rows, tmp_path)
    assert run(tmp_path, "--strict") == 0
    assert json.loads((tmp_path / "report" / "audit.json").read_text())["alike"][0]["same_patient"]


def test_leaks_are_a_leakage_error(miniature: Miniature, tmp_path: Path) -> None:
    content = json.loads(miniature.splits_path.read_text())
    content["folds"][0]["train"].append(content["folds"][0]["test"][0])
    (tmp_path / "splits.json").write_text(json.dumps(content))
    with pytest.raises(LeakageError, match="is in train and in test"):
        read_splits(tmp_path / "splits.json")


class Addresses(HTMLParser):
    """Collects whatever a page would load, and what it would run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [
            value or "" for name, value in attrs if name in ("href", "src", "xlink:href", "action")
        ]


def test_the_page_loads_nothing_runs_nothing_and_escapes_all_words(tmp_path: Path) -> None:
    rows = [replace(row, density=NASTY, view=NASTY, vendor=NASTY, label=f"{NASTY}{n % 2}",
                    findings=(Lesion(NASTY, (10, 10, 40, 50), None, NASTY, (("subtlety", NASTY),)),))
            for n, row in enumerate(make_set(tmp_path))]  # fmt: skip
    rows[3] = replace(rows[3], image_id=NASTY)
    rows[8] = replace(rows[1], image_id=NASTY + "twin", patient_id="p9", label="other")
    manifest = manifest_of(rows, tmp_path)
    html = page(look_over(manifest, None), manifest)
    reader = Addresses()
    reader.feed(html)
    assert {"svg", "image", "rect", "figure"} <= reader.tags
    assert "script" not in reader.tags
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert reader.found
    assert all(address.startswith(("data:image/jpeg;base64,", "#i")) for address in reader.found)
    assert str(tmp_path) not in html


def test_a_box_is_drawn_where_the_lesion_is(tmp_path: Path) -> None:
    rows = make_set(tmp_path)
    rows[0] = replace(rows[0], findings=(Lesion("mass", (32, 16, 96, 48)),))
    manifest = manifest_of(rows, tmp_path)
    html = page(look_over(manifest, None), manifest)
    # 128 pixels are shown as 220: 16 x 220/128 = 27.5, 32 x 220/128 = 55, 64 x 220/128 = 110.
    assert '<rect x="27.5" y="55.0" width="55.0" height="110.0" fill="none"' in html


def test_the_probe_finds_a_bright_border_and_not_a_label_by_chance() -> None:
    generator = np.random.default_rng(0)
    facts = np.zeros(200, KIND)
    facts["grey"] = generator.dirichlet(np.ones(32), size=200)
    facts["edge_mean"] = generator.random((200, 4))
    rows = [Row(f"i{n}", f"p{n // 2}", "", "L", "CC", Path("x"), 0, "", 9, 9, None, "film", "", "", "",
                ("normal", "malignant")[n // 2 % 2], "csv: made up") for n in range(200)]  # fmt: skip
    assert not any(one.beyond_chance for one in probe(rows, facts, [""] * 200))
    facts["edge_mean"][:, 1] += [row.label == "malignant" for row in rows]
    found = {one.of: one for one in probe(rows, facts, [""] * 200)}
    assert found["border and format"].auc > 0.9
    assert found["border and format"].beyond_chance
    assert "may learn the film" in found["border and format"].sentence
    assert not found["grey-value histogram"].beyond_chance


def test_the_probe_keeps_patients_together() -> None:
    # Every patient has a border of her own: known patients would give their label away.
    generator = np.random.default_rng(1)
    facts = np.zeros(300, KIND)
    facts["edge_mean"] = np.repeat(generator.random((30, 4)), 10, axis=0)
    facts["edge_std"] = np.repeat(generator.random((30, 4)), 10, axis=0)
    label = np.repeat(generator.permutation(30) < 15, 10)
    rows = [Row(f"i{n}", f"p{n // 10}", "", "L", "CC", Path("x"), 0, "", 9, 9, None, "film", "", "", "",
                ("a", "b")[int(label[n])], "csv: made up") for n in range(300)]  # fmt: skip
    assert border_and_format(facts).shape == (300, 13)
    assert not probe(rows, facts, [""] * 300)[0].beyond_chance


def test_cramers_v_of_worked_tables() -> None:
    assert cramers_v(np.array([[10.0, 0.0], [0.0, 10.0]])) == pytest.approx(1)
    assert cramers_v(np.array([[5.0, 5.0], [10.0, 10.0]])) == pytest.approx(0)
    # chi2 = 4 x 10^2 / 20 x ... by hand: expected 15 each, (20-15)^2/15 x 4 = 6.667; sqrt(6.667/60) = 1/3.
    assert cramers_v(np.array([[20.0, 10.0], [10.0, 20.0]])) == pytest.approx(1 / 3)
    assert cramers_v(np.array([[3.0, 4.0]])) is None


def test_a_vendor_that_goes_with_the_label_is_warned_of(tmp_path: Path) -> None:
    rows = [replace(row, label=("normal", "malignant")[n // 2 % 2], vendor=("ONE", "TWO")[n // 2 % 2])
            for n, row in enumerate(make_set(tmp_path, 24))]  # fmt: skip
    found = audit(manifest_of(rows, tmp_path), None)
    assert any("vendor and label go together (Cramér's V 1.00)" in one for one in found.warnings)


def test_a_second_audit_reads_no_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make_set(tmp_path, 4)
    first, _ = all_facts(rows)
    asked: list[str] = []
    monkeypatch.setattr(trainer.audit.table, "look", lambda row: asked.append(row.image_id))
    second, reasons = all_facts(rows)
    assert asked == []
    assert first.tobytes() == second.tobytes()
    assert reasons == [""] * 4


def test_an_interrupted_audit_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, asked = make_set(tmp_path, 5), []
    manifest_of(rows, tmp_path)
    real = trainer.audit.table.look

    def look(row: Row) -> bytes:
        asked.append(row.image_id)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(row)

    monkeypatch.setenv("MAMMOVIEW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trainer.audit.table, "look", look)
    assert run(tmp_path) == 1
    assert "interrupted" in capsys.readouterr().err
    assert run(tmp_path) == 0
    ids = [row.image_id for row in rows]
    assert asked == [*ids[:3], *ids[2:]]


def test_a_table_that_cannot_be_kept_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest_of(make_set(tmp_path, 24), tmp_path)
    monkeypatch.setenv("MAMMOVIEW_CACHE", str(tmp_path / "cache"))
    # No page more than the tables have at first: what SQLite says of a full disk.
    small = trainer.audit.table._TABLES + "PRAGMA max_page_count = 3;"
    monkeypatch.setattr(trainer.audit.table, "_TABLES", small)
    assert run(tmp_path) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the table of pictures cannot be kept (database or disk is full)" in error


def test_a_damaged_table_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMMOVIEW_CACHE", str(tmp_path / "cache"))
    rows = make_set(tmp_path, 2)
    before, _ = all_facts(rows)
    table_path().write_bytes(b"no table " * 500)
    after, _ = all_facts(rows)
    assert before.tobytes() == after.tobytes()


def test_a_file_that_moved_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = make_set(tmp_path, 4)
    manifest_of(rows, tmp_path)
    rows[2].path.unlink()
    assert run(tmp_path) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{rows[2].path}: the file named by the manifest is not there" in error
    assert not (tmp_path / "report").exists()


def test_a_full_disk_leaves_no_half_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest_of(make_set(tmp_path, 4), tmp_path)

    def full(path: Path, text: str) -> None:
        with whole(path) as part:
            part.write_text(text[:100])
            raise OSError(28, "No space left on device", str(part))

    monkeypatch.setattr("trainer.audit.page.write_text", full)
    assert run(tmp_path) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the report cannot be written (No space left on device)" in error
    assert {file.name for file in (tmp_path / "report").iterdir()} == {"audit.json"}


def test_splits_of_another_manifest_are_refused_before_any_picture_is_read(tmp_path: Path) -> None:
    manifest = manifest_of(make_set(tmp_path, 6), tmp_path)
    splits = make_splits(replace(manifest, sha256="0" * 64), folds=3)
    with pytest.raises(TrainerError, match="another manifest"):
        audit(manifest, splits)
