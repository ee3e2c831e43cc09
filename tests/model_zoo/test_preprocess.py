from __future__ import annotations

from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest
from tiny_bundles import AS_STORED

from model_zoo.breast import find_breast
from model_zoo.contract import ArrayView
from model_zoo.fields import Fields
from model_zoo.geometry import Turn, facing_left, map_boxes
from model_zoo.preprocess import Normalise, Prepared, Preprocess, Resize, prepare, read_preprocess

OPPOSITE = {"A": "P", "P": "A", "H": "F", "F": "H", "L": "R", "R": "L"}
EIGHT = [Turn(*flags) for flags in product((False, True), repeat=3)]

# Directions of rows and columns with the chest wall on the left and the head or lateral side on top:
# the row runs anterior; the column runs to the feet (MLO) or to the medial side (CC), which is the
# patient's right for a left breast (DICOM PS3.3 C.7.6.1.1.1).
UPRIGHT = {
    ("L", "MLO"): ("A", "F"),
    ("R", "MLO"): ("A", "F"),
    ("L", "CC"): ("A", "R"),
    ("R", "CC"): ("A", "L"),
    ("L", "ML"): ("A", "FR"),
    ("R", "XCCL"): ("A", "LF"),
}


def stored_as(
    upright: np.ndarray, letters: tuple[str, str], turn: Turn
) -> tuple[np.ndarray, tuple[str, str]]:
    """Return an upright image and its letters as stored after a turn of our own: flips, then transpose."""
    row, col = letters
    if turn.flip_rows:
        upright, col = upright[::-1], "".join(OPPOSITE[letter] for letter in col)
    if turn.flip_cols:
        upright, row = upright[:, ::-1], "".join(OPPOSITE[letter] for letter in row)
    if turn.transpose:
        upright, row, col = upright.T, col, row
    return np.ascontiguousarray(upright), (row, col)


def upright_breast(rows: int = 720, columns: int = 500) -> np.ndarray:
    """Return a half ellipse on the left edge, off centre, so that no turn maps it to itself."""
    image = np.zeros((rows, columns), np.uint16)
    cv2.ellipse(image, (0, 300), (380, 260), 0, 0, 360, 20000, -1)
    return image


BEADS = [(120, 60), (300, 330), (451, 97), (200, 200)]
BEAD = 9


def with_bead(image: np.ndarray, at: tuple[int, int]) -> np.ndarray:
    """Return the image with a bright square of side BEAD whose first pixel is `at`."""
    planted = image.copy()
    planted[at[0] : at[0] + BEAD, at[1] : at[1] + BEAD] = 65535
    return planted


def centroid(values: np.ndarray) -> tuple[float, float]:
    total = values.sum(dtype=np.float64)
    rows, cols = (values.sum(axis=axis, dtype=np.float64) for axis in (1, 0))
    return float(rows @ np.arange(len(rows)) / total), float(cols @ np.arange(len(cols)) / total)


def bead_of(prepared: Prepared, plain: Prepared) -> tuple[float, float]:
    """Return where in the stored image the bead lies that shows in the prepared one."""
    row, col = centroid(prepared.pixels[0] - plain.pixels[0])
    mapped = prepared.to_stored @ np.array([row, col, 1.0])
    return float(mapped[0]), float(mapped[1])


BLOCKS = [
    Preprocess(resize=Resize("size", 256, 192)),
    Preprocess(resize=Resize("size", 96, 224), margin=0.1),
    Preprocess(resize=Resize("size", 800, 544)),
    Preprocess(resize=Resize("spacing", 512, 384, mm=0.25)),
    Preprocess(resize=Resize("size", 256, 192), crop=False, mask=False),
    Preprocess(resize=Resize("size", 256, 192), face="stored"),
]


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_a_planted_bead_is_found_again_where_it_was_stored(turn: Turn, block: Preprocess) -> None:
    for (laterality, view), letters in UPRIGHT.items():
        facts = {"laterality": laterality, "view": view, "spacing_mm": (0.1, 0.1)}
        image, stored_letters = stored_as(upright_breast(), letters, turn)
        facts["orientation"] = stored_letters
        plain = prepare(ArrayView("a", image, **facts), block)
        for at in BEADS[:2] if view in ("ML", "XCCL") else BEADS:
            stored, _ = stored_as(with_bead(upright_breast(), at), letters, turn)
            truth = centroid(stored == 65535)
            prepared = prepare(ArrayView("a", stored, **facts), block)
            found = bead_of(prepared, plain)
            # What a prepared pixel averages counts at its centre, wherever in it the bead ended.
            pixel = np.abs(prepared.to_stored[:, :2]).max()
            assert found == pytest.approx(truth, abs=max(0.3, 0.1 * pixel))


