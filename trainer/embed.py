"""The index of a bundle: one vector for each lesion of its data, and for places without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from app.core.errors import ReadError
from app.core.manifest import Box, Lesion, Row
from app.core.reading.lexicon import load_lexicon
from model_zoo.bundle import Bundle
from model_zoo.features import cell_at, embedding_at, embedding_maps
from model_zoo.geometry import inverse, map_boxes, map_points
from model_zoo.index import Entry, image_mark, store_index
from model_zoo.predictor import Predictor, load_predictor
from model_zoo.preprocess import Prepared, prepare
from model_zoo.suitability import judge
from trainer.errors import TrainerError
from trainer.evaluate import target_of
from trainer.runs import patient_mark
from trainer.views import read_view

PLAIN = 2
"""Places without a lesion taken of each image that has none."""
NOTHING = "no lesion"
_DATA_SETS = frozenset(
    (
        *("circ", "spic", "misc", "arch", "asym", "calc", "norm", "benign", "malignant"),
        *("lesion", "finding", "cancer", "abnormality", "mass", "calcification", "calcifications", "cluster"),
        *("distortion", "architectural distortion", "spiculated region", "suspicious calcification"),
        *("asymmetry", "focal asymmetry", "global asymmetry", "suspicious lymph node", "lymph node"),
        *("skin thickening", "skin retraction", "nipple retraction"),
    )
)
"""Words of the public data sets for what they mark, in lower case."""

_SIDE = 0.1
"""Of such a place's box, as a share of the breast's longer side."""


def embed_bundle(
    bundle: Bundle, rows: Sequence[Row], report: Callable[[int, int], None], *, trained_only: bool = True
) -> tuple[Bundle, int]:
    """Write the index of a bundle and return it with the number of places.

    Parameters
    ----------
    rows
        Of a manifest.
    trained_only
        Take only images of patients who trained the weights, as the bundle tells.

    Raises
    ------
    TrainerError
        None of the images can be used; a file is gone or has changed.
    """
    known = set(bundle.metrics.get("trained_on_patients", []))
    if trained_only:
        rows = [row for row in rows if patient_mark(row.patient_id) in known]
    if not rows:
        raise TrainerError(f"{bundle.name}: none of these images trained it; --all takes them nevertheless")
    predictor, known_words = load_predictor(bundle, "cpu"), words_of(bundle)
    entries: list[Entry] = []
    vectors = []
    for number, row in enumerate(rows, start=1):
        for entry, vector in places_of(predictor, row, known_words):
            entries.append(entry)
            vectors.append(vector)
        report(number, len(rows))
    if not entries:
        raise TrainerError(f"{bundle.name}: would score none of these images, so there is nothing to index")
    sources = ", ".join(sorted({row.label_source.partition(":")[0] for row in rows}))
    return store_index(bundle, entries, np.stack(vectors), sources), len(entries)


def words_of(bundle: Bundle) -> frozenset[str]:
    """Return the words, in lower case, that an index may use: of data sets, reports and the bundle.

    Anything else may be what a reader typed, and so name somebody; the bundle's own target names its lesions
    anyway.
    """
    reports = {kind.code for kind in load_lexicon().kinds}
    own = {one for name, labels in target_of(bundle, ()).findings.items() for one in (name, *labels)}
    return frozenset(_plain(word) for word in (*_DATA_SETS, *reports, *own))


def _plain(word: str) -> str:
    return " ".join(word.replace("_", " ").lower().split())


def places_of(
    predictor: Predictor, row: Row, words: frozenset[str]
) -> Iterator[tuple[Entry, npt.NDArray[np.float32]]]:
    """Give each lesion of an image with its vector; of an image without any, `PLAIN` places in the breast.

    Parameters
    ----------
    words
        `words_of` the bundle; a lesion called anything else is a "lesion".
    """
    spec = predictor.bundle.spec
    try:
        view = read_view(row)
        if judge(view, spec.views, spec.domain).level != "suits":
            return
        prepared = prepare(view, spec.preprocess)
    except (ReadError, ValueError):
        return
    maps = embedding_maps(predictor, prepared.pixels)
    size = (prepared.pixels.shape[1], prepared.pixels.shape[2])
    for what, box in _places(row, prepared, words):
        placed = map_boxes(inverse(prepared.to_stored), [box])[0]
        middle = ((placed[0] + placed[2]) / 2 - 0.5, (placed[1] + placed[3]) / 2 - 0.5)
        cell = cell_at(middle, size, (maps.shape[1], maps.shape[2]))
        yield Entry(image_mark(row.image_id), what, box, row.licence), embedding_at(maps, cell)


def _places(row: Row, prepared: Prepared, words: frozenset[str]) -> list[tuple[str, Box]]:
    if row.findings:
        return [(_what(lesion, words), lesion.box) for lesion in row.findings if lesion.box is not None]
    cells = np.argwhere(prepared.mask)
    if not len(cells):
        return []
    generator = np.random.default_rng(int(image_mark(row.image_id), 16))
    chosen = map_points(prepared.to_stored, cells[generator.choice(len(cells), PLAIN)])
    half = _SIDE * max(row.rows, row.columns) / 2
    return [(NOTHING, (r - half, c - half, r + half, c + half)) for r, c in chosen.tolist()]


def _what(lesion: Lesion, words: frozenset[str]) -> str:
    label = lesion.label if _plain(lesion.label) in words else "lesion"
    known = lesion.pathology if lesion.pathology and _plain(lesion.pathology) in words else ""
    return f"{label}, {known}" if known else label
