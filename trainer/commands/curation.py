"""Commands of the curated set: ``index curated`` and its options, next-cases, deidentify."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.speaking import counter, say
from trainer.errors import TrainerError

if TYPE_CHECKING:
    from trainer.datasets.curated import CuratedIndex

_MOST_SAID = 20


def index_curated(arguments: argparse.Namespace) -> None:
    """Write the manifest of a store or of a snapshot, the record beside it, and a snapshot where asked."""
    from app.core.manifest import write_notes
    from trainer.curation.snapshot import is_snapshot, record_file, write_set, write_snapshot
    from trainer.datasets.curated import index_snapshot

    root, manifest = Path(arguments.root), Path(arguments.output)
    if arguments.keep or arguments.label:
        raise TrainerError(
            "index curated: --keep and --label go with other data sets; this one is kept whole"
        )
    if is_snapshot(root) and (arguments.images or arguments.resolve or arguments.as_of is not None):
        raise TrainerError(f"{root}: a snapshot has images and rules of its own, and takes no others")
    said: list[str] = []
    try:
        found = index_snapshot(root, said.append) if is_snapshot(root) else _of_store(arguments, said)
    finally:
        for sentence in said[:_MOST_SAID]:
            say(sentence)
    write_set(found.made, found.log, found.options, manifest)
    notes = write_notes(said, manifest)
    if len(said) > _MOST_SAID:
        say(f"... and {len(said) - _MOST_SAID} more, all in {notes}")
    if arguments.snapshot:
        folder = Path(arguments.snapshot)
        hashed = write_snapshot(folder, found.made, found.log, found.options)
        say(f"{folder}: snapshot {hashed} up to change {found.log.last}")
    rows, records = found.made.rows, found.made.records
    labels = sorted({row.label for row in rows})
    counts = ", ".join(f"{sum(row.label == label for row in rows)} {label}" for label in labels)
    left = sum(record["left_out"] is not None for record in records)
    say(f"{record_file(manifest)}: {len(records)} images that readers worked on, {left} left out")
    say(f"{manifest}: {len(rows)} images of {len({row.patient_id for row in rows})} patients ({counts})")


def _of_store(arguments: argparse.Namespace, said: list[str]) -> CuratedIndex:
    from trainer.curation.conflicts import read_resolutions
    from trainer.curation.curate import Options
    from trainer.datasets.curated import index_store

    store = Path(arguments.root)
    if not store.exists():
        raise TrainerError(f"{store}: does not exist")
    if not arguments.images:
        raise TrainerError(f"{store}: a store needs --images, the manifest or folder of its images")
    by_hand = read_resolutions(Path(arguments.resolve)) if arguments.resolve else {}
    options = Options(arguments.conflicts, by_hand, arguments.reports, arguments.rest)
    return index_store(store, Path(arguments.images), options, arguments.as_of, said.append)


def add_index_arguments(index: argparse.ArgumentParser) -> None:
    """Declare what ``index curated`` takes beside the others."""
    curated = index.add_argument_group("index curated STORE (work.sqlite, its folder, or a snapshot)")
    curated.add_argument("--images", metavar="ROOT|manifest.csv", help="where its images are looked for")
    curated.add_argument(
        "--conflicts",
        default="leave-out",
        choices=("leave-out", "latest", "majority"),
        help="what becomes of an image whose readers contradict each other",
    )
    curated.add_argument("--resolve", metavar="FILE.csv", help="case,reader: who is right, by hand")
    curated.add_argument(
        "--reports",
        default="fill",
        choices=("fill", "override"),
        help="an assessment is the label where there was none, or always",
    )
    curated.add_argument("--rest", action="store_true", help="the manifest's other images too, as they were")
    curated.add_argument("--as-of", type=int, metavar="CHANGE", help="only changes up to this number count")
    curated.add_argument("--snapshot", metavar="DIR", help="freeze what the manifest was made from")


def _deidentify(arguments: argparse.Namespace) -> None:
    from app.core.dicom.deidentify import Wishes
    from app.core.dicom.pseudonyms import KEY_FILE, read_key
    from app.core.manifest import read_manifest
    from app.core.settings import data_folder
    from trainer.deidentify import Asked, export, safe_key_path

    folder = Path(arguments.output)
    key = Path(arguments.key) if arguments.key else data_folder() / KEY_FILE
    safe_key_path(key, folder)
    manifest = read_manifest(Path(arguments.manifest))
    wishes = Wishes(arguments.dates, arguments.keep_characteristics)
    asked = Asked(arguments.form, arguments.burned_in, wishes)
    made = export(manifest, folder, asked, read_key(key), say, counter("files"))
    say(f"{made.path}: {len(made.rows)} images of {len(made.patients)} patients, de-identified")


def _next_cases(arguments: argparse.Namespace) -> None:
    from app.core.audit.next_case import frozen_patients
    from app.core.audit.offering import Sought, offered
    from app.core.manifest import read_manifest
    from trainer import next_cases
    from trainer.splits import read_splits

    manifest = read_manifest(Path(arguments.manifest))
    frozen, frozen_by = frozenset[str](), ""
    if arguments.splits:
        frozen = frozen_patients(Path(arguments.splits), arguments.fold)
        frozen_by = read_splits(Path(arguments.splits)).hash
    store = Path(arguments.store) if arguments.store else None
    read = next_cases.read_already(store, manifest, say) if store else None
    scores, models = next_cases.scores_of([Path(each) for each in arguments.predictions], manifest.rows, say)
    vectors = None
    if arguments.strategy == "diversity" and arguments.embed:
        vectors, name = next_cases.embeddings_of(arguments.embed, manifest.rows, counter("images"))
        models = (name,)
    sought = Sought(
        arguments.strategy,
        arguments.count,
        frozen,
        frozen_by,
        arguments.threshold,
        arguments.seed,
        arguments.reader,
    )
    chosen = offered(manifest.rows, sought, scores, vectors, read, models)
    next_cases.write_queue(chosen, manifest, Path(arguments.output))
    if store:  # last, for a choice that nobody could read would stay on record
        next_cases.record(chosen, store)
        say(f"{store}: the choice of {len(chosen)} cases is on record")
    kept_out = sum(row.patient_id in frozen for row in manifest.rows)
    done = f"{len(chosen)} cases by {arguments.strategy}"
    say(f"{arguments.output}: {done}; {kept_out} frozen images are never offered")


def _add_next_cases(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    cases = commands.add_parser("next-cases", help="choose the cases that are worth reading next")
    cases.add_argument("manifest", metavar="manifest.csv")
    cases.add_argument("-o", "--output", required=True, metavar="queue.csv")
    frozen = cases.add_mutually_exclusive_group(required=True)
    frozen.add_argument("--splits", metavar="splits.json", help="its test patients are never offered")
    frozen.add_argument("--no-splits", action="store_true", help="there is no frozen test part yet")
    cases.add_argument("--fold", type=int, metavar="I", help="of several folds the one that is frozen")
    cases.add_argument(
        "--strategy", required=True, choices=("uncertainty", "disagreement", "diversity", "random")
    )
    cases.add_argument("--count", type=positive, default=20, metavar="N")
    cases.add_argument("--predictions", action="append", default=[], metavar="FILE.json")
    cases.add_argument("--threshold", type=float, metavar="T", help="uncertainty: default the median score")
    cases.add_argument("--embed", metavar="BUNDLE", help="diversity: whose vectors tell images apart")
    cases.add_argument("--store", metavar="STORE", help="what was read in it is left out; the choice goes in")
    cases.add_argument("--reader", default="", metavar="NAME", help="who asks, for the record")
    cases.add_argument("--seed", type=int, default=0, metavar="S", help="of the random control")
    cases.set_defaults(run=_next_cases)


def positive(text: str) -> int:
    """Return a number of cases from the command line."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of cases")
    return int(text)


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare next-cases and deidentify."""
    _add_next_cases(commands)
    export = commands.add_parser("deidentify", help="copy a manifest's images without their persons")
    export.add_argument("manifest", metavar="manifest.csv")
    export.add_argument("-o", "--output", required=True, metavar="DIR")
    export.add_argument("--as", dest="form", default="dicom", choices=("dicom", "png"))
    export.add_argument(
        "--burned-in",
        default="refuse",
        choices=("refuse", "blank", "keep"),
        help="images that may hold text outside the breast: list them, make it black there, or leave it",
    )
    export.add_argument(
        "--dates", default="remove", choices=("remove", "shift"), help="shift: all of a patient by as much"
    )
    export.add_argument("--keep-characteristics", action="store_true", help="age (90 at most) and sex stay")
    export.add_argument("--key", metavar="FILE", help="secret of the new names; by default beside the store")
    export.set_defaults(run=_deidentify)
