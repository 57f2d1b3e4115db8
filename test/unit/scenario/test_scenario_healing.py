"""What heals a lab after a scenario, what makes the cluster forget, and over which network nodes are seen."""

from __future__ import annotations

from collections.abc import Sequence
from subprocess import CompletedProcess

import pytest
from fake_stage import FakeLab, Writer
from scenario import stage, stream
from scenario.lab import CHECKOUT, Lab
from scenario.sampler import Sampler
from scenario.stage import Stage
from scenario.wait import TooLateError

from hadblab import ssh, topology_file, up
from hadblab.errors import LabError

TOPOLOGY = topology_file.parse(topology_file.load(CHECKOUT / "test/lab/topology.toml"))


def test_hardware_is_mended_and_no_third_machine_keeps_an_address(lab: FakeLab) -> None:
    stage.heal(lab)  # type: ignore[arg-type]
    mended, freed = lab.done
    assert mended == "mend"
    assert freed.startswith("san: ip address delete ")


def test_third_machine_that_may_have_taken_addresses_is_one_of_the_labs_and_no_database_node(lab: FakeLab) -> None:
    stage.free_addresses(lab)  # type: ignore[arg-type]
    (done,) = lab.done
    assert done == ("san: ip address delete 10.20.0.50/32 dev vec0 2>/dev/null; "
                    "ip address delete 10.20.0.51/32 dev vec0 2>/dev/null; true")  # fmt: skip
    assert TOPOLOGY.node("san").interfaces[0].network == TOPOLOGY.management.name
    assert TOPOLOGY.node("san").role != "node"


def test_failure_that_is_not_forgotten_is_found(lab: FakeLab) -> None:
    lab.remembers("fence-db1", "db2")
    with pytest.raises(TooLateError, match="the failure of fence-db1 is not forgotten"):
        stage.clean_up(lab, ["fence-db1"])  # type: ignore[arg-type]
    lab.answers = [("--cleanup --resource fence-db1", lambda lab: lab.has(failures=()))]
    stage.clean_up(lab, ["fence-db1"])  # type: ignore[arg-type]


def test_node_that_boots_is_not_asked_to_forget(lab: FakeLab) -> None:
    silent, alone = LabError("Connection refused"), lambda lab: lab.has(dc=None)
    for booting in (silent, alone):
        lab.done.clear()
        lab.answers = [("db1: status", booting), ("db2: status", lambda lab: lab.has(dc="db2"))]
        stage.clean_up(lab, ["fence-db1"])  # type: ignore[arg-type]
        # Not while Pacemaker is at work: a start that meets a cleanup can cost the node.
        assert [done for done in lab.done if "--cleanup" in done] == [
            "db2: crm_resource --wait --timeout=20; crm_resource --cleanup --resource fence-db1"]  # fmt: skip


def test_stage_tells_whose_failure_it_is_and_takes_silence_for_none(lab: FakeLab) -> None:
    played = Stage(lab, Writer(), lab.cluster)  # type: ignore[arg-type]
    assert played.named(["passive", "active"]) == ["db2", "db1"]
    lab.remembers("fence-db1", "db2")
    assert played.failed("fence-db1", "db2") and lab.done[-1] == "db1: status"
    assert played.failed("fence-db1", "db2", "db2") and lab.done[-1] == "db2: status"
    assert not played.failed("fence-db1", "db1") and not played.failed("fence-db2", "db2")
    lab.answers = [("status", LabError("no answer")), ("pidof", LabError("no answer"))]
    assert not played.failed("fence-db1", "db2")
    assert played.pid("db1", "corosync") == ""


def test_only_a_cut_by_a_bmc_since_then_counts(lab: FakeLab) -> None:
    played = Stage(lab, Writer(), lab.cluster)  # type: ignore[arg-type]
    lab.cut_by_bmc("db1", 10.0)
    lab.powers.append({**lab.powers[0], "node": "db2", "source": "operator", "monotonic": 20.0})
    lab.powers.append({**lab.powers[0], "node": "db2", "before": "off", "monotonic": 21.0})
    assert played.cut_by_bmc("db1", 5.0)
    assert not played.cut_by_bmc("db1", 15.0)
    assert not played.cut_by_bmc("db2", 5.0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The options with which nodes were asked."""
    calls: list[list[str]] = []

    def call(_run: object, _node: str, *_command: str, options: Sequence[str] = (), **_how: object) -> CompletedProcess[str]:
        calls.append(list(options))
        return CompletedProcess([], 0, "", "")

    monkeypatch.setattr(ssh, "call", call)
    monkeypatch.setattr(up, "running", lambda _run: (None, TOPOLOGY))
    return calls


def test_nodes_are_asked_over_the_array_while_the_management_network_is_the_fault(asked: list[list[str]]) -> None:
    real = Lab()
    real.look_over("san1")
    for node in ("db1", "db2", "san"):
        real.ask(node, "true")
    real.look_over("")
    real.ask("db1", "true")
    assert [[word for word in options if word.startswith("HostName")] for options in asked] == [
        [], ["HostName=10.30.1.11"], ["HostName=10.30.1.12"], [], []]  # fmt: skip


def test_who_waits_for_a_booting_node_does_not_wait_for_one_connection(asked: list[list[str]]) -> None:
    real = Lab()
    real.look_over("san1")
    asked.clear()
    with pytest.raises(ValueError):
        real.status("db1")
    (options,) = asked
    assert "ConnectTimeout=3" in options and "HostName=10.30.1.11" in options


def test_sampler_looks_the_same_way_as_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    class Stopped(Exception):
        pass

    def popen(argv: list[str], **_how: object) -> None:
        started.append(argv)
        raise Stopped

    monkeypatch.setattr(stream.subprocess, "Popen", popen)
    (followed,) = Sampler(Lab().run, ["db1"], {}, {"db1": ["-o", "HostName=10.30.1.11"]})._streams
    with pytest.raises(Stopped):
        followed._follow()
    (argv,) = started
    assert argv[argv.index("db1") - 1] == "HostName=10.30.1.11"
    # ssh takes the first of two values: the stream stays a connection of its own.
    assert "ControlPath=none" in argv[: argv.index("HostName=10.30.1.11")]


def test_path_that_returns_is_waited_for_and_one_that_does_not_is_told(lab: FakeLab) -> None:
    def status(*states: str) -> str:
        return "".join(f" 8:{number} {state} 0 0 1" for number, state in enumerate(states)) + " "

    looks = iter([status("A", "F"), status("A", "A"), status("A", "A"), status("A", "A")])
    lab.answers = [("dmsetup", lambda _lab: next(looks))]
    stage.wait_paths(lab, 45.0)  # type: ignore[arg-type]
    lab.answers = [("dmsetup", status("A", "F"))]
    with pytest.raises(TooLateError, match="I5: a path to the LUNs does not return"):
        stage.wait_paths(lab, 45.0)  # type: ignore[arg-type]


def test_what_each_node_sees_amiss_is_told_also_when_it_then_stops_answering(lab: FakeLab) -> None:
    lab.answers = [("dmsetup", " 8:0 A 0 0 1  8:16 A 0 0 1 ")]
    assert stage.faults(lab) == []  # type: ignore[arg-type]
    lab.has(quorum=False)
    lab.answers = [("db2: dmsetup", LabError("no answer")), ("dmsetup", " 8:0 A 0 0 1  8:16 F 0 0 1 ")]
    assert stage.faults(lab) == [  # type: ignore[arg-type]
        "db1: I5: no quorum", "db1: I5: a path to the LUNs is failed", "db2: I5: no quorum", "db2: I5: no answer",
    ]  # fmt: skip
