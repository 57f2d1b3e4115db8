"""What the cluster stack's scenarios demand, and that each demand can fail."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from fake_stage import FakeLab, play
from scenario import faults_cluster as faults
from scenario import faults_takeover
from scenario.wait import TooLateError

from hadblab.errors import LabError


@pytest.mark.parametrize("act", [faults.kill_pacemakerd, partial(faults.kill_daemon, "pacemaker-based")])
def test_daemon_is_killed_on_both_nodes_and_has_to_come_back(lab: FakeLab, act) -> None:
    pids = iter(range(100, 120))
    lab.answers = [("pidof pacemaker", lambda lab: str(next(pids))), ("dmsetup status", " 8:0 A 0 0 1 8:16 A 0 0 1 ")]
    play(lab, act)
    assert [done.split(":")[0] for done in lab.done if "kill -9" in done] == ["db2", "db1"]


@pytest.mark.parametrize("pid", ["1000", "", LabError("no answer")])
def test_daemon_that_stays_dead_is_found(lab: FakeLab, pid) -> None:
    lab.answers = [("kill -9", lambda lab: lab.answers.insert(0, ("pidof pacemaker", pid))), ("pidof pacemaker", "1000")]
    with pytest.raises(TooLateError, match="pacemakerd does not come back on db2"):
        play(lab, faults.kill_pacemakerd)


def test_stopped_pacemakerd_is_known_by_its_silence_and_goes_on(lab: FakeLab) -> None:
    lab.answers = [("timeout 5 crm_mon", (124, ""))]
    play(lab, faults.stop_pacemakerd)
    assert lab.done[-1].startswith("db1: kill -CONT")
    with pytest.raises(AssertionError, match="nobody can tell"):
        lab.answers = []
        play(lab, faults.stop_pacemakerd)
    assert lab.done[-1].startswith("db1: kill -CONT")
    lab.answers = [("timeout 5 crm_mon", (124, "")), ("kill -STOP", lambda lab: lab.moves_to("db2"))]
    with pytest.raises(AssertionError, match="the database moved"):
        play(lab, faults.stop_pacemakerd)


def test_deleted_configuration_has_to_be_fetched_and_written(lab: FakeLab) -> None:
    same = '<cib epoch="8" num_updates="71" admin_epoch="0">\n<cib epoch="8" num_updates="0" admin_epoch="0">\n'
    lab.answers = [("--scope configuration", "<configuration/>"), ("db2: cibadmin .* head", same)]
    play(lab, faults.delete_cib)
    assert lab.done[0].startswith("db2: systemctl stop pacemaker && rm -f /var/lib/pacemaker/cib/* && systemctl start")
    lab.answers = [("--scope configuration", "<configuration/>")]
    with pytest.raises(TooLateError, match="not on the disk again"):
        play(lab, faults.delete_cib)
    lab.answers = [("db1: .*--scope configuration", "<configuration/>")]
    with pytest.raises(TooLateError, match="is not fetched"):
        play(lab, faults.delete_cib)
    # Two nodes that both have none are not the same.
    lab.answers = []
    with pytest.raises(TooLateError, match="is not fetched"):
        play(lab, faults.delete_cib)


def test_versions_differ_by_what_is_written_to_the_disk() -> None:
    line = '<cib crm_feature_set="3.20.0" validate-with="pacemaker-4.0" epoch="{}" num_updates="{}" admin_epoch="{}" x="y">'
    assert faults.same_version("\n".join([line.format(8, 53, 0), line.format(8, 0, 0)]))
    assert not faults.same_version("\n".join([line.format(9, 1, 0), line.format(8, 0, 0)]))
    assert not faults.same_version("\n".join([line.format(8, 1, 1), line.format(8, 0, 0)]))
    assert not faults.same_version(line.format(8, 53, 0))
    assert not faults.same_version("")
    assert not faults.same_version("nothing\nnothing")


OLD = '<cib epoch="9" admin_epoch="0">\n<cib epoch="8" admin_epoch="0">\n'
NEW = '<cib epoch="9" admin_epoch="0">\n<cib epoch="9" admin_epoch="0">\n'


def writes_again(lab: FakeLab) -> None:
    lab.answers.insert(0, ("cibadmin .* head", NEW))


def test_full_disk_keeps_the_configuration_in_force_and_off_the_disk_until_pacemaker_is_told(lab: FakeLab) -> None:
    lab.answers = [("--query --quiet", "full"), ("cibadmin .* head", OLD), ("kill -PIPE", writes_again)]
    play(lab, faults.fill_var)
    assert any("--delete" in done for done in lab.done)


@pytest.mark.parametrize(("answers", "said"), [
    ([("--query --quiet", "full"), ("cibadmin .* head", NEW)], "written all the same"),
    ([("db1: .*--query --quiet", "full"), ("cibadmin .* head", OLD)], "not in force"),
    ([("--query --quiet", "full"), ("cibadmin .* head", OLD)], "not written again")])  # fmt: skip
def test_full_disk_that_did_no_harm_or_lasting_harm_is_found_and_freed(lab: FakeLab, answers, said: str) -> None:
    lab.answers = answers
    with pytest.raises(AssertionError, match=said):
        play(lab, faults.fill_var)
    for step in ("db1: rm -f /hadb-fill /hadb-fill.rest", "db1: kill -PIPE $(pidof pacemaker-based)"):
        assert step in lab.done
    assert any("--delete" in done for done in lab.done)


def hold(lab: FakeLab, managed: bool) -> None:
    lab.has(resources={name: replace(one, managed=managed) for name, one in lab.cluster.resources.items()})


HOLDS = [("maintenance-mode --update true", lambda lab: hold(lab, False)), ("maintenance-mode --delete", lambda lab: hold(lab, True))]


def test_pacemaker_is_restarted_on_both_nodes_while_held(lab: FakeLab) -> None:
    lab.answers = [*HOLDS]
    play(lab, faults.reattach)
    steps = [done for done in lab.done if "maintenance-mode" in done or "systemctl" in done]
    assert steps == [
        "db1: crm_attribute --name maintenance-mode --update true", "db2: systemctl restart pacemaker",
        "db1: systemctl restart pacemaker", "db1: crm_attribute --name maintenance-mode --delete"]  # fmt: skip


def test_restarted_pacemaker_that_does_not_find_the_database_is_found_and_the_hold_ends(lab: FakeLab) -> None:
    lab.answers = [*HOLDS, ("db1: systemctl restart", lambda lab: lab.is_unclean("db2"))]
    with pytest.raises(TooLateError, match="db1 does not find the database running"):
        play(lab, faults.reattach)
    assert lab.done[-1].endswith("maintenance-mode --delete")
    lab.answers = []
    with pytest.raises(TooLateError, match="does not go into maintenance mode"):
        play(lab, faults.reattach)


def strikes(lab: FakeLab) -> None:
    lab.answers.insert(0, ("test -e /run/hadb-test-struck", (0, "")))


NOT_YET = ("test -e /run/hadb-test-struck", (1, ""))
SECOND_FAULTS = [faults_takeover.kill_executor_after_volume, faults_takeover.lose_power_after_mount,
                 faults_takeover.kill_server_at_start]  # fmt: skip


@pytest.mark.parametrize("act", SECOND_FAULTS)
def test_second_fault_waits_on_the_node_that_takes_over_before_the_first_comes(lab: FakeLab, act) -> None:
    lab.remembers("db-server", "db2")
    lab.answers = [NOT_YET, ("power db1 off", strikes)]
    play(lab, act)
    watch = next(done for done in lab.done if "systemd-run" in done)
    assert watch.startswith("db2: rm -f /run/hadb-test-struck; ")
    assert lab.done.index(watch) < lab.done.index("power db1 off")


@pytest.mark.parametrize("act", SECOND_FAULTS)
@pytest.mark.parametrize("answer", [NOT_YET, (NOT_YET[0], LabError("no answer"))])
def test_takeover_that_does_not_come_to_the_step_is_found(lab: FakeLab, act, answer) -> None:
    lab.answers = [answer]
    with pytest.raises(TooLateError, match="does not come to this step"):
        play(lab, act)


def test_server_that_starts_in_spite_of_being_killed_is_found(lab: FakeLab) -> None:
    lab.remembers("db-server", "db1")
    with pytest.raises(TooLateError, match="the start does not fail"):
        play(lab, faults_takeover.kill_server_at_start)


def test_power_fails_only_once_the_fencing_is_known(lab: FakeLab) -> None:
    with pytest.raises(TooLateError, match="the node is not fenced"):
        play(lab, faults_takeover.lose_power_after_fencing)
    assert "power db2 off" not in lab.done
    lab.done.clear()
    lab.answers = [("freeze db1", lambda lab: lab.cut_by_bmc("db1", 1e9)), ("power db. status", "off")]
    play(lab, faults_takeover.lose_power_after_fencing)
    steps = [done for done in lab.done if done.endswith((" off", " on")) or "freeze" in done]
    assert steps == ["freeze db1", "power db2 off", "power db1 on", "power db2 on"]


def test_watch_is_one_script_whatever_it_waits_for() -> None:
    script = faults_takeover.watching('grep -q " /dbmnt " /proc/mounts', "kill -9 $(pidof x)")
    assert script.endswith("sh -c 'until grep -q \" /dbmnt \" /proc/mounts; do sleep 0.02; done; kill -9 $(pidof x); "
                           "touch /run/hadb-test-struck'")  # fmt: skip
