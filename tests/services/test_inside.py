"""A look into a network at a place, by the inference process's own function; pictures of like cases."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.core.errors import MammoviewError
from app.core.reading.inside import LikeCase
from app.services.inference.inside import PlaceRequest, VectorRequest
from app.services.inference.like_pictures import SIDE, like_pictures
from app.services.inference.process import no_predictors, run_inside, run_vector

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import AS_STORED, flat_view, tiny_bundle, tiny_spec

from app.core.manifest import Row, file_sha256, write_manifest
from model_zoo.architectures import build_network
from model_zoo.bundle import write_bundle
from model_zoo.errors import ModelError
from model_zoo.index import Entry, image_mark, store_index
from model_zoo.preprocess import Resize
from model_zoo.spec import Network


def spot_view():
    """A 64 x 64 image whose one bright block of 4 x 4 lies at rows 40 to 43, columns 8 to 11."""
    pixels = np.zeros((64, 64), np.uint16)
    pixels[40:44, 8:12] = 65535
    return flat_view("L", "CC", 0.0, pixels=pixels)


def request(folder: Path, place: tuple[float, float], layer: int | None = None) -> PlaceRequest:
    return PlaceRequest(folder, "cpu", ("file", "uid"), spot_view(), place, layer)


def test_the_channel_that_holds_the_spot_stands_out_at_the_spot(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    seen = run_inside(request(bundle.folder, (41.0, 9.0), 0), no_predictors())
    assert (seen.model, seen.key, seen.place, seen.layer) == ("tiny-mean", ("file", "uid"), (41.0, 9.0), 0)
    assert seen.layers[0] == "trunk.stem.0"
    # The stem halves the image: row 41 lies in cell 20, column 9 in cell 4; 4 of 1024 cells are lit.
    assert seen.cell == (20, 4)
    first = seen.channels[0]
    assert first.channel == 0
    assert first.strength == pytest.approx(255**0.5, rel=1e-3), "(1 - p) / sqrt(p (1 - p)) with p = 1/256"
    assert first.pixels[20, 4] == 255
    assert seen.alike == ()
    assert "no index" in seen.note


def test_the_nearest_training_case_is_named(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    entries = [
        Entry(image_mark("one"), "mass, malignant", (1, 2, 3, 4), "any: x"),
        Entry(image_mark("two"), "no lesion", (1, 2, 3, 4), "any: x"),
    ]
    # The spot's vector is positive in channel 0 alone.
    vectors = np.zeros((2, 8), np.float32)
    vectors[:, 0] = (1.0, -1.0)
    store_index(bundle, entries, vectors, "made")
    seen = run_inside(request(bundle.folder, (41.0, 9.0)), no_predictors())
    assert [(case.what, round(case.similarity)) for case in seen.alike] == [
        ("mass, malignant", 1),
        ("no lesion", -1),
    ]
    assert seen.note == "Nearest of 2 places in training images (made)."
    assert seen.layer == len(seen.layers) - 1, "the last layer where none is named"


def test_a_view_the_model_never_saw_is_refused_in_one_sentence(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    asked = request(bundle.folder, (41.0, 9.0))
    with pytest.raises(ModelError, match="never saw the view ML"):
        run_inside(replace(asked, view=replace(asked.view, view="ML")), no_predictors())
    with pytest.raises(ModelError, match="does not see this place"):
        run_inside(replace(asked, place=(500.0, 9.0)), no_predictors())


def test_the_vector_of_an_image_is_the_mean_of_the_last_map(tmp_path: Path) -> None:
    """The tiny network is linear in the grey level, and has it in channel 0 alone."""
    bundle = tiny_bundle(tmp_path / "b")

    def vector(view) -> np.ndarray | None:
        return run_vector(VectorRequest(bundle.folder, "cpu", view), no_predictors())

    dim, bright = vector(flat_view("L", "CC", 0.25)), vector(flat_view("L", "CC", 0.75))
    assert dim[0] > 0
    assert bright[0] == pytest.approx(3 * dim[0], rel=1e-4)
    # A block of 16 pixels at full grey among 4,096 black ones.
    assert vector(spot_view())[0] == pytest.approx(dim[0] / 0.25 * 16 / 4096, rel=1e-3)
    assert np.abs(dim[1:]).max() < 1e-6
    assert vector(flat_view("L", "ML", 0.5)) is None, "a view that it never saw"


def test_an_image_that_cannot_be_prepared_has_no_vector(tmp_path: Path) -> None:
    in_mm = replace(AS_STORED, resize=Resize("spacing", 64, 64, mm=0.1))
    bundle = tiny_bundle(tmp_path / "b", preprocess=in_mm)
    view = flat_view("L", "CC", 0.5)
    assert view.spacing_mm is None
    assert run_vector(VectorRequest(bundle.folder, "cpu", view), no_predictors()) is None
    known = replace(view, spacing_mm=(0.1, 0.1))
    assert run_vector(VectorRequest(bundle.folder, "cpu", known), no_predictors()) is not None


def case(image_id: str, licence: str = "any: x") -> LikeCase:
    return LikeCase(image_mark(image_id), "mass", 0.9, (20.0, 30.0, 40.0, 50.0), licence)


def data_set(folder: Path, licence: str) -> Path:
    pixels = np.zeros((120, 100), np.uint8)
    pixels[20:40, 30:50] = 200
    path = folder / "film.png"
    cv2.imwrite(str(path), pixels)
    row = Row(
        "film", "p", "p", "L", "MLO", path, 0, file_sha256(path), 120, 100, (0.2, 0.2), "film", "", "", "",
        "malignant", "made: here", (), "", licence,
    )  # fmt: skip
    return write_manifest([row], folder / "manifest.csv").path


def test_a_picture_shows_the_place_from_the_readers_own_copy(tmp_path: Path) -> None:
    pictures = like_pictures(
        data_set(tmp_path, "any: x"), [case("film"), case("other")], report=lambda *_: None
    )
    assert list(pictures) == [case("film")], "no picture of an image that the manifest does not name"
    shown = pictures[case("film")]
    assert max(shown.shape) == SIDE
    # The place is the middle of the picture, and bright; what is around it is dark.
    assert shown[shown.shape[0] // 2, shown.shape[1] // 2] == 255
    assert shown[2, -3] == 0


def test_a_licence_that_does_not_allow_it_shows_no_picture(tmp_path: Path) -> None:
    assert like_pictures(data_set(tmp_path, "none: kept"), [case("film")], report=lambda *_: None) == {}
    manifest = data_set(tmp_path, "any: x")
    (tmp_path / "film.png").unlink()
    assert like_pictures(manifest, [case("film")], report=lambda *_: None) == {}, "a file that moved"
    with pytest.raises(MammoviewError, match=r"none\.csv"):
        like_pictures(tmp_path / "none.csv", [case("film")], report=lambda *_: None)


def test_the_first_layer_shown_is_the_last_of_the_trunk(tmp_path: Path) -> None:
    config = {"stem": 8, "widths": [16], "blocks": [1], "strides": [1], "members": 2}
    state = build_network("evidence-classifier", config).state_dict()
    networks = {"classifier": Network("evidence-classifier", config)}
    weights = {f"classifier.{name}": value.numpy() for name, value in state.items()}
    bundle = write_bundle(tmp_path / "e", tiny_spec(networks=networks), weights, "", {})
    seen = run_inside(request(bundle.folder, (41.0, 9.0)), no_predictors())
    assert seen.layers[-1] == "members.0.evidence", "its one channel leaves nothing to choose from"
    assert "trunk" in seen.layers[seen.layer]
    assert len(seen.channels) == 12
