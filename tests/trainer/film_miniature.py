"""A miniature of mini-MIAS in its exact format: pictures of discs, an Info.txt of either edition."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PREAMBLE = 102
"""Lines before the first row in the original Info.txt."""
KAGGLE_HEADER = "REFNUM BG CLASS SEVERITY X Y RADIUS "
SIZE = 256


def write_pgm(path: Path, pixels: np.ndarray) -> None:
    rows, columns = pixels.shape
    path.write_bytes(b"P5\n%d %d\n255\n" % (columns, rows) + pixels.astype(np.uint8).tobytes())


def picture(number: int, lesion: tuple[int, int, int] | None, size: int = SIZE) -> np.ndarray:
    """A half disc at the mirrored chest wall, with a bright spot at (x, y from the bottom, radius)."""
    noise = np.random.default_rng(number)
    row, col = np.mgrid[:size, :size]
    wall = size if number % 2 else 0
    breast = ((col - wall) / (0.55 * size)) ** 2 + ((row - size / 2) / (0.48 * size)) ** 2 < 1
    grey = np.where(breast, 90 + 8 * noise.standard_normal((size, size)), 3.0)
    if lesion is not None:
        x, y, radius = lesion
        grey[(col - x) ** 2 + (row - (size - y)) ** 2 < radius**2] += 90
    return np.clip(grey, 0, 255).astype(np.uint8)


def make_miniature(root: Path, images: int = 16, *, kaggle: bool = False, size: int = SIZE) -> list[str]:
    """Write pictures mdb001.. and Info.txt; every third image has a lesion. Return its data rows."""
    root.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(1, images + 1):
        lesion = None
        if number % 3 == 0:
            scale = size / SIZE
            x = round((SIZE - 50 if number % 2 else 50) * scale)
            lesion = (x, round((90 + 5 * (number % 12)) * scale), round(18 * scale))
            severity = "M" if number % 2 else "B"
            lines.append(f"mdb{number:03d} G CIRC {severity} {lesion[0]} {lesion[1]} {lesion[2]}")
        else:
            lines.append(f"mdb{number:03d} {'FGD'[number % 3]} NORM ")
        write_pgm(root / f"mdb{number:03d}.pgm", picture(number, lesion, size))
    write_info(root, lines, kaggle=kaggle)
    return lines


def write_info(root: Path, lines: list[str], *, kaggle: bool = False) -> None:
    before = [KAGGLE_HEADER] if kaggle else _preamble()
    (root / "Info.txt").write_text("\n".join([*before, *lines]) + "\n", encoding="latin-1")


def _preamble() -> list[str]:
    words = [
        "              MAMMOGRAPHIC IMAGE ANALYSIS SOCIETY",
        "3rd column: Class of abnormality present:",
        "                CALC - Calcification",
        "                NORM - Normal",
        "   Coordinate system origin is the bottom-left corner.",
    ]
    return (words + [""] * PREAMBLE)[:PREAMBLE]
