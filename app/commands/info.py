"""Tell what is in a file or folder: patients, studies, images, and what was left out and why."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.core.dicom.finder import find
from app.core.errors import MammoviewError
from app.core.imaging.image import Collection, Image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare PATH and --json."""
    parser.add_argument("path", metavar="PATH", help="a file, a folder or a DICOMDIR")
    parser.add_argument("--json", action="store_true", help="write JSON (format mammoview-info, version 1)")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; `MammoviewError` when nothing readable was."""
    found = find([Path(arguments.path)])
    if arguments.json:
        json.dump(as_json(found), sys.stdout, indent=1, ensure_ascii=False)
        print()
    else:
        for line in as_text(found):
            print(line)
    sys.stdout.flush()
    if not found.patients:
        raise MammoviewError(_nothing(arguments.path, found))
    return 0


def _nothing(path: str, found: Collection) -> str:
    if len(found.left_out) == 1:
        return f"{found.left_out[0].path}: {found.left_out[0].reason}"
    count = len(found.left_out)
    return f"{path}: no readable mammogram found" + (f", {count} files left out" if count else "")


def as_json(found: Collection) -> dict[str, Any]:
    """Return the ``mammoview-info`` document of DESIGN.md."""
    return {
        "format": "mammoview-info",
        "version": 1,
        "patients": [
            {
                "id": patient.facts.id,
                "studies": [
                    {
                        "study_uid": study.uid,
                        "date": study.date.isoformat() if study.date else None,
                        "images": [_image(image) for image in study.images],
                    }
                    for study in patient.studies
                ],
            }
            for patient in found.patients
        ],
        "left_out": [{"path": str(item.path), "reason": item.reason} for item in found.left_out],
    }


def _image(image: Image) -> dict[str, Any]:
    spacing = image.spacing
    return {
        "sop_uid": image.sop_uid,
        "path": str(image.path),
        "laterality": image.laterality,
        "view": image.view,
        "label": image.label,
        "rows": image.rows,
        "columns": image.columns,
        "frames": image.frames,
        "transfer_syntax": image.transfer_syntax or None,
        "photometric": image.photometric,
        "spacing_mm": [spacing.row_mm, spacing.col_mm] if spacing else None,
        "spacing_basis": spacing.label if spacing else None,
        "notes": [note.text for note in image.notes],
    }


def as_text(found: Collection) -> list[str]:
    """Return the same as lines for a person."""
    lines = []
    for patient in found.patients:
        lines.append(f"Patient {patient.facts.id or '(no usable id)'}")
        for study in patient.studies:
            lines.append(f"  Study {study.date.isoformat() if study.date else '(no date)'}  {study.uid}")
            lines += [f"    {_line(image)}" for image in study.images]
    if found.left_out:
        lines.append(f"Left out: {len(found.left_out)}")
        lines += [f"  {item.path}: {item.reason}" for item in found.left_out]
    return lines


def _line(image: Image) -> str:
    spacing = image.spacing
    size = f"{image.rows}x{image.columns}" + (f"x{image.frames}" if image.frames > 1 else "")
    millimetres = f"{spacing.row_mm:.4g} mm {spacing.label}" if spacing else "px: no spacing"
    line = f"{image.label or '?':6} {size:14} {millimetres:26} {image.path}"
    return line + "".join(f"\n           note: {note.text}" for note in image.notes)
