"""A program that adds marks to a store and prints each uid once it is told that it is saved.

``python mark_writer.py STORE STUDY PREFIX [--led]``: until it is killed; led, it prints "ready", waits for
a line, and adds marks until its standard input ends. Loads no Qt.
"""

from __future__ import annotations

import itertools
import sys
import threading
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
    path, study, prefix, *led = sys.argv[1:]
    store, told_to_stop = Store(Path(path), patience_s=20), threading.Event()
    if led:
        print("ready", flush=True)
        sys.stdin.readline()
        threading.Thread(target=lambda: (sys.stdin.read(), told_to_stop.set()), daemon=True).start()
    for number in itertools.count():
        if told_to_stop.is_set():
            return
        uid = f"{prefix}-{number}"
        store.commit(added(study, mark(uid)))
        print(uid, flush=True)


if __name__ == "__main__":
    main()