@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_every_stored_orientation_gives_the_same_prepared_image(turn: Turn) -> None:
    block = Preprocess(resize=Resize("size", 256, 192))
    upright = with_bead(with_bead(upright_breast(720, 512), BEADS[0]), BEADS[1])
    wanted = prepare(ArrayView("a", upright, orientation=("A", "F"), laterality="L", view="MLO"), block)
    stored, letters = stored_as(upright, ("A", "F"), turn)
    got = prepare(ArrayView("a", stored, orientation=letters, laterality="L", view="MLO"), block)
    # Whole blocks of 2x2 stored pixels start at the crop's corner, which differs between turns.
    assert np.abs(got.pixels - wanted.pixels).mean() < 1e-3
    assert got.pixels[0, :, 0].any()
    assert not got.pixels[0, :, -1].any()


@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_boxes_go_to_prepared_pixels_and_back_unchanged(turn: Turn) -> None:
    stored, letters = stored_as(upright_breast(), ("A", "F"), turn)
    view = ArrayView("a", stored, orientation=letters, laterality="R", view="MLO")
    prepared = prepare(view, Preprocess(resize=Resize("size", 320, 256)))
    boxes = np.array([[230.0, 201.5, 280.25, 240.0], [200.0, 200.0, 201.0, 203.0]])
    again = prepared.boxes_to_stored(prepared.boxes_to_prepared(boxes))
    np.testing.assert_allclose(again, boxes, atol=1e-9)


def test_a_box_covers_the_same_pixels_after_mapping() -> None:
    image = np.zeros((64, 64), np.uint16)
    image[16:32, 40:48] = 65535
    view = ArrayView("a", image)
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("size", 32, 32))
    prepared = prepare(view, block)
    # Halved: rows 8..16, columns 20..24, all of them bright and nothing else.
    np.testing.assert_allclose(prepared.boxes_to_prepared([[16, 40, 32, 48]]), [[8, 20, 16, 24]])
    assert (prepared.pixels[0, 8:16, 20:24] == 1.0).all()
    assert prepared.pixels.sum() == 8 * 4


def test_boxes_are_clipped_to_the_stored_image() -> None:
    view = ArrayView("a", np.full((64, 32), 9, np.uint16))
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("size", 64, 64))
    prepared = prepare(view, block)
    np.testing.assert_allclose(prepared.boxes_to_stored([[-5, -5, 70, 70]]), [[0, 0, 64, 32]])


def test_a_turned_grid_maps_by_arithmetic() -> None:
    # 2 rows, 3 columns; transposed, then rows flipped: turned (0, 0) shows stored (0, 2).
    turn = Turn(transpose=True, flip_rows=True)
    array = np.arange(6).reshape(2, 3)
    turned = turn.apply(array)
    for row, col in np.ndindex(turned.shape):
        place = turn.undo(2, 3) @ np.array([row, col, 1.0])
        assert array[int(place[0]), int(place[1])] == turned[row, col]
    np.testing.assert_allclose(map_boxes(turn.undo(2, 3), [[0, 0, 1, 1]]), [[0, 2, 1, 3]])


@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_turns_map_every_pixel_to_where_it_came_from(turn: Turn) -> None:
    array = np.arange(35).reshape(5, 7)
    turned = turn.apply(array)
    assert turned.shape == turn.shape(5, 7)
    for row, col in np.ndindex(turned.shape):
        place = turn.undo(5, 7) @ np.array([row, col, 1.0])
        assert array[int(place[0]), int(place[1])] == turned[row, col]


