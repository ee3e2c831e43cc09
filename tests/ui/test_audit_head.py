"""The bar of the audit: what it lets a reader ask for."""

from __future__ import annotations

from app.core.audit.blinded import Session
from app.services.audit.state import AuditState
from app.ui.audit.head import Head


def test_a_blinded_reader_can_ask_for_no_file(qtbot) -> None:
    head = Head()
    qtbot.addWidget(head)
    files = (head.report, head.csv, head.answers, head.agreement)
    head.present(AuditState(blinded=Session("pilot", "a", False, (0,))), 0)
    assert [action.isEnabled() for action in files] == [False] * 4
    head.present(AuditState(), 0)
    assert [action.isEnabled() for action in files] == [True] * 4


def test_that_verdicts_are_not_kept_stands_for_as_long_as_it_is_so(qtbot) -> None:
    head = Head()
    qtbot.addWidget(head)
    head.present(AuditState(notes=("Seen before.",), refused="work.sqlite: it is only read"), 0)
    assert head.notes.text().splitlines() == [
        "Seen before.",
        "What you say of these cases is not saved: work.sqlite: it is only read.",
    ]
    head.present(AuditState(refused="work.sqlite: it is only read"), 0)
    assert not head.notes.isHidden()
    head.present(AuditState(), 0)
    assert head.notes.isHidden()
