"""A second window: only images and a thin bar, for another stage of the same study on another monitor."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import QPoint, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from app.core.hanging.placement import sizing_label
from app.services.companion import Companion
from app.services.state import ScreenState
from app.ui import identity, menus, theme, wording
from app.ui.bar_parts import Elided
from app.ui.bindings import resolve
from app.ui.commands import Commands
from app.ui.dialogs import DIALOGS
from app.ui.export import Export
from app.ui.grid import Grid
from app.ui.hanging_choice import HangingChoice
from app.ui.icons import SIZE, icon
from app.ui.overlays.corner_text import zoom_of
from app.ui.places import first_size
from app.ui.reading_window import ReadingWindow

START: Final = (1200, 900)
"""Logical pixels where there is one monitor only."""
NARROWEST: Final = (640, 400)
MESSAGE_MS: Final = 10_000
"""How long a message stands in the bar."""


class SecondWindow(ReadingWindow):
    """Shows a companion of the main window's session.

    What a command asks of the window and is not here (panels, dialogs of files, the report) is the main
    window's. Closed, it is kept hidden and shows nothing, until it is opened again.
    """

    def __init__(self, main, number: int) -> None:
        super().__init__()
        self.main = main
        self.name = f"window-{number}"
        self.session = Companion(main.session, self.name)
        self.commands = SecondCommands(self)
        self.bindings = resolve(self.session.settings.key_bindings)
        self.actions_by_id = menus.make_actions(self, self.commands)
        menus.bind(self.actions_by_id, self.bindings)
        self._message_end = QTimer(self, singleShot=True)
        self._message_end.timeout.connect(lambda: self.top_bar.message.write(""))
        self._build(number)
        self._connect()

    def __getattr__(self, name: str) -> Any:
        """Return what only the main window has; private names are never looked for there."""
        if name.startswith("_") or name == "main":
            raise AttributeError(name)
        return getattr(self.main, name)

    def _build(self, number: int) -> None:
        self.setWindowTitle(f"Mammoview, window {number}")
        self.setWindowIcon(QIcon("icons:mammoview.svg"))
        self.setMinimumSize(*NARROWEST)
        self.resize(first_size(self, START))
        self.top_bar = SecondBar(self.actions_by_id, menus.main_menu(self, self.actions_by_id))
        self.grid = Grid(self.session)
        self.export = Export(self)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self.grid, 1)
        self.setCentralWidget(whole)
        self.grid.setFocus()

    def _connect(self) -> None:
        session = self.session
        for signal in (
            session.screen_changed,
            session.linked_changed,
            session.overlay_changed,
            session.looks_changed,
            session.tool_changed,
        ):
            signal.connect(lambda _: self.refresh())
        session.settings_changed.connect(self._rebind)
        session.work.changed.connect(self._name_changes)
        session.message.connect(self._say)
        self.export.message.connect(self._say)
        self.grid.scenes_changed.connect(self._describe)
        self.grid.menu_asked.connect(self.open_pane_menu)
        self.top_bar.hanging.protocol_chosen.connect(session.set_protocol)
        self.top_bar.hanging.stage_chosen.connect(session.set_stage)
        self.top_bar.hanging.left.connect(self.grid.setFocus)

    # Showing

    def refresh(self) -> None:
        """Show the companion's state in the bar and in what is ticked."""
        protocols = tuple((protocol.name, protocol.title) for protocol in self.session.protocols)
        self.top_bar.present(self.session.screen, protocols, masked=self.session.settings.mask_names)
        menus.refresh(self.actions_by_id, self.commands)
        self._describe()

    def _describe(self) -> None:
        scene = self.grid.active_scene
        text = ""
        if scene is not None and scene.frame is not None and scene.affine is not None:
            size = sizing_label(scene.frame.image, scene.pane.viewport, scene.screen)
            text = f"×{zoom_of(scene):.2f}  {size}"
        self.top_bar.size_in_force.setText(text)

    def _say(self, sentence: str) -> None:
        self.top_bar.message.write(sentence)
        self._message_end.start(MESSAGE_MS)

    def _name_changes(self, state) -> None:
        menus.name_changes(self.actions_by_id, state, self.bindings)

    def _rebind(self, settings) -> None:
        self.bindings = resolve(settings.key_bindings)
        menus.bind(self.actions_by_id, self.bindings)
        self._name_changes(self.session.work.state)
        self.refresh()

    # What commands ask of a window

    @property
    def has_bars(self) -> bool:
        """True while the bar is open."""
        return not self.top_bar.isHidden()

    def fold_bars(self) -> None:
        """Fold or open the bar; that this is for research stays in the images' corner."""
        is_open = self.has_bars
        self.top_bar.setVisible(not is_open)
        self.grid.set_research_note(is_open)
        self.refresh()

    def show_dialog(self, name: str) -> None:
        """Open one of the dialogs by its name, on this window's monitor."""
        DIALOGS[name](self).open()

    def focus_next_panel(self) -> None:
        """Give the keyboard to the main window, where the panels are."""
        self.main.activateWindow()
        self.main.focus_next_panel()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.main.places.keep(self.name, self)
        self.session.close()
        super().closeEvent(event)


