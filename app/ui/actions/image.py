"""How an image is shown."""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action


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
    Action(
        "true_size",
        "True size",
        "Image",
        ("Shift+4",),
        "monitor",
        "A millimetre of the breast is a millimetre on the screen",
        check="is_true",
        method="size",
        argument="true",
    ),
    Action(
        "calibrate",
        "Calibrate monitor…",
        "Image",
        (),
        "",
        "Measure a line with a ruler, for true size",
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
)
