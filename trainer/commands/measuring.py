"""Commands that look at what was made: evaluate, compare, features, classes, to-png."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands import explaining
from trainer.commands.speaking import counter, metric_sentence, say
from trainer.errors import TrainerError


def _evaluate(arguments: argparse.Namespace) -> None:
    from trainer.descriptors import commands

    if commands.evaluate(arguments, say):
        return
    from app.core.manifest import read_manifest
    from trainer.assess import assess
    from trainer.fit import quiet
    from trainer.other_data import Wish
    from trainer.splits import all_rows, part_of, read_splits

    quiet(None)
    manifest = read_manifest(Path(arguments.manifest))
    part = all_rows(manifest)
    if arguments.splits:
        part = part_of(manifest, read_splits(Path(arguments.splits)), arguments.fold, arguments.part)
    wish = Wish(arguments.record.strip(), manifest.sha256, arguments.outside_domain)
    metrics = assess(
        arguments.bundle, part, Path(arguments.output), arguments.device, counter("studies"), wish
    )
    say(metrics["protocol"])
    for name, entry in metrics["metrics"].items():
        say(metric_sentence(name, entry))
    if wish.sentence:
        say(f"{arguments.bundle}: on record as other data, {wish.name}")
    if arguments.explain:
        from trainer.honesty.store import add_to_report

        add_to_report(Path(arguments.output), explaining.run_tests(arguments))


def _compare(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.compare import compare
    from trainer.fit import quiet
    from trainer.splits import all_rows, part_of, read_splits

    quiet(None)
    manifest = read_manifest(Path(arguments.manifest))
    part = all_rows(manifest)
    if arguments.splits:
        part = part_of(manifest, read_splits(Path(arguments.splits)), arguments.fold, arguments.part)
    names = (arguments.bundle_a, arguments.bundle_b)
    found = compare(names, part, Path(arguments.output), arguments.device, counter("studies"))
    for sentence in (*found["notes"], *found["sentences"]):
        say(sentence)


def _features(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.evaluate import find_bundle, models_folder
    from trainer.features import feature_maps, write_features
    from trainer.views import read_file, read_view

    bundle = find_bundle(arguments.bundle, [models_folder()])
    if arguments.manifest:
        rows = {row.image_id: row for row in read_manifest(Path(arguments.manifest)).rows}
        if arguments.image not in rows:
            raise TrainerError(f"{arguments.manifest}: holds no image {arguments.image}")
        view = read_view(rows[arguments.image])
    else:
        view = read_file(Path(arguments.image))
    for sentence in write_features(feature_maps(bundle, view, arguments.layer), Path(arguments.output)):
        say(sentence)


def _classes(arguments: argparse.Namespace) -> None:
    from trainer.fit import quiet
    from trainer.measure_classes import measure_classes

    quiet(None)
    made = measure_classes([Path(run) for run in arguments.runs], Path(arguments.output), say)
    say(made["protocol"])
    for name, entry in made["metrics"].items():
        say(f"{metric_sentence(name, entry)}, baseline {entry['baseline']}")


def _to_png(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.to_png import to_png

    manifest = read_manifest(Path(arguments.manifest))
    made = to_png(manifest, Path(arguments.output), say, counter("images"), crops=arguments.crops)
    what = "lesions" if arguments.crops else "images"
    say(f"{made.path}: {len(made.rows)} {what} of {len(manifest.rows)} images as 16-bit PNG")


def _measured_part(parser: argparse.ArgumentParser) -> None:
    """Declare which images a measurement is of, where it runs, and where its report goes."""
    parser.add_argument("--manifest", required=True, metavar="manifest.csv")
    parser.add_argument("--splits", metavar="splits.json")
    parser.add_argument("--part", default="test", choices=("train", "val", "test"))
    parser.add_argument("--fold", type=int, default=0, metavar="I")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), metavar="D")
    parser.add_argument("-o", "--output", required=True, metavar="report/")


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare evaluate, compare, features, classes and to-png."""
    evaluate = commands.add_parser("evaluate", help="measure a bundle through the workstation's own path")
    evaluate.add_argument("bundle", metavar="BUNDLE", help="name or folder")
    _measured_part(evaluate)
    evaluate.add_argument(
        "--explain", action="store_true", help="also test its heat maps, and store that in it"
    )
    evaluate.add_argument(
        "--record",
        default="",
        metavar="SENTENCE",
        help="what this data is, its name first: write the numbers into the bundle and its card",
    )
    evaluate.add_argument(
        "--outside-domain",
        action="store_true",
        help="also measure images outside its training domain, which the workstation declines",
    )
    explaining.add_sample(evaluate)
    evaluate.set_defaults(run=_evaluate)
    compare = commands.add_parser("compare", help="two bundles on the same patients")
    compare.add_argument("bundle_a", metavar="BUNDLE_A", help="name or folder")
    compare.add_argument("bundle_b", metavar="BUNDLE_B", help="name or folder")
    _measured_part(compare)
    compare.set_defaults(run=_compare)
    features = commands.add_parser("features", help="a network's maps of an image, as a picture")
    features.add_argument("bundle", metavar="BUNDLE", help="name or folder")
    features.add_argument("image", metavar="IMAGE", help="a file; with --manifest an image id")
    features.add_argument("--manifest", metavar="manifest.csv")
    features.add_argument("--layer", type=int, default=0, metavar="N", help="convolution, 0: the last")
    features.add_argument("-o", "--output", required=True, metavar="out.png")
    features.set_defaults(run=_features)
    classes = commands.add_parser("classes", help="measure a recipe's classes, and tiles, on test parts")
    classes.add_argument("runs", nargs="+", metavar="runs/NAME")
    classes.add_argument("-o", "--output", required=True, metavar="classes.json")
    classes.set_defaults(run=_classes)
    to_png = commands.add_parser("to-png", help="write a manifest's images as 16-bit PNG")
    to_png.add_argument("manifest", metavar="manifest.csv")
    to_png.add_argument("--crops", type=float, metavar="F", help="each lesion alone, F times its box")
    to_png.add_argument("-o", "--output", required=True, metavar="DIR")
    to_png.set_defaults(run=_to_png)
