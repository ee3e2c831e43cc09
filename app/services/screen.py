"""The screen's transitions: each takes a frozen `ScreenState` and returns the next; pure.

`linked` carries a change to all panes: windows relative to each image's own default, zoom by the same
factor, pan by the same millimetres and mirrored between the breasts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.core.hanging.layout import Layout, justify_of, top_of
from app.core.imaging.image import Image, Study
from app.services.state import Base, PaneState, ScreenState, Sizing, ViewportState, WindowState

STRETCH_RANGE = (0.01, 100.0)
SHIFT_RANGE = (-50.0, 50.0)
ZOOM_RANGE = (0.05, 64.0)
JUMP_ZOOM = 2.0
CLOSE_PANES = 2
"""A view counts as seen once it stood on a screen of at most so many panes, or at actual pixels."""

Remembered = Mapping[tuple[str, str], ViewportState]
"""How each image of the study was last shown, by its key."""
Change = Callable[[PaneState], PaneState]


def screen_of(layout: Layout, study: Study, generation: int, remembered: Remembered) -> ScreenState:
    """Return the screen for a layout: every pane shows its best candidate, justified."""
    panes = []
    for pane in layout.panes:
        empty = PaneState(pane.row, pane.column, pane.wants, pane.candidates)
        shown = _showing(empty, 0, remembered, layout.sizing) if pane.candidates else empty
        panes.append(shown)
    filled = [index for index, pane in enumerate(panes) if pane.candidates]
    return ScreenState(
        generation=generation,
        study=study,
        protocol=layout.protocol,
        protocol_title=layout.protocol_title,
        stage=layout.stage,
        stages=layout.stages,
        stage_title=layout.stage_title,
        rows=layout.rows,
        columns=layout.columns,
        panes=tuple(panes),
        active=filled[0] if filled else 0,
        tray=layout.tray,
        number=layout.number,
        stage_titles=layout.stage_titles,
        sizing=layout.sizing,
        walk=layout.walk,
    )


def visible(screen: ScreenState) -> tuple[int, ...]:
    """Return the indices of the panes that can be seen: all, or the one that fills the grid."""
    return tuple(range(len(screen.panes))) if screen.single is None else (screen.single,)


def pane_of(screen: ScreenState, key: tuple[str, str]) -> int | None:
    """Return the pane that shows an image, else the first that has it among its candidates, else None."""
    for index, pane in enumerate(screen.panes):
        if pane.viewport.image is not None and pane.viewport.image.key == key:
            return index
    for index, pane in enumerate(screen.panes):
        if any(image.key == key for image in pane.candidates):
            return index
    return None


def closely_seen(screen: ScreenState) -> set[tuple[tuple[str, str], int]]:
    """Return (image key, frame) of what stands on a screen of at most two panes, or at actual pixels."""
    panes = [screen.panes[index] for index in visible(screen) if index < len(screen.panes)]
    views = [pane.viewport for pane in panes]
    few = len(views) <= CLOSE_PANES
    return {
        (view.image.key, view.frame)
        for view in views
        if view.image is not None and (few or view.sizing == "actual" or _beyond_actual(view))
    }


def _beyond_actual(view: ViewportState) -> bool:
    return view.sizing == "free" and view.base == "actual" and view.zoom >= 1.0


def paged(screen: ScreenState, index: int, step: int, remembered: Remembered) -> ScreenState:
    """Show the next candidate of a pane, round and round."""
    count = len(screen.panes[index].candidates)
    if count < 2:
        return screen
    return _with(
        screen, index, lambda pane: _showing(pane, (pane.shown + step) % count, remembered, screen.sizing)
    )


def shown_in(screen: ScreenState, index: int, image: Image, remembered: Remembered) -> ScreenState:
    """Show an image in a pane; one that is no candidate there is its guest, the last, until `was_reset`."""

    def show(pane: PaneState) -> PaneState:
        keys = [candidate.key for candidate in pane.candidates]
        if image.key not in keys:
            pane = replace(pane, candidates=(*pane.candidates, image), guests=pane.guests + 1)
        number = keys.index(image.key) if image.key in keys else len(keys)
        return _showing(pane, number, remembered, screen.sizing)

    return _with(screen, index, show)


def completed(screen: ScreenState, image: Image) -> ScreenState:
    """Put the facts that only pixels told in the place of an image's header facts."""

    def fill(pane: PaneState) -> PaneState:
        if all(candidate.key != image.key for candidate in pane.candidates):
            return pane
        candidates = tuple(image if each.key == image.key else each for each in pane.candidates)
        shown = candidates[pane.shown]
        viewport = replace(pane.viewport, image=shown)
        return replace(
            pane, candidates=candidates, viewport=viewport, justify=justify_of(shown), top=top_of(shown)
        )

    tray = tuple(image if each.key == image.key else each for each in screen.tray)
    return replace(screen, panes=tuple(fill(pane) for pane in screen.panes), tray=tray)


