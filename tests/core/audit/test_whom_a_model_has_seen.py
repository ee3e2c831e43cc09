"""A model that was trained on audited patients says so."""

import hashlib
from dataclasses import replace

from made_cases import MODEL, row

from app.core.audit.seen import seen_sentence


def test_the_patients_a_model_was_trained_on_are_counted() -> None:
    rows = [row(number) for number in range(12)]  # p0, p1, p2
    mark = hashlib.sha256(b"p1").hexdigest()[:16]
    assert seen_sentence(MODEL, rows) == ""
    one = replace(MODEL, has_seen=frozenset({mark}))
    assert "trained on 1 of these 3 patients" in seen_sentence(one, rows)
    everyone = frozenset(hashlib.sha256(f"p{n}".encode()).hexdigest()[:16] for n in range(3))
    assert "trained on all of these 3 patients" in seen_sentence(replace(MODEL, has_seen=everyone), rows)
