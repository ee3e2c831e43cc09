"""``make fuzz``: thousands of mutated DICOM files through ``info`` and ``render``, and what the window does.

Each file must end in exit code 0 or 1 within 10 s and 2 GB, on 1 with one line on stderr that names it, with
JSON on stdout for ``info --json``, and never a traceback or a process that dies.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from fuzz_mutations import NAMES, mutated  # noqa: E402
from fuzz_seeds import make_seeds  # noqa: E402

LONGEST_S = 10.0
MOST_MIB = 2000
PATIENCE_S = 60.0
"""After which a process that answers nothing is ended."""


@dataclass(frozen=True)
class Recipe:
    """How a mutated file is made."""

    seed: str
    mutation: str
    number: int

    def __str__(self) -> str:
        return f"{self.seed}/{self.mutation}/{self.number}"


def recipes(names: list[str], count: int, seed: int) -> list[Recipe]:
    """Return `count` recipes: every seed with every mutation in turn, numbered from a random source."""
    source = random.Random(seed)
    pairs = [(name, mutation) for name in names for mutation in NAMES]
    found: list[Recipe] = []
    while len(found) < count:
        source.shuffle(pairs)
        found += [Recipe(name, mutation, source.randrange(1 << 30)) for name, mutation in pairs]
    return found[:count]


def faults(path: str, command: str, seen: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the outcome of a command, one clause each."""
    lines = seen["err"].splitlines()
    if seen["raised"]:
        yield f"raised {seen['raised'].strip().splitlines()[-1][:200]}"
    elif seen["code"] not in (0, 1):
        yield f"exit code {seen['code']}"
    elif seen["code"] == 0 and lines:
        yield f"exit code 0 and says {lines[0][:200]!r} on stderr"
    elif seen["code"] == 1 and (
        len(lines) != 1 or path not in lines[0] or not lines[0].split(path)[-1].strip(": ")
    ):
        yield f"exit code 1 and says {seen['err'][:300]!r}"
    if "Traceback" in seen["err"] or "went wrong" in seen["err"]:
        yield f"a traceback: {seen['err'][-300:]!r}"
    if seen["seconds"] > LONGEST_S:
        yield f"took {seen['seconds']:.1f} s"
    if seen["mib"] > MOST_MIB:
        yield f"took {seen['mib']} MiB"
    if command == "info" and not seen["raised"]:
        try:
            if json.loads(seen["out"])["format"] != "mammoview-info":
                yield "JSON of another format"
        except (ValueError, KeyError, TypeError):
            yield f"no JSON on stdout: {seen['out'][:100]!r}"


class Victim:
    """A process of `fuzz_victim` and the watchdog over it."""

    def __init__(self) -> None:
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path[:3]),
            "QT_QPA_PLATFORM": "offscreen",
        }
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "fuzz_victim.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,
        )

    def run(self, path: Path) -> dict[str, dict[str, Any]] | str:
        """Return what each command did, or a clause where the process died or hung."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(path, file=self._process.stdin, flush=True)
            ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
            answer = self._process.stdout.readline() if ready else ""
        except BrokenPipeError:
            ready, answer = [True], ""
        if answer:
            outcome: dict[str, dict[str, Any]] = json.loads(answer)
            return outcome
        said = f"hung for {PATIENCE_S:.0f} s" if not ready else f"the process died ({self._process.wait(10)})"
        self.end()
        return said

    def end(self) -> None:
        """End the process and its decoders."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, 9)
        self._process.wait()


@dataclass
class Tally:
    """What was found."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[Recipe, str]] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[int, str] = (0, "")


def fuzz(chosen: list[Recipe], seeds: dict[str, bytes], keep: Path, jobs: int = 2) -> Tally:
    """Run all recipes through `jobs` processes; files that fail are left in `keep`."""
    tally, lock, waiting = Tally(), threading.Lock(), list(reversed(chosen))

    def work(folder: Path) -> None:
        victim = Victim()
        while True:
            with lock:
                if not waiting:
                    break
                recipe = waiting.pop()
            data = mutated(recipe.seed, seeds[recipe.seed], recipe.mutation, recipe.number, seeds)
            path = folder / f"{recipe.seed}.dcm"
            path.write_bytes(data)
            outcome = victim.run(path)
            wrong = judge(str(path), outcome)
            if wrong and all("took" in clause for clause in wrong):  # perhaps only a busy machine
                outcome = victim.run(path)
                wrong = judge(str(path), outcome)
            if isinstance(outcome, str):
                victim = Victim()
            with lock:
                _count(tally, recipe, outcome)
                for clause in wrong:
                    tally.failed.append((recipe, clause))
                if wrong:
                    (keep / f"{str(recipe).replace('/', '+')}.dcm").write_bytes(data)
        victim.end()

    with tempfile.TemporaryDirectory(prefix="mammoview-fuzz-") as place:
        threads = []
        for number in range(jobs):
            folder = Path(place) / str(number)
            folder.mkdir()
            threads.append(threading.Thread(target=work, args=(folder,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return tally


def judge(path: str, outcome: dict[str, dict[str, Any]] | str) -> list[str]:
    """Return what is wrong with what a file did, one clause each."""
    if isinstance(outcome, str):
        return [outcome]
    return [
        f"{command}: {clause}" for command, seen in outcome.items() for clause in faults(path, command, seen)
    ]


def _count(tally: Tally, recipe: Recipe, outcome: dict[str, dict[str, Any]] | str) -> None:
    tally.files += 1
    if isinstance(outcome, str):
        tally.outcomes["died"] += 1
        return
    for command, seen in outcome.items():
        tally.outcomes[f"{command} {seen['code']}"] += 1
        tally.slowest = max(tally.slowest, (seen["seconds"], f"{recipe} {command}"))
        tally.largest = max(tally.largest, (seen["mib"], f"{recipe} {command}"))


def main() -> int:
    """Run and report; exit code 1 when any file failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("runs/fuzz"), help="where files that fail are left")
    arguments = parser.parse_args()
    arguments.keep.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mammoview-fuzz-seeds-") as folder:
        seeds = make_seeds(Path(folder))
    print(
        f"seed {arguments.seed}: {arguments.files} files from {len(seeds)} seeds, {len(NAMES)} mutations",
        flush=True,
    )
    tally = fuzz(
        recipes(sorted(seeds), arguments.files, arguments.seed), seeds, arguments.keep, arguments.jobs
    )
    for recipe, clause in tally.failed:
        print(f"FAILED {recipe}: {clause}")
    counts = ", ".join(f"{name}: {count}" for name, count in sorted(tally.outcomes.items()))
    print(f"{tally.files} files in {time.monotonic() - began:.0f} s; {counts}")
    (seconds, slowest), (mib, largest) = tally.slowest, tally.largest
    print(f"slowest {seconds:.1f} s ({slowest}), largest {mib} MiB ({largest})")
    print(f"{len({recipe for recipe, _ in tally.failed})} files failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
