"""The look: neutral greys, one accent, one style sheet; every colour of the program stands here.

Contrast of text against its ground is at least 4.5 : 1 (WCAG 2.2, 1.4.3); `contrast` computes it,
and a test holds the palette to it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

BLACK: Final = "#000000"
"""Around the images: the darkest the monitor gives."""
WINDOW: Final = "#0a0a0a"
PANEL: Final = "#141414"
RAISED: Final = "#1d1d1d"
LINE: Final = "#2a2a2a"
HOVER: Final = "#242424"
TEXT: Final = "#c8c8c8"
QUIET: Final = "#8a8a8a"
DISABLED: Final = "#5a5a5a"
ACCENT: Final = "#4fb3c8"
ACCENT_TEXT: Final = "#93d6e4"
"""The accent for letters over an image, which need more light than lines."""
ACCENT_GROUND: Final = "#142529"
WARNING: Final = "#d9a441"
WARNING_GROUND: Final = "#241d10"
WORSE: Final = "#e07a6e"
"""What is shown to have got worse; always with a word beside it."""
TRUTH: Final = "#f2f2f2"

UNIT: Final = 4
"""Spacing grid in logical pixels; every margin is a multiple."""
BAR: Final = 40
STATUS: Final = 24
SMALL: Final = 11
BASE: Final = 12
TITLE: Final = 13
"""Font sizes in logical pixels; TITLE is set semi-bold."""

PREFERRED: Final = ("Inter", "Noto Sans", "Open Sans", "Cantarell", "Liberation Sans", "DejaVu Sans")
"""Families tried where the platform names none of its own (a bare Linux, off-screen)."""


def contrast(text: str, ground: str) -> float:
    """Return the WCAG 2.2 contrast ratio of two ``#rrggbb`` colours, 1..21."""
    light, dark = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2), 0..1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def family() -> str:
    """Return the sans serif to use: the platform's own, or the first preferred one installed."""
    platform = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    resolved = QFontInfo(platform).family()
    if platform.family() not in ("Sans Serif", "", "Sans") and resolved != "DejaVu Sans":
        return resolved
    installed = set(QFontDatabase.families())
    return next((name for name in PREFERRED if name in installed), resolved)


@lru_cache(maxsize=32)
def font(size: int = BASE, *, strong: bool = False) -> QFont:
    """Return the interface font at `size` logical pixels with tabular figures; shared, not to be changed."""
    made = QFont(QApplication.font().family())
    made.setPixelSize(size)
    made.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def palette() -> QPalette:
    """Return the dark palette for what the style sheet does not reach."""
    made = QPalette()
    role = QPalette.ColorRole
    colours = {
        role.Window: WINDOW,
        role.Base: PANEL,
        role.AlternateBase: RAISED,
        role.Button: RAISED,
        role.ToolTipBase: RAISED,
        role.WindowText: TEXT,
        role.Text: TEXT,
        role.ButtonText: TEXT,
        role.ToolTipText: TEXT,
        role.BrightText: TEXT,
        role.PlaceholderText: QUIET,
        role.Highlight: ACCENT_GROUND,
        role.HighlightedText: TEXT,
        role.Link: ACCENT,
        role.Light: LINE,
        role.Midlight: LINE,
        role.Mid: LINE,
        role.Dark: WINDOW,
        role.Shadow: BLACK,
    }
    for which, colour in colours.items():
        made.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, which, QColor(DISABLED))
    return made


def apply(application: QApplication) -> None:
    """Dress the application, once: style, palette, font and style sheet."""
    if application.styleSheet() == SHEET:
        return
    application.setStyle("Fusion")
    application.setPalette(palette())
    base = QFont(family())
    base.setPixelSize(BASE)
    base.setFeature(QFont.Tag("tnum"), 1)
    application.setFont(base)
    font.cache_clear()
    application.setStyleSheet(SHEET)


