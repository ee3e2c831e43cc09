"""``memory-4up``: what four opened views take, in multiples of their stored pixels.

``memory-50-studies``: by how much the program grows over fifty studies of a list, once it is warm.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.exam import PIXEL_BYTES, four_views, small_studies
from benchmarks.result import BenchmarkError, Result, judge

ROUNDS = 3
BUDGET = 3.0
"""Times the stored pixels."""
STUDIES, WARM = 50, 10
CACHE_MIB = 64
"""So small that decoded frames fill it long before the tenth study."""
NOISE_MIB = 25.0
"""What 30 more studies may add: their thumbnails are kept (3 MiB), the rest is the allocator's."""


def run(name: str, folder: Path) -> Result:
    """Measure in a fresh process each round; the peer is the budget."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise BenchmarkError("memory is read from Linux's /proc, which is not here")
    if name == "memory-50-studies":
        worklist = small_studies(folder, STUDIES)
        grown = _round(worklist)
        return judge(
            name,
            f"MiB from studies {WARM + 1} to {2 * WARM} to the last {WARM} of {STUDIES}, medians",
            [(max(grown, 0.1), NOISE_MIB)],
            better="lower",
            peer="budget",
            peer_config=f"{NOISE_MIB:.0f} MiB; cache of {CACHE_MIB} MiB; all processes",
        )
    exam = four_views(folder)[0].parent
    runs = [(_round(exam), BUDGET) for _ in range(ROUNDS)]
    return judge(
        name,
        "times the stored pixels",
        runs,
        better="lower",
        peer="budget",
        peer_config="3 times the stored pixels; proportional set size of all processes, over an empty window",
    )


def _round(exam: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.memory", str(exam)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise BenchmarkError(f"the workstation was ended by signal {-done.returncode}")
    if done.returncode != 0:
        raise BenchmarkError((done.stderr.strip().splitlines() or ["the workstation failed"])[-1])
    return float(done.stdout.split()[-1])


def grown(worklist: Path) -> float:
    """Return by how many MiB this program grows from the second to the last ten studies of a list.

    Medians: from one study to the next it breathes by 10 MiB.
    """
    from dataclasses import replace

    from benchmarks.workstation import opened, settle, show

    with opened() as workstation:
        session = workstation.session
        session.set_settings(replace(session.settings, cache_mib=CACHE_MIB))
        show(workstation, worklist)
        sizes = []
        for _ in range(STUDIES):
            settle(workstation)
            sizes.append(used())
            session.next_study()
    if len(sizes) < STUDIES or len(session.studies) < STUDIES:
        raise BenchmarkError("there are not enough studies")
    early, late = sizes[WARM : 2 * WARM], sizes[-WARM:]
    return (statistics.median(late) - statistics.median(early)) / (1 << 20)


def main(exam: Path) -> None:
    """Print by how much the memory of this program grows when it shows an exam, in stored pixels."""
    from benchmarks.workstation import opened, settle, show

    if exam.name == "worklist":
        print(grown(exam))
        return
    with opened() as workstation:
        before = used()
        show(workstation, exam)
        settle(workstation)  # thumbnails and what else follows in the background belong to it
        print((used() - before) / PIXEL_BYTES)


def used() -> int:
    """Return the bytes that this process and its children hold, shared pages divided among them."""
    total = 0
    for process in (os.getpid(), *_descendants(os.getpid())):
        try:
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


def _descendants(process: int) -> Iterator[int]:
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            yield int(child)
            yield from _descendants(int(child))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
