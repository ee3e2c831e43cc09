"""Boxes of one's own in COCO's form: ``images``, ``annotations`` and ``categories`` in a JSON file.

``bbox`` is [x, y, width, height] in pixels from the upper left corner. An image may further say
``label``, ``patient_id``, ``study_id``, ``laterality``, ``view``, ``density``, ``age``, ``vendor``, ``split``
and ``licence``; without ``label`` it is ``lesion`` where it has an annotation, else ``normal``.
Outlines (``segmentation``) are not read. Files lie beside the JSON file or in ``images`` there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.core.manifest import NO_PATIENT, Lesion, Row
from trainer.errors import TrainerError
from trainer.examine import Facts, examine_all
from trainer.rois import clipped, scaled
from trainer.tables import age, below, is_missing, laterality

LICENCE = "research: the licence of your own images is not stated"
_MOST_BYTES = 2 << 30
Entry = dict[str, Any]


def _key(value: Any) -> int | str | None:
    """Return an id, None for what cannot be one."""
    return value if isinstance(value, (int, str)) else None


def _read(path: Path) -> Entry | None:
    """Return the content of a COCO file, None for other JSON."""
    if path.stat().st_size > _MOST_BYTES:
        raise TrainerError(f"{path}: is too large for a table of annotations")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainerError(f"{path}: cannot be read as JSON ({error.__class__.__name__})") from error
    if not isinstance(content, dict) or not {"images", "annotations", "categories"} <= set(content):
        return None
    for name in ("images", "annotations", "categories"):
        if not isinstance(content[name], list) or not all(isinstance(one, dict) for one in content[name]):
            raise TrainerError(f"{path}: {name} is no list of entries")
    return content


def _content(root: Path) -> tuple[Path, Entry]:
    if root.is_file():
        content = _read(root)
        if content is None:
            raise TrainerError(f"{root}: holds no images, annotations and categories in COCO's form")
        return root, content
    found = [(path, one) for path in sorted(root.glob("*.json")) if (one := _read(path)) is not None]
    if len(found) != 1:
        what = f"{len(found)} files" if found else "no file"
        raise TrainerError(f"{root}: {what} in COCO's form; name the one that is meant")
    return found[0]


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is not a number")
    return float(value)


def _box(entry: Entry) -> tuple[float, float, float, float]:
    bbox = entry.get("bbox")
    if not isinstance(bbox, list) or len(bbox) != 4:
        raise ValueError("bbox is not [x, y, width, height]")
    x, y, width, height = (_number(value) for value in bbox)
    if not (width > 0 and height > 0):
        raise ValueError("bbox has no extent")
    return y, x, y + height, x + width


def _lesions(path: Path, image: Entry, entries: list[Entry], names: dict[int | str | None, str], facts: Facts,
             report: Callable[[str], None]) -> tuple[Lesion, ...]:  # fmt: skip
    size = facts.image.rows, facts.image.columns
    stated = image.get("height"), image.get("width")
    other = all(isinstance(one, int) and one > 0 for one in stated) and stated != size
    if other:
        report(f"{facts.path}: {size[0]} x {size[1]}, not {stated[0]} x {stated[1]} as stated: boxes scaled")
    lesions = []
    for entry in entries:
        label, box = names.get(_key(entry.get("category_id")), "lesion"), None
        try:
            written = _box(entry)
            box = clipped(scaled(written, stated, size) if other else written, *size)  # type: ignore[arg-type]
            if box is None:
                report(f"{facts.path}: a {label} lies outside the image, so it has no place")
        except ValueError as error:
            report(f"{path}: annotation {entry.get('id')} has no place: {error}")
        lesions.append(Lesion(label, box))
    return tuple(lesions)


def _said(image: Entry, name: str) -> str:
    value = image.get(name)
    text = "" if value is None else str(value).strip()
    return "" if is_missing(text) else text


def _row(image: Entry, facts: Facts, lesions: tuple[Lesion, ...]) -> Row:
    image_id = str(below(Path(), str(image["file_name"])).with_suffix("")).replace("\\", "/")
    patient = _said(image, "patient_id") or facts.image.patient.id
    side, licence = _said(image, "laterality"), _said(image, "licence")
    if licence and not licence.startswith(("any:", "research:")):
        raise ValueError(f"the licence {licence[:40]!r} does not start with 'any:' or 'research:'")
    stated = _said(image, "label")
    return Row(
        image_id=image_id,
        patient_id=patient or NO_PATIENT + image_id,
        study_id=_said(image, "study_id") or patient or image_id,
        laterality=laterality(side) if side else facts.image.laterality or "",
        view=_said(image, "view").upper() or facts.image.view or "",
        path=facts.path,
        frame=0,
        sha256=facts.sha256,
        rows=facts.image.rows,
        columns=facts.image.columns,
        spacing_mm=facts.spacing_mm,
        source=facts.image.source,
        density=_said(image, "density"),
        age=age(_said(image, "age")) or facts.years,
        vendor=_said(image, "vendor") or facts.vendor,
        label=stated or ("lesion" if lesions else "normal"),
        label_source="coco: label of the image" if stated else "coco: whether the image has an annotation",
        findings=lesions,
        official_split=_said(image, "split").lower(),
        licence=licence or LICENCE,
    )


def _file(folder: Path, name: str) -> Path:
    plain, inner = below(folder, name), below(folder / "images", name)
    return inner if inner.is_file() and not plain.is_file() else plain


def _images(path: Path, content: Entry, report: Callable[[str], None]) -> dict[Path, Entry]:
    found: dict[Path, Entry] = {}
    for image in content["images"]:
        try:
            file = _file(path.parent, str(image.get("file_name", "")))
        except ValueError as error:
            report(f"{path}: image {image.get('id')} left out: {error}")
            continue
        if not file.is_file():
            report(f"{file}: not there, though {path.name} names it")
        elif file in found:
            raise TrainerError(f"{path}: {file.name} stands there twice")
        else:
            found[file] = image
    return found


def index(root: Path, report: Callable[[str], None]) -> list[Row]:
    """Return one row per image of a COCO file, or of the only one in a folder, in its order.

    Raises
    ------
    TrainerError
        No such file or several, JSON that is broken, an image twice.
    """
    path, content = _content(root)
    names = {_key(entry.get("id")): str(entry.get("name", "lesion")) for entry in content["categories"]}
    images = _images(path, content, report)
    known = {_key(image.get("id")) for image in content["images"]}
    marks: dict[int | str | None, list[Entry]] = {}
    for entry in content["annotations"]:
        key = _key(entry.get("image_id"))
        if key not in known:
            report(f"{path}: annotation {entry.get('id')} left out, its image is not listed")
        marks.setdefault(key, []).append(entry)
    facts = examine_all(images, report)
    rows = []
    for file, image in images.items():
        if file not in facts:
            continue
        try:
            lesions = _lesions(path, image, marks.get(_key(image.get("id")), []), names, facts[file], report)
            rows.append(_row(image, facts[file], lesions))
        except ValueError as error:
            report(f"{path}: image {image.get('id')} left out: {error}")
    return rows
