"""Perceptual twins: alike in any position, size and depth; different breasts are not."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from dicom_files import phantom_pixels, write_mg

from app.core.manifest import Row, file_sha256
from app.core.phantom.exam import make_exam
from trainer.audit.facts import KIND, look
from trainer.audit.marks import TWINS, likeness, picture_code, pixel_mark, positionless, turned, unit
from trainer.audit.twins import alike, identical


@pytest.fixture(scope="module")
def breasts() -> list[np.ndarray]:
    """Sixteen phantom views as 12-bit values."""
    views = [view for seed in range(4) for view in make_exam(seed, shape=(320, 256)).views]
    return [np.asarray(view.pixels, np.uint16) for view in views]


def codes(pictures: list[np.ndarray]) -> np.ndarray:
    made = [picture_code(picture) for picture in pictures]
    assert all(code is not None for code in made)
    return np.array(made)


def like(one: np.ndarray, other: np.ndarray) -> float:
    return float(likeness(unit(codes([one])), unit(codes([other])))[0])


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_a_turned_or_mirrored_copy_is_a_twin(breasts: list[np.ndarray], turn: int, mirror: bool) -> None:
    copy = np.rot90(breasts[0][:, ::-1] if mirror else breasts[0], turn)
    assert like(copy, breasts[0]) > 0.99


def halved(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    return (pixels / pixels.max() * 255).astype(np.uint8)


def squeezed(pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(pixels, (pixels.shape[1] * 2 // 3, pixels.shape[0]), interpolation=cv2.INTER_AREA)


def jpeg(pixels: np.ndarray) -> np.ndarray:
    _, data = cv2.imencode(".jpg", eight_bits(pixels), [cv2.IMWRITE_JPEG_QUALITY, 40])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def brighter(pixels: np.ndarray) -> np.ndarray:
    return 4095 * (pixels / pixels.max()) ** 0.8


@pytest.mark.parametrize("change", [halved, eight_bits, squeezed, jpeg, brighter])
def test_another_size_depth_or_grey_curve_is_a_twin(breasts: list[np.ndarray], change: object) -> None:
    for pixels in breasts[:4]:
        assert like(np.rot90(change(pixels)), pixels) >= TWINS  # type: ignore[operator]


def test_different_breasts_are_no_twins_and_planted_ones_are_found(breasts: list[np.ndarray]) -> None:
    assert alike(codes(breasts)) == []
    planted = [*breasts, np.rot90(halved(breasts[5]), 3)[:, ::-1]]
    assert [(pair.first, pair.second) for pair in alike(codes(planted))] == [(5, len(breasts))]


def test_the_first_sieve_loses_no_pair_that_a_full_comparison_finds() -> None:
    generator = np.random.default_rng(0)
    seeds = generator.normal(size=(6, 16, 16))
    made = np.repeat(seeds, 30, axis=0) + 0.25 * generator.normal(size=(180, 16, 16))
    some = np.clip(40 * made, -127, 127).astype(np.int8)
    some[::2] = some[::2, :, ::-1].copy()  # nothing in common with a turn: only noise for the sieve
    vectors = unit(some)
    full = np.max([one.reshape(180, -1) @ vectors.reshape(180, -1).T for one in turned(vectors)], axis=0)
    expected = {(int(a), int(b)) for a, b in np.argwhere(full >= TWINS) if a < b}
    assert len(expected) > 1000
    assert {(pair.first, pair.second) for pair in alike(some)} == expected


def test_what_positions_share_is_the_same_in_all_of_them(breasts: list[np.ndarray]) -> None:
    vectors = unit(codes(breasts[:2]))
    first = positionless(vectors)
    for position in turned(vectors):
        assert np.allclose(positionless(position), first, atol=1e-5)


def test_a_picture_of_nothing_has_no_code() -> None:
    assert picture_code(np.full((40, 30), 7)) is None
    assert picture_code(np.zeros((40, 30))) is None


def test_the_same_values_in_another_type_share_a_mark() -> None:
    pixels = np.arange(30).reshape(5, 6)
    assert pixel_mark(pixels.astype(np.uint8)) == pixel_mark(pixels.astype(np.uint16))
    assert pixel_mark(pixels) != pixel_mark(pixels.reshape(6, 5))


def test_symmetrical_pictures_share_a_mark_in_all_positions() -> None:
    # Sums of rows and columns are the same in several positions here; the pixels are not.
    pixels = np.array([[1, 2, 3], [2, 4, 2], [3, 2, 1]])
    other = np.array([[1, 3, 2], [2, 3, 3], [3, 2, 1]])
    for turn in range(4):
        for mirrored in (pixels, pixels[::-1]):
            assert pixel_mark(np.rot90(mirrored, turn)) == pixel_mark(pixels)
    assert pixel_mark(other) != pixel_mark(pixels)


def test_groups_of_identical_marks() -> None:
    assert identical(["a", "", "b", "a", "", "b", "c"]) == [[0, 3], [2, 5]]


def test_a_turned_8_bit_picture_is_a_twin_of_its_inverted_12_bit_file(tmp_path: Path) -> None:
    pixels = phantom_pixels(400, 300, chest="left", seed=3)
    file = write_mg(tmp_path / "a.dcm", 4095 - pixels, laterality="L", view="CC", photometric="MONOCHROME1")
    picture = tmp_path / "b.png"
    cv2.imwrite(str(picture), np.rot90((pixels >> 4).astype(np.uint8)))
    records = []
    for path, source in ((file, "ffdm"), (picture, "film")):
        row = Row(path.name, "p", "s", "L", "CC", path, 0, file_sha256(path), 400, 300, None, source, "", "",
                  "", "normal", "csv: made up")  # fmt: skip
        records.append(np.frombuffer(look(row), KIND)[0])
    assert likeness(unit(records[0]["code"][None]), unit(records[1]["code"][None]))[0] > 0.99
    assert [record["bits_stored"] for record in records] == [12, 8]
    assert [record["photometric"] for record in records] == [b"MONOCHROME1", b"MONOCHROME2"]
    assert records[0]["chest"] == b"left"
