"""``audit-50k``: a manifest of 50,000 rows audited from its kept records, within 2 GB.

The table is made: 50,000 small files, codes that are as alike as those of mammograms, and a hundred pairs of
identical and of nearly identical pictures, all of which have to be found. The peer does one part of the work:
it compares 64-bit hashes of all pairs in the eight positions, a row against all later ones at a time.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

from app.core.manifest import Row, file_sha256, read_manifest, write_manifest
from benchmarks.result import BenchmarkError, Result, judge
from trainer.audit.facts import KIND
from trainer.audit.run import look_over, write_audit
from trainer.audit.table import remember
from trainer.splits import make_splits

ROWS = 50_000
PLANTED = 100
LIMIT_BYTES = 2 << 30
SHAPES = 24


def run(name: str, folder: Path) -> Result:
    path = _made(folder / "audit")

    def ours() -> float:
        start = time.perf_counter()
        manifest = read_manifest(path)
        looked = look_over(manifest, make_splits(manifest, folds=5))
        write_audit(looked.audit, folder / "audit" / "report")
        seconds = time.perf_counter() - start
        twins, alike = len(looked.audit.twins), looked.audit.alike_total
        if twins != PLANTED or alike < PLANTED:
            raise BenchmarkError(f"{twins} and {alike} of {PLANTED} planted twins each were found")
        return seconds

    seconds = ours()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if peak > LIMIT_BYTES:
        raise BenchmarkError(f"it took {peak / 2**30:.2f} GB, more than 2 GB")
    config = (
        "64 bits, XOR and bit count in numpy, 8 positions, nothing else of the audit; "
        f"goal for ours 60 s and 2048 MB, peak {peak / 2**20:.0f} MB"
    )
    return judge(name, "s", [(seconds, _all_pairs())], better="lower", peer="all pairs of hashes",
                 peer_config=config)  # fmt: skip


def _all_pairs() -> float:
    hashes = np.random.default_rng(0).integers(1 << 63, size=(8, ROWS), dtype=np.uint64)
    start, found = time.perf_counter(), 0
    for number in range(ROWS - 1):
        apart = np.bitwise_count(hashes[:, number, None] ^ hashes[0, number + 1 :])
        found += int((apart <= 6).sum())
    return time.perf_counter() - start


def _made(folder: Path) -> Path:
    files = folder / "files"
    files.mkdir(parents=True)
    rows = []
    for number in range(ROWS):
        file = files / f"{number:05d}.bin"
        file.write_bytes(number.to_bytes(4, "big"))
        rows.append(Row(
            f"i{number}", f"p{number // 4}", f"s{number // 4}", "LR"[number % 2],
            ("CC", "MLO")[number // 2 % 2], file, 0, file_sha256(file), 3000, 2400, (0.1, 0.1), "ffdm",
            "ABCD"[number // 4 % 4],
            str(40 + number // 4 % 40), ("ONE", "TWO")[number // 4 % 2],
            "malignant" if number // 4 % 50 == 7 else "normal", "made: made up",
        ))  # fmt: skip
    remember(rows, _facts())
    write_manifest(rows, folder / "manifest.csv")
    return folder / "manifest.csv"


def _facts() -> np.ndarray:
    generator = np.random.default_rng(0)
    facts = np.zeros(ROWS, KIND)
    shapes = generator.normal(size=(SHAPES, 16, 16))
    codes = 0.8 * shapes[generator.integers(SHAPES, size=ROWS)] + 0.6 * generator.normal(size=(ROWS, 16, 16))
    facts["code"] = np.clip(40 * codes, -127, 127)
    facts["has_code"] = True
    facts["mark"] = [f"{number:064d}".encode() for number in range(ROWS)]
    facts["rows"], facts["columns"], facts["bits_stored"], facts["bits_used"] = 3000, 2400, 12, 12
    facts["high"], facts["std"], facts["mean"] = 4095, 0.2, 0.3
    facts["grey"] = generator.dirichlet(np.ones(32), size=ROWS)
    facts["edge_mean"], facts["edge_std"] = generator.random((2, ROWS, 4))
    half = ROWS // 2
    facts["mark"][half : half + PLANTED] = facts["mark"][:PLANTED]
    # Mirrored left to right: every other column of coefficients changes its sign.
    facts["code"][-PLANTED:] = facts["code"][1000 : 1000 + PLANTED] * (-1) ** np.arange(16)
    return facts
