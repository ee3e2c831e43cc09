"""The main window: puts bars, panels and grid together and connects them to the session. Thin."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QIcon
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from app.core.hanging.placement import sizing_label
from app.core.imaging.greyscale import voi_names
from app.core.imaging.image import Image
from app.core.reading.findings import ModelFacts
from app.ui import icons, menus, theme, wording
from app.ui.bindings import resolve
from app.ui.commands import Commands
from app.ui.dialogs import DIALOGS
from app.ui.export import Export
from app.ui.folding import FoldingWindow
from app.ui.grid import Grid
from app.ui.hand_back import HandBack
from app.ui.looking_inside import LookingInside
from app.ui.overlays.corner_text import zoom_of
from app.ui.panels import PANELS
from app.ui.places import Places, first_size
from app.ui.recent_menu import RecentMenu
from app.ui.second_window import OtherWindows
from app.ui.side_tabs import SideTabs
from app.ui.status_line import StatusLine
from app.ui.thumbnails import Thumbnails
from app.ui.top_bar import TopBar

WIDTHS: Final = {"left": 264, "right": 320}
"""Logical pixels of the side panels at first start."""
NARROWEST: Final = (1024, 600)
"""Logical pixels below which the top bar would not hold who is read."""
PICTURE: Final = (320, 240)
"""The same for an off-screen picture, whose size is asked for to the pixel."""
START: Final = (1600, 1000)
"""Logical pixels of the first window ever, where the screen has room for them."""
MESSAGE_MS: Final = 10_000
"""How long a message stands in the status line."""


class MainWindow(FoldingWindow):
    """The workstation's window.

    Parameters
    ----------
    session
        The one mutable object; everything shown comes from its signals.
    remember
        Restore and keep the window's geometry (QSettings); False for pictures and tests.
    """

    models_wanted = Signal()
    """Emitted when other models than before are installed; `show_models` is the answer."""
    models_changed = Signal()
    """Emitted when `models` gives others."""

    def __init__(self, session, *, remember: bool = True) -> None:
        super().__init__()
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        icons.install_search_path()
        theme.apply(application)
        self.session = session
        # An off-screen picture must not depend on, or change, how the reader left the window.
        self._off_screen = application.platformName() == "offscreen"
        self._remember = remember and not self._off_screen
        self._models: tuple[ModelFacts, ...] = ()
        self.inside: LookingInside | None = None
        """Asks what a model sees at a place; None where no model can be asked."""
        self._work = ""
        self._message_end = QTimer(self, singleShot=True)
        self._message_end.timeout.connect(lambda: self.status.write(message=""))
        self.commands = Commands(self)
        self.bindings = resolve(session.settings.key_bindings)
        self.actions_by_id = menus.make_actions(self, self.commands)
        menus.bind(self.actions_by_id, self.bindings)
        self._name_changes(self.session.work.state)
        self.thumbnails = Thumbnails(session.library, self)
        self.places = Places(QSettings("mammoview", "mammoview") if self._remember else None)
        self.others = OtherWindows(self)
        self.recent = RecentMenu(session, self, remember=self._remember)
        self._build()
        self._connect()
        self._restore()
        self.refresh()

    # Building

    def _build(self) -> None:
        self.setWindowTitle("Mammoview")
        self.setWindowIcon(QIcon("icons:mammoview.svg"))
        self.setAcceptDrops(True)
        self.setMinimumSize(*(PICTURE if self._off_screen else NARROWEST))
        self.top_bar = TopBar(self.actions_by_id, menus.main_menu(self, self.actions_by_id))
        self.grid = Grid(self.session)
        self.status = StatusLine()
        self.export = Export(self)
        self.panels = {panel.__name__: panel(self.session, self.thumbnails) for panel in PANELS}
        self.left, self.right = (self._side(side) for side in ("left", "right"))
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        for part in (self.left, self.grid, self.right):
            self.splitter.addWidget(part)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([WIDTHS["left"], 1000, WIDTHS["right"]])
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.top_bar)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.status)
        self.setCentralWidget(whole)
        self.grid.setFocus()

    def _side(self, side: str) -> QFrame:
        frame = QFrame()
        frame.setObjectName(side)
        frame.setMinimumWidth(200)
        column = QVBoxLayout(frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        panels = [panel for panel in self.panels.values() if side == panel.SIDE]
        turns = [panel for panel in panels if hasattr(panel, "TITLE")]
        if turns:
            self.right_tabs = SideTabs(turns)
            column.addWidget(self.right_tabs, 1)
        for panel in panels:
            if panel not in turns:
                column.addWidget(panel, panel.STRETCH)
        return frame

    def _connect(self) -> None:
        session = self.session
        for signal in (session.screen_changed, session.overlay_changed, session.looks_changed):
            signal.connect(lambda _: self.refresh())
        session.tool_changed.connect(lambda _: self.refresh())
        session.linked_changed.connect(lambda _: self.refresh())
        session.settings_changed.connect(self._rebind)
        session.work.changed.connect(self._name_changes)
        session.work.changed.connect(lambda state: self.status.warn_unsaved(state.refused))
        self.status.warn_unsaved(session.work.state.refused)
        session.message.connect(self._say)
        session.library.progress.connect(self._progress)
        session.library.opening_failed.connect(self.show_error)
        session.collection_changed.connect(lambda _: self._progress(0, 0))
        session.library.nothing_found.connect(lambda _: self._progress(0, 0))
        self.grid.scenes_changed.connect(self._describe)
        self.grid.menu_asked.connect(self.open_pane_menu)
        self.top_bar.hanging.protocol_chosen.connect(session.set_protocol)
        self.top_bar.hanging.stage_chosen.connect(session.set_stage)
        self.panels["TrayPanel"].assign_asked.connect(self.ask_assignment)
        self.report.left.connect(self.grid.setFocus)
        self.panels["StudiesPanel"].left.connect(self.grid.setFocus)
        self.top_bar.hanging.left.connect(self.grid.setFocus)
        HandBack(self, self.grid)
        self.report.save_asked.connect(self.commands.save_report)
        self.export.message.connect(self._say)
        self.grid.finding_pressed.connect(self.second_look.choose)
        self.second_look.findings.chosen.connect(lambda key, finding: self.grid.set_shown(key, finding.box))

    @property
    def second_look(self):
        """The panel of the second look."""
        return self.panels["SecondLookPanel"]

    @property
    def report(self):
        """The panel of the report."""
        return self.panels["ReportPanel"]

    def show_models(self, models: tuple[ModelFacts, ...]) -> None:
        """Take what models are installed; the panel names those of the reading set before they run."""
        self._models = tuple(models)
        self.second_look.present_models(self.reading_set)
        self.models_changed.emit()
        self.refresh()

    @property
    def models(self) -> tuple[ModelFacts, ...]:
        """All models that are installed, as far as was told."""
        return self._models

    @property
    def reading_set(self) -> tuple[ModelFacts, ...]:
        """The models that the second look asks: those named in the settings, else all."""
        named = self.session.settings.models
        return tuple(model for model in self._models if not named or model.name in named)

    # Showing

    def refresh(self) -> None:
        """Show the session's state in bars and buttons."""
        session = self.session
        protocols = tuple((protocol.name, protocol.title) for protocol in session.protocols)
        self.top_bar.present(session.screen, protocols, masked=session.settings.mask_names)
        self.top_bar.present_looks(session.looks)
        names = [look.model.name for look in session.looks] or [model.name for model in self.reading_set]
        self.status.write(models=f"reading set: {', '.join(names)}" if names else "")
        menus.refresh(self.actions_by_id, self.commands)
        self._describe()

    def _describe(self) -> None:
        """Write how the active pane is shown, and what is being worked on."""
        scene = self.grid.active_scene
        texts = {"window": "", "zoom": "", "size": "", "spacing": ""}
        if scene is not None and scene.frame is not None and scene.affine is not None:
            view, options = scene.pane.viewport, scene.frame.alternatives
            index = min(view.window.voi, len(options) - 1)
            voi = options[index]
            words = (wording.window_text(voi, view.window), voi_names(options)[index], wording.voi_shape(voi))
            texts["window"] = "  ".join(words)
            texts["zoom"] = f"×{zoom_of(scene):.2f}"
            texts["size"] = sizing_label(scene.frame.image, view, scene.screen)
            texts["spacing"] = wording.spacing_text(scene.frame.image)
        done, wanted = self.grid.loading
        work = self._work or (f"refining {done}/{wanted}" if done < wanted else "")
        self.status.write(**texts, work=work)

    @Slot(int, int)
    def _progress(self, done: int, total: int) -> None:
        self._work = f"opening {done}/{total}" if self.is_opening and total else ""
        self._describe()
        self.grid.update()

    def _say(self, sentence: str) -> None:
        """Write a message into the status line, for a while."""
        self.status.write(message=sentence)
        self._message_end.start(MESSAGE_MS)

    def _name_changes(self, state) -> None:
        menus.name_changes(self.actions_by_id, state, self.bindings)

    def _rebind(self, settings) -> None:
        self.bindings = resolve(settings.key_bindings)
        menus.bind(self.actions_by_id, self.bindings)
        self._name_changes(self.session.work.state)
        self.second_look.present_models(self.reading_set)
        self.refresh()

    @property
    def is_opening(self) -> bool:
        """True while the finder is at work."""
        return bool(self.session.library.opening)

    # Asking

    def ask_folder(self) -> None:
        """Ask for a folder and open it."""
        folder = QFileDialog.getExistingDirectory(self, "Open folder")
        if folder:
            self.session.open_paths([Path(folder)])

    def ask_files(self) -> None:
        """Ask for files and open them."""
        files, _ = QFileDialog.getOpenFileNames(self, "Open files")
        if files:
            self.session.open_paths([Path(name) for name in files])

    def show_dialog(self, name: str) -> None:
        """Open one of the dialogs by its name."""
        DIALOGS[name](self).open()

    def show_error(self, sentence: str) -> None:
        """Say what could not be done: the one message box."""
        DIALOGS["error"](self, sentence).open()

    def ask_assignment(self, image: Image) -> None:
        """Ask for laterality and view of an image."""
        DIALOGS["assign"](self, image).open()

    # Events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.session.open_paths(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.report.commit()
        self.others.close()
        self.places.keep("main", self)
        if self._remember:
            QSettings("mammoview", "mammoview").setValue("splitter", self.splitter.saveState())
        super().closeEvent(event)

    def _restore(self) -> None:
        self.resize(first_size(self, START))
        if self.places.restore("main", self):
            kept = QSettings("mammoview", "mammoview").value("splitter")
            if isinstance(kept, QByteArray):
                self.splitter.restoreState(kept)
