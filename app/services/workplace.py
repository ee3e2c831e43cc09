"""What is at hand for the open study: overlays, tool, preferences, the reader's work, second looks.

The upper middle of the session: between the panes with their hanging and the going from study to study.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from PySide6.QtCore import QObject, Signal, Slot

from app.core.hanging.protocols import Protocol
from app.core.imaging.image import Collection, Image, Study
from app.core.reading.findings import SecondLook
from app.core.reading.store import Store
from app.core.settings import Settings
from app.services import maps
from app.services import screen as move
from app.services.hangings import Hangings
from app.services.library import ImageKey, Library
from app.services.looks import Inference, Looks
from app.services.marking import Marking
from app.services.measuring import Measuring
from app.services.seen import Seen
from app.services.state import OverlayState, ScreenState, Tool
from app.services.work import ReaderWork
from app.services.worklist import studies_of


class Workplace(Hangings):
    """Holds what goes with the open study and changes it; parameters as of `app.services.session.Session`.

    Signals
    -------
    overlay_changed(OverlayState), tool_changed(str), looks_changed(tuple of SecondLook),
    reads_changed(frozenset of study keys), settings_changed(Settings)
    """

    overlay_changed = Signal(object)
    tool_changed = Signal(str)
    looks_changed = Signal(object)
    reads_changed = Signal(object)
    settings_changed = Signal(object)

    def __init__(
        self,
        library: Library,
        looks: Inference | None,
        settings: Settings,
        protocols: tuple[Protocol, ...] | None,
        parent: QObject | None,
        store: Store | None,
    ) -> None:
        super().__init__(library, settings.linked, protocols, parent)
        self._settings = settings
        self._refused = (*self._refused, *settings.notes)
        self._overlay = OverlayState(corner=settings.corner)
        self._tool: Tool = "window"
        self._unseen: set[ImageKey] = set()
        self._looks = Looks(looks, self)
        self._looks.changed.connect(self.looks_changed)
        self._work = ReaderWork(self, store, settings.reader)
        self._work.reads_changed.connect(self.reads_changed)
        self._seen = Seen()
        self._work.message.connect(self.message)
        self._marking = Marking(self._work, self._study_key, lambda: self._settings.reader)
        self._measuring = Measuring(library, self)
        self.screen_changed.connect(self._look_closer)
        library.frame_failed.connect(self._look_closer)

    # What is

    @property
    def collection(self) -> Collection:
        """All that was opened."""
        return self._collection

    @property
    def studies(self) -> tuple[Study, ...]:
        """All studies in reading order: patients as found, each newest first."""
        return studies_of(self._collection)

    @property
    def overlay(self) -> OverlayState:
        """What is drawn above the pixels."""
        return self._overlay

    @property
    def tool(self) -> Tool:
        """What the left mouse button does."""
        return self._tool

    @property
    def looks(self) -> tuple[SecondLook, ...]:
        """What models say about the open study; empty until asked for."""
        return self._looks.all

    @property
    def work(self) -> ReaderWork:
        """The reader's marks, key images and report."""
        return self._work

    @property
    def seen(self) -> Seen:
        """What was on screen at actual pixels."""
        return self._seen

    @property
    def marking(self) -> Marking:
        """Draws and changes marks, answers findings."""
        return self._marking

    @property
    def measuring(self) -> Measuring:
        """Knows the grey values inside marks."""
        return self._measuring

    @property
    def reads(self) -> frozenset[str]:
        """Keys of the studies that were marked as read."""
        return self._work.reads

    @property
    def settings(self) -> Settings:
        """The preferences."""
        return self._settings

    # Overlays, tool, preferences

    def set_tool(self, name: str) -> None:
        """Choose what the left mouse button does, by a name of `Tool`."""
        for tool in get_args(Tool):
            if tool == name != self._tool:
                self._tool = tool
                self.tool_changed.emit(name)

    def set_overlay(self, **changes: object) -> None:
        """Change fields of `OverlayState`.

        Raises
        ------
        TypeError
            For a field it does not have.
        """
        overlay: OverlayState = replace(self._overlay, **changes)  # type: ignore[arg-type]
        if overlay != self._overlay:
            self._overlay = overlay
            self.overlay_changed.emit(overlay)

    def show_heat_map(self, shown: bool, model: str = "") -> None:
        """Show or hide heat maps: of a model by name, else of the first within its training domain.

        Where no model is within its domain this is the request that its map waits for. One that failed its
        tests waits to be asked for by name.
        """
        asked = model or self._overlay.map_of
        if shown and maps.held_back(self.looks, asked):
            asked = maps.on_request(self.looks, asked)
            if not asked and maps.hidden(self.looks, asked):
                self.message.emit(maps.HIDDEN.format(model=maps.hidden(self.looks, asked)))
        self.set_overlay(heatmap=shown, map_of=asked)

    def set_settings(self, settings: Settings) -> None:
        """Take other preferences; the hanging on screen stays until the next study."""
        self._settings = settings
        self._library.set_cache_mib(settings.cache_mib)
        self._work.set_reader(settings.reader)
        self.settings_changed.emit(settings)
        self.set_overlay(corner=settings.corner)
        self.set_linked(settings.linked)

    # The second look

    def analyse(self, models: tuple[str, ...] | None = None) -> None:
        """Ask for a second look at the open study: models by name, None the reading set."""
        if self._screen.study is None:
            self.message.emit("There is nothing to analyse.")
        elif not self._looks.present:
            self.message.emit("No models are installed.")
        else:
            self._looks.run(models or self._settings.models)

    def cancel_analysis(self) -> None:
        """Stop a second look that runs."""
        self._looks.cancel()

    def saw(self, screen: ScreenState) -> None:
        """Take note of what was seen in another window; the second look comes after the last view."""
        self._strike_off(screen)

    # Within

    def _study_key(self, image: Image) -> str | None:
        """Return the key of the study of an image; None: it is not open any more."""
        study = self._study_of.get(image.key)
        return None if study is None else study.key

    @Slot()
    def _look_closer(self) -> None:
        self._strike_off(self._screen)

    def _strike_off(self, screen: ScreenState) -> None:
        """Strike off the views seen closely; the second look comes after the last, if so wished."""
        seen = move.closely_seen(screen)
        self._unseen -= {key for key, frame in seen if self._library.settled(key, frame)}
        wished = self._settings.second_look == "after every view has been seen"
        if wished and not self._unseen and not self._looks.asked and self._screen.study is not None:
            self.analyse()
