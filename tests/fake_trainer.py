"""Stands in for mammoview-trainer, without a network: the same words, files, events. See MAMMOVIEW_TRAINER.

An epoch takes FAKE_EPOCH_S seconds (0.05). ``FAKE_FAIL=STEP`` ends that step with one line and exit code 1.
While the file FAKE_HOLD is there the last epoch goes on and on: no test depends on how long a training takes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path


def option(words: list[str], name: str, otherwise: str = "") -> str:
    return words[words.index(name) + 1] if name in words else otherwise


def changes(words: list[str]) -> dict[str, str]:
    start = words.index("--set") + 1 if "--set" in words else len(words)
    return dict(one.partition("=")[::2] for one in words[start:])


def fail(sentence: str) -> None:
    print(f"mammoview-trainer: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def fit(words: list[str]) -> None:
    run, events = Path(option(words, "-o")), Path(option(words, "--events"))
    run.mkdir(parents=True, exist_ok=True)
    epochs = int(changes(words).get("train.epochs", "4"))
    last = run / "last"
    begin = int(last.read_text()) if "--resume" in words and last.exists() else 0
    stream = events.open("a", encoding="utf-8")

    def tell(kind: str, **facts: object) -> None:
        stream.write(json.dumps({"t": time.time(), "kind": kind, **facts}) + "\n")
        stream.flush()

    def stop(number: int, frame: object) -> None:
        tell("failed", message="interrupted")
        fail(f"{run}: interrupted; --resume goes on")

    signal.signal(signal.SIGTERM, stop)
    (run / "words").write_text("\n".join(words))
    tell("start", recipe=words[1], fold=0, images=8, folder=str(run))
    hold, patience = Path(os.environ.get("FAKE_HOLD", "nowhere")), time.monotonic() + 300
    for epoch in range(begin, epochs):
        while epoch == epochs - 1 and hold.exists() and time.monotonic() < patience:
            time.sleep(0.05)
            tell("step", epoch=epoch, epochs=epochs, step=1, steps=2, loss=1 / (1 + epoch))
        for step in (1, 2):
            time.sleep(float(os.environ.get("FAKE_EPOCH_S", "0.05")) / 2)
            tell("step", epoch=epoch, epochs=epochs, step=step, steps=2, loss=1 / (1 + epoch + step / 4))
        values = {
            "train_loss": 1 / (2 + epoch),
            "val_loss": 1 / (1.5 + epoch),
            "val_auc": 1 - 0.5 / (1 + epoch),
        }
        tell("epoch", epoch=epoch, epochs=epochs, seconds=0.05, metrics=values)
        # As the trainer does: a checkpoint is there whole or not at all, whenever it is killed.
        part = last.with_suffix(".part")
        part.write_text(str(epoch + 1))
        part.replace(last)
        tell("checkpoint", epoch=epoch)
    tell("done", folder=str(run), epochs=epochs, metrics={})
    (run / "name").write_text(json.dumps([changes(words)["name"], changes(words)["version"]]))


def export(words: list[str]) -> None:
    """Copy the bundle that FAKE_BUNDLES holds under NAME-VERSION, or say that there is none."""
    name, version = json.loads((Path(words[1]) / "name").read_text())
    target = Path(option(words, "-o")) / name
    store = os.environ.get("FAKE_BUNDLES", "")
    if store:
        shutil.copytree(Path(store) / f"{name}-{version}", target, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)


def evaluate(words: list[str]) -> None:
    folder = Path(option(words, "-o"))
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"value": 0.71, "low": 0.6, "high": 0.8, "unit": "image", "n": 8, "method": "", "baseline": 0.5}
    metrics = {"auc.image": entry, "brier.image": {**entry, "value": None, "low": None, "high": None}}
    content = {
        "format": "mammoview-metrics",
        "version": 1,
        "protocol": "Measured on the test part.",
        "metrics": metrics,
    }
    (folder / "metrics.json").write_text(json.dumps(content))
    (folder / "words").write_text("\n".join(words))


def difference(change: float, shown: bool) -> dict[str, object]:
    values = {"a": 0.7, "b": 0.7 + change, "difference": change, "low": change - 0.05, "high": change + 0.05}
    return {**values, "unit": "image", "n": 8, "method": "", "shown": shown, "delong": {"p": 0.04}}


def compare(words: list[str]) -> None:
    folder = Path(option(words, "-o"))
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": "mammoview-comparison",
        "version": 1,
        "a": f"{words[1]} 1.0.0",
        "b": f"{Path(words[2]).name} 1.0.0",
        "verdict": "No difference shown: auc.image 0.700 (A) and 0.710 (B).",
        "notes": ["none of these patients trained the weights."],
        "metrics": {"auc.image": difference(0.01, False), "brier.image": difference(-0.1, True)},
        "subgroups": {
            "density": {"a": difference(-0.2, True), "d": difference(0.1, True)},
            "view": {"CC": difference(-0.02, False)},
        },
    }
    (folder / "compare.json").write_text(json.dumps(content))


def split(words: list[str]) -> None:
    """Divide as --like says; with no --like the first half of the patients trains, the last one tests."""
    manifest = Path(words[1])
    patients: list[str] = []
    for line in manifest.read_text().splitlines()[1:]:
        patients.append(line.split(",")[1])
    patients = list(dict.fromkeys(patients))
    if "--like" in words:
        like = json.loads(Path(option(words, "--like")).read_text())["folds"][
            int(option(words, "--fold", "0"))
        ]
        placed = [one for name in ("val", "test") for one in like[name]]
        fold = {name: [one for one in like[name] if one in patients] for name in ("val", "test")}
        fold = {"train": [one for one in patients if one not in placed], **fold}
    else:
        fold = {"train": patients[:-2], "val": patients[-2:-1], "test": patients[-1:]}
    own = {"manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(), "seed": 0, "folds": [fold]}
    said = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
    content = {"format": "mammoview-splits", "version": 1, **own, "hash": said}
    Path(option(words, "-o")).write_text(json.dumps(content))


if __name__ == "__main__":
    step = sys.argv[1]
    if os.environ.get("FAKE_FAIL") == step:
        fail(f"{step}: it was not to be")
    {"fit": fit, "export": export, "evaluate": evaluate, "compare": compare, "split": split}[step](
        sys.argv[1:]
    )
