"""Predictions as the ``mammoview-prediction`` document of DESIGN.md, heat maps as files beside it."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.commands.output import write_bytes, write_json, write_png
from app.core.audit.cases import AuditModel, SaidBox, ViewSaid
from app.core.imaging.image import Image, Study
from app.core.reading.findings import ModelFacts
from model_zoo.contract import BoxFinding, ExamPrediction, HeatMap, ViewPrediction

Told = ModelFacts | AuditModel
"""A model as the second look or as the audit knows it: both say what its numbers are of."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyPrediction:
    """What several models said about one study; `images` in the order of each prediction's views."""

    study: Study
    images: tuple[Image, ...]
    predictions: tuple[ExamPrediction, ...]


def write_predictions(
    out: Path, models: Sequence[ModelFacts], results: Sequence[StudyPrediction], heatmaps: Path | None
) -> None:
    """Write the JSON and, where asked, the heat maps; paths in it are relative to the JSON."""
    if heatmaps is not None:
        heatmaps.mkdir(parents=True, exist_ok=True)
    write_json(out, document(models, [_study(result, out, heatmaps) for result in results]))


def document(models: Sequence[Told], studies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole document of models and of studies that are entries already."""
    return {
        "format": "mammoview-prediction",
        "version": 1,
        "models": [_model(model) for model in models],
        "studies": list(studies),
    }


def view_entry(
    said: ViewPrediction | ViewSaid,
    boxes: Sequence[tuple[BoxFinding | SaidBox, int]],
    *,
    uid: str,
    path: Path,
    model: str,
    laterality: str | None,
    view: str | None,
    heatmap: str | None = None,
) -> dict[str, Any]:
    """Return one model's answer about one image.

    Parameters
    ----------
    boxes
        Each with its frame.
    heatmap
        Path of the heat map from the JSON's folder, or None.
    """
    return {
        "sop_uid": uid,
        "path": str(path),
        "model": model,
        "laterality": laterality,
        "view": view,
        "status": said.status,
        "reason": said.reason or None,
        "score": said.score,
        "findings": [
            {
                "label": box.label,
                "score": box.score,
                "calibrated": box.calibrated,
                "frame": frame,
                "box": [float(edge) for edge in box.box],
            }
            for box, frame in boxes
        ],
        "heatmap": heatmap,
        "notes": list(said.notes),
        **({"classes": dict(said.classes)} if said.classes else {}),
    }


def _model(model: Told) -> dict[str, Any]:
    outputs: dict[str, Any] = {
        "score": {"of": model.score_of, "prevalence": model.prevalence, "calibrated": model.calibrated}
    }
    if model.classes_of:
        outputs["classes"] = {"of": model.classes_of, "calibrated": model.classes_calibrated}
    return {"name": model.name, "version": model.version, "outputs": outputs}


def _study(result: StudyPrediction, out: Path, heatmaps: Path | None) -> dict[str, Any]:
    lead = leading(result.predictions)
    return {
        "study_uid": result.study.uid,
        **_summary(lead),
        "views": [
            _view(view, image, prediction, out, heatmaps)
            for prediction in result.predictions
            for view, image in zip(prediction.views, result.images, strict=True)
        ],
        "by_model": [{"model": one.model, **_summary(one)} for one in result.predictions],
    }


def _summary(prediction: ExamPrediction) -> dict[str, Any]:
    return {
        "status": prediction.status,
        "breasts": {"L": prediction.breasts.get("L"), "R": prediction.breasts.get("R")},
        "exam_score": prediction.exam_score,
        "suitability": list(prediction.suitability),
    }


def leading(predictions: Sequence[ExamPrediction]) -> ExamPrediction:
    """Return the one that speaks for the study: the first complete, else partial, else the first."""
    for status in ("complete", "partial"):
        for prediction in predictions:
            if prediction.status == status:
                return prediction
    return predictions[0]


def _view(
    view: ViewPrediction, image: Image, prediction: ExamPrediction, out: Path, heatmaps: Path | None
) -> dict[str, Any]:
    heatmap = None
    if heatmaps is not None and view.heatmap is not None:
        heatmap = os.path.relpath(
            _write_heatmap(view.heatmap, image, prediction, heatmaps), out.parent or "."
        )
    return view_entry(
        view,
        [(box, box.frame) for box in view.findings],
        uid=view.uid,
        path=image.path,
        model=prediction.model,
        laterality=view.laterality,
        view=view.view,
        heatmap=heatmap,
    )


def _write_heatmap(heat: HeatMap, image: Image, prediction: ExamPrediction, folder: Path) -> Path:
    """Write float32 .npy (native grid), .json (affine to stored pixels), 16-bit .png; return the .npy."""
    # Files may lack a UID or share one: the path tells them apart.
    place = hashlib.sha256(str(image.path).encode()).hexdigest()[:8]
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", f"{prediction.model}_{image.sop_uid[:100]}_{place}")
    values = heat.values.astype(np.float32)
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    write_bytes(folder / f"{stem}.npy", buffer.getvalue())
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    write_png(folder / f"{stem}.png", np.rint(scaled * 65535).astype(np.uint16))
    write_json(
        folder / f"{stem}.json",
        {
            "model": prediction.model,
            "version": prediction.version,
            "sop_uid": image.sop_uid,
            "method": heat.method,
            "shape": list(values.shape),
            # 2x3: (row, col, 1) of native cell centres -> (row, col) of stored pixel centres.
            "affine": heat.affine.tolist(),
            "png_range": [low, high],
        },
    )
    return folder / f"{stem}.npy"
