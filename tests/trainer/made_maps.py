"""Made images with a planted blob, and stand-ins for networks whose maps are known by construction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from trainer.honesty.cases import Case, Marked
from trainer.honesty.networks import Explained, Pixels, Seen
from trainer.honesty.similarity import Map

SIZE = (128, 96)
GRID = (16, 12)
BLOB = 0.8
"""Grey of the blob; tissue lies at 0.2 to 0.5, a marker at 1, air at 0."""
SIDE = 12

Draw = Callable[[np.ndarray], Map]


@dataclass(frozen=True, slots=True, eq=False)
class StandIn:
    """Maps by a function of the image; once shuffled, by `other`."""

    draw: Draw
    other: Callable[[int], Draw] | None = None

    def look(self, images: Pixels) -> Seen:
        maps = np.stack([self.draw(image) for image in images]).astype(np.float32)
        return Seen(maps, maps.sum(axis=(1, 2), dtype=np.float64))

    def shuffled(self, share: float, seed: int) -> StandIn:
        return self if self.other is None else StandIn(self.other(seed))


def breast_mask() -> np.ndarray:
    """A half ellipse at the left edge, away from the other three."""
    rows, columns = np.indices(SIZE)
    return ((rows - 63.5) / 52) ** 2 + (columns / 70) ** 2 <= 1


def blob_evidence(image: np.ndarray) -> Map:
    """The share of each cell that has the blob's grey: evidence is the blob and nothing else."""
    cells = (np.abs(image - BLOB) < 0.01).reshape(GRID[0], 8, GRID[1], 8)
    return cells.mean(axis=(1, 3)).astype(np.float32)


def noise(seed: int) -> Draw:
    """Unrelated to the image: another one for each seed."""
    values = np.random.default_rng(seed).random(GRID, np.float32) ** 4
    return lambda image: values


def blob_finder() -> StandIn:
    return StandIn(blob_evidence, noise)


def made_case(number: int, network: Explained) -> Case:
    """One image of one patient: tissue and stripes in the half ellipse, a square blob within, its box."""
    generator = np.random.default_rng(number)
    breast = breast_mask()
    tissue = 0.2 + 0.3 * generator.random(SIZE, np.float32)
    image = np.where(breast, tissue, 0.0).astype(np.float32)
    # Stripes sharper than the blob's rim, in every image: what an edge filter goes to.
    image[56:68, 16:40] = np.where(np.arange(24) // 3 % 2, 0.65, 0.0)
    # Rows and columns near the outline: a guess at the middle is no help.
    row, col = [(24, 8), (92, 8), (40, 44), (76, 44)][number % 4]
    row, col = row + int(generator.integers(4)), col + int(generator.integers(4))
    image[row : row + SIDE, col : col + SIDE] = BLOB
    box = np.array([[row, col, row + SIDE, col + SIDE]], np.float64)
    marked = image.copy()
    marked[4:10, 84:90] = 1.0
    marks = (Marked(marked, np.array([[4.0, 84.0, 10.0, 90.0]])),)
    return Case(f"image-{number}", f"patient-{number}", network, image, breast, box, marks)


def made_cases(network: Explained, count: int = 24) -> list[Case]:
    return [made_case(number, network) for number in range(count)]


def maps_of(cases: list[Case]) -> list[Map]:
    return [case.network.look(case.pixels[None]).map(0) for case in cases]


def with_network(case: Case, network: Explained) -> Case:
    return replace(case, network=network)
