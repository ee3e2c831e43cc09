"""Commands before a training: index, phantom, split, audit, cache."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Literal

from trainer.commands.curation import add_index_arguments, index_curated
from trainer.commands.speaking import counter, say, workers

_MOST_SAID = 20
"""Sentences of an index that are printed; all of them stand in the file beside the manifest."""


def _index(arguments: argparse.Namespace) -> None:
    if arguments.dataset == "curated":
        index_curated(arguments)
        return
    from app.core.manifest import write_manifest, write_notes
    from trainer.choose import keep, label_by
    from trainer.datasets import index

    said: list[str] = []
    try:
        rows = index(arguments.dataset, Path(arguments.root), said.append)
        rows = keep(rows, arguments.keep, said.append) if arguments.keep else rows
        rows = label_by(rows, arguments.label, said.append) if arguments.label else rows
    finally:
        for sentence in said[:_MOST_SAID]:
            say(sentence)
    manifest = write_manifest(rows, Path(arguments.output))
    notes = write_notes(said, manifest.path)
    if len(said) > _MOST_SAID:
        say(f"... and {len(said) - _MOST_SAID} more, all in {notes}")
    for sentence in manifest.caveats:
        say(sentence)
    labels = sorted({row.label for row in rows})
    counts = ", ".join(f"{sum(row.label == label for row in rows)} {label}" for label in labels)
    say(f"{manifest.path}: {len(rows)} images of {len(manifest.patients)} patients ({counts})")


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
        report=counter("exams"),
    )
    say(f"{arguments.output}: {len(made)} phantom exams")


def _split(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.errors import TrainerError
    from trainer.splits import (
        found_of,
        make_splits,
        one_class,
        parse_shares,
        read_splits,
        splits_like,
        write_splits,
    )

    official: Literal["no", "yes", "strict"] = "yes" if arguments.official else "no"
    if arguments.official_strict:
        official = "strict"
    manifest = read_manifest(Path(arguments.manifest))
    shares = parse_shares(arguments.shares) if arguments.shares else None
    if arguments.like:
        if arguments.folds or shares or official != "no":
            raise TrainerError("--like: goes with neither --folds, --shares nor official parts")
        known = read_splits(Path(arguments.like))
        splits = splits_like(manifest, known, arguments.fold, arguments.seed)
        say(found_of(manifest, known, arguments.fold))
    else:
        splits = make_splits(
            manifest, folds=arguments.folds, seed=arguments.seed, official=official, shares=shares
        )
    write_splits(splits, Path(arguments.output))
    for sentence in (*manifest.caveats, one_class(manifest)):
        if sentence:
            say(sentence)
    sizes = "; ".join(f"{len(fold.train)}/{len(fold.val)}/{len(fold.test)}" for fold in splits.folds)
    say(f"{arguments.output}: patients to train/tune/test {sizes}; hash {splits.hash[:16]}")


def _audit(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.audit.page import write_page
    from trainer.audit.run import check, look_over, write_audit
    from trainer.splits import check_splits, read_splits

    splits = read_splits(Path(arguments.splits), check=False) if arguments.splits else None
    manifest = read_manifest(Path(arguments.manifest))
    looked = look_over(manifest, splits, report=counter("images"), workers=arguments.workers)
    found, folder = looked.audit, Path(arguments.output)
    write_audit(found, folder)
    write_page(looked, manifest, folder)
    check(found, manifest.path, divided=splits is not None, strict=arguments.strict)
    if splits is not None:
        check_splits(splits, Path(arguments.splits))
    for sentence in (*found.caveats, *found.warnings):
        say(sentence)
    counts = {"unreadable files": found.unreadable, "groups of identical pictures": found.twins,
              "contradicting labels": found.conflicts, "doubtful pictures": found.junk,
              "doubtful sides": found.sides}  # fmt: skip
    said = [f"{len(listed)} {what}" for what, listed in counts.items() if listed]
    said += [f"{found.alike_total} perceptual twins"] if found.alike_total else []
    say(f"{folder / 'index.html'}: {found.images} images; {', '.join(said) or 'nothing to complain of'}")
    if splits is not None:
        say("no patient and no identical picture in two parts")


def _cache(arguments: argparse.Namespace) -> None:
    from app.core.manifest import read_manifest
    from trainer.cache import cache_folder, fill
    from trainer.recipe import read_recipe

    recipe = read_recipe(arguments.recipe, arguments.set)
    manifest = read_manifest(Path(arguments.manifest))
    fill(
        manifest.rows,
        recipe.preprocess,
        counter("prepared"),
        scheduler=arguments.scheduler,
        workers=arguments.workers,
    )
    say(f"{cache_folder()}: {len(manifest.rows)} images prepared for {recipe.name}")


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare index, phantom, split, audit and cache."""
    index = commands.add_parser("index", help="write the manifest of a data set")
    index.add_argument(
        "dataset",
        metavar="DATASET",
        help="mias cbis cbis-mass cdd-cesm ddsm-tiles rsna inbreast vindr cmmd folder csv coco phantom"
        " curated",
    )
    index.add_argument(
        "root", metavar="ROOT", help="folder that holds it; of csv and coco also the table itself"
    )
    index.add_argument("--keep", action="append", default=[], metavar="column=value,value")
    index.add_argument("--label", metavar="NAME", help="label by density or by a descriptor instead")
    index.add_argument("-o", "--output", required=True, metavar="manifest.csv")
    add_index_arguments(index)
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
    _preparing(commands)


def _preparing(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    split = commands.add_parser("split", help="divide the patients")
    split.add_argument("manifest", metavar="manifest.csv")
    split.add_argument("-o", "--output", required=True, metavar="splits.json")
    official = split.add_mutually_exclusive_group()
    official.add_argument("--official", action="store_true")
    official.add_argument("--official-strict", action="store_true")
    split.add_argument("--folds", type=int, metavar="K")
    split.add_argument("--shares", metavar="T,V,E", help="per cent to train, tune and test: 70,20,10")
    split.add_argument(
        "--like", metavar="splits.json", help="patients stand as in splits of another manifest"
    )
    split.add_argument("--fold", type=int, default=0, metavar="I", help="of --like, 0-based")
    split.add_argument("--seed", type=int, default=0, metavar="S")
    split.set_defaults(run=_split)
    audit = commands.add_parser("audit", help="look for patients and pictures in two parts")
    audit.add_argument("manifest", metavar="manifest.csv")
    audit.add_argument("--splits", metavar="splits.json")
    audit.add_argument("--strict", action="store_true", help="perceptual twins in two parts are exit 1 too")
    audit.add_argument("--workers", type=workers, metavar="N", help="processes; by default as many as cores")
    audit.add_argument("-o", "--output", required=True, metavar="report/")
    audit.set_defaults(run=_audit)
    cache = commands.add_parser("cache", help="prepare all images ahead of a training")
    cache.add_argument("manifest", metavar="manifest.csv")
    cache.add_argument("--recipe", required=True)
    cache.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster: tcp://host:port")
    cache.add_argument("--workers", type=workers, metavar="N", help="processes; by default as many as cores")
    cache.add_argument("--set", action="append", default=[], metavar="key=value")
    cache.set_defaults(run=_cache)
