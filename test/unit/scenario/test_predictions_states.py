"""States as they are run one by one, and what a prediction may not say."""

from __future__ import annotations

import pytest
from scenario.function_call import STATES
from scenario.function_table import BY_THE_FORMULA, CALLS
from scenario.predictions import MORE, Prediction, functions, high

LOW = [
    {"state": "halvm", "fun": "mounted", "name": "/dbmnt", "vg": "db-vg", "order": 3, "__id__": "mounted", "__sls__": "a",
     "__env__": "base", "require": [{"halvm": "made"}], "failhard": True},
]  # fmt: skip


def test_states_are_run_with_their_arguments_and_without_what_ties_them() -> None:
    found = high(LOW)
    assert found["mounted"] == {"halvm": ["mounted", {"name": "/dbmnt"}, {"vg": "db-vg"}], "__sls__": "a", "__env__": "base"}
    assert len(found) == len(LOW) + len(MORE), "two of them have one id"


def test_functions_are_read_from_tags() -> None:
    assert functions({"halvm_|-an id_|-/dbmnt_|-mounted": {}}) == {"halvm.mounted"}


def test_what_no_sls_applies_is_added() -> None:
    own = {call.function for call in CALLS if call.kind == STATES} - set(BY_THE_FORMULA)
    # `halvm.grown` is in hadb.cluster.grow.
    assert own == {f"{one['state']}.{one['fun']}" for one in MORE} | {"halvm.grown"}


@pytest.mark.parametrize(("state", "wrong"), [
    ({"result": None, "changes": {"a": 1}, "comment": "would"}, 0),
    ({"result": False, "changes": {}, "comment": "refused"}, 0),
    ({"result": True, "changes": {"a": 1}, "comment": "done"}, 1),
    ({"result": False, "changes": {}, "comment": "State 'a.d' was not found in SLS 'x'\nReason: 'a.d' is not available.\n"}, 1),
    ({"result": False, "changes": {}, "comment": "An exception occurred in this state: Traceback ..."}, 1),
])  # fmt: skip
def test_a_prediction_neither_crashes_nor_claims_a_change(state: dict, wrong: int) -> None:
    prediction = Prediction.__new__(Prediction)
    prediction.nodes = {"db1": {"a_|-b_|-c_|-d": state}}
    assert len(prediction.wrong()) == wrong


def test_an_error_instead_of_states_is_told() -> None:
    prediction = Prediction.__new__(Prediction)
    prediction.nodes = {"db1": ["Rendering SLS failed"]}
    with pytest.raises(AssertionError, match="Rendering SLS failed"):
        prediction.wrong()
