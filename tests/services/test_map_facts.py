"""What the window hears of a bundle's tested heat maps."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.services.inference.facts import facts_of

sys.path.insert(0, str(Path(__file__).parents[1] / "model_zoo"))
from tiny_bundles import tiny_bundle

from model_zoo.bundle import amend
from model_zoo.verdicts import WORDS


def test_the_facts_carry_each_tested_map_in_one_line(tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path / "b")
    assert facts_of(bundle).maps == (), "a bundle that was never tested says nothing"
    tests = {name: {"result": "passed"} for name in WORDS}
    tests["pointing"] = {"result": "passed", "value": 0.5, "references": {"centre": 0.25}}
    tests["marker"] = {"result": "failed"}
    block = {"explanations": {"methods": {"signed": {"tests": tests}, "detector": {"tests": {}}}}}
    signed, detector = facts_of(amend(bundle, {"metrics.json": json.dumps(block).encode()})).maps
    assert (signed.method, signed.verdict) == ("signed", "failed")
    assert signed.line == "hits the lesion 50 % of the time, centre guess 25 %; fails marker control"
    assert (detector.method, detector.verdict) == ("detector", "incomplete")
