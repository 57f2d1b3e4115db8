"""Where an outage's time went, from the words of Pacemaker and Corosync."""

from __future__ import annotations

import json

import pytest
from bench.clocks import offset
from bench.outage import outage, served_again
from scenario.client_log import Gap
from scenario.loglines import moments
from scenario.phases import divide, marks, spans

# journalctl --output=short-unix of the node that takes over, in the words of Pacemaker 3.0 and Corosync 3.1.
POWER_CUT = """\
1764000100.900000 db2 corosync[501]:   [KNET  ] link: host: 1 link: 0 is down
1764000101.200000 db2 corosync[501]:   [TOTEM ] A processor failed, forming new configuration: token timed out (1000ms), waiting 250ms for consensus.
1764000101.500000 db2 corosync[501]:   [TOTEM ] A new membership (2.1b) was formed. Members left: 1
1764000101.600000 db2 pacemaker-schedulerd[611]:  warning: Cluster node db1 will be fenced: peer is no longer part of the cluster
1764000101.700000 db2 pacemaker-controld[612]:  notice: Requesting fencing (reboot) targeting node db1
1764000101.710000 db2 pacemaker-fenced[608]:  notice: Client pacemaker-controld.612 wants to fence (reboot) db1 using any device
1764000102.200000 db2 pacemaker-fenced[608]:  notice: Operation 'reboot' [900] targeting db1 using fence-db1 returned 0
1764000102.210000 db2 pacemaker-fenced[608]:  notice: Operation 'reboot' targeting db1 by db2 for pacemaker-controld.612@db2: OK (Done)
1764000102.220000 db2 pacemaker-controld[612]:  notice: Peer db1 was terminated (reboot) by db2 on behalf of pacemaker-controld.612: OK
1764000102.300000 db2 pacemaker-controld[612]:  notice: Initiating start operation db-lvm_start_0 locally on db2
1764000102.310000 db2 pacemaker-controld[612]:  notice: Requesting local execution of start operation for db-lvm on db2
1764000102.600000 db2 pacemaker-controld[612]:  notice: Result of start operation for db-lvm on db2: OK
1764000102.600000 db2 pacemaker-controld[612]:  notice: Initiating start operation db-fs_start_0 locally on db2
1764000102.900000 db2 pacemaker-controld[612]:  notice: Result of start operation for db-fs on db2: OK
1764000102.900000 db2 pacemaker-controld[612]:  notice: Initiating start operation db-server_start_0 locally on db2
1764000102.900000 db2 pacemaker-controld[612]:  notice: Initiating start operation vip-nova_start_0 locally on db2
1764000103.000000 db2 pacemaker-controld[612]:  notice: Result of start operation for vip-nova on db2: OK
1764000105.400000 db2 pacemaker-controld[612]:  notice: Result of start operation for db-server on db2: OK
1764000105.450000 db2 pacemaker-controld[612]:  notice: Initiating start operation fence-db1_start_0 locally on db2
1764000106.450000 db2 sshd[99]: Result of start operation for db-fs on db2: OK
"""
# The node's wall clock is that much ahead of the host's monotonic clock.
AHEAD = 1764000000.0


def sums(journal: str, gap: Gap) -> dict[str, float]:
    return divide(gap, spans(moments(journal, -AHEAD), gap))


def test_power_cut_is_divided_into_its_phases() -> None:
    gap = Gap(100.0, 105.7)
    found = {phase: round(seconds, 2) for phase, seconds in sums(POWER_CUT, gap).items() if seconds}
    assert found == {
        "detection": 1.7, "fencing": 0.51, "lvm": 0.3, "filesystem": 0.3, "server": 2.5, "client": 0.3, "other": 0.09
    }  # fmt: skip
    assert sum(sums(POWER_CUT, gap).values()) == pytest.approx(gap.seconds)


def test_moments_of_the_outage_are_marked() -> None:
    assert marks(moments(POWER_CUT, -AHEAD), Gap(100.0, 105.7)) == {"membership lost": 1.2}