def dated(screen: ScreenState, prior: Callable[[Image], str]) -> ScreenState:
    """Label each pane with the age of the study its image is of, as `prior` words it."""

    def label(pane: PaneState) -> PaneState:
        words = "" if pane.viewport.image is None else prior(pane.viewport.image)
        return pane if words == pane.prior else replace(pane, prior=words)

    return replace(screen, panes=tuple(label(pane) for pane in screen.panes))


def of_one(screen: ScreenState, is_own: Callable[[Image], bool]) -> tuple[ScreenState, bool]:
    """Take images that are not of the patient out of all panes and the tray; tell whether there were any."""
    everything = (*(image for pane in screen.panes for image in pane.candidates), *screen.tray)
    if all(is_own(image) for image in everything):
        return screen, False

    def own(pane: PaneState) -> PaneState:
        kept = tuple(image for image in pane.candidates if is_own(image))
        if len(kept) == len(pane.candidates):
            return pane
        guests = sum(is_own(image) for image in pane.candidates[len(pane.candidates) - pane.guests :])
        fresh = PaneState(pane.row, pane.column, pane.wants, kept, guests=guests)
        return _showing(fresh, 0, {}, screen.sizing) if kept else fresh

    panes = tuple(own(pane) for pane in screen.panes)
    tray = tuple(image for image in screen.tray if is_own(image))
    return replace(screen, panes=panes, tray=tray), True


def window_dragged(screen: ScreenState, index: int, shift: float, factor: float, linked: bool) -> ScreenState:
    """Move the window by `shift` (in widths of the image's own) and stretch it by `factor`."""

    def drag(pane: PaneState) -> PaneState:
        old = pane.viewport.window
        new = replace(
            old,
            shift=_clip(old.shift + shift, SHIFT_RANGE),
            stretch=_clip(old.stretch * factor, STRETCH_RANGE),
        )
        return _view(pane, window=new)

    return _each(screen, index, linked, drag)


def voi_chosen(screen: ScreenState, index: int, voi: int, linked: bool) -> ScreenState:
    """Choose a VOI alternative of a pane's image; linked panes take theirs of the same name, else number."""
    names = voi_names(screen.panes[index])
    if not 0 <= voi < len(names):
        return screen
    name = names[voi]

    def choose(pane: PaneState) -> PaneState:
        own = voi_names(pane)
        same = [number for number, each in enumerate(own) if name and each == name]
        number = same[0] if same else voi
        return _view(pane, window=WindowState(number)) if number < len(own) else pane

    chosen = _each(screen, index, linked, choose)
    return _with(chosen, index, lambda pane: _view(pane, window=WindowState(voi)))


def voi_names(pane: PaneState) -> tuple[str, ...]:
    """Return the file's names of the VOI alternatives of the image in a pane; one for the automatic."""
    image = pane.viewport.image
    if image is None:
        return ()
    own = image.grey_of(pane.viewport.frame).voi
    return tuple(voi.explanation for voi in own) or ("automatic",)


