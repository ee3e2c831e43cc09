"""The audit of a manifest: every picture looked at once, all findings in one frozen record and audit.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.core.files import write_json
from app.core.manifest import Manifest
from trainer.audit import balance, findings, probe, twins
from trainer.audit.facts import Facts
from trainer.audit.findings import Alike
from trainer.audit.table import all_facts
from trainer.errors import LeakageError, TrainerError
from trainer.splits import Splits

_LISTED = 2000
"""Perceptual twins that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found.

    Attributes
    ----------
    leaks
        One sentence per patient or picture in two parts of a fold.
    twins
        Groups of image ids with identical pixels (turned by 90 degrees and mirrored too); `twins_apart`
        counts those of several patients.
    unreadable
        One sentence per file that cannot be read.
    caveats
        What every report on these images must say.
    alike
        Perceptual twins, at most 2,000 named; `alike_total` counts them, `alike_apart` those in two parts
        (without splits: of two patients).
    conflicts, junk, sides
        One sentence per contradiction of labels, picture that shows nothing, side or orientation that file or
        pixels contradict.
    mixed_breasts
        Breasts of one study whose views carry different labels.
    depths
        Images per photometric and bit depth.
    tables
        Images by property and label.
    probes
        How well border, format and histogram tell a label.
    warnings
        What goes together with the label that should not, one sentence each.
    unassigned
        Patients in no part of the splits.
    """

    images: int
    patients: int
    leaks: tuple[str, ...]
    twins: tuple[tuple[str, ...], ...]
    unreadable: tuple[str, ...]
    twins_apart: int = 0
    caveats: tuple[str, ...] = ()
    alike: tuple[Alike, ...] = ()
    alike_total: int = 0
    alike_apart: int = 0
    conflicts: tuple[str, ...] = ()
    mixed_breasts: int = 0
    junk: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    depths: dict[str, int] = dataclasses.field(default_factory=dict)
    tables: tuple[balance.Table, ...] = ()
    probes: tuple[probe.Probe, ...] = ()
    warnings: tuple[str, ...] = ()
    unassigned: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """The findings and what they come from: one record per row and why those without one have none."""

    audit: Audit
    facts: Facts
    reasons: Sequence[str]


def _pairs(facts: Facts, groups: Sequence[Sequence[int]]) -> list[twins.Pair]:
    """Return perceptual twins; of identical pictures only the first is compared with the others."""
    again = {number for group in groups for number in group[1:]}
    asked = np.array([n for n in range(len(facts)) if facts["has_code"][n] and n not in again], np.intp)
    codes = facts["code"][asked]
    return [twins.Pair(int(asked[p.first]), int(asked[p.second]), p.likeness) for p in twins.alike(codes)]


def look_over(
    manifest: Manifest,
    splits: Splits | None,
    *,
    report: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Looked:
    """Look at every picture of a manifest.

    Raises
    ------
    TrainerError
        A file that is not there or has changed, or splits of another manifest.
    """
    if splits is not None and splits.manifest_sha256 != manifest.sha256:
        raise TrainerError(f"{manifest.path}: the splits were made for another manifest")
    rows = manifest.rows
    facts, reasons = all_facts(rows, report, workers)
    groups = twins.identical([mark.decode() for mark in facts["mark"]])
    groups.sort(key=lambda group: len({rows[number].patient_id for number in group}) < 2)
    pairs = _pairs(facts, groups)
    alike = findings.perceptual(rows, pairs, splits)
    differing, mixed = findings.conflicts(rows, groups, pairs)
    tables = balance.balance(rows, facts, splits)
    probes = probe.probe(rows, facts, reasons)
    found = Audit(
        images=len(rows),
        patients=len(manifest.patients),
        leaks=tuple(findings.leaks(rows, groups, splits)),
        twins=tuple(tuple(rows[number].image_id for number in group) for group in groups),
        twins_apart=sum(len({rows[number].patient_id for number in group}) > 1 for group in groups),
        unreadable=tuple(reason for reason in reasons if reason),
        caveats=manifest.caveats,
        alike=tuple(alike[:_LISTED]),
        alike_total=len(alike),
        alike_apart=sum(bool(one.parts) if splits is not None else not one.same_patient for one in alike),
        conflicts=tuple(differing),
        mixed_breasts=mixed,
        junk=tuple(findings.junk(rows, facts, reasons)),
        sides=tuple(findings.sides(rows, facts)),
        depths=findings.depths(facts, reasons),
        tables=tuple(tables),
        probes=tuple(probes),
        warnings=(
            *balance.warnings(tables, rows),
            *(f"{one.sentence}" for one in probes if one.beyond_chance),
        ),
        unassigned=findings.unassigned(manifest, splits),
    )
    return Looked(found, facts, reasons)


def audit(
    manifest: Manifest, splits: Splits | None, *, report: Callable[[int, int], None] | None = None
) -> Audit:
    """Return the findings of `look_over` alone."""
    return look_over(manifest, splits, report=report).audit


def write_audit(found: Audit, folder: Path) -> None:
    """Write audit.json into a report folder."""
    content = {"format": "mammoview-audit", "version": 1, **dataclasses.asdict(found)}
    try:
        write_json(folder / "audit.json", content)
    except OSError as error:
        raise TrainerError(f"{folder}: the report cannot be written ({error.strerror})") from error


def check(found: Audit, manifest: Path, *, divided: bool, strict: bool) -> None:
    """Refuse what makes every later number untrue.

    Raises
    ------
    LeakageError
        A patient or identical pixels in two parts; with `strict` perceptual twins in two parts too, and
        where there are no splits identical or alike pictures of two patients.
    """
    if found.leaks:
        raise LeakageError(f"{manifest}: {found.leaks[0]} ({len(found.leaks)} leaks in all)")
    if strict and not divided and found.twins_apart:
        raise LeakageError(
            f"{manifest}: identical pixels of several patients: {findings.named(found.twins[0])} "
            f"({found.twins_apart} groups in all)"
        )
    if strict and found.alike_apart:
        first = found.alike[0]
        where = f" in {first.parts[0]}" if first.parts else " of two patients"
        raise LeakageError(
            f"{manifest}: perceptual twins{where}: {' and '.join(first.images)} ({found.alike_apart} in all)"
        )
