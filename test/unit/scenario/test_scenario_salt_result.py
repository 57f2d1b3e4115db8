"""What a run of Salt did, and the phases of one under way."""

from __future__ import annotations

import json

import pytest
from scenario.bus import started_sls
from scenario.salt_result import changed, failed, minions, orchestration

STATES = {
    "file_|-hadb a_|-/etc/a_|-managed": {"result": True, "changes": {"diff": "x"}, "comment": ""},
    "file_|-hadb b_|-/etc/b_|-managed": {"result": False, "changes": {}, "comment": "no such file"},
    "file_|-hadb c_|-/etc/c_|-managed": {"result": True, "changes": {}, "comment": "as it should be"},
}


def test_changes_and_failures_are_told_by_the_states_names() -> None:
    assert changed(STATES) == {"hadb a": {"diff": "x"}}
    assert failed(STATES) == {"hadb b": "no such file"}


def test_orchestration_is_read_from_the_runner() -> None:
    assert orchestration({"data": {"salt_master": STATES}, "outputter": "highstate", "retcode": 0}) == STATES


@pytest.mark.parametrize("answer", [{}, {"data": {}}, {"data": {"salt_master": ["Rendering failed"]}}, "text", None])
def test_what_is_no_orchestration_is_an_error_and_not_an_empty_result(answer: object) -> None:
    with pytest.raises(AssertionError):
        orchestration(answer)


@pytest.mark.parametrize("answer", [{}, {"db1": False}, {"db1": ["The function is running"]}, {"db1": {}}])
def test_minion_without_states_is_an_error_and_not_an_unchanged_minion(answer: object) -> None:
    with pytest.raises(AssertionError):
        minions(answer)


def test_new_job_that_applies_states_starts_a_phase() -> None:
    job = {"fun": "state.sls", "arg": ["hadb.cluster", {"__kwarg__": True, "queue": False}], "minions": ["db1"]}
    assert started_sls(f"salt/job/20261122180000000000/new\t{json.dumps(job)}") == "hadb.cluster"


@pytest.mark.parametrize("line", [
    "", "salt/auth\t{}", 'salt/job/20261122180000000000/ret/db1\t{"fun": "state.sls", "arg": ["hadb"]}',
    'salt/job/20261122180000000000/new\t{"fun": "test.ping", "arg": []}',
])  # fmt: skip
def test_other_events_start_none(line: str) -> None:
    assert started_sls(line) is None
