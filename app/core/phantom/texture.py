"""Random textures of tissue, laid out in millimetres so that one seed gives one anatomy at any pixel size.

Every texture is first made as a *tile*: a square of `TILE_MM` at a fixed sampling, whatever the size of
the image it will be used in. `Field` then samples tiles at the pixels of a view, optionally at displaced
places (domain warp), so strands and lobules bend as tissue does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
from scipy import fft

FloatArray = npt.NDArray[np.float32]

TILE_MM = 256.0
"""Side of every tile, mm; tiles are periodic (clouds) or simply larger than any breast (cells)."""
_SAMPLES = 512


def stream(*key: int | str) -> np.random.Generator:
    """Return an independent random generator that depends on nothing but `key`."""
    words = [word if isinstance(word, int) else int.from_bytes(word.encode(), "little") for word in key]
    return np.random.default_rng(np.random.SeedSequence(words))


def cloud(
    rng: np.random.Generator, beta: float, longest_mm: float, shortest_mm: float, stretch: float = 1.0
) -> FloatArray:
    """Return a power-law noise tile, zero mean and unit standard deviation.

    The power spectrum falls as 1/f^beta between the two wavelengths; anatomical noise of mammograms has
    a beta of about 3 (Burgess, Jacobson and Judy, Med. Phys. 28, 2001).

    Parameters
    ----------
    rng
        Source of the random phases.
    beta
        Exponent of the radial power spectrum.
    longest_mm, shortest_mm
        Wavelengths between which there is power.
    stretch
        How much longer structures are along columns (axis 1) than along rows; 1 is isotropic.
    """
    amplitude = _spectrum(beta, longest_mm, shortest_mm, stretch)
    n = len(amplitude)
    # Uniform numbers do: the sum over frequencies is Gaussian whatever they were.
    noise = rng.random((n, n // 2 + 1, 2), np.float32) - np.float32(0.5)
    waves = noise.view(np.complex64)[..., 0] * amplitude
    tile = np.asarray(fft.irfft2(waves, s=(n, n)), dtype=np.float32)
    return np.asarray(tile / max(float(tile.std()), 1e-9), dtype=np.float32)


@lru_cache(maxsize=64)
def _spectrum(beta: float, longest_mm: float, shortest_mm: float, stretch: float) -> FloatArray:
    """Return the amplitude of each spatial frequency of a tile, as `scipy.fft.rfft2` orders them."""
    n = _SAMPLES
    while n > 64 and TILE_MM / n * 5 < shortest_mm:
        n //= 2
    rows = np.fft.fftfreq(n, TILE_MM / n)[:, None]
    columns = np.fft.rfftfreq(n, TILE_MM / n)[None, :] * stretch
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = 1.0
    amplitude = frequency ** (-beta / 2)
    amplitude *= (frequency >= 1 / longest_mm) & (frequency <= 1 / shortest_mm)
    amplitude[0, 0] = 0.0
    return np.asarray(amplitude, dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """A tile of irregular cells, as fat lobules between septa.

    Attributes
    ----------
    edge
        Distance to the nearest septum, mm.
    level
        One random number 0..1 per cell.
    """

    edge: FloatArray
    level: FloatArray


def cells(rng: np.random.Generator, size_mm: float) -> Cells:
    """Return a tile of Voronoi cells of jittered seeds about `size_mm` apart."""
    n, count = _SAMPLES, round(TILE_MM / size_mm)
    step = n / count
    jitter = rng.uniform(-0.5, 0.5, (count, count, 2)) * 0.95
    places = ((np.indices((count, count)).transpose(1, 2, 0) + 0.5 + jitter) * step).astype(int)
    seeds = np.ones((n, n), np.uint8)
    flat = places.reshape(-1, 2).clip(0, n - 1)
    seeds[flat[:, 0], flat[:, 1]] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    inside = np.ones((n, n), np.uint8)
    inside[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    inside[1:, :][labels[1:, :] != labels[:-1, :]] = 0
    edge = cv2.GaussianBlur(cv2.distanceTransform(inside, cv2.DIST_L2, 5), (0, 0), 0.8)
    level = rng.random(int(labels.max()) + 1, np.float32)[labels]
    # Half a millimetre of softness: a hard label would show its raster where it is magnified.
    level = cv2.GaussianBlur(level, (0, 0), 1.2)
    return Cells((edge * (TILE_MM / n)).astype(np.float32), level)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The places, in millimetres, at which the pixels of a working grid look into tiles.

    Attributes
    ----------
    x, y
        float32 (rows, columns), mm along columns and along rows.
    """

    x: FloatArray
    y: FloatArray

    def moved(self, tile_x: FloatArray, tile_y: FloatArray, reach_mm: float) -> Field:
        """Return this field displaced by two cloud tiles, by about `reach_mm` each."""
        return Field(self.x + reach_mm * self.look(tile_x), self.y + reach_mm * self.look(tile_y))

    def shifted(self, x_mm: float, y_mm: float) -> Field:
        """Return this field displaced by a constant, to see another part of a tile."""
        return Field(self.x + np.float32(x_mm), self.y + np.float32(y_mm))

    def look(self, tile: FloatArray, *, mirrored: bool = False) -> FloatArray:
        """Return the values of a tile at these places, interpolated.

        Past its edges a tile repeats, or is mirrored: cells, unlike clouds, do not fit themselves.
        """
        border = cv2.BORDER_REFLECT if mirrored else cv2.BORDER_WRAP
        per_mm = np.float32(tile.shape[0] / TILE_MM)
        # Cubic shows only where pixels are finer than the samples of the tile.
        coarse = abs(float(self.x[0, 1] - self.x[0, 0])) > 0.25 or tile.shape[0] < _SAMPLES
        how = cv2.INTER_LINEAR if coarse else cv2.INTER_CUBIC
        seen = cv2.remap(tile, self.x * per_mm, self.y * per_mm, how, borderMode=border)
        return np.asarray(seen, dtype=np.float32)


def ridge(noise: FloatArray, width: float) -> FloatArray:
    """Return 1 where `noise` crosses zero, falling to 0 over `width` of noise: thin curved strands."""
    scaled = noise * np.float32(1 / width)
    return np.asarray(1 / (1 + scaled * scaled * scaled * scaled), dtype=np.float32)


def smoothstep(values: FloatArray, low: float, high: float) -> FloatArray:
    """Return 0 below `low`, 1 above `high`, and 3t^2 - 2t^3 between."""
    t = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def sigmoid(values: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-values)), clipped against overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -30, 30))), dtype=np.float32)
