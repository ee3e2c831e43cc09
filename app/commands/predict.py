"""Ask local models about studies and write their answers as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.commands.prediction_json import StudyPrediction, write_predictions
from app.core.dicom.finder import find
from app.core.errors import MammoviewError, ReadError
from app.core.imaging.image import Collection
from app.core.settings import load
from app.services.inference import catalogue
from app.services.inference.exam import predict_study
from app.services.inference.facts import facts_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of DESIGN.md's ``predict``."""
    parser.add_argument("paths", metavar="PATH", nargs="+")
    parser.add_argument("-o", dest="out", metavar="OUT.JSON", required=True)
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="repeatable; default: the reading set of the settings",
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--heatmaps", metavar="DIR")


def run(arguments: argparse.Namespace) -> int:
    """Find studies, run each model on each, write. 0 if anything was scored or validly declined."""
    bundles = catalogue.chosen(arguments.model, load().models)
    found = find([Path(path) for path in arguments.paths])
    studies = [study for patient in found.patients for study in patient.studies]
    if not studies:
        raise MammoviewError(_nothing(arguments.paths, found))
    predictors: dict[Any, Any] = {}
    results = []
    for study in studies:
        predictions = [
            predict_study(
                bundle, study.images, arguments.device, predictors, heatmaps=bool(arguments.heatmaps)
            )
            for bundle in bundles
        ]
        results.append(StudyPrediction(study, study.images, tuple(predictions)))
    heatmaps = Path(arguments.heatmaps) if arguments.heatmaps else None
    write_predictions(Path(arguments.out), [facts_of(bundle) for bundle in bundles], results, heatmaps)
    for note in sorted(
        {note for result in results for one in result.predictions for note in one.suitability}
    ):
        print(f"note: {note}")
    views = [view for result in results for one in result.predictions for view in one.views]
    for status in ("scored", "declined", "failed"):
        print(f"{status}: {sum(view.status == status for view in views)}")
    if views and all(view.status == "failed" for view in views):
        raise MammoviewError(f"{views[0].uid}: no view could be analysed: {views[0].reason}")
    return 0


def _nothing(paths: list[str], found: Collection) -> str:
    if len(found.left_out) == 1:
        return str(ReadError(found.left_out[0].path, found.left_out[0].reason))
    return f"{' '.join(paths)}: no readable mammogram found"
