"""All tests of a bundle's heat maps, by the rules written down beforehand: the block ``explanations``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import numpy as np

from app.core.manifest import Row
from model_zoo.bundle import Bundle
from model_zoo.explain import Method
from model_zoo.predictor import Predictor
from model_zoo.verdicts import WORDS, verdict_of
from trainer.assess import Asked
from trainer.errors import TrainerError
from trainer.evaluate import target_of
from trainer.honesty.cases import Case, blank_images, make_case, sample
from trainer.honesty.controls import measure_blank, measure_marker
from trainer.honesty.networks import METHODS, Explained, explained, members
from trainer.honesty.perturb import measure_perturbed
from trainer.honesty.place import measure_places
from trainer.honesty.randomise import measure_randomised
from trainer.honesty.rules import RULES, RULES_VERSION
from trainer.honesty.similarity import Map
from trainer.honesty.steady import measure_repeated, measure_turned
from trainer.splits import Part
from trainer.views import read_view

Tell = Callable[[str], None]

IMAGES = 60
"""Lesion images looked at by default."""
_PERTURBED, _RANDOMISED, _PAIRS = 20, 8, 3
"""Of them those perturbed, those shown to shuffled networks; and pairs of trainings compared."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes
    ----------
    most
        Lesion images at most.
    second
        Another training of the same recipe, for repeatability; None: the members of the bundle itself.
    """

    most: int = IMAGES
    seed: int = 0
    second: Predictor | None = None


def measure_maps(
    bundle: Bundle, asked: Asked, whole: Predictor, part: Part, plan: Plan, tell: Tell
) -> dict[str, Any]:
    """Return the block ``explanations`` of metrics.json.

    Parameters
    ----------
    asked
        Whom to ask for a patient: of a fold ensemble the member that never saw her.
    whole
        The bundle itself, whose members tell how repeatable maps are.

    Raises
    ------
    TrainerError
        No map to be tested, no image with a lesion of known place, or a second training that sees otherwise.
    """
    methods: dict[str, Any] = {}
    used: dict[str, Row] = {}
    for method in METHODS:
        if explained(whole, method) is None:
            continue
        cases, rows = _cases(bundle, asked, part, method, plan)
        used |= {row.image_id: row for row in rows}
        maps = [case.network.look(case.pixels[None]).map(0) for case in cases]
        twin = _same_as(method, methods, maps)
        if twin is not None:
            methods[method] = methods[twin] | {"same_as": twin}
            continue
        tell(f"{method}: {len(cases)} images")
        tests = _tests(bundle, whole, cases, rows, maps, method, plan)
        methods[method] = {"tests": tests, "maps": maps}
        results = {name: str(test["result"]) for name, test in tests.items()}
        methods[method]["verdict"] = verdict_of(results)
    if not methods:
        raise TrainerError(f"{bundle.folder}: none of its networks has a heat map that can be tested")
    for content in methods.values():
        content.pop("maps", None)
    return _block(bundle, asked, part, list(used.values()), methods, plan)


def _same_as(method: str, done: Mapping[str, Any], maps: Sequence[Map]) -> str | None:
    """Return a method already measured that draws the same: all do, where the head is linear on a mean."""
    if method == "detector":
        return None
    for name, content in done.items():
        known = content["maps"]
        if len(known) == len(maps) and all(
            np.allclose(one, other, rtol=1e-3, atol=1e-6 * max(1.0, float(one.max())))
            for one, other in zip(known, maps, strict=True)
        ):
            return name
    return None


def _cases(
    bundle: Bundle, asked: Asked, part: Part, method: Method, plan: Plan
) -> tuple[list[Case], list[Row]]:
    target, detector = target_of(bundle, part.rows), method == "detector"
    networks: dict[int, Explained] = {}
    cases: list[Case] = []
    rows: list[Row] = []
    # More are drawn than needed: some are not scored by the bundle.
    for row in sample(part.rows, target, detector=detector, most=4 * plan.most, seed=plan.seed):
        if len(cases) == plan.most:
            break
        predictor = asked.choose(row.patient_id)
        network = networks.get(id(predictor)) or explained(predictor, method)
        if network is None:
            continue
        networks[id(predictor)] = network
        case = make_case(row, bundle.spec, target, network, detector=detector)
        if case is not None:
            cases.append(case)
            rows.append(row)
    if not cases:
        raise TrainerError(
            f"{bundle.name}: no image here has a lesion of known place that the {method} map could point at"
        )
    return cases, rows


def _tests(
    bundle: Bundle,
    whole: Predictor,
    cases: Sequence[Case],
    rows: Sequence[Row],
    maps: Sequence[Map],
    method: Method,
    plan: Plan,
) -> dict[str, Any]:
    blanks = blank_images(read_view(rows[0]), bundle.spec.preprocess)
    networks = list({id(case.network): case.network for case in cases}.values())
    made = measure_places(cases, maps)
    made["randomised"] = measure_randomised(cases[:_RANDOMISED], maps[:_RANDOMISED])
    made |= measure_perturbed(cases[:_PERTURBED], maps[:_PERTURBED])
    made |= measure_turned(cases, maps)
    made["marker"] = measure_marker(cases, maps)
    made["blank"] = measure_blank(networks, blanks, maps)
    made["repeat"] = measure_repeated(_pairs(bundle, whole, method, plan), cases[:_PERTURBED])
    return {name: _plain(made[name]) for name in WORDS}


def _pairs(bundle: Bundle, whole: Predictor, method: Method, plan: Plan) -> list[tuple[Explained, Explained]]:
    """Return pairs of trainings: the bundle and the second one, else neighbours among its members."""
    if plan.second is not None:
        one, other = explained(whole, method), explained(plan.second, method)
        if other is None or plan.second.bundle.spec.preprocess != bundle.spec.preprocess:
            raise TrainerError(
                f"{plan.second.bundle.name}: is no second training of {bundle.name}: it sees otherwise"
            )
        return [] if one is None else [(one, other)]
    parts = members(whole, method)
    return list(pairwise(parts))[:_PAIRS]


def _block(
    bundle: Bundle, asked: Asked, part: Part, rows: Sequence[Row], methods: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    patients = {row.patient_id for row in rows}
    seen = sum(asked.seen(patient) for patient in patients)
    sources = sorted({row.label_source.partition(":")[0] for row in rows})
    where = "all rows of the manifest" if part.fold < 0 else f"the {part.name} part of fold {part.fold}"
    return {
        "rules_version": RULES_VERSION,
        "rules": {one.name: one.sentence for one in RULES},
        "bundle": f"{bundle.name} {bundle.version}",
        "date": datetime.now(UTC).date().isoformat(),
        "data": ", ".join(sources),
        "split": part.split_hash or "all",
        "part": where,
        "n": {"images": len(rows), "patients": len(patients), "in_sample_patients": seen},
        "seed": plan.seed,
        "second": "" if plan.second is None else plan.second.bundle.name,
        "methods": methods,
    }


def _plain(value: Any) -> Any:
    """Return numbers as JSON takes them: rounded, and None for what is not defined."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) or math.isinf(value) else round(value, 6)
    return value
