"""The six invariants of every scenario: pure functions from records to findings; no findings means that it held.

The numbers I1 to I6 are those of the reliability goals: no acknowledged write lost, never two owners, data
intact, the expected node fenced and no other, the cluster whole again, the outage within its budget.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import combinations

from scenario import events
from scenario.client_log import ClientLog
from scenario.events import Power
from scenario.holds import gaps, holds, may_be_shared, shared
from scenario.refused import Excuse, nothing
from scenario.sample import Sample
from scenario.status import Failure, Fencing, Status

_SHOWN = 10
# A node that answers is looked at every 0.08 s. On two busy cores a look may wait; beyond this nobody has looked.
BLIND_SECONDS = 3.0
# How findings begin that say no more than that nobody knows, or that follow from a cluster that is not whole.
BLIND, NOT_WRITABLE = "I2: nobody looked", "I3: the filesystem is not mounted writable"


def no_acknowledged_write_lost(log: ClientLog, present: Collection[int]) -> list[str]:
    """I1: every acknowledged number is in the table; and nothing is there that was never sent, or there twice."""
    there = set(present)
    found = []
    if lost := sorted(log.acked.keys() - there):
        found.append(f"I1: {len(lost)} acknowledged writes are lost: {_some(lost)}")
    if invented := sorted(there - log.sent.keys()):
        found.append(f"I1: {len(invented)} rows were never sent: {_some(invented)}")
    if len(there) != len(present):
        found.append(f"I1: {len(present) - len(there)} numbers are in the table more than once")
    return found


def never_two_owners(
    samples: Sequence[Sample], powers: Sequence[Power], nodes: Sequence[str], facts: Sequence[str], end: float,
    excused: Excuse = nothing,
) -> list[str]:  # fmt: skip
    """I2: no two nodes held the same mount, volume, server or address at the same time.

    Also a finding: samples that leave it open, and a time in which nobody looked at a node that ran.

    excused
        Says of two holds that the array refuses what one of the nodes writes.
    """
    found = []
    for fact in facts:
        held = [hold for node in nodes for hold in holds(samples, powers, node, fact, end)]
        for one, other in combinations(held, 2):
            if one.node != other.node and may_be_shared(one, other) and not excused(one, other):
                words = "both held" if shared(one, other) else "may both have held"
                found.append(
                    f"I2: {one.node} (until {one.until:.3f}..{one.latest:.3f}) and {other.node} "
                    f"({other.earliest:.3f}..{other.since:.3f} to {other.until:.3f}) {words} {fact}"
                )
    return found


def looked_at_all_the_time(
    samples: Sequence[Sample], nodes: Sequence[str], frozen: Sequence[tuple[str, float]]
) -> list[str]:
    """I2's own condition: no running node went unseen; a frozen one cannot be seen.

    frozen
        (node, when) of each freeze.
    """
    return [
        f"{BLIND} at {node} from {start:.3f} to {stop:.3f}"
        for node in nodes
        for start, stop in gaps(samples, node, BLIND_SECONDS)
        if not any(who == node and start - BLIND_SECONDS <= at <= stop for who, at in frozen)
    ]


def data_intact(check: Sequence[Sequence[object]], filesystem_errors: int, writable: bool) -> list[str]:
    """I3: CHECK TABLE finds nothing, and the filesystem is mounted writable and knows of no error."""
    found = [f"I3: CHECK TABLE: {' '.join(map(str, row))}" for row in check if row[2:4] != ["status", "OK"]]
    if not check:
        found.append("I3: CHECK TABLE said nothing")
    if filesystem_errors:
        found.append(f"I3: the filesystem counts {filesystem_errors} errors")
    if not writable:
        found.append(NOT_WRITABLE)
    return found


def expected_node_fenced(
    expected: Sequence[str], before: Sequence[Fencing], after: Sequence[Fencing], powers: Sequence[Power],
    perhaps: Sequence[str] = (), fails: Collection[str] = (), refused: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """I4: the expected nodes were fenced, and no others, by the cluster's history and by the BMCs' word.

    expected, perhaps
        Nodes that are to be fenced, and that may be, once for each time that they are named in either.

    fails
        Nodes whose fencing may fail at first, because that is the fault.

    refused
        Nodes that are fenced by the array, because their BMC does not: it need not have cut their power.

    A node that had no power when it was fenced need not have been switched off by its BMC.
    """
    allowed = {*expected, *perhaps}
    words = _names(set(expected)) + (f", perhaps {_names(set(perhaps))}" if perhaps else "")
    new = [event for event in after if event not in before]
    by_cluster = {event.target for event in new if event.status == "success"}
    # One that may be fenced, and was, has lost its power too. Not the other way round: the history dies with who knew it.
    wanted = set(expected) | by_cluster & set(perhaps)
    cuts = [event.node for event in powers if event.source == events.BMC and event.cut]
    had_power = wanted - {e.node for e in powers if e.source != events.BMC and e.action == events.OFF}
    found = []
    if by_cluster != wanted:
        found.append(f"I4: the cluster says that it fenced {_names(by_cluster)}; expected {words}")
    if not had_power - set(refused) <= set(cuts) <= allowed:
        found.append(f"I4: BMCs cut the power of {_names(set(cuts))}; expected {words}")
    # Counted by the BMCs: the cluster's history has an entry for each request that one fencing answered.
    most = Counter([*expected, *perhaps])
    if again := {node for node in cuts if cuts.count(node) > max(most[node], 1)}:
        found.append(f"I4: fenced too often: {_names(again)}")
    if failed := [e for e in new if e.status != "success" and not (e.status == "failed" and e.target in fails)]:
        found.append(f"I4: fencing did not succeed each time: {'; '.join(map(str, failed))}")
    return found


def whole(status: Status, nodes: Collection[str], group: Sequence[str], fences: dict[str, str]) -> list[str]:
    """I5, the part to wait for: both nodes plainly online, everything running where it belongs.

    group
        The resources that must all be on one node.
    fences
        For each fencing device the node on which it belongs.
    """
    found = [] if status.quorum else ["I5: no quorum"]
    if set(status.members) != set(nodes):
        found.append(f"I5: the cluster has nodes {_names(status.members)}")
    for member in status.members.values():
        if not member.online or member.trouble:
            found.append(f"I5: {member.name} is {', '.join(member.trouble) if member.online else 'not online'}")
    homes = {name: status.home(name) for name in group}
    if None in homes.values() or len(set(homes.values())) != 1:
        found.append(f"I5: the group is at {homes}")
    for name, node in fences.items():
        if status.home(name) != node:
            found.append(f"I5: {name} is on {status.home(name)}, not on {node}")
    return found + [f"I5: {r.name} is unmanaged" for r in status.resources.values() if not r.managed]


def no_unexplained_failure(failures: Sequence[Failure], explained: Collection[str]) -> list[str]:
    """I5, the rest: the cluster remembers no failed action but those that are the fault itself.

    explained
        Names of the resources that the scenario broke.
    """
    return [
        f"I5: {failure.resource} {failure.task} on {failure.node} failed: {failure.reason}"
        for failure in failures if failure.resource not in explained
    ]  # fmt: skip


def outage_within(log: ClientLog, end: float, budget: float) -> list[str]:
    """I6: the client was never without an answer for longer than the budget, in seconds."""
    if not log.acked:
        return ["I6: the client never got an answer"]
    gap = log.longest_gap(end)
    return [f"I6: no answer for {gap.seconds:.1f} s; the budget is {budget:g} s"] if gap.seconds > budget else []


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:_SHOWN])) + (" ..." if len(numbers) > _SHOWN else "")


def _names(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"
