"""Linked panes show one window from stage to stage: a stage takes over that of the pane the reader left."""

from __future__ import annotations

from dataclasses import replace

from app.services.screen import voi_names
from app.services.state import PaneState, ScreenState, WindowState


def taken_over(screen: ScreenState, before: ScreenState) -> ScreenState:
    """Return a screen with the window of the active pane of the screen before, where both are of one study.

    Each image takes its own alternative of the same name, else of the same number, else keeps its window.
    """
    if screen.study is None or before.study is None or screen.study.key != before.study.key:
        return screen
    if not 0 <= before.active < len(before.panes):
        return screen
    source = before.panes[before.active]
    if source.viewport.image is None:
        return screen
    return replace(screen, panes=tuple(_like(pane, source) for pane in screen.panes))


def _like(pane: PaneState, source: PaneState) -> PaneState:
    wanted = source.viewport.window
    names, own = voi_names(source), voi_names(pane)
    name = names[wanted.voi] if wanted.voi < len(names) else ""
    number = own.index(name) if name and name in own else wanted.voi
    if number >= len(own):
        return pane
    window = WindowState(number, wanted.shift, wanted.stretch)
    return replace(pane, viewport=replace(pane.viewport, window=window))
