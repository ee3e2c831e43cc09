"""What is known about the demo exam: the boxes of its lesions, by SOP Instance UID."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

Box = tuple[float, float, float, float]


def read_truth(path: Path) -> dict[str, tuple[Box, ...]]:
    """Return the boxes of ``truth.json`` by SOP Instance UID: (row0, col0, row1, col1), stored pixels."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return {
        view["sop_uid"]: tuple(tuple(finding["box"]) for finding in view["findings"])
        for view in document["views"]
    }


def hits(truth: Mapping[str, Sequence[Box]], found: Mapping[str, Sequence[Box]]) -> tuple[int, int]:
    """Return (lesion views hit, lesion views): hit when the centre of a found box lies in the true one."""
    total = hit = 0
    for uid, boxes in truth.items():
        for box in boxes:
            total += 1
            hit += any(_centre_in(one, box) for one in found.get(uid, ()))
    return hit, total


def _centre_in(box: Box, target: Box) -> bool:
    row, col = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return target[0] <= row < target[2] and target[1] <= col < target[3]
