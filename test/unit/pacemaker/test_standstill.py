"""What the operator is told of a cluster that does not go on; of real ones, see ``capture_cluster.py``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hadb_core.cib_status import status, stopped
from hadb_core.standstill import best, failures, waits, where

Real = Callable[[str], str]


def told(report: str, failure_timeout: int = 600) -> list[str]:
    return waits({"db2": status(report)}, failure_timeout)


def test_a_whole_cluster_waits_for_nothing(real: Real) -> None:
    assert told(real("crm_mon-running")) == []
    assert where(status(real("crm_mon-running")), "db-server") == "db1"


def test_what_operators_hold_is_no_wait(real: Real) -> None:
    assert told(real("crm_mon-held")) == []
    assert where(status(real("crm_mon-held")), "db-server") == "stopped"


def test_a_start_that_failed_everywhere_is_told_with_the_way_to_try_again(real: Real) -> None:
    (sentence,) = told(real("crm_mon-refused"))
    assert sentence.startswith("db-server could not be started (on db1 at 20")
    assert "; on db2 at 20" in sentence and "rror" in sentence and "). It is tried again 600 s after that, or at once" in sentence
    assert sentence.endswith("with `crm resource cleanup db-server`")
    assert where(status(real("crm_mon-refused")), "db-server") == "stopped"


def test_a_failure_that_is_never_forgotten_is_not_tried_again_by_itself(real: Real) -> None:
    (sentence,) = told(real("crm_mon-refused"), 0)
    assert sentence.endswith(". It is tried again with `crm resource cleanup db-server`")


def test_a_start_under_way_is_told(real: Real) -> None:
    assert told(real("crm_mon-starting")) == ["The start of db-server is under way on db1"]


def test_a_start_that_holds_up_the_fencing_of_its_node_is_told_as_that(real: Real) -> None:
    assert told(real("crm_mon-held_up")) == [
        "db1 has to be fenced",
        "The start of db-server is under way on db1; it is fenced once that has ended",
    ]


def test_fencing_that_fails_is_told_with_what_a_human_can_do(real: Real) -> None:
    first, second = told(real("crm_mon-unfenced"))
    assert first == "db1 has to be fenced: until then nothing is started that may still run there"
    assert second.startswith("Fencing db1 failed at 20") and "does its BMC answer?" in second
    assert second.endswith("`stonith_admin --confirm=db1`")


def test_what_ran_on_a_lost_node_is_not_known_to_run(real: Real) -> None:
    # crm_mon itself says "Started db1" and "active" of a node that has no power.
    assert where(status(real("crm_mon-unfenced")), "db-lvm") == "unknown: on db1 at last, which is lost and not fenced yet"


def test_failures_are_sentences(real: Real) -> None:
    (sentence,) = failures(status(real("crm_mon-starting")))
    assert sentence.startswith("db-server_monitor_5000 on db1 at 20") and sentence.lower().endswith(": not running")
    assert failures(None) == []


def changed(report: str, **cluster: Any) -> dict[str, Any]:
    state = status(report)
    return {**state, "cluster": {**state["cluster"], **cluster}}


def test_a_node_without_quorum_says_whom_it_waits_for(real: Real) -> None:
    alone = changed(real("crm_mon-fenced"), with_quorum=False)
    (sentence,) = [one for one in waits({"db1": alone}, 600) if "quorum" in one]
    assert sentence.startswith("There is no quorum without db2: ") and "docs/runbook.md" in sentence


def test_an_election_is_no_loss_of_quorum(real: Real) -> None:
    (sentence,) = waits({"db1": changed(real("crm_mon-running"), dc="", with_quorum=False)}, 600)
    assert sentence.startswith("No node leads the cluster yet")


def test_a_node_that_joins_and_a_blocked_resource_are_told(real: Real) -> None:
    state = status(real("crm_mon-running"))
    state["nodes"]["db2"]["pending"] = True
    state["resources"]["db-fs"]["blocked"] = True
    assert waits({"db1": state}, 600) == [
        "db2 is joining the cluster",
        "db-fs is blocked, Pacemaker cannot recover it: repair what failed, then `crm resource cleanup db-fs`",
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_the_node_with_quorum_is_believed(real: Real, turned: bool) -> None:
    cut_off, whole = changed(real("crm_mon-unfenced"), with_quorum=False), status(real("crm_mon-running"))
    views = {"db2": cut_off, "db1": whole}
    assert best(dict(reversed(views.items())) if turned else views) is whole
    assert best({"db1": stopped("no CIB"), "db2": cut_off}) is cut_off
    assert best({"db1": stopped("no CIB")}) is None


def test_nobody_that_could_tell_is_unknown(real: Real) -> None:
    assert where(None, "db-server") == "unknown"
    assert where(status(real("crm_mon-running")), "vip-other") == "unknown"
    assert waits({}, 600) == []
