"""Measuring, marking, and answering what models propose."""

from __future__ import annotations

from typing import Final

from app.core.reading.annotations import Decision
from app.ui.commands.group import Group

DRAWING: Final = ("length", "angle", "rectangle", "ellipse", "polygon", "arrow", "text", "nipple")
"""Tools that make marks."""


class MarksCommands(Group):
    """Slots of the menu Marks."""

    def undo(self) -> None:
        """Take the last change back; of an open stroke its last point."""
        if not self._window.grid.step_back():
            self._session.work.undo()

    def redo(self) -> None:
        self._session.work.redo()

    def draw(self, name: str) -> None:
        """Choose a drawing tool; what it draws is to be seen."""
        self._session.set_tool(name)
        self._session.set_overlay(marks=True)

    def delete_mark(self) -> None:
        """Delete the selected mark where it can be seen, or the last point of an open stroke."""
        if self._window.grid.step_back():
            return
        selected = self._session.work.state.selected
        if not selected:
            self._session.message.emit("No mark is selected.")
        elif self._window.grid.view_of(selected) is None:
            self._session.message.emit("The selected mark is not on screen: choose it in the list of marks.")
        else:
            self._session.work.remove(selected)

    def rename_mark(self) -> None:
        state = self._session.work.state
        view = self._window.grid.view_of(state.selected)
        if not state.selected:
            self._session.message.emit("No mark is selected.")
        elif view is None:
            self._window.panels["MarksPanel"].rename(state.selected)
        else:
            view.marks.write_on(state.find(state.selected))

    def marks(self) -> None:
        self._session.set_overlay(marks=not self._session.overlay.marks)

    @property
    def is_marks(self) -> bool:
        return bool(self._session.overlay.marks)

    def answer(self, decision: Decision) -> None:
        """Accept, correct or reject the finding that is chosen in the second look."""
        if not self._window.second_look.answer(decision):
            self._session.message.emit("No finding is chosen (Next finding chooses one).")

    def stop_drawing(self) -> bool:
        """Drop the stroke in hand, else put the drawing tool away, else let go of the selected mark."""
        if self._window.grid.drop_stroke():
            return True
        if self._session.tool in DRAWING:
            self._session.set_tool("window")
            return True
        if self._session.work.state.selected:
            self._session.work.select("")
            return True
        return False

    @property
    def is_length(self) -> bool:
        return self._session.tool == "length"

    @property
    def is_angle(self) -> bool:
        return self._session.tool == "angle"

    @property
    def is_rectangle(self) -> bool:
        return self._session.tool == "rectangle"

    @property
    def is_ellipse(self) -> bool:
        return self._session.tool == "ellipse"

    @property
    def is_polygon(self) -> bool:
        return self._session.tool == "polygon"

    @property
    def is_arrow(self) -> bool:
        return self._session.tool == "arrow"

    @property
    def is_text(self) -> bool:
        return self._session.tool == "text"

    @property
    def is_nipple(self) -> bool:
        return self._session.tool == "nipple"
