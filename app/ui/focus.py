"""Keys that belong to the control that has the keyboard, before any action of the window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QComboBox,
    QLineEdit,
    QWidget,
)

_Key = Qt.Key
_UP_DOWN = frozenset({_Key.Key_Up, _Key.Key_Down, _Key.Key_Home, _Key.Key_End})
_SIDEWAYS = frozenset({_Key.Key_Left, _Key.Key_Right})
_ENTER = frozenset({_Key.Key_Return, _Key.Key_Enter})
_SPACE = frozenset({_Key.Key_Space})

OWN_KEYS: tuple[tuple[type[QWidget], frozenset[Qt.Key]], ...] = (
    (QAbstractItemView, _UP_DOWN | _ENTER),
    (QAbstractSlider, _UP_DOWN | _SIDEWAYS),
    (QAbstractButton, _ENTER | _SPACE),
    (QLineEdit, _ENTER),
    (QComboBox, _UP_DOWN | _ENTER | _SPACE),
)


def keeps(widget: QWidget | None, key: Qt.Key) -> bool:
    """Return whether a control answers this key itself, so that lists and sliders work by keyboard."""
    return any(isinstance(widget, kind) and key in keys for kind, keys in OWN_KEYS)
