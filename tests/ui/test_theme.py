"""The palette keeps the promises of the look."""

from __future__ import annotations

import pytest

from app.ui import theme


def test_white_on_black_is_21_to_1():
    assert theme.contrast("#ffffff", "#000000") == pytest.approx(21.0)


@pytest.mark.parametrize(
    "ground", [theme.BLACK, theme.WINDOW, theme.PANEL, theme.RAISED, theme.ACCENT_GROUND]
)
@pytest.mark.parametrize("text", [theme.TEXT, theme.QUIET, theme.ACCENT, theme.WARNING, theme.WORSE])
def test_text_has_a_contrast_of_at_least_four_and_a_half(text, ground):
    assert theme.contrast(text, ground) >= 4.5


def test_warnings_are_read_on_their_own_ground():
    assert theme.contrast(theme.WARNING, theme.WARNING_GROUND) >= 4.5


@pytest.mark.parametrize(
    "grey", [theme.WINDOW, theme.PANEL, theme.RAISED, theme.LINE, theme.HOVER, theme.TEXT, theme.QUIET]
)
def test_greys_are_neutral(grey):
    assert grey[1:3] == grey[3:5] == grey[5:7]


def test_the_style_sheet_parses(qapp, capfd):
    theme.apply(qapp)
    assert "Could not parse" not in capfd.readouterr().err
