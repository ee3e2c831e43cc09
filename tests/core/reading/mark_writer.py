"""A program that adds marks to a store and prints each uid once it is told that it is saved.

``python mark_writer.py STORE STUDY PREFIX COUNT`` (0: until it is killed; else it prints "ready" and
waits for a line first). Loads no Qt.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from app.core.reading.annotations import Annotation
from app.core.reading.history import Change, Edit
from app.core.reading.items import annotation_item, annotation_text
from app.core.reading.store import Store


def mark(uid: str) -> Annotation:
    """Return a polygon of many corners, so that a commit spans more than one page now and then."""
    corners = tuple((float(n), n / 3) for n in range(3, 40))
    return Annotation(uid, "1.2.3", 0, "polygon", corners, reader="Dr Roe", made="2026-11-03T10:41:00+00:00")


def added(study: str, annotation: Annotation, **facts: str) -> Change:
    """Return the change that adds a mark."""
    edit = Edit(annotation_item(annotation.uid), None, annotation_text(annotation))
    return Change(study, f"{annotation.kind} drawn", (edit,), reading=study, **facts)


def main() -> None:
    path, study, prefix, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    store = Store(path, patience_s=20)
    if count:
        print("ready", flush=True)
        sys.stdin.readline()
    for number in itertools.islice(itertools.count(), count or None):
        uid = f"{prefix}-{number}"
        store.commit(added(study, mark(uid)))
        print(uid, flush=True)


if __name__ == "__main__":
    main()
