"""hadb.orch on a real master with two real minions: order, failures, prediction, two runs at once, exit codes."""

from __future__ import annotations

import concurrent.futures

import facts

# Seconds; on two quiet cores both are done in 35.
TWO_RUNS = 120
STOPPED = "One or more requisite failed"


def failed(states):
    """Return the states that failed by themselves, not because one before them did."""
    return [name for name, one in states.items() if one["result"] is False and STOPPED not in one["comment"]]


def changed(states):
    """Return the states that changed something, or would."""
    return {name for name, one in states.items() if one["changes"]}


def test_a_run_does_every_step_in_order_and_a_second_one_nothing(site):
    code, predicted = site.orchestrate("test=True")
    assert {name: predicted[name]["comment"] for name in failed(predicted)} == {}
    assert code == 0
    assert site.log() == []
    assert list(site.pretend.glob("done/*")) == list(site.pretend.glob("keys/*")) == []

    code, done = site.orchestrate()
    assert code == 0, failed(done)
    assert {one["result"] for one in done.values()} == {True}
    assert site.ran() == list(site.steps)
    both = {step: {node for *_, node, one in site.log() if one == step} for step in site.steps}
    assert both == {step: {"db1"} if step == "hadb.cluster.cib" else set(site.nodes) for step in site.steps}
    assert (site.pretend / "keys/db1").read_text() == (site.pretend / "keys/db2").read_text()
    # What was predicted is what changed; the modules were synced by the prediction already, or it could not be one.
    assert changed(predicted) - {"hadb modules are on both nodes"} == changed(done)

    code, again = site.orchestrate()
    assert code == 0
    assert changed(again) == set()


def test_a_step_that_fails_on_one_node_stops_the_run_and_the_next_run_goes_on(site):
    site.fail("db2", "hadb")
    code, states = site.orchestrate()
    assert code != 0
    assert failed(states) == ["hadb nodes are prepared"]
    assert site.ran() == ["hadb.package.bmc", "hadb"]
    assert list(site.pretend.glob("keys/*")) == []
    (site.pretend / "fail/db2 hadb").unlink()
    code, _ = site.orchestrate()
    assert code == 0
    assert len(site.log()) == 2 * (len(site.steps) - 1) + 1, "what was done before was done again"


def test_a_proof_that_fails_stops_the_run_with_what_was_found(site):
    known = {node: site.facts(node, built=True) for node in site.nodes}
    known["db2"]["volume"] = facts.volume(active=True)
    site.tell("built", known)
    code, states = site.orchestrate()
    assert code != 0
    name = "hadb volume is seen by both and open on none but its owner"
    assert failed(states) == [name]
    assert "db2" in states[name]["comment"]
    assert "it is active" in states[name]["comment"]
    assert "hadb.cluster.start" not in site.ran()


def test_a_preflight_finding_stops_the_run_before_anything_is_touched(site):
    known = {node: site.facts(node, built=False) for node in site.nodes}
    known["db1"]["luns"] = [facts.lun(signatures=["ext4"])]
    site.tell("blank", known)
    code, states = site.orchestrate()
    assert code != 0
    assert failed(states) == ["hadb preflight has passed"]
    assert site.log() == []


def test_the_runner_builds_looks_and_verifies(site):
    assert site.run("hadb.check").returncode == 0
    deployed = site.run("hadb.deploy")
    assert deployed.returncode == 0, deployed
    assert site.run("hadb.verify").returncode == 0
    status = site.run("hadb.status")
    assert status.returncode == 0
    assert status.data["database"] == "db1"


def test_a_minion_that_is_down_stops_the_run_before_anything_is_touched(site):
    with site.minions["db2"].stopped():
        code, states = site.orchestrate()
        assert code != 0
        assert failed(states) == ["hadb modules are on both nodes"]
        assert "db2" in states["hadb modules are on both nodes"]["comment"]
        assert site.log() == []


def test_the_runner_fails_when_something_does_not_hold(site):
    assert site.run("hadb.verify").returncode == 1, "nothing is built yet"
    site.fail("db1", "hadb")
    assert site.run("hadb.deploy").returncode == 1


# Last: if it hangs, the minions are of no more use.
def test_two_runs_at_once_take_turns_and_do_each_step_once(site):
    (site.pretend / "seconds").write_text("1")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(site.orchestrate, seconds=TWO_RUNS) for _ in range(2)]
        results = [run.result() for run in runs]
    assert [code for code, _ in results] == [0, 0], [failed(states) for _, states in results]
    name = "hadb no other run is under way"
    assert sum(states[name]["comment"].startswith("Waited for process") for _, states in results) == 1
    assert len(site.log()) == 2 * (len(site.steps) - 1) + 1
    for node in site.nodes:
        spans = sorted((begin, end) for begin, end, one, _ in site.log() if one == node)
        assert all(first[1] <= second[0] for first, second in zip(spans, spans[1:], strict=False))
