"""``python -m benchmarks [NAME ...] -o out.json``: speed and memory beside the peers, in one run.

Exit codes: 0 done, 1 a benchmark could not be run (the others are still written), 2 usage.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.result import BenchmarkError

BENCHMARKS = {
    "window-drag-4up": "benchmarks.drawing",
    "window-drag-8up": "benchmarks.drawing",
    "pan-4up": "benchmarks.drawing",
    "zoom-4up": "benchmarks.drawing",
    "first-look-4up-j2k": "benchmarks.opening",
    "open-4up-j2k": "benchmarks.opening",
    "open-8up-j2k": "benchmarks.opening",
    "stage-switch": "benchmarks.turning",
    "next-study": "benchmarks.turning",
    "memory-4up": "benchmarks.memory",
    "memory-50-studies": "benchmarks.memory",
    "start": "benchmarks.start",
    "analyse-4view": "benchmarks.analysing",
    "analyse-4view-overhead": "benchmarks.analysing",
    "train-input-warm": "benchmarks.feeding",
    "train-input-cold": "benchmarks.feeding",
    "train-data-wait": "benchmarks.waiting",
    "audit-50k": "benchmarks.auditing",
    "audit-table": "benchmarks.audit_table",
    "audit-scroll": "benchmarks.audit_scroll",
    "audit-drag": "benchmarks.audit_drag",
    "audit-next-case": "benchmarks.audit_next",
    "predict-batch": "benchmarks.predicting",
    "evaluate-overhead": "benchmarks.evaluating",
}
"""Name: the module that measures it, by ``run(name, folder) -> Result``."""

MORE = (
    *("next-study", "memory-50-studies", "predict-batch", "train-data-wait"),
    *("audit-table", "audit-scroll", "audit-drag", "audit-next-case"),
)
"""Names beyond those of the design."""

TOGETHER = {"audit-table": ("audit-table", "audit-scroll", "audit-drag", "audit-next-case")}
"""What is measured where one name is given: all that is asked of the table of cases."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks asked for (all that are built, if none is named) and write one JSON file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed and memory beside the peers."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(BENCHMARKS)}")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="out.json")
    arguments = parser.parse_args(argv)
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"{name}: no such benchmark (known: {', '.join(BENCHMARKS)})")
    if not arguments.output.absolute().parent.is_dir():
        return _fail(f"{arguments.output}: its folder does not exist")

    names = [each for name in arguments.names or BENCHMARKS for each in TOGETHER.get(name, (name,))]
    results, failed = [], []
    with tempfile.TemporaryDirectory(prefix="mammoview-benchmarks-") as folder:
        for name in dict.fromkeys(names):
            try:
                result = measure(name, Path(folder))
            except BenchmarkError as error:
                failed.append(f"{name}: {error}")
                continue
            print(
                f"{name:24} {result['value']:8.3g} {result['unit']:32} {result['peer']}: "
                f"{result['peer_value']:.3g}  ratio {result['ratio']:.2f}",
                flush=True,
            )
            results.append(result)
    report = {"format": "mammoview-benchmarks", "version": 1, "machine": describe(), "results": results}
    arguments.output.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return _fail("; ".join(failed)) if failed else 0


def measure(name: str, folder: Path) -> dict[str, object]:
    """Measure one benchmark in a process of its own, so that none inherits another's memory or threads.

    Parameters
    ----------
    folder
        Scratch of the whole run: files made for one benchmark serve the next.
    """
    command = [sys.executable, "-m", "benchmarks.one", name, BENCHMARKS[name], str(folder)]
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "QT_SCALE_FACTOR": "1",
        "MAMMOVIEW_CONFIG": str(folder / "config"),
        "MAMMOVIEW_MODELS": str(folder / "models"),
        "MAMMOVIEW_CACHE": str(folder / "cache"),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        raise BenchmarkError(f"its process was ended by signal {-done.returncode}")
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise BenchmarkError(said[0])
    record: dict[str, object] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return record


def _fail(sentence: str) -> int:
    print(f"benchmarks: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
