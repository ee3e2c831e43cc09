"""Vectors that tell the images of a data set apart: a bundle's index of them, or its network asked anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.core.audit.cases import AuditModel
from app.core.audit.kept import exam_key
from app.core.errors import MammoviewError
from app.core.manifest import Row
from app.core.settings import Device
from app.services.inference.audited import need_unchanged
from app.services.inference.batch import views_of
from app.services.inference.inside import VectorRequest
from app.services.inference.process import InferenceProcess, Vector
from app.services.kept import Kept
from model_zoo.bundle import Bundle, load_bundle
from model_zoo.contract import ArrayView
from model_zoo.errors import ModelError
from model_zoo.index import image_mark, read_index

KEPT = 100_000
"""Most vectors kept; one takes less than a kilobyte."""

Vectors = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]


class CaseVectors:
    """Vectors of images, made in a worker process and kept while the program runs; for one job at a time.

    Parameters
    ----------
    process
        That runs the networks, for tests; None: one of its own, started when it is needed.
    """

    def __init__(self, process: InferenceProcess | None = None) -> None:
        self._process = process or InferenceProcess()
        self._kept: Kept[tuple[str, str], Vector | None] = Kept(KEPT)

    def of(
        self,
        model: AuditModel,
        folder: Path,
        device: Device,
        rows: Sequence[Row],
        wanted: Bools,
        *,
        report: Callable[[int, int], None],
    ) -> Vectors:
        """Return (rows, width), nan where an image is not wanted or has no vector.

        Where the bundle's index knows all that are wanted, no network is run. Where it does not, each is
        shown to the network: vectors of two kinds are not compared.

        Parameters
        ----------
        rows
            Of a manifest; ``wanted`` bool (rows,).
        report
            ``report(done, total)`` of the images that are shown to the network.

        Raises
        ------
        MammoviewError
            The bundle is gone, another one by now, or has no network with such vectors; it takes none of
            the images.
        Cancelled
            When `report` raises it; what was made is kept.
        """
        need_unchanged(model, folder)
        try:
            bundle = load_bundle(folder)
            found = indexed(bundle, rows)
            places = np.flatnonzero(wanted)
            if found is None or np.isnan(found[places]).all(axis=1).any():
                found = self._asked(bundle, model, device, rows, places, report)
        except ModelError as error:
            raise MammoviewError(str(error)) from error
        found[~wanted] = np.nan
        return found

    def interrupt(self) -> None:
        """End what the process is asked, from another thread than the job's."""
        self._process.interrupt()

    def stop(self) -> None:
        """End the process."""
        self._process.stop()

    def _asked(
        self,
        bundle: Bundle,
        model: AuditModel,
        device: Device,
        rows: Sequence[Row],
        places: npt.NDArray[np.intp],
        report: Callable[[int, int], None],
    ) -> Vectors:
        vectors: dict[int, Vector] = {}
        for number, place in enumerate(places.tolist()):

            def still(done: int, total: int, number: int = number) -> None:
                report(number, len(places))

            still(0, 1)
            vector = self._vector(bundle, model, device, rows[place], still)
            if vector is not None:
                vectors[place] = vector
        if not vectors:
            raise MammoviewError(
                f"diversity needs vectors of the cases, and {bundle.name} takes none of their images"
            )
        found = np.full((len(rows), len(next(iter(vectors.values())))), np.nan, np.float32)
        for place, vector in vectors.items():
            found[place] = vector
        return found

    def _vector(
        self,
        bundle: Bundle,
        model: AuditModel,
        device: Device,
        row: Row,
        report: Callable[[int, int], None],
    ) -> Vector | None:
        key = (model.digest, exam_key([row]))
        if key in self._kept:
            return self._kept.get(key)
        (view,) = views_of([row], (bundle.spec,))
        if not isinstance(view, ArrayView):
            return None  # it cannot be read now: without a vector it is not offered
        vector = self._process.vector(VectorRequest(bundle.folder, device, view), report)
        need_unchanged(model, bundle.folder)  # one that was installed meanwhile has vectors of its own
        return self._kept.put(key, vector)


def indexed(bundle: Bundle, rows: Sequence[Row]) -> Vectors | None:
    """Return (rows, width): the mean of each image's places in the bundle's index, nan where it has none.

    None: the bundle has no index.

    Raises
    ------
    ModelError
        An index that is not to be used.
    """
    index = read_index(bundle)
    if index is None:
        return None
    places: dict[str, list[int]] = {}
    for number, entry in enumerate(index.entries):
        places.setdefault(entry.image, []).append(number)
    found = np.full((len(rows), index.vectors.shape[1]), np.nan, np.float32)
    for number, row in enumerate(rows):
        own = places.get(image_mark(row.image_id))
        if own:
            found[number] = index.vectors[own].mean(axis=0)
    return found
