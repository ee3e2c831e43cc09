"""The command line ``mammoview-trainer``: from a folder of images to a bundle with honest numbers.

Exit codes: 0 done, 1 the work could not be done (exactly one line on stderr), 2 usage.
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.core.errors import Cancelled, MammoviewError
from model_zoo.errors import ModelError
from trainer.errors import TrainerError
from trainer.processes import leads

if TYPE_CHECKING:
    from trainer.events import Events

Command = Callable[[argparse.Namespace], None]
_MOST_SAID = 20
"""Sentences of an index that are printed; all of them stand in the file beside the manifest."""


def _say(sentence: str) -> None:
    print(sentence, flush=True)


def _counter(word: str) -> Callable[[int, int], None]:
    """Return a report that draws ``word done/total`` on a terminal and keeps quiet elsewhere."""
    show = sys.stderr.isatty() and leads()

    def report(done: int, total: int) -> None:
        if show:
            end = "\n" if done == total else ""
            print(f"\r{word} {done}/{total}", end=end, file=sys.stderr, flush=True)

    return report


def _index(arguments: argparse.Namespace) -> None:
    from trainer.choose import keep, label_by
    from trainer.datasets import index
    from trainer.manifest import write_manifest, write_notes

    said: list[str] = []
    try:
        rows = index(arguments.dataset, Path(arguments.root), said.append)
        rows = keep(rows, arguments.keep, said.append) if arguments.keep else rows
        rows = label_by(rows, arguments.label, said.append) if arguments.label else rows
    finally:
        for sentence in said[:_MOST_SAID]:
            _say(sentence)
    manifest = write_manifest(rows, Path(arguments.output))
    notes = write_notes(said, manifest.path)
    if len(said) > _MOST_SAID:
        _say(f"... and {len(said) - _MOST_SAID} more, all in {notes}")
    for sentence in manifest.caveats:
        _say(sentence)
    labels = sorted({row.label for row in rows})
    counts = ", ".join(f"{sum(row.label == label for row in rows)} {label}" for label in labels)
    _say(f"{manifest.path}: {len(rows)} images of {len(manifest.patients)} patients ({counts})")


def _phantom(arguments: argparse.Namespace) -> None:
    from trainer.phantoms import make_phantoms, parse_shape

    made = make_phantoms(
        Path(arguments.output),
        arguments.exams,
        arguments.seed,
        parse_shape(arguments.shape),
        lesions=arguments.lesions,
        calc_scale=arguments.calc_scale,
        contrast=arguments.contrast,
        report=_counter("exams"),
    )
    _say(f"{arguments.output}: {len(made)} phantom exams")


def _split(arguments: argparse.Namespace) -> None:
    from trainer.manifest import read_manifest
    from trainer.splits import make_splits, one_class, parse_shares, write_splits

    official: Literal["no", "yes", "strict"] = "yes" if arguments.official else "no"
    if arguments.official_strict:
        official = "strict"
    manifest = read_manifest(Path(arguments.manifest))
    shares = parse_shares(arguments.shares) if arguments.shares else None
    splits = make_splits(
        manifest, folds=arguments.folds, seed=arguments.seed, official=official, shares=shares
    )
    write_splits(splits, Path(arguments.output))
    for sentence in (*manifest.caveats, one_class(manifest)):
        if sentence:
            _say(sentence)
    sizes = "; ".join(f"{len(fold.train)}/{len(fold.val)}/{len(fold.test)}" for fold in splits.folds)
    _say(f"{arguments.output}: patients to train/tune/test {sizes}; hash {splits.hash[:16]}")


def _audit(arguments: argparse.Namespace) -> None:
    from trainer.audit.page import write_page
    from trainer.audit.run import check, look_over, write_audit
    from trainer.manifest import read_manifest
    from trainer.splits import check_splits, read_splits

    splits = read_splits(Path(arguments.splits), check=False) if arguments.splits else None
    manifest = read_manifest(Path(arguments.manifest))
    looked = look_over(manifest, splits, report=_counter("images"), workers=arguments.workers)
    found, folder = looked.audit, Path(arguments.output)
    write_audit(found, folder)
    write_page(looked, manifest, folder)
    check(found, manifest.path, divided=splits is not None, strict=arguments.strict)
    if splits is not None:
        check_splits(splits, Path(arguments.splits))
    for sentence in (*found.caveats, *found.warnings):
        _say(sentence)
    counts = {"unreadable files": found.unreadable, "groups of identical pictures": found.twins,
              "contradicting labels": found.conflicts, "doubtful pictures": found.junk,
              "doubtful sides": found.sides}  # fmt: skip
    said = [f"{len(listed)} {what}" for what, listed in counts.items() if listed]
    said += [f"{found.alike_total} perceptual twins"] if found.alike_total else []
    _say(f"{folder / 'index.html'}: {found.images} images; {', '.join(said) or 'nothing to complain of'}")
    if splits is not None:
        _say("no patient and no identical picture in two parts")


def _cache(arguments: argparse.Namespace) -> None:
    from trainer.cache import cache_folder, fill
    from trainer.manifest import read_manifest
    from trainer.recipe import read_recipe

    recipe = read_recipe(arguments.recipe, arguments.set)
    manifest = read_manifest(Path(arguments.manifest))
    fill(
        manifest.rows,
        recipe.preprocess,
        _counter("prepared"),
        scheduler=arguments.scheduler,
        workers=arguments.workers,
    )
    _say(f"{cache_folder()}: {len(manifest.rows)} images prepared for {recipe.name}")


def _workers(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of processes")
    return int(text)


def _fold(text: str) -> int:
    if text == "all":
        return -1
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number nor 'all'")
    return int(text)


def _fit(arguments: argparse.Namespace) -> None:
    from trainer import leakage_demo
    from trainer.events import Events

    if leakage_demo.is_demo(arguments.recipe, arguments.set):
        return _demonstrate(arguments)
    events = Events(Path(arguments.events) if arguments.events else None)
    with events.failures():
        folder = _trained(arguments, events)
    if leads():
        _say(f"{folder}: trained")


def _demonstrate(arguments: argparse.Namespace) -> None:
    from trainer import leakage_demo
    from trainer.manifest import read_manifest

    if arguments.splits:
        raise TrainerError("mias-leakage-demo divides the films itself, in two ways; it takes no --splits")
    manifest = read_manifest(Path(arguments.manifest))
    leakage_demo.run_demo(arguments.recipe, arguments.set, manifest, Path(arguments.output), _say)


def _trained(arguments: argparse.Namespace, events: Events) -> Path:
    from trainer.descriptors import commands
    from trainer.recipe import read_recipe

    if commands.takes_tables(arguments.recipe, arguments.set):
        if arguments.sweep:
            raise TrainerError("--sweep: a recipe of descriptors tries its settings by itself")
        return commands.fit(arguments, _say, events)
    if arguments.sweep:
        return _swept(arguments, events)
    recipe = read_recipe(arguments.recipe, arguments.set)
    from trainer.fit import Machine, fit, quiet
    from trainer.manifest import read_manifest
    from trainer.splits import read_splits

    quiet(None)
    manifest = read_manifest(Path(arguments.manifest).resolve())
    splits_path = Path(arguments.splits).resolve()
    return fit(
        recipe,
        manifest,
        read_splits(splits_path),
        splits_path,
        Path(arguments.output),
        fold=arguments.fold,
        seed=arguments.seed,
        machine=Machine(arguments.device, arguments.devices, arguments.nodes),
        resume=arguments.resume,
        events=events,
        report=_counter("prepared"),
    )


def _swept(arguments: argparse.Namespace, events: Events) -> Path:
    from trainer.recipe import read_recipe
    from trainer.sweep import sweep, trials

    def train(changes: tuple[str, ...], folder: Path) -> Path:
        # Attributes of a run of its own: the same command with these changes and without --sweep.
        own = {"sweep": [], "set": [*arguments.set, *changes], "output": str(folder)}
        return _trained(argparse.Namespace(**{**vars(arguments), **own}), events)

    if arguments.devices * arguments.nodes > 1:
        raise TrainerError("--sweep: each of its runs trains in one process; leave --devices and --nodes out")
    for trial in trials(arguments.sweep):
        read_recipe(arguments.recipe, [*arguments.set, *trial.changes])
    return sweep(arguments.sweep, Path(arguments.output), train, _say, resume=arguments.resume)


def _need_no_splits(arguments: argparse.Namespace) -> None:
    """End as argparse does where --splits is missing, unless the recipe is of descriptors."""
    from trainer.descriptors import commands
    from trainer.leakage_demo import is_demo

    if not commands.takes_tables(arguments.recipe, ()) and not is_demo(arguments.recipe):
        parser().error("fit: the following arguments are required: --splits")


def _export(arguments: argparse.Namespace) -> None:
    from trainer.descriptors import commands

    if commands.export(arguments, _say):
        return
    from trainer.export import export
    from trainer.fit import quiet

    quiet(None)
    bundle = export([Path(run) for run in arguments.runs], Path(arguments.output), _say)
    entry = bundle.metrics["metrics"]["auc.image"]
    _say(f"{bundle.folder}: {bundle.name} {bundle.version}, {_sentence('auc.image', entry)}")
    if entry["low"] is not None and entry["low"] <= 0.5:
        _say("The interval reaches 0.5: this model is not shown to be better than chance.")


def _sentence(name: str, entry: dict[str, object]) -> str:
    if entry["value"] is None:
        return f"{name} undefined ({entry['n']} {entry['unit']}s)"
    interval = "no interval" if entry["low"] is None else f"{entry['low']:.3f} to {entry['high']:.3f}"
    return f"{name} {entry['value']:.3f} [{interval}], n = {entry['n']}"


def _evaluate(arguments: argparse.Namespace) -> None:
    from trainer.descriptors import commands

    if commands.evaluate(arguments, _say):
        return
    from trainer.assess import assess
    from trainer.fit import quiet
    from trainer.manifest import read_manifest
    from trainer.splits import all_rows, part_of, read_splits

    quiet(None)
    manifest = read_manifest(Path(arguments.manifest))
    part = all_rows(manifest)
    if arguments.splits:
        part = part_of(manifest, read_splits(Path(arguments.splits)), arguments.fold, arguments.part)
    metrics = assess(arguments.bundle, part, Path(arguments.output), arguments.device, _counter("studies"))
    _say(metrics["protocol"])
    for name, entry in metrics["metrics"].items():
        _say(_sentence(name, entry))


def _compare(arguments: argparse.Namespace) -> None:
    from trainer.compare import compare
    from trainer.fit import quiet
    from trainer.manifest import read_manifest
    from trainer.splits import all_rows, part_of, read_splits

    quiet(None)
    manifest = read_manifest(Path(arguments.manifest))
    part = all_rows(manifest)
    if arguments.splits:
        part = part_of(manifest, read_splits(Path(arguments.splits)), arguments.fold, arguments.part)
    names = (arguments.bundle_a, arguments.bundle_b)
    found = compare(names, part, Path(arguments.output), arguments.device, _counter("studies"))
    for sentence in (*found["notes"], *found["sentences"]):
        _say(sentence)


def _features(arguments: argparse.Namespace) -> None:
    from trainer.evaluate import find_bundle, models_folder
    from trainer.features import feature_maps, write_features
    from trainer.manifest import read_manifest
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
        _say(sentence)


def _classes(arguments: argparse.Namespace) -> None:
    from trainer.fit import quiet
    from trainer.measure_classes import measure_classes

    quiet(None)
    made = measure_classes([Path(run) for run in arguments.runs], Path(arguments.output), _say)
    _say(made["protocol"])
    for name, entry in made["metrics"].items():
        _say(f"{_sentence(name, entry)}, baseline {entry['baseline']}")


def _to_png(arguments: argparse.Namespace) -> None:
    from trainer.manifest import read_manifest
    from trainer.to_png import to_png

    manifest = read_manifest(Path(arguments.manifest))
    made = to_png(manifest, Path(arguments.output), _say, _counter("images"), crops=arguments.crops)
    what = "lesions" if arguments.crops else "images"
    _say(f"{made.path}: {len(made.rows)} {what} of {len(manifest.rows)} images as 16-bit PNG")


def _import_weights(arguments: argparse.Namespace) -> None:
    from trainer.weights import LICENCE, import_weights

    trunk = import_weights(Path(arguments.file), Path(arguments.output))
    _say(f"{arguments.output}: {trunk} for one channel; a bundle that starts from it is {LICENCE}")


def _data_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    index = commands.add_parser("index", help="write the manifest of a data set")
    index.add_argument(
        "dataset",
        metavar="DATASET",
        help="mias cbis cbis-mass cdd-cesm ddsm-tiles rsna inbreast vindr cmmd folder csv coco phantom",
    )
    index.add_argument(
        "root", metavar="ROOT", help="folder that holds it; of csv and coco also the table itself"
    )
    index.add_argument("--keep", action="append", default=[], metavar="column=value,value")
    index.add_argument("--label", metavar="NAME", help="label by density or by a descriptor instead")
    index.add_argument("-o", "--output", required=True, metavar="manifest.csv")
    index.set_defaults(run=_index)
    phantom = commands.add_parser("phantom", help="make synthetic exams to train on")
    phantom.add_argument("-o", "--output", required=True, metavar="DIR")
    phantom.add_argument("--exams", type=int, required=True, metavar="N")
    phantom.add_argument("--seed", type=int, default=0, metavar="S")
    phantom.add_argument("--shape", default="1280x1024", metavar="RxC")
    phantom.add_argument(
        "--lesions", default="mixed", choices=("mixed", "none", "mass", "calc", "asymmetry", "any")
    )
    phantom.add_argument("--calc-scale", type=float, default=1.0, metavar="F", help="enlarge calcifications")
    phantom.add_argument("--contrast", type=float, default=1.0, metavar="F", help="strengthen lesions")
    phantom.set_defaults(run=_phantom)
    split = commands.add_parser("split", help="divide the patients")
    split.add_argument("manifest", metavar="manifest.csv")
    split.add_argument("-o", "--output", required=True, metavar="splits.json")
    official = split.add_mutually_exclusive_group()
    official.add_argument("--official", action="store_true")
    official.add_argument("--official-strict", action="store_true")
    split.add_argument("--folds", type=int, metavar="K")
    split.add_argument("--shares", metavar="T,V,E", help="per cent to train, tune and test: 70,20,10")
    split.add_argument("--seed", type=int, default=0, metavar="S")
    split.set_defaults(run=_split)
    audit = commands.add_parser("audit", help="look for patients and pictures in two parts")
    audit.add_argument("manifest", metavar="manifest.csv")
    audit.add_argument("--splits", metavar="splits.json")
    audit.add_argument("--strict", action="store_true", help="perceptual twins in two parts are exit 1 too")
    audit.add_argument("--workers", type=_workers, metavar="N", help="processes; by default as many as cores")
    audit.add_argument("-o", "--output", required=True, metavar="report/")
    audit.set_defaults(run=_audit)
    cache = commands.add_parser("cache", help="prepare all images ahead of a training")
    cache.add_argument("manifest", metavar="manifest.csv")
    cache.add_argument("--recipe", required=True)
    cache.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster: tcp://host:port")
    cache.add_argument("--workers", type=_workers, metavar="N", help="processes; by default as many as cores")
    cache.add_argument("--set", action="append", default=[], metavar="key=value")
    cache.set_defaults(run=_cache)


def _model_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fit = commands.add_parser("fit", help="train")
    fit.add_argument("recipe", metavar="RECIPE", help="name or .toml file")
    fit.add_argument(
        "--manifest", required=True, metavar="manifest.csv", help="for descriptors: the folder of the tables"
    )
    fit.add_argument("--splits", metavar="splits.json", help="needed by all recipes but those of descriptors")
    fit.add_argument("-o", "--output", required=True, metavar="runs/NAME")
    fit.add_argument(
        "--fold",
        type=_fold,
        default=0,
        metavar="I",
        help="0-based; 'all': a refit on every patient, but for official test patients",
    )
    fit.add_argument("--seed", type=int, default=0, metavar="S")
    fit.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), metavar="D")
    fit.add_argument("--devices", type=int, default=1, metavar="N")
    fit.add_argument("--nodes", type=int, default=1, metavar="N")
    fit.add_argument("--resume", action="store_true")
    fit.add_argument("--set", action="extend", nargs="+", default=[], metavar="key=value")
    fit.add_argument("--sweep", action="extend", nargs="+", default=[], metavar="key=v1,v2")
    fit.add_argument("--events", metavar="FILE")
    fit.set_defaults(run=_fit)
    export = commands.add_parser("export", help="make a bundle of one or more runs")
    export.add_argument("runs", nargs="+", metavar="runs/NAME")
    export.add_argument("-o", "--output", required=True, metavar="bundles/")
    export.set_defaults(run=_export)
    evaluate = commands.add_parser("evaluate", help="measure a bundle through the workstation's own path")
    evaluate.add_argument("bundle", metavar="BUNDLE", help="name or folder")
    evaluate.add_argument("--manifest", required=True, metavar="manifest.csv")
    evaluate.add_argument("--splits", metavar="splits.json")
    evaluate.add_argument("--part", default="test", choices=("train", "val", "test"))
    evaluate.add_argument("--fold", type=int, default=0, metavar="I")
    evaluate.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), metavar="D")
    evaluate.add_argument("-o", "--output", required=True, metavar="report/")
    evaluate.set_defaults(run=_evaluate)
    compare = commands.add_parser("compare", help="two bundles on the same patients")
    compare.add_argument("bundle_a", metavar="BUNDLE_A", help="name or folder")
    compare.add_argument("bundle_b", metavar="BUNDLE_B", help="name or folder")
    compare.add_argument("--manifest", required=True, metavar="manifest.csv")
    compare.add_argument("--splits", metavar="splits.json")
    compare.add_argument("--part", default="test", choices=("train", "val", "test"))
    compare.add_argument("--fold", type=int, default=0, metavar="I")
    compare.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), metavar="D")
    compare.add_argument("-o", "--output", required=True, metavar="report/")
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
    weights = commands.add_parser("import-weights", help="make official .pth weights a start for recipes")
    weights.add_argument("file", metavar="FILE.pth")
    weights.add_argument("-o", "--output", required=True, metavar="FILE.safetensors")
    weights.set_defaults(run=_import_weights)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = argparse.ArgumentParser(prog="mammoview-trainer", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _data_arguments(commands)
    _model_arguments(commands)
    return made


def _fail(sentence: str) -> int:
    line = f"mammoview-trainer: {' '.join(sentence.split())}"
    if leads():
        print(line, file=sys.stderr)
    else:
        # Several processes mostly fail for one reason: the leader says it, trainer.log holds the rest.
        logging.getLogger("trainer").error(line)
    return 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    multiprocessing.freeze_support()
    warnings.simplefilter("ignore")
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    # Warns as soon as it is imported where triton is missing, as in a frozen build.
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)
    try:
        arguments = parser().parse_args(argv)
        if arguments.command == "fit" and not arguments.splits:
            _need_no_splits(arguments)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    try:
        arguments.run(arguments)
    except (MammoviewError, ModelError) as error:
        return _fail(str(error))
    except Cancelled:
        return _fail(f"{arguments.command}: cancelled")
    except KeyboardInterrupt:
        return _fail(f"{arguments.command}: interrupted")
    except OSError as error:
        return _fail(f"{error.filename or arguments.command}: {error.strerror or error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
