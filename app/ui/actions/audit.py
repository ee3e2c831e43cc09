"""Keys of the window of audits: a window of its own, so that its keys may be those of others elsewhere.

`method` names a method of `app.ui.audit.window.AuditWindow`, to which `argument` is passed when not None.
"""

from __future__ import annotations

from typing import Final

from app.ui.actions.action import Action

GROUP: Final = "Audit"


def _action(name: str, text: str, key: str, method: str, argument: object = None) -> Action:
    return Action(f"audit_{name}", text, GROUP, (key,), method=method, argument=argument)


VERDICT_ACTIONS: Final = {
    "agree": "audit_agree",
    "model wrong": "audit_model_wrong",
    "label wrong": "audit_label_wrong",
    "unusable image": "audit_unusable",
    "unsure": "audit_unsure",
}
"""The action of each verdict."""

ACTIONS: Final[tuple[Action, ...]] = (
    _action("open", "Open an audit", "Ctrl+O", "ask_open"),
    _action("next", "Next case", "Space", "step", 1),
    _action("back", "Previous case", "Shift+Space", "step", -1),
    _action("agree", "Verdict: agree", "A", "judge", "agree"),
    _action("model_wrong", "Verdict: model wrong", "M", "judge", "model wrong"),
    _action("label_wrong", "Verdict: label wrong", "L", "judge", "label wrong"),
    _action("relabel", "What the label should be", "Shift+L", "relabel"),
    _action("unusable", "Verdict: unusable image", "X", "judge", "unusable image"),
    _action("unsure", "Verdict: unsure", "S", "judge", "unsure"),
    _action("note", "Write a note", "N", "write_note"),
    _action("truth", "Truth", "T", "show_truth"),
    _action("boxes", "Boxes", "B", "show_boxes"),
    _action("map", "Heat map of the case", "H", "heat_map"),
    _action("undo", "Undo", "Ctrl+Z", "undo"),
    _action("redo", "Redo", "Ctrl+Shift+Z", "redo"),
    _action("keys", "Keys", "F1", "show_keys"),
    *(_action(f"answer_{n}", f"Blinded reading: answer {n}", str(n), "assess", n) for n in range(1, 6)),
)
"""In the order in which they are listed."""
