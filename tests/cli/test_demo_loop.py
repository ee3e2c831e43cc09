"""The tour of the researcher's loop says what is wrong before it has done anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli import main
from app.commands.asked_trainer import ask
from app.core.errors import MammoviewError


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tour names folders of its own; monkeypatch puts back what stood there.
    for name in ("MAMMOVIEW_DATA", "MAMMOVIEW_CONFIG", "MAMMOVIEW_MODELS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_manifest_that_is_not_there_is_one_sentence(tmp_path: Path, qapp, capsys) -> None:
    gone, out = tmp_path / "gone.csv", tmp_path / "out"
    assert main(["demo", "--loop", str(gone), "--screenshots", str(out)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("mammoview: ")
    assert "gone.csv" in said
    assert said.count("\n") == 1
    assert not list(out.glob("*.png"))


def test_what_the_trainer_says_is_what_the_tour_says(tmp_path: Path) -> None:
    with pytest.raises(MammoviewError, match=r"gone\.csv") as caught:
        ask("split", tmp_path / "gone.csv", "-o", tmp_path / "s.json")
    assert not str(caught.value).startswith("mammoview-trainer")
