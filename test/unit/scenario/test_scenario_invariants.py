"""Each invariant holds for a good record and fails for a violating one: a check that cannot fail proves nothing."""

from __future__ import annotations

from dataclasses import replace

from scenario import invariants
from scenario.client_log import ClientLog
from scenario.events import Power
from scenario.sample import Sample
from scenario.status import Failure, Fencing, Member, Resource, Status

LOG = ClientLog({1: 1.0, 2: 2.0, 3: 3.0}, {1: 1.1, 3: 3.1})
NODES = ("db1", "db2")


def run(node: str, start: float, end: float, *held: str, boot: str = "b1") -> list[Sample]:
    """Return samples every tenth of a second."""
    return [Sample(node, round(start + i / 10, 1), boot, frozenset(held)) for i in range(round((end - start) * 10))]


def ordered(*runs: list[Sample]) -> list[Sample]:
    return sorted((one for found in runs for one in found), key=lambda one: one.at)


# I1

def test_write_without_an_acknowledgement_may_be_there_or_not() -> None:
    assert invariants.no_acknowledged_write_lost(LOG, [1, 3]) == []
    assert invariants.no_acknowledged_write_lost(LOG, [1, 2, 3]) == []


def test_lost_acknowledged_write_is_found() -> None:
    (finding,) = invariants.no_acknowledged_write_lost(LOG, [1, 2])
    assert finding == "I1: 1 acknowledged writes are lost: 3"


def test_row_that_nobody_sent_and_row_that_is_there_twice_are_found() -> None:
    assert len(invariants.no_acknowledged_write_lost(LOG, [1, 3, 3, 9])) == 2


# I2

def test_orderly_handover_is_no_double_hold() -> None:
    seen = ordered(run("db1", 0, 5, "mount"), run("db1", 5, 10), run("db2", 0, 6), run("db2", 6, 10, "mount"))
    assert invariants.never_two_owners(seen, [], NODES, ["mount"], 10.0) == []


def test_two_mounts_at_once_are_found() -> None:
    seen = ordered(run("db1", 0, 5, "mount"), run("db1", 5, 10), run("db2", 0, 4), run("db2", 4, 10, "mount"))
    (finding,) = invariants.never_two_owners(seen, [], NODES, ["mount"], 10.0)
    assert "both held mount" in finding


def test_two_servers_and_two_owners_of_an_address_are_found() -> None:
    held = ("server", "10.20.0.50")
    seen = ordered(run("db1", 0, 5, *held), run("db2", 0, 4), run("db2", 4, 5, *held))
    assert len(invariants.never_two_owners(seen, [], NODES, held, 5.0)) == 2


def test_takeover_from_a_frozen_node_before_its_power_off_is_found_and_after_it_is_not() -> None:
    # db1 freezes at 3: no sample after that.
    seen = ordered(run("db1", 0, 3, "mount"), run("db2", 0, 8), run("db2", 8, 12, "mount"))
    good = [Power("db1", 7.0, "off", "bmc", "frozen")]
    late = [Power("db1", 9.0, "off", "bmc", "frozen")]
    assert invariants.never_two_owners(seen, good, NODES, ["mount"], 12.0) == []
    assert "both held" in invariants.never_two_owners(seen, late, NODES, ["mount"], 12.0)[0]
    assert "both held" in invariants.never_two_owners(seen, [], NODES, ["mount"], 12.0)[0]


def test_takeover_while_nobody_looked_is_not_taken_as_proven() -> None:
    seen = ordered(run("db1", 0, 3, "mount"), run("db1", 9, 12), run("db2", 0, 5), run("db2", 5, 12, "mount"))
    (finding,) = invariants.never_two_owners(seen, [], NODES, ["mount"], 12.0)
    assert "may both have held" in finding


def test_running_node_that_nobody_looked_at_is_found_unless_it_was_frozen() -> None:
    seen = ordered(run("db1", 0, 3), run("db1", 9, 12), run("db2", 0, 12))
    assert len(invariants.looked_at_all_the_time(seen, NODES, [])) == 1
    assert invariants.looked_at_all_the_time(seen, NODES, [("db1", 3.0)]) == []
    assert len(invariants.looked_at_all_the_time(seen, NODES, [("db2", 3.0)])) == 1


# I3

GOOD_CHECK = [["nova.t", "check", "status", "OK"]]


def test_intact_data_is_no_finding() -> None:
    assert invariants.data_intact(GOOD_CHECK, 0, True) == []


