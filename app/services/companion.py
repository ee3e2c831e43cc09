"""A second screen of the study that a session reads: stages and panes of its own, all else the session's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Slot

from app.core.hanging.hang import choose_protocol
from app.core.settings import Settings
from app.services import screen as move
from app.services.hangings import Hangings
from app.services.library import ImageKey
from app.services.state import ScreenState

if TYPE_CHECKING:
    from app.services.session import Session


class Companion(Hangings):
    """What a second window shows: another stage or protocol of the session's study.

    It has its own hanging, active pane, windows, zooms and flips. What it does not have itself (overlays,
    tool, settings, marks, second looks, the list of studies) is the session's, under the same names, so
    that whatever draws a session draws this too.

    Parameters
    ----------
    session
        The main one; its study is followed.
    name
        Tells several companions apart for the library; not empty.
    """

    def __init__(self, session: Session, name: str) -> None:
        super().__init__(session.library, session.linked, session.protocols, session)
        self._session = session
        self._owner = name
        self._is_open = False
        session.screen_changed.connect(self._follow)
        session.settings_changed.connect(self._take_settings)
        session.library.frame_ready.connect(self._on_frame)
        session.library.frame_failed.connect(self._on_failure)
        self.screen_changed.connect(session.saw)

    def __getattr__(self, name: str) -> Any:
        """Return what only the session has; private names are never looked for there."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._session, name)

    @property
    def is_open(self) -> bool:
        """Whether it follows the session; it shows nothing else."""
        return self._is_open

    def open(self) -> None:
        """Begin to follow: the session's protocol, at the stage after the session's."""
        if self._is_open:
            return
        self._is_open = True
        self._follow()
        main = self._session.screen
        if main.study is not None:
            self.set_protocol(main.protocol)
            self.set_stage(min(main.stage + 1, self._screen.stages - 1))

    def close(self) -> None:
        """Show nothing, and hold no frame in memory; `open` begins again."""
        self._is_open = False
        self._show(ScreenState(generation=self._screen.generation + 1))

    @Slot()
    def _follow(self) -> None:
        """Hang what the session reads now, in the protocol and near the stage that stand here."""
        study, here = self._session.screen.study, self._screen
        if not self._is_open or study is here.study:
            return
        self._collection, self._study_of = self._session.collection, self._session.study_of
        if study is None:
            self._show(ScreenState(generation=here.generation + 1))
            return
        if here.study is None or here.study.key != study.key:
            self._views.clear()
        protocol = self._protocol(here.protocol)
        if protocol is None:
            protocol = choose_protocol(study, self._protocols, self._session.settings.protocol)
        self._hang(study, protocol, self._stage_near(study, protocol, here.number))

    @Slot(object)
    def _take_settings(self, settings: Settings) -> None:
        self.set_linked(settings.linked)

    @Slot(object, int)
    def _on_frame(self, key: ImageKey, frame: int) -> None:
        pixels = self._library.present(key, frame)
        if self._is_open and pixels is not None and self._library.image(key) is not None:
            self._show(move.completed(self._screen, pixels.image))
            self._session.saw(self._screen)

    @Slot()
    def _on_failure(self) -> None:
        self._session.saw(self._screen)
