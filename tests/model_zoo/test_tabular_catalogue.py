"""Models of descriptors stand in the list of models and are never asked about an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main
from app.services.inference import catalogue
from app.services.inference.service import _installed
from model_zoo.errors import BundleError
from tests.model_zoo.tiny_tables import tiny_tables


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMMOVIEW_MODELS", str(tmp_path / "models"))
    tiny_tables(tmp_path / "models" / "tiny-words")


def test_it_is_listed_shown_and_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list"]) == 0
    assert "tiny-words 1.0.0  descriptors  Apache-2.0" in capsys.readouterr().out
    assert main(["models", "show", "tiny-words"]) == 0
    assert "# Tiny" in capsys.readouterr().out
    assert main(["models", "verify", "tiny-words"]) == 0
    assert "and the tables load" in capsys.readouterr().out


def test_no_second_look_asks_it() -> None:
    assert "tiny-words" in [bundle.name for bundle in catalogue.find().bundles]
    assert all(bundle.spec.reads_images for bundle in catalogue.chosen(None, ()))
    assert [bundle.name for bundle in catalogue.chosen(None, ("tiny-words", "phantom-lesions"))] == [
        "phantom-lesions"
    ]
    with pytest.raises(BundleError, match="no model of images"):
        catalogue.chosen(None, ("tiny-words",))
    models = _installed(report=lambda done, total: None)
    assert "phantom-lesions" in [model.name for model in models]
    assert "tiny-words" not in [model.name for model in models]


def test_asked_by_name_about_images_it_says_what_it_answers_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert main(["predict", str(tmp_path), "-o", str(out), "--model", "tiny-words"]) == 1
    said = capsys.readouterr().err
    assert "tiny-words answers from what a reader says of a lesion" in said
    assert len(said.strip().splitlines()) == 1
    assert not out.exists()
