"""The second looks at the open study: never those of another one."""

from __future__ import annotations

from typing import Protocol, cast

from PySide6.QtCore import QObject, Signal, SignalInstance, Slot

from app.core.imaging.image import Study
from app.core.reading.findings import SecondLook


class Inference(Protocol):
    """What is asked of `app.services.inference`: a QObject with the signal ``look_changed(SecondLook)``."""

    def run(self, study: Study, models: tuple[str, ...] | None) -> object:
        """Start a second look at a study; None asks all models that are installed."""

    def cancel(self) -> object:
        """Stop what is running."""


class Looks(QObject):
    """Second looks at one study, by model; an answer for another study is dropped.

    Signals
    -------
    changed(tuple of SecondLook)
    """

    changed = Signal(object)

    def __init__(self, inference: Inference | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._inference = inference
        self._study: Study | None = None
        self._asked = False
        self._looks: dict[str, SecondLook] = {}
        if inference is not None:
            cast("SignalInstance", inference.look_changed).connect(self._take)  # type: ignore[attr-defined]

    @property
    def present(self) -> bool:
        """True when there is anything that could run."""
        return self._inference is not None

    @property
    def asked(self) -> bool:
        """True once a second look at this study was asked for."""
        return self._asked

    @property
    def all(self) -> tuple[SecondLook, ...]:
        """What models say about the study, in the order they were heard."""
        return tuple(self._looks.values())

    def begin(self, study: Study | None) -> None:
        """Turn to another study: what runs is stopped, what is known is not shown until asked for."""
        self.cancel()
        self._study = study
        self._asked = False
        if self._looks:
            self._looks = {}
            self.changed.emit(())

    def amend(self, study: Study) -> None:
        """Take new facts of the same study (assigned by hand); looks at the old facts are dropped."""
        if study != self._study:
            self.begin(study)

    def run(self, models: tuple[str, ...]) -> None:
        """Ask models (none named: all) for a second look at the study."""
        if self._inference is not None and self._study is not None:
            self._asked = True
            self._inference.run(self._study, models or None)

    def cancel(self) -> None:
        """Stop a second look that runs."""
        if self._inference is not None and self._asked:
            self._inference.cancel()

    @Slot(object)
    def _take(self, look: SecondLook) -> None:
        if not self._asked or self._study is None or look.study_key != self._study.key:
            return
        keys = {image.key for image in self._study.images}
        if any(view.key not in keys for view in look.views):
            return
        self._looks = {**self._looks, look.model.name: look}
        self.changed.emit(self.all)
