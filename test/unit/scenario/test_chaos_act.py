"""How faults come in company: brought about in order, at their moment, and taken back whatever happens."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scenario import chaos_act, stage
from scenario.chaos_act import act, appeared, booted, scenario_of
from scenario.chaos_faults import FAULTS
from scenario.chaos_plan import Step
from scenario.chaos_rules import ADDRESS, BACK, FENCED, Fault, Moment, Pair
from scenario.faults import SCENARIOS
from scenario.sample import MOUNT, SERVER, Sample
from scenario.wait import TooLateError

from hadblab.errors import LabError


class Lab:
    """Two nodes as far as faults and healing see them: what is cut, frozen, off, on standby, kept busy or at the wrong time."""

    nodes = ("db1", "db2")
    array = "san"
    addresses = ["10.20.0.50", "10.20.0.51"]

    def __init__(self) -> None:
        self.done: list[str] = []
        self.wrong: set[str] = set()
        self.powers: dict[str, str] = dict.fromkeys((*self.nodes, self.array), "on")
        self.log: list[dict[str, Any]] = []
        self.processes: list[SimpleNamespace] = []

    def verb(self, *words: str) -> None:
        self.done.append(" ".join(words))
        if words == ("mend",):
            self.wrong = {what for what in self.wrong if not what.startswith("cut ")}
            self.powers = dict.fromkeys(self.powers, "on")
            return
        verb, what, *more = words
        if verb == "cut":
            self.wrong.add(f"cut {what}")
        elif verb == "heal":
            self.wrong.discard(f"cut {what}")
        elif verb in ("freeze", "thaw"):
            self.powers[what] = "frozen" if verb == "freeze" else "on"
        else:
            assert verb == "power", words
            self.powers[what] = more[0]

    def ask(self, node: str, script: str, **_how: object) -> SimpleNamespace:
        assert self.powers[node] == "on", f"{node} does not answer"
        self.done.append(f"{node}: {script}")
        if "date --set" in script:
            (self.wrong.add if "hour" in script else self.wrong.discard)(f"time of {node}")
        elif "standby" in script:
            name = next(word for word in script.split() if word in self.nodes)
            (self.wrong.discard if script.endswith("off") else self.wrong.add)(f"standby of {name}")
        elif "systemd-run" in script:
            self.wrong.add(f"busy {node}")
        elif "systemctl stop 'hadb-test-busy-*'" in script:
            self.wrong.discard(f"busy {node}")
        return SimpleNamespace(stdout="")

    def background(self, *words: str, log: Path) -> SimpleNamespace:
        self.done.append(" ".join(words))
        self.wrong.add("salt")

        def wait(_seconds: float = 0.0) -> None:
            self.wrong.discard("salt")

        self.processes.append(SimpleNamespace(wait=wait, kill=lambda: self.done.append("killed"), log=log))
        return self.processes[-1]

    def power(self, node: str) -> str:
        return self.powers[node]

    def peer(self, node: str) -> str:
        return next(other for other in self.nodes if other != node)

    def events(self, since: float) -> list[dict[str, Any]]:
        return [event for event in self.log if event["monotonic"] >= since]


class Stage:
    """A stage with db1 as the active node; the cluster heals at once what it can."""

    def __init__(self, directory: Path | None = None) -> None:
        self.lab = Lab()
        self.active, self.passive = self.lab.nodes
        self.waited: list[str] = []
        self.samples: list[tuple[float, Sample]] = []
        log = (directory or Path("build")) / "client.jsonl"
        self.writer = SimpleNamespace(log=log, wait_writing=lambda since, seconds: self.waited.append(f"served in {seconds:g}"))

    def node(self, part: str) -> str:
        return {"active": "db1", "passive": "db2"}[part]

    def seen(self, node: str, since: float = 0.0) -> list[Sample]:
        return [sample for at, sample in self.samples if sample.node == node and at > since]

    def wait_fenced(self, node: str, seconds: float) -> None:
        self.waited.append(f"{node} fenced in {seconds:g}")

    def watch(self, seconds: float) -> None:
        self.waited.append(f"watched {seconds:g}")


def look(node: str, *held: str, boot: str = "b1") -> Sample:
    return Sample(node, 0.0, boot, frozenset(held))


BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_every_fault_does_something_and_leaves_nothing_once_the_hardware_is_healed(fault: Fault) -> None:
    found = Stage()
    with fault.harm(found, found.node(fault.at) if fault.at else ""):
        assert found.lab.done
        struck = [line for line in found.lab.done if "db1" in line or "db2" in line]
        # It strikes the node that it says, and no other.
        assert all((found.node(fault.at) if fault.at else "*") in line for line in struck)
        if fault.loses:
            assert found.lab.wrong or "off" in found.lab.powers.values() or "frozen" in found.lab.powers.values() \
                or "kill -9" in found.lab.done[0]  # fmt: skip
    stage.heal(found.lab)
    assert not found.lab.wrong and set(found.lab.powers.values()) == {"on"}


def test_what_a_fault_loses_is_what_it_takes_away() -> None:
    for fault in FAULTS:
        found = Stage()
        with fault.harm(found, found.node(fault.at) if fault.at else ""):
            done = " / ".join(found.lab.done)
        for lost in fault.loses - {"active", "passive"}:
            assert f"cut {lost.split()[-1]}" in done, fault.name


def test_fault_that_fails_in_the_middle_is_taken_back_all_the_same(tmp_path: Path) -> None:
    for name, mark in (("planned switchover", "standby of db1"), ("clock of the active jumps", "time of db1"),
                       ("active without processor time", "busy db1"), ("formula applied", "salt")):  # fmt: skip
        found = Stage(tmp_path)
        with pytest.raises(KeyboardInterrupt), BY_NAME[name].harm(found, "db1"):
            assert found.lab.wrong == {mark}
            raise KeyboardInterrupt
        assert not found.lab.wrong
    assert found.lab.done[-1] == "killed"


def test_node_on_standby_is_brought_back_by_the_other_one() -> None:
    found = Stage()
    with BY_NAME["planned switchover"].harm(found, "db1"):
        found.lab.powers["db1"] = "off"
    assert found.lab.done[-1].startswith("db2: ") and not found.lab.wrong


# Moments

def test_something_appears_only_after_it_was_not_there() -> None:
    with_it, without = look("db2", MOUNT), look("db2")
    assert appeared([without, with_it], MOUNT)
    assert not appeared([with_it, with_it], MOUNT)
    # A server that was killed: still there, gone, there again.
    assert not appeared([with_it, without], MOUNT)
    assert appeared([with_it, without, with_it], MOUNT)
    assert not appeared([], MOUNT)


def test_boot_is_one_that_was_not_seen_before() -> None:
    assert booted([look("db1", boot="b2")], ["b1"])
    assert not booted([look("db1")], ["b1"]) and not booted([], ["b1"])


def sign(found: Stage, moment: Moment, since: float = 10.0) -> Any:
    return chaos_act._sign(moment, found, since)


def test_fencing_is_seen_in_the_log_of_the_bmcs_also_of_a_node_without_power() -> None:
    found = Stage()
    come = sign(found, Moment(FENCED, "active"))
    power = {"event": "power", "node": "db1", "monotonic": 11.0, "action": "off", "source": "operator", "before": "on"}
    found.lab.log = [power, {**power, "node": "db2", "source": "bmc"}, {**power, "monotonic": 9.0, "source": "bmc"}]
    assert not come()
    found.lab.log.append({**power, "monotonic": 12.0, "action": "on", "source": "bmc", "before": "off"})
    assert come()


def test_steps_of_a_takeover_are_seen_on_the_node_that_takes_over() -> None:
    found = Stage()
    mounted, address = sign(found, Moment(MOUNT, "passive")), sign(found, Moment(ADDRESS, "passive"))
    found.samples = [(9.0, look("db2")), (11.0, look("db1", MOUNT)), (11.1, look("db2"))]
    assert not mounted()
    found.samples.append((11.2, look("db2", MOUNT, "10.20.0.51")))
    assert mounted() and not address()
    found.samples.append((11.3, look("db2", MOUNT, "10.20.0.50")))
    assert address()


def test_what_was_seen_before_the_fault_is_no_sign() -> None:
    found = Stage()
    found.samples = [(8.0, look("db1")), (9.0, look("db1", SERVER)), (11.0, look("db1", SERVER))]
    assert not sign(found, Moment(SERVER, "active"))()


def test_node_is_back_with_another_boot() -> None:
    found = Stage()
    found.samples = [(9.0, look("db1"))]
    come = sign(found, Moment(BACK, "active"))
    found.samples.append((11.0, look("db1")))
    assert not come()
    found.samples.append((31.0, look("db1", boot="b2")))
    assert come()


# A pair

def struck(trace: list[str], name: str, **more: Any) -> Fault:
    @contextmanager
    def harm(_stage: object, node: str):
        trace.append(f"{name} {node}".strip())
        try:
            yield
        finally:
            trace.append(f"{name} back")

    return Fault(name, harm, **more)


def test_two_faults_at_once_are_brought_about_waited_for_and_taken_back_in_turn() -> None:
    found = Stage()
    pair = Pair(struck(found.waited, "one", at="active", fenced=("active",), budget=90.0), struck(found.waited, "two", budget=5.0))
    act(pair, found)
    assert found.waited == ["one db1", "two", "db1 fenced in 95", "served in 95", "watched 12", "two back", "one back"]


def test_pair_is_looked_on_only_as_long_as_both_faults_allow() -> None:
    found = Stage()
    act(Pair(struck(found.waited, "one", calm=0.0), struck(found.waited, "two")), found)
    assert not [line for line in found.waited if line.startswith("watched")]


def test_second_fault_waits_for_its_moment_and_its_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Stage()
    first = struck(found.waited, "one", at="active", fenced=("active",), loses=frozenset({"active"}))

    def until(come: Any, seconds: float, _otherwise: str, _poll: float) -> None:
        assert not come()
        found.samples += [(time.monotonic(), look("db2")), (time.monotonic(), look("db2", MOUNT))]
        assert come()
        found.waited.append(f"came within {seconds:g}")

    monkeypatch.setattr(chaos_act, "until", until)
    monkeypatch.setattr(chaos_act.time, "sleep", lambda seconds: found.waited.append(f"pause {seconds:g}"))
    act(Pair(first, struck(found.waited, "two", at="passive"), Moment(MOUNT, "passive"), 0.5), found)
    assert found.waited[:4] == ["one db1", "came within 60", "pause 0.5", "two db2"]


def test_moment_that_does_not_come_is_told_and_the_first_fault_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Stage()
    monkeypatch.setattr(chaos_act, "SEEN_SECONDS", 0.0)
    pair = Pair(struck(found.waited, "one", budget=0.0), struck(found.waited, "two"), Moment(MOUNT, "passive"))
    with pytest.raises(TooLateError, match="it does not come to this: once the passive has mounted it"):
        act(pair, found)
    assert found.waited == ["one", "one back"]


def test_first_fault_is_taken_back_when_the_second_cannot_be_brought_about() -> None:
    found = Stage()

    @contextmanager
    def refused(_stage: object, _node: str):
        raise LabError("no")
        yield

    with pytest.raises(LabError), ExitStack():
        act(Pair(struck(found.waited, "one"), Fault("two", refused)), found)
    assert found.waited == ["one", "one back"]


def test_client_that_is_not_served_again_ends_the_pair_with_everything_taken_back() -> None:
    found = Stage()

    def never(_since: float, _seconds: float) -> None:
        raise TooLateError("the client is not acknowledged again")

    found.writer.wait_writing = never
    with pytest.raises(TooLateError):
        act(Pair(struck(found.waited, "one"), struck(found.waited, "two")), found)
    assert found.waited[-2:] == ["two back", "one back"]


def test_step_becomes_a_scenario_of_its_name_with_everything_that_is_expected() -> None:
    pair = Pair(BY_NAME["active powered off"], BY_NAME["active frozen"], Moment(BACK, "active"))
    found = scenario_of(Step(8, "then", pair))
    assert (found.name, found.fenced, found.perhaps, found.budget) == ("step-008", ("active",), ("active",), 180.0)
    assert found.words == pair.text
    assert found.cases == ("A1", "S12")
    alone = scenario_of(Step(9, "alone", SCENARIOS[0]))
    assert alone == replace(SCENARIOS[0], name="step-009")
