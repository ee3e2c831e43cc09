"""Where there is nothing to find: a marker outside the breast, and an image without content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np

from trainer.honesty.cases import Case
from trainer.honesty.networks import Explained, Pixels
from trainer.honesty.place import energy_in
from trainer.honesty.references import coverage
from trainer.honesty.rules import rule
from trainer.honesty.similarity import Map, silent


def measure_marker(cases: Sequence[Case], maps: Sequence[Map]) -> dict[str, Any]:
    """Return the result of ``marker``: the share of images whose map goes to a planted marker.

    A map goes there where its strongest cell touches the marker or a neighbouring cell of it and, without
    the marker, did not. Preparing the image is part of the test: what cuts markers off protects the map.
    """
    attracted, energies = [], []
    for case, plain in zip(cases, maps, strict=True):
        if not case.marked:
            continue
        seen = case.network.look(np.stack([one.pixels for one in case.marked])).maps
        hits = []
        for one, values in zip(case.marked, seen, strict=True):
            size, shape = (one.pixels.shape[0], one.pixels.shape[1]), (values.shape[0], values.shape[1])
            there = coverage(one.box, size, shape)
            near = cv2.dilate((there > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            goes = not silent(values) and bool(near.flat[int(values.argmax())])
            went = not silent(plain) and bool(near.flat[int(plain.argmax())])
            hits.append(goes and not went)
            energies.append(energy_in(values, there))
        attracted.append(float(any(hits)))
    if not attracted:
        return {"result": "not measured", "n": 0}
    share = float(np.mean(attracted))
    return {
        "result": rule("marker").judge(share, len(attracted)),
        "value": share,
        "energy_on_marker": float(np.mean(energies)),
        "n": len(attracted),
    }


def measure_blank(networks: Sequence[Explained], blanks: Pixels, maps: Sequence[Map]) -> dict[str, Any]:
    """Return the result of ``blank``: the strongest cell of empty images beside the usual one."""
    if not len(blanks) or not maps:
        return {"result": "not measured", "n": 0}
    usual = float(np.median([values.max() for values in maps]))
    highest = max(float(network.look(blanks).maps.max()) for network in networks)
    # More evidence in nothing than in half of the lesion images, which are silent: as bad as it gets.
    share = highest / usual if usual > 0 else float(highest > 0)
    return {"result": rule("blank").judge(share, len(blanks)), "value": share, "n": len(blanks)}