def sized(screen: ScreenState, index: int, sizing: Sizing, linked: bool) -> ScreenState:
    """Show at a sizing, justified again; ``free`` comes from zooming and changes nothing here."""
    if sizing == "free":
        return screen
    return _each(
        screen,
        index,
        linked,
        lambda pane: _view(pane, sizing=sizing, base=sizing, zoom=1.0, pan=(0.0, 0.0), focus=None),
    )


def zoomed(
    screen: ScreenState, index: int, factor: float, anchor: tuple[float, float], linked: bool
) -> ScreenState:
    """Zoom by a factor about a point that keeps its place on the screen.

    `anchor` is (rows, columns) in hung millimetres from the justified origin of pane `index` (see
    `app.core.hanging.placement.anchor_of`); other panes zoom about the same place of their own breast.
    """
    source = screen.panes[index]

    def zoom(pane: PaneState) -> PaneState:
        old = pane.viewport
        new_zoom = _clip(old.zoom * factor, ZOOM_RANGE)
        ratio = new_zoom / old.zoom
        at = _anchor_in(pane, source, anchor)
        pan = ((at[0] + old.pan[0]) / ratio - at[0], (at[1] + old.pan[1]) / ratio - at[1])
        base = old.base if old.sizing == "free" else old.sizing
        return _view(pane, sizing="free", base=base, zoom=new_zoom, pan=pan)

    return _each(screen, index, linked, zoom)


def panned(screen: ScreenState, index: int, rows: float, columns: float, linked: bool) -> ScreenState:
    """Move the picture on the screen by millimetres, positive down and right as the reader sees it."""
    source = screen.panes[index]
    view = source.viewport
    rows = -rows if view.flip_v else rows
    columns = -columns if view.flip_h else columns

    def pan(pane: PaneState) -> PaneState:
        if not _same_unit(pane, source):
            return pane
        old = pane.viewport.pan
        return _view(pane, pan=(old[0] + rows, old[1] + columns * _mirror(pane, source)))

    return _each(screen, index, linked, pan)


def inverted(screen: ScreenState, index: int) -> ScreenState:
    """Swap black and white in one pane."""
    return _with(screen, index, lambda pane: _view(pane, invert=not pane.viewport.invert))


def flipped(screen: ScreenState, index: int, axis: str) -> ScreenState:
    """Mirror one pane left to right (``h``) or top to bottom (``v``)."""
    if axis == "h":
        return _with(screen, index, lambda pane: _view(pane, flip_h=not pane.viewport.flip_h))
    return _with(screen, index, lambda pane: _view(pane, flip_v=not pane.viewport.flip_v))


def was_reset(screen: ScreenState, index: int, linked: bool) -> ScreenState:
    """Show as hung: own window, the stage's size, justified, no flip, inversion or guest; the frame stays."""

    def reset(pane: PaneState) -> PaneState:
        if pane.has_guest:
            return _without_guests(pane, screen.sizing)
        view = pane.viewport
        kept = pane.candidates[: len(pane.candidates) - pane.guests]
        fresh = replace(_as_hung(screen.sizing), image=view.image, frame=view.frame)
        return replace(pane, candidates=kept, guests=0, viewport=fresh)

    return _each(screen, index, linked, reset)


def _without_guests(pane: PaneState, sizing: Base) -> PaneState:
    """Return a pane that shows its first own candidate again, or nothing if it had none."""
    own = replace(pane, candidates=pane.candidates[: len(pane.candidates) - pane.guests], guests=0)
    if own.candidates:
        return _showing(own, 0, {}, sizing)
    return replace(own, shown=0, viewport=ViewportState(), justify="none", top=False)


