"""A curated set frozen: all that its manifest was made from, so that it can be made again byte for byte.

A folder of readable files::

    snapshot.json   rules, the change up to which the store was read, images, sha256 of the other files,
                    and `hash`: sha256 of this content as canonical JSON
    changes.jsonl   the changes of the store that were used, one line each, in order
    before.csv      the images' rows as they were before any reader
    manifest.csv, manifest.csv.curation.jsonl   what was made from them
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from app.core.audit.verdicts import AUDIT
from app.core.files import write_text
from app.core.manifest import Row, file_sha256, read_manifest, write_manifest
from app.core.reading.history import Change, Edit
from app.core.reading.log import Log
from trainer.curation.curate import Curated, Options
from trainer.curation.images import Known
from trainer.errors import TrainerError

FORMAT: Final = "mammoview-curated"
VERSION: Final = 1
FILE: Final = "snapshot.json"
_CHANGES: Final = "changes.jsonl"
_BEFORE: Final = "before.csv"
MANIFEST: Final = "manifest.csv"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a set is made from, as it was frozen."""

    log: Log
    known: tuple[Known, ...]
    options: Options
    hash: str


def canonical(content: Any) -> str:
    """Return JSON of which there is one text only: sorted keys, no blanks, ASCII."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def record_file(manifest: Path) -> Path:
    """Return where the record of a curated manifest lies: beside it."""
    return manifest.with_name(f"{manifest.name}.curation.jsonl")


def write_set(made: Curated, log: Log, options: Options, manifest: Path) -> None:
    """Write a curated manifest and its record.

    Raises
    ------
    TrainerError
        No image is left.
    """
    if not made.rows:
        raise TrainerError(f"{log.path}: no image is left for a curated set")
    head = {"format": FORMAT, "version": VERSION, "change": log.last, "rules": asdict(options)}
    lines = [canonical(head), *(canonical(record) for record in made.records)]
    write_manifest(made.rows, manifest)
    write_text(record_file(manifest), "".join(f"{line}\n" for line in lines))


def write_snapshot(folder: Path, made: Curated, log: Log, options: Options) -> str:
    """Write a snapshot as a new folder, whole or not at all, and return its hash.

    Raises
    ------
    TrainerError
        The folder holds something, or no image is left.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TrainerError(f"{folder}: exists already and is not empty; take another name")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        part.mkdir(mode=0o700)
        found = _write(part, made, log, options)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return found


def _write(folder: Path, made: Curated, log: Log, options: Options) -> str:
    before: dict[str, Row] = {}
    images = []
    frames = {(record["image"], record["frame"]) for record in made.records}
    for known in {each.identity: each for each in made.used}.values():
        wanted = {frame for image, frame in frames if image == known.identity}
        rows = [known.row(frame) for frame in sorted(wanted | {row.frame for row in known.rows})]
        before |= {row.image_id: row for row in rows}
        images.append(_image(known, rows))
    files = {row.sha256 or row.image_id for row in before.values()}
    used = [each for each in log.changes if _is_used(each, made.studies, files)]
    write_text(folder / _CHANGES, "".join(f"{canonical(asdict(each))}\n" for each in used))
    write_manifest(before.values(), folder / _BEFORE)
    write_set(made, log, options, folder / MANIFEST)
    names = (_CHANGES, _BEFORE, MANIFEST, record_file(folder / MANIFEST).name)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "change": log.last,
        "rules": asdict(options),
        "images": images,
        "sha256": {name: file_sha256(folder / name) for name in names},
    }
    found = _hash(content)
    write_text(folder / FILE, json.dumps({**content, "hash": found}, indent=1, sort_keys=True) + "\n")
    return found


def _is_used(change: Change, studies: Collection[str], files: Collection[str]) -> bool:
    """Tell whether a set was made from a change; verdicts and choices name their image's file at the end."""
    if change.study != AUDIT:
        return change.study in studies
    images = (unquote(item.rpartition("/")[2]) for item, *_ in change.edits)
    return any(image.rpartition("/")[0] in files for image in images)


def _image(known: Known, rows: Iterable[Row]) -> dict[str, Any]:
    return {
        "identity": known.identity,
        "path": str(known.path),
        "study": known.study,
        "laterality": known.laterality,
        "case": known.case,
        "rows": [row.image_id for row in rows],
    }


def _hash(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def is_snapshot(path: Path) -> bool:
    """Tell whether a path is the folder of a snapshot."""
    return (path / FILE).is_file()


def read_snapshot(folder: Path) -> Snapshot:
    """Read a snapshot back.

    Raises
    ------
    TrainerError
        A file is missing, of another version, or not as it was written.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("format") != FORMAT or content.get("version") != VERSION:
            raise TrainerError(f"{path}: no snapshot that this program knows")
        claimed = content.pop("hash")
        for name, sha256 in content["sha256"].items():
            if file_sha256(folder / Path(name).name) != sha256:
                raise TrainerError(f"{folder / name}: not as it was when the snapshot was made")
        if _hash(content) != claimed:
            raise TrainerError(f"{path}: not as it was when the snapshot was made")
        lines = (folder / _CHANGES).read_text(encoding="utf-8").splitlines()
        changes = tuple(_change(json.loads(line)) for line in lines)
        rows = {row.image_id: row for row in read_manifest(folder / _BEFORE).rows}
        known = tuple(_known(image, rows) for image in content["images"])
        options = Options(**content["rules"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TrainerError(f"{path}: the snapshot cannot be read ({error.__class__.__name__})") from error
    return Snapshot(Log(folder, changes, int(content["change"])), known, options, claimed)


def _change(data: dict[str, Any]) -> Change:
    return Change(**{**data, "edits": tuple(Edit(*edit) for edit in data["edits"])})


def _known(image: dict[str, Any], rows: dict[str, Row]) -> Known:
    own = tuple(rows[name] for name in image["rows"])
    return Known(
        image["identity"], Path(image["path"]), image["study"], image["laterality"], image["case"], own
    )