class SecondCommands(Commands):
    """The slots of the action table for a second window."""

    def quit(self) -> None:
        """Close the workstation, not this window alone."""
        self._window.main.close()

    def close_window(self) -> None:
        """Close this window alone."""
        self._window.close()


class SecondBar(QFrame):
    """Who is shown, how it hangs, at which size."""

    def __init__(self, actions: dict, menu: QMenu) -> None:
        super().__init__()
        self.setObjectName("bar")
        self.setFixedHeight(theme.BAR)
        self._menu = menu
        self._button = QToolButton()
        self._button.setIcon(icon("list"))
        self._button.setIconSize(QSize(SIZE, SIZE))
        self._button.setToolTip("Menu  (F10)")
        self._button.setAccessibleName("Menu")
        self._button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._button.clicked.connect(self.open_menu)
        # Who is read must be readable here too.
        self.patient, self.visit = Elided("title", kept=200), Elided("quiet")
        self.hanging = HangingChoice(actions)
        self.message = Elided("warning")
        self.size_in_force, research = QLabel(), QLabel(wording.RESEARCH)
        self.size_in_force.setAccessibleName("size")
        research.setProperty("role", "quiet")
        line = QHBoxLayout(self)
        line.setContentsMargins(8, 0, 12, 0)
        line.setSpacing(12)
        for part in (self._button, self.patient, self.visit, self.hanging):
            line.addWidget(part)
        line.addWidget(self.message, 1)
        line.addWidget(self.size_in_force)
        line.addWidget(research)

    def present(
        self, screen: ScreenState, protocols: tuple[tuple[str, str], ...], *, masked: bool = False
    ) -> None:
        """Show whose images these are and how they hang."""
        study = screen.study
        if study is None:
            self.patient.write("")
            self.visit.write("")
        else:
            self.patient.write(identity.of_study(study, masked=masked))
            self.visit.write("" if wording.of_nobody(study) else wording.day(study.date))
        self.hanging.present(screen, protocols)

    def open_menu(self) -> None:
        """Open the menu below its button."""
        self._menu.popup(self._button.mapToGlobal(QPoint(0, self._button.height() + 4)))

    def open_protocols(self) -> None:
        """Open the list of hanging protocols."""
        self.hanging.open_protocols()


class OtherWindows:
    """The second windows of a main window, made when asked for and then kept."""

    def __init__(self, main) -> None:
        self._main = main
        self._all: list[SecondWindow] = []

    @property
    def all(self) -> tuple[SecondWindow, ...]:
        """Those that were ever opened."""
        return tuple(self._all)

    def open(self) -> SecondWindow:
        """Open one more window, where it stood before, else on a monitor that has none."""
        window = next((each for each in self._all if not each.isVisible()), None)
        if window is None:
            window = SecondWindow(self._main, len(self._all) + 2)
            self._all.append(window)
        window.session.open()
        window.refresh()
        if not self._main.places.restore(window.name, window):
            self._put_beside(window)
        window.show()
        return window

    def close(self) -> None:
        """Close all of them."""
        for window in self._all:
            if window.isVisible():
                window.close()

    def _put_beside(self, window: SecondWindow) -> None:
        taken = {each.screen() for each in (self._main, *self._all) if each.isVisible()}
        free = [screen for screen in QGuiApplication.screens() if screen not in taken]
        if free:
            window.setGeometry(free[0].availableGeometry())
            window.setWindowState(Qt.WindowState.WindowMaximized)
