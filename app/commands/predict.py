"""Ask local models about studies and write their answers as JSON."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands.predict_manifest import predict_manifest
from app.commands.prediction_json import StudyPrediction, write_predictions
from app.core.dicom.finder import find
from app.core.errors import MammoviewError, ReadError
from app.core.imaging.image import Collection
from app.core.settings import load
from app.services.inference import catalogue
from app.services.inference.exam import gather
from app.services.inference.facts import facts_of
from app.services.inference.process import LookRequest, no_predictors, run_look


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
    parser.add_argument(
        "--workers",
        type=int,
        default=0,
        metavar="N",
        help="processes; for a manifest.csv as the only PATH (default: as many as are worth it)",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a dask cluster; for a manifest.csv")


def run(arguments: argparse.Namespace) -> int:
    """Find studies, run each model on each, write. 0 if anything was scored or validly declined."""
    bundles = catalogue.chosen(arguments.model, load().models)
    manifest = Path(arguments.paths[0])
    if len(arguments.paths) == 1 and manifest.suffix.lower() == ".csv":
        if arguments.heatmaps:
            raise MammoviewError(f"{manifest}: heat maps are made of images and folders, not of a manifest")
        return predict_manifest(
            manifest,
            Path(arguments.out),
            bundles,
            arguments.device,
            arguments.workers,
            arguments.scheduler,
        )
    found = find([Path(path) for path in arguments.paths])
    studies = [study for patient in found.patients for study in patient.studies]
    if not studies:
        raise MammoviewError(_nothing(arguments.paths, found))
    heatmaps = Path(arguments.heatmaps) if arguments.heatmaps else None
    predictors = no_predictors()
    wanted = heatmaps is not None
    results = []
    for study in studies:
        views = gather(study.images, specs=[bundle.spec for bundle in bundles])
        requests = [LookRequest(bundle.folder, arguments.device, views, wanted) for bundle in bundles]
        answers = tuple(run_look(request, _silent, predictors) for request in requests)
        results.append(StudyPrediction(study, study.images, answers))
    write_predictions(Path(arguments.out), [facts_of(bundle) for bundle in bundles], results, heatmaps)
    for item in found.left_out:
        print(f"left out: {item.path}: {item.reason}")
    return _summary(results)


def _silent(done: int, total: int) -> None:
    """Take progress that nobody watches."""


def _summary(results: list[StudyPrediction]) -> int:
    """Print notes and counts; `MammoviewError` where every single view failed."""
    everything = [one for result in results for one in result.predictions]
    for note in sorted({note for one in everything for note in one.suitability}):
        print(f"note: {note}")
    seen = [view for one in everything for view in one.views]
    for status in ("scored", "declined", "failed"):
        print(f"{status}: {sum(view.status == status for view in seen)}")
    if all(view.status == "failed" for view in seen):
        path = results[0].images[0].path
        raise MammoviewError(f"{path}: no view could be analysed: {seen[0].reason}")
    return 0


def _nothing(paths: list[str], found: Collection) -> str:
    if len(found.left_out) == 1:
        return str(ReadError(found.left_out[0].path, found.left_out[0].reason))
    return f"{' '.join(paths)}: no readable mammogram found"
