"""What the bench does to a lab, on a lab that only remembers."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bench import acts, bench, formula, measure, switch
from bench.cases import BY_ID, CASES, OURS, SEED
from bench.plan import items
from bench.results import Run

from hadblab.errors import LabError

CIB = (Path(__file__).parents[1] / "pacemaker/fixtures/cib-running-3.0.0.xml").read_text(encoding="utf-8")


class Lab:
    """Remembers what it was told; answers as a cluster would that obeys at once."""

    nodes = ("db1", "db2")
    run = None
    group = ("db-lvm", "db-server")

    def __init__(self) -> None:
        self.done: list[str] = []
        self.cuts: list[dict[str, Any]] = []
        self.resources: dict[str, Any] = {name: SimpleNamespace(nodes=("db1",), managed=True) for name in self.group}
        self.missing: dict[str, str] = {}

    def ask(self, node: str, script: str, **_how: object) -> SimpleNamespace:
        self.done.append(f"{node}: {script}")
        said = ""
        if script.startswith("cibadmin"):
            said = CIB
        elif script.startswith("cat /etc/corosync"):
            said = "totem {\n    token: 1000\n    consensus: 250\n}\n"
        elif script.startswith("for file"):
            said = self.missing.get(node, "")
        elif script.startswith("corosync-cmapctl"):
            times = {"token": 3000, "consensus": 5000}
            said = "".join(f"runtime.config.totem.{key} (u32) = {value}\n" for key, value in times.items())
        elif "target-role" in script:
            self.resources = {name: SimpleNamespace(nodes=(), managed=True) for name in self.group}
        return SimpleNamespace(stdout=said)

    def verb(self, *words: str, **_how: object) -> None:
        self.done.append(" ".join(words))

    def status(self, _node: str) -> SimpleNamespace:
        return SimpleNamespace(resources=self.resources)

    def events(self, since: float) -> list[dict[str, Any]]:
        return [cut for cut in self.cuts if cut["monotonic"] >= since]

    def cut(self, node: str, at: float) -> None:
        self.cuts.append({"event": "power", "node": node, "monotonic": at, "action": "off", "source": "bmc", "before": "on"})


class Writer:
    """A client whose log is given."""

    def __init__(self, directory: Path) -> None:
        self.log = directory / "client.jsonl"
        self.log.write_text("")

    def wait_writing(self, _after: float, _seconds: float) -> float:
        return 1.0


def stage_of(lab: Lab, directory: Path) -> SimpleNamespace:
    return SimpleNamespace(lab=lab, active="db1", passive="db2", writer=Writer(directory))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_case_has_a_fault_at_the_active_node_or_between_both(case: Any, tmp_path: Path) -> None:
    lab = Lab()
    acts.act(case, stage_of(lab, tmp_path))
    assert lab.done and all("db2" not in line for line in lab.done)


def test_both_cables_and_both_storage_networks_are_cut(tmp_path: Path) -> None:
    lab = Lab()
    for name in ("cables", "storage"):
        acts.act(BY_ID[name], stage_of(lab, tmp_path))
    assert lab.done == ["cut hb1", "cut hb2", "cut san1 db1", "cut san2 db1"]


def test_outage_that_does_not_end_within_its_bound_is_ended(tmp_path: Path) -> None:
    assert not acts.wait_over(BY_ID["hung"], stage_of(Lab(), tmp_path), time.monotonic() - 61)


def test_split_is_over_when_only_the_passive_node_was_cut_and_nothing_follows(tmp_path: Path) -> None:
    lab, now = Lab(), time.monotonic()
    stage = stage_of(lab, tmp_path)
    assert not acts._over(BY_ID["cables"], stage, now - 20)
    lab.cut("db2", now - 1)
    assert not acts._over(BY_ID["cables"], stage, now - 20)
    lab.cuts.clear()
    lab.cut("db2", now - 10)
    assert acts._over(BY_ID["cables"], stage, now - 20)
    # Both shot each other: the client waits for whoever comes back.
    lab.cut("db1", now - 9)
    assert not acts._over(BY_ID["cables"], stage, now - 20)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, tuple[str, ...]]]:
    found: list[tuple[str, bytes, tuple[str, ...]]] = []

    def send(_run: object, node: str, data: bytes, *command: str) -> None:
        found.append((node, data, command))

    monkeypatch.setattr(switch.ssh, "send", send)
    monkeypatch.setattr(switch, "wait_whole", lambda _lab, _seconds: None)
    return found


def test_configuration_is_changed_with_the_database_stopped(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab()
    found = switch.Switch(lab)
    monkeypatch.setattr(found, "_status_ids", lambda: [])
    found.use(SEED)
    stop = next(number for number, line in enumerate(lab.done) if "target-role" in line)
    assert not any("corosync-cfgtool" in line for line in lab.done[:stop])
    kinds = [(node, command[0]) for node, _, command in sent]
    assert kinds == [("db1", "cibadmin"), ("db1", "install"), ("db2", "install"), ("db1", "cibadmin")]
    assert b"fence_ipmilan" not in sent[0][1] and b"LVM-activate" in sent[3][1] and b"token: 3000" in sent[1][1]
    assert found.now == SEED
    found.use(SEED)
    assert len(sent) == 4


def test_configuration_that_corosync_does_not_take_up_is_an_error(sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = switch.Switch(Lab())
    monkeypatch.setattr(found, "_status_ids", lambda: [])
    monkeypatch.setattr(switch, "_RELOADED_SECONDS", 0.0)
    with pytest.raises(AssertionError, match="does not use"):
        # The lab's Corosync has the seed's times and keeps them.
        found.use(OURS, again=True)
    assert found.now == "neither"


def test_agent_that_a_node_lacks_is_named(sent: list[Any]) -> None:
    lab = Lab()
    lab.missing["db2"] = "/usr/sbin/fence_ipmilan\n"
    with pytest.raises(LabError, match="db2 lacks .*/usr/sbin/fence_ipmilan"):
        switch.Switch(lab).check()


class Stand:
    """A lab that can be gone back to."""

    lab = Lab()

    def __init__(self) -> None:
        self.restored = 0

    def back(self) -> None:
        self.restored += 1


def bench_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, outcomes: list[bool]) -> tuple[bench.Bench, Stand]:
    left = iter(outcomes)

    def play(_lab: object, case: Any, config: str, number: int, _where: Path) -> tuple[Run, bool]:
        return Run(case.id, config, number, 1.0, 0, measured=True), next(left)

    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr(bench.results, "write", lambda found: (tmp_path / "runs.txt").write_text(str(len(found.runs))))
    monkeypatch.setattr(bench.measure, "play", play)
    quiet = SimpleNamespace(check=lambda: None, use=lambda *_a, **_k: None, restored=lambda: None)
    monkeypatch.setattr(bench, "Switch", lambda _lab: quiet)
    runs = [item for item in items([BY_ID["killed"]], 3) if item.case]
    return bench.Bench(runs, 3, 1.0, lambda _line: None), Stand()


def test_lab_is_restored_after_a_run_that_left_it_in_pieces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, stand = bench_of(monkeypatch, tmp_path, [True, False, True, False, True, True])
    found._carry_out(stand)
    assert (len(found.results.runs), stand.restored) == (6, 2)


def test_bench_gives_up_when_nothing_helps_and_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, stand = bench_of(monkeypatch, tmp_path, [True, False, False, False, True, True])
    with pytest.raises(LabError, match="3 failures in a row"):
        found._carry_out(stand)
    assert (tmp_path / "runs.txt").read_text() == "4" and (tmp_path / "timeline.svg").exists()


def test_configuration_that_cannot_be_had_is_a_finding_of_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, stand = bench_of(monkeypatch, tmp_path, [True] * 6)
    uses = iter([LabError("cibadmin: no")])

    def use(*_a: object, **_k: object) -> None:
        for error in uses:
            raise error

    monkeypatch.setattr(bench, "Switch", lambda _lab: SimpleNamespace(check=lambda: None, use=use, restored=lambda: None))
    found._carry_out(stand)
    assert found.results.runs[0].findings == ["LabError: cibadmin: no"] and not found.results.runs[0].measured
    assert stand.restored == 1


def test_run_on_a_lab_that_fails_says_what_failed_and_raises_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_words: object, **_how: object) -> None:
        raise LabError("db1 is off")

    for name in ("wait_whole", "heal"):
        monkeypatch.setattr(measure, name, broken)
    lab = SimpleNamespace(pillar={})
    run, whole = measure.play(lab, BY_ID["killed"], OURS, 1, tmp_path)
    assert not whole and not run.measured and run.findings == ["LabError: db1 is off"] * 3


def answered(monkeypatch: pytest.MonkeyPatch, **answer: object) -> None:
    whole = {"exit": 0, "error": "", "out": "", **answer}
    monkeypatch.setattr(formula.ssh, "call", lambda *_w, **_h: SimpleNamespace(stdout=json.dumps(whole)))


def test_no_op_that_changes_something_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"local": {"file_|-conf_|-conf_|-managed": {"result": True, "changes": {"diff": "x"}}}}
    answered(monkeypatch, out=json.dumps(states))
    with pytest.raises(LabError, match="state.apply hadb on db1 is no no-op"):
        formula._timed(Lab(), "db1", ["salt-call"], formula.APPLY)


def test_command_that_fails_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, exit=1, error="no master")
    with pytest.raises(LabError, match="test.ping on db1: exit status 1: no master"):
        formula._timed(Lab(), "db1", ["salt-call"], formula.PING)


def test_state_of_the_cluster_is_timed_without_the_start_of_salt() -> None:
    states = {"local": {"pacemaker_|-x_|-x_|-configured": {"result": True, "changes": {}, "duration": 61.5}}}
    assert formula._seconds(formula.CIB_STATE, {"out": json.dumps(states), "seconds": 2.0}) == 0.0615
    assert formula._seconds(formula.PING, {"out": "", "seconds": 2.0}) == 2.0