def test_damaged_table_filesystem_errors_and_a_read_only_mount_are_found() -> None:
    damaged = [["nova.t", "check", "error", "Corrupt"]]
    assert len(invariants.data_intact(damaged, 0, True)) == 1
    assert len(invariants.data_intact(GOOD_CHECK, 3, True)) == 1
    assert len(invariants.data_intact(GOOD_CHECK, 0, False)) == 1
    assert invariants.data_intact([], 0, True) == ["I3: CHECK TABLE said nothing"]


# I4

REBOOTED = Fencing("db1", "success", "2026-11-22 18:00:00Z")
BMC_CUT = [Power("db1", 5.0, "off", "bmc", "frozen"), Power("db1", 6.0, "on", "bmc", "off")]


def test_expected_fencing_is_no_finding() -> None:
    assert invariants.expected_node_fenced(["db1"], [], [REBOOTED], BMC_CUT) == []
    assert invariants.expected_node_fenced([], [REBOOTED], [REBOOTED], []) == []


def test_node_that_lost_its_power_need_not_be_switched_off_by_its_bmc() -> None:
    powers = [Power("db1", 3.0, "off", "operator", "on"), Power("db1", 9.0, "on", "bmc", "off")]
    assert invariants.expected_node_fenced(["db1"], [], [REBOOTED], powers) == []


def test_node_whose_kernel_ended_by_itself_need_not_be_switched_off_by_its_bmc() -> None:
    powers = [Power("db1", 3.0, "off", "itself", "on"), Power("db1", 9.0, "on", "bmc", "off")]
    assert invariants.expected_node_fenced(["db1"], [], [REBOOTED], powers) == []
    assert invariants.expected_node_fenced(["db1"], [], [REBOOTED], powers[1:])


def test_node_that_may_be_fenced_may_be_or_not_but_nobody_else_and_only_once() -> None:
    assert invariants.expected_node_fenced([], [], [REBOOTED], BMC_CUT, ["db1"]) == []
    assert invariants.expected_node_fenced([], [], [], [], ["db1"]) == []
    assert invariants.expected_node_fenced([], [], [REBOOTED], BMC_CUT, ["db2"])
    # The node that knew it may have lost its power itself.
    assert invariants.expected_node_fenced([], [], [], BMC_CUT, ["db1"]) == []
    # What the cluster says that it fenced has to have lost its power.
    assert invariants.expected_node_fenced([], [], [REBOOTED], [], ["db1"])
    again = [*BMC_CUT, Power("db1", 60.0, "off", "bmc", "on")]
    assert len(invariants.expected_node_fenced([], [], [REBOOTED], again, ["db1"])) == 1


def test_missing_unexpected_and_failed_fencing_are_found() -> None:
    assert invariants.expected_node_fenced(["db1"], [], [], [])
    assert invariants.expected_node_fenced([], [], [REBOOTED], BMC_CUT)
    assert invariants.expected_node_fenced(["db2"], [], [REBOOTED], BMC_CUT)
    failed = Fencing("db1", "failed", "2026-11-22 17:59:00Z")
    assert len(invariants.expected_node_fenced(["db1"], [], [failed, REBOOTED], BMC_CUT)) == 1


def test_node_fenced_again_and_again_is_found_and_one_fencing_for_two_requests_is_not() -> None:
    merged = [REBOOTED, replace(REBOOTED, completed="2026-11-22 18:00:01Z")]
    assert invariants.expected_node_fenced(["db1"], [], merged, BMC_CUT) == []
    again = [*BMC_CUT, Power("db1", 60.0, "off", "bmc", "on")]
    assert len(invariants.expected_node_fenced(["db1"], [], merged, again)) == 1


def test_bmc_that_cut_the_wrong_node_is_found_whatever_the_cluster_says() -> None:
    wrong = [*BMC_CUT, Power("db2", 5.0, "off", "bmc", "on")]
    (finding,) = invariants.expected_node_fenced(["db1"], [], [REBOOTED], wrong)
    assert "db1, db2" in finding


def test_node_that_may_be_fenced_is_fenced_once_or_not_at_all() -> None:
    fenced = invariants.expected_node_fenced
    assert fenced([], [], [], [], perhaps=["db1"]) == fenced([], [], [REBOOTED], BMC_CUT, perhaps=["db1"]) == []
    again = [*BMC_CUT, Power("db1", 60.0, "off", "bmc", "on")]
    assert fenced([], [], [REBOOTED], again, perhaps=["db1"]) == ["I4: fenced too often: db1"]