@pytest.mark.parametrize(
    ("letters", "laterality", "view", "turn"),
    [
        (("A", "F"), "L", "MLO", Turn()),
        (("P", "FL"), "R", "MLO", Turn(flip_cols=True)),
        (("P", "L"), "R", "CC", Turn(flip_cols=True)),
        (("A", "R"), "L", "CC", Turn()),
        (("A", "L"), "L", "CC", Turn(flip_rows=True)),
        (("A", "H"), "L", "MLO", Turn(flip_rows=True)),
        (("F", "A"), "L", "MLO", Turn(transpose=True)),
        (("F", "P"), "R", "MLO", Turn(transpose=True, flip_cols=True)),
        # mini-MIAS: left breasts are stored mirrored, with the chest wall on the right.
        (("P", "FR"), "L", "MLO", Turn(flip_cols=True)),
        # Oblique letters that name the front-to-back axis second.
        (("AF", "FP"), "L", "MLO", Turn()),
        (("FP", "AF"), "L", "MLO", Turn(transpose=True)),
        (("A", "H"), None, None, Turn(flip_rows=True)),
        (("A", "R"), None, "CC", Turn()),
    ],
)
def test_letters_tell_how_to_face_left(
    letters: tuple[str, str], laterality: str | None, view: str | None, turn: Turn
) -> None:
    assert facing_left(letters, laterality, view) == turn


@pytest.mark.parametrize("mirrored", [False, True])
def test_without_letters_the_wider_half_is_put_on_the_left_and_said(mirrored: bool) -> None:
    image = upright_breast()
    view = ArrayView("a", np.ascontiguousarray(image[:, ::-1]) if mirrored else image)
    prepared = prepare(view, Preprocess(resize=Resize("size", 256, 192)))
    assert (prepared.pixels[0, :, 5] > 0).sum() > 5 * (prepared.pixels[0, :, 180] > 0).sum()
    assert prepared.to_stored[1, 1] * (-1 if mirrored else 1) > 0
    assert prepared.notes == (
        "The chest wall was sought in the pixels, because the image names no orientation.",
    )


def test_aspect_is_kept_and_the_breast_lies_on_the_left_in_the_middle() -> None:
    view = ArrayView("a", np.full((100, 50), 60000, np.uint16))
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("size", 64, 64))
    pixels = prepare(view, block).pixels[0]
    assert (pixels[:, :32] > 0.9).all()
    assert (pixels[:, 32:] == 0).all()
    wide = ArrayView("a", np.full((50, 100), 60000, np.uint16))
    pixels = prepare(wide, block).pixels[0]
    assert (pixels[16:48] > 0.9).all()
    assert pixels[:16].sum() == pixels[48:].sum() == 0


def test_spacing_sets_millimetres_per_pixel_on_both_axes() -> None:
    view = ArrayView("a", np.full((200, 400), 1000, np.uint16), spacing_mm=(0.2, 0.1))
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("spacing", 256, 256, mm=0.4))
    prepared = prepare(view, block)
    # One prepared pixel is 0.4 mm: 2 stored rows of 0.2 mm, 4 stored columns of 0.1 mm.
    assert prepared.to_stored[0, 0] == pytest.approx(2.0)
    assert prepared.to_stored[1, 1] == pytest.approx(4.0)
    assert (prepared.pixels[0] > 0).sum() == 100 * 100


def test_a_breast_too_large_for_the_canvas_is_shrunk_with_a_note() -> None:
    view = ArrayView("a", np.full((400, 100), 1000, np.uint16), spacing_mm=(0.1, 0.1))
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("spacing", 32, 32, mm=0.4))
    prepared = prepare(view, block)
    # 40 mm long, 10 mm wide, for a field of 32 * 0.4 = 12.8 mm: 32 %.
    assert prepared.notes == ("The breast is larger than the model's field and was shrunk to 32%.",)
    assert prepared.to_stored[0, 0] == pytest.approx(400 / 32)
    assert prepared.to_stored[1, 1] == pytest.approx(400 / 32)


