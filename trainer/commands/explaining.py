"""Commands on what a model looks at: explain tests its heat maps, embed indexes what it was trained on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainer.commands.speaking import counter, say

IMAGES = 60


def run_tests(arguments: argparse.Namespace) -> dict[str, Any]:
    """Test the heat maps of the bundle named, say one line per method, store them; return the block."""
    from app.core.manifest import read_manifest
    from trainer.fit import quiet
    from trainer.honesty.command import explain_bundle
    from trainer.splits import all_rows, part_of, read_splits

    quiet(None)
    manifest = read_manifest(Path(arguments.manifest))
    part = all_rows(manifest)
    if arguments.splits:
        part = part_of(manifest, read_splits(Path(arguments.splits)), arguments.fold, arguments.part)
    bundle, block = explain_bundle(
        arguments.bundle,
        part,
        arguments.device,
        say,
        most=arguments.explain_images,
        seed=arguments.explain_seed,
        second=arguments.second,
    )
    say(f"{bundle.folder}: the results are in metrics.json and MODEL_CARD.md")
    return block


def _explain(arguments: argparse.Namespace) -> None:
    run_tests(arguments)


def _embed(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.embed import embed_bundle
    from trainer.evaluate import find_bundle, models_folder
    from trainer.fit import quiet

    quiet(None)
    bundle = find_bundle(arguments.bundle, [models_folder()])
    rows = read_manifest(Path(arguments.manifest)).rows
    made, places = embed_bundle(bundle, rows, counter("images"), trained_only=not arguments.all)
    say(f"{made.folder}: an index of {places} places; it holds vectors and marks of image ids, no pixels")


def add_sample(parser: argparse.ArgumentParser) -> None:
    """Declare which images heat maps are tested on, and what repeats them."""
    parser.add_argument("--explain-images", type=_count, default=IMAGES, metavar="N", help="lesion images")
    parser.add_argument("--explain-seed", type=int, default=0, metavar="S", help="of the sample")
    parser.add_argument(
        "--second", default="", metavar="BUNDLE", help="another training, for repeatability of heat maps"
    )


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of images")
    return int(text)


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare explain and embed."""
    explain = commands.add_parser("explain", help="test a bundle's heat maps, store the results in it")
    explain.add_argument("bundle", metavar="BUNDLE", help="name or folder")
    explain.add_argument("--manifest", required=True, metavar="manifest.csv")
    explain.add_argument("--splits", metavar="splits.json")
    explain.add_argument("--part", default="test", choices=("train", "val", "test"))
    explain.add_argument("--fold", type=int, default=0, metavar="I")
    explain.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), metavar="D")
    add_sample(explain)
    explain.set_defaults(run=_explain)
    embed = commands.add_parser("embed", help="index a bundle's training images by what it makes of them")
    embed.add_argument("bundle", metavar="BUNDLE", help="name or folder")
    embed.add_argument("--manifest", required=True, metavar="manifest.csv")
    embed.add_argument("--all", action="store_true", help="images that did not train it too")
    embed.set_defaults(run=_embed)
