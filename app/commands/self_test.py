"""Check this installation: decoders, window, models, inference; one line each."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from app.core.dicom.pixels import read_frame
from app.core.dicom.reader import read_image
from app.core.errors import MammoviewError
from app.services.inference import catalogue
from model_zoo.errors import ModelError

Line = tuple[str, bool, str]
"""(name, passed, what was seen)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(arguments: argparse.Namespace) -> int:
    """Print a line per check; `MammoviewError` naming those that failed."""
    failed = []
    for name, passed, seen in checks():
        print(f"{'ok    ' if passed else 'FAILED'}  {name:30} {seen}", flush=True)
        if not passed:
            failed.append(f"{name} ({seen})")
    if failed:
        raise MammoviewError(f"self-test: {len(failed)} failed: {'; '.join(failed)}")
    return 0


def checks() -> Iterator[Line]:
    """Yield every check's outcome as it is known."""
    yield from decoders()
    yield guarded("window", window)
    yield from models()
    yield guarded("inference on the demo exam", inference)


def guarded(name: str, check: Callable[[], str]) -> Line:
    """Run a check that returns what it saw, or raises with the reason."""
    try:
        return name, True, check()
    except (MammoviewError, ModelError, OSError, ImportError, RuntimeError) as error:
        return name, False, " ".join(str(error).split())


def decoders() -> Iterator[Line]:
    """Decode one small file per transfer syntax; checksums come from arithmetic or gdcmconv."""
    with as_file(files("resources") / "self_test") as folder:
        for sample in json.loads((folder / "expected.json").read_text()):

            def check(sample: dict[str, str] = sample, folder: Path = folder) -> str:
                stored = read_frame(read_image(folder / sample["file"])).stored
                digest = hashlib.sha256(np.ascontiguousarray(stored.astype("<u2")).tobytes()).hexdigest()
                if digest != sample["sha256"]:
                    raise MammoviewError(f"checksum {digest[:12]}, not {sample['sha256'][:12]}")
                return f"checksum {digest[:12]}  {sample['transfer_syntax']}"

            yield guarded(f"decoder {sample['name']}", check)


def window() -> str:
    """Paint the main window off-screen."""
    from app.commands.window import open_window
    from app.ui import icons

    workstation = open_window(off_screen=True)
    try:
        workstation.window.resize(1600, 900)
        workstation.window.show()
        workstation.application.processEvents()
        picture = workstation.window.grab().toImage()
        colours = {picture.pixel(x, y) for x in range(0, 1600, 40) for y in range(0, 900, 30)}
        if picture.isNull() or len(colours) < 3:
            raise MammoviewError("the main window was painted blank")
        if not icons.available("magnifying-glass"):
            raise MammoviewError("the icons of the tool bar cannot be drawn")
        return f"{picture.width()} x {picture.height()} painted"
    finally:
        workstation.window.close()
        workstation.close()


def models() -> Iterator[Line]:
    """Verify every file of every model found."""
    found = catalogue.find()
    for bundle in found.bundles:
        yield guarded(f"model {bundle.name}", lambda bundle=bundle: _verified(bundle.name))
    for broken in found.refused:
        yield f"model {broken.folder.name}", False, broken.reason
    if not found.bundles:
        yield "models", False, "no model was found"


def _verified(name: str) -> str:
    bundle = catalogue.verified(name)
    return f"version {bundle.version}, every file matches its hash"


def inference() -> str:
    """Read the demo exam with the phantom model and look whether it points at the known lesions."""
    from app.commands.demo import MODEL, make
    from app.commands.demo_truth import hits, read_truth
    from app.core.dicom.finder import find
    from app.services.inference.exam import gather
    from app.services.inference.process import LookRequest, no_predictors, run_look

    exam = make()
    patients = find(list(exam.current)).patients
    images = [image for patient in patients for study in patient.studies for image in study.images]
    bundle = catalogue.get(MODEL)
    start = time.perf_counter()
    request = LookRequest(bundle.folder, "cpu", gather(images))
    prediction = run_look(request, lambda done, total: None, no_predictors())
    seconds = time.perf_counter() - start
    scored = sum(view.status == "scored" for view in prediction.views)
    if scored < 4:
        raise MammoviewError(f"{scored} of 4 views were scored")
    boxes = {view.uid: [box.box for box in view.findings] for view in prediction.views}
    found, total = hits(read_truth(exam.truth), boxes)
    if found == 0:
        raise MammoviewError(f"none of the {total} known lesions was found")
    return f"{scored} views in {seconds:.1f} s, {found} of {total} known lesion views found"
