"""Settings: overrides on disk, damaged files, what the dialog is made from."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from app.core.errors import ReadError
from app.core.settings import Settings, config_folder, load, save


def test_without_a_file_all_is_at_its_default(tmp_path: Path) -> None:
    assert load(tmp_path / "settings.json") == Settings()


def test_only_what_differs_from_the_defaults_is_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    save(replace(Settings(), corner="full", key_bindings={"invert": "Shift+I"}, models=("a", "b")), path)
    assert json.loads(path.read_text()) == {
        "corner": "full",
        "key_bindings": {"invert": "Shift+I"},
        "models": ["a", "b"],
    }


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    wished = replace(
        Settings(),
        protocol="screening-mlo-cc",
        linked=False,
        cache_mib=512,
        second_look="when a study opens",
        key_bindings={"next_study": "N"},
        models=("phantom-lesions",),
    )
    save(wished, path)
    assert load(path) == wished
    assert load(path).notes == ()


@pytest.mark.parametrize("text", ["{", "", "[]", "null", '"x"', b"\xff\xfe\x00".decode("latin-1")])
def test_a_damaged_file_gives_defaults_and_a_note_that_names_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(text.encode("latin-1"))
    settings = load(path)
    assert settings == Settings()
    assert len(settings.notes) == 1
    assert str(path) in settings.notes[0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("corner", "huge"),
        ("linked", 1),
        ("cache_mib", "many"),
        ("cache_mib", -1),
        ("cache_mib", True),
        ("models", "one"),
        ("models", [1]),
        ("key_bindings", {"invert": 7}),
        ("key_bindings", []),
        ("notes", ["x"]),
        ("nobody", 1),
    ],
)
def test_a_wrong_value_leaves_its_default_and_the_others_alone(
    tmp_path: Path, key: str, value: object
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({key: value, "wheel": "zoom"}))
    settings = load(path)
    assert settings == replace(Settings(), wheel="zoom")
    assert len(settings.notes) == 1
    assert key in settings.notes[0]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ReadError, match="cannot be written"):
        save(Settings(), tmp_path / "file" / "settings.json")


def test_the_config_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAMMOVIEW_CONFIG", str(tmp_path))
    assert config_folder() == tmp_path
    save(replace(Settings(), wheel="zoom"))
    assert load().wheel == "zoom"
    monkeypatch.delenv("MAMMOVIEW_CONFIG")
    assert config_folder().name == "mammoview"


def test_every_setting_has_what_the_dialog_needs() -> None:
    for item in fields(Settings):
        if item.metadata.get("hidden"):
            continue
        assert item.metadata["label"]
        assert item.metadata["help"]
        assert item.metadata["group"]
        choices = item.metadata["choices"]
        assert not choices or getattr(Settings(), item.name) in choices
