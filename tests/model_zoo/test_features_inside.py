"""Feature maps at a place and vectors to compare places by, of a network whose maps follow by arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_bundles import tiny_bundle

from model_zoo.architectures import build_network
from model_zoo.bundle import amend, load_bundle
from model_zoo.errors import BundleError, ModelError
from model_zoo.features import cell_at, convolutions, embedding_at, embedding_maps, layer_maps, strongest_at
from model_zoo.index import INDEX_FILE, Entry, image_mark, read_index, store_index
from model_zoo.predictor import load_predictor


def spot() -> np.ndarray:
    pixels = np.zeros((1, 64, 64), np.float32)
    pixels[0, 40:44, 8:12] = 1.0
    return pixels


def test_a_layers_maps_are_what_its_convolution_made(tmp_path: Path) -> None:
    predictor = load_predictor(tiny_bundle(tmp_path / "b"), "cpu")
    maps = layer_maps(predictor, spot(), 1)
    # The stem takes one pixel of each 2 x 2 into channel 0; the other kernels are 0.
    assert (maps.layer, maps.values.shape) == ("trunk.stem.0", (8, 32, 32))
    lit = np.argwhere(maps.values[0] > 0)
    assert (lit.min(axis=0).tolist(), lit.max(axis=0).tolist()) == ([20, 4], [21, 5])
    assert not maps.values[1:].any()
    assert layer_maps(predictor, spot(), 0).layer == "trunk.stages.0.0.body.3", "0 is the last"
    with pytest.raises(ModelError, match="has convolutions 1 to 3"):
        layer_maps(predictor, spot(), 4)


def test_of_an_ensemble_the_first_members_layers_are_told() -> None:
    config = {"stem": 8, "widths": [8], "blocks": [1], "strides": [1]}
    single, three = (build_network("evidence-classifier", config | {"members": n}) for n in (1, 3))
    assert [f"members.0.{name}" for name in convolutions(single)] == convolutions(three)


def test_a_place_lies_in_the_cell_that_covers_it() -> None:
    # Cells of 8 pixels: cell 0 covers pixel centres 0 to 7.
    assert cell_at((7.4, 7.6), (64, 32), (8, 4)) == (0, 1)
    assert cell_at((-5.0, 999.0), (64, 32), (8, 4)) == (0, 3), "outside goes to the edge"


def test_channels_are_ranked_by_how_far_they_stand_out_there() -> None:
    values = np.zeros((3, 4, 4), np.float32)
    values[0] = 100.0  # high everywhere: nothing stands out
    values[1, 2, 3] = 1.0  # one cell of 16: mean 1/16, spread sqrt(15)/16, so sqrt(15) of them above the mean
    values[2, :2] = 5.0
    strongest = strongest_at(values, (2, 3), 3)
    assert [one.channel for one in strongest] == [1, 0, 2]
    assert strongest[0].strength == pytest.approx(15**0.5, rel=1e-5)
    assert strongest[2].strength == pytest.approx(-1.0)
    assert (strongest[0].picture[2, 3], strongest[0].picture.sum()) == (255, 255)
    assert strongest[1].picture.max() == 0, "a flat map is black"


def test_vectors_are_the_mean_of_the_trunks_cells_around_a_place(tmp_path: Path) -> None:
    predictor = load_predictor(tiny_bundle(tmp_path / "b"), "cpu")
    maps = embedding_maps(predictor, spot())
    assert maps.shape == (8, 16, 16)
    # The spot fills cell (10, 2): 1 of the 9 cells around it.
    assert embedding_at(maps, (10, 2))[0] == pytest.approx(1 / 9, rel=1e-3)
    assert embedding_at(maps, (0, 0))[0] == 0.0


def entries() -> list[Entry]:
    names = ("a", "a", "b", "c")
    box = (0.0, 1.0, 2.0, 3.0)
    return [Entry(image_mark(name), f"what {k}", box, "any: x") for k, name in enumerate(names)]


def test_the_nearest_are_those_whose_vectors_point_the_same_way(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    assert read_index(bundle) is None
    # Their mean is 0, so directions are those of the vectors themselves.
    vectors = np.array([[3, 0], [2, 1], [-5, 0], [0, -1]], np.float32)
    index = read_index(store_index(bundle, entries(), vectors, "made"))
    assert index is not None
    near = index.nearest(np.array([10.0, 0.0], np.float32), 3)
    assert [one.entry.what for one in near] == ["what 0", "what 3", "what 2"], "one place of each image"
    assert [one.similarity for one in near] == pytest.approx([1.0, 0.0, -1.0], abs=1e-3)
    assert near[0].entry.box == (0.0, 1.0, 2.0, 3.0)


def test_an_index_holds_no_image_id_and_belongs_to_its_weights(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    named = [Entry(image_mark("MRN-123456-LCC"), "mass", (0, 0, 1, 1), "any: x")]
    stored = store_index(bundle, named, np.ones((1, 4), np.float32), "made")
    assert b"MRN-123456" not in (stored.folder / INDEX_FILE).read_bytes()
    assert load_bundle(stored.folder).spec.files.keys() > bundle.spec.files.keys()
    other = tiny_bundle(tmp_path / "other", slope=2.0)
    content = (stored.folder / INDEX_FILE).read_bytes()
    with pytest.raises(BundleError, match="made with other weights"):
        read_index(amend(other, {INDEX_FILE: content}))
    with pytest.raises(BundleError, match="cannot be understood"):
        read_index(amend(load_bundle(other.folder), {INDEX_FILE: b"no index"}))
    with pytest.raises(ValueError, match="one finite vector"):
        store_index(bundle, named, np.full((1, 4), np.nan, np.float32), "made")