SHEET: Final = f"""
* {{ outline: none; }}
QMainWindow, QDialog {{ background: {WINDOW}; }}
QWidget {{ color: {TEXT}; font-size: {BASE}px; }}
QLabel {{ background: transparent; }}
QLabel[role="title"] {{ font-size: {TITLE}px; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="quiet"] {{ color: {QUIET}; }}
QLabel[role="section"] {{ color: {QUIET}; font-size: {SMALL}px; font-weight: 600; }}
QLabel[role="figure"] {{ font-size: 22px; font-weight: 600; }}
QLabel[role="warning"] {{ color: {WARNING}; }}
QLabel[role="banner"] {{ color: {WARNING}; background: {WARNING_GROUND}; border-left: 2px solid {WARNING};
    padding: 8px; }}
QFrame#bar {{ background: {PANEL}; border: none; border-bottom: 1px solid {LINE}; }}
QFrame#status {{ background: {PANEL}; border: none; border-top: 1px solid {LINE}; }}
QFrame#status QLabel {{ color: {QUIET}; font-size: {SMALL}px; }}
QFrame#status QLabel[role="standing"] {{ color: {WARNING}; }}
QFrame#left {{ background: {PANEL}; border: none; border-right: 1px solid {LINE}; }}
QFrame#right {{ background: {PANEL}; border: none; border-left: 1px solid {LINE}; }}
QFrame#rule {{ background: {LINE}; border: none; max-height: 1px; min-height: 1px; }}
QFrame#gap {{ background: {LINE}; border: none; max-width: 1px; min-width: 1px; }}
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QToolButton {{ background: transparent; border: none; border-radius: 4px; padding: 4px; }}
QToolButton:hover {{ background: {HOVER}; }}
QToolButton:pressed {{ background: {LINE}; }}
QToolButton:checked {{ background: {ACCENT_GROUND}; color: {ACCENT}; }}
QToolButton:focus {{ background: {HOVER}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[role="fold"] {{ color: {QUIET}; font-size: {SMALL}px; font-weight: 600; padding: 4px 0;
    text-align: left; }}
QToolButton[role="fold"]:hover,
QToolButton[role="fold"]:checked:hover {{ background: transparent; color: {TEXT}; }}
QToolButton[role="fold"]:checked {{ background: transparent; color: {QUIET}; }}
QFrame[role="choice"] {{ background: {WINDOW}; border: 1px solid {LINE}; border-radius: 4px; }}
QFrame[role="choice"]:focus {{ border-color: {ACCENT}; }}
QFrame[role="choice"] QToolButton {{ padding: 0 2px; border-radius: 3px; }}
QPushButton {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px; padding: 4px 12px;
    min-height: 20px; }}
QPushButton:hover {{ background: {HOVER}; }}
QPushButton:pressed {{ background: {LINE}; }}
QPushButton:focus {{ border-color: {ACCENT}; }}
QPushButton:default {{ border-color: {ACCENT}; color: {ACCENT}; }}
QPushButton:disabled {{ color: {DISABLED}; border-color: {LINE}; }}
QPushButton[role="line"], QPushButton[role="list"] {{ text-align: left; padding: 4px 8px; }}
QPushButton[role="line"]:checked {{ background: {ACCENT_GROUND}; color: {ACCENT}; }}
QLineEdit, QSpinBox, QDoubleSpinBox, QPlainTextEdit {{ background: {WINDOW}; border: 1px solid {LINE};
    border-radius: 4px; padding: 4px 8px; min-height: 20px; selection-background-color: {ACCENT_GROUND};
    selection-color: {TEXT}; }}
QLineEdit {{ lineedit-clear-button-icon: url(icons:x.svg); }}
QSpinBox QLineEdit, QDoubleSpinBox QLineEdit {{ background: transparent; border: none; padding: 0; }}
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {{
    width: 0; border: none; }}
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled {{ color: {QUIET};
    background: {PANEL}; }}
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QPlainTextEdit:focus {{ border-color: {ACCENT}; }}
QComboBox {{ background: {RAISED}; border: 1px solid {LINE}; border-radius: 4px; padding: 0 8px;
    min-height: 26px; combobox-popup: 0; }}
QComboBox:hover {{ background: {HOVER}; }}
QComboBox:focus {{ border-color: {ACCENT}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url(icons:caret-down.svg); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {RAISED}; border: 1px solid {LINE}; padding: 4px;
    selection-background-color: {ACCENT_GROUND}; selection-color: {TEXT}; }}
QComboBox QAbstractItemView::item {{ min-height: 24px; padding: 0 4px; border: none; }}
QComboBox QAbstractItemView::item:selected {{ background: {ACCENT_GROUND}; color: {TEXT}; }}
QCheckBox {{ spacing: 8px; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {QUIET}; border-radius: 3px;
    background: {WINDOW}; }}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; image: url(icons:check.svg); }}
QCheckBox::indicator:focus {{ border-color: {ACCENT}; }}
QRadioButton {{ spacing: 8px; }}
QRadioButton:disabled {{ color: {DISABLED}; }}
QRadioButton::indicator {{ width: 12px; height: 12px; border: 1px solid {QUIET}; border-radius: 7px;
    background: {WINDOW}; }}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 4px solid {ACCENT};
    background: {WINDOW}; }}
QRadioButton::indicator:focus {{ border-color: {ACCENT}; }}
QRadioButton::indicator:disabled {{ border-color: {DISABLED}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: 4px; }}
QMenu::item {{ padding: 4px 24px 4px 8px; border-radius: 4px; min-height: 20px; }}
QMenu::item:selected {{ background: {ACCENT_GROUND}; }}
QMenu::item:disabled {{ color: {DISABLED}; }}
QMenu::icon {{ padding-left: 4px; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: 4px; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: 4px; }}
QAbstractItemView {{ background: transparent; border: none; selection-background-color: {ACCENT_GROUND};
    selection-color: {TEXT}; }}
QHeaderView::section {{ background: {PANEL}; color: {QUIET}; border: none; padding: 4px 8px; }}
QTabBar::tab {{ background: transparent; color: {QUIET}; padding: 4px 12px;
    border-bottom: 2px solid transparent; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom: 2px solid {ACCENT}; }}
QTabWidget::pane {{ border: none; }}
QSlider {{ min-height: 20px; }}
QSlider::groove:horizontal {{ height: 2px; background: {LINE}; border-radius: 1px; }}
QSlider::sub-page:horizontal {{ background: {QUIET}; border-radius: 1px; }}
QSlider::handle:horizontal {{ background: {TEXT}; width: 10px; height: 10px; margin: -4px 0;
    border-radius: 5px; }}
QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
QProgressBar {{ background: {LINE}; border: none; border-radius: 1px; max-height: 2px; min-height: 2px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: 1px; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
QScrollBar::handle {{ background: {LINE}; border-radius: 4px; min-height: 24px; min-width: 24px; }}
QScrollBar::handle:hover {{ background: {DISABLED}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {LINE}; }}
"""
