"""Line icons of one family (Phosphor, from the QtAwesome package), drawn in the theme's greys.

The font file and its character map are read straight from the package's folder: importing
``qtawesome`` itself costs 0.2 s of every start, and one family is all that is used.
"""

from __future__ import annotations

import json
import sys
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from PySide6.QtCore import QDir, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from app.ui import theme

SIZE: Final = 20
"""Edge of an icon in logical pixels."""

_FONT: Final = "phosphor-1.3.0.ttf"
_MAP: Final = "phosphor-charmap-1.3.0.json"


@lru_cache(maxsize=1)
def _glyphs() -> tuple[str, dict[str, str]]:
    """Return (font family, name -> character); an empty family where the package is missing."""
    spec = find_spec("qtawesome")
    places = spec.submodule_search_locations if spec else None
    frozen = getattr(sys, "_MEIPASS", None)
    for place in (*(places or ()), *((f"{frozen}/qtawesome",) if frozen else ())):
        folder = Path(place) / "fonts"
        if (folder / _FONT).is_file() and (folder / _MAP).is_file():
            number = QFontDatabase.addApplicationFont(str(folder / _FONT))
            families = QFontDatabase.applicationFontFamilies(number)
            names = json.loads((folder / _MAP).read_text(encoding="utf-8"))
            return families[0] if families else "", {n: chr(int(code, 16)) for n, code in names.items()}
    return "", {}


def available(name: str) -> bool:
    """Return whether the family was loaded and holds `name`, for example ``magnifying-glass``."""
    family, glyphs = _glyphs()
    return bool(family) and name in glyphs


class _Engine(QIconEngine):
    """Draws one glyph at any size and device pixel ratio, in a colour per state."""

    def __init__(self, name: str, colour: str, checked: str) -> None:
        super().__init__()
        self._name, self._colour, self._checked = name, colour, checked

    def paint(self, painter: QPainter, rect, mode: QIcon.Mode, state: QIcon.State) -> None:  # type: ignore[override]
        colour = self._checked if state == QIcon.State.On else self._colour
        draw(painter, QRectF(rect), self._name, theme.DISABLED if mode == QIcon.Mode.Disabled else colour)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        made = QPixmap(size)
        if made.isNull():  # a button squeezed to nothing
            return made
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, made.rect(), mode, state)
        painter.end()
        return made

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._colour, self._checked)


def draw(painter: QPainter, rect: QRectF, name: str, colour: str) -> None:
    """Draw one icon centred in `rect` (logical pixels)."""
    family, glyphs = _glyphs()
    if name not in glyphs:
        return
    font = QFont(family)
    font.setPixelSize(max(1, round(min(rect.width(), rect.height()))))
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    painter.setFont(font)
    painter.setPen(QColor(colour))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), glyphs[name])
    painter.restore()


@lru_cache(maxsize=256)
def icon(name: str, colour: str = theme.TEXT, checked: str = theme.ACCENT) -> QIcon:
    """Return the line icon `name`; in `checked` colour when its button is on."""
    return QIcon(_Engine(name, colour, checked))


def install_search_path() -> None:
    """Make ``resources/icons`` reachable as ``icons:NAME.svg``: style sheets take addresses only."""
    QDir.setSearchPaths("icons", [str(Path(str(files("resources"))) / "icons")])