def test_action_without_an_end_lasts_to_the_end_of_the_outage() -> None:
    cut = "\n".join(POWER_CUT.splitlines()[:10])
    assert sums(cut, Gap(100.0, 112.0))["lvm"] == pytest.approx(9.7)


def test_actions_outside_the_outage_and_unknown_lines_count_for_nothing() -> None:
    assert sums(POWER_CUT, Gap(200.0, 203.0))["other"] == 3.0
    assert sums("nonsense\n-- Boot 1234 --\n1764000102.3 db2 pacemaker-controld: hello\n", Gap(100.0, 101.0))["other"] == 1.0


KILLED = """\
1764000110.000000 db1 pacemaker-controld[612]:  notice: Result of monitor operation for db-server on db1: not running
1764000110.100000 db1 pacemaker-controld[612]:  notice: Initiating stop operation db-server_stop_0 locally on db1
1764000110.600000 db1 pacemaker-controld[612]:  notice: Result of stop operation for db-server on db1: ok
1764000110.650000 db1 pacemaker-controld[612]:  notice: Initiating start operation db-server_start_0 on db1
1764000114.650000 db1 pacemaker-controld[612]:  notice: Result of start operation for db-server on db1: ok
"""


def test_killed_server_waits_for_the_next_monitor_first() -> None:
    gap = Gap(102.0, 112.0)
    found = sums(KILLED, gap)
    # Served before the agent was content with what it had started: nothing is left for the client.
    assert [round(found[phase], 2) for phase in ("detection", "stop", "server", "client")] == [8.1, 0.5, 1.35, 0.0]
    assert marks(moments(KILLED, -AHEAD), gap) == {"failure noticed": 8.0}


def test_monitor_that_is_content_is_no_failure() -> None:
    line = "1764000110.0 db1 pacemaker-controld[6]:  notice: Result of monitor operation for vip-nova on db1: OK\n"
    assert marks(moments(line, -AHEAD), Gap(100.0, 120.0)) == {}


@pytest.mark.parametrize(
    "words",
    ["Requesting fencing (off) of node db1", "Requesting peer fencing (reboot) targeting db1",
     "Requesting fencing (reboot) targeting node db1"],
)  # fmt: skip
def test_request_to_fence_is_known_in_the_words_of_each_release(words: str) -> None:
    (moment,) = moments(f"1764000101.5 db2 pacemaker-controld[1]:  notice: {words}\n", -AHEAD)
    assert (moment.kind, moment.task, moment.node) == ("begin", "fencing", "db1")


def test_node_that_could_not_be_fenced_is_no_end() -> None:
    line = "1764000101.5 db2 pacemaker-controld[1]:  notice: Peer db1 was not terminated (reboot) by db2: No such device\n"
    assert moments(line, -AHEAD) == []


def test_quickest_answer_places_a_clock() -> None:
    assert offset([(10.0, 1000.9, 12.0), (20.0, 1010.1, 20.2)]) == pytest.approx(20.1 - 1010.1)
    with pytest.raises(ValueError):
        offset([])


def line(**record: object) -> str:
    return json.dumps(record) + "\n"


LOG = [
    line(id=1, sent=1.0, wall=0, acked=1.1), line(connect=1.2, error="early trouble"), line(id=2, sent=1.3, wall=0, acked=1.4),
    # The server still answers after it was told to stop.
    line(id=3, sent=2.1, wall=0, acked=2.2), line(id=4, sent=2.3, wall=0, failed=3.3, error="gone"),
    line(connect=3.4, error="refused"), line(id=5, sent=7.0, wall=0, acked=7.1), line(id=6, sent=7.2, wall=0, acked=7.3),
]  # fmt: skip


def test_client_is_served_again_by_its_first_answer_after_an_error() -> None:
    assert served_again(LOG, 2.0) == 7.1
    assert outage(LOG, 8.0).seconds == pytest.approx(4.9)


def test_client_that_met_no_error_yet_or_is_not_served_yet_is_waited_for() -> None:
    assert served_again(LOG[:4], 2.0) is None
    assert served_again(LOG[:6], 2.0) is None
    assert served_again([*LOG[:6], LOG[6].rstrip("\n")], 2.0) is None
