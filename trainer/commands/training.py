"""Commands of a training: fit, join, export, import-weights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.speaking import counter, metric_sentence, say
from trainer.errors import TrainerError
from trainer.processes import end_like_control_c, leads

if TYPE_CHECKING:
    from trainer.events import Events


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
    end_like_control_c()
    events = Events(Path(arguments.events) if arguments.events else None)
    with events.failures():
        folder = _trained(arguments, events)
    if leads():
        say(f"{folder}: trained")


def _demonstrate(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer import leakage_demo

    if arguments.splits:
        raise TrainerError("mias-leakage-demo divides the films itself, in two ways; it takes no --splits")
    manifest = read_manifest(Path(arguments.manifest))
    leakage_demo.run_demo(arguments.recipe, arguments.set, manifest, Path(arguments.output), say)


def _trained(arguments: argparse.Namespace, events: Events) -> Path:
    from trainer.descriptors import commands
    from trainer.recipe import read_recipe

    if commands.takes_tables(arguments.recipe, arguments.set):
        if arguments.sweep:
            raise TrainerError("--sweep: a recipe of descriptors tries its settings by itself")
        return commands.fit(arguments, say, events)
    if arguments.sweep:
        return _swept(arguments, events)
    recipe = read_recipe(arguments.recipe, arguments.set)
    from app.core.manifest import read_manifest
    from trainer.engine import Machine
    from trainer.fit import fit, quiet
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
        report=counter("prepared"),
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
    return sweep(arguments.sweep, Path(arguments.output), train, say, resume=arguments.resume)


def _export(arguments: argparse.Namespace) -> None:
    from trainer.descriptors import commands

    if commands.export(arguments, say):
        return
    from trainer.export import export
    from trainer.fit import quiet

    quiet(None)
    bundle = export([Path(run) for run in arguments.runs], Path(arguments.output), say, arguments.set)
    entry = bundle.metrics["metrics"]["auc.image"]
    say(f"{bundle.folder}: {bundle.name} {bundle.version}, {metric_sentence('auc.image', entry)}")
    if entry["low"] is not None and entry["low"] <= 0.5:
        say("The interval reaches 0.5: this model is not shown to be better than chance.")


def _join(arguments: argparse.Namespace) -> None:
    from trainer.fit import quiet
    from trainer.join import join

    quiet(None)
    coarse, fine = ([Path(run) for run in runs] for runs in (arguments.runs, arguments.fine))
    folders = join(coarse, fine, Path(arguments.output), say, share=arguments.share, changes=arguments.set)
    say(f"{arguments.output}: {len(folders)} runs, to be exported together")


def _import_weights(arguments: argparse.Namespace) -> None:
    from trainer.weights import LICENCE, import_weights

    trunk = import_weights(Path(arguments.file), Path(arguments.output))
    say(f"{arguments.output}: {trunk} for one channel; a bundle that starts from it is {LICENCE}")


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare fit, join, export and import-weights."""
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
    join = commands.add_parser("join", help="make one detector of a coarse and a fine one")
    join.add_argument("runs", nargs="+", metavar="runs/COARSE")
    join.add_argument("--fine", nargs="+", required=True, metavar="runs/FINE")
    join.add_argument("-o", "--output", required=True, metavar="runs/NAME")
    join.add_argument(
        "--share",
        type=float,
        default=0.25,
        metavar="S",
        help="false boxes of the fine one per false box of the coarse one",
    )
    join.add_argument("--set", action="extend", nargs="+", default=[], metavar="key=value")
    join.set_defaults(run=_join)
    export = commands.add_parser("export", help="make a bundle of one or more runs")
    export.add_argument("runs", nargs="+", metavar="runs/NAME")
    export.add_argument("-o", "--output", required=True, metavar="bundles/")
    export.add_argument(
        "--set",
        action="extend",
        nargs="+",
        default=[],
        metavar="key=value",
        help="what needs no new training: mirrored=true, version, false_boxes, specificity, detection.*",
    )
    export.set_defaults(run=_export)
    weights = commands.add_parser("import-weights", help="make official .pth weights a start for recipes")
    weights.add_argument("file", metavar="FILE.pth")
    weights.add_argument("-o", "--output", required=True, metavar="FILE.safetensors")
    weights.set_defaults(run=_import_weights)
