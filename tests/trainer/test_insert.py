"""Drawn lesions: in normal images that train alone, where they are said to be, as strong as they are said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from tiny_training import TINY, Miniature, train

from app.core.manifest import Lesion, Row
from model_zoo.errors import ModelError
from trainer.augment import Augment
from trainer.errors import TrainerError
from trainer.export import _training_facts
from trainer.insert import (
    Inserted,
    add_lone,
    draw_cluster,
    draw_lesion,
    draw_mass,
    insert,
    inserted_of,
    tissue_range,
)
from trainer.recipe import Recipe, read_recipe
from trainer.recipe_blocks import Augmentation
from trainer.samples import Batch, PartSamples, boxes_of
from trainer.splits import Part, part_of

ROWS, COLUMNS, MM = 160, 96, 0.6
BREAST = np.zeros((ROWS, COLUMNS), bool)
BREAST[10:150, :80] = True
FLAT = np.where(BREAST, np.linspace(-1, 1, COLUMNS, dtype=np.float32)[None], np.float32(-3))
TRAIN = Part("train", (), 0, "")


@pytest.mark.parametrize("seed", range(8))
def test_a_mass_adds_its_contrast_within_its_box_and_the_breast(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mass = draw_mass(rng, MM)
    found = insert(FLAT, BREAST, mass, rng)
    assert found is not None
    made, box = found
    added = made - FLAT
    assert not added[~BREAST].any()
    row0, col0, row1, col1 = (int(edge) for edge in box[0])
    assert BREAST[row0:row1, col0:col1].all(), "a mass lies wholly in the breast"
    # 25th to 75th percentile of the ramp -1..1 over the 80 of 96 columns that are breast.
    ramp = np.linspace(-1, 1, COLUMNS)[:80]
    assert tissue_range(FLAT, BREAST) == pytest.approx(0.5 * (ramp[-1] - ramp[0]), rel=0.02)
    assert added.max() == pytest.approx(mass.signal.max() * 0.5 * (ramp[-1] - ramp[0]), rel=0.02)
    # Nearly all that it adds lies in its box; a spiculated one's strands leave it.
    assert added[row0:row1, col0:col1].sum() > 0.7 * added.sum()
    assert 8 * 0.5 <= (row1 - row0) * MM <= 24 * 1.6


@pytest.mark.parametrize("seed", range(8))
def test_a_cluster_adds_specks_within_its_box_and_nothing_between_them(seed: int) -> None:
    mm, rng = 0.2, np.random.default_rng(seed)
    flat, breast = np.kron(FLAT, np.ones((3, 3), np.float32)), np.kron(BREAST, np.ones((3, 3), bool))
    cluster = draw_cluster(rng, mm)
    found = insert(flat, breast, cluster, rng)
    assert found is not None
    made, box = found
    added = made - flat
    row0, col0, row1, col1 = (int(edge) for edge in box[0])
    assert added[row0:row1, col0:col1].sum() > 0.99 * added.sum() > 0
    # Three to sixteen millimetres across, 0.8 mm around; the hull of few specks may be much narrower.
    assert 5 <= max(row1 - row0, col1 - col0) <= (16 + 2 * 0.8) * 1.1 / mm
    # Nine to thirty calcifications of at most 0.6 mm times 1.3: most of the box is as it was.
    assert (added[row0:row1, col0:col1] < 0.05 * added.max()).mean() > 0.3
    assert added.max() == pytest.approx(cluster.signal.max() * tissue_range(flat, breast), rel=0.02)


@pytest.mark.parametrize("seed", range(8))
def test_a_lone_calcification_lies_beyond_the_cluster_and_is_one_piece(seed: int) -> None:
    mm, rng = 0.2, np.random.default_rng(seed)
    breast = np.ones((600, 600), bool)
    flat = np.tile(np.linspace(-1, 1, 600, dtype=np.float32), (600, 1))
    box = np.array([[280.0, 280.0, 320.0, 320.0]])
    added = add_lone(flat, breast, box, rng, mm) - flat
    rows, columns = np.nonzero(added > 0.01 * added.max())
    # 10 to 25 mm from the cluster's middle, 0.7 to 4 mm across, at most a quarter more where it is wavy.
    away = np.hypot(rows - 300, columns - 300) * mm
    assert 10 - 2.7 < away.min() < away.max() < 25 + 2.7
    assert 0.5 < (np.ptp(rows) + 1) * mm < 4 * 1.25 + 2 * mm
    assert cv2.connectedComponents((added > 0.01 * added.max()).astype(np.uint8))[0] == 2, "air and one piece"
    nothing = np.zeros_like(breast)
    nothing[300, 300] = True
    assert add_lone(flat, nothing, box, rng, mm) is flat


def test_what_is_drawn_is_what_the_detector_has_a_class_for() -> None:
    rng = np.random.default_rng(0)
    assert {draw_lesion(rng, Inserted(1.0, MM, 3))[1] for _ in range(6)} == {3}
    assert {draw_lesion(rng, Inserted(1.0, MM, None, 2))[1] for _ in range(6)} == {2}
    assert {draw_lesion(rng, Inserted(1.0, MM, 0, 1))[1] for _ in range(20)} == {0, 1}


def test_where_no_mass_fits_none_is_drawn() -> None:
    narrow = np.zeros_like(BREAST)
    narrow[40:60, 5:9] = True
    assert insert(FLAT, narrow, draw_mass(np.random.default_rng(0), MM), np.random.default_rng(0)) is None


def batch(count: int) -> Batch:
    """Normal images, but for the first (a lesion) and the second (a lesion without a place)."""
    place = torch.tensor([[60.0, 40.0, 8.0, 8.0]])
    sick, hidden = torch.zeros(count), torch.ones(count)
    sick[:2], hidden[1] = 1.0, 0.0
    return Batch(
        torch.from_numpy(FLAT)[None, None].repeat(count, 1, 1, 1),
        torch.from_numpy(BREAST.astype(np.float32))[None, None].repeat(count, 1, 1, 1),
        [place, *[torch.zeros((0, 4))] * (count - 1)],
        [torch.zeros(1, dtype=torch.int64), *[torch.zeros(0, dtype=torch.int64)] * (count - 1)],
        sick,
        hidden,
        ["CC"] * count,
        [str(number) for number in range(count)],
    )


def test_so_many_normal_images_get_a_lesion_and_no_other() -> None:
    before = batch(102)
    changed = Augment(TRAIN, Augmentation(), 0, Inserted(0.3, MM, 1))(before, 0, 0)
    assert torch.equal(changed.pixels[:2], before.pixels[:2])
    assert changed.ellipses[0] is before.ellipses[0]
    drawn = [len(own) for own in changed.ellipses[2:]]
    # 100 draws at 0.3: within four standard deviations, sqrt(100 * 0.3 * 0.7) = 4.6, of 30.
    assert 12 < sum(drawn) < 48
    assert changed.positive[2:].tolist() == [float(one) for one in drawn]
    assert all(kinds.tolist() == [1] * len(kinds) for kinds in changed.classes[2:])
    moved = (changed.pixels != before.pixels).flatten(1).any(1)[2:]
    assert moved.tolist() == [bool(one) for one in drawn]
    number = 2 + drawn.index(1)
    x0, y0, x1, y1 = boxes_of(changed.ellipses[number])[0].tolist()
    difference = (changed.pixels - before.pixels)[number, 0]
    row, column = divmod(int(difference.argmax()), COLUMNS)
    assert y0 <= row < y1
    assert x0 <= column < x1
    again = Augment(TRAIN, Augmentation(), 0, Inserted(0.3, MM, 1))(before, 0, 0)
    assert torch.equal(again.pixels, changed.pixels)


@pytest.mark.parametrize("name", ["val", "test"])
def test_nothing_is_drawn_into_what_tunes_or_tests(name: str) -> None:
    with pytest.raises(TrainerError, match="only the train part"):
        Augment(Part(name, (), 0, ""), Augmentation(), 0, Inserted(1.0, MM, 0))  # type: ignore[arg-type]


SMALL = ("size=64x64", "mm=2.0", "batch=8", "epochs=1", "train.precision=32-true")


def detector(*changes: str) -> Recipe:
    return read_recipe("mias-lesions", [*SMALL, "augment.insert_lesions=0.5", *changes])


def test_what_cannot_be_had_is_said_before_a_training(miniature: Miniature, tmp_path: Path) -> None:
    part = part_of(miniature.manifest, miniature.splits, 0, "train")
    recipe = read_recipe("mias-abnormality", [*TINY, "augment.insert_lesions=0.5"])
    with pytest.raises(TrainerError, match="insert_lesions needs a detector"):
        train(miniature, tmp_path / "run", recipe=recipe)
    assert not (tmp_path / "run").exists()
    base = detector()
    assert inserted_of(base, PartSamples(part, base)) == Inserted(0.5, 2.0, 0, 0)
    alone = detector("target.findings.abnormality=['CALC']")
    with pytest.raises(TrainerError, match="a class for a mass or for a calcification"):
        inserted_of(alone, PartSamples(part, alone))
    sick = replace(part, rows=tuple(row for row in part.rows if row.label != "normal"))
    with pytest.raises(TrainerError, match="no image of the train part is normal"):
        inserted_of(base, PartSamples(sick, base))


def test_a_card_says_that_lesions_were_drawn() -> None:
    run = SimpleNamespace(
        split_hash="", manifest_sha256="", fold=0, seed=0, versions={}, ancestors=(), facts=()
    )
    trained = [SimpleNamespace(run=run, changes=())]
    said = " ".join(_training_facts(trained, detector()))  # type: ignore[arg-type]
    assert "a drawn lesion in 50% of the normal images that train; none in those that tune or test" in said
    without = _training_facts(trained, detector("augment.insert_lesions=0"))  # type: ignore[arg-type]
    assert "drawn lesion" not in " ".join(without)


def test_an_image_with_lesions_of_other_kinds_alone_is_no_positive_where_lesions_decide() -> None:
    def row(*labels: str, label: str = "malignant") -> Row:
        found = tuple(Lesion(name, (0.0, 0.0, 5.0, 5.0), None, "malignant") for name in labels)
        return SimpleNamespace(label=label, findings=found)  # type: ignore[return-value]

    fine = read_recipe("mias-calcifications").target
    assert [fine.is_positive(row(*labels)) for labels in (("CALC",), ("CIRC",), ("CIRC", "CALC"), ())] == [
        True,
        False,
        True,
        False,
    ]
    assert not fine.is_positive(row("CALC", label="normal"))
    every = read_recipe("mias-lesions").target
    assert every.is_positive(row("CIRC"))
    assert every.is_positive(row())
    with pytest.raises(ModelError, match="by_lesions needs findings"):
        read_recipe("mias-abnormality", ["target.by_lesions=true", "target.findings={}"])
