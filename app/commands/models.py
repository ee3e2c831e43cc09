"""List, show, verify, install or remove models (bundles)."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.services.inference import catalogue
from model_zoo import tabular
from model_zoo.bundle import Bundle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    parser.set_defaults(action="list")
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser("list", help="all models found (default)")
    for action, word, text in (
        ("show", "NAME", "print a model's card"),
        ("verify", "NAME", "check every file of a model against its hash"),
        ("install", "FOLDER", "copy a bundle into your model folder"),
        ("remove", "NAME", "remove a model you installed"),
    ):
        actions.add_parser(action, help=text).add_argument("target", metavar=word)


def run(arguments: argparse.Namespace) -> int:
    """Do it; `ModelError` where it cannot be done."""
    action = arguments.action or "list"
    if action == "list":
        found = catalogue.find()
        for bundle in found.bundles:
            print(catalogue.one_line(bundle))
        for broken in found.refused:
            print(f"refused: {broken.reason}")
    elif action == "show":
        print(catalogue.get(arguments.target).card.rstrip())
    elif action == "verify":
        bundle = catalogue.verified(arguments.target)
        print(f"{catalogue.one_line(bundle)}: every file matches its hash, and the {_loaded(bundle)} load")
    elif action == "install":
        print(f"installed {catalogue.one_line(catalogue.install(Path(arguments.target)))}")
    else:
        catalogue.remove(arguments.target)
        print(f"removed {arguments.target}")
    return 0


def _loaded(bundle: Bundle) -> str:
    """Build what the bundle's weights are for; `BundleError` where they do not fit. Returns what it was."""
    if not bundle.spec.reads_images:
        tabular.load(bundle)
        return "tables"
    from model_zoo.predictor import load_predictor  # imports torch, which no other action needs

    load_predictor(bundle, "cpu")
    return "networks"