def test_what_may_be_fenced_replaces_neither_what_must_be_nor_allows_others() -> None:
    both = [*BMC_CUT, Power("db2", 5.0, "off", "bmc", "on")]
    (finding,) = invariants.expected_node_fenced(["db2"], [], [REBOOTED], both, perhaps=["db1"])
    assert finding == "I4: the cluster says that it fenced db1; expected db2, perhaps db1"
    (finding,) = invariants.expected_node_fenced([], [], [REBOOTED], both, perhaps=["db1"])
    assert finding == "I4: BMCs cut the power of db1, db2; expected none, perhaps db1"


def test_fencing_may_fail_where_that_is_the_fault_but_has_to_succeed_and_to_end() -> None:
    failed = Fencing("db1", "failed", "2026-11-22 17:59:00Z")
    fenced = invariants.expected_node_fenced
    assert fenced(["db1"], [], [failed, failed, REBOOTED], BMC_CUT, fails=["db1"]) == []
    assert len(fenced(["db1"], [], [failed], BMC_CUT, fails=["db1"])) == 1
    assert len(fenced(["db1"], [], [replace(failed, target="db2"), REBOOTED], BMC_CUT, fails=["db1"])) == 1
    assert len(fenced(["db1"], [], [replace(failed, status="pending"), REBOOTED], BMC_CUT, fails=["db1"])) == 1


def test_node_that_the_array_fenced_need_not_be_cut_by_its_bmc_but_fenced_it_must_be_and_nobody_else() -> None:
    fenced = invariants.expected_node_fenced
    assert fenced(["db1"], [], [REBOOTED], [], refused=["db1"]) == fenced(["db1"], [], [REBOOTED], BMC_CUT, refused=["db1"]) == []
    assert fenced(["db1"], [], [], [], refused=["db1"]) == ["I4: the cluster says that it fenced none; expected db1"]
    assert len(fenced(["db1"], [], [REBOOTED], [], refused=["db2"])) == 1
    assert len(fenced(["db1"], [], [REBOOTED], [Power("db2", 5.0, "off", "bmc", "on")], refused=["db1"])) == 1


# I5

GROUP = ("db-fs", "db-server")
FENCES = {"fence-db1": "db2", "fence-db2": "db1"}
HEALTHY = Status(
    quorum=True, dc="db1",
    members={name: Member(name, True, ()) for name in NODES},
    resources={
        **{name: Resource(name, ("db1",), False, True) for name in GROUP},
        "fence-db1": Resource("fence-db1", ("db2",), False, True),
        "fence-db2": Resource("fence-db2", ("db1",), False, True),
    },
    failures=(), fencing=(),
)  # fmt: skip


def whole(status: Status) -> list[str]:
    return invariants.whole(status, NODES, GROUP, FENCES)


def with_resource(resource: Resource) -> Status:
    return replace(HEALTHY, resources={**HEALTHY.resources, resource.name: resource})


def with_member(member: Member) -> Status:
    return replace(HEALTHY, members={**HEALTHY.members, member.name: member})


def test_whole_cluster_is_no_finding() -> None:
    assert whole(HEALTHY) == []


def test_everything_that_keeps_a_cluster_from_being_whole_is_found() -> None:
    broken = [
        replace(HEALTHY, quorum=False),
        replace(HEALTHY, members={"db1": HEALTHY.members["db1"]}),
        with_member(Member("db2", False, ())),
        with_member(Member("db2", True, ("standby",))),
        with_member(Member("db2", True, ("unclean",))),
        with_resource(Resource("db-server", (), False, True)),
        with_resource(Resource("db-server", ("db2",), False, True)),
        with_resource(Resource("db-server", ("db1", "db2"), False, True)),
        with_resource(Resource("fence-db1", ("db1",), False, True)),
        with_resource(Resource("fence-db1", (), False, True)),
        with_resource(Resource("db-server", ("db1",), False, False)),
    ]
    assert [len(whole(status)) for status in broken] == [1] * len(broken)


def test_only_the_fault_itself_may_be_remembered_as_a_failure() -> None:
    failures = [Failure("db-server", "monitor", "db1", "not running"), Failure("fence-db1", "start", "db2", "timeout")]
    (finding,) = invariants.no_unexplained_failure(failures, ["db-server"])
    assert finding == "I5: fence-db1 start on db2 failed: timeout"


# I6

def test_outage_beyond_its_budget_is_found() -> None:
    assert invariants.outage_within(LOG, 3.2, 5.0) == []
    assert invariants.outage_within(LOG, 3.2, 1.0) == ["I6: no answer for 2.0 s; the budget is 1 s"]
    assert invariants.outage_within(ClientLog({}, {}), 9.0, 5.0) == ["I6: the client never got an answer"]
