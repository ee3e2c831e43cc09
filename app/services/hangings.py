"""Studies on screen: protocols, stages, and which image each pane shows; the middle of the session."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from app.core.hanging.catalogue import all_protocols
from app.core.hanging.hang import hang, nearest, stage_with, stages_of
from app.core.hanging.priors import can_be_of, prior_label, priors_of
from app.core.hanging.protocols import Protocol
from app.core.imaging.image import Image, Study
from app.services import screen as move
from app.services.library import ImageKey, Library
from app.services.panes import Panes
from app.services.same_window import taken_over
from app.services.state import ScreenState
from app.services.worklist import same_patient

Box = tuple[float, float, float, float]


class Hangings(Panes):
    """The open study under a hanging protocol.

    Signals
    -------
    message(sentence)
        For the status line: why something was not done.
    """

    message = Signal(str)

    def __init__(
        self,
        library: Library,
        linked: bool,
        protocols: tuple[Protocol, ...] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(library, linked, parent)
        self._refused: tuple[str, ...] = ()
        if protocols is None:
            protocols, self._refused = all_protocols()
        self._protocols = protocols
        self._collection = library.collection
        self._study_of: dict[ImageKey, Study] = {}

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The hanging protocols in menu order."""
        return self._protocols

    @property
    def refused(self) -> tuple[str, ...]:
        """One sentence for each hanging protocol, and each setting, that was wrong."""
        return self._refused

    @property
    def study_of(self) -> dict[ImageKey, Study]:
        """The study that each image of the collection is of."""
        return self._study_of

    def prior_of(self, image: Image) -> str:
        """Return ``PRIOR, -24 months`` for an image of another study than the open one; else nothing."""
        return self._age_beside(self._screen.study, image)

    def set_protocol(self, name: str) -> None:
        """Hang the open study with another protocol, at its first stage."""
        protocol = self._protocol(name)
        if protocol is None:
            self.message.emit(f"There is no hanging protocol {name}.")
        elif self._screen.study is not None:
            self._hang(self._screen.study, protocol, 0)

    def set_stage(self, stage: int) -> None:
        """Hang another stage of those that find something (0-based; nothing happens outside them)."""
        protocol = self._protocol(self._screen.protocol)
        if protocol is not None and self._screen.study is not None and 0 <= stage < self._screen.stages:
            self._hang(self._screen.study, protocol, stage)

    def next_stage(self) -> None:
        """Hang the next stage; nothing happens at the last."""
        self.set_stage(self._screen.stage + 1)

    def previous_stage(self) -> None:
        """Hang the stage before; nothing happens at the first."""
        self.set_stage(self._screen.stage - 1)

    def show_in(self, index: int, image: Image) -> None:
        """Show any image of the patient in a pane; one of an earlier study is marked as a prior."""
        if not self._has(index) or self._key is None:
            return
        if not self._is_own(image):
            self.message.emit("That image is of another patient.")
            return
        self._show(move.shown_in(self._screen, index, image, self._views))

    def jump_to(self, key: ImageKey, box: Box, frame: int | None = None) -> None:
        """Show the image of a finding or a mark, of a prior too, the middle of its box at the pane's centre.

        In the pane that shows it, else one that has it among its images, else in the first stage that
        has such a pane, else in the active pane.
        """
        study, image = self._screen.study, self._library.image(key)
        if image is None or not self._is_own(image):
            self.message.emit("That image is not of this patient.")
            return
        protocol = self._protocol(self._screen.protocol)
        if study is not None and protocol is not None and move.pane_of(self._screen, key) is None:
            stage = stage_with(study, protocol, key, self._priors(study))
            if stage is not None:
                self._hang(study, protocol, stage)
        found = move.pane_of(self._screen, key)
        index = self._screen.active if found is None else found
        state = self._screen
        showing = state.panes[index].viewport.image
        if showing is None or showing.key != key:
            state = move.shown_in(state, index, image, self._views)
        single = None if state.single is None else index
        self._show(replace(move.focused(state, index, box, frame), active=index, single=single))

    @property
    def _key(self) -> str | None:
        return self._screen.study.key if self._screen.study is not None else None

    def _protocol(self, name: str) -> Protocol | None:
        return next((each for each in self._protocols if each.name == name), None)

    def _priors(self, study: Study) -> tuple[Study, ...]:
        return priors_of(self._collection, study)

    def _is_own(self, image: Image) -> bool:
        """Tell whether an image is of the patient being read, by the collection and by its own facts."""
        study = self._screen.study
        if study is None or not can_be_of(image.patient, study.patient):
            return False
        return same_patient(self._collection, study.key, image)

    def _hang(self, study: Study, protocol: Protocol, stage: int) -> None:
        layout = hang(study, self._priors(study), protocol, stage)
        screen = move.screen_of(layout, study, self._screen.generation + 1, self._views)
        self._show(taken_over(screen, self._screen) if self._linked else screen)

    def _stage_near(self, study: Study, protocol: Protocol, number: int) -> int:
        """Return where a stage known by its place in the protocol comes among those that find something."""
        return nearest(stages_of(study, self._priors(study), protocol), number)

    def _show(self, screen: ScreenState) -> None:
        """Show a screen; whatever asked for it, an image of another patient is taken out and told."""
        current = screen.study
        if current is not None:
            facts = current.patient
            screen, strangers = move.of_one(screen, lambda image: can_be_of(image.patient, facts))
            if strangers:
                self.message.emit("An image of another patient was not shown.")

        super()._show(move.dated(screen, lambda image: self._age_beside(current, image)))

    def _age_beside(self, current: Study | None, image: Image) -> str:
        study = self._study_of.get(image.key)
        if study is None or current is None or study.key == current.key:
            return ""
        return prior_label(study.date, current.date)
