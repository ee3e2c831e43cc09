"""Affine maps between the pixel grids of one image.

Points are (row, col), pixel centres at integers. Boxes are (row0, col0, row1, col1), half-open, with
edges at pixel *corners*: the box edge e lies at the centre coordinate e - 0.5, so the box (0, 0, 1, 1)
covers exactly the first pixel, whose centre is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Box = tuple[float, float, float, float]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """A map of (row, col) points: ``out = matrix[:, :2] @ point + matrix[:, 2]``.

    Attributes
    ----------
    matrix
        Read-only float64 of shape (2, 3); its rows give the new row and the new column, its columns
        weigh the old row, the old column and 1.

    Raises
    ------
    ValueError
        If the matrix has another shape or a value that is not finite.
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (2, 3) or not np.isfinite(matrix).all():
            raise ValueError("an affine is a finite 2 x 3 matrix")
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Affine) and np.array_equal(self.matrix, other.matrix)

    def __hash__(self) -> int:
        return hash((self.matrix + 0.0).tobytes())  # + 0.0 folds -0.0, which equals 0.0

    @classmethod
    def identity(cls) -> Affine:
        """Return the map that leaves every point where it is."""
        return cls(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))

    @classmethod
    def translation(cls, rows: float, columns: float) -> Affine:
        """Return the map that moves points by `rows` down and `columns` to the right."""
        return cls(np.array([[1.0, 0.0, rows], [0.0, 1.0, columns]]))

    @classmethod
    def scale(cls, rows: float, columns: float | None = None) -> Affine:
        """Return the map that multiplies centre coordinates (the centre of pixel (0, 0) stays).

        Parameters
        ----------
        rows, columns
            Factors; `columns` defaults to `rows`.
        """
        return cls(np.array([[rows, 0.0, 0.0], [0.0, rows if columns is None else columns, 0.0]]))

    @classmethod
    def scale_edges(cls, rows: float, columns: float | None = None) -> Affine:
        """Return the map that multiplies *edge* coordinates: the top-left image corner stays.

        This is how an image is resized: n pixels become n * factor pixels that cover the same area.
        """
        columns = rows if columns is None else columns
        return cls(np.array([[rows, 0.0, (rows - 1) / 2], [0.0, columns, (columns - 1) / 2]]))

    @property
    def scales(self) -> tuple[float, float]:
        """New pixels per old pixel along the old rows and along the old columns, > 0."""
        lengths = np.hypot(self.matrix[0, :2], self.matrix[1, :2])
        return (float(lengths[0]), float(lengths[1]))

    def apply(self, points: npt.ArrayLike) -> FloatArray:
        """Map points.

        Parameters
        ----------
        points
            Shape (N, 2) or (2,), (row, col).

        Returns
        -------
        float64 array of the same shape.
        """
        given = np.asarray(points, dtype=np.float64)
        return given @ self.matrix[:, :2].T + self.matrix[:, 2]

    def apply_box(self, box: Box) -> Box:
        """Map a box with edges at pixel corners; the smallest upright box around the result.

        Exact for turns by 90 degrees, mirrors, scales and translations (all that a viewport does).
        """
        row0, col0, row1, col1 = box
        corners = np.array([[row0, col0], [row0, col1], [row1, col0], [row1, col1]]) - 0.5
        mapped = self.apply(corners) + 0.5
        low, high = mapped.min(axis=0), mapped.max(axis=0)
        return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    def inverse(self) -> Affine:
        """Return the map back.

        Raises
        ------
        ValueError
            If the map squeezes the plane onto a line.
        """
        (a, b, e), (c, d, f) = self.matrix
        determinant = a * d - b * c
        if determinant == 0:
            raise ValueError("the affine has no inverse")
        linear = np.array([[d, -b], [-c, a]]) / determinant
        return Affine(np.column_stack([linear, -linear @ np.array([e, f])]))

    def after(self, other: Affine) -> Affine:
        """Return the map that applies `other` first and this one then."""
        linear = self.matrix[:, :2] @ other.matrix[:, :2]
        offset = self.matrix[:, :2] @ other.matrix[:, 2] + self.matrix[:, 2]
        return Affine(np.column_stack([linear, offset]))
