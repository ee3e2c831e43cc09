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
        help="repeatable; default: the settings' reading set",
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
    heatmaps = Path(arguments.heatmaps) if arguments.heatmaps else None
    predictors: dict[tuple[Path, str], Any] = {}
    wanted = heatmaps is not None
    results = [
        StudyPrediction(
            study,
            study.images,
            tuple(
                predict_study(bundle, study.images, arguments.device, predictors, heatmaps=wanted)
                for bundle in bundles
            ),
        )
        for study in studies
    ]
    write_predictions(Path(arguments.out), [facts_of(bundle) for bundle in bundles], results, heatmaps)
    answers = [one for result in results for one in result.predictions]
    for note in sorted({note for answer in answers for note in answer.suitability}):
        print(f"note: {note}")
    views = [view for answer in answers for view in answer.views]
    for status in ("scored", "declined", "failed"):
        print(f"{status}: {sum(view.status == status for view in views)}")
    if views and all(view.status == "failed" for view in views):
        raise MammoviewError(f"{views[0].uid}: no view could be analysed: {views[0].reason}")
    return 0


def _nothing(paths: list[str], found: Collection) -> str:
    if len(found.left_out) == 1:
        return str(ReadError(found.left_out[0].path, found.left_out[0].reason))
    return f"{' '.join(paths)}: no readable mammogram found"
