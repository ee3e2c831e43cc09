"""The one table of actions: menus, tool bar, shortcuts and the F1 sheet are built from it.

An action names its slot on the main window's `Commands`; what a key does is said here and
nowhere else. Keys can be remapped through ``Settings.key_bindings`` (see `app.ui.bindings`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GROUPS: Final = ("File", "Study", "Hanging", "Image", "Tools", "Overlays", "Second look", "Window")
"""Menu titles, in order."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the reader can ask for.

    Attributes
    ----------
    id
        Stable name. `app.ui.commands.Commands` has a method of this name, or of the name `method`,
        that does it; `argument` is passed to it when not None.
    keys
        Portable key sequences (`QKeySequence.PortableText`), the first one is shown.
    icon
        Phosphor name, or empty.
    bar
        True when it has a button in the top bar.
    check
        Name of the `Commands` property that says whether it is on; empty for plain actions.
    hold
        True when it works while the key is held down.
    """

    id: str
    text: str
    group: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    bar: bool = False
    check: str = ""
    hold: bool = False
    method: str = ""
    argument: object = None


def _presets() -> tuple[Action, ...]:
    return tuple(
        Action(
            f"preset_{n}",
            f"Window {n} of the file",
            "Image",
            (str(n),),
            method="preset",
            argument=n - 1,
            tip=f"The file's {n}. grey-scale alternative, by its name",
        )
        for n in range(1, 10)
    )


ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "open_folder", "Open folder…", "File", ("Ctrl+O",), "folder-open", "Open every study below a folder"
    ),
    Action(
        "open_files", "Open files…", "File", ("Ctrl+Shift+O",), "files", "Open single files or a DICOMDIR"
    ),
    Action("cancel", "Stop", "File", ("Esc",), "x", "Stop opening or analysing; leave the single image"),
    Action("settings", "Settings…", "File", ("Ctrl+,",), "gear", "Preferences and keys"),
    Action("quit", "Quit", "File", ("Ctrl+Q",), "", "Close the workstation"),
    Action(
        "next_study",
        "Next study",
        "Study",
        ("PgDown",),
        "caret-double-right",
        "Open the next study of the list",
    ),
    Action(
        "previous_study", "Previous study", "Study", ("PgUp",), "caret-double-left", "Open the study before"
    ),
    Action("mark_read", "Mark read", "Study", ("K",), "check-circle", "Mark this study as read"),
    Action("next_unread", "Next unread", "Study", ("U",), "skip-forward", "Open the next study not yet read"),
    Action(
        "search", "Search studies", "Study", ("Ctrl+F",), "magnifying-glass", "Find a patient, id or date"
    ),
    Action(
        "assign",
        "About this image…",
        "Study",
        ("Ctrl+E",),
        "tag",
        "Say by hand which breast and view this is, and of a picture its origin and pixel size",
    ),
    Action(
        "next_stage", "Next stage", "Hanging", ("Space", "."), "caret-right", "Next screenful of the protocol"
    ),
    Action(
        "previous_stage", "Previous stage", "Hanging", ("Shift+Space", ","), "caret-left", "Screenful before"
    ),
    Action(
        "protocol", "Choose protocol", "Hanging", ("Ctrl+P",), "squares-four", "Choose the hanging protocol"
    ),
    Action(
        "next_candidate", "Next image of this pane", "Hanging", ("Right",), "stack", "Page to the next image"
    ),
    Action(
        "previous_candidate",
        "Previous image of this pane",
        "Hanging",
        ("Left",),
        "",
        "Page to the image before",
    ),
    Action("next_frame", "Next frame", "Hanging", ("Down",), "", "Next frame of a multi-frame image"),
    Action("previous_frame", "Previous frame", "Hanging", ("Up",), "", "Frame before"),
    Action("next_pane", "Next pane", "Hanging", ("E",), "", "Make the next pane the active one"),
    Action(
        "previous_pane", "Previous pane", "Hanging", ("Shift+E",), "", "Make the pane before the active one"
    ),
    Action(
        "single",
        "One image",
        "Hanging",
        ("Return",),
        "corners-out",
        "This pane alone, and back (double click)",
        bar=True,
        check="is_single",
    ),
    Action(
        "same_size",
        "Same size",
        "Image",
        ("Shift+1",),
        "ruler",
        "All images at one millimetre scale",
        bar=True,
        check="is_same",
        method="size",
        argument="same",
    ),
    Action(
        "fit",
        "Fit to pane",
        "Image",
        ("F", "Shift+2"),
        "arrows-out",
        "The whole image in its pane",
        bar=True,
        check="is_fit",
        method="size",
        argument="fit",
    ),
    Action(
        "actual",
        "Actual pixels",
        "Image",
        ("Shift+3",),
        "frame-corners",
        "One image pixel on one screen pixel",
        bar=True,
        check="is_actual",
        method="size",
        argument="actual",
    ),
    Action("zoom_in", "Zoom in", "Image", ("+", "="), "", "Larger, about the centre of the pane"),
    Action("zoom_out", "Zoom out", "Image", ("-",), "", "Smaller, about the centre of the pane"),
    Action(
        "invert",
        "Invert",
        "Image",
        ("I",),
        "circle-half",
        "Black for white; the air stays black",
        bar=True,
        check="is_inverted",
    ),
    Action(
        "flip_h",
        "Flip left-right",
        "Image",
        ("H",),
        "arrows-left-right",
        "Mirror this pane (badge FLIPPED)",
        method="flip",
        argument="h",
    ),
    Action(
        "flip_v",
        "Flip up-down",
        "Image",
        ("V",),
        "arrows-down-up",
        "Turn this pane over (badge FLIPPED)",
        method="flip",
        argument="v",
    ),
    Action(
        "reset",
        "Reset",
        "Image",
        ("R",),
        "arrow-counter-clockwise",
        "Window, size and flips as hung",
        bar=True,
    ),
    *_presets(),
    Action(
        "tool_window",
        "Window",
        "Tools",
        ("W",),
        "sun-dim",
        "Left drag: right wider, up brighter",
        bar=True,
        check="is_window",
        method="tool",
        argument="window",
    ),
    Action(
        "tool_pan",
        "Pan",
        "Tools",
        ("G",),
        "hand",
        "Left drag moves the image (also middle drag)",
        bar=True,
        check="is_pan",
        method="tool",
        argument="pan",
    ),
    Action(
        "tool_zoom",
        "Zoom",
        "Tools",
        ("Z",),
        "magnifying-glass-plus",
        "Left drag up enlarges at the cursor (also right drag)",
        bar=True,
        check="is_zoom",
        method="tool",
        argument="zoom",
    ),
    Action(
        "tool_magnifier",
        "Magnifier",
        "Tools",
        ("Shift+M",),
        "magnifying-glass",
        "Left press shows true pixels under the cursor",
        bar=True,
        check="is_magnifier",
        method="tool",
        argument="magnifier",
    ),
    Action(
        "magnify",
        "Magnifier while held",
        "Tools",
        ("M",),
        "",
        "True pixels under the cursor while held",
        hold=True,
    ),
    Action(
        "linked",
        "Link panes",
        "Tools",
        ("Ctrl+L",),
        "link",
        "Window, zoom and pan move all panes together",
        bar=True,
        check="is_linked",
    ),
    Action(
        "corner",
        "Corner text: short, full, off",
        "Overlays",
        ("T",),
        "text-aa",
        "Cycle the text in the corners",
    ),
    Action(
        "overlays",
        "Hide everything over the image",
        "Overlays",
        ("O",),
        "eye-slash",
        "Pixels alone, and back",
        check="is_bare",
    ),
    Action(
        "truth",
        "Known lesions",
        "Overlays",
        ("Shift+T",),
        "target",
        "Truth of a synthetic exam, in white dashes",
        check="is_truth",
    ),
    Action(
        "second_look",
        "Second look: run, marks on or off",
        "Second look",
        ("A",),
        "sparkle",
        "Run the reading set on this study; then show or hide its marks",
        bar=True,
        check="is_marked",
    ),
    Action(
        "heat_map",
        "Heat map",
        "Second look",
        ("Shift+A",),
        "fire",
        "Model evidence over the image",
        bar=True,
        check="is_heated",
    ),
    Action(
        "more_marks",
        "Lower the score threshold",
        "Second look",
        ("[",),
        "",
        "More marks",
        method="threshold",
        argument=-0.05,
    ),
    Action(
        "fewer_marks",
        "Raise the score threshold",
        "Second look",
        ("]",),
        "",
        "Fewer marks",
        method="threshold",
        argument=0.05,
    ),
    Action("next_finding", "Next finding", "Second look", ("X",), "", "Jump to the next finding"),
    Action(
        "previous_finding", "Previous finding", "Second look", ("Shift+X",), "", "Jump to the finding before"
    ),
    Action(
        "panels",
        "Side panels",
        "Window",
        ("Tab",),
        "columns",
        "Fold or open both side panels",
        check="has_panels",
    ),
    Action("bars", "Bars", "Window", ("F11",), "rows", "Fold or open the bars", check="has_bars"),
    Action(
        "focus_next", "Keyboard to the next panel", "Window", ("F6",), "", "Study list, images, second look"
    ),
    Action("menu", "Menu", "Window", ("F10",), "list", "Open the menu"),
    Action("keys", "Keys", "Window", ("F1",), "keyboard", "Every action and its key"),
    Action("about", "About Mammoview", "Window", (), "info", "Version, licences, research use only"),
)
"""Every action of the program, in menu order."""


def by_id(name: str) -> Action:
    """Return the action called `name`; KeyError where there is none."""
    return BY_ID[name]


BY_ID: Final = {action.id: action for action in ACTIONS}
