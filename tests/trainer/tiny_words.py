"""Miniature descriptor tables in the official format of CBIS-DDSM, and a recipe that is quick on them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np

from trainer.descriptors.recipe import DescriptorRecipe, read_descriptor_recipe

HEADER = (
    "patient_id,breast density,left or right breast,image view,abnormality id,abnormality type,calc type,"
    "calc distribution,assessment,pathology,subtlety,image file path,cropped image file path,"
    "ROI mask file path"
)
QUICK = {"folds": 3, "repeats": 2, "members": 20, "alone": [1.0], "together": [1.0, 10.0], "draws": 200}


def recipe_content(**changes: Any) -> dict[str, Any]:
    """Return our own recipe for calcifications alone, with fewer folds and members."""
    content = tomllib.loads(Path("trainer/recipes/cbis-descriptors.toml").read_text(encoding="utf-8"))
    content["bundles"] = content["bundles"][:1]
    return {**content, **QUICK, **changes}


def quick_recipe(**changes: Any) -> DescriptorRecipe:
    """Return the same, read."""
    return read_descriptor_recipe(recipe_content(**changes), "recipe tiny")


def line(patient: str, kind: str, spread: str, assessment: str, pathology: str, **other: str) -> str:
    """Return one row; the last path but one ends in a line break inside its quotes, as in the original."""
    density, view, number = other.get("density", "2"), other.get("view", "CC"), other.get("number", "1")
    case = f"Calc-Training_{patient}_LEFT_{view}"
    facts = (
        f"{patient},{density},LEFT,{view},{number},calcification,{kind},{spread},{assessment},{pathology},3"
    )
    return f'{facts},{case}/1.2/1.3/000000.dcm,"{case}_1/1.2/1.3/000001.dcm\n",{case}_1/1.2/1.3/000000.dcm'


def made_up(patients: int, first: int, seed: int) -> list[str]:
    """Return two views of one lesion for each patient: pleomorphic ones are malignant three times in four."""
    generator = np.random.default_rng(seed)
    lines = []
    for number in range(first, first + patients):
        bad = generator.random() < 0.5
        malignant = generator.random() < (0.75 if bad else 0.1)
        kind = "PLEOMORPHIC" if bad else str(generator.choice(["PUNCTATE", "AMORPHOUS-PUNCTATE"]))
        spread = "NA" if not bad and generator.random() < 0.5 else "CLUSTERED"
        assessment = "5" if malignant and generator.random() < 0.5 else "4"
        pathology = "MALIGNANT" if malignant else "BENIGN_WITHOUT_CALLBACK"
        density = str(generator.integers(1, 5))
        lines += [
            line(f"P_{number:05d}", kind, spread, assessment, pathology, view=view, density=density)
            for view in ("CC", "MLO")
        ]
    return lines


def write_table(path: Path, lines: list[str]) -> Path:
    """Write a table and return its path."""
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def write_tables(folder: Path) -> Path:
    """Write a training and a test table of different patients; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "calc_case_description_train_set.csv", made_up(90, 1, 1))
    write_table(folder / "calc_case_description_test_set.csv", made_up(50, 2001, 2))
    return folder
