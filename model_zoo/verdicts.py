"""What was measured of a bundle's heat maps, read from its metrics.json and said in one line.

The trainer writes the block ``explanations`` (docs/explanations.md), the workstation and the trainer
say it with the same words. Numpy-free and torch-free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["passed", "failed", "incomplete", "not tested"]

KEY = "explanations"
"""Of the block in metrics.json."""

WORDS: dict[str, str] = {
    "pointing": "the place of the lesion",
    "energy": "energy in the lesion",
    "randomised": "weight randomisation",
    "deletion": "deletion",
    "insertion": "insertion",
    "flip": "flip",
    "shift": "shift",
    "marker": "marker control",
    "blank": "blank image",
    "repeat": "repeatability",
}
"""The tests by name, in the order in which they are told."""

MAY_LACK = ("repeat",)
"""Tests without which a map may still pass: a bundle of one training has no second one to repeat it."""


@dataclass(frozen=True, slots=True)
class MapVerdict:
    """What is known of one method's maps.

    Attributes
    ----------
    method
        As in `model_zoo.contract.HeatMap`.
    line
        For the reader, without a full stop.
    """

    method: str
    verdict: Verdict
    line: str


def verdict_of(results: Mapping[str, str]) -> Verdict:
    """Return the verdict of a method from its tests' results (passed, failed, not measured) by name."""
    if "failed" in results.values():
        return "failed"
    needed = [name for name in WORDS if name not in MAY_LACK]
    return "passed" if all(results.get(name) == "passed" for name in needed) else "incomplete"


def read_verdicts(metrics: Mapping[str, Any]) -> tuple[MapVerdict, ...]:
    """Return the verdicts that a bundle's metrics.json holds; what cannot be understood is left out."""
    block = metrics.get(KEY)
    methods = block.get("methods") if isinstance(block, Mapping) else None
    if not isinstance(methods, Mapping):
        return ()
    made = []
    for method, content in methods.items():
        tests = content.get("tests") if isinstance(content, Mapping) else None
        if isinstance(tests, Mapping) and all(isinstance(test, Mapping) for test in tests.values()):
            results = {str(name): str(test.get("result")) for name, test in tests.items()}
            made.append(MapVerdict(str(method), verdict_of(results), _line(tests, results)))
    return tuple(made)


def shown_method(metrics: Mapping[str, Any]) -> Literal["signed", "detector"]:
    """Return which map a bundle shows: the classifier's, unless it failed and the detector's did not."""
    verdicts = {one.method: one.verdict for one in read_verdicts(metrics)}
    better = verdicts.get("signed") == "failed" and verdicts.get("detector") in ("passed", "incomplete")
    return "detector" if better else "signed"


def _line(tests: Mapping[str, Mapping[str, Any]], results: Mapping[str, str]) -> str:
    parts = [part for part in (_place(tests.get("pointing", {})), _judged(results)) if part]
    return "; ".join(parts)


def _place(pointing: Mapping[str, Any]) -> str:
    """Return how often the map hits the lesion beside a guess at the breast's centre."""
    hit, references = pointing.get("value"), pointing.get("references")
    guess = references.get("centre") if isinstance(references, Mapping) else None
    if not isinstance(hit, int | float):
        return ""
    guessed = f", centre guess {100 * guess:.0f} %" if isinstance(guess, int | float) else ""
    return f"hits the lesion {100 * hit:.0f} % of the time{guessed}"


def _judged(results: Mapping[str, str]) -> str:
    failed = [words for name, words in WORDS.items() if results.get(name) == "failed"]
    lacking = [words for name, words in WORDS.items() if results.get(name, "") not in ("passed", "failed")]
    said = f"fails {', '.join(failed)}" if failed else ""
    if not said and not lacking:
        return "passes all tests"
    missing = f"not measured: {', '.join(lacking)}" if lacking and not failed else ""
    passed = "passes the rest" if missing and len(lacking) < len(WORDS) else ""
    return "; ".join(part for part in (said, missing, passed) if part)
