"""The hanging itself: study, priors and protocol in, a layout out; pure."""

from __future__ import annotations

from datetime import date

from app.core.hanging.candidates import candidates, fits
from app.core.hanging.layout import Layout, LayoutPane
from app.core.hanging.protocols import PaneRule, Protocol
from app.core.imaging.image import Collection, Image, Study

DAYS_PER_MONTH = 365.25 / 12


def hang(study: Study, priors: tuple[Study, ...], protocol: Protocol, stage: int = 0) -> Layout:
    """Find the images that each pane of a stage asks for.

    Parameters
    ----------
    study
        The study being read.
    priors
        Earlier studies of the same patient, newest first (see `priors_of`).
    protocol, stage
        What to hang; `stage` is 0-based and is clipped to the protocol's stages.

    Returns
    -------
    Layout
        A missing view leaves its pane without candidates. Images of the study that no pane of any
        stage takes are in the tray.
    """
    stage = min(max(stage, 0), len(protocol.stages) - 1)
    chosen = protocol.stages[stage]
    found = _found(study, protocol)
    panes = tuple(_pane(rule, found, study, priors) for rule in chosen.panes)
    return Layout(
        protocol=protocol.name,
        protocol_title=protocol.title,
        stage=stage,
        stages=len(protocol.stages),
        stage_title=chosen.title,
        rows=chosen.rows,
        columns=chosen.columns,
        panes=panes,
        tray=_tray(study, found),
    )


def reading_order(study: Study, protocol: Protocol) -> tuple[tuple[Image, ...], tuple[Image, ...]]:
    """Return the images of a study in the order in which a reader comes to them.

    Returns
    -------
    (first choices, others)
        The best image of each pane through the stages; then other candidates, then the tray.
    """
    found = _found(study, protocol)
    first = {images[0].key: images[0] for images in found.values() if images}
    others = {image.key: image for images in found.values() for image in images}
    others |= {image.key: image for image in _tray(study, found)}
    return tuple(first.values()), tuple(others[key] for key in others if key not in first)


def stage_with(study: Study, protocol: Protocol, key: tuple[str, str]) -> int | None:
    """Return the first stage in which an image of the study fits a pane, or None."""
    found = _found(study, protocol)
    places = {place for place, images in found.items() if any(image.key == key for image in images)}
    for number, stage in enumerate(protocol.stages):
        if any(rule.prior == 0 and _asks(rule) in places for rule in stage.panes):
            return number
    return None


def choose_protocol(study: Study, protocols: tuple[Protocol, ...], preferred: str = "") -> Protocol:
    """Return the protocol that a study gets when it opens.

    The preferred one if the study has as many views of its first stage as it needs; else the first
    in menu order that has; else the one with the fewest panes.

    Raises
    ------
    ValueError
        When there are no protocols.
    """
    if not protocols:
        raise ValueError("no hanging protocols")
    ordered = sorted(protocols, key=lambda protocol: (protocol.name != preferred, protocol.order))
    for protocol in ordered:
        if views_found(study, protocol) >= max(protocol.needs, 1):
            return protocol
    return min(ordered, key=lambda protocol: len(protocol.stages[0].panes))


def views_found(study: Study, protocol: Protocol) -> int:
    """Return how many panes of a protocol's first stage the study itself can fill."""
    rules = [rule for rule in protocol.stages[0].panes if rule.prior == 0]
    return sum(any(fits(image, rule) for image in study.images) for rule in rules)


def priors_of(collection: Collection, study: Study) -> tuple[Study, ...]:
    """Return the earlier studies of the patient of a study, newest first; undated ones are no priors."""
    for patient in collection.patients:
        if any(other.key == study.key for other in patient.studies):
            others = [other for other in patient.studies if other.key != study.key]
            dated = [other for other in others if _earlier(other.date, study.date)]
            return tuple(sorted(dated, key=lambda other: other.date or date.min, reverse=True))
    return ()


def prior_label(prior: date | None, current: date | None) -> str:
    """Return how long before the current study a prior was made: ``PRIOR, -24 months``.

    Whole months of 30.44 days, rounded; days under one month; ``PRIOR`` where a date is missing;
    ``LATER, +24 months`` for a study made after the current one.
    """
    if prior is None or current is None:
        return "PRIOR"
    days = abs((current - prior).days)
    sign = "PRIOR, -" if prior <= current else "LATER, +"
    months = round(days / DAYS_PER_MONTH)
    number, unit = (days, "day") if months < 1 else (months, "month")
    return f"{sign}{number} {unit}{'' if number == 1 else 's'}"


def _earlier(other: date | None, current: date | None) -> bool:
    return other is not None and current is not None and other < current


_Asked = tuple[str | None, str | None]
"""(laterality, view) that a pane asks for."""


def _asks(rule: PaneRule) -> _Asked:
    return (rule.laterality, rule.view)


def _found(study: Study, protocol: Protocol) -> dict[_Asked, tuple[Image, ...]]:
    """Return what the study has for each pane of all stages, each request answered once."""
    found: dict[_Asked, tuple[Image, ...]] = {}
    for stage in protocol.stages:
        for rule in stage.panes:
            if rule.prior == 0 and _asks(rule) not in found:
                found[_asks(rule)] = candidates(study.images, rule)
    return found


def _pane(
    rule: PaneRule, found: dict[_Asked, tuple[Image, ...]], study: Study, priors: tuple[Study, ...]
) -> LayoutPane:
    if rule.prior == 0:
        return LayoutPane(rule.row, rule.column, rule.wants, found[_asks(rule)])
    if rule.prior > len(priors):
        return LayoutPane(rule.row, rule.column, rule.wants)
    earlier = priors[rule.prior - 1]
    label = prior_label(earlier.date, study.date)
    return LayoutPane(rule.row, rule.column, rule.wants, candidates(earlier.images, rule), label)


def _tray(study: Study, found: dict[_Asked, tuple[Image, ...]]) -> tuple[Image, ...]:
    taken = {image.key for images in found.values() for image in images}
    return tuple(image for image in study.images if image.key not in taken)
