"""An entry of FROC in metrics.json: what was measured of few patients does not look certain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.metrics.froc import ImageBoxes
from trainer.box_metrics import froc_entry

LESION = (10.0, 10.0, 20.0, 20.0)


def images(found: int, of: int) -> list[ImageBoxes]:
    """One lesion each, and a false box on every image that is not found."""
    hit, miss = (0.9, LESION), (0.5, (50.0, 50.0, 60.0, 60.0))
    one = ImageBoxes("", (), (LESION,), (0.0, 0.0, 100.0, 100.0), (("mass", "10 to 20 mm"),))
    return [
        replace(one, patient=f"p{number}", candidates=(hit,) if number < found else (miss,))
        for number in range(of)
    ]


@pytest.mark.parametrize("found", [12, 0])
def test_where_all_or_none_are_found_the_interval_is_wilsons(found: int) -> None:
    entry = froc_entry(images(found, 12), "centre", 1, False, 0.0)
    assert entry["value"] == found / 12
    # At a share of 1 Wilson's lower end is n / (n + z^2), at 0 its upper end z^2 / (n + z^2).
    z2 = 1.959964**2
    expected = (12 / (12 + z2), 1.0) if found else (0.0, z2 / (12 + z2))
    assert (entry["low"], entry["high"]) == pytest.approx(expected, abs=1e-5)
    assert "Wilson's" in entry["method"]


def test_elsewhere_it_is_the_bootstraps() -> None:
    entry = froc_entry(images(6, 12), "centre", 1, False, 0.0)
    assert 0.0 < entry["low"] < entry["value"] < entry["high"] < 1.0
