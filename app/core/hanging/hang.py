"""The hanging itself: study, priors and protocol in, a layout out; pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from app.core.hanging.candidates import candidates, fits
from app.core.hanging.layout import Layout, LayoutPane
from app.core.hanging.priors import prior_label
from app.core.hanging.protocols import PaneRule, Protocol, Stage
from app.core.imaging.image import Image, Study


def hang(study: Study, priors: tuple[Study, ...], protocol: Protocol, stage: int = 0) -> Layout:
    """Find the images that each pane of a stage asks for.

    Parameters
    ----------
    study
        The study being read.
    priors
        Earlier studies of the same patient, newest first (see `app.core.hanging.priors.priors_of`).
    protocol, stage
        What to hang; `stage` is 0-based among the stages that find something (`stages_of`) and is
        clipped to them.

    Returns
    -------
    Layout
        A missing view leaves its pane without candidates. In the tray are the images that no pane of
        any stage takes: of the study, then of the priors that panes show.
    """
    search = _Search(study, priors, protocol)
    numbers = search.numbers
    stage = min(max(stage, 0), len(numbers) - 1)
    chosen = protocol.stages[numbers[stage]]
    return Layout(
        protocol=protocol.name,
        protocol_title=protocol.title,
        stage=stage,
        stages=len(numbers),
        stage_title=chosen.title,
        rows=chosen.rows,
        columns=chosen.columns,
        panes=tuple(search.pane(rule) for rule in chosen.panes),
        tray=search.tray,
        number=numbers[stage],
        stage_titles=tuple(protocol.stages[number].title for number in numbers),
        sizing=chosen.sizing,
        walk=chosen.walk,
    )


def stages_of(study: Study, priors: tuple[Study, ...], protocol: Protocol) -> tuple[int, ...]:
    """Return which stages of a protocol find something, by their place in it; the first if none does.

    A stage finds something where one of its needed panes does, or any where none is needed.
    """
    return _Search(study, priors, protocol).numbers


def nearest(numbers: tuple[int, ...], number: int) -> int:
    """Return where among stages that find something one stands by its number; else the one before it."""
    return max((place for place, each in enumerate(numbers) if each <= number), default=0)


def reading_order(
    study: Study, protocol: Protocol, priors: tuple[Study, ...] = ()
) -> tuple[tuple[Image, ...], tuple[Image, ...], tuple[Image, ...]]:
    """Return the images of a study in the order in which a reader comes to them.

    Returns
    -------
    (first choices, others, priors)
        The best image of each pane through the stages; then other candidates, then the tray; the best
        images of the panes that ask for priors.
    """
    search = _Search(study, priors, protocol)
    own = [search.found(rule) for rule in search.rules if rule.prior == 0]
    first = {images[0].key: images[0] for images in own if images}
    others = {image.key: image for images in own for image in images}
    others |= {image.key: image for image in search.left(study)}
    earlier = [search.found(rule) for rule in search.rules if rule.prior]
    before = {images[0].key: images[0] for images in earlier if images}
    return (
        tuple(first.values()),
        tuple(others[key] for key in others if key not in first),
        tuple(before.values()),
    )


def stage_with(
    study: Study, protocol: Protocol, key: tuple[str, str], priors: tuple[Study, ...] = ()
) -> int | None:
    """Return the first stage (as `hang` counts them) in which a pane takes an image, or None."""
    search = _Search(study, priors, protocol)
    for place, number in enumerate(search.numbers):
        rules = protocol.stages[number].panes
        if any(image.key == key for rule in rules for image in search.found(rule)):
            return place
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


@dataclass(frozen=True)
class _Search:
    """What a study and its priors have for the panes of a protocol, each request answered once."""

    study: Study
    priors: tuple[Study, ...]
    protocol: Protocol

    @cached_property
    def _answers(self) -> dict[object, tuple[Image, ...]]:
        return {}

    def found(self, rule: PaneRule) -> tuple[Image, ...]:
        """Return the images for a pane, best first.

        A prior is the n-th earlier study that has such an image, not the n-th study: a later exam of
        one breast does not hide the earlier one of both.
        """
        asked = (rule.laterality, rule.view, rule.prior, rule.modifiers, rule.tile)
        if asked not in self._answers:
            self._answers[asked] = self._images(rule)
        return self._answers[asked]

    def _images(self, rule: PaneRule) -> tuple[Image, ...]:
        if rule.prior == 0:
            return candidates(self.study.images, rule)
        having = [images for prior in self.priors if (images := candidates(prior.images, rule))]
        return having[rule.prior - 1] if rule.prior <= len(having) else ()

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """Places in the protocol of the stages that find something; the first if none does."""
        stages = self.protocol.stages
        return tuple(n for n, stage in enumerate(stages) if self._finds(stage)) or (0,)

    def _finds(self, stage: Stage) -> bool:
        needed = [rule for rule in stage.panes if rule.needed] or stage.panes
        return any(self.found(rule) for rule in needed)

    @property
    def rules(self) -> tuple[PaneRule, ...]:
        """The panes of all stages that find something, in their order."""
        return tuple(rule for number in self.numbers for rule in self.protocol.stages[number].panes)

    def pane(self, rule: PaneRule) -> LayoutPane:
        """Return a pane with its images."""
        images = self.found(rule)
        prior = self._study_of(images[0]) if rule.prior and images else None
        label = prior_label(prior.date, self.study.date) if prior is not None else ""
        return LayoutPane(rule.row, rule.column, rule.wants, images, label)

    def _study_of(self, image: Image) -> Study | None:
        return next((prior for prior in self.priors if image in prior.images), None)

    @property
    def tray(self) -> tuple[Image, ...]:
        """What no pane takes, of the study and of the priors that panes show."""
        shown = [
            self._study_of(images[0]) for rule in self.rules if rule.prior and (images := self.found(rule))
        ]
        priors = [prior for prior in self.priors if prior in shown]
        return tuple(image for study in (self.study, *priors) for image in self.left(study))

    def left(self, study: Study) -> tuple[Image, ...]:
        """Return the images of a study that no pane takes."""
        taken = {image.key for rule in self.rules for image in self.found(rule)}
        return tuple(image for image in study.images if image.key not in taken)
