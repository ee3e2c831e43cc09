"""A mark that was drawn solid is there after a kill: through the service that the window uses, a few times.

Many more kills, without Qt: tests/core/reading/test_store_killed.py.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from app.core.reading.items import work_of
from app.core.reading.store import Store

KILLS = 6

PROGRAM = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication, QTimer
from app.core.reading.annotations import new_annotation
from app.core.reading.store import Store
from app.services.work import ReaderWork

application = QCoreApplication([])
work = ReaderWork(store=Store(Path(sys.argv[1])))
told = set()

def tell(state):
    for mark in state.work.annotations:
        if mark.uid not in state.pending and mark.uid not in told:
            told.add(mark.uid)
            print(mark.uid, flush=True)

def draw():
    work.add(new_annotation("length", "1.2", 0, ((1.0, 2.0), (3.0, 4.0))))

work.changed.connect(tell)
work.begin("study")
hand = QTimer(interval=0)
hand.timeout.connect(draw)
hand.start()
application.exec()
"""


def test_a_solid_mark_survives_every_kill(tmp_path: Path, root: Path) -> None:
    path, told, chance = tmp_path / "work.sqlite", set[str](), random.Random(4)
    for _ in range(KILLS):
        before = len(told)
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], cwd=root, stdout=subprocess.PIPE, text=True
        )
        assert program.stdout is not None
        # Those of the runs before are told first: they were read back.
        lines = [program.stdout.readline() for _ in range(before + 1)]
        time.sleep(chance.uniform(0, 0.1))
        program.kill()
        lines += program.stdout.read().splitlines(keepends=True)
        program.wait()
        told |= {line.strip() for line in lines if line.endswith("\n")}
        store = Store(path)
        work, notes = work_of("study", store.items("study"))
        store.close()
        assert told <= {each.uid for each in work.annotations}
        assert notes == ()
        assert len(told) > before