def test_spacing_without_millimetres_is_an_error() -> None:
    block = Preprocess(resize=Resize("spacing", 32, 32, mm=0.4))
    with pytest.raises(ValueError, match="needs millimetres"):
        prepare(ArrayView("a", upright_breast()), block)


@pytest.mark.parametrize(
    ("pixels", "padding"),
    [
        (np.zeros((4, 4), np.uint8), None),
        (np.zeros((4, 4, 3), np.uint16), None),
        (np.zeros((0, 4), np.uint16), None),
        (np.zeros((4, 4), np.uint16), np.zeros((4, 5), np.bool_)),
    ],
)
def test_pixels_of_the_wrong_form_are_an_error(pixels: np.ndarray, padding: np.ndarray | None) -> None:
    with pytest.raises(ValueError, match="needs a"):
        prepare(ArrayView("a", pixels, padding), Preprocess(resize=Resize("size", 32, 32)))


def test_padding_becomes_black_and_does_not_darken_its_neighbours() -> None:
    pixels = np.full((128, 128), 30000, np.uint16)
    padding = np.zeros((128, 128), np.bool_)
    padding[:, 67:] = True
    pixels[padding] = 65535
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("size", 32, 32))
    prepared = prepare(ArrayView("a", pixels, padding), block)
    # Cell 16 covers columns 64..67, of which 3 are valid: it keeps its grey. Cell 17 is padding.
    np.testing.assert_allclose(prepared.pixels[0, :, :17], 30000 / 65535, rtol=0.005)
    assert not prepared.pixels[0, :, 17:].any()
    assert not prepared.mask[:, 17:].any()


def test_padding_is_no_part_of_the_statistics() -> None:
    # Half the breast at 30000, half at 30200: mean 30100, deviation 100.
    pixels = np.full((64, 64), 65535, np.uint16)
    padding = np.ones((64, 64), np.bool_)
    padding[:, :32] = False
    pixels[:32, :32], pixels[32:, :32] = 30000, 30200
    block = replace(AS_STORED, normalise=Normalise("mean-std"))
    values = prepare(ArrayView("a", pixels, padding), block).pixels[0]
    np.testing.assert_allclose(values[:32, :32], -1.0, atol=1e-3)
    np.testing.assert_allclose(values[32:, :32], 1.0, atol=1e-3)
    np.testing.assert_allclose(values[:, 32:], -301.0, atol=1e-2)


def test_percentiles_run_from_zero_to_one_over_the_breast() -> None:
    image = upright_breast()
    ramp = np.linspace(10000, 30000, image.shape[0]).astype(np.uint16)[:, None]
    image = np.where(image > 0, ramp, 0).astype(np.uint16)
    how = Normalise("percentile", 0.0, 100.0)
    prepared = prepare(ArrayView("a", image), Preprocess(resize=Resize("size", 256, 192), normalise=how))
    inside = prepared.pixels[0][prepared.mask]
    assert inside.min() == 0.0
    assert inside.max() == 1.0
    assert not prepared.pixels[0][:, -5:].any()


def test_mean_and_std_are_applied_last() -> None:
    view = ArrayView("a", np.full((32, 32), 65535, np.uint16))
    how = Normalise("fixed", mean=0.25, std=0.5)
    block = Preprocess(crop=False, mask=False, face="stored", resize=Resize("size", 32, 32), normalise=how)
    np.testing.assert_allclose(prepare(view, block).pixels, (1.0 - 0.25) / 0.5, rtol=1e-6)


def test_a_film_label_beside_the_breast_is_blacked_out() -> None:
    image = upright_breast()
    image[20:70, 400:470] = 60000
    block = Preprocess(crop=False, resize=Resize("size", 720, 512))
    prepared = prepare(ArrayView("a", image, orientation=("A", "F")), block)
    assert not prepared.pixels[0, :100, 390:].any()
    assert prepared.pixels[0, 300, 10] > 0.3


