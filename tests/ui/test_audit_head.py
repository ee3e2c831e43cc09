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
