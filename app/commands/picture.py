"""Pictures of the real main window, off-screen, once everything in it has settled."""

from __future__ import annotations

from pathlib import Path

from app.commands.output import write_bytes
from app.commands.window import Workstation
from app.core.errors import MammoviewError

OPEN_S = 600.0
DECODE_S = 120.0
ANALYSE_S = 900.0
"""How long opening, decoding and a second look may take before the picture is given up."""


def open_and_hang(workstation: Workstation, paths: list[Path]) -> None:
    """Open paths and wait until a study hangs; `MammoviewError` where nothing readable is found."""
    workstation.session.open_paths(paths)
    workstation.settle(lambda: not workstation.library.opening, OPEN_S, str(paths[0]))
    if workstation.session.screen.study is None:
        left = workstation.library.collection.left_out
        reason = left[0].reason if len(left) == 1 else "no readable mammogram found"
        raise MammoviewError(f"{paths[0]}: {reason}")


def settle(workstation: Workstation) -> None:
    """Wait until every visible pane is painted from its full decode and no model runs."""
    grid = workstation.window.grid
    workstation.settle(lambda: grid.loading[0] == grid.loading[1], DECODE_S, "decoding")
    looks = workstation.session
    workstation.settle(lambda: all(one.state != "running" for one in looks.looks), ANALYSE_S, "analysis")
    workstation.settle(lambda: not workstation.library.busy, DECODE_S, "decoding")


def analysed(workstation: Workstation, models: tuple[str, ...] | None) -> None:
    """Ask for a second look and wait for it; `MammoviewError` with the reason if every model failed."""
    workstation.session.analyse(models)
    settle(workstation)
    looks = workstation.session.looks
    if looks and all(look.state == "failed" for look in looks):
        raise MammoviewError(f"{looks[0].model.name}: {'; '.join(looks[0].remarks) or 'failed'}")


def take(workstation: Workstation, out: Path) -> None:
    """Write a PNG of the main window as it is."""
    settle(workstation)
    write_bytes(out, png_of(workstation.window.grab()))


def png_of(pixmap) -> bytes:  # type: ignore[no-untyped-def]
    """Return a QPixmap as the bytes of a PNG."""
    from PySide6.QtCore import QBuffer, QIODevice

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    pixmap.save(buffer, "PNG")
    return bytes(buffer.data().data())
