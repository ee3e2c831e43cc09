"""The reader's preferences: one frozen record, and the file that keeps what differs from it.

A setting is one field of `Settings`; its label, help, group and choices are in the field's metadata,
and the settings dialog is made from them. The file holds overrides only, so that a better default
reaches everyone who never changed it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import platformdirs

from app.core.errors import ReadError

CONFIG_VARIABLE = "MAMMOVIEW_CONFIG"
DATA_VARIABLE = "MAMMOVIEW_DATA"
FILE_NAME = "settings.json"

SecondLookTiming = Literal["on key", "after every view has been seen", "when a study opens"]
Wheel = Literal["next image", "zoom", "next stage"]
Device = Literal["auto", "cpu", "cuda"]


def _about(
    group: str,
    label: str,
    explanation: str,
    choices: tuple[Any, ...] = (),
    bounds: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Return the metadata of a setting: what the settings dialog needs."""
    return {"group": group, "label": label, "help": explanation, "choices": choices, "bounds": bounds}


@dataclass(frozen=True, slots=True)
class Settings:
    """All preferences; each field's metadata holds ``group``, ``label``, ``help``, ``choices``, ``bounds``.

    Attributes
    ----------
    protocol
        Name of the hanging protocol a study gets when it fits.
    cache_mib
        Memory for decoded images in MiB; 0 is a quarter of the memory, at most 4 GiB.
    models
        Names of the bundles of the reading set; empty: all that are installed.
    key_bindings
        Action name to key sequence, only where the reader changed it.
    monitors
        Pixel pitch in millimetres, as text, of screens measured with a ruler, by
        `app.core.hanging.true_size.Monitor.key`.
    notes
        What was wrong with the file these were read from; not a setting.
    """

    protocol: str = field(
        default="screening-cc-mlo",
        metadata=_about(
            "Hanging",
            "Hanging protocol",
            "Used for every study that has enough of its views. Your own protocols are listed here too.",
        ),
    )
    linked: bool = field(
        default=True,
        metadata=_about(
            "Hanging",
            "Link panes",
            "Window, zoom and pan move all panes together; pan is mirrored between breasts.",
        ),
    )
    read_moves_on: bool = field(
        default=False,
        metadata=_about(
            "Hanging",
            "Marking as read opens the next unread study",
            "Off: the study stays on screen.",
        ),
    )
    remind_unseen: bool = field(
        default=False,
        metadata=_about(
            "Hanging",
            "Marking as read says what was not seen",
            "Names the views of which a part was never on screen at actual pixels; it does not stop you.",
        ),
    )
    corner: Literal["short", "full", "off"] = field(
        default="short",
        metadata=_about(
            "Display",
            "Corner text",
            "How much is written into the corners of an image.",
            choices=("short", "full", "off"),
        ),
    )
    wheel: Wheel = field(
        default="next image",
        metadata=_about(
            "Display",
            "Mouse wheel",
            "With Ctrl held down the wheel always zooms.",
            choices=("next image", "zoom", "next stage"),
        ),
    )
    colour_map: Literal["inferno", "cividis", "viridis"] = field(
        default="inferno",
        metadata=_about(
            "Second look",
            "Heat map colours",
            "All are perceptually uniform; cividis reads the same to colour-blind readers.",
            choices=("inferno", "cividis", "viridis"),
        ),
    )
    second_look: SecondLookTiming = field(
        default="on key",
        metadata=_about(
            "Second look",
            "The second look comes",
            "A view counts as seen once it stood in a pair, alone, or at actual pixels.",
            choices=("on key", "after every view has been seen", "when a study opens"),
        ),
    )
    models: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            "Second look",
            "Reading set",
            "Models that are asked; none named: all that are installed.",
        ),
    )
    device: Device = field(
        default="auto",
        metadata=_about(
            "Second look",
            "Compute on",
            "auto takes the graphics card if there is one.",
            choices=("auto", "cpu", "cuda"),
        ),
    )
    cache_mib: int = field(
        default=0,
        metadata=_about(
            "Memory",
            "Memory for images (MiB)",
            "0 takes a quarter of the machine's memory, at most 4096.",
            bounds=(0, 262144),
        ),
    )
    audit_workers: int = field(
        default=0,
        metadata=_about(
            "Audit",
            "Processes",
            "That ask models about a data set; 0: as many as are worth it here, at most 4.",
            bounds=(0, 64),
        ),
    )
    audit_scheduler: str = field(
        default="",
        metadata=_about(
            "Audit",
            "Cluster",
            "Address of a dask scheduler, tcp://host:port, in place of processes here. Its workers have to "
            "see images and models under the same paths. Empty: this machine.",
        ),
    )
    mask_names: bool = field(
        default=False,
        metadata=_about(
            "Display",
            "Mask patient names",
            "For teaching: a code stands in place of name and id; birth date and institution are left out.",
        ),
    )
    reader: str = field(
        default="",
        metadata=_about(
            "Reading",
            "Reader's name",
            "Kept with every mark and report; empty: nobody is named.",
        ),
    )
    key_bindings: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}),
        metadata=_about(
            "Keys",
            "Keys",
            "Keys that differ from the defaults.",
        ),
    )
    monitors: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({}), metadata={"hidden": True}
    )
    notes: tuple[str, ...] = field(default=(), compare=False, metadata={"hidden": True})


