"""What minions answered is told from what went wrong, whatever form Salt gives it."""

from __future__ import annotations

import pytest

from hadb_core.remote import SILENT, NoAnswer, answers, read

GOOD = {"ret": {"a": 1}, "retcode": 0}


@pytest.mark.parametrize("returned", [{}, {"m2": False}, {"m2": "no"}, {"m2": {}}])
def test_silence_has_many_forms(returned):
    found = read(["m1", "m2"], {"m1": GOOD, **returned})
    assert (found.found, found.failed) == ({"m1": {"a": 1}}, {"m2": SILENT})


@pytest.mark.parametrize("answer", [
    {"ret": "Traceback\n  x\nhadb_core.errors.Refused: no\n\n", "retcode": 1},
    {"ret": "Refused: no", "failed": True}, {"ret": "Refused: no", "success": False},
])
def test_a_function_that_failed_is_told_by_its_last_line(answer):
    assert read(["m1"], {"m1": answer}).failed == {"m1": "Refused: no"}


def test_a_failure_without_a_word_is_one_too():
    assert read(["m1"], {"m1": {"ret": "", "retcode": 2}}).failed == {"m1": "it gave no reason"}


def test_all_that_did_not_answer_are_named_at_once():
    assert answers("x", ["m1"], {"m1": GOOD}) == {"m1": {"a": 1}}
    with pytest.raises(NoAnswer, match="x failed: m1: .*; m2: ") as failure:
        answers("x", ["m2", "m1"], {})
    assert set(failure.value.failed) == {"m1", "m2"}
