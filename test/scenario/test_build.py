"""From blank to converged, with everything that may come in between; runs before the faults."""

from __future__ import annotations

import json

import pytest

from scenario import digest, results
from scenario.bus import Bus
from scenario.interrupt import Run, interrupt_every_phase
from scenario.lab import Lab, document
from scenario.marks import needs_blank
from scenario.predictions import Prediction
from scenario.salt_result import changed, failed, minions
from scenario.session import Session


@needs_blank
def test_blank_nodes_are_predicted_and_left_alone(blank: Lab) -> None:
    prediction = Prediction(blank, "blank")
    assert (prediction.different, prediction.returncode, prediction.failed, prediction.wrong()) == ([], 0, {}, [])
    for states in (prediction.master, *prediction.nodes.values()):
        assert any(state["result"] is None for state in states.values()), "nothing is predicted"


@needs_blank
def test_bad_pillar_is_refused_with_every_fault_before_anything_is_touched(blank: Lab) -> None:
    before = _fingerprint(blank)
    bad = {"hadb": {"vipz": {}, "nodes": {"db1": {"address": "300.1.2.3"}}, "storage": {"vg": "$(touch /tmp/pwned)"}}}
    override = f"pillar={json.dumps(bad)}"
    orchestrated, applied = blank.orchestrate(override), blank.apply(override)
    assert orchestrated.returncode != 0
    # `salt --static` exits with 0 whatever happened on the minions.
    assert '"result": false' in applied.stdout
    for done in (orchestrated, applied):
        for fault in ("vipz", "300.1.2.3", "$(touch"):
            assert fault in done.stdout, done.stdout
    assert _fingerprint(blank) == before
    assert not any(blank.ask(name, "ls /tmp").stdout.count("pwned") for name in (*blank.nodes, "salt"))


@needs_blank
def test_lun_with_a_foreign_filesystem_is_refused_by_name_and_keeps_its_data(blank: Lab, session: Session) -> None:
    wwid = blank.storage["luns"][0]["wwid"]
    find = f"grep -l 'naa.{wwid[1:]}' /sys/block/sd*/device/wwid | head -1 | cut -d/ -f4"
    disk = "/dev/" + blank.ask(blank.nodes[0], find).stdout.strip()
    session.touched()
    blank.ask(blank.nodes[0], f"mkfs.ext4 -q -F -L precious {disk} && sync")
    try:
        before = _fingerprint(blank)
        done = blank.orchestrate()
        assert done.returncode != 0
        assert wwid in done.stdout, done.stdout
        assert "ext4" in done.stdout, done.stdout
        assert _fingerprint(blank) == before
    finally:
        blank.ask(blank.nodes[0], f"wipefs -q -a {disk} && sync")
    session.state = "blank"


@needs_blank
def test_build_goes_on_after_an_interruption_in_every_phase(blank: Lab, session: Session) -> None:
    session.touched()
    results.BUILD.mkdir(parents=True, exist_ok=True)
    log = results.BUILD / "interrupted.txt"
    log.unlink(missing_ok=True)
    bus, half_built = Bus(blank), []
    try:
        # The run goes on all the same: what was predicted wrongly is told when it is through.
        interrupt_every_phase(blank, lambda: Run(blank, bus, log), lambda: half_built.append(Prediction(blank, "half-built")))
    finally:
        bus.stop()
    session.settled()
    session.snapshot()
    (prediction,) = half_built
    # The run that followed succeeded, so nothing may have been predicted to fail.
    assert (prediction.different, prediction.returncode, prediction.failed, prediction.wrong()) == ([], 0, {}, [])


@pytest.mark.parametrize("words", [[], ["test=True"]], ids=["real", "test"])
def test_second_apply_changes_nothing(converged: Lab, words: list[str]) -> None:
    done = converged.apply(*words)
    found = minions(document(done))
    assert set(found) == set(converged.nodes)
    for node, states in found.items():
        assert (node, failed(states), changed(states)) == (node, {}, {})
        assert all(state["result"] is True for state in states.values())
    assert done.returncode == 0


def _fingerprint(lab: Lab) -> dict[str, object]:
    nodes = {name: digest.node(lab, name) for name in lab.nodes}
    return {**nodes, **{path.stem: digest.lun(lab, path.stem) for path in sorted(lab.run.lun("x").parent.glob("*.img"))}}
