"""The one table of actions and what is made from it."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QKeySequence

from app.ui import icons
from app.ui.actions import ACTIONS, GROUPS
from app.ui.bindings import resolve, tool_tip
from app.ui.commands import Commands


def test_no_two_actions_share_a_key():
    keys = [QKeySequence(key).toString() for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))


def test_every_key_is_one_that_qt_knows():
    for action in ACTIONS:
        for key in action.keys:
            sequence = QKeySequence(key, QKeySequence.SequenceFormat.PortableText)
            assert sequence.count() == 1, key
            assert sequence.toString(QKeySequence.SequenceFormat.PortableText) == key


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_every_action_has_a_slot_a_group_and_a_tip(action):
    assert callable(getattr(Commands, action.method or action.id))
    assert action.group in GROUPS
    assert action.tip
    assert action.text
    if action.check:
        assert isinstance(getattr(Commands, action.check), property)


def test_ids_are_unique():
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_every_icon_is_in_the_one_family(qapp):
    for action in ACTIONS:
        assert not action.icon or icons.available(action.icon), action.icon


def test_every_button_of_the_bar_has_an_icon_and_a_key():
    for action in ACTIONS:
        if action.bar:
            assert action.icon, action.id
            assert action.keys, action.id


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("invert", "I"),
        ("magnify", "M"),
        ("fit", "F"),
        ("same_size", "Shift+1"),
        ("actual", "Shift+3"),
        ("flip_h", "H"),
        ("flip_v", "V"),
        ("reset", "R"),
        ("overlays", "O"),
        ("second_look", "A"),
        ("heat_map", "Shift+A"),
        ("corner", "T"),
        ("next_stage", "Space"),
        ("panels", "Tab"),
        ("bars", "F11"),
        ("keys", "F1"),
        ("preset_3", "3"),
    ],
)
def test_defaults_are_those_of_the_field_notes(name, key):
    assert resolve().first(name) == key


def test_an_override_takes_the_place_of_the_default():
    bindings = resolve({"invert": "Ctrl+I"})
    assert bindings.keys["invert"] == ("Ctrl+I",)
    assert not bindings.conflicts


def test_a_key_claimed_twice_goes_to_the_one_the_reader_set_and_is_named():
    bindings = resolve({"invert": "R"})
    assert bindings.keys["invert"] == ("R",)
    assert bindings.keys["reset"] == ()
    assert bindings.conflicts == (("r", ("invert", "reset")),)


def test_an_empty_override_leaves_an_action_without_a_key():
    assert resolve({"invert": ""}).keys["invert"] == ()


def test_an_unknown_action_in_the_settings_is_ignored():
    assert resolve({"teleport": "T"}).keys == resolve().keys


def test_a_tool_tip_names_the_key():
    action = next(action for action in ACTIONS if action.id == "invert")
    assert tool_tip(action, resolve()).endswith("(I)")
