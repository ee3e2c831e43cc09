"""The mini-MIAS adapter on a miniature in the set's exact format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from film_miniature import make_miniature, picture, write_info, write_pgm

from app.core.manifest import COLUMNS, read_manifest, write_manifest
from app.core.stated import stored_orientation
from trainer.datasets import index
from trainer.datasets.mias import parse_info
from trainer.errors import TrainerError


def quiet(sentence: str) -> None:
    raise AssertionError(f"unexpected remark: {sentence}")


@pytest.mark.parametrize("kaggle", [False, True], ids=["original", "kaggle"])
def test_both_editions_of_the_table_give_the_same_rows(tmp_path: Path, kaggle: bool) -> None:
    make_miniature(tmp_path, 6, kaggle=kaggle)
    rows = index("mias", tmp_path, quiet)
    assert [row.image_id for row in rows] == [f"mdb{number:03d}" for number in range(1, 7)]
    assert [row.label for row in rows] == ["normal", "normal", "malignant", "normal", "normal", "benign"]


def test_y_counts_from_the_bottom_so_the_box_lies_where_the_bright_spot_is(tmp_path: Path) -> None:
    make_miniature(tmp_path, 3)
    lesion = index("mias", tmp_path, quiet)[2].findings[0]
    assert lesion.box is not None
    row0, col0, row1, col1 = lesion.box
    # mdb003: x = 256 - 50, y = 90 + 5 * 3 = 105 from the bottom, radius 18.
    assert (row0, col0, row1, col1) == (256 - 105 - 18, 206 - 18, 256 - 105 + 18, 206 + 18)
    with PIL.Image.open(tmp_path / "mdb003.pgm") as file:
        pixels = np.asarray(file).astype(float)
    inside = pixels[int(row0) + 9 : int(row1) - 9, int(col0) + 9 : int(col1) - 9]
    assert inside.mean() > 150
    assert pixels[int(row1) + 5, int((col0 + col1) / 2)] < 150


def test_odd_numbers_are_left_breasts_stored_mirrored(tmp_path: Path) -> None:
    make_miniature(tmp_path, 2)
    odd, even = index("mias", tmp_path, quiet)
    assert (odd.laterality, stored_orientation(odd)) == ("L", ("P", "FR"))
    assert (even.laterality, stored_orientation(even)) == ("R", ("A", "FL"))
    assert {odd.view, even.view} == {"MLO"}
    assert odd.spacing_mm == (0.2, 0.2)


@pytest.mark.parametrize(
    ("name", "shape", "millimetres"),
    [
        ("mdb001", (1024, 1024), 0.2),
        ("mdb001ll", (4320, 2600), 0.05),
        ("mdb001lx", (4000, 5200), 0.05),
        ("mdb001", (4320, 1600), 0.05),
        ("mdb001l", (1024, 1024), 0.2),
    ],
)
def test_unreduced_pictures_have_small_pixels(
    tmp_path: Path, name: str, shape: tuple[int, int], millimetres: float
) -> None:
    write_pgm(tmp_path / f"{name}.pgm", np.zeros(shape))
    write_info(tmp_path, ["mdb001 G NORM"])
    assert index("mias", tmp_path, quiet)[0].spacing_mm == (millimetres, millimetres)


def test_two_neighbours_in_number_are_one_patient(tmp_path: Path) -> None:
    make_miniature(tmp_path, 5)
    patients = [row.patient_id for row in index("mias", tmp_path, quiet)]
    assert patients == ["mias-001", "mias-001", "mias-002", "mias-002", "mias-003"]


def test_a_second_row_of_a_number_is_a_second_lesion_of_one_image(tmp_path: Path) -> None:
    write_pgm(tmp_path / "mdb005.pgm", picture(5, None))
    write_info(tmp_path, ["mdb005 F CIRC B 200 133 30", "mdb005 F CIRC M 220 168 26"])
    rows = index("mias", tmp_path, quiet)
    assert len(rows) == 1
    assert [lesion.pathology for lesion in rows[0].findings] == ["benign", "malignant"]
    assert rows[0].label == "malignant"


@pytest.mark.parametrize("line", ["mdb216 D CALC M *NOTE 3*", "mdb216 D CALC M", "mdb216 D CALC M "])
def test_an_abnormality_without_a_place_stays_positive_and_has_no_box(tmp_path: Path, line: str) -> None:
    write_pgm(tmp_path / "mdb216.pgm", picture(216, None))
    write_info(tmp_path, [line])
    row = index("mias", tmp_path, quiet)[0]
    assert row.label == "malignant"
    assert row.findings[0].box is None
    assert not row.located


def test_any_part_of_the_set_is_taken_and_what_does_not_match_is_said(tmp_path: Path) -> None:
    make_miniature(tmp_path, 8)
    (tmp_path / "mdb002.pgm").unlink()
    write_pgm(tmp_path / "mdb300.pgm", picture(300, None))
    said: list[str] = []
    rows = index("mias", tmp_path, said.append)
    assert len(rows) == 7
    assert len(said) == 2
    assert "mdb002" in said[0]
    assert "mdb300" in said[1]


def test_a_png_copy_of_a_pgm_is_not_a_second_image(tmp_path: Path) -> None:
    make_miniature(tmp_path, 4)
    (tmp_path / "png").mkdir()
    with PIL.Image.open(tmp_path / "mdb001.pgm") as file:
        file.save(tmp_path / "png" / "mdb001.png")
    rows = index("mias", tmp_path, quiet)
    assert len(rows) == 4
    assert rows[0].path.suffix == ".pgm"


def test_a_truncated_picture_is_left_out_with_a_sentence(tmp_path: Path) -> None:
    make_miniature(tmp_path, 4)
    whole = (tmp_path / "mdb002.pgm").read_bytes()
    (tmp_path / "mdb002.pgm").write_bytes(whole[: len(whole) // 2])
    said: list[str] = []
    assert len(index("mias", tmp_path, said.append)) == 3
    assert "mdb002.pgm" in said[0]


def test_words_of_the_preamble_are_no_rows() -> None:
    assert parse_info("CALC - Calcification\nmdb001 is the first image\n1st column: mdb reference") == []


def test_without_a_table_there_are_no_labels(tmp_path: Path) -> None:
    write_pgm(tmp_path / "mdb001.pgm", picture(1, None))
    with pytest.raises(TrainerError, match=r"no Info\.txt"):
        index("mias", tmp_path, quiet)


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    make_miniature(tmp_path / "data", 6)
    rows = index("mias", tmp_path / "data", quiet)
    written = write_manifest(rows, tmp_path / "manifest.csv")
    header = (tmp_path / "manifest.csv").read_text().splitlines()[0]
    assert header == ",".join(COLUMNS)
    again = read_manifest(tmp_path / "manifest.csv")
    assert again.rows == tuple(rows)
    assert again.sha256 == written.sha256


def test_cells_with_line_breaks_quotes_and_commas_come_back(tmp_path: Path) -> None:
    make_miniature(tmp_path / "data", 2)
    first, second = index("mias", tmp_path / "data", quiet)
    odd = replace(first, vendor='A "B",\nC\u2028D', patient_id="x, y")
    write_manifest([odd, second], tmp_path / "manifest.csv")
    assert read_manifest(tmp_path / "manifest.csv").rows == (odd, second)


def test_a_manifest_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    make_miniature(tmp_path / "data", 2)
    rows = index("mias", tmp_path / "data", quiet)
    written = write_manifest(rows, tmp_path / "manifest.csv").path
    written.write_bytes(b"\xef\xbb\xbf" + written.read_bytes().replace(b"\n", b"\r\n"))
    assert read_manifest(written).rows == tuple(rows)


def test_a_manifest_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_miniature(tmp_path / "data", 2)
    rows = index("mias", tmp_path / "data", quiet)
    write_manifest(rows, tmp_path / "manifest.csv")
    before = (tmp_path / "manifest.csv").read_bytes()

    def full(path: Path, content: bytes) -> None:
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write_manifest(rows[:1], tmp_path / "manifest.csv")
    assert (tmp_path / "manifest.csv").read_bytes() == before
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["data", "manifest.csv"]


def test_an_unknown_data_set_and_a_wrong_root_are_one_sentence_each(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="no such data set"):
        index("embed", tmp_path, quiet)
    with pytest.raises(TrainerError, match="does not exist"):
        index("mias", tmp_path / "nowhere", quiet)


@pytest.mark.shared_data
def test_the_open_part_of_mini_mias(shared_data: Path) -> None:
    rows = index("mias", shared_data / "mini-mias", quiet)
    assert len(rows) == 254
    assert len({row.patient_id for row in rows}) == 127
    assert [row.image_id for row in rows if not row.located] == ["mdb245"]