def test_a_black_and_a_constant_image_are_prepared_without_error() -> None:
    for method, level in product(("fixed", "percentile", "mean-std"), (0, 777, 65535)):
        block = Preprocess(resize=Resize("size", 64, 64), normalise=Normalise(method))
        prepared = prepare(ArrayView("a", np.full((90, 70), level, np.uint16)), block)
        assert np.isfinite(prepared.pixels).all()


def test_all_padding_is_prepared_as_black() -> None:
    view = ArrayView("a", np.full((90, 70), 5, np.uint16), np.ones((90, 70), np.bool_))
    prepared = prepare(view, Preprocess(resize=Resize("size", 64, 64)))
    assert not prepared.pixels.any()
    assert not prepared.mask.any()


def test_preparing_leaves_the_views_pixels_as_they_were_even_read_only() -> None:
    image = upright_breast()
    padding = image == 0
    before = image.copy()
    for array in (image, padding):
        array.setflags(write=False)
    prepare(ArrayView("a", image, padding), Preprocess(resize=Resize("size", 64, 64)))
    np.testing.assert_array_equal(image, before)


def test_preparing_twice_gives_the_same_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 20000, (720, 500), dtype=np.uint16)
    view = ArrayView("a", upright_breast() + noise, orientation=("A", "F"))
    block = Preprocess(resize=Resize("size", 256, 192), normalise=Normalise("percentile"))
    assert prepare(view, block).pixels.tobytes() == prepare(view, block).pixels.tobytes()


def test_the_block_reads_back_as_it_was_written() -> None:
    block = Preprocess(
        False,
        0.1,
        False,
        "stored",
        Resize("spacing", 640, 480, 0.2),
        Normalise("percentile", 2, 98, 0.5, 0.25),
    )
    assert read_preprocess(Fields("test", block.to_json())) == block
    assert read_preprocess(Fields("test", Preprocess().to_json())) == Preprocess()


@pytest.mark.parametrize("turn", EIGHT, ids=range(8))
def test_the_breast_is_found_in_every_orientation(turn: Turn) -> None:
    upright = upright_breast()
    upright[20:70, 400:470] = 60000
    upright[:, -6:] = 65535
    stored = np.ascontiguousarray(turn.apply(upright))
    breast = find_breast(stored)
    body = turn.apply(upright_breast()) > 0
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    truth = (rows[0], columns[0], rows[-1] + 1, columns[-1] + 1)
    # The ends of the ellipse are narrower than the opening, and are given back by the margin.
    assert np.abs(np.array(breast.box) - np.array(truth)).max() <= 12
    assert breast.found


def test_margin_and_mask_are_independent_of_each_other() -> None:
    view = ArrayView("a", upright_breast(), orientation=("A", "F"))
    block = Preprocess(resize=Resize("size", 256, 192))
    np.testing.assert_array_equal(
        prepare(view, block).to_stored, prepare(view, replace(block, mask=False)).to_stored
    )


def test_a_bright_film_edge_is_no_part_of_the_breast() -> None:
    image = upright_breast()
    image[-20:] = 62000
    image[:, -14:] = 62000
    breast = find_breast(image)
    # The ellipse runs from row 40 to row 560, and to column 380.
    assert breast.box[2] <= 570
    assert breast.box[3] <= 390


def test_fat_as_black_as_air_at_the_chest_wall_is_part_of_a_digital_breast() -> None:
    image = upright_breast()
    image[250:330, :40] = 0
    breast = find_breast(image, digital=True)
    assert breast.mask[290 // breast.factor, 20 // breast.factor]
    assert not find_breast(image).mask[290 // breast.factor, 20 // breast.factor]


def test_dim_tissue_of_a_detectors_image_is_found_beside_a_bright_muscle() -> None:
    # Tissue at 3 % of full scale beside muscle at 100 %: the level between air and tissue lies above it.
    image = np.where(upright_breast() > 0, 2000, 0).astype(np.uint16)
    image[:300, :150] = np.where(image[:300, :150] > 0, 65535, 0)
    breast = find_breast(image, digital=True)
    assert breast.box[2] >= 555
    assert breast.box[3] >= 375