def config_folder() -> Path:
    """Return the folder of the settings file: ``MAMMOVIEW_CONFIG`` if set, else the platform's own."""
    named = os.environ.get(CONFIG_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_config_dir("mammoview", appauthor=False))


def data_folder() -> Path:
    """Return the folder of the reader's work: ``MAMMOVIEW_DATA`` if set, else the platform's own."""
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_data_dir("mammoview", appauthor=False))


def load(path: Path | None = None) -> Settings:
    """Return the settings with the overrides of a file; a wrong file or value gives defaults and a note.

    Parameters
    ----------
    path
        The settings file; None: ``settings.json`` in `config_folder`. It need not exist.
    """
    path = path or config_folder() / FILE_NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        return Settings(notes=(f"{path}: {error.strerror or 'cannot be read'}; defaults are used",))
    except ValueError:
        return Settings(notes=(f"{path}: is damaged; defaults are used",))
    if not isinstance(data, dict):
        return Settings(notes=(f"{path}: is not a settings file; defaults are used",))
    good: dict[str, Any] = {}
    notes = []
    for key, value in data.items():
        try:
            good[key] = _checked(key, value)
        except ValueError as error:
            notes.append(f"{path}: {error}; the default is used")
    return replace(Settings(), **good, notes=tuple(notes))


def save(settings: Settings, path: Path | None = None) -> None:
    """Write what differs from the defaults, in one step, so that a crash leaves the old file.

    Raises
    ------
    ReadError
        When the file cannot be written; names file and reason.
    """
    path = path or config_folder() / FILE_NAME
    text = json.dumps(overrides(settings), indent=2, sort_keys=True) + "\n"
    temporary = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise ReadError(path, f"cannot be written ({error.strerror or error})") from error


def overrides(settings: Settings) -> dict[str, Any]:
    """Return the settings that differ from the defaults, as JSON values."""
    plain = Settings()
    changed: dict[str, Any] = {}
    for item in fields(Settings):
        value = getattr(settings, item.name)
        if item.name == "notes" or value == getattr(plain, item.name):
            continue
        changed[item.name] = dict(value) if isinstance(value, Mapping) else value
    return changed


def _checked(key: str, value: Any) -> Any:
    """Return a JSON value as the field's own type.

    Raises
    ------
    ValueError
        With a clause on what is wrong.
    """
    known = {item.name: item for item in fields(Settings) if item.name != "notes"}
    if key not in known:
        raise ValueError(f"{key} is no setting")
    default = getattr(Settings(), key)
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{key} is not a list of texts")
        return tuple(value)
    if isinstance(default, Mapping):
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise ValueError(f"{key} does not map texts to texts")
        return MappingProxyType(dict(value))
    if type(value) is not type(default):
        raise ValueError(f"{key} is not of the right kind")
    metadata = known[key].metadata
    if metadata["choices"] and value not in metadata["choices"]:
        raise ValueError(f"{key} is not one of {', '.join(map(str, metadata['choices']))}")
    if metadata["bounds"] and not metadata["bounds"][0] <= value <= metadata["bounds"][1]:
        raise ValueError(f"{key} is out of range")
    return value
