"""Qt actions, shortcuts and menus, all made from the action table."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from app.core.imaging.greyscale import voi_names
from app.core.reading.work import WorkState
from app.ui.actions import ACTIONS, BY_ID, GROUPS, Action
from app.ui.bindings import Bindings, tool_tip
from app.ui.commands import Commands
from app.ui.icons import icon
from app.ui.scene import Scene


def make_actions(window: QWidget, commands: Commands) -> dict[str, QAction]:
    """Return one `QAction` per row of the table, added to the window; `bind` gives them their keys."""
    made: dict[str, QAction] = {}
    for row in ACTIONS:
        action = QAction(icon(row.icon) if row.icon else icon(""), row.text, window)
        action.setObjectName(row.id)
        action.setCheckable(bool(row.check))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        if not row.hold:
            action.triggered.connect(lambda _=False, row=row: _do(commands, row))
        window.addAction(action)
        made[row.id] = action
    return made


def bind(actions: dict[str, QAction], bindings: Bindings) -> None:
    """Give the actions their keys and tool tips; a held key is followed by the main window instead."""
    for row in ACTIONS:
        action = actions[row.id]
        keys = () if row.hold else bindings.keys.get(row.id, ())
        action.setShortcuts([QKeySequence(key, QKeySequence.SequenceFormat.PortableText) for key in keys])
        action.setToolTip(tool_tip(row, bindings))
        action.setStatusTip(row.tip)


def refresh(actions: dict[str, QAction], commands: Commands) -> None:
    """Show which actions are on."""
    for row in ACTIONS:
        if row.check:
            is_on, action = bool(getattr(commands, row.check)), actions[row.id]
            if action.isChecked() != is_on:
                action.setChecked(is_on)


def name_changes(actions: dict[str, QAction], state: WorkState, bindings: Bindings) -> None:
    """Say in menu and tool tip what would be undone and done again."""
    for name, what in (("undo", state.undo), ("redo", state.redo)):
        action, row = actions[name], BY_ID[name]
        text = f"{row.text}: {what}" if what else row.text
        action.setText(text)
        action.setToolTip(tool_tip(replace(row, tip=what or row.tip), bindings))
        action.setEnabled(bool(what))


def main_menu(parent: QWidget, actions: dict[str, QAction]) -> QMenu:
    """Return the menu of all groups."""
    menu = QMenu(parent)
    for group in GROUPS:
        sub = menu.addMenu(group)
        for row in ACTIONS:
            if row.group == group:
                sub.addAction(actions[row.id])
    return menu


def pane_menu(parent: QWidget, actions: dict[str, QAction], scene: Scene, choose) -> QMenu:
    """Return the context menu of a pane: its grey-scale alternatives by name, flips, sizes, reset.

    `choose` is called with the 0-based number of an alternative.
    """
    menu = QMenu(parent)
    if any(mark.selected for mark in scene.marks):
        for name in ("rename_mark", "delete_mark"):
            menu.addAction(actions[name])
        menu.addSeparator()
    if scene.frame is not None:
        group = QActionGroup(menu)
        for number, name in enumerate(voi_names(scene.frame.alternatives)):
            entry = menu.addAction(f"{name}\t{number + 1}" if number < 9 else name)
            entry.setCheckable(True)
            entry.setChecked(number == scene.pane.viewport.window.voi)
            entry.triggered.connect(lambda _=False, number=number: choose(number))
            group.addAction(entry)
        menu.addSeparator()
    for name in (
        "same_size",
        "fit",
        "true_size",
        "actual",
        "",
        "invert",
        "flip_h",
        "flip_v",
        "reset",
        "",
        "single",
        "assign",
        "key_image",
        "copy_image",
        "look_inside",
    ):
        if name:
            menu.addAction(actions[name])
        else:
            menu.addSeparator()
    return menu


def _do(commands: Commands, row: Action) -> None:
    slot = getattr(commands, row.method or row.id)
    if row.argument is None:
        slot()
    else:
        slot(row.argument)
