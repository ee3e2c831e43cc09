"""Cases of a manifest that are worth reading next, from prediction files, a bundle's vectors and a store.

What is chosen stands in the store afterwards, with the strategy: it bends the set that is curated later.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.audit.choice import Chosen, choosing
from app.core.audit.prediction_files import join, read_predictions
from app.core.audit.verdicts import AUDIT
from app.core.errors import ReadError
from app.core.files import write_text
from app.core.manifest import Manifest, Row
from app.core.reading.log import read_log
from app.core.reading.store import FILE_NAME, Store
from trainer.curation.images import Finder, known_images
from trainer.curation.statements import said
from trainer.errors import TrainerError

Floats = npt.NDArray[np.float64]
Tell = Callable[[str], None]
_COLUMNS = ("rank", "image_id", "patient_id", "path", "strategy", "value")


def scores_of(files: Sequence[Path], rows: Sequence[Row], tell: Tell) -> tuple[Floats, tuple[str, ...]]:
    """Return (models, rows) scores of prediction files, nan where there is none, and the models' names.

    Raises
    ------
    ReadError
        A file that cannot be read, or is of another manifest.
    """
    scores: list[Floats] = []
    names: list[str] = []
    for path in files:
        joined = join(read_predictions(path), rows)
        for note in joined.notes:
            tell(note)
        for answers in joined.answers:
            scores.append(answers.score)
            names.append(f"{answers.model.name} {answers.model.version}".strip())
    return (np.stack(scores) if scores else np.zeros((0, len(rows)))), tuple(names)


def embeddings_of(
    bundle_name: str, rows: Sequence[Row], report: Callable[[int, int], None]
) -> tuple[npt.NDArray[np.float32], str]:
    """Return (rows, width) mean vectors of a network's last map, nan where it takes no such image.

    Raises
    ------
    ModelError
        No such bundle, or its network has no trunk.
    TrainerError
        It takes none of the images.
    """
    from model_zoo.features import image_vector
    from model_zoo.predictor import load_predictor
    from model_zoo.preprocess import prepare
    from model_zoo.suitability import judge
    from trainer.evaluate import find_bundle, models_folder
    from trainer.views import read_view

    bundle = find_bundle(bundle_name, [models_folder()])
    predictor, spec = load_predictor(bundle, "cpu"), bundle.spec
    vectors: dict[int, npt.NDArray[np.float32]] = {}
    for number, row in enumerate(rows):
        try:
            view = read_view(row)
            if judge(view, spec.views, spec.domain).level == "suits":
                vectors[number] = image_vector(predictor, prepare(view, spec.preprocess).pixels)
        except (ReadError, ValueError):
            pass  # as an image that the bundle declines: without a vector it is not offered
        report(number + 1, len(rows))
    if not vectors:
        raise TrainerError(f"{bundle.name}: takes none of these images, so there is nothing to compare")
    width = len(next(iter(vectors.values())))
    found = np.full((len(rows), width), np.nan, np.float32)
    for number, vector in vectors.items():
        found[number] = vector
    return found, f"{bundle.name} {bundle.version}"


def read_already(store: Path, manifest: Manifest, tell: Tell) -> npt.NDArray[np.bool_]:
    """Return which rows a reader marked, judged, assessed or called read; raises StoreError."""
    words = said(read_log(store).changes, tell)
    finder = Finder(known_images(manifest.path, tell), words.images)
    met: set[str] = set()
    for mark in words.marks:
        known = finder.image(mark.image)
        met |= {row.image_id for row in known.rows} if known else set()
    for word in words.words:
        named = [finder.image(word.image)] if word.image else finder.of_study(word.study)
        sides = (known for known in named if known and word.about in ("read", "verdict", known.laterality))
        of_image = (known for known in named if known and word.image)
        met |= {row.image_id for known in (*sides, *of_image) for row in known.rows}
    return np.array([row.image_id in met for row in manifest.rows], np.bool_)


def write_queue(chosen: Sequence[Chosen], manifest: Manifest, path: Path) -> None:
    """Write the cases as a table, the first to read first."""
    paths = {row.image_id: row.path for row in manifest.rows}
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for each in chosen:
        facts = (each.rank, each.image_id, each.patient_id, paths[each.image_id])
        writer.writerow((*facts, each.strategy, f"{each.value:.6g}"))
    write_text(path, table.getvalue())


def record(chosen: Sequence[Chosen], path: Path) -> None:
    """Write choices into a store that is there; raises StoreError."""
    store = Store(path / FILE_NAME if path.is_dir() else path)
    try:
        for change in choosing(chosen, store.items(AUDIT)):
            store.commit(change)
    finally:
        store.close()
