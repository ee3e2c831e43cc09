"""Feature maps as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from tiny_training import Miniature, train

from trainer.cli import main
from trainer.export import export
from trainer.features import mosaic


def test_each_channel_is_a_tile_stretched_on_its_own() -> None:
    values = np.zeros((3, 2, 40), np.float32)
    values[0, 0, 0] = 1.0
    values[1] = 7.0
    values[2, 1] = np.arange(40)
    picture = mosaic(values)
    # 160 // 40 = 4 times enlarged: tiles of 8 x 160, two across, 4 pixels between.
    assert picture.shape == (8 + 4 + 8, 160 + 4 + 160)
    assert (picture[:4, :4] == 255).all()
    assert picture[:8, 4:160].max() == 0
    assert picture[:8, 164:].max() == 0, "a channel that says nothing is black"
    assert picture[16:20, 156:160].min() == 255
    assert picture[8:12].max() == 0


def test_the_command_draws_a_layer_of_a_bundle(
    miniature: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = export([train(miniature, tmp_path / "run")], tmp_path / "bundles", print)
    image = miniature.manifest.rows[0].image_id
    words = ["features", str(bundle.folder), image, "--manifest", str(miniature.manifest.path)]
    assert main([*words, "--layer", "1", "-o", str(tmp_path / "first.png")]) == 0
    # The stem's 8 channels at half of 64 x 64, five times enlarged, three across.
    with PIL.Image.open(tmp_path / "first.png") as picture:
        assert picture.size == (3 * 160 + 2 * 4, 3 * 160 + 2 * 4)
        assert picture.getextrema() == (0, 255)
    assert "8 channels of 32 x 32 cells" in capsys.readouterr().out
    assert main([*words, "--layer", "99", "-o", str(tmp_path / "none.png")]) == 1
    assert "has convolutions 1 to" in capsys.readouterr().err
    assert not (tmp_path / "none.png").exists()
    words[2] = "stranger"
    assert main([*words, "-o", str(tmp_path / "none.png")]) == 1
    assert "holds no image stranger" in capsys.readouterr().err