def framed(screen: ScreenState, index: int, step: int) -> ScreenState:
    """Go on by frames, stopping at the first and the last."""
    image = screen.panes[index].viewport.image
    if image is None:
        return screen
    frame = min(max(screen.panes[index].viewport.frame + step, 0), image.frames - 1)
    return _with(screen, index, lambda pane: _view(pane, frame=frame))


def focused(
    screen: ScreenState, index: int, box: tuple[float, float, float, float], frame: int | None = None
) -> ScreenState:
    """Hold the centre of a box (edges at pixel corners, stored pixels) at the pane's centre.

    A pane that the reader has not zoomed is shown at twice its size.
    """
    centre = ((box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5)

    def focus(pane: PaneState) -> PaneState:
        view = pane.viewport
        if view.sizing in ("same", "fit"):
            pane = _view(pane, sizing="free", base=view.sizing, zoom=JUMP_ZOOM)
        return _view(pane, focus=centre, pan=(0.0, 0.0), frame=view.frame if frame is None else frame)

    return _with(screen, index, focus)


def looking_at(screen: ScreenState, index: int, point: tuple[float, float]) -> ScreenState:
    """Show a pane at actual pixels with a stored (row, col) at its centre."""
    return _with(
        screen,
        index,
        lambda pane: _view(pane, sizing="actual", base="actual", zoom=1.0, pan=(0.0, 0.0), focus=point),
    )


def to_remember(view: ViewportState) -> ViewportState:
    """Return what stays with an image while its study is open: window, frame, flips, inversion."""
    return ViewportState(
        image=view.image,
        frame=view.frame,
        window=view.window,
        invert=view.invert,
        flip_h=view.flip_h,
        flip_v=view.flip_v,
    )


def _as_hung(sizing: Base) -> ViewportState:
    return ViewportState(sizing=sizing, base=sizing)


def _showing(pane: PaneState, number: int, remembered: Remembered, sizing: Base) -> PaneState:
    image = pane.candidates[number]
    view = remembered.get(image.key, ViewportState())
    return replace(
        pane,
        shown=number,
        viewport=replace(to_remember(view), image=image, sizing=sizing, base=sizing),
        justify=justify_of(image),
        top=top_of(image),
    )


def _with(screen: ScreenState, index: int, change: Change) -> ScreenState:
    panes = list(screen.panes)
    panes[index] = change(panes[index])
    return replace(screen, panes=tuple(panes))


def _each(screen: ScreenState, index: int, linked: bool, change: Change) -> ScreenState:
    if not linked:
        return _with(screen, index, change)
    return replace(
        screen, panes=tuple(change(pane) if pane.viewport.image else pane for pane in screen.panes)
    )


def _view(
    pane: PaneState,
    *,
    frame: int | None = None,
    window: WindowState | None = None,
    sizing: Sizing | None = None,
    **changes: object,
) -> PaneState:
    named = {"frame": frame, "window": window, "sizing": sizing}
    given = {name: value for name, value in named.items() if value is not None}
    viewport: ViewportState = replace(pane.viewport, **given, **changes)  # type: ignore[arg-type]
    return replace(pane, viewport=viewport)


def _mirror(pane: PaneState, source: PaneState) -> int:
    return -1 if {pane.justify, source.justify} == {"left", "right"} else 1


def _same_unit(pane: PaneState, source: PaneState) -> bool:
    images = (pane.viewport.image, source.viewport.image)
    return len({image.spacing is None for image in images if image is not None}) == 1


def _anchor_in(pane: PaneState, source: PaneState, anchor: tuple[float, float]) -> tuple[float, float]:
    """Return the place of a pane's own breast that answers to an anchor in the source pane.

    Places compare only where both panes are justified; else the pane's own centre of view stays.
    """
    if pane is source:
        return anchor
    comparable = pane.viewport.focus is None and source.viewport.focus is None
    if not comparable or not _same_unit(pane, source):
        return (-pane.viewport.pan[0], -pane.viewport.pan[1])
    return (anchor[0], anchor[1] * _mirror(pane, source))


def _clip(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
